/* SPDX-License-Identifier: Apache-2.0 */
#include "group_writer.h"

/* Texts compress well at this level already; higher ones cost more time than they save bytes. */
#define TEXT_LEVEL 3
/* Groups of the file from this raw size on are copied as they are: coding them again would cost more than their neighbours gain
 * by sharing a group with them. */
#define LARGE_BYTES (AIMG_GROUP_TARGET_BYTES / 2)

void aimg_group_writer_begin(struct aimg_group_writer *writer, struct aimg_table_writer *table, struct aimg_codec_pool *codecs,
                             unsigned kind, uint32_t column)
{
    *writer = (struct aimg_group_writer){
        .table = table, .codecs = codecs, .kind = kind, .column = column, .zstd = true, .begin = table->bytes};
}

void aimg_group_writer_abandon(struct aimg_group_writer *writer)
{
    const struct aimg_allocator *allocator = &writer->table->out->allocator;
    aimg_buffer_release(allocator, &writer->lengths);
    aimg_buffer_release(allocator, &writer->values);
    aimg_buffer_release(allocator, &writer->raw);
    aimg_buffer_release(allocator, &writer->stored);
    aimg_buffer_release(allocator, &writer->records);
}

/* The stored bytes of a group whose values end at writer->count, and its record. */
static enum aimg_status put_group(struct aimg_group_writer *writer, const void *stored, size_t stored_bytes, size_t raw_bytes,
                                  struct aimg_error *error)
{
    uint8_t record[AIMG_GROUP_RECORD_BYTES];
    enum aimg_status status = aimg_table_writer_add(writer->table, stored, stored_bytes, error);
    writer->raw_total += raw_bytes;
    aimg_group_record_encode(writer->table->bytes - writer->begin, writer->count, (uint32_t)raw_bytes, record);
    if (status == AIMG_OK && !aimg_buffer_add(&writer->table->out->allocator, &writer->records, record, sizeof record))
        return aimg_fail_memory(error, writer->records.bytes);
    return status;
}

/* Lengths, then values. */
static bool make_raw(struct aimg_group_writer *writer)
{
    const struct aimg_allocator *allocator = &writer->table->out->allocator;
    uint64_t bytes = (uint64_t)writer->lengths.bytes + writer->values.bytes;
    writer->raw.bytes = writer->stored.bytes = 0;
    if (!aimg_buffer_reserve(allocator, &writer->raw, bytes) ||
        (writer->zstd && !aimg_buffer_reserve(allocator, &writer->stored, aimg_codec_bound((size_t)bytes))))
        return false;
    (void)aimg_buffer_add(allocator, &writer->raw, writer->lengths.data, writer->lengths.bytes);
    (void)aimg_buffer_add(allocator, &writer->raw, writer->values.data, writer->values.bytes);
    writer->lengths.bytes = writer->values.bytes = 0;
    return true;
}

static enum aimg_status flush(struct aimg_group_writer *writer, struct aimg_error *error)
{
    bool first = writer->records.bytes == 0;
    if (writer->lengths.bytes == 0)
        return AIMG_OK;
    if (!make_raw(writer))
        return aimg_fail_memory(error, writer->lengths.bytes + writer->values.bytes);
    const struct aimg_buffer *raw = &writer->raw;
    if (writer->zstd) {
        size_t packed = aimg_codec_encode(writer->codecs, TEXT_LEVEL, NULL, raw->data, raw->bytes, writer->stored.data,
                                          writer->stored.capacity);
        if (packed > 0 && (!first || packed < raw->bytes))
            return put_group(writer, writer->stored.data, packed, raw->bytes, error);
        if (!first)
            return aimg_fail_memory(error, raw->bytes);
        writer->zstd = false;
    }
    return put_group(writer, raw->data, raw->bytes, raw->bytes, error);
}

enum aimg_status aimg_group_writer_add(struct aimg_group_writer *writer, const void *value, uint32_t bytes,
                                       struct aimg_error *error)
{
    const struct aimg_allocator *allocator = &writer->table->out->allocator;
    uint8_t length[4];
    aimg_store32(length, bytes);
    if (!aimg_buffer_reserve(allocator, &writer->lengths, sizeof length) ||
        !aimg_buffer_add(allocator, &writer->values, value, bytes))
        return aimg_fail_memory(error, bytes);
    (void)aimg_buffer_add(allocator, &writer->lengths, length, sizeof length);
    writer->count++;
    return writer->lengths.bytes + writer->values.bytes >= AIMG_GROUP_TARGET_BYTES ? flush(writer, error) : AIMG_OK;
}

