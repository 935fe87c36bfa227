/* SPDX-License-Identifier: Apache-2.0 */
#include "crash_work.h"

#include "sample.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct aimg_writer_options options(const struct crash_run *run)
{
    struct aimg_writer_options all = sample_writer_options();
    all.flags = run->flags;
    all.dedup = run->dedup;
    all.compress = run->compress;
    return all;
}

static struct aimg_io io_of(struct crash_run *run)
{
    struct aimg_io io = fake_disk_io(&run->disk);
    if (run->meddle != NULL)
        run->meddle(&io);
    return io;
}

/* Sessions of programs without a seed have a salt of their own; here it must be the same in every run. */
static void choose_salt(struct work *work)
{
    if (!work->run->same_salt)
        work->writer->out.salt = 0x5A17u * ++work->run->sessions;
}

void work_create(struct work *work, struct crash_run *run)
{
    struct aimg_writer_options how = options(run);
    struct aimg_io io = io_of(run);
    *work = (struct work){.run = run};
    promise_only(&run->promise, &work->next);
    work->dead = aimg_writer_create_io(&io, &how, &work->writer, &work->error) != AIMG_OK;
    if (!work->dead)
        choose_salt(work);
}

void work_open(struct work *work, struct crash_run *run)
{
    struct aimg_writer_options how = options(run);
    struct aimg_io io = io_of(run);
    struct aimg_info info = {.struct_bytes = sizeof info};
    *work = (struct work){.run = run};
    work->dead = aimg_writer_open_io(&io, &how, &work->writer, &work->error) != AIMG_OK;
    if (work->dead)
        return;
    choose_salt(work);
    if (aimg_reader_info(aimg_writer_base(work->writer), &info, NULL) != AIMG_OK)
        abort();
    for (unsigned i = 0; i < run->promise.count; i++) {
        if (run->promise.candidates[i].commit_count != info.commit_count)
            continue;
        work->next = run->promise.candidates[i];
        promise_only(&run->promise, &work->next);
        return;
    }
    snprintf(work->error.message, sizeof work->error.message, "the writer sees a commit that was not made");
    work->dead = true;
}

void work_close(struct work *work)
{
    (void)aimg_writer_close(work->writer, NULL);
    work->writer = NULL;
}

static void finish(struct work *work, const char *message, bool seal)
{
    if (work->dead)
        return;
    work->next.commit_count++;
    work->next.sealed = seal;
    promise_also(&work->run->promise, &work->next);
    work->dead = (seal ? aimg_writer_seal(work->writer, message, &work->error)
                       : aimg_writer_commit(work->writer, message, &work->error)) != AIMG_OK;
    if (!work->dead)
        promise_only(&work->run->promise, &work->next);
}

void work_commit(struct work *work, const char *message)
{
    finish(work, message, false);
}

void work_seal(struct work *work, const char *message)
{
    finish(work, message, true);
}

/* ------------------------------------------------------------------ images */

void work_add(struct work *work, const char *name, uint32_t content, uint32_t flags)
{
    struct aimg_value value = {.column = work->mood, .data = content % 2 == 0 ? "calm" : "wild", .bytes = 4};
    struct aimg_image image = {.struct_bytes = sizeof image, .name = name, .name_bytes = strlen(name), .flags = flags};
    size_t bytes;
    image.format = content >= MODEL_FAMILY ? AIMG_FORMAT_JPEG : AIMG_FORMAT_UNKNOWN;
    if (work->dead)
        return;
    image.data = model_content(content, &bytes);
    image.data_bytes = bytes;
    if (work->mood != 0) {
        image.values = &value;
        image.value_count = 1;
    }
    work->dead = aimg_writer_add(work->writer, &image, NULL, &work->error) != AIMG_OK;
    (void)model_remove(&work->next, name);
    struct model_image *added = model_put(&work->next, name, content);
    added->mood = work->mood == 0 ? 0 : content % 2 == 0 ? 1 : 2;
}

void work_add_some(struct work *work, const char *prefix, uint32_t first, uint32_t count)
{
    char name[24];
    for (uint32_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s/%u.jpg", prefix, first + i);
        work_add(work, name, first + i, 0);
    }
}

/* Ordinal of an image of that name; false when there is none, or when the program is dead. */
static bool find(struct work *work, const char *name, uint32_t *ordinal)
{
    work->dead = work->dead || aimg_writer_find(work->writer, name, strlen(name), ordinal, &work->error) != AIMG_OK;
    return !work->dead;
}

