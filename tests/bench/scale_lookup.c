/* SPDX-License-Identifier: Apache-2.0 */
#include <aimg/aimg.h>
#include <stdlib.h>

#include "files.h"
#include "flat.h"
#include "scale.h"
#include "store_aimg.h"

#define ROUNDS          7
#define LOOKUPS_A_ROUND (BENCH_BATCH * 3000)
#define WARM_LOOKUPS    (BENCH_BATCH * 300)

struct lookup {
    const char *title;
    const struct store *store;
    uint64_t (*read)(const struct lookup *lookup, void *state, const uint32_t *numbers); /* BENCH_BATCH of them */
};

static uint64_t read_single(const struct lookup *lookup, void *state, const uint32_t *numbers)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < BENCH_BATCH; i++) {
        char name[SCALE_NAME_BYTES + 1];
        scale_name(name, numbers[i]);
        sum += scale_touch(lookup->store->find(state, name, SCALE_NAME_BYTES), numbers[i]);
    }
    return sum;
}

static uint64_t read_flat_batch(const struct lookup *lookup, void *state, const uint32_t *numbers)
{
    char names[BENCH_BATCH][SCALE_NAME_BYTES + 1];
    struct store_item items[BENCH_BATCH];
    struct span spans[BENCH_BATCH];
    uint64_t sum = 0;
    (void)lookup;
    for (size_t i = 0; i < BENCH_BATCH; i++) {
        scale_name(names[i], numbers[i]);
        items[i] = (struct store_item){.name = names[i], .name_bytes = SCALE_NAME_BYTES};
    }
    flat_find_batch(state, items, BENCH_BATCH, spans);
    for (size_t i = 0; i < BENCH_BATCH; i++)
        sum += scale_touch(spans[i], numbers[i]);
    return sum;
}

static uint64_t touch_borrowed(const struct aimg_bytes *bytes, const uint32_t *numbers)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < BENCH_BATCH; i++)
        sum += scale_touch((struct span){bytes[i].data, (size_t)bytes[i].bytes}, numbers[i]);
    return sum;
}

static uint64_t read_names(const struct lookup *lookup, void *state, const uint32_t *numbers)
{
    char texts[BENCH_BATCH][SCALE_NAME_BYTES + 1];
    struct aimg_name names[BENCH_BATCH];
    struct aimg_bytes bytes[BENCH_BATCH];
    (void)lookup;
    for (size_t i = 0; i < BENCH_BATCH; i++) {
        scale_name(texts[i], numbers[i]);
        names[i] = (struct aimg_name){texts[i], SCALE_NAME_BYTES};
    }
    if (aimg_reader_borrow_names(store_aimg_reader(state), names, BENCH_BATCH, 0, bytes, NULL))
        bench_die("aimg: cannot borrow a batch of names");
    return touch_borrowed(bytes, numbers);
}

static uint64_t read_numbers(const struct lookup *lookup, void *state, const uint32_t *numbers)
{
    struct aimg_bytes bytes[BENCH_BATCH];
    (void)lookup;
    if (aimg_reader_borrow_batch(store_aimg_reader(state), numbers, BENCH_BATCH, 0, bytes, NULL))
        bench_die("aimg: cannot borrow a batch");
    return touch_borrowed(bytes, numbers);
}

static uint64_t read_number(const struct lookup *lookup, void *state, const uint32_t *numbers)
{
    uint64_t sum = 0;
    (void)lookup;
    for (size_t i = 0; i < BENCH_BATCH; i++) {
        struct aimg_bytes bytes;
        if (aimg_reader_borrow(store_aimg_reader(state), numbers[i], 0, &bytes, NULL))
            bench_die("aimg: cannot borrow");
        sum += scale_touch((struct span){bytes.data, (size_t)bytes.bytes}, numbers[i]);
    }
    return sum;
}

static const struct lookup lookups[] = {
    {"flat file, hash of the name", &store_flat, read_single},
    {"aimg", &store_aimg, read_single},
    {"LMDB", &store_lmdb, read_single},
    {"aimg, batch of names", &store_aimg, read_names},
    {"flat file, batch of names", &store_flat, read_flat_batch},
    {"aimg, batch of numbers", &store_aimg, read_numbers},
    {"aimg, single number", &store_aimg, read_number},
    {"SQLite, mmap", &store_sqlite_mmap, read_single},
    {"SQLite", &store_sqlite, read_single},
};

#define LOOKUP_COUNT (sizeof lookups / sizeof *lookups)

static double time_lookups(const struct lookup *lookup, void *state, const uint32_t *numbers, size_t count)
{
    uint64_t sum = 0;
    double begin = bench_now();
    for (size_t i = 0; i < count; i += BENCH_BATCH)
        sum += lookup->read(lookup, state, numbers + i);
    double seconds = bench_now() - begin;
    bench_sink += sum;
    return seconds / (double)count;
}

static void pick_numbers(uint32_t *numbers, uint64_t *state, size_t count)
{
    for (size_t i = 0; i < LOOKUPS_A_ROUND + WARM_LOOKUPS; i++)
        numbers[i] = (uint32_t)(bench_random(state) % count);
}

static void open_lookups(const struct bench_options *options, const char *directory, size_t count, const uint32_t *numbers,
                         void **states)
{
    for (size_t i = 0; i < LOOKUP_COUNT; i++) {
        if (!bench_wants(options, lookups[i].store->id))
            continue;
        char *path = scale_path(directory, lookups[i].store, count);
        for (size_t j = 0; j < i && !states[i]; j++)
            if (lookups[j].store == lookups[i].store)
                states[i] = states[j];
        if (!states[i]) {
            states[i] = lookups[i].store->open(path, NULL);
            time_lookups(&lookups[i], states[i], numbers, BENCH_BATCH); /* some map only then */
            files_populate(path);
        }
        free(path);
    }
}

static void close_lookups(void **states)
{
    for (size_t i = 0; i < LOOKUP_COUNT; i++) {
        int closed = !states[i];
        for (size_t j = 0; j < i && !closed; j++)
            closed = states[j] == states[i];
        if (!closed)
            lookups[i].store->close(states[i]);
    }
}

void scale_lookups(const struct bench_options *options, const char *directory, size_t count, struct results *results)
{
    void *states[LOOKUP_COUNT] = {0};
    uint32_t *numbers = bench_alloc(LOOKUPS_A_ROUND + WARM_LOOKUPS, sizeof *numbers);
    uint64_t random = 7;
    char *set = bench_text("%zu", count);
    pick_numbers(numbers, &random, count);
    open_lookups(options, directory, count, numbers, states);
    for (unsigned round = 0; round < (bench_rounds(options, ROUNDS, ROUNDS)); round++) {
        pick_numbers(numbers, &random, count);
        for (size_t i = 0; i < LOOKUP_COUNT; i++) {
            if (!states[i])
                continue;
            time_lookups(&lookups[i], states[i], numbers, WARM_LOOKUPS);
            double seconds = time_lookups(&lookups[i], states[i], numbers + WARM_LOOKUPS, LOOKUPS_A_ROUND);
            results_add(results, "scale", set, "random read", lookups[i].title, "ns", seconds * 1e9);
        }
    }
    close_lookups(states);
    free(set);
    free(numbers);
}
