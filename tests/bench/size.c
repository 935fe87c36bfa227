/* SPDX-License-Identifier: Apache-2.0 */
/* What containers add to the bytes of the pictures. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "archive.h"
#include "bench_options.h"
#include "containers.h"
#include "files.h"
#include "set.h"

#define ARCHIVE_OF 1000
#define APPENDS    8

static const char *const containers[] = {"aimg",        "aimg-auto", "flat",       "tar",  "zip",      "lmdb",
                                         "lmdb-append", "sqlite",    "sqlite-64k", "hdf5", "directory"};

static const char *container_title(const char *id)
{
    if (!strcmp(id, "aimg-auto"))
        return "aimg, compress auto";
    if (!strcmp(id, "flat"))
        return "flat file with checksums and hash of the name";
    if (!strcmp(id, "tar"))
        return "tar";
    if (!strcmp(id, "zip"))
        return "zip, stored";
    return strcmp(id, "directory") ? store_by_id(id)->title : "directory, blocks on the disk";
}

static void measure_containers(const struct bench_options *options, const struct set *set, struct results *results)
{
    for (size_t i = 0; i < sizeof containers / sizeof *containers; i++) {
        if (!bench_wants(options, containers[i]))
            continue;
        struct bench_options reuse = *options;
        reuse.keep = 1; /* the suite of reads has made most of them */
        container_make(&reuse, set, containers[i]);
        char *path = container_path(options, set, containers[i]);
        uint64_t bytes = strcmp(containers[i], "directory") ? files_bytes(path) : files_tree_bytes(path);
        results_add(results, "size", set->name, "bytes over the sum of the files", container_title(containers[i]), "",
                    (double)bytes / (double)set->total_bytes);
        free(path);
    }
}

static void append_one(const char *path, const struct set *set, size_t index)
{
    struct aimg_writer *writer = archive_append(path);
    archive_add(writer, set->names[index], set->name_bytes[index], set->data[index], set->bytes[index]);
    archive_commit(writer);
    archive_close(writer);
}

/* The first commits to an archive; a later one may merge what they left, which is counted apart. */
static void measure_append(const struct bench_options *options, const struct set *set, struct results *results)
{
    char *path = bench_text("%s/containers/append.aimg", options->work);
    struct set thousand = *set;
    if (set->count < ARCHIVE_OF + APPENDS)
        bench_die("%s has too few pictures to append some to an archive of %d", set->name, ARCHIVE_OF);
    thousand.count = ARCHIVE_OF;
    thousand.total_bytes = 0;
    for (size_t i = 0; i < ARCHIVE_OF; i++)
        thousand.total_bytes += set->bytes[i];
    container_write(&store_aimg, &thousand, path);
    for (size_t i = 0; i < APPENDS; i++) {
        uint64_t before = files_bytes(path);
        append_one(path, set, ARCHIVE_OF + i);
        double added = (double)(files_bytes(path) - before) - (double)set->bytes[ARCHIVE_OF + i];
        results_add(results, "size", "append", "bytes beside the image", i ? "each of the next seven" : "first image added", "",
                    added);
    }
    files_remove(path);
    free(path);
}

void size_run(const struct bench_options *options, struct results *results)
{
    static const char *const names[] = {"cifar", "imagenet"};
    for (size_t i = 0; i < 2; i++) {
        if (options->set && strcmp(options->set, names[i]))
            continue;
        struct set *set = set_load(names[i], options->data, options->work);
        results_heading(results, "size", set->name, set->title);
        measure_containers(options, set, results);
        if (!i && bench_wants(options, "append")) {
            results_heading(results, "size", "append", "adding one image to an archive of 1,000");
            measure_append(options, set, results);
        }
        set_free(set);
    }
}
