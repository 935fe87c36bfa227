/* SPDX-License-Identifier: Apache-2.0 */
/* What was seen is found by its hash, all of it and nothing else; of one hash only as much as a search may pass. */
#include "keys.h"
#include "random.h"
#include "seen.h"
#include "test.h"

enum { MOST = 60000 };

static struct aimg_seen seen;
static uint32_t hashes[MOST];

static void begin(uint32_t multiplier)
{
    seen.multiplier = multiplier;
    REQUIRE(aimg_allocator_resolve(&seen.allocator, &seen.allocator));
}

/* Ways in which hashes fall: evenly, in steps, next to each other. */
static uint32_t make_hash(uint64_t *random, unsigned way, uint32_t i)
{
    return way == 0 ? (uint32_t)random_next(random) : way == 1 ? i << 16 | i >> 16 : 77000 + i;
}

static void check_hash(uint32_t count, uint32_t hash)
{
    uint32_t cursor = 0, ordinal, found = 0, expected = 0;
    for (uint32_t i = 0; i < count; i++)
        expected += hashes[i] == hash;
    while (aimg_seen_next(&seen, hash, &cursor, &ordinal)) {
        EXPECT(ordinal < count && hashes[ordinal] == hash);
        found++;
    }
    EXPECT_EQ_UINT(found, expected);
}

static void check_many(uint32_t multiplier, unsigned way, uint32_t count)
{
    uint64_t random = multiplier + way + count, slots = 0;
    begin(multiplier);
    for (uint32_t i = 0; i < count; i++) {
        hashes[i] = make_hash(&random, way, i);
        REQUIRE(aimg_seen_add(&seen, hashes[i], i));
    }
    EXPECT_EQ_UINT(seen.count, count);
    for (unsigned i = 0; i < AIMG_SEEN_PIECES; i++) {
        EXPECT(seen.pieces[i].count <= seen.pieces[i].size / 4 * 3); /* or a search for what is not there would never end */
        slots += seen.pieces[i].size;
    }
    EXPECT(slots * 8 <= 22 * (uint64_t)count + 8 * AIMG_SEEN_PIECES * 64);
    for (unsigned i = 0; i < 300; i++)
        check_hash(count, i % 2 == 0 ? hashes[random_below(&random, count)] : (uint32_t)random_next(&random));
    aimg_seen_release(&seen);
    check_hash(0, hashes[0]);
}

static void check_twins(void)
{
    uint32_t cursor = 0, ordinal, found = 0;
    begin(0x12345679);
    for (uint32_t i = 0; i < 100000; i++) {
        REQUIRE(aimg_seen_add(&seen, 5, i));
        REQUIRE(i > 20 || aimg_seen_add(&seen, 1000 + i, i));
    }
    while (aimg_seen_next(&seen, 5, &cursor, &ordinal))
        EXPECT_EQ_UINT(ordinal, found++); /* the first ones */
    EXPECT_EQ_UINT(found, AIMG_CONTENT_TWINS);
    EXPECT_EQ_UINT(seen.count, AIMG_CONTENT_TWINS + 21);
    aimg_seen_release(&seen);
}

int main(void)
{
    static const uint32_t multipliers[] = {1, 0x9E3779B1, 0xFFFFFFFF, 0xDEADBEEF};
    for (size_t m = 0; m < sizeof multipliers / sizeof multipliers[0]; m++)
        for (unsigned way = 0; way < 3; way++) {
            check_many(multipliers[m], way, 1);
            check_many(multipliers[m], way, 300);
            check_many(multipliers[m], way, way == 0 ? MOST : 3000);
        }
    check_twins();
    return test_end("test_seen");
}
