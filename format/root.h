/* SPDX-License-Identifier: Apache-2.0 */
/* ROOT, SPEC.md section 5, and the codings of section 7. */
#ifndef AIMG_FORMAT_ROOT_H
#define AIMG_FORMAT_ROOT_H

#include "bytes.h"
#include "constants.h"

struct aimg_root_head {
    uint32_t part_count, column_count, coding_count;
    uint64_t ordinal_count;
    uint64_t listed_count;
    uint64_t dead_count;
    uint64_t live_stored_bytes;
    uint64_t meta_offset;
    uint64_t meta_bytes;
    uint8_t meta_hash[AIMG_HASH_BYTES];
};

struct aimg_part {
    uint8_t type;
    uint16_t section_count;
    uint32_t column;
    uint32_t first;
    uint32_t count;
    uint64_t offset;
    uint64_t bytes;
    uint8_t tail_hash[AIMG_HASH_BYTES];
    uint32_t dead;
    uint32_t attached;
};

struct aimg_column_record {
    uint32_t id;
    uint8_t type;
    uint8_t flags;
    uint16_t name_bytes;
    uint32_t width;
    uint32_t dictionary_count;
};

struct aimg_coding_record {
    uint8_t coding;
    uint8_t codec;
    uint64_t offset;
    uint64_t bytes;
    uint8_t hash[AIMG_HASH_BYTES];
};

/* Payload of a table frame that begins at offset. */
static inline uint64_t aimg_part_payload(const struct aimg_part *part)
{
    return part->offset + AIMG_FRAME_BYTES;
}

void aimg_root_head_encode(const struct aimg_root_head *head, uint8_t out[AIMG_ROOT_HEAD_BYTES]);
/* Rule 37: magic, limits, Z; 69: META; 65: more images than ordinals. */
unsigned aimg_root_head_decode(const uint8_t in[AIMG_ROOT_HEAD_BYTES], struct aimg_root_head *head);

void aimg_part_encode(const struct aimg_part *part, uint8_t out[AIMG_PART_BYTES]);
/* Rule 37: a table's type, Z, sizes in range; the frame lies before file_end. */
unsigned aimg_part_decode(const uint8_t in[AIMG_PART_BYTES], uint64_t file_end, struct aimg_part *part);
/* Order of parts in ROOT: by type, column, first, offset. */
int aimg_part_compare(const struct aimg_part *a, const struct aimg_part *b);

/* Size of a column record with its name and padding. */
static inline size_t aimg_column_record_total(uint16_t name_bytes)
{
    return AIMG_COLUMN_RECORD_BYTES + (size_t)aimg_round_up(name_bytes, AIMG_UNIT);
}
void aimg_column_record_encode(const struct aimg_column_record *column, const char *name, uint8_t *out);
/* Names that a column cannot have, because every image has something called so. */
bool aimg_column_name_reserved(const uint8_t *name, size_t bytes);
/* Rules 37 (size) and 60. *name_out: points into in. bytes: what is left. */
unsigned aimg_column_record_decode(const uint8_t *in, size_t bytes, struct aimg_column_record *column, const uint8_t **name_out);

void aimg_coding_record_encode(const struct aimg_coding_record *coding, uint8_t out[AIMG_CODING_RECORD_BYTES]);
/* Rules 37 (Z) and 51 (ranges). */
unsigned aimg_coding_record_decode(const uint8_t in[AIMG_CODING_RECORD_BYTES], uint64_t file_end,
                                   struct aimg_coding_record *coding);

#endif
