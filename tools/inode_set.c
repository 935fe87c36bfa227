/* SPDX-License-Identifier: Apache-2.0 */
#include "inode_set.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 64 };

/* No file has the number 0, by convention; one that has shares its place with the last number of all. */
static uint64_t key_of(ino_t inode)
{
    return inode == 0 ? UINT64_MAX : (uint64_t)inode;
}

/* Where the key is, or the free slot where it belongs. Numbers that follow each other lie far apart. */
static uint64_t *slot_of(uint64_t *slots, size_t capacity, uint64_t key)
{
    size_t at = (size_t)(key * UINT64_C(0x9E3779B97F4A7C15) >> 32) & (capacity - 1);

    while (slots[at] != 0 && slots[at] != key)
        at = (at + 1) & (capacity - 1);
    return &slots[at];
}

static bool make_room(struct inode_set *set)
{
    size_t capacity = set->capacity == 0 ? FIRST_CAPACITY : set->capacity * 2;
    uint64_t *slots;

    if (set->count < set->capacity / 4 * 3)
        return true;
    slots = calloc(capacity, sizeof *slots);
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

bool inode_set_has(const struct inode_set *set, ino_t inode)
{
    return set->capacity > 0 && *slot_of(set->slots, set->capacity, key_of(inode)) != 0;
}

bool inode_set_add(struct inode_set *set, ino_t inode)
{
    uint64_t *slot;

    if (!make_room(set))
        return false;
    slot = slot_of(set->slots, set->capacity, key_of(inode));
    set->count += *slot == 0;
    *slot = key_of(inode);
    return true;
}

void inode_set_free(struct inode_set *set)
{
    free(set->slots);
    *set = (struct inode_set){.slots = NULL};
}
