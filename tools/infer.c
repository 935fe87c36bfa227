/* SPDX-License-Identifier: Apache-2.0 */
#include "infer.h"

#include "elements.h"
#include "name_set.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    DICTIONARY_MOST = 1000, /* different texts of a dictionary that nobody asked for, each twice on average */
    DISTINCT_SLOTS = 2048,
    VECTOR_BYTES_MOST = 65535
};

static void see(struct infer *infer, enum infer_kind kind, uint64_t line)
{
    if (infer->lines[kind] == 0)
        infer->lines[kind] = line;
}

/* Whether f64 has bits for all between its highest and lowest one. */
static bool is_exact(uint64_t magnitude)
{
    return magnitude == 0 || magnitude >> __builtin_ctzll(magnitude) < UINT64_C(1) << 53;
}

static void see_number(struct infer_numbers *numbers, const struct scalar *scalar)
{
    numbers->truth = numbers->truth || scalar->kind == SCALAR_BOOL;
    numbers->real = numbers->real || scalar->kind == SCALAR_REAL;
    if (scalar->kind != SCALAR_INTEGER)
        return;
    numbers->integer = true;
    numbers->negative = numbers->negative || scalar->negative;
    numbers->large = numbers->large || (!scalar->negative && scalar->magnitude > INT64_MAX);
    numbers->inexact = numbers->inexact || !is_exact(scalar->magnitude);
}

/* ------------------------------------------------------------------ arrays */

/* One array, before it is known that it is one. */
struct shape {
    struct infer_numbers elements;
    size_t count, inner_count, inner;
    bool flat, uneven, inside;
    bool padded; /* a number with digits that would be lost: so it is text */
};

static void shape_step(struct shape *shape, const struct elements *elements, enum elements_step step)
{
    switch (step) {
    case ELEMENTS_ONE:
        see_number(&shape->elements, &elements->scalar);
        shape->padded = shape->padded || elements->scalar.padded;
        shape->count++;
        shape->inner_count++;
        shape->flat = shape->flat || !shape->inside;
        break;
    case ELEMENTS_OPEN:
        shape->inside = true;
        shape->inner_count = 0;
        break;
    case ELEMENTS_CLOSE:
        shape->inside = false;
        shape->uneven = shape->uneven || shape->inner_count == 0 || (shape->inner != 0 && shape->inner != shape->inner_count);
        shape->inner = shape->inner_count;
        break;
    case ELEMENTS_END:
    case ELEMENTS_BAD:
        break;
    }
}

static bool see_array(struct infer *infer, const struct table_cell *cell, uint64_t line)
{
    struct shape shape = {.count = 0};
    struct elements elements;
    enum elements_step step;

    if (!elements_begin(&elements, cell))
        return false;
    do {
        step = elements_next(&elements);
        shape_step(&shape, &elements, step);
    } while (step != ELEMENTS_END && step != ELEMENTS_BAD);
    if (step == ELEMENTS_BAD || shape.padded)
        return false;
    infer->least = infer->lines[INFER_ARRAY] == 0 || shape.count < infer->least ? shape.count : infer->least;
    infer->most = shape.count > infer->most ? shape.count : infer->most;
    infer->uneven = infer->uneven || shape.uneven || (shape.inner != 0 && infer->inner != 0 && shape.inner != infer->inner);
    infer->inner = shape.inner != 0 ? shape.inner : infer->inner;
    infer->flat = infer->flat || shape.flat;
    infer->elements.truth = infer->elements.truth || shape.elements.truth;
    infer->elements.integer = infer->elements.integer || shape.elements.integer;
    infer->elements.real = infer->elements.real || shape.elements.real;
    infer->elements.negative = infer->elements.negative || shape.elements.negative;
    infer->elements.large = infer->elements.large || shape.elements.large;
    infer->elements.inexact = infer->elements.inexact || shape.elements.inexact;
    see(infer, INFER_ARRAY, line);
    return true;
}

/* ------------------------------------------------------------------ cells */

