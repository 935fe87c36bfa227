/* SPDX-License-Identifier: Apache-2.0 */
/* Column values against the JSON: what the library hands out as bytes, in the JSON's form. */
#include "vector.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONG_VALUE = 1000, LARGE_DICTIONARY = 1000 }; /* an iterator reads all texts of a dictionary */

static const uint8_t element_bytes[] = {0, 1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 4, 8, 1, 1, 4, 4};

static uint64_t get_unsigned(const uint8_t *data, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value |= (uint64_t)data[i] << 8 * i;
    return value;
}

static double half(uint64_t bits)
{
    int exponent = (int)(bits >> 10 & 31), fraction = (int)(bits & 1023);
    double value = exponent == 0    ? ldexp(fraction, -24)
                   : exponent == 31 ? (fraction == 0 ? INFINITY : NAN)
                                    : ldexp(1024 + fraction, exponent - 25);
    return bits >> 15 != 0 ? -value : value;
}

static double get_real(const uint8_t *data, size_t bytes)
{
    uint64_t bits = get_unsigned(data, bytes);
    uint32_t low = (uint32_t)bits;
    float single;
    double value;
    memcpy(&single, &low, sizeof single);
    memcpy(&value, &bits, sizeof value);
    return bytes == 2 ? half(bits) : bytes == 4 ? (double)single : value;
}

static json_t *real_of(double value)
{
    if (isfinite(value))
        return json_real(value);
    return json_pack("{s:s}", "float", isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
}

static json_t *integer_of(const uint8_t *data, size_t bytes, bool is_signed)
{
    uint64_t bits = get_unsigned(data, bytes), sign = UINT64_C(1) << (8 * bytes - 1);
    char text[24];
    if (is_signed)
        return json_integer((json_int_t)((bits ^ sign) - sign));
    snprintf(text, sizeof text, "%" PRIu64, bits);
    return bits > INT64_MAX ? json_string(text) : json_integer((json_int_t)bits);
}

static json_t *element_of(unsigned type, const uint8_t *data)
{
    if (type >= AIMG_TYPE_F16 && type <= AIMG_TYPE_F64)
        return real_of(get_real(data, element_bytes[type]));
    return integer_of(data, element_bytes[type], type >= AIMG_TYPE_I8 && type <= AIMG_TYPE_I64);
}

static json_t *vector_of(const struct aimg_column *column, const uint8_t *data)
{
    json_t *array = json_array();
    if (column->width == 1)
        return json_decref(array), element_of(column->type, data);
    for (uint32_t i = 0; i < column->width; i++)
        json_array_append_new(array, element_of(column->type, data + (size_t)i * element_bytes[column->type]));
    return array;
}

static json_t *list_of(const struct aimg_column *column, const uint8_t *data, size_t bytes)
{
    size_t row = (size_t)element_bytes[column->type] * column->width;
    json_t *array = json_array();
    for (size_t at = 0; at + row <= bytes; at += row)
        json_array_append_new(array, vector_of(column, data + at));
    return array;
}

static json_t *text_of(unsigned type, const uint8_t *data, size_t bytes)
{
    char hash[33], *hex;
    json_t *value;
    if (bytes > LONG_VALUE) {
        vector_print_hash(data, bytes, hash);
        return json_pack("{s:I, s:s}", "bytes", (json_int_t)bytes, "xxh128", hash);
    }
    if (type != AIMG_TYPE_BYTES)
        return json_stringn((const char *)data, bytes);
    hex = calloc(bytes + 1, 2);
    for (size_t i = 0; i < bytes; i++)
        snprintf(hex + 2 * i, 3, "%02x", data[i]);
    value = json_pack("{s:s}", "hex", hex);
    free(hex);
    return value;
}

static json_t *value_of(const struct aimg_column *column, const uint8_t *data, size_t bytes)
{
    if (column->type == AIMG_TYPE_UTF8 || column->type == AIMG_TYPE_BYTES || column->type == AIMG_TYPE_DICTIONARY)
        return text_of(column->type, data, bytes);
    return column->list ? list_of(column, data, bytes) : vector_of(column, data);
}

/* Python writes 1.0 where the value is a real, and so does the tool; an integer may not stand for it. */
static bool same(const json_t *a, const json_t *b)
{
    return a == NULL || b == NULL ? a == b : json_equal(a, b) != 0;
}

static void check_value(struct vector *vector, const struct aimg_column *column, uint32_t ordinal, const void *data, size_t bytes,
                        bool null, const json_t *wanted)
{
    json_t *found = null ? NULL : value_of(column, data, bytes);
    if (!same(found, wanted)) {
        char *a = found == NULL ? NULL : json_dumps(found, JSON_ENCODE_ANY);
        char *b = wanted == NULL ? NULL : json_dumps(wanted, JSON_ENCODE_ANY);
        vector_fail(vector, "column %s of %u is %s, not %s", column->name, ordinal, a == NULL ? "null" : a,
                    b == NULL ? "null" : b);
        free(a);
        free(b);
    }
    json_decref(found);
}

/* By itself, and as the first of an iterator. */
static void check_column(struct vector *vector, const struct aimg_reader *reader, const struct aimg_column *column,
                         uint32_t ordinal, const json_t *wanted)
{
    struct aimg_error error = {0};
    struct aimg_values *values = NULL;
    struct aimg_column_value value;
    size_t bytes = 0;
    int null = 0;
    enum aimg_status status = aimg_reader_value(reader, column->index, ordinal, NULL, 0, &bytes, &null, &error);
    void *buffer = malloc(bytes + 1);
    if (status == AIMG_BUFFER_TOO_SMALL)
        status = aimg_reader_value(reader, column->index, ordinal, buffer, bytes, &bytes, &null, &error);
    if (status == AIMG_OK)
        check_value(vector, column, ordinal, buffer, bytes, null != 0, wanted);
    else
        vector_fail(vector, "column %s of %u: %s", column->name, ordinal, error.message);
    free(buffer);
    if (ordinal > 0 && column->dictionary_count > LARGE_DICTIONARY)
        return;
    status = aimg_values_create(reader, column->index, ordinal, &values, &error);
    if (status == AIMG_OK && aimg_values_next(values, &value, &error) == AIMG_OK && value.ordinal == ordinal)
        check_value(vector, column, ordinal, value.data, value.bytes, value.null != 0, wanted);
    else
        vector_fail(vector, "column %s from %u on: %s", column->name, ordinal, error.message);
    aimg_values_destroy(values);
}

void vector_check_values(struct vector *vector, const struct aimg_reader *reader, uint32_t ordinal, const json_t *columns)
{
    struct aimg_column column;
    struct aimg_error error;
    size_t known = 0;
    for (uint32_t index = 0; aimg_reader_column(reader, index, &column, &error) == AIMG_OK; index++) {
        const json_t *wanted = json_object_get(columns, column.name);
        known += wanted != NULL;
        check_column(vector, reader, &column, ordinal, wanted);
    }
    if (known != json_object_size(columns))
        vector_fail(vector, "%u has %zu columns of %zu", ordinal, known, json_object_size(columns));
}
