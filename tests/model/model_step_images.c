/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that fill the open batch. */
#include "model_run.h"

#include "random.h"

#include <inttypes.h>
#include <stdlib.h>

/* ------------------------------------------------------------------ adding */

/* Values for some of the columns; chosen by the seed, none for 0. Whether all of them can be. */
struct values {
    struct aimg_value all[MODEL_COLUMNS];
    uint8_t data[MODEL_COLUMNS][MODEL_VALUE_BYTES];
    size_t count;
    bool valid;
};

static void choose_values(const struct model_state *state, uint32_t seed, struct model_image *image, struct values *values)
{
    values->count = 0;
    values->valid = true;
    for (uint32_t i = 0; seed != 0 && i < state->column_count; i++) {
        uint32_t column = state->columns[i];
        uint64_t random = (uint64_t)seed << 8 | column;
        uint32_t number = (uint32_t)random_next(&random) % MODEL_VALUES;
        if (random_below(&random, 3) == 0) {
            if (number % 4 == 0) /* said, not left out */
                values->all[values->count++] = (struct aimg_value){.column = i + 1, .flags = AIMG_VALUE_NULL};
            continue;
        }
        if (model_columns[column].type == AIMG_TYPE_IMAGE) {
            uint32_t limit = state->image_count + (random_below(&random, 16) == 0); /* now and then one that is not there */
            if (limit == 0)
                continue;
            number = (uint32_t)random_below(&random, limit);
            values->valid = values->valid && number < state->image_count;
        }
        image->values[column] = number + 1;
        struct aimg_value *value = &values->all[values->count];
        *value = (struct aimg_value){.column = i + 1, .data = values->data[values->count]};
        value->bytes = model_value(column, number, false, values->data[values->count]);
        values->count++;
    }
}

static enum aimg_status add(struct model_run *run, struct aimg_image *image, bool prepare, uint32_t *ordinal_out,
                            struct aimg_error *error)
{
    struct aimg_prepared prepared;
    if (!prepare)
        return aimg_writer_add(run->writer, image, ordinal_out, error);
    uint64_t scratch_bytes = aimg_writer_scratch_bytes(run->writer, image->data_bytes, image->format);
    void *scratch = scratch_bytes == 0 ? NULL : malloc((size_t)scratch_bytes);
    enum aimg_status status =
        aimg_writer_prepare(run->writer, image->data, image->data_bytes, image->format, scratch, scratch_bytes, &prepared, error);
    image->prepared = &prepared;
    if (status == AIMG_OK)
        status = aimg_writer_add(run->writer, image, ordinal_out, error);
    free(scratch);
    return status;
}

/* Whether what was seen in this session was stored once: `before` is how many images were, before this one. */
static bool check_dedup(struct model_run *run, uint32_t content, uint64_t before)
{
    const struct model_state *next = &run->model.next;
    static uint8_t data[MODEL_CONTENT_BYTES];
    uint64_t after, bytes;
    bool seen = false;
    for (uint32_t i = run->session_first; !seen && i < next->image_count; i++)
        seen = next->images[i].content == content && !next->images[i].renamed;
    aimg_writer_deduplicated(run->writer, &after, &bytes);
    if (model_session_dedup(&run->session) == AIMG_DEDUP_NONE)
        return after == 0 || model_fail(run->reason, "%" PRIu64 " images are aliases, but nobody asked for that", after);
    if (run->trainings > 1 && after == before)
        return true; /* what is coded with a dictionary of the open batch is not compared with what is coded otherwise */
    return after == before + 1 || (after == before && (!seen || model_content(content, data) <= 8)) ||
           model_fail(run->reason, "content %" PRIu32 " was seen in this session, but is stored again", content);
}

