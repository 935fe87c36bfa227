/* SPDX-License-Identifier: Apache-2.0 */
/* The set of ordinals against a bitmap. */
#include "counting.h"
#include "ordinal_set.h"
#include "random.h"
#include "test.h"

enum { RANGE = 1 << 16 };

static struct counting counting;
static uint8_t model[RANGE];

static void check_against_model(uint32_t base, uint64_t seed, unsigned adds)
{
    struct aimg_allocator allocator = counting_allocator(&counting);
    struct aimg_ordinal_set set = {NULL, 0, 0};
    uint64_t random = seed, count = 0;
    memset(model, 0, sizeof model);
    EXPECT(!aimg_ordinal_set_has(&set, base));
    for (unsigned i = 0; i < adds; i++) {
        uint32_t offset = (uint32_t)random_below(&random, RANGE);
        EXPECT(aimg_ordinal_set_has(&set, base + offset) == (model[offset] != 0));
        EXPECT(aimg_ordinal_set_add(&allocator, &set, base + offset));
        count += model[offset] == 0;
        model[offset] = 1;
        EXPECT(aimg_ordinal_set_has(&set, base + offset) && set.count == count);
    }
    for (uint32_t offset = 0; offset < RANGE; offset++)
        EXPECT(aimg_ordinal_set_has(&set, base + offset) == (model[offset] != 0));
    aimg_ordinal_set_clear(&allocator, &set);
    EXPECT(!aimg_ordinal_set_has(&set, base) && set.count == 0);
    EXPECT_EQ_INT(counting.live, 0);
}

static void check_no_memory(void)
{
    struct aimg_allocator allocator = counting_allocator(&counting);
    struct aimg_ordinal_set set = {NULL, 0, 0};
    unsigned refused = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        counting.fail_at = counting.allocated + 1; /* it cannot grow at once, but at the second try */
        bool added = aimg_ordinal_set_add(&allocator, &set, i);
        counting.fail_at = 0;
        refused += !added;
        EXPECT(added || !aimg_ordinal_set_has(&set, i));
        EXPECT(added || aimg_ordinal_set_add(&allocator, &set, i));
        EXPECT(aimg_ordinal_set_has(&set, i) && (i == 0 || aimg_ordinal_set_has(&set, i / 2)));
    }
    EXPECT(refused > 3);
    aimg_ordinal_set_clear(&allocator, &set);
    EXPECT_EQ_INT(counting.live, 0);
}

int main(void)
{
    check_against_model(0, 1, 200);
    check_against_model(0, 2, 40000);
    check_against_model(UINT32_MAX - RANGE - 1, 3, 20000); /* up to the last ordinal */
    check_no_memory();
    return test_end("test_ordinal_set");
}
