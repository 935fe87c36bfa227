/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a set from memory until it is durable. */
#include <stdlib.h>

#include "bench_options.h"
#include "containers.h"
#include "files.h"
#include "set.h"
#include "store.h"

#define ROUNDS       9
#define QUICK_ROUNDS 5

static const struct store *const stores[] = {
    &store_flat, &store_aimg, &store_lmdb, &store_lmdb_append, &store_sqlite, &store_sqlite_64k, NULL,
};

static const char *title(const struct store *store)
{
    return store == &store_flat ? "flat file with checksums" : store->title;
}

static void run_set(const struct bench_options *options, const char *name, struct results *results)
{
    struct set *set = set_load(name, options->data, options->work);
    char *directory = bench_text("%s/pack", options->work);
    char *path = bench_text("%s/out", directory);
    unsigned rounds = bench_rounds(options, ROUNDS, QUICK_ROUNDS);
    results_heading(results, "pack", set->name, set->title);
    files_make_directory(directory);
    for (unsigned round = 0; round <= rounds; round++) /* the first writes over blocks of the disk that were never written */
        for (size_t i = 0; stores[i]; i++) {
            if (!bench_wants(options, stores[i]->id))
                continue;
            files_sync(directory);
            double begin = bench_now();
            container_write(stores[i], set, path);
            double seconds = bench_now() - begin;
            if (round)
                results_add(results, "pack", set->name, "from memory, durable", title(stores[i]), "s", seconds);
            files_remove(path);
        }
    files_remove(directory);
    free(path);
    free(directory);
    set_free(set);
}

void pack_run(const struct bench_options *options, struct results *results)
{
    static const char *const names[] = {"cifar", "imagenet"};
    for (size_t i = 0; i < 2; i++)
        if (!options->set || !strcmp(options->set, names[i]))
            run_set(options, names[i], results);
}
