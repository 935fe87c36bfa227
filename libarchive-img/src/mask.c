/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows of a run are dead or attachments: rank and select over its bitmaps. */
#include "catalog.h"

#include "error.h"

#include <inttypes.h>

#define WORD_ROWS 64

static uint64_t unlisted_word(const struct aimg_mask *mask, uint32_t word)
{
    uint64_t bits = 0;
    if (mask->dead != NULL)
        bits |= aimg_load64(mask->dead + (size_t)word * 8);
    if (mask->attached != NULL)
        bits |= aimg_load64(mask->attached + (size_t)word * 8);
    return bits;
}

bool aimg_mask_listed(const struct aimg_mask *mask, uint32_t row)
{
    return (unlisted_word(mask, row / WORD_ROWS) >> (row % WORD_ROWS) & 1) == 0;
}

uint32_t aimg_mask_rank(const struct aimg_mask *mask, uint32_t row)
{
    uint32_t rank = aimg_load32(mask->rank + (size_t)(row / AIMG_RANK_ROWS) * 4);
    uint32_t word = row / AIMG_RANK_ROWS * (AIMG_RANK_ROWS / WORD_ROWS);
    for (; word < row / WORD_ROWS; word++)
        rank += WORD_ROWS - (uint32_t)__builtin_popcountll(unlisted_word(mask, word));
    uint64_t below = row % WORD_ROWS == 0 ? 0 : ~unlisted_word(mask, word) << (WORD_ROWS - row % WORD_ROWS);
    return rank + (uint32_t)__builtin_popcountll(below);
}

uint32_t aimg_mask_select(const struct aimg_mask *mask, uint32_t count, uint32_t rank)
{
    uint32_t low = 0, length = (uint32_t)aimg_blocks(count, AIMG_RANK_ROWS);
    while (length > 1) {
        uint32_t half = length / 2;
        if (aimg_load32(mask->rank + (size_t)(low + half) * 4) <= rank)
            low += half;
        length -= half;
    }
    uint32_t left = rank - aimg_load32(mask->rank + (size_t)low * 4);
    uint32_t words = (uint32_t)aimg_blocks(count, WORD_ROWS);
    for (uint32_t word = low * (AIMG_RANK_ROWS / WORD_ROWS); word < words; word++) {
        uint64_t listed = ~unlisted_word(mask, word);
        uint32_t here = (uint32_t)__builtin_popcountll(listed);
        if (left >= here) {
            left -= here;
            continue;
        }
        for (; left > 0; left--)
            listed &= listed - 1;
        return word * WORD_ROWS + (uint32_t)__builtin_ctzll(listed);
    }
    return count; /* the file has changed under the map since the mask was checked: the caller sees a row past the end */
}

static const uint8_t *section_data(const uint8_t *payload, const struct aimg_table *table, unsigned kind)
{
    const struct aimg_section *section = aimg_table_section(table, kind, 0);
    return section == NULL ? NULL : payload + section->offset;
}

enum aimg_status aimg_mask_read(const struct aimg_source *source, struct aimg_table *table, struct aimg_mask *mask,
                                struct aimg_error *error)
{
    size_t bytes = (size_t)table->data_bytes;
    struct aimg_error local;
    if (source->io->base == NULL || table->payload + bytes > source->io->base_bytes) {
        mask->owned = aimg_alloc_array(&source->allocator, bytes, 1);
        if (mask->owned == NULL)
            return aimg_fail_memory(error, bytes);
    }
    const uint8_t *payload = aimg_table_fetch(source, table, 0, bytes, mask->owned, &local);
    if (payload == NULL)
        return aimg_fail_as(error, &local);
    mask->dead = section_data(payload, table, AIMG_SECTION_DEAD);
    mask->attached = section_data(payload, table, AIMG_SECTION_ATTACHED);
    mask->rank = section_data(payload, table, AIMG_SECTION_RANK);
    return AIMG_OK;
}

/* Rule 62, or NULL. Positions and ordinals are each other's inverse only where RANK counts the same rows as the bits. The hash of
 * what is looked at here took longer. */
static const char *mask_fault(const struct aimg_mask *mask, const struct aimg_part *part)
{
    uint32_t listed = 0, dead = 0, attached = 0;
    for (uint32_t row = 0; row < part->count; row += WORD_ROWS) {
        uint32_t rows = part->count - row < WORD_ROWS ? part->count - row : WORD_ROWS;
        uint64_t unlisted = unlisted_word(mask, row / WORD_ROWS);
        uint64_t dead_bits = mask->dead == NULL ? 0 : aimg_load64(mask->dead + row / 8);
        if (rows < WORD_ROWS && unlisted >> rows != 0)
            return "a bit past its last row is set";
        if (row % AIMG_RANK_ROWS == 0 && aimg_load32(mask->rank + (size_t)(row / AIMG_RANK_ROWS) * 4) != listed)
            return "RANK does not count the rows that are listed";
        listed += rows - (uint32_t)__builtin_popcountll(unlisted);
        dead += (uint32_t)__builtin_popcountll(dead_bits);
        attached += (uint32_t)__builtin_popcountll(unlisted & ~dead_bits);
    }
    return dead == part->dead && attached == part->attached ? NULL : "ROOT counts other dead rows or attachments than it has";
}

static enum aimg_status load_mask(const struct aimg_source *source, struct aimg_table *table, struct aimg_mask *mask,
                                  struct aimg_error *error)
{
    enum aimg_status status = aimg_mask_read(source, table, mask, error);
    const char *fault = status == AIMG_OK ? mask_fault(mask, &table->part) : NULL;
    if (fault != NULL)
        status = aimg_fail_at(error, AIMG_CORRUPT, 62, table->part.offset,
                              "the MASK at %" PRIu64 " breaks rule 62: %s; run verify, then repair", table->part.offset, fault);
    return status;
}

enum aimg_status aimg_run_mask_load(const struct aimg_source *source, struct aimg_run *run, const struct aimg_mask **mask_out,
                                    struct aimg_error *error)
{
    struct aimg_mask *mask = aimg_alloc_array(&source->allocator, 1, sizeof *mask), *other = NULL;
    *mask_out = NULL;
    if (mask == NULL)
        return aimg_fail_memory(error, sizeof *mask);
    enum aimg_status status = load_mask(source, run->mask_table, mask, error);
    if (status == AIMG_OK && atomic_compare_exchange_strong(&run->mask, &other, mask)) {
        *mask_out = mask;
        return AIMG_OK;
    }
    /* It could not be read, or another thread was first. */
    aimg_release(&source->allocator, mask->owned);
    aimg_release(&source->allocator, mask);
    *mask_out = other;
    return status;
}

enum aimg_status aimg_run_check_alive(const struct aimg_source *source, struct aimg_run *run, uint32_t ordinal,
                                      struct aimg_error *error)
{
    const struct aimg_mask *mask = NULL;
    enum aimg_status status = aimg_run_mask(source, run, &mask, error);
    if (status == AIMG_OK && mask != NULL && mask->dead != NULL && aimg_bitmap_get(mask->dead, ordinal - run->first))
        return aimg_fail(error, AIMG_NOT_FOUND, "image %" PRIu32 " was removed or replaced", ordinal);
    return status;
}
