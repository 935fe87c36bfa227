/* SPDX-License-Identifier: Apache-2.0 */
#include "column_reader.h"

#include "cmd.h"
#include "output.h"

#include <string.h>

enum { NAME_ROOM = 1024 + 1, STEPS_MOST = 1 << 16 };

bool column_reader_begin(struct column_reader *column, const struct aimg_reader *reader, const char *path, const char *name)
{
    *column = (struct column_reader){.reader = reader, .path = path};
    if (aimg_reader_column_find(reader, name, &column->column, NULL) != AIMG_OK)
        return false;
    column->type = value_type_of(&column->column);
    return true;
}

void column_reader_end(struct column_reader *column)
{
    aimg_values_destroy(column->values);
    column->values = NULL;
    buffer_free(&column->name);
}

static int failed(const struct column_reader *column, enum aimg_status status, const struct aimg_error *error)
{
    int code = output_status(column->path, status, error);

    output_error("%s: the column '%s' cannot be read", column->path, column->column.name);
    return code;
}

/* Goes on to the ordinal; what lies between is stepped over, or, when it is much, left out. */
static int go_to(struct column_reader *column, uint32_t ordinal)
{
    struct aimg_error error;
    enum aimg_status status = AIMG_OK;

    if (!column->begun || ordinal <= column->last.ordinal || ordinal - column->last.ordinal > STEPS_MOST) {
        aimg_values_destroy(column->values);
        column->values = NULL;
        status = aimg_values_create(column->reader, column->column.index, ordinal, &column->values, &error);
    }
    column->begun = status == AIMG_OK;
    do {
        if (status == AIMG_OK)
            status = aimg_values_next(column->values, &column->last, &error);
    } while (status == AIMG_OK && column->last.ordinal < ordinal);
    return status == AIMG_OK ? EXIT_DONE : failed(column, status, &error);
}

static int find_name(struct column_reader *column, struct column_value *value)
{
    struct aimg_error error;
    struct aimg_entry entry;
    enum aimg_status status;
    uint32_t image = 0;

    for (size_t i = value->bytes; i-- > 0;)
        image = image << 8 | (uint8_t)value->data[i];
    column->name.bytes = 0;
    if (!buffer_reserve(&column->name, NAME_ROOM)) {
        output_error("%s: out of memory for a value of the column '%s'", column->path, column->column.name);
        return EXIT_SYSTEM;
    }
    status = aimg_reader_entry(column->reader, image, &entry, &error);
    if (status == AIMG_OK && !entry.dead)
        status = aimg_reader_name(column->reader, image, column->name.data, column->name.room, &value->bytes, &error);
    if (status != AIMG_OK)
        return failed(column, status, &error);
    /* A name that finds nothing, or another image, is worse than none. */
    value->null = entry.dead || value->bytes == 0;
    value->data = column->name.data;
    column->unnamed += value->null;
    return EXIT_DONE;
}

int column_reader_value(struct column_reader *column, uint32_t ordinal, struct column_value *value_out)
{
    int code = go_to(column, ordinal);

    *value_out = (struct column_value){.null = true};
    if (code != EXIT_DONE || column->last.null)
        return code;
    *value_out = (struct column_value){.data = column->last.data, .bytes = column->last.bytes};
    return column->type.type == AIMG_TYPE_IMAGE ? find_name(column, value_out) : EXIT_DONE;
}

void column_reader_report(const struct column_reader *column)
{
    char count[32];

    if (column->unnamed > 0)
        output_warning("%s: column '%s': %s of its images are removed or have no name; they are shown as missing", column->path,
                       column->column.name, output_count(column->unnamed, count, sizeof count));
}
