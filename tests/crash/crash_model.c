/* SPDX-License-Identifier: Apache-2.0 */
#include "crash_model.h"

#include "host.h"
#include "sample.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void model_put(struct model *model, const char *name, uint32_t content)
{
    struct model_image *image = &model->images[model->image_count++];
    if (model->image_count > MODEL_IMAGES)
        abort();
    snprintf(image->name, sizeof image->name, "%s", name);
    image->content = content;
    image->score = 0;
}

bool model_remove(struct model *model, const char *name)
{
    for (uint32_t i = 0; i < model->image_count; i++) {
        if (strcmp(model->images[i].name, name) != 0)
            continue;
        model->image_count--;
        memmove(&model->images[i], &model->images[i + 1], (model->image_count - i) * sizeof model->images[0]);
        return true;
    }
    return false;
}

void promise_only(struct promise *promise, const struct model *model)
{
    struct model kept = *model;
    promise->candidates[0] = kept;
    promise->count = 1;
    promise->nothing = false;
}

void promise_also(struct promise *promise, const struct model *model)
{
    if (promise->count == MODEL_CANDIDATES)
        abort();
    promise->candidates[promise->count++] = *model;
}

static bool check_score(const struct aimg_reader *reader, uint32_t ordinal, const struct model_image *image)
{
    struct aimg_column column;
    struct aimg_error error;
    uint32_t score = 0;
    size_t bytes;
    int null;
    if (aimg_reader_column_find(reader, "score", &column, &error) != AIMG_OK)
        return image->score == 0;
    return aimg_reader_value(reader, column.index, ordinal, &score, sizeof score, &bytes, &null, &error) == AIMG_OK &&
           (host_order(&score, sizeof score, sizeof score), score == image->score) && null == (score == 0);
}

static bool check_image(const struct aimg_reader *reader, uint64_t position, const struct model_image *image, char reason[256])
{
    struct aimg_error error;
    struct aimg_bytes bytes;
    char name[1025];
    uint32_t ordinal, found;
    if (aimg_reader_ordinal_at(reader, position, &ordinal, &error) != AIMG_OK ||
        aimg_reader_name(reader, ordinal, name, sizeof name, NULL, &error) != AIMG_OK ||
        aimg_reader_find(reader, image->name, strlen(image->name), &found, &error) != AIMG_OK ||
        aimg_reader_borrow(reader, ordinal, AIMG_READ_VERIFY, &bytes, &error) != AIMG_OK) {
        snprintf(reason, 256, "position %" PRIu64 ": %.200s", position, error.message);
        return false;
    }
    if (strcmp(name, image->name) != 0 || found != ordinal || !sample_equals(reader, ordinal, image->content)) {
        snprintf(reason, 256, "position %" PRIu64 " is not %s as it was added", position, image->name);
        return false;
    }
    if (!check_score(reader, ordinal, image)) {
        snprintf(reason, 256, "%s does not have the score %" PRIu32, image->name, image->score);
        return false;
    }
    return true;
}

static bool check_title(const struct aimg_reader *reader, const struct model *model, char reason[256])
{
    char title[24];
    size_t bytes = 0;
    struct aimg_error error;
    enum aimg_status status = aimg_reader_meta(reader, "title", title, sizeof title, &bytes, &error);
    if (model->title[0] == '\0' ? status == AIMG_NOT_FOUND
                                : status == AIMG_OK && bytes == strlen(model->title) && memcmp(title, model->title, bytes) == 0)
        return true;
    snprintf(reason, 256, "the title is not '%s': %.200s", model->title, status == AIMG_OK ? "another one" : error.message);
    return false;
}

static bool check_model(const struct aimg_reader *reader, const struct model *model, char reason[256])
{
    struct aimg_names *names = NULL;
    struct aimg_listed listed;
    struct aimg_error error = {.message = "other names"};
    uint64_t seen = 0;
    if (aimg_reader_count(reader) != model->image_count) {
        snprintf(reason, 256, "%" PRIu64 " images, not %" PRIu32, aimg_reader_count(reader), model->image_count);
        return false;
    }
    for (uint32_t i = 0; i < model->image_count; i++)
        if (!check_image(reader, i, &model->images[i], reason))
            return false;
    if (!check_title(reader, model, reason))
        return false;
    enum aimg_status status = aimg_names_create(reader, 0, &names, &error);
    while (status == AIMG_OK && (status = aimg_names_next(names, &listed, &error)) == AIMG_OK)
        if (seen >= model->image_count || strcmp(listed.name, model->images[seen++].name) != 0)
            status = AIMG_CORRUPT;
    aimg_names_destroy(names);
    if (status == AIMG_END && seen == model->image_count)
        return true;
    snprintf(reason, 256, "the list of names: %.200s", error.message);
    return false;
}

/* Before the first commit not even the head of the file is durable: rules 1 to 8. */
static bool may_be_gone(const struct promise *promise, const struct aimg_error *error)
{
    if (promise->nothing)
        return true;
    return promise->candidates[0].commit_count == 0 && error->rule >= 1 && error->rule <= 8;
}

enum verdict promise_check(const struct promise *promise, const uint8_t *bytes, uint64_t count, const struct model **found_out,
                           char reason[256])
{
    struct aimg_reader *reader = NULL;
    struct aimg_error error;
    struct aimg_info info = {.struct_bytes = sizeof info};
    enum verdict verdict = VERDICT_BAD;
    enum aimg_status status = aimg_reader_open_memory(bytes, count, NULL, &reader, &error);
    snprintf(reason, 256, "cannot be opened: %.200s", error.message);
    if (status != AIMG_OK)
        return may_be_gone(promise, &error) ? VERDICT_GONE : VERDICT_BAD;
    if (aimg_reader_info(reader, &info, NULL) != AIMG_OK)
        abort();
    snprintf(reason, 256, "shows commit %" PRIu64 ", which was not the last", info.commit_count);
    for (unsigned i = 0; verdict == VERDICT_BAD && i < promise->count; i++) {
        if (promise->candidates[i].commit_count != info.commit_count || !check_model(reader, &promise->candidates[i], reason))
            continue;
        verdict = VERDICT_GOOD;
        *found_out = &promise->candidates[i];
    }
    aimg_reader_close(reader);
    return verdict == VERDICT_BAD && promise->nothing ? VERDICT_GONE : verdict;
}
