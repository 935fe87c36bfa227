/* SPDX-License-Identifier: Apache-2.0 */
/* Values of images that are there: of the archive, or of the open batch. */
#include "column_publish.h"
#include "value_check.h"

#include "name.h"

static enum aimg_status check_ordinal(const struct aimg_writer *writer, uint32_t ordinal, struct aimg_error *error)
{
    const struct aimg_reader *base = writer->base;
    if (ordinal >= writer->head.ordinal_count)
        return aimg_fail(error, AIMG_NOT_FOUND, "there is no image %" PRIu32, ordinal);
    if (aimg_ordinal_set_has(&writer->removed, ordinal))
        return aimg_fail(error, AIMG_NOT_FOUND, "image %" PRIu32 " was removed or replaced in this batch", ordinal);
    if (ordinal >= base->catalog.head.ordinal_count)
        return AIMG_OK;
    struct aimg_run *run = &base->catalog.runs[aimg_catalog_run(&base->catalog, ordinal)];
    return aimg_run_check_alive(&base->source, run, ordinal, error);
}

/* A value for one row of a run that is written: kept; when too many are kept, all of them are written. */
static enum aimg_status keep_edit(struct aimg_writer *writer, uint32_t column, uint32_t ordinal, const void *data, size_t bytes,
                                  struct aimg_error *error)
{
    size_t element = aimg_column_element_bytes(writer->columns[column].record.type);
    if (!aimg_edits_add(&writer->allocator, &writer->edits, column, ordinal, data, bytes, element == 0 ? 1 : element))
        return aimg_fail_memory(error, bytes);
    if (!aimg_edits_full(&writer->edits, writer->stage_max))
        return AIMG_OK;
    enum aimg_status status = aimg_writer_spill_run(writer, error); /* some may be of its rows */
    if (status == AIMG_OK)
        status = aimg_column_publish_edits(writer, error);
    return status == AIMG_OK ? AIMG_OK : aimg_writer_poison(writer, status);
}

/* Whether the row is staged and can take the value there. What has no room in memory is written first. */
static enum aimg_status stage_takes(struct aimg_writer *writer, uint32_t column, uint32_t ordinal, size_t bytes, bool *takes_out,
                                    struct aimg_error *error)
{
    struct aimg_stage *stage = &writer->stage;
    *takes_out = false;
    if (ordinal < stage->first || !aimg_stage_value_fits(stage, column, ordinal - stage->first))
        return AIMG_OK;
    *takes_out = aimg_stage_bytes(stage) + aimg_stage_value_bytes(stage, column, bytes) <= writer->stage_max;
    if (*takes_out)
        return AIMG_OK;
    enum aimg_status status = aimg_writer_spill_run(writer, error);
    return status == AIMG_OK ? AIMG_OK : aimg_writer_poison(writer, status);
}

static enum aimg_status set_staged(struct aimg_writer *writer, uint32_t column, uint32_t ordinal, const void *data, size_t bytes,
                                   struct aimg_error *error)
{
    if (aimg_stage_value_set(&writer->stage, column, ordinal - writer->stage.first, data, bytes))
        return AIMG_OK;
    return aimg_writer_poison(writer, aimg_fail_memory(error, bytes));
}

enum aimg_status aimg_writer_set(struct aimg_writer *writer, uint32_t ordinal, const struct aimg_value *value,
                                 struct aimg_error *error)
{
    struct aimg_plain_value plain;
    bool staged = false;
    enum aimg_status status = aimg_writer_check(writer, error);
    if (status == AIMG_OK && value == NULL)
        status = aimg_fail(error, AIMG_INVALID_ARGUMENT, "there is no value to set");
    if (status == AIMG_OK)
        status = check_ordinal(writer, ordinal, error);
    if (status == AIMG_OK)
        status = aimg_value_check(writer, value, error);
    if (status == AIMG_OK)
        status = aimg_value_plain(writer, value, &plain, error);
    if (status == AIMG_OK)
        status = stage_takes(writer, plain.column_index, ordinal, plain.bytes, &staged, error);
    if (status != AIMG_OK)
        return status;
    return staged ? set_staged(writer, plain.column_index, ordinal, plain.data, plain.bytes, error)
                  : keep_edit(writer, plain.column_index, ordinal, plain.data, plain.bytes, error);
}

/* ------------------------------------------------------------------ arrays */

struct array {
    struct aimg_writer *writer;
    uint32_t column; /* index */
    uint32_t first, count;
    const uint8_t *values;
    const uint8_t *validity; /* NULL: all */
    size_t full;             /* bytes of a value */
};

