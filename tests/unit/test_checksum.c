/* SPDX-License-Identifier: Apache-2.0 */
/* The checksum is XXH3-128 as others compute it, whole or in pieces, on any length around the places where its code changes. */
#include "checksum.h"
#include "random.h"
#include "test.h"

#include <xxhash.h>

static uint8_t *data;
enum { DATA_BYTES = 20000 };

/* xxh128sum of nothing and of "aimg", as the program prints them: the high half, then the low. */
static void check_known(void)
{
    struct aimg_hash nothing = aimg_hash(NULL, 0);
    EXPECT_EQ_UINT(nothing.high, UINT64_C(0x99aa06d3014798d8));
    EXPECT_EQ_UINT(nothing.low, UINT64_C(0x6001c324468d497f));
    uint8_t stored[16];
    aimg_hash_store(stored, nothing);
    EXPECT_EQ_UINT(stored[0], 0x7f);
    EXPECT_EQ_UINT(stored[15], 0x99);
}

static void check_length(size_t bytes)
{
    const uint8_t *begin = data + DATA_BYTES - bytes; /* ends where no page follows */
    XXH128_hash_t plain = XXH3_128bits(begin, bytes), seeded = XXH3_128bits_withSeed(begin, bytes, 12345);
    struct aimg_hash hash = aimg_hash(begin, bytes);
    struct aimg_hash with_seed = aimg_hash_seeded(begin, bytes, 12345);
    EXPECT(hash.low == plain.low64 && hash.high == plain.high64);
    EXPECT(with_seed.low == seeded.low64 && with_seed.high == seeded.high64);
    EXPECT(aimg_hash_low(begin, bytes, 12345) == seeded.low64);
    uint8_t stored[16];
    aimg_hash_store(stored, hash);
    EXPECT(aimg_hash_equals(stored, hash));
    for (unsigned bit = 0; bit < 128; bit++) {
        stored[bit / 8] ^= (uint8_t)(1u << bit % 8);
        EXPECT(!aimg_hash_equals(stored, hash));
        stored[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void check_pieces(size_t bytes, uint64_t *random)
{
    struct aimg_hasher hasher;
    aimg_hasher_begin(&hasher);
    for (size_t at = 0; at < bytes;) {
        size_t piece = (size_t)random_below(random, bytes - at + 1);
        aimg_hasher_add(&hasher, data + at, piece);
        at += piece;
    }
    struct aimg_hash pieces = aimg_hasher_end(&hasher), whole = aimg_hash(data, bytes);
    EXPECT(pieces.low == whole.low && pieces.high == whole.high);
    /* Asking twice changes nothing, and one can go on. */
    aimg_hasher_add(&hasher, data, 1);
    EXPECT(aimg_hasher_end(&hasher).low != pieces.low);
}

int main(void)
{
    uint64_t random = 7;
    data = test_guarded(DATA_BYTES);
    random_fill(&random, data, DATA_BYTES);
    check_known();
    for (size_t bytes = 0; bytes < 1200; bytes++)
        check_length(bytes);
    check_length(4095);
    check_length(4096);
    check_length(DATA_BYTES);
    for (size_t bytes = 0; bytes < 600; bytes += 3)
        check_pieces(bytes, &random);
    check_pieces(DATA_BYTES, &random);
    return test_end("test_checksum");
}
