/* SPDX-License-Identifier: Apache-2.0 */
#include "ordinal_set.h"

#define FIRST_SIZE 16

/* Fibonacci hashing (Knuth, volume 3, 6.4): neighbours are spread. */
static uint64_t home(uint32_t ordinal)
{
    return (ordinal * UINT64_C(0x9E3779B97F4A7C15)) >> 32;
}

static uint32_t *place_of(const struct aimg_ordinal_set *set, uint32_t ordinal)
{
    uint64_t i = home(ordinal) & (set->size - 1);
    while (set->places[i] != 0 && set->places[i] != ordinal + 1)
        i = (i + 1) & (set->size - 1);
    return &set->places[i];
}

bool aimg_ordinal_set_has(const struct aimg_ordinal_set *set, uint32_t ordinal)
{
    return set->count > 0 && *place_of(set, ordinal) != 0;
}

static bool grow(const struct aimg_allocator *allocator, struct aimg_ordinal_set *set)
{
    struct aimg_ordinal_set larger = {.size = set->size == 0 ? FIRST_SIZE : set->size * 2, .count = set->count};
    larger.places = aimg_alloc_array(allocator, larger.size, sizeof *larger.places);
    if (larger.places == NULL)
        return false;
    for (uint64_t i = 0; i < set->size; i++)
        if (set->places[i] != 0)
            *place_of(&larger, set->places[i] - 1) = set->places[i];
    aimg_release(allocator, set->places);
    *set = larger;
    return true;
}

bool aimg_ordinal_set_add(const struct aimg_allocator *allocator, struct aimg_ordinal_set *set, uint32_t ordinal)
{
    if (2 * (set->count + 1) > set->size && !grow(allocator, set))
        return false;
    uint32_t *place = place_of(set, ordinal);
    set->count += *place == 0;
    *place = ordinal + 1;
    return true;
}

void aimg_ordinal_set_clear(const struct aimg_allocator *allocator, struct aimg_ordinal_set *set)
{
    aimg_release(allocator, set->places);
    *set = (struct aimg_ordinal_set){NULL, 0, 0};
}
