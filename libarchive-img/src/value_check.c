/* SPDX-License-Identifier: Apache-2.0 */
#include "value_check.h"

#include "name.h"

enum aimg_status aimg_value_column(const struct aimg_writer *writer, uint32_t id, uint32_t *index_out, struct aimg_error *error)
{
    for (uint32_t i = 0; i < writer->column_count; i++) {
        if (writer->columns[i].record.id == id) {
            *index_out = i;
            return AIMG_OK;
        }
    }
    return aimg_fail(error, AIMG_INVALID_ARGUMENT, "there is no column with id %" PRIu32, id);
}

/* Whether the text has a place in the dictionary, which is loaded for that. */
static enum aimg_status check_text(struct aimg_writer *writer, struct aimg_writer_column *column, const struct aimg_value *value,
                                   struct aimg_error *error)
{
    uint64_t limit = writer->limits.index_bytes;
    enum aimg_status status = aimg_dictionary_load(&column->dictionary, writer->base, column->record.id, error);
    if (status != AIMG_OK || aimg_dictionary_has_room(&column->dictionary, value->data, value->bytes, limit))
        return status;
    return aimg_fail(error, AIMG_LIMIT,
                     "column '%s': its different texts take more than the limit of %" PRIu64
                     " bytes; raise limits.index_bytes, or use a utf8 column",
                     column->name, limit);
}

enum aimg_status aimg_value_check(struct aimg_writer *writer, const struct aimg_value *value, struct aimg_error *error)
{
    uint32_t index = 0;
    enum aimg_status status = aimg_value_column(writer, value->column, &index, error);
    if (status != AIMG_OK)
        return status;
    if ((value->flags & ~(uint32_t)AIMG_VALUE_NULL) != 0)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "a value has flags 0x%" PRIx32 " that this library does not know",
                         value->flags);
    if ((value->flags & AIMG_VALUE_NULL) != 0)
        return AIMG_OK;
    struct aimg_writer_column *column = &writer->columns[index];
    const struct aimg_column_record *record = &column->record;
    size_t element = (size_t)aimg_column_element_bytes(record->type) * record->width;
    bool text = record->type == AIMG_COLUMN_UTF8 || record->type == AIMG_COLUMN_DICTIONARY;
    bool list = (record->flags & AIMG_COLUMN_LIST) != 0;
    bool fixed = !aimg_column_in_groups(record) && record->type != AIMG_COLUMN_DICTIONARY;
    if ((value->data == NULL && value->bytes > 0) || value->bytes > AIMG_VALUE_MAX_BYTES || (fixed && value->bytes != element) ||
        (list && value->bytes % element != 0))
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "column '%s': a value of %zu bytes does not fit its type", column->name,
                         value->bytes);
    if (text && !aimg_utf8_valid(value->data, value->bytes))
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "column '%s': the text is not valid UTF-8", column->name);
    if (record->type == AIMG_COLUMN_BOOL)
        for (size_t i = 0; i < value->bytes; i++)
            if (((const uint8_t *)value->data)[i] > 1)
                return aimg_fail(error, AIMG_INVALID_ARGUMENT, "column '%s': a bool is 0 or 1", column->name);
    if (record->type == AIMG_COLUMN_IMAGE) {
        uint32_t target;
        memcpy(&target, value->data, sizeof target);
        if (target >= writer->head.ordinal_count)
            return aimg_fail(error, AIMG_INVALID_ARGUMENT, "column '%s': there is no image %" PRIu32, column->name, target);
    }
    return record->type == AIMG_COLUMN_DICTIONARY ? check_text(writer, column, value, error) : AIMG_OK;
}

enum aimg_status aimg_value_plain(struct aimg_writer *writer, const struct aimg_value *value, struct aimg_plain_value *plain_out,
                                  struct aimg_error *error)
{
    enum aimg_status status = aimg_value_column(writer, value->column, &plain_out->column_index, error);
    if (status != AIMG_OK)
        return status;
    struct aimg_writer_column *column = &writer->columns[plain_out->column_index];
    bool null = (value->flags & AIMG_VALUE_NULL) != 0;
    plain_out->data = null ? NULL : value->bytes == 0 ? "" : value->data;
    plain_out->bytes = null ? 0 : value->bytes;
    if (null || column->record.type != AIMG_COLUMN_DICTIONARY)
        return AIMG_OK;
    if (!aimg_dictionary_code(&writer->allocator, &column->dictionary, value->data, value->bytes, &plain_out->code))
        return aimg_fail_memory(error, value->bytes);
    plain_out->data = &plain_out->code;
    plain_out->bytes = sizeof plain_out->code;
    return AIMG_OK;
}
