/* SPDX-License-Identifier: Apache-2.0 */
#include <lmdb.h>
#include <stdlib.h>

#include "files.h"
#include "store.h"

/* One transaction, as its users are told to write in bulk; but one of millions of pages spills, which
 * is slower than to commit. */
#define PUTS_A_TRANSACTION 500000

struct builder {
    MDB_env *environment;
    MDB_txn *transaction;
    MDB_dbi database;
    unsigned put_flags;
    size_t puts;
};

struct reader {
    MDB_env *environment;
    MDB_txn *transaction;
    MDB_dbi database;
    int shared;
};

static void check(int result, const char *what)
{
    if (result)
        bench_die("LMDB: %s: %s", what, mdb_strerror(result));
}

static void *create(const char *path, const struct store_plan *plan, unsigned put_flags)
{
    struct builder *b = bench_alloc(1, sizeof *b);
    char *lock = bench_text("%s-lock", path);
    files_remove(path);
    files_remove(lock);
    free(lock);
    b->put_flags = put_flags;
    check(mdb_env_create(&b->environment), "create");
    check(mdb_env_set_mapsize(b->environment, (size_t)(plan->data_bytes * 3 + plan->count * 256 + (64 << 20))), "map size");
    check(mdb_env_open(b->environment, path, MDB_NOSUBDIR, 0644), path);
    check(mdb_txn_begin(b->environment, NULL, 0, &b->transaction), "begin");
    check(mdb_dbi_open(b->transaction, NULL, 0, &b->database), "database");
    return b;
}

static void *create_plain(const char *path, const struct store_plan *plan)
{
    return create(path, plan, MDB_NOOVERWRITE);
}

static void *create_append(const char *path, const struct store_plan *plan)
{
    return create(path, plan, MDB_APPEND);
}

static void put(void *builder, const struct store_item *item)
{
    struct builder *b = builder;
    MDB_val key = {item->name_bytes, (void *)item->name};
    MDB_val value = {item->bytes, (void *)item->data};
    check(mdb_put(b->transaction, b->database, &key, &value, b->put_flags), "put");
    if (++b->puts % PUTS_A_TRANSACTION)
        return;
    check(mdb_txn_commit(b->transaction), "commit");
    check(mdb_txn_begin(b->environment, NULL, 0, &b->transaction), "begin");
}

static void finish(void *builder)
{
    struct builder *b = builder;
    check(mdb_txn_commit(b->transaction), "commit");
    mdb_env_close(b->environment);
    free(b);
}

/* An environment must not be opened twice in one process; a reading transaction belongs to one thread. */
static void *open_reader(const char *path, void *first)
{
    struct reader *r = bench_alloc(1, sizeof *r);
    if (first) {
        *r = *(struct reader *)first;
        r->shared = 1;
    } else {
        check(mdb_env_create(&r->environment), "create");
        check(mdb_env_open(r->environment, path, MDB_NOSUBDIR | MDB_RDONLY | MDB_NOTLS, 0644), path);
    }
    check(mdb_txn_begin(r->environment, NULL, MDB_RDONLY, &r->transaction), "begin");
    if (!first)
        check(mdb_dbi_open(r->transaction, NULL, 0, &r->database), "database");
    return r;
}

static struct span find(void *state, const char *name, size_t name_bytes)
{
    struct reader *r = state;
    MDB_val key = {name_bytes, (void *)name};
    MDB_val value;
    if (mdb_get(r->transaction, r->database, &key, &value))
        return (struct span){NULL, 0};
    return (struct span){value.mv_data, value.mv_size};
}

static void close_reader(void *state)
{
    struct reader *r = state;
    mdb_txn_abort(r->transaction);
    if (!r->shared)
        mdb_env_close(r->environment);
    free(r);
}

const struct store store_lmdb = {"lmdb", "lmdb", "LMDB", create_plain, put, finish, open_reader, find, close_reader};
const struct store store_lmdb_append = {"lmdb-append", "lmdb-append", "LMDB, MDB_APPEND", create_append, put, finish,
                                        open_reader,   find,          close_reader};
