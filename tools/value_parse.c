/* SPDX-License-Identifier: Apache-2.0 */
#include "value_parse.h"

#include "elements.h"
#include "utf8.h"

#include <stdio.h>
#include <string.h>

enum { SHOWN_BYTES = 40 };

static enum value_answer wrong(char why[VALUE_WHY_BYTES], const char *text)
{
    snprintf(why, VALUE_WHY_BYTES, "%s", text);
    return VALUE_WRONG;
}

/* What the cell holds, behind what is wrong with it. */
static enum value_answer wrong_cell(char why[VALUE_WHY_BYTES], const struct table_cell *cell, const char *text)
{
    char shown[SHOWN_BYTES * 4 + 1];
    bool whole = cell->bytes <= SHOWN_BYTES;

    if (cell->kind == TABLE_TEXT) {
        output_escape(cell->text, whole ? cell->bytes : SHOWN_BYTES, shown, sizeof shown);
        snprintf(why, VALUE_WHY_BYTES, "%s: '%s'%s", text, shown, whole ? "" : " ...");
    } else {
        size_t bytes = json_dumpb(cell->json, shown, SHOWN_BYTES, JSON_COMPACT | JSON_ENCODE_ANY);

        whole = bytes <= SHOWN_BYTES;
        snprintf(why, VALUE_WHY_BYTES, whole ? "%s: %.*s" : "%s", text, (int)bytes, shown);
    }
    return VALUE_WRONG;
}

/* ------------------------------------------------------------------ texts */

static enum value_answer parse_text(const struct table_cell *cell, struct buffer *out, char why[VALUE_WHY_BYTES])
{
    if (cell->kind != TABLE_TEXT)
        return wrong_cell(why, cell, "it is no string");
    if (cell->bytes > VALUE_BYTES_MOST)
        return wrong(why, "it has more than 16 MiB");
    if (!utf8_valid(cell->text, cell->bytes))
        return wrong_cell(why, cell, "it is not UTF-8");
    return buffer_put(out, cell->text, cell->bytes) ? VALUE_THERE : VALUE_NO_MEMORY;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static enum value_answer parse_hex(const struct table_cell *cell, struct buffer *out, char why[VALUE_WHY_BYTES])
{
    if (cell->kind != TABLE_TEXT)
        return wrong_cell(why, cell, "it is no string of hexadecimal digits");
    if (cell->bytes % 2 != 0)
        return wrong_cell(why, cell, "bytes are pairs of hexadecimal digits, and one is missing");
    if (cell->bytes / 2 > VALUE_BYTES_MOST)
        return wrong(why, "it has more than 16 MiB");
    if (!buffer_reserve(out, cell->bytes / 2))
        return VALUE_NO_MEMORY;
    for (size_t i = 0; i < cell->bytes; i += 2) {
        int high = hex_digit(cell->text[i]), low = hex_digit(cell->text[i + 1]);

        if (high < 0 || low < 0)
            return wrong_cell(why, cell, "bytes are pairs of hexadecimal digits");
        out->data[out->bytes++] = (char)(high << 4 | low);
    }
    return VALUE_THERE;
}

enum value_answer value_name(const struct table_cell *cell, const char **name_out, size_t *bytes_out, char why[VALUE_WHY_BYTES])
{
    if (cell->kind == TABLE_ABSENT)
        return VALUE_ABSENT;
    if (cell->kind == TABLE_NULL || (cell->kind == TABLE_TEXT && cell->bytes == 0))
        return VALUE_NULL;
    if (cell->kind != TABLE_TEXT)
        return wrong_cell(why, cell, "it is no string, the name of an image");
    *name_out = cell->text;
    *bytes_out = cell->bytes;
    return VALUE_THERE;
}

/* ------------------------------------------------------------------ numbers */

static enum value_answer parse_scalar(const struct value_type *type, const struct table_cell *cell, struct buffer *out,
                                      char why[VALUE_WHY_BYTES])
{
    size_t bytes = value_type_element_bytes(type->type);
    struct scalar scalar;
    char reason[SCALAR_WHY_BYTES];

    if (cell->kind == TABLE_JSON)
        scalar = scalar_from_json(cell->json);
    else
        scalar = cell->is_string ? scalar_from_string(cell->text, cell->bytes) : scalar_from_text(cell->text, cell->bytes);
    if (!buffer_reserve(out, bytes))
        return VALUE_NO_MEMORY;
    if (scalar.kind == SCALAR_NONE)
        return wrong_cell(why, cell, type->type == AIMG_TYPE_BOOL ? "it is not true, false, 1 or 0" : "it is no number");
    if (!scalar_store(&scalar, type->type, out->data + out->bytes, reason))
        return scalar.beyond ? wrong_cell(why, cell, reason) : wrong(why, reason);
    out->bytes += bytes;
    return VALUE_THERE;
}

/* How far an array has come. */
struct filling {
    const struct value_type *type;
    struct buffer *out;
    size_t count;       /* elements so far */
    size_t inner_begin; /* `count` when the inner array began */
    bool inner, nested; /* in one now; there was one */
    char *why;
};

static enum value_answer put_element(struct filling *filling, const struct elements *elements)
{
    size_t bytes = value_type_element_bytes(filling->type->type);
    char reason[SCALAR_WHY_BYTES];

