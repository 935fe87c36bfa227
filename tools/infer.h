/* SPDX-License-Identifier: Apache-2.0 */
/* The type of a column from its values, when nothing else says it. It is wide, since it can never be changed: whole numbers
 * become i64, u64 where they must, others f64, and digits that a number would lose (007, or 2^53 + 1 beside 0.5) stay text. */
#ifndef AIMG_TOOLS_INFER_H
#define AIMG_TOOLS_INFER_H

#include "number_set.h"
#include "table.h"
#include "value_type.h"

enum infer_kind {
    INFER_BOOL,
    INFER_INTEGER,
    INFER_REAL,
    INFER_SPECIAL, /* nan, inf; in JSON also 2^63 and more, as a string: a number among numbers, text among texts */
    INFER_TEXT,
    INFER_ARRAY,
    INFER_OTHER, /* JSON objects and what else no column holds */
    INFER_KINDS
};

/* Numbers of a column, or in its arrays. */
struct infer_numbers {
    bool negative, large; /* below 0; above 2^63 - 1 */
    bool integer, real, truth;
    bool inexact; /* a whole number that f64 does not hold, beyond 2^53 */
};

/* All zero at first. */
struct infer {
    uint64_t lines[INFER_KINDS]; /* where each kind was seen first; 0: never */
    struct infer_numbers numbers, elements;
    size_t least, most; /* elements of an array */
    size_t inner;       /* of the arrays in it; 0: there are none */
    bool flat, uneven;  /* an array held numbers; inner arrays differ in length, or both were seen */
    uint64_t texts;
    bool is_json, many;
    struct number_set distinct; /* hashes of the texts, until they are many */
};

enum infer_answer { INFER_TYPE, INFER_NOTHING, INFER_MIXED };
enum { INFER_WHY_BYTES = 256 };

/* False: out of memory. */
bool infer_cell(struct infer *infer, const struct table_cell *cell, uint64_t line);
/* NOTHING: there was no value. MIXED: no type holds them all, and why says what they are. */
enum infer_answer infer_type(const struct infer *infer, struct value_type *type_out, char why[INFER_WHY_BYTES]);
/* What can be done about MIXED: words alone, or a type to declare, and what that does. */
struct infer_advice {
    const char *type; /* or NULL */
    const char *words;
};
struct infer_advice infer_advice(const struct infer *infer);
void infer_free(struct infer *infer);

#endif