static const uint8_t *value_at(const struct array *array, uint32_t index)
{
    bool null = array->validity != NULL && !aimg_bitmap_get(array->validity, index);
    return null ? NULL : array->values + (size_t)index * array->full;
}

static const char *element_fault(const struct array *array, uint64_t limit, const uint8_t *value)
{
    const struct aimg_column_record *record = &array->writer->columns[array->column].record;
    if (record->type == AIMG_COLUMN_BOOL) {
        for (size_t i = 0; i < array->full; i++)
            if (value[i] > 1)
                return "a bool is 0 or 1";
        return NULL;
    }
    uint32_t number;
    memcpy(&number, value, sizeof number);
    if (number < limit)
        return NULL;
    return record->type == AIMG_COLUMN_IMAGE ? "there is no such image" : "the dictionary has no such code";
}

static enum aimg_status check_elements(const struct array *array, struct aimg_error *error)
{
    const struct aimg_writer_column *column = &array->writer->columns[array->column];
    uint32_t codes = aimg_dictionary_count(&column->dictionary);
    uint64_t limit = array->writer->head.ordinal_count;
    if (column->record.type == AIMG_COLUMN_DICTIONARY) /* the codes of the file, and when it was loaded also the new ones */
        limit = codes > column->record.dictionary_count ? codes : column->record.dictionary_count;
    else if (column->record.type != AIMG_COLUMN_IMAGE && column->record.type != AIMG_COLUMN_BOOL)
        return AIMG_OK;
    for (uint32_t i = 0; i < array->count; i++) {
        const uint8_t *value = value_at(array, i);
        const char *fault = value == NULL ? NULL : element_fault(array, limit, value);
        if (fault != NULL)
            return aimg_fail(error, AIMG_INVALID_ARGUMENT, "column '%s', image %" PRIu32 ": %s", column->name, array->first + i,
                             fault);
    }
    return AIMG_OK;
}

static enum aimg_status check_array(struct array *array, uint32_t id, struct aimg_error *error)
{
    struct aimg_writer *writer = array->writer;
    enum aimg_status status = aimg_value_column(writer, id, &array->column, error);
    if (status != AIMG_OK)
        return status;
    const struct aimg_column_record *record = &writer->columns[array->column].record;
    if (aimg_column_in_groups(record))
        return aimg_fail(error, AIMG_INVALID_ARGUMENT,
                         "column '%s': texts, bytes and lists do not come as arrays; set them one by one",
                         writer->columns[array->column].name);
    if (array->values == NULL && array->count > 0)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "column '%s': the array is NULL", writer->columns[array->column].name);
    if (array->first > writer->head.ordinal_count || array->count > writer->head.ordinal_count - array->first)
        return aimg_fail(error, AIMG_NOT_FOUND, "there are no %" PRIu32 " images from %" PRIu32 " on: the archive has %" PRIu64,
                         array->count, array->first, writer->head.ordinal_count);
    array->full = (size_t)aimg_column_element_bytes(record->type) * record->width;
    return check_elements(array, error);
}

/* The part of the array that is of staged rows goes there, so that it needs no table of its own. Leaves the rest. */
static enum aimg_status set_staged_rows(struct array *array, struct aimg_error *error)
{
    struct aimg_writer *writer = array->writer;
    enum aimg_status status = AIMG_OK;
    bool staged = true;
    uint32_t last = array->first + (array->count - 1);
    if (last < writer->stage.first)
        return AIMG_OK;
    status = stage_takes(writer, array->column, last, array->full, &staged, error);
    if (status != AIMG_OK || !staged)
        return status;
    uint32_t from = array->first > writer->stage.first ? array->first : writer->stage.first;
    for (uint32_t ordinal = from; status == AIMG_OK && ordinal <= last; ordinal++)
        status = set_staged(writer, array->column, ordinal, value_at(array, ordinal - array->first), array->full, error);
    array->count = from - array->first;
    return status;
}

/* The bits of a run's rows, from its first one on, where the array's do not begin a byte with it. */
static uint8_t *shifted_bits(const struct array *array, uint32_t index, uint32_t count)
{
    uint8_t *bits = aimg_alloc_array(&array->writer->allocator, aimg_blocks(count, 8), 1);
    for (uint32_t i = 0; bits != NULL && i < count; i++)
        bits[i / 8] |= (uint8_t)(aimg_bitmap_get(array->validity, (uint64_t)index + i) << (i % 8));
    return bits;
}

