/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing, at most seven eighths full. */
#include "number_set.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 64 };

static uint64_t key_of(uint64_t number)
{
    return number == 0 ? UINT64_MAX : number;
}

/* Where the key is, or the free slot where it belongs. Numbers that follow each other lie far apart. */
static uint64_t *slot_of(uint64_t *slots, size_t capacity, uint64_t key)
{
    size_t at = (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (capacity - 1);

    while (slots[at] != 0 && slots[at] != key)
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static bool make_room(struct number_set *set, size_t most)
{
    size_t capacity = set->capacity == 0 ? FIRST_CAPACITY : set->capacity * 2;
    uint64_t *slots;

    if (set->count < set->capacity / 8 * 7)
        return true;
    slots = capacity > most ? NULL : calloc(capacity, sizeof *slots);
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

bool number_set_has(const struct number_set *set, uint64_t number)
{
    return set->capacity > 0 && *slot_of(set->slots, set->capacity, key_of(number)) != 0;
}

bool number_set_add(struct number_set *set, uint64_t number, size_t most)
{
    if (number_set_has(set, number))
        return true;
    if (!make_room(set, most))
        return false;
    *slot_of(set->slots, set->capacity, key_of(number)) = key_of(number);
    set->count++;
    return true;
}

void number_set_free(struct number_set *set)
{
    free(set->slots);
    *set = (struct number_set){.slots = NULL};
}
