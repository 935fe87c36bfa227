/* SPDX-License-Identifier: Apache-2.0 */
#include "model_sequence.h"

#include "model_sample.h"
#include "random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANY 1000u

struct kind {
    const char *name;
    uint32_t weight;                  /* how often, among the others */
    uint32_t limits[MODEL_ARGUMENTS]; /* arguments are below; 0: none */
};

static const struct kind kinds[MODEL_KINDS] = {
    [MODEL_CREATE] = {"create", 1, {288, 24, 64}},
    [MODEL_ADD] = {"add", 40, {MODEL_NAMES + MODEL_BAD_NAMES, MODEL_CONTENTS, ANY}},
    [MODEL_REPLACE] = {"replace", 14, {MODEL_NAMES, MODEL_CONTENTS, ANY}},
    [MODEL_ATTACH] = {"attach", 6, {MODEL_NAMES, MODEL_CONTENTS, ANY}},
    [MODEL_MANY] = {"many", 10, {32, MODEL_NAMES, ANY}},
    [MODEL_REMOVE] = {"remove", 18, {ANY, 8, 0}},
    [MODEL_RENAME] = {"rename", 12, {ANY, MODEL_NAMES + MODEL_BAD_NAMES, 8}},
    [MODEL_COLUMN] = {"column", 12, {MODEL_COLUMNS, 8, 0}},
    [MODEL_SET] = {"set", 30, {ANY, MODEL_COLUMNS, ANY}},
    [MODEL_ARRAY] = {"array", 6, {ANY, MODEL_COLUMNS, ANY}},
    [MODEL_META] = {"meta", 8, {MODEL_KEYS, MODEL_META_VALUES + 2, 0}},
    [MODEL_TRAIN] = {"train", 2, {ANY, 0, 0}},
    [MODEL_COMMIT] = {"commit", 50, {2 * MODEL_MESSAGES, 0, 0}},
    [MODEL_SEAL] = {"seal", 8, {2 * MODEL_MESSAGES, 0, 0}},
    [MODEL_COMPACT] = {"compact", 10, {14, 288, 64}},
    [MODEL_REOPEN] = {"reopen", 8, {288, 24, 64}},
    [MODEL_KILL] = {"kill", 4, {288, 24, 64}},
    [MODEL_CRASH] = {"crash", 12, {10, 3, ANY}},
    [MODEL_FAIL] = {"fail", 6, {24, 6, 6}},
    [MODEL_REFRESH] = {"refresh", 14, {4, 0, 0}},
    [MODEL_TRAVEL] = {"travel", 10, {ANY, 0, 0}},
    [MODEL_CHANGES] = {"changes", 4, {ANY, 0, 0}},
};

const char *model_kind_name(enum model_kind kind)
{
    return kinds[kind].name;
}

/* ------------------------------------------------------------------ by chance */

static struct model_step make_step(enum model_kind kind, uint64_t *random)
{
    struct model_step step = {.kind = kind};
    for (unsigned i = 0; i < MODEL_ARGUMENTS; i++)
        step.arguments[i] = kinds[kind].limits[i] == 0 ? 0 : (uint32_t)random_below(random, kinds[kind].limits[i]);
    return step;
}

/* Each sequence has its own taste: so some do much of what is rare in others. */
static void choose_weights(uint32_t weights[MODEL_KINDS], uint64_t *random)
{
    static const uint32_t tastes[] = {0, 1, 1, 1, 2, 6};
    for (unsigned i = 0; i < MODEL_KINDS; i++)
        weights[i] = kinds[i].weight * tastes[random_below(random, sizeof tastes / sizeof tastes[0])];
    weights[MODEL_CREATE] = kinds[MODEL_CREATE].weight;
    weights[MODEL_ADD] += 10;
    weights[MODEL_COMMIT] += 10;
}

static enum model_kind choose_kind(const uint32_t weights[MODEL_KINDS], uint64_t *random)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < MODEL_KINDS; i++)
        sum += weights[i];
    uint32_t dice = (uint32_t)random_below(random, sum);
    unsigned kind = 0;
    while (dice >= weights[kind])
        dice -= weights[kind++];
    return (enum model_kind)kind;
}

