/* SPDX-License-Identifier: Apache-2.0 */
/* One way of reading a picture of a set by its number: what the suite of reads puts side by side. */
#ifndef BENCH_CONTENDER_H
#define BENCH_CONTENDER_H

#include "set.h"
#include "store.h"

struct contender {
    const char *title;
    const char *container;     /* "flat", "tar", ...; the file that it reads, see containers.h */
    const struct store *store; /* of those that read by name; else NULL */

    void *(*open)(const struct contender *contender, const struct set *set, const char *path,
                  void *first); /* first: see struct store */
    struct span (*get)(void *state, uint32_t index);
    void (*batch)(void *state, const uint32_t *indexes, size_t count,
                  struct span *spans_out); /* instead of get; up to BENCH_BATCH */
    void (*close)(void *state);
};

/* The limit comes first; NULL at the end. */
extern const struct contender *const contenders_all[];

extern const struct contender contender_flat_number;
extern const struct contender contender_flat_name;
extern const struct contender contender_lmdb;
extern const struct contender contender_tar;
extern const struct contender contender_sqlite_mmap;
extern const struct contender contender_sqlite;
extern const struct contender contender_files;
extern const struct contender contender_zip;
extern const struct contender contender_hdf5;

extern const struct contender contender_aimg_number;
extern const struct contender contender_aimg_verified;
extern const struct contender contender_aimg_batch;
extern const struct contender contender_aimg_batch_verified;
extern const struct contender contender_aimg_name;
extern const struct contender contender_aimg_names;
extern const struct contender contender_aimg_copy;

/* The archive that the tool makes by default, where images may be coded; and its peer, which hands out as much. */
extern const struct contender contender_auto_number;
extern const struct contender contender_auto_name;
extern const struct contender contender_lmdb_copy;
extern const struct contender contender_lmdb_copy_verified;

/* For contenders with a store: reading by name. */
void *named_open(const struct contender *contender, const struct set *set, const char *path, void *first);
struct span named_get(void *state, uint32_t index);
void named_close(void *state);

#endif
