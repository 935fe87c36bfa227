/* SPDX-License-Identifier: Apache-2.0 */
#include "value_text.h"

#include "scalar.h"

#include <stdint.h>

static bool put_char(struct buffer *out, char c)
{
    return buffer_put(out, &c, 1);
}

static bool put_element(enum aimg_type type, const uint8_t *element, enum value_style style, struct buffer *out)
{
    char text[SCALAR_TEXT_BYTES];
    bool finite;
    size_t bytes = scalar_print(type, element, text, &finite);
    bool quoted = style == VALUE_JSON && (!finite || (type == AIMG_TYPE_U64 && element[7] >= 0x80));

    if (!quoted)
        return buffer_put(out, text, bytes);
    return put_char(out, '"') && buffer_put(out, text, bytes) && put_char(out, '"');
}

static bool put_array(enum aimg_type type, const uint8_t *elements, size_t count, enum value_style style, struct buffer *out)
{
    size_t bytes = value_type_element_bytes(type);
    bool done = put_char(out, '[');

    for (size_t i = 0; done && i < count; i++)
        done = (i == 0 || put_char(out, ',')) && put_element(type, elements + i * bytes, style, out);
    return done && put_char(out, ']');
}

static bool put_list_of_vectors(const struct value_type *type, const uint8_t *elements, size_t count, enum value_style style,
                                struct buffer *out)
{
    size_t step = value_type_element_bytes(type->type) * type->width;
    bool done = put_char(out, '[');

    for (size_t i = 0; done && i < count; i++)
        done = (i == 0 || put_char(out, ',')) && put_array(type->type, elements + i * step, type->width, style, out);
    return done && put_char(out, ']');
}

static bool put_hex(const uint8_t *bytes, size_t count, struct buffer *out)
{
    static const char digits[] = "0123456789abcdef";

    if (count > SIZE_MAX / 2 || !buffer_reserve(out, count * 2))
        return false;
    for (size_t i = 0; i < count; i++) {
        out->data[out->bytes++] = digits[bytes[i] >> 4];
        out->data[out->bytes++] = digits[bytes[i] & 15];
    }
    return true;
}

bool value_text(const struct value_type *type, const struct column_value *value, enum value_style style, struct buffer *out)
{
    const uint8_t *bytes = (const uint8_t *)value->data;
    size_t element = value_type_element_bytes(type->type);

    if (value->null)
        return true;
    if (type->type == AIMG_TYPE_BYTES)
        return put_hex(bytes, value->bytes, out);
    if (element == 0 || type->type == AIMG_TYPE_IMAGE)
        return buffer_put(out, value->data, value->bytes);
    if (type->list && type->width > 1)
        return put_list_of_vectors(type, bytes, value->bytes / (element * type->width), style, out);
    if (value_type_is_array(type))
        return put_array(type->type, bytes, value->bytes / element, style, out);
    return put_element(type->type, bytes, style, out);
}