    if (filling->nested && !filling->inner)
        return wrong(filling->why, "it mixes numbers and arrays");
    if ((filling->count + 1) * bytes > VALUE_BYTES_MOST)
        return wrong(filling->why, "it has more than 16 MiB");
    if (!buffer_reserve(filling->out, bytes))
        return VALUE_NO_MEMORY;
    if (!scalar_store(&elements->scalar, filling->type->type, filling->out->data + filling->out->bytes, reason)) {
        snprintf(filling->why, VALUE_WHY_BYTES, "element %zu: %s", filling->count, reason);
        return VALUE_WRONG;
    }
    filling->out->bytes += bytes;
    filling->count++;
    return VALUE_THERE;
}

static enum value_answer open_inner(struct filling *filling)
{
    if (!filling->type->list || filling->type->width == 1)
        return wrong(filling->why, "it has arrays in an array");
    if (!filling->nested && filling->count > 0)
        return wrong(filling->why, "it mixes numbers and arrays");
    filling->inner = filling->nested = true;
    filling->inner_begin = filling->count;
    return VALUE_THERE;
}

static enum value_answer check_width(const struct filling *filling, size_t found)
{
    if (found == filling->type->width)
        return VALUE_THERE;
    snprintf(filling->why, VALUE_WHY_BYTES, "it has %zu element%s, not %u", found, found == 1 ? "" : "s",
             (unsigned)filling->type->width);
    return VALUE_WRONG;
}

static enum value_answer finish_array(const struct filling *filling)
{
    if (!filling->type->list)
        return check_width(filling, filling->count);
    if (filling->count % filling->type->width == 0)
        return VALUE_THERE;
    snprintf(filling->why, VALUE_WHY_BYTES, "it has %zu elements, which are no whole vectors of %u", filling->count,
             (unsigned)filling->type->width);
    return VALUE_WRONG;
}

static enum value_answer step(struct filling *filling, const struct elements *elements, enum elements_step kind)
{
    switch (kind) {
    case ELEMENTS_ONE:
        return put_element(filling, elements);
    case ELEMENTS_OPEN:
        return open_inner(filling);
    case ELEMENTS_CLOSE:
        filling->inner = false;
        return check_width(filling, filling->count - filling->inner_begin);
    case ELEMENTS_END:
        return finish_array(filling);
    case ELEMENTS_BAD:
        break;
    }
    return wrong(filling->why, elements->why);
}

static enum value_answer parse_array(const struct value_type *type, const struct table_cell *cell, struct buffer *out,
                                     char why[VALUE_WHY_BYTES])
{
    struct filling filling = {.type = type, .out = out, .why = why};
    struct elements elements;
    enum elements_step kind;
    enum value_answer answer;

    if (cell->is_string || !elements_begin(&elements, cell))
        return wrong_cell(why, cell, "it is no array of numbers");
    do {
        kind = elements_next(&elements);
        if (kind == ELEMENTS_BAD)
            return wrong_cell(why, cell, elements.why);
        answer = step(&filling, &elements, kind);
    } while (kind != ELEMENTS_END && answer == VALUE_THERE);
    return answer;
}

enum value_answer value_parse(const struct value_type *type, const struct table_cell *cell, struct buffer *out,
                              char why[VALUE_WHY_BYTES])
{
    if (cell->kind == TABLE_ABSENT)
        return VALUE_ABSENT;
    if (cell->kind == TABLE_NULL)
        return VALUE_NULL;
    if (value_type_is_text(type->type))
        return parse_text(cell, out, why);
    if (type->type == AIMG_TYPE_BYTES)
        return parse_hex(cell, out, why);
    /* Writers that put quotes around everything put them around nothing, too. */
    if (cell->kind == TABLE_TEXT && !cell->is_string && cell->bytes == 0)
        return VALUE_NULL;
    return value_type_is_array(type) ? parse_array(type, cell, out, why) : parse_scalar(type, cell, out, why);
}
