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
    uint32_t column; /* which of the fields; once these are defined, its id in the writer */
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
    bool open, loaded;
};

/* These print what is wrong, and return an exit_code. They are called in this order, and need value_file_free in any case. */

/* A pipe is read to its end. path NULL: there is no such file. */
int value_file_open(struct value_file *file, const char *path);
/* Reads all rows, unless that was done. base: the archive, whose columns have types; NULL for one that is yet to be made. */
int value_file_load(struct value_file *file, const struct aimg_reader *base, const char *archive);
/* Defines the columns in the writer. Once. */
int value_file_define(struct value_file *file, struct aimg_writer *writer);

/* NULL: no row has this name. */
struct value_row *value_file_find(const struct value_file *file, const char *name, size_t name_bytes);
void value_file_free(struct value_file *file);

#endif
