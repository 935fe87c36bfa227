/* SPDX-License-Identifier: Apache-2.0 */
/* Columns: chunks in place, single values, dictionaries. */
#include "reader.h"

static void describe(const struct aimg_reader *reader, uint32_t index, struct aimg_column *out)
{
    const struct aimg_catalog_column *column = &reader->catalog.columns[index];
    *out = (struct aimg_column){.index = index,
                                .id = column->record.id,
                                .type = column->record.type,
                                .list = (column->record.flags & AIMG_COLUMN_LIST) != 0,
                                .name_bytes = column->record.name_bytes,
                                .width = column->record.width,
                                .dictionary_count = column->record.dictionary_count};
    memcpy(out->name, column->name, column->record.name_bytes);
}

static enum aimg_status check_index(const struct aimg_reader *reader, uint32_t index, const void *out, struct aimg_error *error)
{
    if (reader == NULL || out == NULL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "columns need a reader and a place for the answer");
    if (index >= reader->catalog.head.column_count)
        return aimg_fail(error, AIMG_NOT_FOUND, "there is no column %" PRIu32 "; the archive has %" PRIu32, index,
                         reader->catalog.head.column_count);
    return AIMG_OK;
}

enum aimg_status aimg_reader_column(const struct aimg_reader *reader, uint32_t index, struct aimg_column *column_out,
                                    struct aimg_error *error)
{
    enum aimg_status status = check_index(reader, index, column_out, error);
    if (status == AIMG_OK)
        describe(reader, index, column_out);
    return status;
}

enum aimg_status aimg_reader_column_find(const struct aimg_reader *reader, const char *name, struct aimg_column *column_out,
                                         struct aimg_error *error)
{
    if (reader == NULL || name == NULL || column_out == NULL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT,
                         "aimg_reader_column_find needs a reader, a name, and a place for the column");
    size_t bytes = strlen(name);
    for (uint32_t i = 0; i < reader->catalog.head.column_count; i++) {
        const struct aimg_catalog_column *column = &reader->catalog.columns[i];
        if (column->record.name_bytes == bytes && memcmp(column->name, name, bytes) == 0) {
            describe(reader, i, column_out);
            return AIMG_OK;
        }
    }
    return aimg_fail(error, AIMG_NOT_FOUND, "there is no column '%s'", name);
}

/* The newest table with the column for a run: its own, or a COLUMN table added later. NULL: every row is null. */
static struct aimg_table *table_of(const struct aimg_reader *reader, const struct aimg_run *run,
                                   const struct aimg_column_record *column, const struct aimg_section **values_out)
{
    unsigned kind = aimg_column_in_groups(column) ? AIMG_SECTION_GROUPS : AIMG_SECTION_VALUES;
    struct aimg_table *best = run->table;
    *values_out = aimg_table_section(best, kind, column->id);
    for (uint32_t i = run->columns_count; i-- > 0;) {
        struct aimg_table *table = &reader->catalog.tables[run->columns_first + i];
        const struct aimg_section *section = aimg_table_section(table, kind, column->id);
        if (section == NULL)
            continue;
        if (*values_out == NULL || table->part.offset > best->part.offset) {
            best = table;
            *values_out = section;
        }
        break; /* the ones before are older */
    }
    return *values_out == NULL ? NULL : best;
}

static enum aimg_status run_of(const struct aimg_reader *reader, uint32_t ordinal, struct aimg_run **run_out,
                               struct aimg_error *error)
{
    if (ordinal >= reader->catalog.head.ordinal_count)
        return aimg_not_there(reader, ordinal, error);
    *run_out = &reader->catalog.runs[aimg_catalog_run(&reader->catalog, ordinal)];
    return AIMG_OK;
}

