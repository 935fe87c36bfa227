/* SPDX-License-Identifier: Apache-2.0 */
#include "intake_values.h"

#include "cmd.h"
#include "reading.h"
#include "unknown.h"
#include "writing.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int intake_values_begin(struct intake_values *values, const char *path, struct value_file *file, struct aimg_writer *writer,
                        const char *target, uint32_t replaceable)
{
    int code;

    *values = (struct intake_values){.path = path, .file = file, .writer = writer, .target = target, .replaceable = replaceable};
    if (path == NULL)
        return EXIT_DONE;
    code = value_file_load(file, aimg_writer_base(writer), target);
    if (code == EXIT_DONE)
        code = value_file_define(file, writer);
    if (code != EXIT_DONE)
        return code;
    values->values = calloc(INGEST_COLUMNS + (size_t)file->fields.count, sizeof *values->values);
    if (values->values != NULL)
        return EXIT_DONE;
    output_error("%s: out of memory", path);
    return EXIT_SYSTEM;
}

void intake_values_end(struct intake_values *values)
{
    free(values->values);
    values->values = NULL;
}

/* The name of an image becomes its ordinal, once there is such an image, of ordinal `first` or higher. */
static int resolve(struct intake_values *values, struct row_value *value, uint32_t first, bool *found_out)
{
    struct aimg_error error;
    uint32_t ordinal;
    enum aimg_status status = aimg_writer_find(values->writer, value->data, value->bytes, &ordinal, &error);

    *found_out = status == AIMG_OK && ordinal >= first;
    if (status == AIMG_NOT_FOUND || status == AIMG_INVALID_ARGUMENT)
        return EXIT_DONE;
    if (status != AIMG_OK)
        return writing_failed(values->target, status, &error);
    if (!*found_out)
        return EXIT_DONE;
    memcpy(value->data, &ordinal, sizeof ordinal);
    value->bytes = sizeof ordinal;
    value->kind = ROW_DATA;
    return EXIT_DONE;
}

/* Puts a value in the place of one that was there, or takes that away. */
static void put(struct intake_values *values, const struct row_value *value)
{
    size_t at = 0;

    while (at < values->count && values->values[at].column != value->column)
        at++;
    if (value->kind == ROW_DATA) {
        values->values[at] = (struct aimg_value){.column = value->column, .data = value->data, .bytes = value->bytes};
        values->count += at == values->count;
    } else if (at < values->count)
        values->values[at] = values->values[--values->count];
}

int intake_values_merge(struct intake_values *values, const struct ingest_values *known, const char *name, size_t name_bytes)
{
    bool found;
    int code = EXIT_DONE;

    memcpy(values->values, known->values, known->count * sizeof *values->values);
    values->count = known->count;
    values->row = value_file_find(values->file, name, name_bytes);
    for (uint32_t i = 0; code == EXIT_DONE && values->row != NULL && i < values->row->count; i++) {
        struct row_value *value = &values->row->values[i];

        if (value->kind == ROW_NAME)
            code = resolve(values, value, values->replaceable, &found);
        put(values, value);
    }
    return code;
}

void intake_values_added(struct intake_values *values)
{
    if (values->row == NULL)
        return;
    values->row->used = true;
    for (uint32_t i = 0; i < values->row->count; i++)
        values->row->waiting = values->row->waiting || values->row->values[i].kind == ROW_NAME;
}

/* ------------------------------------------------------------------ what is left */

static int set_value(struct intake_values *values, const struct row_value *value, uint32_t ordinal)
{
    struct aimg_value one = {.column = value->column,
                             .flags = value->kind == ROW_NULL ? AIMG_VALUE_NULL : 0,
                             .data = value->data,
                             .bytes = value->bytes};
    struct aimg_error error;
    enum aimg_status status = aimg_writer_set(values->writer, ordinal, &one, &error);

    return status == AIMG_OK ? EXIT_DONE : writing_failed(values->target, status, &error);
}

/* Of a row whose image was added only what waits for another one. */
static int set_row(struct intake_values *values, struct value_row *row, uint32_t ordinal, uint64_t *lost, bool *changed)
{
    int code = EXIT_DONE;

    for (uint32_t i = 0; code == EXIT_DONE && i < row->count; i++) {
        struct row_value *value = &row->values[i];
        bool waited = value->kind == ROW_NAME, found = !waited;

        if (row->used && !waited)
            continue;
        if (waited)
            code = resolve(values, value, 0, &found);
        if (code == EXIT_DONE && found) {
            code = set_value(values, value, ordinal);
            *changed = true;
        }
        if (code == EXIT_DONE && !found && (*lost)++ < UNKNOWN_SHOWN)
            output_error("%s:%" PRIu64 ": the archive has no image '%.*s'%s", values->file->table.path, row->line,
                         (int)value->bytes, (const char *)value->data, values->strict ? "" : "; the value is left out");
    }
    return code;
}

static int finish_row(struct intake_values *values, struct value_row *row, struct unknown *unknown, uint64_t *lost, bool *changed)
{
    struct aimg_error error;
    uint32_t ordinal;
    enum aimg_status status = aimg_writer_find(values->writer, row->name, row->name_bytes, &ordinal, &error);

    if (status == AIMG_OK)
        return set_row(values, row, ordinal, lost, changed);
    if (status != AIMG_NOT_FOUND && status != AIMG_INVALID_ARGUMENT)
        return writing_failed(values->target, status, &error);
    unknown_add(unknown, values->file->table.path, row->line, row->name, row->name_bytes);
    return EXIT_DONE;
}

int intake_values_finish(struct intake_values *values, bool *changed_out)
{
    struct unknown unknown = {.count = 0};
    uint64_t lost = 0;
    char text[COUNT_TEXT_BYTES];
    int code = EXIT_DONE;

    for (size_t i = 0; values->path != NULL && code == EXIT_DONE && i < values->file->row_count; i++) {
        struct value_row *row = values->file->rows[i];

        if (row->used && !row->waiting)
            continue;
        code = finish_row(values, row, &unknown, &lost, changed_out);
    }
    unknown_report(&unknown, values->path, values->strict ? "stopping, as --strict says" : "their values are left out", NULL);
    if (lost > 0)
        output_error("%s: %s %s", values->path, reading_count(lost, "value", text),
                     values->strict ? "for images that are not there; stopping, as --strict says"
                                    : "left out, for images that are not there");
    if (code == EXIT_DONE && (unknown.count > 0 || lost > 0))
        code = EXIT_NO;
    return code;
}
