/* SPDX-License-Identifier: Apache-2.0 */
#include "name_set.h"

#include <stdlib.h>
#include <string.h>

/* The largest is 64 MiB for 7 million names: the promise of the tool is to stay below 256 MiB. */
enum { FIRST_CAPACITY = 1 << 12, LAST_CAPACITY = 1 << 23 };

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

/* Where the hash is, or the free slot where it belongs. */
static uint64_t *slot_of(uint64_t *slots, size_t capacity, uint64_t hash)
{
    size_t at = (size_t)hash & (capacity - 1);
    while (slots[at] != 0 && slots[at] != hash)
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static bool has_room(struct name_set *set)
{
    if (set->count < set->capacity / 8 * 7)
        return true;
    size_t capacity = set->capacity == 0 ? FIRST_CAPACITY : set->capacity * 2;
    if (capacity > LAST_CAPACITY)
        return false;
    uint64_t *slots = calloc(capacity, sizeof *slots);
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < set->capacity; i++)
        if (set->slots[i] != 0)
            *slot_of(slots, capacity, set->slots[i]) = set->slots[i];
    free(set->slots);
    set->slots = slots;
    set->capacity = capacity;
    return true;
}

bool name_set_add(struct name_set *set, const char *name, size_t name_bytes)
{
    uint64_t hash = name_hash(name, name_bytes);
    hash = hash == 0 ? 1 : hash;
    bool room = has_room(set);
    if (set->capacity == 0)
        return false;
    uint64_t *slot = slot_of(set->slots, set->capacity, hash);
    if (*slot == hash)
        return true;
    if (room) {
        *slot = hash;
        set->count++;
    }
    return false;
}

void name_set_free(struct name_set *set)
{
    free(set->slots);
    *set = (struct name_set){.slots = NULL};
}
