/* SPDX-License-Identifier: Apache-2.0 */
/* All values of one column, one after the other: each block is verified and each group decoded once. */
#include "dictionary.h"

/* Of fixed-width values, and of the bitmap, so many bytes are verified at once. */
#define WINDOW_BYTES 65536
/* A group that is larger than writers make it, but for one of a large value, is given back as soon as its rows are passed. */
#define GROUP_KEPT_BYTES (4 * AIMG_GROUP_TARGET_BYTES)

/* Bytes of a section, verified. */
struct window {
    const uint8_t *data; /* NULL: none */
    uint64_t begin;      /* in the section */
    uint64_t bytes;
    struct aimg_buffer scratch; /* where there is no map */
};

struct aimg_values {
    const struct aimg_reader *reader;
    const struct aimg_column_record *column;
    uint64_t ordinal;     /* of the next value */
    struct aimg_run *run; /* where the fields below are; NULL: nowhere yet */
    struct aimg_table *table;
    const struct aimg_section *section;  /* its values; NULL: all rows are null */
    const struct aimg_section *validity; /* NULL: all have one */
    struct window elements, bits;
    uint8_t wide[sizeof(uint64_t)]; /* a value that is stored narrower than its type */
    bool decoded;                   /* a group */
    struct aimg_group group;
    uint64_t group_index;
    struct aimg_buffer raw;
    uint32_t row;         /* next value of the group */
    const uint8_t *value; /* where it lies */
    struct aimg_dictionary dictionary;
};

enum aimg_status aimg_values_create(const struct aimg_reader *reader, uint32_t column_index, uint32_t first,
                                    struct aimg_values **values_out, struct aimg_error *error)
{
    enum aimg_status status = AIMG_OK;
    if (reader == NULL || values_out == NULL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "aimg_values_create needs a reader and a place for the iterator");
    if (column_index >= reader->catalog.head.column_count)
        return aimg_fail(error, AIMG_NOT_FOUND, "there is no column %" PRIu32 "; the archive has %" PRIu32, column_index,
                         reader->catalog.head.column_count);
    struct aimg_values *values = aimg_alloc_array(&reader->source.allocator, 1, sizeof *values);
    if (values == NULL)
        return aimg_fail_memory(error, sizeof *values);
    values->reader = reader;
    values->column = &reader->catalog.columns[column_index].record;
    values->ordinal = first;
    if (values->column->type == AIMG_COLUMN_DICTIONARY)
        status = aimg_dictionary_load(&values->dictionary, reader, values->column->id, error);
    if (status == AIMG_OK)
        *values_out = values;
    else
        aimg_values_destroy(values);
    return status;
}

void aimg_values_destroy(struct aimg_values *values)
{
    if (values == NULL)
        return;
    const struct aimg_allocator *allocator = &values->reader->source.allocator;
    aimg_dictionary_release(allocator, &values->dictionary);
    aimg_buffer_release(allocator, &values->raw);
    aimg_buffer_release(allocator, &values->elements.scratch);
    aimg_buffer_release(allocator, &values->bits.scratch);
    aimg_release(allocator, values);
}

uint64_t aimg_values_group_bytes(const struct aimg_values *values)
{
    return values->raw.capacity;
}

uint64_t aimg_values_dictionary_bytes(const struct aimg_values *values)
{
    return (uint64_t)values->dictionary.texts.bytes + values->dictionary.ends.bytes;
}

static enum aimg_status enter_run(struct aimg_values *values, struct aimg_run *run, struct aimg_error *error)
{
    bool groups = aimg_column_in_groups(values->column);
    enum aimg_status status = AIMG_OK;
    values->run = run;
    values->section = values->validity = NULL;
    values->table = aimg_column_table(values->reader, run, values->column);
    if (values->table != NULL) {
        unsigned kind = groups ? AIMG_SECTION_GROUPS : AIMG_SECTION_VALUES;
        values->section = aimg_table_section(values->table, kind, values->column->id);
        values->validity = aimg_table_section(values->table, AIMG_SECTION_VALIDITY, values->column->id);
    }
    values->elements.data = values->bits.data = NULL;
    values->decoded = false;
    /* A search for one row may meet any of the records: what it would refuse, the walk does not give. */
    if (groups && values->section != NULL)
        status = aimg_group_check_records(values->reader, values->table, values->section, error);
    if (status != AIMG_OK)
        values->run = NULL;
    return status;
}

/* `bytes` bytes at `offset` of a section, and a window of those that follow. */
static enum aimg_status look_at(struct aimg_values *values, struct window *window, const struct aimg_section *section,
                                uint64_t offset, size_t bytes, const uint8_t **data_out, struct aimg_error *error)
{
    const struct aimg_source *source = &values->reader->source;
    struct aimg_error local;
    bool here = window->data != NULL && offset >= window->begin && offset + bytes <= window->begin + window->bytes;
    if (here) {
        *data_out = window->data + (offset - window->begin);
        return AIMG_OK;
    }
    uint64_t end = aimg_round_up(section->offset + offset + bytes + WINDOW_BYTES, AIMG_BLOCK_BYTES) - section->offset;
    size_t size = (size_t)((end < section->bytes ? end : section->bytes) - offset);
    window->data = NULL;
    if (source->io->base == NULL) {
        window->scratch.bytes = 0;
        if (!aimg_buffer_reserve(&source->allocator, &window->scratch, size))
            return aimg_fail_memory(error, size);
    }
    window->data = aimg_table_fetch(source, values->table, section->offset + offset, size, window->scratch.data, &local);
    window->begin = offset;
    window->bytes = size;
    *data_out = window->data;
    return window->data != NULL ? AIMG_OK : aimg_fail_as(error, &local);
}

