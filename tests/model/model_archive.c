/* SPDX-License-Identifier: Apache-2.0 */
#include "model_archive.h"

#include <stdlib.h>
#include <string.h>

static void *grow(void *memory, size_t count, size_t each)
{
    void *grown = realloc(memory, count * each);
    if (grown == NULL)
        abort();
    return grown;
}

/* ------------------------------------------------------------------ one state */

void model_state_release(struct model_state *state)
{
    free(state->images);
    *state = (struct model_state){.images = NULL};
}

void model_state_copy(struct model_state *to, const struct model_state *from)
{
    *to = *from;
    to->room = from->image_count;
    to->images = grow(NULL, from->image_count + 1, sizeof *to->images);
    if (from->image_count > 0)
        memcpy(to->images, from->images, from->image_count * sizeof *to->images);
}

uint32_t model_state_add(struct model_state *state, const struct model_image *image)
{
    if (state->image_count == state->room) {
        state->room = state->room * 2 + 8;
        state->images = grow(state->images, state->room + 1, sizeof *state->images);
    }
    state->images[state->image_count] = *image;
    return state->image_count++;
}

uint32_t model_state_find(const struct model_state *state, uint32_t name)
{
    for (uint32_t i = state->image_count; i-- > 0;)
        if (state->images[i].name == name && !state->images[i].dead)
            return i;
    return MODEL_NOBODY;
}

uint32_t model_state_listed(const struct model_state *state)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < state->image_count; i++)
        count += !state->images[i].dead && !state->images[i].attachment;
    return count;
}

uint32_t model_state_dead(const struct model_state *state)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < state->image_count; i++)
        count += state->images[i].dead;
    return count;
}

uint32_t model_state_alive(const struct model_state *state)
{
    return state->image_count - model_state_dead(state);
}

uint32_t model_state_column(const struct model_state *state, uint32_t column)
{
    for (uint32_t i = 0; i < state->column_count; i++)
        if (state->columns[i] == column)
            return i;
    return MODEL_COLUMNS;
}

/* ------------------------------------------------------------------ the archive */

void model_archive_clear(struct model_archive *archive)
{
    for (uint32_t i = 0; i < archive->commit_count; i++)
        model_state_release(&archive->commits[i]);
    free(archive->commits);
    model_state_release(&archive->next);
    *archive = (struct model_archive){.commits = NULL};
}

const struct model_state *model_archive_last(const struct model_archive *archive)
{
    static const struct model_state nothing;
    return archive->commit_count > 0 ? &archive->commits[archive->commit_count - 1] : &nothing;
}

static struct model_state *new_commit(struct model_archive *archive)
{
    if (archive->commit_count == archive->commit_room) {
        archive->commit_room = archive->commit_room * 2 + 8;
        archive->commits = grow(archive->commits, archive->commit_room, sizeof *archive->commits);
    }
    return &archive->commits[archive->commit_count++];
}

void model_archive_drop(struct model_archive *archive)
{
    model_state_release(&archive->next);
    model_state_copy(&archive->next, model_archive_last(archive));
    archive->changed = archive->values_set = archive->taken_back = archive->maybe_changed = false;
}

void model_archive_settle(struct model_archive *archive)
{
    struct model_state *state = &archive->next;
    for (uint32_t i = 0; i < state->image_count; i++)
        for (uint32_t c = 0; c < MODEL_COLUMNS; c++) {
            uint32_t *value = &state->images[i].values[c];
            while (model_columns[c].type == AIMG_TYPE_IMAGE && *value != 0 && state->images[*value - 1].renamed_to != 0)
                *value = state->images[*value - 1].renamed_to;
        }
    for (uint32_t i = 0; i < state->image_count; i++)
        state->images[i].renamed_to = 0;
}

void model_archive_commit(struct model_archive *archive, uint32_t message, uint64_t time_ns, bool sealed)
{
    uint64_t before = model_archive_last(archive)->time_ns;
    struct model_state *commit = new_commit(archive);
    model_archive_settle(archive);
    model_state_copy(commit, &archive->next);
    commit->message = message;
    commit->time_ns = time_ns > before ? time_ns : before;
    commit->sealed = sealed;
    model_archive_drop(archive);
}

/* Whether an image of the last commit has other values now. */
static bool values_differ(const struct model_archive *archive)
{
    const struct model_state *last = model_archive_last(archive);
    for (uint32_t i = 0; i < last->image_count; i++)
        if (memcmp(archive->next.images[i].values, last->images[i].values, sizeof last->images[i].values) != 0)
            return true;
    return false;
}

bool model_archive_would_commit(const struct model_archive *archive, uint32_t message, bool seal)
{
    const struct model_state *last = model_archive_last(archive);
    bool meta_changed = memcmp(archive->next.meta, last->meta, sizeof last->meta) != 0; /* setting back is no change */
    bool values_changed = archive->values_set && (!archive->taken_back || values_differ(archive));
    return archive->changed || values_changed || meta_changed || message != 0 || (seal && !last->sealed);
}

/* ------------------------------------------------------------------ copying */

/* New ordinals by old ones; MODEL_NOBODY for what is dead. */
static uint32_t *renumber(const struct model_state *last)
{
    uint32_t *numbers = grow(NULL, last->image_count + 1, sizeof *numbers);
    uint32_t next = 0;
    for (uint32_t i = 0; i < last->image_count; i++)
        numbers[i] = last->images[i].dead ? MODEL_NOBODY : next++;
    return numbers;
}

static void copy_living(struct model_state *to, const struct model_state *last, uint32_t ordinal_count, const uint32_t *numbers)
{
    for (uint32_t i = 0; i < ordinal_count; i++) {
        struct model_image image = last->images[i];
        if (image.dead)
            continue;
        for (uint32_t c = 0; c < MODEL_COLUMNS; c++) {
            if (model_columns[c].type != AIMG_TYPE_IMAGE || image.values[c] == 0)
                continue;
            uint32_t target = numbers[image.values[c] - 1];
            image.values[c] = target == MODEL_NOBODY ? 0 : target + 1;
        }
        (void)model_state_add(to, &image);
    }
}

void model_archive_compact(struct model_archive *archive, bool drop_history, uint64_t time_ns)
{
    struct model_archive copy = {.commits = NULL};
    const struct model_state *last = model_archive_last(archive);
    uint32_t *numbers = renumber(last);
    for (uint32_t i = drop_history && archive->commit_count > 0 ? archive->commit_count - 1 : 0; i < archive->commit_count; i++) {
        bool is_last = i + 1 == archive->commit_count;
        struct model_state *commit = new_commit(&copy);
        *commit = (struct model_state){.time_ns = archive->commits[i].time_ns, .message = archive->commits[i].message};
        commit->column_count = last->column_count;
        memcpy(commit->columns, last->columns, sizeof commit->columns);
        commit->loose_images = !is_last;
        commit->sealed = is_last && last->sealed;
        if (is_last)
            memcpy(commit->meta, last->meta, sizeof commit->meta);
        if (drop_history) {
            commit->time_ns = time_ns;
            commit->message = 0;
        }
        copy_living(commit, last, archive->commits[i].image_count, numbers);
    }
    free(numbers);
    model_archive_clear(archive);
    *archive = copy;
    model_archive_drop(archive);
}
