/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that look random and are the same in every run: splitmix64 (Steele, Lea, Flood 2014). */
#ifndef AIMG_TEST_RANDOM_H
#define AIMG_TEST_RANDOM_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t random_next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* Below limit, which is not 0. */
static inline uint64_t random_below(uint64_t *state, uint64_t limit)
{
    return random_next(state) % limit;
}

static inline void random_fill(uint64_t *state, void *out, size_t bytes)
{
    uint8_t *next = out;
    for (size_t i = 0; i < bytes; i++)
        next[i] = (uint8_t)(random_next(state) >> 56);
}

#endif
