/* SPDX-License-Identifier: Apache-2.0 */
/* --columns FILE of pack and add: a table held in memory, its rows found by the name of the image that is being added. */
#ifndef AIMG_TOOLS_VALUE_FILE_H
#define AIMG_TOOLS_VALUE_FILE_H

#include "fields.h"

enum row_value_kind {
    ROW_NULL,
    ROW_DATA,
    ROW_NAME /* of an image, which may come later */
};

struct row_value {
    uint32_t column; /* id */
    uint32_t bytes;
    enum row_value_kind kind;
    void *data;
};

struct value_row {
    uint64_t line;
    const char *name;
    uint32_t name_bytes;
    uint32_t count;
    bool used;    /* the image was added with these values */
    bool waiting; /* but for images that were not there yet */
    struct row_value values[];
};

struct value_block;

struct value_file {
    struct table table;
    struct fields fields;
    struct value_block *blocks; /* rows never move */
    struct value_row **rows;    /* in the order of the file */
    size_t row_count, row_room;
    struct value_row **slots; /* by the hash of the name; NULL is a free one */
    size_t slot_count;
    struct buffer cell;
    bool open;
};

/* Loads the file and defines its columns in the writer. Prints what is wrong; returns an exit_code. Needs value_file_free in any
 * case. */
int value_file_load(struct value_file *file, const char *path, struct aimg_writer *writer, const char *archive);
/* NULL: no row has this name. */
struct value_row *value_file_find(const struct value_file *file, const char *name, size_t name_bytes);
void value_file_free(struct value_file *file);

#endif
