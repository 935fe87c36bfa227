/* SPDX-License-Identifier: Apache-2.0 */
/* Ours, through the public interface only. */
#include <aimg/aimg.h>
#include <stdlib.h>

#include "files.h"
#include "store.h"
#include "store_aimg.h"

static void check(enum aimg_status status, const struct aimg_error *error)
{
    if (status)
        bench_die("aimg: %s: %s", aimg_status_text(status), error->message);
}

static void *create(const char *path, const struct store_plan *plan)
{
    struct aimg_writer_options options = {.struct_bytes = sizeof options, .compress = AIMG_COMPRESS_STORE};
    struct aimg_writer *writer = NULL;
    struct aimg_error error;
    (void)plan;
    files_remove(path);
    check(aimg_writer_create(path, &options, &writer, &error), &error);
    return writer;
}

static void put(void *builder, const struct store_item *item)
{
    struct aimg_error error;
    struct aimg_image image = {
        .struct_bytes = sizeof image,
        .name = item->name,
        .name_bytes = item->name_bytes,
        .data = item->data,
        .data_bytes = item->bytes,
        .format = AIMG_FORMAT_JPEG,
    };
    check(aimg_writer_add(builder, &image, NULL, &error), &error);
}

static void finish(void *builder)
{
    struct aimg_error error;
    check(aimg_writer_commit(builder, NULL, &error), &error);
    check(aimg_writer_close(builder, &error), &error);
}

/* A reader is shared by all threads. */
struct handle {
    struct aimg_reader *reader;
    int shared;
};

static void *open_reader(const char *path, void *first)
{
    struct handle *h = bench_alloc(1, sizeof *h);
    struct aimg_error error;
    if (first)
        *h = (struct handle){((struct handle *)first)->reader, 1};
    else
        check(aimg_reader_open(path, NULL, &h->reader, &error), &error);
    return h;
}

struct aimg_reader *store_aimg_reader(void *state)
{
    return ((struct handle *)state)->reader;
}

static struct span find(void *state, const char *name, size_t name_bytes)
{
    const struct handle *h = state;
    struct aimg_bytes bytes;
    if (aimg_reader_borrow_name(h->reader, name, name_bytes, 0, &bytes, NULL))
        return (struct span){NULL, 0};
    return (struct span){bytes.data, (size_t)bytes.bytes};
}

static void close_reader(void *state)
{
    struct handle *h = state;
    if (!h->shared)
        aimg_reader_close(h->reader);
    free(h);
}

const struct store store_aimg = {"aimg", "aimg", "aimg", create, put, finish, open_reader, find, close_reader};
