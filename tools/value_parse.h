/* SPDX-License-Identifier: Apache-2.0 */
/* From the cell of a table to the bytes that a column takes. */
#ifndef AIMG_TOOLS_VALUE_PARSE_H
#define AIMG_TOOLS_VALUE_PARSE_H

#include "table.h"
#include "value_type.h"

enum { VALUE_WHY_BYTES = 256, VALUE_BYTES_MOST = 1 << 24 };

enum value_answer {
    VALUE_ABSENT,
    VALUE_NULL,
    VALUE_THERE, /* put behind what is in the buffer */
    VALUE_WRONG, /* why says how, in words that stand behind "the value is wrong: " */
    VALUE_NO_MEMORY
};

/* Any type but image, whose cell is a name: value_name. */
enum value_answer value_parse(const struct value_type *type, const struct table_cell *cell, struct buffer *out,
                              char why[VALUE_WHY_BYTES]);

/* The name in a cell of an image column. *name_out is the cell's. */
enum value_answer value_name(const struct table_cell *cell, const char **name_out, size_t *bytes_out, char why[VALUE_WHY_BYTES]);

#endif
