/* SPDX-License-Identifier: Apache-2.0 */
/* Masks: written, loaded, and rank and select against counting, for bitmaps of every density; what a mask keeps of the one
 * before. */
#include "error.h"
#include "mask_writer.h"
#include "random.h"
#include "table_room.h"

enum { MOST_ROWS = 20000, FIRST = 1000 };

static struct aimg_error error;
static uint8_t dead[MOST_ROWS], attached[MOST_ROWS];

static struct aimg_ordinals collect(const uint8_t *flags, uint32_t rows, uint32_t *values)
{
    struct aimg_ordinals all = {values, 0};
    for (uint32_t row = 0; row < rows; row++)
        if (flags[row])
            values[all.count++] = FIRST + row;
    return all;
}

static void check_mask(struct table_room *room, struct aimg_run *run, const struct aimg_part *part)
{
    const struct aimg_mask *mask = NULL, *again = NULL;
    uint32_t listed = 0, dead_count = 0, attached_count = 0;
    REQUIRE(aimg_run_mask(&room->source, run, &mask, &error) == AIMG_OK && mask != NULL);
    EXPECT(aimg_run_mask(&room->source, run, &again, &error) == AIMG_OK && again == mask); /* loaded once */
    for (uint32_t row = 0; row < run->count; row++) {
        bool is_listed = !dead[row] && !attached[row];
        EXPECT(aimg_mask_listed(mask, row) == is_listed);
        EXPECT(aimg_run_check_alive(&room->source, run, FIRST + row, &error) == (dead[row] ? AIMG_NOT_FOUND : AIMG_OK));
        EXPECT_EQ_UINT(aimg_mask_rank(mask, row), listed);
        if (is_listed)
            EXPECT_EQ_UINT(aimg_mask_select(mask, run->count, listed++), row);
        dead_count += dead[row];
        attached_count += attached[row] && !dead[row];
    }
    EXPECT(aimg_mask_select(mask, run->count, listed) >= run->count); /* past the last */
    EXPECT(part->dead == dead_count && part->attached == attached_count);
    EXPECT(part->type == AIMG_FRAME_MASK && part->first == FIRST && part->count == run->count);
}

static void forget_mask(struct table_room *room, struct aimg_run *run)
{
    struct aimg_mask *mask = atomic_load(&run->mask);
    aimg_release(&room->source.allocator, mask->owned);
    aimg_release(&room->source.allocator, mask);
}

/* A mask, and then one that adds to it. */
static void check_rows(uint32_t rows, uint32_t dead_in_256, uint32_t attached_in_256)
{
    static uint32_t values[2][MOST_ROWS];
    struct table_room room;
    struct aimg_table tables[2];
    struct aimg_section sections[2][3];
    struct aimg_part run_part = {.type = AIMG_FRAME_RUN, .first = FIRST, .count = rows}, part;
    struct aimg_run run = {.first = FIRST, .count = rows}, next = run;
    uint64_t random = rows + dead_in_256;
    table_room_open(&room);
    for (uint32_t row = 0; row < rows; row++) {
        dead[row] = random_below(&random, 256) < dead_in_256;
        attached[row] = random_below(&random, 256) < attached_in_256;
    }
    REQUIRE(aimg_mask_write(&room.source, NULL, 0, &run_part, collect(dead, rows, values[0]), collect(attached, rows, values[1]),
                            &room.out, &part, &error) == AIMG_OK);
    REQUIRE(aimg_out_flush(&room.out, &error) == AIMG_OK);
    room.source.end = room.out.flushed;
    REQUIRE(aimg_table_open(&room.source, &part, sections[0], &tables[0], &error) == AIMG_OK);
    run.mask_table = &tables[0];
    check_mask(&room, &run, &part);
    /* A second mask has the new rows only as ordinals, the others from the first. */
    uint8_t more[MOST_ROWS] = {0};
    for (uint32_t row = 0; row < rows; row++) {
        more[row] = random_below(&random, 8) == 0 && !dead[row];
        dead[row] |= more[row];
    }
    REQUIRE(aimg_mask_write(&room.source, &run, 1, &run_part, collect(more, rows, values[0]), (struct aimg_ordinals){NULL, 0},
                            &room.out, &part, &error) == AIMG_OK);
    REQUIRE(aimg_out_flush(&room.out, &error) == AIMG_OK);
    room.source.end = room.out.flushed;
    REQUIRE(aimg_table_open(&room.source, &part, sections[1], &tables[1], &error) == AIMG_OK);
    next.mask_table = &tables[1];
    check_mask(&room, &next, &part);
    forget_mask(&room, &run);
    forget_mask(&room, &next);
    table_room_close(&room);
}

