/* SPDX-License-Identifier: Apache-2.0 */
/* Columns, metadata, history: what stands beside the images. */
#include "model_check.h"

#include <inttypes.h>
#include <string.h>

/* ------------------------------------------------------------------ columns */

bool model_check_columns(const struct model_check *check)
{
    struct aimg_column found;
    struct aimg_error error;
    for (uint32_t i = 0; i < check->state->column_count; i++) {
        const struct model_column *column = &model_columns[check->state->columns[i]];
        enum aimg_status status = aimg_reader_column(check->reader, i, &found, &error);
        if (!model_status(check->reason, status, AIMG_OK, &error, "%s: column %" PRIu32, check->who, i))
            return false;
        if (strcmp(found.name, column->name) != 0 || found.type != column->type || found.width != column->width ||
            found.list != column->list || found.id != i + 1)
            return model_fail(check->reason, "%s: column %" PRIu32 " is '%s' with id %" PRIu32 ", not '%s'", check->who, i,
                              found.name, found.id, column->name);
        status = aimg_reader_column_find(check->reader, column->name, &found, &error);
        if (!model_status(check->reason, status, AIMG_OK, &error, "%s: column '%s'", check->who, column->name))
            return false;
        if (found.index != i)
            return model_fail(check->reason, "%s: '%s' is found as column %" PRIu32, check->who, column->name, found.index);
    }
    return model_status(check->reason, aimg_reader_column(check->reader, check->state->column_count, &found, &error),
                        AIMG_NOT_FOUND, &error, "%s: a column past the last", check->who);
}

/* Before the last commit of a copy a reference may be missing: when it is to an image that did not come before. */
static bool may_lack(const struct model_check *check, uint32_t column, uint32_t ordinal)
{
    uint32_t value = check->state->images[ordinal].values[column];
    return check->state->loose_images && model_columns[column].type == AIMG_TYPE_IMAGE && value > ordinal;
}

bool model_check_values(const struct model_check *check, uint32_t ordinal)
{
    static uint8_t expected[MODEL_VALUE_BYTES], found[MODEL_VALUE_BYTES];
    struct aimg_error error;
    for (uint32_t i = 0; i < check->state->column_count; i++) {
        uint32_t column = check->state->columns[i], value = check->state->images[ordinal].values[column];
        size_t bytes = value == 0 ? 0 : model_value(column, value - 1, true, expected), found_bytes = 0;
        int null = -1;
        enum aimg_status status = aimg_reader_value(check->reader, i, ordinal, found, sizeof found, &found_bytes, &null, &error);
        if (!model_status(check->reason, status, AIMG_OK, &error, "%s: '%s' of image %" PRIu32, check->who,
                          model_columns[column].name, ordinal))
            return false;
        if (may_lack(check, column, ordinal))
            continue;
        if (null != (value == 0))
            return model_fail(check->reason, "%s: '%s' of image %" PRIu32 " is %s", check->who, model_columns[column].name,
                              ordinal, null ? "null, but was set" : "set, but was null");
        if (found_bytes != bytes || memcmp(expected, found, bytes) != 0)
            return model_fail(check->reason, "%s: '%s' of image %" PRIu32 " is not value %" PRIu32, check->who,
                              model_columns[column].name, ordinal, value - 1);
    }
    return true;
}

static bool in_chunks(uint32_t column)
{
    const struct model_column *of = &model_columns[column];
    return !of->list && model_element_bytes(of->type) > 0;
}

/* One value of a chunk; narrow ones are extended with zeros. */
static bool check_chunk_row(const struct model_check *check, uint32_t column, const struct aimg_chunk *chunk, uint32_t ordinal)
{
    uint8_t expected[MODEL_VALUE_BYTES], found[64] = {0};
    uint32_t value = check->state->images[ordinal].values[column], row = ordinal - chunk->first;
    bool null = chunk->values == NULL || (chunk->validity != NULL && (chunk->validity[row / 8] >> row % 8 & 1) == 0);
    if (check->state->images[ordinal].dead || may_lack(check, column, ordinal))
        return true;
    size_t bytes = value == 0 ? 0 : model_value(column, value - 1, true, expected);
    if (null == (value == 0) && !null) {
        memcpy(found, (const uint8_t *)chunk->values + (size_t)row * chunk->element_bytes, chunk->element_bytes);
        null = memcmp(expected, found, bytes) != 0;
    }
    return null == (value == 0) || model_fail(check->reason, "%s: the chunk of '%s' has another value for image %" PRIu32,
                                              check->who, model_columns[column].name, ordinal);
}

