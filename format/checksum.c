/* SPDX-License-Identifier: Apache-2.0 */
#include "checksum.h"

#include "bytes.h"
#include "checksum_long.h"

/* Inlined for short inputs, where a call and the dispatch would cost more than the hash. */
#define XXH_INLINE_ALL
#include <xxhash.h>

/* xxHash's long-input code, where vector width matters, begins above this. */
#define SHORT_BYTES 240

static struct aimg_hash from_xxh(XXH128_hash_t hash)
{
    return (struct aimg_hash){hash.low64, hash.high64};
}

struct aimg_hash aimg_hash(const void *data, size_t bytes)
{
    if (bytes > SHORT_BYTES)
        return aimg_hash_long(data, bytes);
    return from_xxh(XXH3_128bits(data, bytes));
}

struct aimg_hash aimg_hash_seeded(const void *data, size_t bytes, uint64_t seed)
{
    return from_xxh(XXH3_128bits_withSeed(data, bytes, seed));
}

uint64_t aimg_hash_low(const void *data, size_t bytes, uint64_t seed)
{
    return XXH3_128bits_withSeed(data, bytes, seed).low64;
}

void aimg_hash_store(uint8_t out[16], struct aimg_hash hash)
{
    aimg_store64(out, hash.low);
    aimg_store64(out + 8, hash.high);
}

bool aimg_hash_equals(const uint8_t stored[16], struct aimg_hash hash)
{
    return aimg_load64(stored) == hash.low && aimg_load64(stored + 8) == hash.high;
}
