/* SPDX-License-Identifier: Apache-2.0 */
/* Ordinals to ordinals. */
#ifndef AIMG_SRC_ORDINAL_MAP_H
#define AIMG_SRC_ORDINAL_MAP_H

#include "memory.h"

struct aimg_ordinal_pair {
    uint32_t key; /* + 1, or 0: no pair */
    uint32_t value;
};

struct aimg_ordinal_map {
    struct aimg_ordinal_pair *pairs;
    uint64_t size; /* a power of two, or 0 */
    uint64_t count;
};

/* The key must not be there yet. False when there is no memory. */
bool aimg_ordinal_map_add(const struct aimg_allocator *allocator, struct aimg_ordinal_map *map, uint32_t key, uint32_t value);
/* False when the key is not there. */
bool aimg_ordinal_map_find(const struct aimg_ordinal_map *map, uint32_t key, uint32_t *value_out);
void aimg_ordinal_map_clear(const struct aimg_allocator *allocator, struct aimg_ordinal_map *map);

#endif
