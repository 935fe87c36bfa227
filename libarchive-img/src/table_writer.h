/* SPDX-License-Identifier: Apache-2.0 */
/* A table written as it is made: sections streamed, hashes kept, footer last, frame header patched at the end. */
#ifndef AIMG_SRC_TABLE_WRITER_H
#define AIMG_SRC_TABLE_WRITER_H

#include "out.h"
#include "root.h"
#include "table.h"

struct aimg_table_writer {
    struct aimg_out *out;
    uint64_t frame_offset;
    struct aimg_table_footer footer;
    struct aimg_buffer sections; /* struct aimg_section */
    struct aimg_buffer list;     /* block hashes */
    uint64_t bytes;              /* of sections so far */
    uint64_t section_begin;
    size_t block_used;
    uint8_t block[AIMG_BLOCK_BYTES];
    struct aimg_hasher payload_hash;
};

enum aimg_status aimg_table_writer_begin(struct aimg_table_writer *writer, struct aimg_out *out, unsigned type, uint32_t column,
                                         uint32_t first, uint32_t count, struct aimg_error *error);
/* Bytes of the section that is open. */
enum aimg_status aimg_table_writer_add(struct aimg_table_writer *writer, const void *data, size_t bytes,
                                       struct aimg_error *error);
/* Closes the section that was written since the last; offset and bytes are filled here, raw_bytes too when it is 0. */
enum aimg_status aimg_table_writer_section(struct aimg_table_writer *writer, struct aimg_section section,
                                           struct aimg_error *error);
/* Closes the table and says how ROOT names it. Releases the writer's memory, also on failure. */
enum aimg_status aimg_table_writer_end(struct aimg_table_writer *writer, struct aimg_part *part_out, struct aimg_error *error);
/* Instead of end, after a failure. */
void aimg_table_writer_abandon(struct aimg_table_writer *writer);

#endif
