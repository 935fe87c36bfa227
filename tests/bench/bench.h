/* SPDX-License-Identifier: Apache-2.0 */
/* What every suite needs: the clock, the order of reads, the touching of bytes, and a way to give up. */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const uint8_t *data;
    size_t bytes;
};

/* Seconds of the monotonic clock. */
double bench_now(void);

/* xorshift64*; a state must not be zero. */
uint64_t bench_random(uint64_t *state);

/* Fills order with a random permutation of 0 to count - 1. */
void bench_shuffle(uint32_t *order, size_t count, uint64_t seed);

/* Sorts values. The mean of the middle two when count is even; 0 when it is 0. */
double bench_median(double *values, size_t count);

/* A benchmark with a broken contender has no result: says why and ends the process. */
_Noreturn void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Never NULL; zeroed. */
void *bench_alloc(size_t count, size_t each_bytes);

/* printf into new memory. */
char *bench_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Keeps the compiler from dropping the reads that are being timed. */
extern volatile uint64_t bench_sink;

/* One word of every cache line and the last byte: what a decoder must at least pull in. */
static inline uint64_t bench_touch(const uint8_t *data, size_t bytes)
{
    uint64_t sum = 0;
    size_t i = 0;
    for (; i + 8 <= bytes; i += 64) {
        uint64_t word;
        memcpy(&word, data + i, sizeof word);
        sum += word;
    }
    return bytes ? sum + data[bytes - 1] : sum;
}

/* The same work is done by all: batches are announced and read this many at a time. */
#define BENCH_BATCH 64

#endif
