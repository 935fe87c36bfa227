/* SPDX-License-Identifier: Apache-2.0 */
/* The numbers of an array in a cell, one after the other: "[1, 2.5]", "1 2.5", "[[1,2],[3,4]]", or a JSON array. */
#ifndef AIMG_TOOLS_ELEMENTS_H
#define AIMG_TOOLS_ELEMENTS_H

#include "scalar.h"
#include "table.h"

enum elements_step {
    ELEMENTS_ONE,  /* a number: in scalar */
    ELEMENTS_OPEN, /* an inner array begins, or ends */
    ELEMENTS_CLOSE,
    ELEMENTS_END,
    ELEMENTS_BAD /* this is no array of numbers; why says how */
};

struct elements {
    struct scalar scalar;
    const char *why;

    const char *at, *end; /* of text */
    unsigned depth;
    bool bracket, comma, begun, over;
    const json_t *json, *inner; /* of JSON */
    size_t index, inner_index;
};

/* False when the cell cannot be an array: JSON that is none. Text is always tried. */
bool elements_begin(struct elements *elements, const struct table_cell *cell);
enum elements_step elements_next(struct elements *elements);

#endif
