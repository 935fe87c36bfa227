/* SPDX-License-Identifier: Apache-2.0 */
/* A section of groups (SPEC.md section 6.1) written value by value, or from groups that lie in the file already. */
#ifndef AIMG_SRC_GROUP_WRITER_H
#define AIMG_SRC_GROUP_WRITER_H

#include "reader.h"
#include "table_writer.h"

struct aimg_group_writer {
    struct aimg_table_writer *table;
    struct aimg_codec_pool *codecs;
    unsigned kind;
    uint32_t column;
    uint32_t count; /* values so far */
    bool zstd;
    struct aimg_buffer lengths, values; /* of the group that is being filled */
    struct aimg_buffer raw, stored;     /* of the one that is being written */
    struct aimg_buffer records;
    uint64_t raw_total;
    uint64_t begin; /* of the section */
};

void aimg_group_writer_begin(struct aimg_group_writer *writer, struct aimg_table_writer *table, struct aimg_codec_pool *codecs,
                             unsigned kind, uint32_t column);
enum aimg_status aimg_group_writer_add(struct aimg_group_writer *writer, const void *value, uint32_t bytes,
                                       struct aimg_error *error);
/* A group of a section in the file, as it is when it is large and coded as this section, else value by value. Its bytes are
 * verified. */
enum aimg_status aimg_group_writer_copy(struct aimg_group_writer *writer, const struct aimg_reader *reader,
                                        struct aimg_table *table, const struct aimg_section *section, uint64_t index,
                                        struct aimg_error *error);
/* Closes the section and releases the writer. *zstd_out is set to true when it is coded. */
enum aimg_status aimg_group_writer_end(struct aimg_group_writer *writer, bool *zstd_out, struct aimg_error *error);
/* Instead of end, after a failure. */
void aimg_group_writer_abandon(struct aimg_group_writer *writer);

/* A whole section from count lengths and the bytes that they measure. */
enum aimg_status aimg_group_writer_section(struct aimg_table_writer *table, struct aimg_codec_pool *codecs, unsigned kind,
                                           uint32_t column, const uint32_t *lengths, const uint8_t *values, uint32_t count,
                                           bool *zstd_out, struct aimg_error *error);

#endif
