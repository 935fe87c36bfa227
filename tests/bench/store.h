/* SPDX-License-Identifier: Apache-2.0 */
/* A container of named values: ours, the flat file that is the limit, and the peers, all behind one table of functions. */
#ifndef BENCH_STORE_H
#define BENCH_STORE_H

#include "bench.h"

struct store_item {
    const char *name;
    size_t name_bytes;
    const uint8_t *data;
    size_t bytes;
};

/* What a writer may know beforehand. */
struct store_plan {
    size_t count;
    uint64_t data_bytes;
    int small_values; /* tens of bytes: SQLite's manual then advises WITHOUT ROWID */
};

struct store {
    const char *id;        /* on the command line */
    const char *container; /* id of the store that writes its file; also the file name extension */
    const char *title;     /* in tables */

    void *(*create)(const char *path, const struct store_plan *plan);
    void (*put)(void *builder, const struct store_item *item); /* items come in order of their names */
    void (*finish)(void *builder);                             /* all is durable when it returns */

    /* first: a handle of the same file that is open already, whose process-wide part (the map, the environment) is shared with
     * this one for another thread; or NULL. It is closed last. find, open and close are NULL in what is only written here. */
    void *(*open)(const char *path, void *first);
    struct span (*find)(void *state, const char *name, size_t name_bytes); /* valid until the next find */
    void (*close)(void *state);
};

extern const struct store store_flat;
extern const struct store store_flat_random; /* the same file, opened with MADV_RANDOM */
extern const struct store store_aimg;
extern const struct store store_lmdb;
extern const struct store store_lmdb_append;
extern const struct store store_sqlite;      /* pages of 4 KiB, as it comes */
extern const struct store store_sqlite_mmap; /* the same file, read through a map */
extern const struct store store_sqlite_64k;
extern const struct store store_zip;
extern const struct store store_hdf5; /* no names: see hdf5_at */

/* By number, where a contender can do that. */
struct span hdf5_at(void *state, size_t index);

/* Every store that can be written and found again, NULL at the end. */
extern const struct store *const stores_all[];
const struct store *store_by_id(const char *id);

#endif
