/* SPDX-License-Identifier: Apache-2.0 */
/* Many tiny values: what opening costs, and what finding costs when nothing is in the processor's caches. */
#ifndef BENCH_SCALE_H
#define BENCH_SCALE_H

#include "bench_options.h"
#include "store.h"

#define SCALE_NAME_BYTES  18
#define SCALE_VALUE_BYTES 64

/* img/0000000042.jpg and a zero byte. */
static inline void scale_name(char *out, uint32_t number)
{
    memcpy(out, "img/0000000000.jpg", SCALE_NAME_BYTES + 1);
    for (char *digit = out + 13; number; number /= 10)
        *digit-- = (char)('0' + number % 10);
}

static inline uint64_t scale_first_word(uint32_t number)
{
    return number * 0x9E3779B97F4A7C15ULL + 1;
}

/* Touches a value after seeing that it is the right one. */
static inline uint64_t scale_touch(struct span span, uint32_t number)
{
    uint64_t word = 0;
    if (span.bytes == SCALE_VALUE_BYTES)
        memcpy(&word, span.data, sizeof word);
    if (word != scale_first_word(number))
        bench_die("wrong value for number %u", number);
    return bench_touch(span.data, span.bytes);
}

/* Writes the values of numbers 0 to count - 1. */
void scale_build(const struct store *store, const char *path, size_t count);

struct scale_opened {
    double open_us;    /* until the handle is there */
    double total_us;   /* and the first value was found and touched */
    double heap_bytes; /* that malloc gave out in between and did not get back */
};

/* In the fresh process: opens, finds one value, prints a struct scale_opened for the parent. */
int scale_child(const char *store_id, const char *path, const char *name);

/* In the parent: starts a fresh process of this program and waits for what it prints. */
struct scale_opened scale_open_fresh(const struct bench_options *options, const struct store *store, const char *path,
                                     uint32_t number);

/* The same for a value of any name and size. */
struct scale_opened scale_open_name(const struct bench_options *options, const struct store *store, const char *path,
                                    const char *name);

/* System calls between the two markers of such a process; -1 where processes may not be traced. */
int scale_count_calls(const struct bench_options *options, const struct store *store, const char *path, uint32_t number);

/* The most bytes that a reader of ours held at any time while opening and reading once, by the allocator in its options. */
size_t scale_aimg_heap(const char *path, uint32_t number);

/* Random lookups in one process, all stores open at once. */
void scale_lookups(const struct bench_options *options, const char *directory, size_t count, struct results *results);

/* New text. */
char *scale_path(const char *directory, const struct store *store, size_t count);

#endif