/* name: number + 1. */
static bool put(struct model_run *run, uint32_t name, uint32_t content, uint32_t seed, uint32_t flags)
{
    static uint8_t data[MODEL_CONTENT_BYTES];
    static struct values values;
    struct model_state *next = &run->model.next;
    struct model_image new_image = {.name = name, .content = content, .attachment = (flags & AIMG_ADD_ATTACHMENT) != 0};
    struct aimg_image image = {.struct_bytes = sizeof image, .data = data, .flags = flags, .format = model_format(content)};
    struct aimg_error error;
    char text[MODEL_NAME_BYTES] = "";
    uint32_t ordinal = 0, before = name == 0 ? MODEL_NOBODY : model_state_find(next, name);
    choose_values(next, seed, &new_image, &values);
    image.name = text;
    image.name_bytes = name == 0 ? 0 : model_name(name - 1, text);
    image.data_bytes = model_content(content, data);
    image.values = values.all;
    image.value_count = values.count;
    enum aimg_status expected = name > MODEL_NAMES || !values.valid                         ? AIMG_INVALID_ARGUMENT
                                : before != MODEL_NOBODY && (flags & AIMG_ADD_REPLACE) == 0 ? AIMG_EXISTS
                                                                                            : AIMG_OK;
    uint64_t aliases, alias_bytes;
    aimg_writer_deduplicated(run->writer, &aliases, &alias_bytes);
    enum aimg_status status = add(run, &image, seed % 5 == 1, &ordinal, &error);
    if (!model_status(run->reason, status, expected, &error, "adding '%.80s'", text))
        return false;
    if (status != AIMG_OK)
        return true;
    if (!check_dedup(run, content, aliases))
        return false;
    if (before != MODEL_NOBODY)
        next->images[before].dead = true;
    uint32_t mine = model_state_add(next, &new_image);
    run->model.changed = true;
    return ordinal == mine || model_fail(run->reason, "'%.80s' became image %" PRIu32 ", not %" PRIu32, text, ordinal, mine);
}

bool model_step_add(struct model_run *run, const struct model_step *step)
{
    return put(run, step->arguments[0] + 1, step->arguments[1], step->arguments[2], 0);
}

bool model_step_replace(struct model_run *run, const struct model_step *step)
{
    return put(run, step->arguments[0] + 1, step->arguments[1], step->arguments[2], AIMG_ADD_REPLACE);
}

/* Argument 0: the number of the name + 1. */
bool model_step_attach(struct model_run *run, const struct model_step *step)
{
    uint32_t name = step->arguments[0] % 3 == 0 ? 0 : step->arguments[0];
    return put(run, name, step->arguments[1], step->arguments[2], AIMG_ADD_ATTACHMENT);
}

/* Arguments: how many, the first name, and what they are. */
bool model_step_many(struct model_run *run, const struct model_step *step)
{
    uint32_t seed = step->arguments[2];
    for (uint32_t i = 0; i < step->arguments[0]; i++)
        if (!put(run, 1 + (step->arguments[1] + i) % MODEL_NAMES, (seed + i * (seed % 3)) % MODEL_CONTENTS,
                 seed == 0 ? 0 : seed + i, 0))
            return false;
    return true;
}

/* ------------------------------------------------------------------ changing */

uint32_t model_pick(const struct model_state *state, uint32_t number, bool any)
{
    uint32_t alive = model_state_alive(state);
    if (any || alive == 0)
        return number % (state->image_count + 1);
    number %= alive;
    for (uint32_t i = 0;; i++)
        if (!state->images[i].dead && number-- == 0)
            return i;
}

static bool is_alive(const struct model_state *state, uint32_t ordinal)
{
    return ordinal < state->image_count && !state->images[ordinal].dead;
}

bool model_step_remove(struct model_run *run, const struct model_step *step)
{
    struct model_state *next = &run->model.next;
    struct aimg_error error;
    uint32_t ordinal = model_pick(next, step->arguments[0], step->arguments[1] >= 6);
    bool alive = is_alive(next, ordinal);
    enum aimg_status status = aimg_writer_remove(run->writer, ordinal, &error);
    if (!model_status(run->reason, status, alive ? AIMG_OK : AIMG_NOT_FOUND, &error, "removing image %" PRIu32, ordinal))
        return false;
    if (alive)
        next->images[ordinal].dead = run->model.changed = true;
    return true;
}