enum aimg_status aimg_reader_chunk(const struct aimg_reader *reader, uint32_t column_index, uint32_t ordinal,
                                   struct aimg_chunk *chunk_out, struct aimg_error *error)
{
    struct aimg_run *run = NULL;
    const struct aimg_section *values = NULL;
    enum aimg_status status = check_index(reader, column_index, chunk_out, error);
    if (status == AIMG_OK)
        status = run_of(reader, ordinal, &run, error);
    if (status != AIMG_OK)
        return status;
    const struct aimg_column_record *column = &reader->catalog.columns[column_index].record;
    if (aimg_column_in_groups(column))
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "texts, bytes and lists have no chunks: use aimg_reader_value");
    if (reader->source.io->base == NULL)
        return aimg_fail(error, AIMG_SEQUENCE, "the archive was opened without a map: use aimg_reader_value");
    struct aimg_chunk chunk = {.first = run->first, .count = run->count};
    chunk.element_bytes = aimg_column_element_bytes(column->type) * column->width;
    struct aimg_table *table = table_of(reader, run, column, &values);
    if (table != NULL) {
        const uint8_t *payload = reader->source.io->base + table->payload;
        const struct aimg_section *validity = aimg_table_section(table, AIMG_SECTION_VALIDITY, column->id);
        status = aimg_table_verify(&reader->source, table, values->offset, values->bytes, error);
        if (status == AIMG_OK && validity != NULL)
            status = aimg_table_verify(&reader->source, table, validity->offset, validity->bytes, error);
        chunk.element_bytes = values->element_bytes;
        chunk.values = payload + values->offset;
        chunk.validity = validity == NULL ? NULL : payload + validity->offset;
    }
    if (status == AIMG_OK)
        *chunk_out = chunk;
    return status;
}

static enum aimg_status row_is_null(const struct aimg_reader *reader, struct aimg_table *table, uint32_t column, uint32_t row,
                                    bool *null_out, struct aimg_error *error)
{
    uint8_t byte = 0xFF;
    const struct aimg_section *validity = aimg_table_section(table, AIMG_SECTION_VALIDITY, column);
    enum aimg_status status =
        validity == NULL ? AIMG_OK : aimg_table_copy(&reader->source, table, validity->offset + row / 8, 1, &byte, error);
    *null_out = (byte >> (row % 8) & 1) == 0;
    return status;
}

static enum aimg_status too_small(size_t bytes, size_t buffer_bytes, struct aimg_error *error)
{
    return aimg_fail(error, AIMG_BUFFER_TOO_SMALL, "the value has %zu bytes, the buffer %zu", bytes, buffer_bytes);
}

static enum aimg_status copy_fixed(const struct aimg_reader *reader, struct aimg_table *table, const struct aimg_section *values,
                                   uint32_t row, size_t full_bytes, void *buffer, size_t buffer_bytes, size_t *bytes_out,
                                   struct aimg_error *error)
{
    *bytes_out = full_bytes;
    if (full_bytes > buffer_bytes)
        return too_small(full_bytes, buffer_bytes, error);
    memset(buffer, 0, full_bytes); /* a narrow value is extended with zeros */
    return aimg_table_copy(&reader->source, table, values->offset + (uint64_t)row * values->element_bytes, values->element_bytes,
                           buffer, error);
}

enum aimg_status aimg_reader_dictionary(const struct aimg_reader *reader, uint32_t column_index, uint32_t code, char *buffer,
                                        size_t buffer_bytes, size_t *bytes_out, struct aimg_error *error)
{
    if (buffer == NULL && buffer_bytes > 0)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "aimg_reader_dictionary needs a buffer of the size it is given");
    enum aimg_status status = check_index(reader, column_index, bytes_out, error);
    if (status != AIMG_OK)
        return status;
    uint32_t id = reader->catalog.columns[column_index].record.id;
    for (uint32_t i = 0; i < reader->catalog.table_count; i++) {
        struct aimg_table *table = &reader->catalog.tables[i];
        if (table->part.type == AIMG_FRAME_VALUES && table->part.column == id && code >= table->part.first &&
            code - table->part.first < table->part.count)
            return aimg_group_copy(reader, table, aimg_table_section(table, AIMG_SECTION_GROUPS, id), code - table->part.first,
                                   buffer, buffer_bytes, bytes_out, error);
    }
    return aimg_fail(error, AIMG_NOT_FOUND, "column %" PRIu32 " has no code %" PRIu32, column_index, code);
}

