/* SPDX-License-Identifier: Apache-2.0 */
#include "value_type.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { VECTOR_BYTES_MOST = 65535 };

enum { OTHER_NAMES_MOST = 3 };

/* One row a type: its name, the bytes of an element (0: a value is one text), and what else it may be called. */
static const struct type_row {
    const char *name;
    size_t bytes;
    const char *others[OTHER_NAMES_MOST];
} types[] = {
    [AIMG_TYPE_BOOL] = {"bool", 1, {"boolean"}},
    [AIMG_TYPE_U8] = {"u8", 1, {"uint8"}},
    [AIMG_TYPE_U16] = {"u16", 2, {"uint16"}},
    [AIMG_TYPE_U32] = {"u32", 4, {"uint32"}},
    [AIMG_TYPE_U64] = {"u64", 8, {"uint64"}},
    [AIMG_TYPE_I8] = {"i8", 1, {"int8"}},
    [AIMG_TYPE_I16] = {"i16", 2, {"int16"}},
    [AIMG_TYPE_I32] = {"i32", 4, {"int32"}},
    [AIMG_TYPE_I64] = {"i64", 8, {"int64", "int", "integer"}},
    [AIMG_TYPE_F16] = {"f16", 2, {"float16"}},
    [AIMG_TYPE_F32] = {"f32", 4, {"float32"}},
    [AIMG_TYPE_F64] = {"f64", 8, {"float64", "float", "double"}},
    [AIMG_TYPE_UTF8] = {"utf8", 0, {"text", "string", "str"}},
    [AIMG_TYPE_BYTES] = {"bytes", 0, {"binary"}},
    [AIMG_TYPE_DICTIONARY] = {"dictionary", 0, {"dict"}},
    [AIMG_TYPE_IMAGE] = {"image", 4, {NULL}},
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

static bool is_word(const char *text, size_t bytes, const char *word)
{
    return word != NULL && strlen(word) == bytes && strncasecmp(text, word, bytes) == 0;
}

static bool parse_element(const char *text, size_t bytes, struct value_type *type)
{
    for (unsigned i = 0; i < TYPES; i++) {
        bool found = is_word(text, bytes, types[i].name);

        for (int other = 0; !found && other < OTHER_NAMES_MOST; other++)
            found = is_word(text, bytes, types[i].others[other]);
        if (!found)
            continue;
        type->type = (enum aimg_type)i;
        return true;
    }
    return false;
}

static void trim(const char **text, size_t *bytes)
{
    for (; *bytes > 0 && **text == ' '; (*bytes)--)
        (*text)++;
    while (*bytes > 0 && (*text)[*bytes - 1] == ' ')
        (*bytes)--;
}

bool value_type_parse(const char *text, size_t bytes, struct value_type *type_out)
{
    static const char list[] = "list<";
    struct value_type type = {.width = 1};
    size_t head = sizeof list - 1;

    trim(&text, &bytes);
    if (bytes > head && strncasecmp(text, list, head) == 0 && text[bytes - 1] == '>') {
        type.list = true;
        text += head;
        bytes -= head + 1;
        trim(&text, &bytes);
    }
    if (!take_width(text, &bytes, &type.width))
        return false;
    trim(&text, &bytes);
    if (!parse_element(text, bytes, &type))
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
