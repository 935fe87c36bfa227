/* SPDX-License-Identifier: Apache-2.0 */
#include "scale.h"

#include <stdlib.h>

#include "files.h"

#define WARM_PROCESSES       31
#define COLD_PROCESSES       11
#define QUICK_COLD_PROCESSES 5
#define ZIP_COUNT            1000000 /* libzip reads its whole directory when it opens: seconds a time */
#define ZIP_PROCESSES        3

static const struct store *const stores[] = {
    &store_flat, &store_flat_random, &store_aimg, &store_lmdb, &store_sqlite_mmap, &store_sqlite, &store_zip, NULL,
};

char *scale_path(const char *directory, const struct store *store, size_t count)
{
    return bench_text("%s/%zu.%s", directory, count, store->container);
}

void scale_build(const struct store *store, const char *path, size_t count)
{
    struct store_plan plan = {.count = count, .data_bytes = (uint64_t)count * SCALE_VALUE_BYTES, .small_values = 1};
    void *builder = store->create(path, &plan);
    for (uint32_t i = 0; i < count; i++) {
        char name[SCALE_NAME_BYTES + 1];
        uint64_t value[SCALE_VALUE_BYTES / 8] = {scale_first_word(i)};
        for (uint64_t j = 1; j < SCALE_VALUE_BYTES / 8; j++)
            value[j] = value[0] + j;
        scale_name(name, i);
        struct store_item item = {name, SCALE_NAME_BYTES, (const uint8_t *)value, SCALE_VALUE_BYTES};
        store->put(builder, &item);
    }
    store->finish(builder);
}

static int takes_part(const struct bench_options *options, const struct store *store, size_t count)
{
    return bench_wants(options, store->id) && (store != &store_zip || count == ZIP_COUNT);
}

/* Whether a store that takes part reads the file that this one writes. */
static int is_written(const struct bench_options *options, const struct store *writer, size_t count)
{
    for (size_t i = 0; stores[i]; i++)
        if (takes_part(options, stores[i], count) && !strcmp(stores[i]->container, writer->id))
            return 1;
    return 0;
}

static void build_all(const struct bench_options *options, const char *directory, const char *set, size_t count,
                      struct results *results)
{
    for (size_t i = 0; stores[i]; i++) {
        char *path = scale_path(directory, stores[i], count);
        if (stores[i]->create && is_written(options, stores[i], count) && !(options->keep && files_bytes(path))) {
            double begin = bench_now();
            scale_build(stores[i], path, count);
            results_add(results, "scale", set, "build", stores[i]->title, "s", bench_now() - begin);
            results_add(results, "scale", set, "file bytes an entry", stores[i]->title, "",
                        (double)files_bytes(path) / (double)count);
        }
        if (files_bytes(path))
            files_settle(path);
        free(path);
    }
}

static void warm_all(const struct bench_options *options, const char *directory, size_t count)
{
    for (size_t i = 0; stores[i]; i++) {
        char *path = scale_path(directory, stores[i], count);
        if (takes_part(options, stores[i], count))
            files_warm(path);
        free(path);
    }
}

static uint32_t pick(uint64_t *state, size_t count)
{
    return (uint32_t)(bench_random(state) % count);
}

static void open_warm(const struct bench_options *options, const char *directory, const char *set, size_t count,
                      struct results *results)
{
    uint64_t state = 42;
    for (unsigned round = 0; round < bench_rounds(options, WARM_PROCESSES, WARM_PROCESSES); round++)
        for (size_t i = 0; stores[i]; i++) {
            if (!takes_part(options, stores[i], count) || (stores[i] == &store_zip && round >= ZIP_PROCESSES))
                continue;
            char *path = scale_path(directory, stores[i], count);
            struct scale_opened opened = scale_open_fresh(options, stores[i], path, pick(&state, count));
            results_add(results, "scale", set, "open and first read, warm", stores[i]->title, "us", opened.total_us);
            if (!round)
                results_add(results, "scale", set, "heap", stores[i]->title, "bytes", opened.heap_bytes);
            free(path);
        }
}

static void open_cold(const struct bench_options *options, const char *directory, const char *set, size_t count,
                      struct results *results)
{
    uint64_t state = 43;
    for (unsigned round = 0; round < bench_rounds(options, COLD_PROCESSES, QUICK_COLD_PROCESSES); round++)
        for (size_t i = 0; stores[i]; i++) {
            if (!takes_part(options, stores[i], count) || stores[i] == &store_zip)
                continue;
            char *path = scale_path(directory, stores[i], count);
            int all = files_drop_all(path);
            struct scale_opened opened = scale_open_fresh(options, stores[i], path, pick(&state, count));
            results_add(results, "scale", set, all ? "open and first read, cold" : "open and first read, cold (file only)",
                        stores[i]->title, "us", opened.total_us);
            free(path);
        }
}

static void count_calls(const struct bench_options *options, const char *directory, const char *set, size_t count,
                        struct results *results)
{
    for (size_t i = 0; stores[i]; i++) {
        if (!takes_part(options, stores[i], count) || stores[i] == &store_zip) /* a million calls, each one stopped at */
            continue;
        char *path = scale_path(directory, stores[i], count);
        int calls = scale_count_calls(options, stores[i], path, (uint32_t)(count / 3));
        if (calls >= 0)
            results_add(results, "scale", set, "system calls", stores[i]->title, "", calls);
        if (stores[i] == &store_aimg)
            results_add(results, "scale", set, "most heap at once", stores[i]->title, "bytes",
                        (double)scale_aimg_heap(path, (uint32_t)(count / 3)));
        free(path);
    }
}

static void run_count(const struct bench_options *options, size_t count, int cold, struct results *results)
{
    char *directory = bench_text("%s/scale", options->work);
    char *set = bench_text("%zu", count);
    char *text = bench_text("%zu entries of %d bytes", count, SCALE_VALUE_BYTES);
    results_heading(results, "scale", set, text);
    files_make_directory(directory);
    build_all(options, directory, set, count, results);
    files_pin(1);
    warm_all(options, directory, count);
    open_warm(options, directory, set, count, results);
    count_calls(options, directory, set, count, results);
    warm_all(options, directory, count);
    scale_lookups(options, directory, count, results);
    if (cold)
        open_cold(options, directory, set, count, results);
    files_unpin();
    if (!options->keep)
        files_remove(directory);
    free(text);
    free(set);
    free(directory);
}

void scale_run(const struct bench_options *options, struct results *results)
{
    if (options->scale_count) {
        run_count(options, options->scale_count, !options->warm, results);
        return;
    }
    run_count(options, 1000, 0, results);
    run_count(options, 1000000, !options->full && !options->warm, results);
    if (options->full)
        run_count(options, 10000000, !options->warm, results);
}
