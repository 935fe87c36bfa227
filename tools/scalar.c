/* SPDX-License-Identifier: Apache-2.0 */
#include "scalar.h"

#include "half.h"
#include "little.h"

#include <ctype.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NUMBER_TEXT_BYTES = 1100 }; /* the exact decimal of a double has 1077 bytes at most, with sign and point */

/* ------------------------------------------------------------------ reading */

static bool is_word(const char *text, size_t bytes, const char *word)
{
    return strlen(word) == bytes && strncasecmp(text, word, bytes) == 0;
}

static bool parse_bool(const char *text, size_t bytes, struct scalar *scalar)
{
    scalar->truth = is_word(text, bytes, "true");
    if (!scalar->truth && !is_word(text, bytes, "false"))
        return false;
    scalar->kind = SCALAR_BOOL;
    return true;
}

static bool parse_special(const char *text, size_t bytes, struct scalar *scalar)
{
    bool minus = bytes > 0 && text[0] == '-';
    size_t sign = bytes > 0 && (text[0] == '-' || text[0] == '+');

    text += sign;
    bytes -= sign;
    if (is_word(text, bytes, "nan"))
        scalar->real = (double)NAN;
    else if (is_word(text, bytes, "inf") || is_word(text, bytes, "infinity"))
        scalar->real = minus ? -(double)INFINITY : (double)INFINITY;
    else
        return false;
    scalar->kind = SCALAR_REAL;
    return true;
}

/* Digits alone, after a sign: false when there are other characters, or more digits than 64 bits hold. */
static bool parse_integer(const char *text, size_t bytes, struct scalar *scalar)
{
    size_t sign = text[0] == '-' || text[0] == '+';
    uint64_t magnitude = 0;
    bool large = false;

    if (bytes == sign)
        return false;
    for (size_t i = sign; i < bytes; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        large = large || __builtin_mul_overflow(magnitude, UINT64_C(10), &magnitude) ||
                __builtin_add_overflow(magnitude, (uint64_t)(text[i] - '0'), &magnitude);
    }
    large = large || (text[0] == '-' && magnitude > (uint64_t)INT64_MAX + 1);
    scalar->padded = large || text[0] == '+' || (text[sign] == '0' && bytes > sign + 1) || (text[0] == '-' && magnitude == 0);
    if (large)
        return false;
    scalar->kind = SCALAR_INTEGER;
    scalar->negative = text[0] == '-' && magnitude != 0;
    scalar->magnitude = magnitude;
    scalar->real = text[0] == '-' ? -(double)magnitude : (double)magnitude;
    return true;
}

/* strtod knows more than numbers as people write them: hexadecimal ones, and words. */
static bool parse_real(const char *text, size_t bytes, struct scalar *scalar)
{
    char copy[NUMBER_TEXT_BYTES];
    size_t sign = text[0] == '-' || text[0] == '+';
    char *end;

    if (bytes >= sizeof copy)
        return false;
    for (size_t i = 0; i < bytes; i++)
        if (memchr("0123456789+-.eE", text[i], 15) == NULL)
            return false;
    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    scalar->real = strtod(copy, &end);
    if (end != copy + bytes || end == copy)
        return false;
    scalar->kind = SCALAR_REAL;
    scalar->beyond = !isfinite(scalar->real);
    scalar->padded = scalar->padded || scalar->beyond || text[0] == '+' ||
                     (bytes > sign + 1 && text[sign] == '0' && isdigit((unsigned char)text[sign + 1]));
    return true;
}

struct scalar scalar_from_text(const char *text, size_t bytes)
{
    struct scalar scalar = {.kind = SCALAR_NONE};

    while (bytes > 0 && (text[0] == ' ' || text[0] == '\t')) {
        text++;
        bytes--;
    }
    while (bytes > 0 && (text[bytes - 1] == ' ' || text[bytes - 1] == '\t'))
        bytes--;
    if (bytes == 0 || parse_bool(text, bytes, &scalar) || parse_special(text, bytes, &scalar))
        return scalar;
    if (!parse_integer(text, bytes, &scalar))
        (void)parse_real(text, bytes, &scalar);
    return scalar;
}

struct scalar scalar_from_string(const char *text, size_t bytes)
{
    struct scalar scalar = scalar_from_text(text, bytes);
    bool special = scalar.kind == SCALAR_REAL && !scalar.padded && !isfinite(scalar.real);
    bool large = scalar.kind == SCALAR_INTEGER && !scalar.padded && !scalar.negative && scalar.magnitude > INT64_MAX;

    return special || large ? scalar : (struct scalar){.kind = SCALAR_NONE};
}

