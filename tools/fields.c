/* SPDX-License-Identifier: Apache-2.0 */
#include "fields.h"

#include "cmd.h"
#include "interrupt.h"
#include "utf8.h"
#include "writing.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES_MOST = 255 };

static int memory_error(const struct fields *fields)
{
    output_error("%s: out of memory for its columns", fields->table->path);
    return EXIT_SYSTEM;
}

/* ------------------------------------------------------------------ names and types */

static bool has_control(const char *text, size_t bytes)
{
    for (size_t at = 0; at < bytes;) {
        size_t sequence = utf8_sequence((const unsigned char *)text + at, bytes - at);

        if (sequence == 0 || utf8_is_control((const unsigned char *)text + at, sequence))
            return true;
        at += sequence;
    }
    return false;
}

static int check_name(const struct fields *fields, const char *name, size_t bytes)
{
    const struct table *table = fields->table;

    if (bytes == 0 || bytes > NAME_BYTES_MOST)
        return table_error(table, "a column's name has 1 to %d bytes, '%.*s' has %zu", NAME_BYTES_MOST, NAME_BYTES_MOST, name,
                           bytes);
    if (has_control(name, bytes))
        return table_error(table, "the column's name '%.*s' has a control character", (int)bytes, name);
    if (value_type_is_reserved(name, bytes))
        return table_error(table,
                           "no column can have the name '%.*s'; id, name, ordinal, position, format, bytes, xxh128 and "
                           "data are what every image has",
                           (int)bytes, name);
    for (uint32_t i = 0; i < fields->count; i++)
        if (strlen(fields->items[i].name) == bytes && memcmp(fields->items[i].name, name, bytes) == 0)
            return table_error(table, "the column '%.*s' stands here twice", (int)bytes, name);
    return EXIT_DONE;
}

static int report_clash(const struct fields *fields, const struct field *field, const struct value_type *there, const char *whose)
{
    char wanted[VALUE_TYPE_TEXT_BYTES], found[VALUE_TYPE_TEXT_BYTES];

    return table_error(fields->table, "column '%s' is %s in this file and %s %s; a column's type cannot be changed", field->name,
                       value_type_name(&field->type, wanted), value_type_name(there, found), whose);
}

static bool is_in_archive(const struct fields *fields, const char *name, struct aimg_column *column_out)
{
    return fields->base != NULL && aimg_reader_column_find(fields->base, name, column_out, NULL) == AIMG_OK;
}

/* What the archive, or the format, says of the column. */
static int settle_type(const struct fields *fields, struct field *field)
{
    bool declared = field->origin == FIELD_DECLARED;
    struct aimg_column column;
    struct value_type type;
    bool there = is_in_archive(fields, field->name, &column);

    if (!there && value_type_is_spaced(field->name))
        return table_error(fields->table, "the column's name '%s' begins or ends with a space", field->name);
    if (there)
        type = value_type_of(&column);
    else if (!value_type_predefined(field->name, &type))
        return EXIT_DONE;
    if (declared && !value_type_equal(&type, &field->type))
        return report_clash(fields, field, &type, there ? "in the archive" : "in every archive");
    field->type = type;
    field->origin = there ? FIELD_EXISTING : FIELD_DECLARED;
    return EXIT_DONE;
}

/* "score:f32": what stands behind the last colon is a type, unless the archive has a column of just that name. */
static int split_head(const struct fields *fields, const char *head, size_t *name_bytes_out, struct field *field)
{
    const char *colon = strrchr(head, ':');
    struct aimg_column column;

    *name_bytes_out = strlen(head);
    field->origin = FIELD_INFERRED;
    if (colon == NULL)
        return EXIT_DONE;
    if (value_type_parse(colon + 1, strlen(colon + 1), &field->type)) {
        field->origin = FIELD_DECLARED;
        *name_bytes_out = table_name_bytes(fields->table, head, (size_t)(colon - head));
        return EXIT_DONE;
    }
    if (is_in_archive(fields, head, &column))
        return EXIT_DONE;
    return table_error(fields->table, "'%s' is no type, in the column '%s'; types are %s", colon + 1, head, value_type_names);
}

static int add_field(struct fields *fields, const char *head)
{
    struct field field = {.name = NULL};
    size_t bytes = 0;
    int code = split_head(fields, head, &bytes, &field);

    if (code == EXIT_DONE)
        code = check_name(fields, head, bytes);
    if (code != EXIT_DONE)
        return code;
    if (fields->count == fields->room) {
        uint32_t room = fields->room == 0 ? 16 : fields->room * 2;
        struct field *items = realloc(fields->items, room * sizeof *items);

        if (items == NULL)
            return memory_error(fields);
        fields->items = items;
        fields->room = room;
    }
    field.name = buffer_text(head, bytes);
    if (field.name == NULL)
        return memory_error(fields);
    fields->items[fields->count++] = field;
    return settle_type(fields, &fields->items[fields->count - 1]);
}

/* ------------------------------------------------------------------ scanning */

