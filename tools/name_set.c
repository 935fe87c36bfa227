/* SPDX-License-Identifier: Apache-2.0 */
#include "name_set.h"

/* 64 MiB, for 7 million names: the promise of the tool is to stay below 256 MiB. */
enum { MOST_SLOTS = 1 << 23 };

static uint64_t mix(uint64_t value)
{
    value ^= value >> 32;
    value *= UINT64_C(0xE9846AF9B1A615D);
    value ^= value >> 32;
    value *= UINT64_C(0xE9846AF9B1A615D);
    return value ^ value >> 28;
}

uint64_t name_hash(const char *name, size_t name_bytes)
{
    uint64_t hash = mix((uint64_t)name_bytes + 1);
    while (name_bytes > 0) {
        uint64_t word = 0;
        size_t count = name_bytes < sizeof word ? name_bytes : sizeof word;
        for (size_t i = 0; i < count; i++)
            word |= (uint64_t)(unsigned char)name[i] << (8 * i);
        hash = mix(hash ^ word) + UINT64_C(0x9E3779B97F4A7C15);
        name += count;
        name_bytes -= count;
    }
    return hash;
}

bool name_set_add(struct name_set *set, const char *name, size_t name_bytes)
{
    uint64_t hash = name_hash(name, name_bytes);
    if (number_set_has(&set->hashes, hash))
        return true;
    (void)number_set_add(&set->hashes, hash, MOST_SLOTS); /* when it is full it forgets what comes */
    return false;
}

void name_set_free(struct name_set *set)
{
    number_set_free(&set->hashes);
}
