/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest_columns.h"

#include "cmd.h"
#include "output.h"
#include "writing.h"

#include <string.h>

static const struct {
    const char *name;
    enum aimg_type type;
} definitions[INGEST_COLUMNS] = {
    [COLUMN_WIDTH] = {"width", AIMG_TYPE_U32},      [COLUMN_HEIGHT] = {"height", AIMG_TYPE_U32},
    [COLUMN_CHANNELS] = {"channels", AIMG_TYPE_U8}, [COLUMN_LABEL] = {"label", AIMG_TYPE_DICTIONARY},
    [COLUMN_MTIME] = {"mtime_ns", AIMG_TYPE_I64},
};

int ingest_columns_begin(struct ingest_columns *columns, struct aimg_writer *writer, const char *archive, bool labels, bool times)
{
    *columns = (struct ingest_columns){.present = {true, true, true, labels, times}};
    for (int i = 0; i < INGEST_COLUMNS; i++) {
        if (!columns->present[i])
            continue;
        struct aimg_error error;
        enum aimg_status status =
            aimg_writer_column(writer, definitions[i].name, definitions[i].type, 1, 0, &columns->ids[i], &error);
        if (status == AIMG_EXISTS && i != COLUMN_MTIME) {
            output_warning("%s: has a column '%s' of another type; it stays empty for the new images", archive,
                           definitions[i].name);
            columns->present[i] = false;
        } else if (status != AIMG_OK) {
            return writing_failed(archive, status, &error);
        }
    }
    return EXIT_DONE;
}

static void put(const struct ingest_columns *columns, int column, const void *data, size_t bytes, struct ingest_values *values)
{
    if (columns->present[column])
        values->values[values->count++] = (struct aimg_value){.column = columns->ids[column], .data = data, .bytes = bytes};
}

void ingest_columns_fill(const struct ingest_columns *columns, const struct load_item *item, struct ingest_values *values_out)
{
    const struct aimg_picture *picture = &item->picture;
    values_out->count = 0;
    if (picture->width > 0)
        put(columns, COLUMN_WIDTH, &picture->width, sizeof picture->width, values_out);
    if (picture->height > 0)
        put(columns, COLUMN_HEIGHT, &picture->height, sizeof picture->height, values_out);
    if (picture->channels > 0 && picture->channels <= UINT8_MAX) {
        values_out->channels = (uint8_t)picture->channels;
        put(columns, COLUMN_CHANNELS, &values_out->channels, sizeof values_out->channels, values_out);
    }
    const char *slash = memchr(item->input.name, '/', item->input.name_bytes);
    if (slash != NULL)
        put(columns, COLUMN_LABEL, item->input.name, (size_t)(slash - item->input.name), values_out);
    put(columns, COLUMN_MTIME, &item->mtime_ns, sizeof item->mtime_ns, values_out);
}
