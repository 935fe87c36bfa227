/* SPDX-License-Identifier: Apache-2.0 */
/* Column types, SPEC.md section 8, and groups of variable-length values, section 6.1. */
#ifndef AIMG_FORMAT_COLUMN_H
#define AIMG_FORMAT_COLUMN_H

#include "root.h"
#include "table.h"

enum aimg_column_type {
    AIMG_COLUMN_BOOL = 1,
    AIMG_COLUMN_U8 = 2,
    AIMG_COLUMN_U16 = 3,
    AIMG_COLUMN_U32 = 4,
    AIMG_COLUMN_U64 = 5,
    AIMG_COLUMN_F64 = 12,
    AIMG_COLUMN_UTF8 = 13,
    AIMG_COLUMN_BYTES_TYPE = 14,
    AIMG_COLUMN_DICTIONARY = 15,
    AIMG_COLUMN_IMAGE = 16
};

/* Bytes of one element at full width; 0 for utf8, bytes and unknown types. */
uint32_t aimg_column_element_bytes(unsigned type);
/* Rule 60: known type, flags and width that fit it. */
bool aimg_column_shape_valid(const struct aimg_column_record *column);
/* Whether values of the column stand in GROUPS, not in VALUES. */
bool aimg_column_in_groups(const struct aimg_column_record *column);
/* Whether a VALUES section of that many bytes a row fits the column (full width, or narrower unsigned). */
bool aimg_column_width_fits(const struct aimg_column_record *column, uint32_t element_bytes);
/* Whether unsigned values of the column may be stored narrower than their type: single ones may, lists and vectors never. */
bool aimg_column_may_narrow(const struct aimg_column_record *column);

/* Elements in the machine's byte order, as little-endian. */
void aimg_column_store(uint8_t *out, const void *elements, size_t bytes, size_t element);

/* Record of a group. */
struct aimg_group {
    uint64_t begin, end;   /* stored bytes, from the start of the section */
    uint32_t first, count; /* values */
    uint32_t raw_bytes;
};

void aimg_group_record_encode(uint64_t end, uint32_t value_end, uint32_t raw_bytes, uint8_t out[AIMG_GROUP_RECORD_BYTES]);
/* Group `index` from its record and the one before it (NULL for the first). Rule 39. */
unsigned aimg_group_decode(const uint8_t *record, const uint8_t *previous, const struct aimg_section *section, uint64_t index,
                           struct aimg_group *group);
/* Rule 39 on the raw form: lengths add up. */
unsigned aimg_group_check_raw(const uint8_t *raw, const struct aimg_group *group);

#endif
