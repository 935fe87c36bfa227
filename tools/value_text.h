/* SPDX-License-Identifier: Apache-2.0 */
/* A column's value as text that can be read again. */
#ifndef AIMG_TOOLS_VALUE_TEXT_H
#define AIMG_TOOLS_VALUE_TEXT_H

#include "buffer.h"
#include "column_reader.h"

enum value_style {
    VALUE_PLAIN, /* numbers, [1,2] for several, bytes in hexadecimal digits, texts and names as they are */
    VALUE_JSON   /* the same for numbers, but nan and infinities, and unsigned ones from 2^63 on, are strings */
};

/* Puts it behind what is in the buffer; nothing for a null. False: out of memory. */
bool value_text(const struct value_type *type, const struct column_value *value, enum value_style style, struct buffer *out);

#endif