bool model_step_rename(struct model_run *run, const struct model_step *step)
{
    struct model_state *next = &run->model.next;
    struct aimg_error error;
    char text[MODEL_NAME_BYTES];
    uint32_t name = step->arguments[1] + 1, found = 0, ordinal = model_pick(next, step->arguments[0], step->arguments[2] == 7);
    enum aimg_status expected = name > MODEL_NAMES                             ? AIMG_INVALID_ARGUMENT
                                : model_state_find(next, name) != MODEL_NOBODY ? AIMG_EXISTS
                                : !is_alive(next, ordinal)                     ? AIMG_NOT_FOUND
                                                                               : AIMG_OK;
    enum aimg_status status =
        aimg_writer_rename(run->writer, ordinal, text, model_name(step->arguments[1], text), &found, &error);
    if (!model_status(run->reason, status, expected, &error, "renaming image %" PRIu32 " to '%.80s'", ordinal, text))
        return false;
    if (status != AIMG_OK)
        return true;
    struct model_image image = next->images[ordinal];
    image.name = name;
    image.renamed = true;
    next->images[ordinal].dead = run->model.changed = true;
    uint32_t mine = model_state_add(next, &image);
    next->images[ordinal].renamed_to = mine + 1;
    return found == mine || model_fail(run->reason, "renamed to image %" PRIu32 ", not %" PRIu32, found, mine);
}

/* ------------------------------------------------------------------ columns, metadata, training */

bool model_step_column(struct model_run *run, const struct model_step *step)
{
    struct model_state *next = &run->model.next;
    const struct model_column *column = &model_columns[step->arguments[0]];
    struct aimg_error error;
    uint32_t id = 0, index = model_state_column(next, step->arguments[0]);
    if (step->arguments[1] == 6)
        return model_status(run->reason, aimg_writer_column(run->writer, "name", AIMG_TYPE_U8, 1, 0, &id, &error),
                            AIMG_INVALID_ARGUMENT, &error, "a column with a reserved name");
    if (step->arguments[1] == 7 && index < MODEL_COLUMNS)
        return model_status(run->reason, aimg_writer_column(run->writer, column->name, AIMG_TYPE_F64, 7, 0, &id, &error),
                            AIMG_EXISTS, &error, "column '%s' with another type", column->name);
    enum aimg_status status =
        aimg_writer_column(run->writer, column->name, column->type, column->width, column->list, &id, &error);
    if (!model_status(run->reason, status, AIMG_OK, &error, "column '%s'", column->name))
        return false;
    if (index == MODEL_COLUMNS) {
        index = next->column_count++;
        next->columns[index] = step->arguments[0];
        run->model.changed = true;
    }
    return id == index + 1 ||
           model_fail(run->reason, "column '%s' has id %" PRIu32 ", not %" PRIu32, column->name, id, index + 1);
}

bool model_step_meta(struct model_run *run, const struct model_step *step)
{
    struct aimg_error error;
    uint32_t *pair = &run->model.next.meta[step->arguments[0]], value = step->arguments[1];
    bool removes = value >= MODEL_META_VALUES;
    enum aimg_status expected = removes && *pair == 0 ? AIMG_NOT_FOUND : AIMG_OK;
    enum aimg_status status =
        aimg_writer_set_meta(run->writer, model_key(step->arguments[0]), removes ? NULL : model_meta_value(value), &error);
    if (!model_status(run->reason, status, expected, &error, "metadata '%s'", model_key(step->arguments[0])))
        return false;
    *pair = removes ? 0 : value + 1;
    return true;
}

bool model_step_train(struct model_run *run, const struct model_step *step)
{
    enum { SAMPLES = 40 };
    static uint8_t data[SAMPLES][4096];
    struct aimg_sample samples[SAMPLES];
    struct aimg_error error;
    for (uint32_t i = 0; i < SAMPLES; i++) {
        uint32_t content = (step->arguments[0] + i * 2) % MODEL_CONTENTS;
        samples[i] = (struct aimg_sample){.data = data[i], .format = model_format(content)};
        samples[i].bytes = model_content(content, data[i]);
    }
    enum aimg_status status = aimg_writer_train(run->writer, samples, SAMPLES, step->arguments[0] % 2 == 0 ? 0 : 100000, &error);
    run->trainings++;
    return model_status(run->reason, status, AIMG_OK, &error, "training");
}
