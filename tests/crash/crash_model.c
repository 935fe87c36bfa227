/* SPDX-License-Identifier: Apache-2.0 */
#include "crash_model.h"

#include "host.h"
#include "random.h"
#include "sample.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct model_image *model_put(struct model *model, const char *name, uint32_t content)
{
    if (model->image_count == MODEL_IMAGES)
        abort();
    struct model_image *image = &model->images[model->image_count++];
    *image = (struct model_image){.content = content, .ordinal = model->ordinal_count++};
    snprintf(image->name, sizeof image->name, "%s", name);
    return image;
}

struct model_image *model_find(struct model *model, const char *name)
{
    for (uint32_t i = 0; i < model->image_count; i++)
        if (strcmp(model->images[i].name, name) == 0)
            return &model->images[i];
    return NULL;
}

bool model_remove(struct model *model, const char *name)
{
    struct model_image *image = model_find(model, name);
    if (image == NULL)
        return false;
    uint32_t index = (uint32_t)(image - model->images);
    model->image_count--;
    model->dead_count++;
    memmove(image, image + 1, (model->image_count - index) * sizeof *image);
    memset(&model->images[model->image_count], 0, sizeof *image); /* equal states have equal bytes */
    return true;
}

void model_compact(struct model *model)
{
    uint32_t next = 0;
    for (uint32_t ordinal = 0; ordinal < model->ordinal_count; ordinal++) {
        for (uint32_t i = 0; i < model->image_count; i++) {
            if (model->images[i].ordinal == ordinal)
                model->images[i].ordinal = next++;
            else if (model->images[i].thumb != 0 && model->images[i].thumb_ordinal == ordinal)
                model->images[i].thumb_ordinal = next++;
        }
    }
    model->ordinal_count = next;
    model->dead_count = 0;
}

/* A family: alike, so that a dictionary is worth it. */
static size_t fill_family(uint32_t number, uint8_t *out)
{
    enum { COMMON = 500, OWN = 60 };
    uint64_t common = 5, own = number;
    random_fill(&common, out, COMMON);
    random_fill(&own, out + COMMON, OWN);
    return COMMON + OWN;
}

enum { KNOWN = 2048 };
static struct {
    uint8_t *data;
    size_t bytes;
} known[KNOWN];

void model_content_set(uint32_t number, const uint8_t *data, size_t bytes)
{
    free(known[number].data);
    known[number].bytes = bytes;
    known[number].data = malloc(bytes + 1);
    if (known[number].data == NULL)
        abort();
    memcpy(known[number].data, data, bytes);
}

const uint8_t *model_content(uint32_t number, size_t *bytes_out)
{
    uint8_t data[SAMPLE_MAX_BYTES];
    if (number >= KNOWN)
        abort();
    if (known[number].data == NULL)
        model_content_set(number, data, number >= MODEL_FAMILY ? fill_family(number, data) : sample_fill(number, data));
    *bytes_out = known[number].bytes;
    return known[number].data;
}

size_t model_note(uint32_t note, char out[64])
{
    return note == 0 ? 0 : (size_t)snprintf(out, 64, "this is note number %" PRIu32, note);
}

size_t model_mood(const struct model_image *image, char out[64])
{
    static const char *const texts[] = {"", "calm", "wild"};
    return image->mood < 3 ? (size_t)snprintf(out, 64, "%s", texts[image->mood])
                           : (size_t)snprintf(out, 64, "mood of %" PRIu32, image->content);
}

void promise_only(struct promise *promise, const struct model *model)
{
    struct model kept = *model;
    memset(promise, 0, sizeof *promise); /* equal promises have equal bytes */
    promise->candidates[0] = kept;
    promise->count = 1;
}

void promise_also(struct promise *promise, const struct model *model)
{
    if (promise->count == MODEL_CANDIDATES)
        abort();
    promise->candidates[promise->count++] = *model;
}

/* ------------------------------------------------------------------ comparing */

