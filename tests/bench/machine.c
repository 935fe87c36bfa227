/* SPDX-License-Identifier: Apache-2.0 */
/* The part of files.h that speaks of processors and page tables. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "files.h"

static cpu_set_t allowed;
static int allowed_known;

static void learn_allowed(void)
{
    if (allowed_known)
        return;
    if (sched_getaffinity(0, sizeof allowed, &allowed))
        bench_die("sched_getaffinity: %s", strerror(errno));
    allowed_known = 1;
}

void files_pin(unsigned processor)
{
    learn_allowed();
    unsigned rank = processor % (unsigned)CPU_COUNT(&allowed);
    for (unsigned i = 0; i < CPU_SETSIZE; i++) {
        if (!CPU_ISSET(i, &allowed) || rank--)
            continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(i, &one);
        if (sched_setaffinity(0, sizeof one, &one))
            bench_die("sched_setaffinity: %s", strerror(errno));
        return;
    }
}

void files_unpin(void)
{
    learn_allowed();
    if (sched_setaffinity(0, sizeof allowed, &allowed))
        bench_die("sched_setaffinity: %s", strerror(errno));
}

/* madvise(MADV_POPULATE_READ) is of Linux 5.14; before that the pages are touched one by one, which comes to the same. */
static void populate_range(uintptr_t begin, uintptr_t end)
{
#ifdef MADV_POPULATE_READ
    if (!madvise((void *)begin, end - begin, MADV_POPULATE_READ))
        return;
#endif
    uint64_t sum = 0;
    for (uintptr_t page = begin; page < end; page += 4096)
        sum += *(const volatile uint8_t *)page;
    bench_sink += sum;
}

void files_populate(const char *path)
{
    char *real = realpath(path, NULL);
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[4096 + 128];
    if (!real || !maps)
        bench_die("cannot look for the mappings of %s: %s", path, strerror(errno));
    size_t file_bytes = files_bytes(real);
    while (fgets(line, sizeof line, maps)) {
        unsigned long begin = 0;
        unsigned long end = 0;
        unsigned long offset = 0;
        char *name = strchr(line, '/');
        line[strcspn(line, "\n")] = 0;
        if (!name || strcmp(name, real) || sscanf(line, "%lx-%lx r%*s %lx", &begin, &end, &offset) != 3)
            continue;
        if (offset >= file_bytes)
            continue;
        size_t left =
            (file_bytes - offset + 4095) & ~(size_t)4095; /* a mapping may go on past the end of its file, as LMDB's does */
        populate_range(begin, end - begin > left ? begin + left : end);
    }
    fclose(maps);
    free(real);
}