/* Value by value. */
static enum aimg_status copy_values(struct aimg_group_writer *writer, const struct aimg_reader *reader, struct aimg_table *table,
                                    const struct aimg_section *section, uint64_t index, struct aimg_error *error)
{
    struct aimg_buffer raw = {NULL, 0, 0};
    struct aimg_group group;
    enum aimg_status status = aimg_group_read(reader, table, section, index, &group, &raw, error);
    const uint8_t *value = status == AIMG_OK ? raw.data + (size_t)group.count * 4 : NULL;
    for (uint32_t i = 0; status == AIMG_OK && i < group.count; i++) {
        uint32_t bytes = aimg_load32(raw.data + (size_t)i * 4);
        status = aimg_group_writer_add(writer, value, bytes, error);
        value += bytes;
    }
    aimg_buffer_release(&reader->source.allocator, &raw);
    return status;
}

/* As they are stored; nothing waits to be written before them. */
static enum aimg_status copy_stored(struct aimg_group_writer *writer, const struct aimg_reader *reader, struct aimg_table *table,
                                    const struct aimg_section *section, const struct aimg_group *group, struct aimg_error *error)
{
    struct aimg_buffer scratch = {NULL, 0, 0};
    const uint8_t *stored = NULL;
    enum aimg_status status = aimg_group_stored(reader, table, section, group, &scratch, &stored, error);
    if (status == AIMG_OK) {
        writer->count += group->count;
        status = put_group(writer, stored, (size_t)(group->end - group->begin), group->raw_bytes, error);
    }
    aimg_buffer_release(&reader->source.allocator, &scratch);
    return status;
}

enum aimg_status aimg_group_writer_copy(struct aimg_group_writer *writer, const struct aimg_reader *reader,
                                        struct aimg_table *table, const struct aimg_section *section, uint64_t index,
                                        struct aimg_error *error)
{
    struct aimg_group group;
    enum aimg_status status = aimg_group_at(reader, table, section, index, &group, error);
    if (status != AIMG_OK)
        return status;
    bool worth_it = section->codec == AIMG_CODEC_ZSTD && group.raw_bytes >= LARGE_BYTES;
    if (worth_it)
        status = flush(writer, error); /* the first group of a section decides how all of it is stored */
    if (status != AIMG_OK)
        return status;
    return worth_it && writer->zstd ? copy_stored(writer, reader, table, section, &group, error)
                                    : copy_values(writer, reader, table, section, index, error);
}

enum aimg_status aimg_group_writer_end(struct aimg_group_writer *writer, bool *zstd_out, struct aimg_error *error)
{
    enum aimg_status status = flush(writer, error);
    if (status == AIMG_OK)
        status = aimg_table_writer_add(writer->table, writer->records.data, writer->records.bytes, error);
    struct aimg_section section = {.kind = (uint8_t)writer->kind,
                                   .codec = writer->zstd ? AIMG_CODEC_ZSTD : AIMG_CODEC_NONE,
                                   .column = writer->column,
                                   .count = writer->count,
                                   .raw_bytes = writer->raw_total,
                                   .extra = writer->records.bytes / AIMG_GROUP_RECORD_BYTES};
    *zstd_out |= writer->zstd;
    if (status == AIMG_OK)
        status = aimg_table_writer_section(writer->table, section, error);
    aimg_group_writer_abandon(writer);
    return status;
}

enum aimg_status aimg_group_writer_section(struct aimg_table_writer *table, struct aimg_codec_pool *codecs, unsigned kind,
                                           uint32_t column, const uint32_t *lengths, const uint8_t *values, uint32_t count,
                                           bool *zstd_out, struct aimg_error *error)
{
    struct aimg_group_writer writer;
    enum aimg_status status = AIMG_OK;
    aimg_group_writer_begin(&writer, table, codecs, kind, column);
    for (uint32_t i = 0; status == AIMG_OK && i < count; i++) {
        status = aimg_group_writer_add(&writer, values, lengths[i], error);
        if (lengths[i] > 0)
            values += lengths[i];
    }
    if (status == AIMG_OK)
        return aimg_group_writer_end(&writer, zstd_out, error);
    aimg_group_writer_abandon(&writer);
    return status;
}