/* The values of a run's rows in the byte order of the file. */
static uint8_t *stored_values(const struct array *array, uint32_t index, uint32_t count)
{
    uint8_t *values = aimg_alloc_array(&array->writer->allocator, count, array->full);
    size_t element = aimg_column_element_bytes(array->writer->columns[array->column].record.type);
    if (values != NULL)
        aimg_column_store(values, array->values + (size_t)index * array->full, count * array->full, element);
    return values;
}

/* A run all of whose rows are in the array. */
static enum aimg_status set_run(const struct array *array, const struct aimg_written_runs *written, uint32_t run,
                                struct aimg_error *error)
{
    struct aimg_writer *writer = array->writer;
    uint32_t count = written->runs[run].count, index = written->runs[run].first - array->first;
    struct aimg_column_change change = {.column = array->column, .values = array->values + (size_t)index * array->full};
    uint8_t *bits = NULL, *values = NULL;
    enum aimg_status status = AIMG_OK;
    if (array->validity != NULL && index % 8 != 0 && (bits = shifted_bits(array, index, count)) == NULL)
        status = aimg_fail_memory(error, count / 8);
    if (status == AIMG_OK && !AIMG_LITTLE_ENDIAN && (values = stored_values(array, index, count)) == NULL)
        status = aimg_fail_memory(error, count * array->full);
    if (array->validity != NULL)
        change.validity = bits != NULL ? bits : array->validity + index / 8;
    if (values != NULL)
        change.values = values;
    if (status == AIMG_OK)
        status = aimg_column_publish_run(writer, written, run, &change, 1, error);
    aimg_release(&writer->allocator, bits);
    aimg_release(&writer->allocator, values);
    return status;
}

struct interval {
    uint32_t first, count;
};

/* The runs that the array covers: they follow each other. What it has of others, at its two ends, is put out. */
static struct interval covered_runs(const struct array *array, const struct aimg_written_runs *written, struct interval rest[2])
{
    struct interval runs = {0, 0};
    uint64_t array_end = (uint64_t)array->first + array->count;
    uint32_t rests = 0;
    for (uint32_t i = 0; i < written->count; i++) {
        const struct aimg_part *run = &written->runs[i];
        uint64_t run_end = (uint64_t)run->first + run->count;
        uint32_t from = run->first > array->first ? run->first : array->first;
        uint64_t end = run_end < array_end ? run_end : array_end;
        if (from >= end)
            continue;
        if (end - from < run->count) {
            rest[rests++] = (struct interval){from, (uint32_t)(end - from)};
            continue;
        }
        runs.first = runs.count == 0 ? i : runs.first;
        runs.count++;
    }
    return runs;
}

/* Runs that the array covers are written at once, from where it lies. */
static enum aimg_status set_whole_runs(const struct array *array, struct interval rest[2], struct aimg_error *error)
{
    struct aimg_written_runs written;
    enum aimg_status status = aimg_written_runs_take(array->writer, &written, error);
    if (status != AIMG_OK)
        return status;
    struct interval runs = covered_runs(array, &written, rest);
    if (runs.count > 0) {
        const struct aimg_part *last = &written.runs[runs.first + runs.count - 1];
        uint32_t first = written.runs[runs.first].first;
        aimg_edits_drop(&array->writer->edits, array->column, first, last->first + last->count - first);
    }
    for (uint32_t i = runs.first; status == AIMG_OK && i < runs.first + runs.count; i++)
        status = set_run(array, &written, i, error);
    aimg_written_runs_release(array->writer, &written);
    return status;
}

static enum aimg_status set_rows(const struct array *array, struct aimg_error *error)
{
    struct interval rest[2] = {{0, 0}, {0, 0}};
    enum aimg_status status = set_whole_runs(array, rest, error);
    for (size_t k = 0; k < 2; k++) {
        uint32_t index = rest[k].first - array->first;
        for (uint32_t i = index; status == AIMG_OK && i < index + rest[k].count; i++)
            status = keep_edit(array->writer, array->column, array->first + i, value_at(array, i), array->full, error);
    }
    return status;
}

enum aimg_status aimg_writer_set_array(struct aimg_writer *writer, uint32_t column, uint32_t first, uint32_t count,
                                       const void *values, const uint8_t *validity, struct aimg_error *error)
{
    struct array array = {.writer = writer, .first = first, .count = count, .values = values, .validity = validity};
    enum aimg_status status = aimg_writer_check(writer, error);
    if (status == AIMG_OK)
        status = check_array(&array, column, error);
    if (status != AIMG_OK || count == 0)
        return status;
    status = set_staged_rows(&array, error);
    if (status == AIMG_OK && array.count > 0)
        status = set_rows(&array, error);
    return status == AIMG_OK ? AIMG_OK : aimg_writer_poison(writer, status);
}
