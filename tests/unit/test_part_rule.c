/* SPDX-License-Identifier: Apache-2.0 */
/* When a long pack commits: the first parts are of a fixed size, and a pack of any length has room for its parts. */
#include "constants.h"
#include "part_rule.h"
#include "test.h"

#define GIB (UINT64_C(1) << 30)

static void test_first_parts(void)
{
    struct extent none = {0, 0, 0}, bytes = {GIB, 1, 1}, images = {1, 1000000, 1}, seconds = {1, 1, 60};
    struct extent less = {GIB - 1, 999999, 59.9};
    EXPECT(!part_rule_due(&none, &none, true));
    EXPECT(!part_rule_due(&less, &less, true));
    EXPECT(part_rule_due(&bytes, &bytes, false));
    EXPECT(part_rule_due(&images, &images, false));
    EXPECT(part_rule_due(&seconds, &seconds, true));
    EXPECT(!part_rule_due(&seconds, &seconds, false));
}

static void test_growth(void)
{
    struct extent part = {GIB, 1000, 60}, all = {64 * GIB, 64000, 64 * 60};
    EXPECT(part_rule_due(&part, &all, true));
    all.bytes = 128 * GIB;
    EXPECT(part_rule_due(&part, &all, true)); /* by the clock */
    EXPECT(!part_rule_due(&part, &all, false));
    all.seconds = 128 * 60;
    EXPECT(!part_rule_due(&part, &all, true));
    part.bytes = 2 * GIB;
    EXPECT(part_rule_due(&part, &all, false));
    part = (struct extent){GIB, 1000, 120};
    EXPECT(part_rule_due(&part, &all, true));
}

/* Parts of a pack of `bytes` in images of `each`, `speed` bytes a second. */
static uint64_t count_parts(uint64_t bytes, uint64_t each, double speed)
{
    struct extent part = {0, 0, 0}, all = {0, 0, 0};
    uint64_t parts = 1;
    while (all.bytes < bytes) {
        part = (struct extent){part.bytes + each, part.images + 1, part.seconds + (double)each / speed};
        all = (struct extent){all.bytes + each, all.images + 1, all.seconds + (double)each / speed};
        if (part_rule_due(&part, &all, true)) {
            part = (struct extent){0, 0, 0};
            parts++;
        }
    }
    return parts;
}

static void test_longest(void)
{
    EXPECT(count_parts(UINT64_C(1) << 51, 100 << 20, 1e9) < AIMG_RUN_MAX / 4); /* 2 PiB, the largest file */
    EXPECT(count_parts(UINT64_C(1) << 51, 100 << 20, 1e6) < AIMG_RUN_MAX / 4); /* 70 years */
    EXPECT_EQ_UINT(count_parts(64 * GIB, 1 << 20, 1e9), 65);                   /* as ever */
}

int main(void)
{
    test_first_parts();
    test_growth();
    test_longest();
    return test_end("part rule");
}
