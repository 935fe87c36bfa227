/* SPDX-License-Identifier: Apache-2.0 */
#include "crash_scenario.h"

#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A writer between open and close, and the archive as it will be after the next commit. */
struct work {
    struct crash_run *run;
    struct aimg_writer *writer;
    struct model next;
    uint32_t mood; /* column */
    bool dead;
    struct aimg_error error;
};

static struct aimg_writer_options options(const struct crash_run *run)
{
    struct aimg_writer_options all = sample_writer_options();
    all.flags = 0;
    all.dedup = run->dedup;
    return all;
}

/* Sessions of programs without a seed have a salt of their own; here it must be the same in every run. */
static void choose_salt(struct work *work)
{
    if (!work->run->same_salt)
        work->writer->out.salt = 0x5A17u * ++work->run->sessions;
}

static void begin_new(struct work *work, struct crash_run *run)
{
    struct aimg_writer_options how = options(run);
    struct aimg_io io = fake_disk_io(&run->disk);
    *work = (struct work){.run = run};
    promise_only(&run->promise, &work->next);
    work->dead = aimg_writer_create_io(&io, &how, &work->writer, &work->error) != AIMG_OK;
    if (!work->dead)
        choose_salt(work);
}

/* Opens what is there. What is seen then is what there is: nothing else may come back. */
static void begin_old(struct work *work, struct crash_run *run)
{
    struct aimg_writer_options how = options(run);
    struct aimg_io io = fake_disk_io(&run->disk);
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

static void add(struct work *work, const char *name, uint32_t content, uint32_t flags)
{
    struct aimg_value value = {.column = work->mood, .data = content % 2 == 0 ? "calm" : "wild", .bytes = 4};
    uint8_t data[SAMPLE_MAX_BYTES];
    struct aimg_image image = {
        .struct_bytes = sizeof image, .name = name, .name_bytes = strlen(name), .data = data, .flags = flags};
    if (work->dead)
        return;
    image.data_bytes = sample_fill(content, data);
    if (work->mood != 0) {
        image.values = &value;
        image.value_count = 1;
    }
    work->dead = aimg_writer_add(work->writer, &image, NULL, &work->error) != AIMG_OK;
    (void)model_remove(&work->next, name);
    model_put(&work->next, name, content);
}

static void take_away(struct work *work, const char *name)
{
    uint32_t ordinal = 0;
    if (work->dead)
        return;
    work->dead = aimg_writer_find(work->writer, name, strlen(name), &ordinal, &work->error) != AIMG_OK ||
                 aimg_writer_remove(work->writer, ordinal, &work->error) != AIMG_OK;
    (void)model_remove(&work->next, name);
}

static void rename_one(struct work *work, const char *name, const char *to, uint32_t content)
{
    uint32_t ordinal = 0;
    if (work->dead)
        return;
    work->dead = aimg_writer_find(work->writer, name, strlen(name), &ordinal, &work->error) != AIMG_OK ||
                 aimg_writer_rename(work->writer, ordinal, to, strlen(to), NULL, &work->error) != AIMG_OK;
    (void)model_remove(&work->next, name);
    model_put(&work->next, to, content);
}

static void commit(struct work *work, const char *message)
{
    if (work->dead)
        return;
    work->next.commit_count++;
    promise_also(&work->run->promise, &work->next);
    work->dead = aimg_writer_commit(work->writer, message, &work->error) != AIMG_OK;
    if (!work->dead)
        promise_only(&work->run->promise, &work->next);
}

static void end(struct work *work)
{
    (void)aimg_writer_close(work->writer, NULL);
    work->writer = NULL;
}

static void add_some(struct work *work, const char *prefix, uint32_t first, uint32_t count)
{
    char name[24];
    for (uint32_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s/%u.jpg", prefix, first + i);
        add(work, name, first + i, 0);
    }
}

/* The column of scores; and one image's, none with 0. */
static uint32_t define_score(struct work *work)
{
    uint32_t column = 0;
    if (!work->dead)
        work->dead = aimg_writer_column(work->writer, "score", AIMG_TYPE_U32, 1, 0, &column, &work->error) != AIMG_OK;
    return column;
}

static void set_score(struct work *work, uint32_t position, uint32_t score)
{
    struct model_image *image = &work->next.images[position];
    struct aimg_value value = {
        .column = define_score(work), .flags = score == 0 ? AIMG_VALUE_NULL : 0, .data = &score, .bytes = sizeof score};
    uint32_t ordinal = 0;
    if (work->dead)
        return;
    work->dead = aimg_writer_find(work->writer, image->name, strlen(image->name), &ordinal, &work->error) != AIMG_OK ||
                 aimg_writer_set(work->writer, ordinal, &value, &work->error) != AIMG_OK;
    image->score = score;
}

/* Of all images, which have ordinals in order of position. */
static void set_scores(struct work *work, uint32_t score)
{
    uint32_t scores[MODEL_IMAGES], column = define_score(work);
    for (uint32_t i = 0; i < work->next.image_count; i++)
        scores[i] = work->next.images[i].score = score + i;
    if (!work->dead)
        work->dead =
            aimg_writer_set_array(work->writer, column, 0, work->next.image_count, scores, NULL, &work->error) != AIMG_OK;
}

static void set_title(struct work *work, const char *title)
{
    if (work->dead)
        return;
    work->dead = aimg_writer_set_meta(work->writer, "title", title, &work->error) != AIMG_OK;
    snprintf(work->next.title, sizeof work->next.title, "%s", title);
}

/* ------------------------------------------------------------------ the scenarios */

static void one(struct crash_run *run)
{
    struct work work;
    begin_new(&work, run);
    add_some(&work, "a", 1, 5);
    commit(&work, NULL);
    end(&work);
}

static void several(struct crash_run *run)
{
    struct work work;
    begin_new(&work, run);
    for (uint32_t i = 0; i < 3; i++) {
        if (!work.dead)
            work.dead = aimg_writer_column(work.writer, "mood", AIMG_TYPE_DICTIONARY, 1, 0, &work.mood, &work.error) != AIMG_OK;
        add_some(&work, "b", 10 * i + 1, 2 + 3 * i);
        commit(&work, i == 2 ? "the third" : NULL);
    }
    end(&work);
}

static void replace(struct crash_run *run)
{
    struct work work;
    begin_new(&work, run);
    add_some(&work, "c", 1, 6);
    commit(&work, NULL);
    add(&work, "c/2.jpg", 22, AIMG_ADD_REPLACE);
    add(&work, "c/3.jpg", 23, AIMG_ADD_REPLACE);
    take_away(&work, "c/5.jpg");
    commit(&work, NULL);
    add(&work, "c/5.jpg", 25, 0);
    take_away(&work, "c/2.jpg");
    commit(&work, NULL);
    end(&work);
}

/* Other names, in the place of those that are removed too, and metadata in the same commits. */
static void rename_some(struct crash_run *run)
{
    struct work work;
    begin_new(&work, run);
    add_some(&work, "n", 1, 5);
    commit(&work, NULL);
    rename_one(&work, "n/2.jpg", "m/2.jpg", 2);
    take_away(&work, "n/4.jpg");
    rename_one(&work, "n/5.jpg", "n/4.jpg", 5);
    set_title(&work, "names");
    commit(&work, NULL);
    end(&work);
    if (work.dead)
        return;
    begin_old(&work, run);
    rename_one(&work, "m/2.jpg", "n/2.jpg", 2);
    add(&work, "m/2.jpg", 62, 0);
    rename_one(&work, "m/2.jpg", "o/2.jpg", 62); /* of this batch */
    take_away(&work, "n/1.jpg");
    set_title(&work, "other names");
    commit(&work, NULL);
    end(&work);
}

static void append(struct crash_run *run)
{
    struct work work;
    begin_new(&work, run);
    add_some(&work, "d", 1, 3);
    commit(&work, NULL);
    end(&work);
    if (work.dead)
        return;
    begin_old(&work, run);
    add_some(&work, "d", 11, 2);
    commit(&work, "more");
    add_some(&work, "dropped", 21, 2);
    end(&work);
    if (work.dead)
        return;
    begin_old(&work, run);
    add_some(&work, "d", 31, 1);
    commit(&work, NULL);
    end(&work);
}

/* Images that go to the disk on their own, so that a batch is several writes and a table's header is filled in later. */
static void big(struct crash_run *run)
{
    struct work work;
    begin_new(&work, run);
    add_some(&work, "e", 1, 2);
    add(&work, "e/big.png", SAMPLE_BIG + 1, 0);
    add_some(&work, "e", 3, 1);
    commit(&work, NULL);
    add(&work, "e/big.png", 4, AIMG_ADD_REPLACE);
    commit(&work, NULL);
    end(&work);
}

/* An earlier program was stopped with images on the disk and no commit. */
static void torn(struct crash_run *run)
{
    struct work work;
    begin_new(&work, run);
    add_some(&work, "f", 1, 3);
    commit(&work, NULL);
    add_some(&work, "lost", 51, 4);
    if (!work.dead) /* the bytes reach the disk, as they do when a batch is large */
        work.dead = aimg_out_flush(&work.writer->out, &work.error) != AIMG_OK;
    if (work.writer != NULL)
        work.writer->failed = true; /* so that close does not tidy up */
    end(&work);
    if (work.dead)
        return;
    begin_old(&work, run);
    add_some(&work, "f", 61, 4); /* as long as what is lost: frames of both fit together */
    commit(&work, NULL);
    end(&work);
}

/* How many images share the bytes of others, as long as nothing failed. */
static void expect_twins(const struct work *work, uint64_t expected)
{
    uint64_t images, bytes;
    if (work->dead)
        return;
    aimg_writer_deduplicated(work->writer, &images, &bytes);
    if (images != expected)
        abort();
}

/* Content that was seen: in the batch, in the commit before, by a program before, of images that are gone. */
static void twins(struct crash_run *run)
{
    struct work work;
    run->dedup = AIMG_DEDUP_ALL;
    begin_new(&work, run);
    add_some(&work, "t", 1, 4);
    add(&work, "t/again.jpg", 1, 0);
    commit(&work, NULL);
    add(&work, "t/1.jpg", 2, AIMG_ADD_REPLACE);
    take_away(&work, "t/2.jpg");
    add(&work, "t/new.jpg", 92, 0);
    commit(&work, NULL);
    expect_twins(&work, 2);
    end(&work);
    if (work.dead)
        return;
    begin_old(&work, run);
    add(&work, "t/2.jpg", 2, 0);
    add(&work, "t/new again.jpg", 92, 0);
    add(&work, "t/other.jpg", 93, 0);
    commit(&work, NULL);
    expect_twins(&work, 2);
    end(&work);
}

/* A sync fails; the program ends; the next one goes on, on the same machine, whose cache and disk disagree. */
static void failed(struct crash_run *run)
{
    struct work work;
    begin_new(&work, run);
    add_some(&work, "g", 1, 3);
    commit(&work, NULL);
    add_some(&work, "g", 71, 3);
    commit(&work, NULL);
    end(&work);
    for (uint32_t i = 0; i < 2; i++) {
        begin_old(&work, run);
        add_some(&work, "h", 81 + 10 * i, 3); /* as long as those before */
        commit(&work, NULL);
        end(&work);
    }
}

/* Values that come after the images, one by one and for all, are changed, and go. */
static void values(struct crash_run *run)
{
    struct work work;
    begin_new(&work, run);
    add_some(&work, "i", 1, 4);
    commit(&work, NULL);
    set_score(&work, 1, 11);
    set_score(&work, 3, 300);
    commit(&work, NULL);
    set_scores(&work, 70000);
    add_some(&work, "i", 5, 1);
    set_score(&work, 4, 44);
    commit(&work, NULL);
    end(&work);
    if (work.dead)
        return;
    begin_old(&work, run);
    set_score(&work, 2, 0);
    set_score(&work, 0, 5);
    commit(&work, NULL);
    end(&work);
}

/* An archive of three commits to copy, on a disk of its own that nothing happens to: images that are gone, another name, values,
 * bytes that two images share. */
static void make_source(struct crash_run *source, struct model *model_out)
{
    struct work work;
    *source = (struct crash_run){.same_salt = true, .dedup = AIMG_DEDUP_ALL};
    fake_disk_create(&source->disk, NULL, 0);
    begin_new(&work, source);
    add_some(&work, "s", 1, 5);
    commit(&work, "the first");
    rename_one(&work, "s/2.jpg", "r/2.jpg", 2);
    take_away(&work, "s/1.jpg");
    add(&work, "s/again.jpg", 3, 0);
    commit(&work, NULL);
    set_score(&work, 0, 7);
    set_score(&work, 3, 9);
    commit(&work, "the third");
    expect_twins(&work, 1);
    end(&work);
    if (work.dead)
        abort();
    *model_out = work.next;
}

/* Nothing is promised of a copy before it is whole, and then all of it; it can be added to as any archive. */
static void copy_with(struct crash_run *run, uint32_t flags)
{
    struct work work;
    struct crash_run source;
    struct model model;
    struct aimg_reader *reader = NULL;
    struct aimg_copy_options how = {.struct_bytes = sizeof how, .flags = flags};
    make_source(&source, &model);
    if (aimg_reader_open_memory(source.disk.cache, source.disk.cache_bytes, NULL, &reader, NULL) != AIMG_OK)
        abort();
    begin_new(&work, run);
    run->promise.nothing = true;
    if (!work.dead)
        work.dead = aimg_writer_copy(work.writer, reader, &how, &work.error) != AIMG_OK;
    if (!work.dead) {
        model.commit_count = flags == AIMG_COPY_DROP_HISTORY ? 1 : model.commit_count;
        promise_only(&run->promise, &model);
    }
    end(&work);
    aimg_reader_close(reader);
    fake_disk_destroy(&source.disk);
    if (work.dead)
        return;
    begin_old(&work, run);
    add_some(&work, "after", 61, 2);
    commit(&work, NULL);
    end(&work);
}

static void copy(struct crash_run *run)
{
    copy_with(run, 0);
}

static void copy_now(struct crash_run *run)
{
    copy_with(run, AIMG_COPY_DROP_HISTORY);
}

const struct crash_scenario crash_scenarios[] = {
    {"one", one, false},       {"several", several, false},    {"replace", replace, false},
    {"append", append, false}, {"rename", rename_some, false}, {"big", big, false},
    {"torn", torn, false},     {"values", values, false},      {"twins", twins, false},
    {"copy", copy, false},     {"copy-now", copy_now, false},  {"failed", failed, true},
};
const unsigned crash_scenario_count = sizeof crash_scenarios / sizeof crash_scenarios[0];

void crash_perform(const struct crash_scenario *scenario, const struct crash_setup *setup, struct crash_run *run)
{
    *run = (struct crash_run){.same_salt = setup->same_salt};
    fake_disk_create(&run->disk, NULL, 0);
    run->disk.stop_after = setup->stop_after;
    run->disk.lying_sync = setup->lying_sync;
    run->disk.failing_sync = setup->failing_sync;
    run->disk.failing_cut = setup->failing_cut;
    run->disk.after_failure = setup->after_failure;
    run->disk.fail_at = setup->fail_at;
    run->disk.fail_on = setup->fail_on;
    run->disk.fail_errno = setup->fail_errno;
    run->disk.short_reads = setup->short_reads;
    run->disk.random = setup->stop_after ^ setup->failing_sync << 32;
    scenario->run(run);
}

bool crash_append(struct crash_run *run, const struct model *base, uint32_t content, char reason[256])
{
    struct work work;
    char name[24];
    promise_only(&run->promise, base);
    snprintf(name, sizeof name, "next/%u.jpg", content);
    begin_old(&work, run);
    add(&work, name, content, 0);
    commit(&work, NULL);
    end(&work);
    snprintf(reason, 256, "the next session fails: %.200s", work.error.message);
    return !work.dead;
}
