/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#define FIRST_COLUMNS 8

bool aimg_stage_column_add(struct aimg_stage *stage, const struct aimg_column_record *record)
{
    if (stage->column_count == stage->column_room) {
        uint32_t room = stage->column_room == 0 ? FIRST_COLUMNS : 2 * stage->column_room;
        struct aimg_stage_column *columns = aimg_alloc_array(&stage->allocator, room, sizeof *columns);
        if (columns == NULL)
            return false;
        if (stage->column_count > 0)
            memcpy(columns, stage->columns, stage->column_count * sizeof *columns);
        aimg_release(&stage->allocator, stage->columns);
        stage->columns = columns;
        stage->column_room = room;
    }
    stage->columns[stage->column_count++] = (struct aimg_stage_column){.record = *record};
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

/* A null or a value in the bitmap, and among the ends or as zeros. */
static bool add_row(const struct aimg_allocator *allocator, struct aimg_stage_column *column, bool valid, size_t bytes)
{
    uint32_t end = (uint32_t)(column->values.bytes + bytes);
    uint32_t row = column->rows;
    bool groups = aimg_column_in_groups(&column->record);
    static const uint8_t zero;
    if (row % 8 == 0 && !aimg_buffer_add(allocator, &column->validity, &zero, 1))
        return false;
    if (groups && !aimg_buffer_add(allocator, &column->ends, &end, sizeof end))
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

bool aimg_stage_value_fits(const struct aimg_stage *stage, uint32_t column_index, uint32_t row)
{
    const struct aimg_stage_column *column = &stage->columns[column_index];
    return !aimg_column_in_groups(&column->record) || row >= column->rows;
}

/* Room for the row, which is behind all that are there or of fixed width: zeros there, and the bit in the bitmap. */
static bool go_to_row(const struct aimg_allocator *allocator, struct aimg_stage_column *column, uint32_t row, bool valid,
                      size_t bytes)
{
    if (row >= column->rows)
        return fill_nulls(allocator, column, row) && add_row(allocator, column, valid, bytes);
    memset(column->values.data + row * full_width(column), 0, full_width(column));
    column->validity.data[row / 8] &= (uint8_t) ~(1u << (row % 8));
    if (valid)
        column->validity.data[row / 8] |= (uint8_t)(1u << (row % 8));
    column->has_null |= !valid;
    return true;
}

static void note_largest(struct aimg_stage_column *column, const uint8_t *stored, size_t bytes)
{
    uint8_t wide[8] = {0};
    if (!aimg_column_may_narrow(&column->record))
        return;
    memcpy(wide, stored, bytes);
    uint64_t value = aimg_load64(wide);
    column->largest = value > column->largest ? value : column->largest;
}

/* element: bytes whose order is the machine's in data, the file's in the stage; 1: no order. */
static bool set_value(struct aimg_stage *stage, struct aimg_stage_column *column, uint32_t row, const void *data, size_t bytes,
                      size_t element)
{
    bool groups = aimg_column_in_groups(&column->record);
    if (!go_to_row(&stage->allocator, column, row, data != NULL, bytes))
        return false;
    if (data == NULL || bytes == 0)
        return true;
    uint8_t *out = column->values.data + (groups ? column->values.bytes - bytes : row * full_width(column));
    aimg_column_store(out, data, bytes, element);
    note_largest(column, out, bytes);
    return true;
}

bool aimg_stage_value_set(struct aimg_stage *stage, uint32_t column_index, uint32_t row, const void *data, size_t bytes)
{
    struct aimg_stage_column *column = &stage->columns[column_index];
    size_t element = aimg_column_element_bytes(column->record.type);
    if (data == NULL && row >= column->rows)
        return true; /* null as long as nothing is set */
    return set_value(stage, column, row, data, bytes, element == 0 ? 1 : element);
}

bool aimg_stage_value_put(struct aimg_stage *stage, uint32_t column_index, const uint8_t *stored, size_t bytes)
{
    const void *data = bytes == 0 ? (const uint8_t *)"" : stored; /* there may be no bytes at all */
    return set_value(stage, &stage->columns[column_index], stage->rows - 1, data, bytes, 1);
}

bool aimg_stage_value_get(const struct aimg_stage *stage, uint32_t column_index, uint32_t row, const uint8_t **stored_out,
                          size_t *bytes_out)
{
    const struct aimg_stage_column *column = &stage->columns[column_index];
    size_t before = 0;
    if (row >= column->rows || !aimg_bitmap_get(column->validity.data, row))
        return false;
    if (aimg_column_in_groups(&column->record)) {
        const uint32_t *ends = (const uint32_t *)(const void *)column->ends.data;
        before = row == 0 ? 0 : ends[row - 1];
        *bytes_out = ends[row] - before;
    } else {
        *bytes_out = full_width(column);
        before = row * *bytes_out;
    }
    *stored_out = before == 0 ? column->values.data : column->values.data + before; /* there may be no bytes at all */
    return true;
}

void aimg_stage_empty(struct aimg_stage *stage)
{
    stage->first += stage->rows;
    stage->rows = 0;
    stage->entries.bytes = stage->name_lengths.bytes = stage->names.bytes = 0;
    for (uint32_t i = 0; i < stage->column_count; i++) {
        struct aimg_stage_column *column = &stage->columns[i];
        column->rows = 0;
        column->has_null = column->has_value = false;
        column->largest = 0;
        column->values.bytes = column->ends.bytes = column->validity.bytes = 0;
    }
}

void aimg_stage_release(struct aimg_stage *stage)
{
    for (uint32_t i = 0; i < stage->column_count; i++) {
        aimg_buffer_release(&stage->allocator, &stage->columns[i].values);
        aimg_buffer_release(&stage->allocator, &stage->columns[i].ends);
        aimg_buffer_release(&stage->allocator, &stage->columns[i].validity);
    }
    aimg_release(&stage->allocator, stage->columns);
    aimg_buffer_release(&stage->allocator, &stage->entries);
    aimg_buffer_release(&stage->allocator, &stage->name_lengths);
    aimg_buffer_release(&stage->allocator, &stage->names);
    stage->columns = NULL;
    stage->column_count = stage->column_room = 0;
}
