/* SPDX-License-Identifier: Apache-2.0 */
/* The store of what a batch sets, against a table: the last of several counts, what is dropped is gone, sorting changes nothing.
 */
#include "column_edits.h"
#include "counting.h"
#include "host.h"
#include "random.h"
#include "test.h"

enum { COLUMNS = 3, ROWS = 700, STEPS = 20000 };

static struct aimg_allocator allocator;
static struct aimg_column_edits edits;
static uint64_t state = 5;

/* What was set: its number, 0 nothing, UINT32_MAX null. */
static uint32_t expected[COLUMNS][ROWS];

static uint32_t below(uint32_t limit)
{
    return (uint32_t)random_below(&state, limit);
}

static void set(uint32_t number)
{
    uint32_t column = below(COLUMNS), row = below(ROWS);
    bool null = below(4) == 0;
    REQUIRE(aimg_edits_add(&allocator, &edits, column, row, null ? NULL : &number, null ? 0 : sizeof number, sizeof number));
    expected[column][row] = null ? UINT32_MAX : number;
}

static void drop(void)
{
    uint32_t column = below(COLUMNS), first = below(ROWS), count = below(ROWS - first);
    aimg_edits_drop(&edits, column, first, count);
    for (uint32_t row = first; row < first + count; row++)
        expected[column][row] = 0;
}

static void check(uint32_t column, uint32_t row)
{
    const struct aimg_edit *edit = aimg_edits_find(&allocator, &edits, column, row);
    uint32_t wanted = expected[column][row], found = 0;
    EXPECT_EQ_INT(edit == NULL, wanted == 0);
    if (edit == NULL)
        return;
    EXPECT(edit->column == column && edit->ordinal == row && (edit->bytes == AIMG_EDIT_NULL) == (wanted == UINT32_MAX));
    if (edit->bytes == AIMG_EDIT_NULL)
        return;
    memcpy(&found, aimg_edits_data(&edits, edit), sizeof found);
    host_order(&found, sizeof found, sizeof found);
    EXPECT(edit->bytes == sizeof found && found == wanted);
}

static void check_all(void)
{
    size_t count, seen = 0;
    aimg_edits_sort(&edits);
    const struct aimg_edit *all = aimg_edits_all(&edits, &count);
    for (uint32_t column = 0; column < COLUMNS; column++) {
        for (uint32_t row = 0; row < ROWS; row++) {
            if (expected[column][row] == 0)
                continue;
            EXPECT(seen < count && all[seen].column == column && all[seen].ordinal == row);
            seen++;
        }
    }
    EXPECT_EQ_UINT(seen, count);
    EXPECT_EQ_UINT(edits.sorted, count);
}

/* Slots in a row that are not empty: so many edits are looked at, at most. */
static uint64_t longest_search(void)
{
    uint64_t longest = 0, length = 0;
    for (uint64_t i = 0; i < 2 * edits.slot_count; i++) {
        length = edits.slots[i & (edits.slot_count - 1)] == 0 ? 0 : length + 1;
        longest = length > longest ? length : longest;
    }
    return longest;
}

/* One is looked for after each that is added: nothing is sorted or looked through for that. */
static void check_work(void)
{
    static const struct {
        uint32_t columns, rows, step;
    } shapes[] = {{1, 30000, 1}, {64, 300, 1}, {1000, 30, 4096}};
    for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k++) {
        uint32_t number = 0;
        for (uint32_t row = 0; row < shapes[k].rows; row++) {
            for (uint32_t column = 0; column < shapes[k].columns; column++, number++) {
                uint32_t ordinal = row * shapes[k].step;
                REQUIRE(aimg_edits_add(&allocator, &edits, column, ordinal, &number, sizeof number, sizeof number));
                const struct aimg_edit *edit = aimg_edits_find(&allocator, &edits, column, ordinal);
                EXPECT(edit != NULL && edit->order == number);
                EXPECT(aimg_edits_find(&allocator, &edits, shapes[k].columns, ordinal) == NULL);
                EXPECT_EQ_UINT(edits.sorted, 0);
            }
        }
        EXPECT_EQ_UINT(edits.indexed, number);
        EXPECT(longest_search() < 256);
        aimg_edits_clear(&edits);
    }
}

/* Without memory for the slots all is found none the less. */
static void check_no_memory(void)
{
    struct counting counting = {.fail_at = 1, .fail_on = true};
    struct aimg_allocator failing = counting_allocator(&counting);
    for (uint32_t i = 0; i < 2000; i++)
        REQUIRE(aimg_edits_add(&allocator, &edits, 0, i * 7 % 1000, &i, sizeof i, sizeof i));
    const struct aimg_edit *edit = aimg_edits_find(&failing, &edits, 0, 7);
    EXPECT(edit != NULL && edit->order == 1001 && aimg_edits_find(&failing, &edits, 0, 1000) == NULL);
    EXPECT(counting.allocated > 0 && edits.sorted == 1000);
    aimg_edits_clear(&edits);
}

int main(void)
{
    const struct aimg_allocator none = {NULL, NULL, NULL};
    REQUIRE(aimg_allocator_resolve(&none, &allocator));
    EXPECT(aimg_edits_find(&allocator, &edits, 0, 0) == NULL);
    aimg_edits_sort(&edits);
    aimg_edits_drop(&edits, 0, 0, ROWS);
    check_no_memory();
    check_work();
    for (uint32_t i = 1; i <= STEPS; i++) {
        set(i);
        check(below(COLUMNS), below(ROWS));
        if (i % 100 == 0)
            drop();
        if (i % 3000 == 0)
            check_all();
        if (i % 7000 == 0) {
            aimg_edits_clear(&edits);
            memset(expected, 0, sizeof expected);
        }
    }
    uint64_t bytes = edits.edits.bytes + edits.data.bytes + edits.indexed * 2 * sizeof *edits.slots;
    EXPECT(aimg_edits_full(&edits, bytes - 1) && !aimg_edits_full(&edits, bytes));
    edits.arrived = UINT32_MAX; /* the next would have the number of the first */
    EXPECT(aimg_edits_full(&edits, bytes));
    aimg_edits_release(&allocator, &edits);
    return test_end("test_column_edits");
}