/* What a reader shows, its columns looked up once. */
struct view {
    const struct aimg_reader *reader;
    struct aimg_column score, mood, note, thumb;
    bool has_score, has_mood, has_note, has_thumb;
};

static bool check_value(const struct view *view, const struct aimg_column *column, bool has, uint32_t ordinal,
                        const void *expected, size_t expected_bytes)
{
    uint8_t value[64];
    size_t bytes = 0;
    int null = 0;
    if (!has)
        return expected_bytes == 0;
    return aimg_reader_value(view->reader, column->index, ordinal, value, sizeof value, &bytes, &null, NULL) == AIMG_OK &&
           null == (expected_bytes == 0) && bytes == expected_bytes && (bytes == 0 || memcmp(value, expected, bytes) == 0);
}

static bool check_bytes(const struct aimg_reader *reader, uint32_t ordinal, uint32_t content, struct aimg_error *error)
{
    static uint8_t decoded[SAMPLE_MAX_BYTES];
    struct aimg_bytes borrowed;
    uint64_t bytes = 0;
    size_t expected_bytes;
    const uint8_t *expected = model_content(content, &expected_bytes);
    if (aimg_reader_borrow(reader, ordinal, AIMG_READ_VERIFY, &borrowed, error) != AIMG_OK)
        return false;
    if (borrowed.coding == 0)
        return borrowed.bytes == expected_bytes && memcmp(borrowed.data, expected, expected_bytes) == 0;
    return aimg_reader_read(reader, ordinal, 0, decoded, sizeof decoded, &bytes, error) == AIMG_OK && bytes == expected_bytes &&
           memcmp(decoded, expected, expected_bytes) == 0;
}

/* The attachment that the image refers to. */
static bool check_thumb(const struct view *view, uint32_t ordinal, const struct model_image *image, struct aimg_error *error)
{
    uint32_t thumb = 0;
    size_t bytes;
    int null;
    struct aimg_entry entry;
    if (image->thumb == 0 || !view->has_thumb)
        return image->thumb == 0 && check_value(view, &view->thumb, view->has_thumb, ordinal, NULL, 0);
    return aimg_reader_value(view->reader, view->thumb.index, ordinal, &thumb, sizeof thumb, &bytes, &null, error) == AIMG_OK &&
           null == 0 && (host_order(&thumb, sizeof thumb, sizeof thumb), thumb) == image->thumb_ordinal &&
           aimg_reader_entry(view->reader, thumb, &entry, error) == AIMG_OK && entry.attachment == 1 && entry.dead == 0 &&
           check_bytes(view->reader, thumb, image->thumb, error);
}

static bool check_values(const struct view *view, uint32_t ordinal, const struct model_image *image, struct aimg_error *error)
{
    char note[64], mood[64];
    size_t note_bytes = model_note(image->note, note), mood_bytes = model_mood(image, mood);
    uint32_t score = image->score;
    (void)host_order(&score, sizeof score, sizeof score);
    return check_value(view, &view->score, view->has_score, ordinal, &score, image->score == 0 ? 0 : sizeof image->score) &&
           check_value(view, &view->note, view->has_note, ordinal, note, note_bytes) &&
           check_value(view, &view->mood, view->has_mood, ordinal, mood, mood_bytes) && check_thumb(view, ordinal, image, error);
}

