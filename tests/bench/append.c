/* SPDX-License-Identifier: Apache-2.0 */
/* A collection that grows: what adding a thousand images costs in a small archive and in a large one. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "archive.h"
#include "bench_options.h"
#include "files.h"
#include "grow.h"

#define SMALL_COUNT 1000
#define APPENDS     100
#define IMAGES      1000 /* each time */
#define PASSES      3

struct growing {
    size_t count; /* images before */
    const char *title;
    char *path;
    struct archive_state before;
    double processor_seconds; /* sums over a pass */
    double bytes;
};

static double processor_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* user and system, all threads */
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Opens, adds, commits, closes. The set is gone through again and again, under other names each time. */
static void append(const char *path, const struct set *set, unsigned number)
{
    struct aimg_writer *writer = archive_append(path);
    for (size_t i = 0; i < IMAGES; i++) {
        size_t index = (number * (size_t)IMAGES + i) % set->count;
        char name[1024];
        int bytes = snprintf(name, sizeof name, "%03u/%s", number, set->names[index]);
        archive_add(writer, name, (size_t)bytes, set->data[index], set->bytes[index]);
    }
    archive_commit(writer);
    archive_close(writer);
}

static void measure_append(struct growing *growing, const struct set *set, unsigned number, struct results *results)
{
    uint64_t bytes = files_bytes(growing->path);
    double processor = processor_now();
    double begin = bench_now();
    append(growing->path, set, number);
    double seconds = bench_now() - begin;
    processor = processor_now() - processor;
    double added = (double)(files_bytes(growing->path) - bytes);
    results_add(results, "grow", "append", "one append, processor", growing->title, "ms", processor * 1e3);
    results_add(results, "grow", "append", "one append, clock", growing->title, "ms", seconds * 1e3);
    results_add(results, "grow", "append", "one append, bytes", growing->title, "", added);
    growing->processor_seconds += processor;
    growing->bytes += added;
}

static void run_pass(struct growing *archives, const struct set *set, struct results *results)
{
    for (size_t i = 0; i < 2; i++)
        archives[i].processor_seconds = archives[i].bytes = 0;
    for (unsigned number = 0; number < APPENDS; number++)
        for (size_t i = 0; i < 2; i++)
            measure_append(&archives[i], set, number, results);
    for (size_t i = 0; i < 2; i++) {
        results_add(results, "grow", "append", "mean, processor", archives[i].title, "ms",
                    archives[i].processor_seconds * 1e3 / APPENDS);
        results_add(results, "grow", "append", "mean, bytes", archives[i].title, "", archives[i].bytes / APPENDS);
        archive_restore(archives[i].path, &archives[i].before);
    }
}

void append_run(const struct bench_options *options, struct results *results)
{
    struct growing archives[2] = {
        {.count = SMALL_COUNT, .title = "small archive"},
        {.count = grow_large_count(options), .title = "large archive"},
    };
    struct set *set = set_load("cifar", options->data, options->work);
    char *text = bench_text("%d appends of %d images of %.0f bytes on average, to an archive of %zu and to one of %zu", APPENDS,
                            IMAGES, (double)set->total_bytes / (double)set->count, archives[0].count, archives[1].count);
    results_heading(results, "grow", "append", text);
    for (size_t i = 0; i < 2; i++) {
        archives[i].path = grow_archive(options, archives[i].count);
        archive_save(archives[i].path, &archives[i].before);
    }
    for (unsigned pass = 0; pass < bench_rounds(options, PASSES, 1); pass++)
        run_pass(archives, set, results);
    for (size_t i = 0; i < 2; i++)
        free(archives[i].path);
    free(text);
    set_free(set);
}
