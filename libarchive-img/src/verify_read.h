/* SPDX-License-Identifier: Apache-2.0 */
/* How the check reads what is too large for memory: sections, groups of values, coded images. */
#ifndef AIMG_SRC_VERIFY_READ_H
#define AIMG_SRC_VERIFY_READ_H

#include "verify.h"

/* ------------------------------------------------------------------ verify_tables.c */

/* Bytes of the file in order, through a buffer. */
struct aimg_verify_stream {
    struct aimg_verify *verify;
    uint8_t *buffer;
    size_t capacity, used, filled;
    uint64_t offset; /* in the file, of what follows in buffer */
    uint64_t left;   /* bytes to come, with those in buffer */
};

bool aimg_verify_stream_begin(struct aimg_verify *verify, struct aimg_verify_stream *stream, uint64_t offset, uint64_t bytes);
/* The next bytes, at most 65,536 and no more than are left; NULL when they cannot be read, which is reported as damage of the
 * index. */
const uint8_t *aimg_verify_stream_next(struct aimg_verify_stream *stream, size_t bytes);
void aimg_verify_stream_end(struct aimg_verify_stream *stream);
/* A section of a table. */
bool aimg_verify_section_begin(struct aimg_verify *verify, struct aimg_verify_stream *stream, const struct aimg_table *table,
                               const struct aimg_section *section);

/* ------------------------------------------------------------------ verify_groups.c */

/* The values of a section with groups, in order: rules 39 and 49. */
struct aimg_verify_groups {
    struct aimg_verify *verify;
    const struct aimg_table *table;
    const struct aimg_section *section;
    bool silent; /* only looked into: faults are not reported */
    bool failed;
    uint64_t index;     /* of the next group */
    uint64_t raw_bytes; /* of the groups so far */
    struct aimg_group group;
    uint32_t next; /* value of the group */
    const uint8_t *value;
    struct aimg_buffer raw, stored;
};

void aimg_verify_groups_begin(struct aimg_verify *verify, struct aimg_verify_groups *groups, const struct aimg_table *table,
                              const struct aimg_section *section);
/* The next value; false at the end or after a fault (groups->failed). */
bool aimg_verify_groups_next(struct aimg_verify_groups *groups, const uint8_t **value_out, uint32_t *bytes_out);
void aimg_verify_groups_end(struct aimg_verify_groups *groups);
/* The value of a row, by its group alone, unless that is larger than any that a writer makes: on a struct that is used for
 * nothing else. A fault elsewhere is not met. The value is there until the next call. */
bool aimg_verify_groups_seek(struct aimg_verify_groups *groups, uint32_t row, const uint8_t **value_out, uint32_t *bytes_out);

/* ------------------------------------------------------------------ verify_decode.c */

/* A coded image decoded piece by piece, in bounded memory, and hashed. */
struct aimg_verify_decoder;

struct aimg_verify_decoded {
    const char *fault; /* rule 49, or NULL */
    bool too_large;    /* given up at the limit */
    struct aimg_hash hash;
    uint8_t first[512]; /* of the decoded bytes */
    size_t first_bytes;
};

struct aimg_verify_decoder *aimg_verify_decoder_create(const struct aimg_allocator *allocator);
void aimg_verify_decoder_destroy(const struct aimg_allocator *allocator, struct aimg_verify_decoder *decoder);
/* False when there is no memory. */
bool aimg_verify_decoder_begin(const struct aimg_allocator *allocator, struct aimg_verify_decoder *decoder, void *dictionary,
                               uint64_t raw_bytes, uint64_t limit);
void aimg_verify_decoder_add(struct aimg_verify_decoder *decoder, const uint8_t *stored, size_t bytes);
void aimg_verify_decoder_end(struct aimg_verify_decoder *decoder, struct aimg_verify_decoded *decoded_out);

#endif