static bool check_image(const struct view *view, uint64_t position, const struct model_image *image, char reason[256])
{
    struct aimg_error error = {.message = "other bytes"};
    char name[1025];
    uint32_t ordinal, found;
    uint64_t back;
    if (aimg_reader_ordinal_at(view->reader, position, &ordinal, &error) != AIMG_OK ||
        aimg_reader_position_of(view->reader, ordinal, &back, &error) != AIMG_OK ||
        aimg_reader_name(view->reader, ordinal, name, sizeof name, NULL, &error) != AIMG_OK ||
        aimg_reader_find(view->reader, image->name, strlen(image->name), &found, &error) != AIMG_OK ||
        !check_bytes(view->reader, ordinal, image->content, &error)) {
        snprintf(reason, 256, "position %" PRIu64 ": %.200s", position, error.message);
        return false;
    }
    if (strcmp(name, image->name) != 0 || found != ordinal || ordinal != image->ordinal || back != position) {
        snprintf(reason, 256, "position %" PRIu64 " is not %s as it was added", position, image->name);
        return false;
    }
    if (!check_values(view, ordinal, image, &error)) {
        snprintf(reason, 256, "%s does not have its values", image->name);
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

static bool check_names(const struct aimg_reader *reader, const struct model *model, char reason[256])
{
    struct aimg_names *names = NULL;
    struct aimg_listed listed;
    struct aimg_error error = {.message = "other names"};
    uint64_t seen = 0;
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

static bool check_model(const struct view *view, const struct aimg_info *info, const struct model *model, char reason[256])
{
    if (aimg_reader_count(view->reader) != model->image_count || info->ordinal_count != model->ordinal_count ||
        info->dead_count != model->dead_count || info->sealed != model->sealed) {
        snprintf(reason, 256,
                 "%" PRIu64 " images, %" PRIu64 " ordinals, %" PRIu64 " dead, sealed %" PRIu32 ", not %" PRIu32 ", %" PRIu32
                 ", %" PRIu32 ", %" PRIu32,
                 aimg_reader_count(view->reader), info->ordinal_count, info->dead_count, info->sealed, model->image_count,
                 model->ordinal_count, model->dead_count, model->sealed);
        return false;
    }
    for (uint32_t i = 0; i < model->image_count; i++)
        if (!check_image(view, i, &model->images[i], reason))
            return false;
    return check_title(view->reader, model, reason) && check_names(view->reader, model, reason);
}

/* Before the first commit not even the head of the file is durable: rules 1 to 8. */
static bool may_be_gone(const struct promise *promise, const struct aimg_error *error)
{
    if (promise->nothing)
        return true;
    return promise->candidates[0].commit_count == 0 && error->rule >= 1 && error->rule <= 8;
}

enum verdict promise_compare(const struct promise *promise, const struct aimg_reader *reader, const struct model **found_out,
                             char reason[256])
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct view view = {.reader = reader};
    view.has_score = aimg_reader_column_find(reader, "score", &view.score, NULL) == AIMG_OK;
    view.has_mood = aimg_reader_column_find(reader, "mood", &view.mood, NULL) == AIMG_OK;
    view.has_note = aimg_reader_column_find(reader, "note", &view.note, NULL) == AIMG_OK;
    view.has_thumb = aimg_reader_column_find(reader, "thumb", &view.thumb, NULL) == AIMG_OK;
    if (aimg_reader_info(reader, &info, NULL) != AIMG_OK)
        abort();
    snprintf(reason, 256, "shows commit %" PRIu64 ", which was not the last", info.commit_count);
    for (unsigned i = 0; i < promise->count; i++) {
        if (promise->candidates[i].commit_count != info.commit_count ||
            !check_model(&view, &info, &promise->candidates[i], reason))
            continue;
        *found_out = &promise->candidates[i];
        return VERDICT_GOOD;
    }
    return promise->nothing ? VERDICT_GONE : VERDICT_BAD;
}

enum verdict promise_check(const struct promise *promise, const uint8_t *bytes, uint64_t count, const struct model **found_out,
                           char reason[256])
{
    struct aimg_reader *reader = NULL;
    struct aimg_error error;
    if (aimg_reader_open_memory(bytes, count, NULL, &reader, &error) != AIMG_OK) {
        snprintf(reason, 256, "cannot be opened: %.200s", error.message);
        return may_be_gone(promise, &error) ? VERDICT_GONE : VERDICT_BAD;
    }
    enum verdict verdict = promise_compare(promise, reader, found_out, reason);
    aimg_reader_close(reader);
    return verdict;
}
