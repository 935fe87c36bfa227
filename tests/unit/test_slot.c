/* SPDX-License-Identifier: Apache-2.0 */
/* Hash slots: encoding, the 128-bit product of home, slot counts, and classes of length. */
#include "random.h"
#include "slot.h"
#include "test.h"

static void check_round_trip(void)
{
    uint64_t random = 1;
    for (unsigned i = 0; i < 2000; i++) {
        struct aimg_name_slot slot = {.hash = random_next(&random) >> 24,
                                      .frame_offset = (random_next(&random) % AIMG_FILE_LIMIT) & ~UINT64_C(7),
                                      .ordinal = (uint32_t)random_next(&random),
                                      .lenclass = (uint8_t)random_next(&random)},
                              read;
        uint8_t bytes[AIMG_NAME_SLOT_BYTES];
        aimg_name_slot_encode(&slot, bytes);
        aimg_name_slot_decode(bytes, &read);
        EXPECT(read.hash == slot.hash && read.frame_offset == slot.frame_offset && read.ordinal == slot.ordinal &&
               read.lenclass == slot.lenclass);
        EXPECT_EQ_UINT(aimg_name_slot_key_hash(aimg_load64(bytes)), slot.hash);
        EXPECT(!aimg_name_slot_empty(bytes));
    }
    uint8_t empty[AIMG_NAME_SLOT_BYTES] = {0};
    EXPECT(aimg_name_slot_empty(empty));
    for (unsigned i = 0; i < sizeof empty; i++) {
        empty[i] = 1;
        EXPECT(!aimg_name_slot_empty(empty));
        empty[i] = 0;
    }
    /* As SPEC.md writes it: u64 key, u32 ordinal, u32 loc_low. */
    struct aimg_name_slot slot = {
        .hash = UINT64_C(0x0102030405), .frame_offset = UINT64_C(0x0A0B0C0D0E0F) * 8, .ordinal = 0x11223344, .lenclass = 0x55};
    aimg_name_slot_encode(&slot, empty);
    EXPECT_EQ_BYTES(empty, "\x0B\x0A\x55\x05\x04\x03\x02\x01\x44\x33\x22\x11\x0F\x0E\x0D\x0C", 16);
    EXPECT_EQ_UINT(aimg_name_hash40(UINT64_C(0x123456789ABCDEF0)), UINT64_C(0x123456789A));
}

/* home grows with the hash and stays below the count, also where hash times count passes 64 bits. */
static void check_home(void)
{
    static const uint64_t counts[] = {1, 2, 3, 1000, UINT64_C(1) << 24, (UINT64_C(1) << 27) + 1, UINT64_C(1) << 33};
    uint64_t random = 2, all = (UINT64_C(1) << 40) - 1;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        EXPECT_EQ_UINT(aimg_slot_home(0, AIMG_NAME_HASH_BITS, counts[i]), 0);
        EXPECT_EQ_UINT(aimg_slot_home(all, AIMG_NAME_HASH_BITS, counts[i]), counts[i] - 1);
        for (unsigned k = 0; k < 500; k++) {
            uint64_t a = random_next(&random) & all, b = random_next(&random) & all;
            uint64_t home_a = aimg_slot_home(a, AIMG_NAME_HASH_BITS, counts[i]),
                     home_b = aimg_slot_home(b, AIMG_NAME_HASH_BITS, counts[i]);
            EXPECT(home_a < counts[i] && (a <= b ? home_a <= home_b : home_a >= home_b));
            /* By long division: home is floor(a * count / 2^40). */
            uint64_t high = (a >> 20) * counts[i], low = (a & 0xFFFFF) * counts[i];
            EXPECT_EQ_UINT(home_a, (high + (low >> 20)) >> 20);
        }
    }
    EXPECT_EQ_UINT(aimg_slot_home(UINT32_MAX, AIMG_CONTENT_HASH_BITS, UINT64_C(1) << 33), (UINT64_C(1) << 33) - 2);
}

static void check_counts(void)
{
    for (uint64_t keys = 1; keys < 5000; keys += 1 + keys / 64)
        EXPECT(aimg_slot_count_in_range(aimg_slot_count(keys), keys));
    EXPECT(aimg_slot_count_in_range(aimg_slot_count(UINT32_MAX), UINT32_MAX));
    EXPECT(!aimg_slot_count_in_range(99, 95));
    EXPECT(aimg_slot_count_in_range(100, 95));
    EXPECT(aimg_slot_count_in_range(194, 95));
    EXPECT(!aimg_slot_count_in_range(195, 95));
    EXPECT(!aimg_slot_count_in_range(1, 1)); /* ceil(100 / 95) is 2 */
    EXPECT(aimg_slot_count_in_range(2, 1));
}

/* The smallest class that is not too short. */
static void check_lenclass(void)
{
    uint64_t random = 4;
    for (unsigned i = 0; i < 3000; i++) {
        uint64_t bytes = random_next(&random) >> random_below(&random, 60);
        uint8_t found = aimg_slot_lenclass(bytes);
        uint64_t size = ((uint64_t)(8 + (found & 7)) << (found >> 3)) * 8;
        EXPECT(found == 255 || size >= bytes);
        if (found > 0) {
            unsigned before = found - 1u;
            EXPECT(((uint64_t)(8 + (before & 7)) << (before >> 3)) * 8 < bytes);
        }
    }
    EXPECT_EQ_UINT(aimg_slot_lenclass(0), 0);
    EXPECT_EQ_UINT(aimg_slot_lenclass(64), 0);
    EXPECT_EQ_UINT(aimg_slot_lenclass(65), 1);
    EXPECT_EQ_UINT(aimg_slot_lenclass(128), 8);
    EXPECT_EQ_UINT(aimg_slot_lenclass(129), 9);
    EXPECT_EQ_UINT(aimg_slot_lenclass(UINT64_C(15) << 34), 255); /* the largest class, and all that is longer */
    EXPECT_EQ_UINT(aimg_slot_lenclass(UINT64_C(1) << 47), 255);
}

int main(void)
{
    check_round_trip();
    check_home();
    check_counts();
    check_lenclass();
    return test_end("test_slot");
}