static bool is_finite(double real)
{
    return real - real == 0;
}

static enum infer_kind kind_of(const struct scalar *scalar, bool is_string)
{
    if (scalar->kind == SCALAR_REAL && !is_finite(scalar->real) && !scalar->padded)
        return INFER_SPECIAL;
    if (scalar->kind == SCALAR_NONE || scalar->padded)
        return INFER_TEXT;
    if (is_string)
        return INFER_SPECIAL;
    if (scalar->kind == SCALAR_BOOL)
        return INFER_BOOL;
    return scalar->kind == SCALAR_INTEGER ? INFER_INTEGER : INFER_REAL;
}

/* Whatever a text looks like: all may turn out to be text. */
static bool count_text(struct infer *infer, const struct table_cell *cell)
{
    infer->texts++;
    if (infer->many)
        return true;
    if (!number_set_add(&infer->distinct, name_hash(cell->text, cell->bytes), DISTINCT_SLOTS))
        return false;
    infer->many = infer->distinct.count > DICTIONARY_MOST;
    return true;
}

bool infer_cell(struct infer *infer, const struct table_cell *cell, uint64_t line)
{
    struct scalar scalar;
    enum infer_kind kind;

    if (cell->kind == TABLE_ABSENT || cell->kind == TABLE_NULL)
        return true;
    if (cell->kind == TABLE_JSON) {
        infer->is_json = true;
        scalar = scalar_from_json(cell->json);
        kind = scalar.kind == SCALAR_NONE ? INFER_OTHER : kind_of(&scalar, false);
        if (kind == INFER_OTHER && see_array(infer, cell, line))
            return true;
    } else {
        infer->is_json = infer->is_json || cell->is_string;
        if (!count_text(infer, cell))
            return false;
        if (!cell->is_string && cell->bytes > 0 && cell->text[0] == '[' && see_array(infer, cell, line))
            return true;
        scalar = cell->is_string ? scalar_from_string(cell->text, cell->bytes) : scalar_from_text(cell->text, cell->bytes);
        kind = kind_of(&scalar, cell->is_string);
    }
    see(infer, kind, line);
    if (kind == INFER_INTEGER || kind == INFER_REAL || kind == INFER_SPECIAL)
        see_number(&infer->numbers, &scalar);
    return true;
}

/* ------------------------------------------------------------------ the answer */

static const char *const kind_names[INFER_KINDS] = {
    [INFER_BOOL] = "true or false",
    [INFER_INTEGER] = "a whole number",
    [INFER_REAL] = "a number",
    [INFER_SPECIAL] = "text",
    [INFER_TEXT] = "text",
    [INFER_ARRAY] = "an array of numbers",
    [INFER_OTHER] = "an object, or an array of other things than numbers",
};

static enum infer_answer mixed(const struct infer *infer, char why[INFER_WHY_BYTES])
{
    size_t used = 0;

    if (infer->inner != 0 || infer->uneven)
        used = (size_t)snprintf(why, INFER_WHY_BYTES, "arrays in arrays that are no vectors of one length");
    else if ((infer->numbers.real && infer->numbers.inexact) || (infer->elements.real && infer->elements.inexact))
        used = (size_t)snprintf(why, INFER_WHY_BYTES, "whole numbers beyond 2^53, which f64 would round, and others");
    for (int kind = 0; kind < INFER_KINDS; kind++)
        if (infer->lines[kind] != 0 && used < INFER_WHY_BYTES)
            used += (size_t)snprintf(why + used, INFER_WHY_BYTES - used, "%s%s on line %" PRIu64, used > 0 ? ", " : "",
                                     kind_names[kind], infer->lines[kind]);
    return INFER_MIXED;
}

static struct infer_advice advise(const char *type, const char *words)
{
    return (struct infer_advice){.type = type, .words = words};
}