struct scalar scalar_from_json(const json_t *json)
{
    struct scalar scalar = {.kind = SCALAR_NONE};
    json_int_t number;

    if (json_is_boolean(json)) {
        scalar.kind = SCALAR_BOOL;
        scalar.truth = json_is_true(json);
    } else if (json_is_integer(json)) {
        number = json_integer_value(json);
        scalar.kind = SCALAR_INTEGER;
        scalar.negative = number < 0;
        scalar.magnitude = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
        scalar.real = (double)number;
    } else if (json_is_real(json)) {
        scalar.kind = SCALAR_REAL;
        scalar.real = json_real_value(json);
    } else if (json_is_string(json))
        scalar = scalar_from_string(json_string_value(json), json_string_length(json));
    return scalar;
}

/* ------------------------------------------------------------------ storing */

static const struct integer_row {
    enum aimg_type type;
    unsigned bytes;
    uint64_t least, most; /* least: of the magnitude below zero */
} integers[] = {
    {AIMG_TYPE_U8, 1, 0, UINT8_MAX},
    {AIMG_TYPE_U16, 2, 0, UINT16_MAX},
    {AIMG_TYPE_U32, 4, 0, UINT32_MAX},
    {AIMG_TYPE_U64, 8, 0, UINT64_MAX},
    {AIMG_TYPE_I8, 1, (uint64_t)INT8_MAX + 1, INT8_MAX},
    {AIMG_TYPE_I16, 2, (uint64_t)INT16_MAX + 1, INT16_MAX},
    {AIMG_TYPE_I32, 4, (uint64_t)INT32_MAX + 1, INT32_MAX},
    {AIMG_TYPE_I64, 8, (uint64_t)INT64_MAX + 1, INT64_MAX},
};

static const struct integer_row *integer_row(enum aimg_type type)
{
    for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++)
        if (integers[i].type == type)
            return &integers[i];
    return NULL;
}

static void say_number(const struct scalar *scalar, char text[SCALAR_TEXT_BYTES])
{
    if (scalar->beyond)
        snprintf(text, SCALAR_TEXT_BYTES, "it");
    else if (scalar->kind == SCALAR_INTEGER)
        snprintf(text, SCALAR_TEXT_BYTES, "%s%" PRIu64, scalar->negative ? "-" : "", scalar->magnitude);
    else
        snprintf(text, SCALAR_TEXT_BYTES, "%.17g", scalar->real);
}

/* Tables that had a gap in a column of whole numbers come with 3.0 for 3. */
static bool real_to_integer(struct scalar *scalar)
{
    double size = fabs(scalar->real);

    if (!(size < 9007199254740992.0) || (double)(uint64_t)size != size)
        return false;
    scalar->kind = SCALAR_INTEGER;
    scalar->negative = scalar->real < 0;
    scalar->magnitude = (uint64_t)size;
    return true;
}

static bool store_integer(const struct scalar *given, const struct integer_row *row, void *out, char why[SCALAR_WHY_BYTES])
{
    struct scalar scalar = *given;
    char text[SCALAR_TEXT_BYTES];
    uint64_t value;

    say_number(given, text);
    if (scalar.kind == SCALAR_REAL && !scalar.beyond && !real_to_integer(&scalar)) {
        snprintf(why, SCALAR_WHY_BYTES, "%s is no whole number%s", text,
                 fabs(scalar.real) >= 9007199254740992.0 ? ", or one that is not exact" : "");
        return false;
    }
    if (scalar.beyond || scalar.magnitude > (scalar.negative ? row->least : row->most)) {
        snprintf(why, SCALAR_WHY_BYTES, "%s is out of range, %s%" PRIu64 " to %" PRIu64, text, row->least > 0 ? "-" : "",
                 row->least, row->most);
        return false;
    }
    value = scalar.negative ? 0 - scalar.magnitude : scalar.magnitude;
    switch (row->bytes) {
    case 1:
        memcpy(out, &(uint8_t){(uint8_t)value}, 1);
        break;
    case 2:
        memcpy(out, &(uint16_t){(uint16_t)value}, 2);
        break;
    case 4:
        memcpy(out, &(uint32_t){(uint32_t)value}, 4);
        break;
    default:
        memcpy(out, &value, 8);
    }
    return true;
}

