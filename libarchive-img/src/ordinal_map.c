/* SPDX-License-Identifier: Apache-2.0 */
#include "ordinal_map.h"

#define FIRST_SIZE 16

/* Fibonacci hashing (Knuth, volume 3, 6.4): neighbours are spread. */
static uint64_t home(uint32_t key)
{
    return (key * UINT64_C(0x9E3779B97F4A7C15)) >> 32;
}

static struct aimg_ordinal_pair *place_of(const struct aimg_ordinal_map *map, uint32_t key)
{
    uint64_t i = home(key) & (map->size - 1);
    while (map->pairs[i].key != 0 && map->pairs[i].key != key + 1)
        i = (i + 1) & (map->size - 1);
    return &map->pairs[i];
}

static bool grow(const struct aimg_allocator *allocator, struct aimg_ordinal_map *map)
{
    struct aimg_ordinal_map larger = {.size = map->size == 0 ? FIRST_SIZE : map->size * 2, .count = map->count};
    larger.pairs = aimg_alloc_array(allocator, larger.size, sizeof *larger.pairs);
    if (larger.pairs == NULL)
        return false;
    for (uint64_t i = 0; i < map->size; i++)
        if (map->pairs[i].key != 0)
            *place_of(&larger, map->pairs[i].key - 1) = map->pairs[i];
    aimg_release(allocator, map->pairs);
    *map = larger;
    return true;
}

bool aimg_ordinal_map_add(const struct aimg_allocator *allocator, struct aimg_ordinal_map *map, uint32_t key, uint32_t value)
{
    if (2 * (map->count + 1) > map->size && !grow(allocator, map))
        return false;
    *place_of(map, key) = (struct aimg_ordinal_pair){key + 1, value};
    map->count++;
    return true;
}

bool aimg_ordinal_map_find(const struct aimg_ordinal_map *map, uint32_t key, uint32_t *value_out)
{
    const struct aimg_ordinal_pair *pair = map->count == 0 ? NULL : place_of(map, key);
    if (pair == NULL || pair->key == 0)
        return false;
    *value_out = pair->value;
    return true;
}

void aimg_ordinal_map_clear(const struct aimg_allocator *allocator, struct aimg_ordinal_map *map)
{
    aimg_release(allocator, map->pairs);
    *map = (struct aimg_ordinal_map){NULL, 0, 0};
}
