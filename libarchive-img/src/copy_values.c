/* SPDX-License-Identifier: Apache-2.0 */
#include "copy_values.h"

/* References that are set at once at most. */
#define CHUNK_ROWS (UINT32_C(1) << 26)

/* There is an iterator a column, so what bounds one of them does not bound them all. */
static enum aimg_status check_memory(const struct aimg_copy_values *values, const struct aimg_copy_column *copy, uint64_t bytes,
                                     struct aimg_error *error)
{
    uint64_t limit = values->survivors->reader->source.limits.index_bytes;
    if (bytes <= limit)
        return AIMG_OK;
    return aimg_fail(error, AIMG_LIMIT,
                     "with column '%s' the %s that are needed at once take more than the limit of %" PRIu64
                     " bytes; raise limits.index_bytes of the reader",
                     copy->column.name, copy->column.type == AIMG_TYPE_DICTIONARY ? "dictionaries" : "values", limit);
}

static enum aimg_status define(struct aimg_copy_values *values, uint32_t index, struct aimg_error *error)
{
    const struct aimg_reader *source = values->survivors->reader;
    struct aimg_copy_column *copy = &values->columns[index];
    const struct aimg_column *column = &copy->column;
    enum aimg_status status = aimg_reader_column(source, index, &copy->column, error);
    if (status == AIMG_OK)
        status = aimg_values_create(source, index, 0, &copy->values, error);
    if (status != AIMG_OK)
        return status;
    copy->element = aimg_column_element_bytes(column->type);
    values->dictionary_bytes += aimg_values_dictionary_bytes(copy->values);
    status = check_memory(values, copy, values->dictionary_bytes, error);
    if (status != AIMG_OK)
        return status;
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
        aimg_values_destroy(values->columns[i].values);
        aimg_buffer_release(allocator, &values->columns[i].room);
    }
    aimg_release(allocator, values->columns);
    aimg_release(allocator, values->values);
    *values = (struct aimg_copy_values){.count = 0};
}

/* ------------------------------------------------------------------ one value */

/* The value of an image; those of the dead before it are passed over. */
static enum aimg_status go_to(struct aimg_copy_values *values, struct aimg_copy_column *copy, uint32_t ordinal,
                              struct aimg_error *error)
{
    while (!copy->begun || copy->now.ordinal < ordinal) {
        values->group_bytes -= aimg_values_group_bytes(copy->values);
        enum aimg_status status = aimg_values_next(copy->values, &copy->now, error);
        values->group_bytes += aimg_values_group_bytes(copy->values);
        if (status == AIMG_OK)
            status = check_memory(values, copy, values->group_bytes, error);
        if (status != AIMG_OK)
            return status;
        copy->begun = true;
    }
    return AIMG_OK;
}

/* As the file has it to as the machine has it. */
static enum aimg_status to_host(const struct aimg_allocator *allocator, struct aimg_copy_column *copy, struct aimg_value *value,
                                struct aimg_error *error)
{
#if AIMG_LITTLE_ENDIAN
    (void)allocator, (void)copy, (void)value, (void)error;
#else
    size_t element = copy->element;
    if (element < 2 || copy->column.type == AIMG_TYPE_DICTIONARY)
        return AIMG_OK;
    copy->room.bytes = 0;
    if (!aimg_buffer_reserve(allocator, &copy->room, value->bytes))
        return aimg_fail_memory(error, value->bytes);
    for (size_t i = 0; i < value->bytes; i++)
        copy->room.data[i] = ((const uint8_t *)value->data)[i / element * element + (element - 1 - i % element)];
    value->data = copy->room.data;
#endif
    return AIMG_OK;
}

/* What a reference becomes; *null_out when nothing, or not yet. */
static enum aimg_status refer(const struct aimg_copy_values *values, struct aimg_copy_column *copy, uint32_t ordinal,
                              bool *null_out, struct aimg_error *error)
{
    uint32_t target = aimg_load32(copy->now.data);
    if (target >= values->survivors->reader->catalog.head.ordinal_count)
        return aimg_fail(error, AIMG_CORRUPT,
                         "column '%s': image %" PRIu32 " refers to image %" PRIu32
                         ", which there is not (rule 61); run verify, then repair",
                         copy->column.name, ordinal, target);
    bool lives = aimg_survivors_number(values->survivors, target, &copy->number);
    copy->late = copy->late || (lives && target >= ordinal);
    *null_out = !lives || target >= ordinal;
    return AIMG_OK;
}