struct infer_advice infer_advice(const struct infer *infer)
{
    bool numbers = infer->lines[INFER_INTEGER] != 0 || infer->lines[INFER_REAL] != 0;
    bool texts = infer->lines[INFER_TEXT] != 0 || (infer->lines[INFER_SPECIAL] != 0 && !numbers);
    bool truth = infer->lines[INFER_BOOL] != 0, arrays = infer->lines[INFER_ARRAY] != 0;

    if (infer->lines[INFER_OTHER] != 0)
        return advise(NULL, "objects and lists of texts are not supported, only strings that hold them");
    if (infer->inner != 0 || infer->uneven)
        return advise(NULL, "a list holds numbers, or vectors of one length and of two numbers or more");
    if (arrays && (numbers || texts || truth))
        return advise(NULL, "a column holds arrays, or single values, not both");
    if (arrays && infer->elements.truth)
        return advise(NULL, "an array holds numbers, or true and false, not both");
    if (texts)
        return advise("utf8", "takes texts, each of them a string");
    if (truth)
        return advise("bool", "takes true and false, and 1 and 0 for them");
    return advise(arrays ? "list<f64>" : "f64", "takes them, rounded");
}

/* False: no type holds them all. */
static bool number_type(const struct infer_numbers *numbers, enum aimg_type *type_out)
{
    if (numbers->truth)
        *type_out = AIMG_TYPE_BOOL;
    else if (numbers->real)
        *type_out = AIMG_TYPE_F64;
    else
        *type_out = numbers->large ? AIMG_TYPE_U64 : AIMG_TYPE_I64;
    if (numbers->truth)
        return !numbers->integer && !numbers->real;
    if (numbers->real)
        return !numbers->inexact;
    return !numbers->large || !numbers->negative;
}

static bool array_type(const struct infer *infer, struct value_type *type)
{
    if (!number_type(&infer->elements, &type->type))
        return false;
    size_t bytes = value_type_element_bytes(type->type);

    type->list = true;
    if (infer->inner != 0) {
        if (infer->flat || infer->uneven || infer->inner == 1 || infer->inner * bytes > VECTOR_BYTES_MOST)
            return false;
        type->width = (uint32_t)infer->inner;
        return true;
    }
    if (infer->least != infer->most || infer->most < 2 || infer->most * bytes > VECTOR_BYTES_MOST)
        return !infer->uneven;
    type->list = false;
    type->width = (uint32_t)infer->most;
    return true;
}

static struct value_type text_type(const struct infer *infer)
{
    bool few = !infer->many && infer->distinct.count * 2 <= infer->texts;

    return (struct value_type){.type = few ? AIMG_TYPE_DICTIONARY : AIMG_TYPE_UTF8, .width = 1};
}

enum infer_answer infer_type(const struct infer *infer, struct value_type *type_out, char why[INFER_WHY_BYTES])
{
    bool text = infer->lines[INFER_TEXT] != 0 || infer->lines[INFER_SPECIAL] != 0;
    bool number = infer->lines[INFER_INTEGER] != 0 || infer->lines[INFER_REAL] != 0;
    bool truth = infer->lines[INFER_BOOL] != 0, array = infer->lines[INFER_ARRAY] != 0;
    bool fits = true;

    if (number && infer->lines[INFER_TEXT] == 0)
        text = false;
    if (!text && !number && !truth && !array && infer->lines[INFER_OTHER] == 0)
        return INFER_NOTHING;
    *type_out = (struct value_type){.type = AIMG_TYPE_BOOL, .width = 1};
    if (text + number + truth + array != 1 || infer->lines[INFER_OTHER] != 0)
        fits = false;
    else if (text)
        *type_out = text_type(infer);
    else if (number)
        fits = number_type(&infer->numbers, &type_out->type);
    else if (array)
        fits = array_type(infer, type_out);
    if (fits)
        return INFER_TYPE;
    /* All cells of CSV are texts, too. */
    if (infer->is_json)
        return mixed(infer, why);
    *type_out = text_type(infer);
    return INFER_TYPE;
}

void infer_free(struct infer *infer)
{
    number_set_free(&infer->distinct);
}