static bool same_value(const struct model_check *check, uint32_t column, const struct aimg_column_value *value)
{
    static uint8_t expected[MODEL_VALUE_BYTES];
    uint32_t number = check->state->images[value->ordinal].values[column];
    if (check->state->images[value->ordinal].dead || may_lack(check, column, value->ordinal))
        return true;
    if (number == 0 || value->null)
        return number == 0 && value->null;
    return value->bytes == model_value(column, number - 1, true, expected) && memcmp(expected, value->data, value->bytes) == 0;
}

/* All values of a column, one after the other. */
static bool check_walk(const struct model_check *check, uint32_t index)
{
    struct aimg_values *values = NULL;
    struct aimg_column_value value;
    struct aimg_error error;
    uint32_t column = check->state->columns[index], next = 0;
    enum aimg_status status = aimg_values_create(check->reader, index, 0, &values, &error);
    bool good = true;
    while (good && status == AIMG_OK && (status = aimg_values_next(values, &value, &error)) == AIMG_OK)
        good = value.ordinal == next++ && next <= check->state->image_count && same_value(check, column, &value);
    aimg_values_destroy(values);
    if (!good)
        return model_fail(check->reason, "%s: walking '%s', image %" PRIu32 " has another value", check->who,
                          model_columns[column].name, value.ordinal);
    return model_status(check->reason, status, AIMG_END, &error, "%s: walking '%s'", check->who, model_columns[column].name) &&
           (next == check->state->image_count ||
            model_fail(check->reason, "%s: walking '%s' ends at %" PRIu32, check->who, model_columns[column].name, next));
}

bool model_check_chunks(const struct model_check *check)
{
    struct aimg_chunk chunk;
    struct aimg_error error;
    for (uint32_t i = 0; i < check->state->column_count; i++) {
        uint32_t column = check->state->columns[i];
        if (!check_walk(check, i))
            return false;
        for (uint32_t at = 0; in_chunks(column) && at < check->state->image_count; at = chunk.first + chunk.count) {
            enum aimg_status status = aimg_reader_chunk(check->reader, i, at, &chunk, &error);
            if (status == AIMG_SEQUENCE)
                return true; /* without a map */
            if (!model_status(check->reason, status, AIMG_OK, &error, "%s: chunk of '%s' at %" PRIu32, check->who,
                              model_columns[column].name, at))
                return false;
            if (chunk.first != at || chunk.count == 0 || chunk.count > check->state->image_count - at)
                return model_fail(check->reason, "%s: the chunks of '%s' do not tile", check->who, model_columns[column].name);
            for (uint32_t k = 0; k < chunk.count; k++)
                if (!check_chunk_row(check, column, &chunk, at + k))
                    return false;
        }
    }
    return true;
}

/* ------------------------------------------------------------------ metadata */

struct pairs {
    const struct model_check *check;
    uint32_t seen;
    bool good;
};

static int see_pair(void *user, const char *key, const char *value, size_t value_bytes)
{
    struct pairs *pairs = user;
    for (uint32_t i = 0; i < MODEL_KEYS; i++) {
        uint32_t expected = pairs->check->state->meta[i];
        if (strcmp(model_key(i), key) != 0 || expected == 0)
            continue;
        pairs->seen++;
        if (strlen(model_meta_value(expected - 1)) == value_bytes &&
            memcmp(model_meta_value(expected - 1), value, value_bytes) == 0)
            return 0;
    }
    pairs->good = model_fail(pairs->check->reason, "%s: the metadata has another pair for '%s'", pairs->check->who, key);
    return 1;
}

bool model_check_meta(const struct model_check *check)
{
    struct pairs pairs = {.check = check, .good = true};
    struct aimg_error error;
    uint32_t expected = 0;
    for (uint32_t i = 0; i < MODEL_KEYS; i++) {
        char found[64];
        size_t bytes = 0;
        uint32_t value = check->state->meta[i];
        enum aimg_status status = aimg_reader_meta(check->reader, model_key(i), found, sizeof found, &bytes, &error);
        if (!model_status(check->reason, status, value == 0 ? AIMG_NOT_FOUND : AIMG_OK, &error, "%s: metadata '%s'", check->who,
                          model_key(i)))
            return false;
        expected += value != 0;
        if (value != 0 &&
            (bytes != strlen(model_meta_value(value - 1)) || memcmp(found, model_meta_value(value - 1), bytes) != 0))
            return model_fail(check->reason, "%s: metadata '%s' has another value", check->who, model_key(i));
    }
    enum aimg_status status = aimg_reader_each_meta(check->reader, see_pair, &pairs, &error);
    if (!model_status(check->reason, status, AIMG_OK, &error, "%s: all metadata", check->who) || !pairs.good)
        return false;
    return pairs.seen == expected ||
           model_fail(check->reason, "%s: %" PRIu32 " pairs of metadata, not %" PRIu32, check->who, pairs.seen, expected);
}

/* ------------------------------------------------------------------ history */

struct log {
    const struct model_check *check;
    uint32_t left; /* commits that were not seen */
    bool good;
};

