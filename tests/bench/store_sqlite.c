/* SPDX-License-Identifier: Apache-2.0 */
#include <sqlite3.h>
#include <stdlib.h>

#include "files.h"
#include "store.h"

struct handle {
    sqlite3 *database;
    sqlite3_stmt *statement;
};

static void check(const struct handle *h, int result, const char *what)
{
    if (result != SQLITE_OK && result != SQLITE_DONE && result != SQLITE_ROW)
        bench_die("SQLite: %s: %s", what, sqlite3_errmsg(h->database));
}

static void execute(const struct handle *h, const char *text)
{
    check(h, sqlite3_exec(h->database, text, NULL, NULL, NULL), text);
}

static void *create(const char *path, const struct store_plan *plan, int page_bytes)
{
    struct handle *h = bench_alloc(1, sizeof *h);
    char *pragma = bench_text("PRAGMA page_size=%d", page_bytes);
    files_remove(path);
    check(h, sqlite3_open(path, &h->database), path);
    execute(h, pragma);
    free(pragma);
    if (plan->small_values)
        execute(h, "PRAGMA cache_size=-262144"); /* KiB: in the order of their keys, but the pages are many */
    execute(h, plan->small_values ? "CREATE TABLE t(k TEXT PRIMARY KEY, v BLOB) WITHOUT ROWID"
                                  : "CREATE TABLE t(k TEXT PRIMARY KEY, v BLOB)");
    execute(h, "BEGIN");
    check(h, sqlite3_prepare_v2(h->database, "INSERT INTO t VALUES(?,?)", -1, &h->statement, NULL), "prepare");
    return h;
}

static void *create_4k(const char *path, const struct store_plan *plan)
{
    return create(path, plan, 4096);
}

static void *create_64k(const char *path, const struct store_plan *plan)
{
    return create(path, plan, 65536);
}

static void put(void *builder, const struct store_item *item)
{
    struct handle *h = builder;
    sqlite3_bind_text(h->statement, 1, item->name, (int)item->name_bytes, SQLITE_STATIC);
    sqlite3_bind_blob(h->statement, 2, item->data, (int)item->bytes, SQLITE_STATIC);
    check(h, sqlite3_step(h->statement), "insert");
    sqlite3_reset(h->statement);
}

static void close_handle(void *state)
{
    struct handle *h = state;
    sqlite3_finalize(h->statement);
    sqlite3_close(h->database);
    free(h);
}

static void finish(void *builder)
{
    execute(builder, "COMMIT");
    close_handle(builder);
}

/* One transaction for all reads: without it each one would take and drop a lock. */
static struct handle *open_with(const char *path, const char *pragma)
{
    struct handle *h = bench_alloc(1, sizeof *h);
    check(h, sqlite3_open_v2(path, &h->database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL), path);
    if (pragma)
        execute(h, pragma);
    execute(h, "BEGIN");
    check(h, sqlite3_prepare_v2(h->database, "SELECT v FROM t WHERE k=?", -1, &h->statement, NULL), "prepare");
    return h;
}

/* A connection belongs to one thread. */
static void *open_default(const char *path, void *first)
{
    (void)first;
    return open_with(path, NULL);
}

static void *open_mmap(const char *path, void *first)
{
    (void)first;
    return open_with(path, "PRAGMA mmap_size=17179869184");
}

static struct span find(void *state, const char *name, size_t name_bytes)
{
    struct handle *h = state;
    sqlite3_reset(h->statement);
    sqlite3_bind_text(h->statement, 1, name, (int)name_bytes, SQLITE_STATIC);
    if (sqlite3_step(h->statement) != SQLITE_ROW)
        return (struct span){NULL, 0};
    const uint8_t *data = sqlite3_column_blob(h->statement, 0);
    return (struct span){data, (size_t)sqlite3_column_bytes(h->statement, 0)};
}

const struct store store_sqlite = {"sqlite", "sqlite", "SQLite", create_4k, put, finish, open_default, find, close_handle};
const struct store store_sqlite_mmap = {"sqlite-mmap", "sqlite", "SQLite, mmap", NULL, NULL, NULL, open_mmap, find, close_handle};
const struct store store_sqlite_64k = {
    "sqlite-64k", "sqlite-64k", "SQLite, pages of 64 KiB", create_64k, put, finish, open_default, find, close_handle};