enum aimg_status aimg_copy_values_take(struct aimg_copy_values *values, uint32_t ordinal, size_t *count_out,
                                       struct aimg_error *error)
{
    const struct aimg_allocator *allocator = &values->survivors->reader->source.allocator;
    enum aimg_status status = AIMG_OK;
    size_t count = 0;
    for (uint32_t i = 0; status == AIMG_OK && i < values->count; i++) {
        struct aimg_copy_column *copy = &values->columns[i];
        status = go_to(values, copy, ordinal, error);
        bool null = status != AIMG_OK || copy->now.null;
        if (null)
            continue;
        struct aimg_value *value = &values->values[count];
        *value = (struct aimg_value){.column = copy->id, .data = copy->now.data, .bytes = copy->now.bytes};
        if (copy->column.type == AIMG_TYPE_IMAGE) {
            status = refer(values, copy, ordinal, &null, error);
            value->data = &copy->number;
        } else {
            status = to_host(allocator, copy, value, error);
        }
        count += !null;
    }
    *count_out = count;
    return status;
}

/* ------------------------------------------------------------------ references that wait */

/* Some rows of the target, and what they refer to. */
struct chunk {
    uint32_t first, count; /* as many as there are to be */
    uint32_t filled;
    bool late;
    uint32_t *numbers;
    uint8_t *validity;
};

/* Ends where a run does, so that the run is not read again; runs are as merging has left them. */
static uint32_t rows_from(const struct aimg_writer *writer, uint32_t first)
{
    uint32_t count, rows = (uint32_t)writer->head.ordinal_count - first;
    const struct aimg_part *parts = aimg_writer_parts(writer, &count);
    for (uint32_t i = 0; i < count; i++)
        if (parts[i].type == AIMG_FRAME_RUN && first >= parts[i].first && first - parts[i].first < parts[i].count)
            rows = parts[i].count - (first - parts[i].first);
    return rows < CHUNK_ROWS ? rows : CHUNK_ROWS;
}

static enum aimg_status begin_chunk(const struct aimg_copy_values *values, struct chunk *chunk, struct aimg_error *error)
{
    const struct aimg_allocator *allocator = &values->writer->allocator;
    uint32_t first = chunk->first + chunk->filled;
    aimg_release(allocator, chunk->numbers);
    aimg_release(allocator, chunk->validity);
    *chunk = (struct chunk){.first = first, .count = rows_from(values->writer, first)};
    chunk->numbers = aimg_alloc_array(allocator, chunk->count, sizeof *chunk->numbers);
    chunk->validity = aimg_alloc_array(allocator, aimg_bitmap_bytes(chunk->count), 1);
    if (chunk->numbers == NULL || chunk->validity == NULL)
        return aimg_fail_memory(error, chunk->count * sizeof *chunk->numbers);
    return AIMG_OK;
}

static enum aimg_status add_row(const struct aimg_copy_values *values, struct aimg_copy_column *copy, struct chunk *chunk,
                                struct aimg_error *error)
{
    enum aimg_status status = AIMG_OK;
    if (chunk->filled == chunk->count)
        status = begin_chunk(values, chunk, error);
    if (status != AIMG_OK)
        return status;
    uint32_t row = chunk->filled++;
    uint32_t target = copy->now.null ? AIMG_NO_ORDINAL : aimg_load32(copy->now.data);
    if (target != AIMG_NO_ORDINAL && aimg_survivors_number(values->survivors, target, &chunk->numbers[row])) {
        chunk->validity[row / 8] |= (uint8_t)(1u << (row % 8));
        chunk->late = chunk->late || target >= copy->now.ordinal;
    }
    if (chunk->filled < chunk->count || !chunk->late)
        return AIMG_OK;
    return aimg_writer_set_array(values->writer, copy->id, chunk->first, chunk->count, chunk->numbers, chunk->validity, error);
}

/* Walks the column once more. */
static enum aimg_status refer_late(struct aimg_copy_values *values, uint32_t index, struct chunk *chunk, struct aimg_error *error)
{
    const struct aimg_reader *source = values->survivors->reader;
    struct aimg_copy_column *copy = &values->columns[index];
    aimg_values_destroy(copy->values);
    copy->values = NULL;
    enum aimg_status status = aimg_values_create(source, index, 0, &copy->values, error);
    for (uint64_t left = source->catalog.head.ordinal_count; status == AIMG_OK && left > 0; left--) {
        uint32_t number;
        status = aimg_values_next(copy->values, &copy->now, error);
        if (status == AIMG_OK && aimg_survivors_number(values->survivors, copy->now.ordinal, &number))
            status = add_row(values, copy, chunk, error);
    }
    return status;
}

enum aimg_status aimg_copy_values_refer(struct aimg_copy_values *values, struct aimg_error *error)
{
    enum aimg_status status = AIMG_OK;
    for (uint32_t i = 0; status == AIMG_OK && i < values->count; i++) {
        struct chunk chunk = {.first = 0};
        if (values->columns[i].late)
            status = refer_late(values, i, &chunk, error);
        aimg_release(&values->writer->allocator, chunk.numbers);
        aimg_release(&values->writer->allocator, chunk.validity);
    }
    return status;
}