void work_remove(struct work *work, const char *name)
{
    uint32_t ordinal = 0;
    if (!find(work, name, &ordinal))
        return;
    work->dead = aimg_writer_remove(work->writer, ordinal, &work->error) != AIMG_OK;
    (void)model_remove(&work->next, name);
}

void work_rename(struct work *work, const char *name, const char *to)
{
    uint32_t ordinal = 0;
    if (!find(work, name, &ordinal))
        return;
    work->dead = aimg_writer_rename(work->writer, ordinal, to, strlen(to), NULL, &work->error) != AIMG_OK;
    struct model_image before = *model_find(&work->next, name);
    (void)model_remove(&work->next, name);
    struct model_image *after = model_put(&work->next, to, before.content);
    after->score = before.score;
    after->mood = before.mood;
    after->note = before.note;
    after->thumb = before.thumb;
    after->thumb_ordinal = before.thumb_ordinal;
}

/* ------------------------------------------------------------------ values */

static uint32_t define(struct work *work, const char *name, enum aimg_type type)
{
    uint32_t column = 0;
    if (!work->dead)
        work->dead = aimg_writer_column(work->writer, name, type, 1, 0, &column, &work->error) != AIMG_OK;
    return column;
}

static void set(struct work *work, uint32_t position, struct aimg_value value)
{
    uint32_t ordinal = 0;
    if (find(work, work->next.images[position].name, &ordinal))
        work->dead = aimg_writer_set(work->writer, ordinal, &value, &work->error) != AIMG_OK;
}

void work_score(struct work *work, uint32_t position, uint32_t score)
{
    set(work, position,
        (struct aimg_value){.column = define(work, "score", AIMG_TYPE_U32),
                            .flags = score == 0 ? AIMG_VALUE_NULL : 0,
                            .data = &score,
                            .bytes = sizeof score});
    work->next.images[position].score = score;
}

void work_scores(struct work *work, uint32_t score)
{
    uint32_t scores[MODEL_IMAGES], column = define(work, "score", AIMG_TYPE_U32);
    for (uint32_t i = 0; i < work->next.image_count; i++)
        scores[i] = work->next.images[i].score = score + i;
    if (!work->dead)
        work->dead =
            aimg_writer_set_array(work->writer, column, 0, work->next.image_count, scores, NULL, &work->error) != AIMG_OK;
}

void work_note(struct work *work, uint32_t position, uint32_t note)
{
    char text[64];
    size_t bytes = model_note(note, text);
    set(work, position,
        (struct aimg_value){.column = define(work, "note", AIMG_TYPE_UTF8),
                            .flags = note == 0 ? AIMG_VALUE_NULL : 0,
                            .data = text,
                            .bytes = bytes});
    work->next.images[position].note = note;
}

void work_mood(struct work *work, uint32_t position, uint32_t mood)
{
    char text[64];
    work->next.images[position].mood = mood;
    size_t bytes = model_mood(&work->next.images[position], text);
    set(work, position,
        (struct aimg_value){.column = define(work, "mood", AIMG_TYPE_DICTIONARY),
                            .flags = mood == 0 ? AIMG_VALUE_NULL : 0,
                            .data = text,
                            .bytes = bytes});
}

void work_attach(struct work *work, uint32_t position, uint32_t content)
{
    uint32_t column = define(work, "thumb", AIMG_TYPE_IMAGE), ordinal = 0;
    struct aimg_image image = {.struct_bytes = sizeof image, .flags = AIMG_ADD_ATTACHMENT};
    size_t bytes;
    if (work->dead)
        return;
    image.data = model_content(content, &bytes);
    image.data_bytes = bytes;
    work->dead = aimg_writer_add(work->writer, &image, &ordinal, &work->error) != AIMG_OK;
    set(work, position, (struct aimg_value){.column = column, .data = &ordinal, .bytes = sizeof ordinal});
    work->next.images[position].thumb = content;
    work->next.images[position].thumb_ordinal = work->next.ordinal_count++;
}

void work_title(struct work *work, const char *title)
{
    if (work->dead)
        return;
    work->dead = aimg_writer_set_meta(work->writer, "title", title, &work->error) != AIMG_OK;
    snprintf(work->next.title, sizeof work->next.title, "%s", title);
}

void work_expect_twins(const struct work *work, uint64_t expected)
{
    uint64_t images, bytes;
    if (work->dead)
        return;
    aimg_writer_deduplicated(work->writer, &images, &bytes);
    if (images != expected)
        abort();
}