static enum aimg_status row_is_null(struct aimg_values *values, uint32_t row, bool *null_out, struct aimg_error *error)
{
    const uint8_t *byte = NULL;
    *null_out = values->section == NULL;
    if (values->section == NULL || values->validity == NULL)
        return AIMG_OK;
    enum aimg_status status = look_at(values, &values->bits, values->validity, row / 8, 1, &byte, error);
    if (status == AIMG_OK)
        *null_out = (*byte >> (row % 8) & 1) == 0;
    return status;
}

static bool has_group(const struct aimg_values *values, uint32_t row)
{
    return values->decoded && row >= values->group.first && row - values->group.first < values->group.count;
}

/* Decodes the group of the row unless it is there: the one behind that, or the first, which has to be found. */
static enum aimg_status go_to_group(struct aimg_values *values, uint32_t row, struct aimg_error *error)
{
    struct aimg_group *group = &values->group;
    enum aimg_status status = AIMG_OK;
    if (has_group(values, row))
        return AIMG_OK;
    bool behind = values->decoded; /* rows are taken in order */
    uint64_t index = values->group_index + 1;
    values->decoded = false;
    if (!behind)
        status = aimg_group_find(values->reader, values->table, values->section, row, &index, error);
    if (status == AIMG_OK)
        status = aimg_group_read(values->reader, values->table, values->section, index, group, &values->raw, error);
    if (status != AIMG_OK)
        return status;
    if (row < group->first || row - group->first >= group->count) /* someone overwrote the records */
        return aimg_fail_at(error, AIMG_CORRUPT, 39, values->table->payload + values->section->offset,
                            "the texts at %" PRIu64 " are malformed (rule 39); run verify, then repair",
                            values->table->payload + values->section->offset);
    values->decoded = true;
    values->group_index = index;
    values->row = group->first;
    values->value = values->raw.data + (size_t)group->count * 4;
    return AIMG_OK;
}

static enum aimg_status take_grouped(struct aimg_values *values, uint32_t row, struct aimg_column_value *out,
                                     struct aimg_error *error)
{
    enum aimg_status status = go_to_group(values, row, error);
    if (status != AIMG_OK)
        return status;
    const uint8_t *lengths = values->raw.data;
    for (; values->row < row; values->row++)
        values->value += aimg_load32(lengths + (size_t)(values->row - values->group.first) * 4);
    out->data = values->value;
    out->bytes = aimg_load32(lengths + (size_t)(row - values->group.first) * 4);
    return AIMG_OK;
}

static enum aimg_status take_text(struct aimg_values *values, struct aimg_column_value *out, struct aimg_error *error)
{
    out->code = aimg_load32(out->data);
    if (out->code >= aimg_dictionary_count(&values->dictionary))
        return aimg_fail_at(error, AIMG_CORRUPT, 61, values->table->part.offset,
                            "a row has code %" PRIu32 ", which its dictionary lacks; run verify", out->code);
    out->data = aimg_dictionary_text(&values->dictionary, out->code, &out->bytes);
    return AIMG_OK;
}

static enum aimg_status take_fixed(struct aimg_values *values, uint32_t row, struct aimg_column_value *out,
                                   struct aimg_error *error)
{
    const uint8_t *data = NULL;
    size_t stored = values->section->element_bytes;
    enum aimg_status status = look_at(values, &values->elements, values->section, (uint64_t)row * stored, stored, &data, error);
    if (status != AIMG_OK)
        return status;
    out->data = data;
    out->bytes = (size_t)aimg_column_element_bytes(values->column->type) * values->column->width;
    if (stored < out->bytes) { /* narrow values are scalars: at most 8 bytes */
        memset(values->wide, 0, sizeof values->wide);
        memcpy(values->wide, data, stored);
        out->data = values->wide;
    }
    return values->column->type == AIMG_COLUMN_DICTIONARY ? take_text(values, out, error) : AIMG_OK;
}

enum aimg_status aimg_values_next(struct aimg_values *values, struct aimg_column_value *value_out, struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &values->reader->catalog;
    struct aimg_column_value out = {.ordinal = (uint32_t)values->ordinal};
    bool null = true;
    if (values->ordinal >= catalog->head.ordinal_count)
        return AIMG_END;
    enum aimg_status status = AIMG_OK;
    if (values->run == NULL || values->ordinal - values->run->first >= values->run->count)
        status = enter_run(values, &catalog->runs[aimg_catalog_run(catalog, out.ordinal)], error);
    if (status != AIMG_OK)
        return status;
    uint32_t row = out.ordinal - values->run->first;
    if (values->raw.capacity > GROUP_KEPT_BYTES && !has_group(values, row))
        aimg_buffer_release(&values->reader->source.allocator, &values->raw);
    status = row_is_null(values, row, &null, error);
    out.null = null;
    if (status == AIMG_OK && !null)
        status =
            aimg_column_in_groups(values->column) ? take_grouped(values, row, &out, error) : take_fixed(values, row, &out, error);
    if (status != AIMG_OK)
        return status;
    *value_out = out;
    values->ordinal++;
    return AIMG_OK;
}

void aimg_values_seek(struct aimg_values *values, uint32_t ordinal)
{
    if (values->ordinal == ordinal)
        return;
    const struct aimg_run *run = values->run;
    uint32_t row = run == NULL || ordinal < run->first ? UINT32_MAX : ordinal - run->first;
    values->ordinal = ordinal;
    if (!has_group(values, row) || row < values->row)
        values->decoded = false; /* the group is found by searching */
    if (row == UINT32_MAX)
        values->run = NULL;
}
