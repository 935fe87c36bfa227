/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

const struct store *const stores_all[] = {
    &store_flat,       &store_flat_random, &store_aimg, &store_lmdb, &store_lmdb_append, &store_sqlite, &store_sqlite_mmap,
    &store_sqlite_64k, &store_zip,         &store_hdf5, NULL,
};

const struct store *store_by_id(const char *id)
{
    for (size_t i = 0; stores_all[i]; i++)
        if (!strcmp(stores_all[i]->id, id))
            return stores_all[i];
    bench_die("no store is called %s", id);
}
