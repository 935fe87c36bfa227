/* SPDX-License-Identifier: Apache-2.0 */
#include "flat.h"

#include <stdlib.h>
#include <sys/mman.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "files.h"
#include "flat_layout.h"

struct flat {
    const uint8_t *base;
    size_t bytes;
    const struct flat_slot *slots;
    uint64_t slot_count;
    int shared; /* the map is another handle's */
};

struct flat *flat_open(const char *path, int random_advice)
{
    struct flat *flat = bench_alloc(1, sizeof *flat);
    struct flat_trailer trailer;
    flat->base = files_map(path, &flat->bytes);
    if (random_advice)
        madvise((void *)flat->base, flat->bytes, MADV_RANDOM);
    memcpy(&trailer, flat->base + flat->bytes - sizeof trailer, sizeof trailer);
    flat->slots = (const struct flat_slot *)(flat->base + trailer.slots_offset);
    flat->slot_count = trailer.slot_count;
    return flat;
}

void flat_close(struct flat *flat)
{
    if (!flat->shared)
        munmap((void *)flat->base, flat->bytes);
    free(flat);
}

const uint8_t *flat_base(const struct flat *flat)
{
    return flat->base;
}

static inline struct span find_hashed(const struct flat *flat, uint64_t hash, const char *name, size_t name_bytes)
{
    for (uint64_t i = flat_home(hash, flat->slot_count);; i = i + 1 == flat->slot_count ? 0 : i + 1) {
        struct flat_slot slot = flat->slots[i];
        if (!slot.offset_plus_1)
            return (struct span){NULL, 0};
        if (slot.hash != hash)
            continue;
        const uint8_t *record = flat->base + slot.offset_plus_1 - 1;
        struct flat_record header;
        memcpy(&header, record, sizeof header);
        if (header.name_bytes == name_bytes && !memcmp(record + sizeof header, name, name_bytes))
            return (struct span){record + sizeof header + name_bytes, header.bytes};
    }
}

struct span flat_find(const struct flat *flat, const char *name, size_t name_bytes)
{
    return find_hashed(flat, XXH3_64bits(name, name_bytes), name, name_bytes);
}

/* Three sweeps: the hash and its slot; the slot's record and the line after it; the answer. */
void flat_find_batch(const struct flat *flat, const struct store_item *names, size_t count, struct span *spans_out)
{
    uint64_t hashes[BENCH_BATCH];
    for (size_t i = 0; i < count; i++) {
        hashes[i] = XXH3_64bits(names[i].name, names[i].name_bytes);
        __builtin_prefetch(&flat->slots[flat_home(hashes[i], flat->slot_count)]);
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t place = flat_home(hashes[i], flat->slot_count);
        while (flat->slots[place].offset_plus_1 && flat->slots[place].hash != hashes[i])
            place = place + 1 == flat->slot_count ? 0 : place + 1;
        __builtin_prefetch(flat->base + flat->slots[place].offset_plus_1);
        __builtin_prefetch(flat->base + flat->slots[place].offset_plus_1 + 63);
    }
    for (size_t i = 0; i < count; i++)
        spans_out[i] = find_hashed(flat, hashes[i], names[i].name, names[i].name_bytes);
}

struct flat_place flat_place(const struct flat *flat, const char *name, size_t name_bytes)
{
    struct span span = flat_find(flat, name, name_bytes);
    if (!span.data)
        bench_die("flat: %.*s is not there", (int)name_bytes, name);
    return (struct flat_place){(uint64_t)(span.data - flat->base), span.bytes};
}

/* ---- as a store ---- */

static void *open_shared(const char *path, void *first)
{
    if (!first)
        return flat_open(path, 0);
    struct flat *flat = bench_alloc(1, sizeof *flat);
    *flat = *(struct flat *)first;
    flat->shared = 1;
    return flat;
}

static void *open_random(const char *path, void *first)
{
    return first ? open_shared(path, first) : flat_open(path, 1);
}

static struct span find(void *state, const char *name, size_t name_bytes)
{
    return flat_find(state, name, name_bytes);
}

static void close_flat(void *state)
{
    flat_close(state);
}

const struct store store_flat = {
    "flat", "flat", "flat file, hash of the name", flat_create, flat_put, flat_finish, open_shared, find, close_flat};
const struct store store_flat_random = {"flat-random", "flat",    "flat file, MADV_RANDOM", NULL, NULL, NULL, open_random,
                                        find,          close_flat};
