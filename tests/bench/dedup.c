/* SPDX-License-Identifier: Apache-2.0 */
/* Packing a folder in which three files of ten are copies of others: what looking for them costs, and what it saves. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench_options.h"
#include "files.h"
#include "set.h"

#define ROUNDS       9
#define QUICK_ROUNDS 3
#define OF_TEN       7 /* files that are no copies */

static const struct way {
    const char *metric;
    const char *title;
    const char *compress;
    const char *dedup;
} ways[] = {
    {"stored, command and sync", "--no-dedup", "store", "--no-dedup"},
    {"stored, command and sync", "default", "store", "--dedup=session"},
    {"auto, command and sync", "--no-dedup", "auto", "--no-dedup"},
    {"auto, command and sync", "default", "auto", "--dedup=session"},
};

/* The file of the set whose bytes file i has: its own, or those of an earlier one. */
static size_t source_of(size_t i, uint64_t *state)
{
    return i % 10 < OF_TEN || i < 10 ? i : (size_t)(bench_random(state) % (i / 10)) * 10 + bench_random(state) % OF_TEN;
}

static void write_file(const char *root, const char *name, const uint8_t *data, size_t bytes)
{
    char *path = bench_text("%s/%s", root, name);
    char *slash = strrchr(path, '/');
    *slash = 0;
    if (access(path, F_OK))
        files_make_directory(path);
    *slash = '/';
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, data, bytes) != (ssize_t)bytes || close(fd))
        bench_die("cannot write %s: %s", path, strerror(errno));
    free(path);
}

/* Made once. Under another name first, so that a run that was stopped leaves no half folder behind. */
static void make_folder(const struct bench_options *options, const char *root)
{
    struct set *set = set_load("cifar", options->data, options->work);
    char *part = bench_text("%s.part", root);
    uint64_t state = 11;
    files_remove(part);
    for (size_t i = 0; i < set->count; i++) {
        size_t source = source_of(i, &state);
        write_file(part, set->names[i], set->data[source], set->bytes[source]);
    }
    if (rename(part, root))
        bench_die("cannot rename %s: %s", part, strerror(errno));
    free(part);
    set_free(set);
}

static double run_way(const struct bench_options *options, const struct way *way, const char *root, const char *out)
{
    char *arguments[] = {(char *)options->tool, "pack",      "--quiet",    "--compress", (char *)way->compress,
                         (char *)way->dedup,    (char *)out, (char *)root, NULL};
    files_sync(root);
    double begin = bench_now();
    int status = files_run(NULL, arguments);
    files_sync(root);
    double seconds = bench_now() - begin;
    if (status)
        bench_die("aimg pack %s exited with %d", way->dedup, status);
    return seconds;
}

void dedup_run(const struct bench_options *options, struct results *results)
{
    char *root = bench_text("%s/data/cifar-copies", options->work);
    char *directory = bench_text("%s/dedup", options->work);
    char *out = bench_text("%s/out.aimg", directory);
    unsigned rounds = bench_rounds(options, ROUNDS, QUICK_ROUNDS);
    results_heading(results, "dedup", "cifar", "as many files as CIFAR, three of ten with the bytes of an earlier one");
    if (access(root, F_OK))
        make_folder(options, root);
    files_make_directory(directory);
    for (unsigned round = 0; round <= rounds; round++) /* the first writes over blocks of the disk that were never written */
        for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
            double seconds = run_way(options, &ways[i], root, out);
            if (round)
                results_add(results, "dedup", "cifar", ways[i].metric, ways[i].title, "s", seconds);
            if (round == rounds && !strcmp(ways[i].compress, "store"))
                results_add(results, "dedup", "cifar", "stored, MB", ways[i].title, "", (double)files_bytes(out) * 1e-6);
            files_remove(out);
        }
    files_remove(directory);
    free(out);
    free(directory);
    free(root);
}