static bool store_real(const struct scalar *scalar, enum aimg_type type, void *out, char why[SCALAR_WHY_BYTES])
{
    static const char *const most[] = {
        [AIMG_TYPE_F16] = "65504", [AIMG_TYPE_F32] = "3.4028235e38", [AIMG_TYPE_F64] = "1.7976931348623157e308"};
    double real = scalar->real;
    float single = (float)real;
    uint16_t half = half_from_double(real);
    bool finite = true;
    char text[SCALAR_TEXT_BYTES];

    if (type == AIMG_TYPE_F64)
        memcpy(out, &real, sizeof real);
    else if (type == AIMG_TYPE_F32) {
        memcpy(out, &single, sizeof single);
        finite = isfinite(single);
    } else {
        memcpy(out, &half, sizeof half);
        finite = isfinite(half_to_double(half));
    }
    if (!scalar->beyond && (finite || !isfinite(real)))
        return true;
    say_number(scalar, text);
    snprintf(why, SCALAR_WHY_BYTES, "%s is out of range, at most %s", text, most[type]);
    return false;
}

bool scalar_store(const struct scalar *scalar, enum aimg_type type, void *out, char why[SCALAR_WHY_BYTES])
{
    const struct integer_row *row = integer_row(type);
    bool truth = scalar->truth;

    if (type == AIMG_TYPE_BOOL) {
        if (scalar->kind == SCALAR_INTEGER && !scalar->negative && scalar->magnitude <= 1)
            truth = scalar->magnitude == 1;
        else if (scalar->kind != SCALAR_BOOL) {
            snprintf(why, SCALAR_WHY_BYTES, "it is not true, false, 1 or 0");
            return false;
        }
        memcpy(out, &(uint8_t){truth}, 1);
        return true;
    }
    if (scalar->kind != SCALAR_INTEGER && scalar->kind != SCALAR_REAL) {
        snprintf(why, SCALAR_WHY_BYTES, "it is no number");
        return false;
    }
    return row != NULL ? store_integer(scalar, row, out, why) : store_real(scalar, type, out, why);
}

/* ------------------------------------------------------------------ printing */

static size_t print_integer(const struct integer_row *row, const uint8_t *element, char text[SCALAR_TEXT_BYTES])
{
    uint64_t value = little_number(element, row->bytes);
    bool negative = row->least > 0 && element[row->bytes - 1] >= 0x80;

    if (negative)
        value = (row->bytes == 8 ? 0 : UINT64_C(1) << (8 * row->bytes)) - value;
    return (size_t)snprintf(text, SCALAR_TEXT_BYTES, "%s%" PRIu64, negative ? "-" : "", value);
}

static bool same_when_read(enum aimg_type type, const char *text, double value)
{
    if (type == AIMG_TYPE_F64)
        return strtod(text, NULL) == value;
    if (type == AIMG_TYPE_F32)
        return strtof(text, NULL) == (float)value;
    return half_to_double(half_from_double(strtod(text, NULL))) == value;
}

static size_t print_real(enum aimg_type type, double value, char text[SCALAR_TEXT_BYTES])
{
    static const int digits[] = {[AIMG_TYPE_F16] = 3, [AIMG_TYPE_F32] = 6, [AIMG_TYPE_F64] = 15};
    int precision = digits[type];
    int length;

    do
        length = snprintf(text, SCALAR_TEXT_BYTES, "%.*g", precision, value);
    while (!same_when_read(type, text, value) && precision++ < 17);
    /* 65504 rather than 6.55e+04: whole numbers are shown whole as long as a reader of 64-bit reals takes them. */
    if (strchr(text, 'e') != NULL && fabs(value) >= 1 && fabs(value) < 9007199254740992.0)
        length = snprintf(text, SCALAR_TEXT_BYTES, "%.0f", value);
    /* A real is one for the next reader too. */
    if (strpbrk(text, ".e") == NULL)
        length += snprintf(text + length, SCALAR_TEXT_BYTES - (size_t)length, ".0");
    return (size_t)length;
}

size_t scalar_print(enum aimg_type type, const uint8_t *element, char text[SCALAR_TEXT_BYTES], bool *finite_out)
{
    const struct integer_row *row = integer_row(type);
    double value;

    *finite_out = true;
    if (row != NULL)
        return print_integer(row, element, text);
    if (type == AIMG_TYPE_BOOL)
        return (size_t)snprintf(text, SCALAR_TEXT_BYTES, "%s", element[0] != 0 ? "true" : "false");
    if (type == AIMG_TYPE_F64)
        value = little_double(element);
    else if (type == AIMG_TYPE_F32)
        value = (double)little_float(element);
    else
        value = half_to_double((unsigned)little_number(element, 2));
    *finite_out = isfinite(value);
    if (*finite_out)
        return print_real(type, value, text);
    return (size_t)snprintf(text, SCALAR_TEXT_BYTES, "%s", isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
}
