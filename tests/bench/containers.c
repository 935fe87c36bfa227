/* SPDX-License-Identifier: Apache-2.0 */
#include "containers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "files.h"

char *container_path(const struct bench_options *options, const struct set *set, const char *id)
{
    if (!strcmp(id, "directory"))
        return bench_text("%s", set->root);
    return bench_text("%s/containers/%s.%s", options->work, set->name, id);
}

void container_write(const struct store *store, const struct set *set, const char *path)
{
    struct store_plan plan = {.count = set->count, .data_bytes = set->total_bytes};
    void *builder = store->create(path, &plan);
    for (size_t i = 0; i < set->count; i++) {
        struct store_item item = {set->names[i], set->name_bytes[i], set->data[i], set->bytes[i]};
        store->put(builder, &item);
    }
    store->finish(builder);
}

static void run_or_die(const char *directory, char *const arguments[])
{
    int status = files_run(directory, arguments);
    if (status)
        bench_die("%s exited with %d", arguments[0], status);
}

static void make_with_tar(const struct set *set, const char *path)
{
    char *arguments[] = {"tar", "--format=ustar", "--sort=name", "-C", set->root, "-cf", (char *)path, ".", NULL};
    run_or_die(NULL, arguments);
}

static void make_with_tool(const struct bench_options *options, const struct set *set, const char *path, const char *compress)
{
    char *arguments[] = {(char *)options->tool, "pack",       "--force", "--compress", (char *)compress,
                         "--one-commit",        (char *)path, set->root, NULL};
    run_or_die(NULL, arguments);
}

void container_make(const struct bench_options *options, const struct set *set, const char *id)
{
    char *path = container_path(options, set, id);
    char *directory = bench_text("%s/containers", options->work);
    if (strcmp(id, "directory") && !(options->keep && files_bytes(path))) {
        char *part = bench_text("%s.new", path);
        files_make_directory(directory);
        files_remove(part);
        if (!strcmp(id, "tar"))
            make_with_tar(set, part);
        else if (!strcmp(id, "aimg") && !access(options->tool, X_OK))
            make_with_tool(options, set, part, "store");
        else if (!strcmp(id, "aimg-auto"))
            make_with_tool(options, set, part, "auto");
        else
            container_write(store_by_id(id), set, part);
        if (rename(part, path))
            bench_die("cannot rename %s: %s", part, strerror(errno));
        files_settle(path);
        free(part);
    }
    free(directory);
    free(path);
}
