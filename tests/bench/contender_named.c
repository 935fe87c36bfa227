/* SPDX-License-Identifier: Apache-2.0 */
/* Reading by name through a store, and the list of all contenders. */
#include <stdlib.h>

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
    &contender_tar,
    &contender_aimg_copy,
    &contender_sqlite_mmap,
    &contender_sqlite,
    &contender_files,
    &contender_zip,
    &contender_hdf5,
    NULL,
};
