/* SPDX-License-Identifier: Apache-2.0 */
/* Reading by name through a store, and the list of all contenders. */
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "contender.h"

struct named {
    const struct store *store;
    void *state;
    const char *const *names;
    const size_t *name_bytes;
};

void *named_open(const struct contender *contender, const struct set *set, const char *path, void *first)
{
    struct named *named = bench_alloc(1, sizeof *named);
    void *first_state = first ? ((struct named *)first)->state : NULL;
    *named = (struct named){contender->store, contender->store->open(path, first_state), set->names, set->name_bytes};
    return named;
}

struct span named_get(void *state, uint32_t index)
{
    const struct named *named = state;
    return named->store->find(named->state, named->names[index], named->name_bytes[index]);
}

void named_close(void *state)
{
    struct named *named = state;
    named->store->close(named->state);
    free(named);
}

/* A store that hands out its map, made to do what a copying read of ours does. */
struct copying {
    struct named *named;
    const struct set *set;
    XXH128_hash_t *hashes; /* by number; what a table beside the store would hold */
    uint8_t *buffer;
};

static void *copying_open(const struct contender *contender, const struct set *set, const char *path, void *first)
{
    struct copying *c = bench_alloc(1, sizeof *c);
    c->named = named_open(contender, set, path, first ? ((struct copying *)first)->named : NULL);
    c->set = set;
    c->hashes = bench_alloc(set->count, sizeof *c->hashes);
    c->buffer = bench_alloc(1, set->largest_bytes);
    for (size_t i = 0; i < set->count; i++)
        c->hashes[i] = XXH3_128bits(set->data[i], set->bytes[i]);
    return c;
}

static struct span copying_get(void *state, uint32_t index)
{
    const struct copying *c = state;
    struct span span = named_get(c->named, index);
    if (span.bytes > c->set->largest_bytes)
        bench_die("%s has too many bytes", c->set->names[index]);
    memcpy(c->buffer, span.data, span.bytes);
    return (struct span){c->buffer, span.bytes};
}

static struct span verified_get(void *state, uint32_t index)
{
    const struct copying *c = state;
    struct span span = copying_get(state, index);
    if (!XXH128_isEqual(XXH3_128bits(span.data, span.bytes), c->hashes[index]))
        bench_die("%s is damaged", c->set->names[index]);
    return span;
}

static void copying_close(void *state)
{
    struct copying *c = state;
    named_close(c->named);
    free(c->hashes);
    free(c->buffer);
    free(c);
}

const struct contender contender_lmdb_copy = {
    "LMDB by key, copied", "lmdb", &store_lmdb, copying_open, copying_get, NULL, copying_close,
};
const struct contender contender_lmdb_copy_verified = {
    "LMDB by key, copied, XXH3-128 compared", "lmdb", &store_lmdb, copying_open, verified_get, NULL, copying_close,
};

#define NAMED(title, container, store)                                    \
    {                                                                     \
        title, container, store, named_open, named_get, NULL, named_close \
    }

const struct contender contender_flat_name = NAMED("flat file, hash of the name, key compared", "flat", &store_flat);
const struct contender contender_lmdb = NAMED("LMDB by key", "lmdb", &store_lmdb);
const struct contender contender_sqlite_mmap = NAMED("SQLite, mmap", "sqlite", &store_sqlite_mmap);
const struct contender contender_sqlite = NAMED("SQLite, default", "sqlite", &store_sqlite);
const struct contender contender_zip = NAMED("zip, libzip", "zip", &store_zip);
const struct contender contender_aimg_name = NAMED("aimg by name", "aimg", &store_aimg);

/* Those that are held against each other run one after the other, so that the drift of the machine between them is small. */
const struct contender *const contenders_all[] = {
    &contender_flat_number,
    &contender_aimg_number,
    &contender_aimg_verified,
    &contender_aimg_batch,
    &contender_aimg_batch_verified,
    &contender_flat_name,
    &contender_aimg_name,
    &contender_aimg_names,
    &contender_lmdb,
    &contender_auto_name,
    &contender_lmdb_copy,
    &contender_lmdb_copy_verified,
    &contender_auto_number,
    &contender_aimg_copy,
    &contender_tar,
    &contender_sqlite_mmap,
    &contender_sqlite,
    &contender_files,
    &contender_zip,
    &contender_hdf5,
    NULL,
};
