/* SPDX-License-Identifier: Apache-2.0 */
/* One number or truth value on its way from text or JSON into a column, or from a column to text. */
#ifndef AIMG_TOOLS_SCALAR_H
#define AIMG_TOOLS_SCALAR_H

#include <aimg/aimg.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum scalar_kind {
    SCALAR_NONE, /* neither */
    SCALAR_INTEGER,
    SCALAR_REAL,
    SCALAR_BOOL
};

struct scalar {
    enum scalar_kind kind;
    bool negative; /* SCALAR_INTEGER: minus magnitude */
    bool padded;   /* digits that a number would lose: leading zeros, a plus sign, more of them than 64 bits hold */
    bool beyond;   /* SCALAR_REAL: more than a double holds; real is an infinity that nobody wrote */
    uint64_t magnitude;
    double real; /* also of an integer */
    bool truth;
};

/* Spaces around it are no part of it. */
struct scalar scalar_from_text(const char *text, size_t bytes);
/* A JSON string: only what JSON has no numbers for, nan, the infinities, and whole numbers of 2^63 or more. */
struct scalar scalar_from_string(const char *text, size_t bytes);
/* Any JSON value. */
struct scalar scalar_from_json(const json_t *json);

enum { SCALAR_TEXT_BYTES = 40, SCALAR_WHY_BYTES = 200 };

/* Puts it as an element of a type into out, in host order; the type is one with elements, no image. False: it does not fit, and
 * why says how, as "300 is out of the range of u8, 0 to 255". */
bool scalar_store(const struct scalar *scalar, enum aimg_type type, void *out, char why[SCALAR_WHY_BYTES]);

/* An element as text; reals in the fewest digits that give the same real back; nan, inf, -inf. Returns the number of bytes.
 * *finite_out: false for those three. */
size_t scalar_print(enum aimg_type type, const uint8_t *element, char text[SCALAR_TEXT_BYTES], bool *finite_out);

#endif