/* Damaged bytes are found before they are used, and nothing is kept. */
static void check_damage(void)
{
    uint32_t one[] = {FIRST + 3};
    struct table_room room;
    struct aimg_table table;
    struct aimg_part run_part = {.type = AIMG_FRAME_RUN, .first = FIRST, .count = 100}, part;
    struct aimg_run run = {.first = FIRST, .count = 100};
    const struct aimg_mask *mask = NULL;
    table_room_open(&room);
    EXPECT(aimg_run_mask(&room.source, &run, &mask, &error) == AIMG_OK && mask == NULL); /* it has no mask_table yet */
    REQUIRE(aimg_mask_write(&room.source, NULL, 0, &run_part, (struct aimg_ordinals){one, 1}, (struct aimg_ordinals){NULL, 0},
                            &room.out, &part, &error) == AIMG_OK);
    REQUIRE(table_room_table(&room, &part, &table, &error) == AIMG_OK);
    run.mask_table = &table;
    REQUIRE(room.io.ops->write_at(&room.io, table.payload, "\xFF", 1, NULL, 0, &error) == AIMG_OK);
    EXPECT(aimg_run_mask(&room.source, &run, &mask, &error) == AIMG_CHECKSUM && mask == NULL);
    EXPECT(error.status == AIMG_CHECKSUM && error.rule == 40);
    EXPECT_EQ_INT(aimg_run_mask(&room.source, &run, &mask, NULL), AIMG_CHECKSUM);
    EXPECT_EQ_INT(aimg_run_check_alive(&room.source, &run, FIRST, &error), AIMG_CHECKSUM);
    EXPECT(atomic_load(&run.mask) == NULL);
    REQUIRE(room.io.ops->write_at(&room.io, table.payload, "\x08", 1, NULL, 0, &error) == AIMG_OK);
    for (unsigned long long n = 1; n <= 2; n++) {
        room.counting.fail_at = room.counting.allocated + n;
        EXPECT(aimg_run_mask(&room.source, &run, &mask, &error) == AIMG_OUT_OF_MEMORY && mask == NULL);
        EXPECT_EQ_INT(error.status, AIMG_OUT_OF_MEMORY);
    }
    room.counting.fail_at = 0;
    EXPECT_EQ_INT(aimg_run_check_alive(&room.source, &run, FIRST + 3, &error), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(aimg_run_check_alive(&room.source, &run, FIRST + 4, &error), AIMG_OK);
    forget_mask(&room, &run);
    table_room_close(&room);
}

/* A rank table that lies gives a row past the end, never one outside the bitmap. */
static void check_false_rank(void)
{
    uint8_t bitmap[16] = {0}, rank[4] = {0};
    struct aimg_mask mask = {.dead = bitmap, .rank = rank};
    memset(bitmap, 0xFF, sizeof bitmap);
    EXPECT_EQ_UINT(aimg_mask_select(&mask, 100, 0), 100);
    EXPECT_EQ_UINT(aimg_mask_select(&mask, 100, UINT32_MAX), 100);
    aimg_store32(rank, UINT32_MAX);
    bitmap[3] = 0;
    EXPECT(aimg_mask_select(&mask, 100, 5) <= 100);
}

int main(void)
{
    static const uint32_t sizes[] = {1, 2, 63, 64, 65, 2047, 2048, 2049, 4096, 6000, MOST_ROWS};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        check_rows(sizes[i], 128, 0);
        check_rows(sizes[i], 3, 30);
        check_rows(sizes[i], 250, 100);
        check_rows(sizes[i], 0, 256);
    }
    check_damage();
    check_false_rank();
    return test_end("test_mask");
}
