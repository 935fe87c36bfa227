/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that give values to images that are there. */
#include "model_run.h"

#include "random.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Arguments: the image, as for removing; the column; the value + 1, or 0 for none. */
bool model_step_set(struct model_run *run, const struct model_step *step)
{
    static uint8_t data[MODEL_VALUE_BYTES];
    struct model_state *next = &run->model.next;
    struct aimg_error error;
    uint32_t column = step->arguments[1], index = model_state_column(next, column);
    uint32_t ordinal = model_pick(next, step->arguments[0], step->arguments[0] >= 950), number = step->arguments[2] - 1;
    struct aimg_value value = {.column = index + 1, .data = data, .flags = step->arguments[2] == 0 ? AIMG_VALUE_NULL : 0};
    bool valid = index < MODEL_COLUMNS;
    if (value.flags == 0) {
        bool image = model_columns[column].type == AIMG_TYPE_IMAGE;
        number %= image ? next->image_count + 1 : MODEL_VALUES;
        valid = valid && (!image || number < next->image_count);
        value.bytes = model_value(column, number, false, data);
    }
    bool alive = ordinal < next->image_count && !next->images[ordinal].dead;
    enum aimg_status expected = !alive ? AIMG_NOT_FOUND : valid ? AIMG_OK : AIMG_INVALID_ARGUMENT;
    enum aimg_status status = aimg_writer_set(run->writer, ordinal, &value, &error);
    if (!model_status(run->reason, status, expected, &error, "setting '%s' of image %" PRIu32, model_columns[column].name,
                      ordinal))
        return false;
    if (status == AIMG_OK) {
        next->images[ordinal].values[column] = value.flags != 0 ? 0 : number + 1;
        *(value.flags == 0 ? &run->model.values_set : &run->model.maybe_changed) = true;
    }
    return true;
}

/* ------------------------------------------------------------------ arrays */

/* The number of the text that a dictionary has for a code; MODEL_VALUES when there is no such code. */
static uint32_t number_of_code(struct model_run *run, uint32_t column_index, uint32_t column, uint32_t code)
{
    static uint8_t text[MODEL_VALUE_BYTES], expected[MODEL_VALUE_BYTES];
    size_t bytes;
    if (aimg_reader_dictionary(aimg_writer_base(run->writer), column_index, code, (char *)text, sizeof text, &bytes, NULL) !=
        AIMG_OK)
        return MODEL_VALUES;
    for (uint32_t i = 0; i < MODEL_VALUES; i++)
        if (model_value(column, i, false, expected) == bytes && memcmp(text, expected, bytes) == 0)
            return i;
    return MODEL_VALUES;
}

struct array {
    uint32_t first, count;
    uint8_t *values, *validity;
    uint32_t *numbers; /* for the model: value + 1, or 0 */
};

static void fill(struct model_run *run, uint32_t index, uint32_t column, uint64_t random, struct array *array)
{
    const struct model_column *of = &model_columns[column];
    struct aimg_column known = {.dictionary_count = 0};
    size_t full = model_element_bytes(of->type == AIMG_TYPE_DICTIONARY ? AIMG_TYPE_U32 : of->type) * of->width;
    (void)aimg_reader_column(aimg_writer_base(run->writer), index, &known, NULL);
    if (of->type == AIMG_TYPE_DICTIONARY && known.dictionary_count == 0 && array->validity == NULL)
        array->count = 0; /* codes of the open batch are not known here */
    for (uint32_t i = 0; i < array->count; i++) {
        uint8_t *value = array->values + i * full;
        uint32_t code = known.dictionary_count == 0 ? 0 : (uint32_t)random_below(&random, known.dictionary_count);
        uint32_t number = (uint32_t)random_below(&random, MODEL_VALUES);
        if (of->type == AIMG_TYPE_DICTIONARY)
            number = number_of_code(run, index, column, code);
        if (of->type == AIMG_TYPE_IMAGE)
            number = (uint32_t)random_below(&random, run->model.next.image_count);
        bool null = random_below(&random, 4) == 0 || (of->type == AIMG_TYPE_DICTIONARY && number == MODEL_VALUES);
        if (null && array->validity != NULL)
            continue;
        if (of->type == AIMG_TYPE_DICTIONARY)
            memcpy(value, &code, sizeof code);
        else
            (void)model_value(column, number, false, value);
        if (array->validity != NULL)
            array->validity[i / 8] |= (uint8_t)(1u << i % 8);
        array->numbers[i] = number + 1;
    }
}

static bool set_array(struct model_run *run, uint32_t index, uint32_t column, const struct array *array)
{
    struct model_state *next = &run->model.next;
    struct aimg_error error;
    const struct model_column *of = &model_columns[column];
    bool fixed = !of->list && (of->type == AIMG_TYPE_DICTIONARY || model_element_bytes(of->type) > 0);
    bool valid = index < MODEL_COLUMNS && fixed, there = array->first + array->count <= next->image_count;
    for (uint32_t i = 0; valid && i < array->count; i++)
        valid = array->numbers[i] <= MODEL_VALUES || of->type == AIMG_TYPE_IMAGE;
    enum aimg_status status =
        aimg_writer_set_array(run->writer, index + 1, array->first, array->count, array->values, array->validity, &error);
    enum aimg_status expected = !valid ? AIMG_INVALID_ARGUMENT : there ? AIMG_OK : AIMG_NOT_FOUND;
    if (!model_status(run->reason, status, expected, &error, "an array of '%s' from image %" PRIu32 " on", of->name,
                      array->first))
        return false;
    for (uint32_t i = 0; status == AIMG_OK && i < array->count; i++) {
        uint32_t *value = &next->images[array->first + i].values[column];
        run->model.taken_back = run->model.taken_back || (array->numbers[i] == 0 && *value != 0);
        *value = array->numbers[i];
        *(*value > 0 ? &run->model.values_set : &run->model.maybe_changed) = true;
    }
    return true;
}

/* Arguments: the first image; the column; how many and which values, past the end when it is 7 more than a multiple of 32. */
bool model_step_array(struct model_run *run, const struct model_step *step)
{
    const struct model_state *next = &run->model.next;
    uint32_t column = step->arguments[1], index = model_state_column(next, column), seed = step->arguments[2];
    struct array array;
    if (next->image_count == 0)
        return true;
    array.first = step->arguments[0] % next->image_count;
    uint32_t most = next->image_count - array.first;
    array.count = seed % 32 == 7 ? most + 1 : seed % 3 == 0 ? most : 1 + seed % most;
    array.values = calloc(array.count, 64);
    array.validity = seed % 5 == 0 ? NULL : calloc(array.count / 8 + 1, 1);
    array.numbers = calloc(array.count, sizeof *array.numbers);
    if (array.values == NULL || array.numbers == NULL)
        abort();
    if (model_element_bytes(model_columns[column].type) > 0 || model_columns[column].type == AIMG_TYPE_DICTIONARY)
        if (!model_columns[column].list && index < MODEL_COLUMNS)
            fill(run, index, column, seed, &array);
    bool good = array.count == 0 || set_array(run, index, column, &array);
    free(array.values);
    free(array.validity);
    free(array.numbers);
    return good;
}
