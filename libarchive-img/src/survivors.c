/* SPDX-License-Identifier: Apache-2.0 */
#include "survivors.h"

#define WORD_ROWS 64

/* Loaded when the survivors were counted; NULL when no row is dead. */
static const uint8_t *dead_rows(const struct aimg_run *run)
{
    const struct aimg_mask *mask = run->mask_table == NULL ? NULL : atomic_load_explicit(&run->mask, memory_order_relaxed);
    return mask == NULL ? NULL : mask->dead;
}

static uint32_t live_in_word(const uint8_t *dead, uint32_t word, uint32_t rows)
{
    uint64_t bits = aimg_load64(dead + (size_t)word * 8);
    if (rows < WORD_ROWS)
        bits &= (UINT64_C(1) << rows) - 1;
    return rows - (uint32_t)__builtin_popcountll(bits);
}

static enum aimg_status count_run(struct aimg_survivors *survivors, uint32_t index, uint32_t *count_out, struct aimg_error *error)
{
    const struct aimg_reader *reader = survivors->reader;
    struct aimg_run *run = &reader->catalog.runs[index];
    const struct aimg_mask *mask = NULL;
    uint32_t live = 0;
    *count_out = run->count;
    enum aimg_status status = aimg_run_mask(&reader->source, run, &mask, error);
    if (status != AIMG_OK || mask == NULL || mask->dead == NULL)
        return status;
    uint64_t blocks = aimg_blocks(run->count, AIMG_RANK_ROWS);
    uint32_t *counts = aimg_alloc_array(&reader->source.allocator, blocks, sizeof *counts);
    if (counts == NULL)
        return aimg_fail_memory(error, blocks * sizeof *counts);
    for (uint64_t row = 0; row < run->count; row += WORD_ROWS) {
        uint64_t left = run->count - row;
        if (row % AIMG_RANK_ROWS == 0)
            counts[row / AIMG_RANK_ROWS] = live;
        live += live_in_word(mask->dead, (uint32_t)(row / WORD_ROWS), left < WORD_ROWS ? (uint32_t)left : WORD_ROWS);
    }
    survivors->counts[index] = counts;
    *count_out = live;
    return AIMG_OK;
}

enum aimg_status aimg_survivors_create(struct aimg_survivors *survivors, const struct aimg_reader *reader,
                                       struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &reader->catalog;
    const struct aimg_allocator *allocator = &reader->source.allocator;
    enum aimg_status status = AIMG_OK;
    *survivors = (struct aimg_survivors){.reader = reader};
    survivors->firsts = aimg_alloc_array(allocator, catalog->run_count, sizeof *survivors->firsts);
    survivors->counts = aimg_alloc_array(allocator, catalog->run_count, sizeof *survivors->counts);
    if (survivors->firsts == NULL || survivors->counts == NULL)
        status = aimg_fail_memory(error, catalog->run_count * sizeof *survivors->counts);
    for (uint32_t i = 0; status == AIMG_OK && i < catalog->run_count; i++) {
        uint32_t live = 0;
        survivors->firsts[i] = survivors->count;
        status = count_run(survivors, i, &live, error);
        survivors->count += live;
    }
    if (status == AIMG_OK && survivors->count != catalog->head.ordinal_count - catalog->head.dead_count)
        status = aimg_fail(error, AIMG_CORRUPT,
                           "the masks leave %" PRIu32 " images alive, but the archive says %" PRIu64
                           " (rule 65); run verify, then repair",
                           survivors->count, catalog->head.ordinal_count - catalog->head.dead_count);
    if (status != AIMG_OK)
        aimg_survivors_destroy(survivors);
    return status;
}

void aimg_survivors_destroy(struct aimg_survivors *survivors)
{
    if (survivors->reader == NULL)
        return;
    const struct aimg_allocator *allocator = &survivors->reader->source.allocator;
    for (uint32_t i = 0; survivors->counts != NULL && i < survivors->reader->catalog.run_count; i++)
        aimg_release(allocator, survivors->counts[i]);
    aimg_release(allocator, survivors->counts);
    aimg_release(allocator, survivors->firsts);
    *survivors = (struct aimg_survivors){.reader = NULL};
}

bool aimg_survivors_has_row(const struct aimg_survivors *survivors, const struct aimg_run *run, uint32_t row)
{
    (void)survivors; /* which has loaded the mask */
    const uint8_t *dead = dead_rows(run);
    return dead == NULL || !aimg_bitmap_get(dead, row);
}

bool aimg_survivors_number(const struct aimg_survivors *survivors, uint32_t ordinal, uint32_t *number_out)
{
    const struct aimg_catalog *catalog = &survivors->reader->catalog;
    uint32_t index = aimg_catalog_run(catalog, ordinal);
    const struct aimg_run *run = &catalog->runs[index];
    const uint8_t *dead = dead_rows(run);
    uint32_t row = ordinal - run->first;
    if (dead == NULL) {
        *number_out = survivors->firsts[index] + row;
        return true;
    }
    if (aimg_bitmap_get(dead, row))
        return false;
    uint32_t number = survivors->firsts[index] + survivors->counts[index][row / AIMG_RANK_ROWS];
    uint32_t word = row / AIMG_RANK_ROWS * (AIMG_RANK_ROWS / WORD_ROWS);
    for (; word < row / WORD_ROWS; word++)
        number += live_in_word(dead, word, WORD_ROWS);
    *number_out = number + live_in_word(dead, word, row % WORD_ROWS);
    return true;
}