static int see_commit(void *user, const struct aimg_commit *commit)
{
    struct log *log = user;
    const struct model_state *state = log->left == 0 ? NULL : &log->check->commits[log->left - 1];
    const struct model_state *before = log->left < 2 ? NULL : &log->check->commits[log->left - 2];
    uint64_t ordinals_before = before == NULL ? 0 : before->image_count,
             dead_before = before == NULL ? 0 : model_state_dead(before),
             listed_before = before == NULL ? 0 : model_state_listed(before);
    if (state != NULL) {
        const char *message = model_message(state->message);
        uint64_t attached = state->image_count - model_state_dead(state) - model_state_listed(state),
                 attached_before = ordinals_before - dead_before - listed_before;
        log->good = commit->seq == log->left - 1 && commit->time_ns == state->time_ns &&
                    commit->listed_count == model_state_listed(state) &&
                    commit->listed_count + commit->removed == listed_before + commit->added &&
                    commit->ordinal_count == state->image_count &&
                    commit->added + commit->attached == state->image_count - ordinals_before &&
                    commit->attached == (attached > attached_before ? attached - attached_before : 0) &&
                    commit->detached == (attached_before > attached ? attached_before - attached : 0) &&
                    commit->removed + commit->detached == model_state_dead(state) - dead_before &&
                    commit->sealed == state->sealed && strcmp(commit->message, message == NULL ? "" : message) == 0;
    }
    if (state == NULL || !log->good) {
        log->good = model_fail(log->check->reason,
                               "%s: commit %" PRIu64 " is told with %" PRIu64 " listed, %" PRIu64 " added, %" PRIu64
                               " removed, sealed %" PRIu32 ", at %" PRIu64 ", message '%s'; that is not what was committed",
                               log->check->who, commit->seq, commit->listed_count, commit->added, commit->removed, commit->sealed,
                               commit->time_ns, commit->message);
        return 1;
    }
    log->left--;
    return 0;
}

bool model_check_history(const struct model_check *check)
{
    struct log log = {.check = check, .left = check->commit_count, .good = true};
    struct aimg_commit commit;
    struct aimg_error error;
    enum aimg_status status = aimg_reader_log(check->reader, see_commit, &log, &error);
    if (!model_status(check->reason, status, AIMG_OK, &error, "%s: the log", check->who) || !log.good)
        return false;
    if (log.left > 0)
        return model_fail(check->reason, "%s: the log ends before commit %" PRIu32, check->who, log.left - 1);
    return model_status(check->reason, aimg_reader_commit(check->reader, check->commit_count, &commit, &error), AIMG_NOT_FOUND,
                        &error, "%s: a commit past the last", check->who);
}

struct changes {
    const struct model_check *check;
    const struct model_state *then;
    uint32_t next; /* all before it was told, or is not to be told */
    bool adding, good;
};

/* The next change that is due, or MODEL_NOBODY. */
static uint32_t next_change(struct changes *changes)
{
    const struct model_state *now = changes->check->state, *then = changes->then;
    for (; !changes->adding && changes->next < then->image_count; changes->next++)
        if (!then->images[changes->next].dead && now->images[changes->next].dead)
            return changes->next++;
    changes->adding = true;
    for (; changes->next < now->image_count; changes->next++)
        if (!now->images[changes->next].dead)
            return changes->next++;
    return MODEL_NOBODY;
}

static int see_change(void *user, const struct aimg_change *change)
{
    struct changes *changes = user;
    uint32_t due = next_change(changes);
    uint32_t kind = changes->adding ? AIMG_CHANGE_ADDED : AIMG_CHANGE_REMOVED;
    changes->good = change->ordinal == due && change->kind == kind;
    if (!changes->good)
        model_fail(changes->check->reason,
                   "%s: change %" PRIu32 " of image %" PRIu32 " is told where %" PRIu32 " of %" PRIu32 " belongs",
                   changes->check->who, change->kind, change->ordinal, kind, due);
    return !changes->good;
}

bool model_check_changes(const struct model_check *check, uint32_t since)
{
    struct changes changes = {.check = check, .good = true};
    struct aimg_error error;
    changes.then = since < check->commit_count ? &check->commits[since] : NULL;
    enum aimg_status status = aimg_reader_changes(check->reader, since, see_change, &changes, &error);
    if (!model_status(check->reason, status, changes.then == NULL ? AIMG_NOT_FOUND : AIMG_OK, &error,
                      "%s: changes since commit %" PRIu32, check->who, since) ||
        !changes.good || changes.then == NULL)
        return changes.good && status == AIMG_NOT_FOUND;
    uint32_t due = next_change(&changes);
    return due == MODEL_NOBODY ||
           model_fail(check->reason, "%s: the change of image %" PRIu32 " since commit %" PRIu32 " is not told", check->who, due,
                      since);
}