void model_sequence_make(struct model_sequence *sequence, uint64_t seed, uint64_t index)
{
    uint64_t random = seed ^ index * UINT64_C(0xD1342543DE82EF95);
    uint32_t weights[MODEL_KINDS];
    (void)random_next(&random);
    choose_weights(weights, &random);
    /* Few names and contents in some, so that they meet again. */
    uint32_t names = random_below(&random, 3) == 0 ? 6 : MODEL_NAMES,
             contents = random_below(&random, 2) == 0 ? 8 : MODEL_CONTENTS;
    uint32_t columns = 1 + (uint32_t)random_below(&random, 5), first_column = (uint32_t)random_below(&random, MODEL_COLUMNS);
    sequence->count = 6 + (uint32_t)random_below(&random, 1 + random_below(&random, 55));
    uint32_t defined = random_below(&random, 3) == 0 ? 0 : columns; /* at once */
    for (uint32_t i = 0; i < sequence->count; i++) {
        struct model_step *step = &sequence->steps[i];
        *step = make_step(i == 0 ? MODEL_CREATE : i <= defined ? MODEL_COLUMN : choose_kind(weights, &random), &random);
        /* A few columns, which are defined mostly. */
        if (step->kind == MODEL_COLUMN || step->kind == MODEL_SET || step->kind == MODEL_ARRAY) {
            uint32_t *column = &step->arguments[step->kind == MODEL_COLUMN ? 0 : 1];
            *column = ((i <= defined ? i : *column) % columns + first_column) % MODEL_COLUMNS;
        }
        bool has_name = step->kind == MODEL_ADD || step->kind == MODEL_REPLACE || step->kind == MODEL_ATTACH;
        if (has_name && step->arguments[0] < MODEL_NAMES)
            step->arguments[0] %= names;
        if (has_name)
            step->arguments[1] %= contents;
        if (has_name && random_below(&random, 60) == 0)
            step->arguments[1] = MODEL_CONTENTS + (uint32_t)random_below(&random, MODEL_BIG_CONTENTS);
    }
}

/* ------------------------------------------------------------------ as text */

void model_sequence_tell(const struct model_sequence *sequence, char out[MODEL_TEXT_BYTES])
{
    size_t at = 0;
    for (uint32_t i = 0; i < sequence->count; i++) {
        const struct model_step *step = &sequence->steps[i];
        unsigned last = MODEL_ARGUMENTS;
        while (last > 0 && step->arguments[last - 1] == 0)
            last--;
        at += (size_t)snprintf(out + at, MODEL_TEXT_BYTES - at, "%s%s", i == 0 ? "" : ",", kinds[step->kind].name);
        for (unsigned k = 0; k < last; k++)
            at += (size_t)snprintf(out + at, MODEL_TEXT_BYTES - at, ".%" PRIu32, step->arguments[k]);
    }
}

static const char *read_step(struct model_step *step, const char *text)
{
    size_t name_bytes = strcspn(text, ".,");
    *step = (struct model_step){.kind = MODEL_KINDS};
    for (unsigned i = 0; i < MODEL_KINDS; i++)
        if (strlen(kinds[i].name) == name_bytes && memcmp(kinds[i].name, text, name_bytes) == 0)
            step->kind = (enum model_kind)i;
    text += name_bytes;
    for (unsigned i = 0; *text == '.' && i < MODEL_ARGUMENTS; i++) {
        char *end;
        unsigned long long number = strtoull(text + 1, &end, 10);
        if (end == text + 1 || number > UINT32_MAX)
            return NULL;
        step->arguments[i] = (uint32_t)number;
        text = end;
    }
    return step->kind == MODEL_KINDS || (*text != ',' && *text != 0) ? NULL : text;
}

bool model_sequence_read(struct model_sequence *sequence, const char *text)
{
    sequence->count = 0;
    while (sequence->count < MODEL_STEPS && (text = read_step(&sequence->steps[sequence->count], text)) != NULL) {
        sequence->count++;
        if (*text++ == 0)
            return sequence->steps[0].kind == MODEL_CREATE;
    }
    return false;
}
