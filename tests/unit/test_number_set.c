/* SPDX-License-Identifier: Apache-2.0 */
/* A set holds what was added and nothing else: numbers in a row, far apart, and at the ends; and it stops at the size it is
 * given. */
#include "number_set.h"
#include "random.h"
#include "test.h"

enum { NUMBERS = 5000, MOST = 1024 };

static void check_numbers(uint64_t step)
{
    struct number_set set = {.slots = NULL};
    for (uint64_t i = 0; i < NUMBERS; i++) {
        EXPECT(!number_set_has(&set, 1 + i * step));
        EXPECT(number_set_add(&set, 1 + i * step, SIZE_MAX));
        EXPECT(number_set_add(&set, 1 + i * step, SIZE_MAX)); /* twice is once */
    }
    EXPECT_EQ_UINT(set.count, NUMBERS);
    for (uint64_t i = 0; i < NUMBERS; i++)
        EXPECT(number_set_has(&set, 1 + i * step));
    EXPECT(set.count < set.capacity && set.capacity <= 4 * (uint64_t)NUMBERS);
    number_set_free(&set);
    EXPECT(set.capacity == 0 && !number_set_has(&set, 1));
}

static void check_limit(void)
{
    struct number_set set = {.slots = NULL};
    uint64_t random = 1, first = random_next(&random), added = 1;
    EXPECT(number_set_add(&set, first, MOST));
    while (number_set_add(&set, random_next(&random), MOST))
        added++;
    EXPECT_EQ_UINT(set.capacity, MOST);
    EXPECT_EQ_UINT(added, MOST / 8 * 7);
    EXPECT(number_set_has(&set, first) && number_set_add(&set, first, MOST));
    number_set_free(&set);
}

static void check_ends(void)
{
    struct number_set set = {.slots = NULL};
    EXPECT(number_set_add(&set, 0, SIZE_MAX));
    EXPECT(number_set_has(&set, 0) && number_set_has(&set, UINT64_MAX) && !number_set_has(&set, UINT64_MAX - 1));
    number_set_free(&set);
}

int main(void)
{
    check_numbers(1);
    check_numbers(UINT64_C(1) << 33);
    check_limit();
    check_ends();
    return test_end("test_number_set");
}
