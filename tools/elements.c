/* SPDX-License-Identifier: Apache-2.0 */
#include "elements.h"

#include <string.h>

bool elements_begin(struct elements *elements, const struct table_cell *cell)
{
    *elements = (struct elements){.why = "it is no array of numbers"};
    if (cell->kind == TABLE_JSON) {
        elements->json = cell->json;
        return json_is_array(cell->json);
    }
    if (cell->kind != TABLE_TEXT)
        return false;
    elements->at = cell->text;
    elements->end = cell->text + cell->bytes;
    return true;
}

/* ------------------------------------------------------------------ JSON */

static enum elements_step take_json(struct elements *elements, const json_t *value)
{
    elements->scalar = scalar_from_json(value);
    if (elements->scalar.kind == SCALAR_NONE)
        return ELEMENTS_BAD;
    return ELEMENTS_ONE;
}

static enum elements_step next_json(struct elements *elements)
{
    const json_t *value;

    if (elements->inner != NULL) {
        if (elements->inner_index < json_array_size(elements->inner))
            return take_json(elements, json_array_get(elements->inner, elements->inner_index++));
        elements->inner = NULL;
        return ELEMENTS_CLOSE;
    }
    if (elements->index == json_array_size(elements->json))
        return ELEMENTS_END;
    value = json_array_get(elements->json, elements->index++);
    if (!json_is_array(value))
        return take_json(elements, value);
    elements->inner = value;
    elements->inner_index = 0;
    return ELEMENTS_OPEN;
}

/* ------------------------------------------------------------------ text */

static void skip_spaces(struct elements *elements)
{
    while (elements->at < elements->end && memchr(" \t\r\n", *elements->at, 4) != NULL)
        elements->at++;
}

static enum elements_step take_text(struct elements *elements)
{
    const char *begin = elements->at;

    while (elements->at < elements->end && memchr(" \t\r\n,[]", *elements->at, 7) == NULL)
        elements->at++;
    elements->scalar = scalar_from_text(begin, (size_t)(elements->at - begin));
    elements->comma = false;
    return elements->scalar.kind == SCALAR_NONE ? ELEMENTS_BAD : ELEMENTS_ONE;
}

static enum elements_step finish_text(const struct elements *elements)
{
    bool whole = elements->bracket ? elements->over : elements->begun;

    return whole && elements->depth == 0 && !elements->comma ? ELEMENTS_END : ELEMENTS_BAD;
}

static enum elements_step close_text(struct elements *elements)
{
    if (elements->depth == 0 || elements->comma)
        return ELEMENTS_BAD;
    elements->at++;
    elements->depth--;
    if (elements->depth > 0)
        return ELEMENTS_CLOSE;
    elements->over = true;
    skip_spaces(elements);
    return elements->at == elements->end ? ELEMENTS_END : ELEMENTS_BAD;
}

static enum elements_step open_text(struct elements *elements)
{
    bool outer = !elements->begun;

    if (elements->depth == 2 || (!outer && elements->depth == 0))
        return ELEMENTS_BAD;
    elements->at++;
    elements->depth++;
    elements->bracket = elements->begun = true;
    elements->comma = false;
    return outer ? elements_next(elements) : ELEMENTS_OPEN;
}

static enum elements_step next_text(struct elements *elements)
{
    if (elements->over)
        return finish_text(elements);
    skip_spaces(elements);
    if (elements->begun && !elements->comma && elements->at < elements->end && *elements->at == ',') {
        elements->comma = true;
        elements->at++;
        skip_spaces(elements);
    }
    if (elements->at == elements->end)
        return finish_text(elements);
    if (*elements->at == '[')
        return open_text(elements);
    if (*elements->at == ']')
        return close_text(elements);
    elements->begun = true;
    return take_text(elements);
}

enum elements_step elements_next(struct elements *elements)
{
    return elements->json != NULL ? next_json(elements) : next_text(elements);
}
