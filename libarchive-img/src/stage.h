/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the run that is being filled: entries, names and column values, in memory until the run is written. */
#ifndef AIMG_SRC_STAGE_H
#define AIMG_SRC_STAGE_H

#include "column.h"
#include "entry.h"
#include "memory.h"

/* One column of the run. Rows are filled in order; those that were skipped are null. */
struct aimg_stage_column {
    struct aimg_column_record record;
    uint32_t rows; /* filled so far */
    bool has_null;
    bool has_value;
    uint64_t largest;            /* value, of columns that may be stored narrower */
    struct aimg_buffer values;   /* fixed width: little-endian at full width; groups: the bytes */
    struct aimg_buffer ends;     /* groups: u32 each, where in values the row ends; nothing is near 4 GiB in memory */
    struct aimg_buffer validity; /* bitmap */
};

struct aimg_stage {
    struct aimg_allocator allocator;
    uint32_t first; /* ordinal of row 0 */
    uint32_t rows;
    struct aimg_buffer entries;      /* encoded */
    struct aimg_buffer name_lengths; /* u32 each */
    struct aimg_buffer names;
    struct aimg_stage_column *columns; /* one for each of the archive's columns, in its order */
    uint32_t column_count, column_room;
};

/* Room for one more column; it is null so far. */
bool aimg_stage_column_add(struct aimg_stage *stage, const struct aimg_column_record *record);
/* A row; false when there is no memory, and then nothing was added. */
bool aimg_stage_row_add(struct aimg_stage *stage, const struct aimg_entry_record *entry, const char *name, size_t name_bytes);
/* Whether a value can still be set for that row: one of fixed width always, others only behind those that are there. */
bool aimg_stage_value_fits(const struct aimg_stage *stage, uint32_t column_index, uint32_t row);
/* The value of a column for a row that it fits. Fixed width: full-width elements in host order; dictionary: the code; NULL: null.
 * False when there is no memory; then the row is null at most. */
bool aimg_stage_value_set(struct aimg_stage *stage, uint32_t column_index, uint32_t row, const void *data, size_t bytes);
/* A value for the newest row as it is stored: fixed width as little-endian elements. */
bool aimg_stage_value_put(struct aimg_stage *stage, uint32_t column_index, const uint8_t *stored, size_t bytes);
/* The value of a row as it is stored, valid until the stage changes; false when it is null. */
bool aimg_stage_value_get(const struct aimg_stage *stage, uint32_t column_index, uint32_t row, const uint8_t **stored_out,
                          size_t *bytes_out);
/* Bytes that the rows take once every column with a value is filled up to them, and what a value of that many bytes for one more
 * row would add: the first one of a column brings the rows before it, too. */
uint64_t aimg_stage_bytes(const struct aimg_stage *stage);
uint64_t aimg_stage_value_bytes(const struct aimg_stage *stage, uint32_t column_index, size_t bytes);
/* Forgets the rows; the next one has the ordinal after the last. */
void aimg_stage_empty(struct aimg_stage *stage);
void aimg_stage_release(struct aimg_stage *stage);

#endif