int fields_check_name(const struct table *table)
{
    const struct table_cell *cell = &table->cells[0];

    if (cell->kind != TABLE_TEXT || cell->bytes == 0)
        return table_error(table, "the name is empty; it says which image the row is about");
    if (!utf8_valid(cell->text, cell->bytes))
        return table_error(table, "the name is not UTF-8");
    return EXIT_DONE;
}

/* Columns that came with this row; what is wrong with one of CSV is wrong with the header. */
static int add_fields(struct fields *fields)
{
    struct table *table = fields->table;
    uint64_t row = table->row;
    int code = EXIT_DONE;

    if (table->format == TABLE_CSV)
        table->row = table->header_row;
    while (code == EXIT_DONE && fields->count + 1 < table->count)
        code = add_field(fields, table->heads[fields->count + 1]);
    table->row = row;
    return code;
}

static int scan_row(struct fields *fields)
{
    const struct table *table = fields->table;
    int code = add_fields(fields);

    if (code == EXIT_DONE)
        code = fields_check_name(table);
    for (uint32_t i = 0; code == EXIT_DONE && i < fields->count; i++) {
        struct field *field = &fields->items[i];

        if (field->origin == FIELD_INFERRED && !infer_cell(&field->infer, &table->cells[i + 1], table->row))
            code = memory_error(fields);
    }
    return code;
}

static bool has_open_types(const struct fields *fields)
{
    for (uint32_t i = 0; i < fields->count; i++)
        if (fields->items[i].origin == FIELD_INFERRED)
            return true;
    return false;
}

static int report_mixed(const struct fields *fields, const struct field *field, const char *why)
{
    struct infer_advice advice = infer_advice(&field->infer);

    if (advice.type == NULL)
        output_error("%s: column '%s': no type holds all its values: %s; %s", fields->table->path, field->name, why,
                     advice.words);
    else
        output_error("%s: column '%s': no type holds all its values: %s; '%s:%s' %s", fields->table->path, field->name, why,
                     field->name, advice.type, advice.words);
    return EXIT_NO;
}

static int resolve(struct fields *fields)
{
    char why[INFER_WHY_BYTES];

    for (uint32_t i = 0; i < fields->count; i++) {
        struct field *field = &fields->items[i];

        if (field->origin != FIELD_INFERRED)
            continue;
        switch (infer_type(&field->infer, &field->type, why)) {
        case INFER_TYPE:
            break;
        case INFER_NOTHING:
            field->origin = FIELD_EMPTY;
            output_warning("%s: column '%s' has no value and no type; it is left out", fields->table->path, field->name);
            break;
        case INFER_MIXED:
            return report_mixed(fields, field, why);
        }
    }
    return EXIT_DONE;
}

static int check_rows(const struct fields *fields)
{
    const struct table *table = fields->table;

    if (fields->rows == 0) {
        output_error("%s: %s", table->path, table->format == TABLE_CSV ? "has a header and no rows" : "is empty");
        return EXIT_NO;
    }
    if (fields->count == 0) {
        output_error("%s: has names only, and no column with values", table->path);
        return EXIT_NO;
    }
    return EXIT_DONE;
}

int fields_scan(struct fields *fields, struct table *table, const struct aimg_reader *base, const char *archive)
{
    bool row = true;
    int code;

    *fields = (struct fields){.table = table, .base = base, .archive = archive};
    for (;;) {
        code = table_next(table, &row);
        if (code != EXIT_DONE || !row)
            break;
        fields->rows++;
        code = scan_row(fields);
        if (code == EXIT_DONE && interrupt_pending()) {
            output_error("interrupted");
            code = EXIT_SYSTEM;
        }
        /* The header of CSV has all columns; when it tells their types, one row is enough. */
        if (code != EXIT_DONE || (table->format == TABLE_CSV && !has_open_types(fields)))
            break;
    }
    if (code == EXIT_DONE)
        code = check_rows(fields);
    if (code == EXIT_DONE)
        code = resolve(fields);
    return code == EXIT_DONE ? table_rewind(table) : code;
}

int fields_define(struct fields *fields, struct aimg_writer *writer)
{
    struct aimg_error error;

    for (uint32_t i = 0; i < fields->count; i++) {
        struct field *field = &fields->items[i];
        enum aimg_status status;

        if (field->origin == FIELD_EMPTY)
            continue;
        status =
            aimg_writer_column(writer, field->name, field->type.type, field->type.width, field->type.list, &field->id, &error);
        if (status != AIMG_OK)
            return writing_failed(fields->archive, status, &error);
    }
    return EXIT_DONE;
}

int fields_wrong(const struct fields *fields, const struct field *field, const char *why)
{
    char type[VALUE_TYPE_TEXT_BYTES];

    return table_error(fields->table, "column '%s' (%s): %s", field->name, value_type_name(&field->type, type), why);
}

void fields_free(struct fields *fields)
{
    for (uint32_t i = 0; i < fields->count; i++) {
        infer_free(&fields->items[i].infer);
        free(fields->items[i].name);
    }
    free(fields->items);
    fields->items = NULL;
    fields->count = fields->room = 0;
}
