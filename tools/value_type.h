/* SPDX-License-Identifier: Apache-2.0 */
/* Types of columns and their names: "u32", "f32[4]", "list<u16>", "list<f32[4]>". What is printed can be read again. */
#ifndef AIMG_TOOLS_VALUE_TYPE_H
#define AIMG_TOOLS_VALUE_TYPE_H

#include <aimg/aimg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct value_type {
    enum aimg_type type;
    uint32_t width; /* elements of a vector; 1 for a scalar */
    bool list;
};

enum { VALUE_TYPE_TEXT_BYTES = 48 };

struct value_type value_type_of(const struct aimg_column *column);
bool value_type_equal(const struct value_type *a, const struct value_type *b);
/* Bytes of one element; 0 for text, bytes and dictionary. */
size_t value_type_element_bytes(enum aimg_type type);
/* Whether there are several elements in a value. */
bool value_type_is_array(const struct value_type *type);
bool value_type_is_text(enum aimg_type type);

/* Returns buffer. */
const char *value_type_name(const struct value_type *type, char buffer[VALUE_TYPE_TEXT_BYTES]);
/* Other names too, such as float32 and text, in letters of either case and with spaces around. False for what is no type, or one
 * that no column can have. */
bool value_type_parse(const char *text, size_t bytes, struct value_type *type_out);
/* The names of all types in one line, for messages. */
extern const char value_type_names[];

/* The type that SPEC.md gives a column of this name; false for all other names. */
bool value_type_predefined(const char *column, struct value_type *type_out);
/* Whether no column may have this name. */
bool value_type_is_reserved(const char *column, size_t bytes);
/* A space in front or behind: the header of a CSV file could not say it. */
bool value_type_is_spaced(const char *column);

#endif
