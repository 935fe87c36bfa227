/* SPDX-License-Identifier: Apache-2.0 */
/* H and Hs of SPEC.md section 1: XXH3-128 (Yann Collet, https://github.com/Cyan4973/xxHash). Never its 64-bit variant, whose
 * short inputs have known multicollisions for a known seed. */
#ifndef AIMG_FORMAT_CHECKSUM_H
#define AIMG_FORMAT_CHECKSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aimg_hash {
    uint64_t low, high;
};

struct aimg_hash aimg_hash(const void *data, size_t bytes);
struct aimg_hash aimg_hash_seeded(const void *data, size_t bytes, uint64_t seed);
/* The hash of name slots (section 6.2) and of frame checks: the low half. */
uint64_t aimg_hash_low(const void *data, size_t bytes, uint64_t seed);

void aimg_hash_store(uint8_t out[16], struct aimg_hash hash);
bool aimg_hash_equals(const uint8_t stored[16], struct aimg_hash hash);

/* The same hash, fed piece by piece. */
struct aimg_hasher {
    _Alignas(64) uint8_t state[576];
};
void aimg_hasher_begin(struct aimg_hasher *hasher);
void aimg_hasher_add(struct aimg_hasher *hasher, const void *data, size_t bytes);
struct aimg_hash aimg_hasher_end(const struct aimg_hasher *hasher);

#endif
