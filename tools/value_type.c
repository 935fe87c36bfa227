/* SPDX-License-Identifier: Apache-2.0 */
#include "value_type.h"

#include <stdio.h>
#include <string.h>

enum { VECTOR_BYTES_MOST = 65535 };

/* One row a type: its name and the bytes of an element; 0: a value is one text. */
static const struct type_row {
    const char *name;
    size_t bytes;
} types[] = {
    [AIMG_TYPE_BOOL] = {"bool", 1},   [AIMG_TYPE_U8] = {"u8", 1},       [AIMG_TYPE_U16] = {"u16", 2},
    [AIMG_TYPE_U32] = {"u32", 4},     [AIMG_TYPE_U64] = {"u64", 8},     [AIMG_TYPE_I8] = {"i8", 1},
    [AIMG_TYPE_I16] = {"i16", 2},     [AIMG_TYPE_I32] = {"i32", 4},     [AIMG_TYPE_I64] = {"i64", 8},
    [AIMG_TYPE_F16] = {"f16", 2},     [AIMG_TYPE_F32] = {"f32", 4},     [AIMG_TYPE_F64] = {"f64", 8},
    [AIMG_TYPE_UTF8] = {"utf8", 0},   [AIMG_TYPE_BYTES] = {"bytes", 0}, [AIMG_TYPE_DICTIONARY] = {"dictionary", 0},
    [AIMG_TYPE_IMAGE] = {"image", 4},
};

enum { TYPES = sizeof types / sizeof types[0] };

const char value_type_names[] = "bool, u8, u16, u32, u64, i8, i16, i32, i64, f16, f32, f64, with [N] for a vector, list<...> of "
                                "these, utf8, dictionary, bytes, image";

struct value_type value_type_of(const struct aimg_column *column)
{
    return (struct value_type){.type = (enum aimg_type)column->type, .width = column->width, .list = column->list != 0};
}

bool value_type_equal(const struct value_type *a, const struct value_type *b)
{
    return a->type == b->type && a->width == b->width && a->list == b->list;
}

size_t value_type_element_bytes(enum aimg_type type)
{
    return (unsigned)type < TYPES ? types[type].bytes : 0;
}

bool value_type_is_array(const struct value_type *type)
{
    return type->list || type->width > 1;
}

bool value_type_is_text(enum aimg_type type)
{
    return type == AIMG_TYPE_UTF8 || type == AIMG_TYPE_DICTIONARY;
}

const char *value_type_name(const struct value_type *type, char buffer[VALUE_TYPE_TEXT_BYTES])
{
    bool known = (unsigned)type->type < TYPES && types[type->type].name != NULL;
    char vector[16] = "";

    if (type->width > 1)
        snprintf(vector, sizeof vector, "[%u]", (unsigned)type->width);
    snprintf(buffer, VALUE_TYPE_TEXT_BYTES, type->list ? "list<%s%s>" : "%s%s", known ? types[type->type].name : "unknown",
             vector);
    return buffer;
}

/* "[4]" at the end; without it the width is 1. Takes it off. */
static bool take_width(const char *text, size_t *bytes, uint32_t *width_out)
{
    size_t begin = *bytes;
    uint32_t width = 0;

    *width_out = 1;
    if (*bytes == 0 || text[*bytes - 1] != ']')
        return true;
    while (begin > 0 && text[begin - 1] != '[')
        begin--;
    if (begin == 0 || begin == *bytes - 1 || text[begin] == '0')
        return false;
    for (size_t i = begin; i < *bytes - 1; i++) {
        if (text[i] < '0' || text[i] > '9' || width > VECTOR_BYTES_MOST)
            return false;
        width = width * 10 + (uint32_t)(text[i] - '0');
    }
    *bytes = begin - 1;
    *width_out = width;
    return true;
}

static bool parse_element(const char *text, size_t bytes, struct value_type *type)
{
    for (unsigned i = 0; i < TYPES; i++) {
        if (types[i].name == NULL || strlen(types[i].name) != bytes || memcmp(types[i].name, text, bytes) != 0)
            continue;
        type->type = (enum aimg_type)i;
        return true;
    }
    return false;
}

bool value_type_parse(const char *text, size_t bytes, struct value_type *type_out)
{
    static const char list[] = "list<";
    struct value_type type = {.width = 1};
    size_t head = sizeof list - 1;

    if (bytes > head && memcmp(text, list, head) == 0 && text[bytes - 1] == '>') {
        type.list = true;
        text += head;
        bytes -= head + 1;
    }
    if (!take_width(text, &bytes, &type.width) || !parse_element(text, bytes, &type))
        return false;
    if (value_type_is_array(&type) && type.type > AIMG_TYPE_F64)
        return false;
    if (type.width * value_type_element_bytes(type.type) > VECTOR_BYTES_MOST)
        return false;
    *type_out = type;
    return true;
}

bool value_type_predefined(const char *column, struct value_type *type_out)
{
    static const struct {
        const char *name;
        enum aimg_type type;
    } predefined[] = {
        {"width", AIMG_TYPE_U32},      {"height", AIMG_TYPE_U32},   {"channels", AIMG_TYPE_U8},      {"bits", AIMG_TYPE_U8},
        {"orientation", AIMG_TYPE_U8}, {"mtime_ns", AIMG_TYPE_I64}, {"label", AIMG_TYPE_DICTIONARY},
    };

    for (size_t i = 0; i < sizeof predefined / sizeof predefined[0]; i++) {
        if (strcmp(predefined[i].name, column) != 0)
            continue;
        *type_out = (struct value_type){.type = predefined[i].type, .width = 1};
        return true;
    }
    return false;
}

bool value_type_is_reserved(const char *column, size_t bytes)
{
    static const char *const reserved[] = {"id", "name", "ordinal", "position", "format", "bytes", "xxh128", "data"};

    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (strlen(reserved[i]) == bytes && memcmp(reserved[i], column, bytes) == 0)
            return true;
    return false;
}

bool value_type_is_spaced(const char *column)
{
    size_t bytes = strlen(column);

    return bytes > 0 && (column[0] == ' ' || column[bytes - 1] == ' ');
}
