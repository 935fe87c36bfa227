/* SPDX-License-Identifier: Apache-2.0 */
#include "counting.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* In front of each piece: its size, and room to keep the alignment of malloc. */
struct piece {
    _Alignas(max_align_t) size_t bytes;
};

static void *counting_alloc(void *user, size_t bytes)
{
    struct counting *counting = user;
    unsigned long long call = atomic_fetch_add(&counting->allocated, 1) + 1;
    if (counting->fail_at != 0 && (call == counting->fail_at || (counting->fail_on && call > counting->fail_at)))
        return NULL;
    if (bytes > SIZE_MAX / 4)
        return NULL;
    struct piece *piece = malloc(sizeof *piece + bytes);
    if (piece == NULL)
        return NULL;
    piece->bytes = bytes;
    if (!counting->unfilled)
        memset(piece + 1, 0xA5, bytes);
    atomic_fetch_add(&counting->live, 1);
    long long now = atomic_fetch_add(&counting->live_bytes, (long long)bytes) + (long long)bytes;
    long long peak = atomic_load(&counting->peak_bytes);
    while (now > peak && !atomic_compare_exchange_weak(&counting->peak_bytes, &peak, now))
        continue;
    return piece + 1;
}

static void counting_free(void *user, void *memory)
{
    struct counting *counting = user;
    if (memory == NULL)
        return;
    struct piece *piece = (struct piece *)memory - 1;
    atomic_fetch_sub(&counting->live, 1);
    atomic_fetch_sub(&counting->live_bytes, (long long)piece->bytes);
    if (!counting->unfilled)
        memset(memory, 0x5A, piece->bytes);
    free(piece);
}

struct aimg_allocator counting_allocator(struct counting *counting)
{
    return (struct aimg_allocator){counting, counting_alloc, counting_free};
}
