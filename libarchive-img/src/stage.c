/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include "error.h"

bool aimg_stage_column_add(struct aimg_stage *stage, const struct aimg_column_record *record)
{
    struct aimg_stage_column *columns = aimg_alloc_array(&stage->allocator, stage->column_count + 1, sizeof *columns);
    if (columns == NULL)
        return false;
    if (stage->column_count > 0)
        memcpy(columns, stage->columns, stage->column_count * sizeof *columns);
    columns[stage->column_count].record = *record;
    aimg_release(&stage->allocator, stage->columns);
    stage->columns = columns;
    stage->column_count++;
    return true;
}

bool aimg_stage_row_add(struct aimg_stage *stage, const struct aimg_entry_record *entry, const char *name, size_t name_bytes)
{
    const struct aimg_allocator *allocator = &stage->allocator;
    uint32_t length = (uint32_t)name_bytes;
    if (!aimg_buffer_reserve(allocator, &stage->entries, AIMG_ENTRY_BYTES) ||
        !aimg_buffer_reserve(allocator, &stage->name_lengths, sizeof length) ||
        !aimg_buffer_reserve(allocator, &stage->names, name_bytes))
        return false;
    aimg_entry_encode(entry, stage->entries.data + stage->entries.bytes);
    stage->entries.bytes += AIMG_ENTRY_BYTES;
    (void)aimg_buffer_add(allocator, &stage->name_lengths, &length, sizeof length);
    (void)aimg_buffer_add(allocator, &stage->names, name, name_bytes);
    stage->rows++;
    return true;
}

static size_t full_width(const struct aimg_stage_column *column)
{
    return (size_t)aimg_column_element_bytes(column->record.type) * column->record.width;
}

/* What rows take beside the bytes of the values in groups. */
static uint64_t rows_bytes(const struct aimg_stage_column *column, uint64_t rows)
{
    return rows * (aimg_column_in_groups(&column->record) ? sizeof(uint32_t) : full_width(column)) + rows / 8;
}

uint64_t aimg_stage_bytes(const struct aimg_stage *stage)
{
    uint64_t sum = (uint64_t)stage->entries.bytes + stage->name_lengths.bytes + stage->names.bytes;
    for (uint32_t i = 0; i < stage->column_count; i++) {
        const struct aimg_stage_column *column = &stage->columns[i];
        if (column->has_value)
            sum += rows_bytes(column, stage->rows) + (aimg_column_in_groups(&column->record) ? column->values.bytes : 0);
    }
    return sum;
}

uint64_t aimg_stage_value_bytes(const struct aimg_stage *stage, uint32_t column_index, size_t bytes)
{
    const struct aimg_stage_column *column = &stage->columns[column_index];
    uint64_t rows = column->has_value ? 1 : (uint64_t)stage->rows + 1;
    return rows_bytes(column, rows) + (aimg_column_in_groups(&column->record) ? bytes : 0);
}

/* A null or a value in the bitmap, and in the lengths or as zeros. */
static bool add_row(const struct aimg_allocator *allocator, struct aimg_stage_column *column, bool valid, size_t bytes)
{
    uint32_t length = (uint32_t)bytes;
    uint32_t row = column->rows;
    bool groups = aimg_column_in_groups(&column->record);
    static const uint8_t zero;
    if (row % 8 == 0 && !aimg_buffer_add(allocator, &column->validity, &zero, 1))
        return false;
    if (groups && !aimg_buffer_add(allocator, &column->lengths, &length, sizeof length))
        return false;
    size_t more = groups ? bytes : full_width(column);
    if (!aimg_buffer_reserve(allocator, &column->values, more))
        return false;
    if (more > 0)
        memset(column->values.data + column->values.bytes, 0, more);
    column->values.bytes += more;
    if (valid)
        column->validity.data[row / 8] |= (uint8_t)(1u << (row % 8));
    column->has_null |= !valid;
    column->has_value |= valid;
    column->rows++;
    return true;
}

static bool fill_nulls(const struct aimg_allocator *allocator, struct aimg_stage_column *column, uint32_t rows)
{
    while (column->rows < rows)
        if (!add_row(allocator, column, false, 0))
            return false;
    return true;
}

/* Elements in host order to little-endian. */
static void store_elements(uint8_t *out, const uint8_t *data, size_t bytes, size_t element)
{
#if AIMG_LITTLE_ENDIAN
    (void)element;
    memcpy(out, data, bytes);
#else
    for (size_t i = 0; i < bytes; i++)
        out[i] = data[i / element * element + (element - 1 - i % element)];
#endif
}

bool aimg_stage_value_set(struct aimg_stage *stage, uint32_t column_index, const void *data, size_t bytes)
{
    struct aimg_stage_column *column = &stage->columns[column_index];
    size_t element = aimg_column_element_bytes(column->record.type);
    if (!fill_nulls(&stage->allocator, column, stage->rows - 1) || !add_row(&stage->allocator, column, true, bytes))
        return false;
    if (bytes == 0)
        return true;
    uint8_t *out = column->values.data + column->values.bytes - bytes;
    store_elements(out, data, bytes, element == 0 ? 1 : element);
    if (aimg_column_may_narrow(&column->record)) {
        uint8_t wide[8] = {0};
        memcpy(wide, out, bytes);
        uint64_t value = aimg_load64(wide);
        column->largest = value > column->largest ? value : column->largest;
    }
    return true;
}

