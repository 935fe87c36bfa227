/* SPDX-License-Identifier: Apache-2.0 */
/* Tables, SPEC.md section 6: the descriptors of their sections and their footer. */
#ifndef AIMG_FORMAT_TABLE_H
#define AIMG_FORMAT_TABLE_H

#include "bytes.h"
#include "constants.h"

struct aimg_section {
    uint8_t kind;
    uint8_t codec;
    uint16_t element_bytes;
    uint32_t column;
    uint64_t offset; /* in the payload */
    uint64_t bytes;
    uint64_t count;
    uint64_t raw_bytes;
    uint64_t extra;
};

struct aimg_table_footer {
    uint8_t type;
    uint16_t section_count;
    uint32_t column;
    uint32_t first;
    uint32_t count;
    uint64_t data_bytes;
    uint8_t list_hash[AIMG_HASH_BYTES];
};

/* Descriptors and footer: what part.tail_hash covers. */
static inline uint64_t aimg_table_tail_bytes(uint32_t section_count)
{
    return AIMG_TABLE_FOOTER_BYTES + (uint64_t)section_count * AIMG_SECTION_BYTES;
}

static inline uint64_t aimg_table_list_bytes(uint64_t data_bytes)
{
    return aimg_blocks(data_bytes, AIMG_BLOCK_BYTES) * AIMG_HASH_BYTES;
}

static inline uint64_t aimg_bitmap_bytes(uint64_t rows)
{
    return aimg_round_up(aimg_blocks(rows, 8), 8);
}

static inline bool aimg_bitmap_get(const uint8_t *bitmap, uint64_t row)
{
    return bitmap[row / 8] >> (row % 8) & 1;
}

void aimg_section_encode(const struct aimg_section *section, uint8_t out[AIMG_SECTION_BYTES]);
void aimg_section_decode(const uint8_t in[AIMG_SECTION_BYTES], struct aimg_section *section);

void aimg_table_footer_encode(const struct aimg_table_footer *footer, uint8_t out[AIMG_TABLE_FOOTER_BYTES]);
/* Rule 38 as far as the footer alone can tell. */
unsigned aimg_table_footer_decode(const uint8_t in[AIMG_TABLE_FOOTER_BYTES], struct aimg_table_footer *footer);

/* Whether sections stand in ascending order of (column, kind), as this library writes them: then none is there twice, and one is
 * found by halving. Others may write them in any order. */
bool aimg_sections_ordered(const struct aimg_section *sections, uint32_t count);

/* Rules 38 and 39 for the sections of a table of payload_bytes: sizes agree, sections allowed in a table of that type, aligned,
 * ascending, in range, the single ones single, sizes as counts say. What groups hold is not looked at. */
unsigned aimg_table_check(const struct aimg_table_footer *footer, const struct aimg_section *sections, uint64_t payload_bytes);

#endif
