/* SPDX-License-Identifier: Apache-2.0 */
#include "copy_values.h"

static enum aimg_status define(struct aimg_copy_values *values, uint32_t index, struct aimg_error *error)
{
    const struct aimg_reader *source = values->survivors->reader;
    struct aimg_copy_column *copy = &values->columns[index];
    struct aimg_column *column = &copy->column;
    enum aimg_status status = aimg_reader_column(source, index, column, error);
    if (status != AIMG_OK)
        return status;
    copy->groups = aimg_column_in_groups(&source->catalog.columns[index].record);
    copy->full_bytes = copy->groups ? 0 : (size_t)aimg_column_element_bytes(column->type) * column->width;
    if (!aimg_buffer_reserve(&source->source.allocator, &copy->room, copy->full_bytes + 1))
        return aimg_fail_memory(error, copy->full_bytes);
    return aimg_writer_column(values->writer, column->name, column->type, column->width, column->list, &copy->id, error);
}

enum aimg_status aimg_copy_values_create(struct aimg_copy_values *values, struct aimg_writer *writer,
                                         const struct aimg_survivors *survivors, struct aimg_error *error)
{
    const struct aimg_reader *source = survivors->reader;
    uint32_t count = source->catalog.head.column_count;
    *values = (struct aimg_copy_values){.writer = writer, .survivors = survivors};
    values->columns = aimg_alloc_array(&source->source.allocator, count, sizeof *values->columns);
    values->values = aimg_alloc_array(&source->source.allocator, count, sizeof *values->values);
    if (values->columns == NULL || values->values == NULL)
        return aimg_fail_memory(error, count * sizeof *values->columns);
    enum aimg_status status = AIMG_OK;
    for (; status == AIMG_OK && values->count < count; values->count++)
        status = define(values, values->count, error);
    return status;
}

void aimg_copy_values_destroy(struct aimg_copy_values *values)
{
    if (values->survivors == NULL)
        return;
    const struct aimg_allocator *allocator = &values->survivors->reader->source.allocator;
    for (uint32_t i = 0; i < values->count; i++) {
        aimg_buffer_release(allocator, &values->columns[i].room);
        aimg_dictionary_release(allocator, &values->columns[i].dictionary);
    }
    aimg_release(allocator, values->columns);
    aimg_release(allocator, values->values);
    *values = (struct aimg_copy_values){.count = 0};
}

/* ------------------------------------------------------------------ one value */

/* As the file has it to as the machine has it. */
static void to_host(uint8_t *value, size_t bytes, size_t element)
{
#if AIMG_LITTLE_ENDIAN
    (void)value, (void)bytes, (void)element;
#else
    for (size_t i = 0; element > 0 && i + element <= bytes; i += element)
        for (size_t k = 0; k < element / 2; k++) {
            uint8_t byte = value[i + k];
            value[i + k] = value[i + element - 1 - k];
            value[i + element - 1 - k] = byte;
        }
#endif
}

static enum aimg_status take_fixed(struct aimg_copy_values *values, uint32_t index, uint32_t ordinal, bool *null_out,
                                   struct aimg_error *error)
{
    struct aimg_copy_column *copy = &values->columns[index];
    struct aimg_chunk *chunk = &copy->chunk;
    if (chunk->count == 0 || ordinal < chunk->first || ordinal - chunk->first >= chunk->count) {
        enum aimg_status status = aimg_reader_chunk(values->survivors->reader, index, ordinal, chunk, error);
        if (status != AIMG_OK)
            return status;
    }
    uint32_t row = ordinal - chunk->first;
    *null_out = chunk->values == NULL || (chunk->validity != NULL && !aimg_bitmap_get(chunk->validity, row));
    if (*null_out)
        return AIMG_OK;
    /* What is stored narrower is extended with zeros. */
    memset(copy->room.data, 0, copy->full_bytes);
    memcpy(copy->room.data, (const uint8_t *)chunk->values + (size_t)row * chunk->element_bytes, chunk->element_bytes);
    to_host(copy->room.data, copy->full_bytes, copy->full_bytes / copy->column.width);
    copy->room.bytes = copy->full_bytes;
    return AIMG_OK;
}

