/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <zip.h>

#include "files.h"
#include "store.h"

#define LARGEST_VALUE ((size_t)8 << 20)

struct reader {
    zip_t *archive;
    uint8_t *buffer;
};

static void *create(const char *path, const struct store_plan *plan)
{
    int code = 0;
    (void)plan;
    files_remove(path);
    zip_t *archive = zip_open(path, ZIP_CREATE | ZIP_EXCL, &code);
    if (!archive)
        bench_die("libzip: cannot create %s: error %d", path, code);
    return archive;
}

/* libzip writes when it closes, so the value is copied for it to free. */
static void put(void *builder, const struct store_item *item)
{
    zip_t *archive = builder;
    void *copy = bench_alloc(1, item->bytes);
    memcpy(copy, item->data, item->bytes);
    zip_source_t *source = zip_source_buffer(archive, copy, item->bytes, 1);
    zip_int64_t index = source ? zip_file_add(archive, item->name, source, ZIP_FL_ENC_UTF_8) : -1;
    if (index < 0 || zip_set_file_compression(archive, (zip_uint64_t)index, ZIP_CM_STORE, 0))
        bench_die("libzip: %s", zip_strerror(archive));
}

static void finish(void *builder)
{
    if (zip_close(builder))
        bench_die("libzip: %s", zip_strerror(builder));
}

static void *open_reader(const char *path, void *first)
{
    int code = 0;
    struct reader *r = bench_alloc(1, sizeof *r);
    (void)first; /* an archive handle belongs to one thread */
    r->archive = zip_open(path, ZIP_RDONLY, &code);
    if (!r->archive)
        bench_die("libzip: cannot open %s: error %d", path, code);
    r->buffer = malloc(LARGEST_VALUE);
    return r;
}

static struct span find(void *state, const char *name, size_t name_bytes)
{
    struct reader *r = state;
    struct zip_stat st;
    (void)name_bytes;
    zip_int64_t index = zip_name_locate(r->archive, name, 0);
    if (index < 0 || zip_stat_index(r->archive, (zip_uint64_t)index, 0, &st) || st.size > LARGEST_VALUE)
        return (struct span){NULL, 0};
    zip_file_t *file = zip_fopen_index(r->archive, (zip_uint64_t)index, 0);
    if (!file || zip_fread(file, r->buffer, st.size) != (zip_int64_t)st.size)
        bench_die("libzip: %s: %s", name, zip_strerror(r->archive));
    zip_fclose(file);
    return (struct span){r->buffer, (size_t)st.size};
}

static void close_reader(void *state)
{
    struct reader *r = state;
    zip_discard(r->archive);
    free(r->buffer);
    free(r);
}

const struct store store_zip = {"zip", "zip", "zip, libzip", create, put, finish, open_reader, find, close_reader};
