/* SPDX-License-Identifier: Apache-2.0 */
#include "table_writer.h"

#include "error.h"

enum aimg_status aimg_table_writer_begin(struct aimg_table_writer *writer, struct aimg_out *out, unsigned type, uint32_t column,
                                         uint32_t first, uint32_t count, struct aimg_error *error)
{
    static const uint8_t blank[AIMG_FRAME_BYTES];
    *writer = (struct aimg_table_writer){.out = out};
    writer->footer = (struct aimg_table_footer){.type = (uint8_t)type, .column = column, .first = first, .count = count};
    aimg_hasher_begin(&writer->payload_hash);
    enum aimg_status status = aimg_out_align(out, AIMG_FRAME_BYTES, AIMG_TABLE_ALIGN, error);
    writer->frame_offset = aimg_out_offset(out);
    return status == AIMG_OK ? aimg_out_write(out, blank, sizeof blank, error) : status;
}

/* Payload bytes outside the blocks: hash list, descriptors, footer. */
static enum aimg_status write_payload(struct aimg_table_writer *writer, const void *data, size_t bytes, struct aimg_error *error)
{
    aimg_hasher_add(&writer->payload_hash, data, bytes);
    return aimg_out_write(writer->out, data, bytes, error);
}

static enum aimg_status close_block(struct aimg_table_writer *writer, struct aimg_error *error)
{
    uint8_t hash[AIMG_HASH_BYTES];
    aimg_hash_store(hash, aimg_hash(writer->block, writer->block_used));
    if (!aimg_buffer_add(&writer->out->allocator, &writer->list, hash, sizeof hash))
        return aimg_fail_memory(error, writer->list.bytes);
    enum aimg_status status = write_payload(writer, writer->block, writer->block_used, error);
    writer->block_used = 0;
    return status;
}

enum aimg_status aimg_table_writer_add(struct aimg_table_writer *writer, const void *data, size_t bytes, struct aimg_error *error)
{
    const uint8_t *from = data;
    writer->bytes += bytes;
    while (bytes > 0) {
        size_t piece = AIMG_BLOCK_BYTES - writer->block_used;
        piece = bytes < piece ? bytes : piece;
        memcpy(writer->block + writer->block_used, from, piece);
        writer->block_used += piece;
        from += piece;
        bytes -= piece;
        if (writer->block_used == AIMG_BLOCK_BYTES) {
            enum aimg_status status = close_block(writer, error);
            if (status != AIMG_OK)
                return status;
        }
    }
    return AIMG_OK;
}

enum aimg_status aimg_table_writer_section(struct aimg_table_writer *writer, struct aimg_section section,
                                           struct aimg_error *error)
{
    static const uint8_t zeros[AIMG_TABLE_ALIGN];
    section.offset = writer->section_begin;
    section.bytes = writer->bytes - writer->section_begin;
    if (section.raw_bytes == 0)
        section.raw_bytes = section.bytes;
    if (!aimg_buffer_add(&writer->out->allocator, &writer->sections, &section, sizeof section))
        return aimg_fail_memory(error, writer->sections.bytes);
    writer->footer.section_count++;
    enum aimg_status status =
        aimg_table_writer_add(writer, zeros, (size_t)(aimg_round_up(writer->bytes, AIMG_TABLE_ALIGN) - writer->bytes), error);
    writer->section_begin = writer->bytes;
    return status;
}

static enum aimg_status write_tail(struct aimg_table_writer *writer, uint8_t tail_hash[AIMG_HASH_BYTES], struct aimg_error *error)
{
    struct aimg_hasher hasher;
    uint8_t descriptor[AIMG_SECTION_BYTES], footer[AIMG_TABLE_FOOTER_BYTES];
    const struct aimg_section *sections = (const struct aimg_section *)(const void *)writer->sections.data;
    enum aimg_status status = AIMG_OK;
    aimg_hasher_begin(&hasher);
    for (uint32_t i = 0; status == AIMG_OK && i < writer->footer.section_count; i++) {
        aimg_section_encode(&sections[i], descriptor);
        aimg_hasher_add(&hasher, descriptor, sizeof descriptor);
        status = write_payload(writer, descriptor, sizeof descriptor, error);
    }
    aimg_table_footer_encode(&writer->footer, footer);
    aimg_hasher_add(&hasher, footer, sizeof footer);
    aimg_hash_store(tail_hash, aimg_hasher_end(&hasher));
    return status == AIMG_OK ? write_payload(writer, footer, sizeof footer, error) : status;
}

/* The header was left blank: now its length and hash are known. The payload is a multiple of 8. */
static enum aimg_status patch_header(struct aimg_table_writer *writer, uint64_t bytes, struct aimg_error *error)
{
    uint8_t header[AIMG_FRAME_BYTES];
    struct aimg_frame frame = {.type = writer->footer.type,
                               .header_units = AIMG_FRAME_BYTES / AIMG_UNIT,
                               .salt = writer->out->salt,
                               .stored_bytes = bytes,
                               .raw_bytes = bytes,
                               .stored_hash = aimg_hasher_end(&writer->payload_hash).low};
    aimg_frame_encode(&frame, header);
    aimg_store64(header + AIMG_FRAME_CHECK_OFFSET, aimg_hash_low(header, sizeof header, writer->out->seed));
    return aimg_out_patch(writer->out, writer->frame_offset, header, sizeof header, error);
}

void aimg_table_writer_abandon(struct aimg_table_writer *writer)
{
    aimg_buffer_release(&writer->out->allocator, &writer->sections);
    aimg_buffer_release(&writer->out->allocator, &writer->list);
}

enum aimg_status aimg_table_writer_end(struct aimg_table_writer *writer, struct aimg_part *part_out, struct aimg_error *error)
{
    enum aimg_status status = writer->block_used > 0 ? close_block(writer, error) : AIMG_OK;
    writer->footer.data_bytes = writer->bytes;
    *part_out = (struct aimg_part){.type = writer->footer.type,
                                   .section_count = writer->footer.section_count,
                                   .column = writer->footer.column,
                                   .first = writer->footer.first,
                                   .count = writer->footer.count,
                                   .offset = writer->frame_offset};
    aimg_hash_store(writer->footer.list_hash, aimg_hash(writer->list.data, writer->list.bytes));
    if (status == AIMG_OK)
        status = write_payload(writer, writer->list.data, writer->list.bytes, error);
    if (status == AIMG_OK)
        status = write_tail(writer, part_out->tail_hash, error);
    part_out->bytes = aimg_out_offset(writer->out) - aimg_part_payload(part_out);
    if (status == AIMG_OK)
        status = patch_header(writer, part_out->bytes, error);
    aimg_table_writer_abandon(writer);
    return status;
}