static enum aimg_status take_group(struct aimg_copy_values *values, uint32_t index, uint32_t ordinal, bool *null_out,
                                   struct aimg_error *error)
{
    struct aimg_copy_column *copy = &values->columns[index];
    const struct aimg_reader *source = values->survivors->reader;
    size_t bytes = 0;
    int null = 0;
    enum aimg_status status =
        aimg_reader_value(source, index, ordinal, copy->room.data, copy->room.capacity, &bytes, &null, error);
    if (status == AIMG_BUFFER_TOO_SMALL) {
        copy->room.bytes = 0;
        if (!aimg_buffer_reserve(&source->source.allocator, &copy->room, bytes))
            return aimg_fail_memory(error, bytes);
        status = aimg_reader_value(source, index, ordinal, copy->room.data, copy->room.capacity, &bytes, &null, error);
    }
    if (status != AIMG_OK)
        return status;
    *null_out = null != 0;
    to_host(copy->room.data, bytes, copy->column.list ? aimg_column_element_bytes(copy->column.type) : 0);
    copy->room.bytes = bytes;
    return AIMG_OK;
}

/* The text of a code; the code itself may become another one. */
static enum aimg_status look_up(struct aimg_copy_values *values, struct aimg_copy_column *copy, uint32_t ordinal,
                                struct aimg_value *value, struct aimg_error *error)
{
    uint32_t code;
    memcpy(&code, copy->room.data, sizeof code);
    enum aimg_status status = aimg_dictionary_load(&copy->dictionary, values->survivors->reader, copy->column.id, error);
    if (status != AIMG_OK)
        return status;
    if (code >= aimg_dictionary_count(&copy->dictionary))
        return aimg_fail(error, AIMG_CORRUPT,
                         "column '%s': image %" PRIu32 " has code %" PRIu32
                         ", which its dictionary lacks (rule 61); run verify, then repair",
                         copy->column.name, ordinal, code);
    value->data = aimg_dictionary_text(&copy->dictionary, code, &value->bytes);
    return AIMG_OK;
}

static enum aimg_status refer(struct aimg_copy_values *values, struct aimg_copy_column *copy, uint32_t ordinal, bool *null_out,
                              struct aimg_error *error)
{
    uint32_t target, number;
    memcpy(&target, copy->room.data, sizeof target);
    if (target >= values->survivors->reader->catalog.head.ordinal_count)
        return aimg_fail(error, AIMG_CORRUPT,
                         "column '%s': image %" PRIu32 " refers to image %" PRIu32
                         ", which there is not (rule 61); run verify, then repair",
                         copy->column.name, ordinal, target);
    *null_out = !aimg_survivors_number(values->survivors, target, &number);
    if (*null_out)
        return AIMG_OK;
    if (target >= ordinal) {
        copy->late = true;
        *null_out = true;
        return AIMG_OK;
    }
    memcpy(copy->room.data, &number, sizeof number);
    return AIMG_OK;
}

enum aimg_status aimg_copy_values_take(struct aimg_copy_values *values, uint32_t ordinal, size_t *count_out,
                                       struct aimg_error *error)
{
    enum aimg_status status = AIMG_OK;
    size_t count = 0;
    for (uint32_t i = 0; status == AIMG_OK && i < values->count; i++) {
        struct aimg_copy_column *copy = &values->columns[i];
        bool null = true;
        status = copy->groups ? take_group(values, i, ordinal, &null, error) : take_fixed(values, i, ordinal, &null, error);
        if (status != AIMG_OK || null)
            continue;
        struct aimg_value *value = &values->values[count];
        *value = (struct aimg_value){.column = copy->id, .data = copy->room.data, .bytes = copy->room.bytes};
        if (copy->column.type == AIMG_TYPE_DICTIONARY)
            status = look_up(values, copy, ordinal, value, error);
        else if (copy->column.type == AIMG_TYPE_IMAGE)
            status = refer(values, copy, ordinal, &null, error);
        count += !null;
    }
    *count_out = count;
    return status;
}
