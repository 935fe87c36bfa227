/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of variable-length values: found, checked, decoded. SPEC.md section 6.1. */
#include "reader.h"

static enum aimg_status group_fault(const struct aimg_table *table, const struct aimg_section *section, struct aimg_error *error)
{
    return aimg_fail_at(error, AIMG_CORRUPT, 39, table->payload + section->offset,
                        "the texts at %" PRIu64 " are malformed (rule 39); run verify, then repair",
                        table->payload + section->offset);
}

static uint64_t records_offset(const struct aimg_section *section)
{
    return section->offset + section->bytes - section->extra * AIMG_GROUP_RECORD_BYTES;
}

enum aimg_status aimg_group_verify_records(const struct aimg_reader *reader, struct aimg_table *table,
                                           const struct aimg_section *section, struct aimg_error *error)
{
    return aimg_table_verify(&reader->source, table, records_offset(section), section->extra * AIMG_GROUP_RECORD_BYTES, error);
}

/* A record, and the one before it, where its own begins. */
static enum aimg_status group_at(const struct aimg_reader *reader, struct aimg_table *table, const struct aimg_section *section,
                                 uint64_t index, bool verified, struct aimg_group *group, struct aimg_error *error)
{
    uint8_t scratch[2 * AIMG_GROUP_RECORD_BYTES];
    struct aimg_error local;
    uint64_t from = index == 0 ? 0 : index - 1;
    size_t bytes = (size_t)(index - from + 1) * AIMG_GROUP_RECORD_BYTES;
    uint64_t offset = records_offset(section) + from * AIMG_GROUP_RECORD_BYTES;
    const uint8_t *records = verified ? aimg_table_fetch(&reader->source, table, offset, bytes, scratch, &local)
                                      : aimg_source_fetch(&reader->source, table->payload + offset, bytes, scratch, &local);
    if (records == NULL)
        return aimg_fail_as(error, &local);
    const uint8_t *previous = index == 0 ? NULL : records;
    if (aimg_group_decode(records + bytes - AIMG_GROUP_RECORD_BYTES, previous, section, index, group) != 0)
        return group_fault(table, section, error);
    return AIMG_OK;
}

enum aimg_status aimg_group_at(const struct aimg_reader *reader, struct aimg_table *table, const struct aimg_section *section,
                               uint64_t index, struct aimg_group *group, struct aimg_error *error)
{
    return group_at(reader, table, section, index, false, group, error);
}

enum aimg_status aimg_group_check_records(const struct aimg_reader *reader, struct aimg_table *table,
                                          const struct aimg_section *section, struct aimg_error *error)
{
    struct aimg_group group;
    enum aimg_status status = AIMG_OK;
    for (uint64_t i = 0; status == AIMG_OK && i < section->extra; i++)
        status = group_at(reader, table, section, i, true, &group, error);
    return status;
}

enum aimg_status aimg_group_find(const struct aimg_reader *reader, struct aimg_table *table, const struct aimg_section *section,
                                 uint32_t row, uint64_t *index_out, struct aimg_error *error)
{
    uint64_t low = 0, length = section->extra;
    struct aimg_group group;
    enum aimg_status status = AIMG_OK;
    if (row >= section->count)
        return aimg_fail(error, AIMG_NOT_FOUND, "there is no row %" PRIu32, row);
    while (status == AIMG_OK && length > 1) {
        uint64_t half = length / 2;
        status = aimg_group_at(reader, table, section, low + half, &group, error);
        if (status == AIMG_OK && group.first <= row)
            low += half;
        length -= half;
    }
    if (status == AIMG_OK)
        status = aimg_group_at(reader, table, section, low, &group, error);
    *index_out = low;
    if (status == AIMG_OK && row >= group.first && row - group.first < group.count)
        return AIMG_OK; /* whatever led here: who reads the group verifies this record */
    if (status == AIMG_OK || status == AIMG_CORRUPT)
        status = aimg_group_verify_records(reader, table, section, error);
    return status == AIMG_OK ? group_fault(table, section, error) : status;
}

static enum aimg_status decode_group(const struct aimg_reader *reader, const struct aimg_table *table,
                                     const struct aimg_section *section, const struct aimg_group *group, const uint8_t *stored,
                                     struct aimg_buffer *raw, struct aimg_error *error)
{
    uint64_t offset = table->payload + section->offset + group->begin;
    size_t stored_bytes = (size_t)(group->end - group->begin);
    if (section->codec == AIMG_CODEC_NONE)
        memcpy(raw->data, stored, stored_bytes);
    enum aimg_status status =
        section->codec == AIMG_CODEC_NONE
            ? AIMG_OK
            : aimg_codec_decode(&reader->caches->codecs, NULL, stored, stored_bytes, raw->data, group->raw_bytes, offset, error);
    if (status != AIMG_OK)
        return status;
    raw->bytes = group->raw_bytes;
    return aimg_group_check_raw(raw->data, group) == 0 ? AIMG_OK : group_fault(table, section, error);
}

