/* SPDX-License-Identifier: Apache-2.0 */
#include "mask_writer.h"

#include "error.h"

struct bitmaps {
    uint8_t *dead, *attached;
    uint8_t *rank;
    uint32_t dead_count, attached_alive;
};

static void set_bits(uint8_t *bitmap, struct aimg_ordinals ordinals, uint32_t first)
{
    for (uint32_t i = 0; i < ordinals.count; i++) {
        uint32_t row = ordinals.values[i] - first;
        bitmap[row / 8] |= (uint8_t)(1u << (row % 8));
    }
}

/* The bits of a bitmap of `rows` rows, as rows from `to` on. */
static void copy_bits(uint8_t *bitmap, uint32_t to, const uint8_t *from, uint32_t rows)
{
    if (from == NULL)
        return;
    if (to % 8 == 0) {
        for (uint32_t i = 0; i < (rows + 7) / 8; i++)
            bitmap[to / 8 + i] |= from[i];
        return;
    }
    for (uint32_t row = 0; row < rows; row++) {
        uint32_t place = to + row;
        bitmap[place / 8] |= (uint8_t)(aimg_bitmap_get(from, row) << (place % 8));
    }
}

static enum aimg_status copy_base(const struct aimg_source *source, struct aimg_run *base, uint32_t first,
                                  struct bitmaps *bitmaps, struct aimg_error *error)
{
    const struct aimg_mask *mask = NULL;
    enum aimg_status status = aimg_run_mask(source, base, &mask, error);
    if (status != AIMG_OK || mask == NULL)
        return status;
    copy_bits(bitmaps->dead, base->first - first, mask->dead, base->count);
    copy_bits(bitmaps->attached, base->first - first, mask->attached, base->count);
    return AIMG_OK;
}

/* Fills rank, and counts. */
static void count_rows(struct bitmaps *bitmaps, uint32_t rows)
{
    uint32_t listed = 0;
    for (uint32_t row = 0; row < rows; row++) {
        if (row % AIMG_RANK_ROWS == 0)
            aimg_store32(bitmaps->rank + (size_t)(row / AIMG_RANK_ROWS) * 4, listed);
        bool dead = aimg_bitmap_get(bitmaps->dead, row), attached = aimg_bitmap_get(bitmaps->attached, row);
        bitmaps->dead_count += dead;
        bitmaps->attached_alive += attached && !dead;
        listed += !dead && !attached;
    }
}

static enum aimg_status write_bitmap(struct aimg_table_writer *table, unsigned kind, const uint8_t *bitmap, uint32_t rows,
                                     struct aimg_error *error)
{
    struct aimg_section section = {.kind = (uint8_t)kind, .count = rows};
    size_t bytes = (size_t)aimg_bitmap_bytes(rows);
    if (aimg_all_zero(bitmap, bytes))
        return AIMG_OK;
    enum aimg_status status = aimg_table_writer_add(table, bitmap, bytes, error);
    return status == AIMG_OK ? aimg_table_writer_section(table, section, error) : status;
}

static enum aimg_status write_table(const struct bitmaps *bitmaps, const struct aimg_part *run, struct aimg_out *out,
                                    struct aimg_part *part_out, struct aimg_error *error)
{
    struct aimg_table_writer table;
    uint64_t ranks = aimg_blocks(run->count, AIMG_RANK_ROWS);
    struct aimg_section rank = {.kind = AIMG_SECTION_RANK, .element_bytes = 4, .count = ranks};
    enum aimg_status status = aimg_table_writer_begin(&table, out, AIMG_FRAME_MASK, 0, run->first, run->count, error);
    if (status == AIMG_OK)
        status = write_bitmap(&table, AIMG_SECTION_DEAD, bitmaps->dead, run->count, error);
    if (status == AIMG_OK)
        status = write_bitmap(&table, AIMG_SECTION_ATTACHED, bitmaps->attached, run->count, error);
    if (status == AIMG_OK)
        status = aimg_table_writer_add(&table, bitmaps->rank, (size_t)ranks * 4, error);
    if (status == AIMG_OK)
        status = aimg_table_writer_section(&table, rank, error);
    if (status != AIMG_OK) {
        aimg_table_writer_abandon(&table);
        return status;
    }
    status = aimg_table_writer_end(&table, part_out, error);
    part_out->dead = bitmaps->dead_count;
    part_out->attached = bitmaps->attached_alive;
    return status;
}

enum aimg_status aimg_mask_write(const struct aimg_source *source, struct aimg_run *bases, uint32_t base_count,
                                 const struct aimg_part *run, struct aimg_ordinals removed, struct aimg_ordinals attached,
                                 struct aimg_out *out, struct aimg_part *part_out, struct aimg_error *error)
{
    const struct aimg_allocator *allocator = &source->allocator;
    uint64_t bytes = aimg_bitmap_bytes(run->count);
    struct bitmaps bitmaps = {.dead = aimg_alloc_array(allocator, bytes, 1),
                              .attached = aimg_alloc_array(allocator, bytes, 1),
                              .rank = aimg_alloc_array(allocator, aimg_blocks(run->count, AIMG_RANK_ROWS), 4)};
    enum aimg_status status = AIMG_OK;
    if (bitmaps.dead == NULL || bitmaps.attached == NULL || bitmaps.rank == NULL)
        status = aimg_fail_memory(error, bytes);
    for (uint32_t i = 0; status == AIMG_OK && i < base_count; i++)
        status = copy_base(source, &bases[i], run->first, &bitmaps, error);
    if (status == AIMG_OK) {
        set_bits(bitmaps.dead, removed, run->first);
        set_bits(bitmaps.attached, attached, run->first);
        count_rows(&bitmaps, run->count);
        status = write_table(&bitmaps, run, out, part_out, error);
    }
    aimg_release(allocator, bitmaps.dead);
    aimg_release(allocator, bitmaps.attached);
    aimg_release(allocator, bitmaps.rank);
    return status;
}
