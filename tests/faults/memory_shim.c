/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into a program, lets its allocations fail: the n-th from the beginning of the program, or all from that one on. What
 * to do, and what was done, stands in memory that the test shares with it: MEMORY_SHIM is the number of its descriptor.
 */
#include "memory_shim.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Of the C library, under the names that it keeps for those who stand in for it. */
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

static struct memory_plan *plan;

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("MEMORY_SHIM");
    void *shared = text == NULL ? MAP_FAILED : mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED, atoi(text), 0);
    if (shared == MAP_FAILED)
        abort();
    plan = shared;
}

static bool refused(void)
{
    if (plan == NULL)
        return false;
    unsigned long call = atomic_fetch_add(&plan->calls, 1) + 1;
    if (call != plan->fail_at && !(plan->fail_on && call > plan->fail_at))
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t bytes)
{
    return refused() ? NULL : __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes)
{
    return refused() ? NULL : __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes)
{
    return refused() ? NULL : __libc_realloc(memory, bytes);
}

int posix_memalign(void **out, size_t alignment, size_t bytes)
{
    void *memory = refused() ? NULL : __libc_memalign(alignment, bytes);
    if (memory == NULL)
        return ENOMEM;
    *out = memory;
    return 0;
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    return refused() ? NULL : __libc_memalign(alignment, bytes);
}