enum aimg_status aimg_group_stored(const struct aimg_reader *reader, struct aimg_table *table, const struct aimg_section *section,
                                   const struct aimg_group *group, struct aimg_buffer *scratch, const uint8_t **stored_out,
                                   struct aimg_error *error)
{
    struct aimg_error local;
    size_t bytes = (size_t)(group->end - group->begin);
    if (bytes > aimg_codec_bound(group->raw_bytes))
        return aimg_fail(error, AIMG_LIMIT, "a group of texts of %" PRIu32 " bytes takes %zu, more than zstd ever needs",
                         group->raw_bytes, bytes);
    if (group->raw_bytes > reader->source.limits.index_bytes)
        return aimg_fail(error, AIMG_LIMIT, "a group of texts has %" PRIu32 " bytes, the limit is %" PRIu64, group->raw_bytes,
                         reader->source.limits.index_bytes);
    if (reader->source.io->base == NULL && !aimg_buffer_reserve(&reader->source.allocator, scratch, bytes))
        return aimg_fail_memory(error, bytes);
    *stored_out = aimg_table_fetch(&reader->source, table, section->offset + group->begin, bytes, scratch->data, &local);
    return *stored_out != NULL ? AIMG_OK : aimg_fail_as(error, &local);
}

enum aimg_status aimg_group_read(const struct aimg_reader *reader, struct aimg_table *table, const struct aimg_section *section,
                                 uint64_t index, struct aimg_group *group, struct aimg_buffer *raw, struct aimg_error *error)
{
    const struct aimg_allocator *allocator = &reader->source.allocator;
    struct aimg_buffer scratch = {NULL, 0, 0};
    const uint8_t *stored = NULL;
    enum aimg_status status = group_at(reader, table, section, index, true, group, error);
    if (status == AIMG_OK)
        status = aimg_group_stored(reader, table, section, group, &scratch, &stored, error);
    raw->bytes = 0;
    if (status == AIMG_OK && !aimg_buffer_reserve(allocator, raw, group->raw_bytes))
        status = aimg_fail_memory(error, group->raw_bytes);
    if (status == AIMG_OK)
        status = decode_group(reader, table, section, group, stored, raw, error);
    aimg_buffer_release(allocator, &scratch);
    return status;
}

enum aimg_status aimg_group_read_row(const struct aimg_reader *reader, struct aimg_table *table,
                                     const struct aimg_section *section, uint32_t row, struct aimg_group *group,
                                     struct aimg_buffer *raw, struct aimg_error *error)
{
    uint64_t index = 0;
    enum aimg_status status = aimg_group_find(reader, table, section, row, &index, error);
    if (status == AIMG_OK)
        status = aimg_group_read(reader, table, section, index, group, raw, error);
    /* The records were read twice; someone may have overwritten them in between. */
    if (status == AIMG_OK && (row < group->first || row - group->first >= group->count))
        return group_fault(table, section, error);
    return status;
}

void aimg_group_value(const uint8_t *raw, const struct aimg_group *group, uint32_t row, const uint8_t **value_out,
                      uint32_t *bytes_out)
{
    uint32_t index = row - group->first;
    uint64_t before = 0;
    for (uint32_t i = 0; i < index; i++)
        before += aimg_load32(raw + (size_t)i * 4);
    *bytes_out = aimg_load32(raw + (size_t)index * 4);
    *value_out = raw + (size_t)group->count * 4 + before;
}

void aimg_group_sum(uint8_t *raw, const struct aimg_group *group)
{
    uint32_t end = 0;
    for (uint32_t i = 0; i < group->count; i++) {
        end += aimg_load32(raw + (size_t)i * 4); /* a group has less than 2^32 bytes */
        aimg_store32(raw + (size_t)i * 4, end);
    }
}

void aimg_group_summed_value(const uint8_t *raw, const struct aimg_group *group, uint32_t row, const uint8_t **value_out,
                             uint32_t *bytes_out)
{
    uint32_t index = row - group->first;
    uint32_t begin = index == 0 ? 0 : aimg_load32(raw + (size_t)(index - 1) * 4);
    *bytes_out = aimg_load32(raw + (size_t)index * 4) - begin;
    *value_out = raw + (size_t)group->count * 4 + begin;
}

enum aimg_status aimg_group_copy(const struct aimg_reader *reader, struct aimg_table *table, const struct aimg_section *section,
                                 uint32_t row, void *buffer, size_t buffer_bytes, size_t *bytes_out, struct aimg_error *error)
{
    struct aimg_buffer raw = {NULL, 0, 0};
    struct aimg_group group;
    enum aimg_status status = aimg_group_read_row(reader, table, section, row, &group, &raw, error);
    if (status == AIMG_OK) {
        const uint8_t *value;
        uint32_t bytes;
        aimg_group_value(raw.data, &group, row, &value, &bytes);
        *bytes_out = bytes;
        if (bytes > buffer_bytes)
            status =
                aimg_fail(error, AIMG_BUFFER_TOO_SMALL, "the value has %" PRIu32 " bytes, the buffer %zu", bytes, buffer_bytes);
        else if (bytes > 0)
            memcpy(buffer, value, bytes);
    }
    aimg_buffer_release(&reader->source.allocator, &raw);
    return status;
}
