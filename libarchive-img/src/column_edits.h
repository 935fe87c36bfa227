/* SPDX-License-Identifier: Apache-2.0 */
/* Values that the open batch sets for rows whose run is written: kept until the tables with them are made. */
#ifndef AIMG_SRC_COLUMN_EDITS_H
#define AIMG_SRC_COLUMN_EDITS_H

#include "memory.h"

/* Bytes of an edit without a value. */
#define AIMG_EDIT_NULL UINT32_MAX

struct aimg_edit {
    uint32_t column; /* index among the writer's */
    uint32_t ordinal;
    uint32_t order; /* of arrival: of two edits of one value the later counts */
    uint32_t bytes; /* or AIMG_EDIT_NULL */
    uint64_t offset;
};

struct aimg_column_edits {
    struct aimg_buffer edits; /* struct aimg_edit */
    struct aimg_buffer data;  /* values: full-width little-endian elements, code, or text */
    size_t sorted;            /* so many at the beginning are in order, one a value */
    uint32_t arrived;
    uint32_t *slots;     /* by hash: number, from 1, of the latest edit of a value; 0: none. Made when one is looked for */
    uint64_t slot_count; /* a power of two, or 0 */
    size_t indexed;      /* so many at the beginning are in the slots */
};

static inline struct aimg_edit *aimg_edits_all(const struct aimg_column_edits *edits, size_t *count_out)
{
    *count_out = edits->edits.bytes / sizeof(struct aimg_edit);
    return (struct aimg_edit *)(void *)edits->edits.data;
}

/* The bytes of an edit that has a value; there may be none in all. */
static inline const uint8_t *aimg_edits_data(const struct aimg_column_edits *edits, const struct aimg_edit *edit)
{
    return edit->bytes == 0 ? (const uint8_t *)"" : edits->data.data + edit->offset;
}

/* Whether they should be written before more are added. */
static inline bool aimg_edits_full(const struct aimg_column_edits *edits, uint64_t bytes_max)
{
    uint64_t slots = 2 * (uint64_t)edits->indexed * sizeof *edits->slots;
    uint64_t bytes = (uint64_t)edits->edits.bytes + edits->data.bytes + slots;
    return bytes > bytes_max || edits->arrived == UINT32_MAX;
}

/* element_bytes: of the type, data are such elements in the machine's order; 1 for texts. data NULL: null. False when there is no
 * memory, and then nothing was added. */
bool aimg_edits_add(const struct aimg_allocator *allocator, struct aimg_column_edits *edits, uint32_t column, uint32_t ordinal,
                    const void *data, size_t bytes, size_t element_bytes);
/* Forgets those of a column for the ordinals first to first + count - 1. Looks at all edits. */
void aimg_edits_drop(struct aimg_column_edits *edits, uint32_t column, uint32_t first, uint32_t count);
/* The latest of a value, good until something changes; NULL when there is none. Looks at few, however many there are and whatever
 * is added between two calls; sorts them only when there is no memory for the slots. */
const struct aimg_edit *aimg_edits_find(const struct aimg_allocator *allocator, struct aimg_column_edits *edits, uint32_t column,
                                        uint32_t ordinal);
/* In order of (column, ordinal), one edit a value: the latest. */
void aimg_edits_sort(struct aimg_column_edits *edits);
/* Forgets all, keeps the memory. */
void aimg_edits_clear(struct aimg_column_edits *edits);
void aimg_edits_release(const struct aimg_allocator *allocator, struct aimg_column_edits *edits);

#endif