static uint16_t narrowest(const struct aimg_stage_column *column)
{
    size_t full = full_width(column);
    if (!aimg_column_may_narrow(&column->record))
        return (uint16_t)full;
    size_t bytes = column->largest <= UINT8_MAX ? 1 : column->largest <= UINT16_MAX ? 2 : column->largest <= UINT32_MAX ? 4 : 8;
    return (uint16_t)(bytes < full ? bytes : full);
}

static enum aimg_status write_fixed(struct aimg_table_writer *table, const struct aimg_stage_column *column,
                                    struct aimg_error *error)
{
    uint16_t width = narrowest(column);
    size_t full = full_width(column);
    enum aimg_status status = AIMG_OK;
    if (width == full)
        status = aimg_table_writer_add(table, column->values.data, column->values.bytes, error);
    for (size_t i = 0; width < full && status == AIMG_OK && i < column->values.bytes; i += full)
        status = aimg_table_writer_add(table, column->values.data + i, width, error);
    struct aimg_section section = {
        .kind = AIMG_SECTION_VALUES, .element_bytes = width, .column = column->record.id, .count = column->rows};
    return status == AIMG_OK ? aimg_table_writer_section(table, section, error) : status;
}

static enum aimg_status write_validity(struct aimg_table_writer *table, const struct aimg_stage_column *column,
                                       struct aimg_error *error)
{
    static const uint8_t zeros[8];
    struct aimg_section section = {.kind = AIMG_SECTION_VALIDITY, .column = column->record.id, .count = column->rows};
    enum aimg_status status = aimg_table_writer_add(table, column->validity.data, column->validity.bytes, error);
    if (status == AIMG_OK)
        status = aimg_table_writer_add(table, zeros, (size_t)aimg_bitmap_bytes(column->rows) - column->validity.bytes, error);
    return status == AIMG_OK ? aimg_table_writer_section(table, section, error) : status;
}

static const uint32_t *as_lengths(const struct aimg_buffer *buffer)
{
    return (const uint32_t *)(const void *)buffer->data;
}

static enum aimg_status write_column(struct aimg_stage *stage, struct aimg_table_writer *table, struct aimg_codec_pool *codecs,
                                     struct aimg_stage_column *column, bool *zstd_out, struct aimg_error *error)
{
    if (!column->has_value)
        return AIMG_OK;
    if (!fill_nulls(&stage->allocator, column, stage->rows))
        return aimg_fail_memory(error, stage->rows);
    enum aimg_status status =
        aimg_column_in_groups(&column->record)
            ? aimg_table_writer_groups(table, codecs, AIMG_SECTION_GROUPS, column->record.id, as_lengths(&column->lengths),
                                       column->values.data, column->rows, zstd_out, error)
            : write_fixed(table, column, error);
    return status == AIMG_OK && column->has_null ? write_validity(table, column, error) : status;
}

static void empty_stage(struct aimg_stage *stage)
{
    stage->first += stage->rows;
    stage->rows = 0;
    stage->entries.bytes = stage->name_lengths.bytes = stage->names.bytes = 0;
    for (uint32_t i = 0; i < stage->column_count; i++) {
        struct aimg_stage_column *column = &stage->columns[i];
        column->rows = 0;
        column->has_null = column->has_value = false;
        column->largest = 0;
        column->values.bytes = column->lengths.bytes = column->validity.bytes = 0;
    }
}

enum aimg_status aimg_stage_write(struct aimg_stage *stage, struct aimg_out *out, struct aimg_codec_pool *codecs,
                                  struct aimg_part *part_out, bool *zstd_out, struct aimg_error *error)
{
    struct aimg_table_writer table;
    struct aimg_section entries = {.kind = AIMG_SECTION_ENTRIES, .element_bytes = AIMG_ENTRY_BYTES, .count = stage->rows};
    enum aimg_status status = aimg_table_writer_begin(&table, out, AIMG_FRAME_RUN, 0, stage->first, stage->rows, error);
    if (status == AIMG_OK)
        status = aimg_table_writer_add(&table, stage->entries.data, stage->entries.bytes, error);
    if (status == AIMG_OK)
        status = aimg_table_writer_section(&table, entries, error);
    if (status == AIMG_OK)
        status = aimg_table_writer_groups(&table, codecs, AIMG_SECTION_NAME_TEXT, 0, as_lengths(&stage->name_lengths),
                                          stage->names.data, stage->rows, zstd_out, error);
    for (uint32_t i = 0; status == AIMG_OK && i < stage->column_count; i++)
        status = write_column(stage, &table, codecs, &stage->columns[i], zstd_out, error);
    if (status != AIMG_OK) {
        aimg_table_writer_abandon(&table);
        return status;
    }
    status = aimg_table_writer_end(&table, part_out, error);
    if (status == AIMG_OK)
        empty_stage(stage);
    return status;
}

void aimg_stage_release(struct aimg_stage *stage)
{
    for (uint32_t i = 0; i < stage->column_count; i++) {
        aimg_buffer_release(&stage->allocator, &stage->columns[i].values);
        aimg_buffer_release(&stage->allocator, &stage->columns[i].lengths);
        aimg_buffer_release(&stage->allocator, &stage->columns[i].validity);
    }
    aimg_release(&stage->allocator, stage->columns);
    aimg_buffer_release(&stage->allocator, &stage->entries);
    aimg_buffer_release(&stage->allocator, &stage->name_lengths);
    aimg_buffer_release(&stage->allocator, &stage->names);
    stage->columns = NULL;
    stage->column_count = 0;
}
