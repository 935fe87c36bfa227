/* SPDX-License-Identifier: Apache-2.0 */
#include "values.h"

#include "half.h"
#include "json.h"
#include "little.h"
#include "value_type.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *from_unsigned(const uint8_t *bytes, size_t width)
{
    return json_from_count(little_number(bytes, width));
}

static json_t *from_signed(const uint8_t *bytes, size_t width)
{
    uint64_t number = bytes[width - 1] >= 0x80 ? UINT64_MAX : 0;

    for (size_t i = width; i-- > 0;)
        number = number << 8 | bytes[i];
    return json_integer((json_int_t)number);
}

static json_t *from_bool(const uint8_t *bytes, size_t width)
{
    (void)width;
    return json_boolean(bytes[0] != 0);
}

static json_t *from_float(const uint8_t *bytes, size_t width)
{
    double value = width == 2   ? half_to_double((unsigned)little_number(bytes, width))
                   : width == 4 ? (double)little_float(bytes)
                                : little_double(bytes);
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *from_hex(const uint8_t *bytes, size_t count)
{
    char *digits = malloc(count * 2 + 1);
    json_t *value;

    if (digits == NULL)
        return NULL;
    digits[0] = '\0';
    for (size_t i = 0; i < count; i++)
        snprintf(digits + i * 2, 3, "%02x", bytes[i]);
    value = json_stringn(digits, count * 2);
    free(digits);
    return value;
}

static json_t *from_text(const uint8_t *bytes, size_t count)
{
    return json_from_text((const char *)bytes, count);
}

/* How an element of a type is shown, or the whole value of a type without elements. */
static json_t *(*const shows[])(const uint8_t *bytes, size_t bytes_count) = {
    [AIMG_TYPE_BOOL] = from_bool,      [AIMG_TYPE_U8] = from_unsigned,  [AIMG_TYPE_U16] = from_unsigned,
    [AIMG_TYPE_U32] = from_unsigned,   [AIMG_TYPE_U64] = from_unsigned, [AIMG_TYPE_I8] = from_signed,
    [AIMG_TYPE_I16] = from_signed,     [AIMG_TYPE_I32] = from_signed,   [AIMG_TYPE_I64] = from_signed,
    [AIMG_TYPE_F16] = from_float,      [AIMG_TYPE_F32] = from_float,    [AIMG_TYPE_F64] = from_float,
    [AIMG_TYPE_UTF8] = from_text,      [AIMG_TYPE_BYTES] = from_hex,    [AIMG_TYPE_DICTIONARY] = from_text,
    [AIMG_TYPE_IMAGE] = from_unsigned,
};

struct type_row {
    size_t width; /* of an element */
    json_t *(*show)(const uint8_t *bytes, size_t bytes_count);
};

static struct type_row row_of(const struct aimg_column *column)
{
    bool known = column->type < sizeof shows / sizeof shows[0] && shows[column->type] != NULL;

    return (struct type_row){.width = value_type_element_bytes((enum aimg_type)column->type),
                             .show = known ? shows[column->type] : from_hex};
}

/* `count` values of `each` bytes as an array, each made by type itself, or as arrays of width elements. */
static json_t *show_array(const struct type_row *type, const uint8_t *bytes, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && i < count; i++) {
        if (json_array_append_new(array, type->show(bytes + i * type->width, type->width)) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *show_list(const struct type_row *type, uint32_t width, const uint8_t *bytes, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; array != NULL && i + width <= count; i += width) {
        if (json_array_append_new(array, show_array(type, bytes + i * type->width, width)) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *show_value(const struct aimg_column *column, const uint8_t *bytes, size_t bytes_count)
{
    struct type_row type = row_of(column);

    if (type.width == 0)
        return type.show(bytes, bytes_count);
    if (column->list && column->width > 1)
        return show_list(&type, column->width, bytes, bytes_count / type.width);
    if (column->list || column->width > 1)
        return show_array(&type, bytes, bytes_count / type.width);
    return type.show(bytes, type.width);
}

static enum aimg_status out_of_memory(struct aimg_error *error)
{
    *error = (struct aimg_error){
        .status = AIMG_OUT_OF_MEMORY, .offset = AIMG_NO_OFFSET, .message = "out of memory for a column's value"};
    return AIMG_OUT_OF_MEMORY;
}

enum aimg_status value_json(const struct aimg_reader *reader, const struct aimg_column *column, uint32_t ordinal,
                            json_t **value_out, struct aimg_error *error)
{
    uint8_t small[512];
    uint8_t *buffer = small;
    json_t *value = NULL;
    size_t bytes = 0;
    int null = 0;
    enum aimg_status status = aimg_reader_value(reader, column->index, ordinal, small, sizeof small, &bytes, &null, error);

    if (status == AIMG_BUFFER_TOO_SMALL) {
        buffer = malloc(bytes);
        if (buffer == NULL)
            return out_of_memory(error);
        status = aimg_reader_value(reader, column->index, ordinal, buffer, bytes, &bytes, &null, error);
    }
    if (status == AIMG_OK) {
        value = null ? json_null() : show_value(column, buffer, bytes);
        if (value == NULL)
            status = out_of_memory(error);
    }
    if (buffer != small)
        free(buffer);
    if (status == AIMG_OK)
        *value_out = value;
    return status;
}