static enum aimg_status copy_dictionary(const struct aimg_reader *reader, uint32_t column_index, struct aimg_table *table,
                                        const struct aimg_section *values, uint32_t row, void *buffer, size_t buffer_bytes,
                                        size_t *bytes_out, struct aimg_error *error)
{
    uint8_t code[4];
    size_t code_bytes;
    enum aimg_status status = copy_fixed(reader, table, values, row, sizeof code, code, sizeof code, &code_bytes, error);
    if (status != AIMG_OK)
        return status;
    status = aimg_reader_dictionary(reader, column_index, aimg_load32(code), buffer, buffer_bytes, bytes_out, error);
    if (status == AIMG_NOT_FOUND)
        return aimg_fail_at(error, AIMG_CORRUPT, 61, table->part.offset, "a row has code %" PRIu32 ", which its dictionary lacks",
                            aimg_load32(code));
    return status;
}

struct aimg_table *aimg_column_table(const struct aimg_reader *reader, const struct aimg_run *run,
                                     const struct aimg_column_record *column)
{
    const struct aimg_section *values;
    return table_of(reader, run, column, &values);
}

enum aimg_status aimg_column_stored(const struct aimg_reader *reader, struct aimg_table *table,
                                    const struct aimg_column_record *column, uint32_t row, void *buffer, size_t buffer_bytes,
                                    size_t *bytes_out, bool *null_out, struct aimg_error *error)
{
    bool groups = aimg_column_in_groups(column);
    const struct aimg_section *values = aimg_table_section(table, groups ? AIMG_SECTION_GROUPS : AIMG_SECTION_VALUES, column->id);
    *null_out = true;
    if (values == NULL)
        return AIMG_OK;
    enum aimg_status status = row_is_null(reader, table, column->id, row, null_out, error);
    if (status != AIMG_OK || *null_out)
        return status;
    if (groups)
        return aimg_group_copy(reader, table, values, row, buffer, buffer_bytes, bytes_out, error);
    return copy_fixed(reader, table, values, row, (size_t)aimg_column_element_bytes(column->type) * column->width, buffer,
                      buffer_bytes, bytes_out, error);
}

enum aimg_status aimg_reader_value(const struct aimg_reader *reader, uint32_t column_index, uint32_t ordinal, void *buffer,
                                   size_t buffer_bytes, size_t *bytes_out, int *null_out, struct aimg_error *error)
{
    struct aimg_run *run = NULL;
    const struct aimg_section *values = NULL;
    bool null = true;
    size_t bytes = 0;
    enum aimg_status status = check_index(reader, column_index, bytes_out, error);
    if (status == AIMG_OK && (null_out == NULL || (buffer == NULL && buffer_bytes > 0)))
        status = aimg_fail(error, AIMG_INVALID_ARGUMENT, "aimg_reader_value needs a buffer and a place for the null flag");
    if (status == AIMG_OK)
        status = run_of(reader, ordinal, &run, error);
    if (status != AIMG_OK)
        return status;
    const struct aimg_column_record *column = &reader->catalog.columns[column_index].record;
    struct aimg_table *table = table_of(reader, run, column, &values);
    uint32_t row = ordinal - run->first;
    if (table != NULL)
        status = row_is_null(reader, table, column->id, row, &null, error);
    if (status == AIMG_OK && !null) {
        if (aimg_column_in_groups(column))
            status = aimg_group_copy(reader, table, values, row, buffer, buffer_bytes, &bytes, error);
        else if (column->type == AIMG_COLUMN_DICTIONARY)
            status = copy_dictionary(reader, column_index, table, values, row, buffer, buffer_bytes, &bytes, error);
        else
            status = copy_fixed(reader, table, values, row, (size_t)aimg_column_element_bytes(column->type) * column->width,
                                buffer, buffer_bytes, &bytes, error);
    }
    if (status != AIMG_OK && status != AIMG_BUFFER_TOO_SMALL)
        return status;
    *bytes_out = bytes;
    *null_out = null;
    return status;
}
