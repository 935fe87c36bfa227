/* SPDX-License-Identifier: Apache-2.0 */
#include "cold.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "bench_options.h"
#include "files.h"
#include "store.h"

#define ROUNDS       7
#define QUICK_ROUNDS 3
#define READS        3000
#define SLOW_READS   200
#define QUICK_COUNT  5300
#define FULL_COUNT   21000

const struct cold_way *const cold_ways[] = {
    &cold_pread, &cold_aimg_announced, &cold_pread_random, &cold_map_announced, &cold_aimg_copy,
    &cold_uring, &cold_aimg_window,    &cold_map,          &cold_aimg_plain,    NULL,
};

static void build(const struct store *store, const char *path, size_t count)
{
    struct store_plan plan = {.count = count, .data_bytes = (uint64_t)count * COLD_IMAGE_BYTES};
    void *builder = store->create(path, &plan);
    uint64_t *data = bench_alloc(COLD_IMAGE_BYTES / 8, 8);
    uint64_t state = 99;
    for (size_t i = 0; i < count; i++) {
        char name[32];
        int name_bytes = snprintf(name, sizeof name, "%06zu.jpg", i);
        for (size_t j = 0; j < COLD_IMAGE_BYTES / 8; j++)
            data[j] = bench_random(&state);
        struct store_item item = {name, (size_t)name_bytes, (const uint8_t *)data, COLD_IMAGE_BYTES};
        store->put(builder, &item);
    }
    store->finish(builder);
    free(data);
}

static struct flat_place *find_places(const char *path, size_t count)
{
    struct flat_place *places = bench_alloc(count, sizeof *places);
    struct flat *flat = flat_open(path, 0);
    for (size_t i = 0; i < count; i++) {
        char name[32];
        int name_bytes = snprintf(name, sizeof name, "%06zu.jpg", i);
        places[i] = flat_place(flat, name, (size_t)name_bytes);
    }
    flat_close(flat);
    return places;
}

/* A cold run over a warm file is no cold run. */
static void check_cold(const char *path)
{
    size_t bytes = 0;
    size_t resident = 0;
    const uint8_t *map = files_map(path, &bytes);
    size_t pages = (bytes + 4095) / 4096;
    unsigned char *states = bench_alloc(pages, 1);
    if (mincore((void *)map, bytes, states))
        bench_die("mincore of %s failed", path);
    for (size_t i = 0; i < pages; i++)
        resident += states[i] & 1;
    if (resident * 100 > pages)
        bench_die("%s: %zu of %zu pages are still in memory after they were dropped", path, resident, pages);
    munmap((void *)map, bytes);
    free(states);
}

static void run_round(const struct bench_options *options, const struct cold_files *files, const uint32_t *order, int counts,
                      struct results *results)
{
    for (size_t i = 0; cold_ways[i]; i++) {
        const struct cold_way *way = cold_ways[i];
        size_t reads = way->slow ? SLOW_READS : READS;
        if (!bench_wants(options, way->title))
            continue;
        files_drop(way->path(files));
        check_cold(way->path(files));
        double seconds = way->run(files, order, reads);
        if (counts)
            results_add(results, "cold", "100 KB", "read", way->title, "us", seconds * 1e6 / (double)reads);
    }
}

static void draw_with_repeats(uint32_t *order, size_t count, uint64_t seed)
{
    uint64_t state = seed;
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)(bench_random(&state) % count);
}

void cold_run(const struct bench_options *options, struct results *results)
{
    size_t count = options->full ? FULL_COUNT : QUICK_COUNT;
    char *directory = bench_text("%s/cold", options->work);
    char *flat_path = bench_text("%s/cold.flat", directory);
    char *aimg_path = bench_text("%s/cold.aimg", directory);
    uint32_t *order = bench_alloc(count, sizeof *order);
    unsigned rounds = bench_rounds(options, ROUNDS, QUICK_ROUNDS);
    files_make_directory(directory);
    if (!(options->keep && files_bytes(flat_path)))
        build(&store_flat, flat_path, count);
    if (!(options->keep && files_bytes(aimg_path)))
        build(&store_aimg, aimg_path, count);
    struct flat_place *places = find_places(flat_path, count);
    struct cold_files files = {flat_path, aimg_path, places};
    char *text = bench_text("%zu images of %zu bytes, not in memory, random order", count, COLD_IMAGE_BYTES);
    results_heading(results, "cold", "100 KB", text);
    for (unsigned round = 0; round <= rounds; round++) {
        bench_shuffle(order, count, round + 5);
        if (options->repeats)
            draw_with_repeats(order, count, round + 5);
        run_round(options, &files, order, round > 0, results); /* the first warms the disk's own caches up */
    }
    if (!options->keep)
        files_remove(directory);
    free(text);
    free(places);
    free(order);
    free(aimg_path);
    free(flat_path);
    free(directory);
}
