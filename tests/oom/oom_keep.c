/* SPDX-License-Identifier: Apache-2.0 */
#include "oom_keep.h"

#include "host.h"

#include <string.h>

enum { REFERRING = 6 }; /* image that refers to the one with other names */

struct work {
    struct aimg_writer *writer;
    uint32_t *ordinal;
    uint32_t twin; /* column */
    const char *name;
    struct aimg_error *error;
};

static enum aimg_status define(struct work *work)
{
    return aimg_writer_column(work->writer, "twin", AIMG_TYPE_IMAGE, 1, 0, &work->twin, work->error);
}

static enum aimg_status refer(struct work *work)
{
    struct aimg_value value = {.column = work->twin, .data = work->ordinal, .bytes = sizeof *work->ordinal};
    return aimg_writer_set(work->writer, REFERRING, &value, work->error);
}

static enum aimg_status rename_image(struct work *work)
{
    return aimg_writer_rename(work->writer, *work->ordinal, work->name, strlen(work->name), work->ordinal, work->error);
}

static enum aimg_status set_title(struct work *work)
{
    return aimg_writer_set_meta(work->writer, "title", "Fruit", work->error);
}

static enum aimg_status twice(struct work *work, enum aimg_status (*step)(struct work *work))
{
    enum aimg_status status = step(work);
    if (status == AIMG_OUT_OF_MEMORY)
        status = step(work);
    return status == AIMG_SEQUENCE ? AIMG_OUT_OF_MEMORY : status;
}

enum aimg_status oom_keep_first(struct aimg_writer *writer, uint32_t *ordinal, struct aimg_error *error)
{
    struct work work = {.writer = writer, .ordinal = ordinal, .name = "five", .error = error};
    enum aimg_status status = twice(&work, define);
    if (status == AIMG_OK)
        status = twice(&work, refer);
    if (status == AIMG_OK)
        status = twice(&work, rename_image);
    return status == AIMG_OK ? twice(&work, set_title) : status;
}

enum aimg_status oom_keep_second(struct aimg_writer *writer, uint32_t *ordinal, struct aimg_error *error)
{
    struct work work = {.writer = writer, .ordinal = ordinal, .name = "cinq", .error = error};
    enum aimg_status status = twice(&work, rename_image); /* an alias */
    work.name = "5";
    return status == AIMG_OK ? twice(&work, rename_image) : status; /* one of the batch */
}

/* ------------------------------------------------------------------ reading */

static int see_commit(void *user, const struct aimg_commit *commit)
{
    *(uint64_t *)user += commit->removed;
    return 0;
}

static int see_change(void *user, const struct aimg_change *change)
{
    *(uint64_t *)user += change->kind == AIMG_CHANGE_REMOVED ? 100 : 1;
    return 0;
}

static int see_pair(void *user, const char *key, const char *value, size_t value_bytes)
{
    *(uint64_t *)user += strcmp(key, "title") == 0 && value_bytes == 5 && memcmp(value, "Fruit", 5) == 0;
    return 0;
}

static bool told(enum aimg_status status, bool right)
{
    return status == AIMG_OUT_OF_MEMORY || (status == AIMG_OK && right);
}

static bool reference_is_right(const struct aimg_reader *reader, uint32_t ordinal)
{
    struct aimg_column column;
    uint32_t found = AIMG_NO_ORDINAL;
    size_t bytes;
    int null = 1;
    if (aimg_reader_column_find(reader, "twin", &column, NULL) != AIMG_OK)
        return false;
    enum aimg_status status = aimg_reader_value(reader, column.index, REFERRING, &found, sizeof found, &bytes, &null, NULL);
    host_order(&found, sizeof found, sizeof found);
    return told(status, null == 0 && found == ordinal);
}

bool oom_keep_is_right(const struct aimg_reader *reader, uint32_t ordinal, uint64_t since, uint64_t removed_in_all)
{
    uint64_t removed = 0, changes = 0, pairs = 0;
    enum aimg_status status = aimg_reader_log(reader, see_commit, &removed, NULL);
    bool right = told(status, removed == removed_in_all);
    status = aimg_reader_changes(reader, since, see_change, &changes, NULL);
    right = right && told(status, changes == 101);
    status = aimg_reader_each_meta(reader, see_pair, &pairs, NULL);
    right = right && told(status, pairs == 1);
    return right && reference_is_right(reader, ordinal);
}
