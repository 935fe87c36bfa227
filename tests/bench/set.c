/* SPDX-License-Identifier: Apache-2.0 */
#include "set.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"

struct known_set {
    const char *name;
    const char *archive;
};

static const struct known_set known_sets[] = {
    {"cifar", "cifar10-train.tar.zst"},
    {"imagenet", "imagenet-sample.tar"},
};

/* nftw passes no argument, so the walk collects here. */
static char **walk_paths;
static size_t walk_count;
static size_t walk_capacity;

static int walk_one(const char *path, const struct stat *st, int type, struct FTW *place)
{
    (void)st, (void)place;
    if (type != FTW_F)
        return 0;
    if (walk_count == walk_capacity) {
        walk_capacity = walk_capacity ? walk_capacity * 2 : 1024;
        walk_paths = realloc(walk_paths, walk_capacity * sizeof *walk_paths);
        if (!walk_paths)
            bench_die("out of memory");
    }
    walk_paths[walk_count++] = bench_text("%s", path);
    return 0;
}

static int compare_paths(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static void list_files(struct set *set)
{
    walk_paths = NULL;
    walk_count = 0;
    walk_capacity = 0;
    if (nftw(set->root, walk_one, 64, FTW_PHYS) || !walk_count)
        bench_die("no pictures in %s", set->root);
    qsort(walk_paths, walk_count, sizeof *walk_paths, compare_paths);
    set->paths = walk_paths;
    set->count = walk_count;
    set->names = bench_alloc(set->count, sizeof *set->names);
    set->name_bytes = bench_alloc(set->count, sizeof *set->name_bytes);
    for (size_t i = 0; i < set->count; i++) {
        set->names[i] = set->paths[i] + strlen(set->root) + 1;
        set->name_bytes[i] = strlen(set->names[i]);
    }
}

static const uint8_t *read_file(const char *path, size_t bytes)
{
    uint8_t *data = bench_alloc(1, bytes + 1);
    int fd = files_open(path);
    if (read(fd, data, bytes + 1) != (ssize_t)bytes)
        bench_die("%s changed while it was read", path);
    close(fd);
    return data;
}

static void load_files(struct set *set)
{
    set->data = bench_alloc(set->count, sizeof *set->data);
    set->bytes = bench_alloc(set->count, sizeof *set->bytes);
    for (size_t i = 0; i < set->count; i++) {
        set->bytes[i] = (size_t)files_bytes(set->paths[i]);
        set->data[i] = read_file(set->paths[i], set->bytes[i]);
        set->total_bytes += set->bytes[i];
        if (set->bytes[i] > set->largest_bytes)
            set->largest_bytes = set->bytes[i];
    }
}

static void unpack(const char *archive, const char *root)
{
    char *arguments[] = {"tar", "-xf", (char *)archive, "-C", (char *)root, NULL};
    files_make_directory(root);
    if (files_run(NULL, arguments))
        bench_die("cannot unpack %s: needs tar and zstd", archive);
}

/* The folder is made under another name and renamed, so that a run that was stopped leaves no half set behind. */
static void make_folder(const char *root, const char *name, const char *archive, int synthetic)
{
    char *part = bench_text("%s.part", root);
    files_remove(part);
    fprintf(stderr, "%s %s\n", synthetic ? "making synthetic pictures in" : "unpacking into", root);
    if (synthetic)
        set_synthesize(part, name);
    else
        unpack(archive, part);
    if (rename(part, root))
        bench_die("cannot rename %s: %s", part, strerror(errno));
    free(part);
}

struct set *set_load(const char *name, const char *data_directory, const char *work_directory)
{
    struct set *set = bench_alloc(1, sizeof *set);
    const struct known_set *known = known_sets;
    while (strcmp(known->name, name))
        known++;
    char *archive = bench_text("%s/%s", data_directory, known->archive);
    set->name = known->name;
    set->synthetic = !files_bytes(archive);
    set->root = bench_text("%s/data/%s%s", work_directory, name, set->synthetic ? "-synthetic" : "");
    if (access(set->root, F_OK))
        make_folder(set->root, name, archive, set->synthetic);
    free(archive);
    list_files(set);
    load_files(set);
    set->title = bench_text("%s%s, %zu files of %.0f bytes on average", name, set->synthetic ? " (synthetic)" : "", set->count,
                            (double)set->total_bytes / (double)set->count);
    return set;
}

void set_free(struct set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        free(set->paths[i]);
        free((void *)set->data[i]);
    }
    free(set->paths);
    free(set->names);
    free(set->name_bytes);
    free(set->data);
    free(set->bytes);
    free(set->root);
    free((void *)set->title);
    free(set);
}
