/* SPDX-License-Identifier: Apache-2.0 */
/* Reads one column of any type for ordinals that mostly ascend. */
#ifndef AIMG_TOOLS_COLUMN_READER_H
#define AIMG_TOOLS_COLUMN_READER_H

#include "buffer.h"
#include "value_type.h"

struct column_reader {
    const struct aimg_reader *reader;
    const char *path;
    struct aimg_column column;
    struct value_type type;
    struct aimg_values *values;
    struct aimg_column_value last; /* what `values` gave; its ordinal is below all that come */
    bool begun;
    struct buffer name; /* of an image */
    uint64_t unnamed;   /* images in the column that are removed, or have no name */
};

struct column_value {
    bool null;
    const char *data; /* fixed width: full-width little-endian elements; text as it is; an image: its name. Until the next call */
    size_t bytes;
};

/* False: there is no such column. */
bool column_reader_begin(struct column_reader *column, const struct aimg_reader *reader, const char *path, const char *name);
void column_reader_end(struct column_reader *column);
/* Prints what is wrong; returns an exit_code. */
int column_reader_value(struct column_reader *column, uint32_t ordinal, struct column_value *value_out);
/* Tells of unnamed images, once. */
void column_reader_report(const struct column_reader *column);

#endif
