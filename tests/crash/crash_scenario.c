/* SPDX-License-Identifier: Apache-2.0 */
#include "crash_scenario.h"

#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------ the scenarios */

static void one(struct crash_run *run)
{
    struct work work;
    work_create(&work, run);
    work_add_some(&work, "a", 1, 5);
    work_commit(&work, NULL);
    work_close(&work);
}

static void several(struct crash_run *run)
{
    struct work work;
    work_create(&work, run);
    for (uint32_t i = 0; i < 3; i++) {
        if (!work.dead)
            work.dead = aimg_writer_column(work.writer, "mood", AIMG_TYPE_DICTIONARY, 1, 0, &work.mood, &work.error) != AIMG_OK;
        work_add_some(&work, "b", 10 * i + 1, 2 + 3 * i);
        work_commit(&work, i == 2 ? "the third" : NULL);
    }
    work_close(&work);
}

static void replace(struct crash_run *run)
{
    struct work work;
    work_create(&work, run);
    work_add_some(&work, "c", 1, 6);
    work_commit(&work, NULL);
    work_add(&work, "c/2.jpg", 22, AIMG_ADD_REPLACE);
    work_add(&work, "c/3.jpg", 23, AIMG_ADD_REPLACE);
    work_remove(&work, "c/5.jpg");
    work_commit(&work, NULL);
    work_add(&work, "c/5.jpg", 25, 0);
    work_remove(&work, "c/2.jpg");
    work_commit(&work, NULL);
    work_close(&work);
}

/* Other names, in the place of those that are removed too, and metadata in the same commits. */
static void rename_some(struct crash_run *run)
{
    struct work work;
    work_create(&work, run);
    work_add_some(&work, "n", 1, 5);
    work_commit(&work, NULL);
    work_rename(&work, "n/2.jpg", "m/2.jpg");
    work_remove(&work, "n/4.jpg");
    work_rename(&work, "n/5.jpg", "n/4.jpg");
    work_title(&work, "names");
    work_commit(&work, NULL);
    work_close(&work);
    if (work.dead)
        return;
    work_open(&work, run);
    work_rename(&work, "m/2.jpg", "n/2.jpg");
    work_add(&work, "m/2.jpg", 62, 0);
    work_rename(&work, "m/2.jpg", "o/2.jpg"); /* of this batch */
    work_remove(&work, "n/1.jpg");
    work_title(&work, "other names");
    work_commit(&work, NULL);
    work_close(&work);
}

static void append(struct crash_run *run)
{
    struct work work;
    work_create(&work, run);
    work_add_some(&work, "d", 1, 3);
    work_commit(&work, NULL);
    work_close(&work);
    if (work.dead)
        return;
    work_open(&work, run);
    work_add_some(&work, "d", 11, 2);
    work_commit(&work, "more");
    work_add_some(&work, "dropped", 21, 2);
    work_close(&work);
    if (work.dead)
        return;
    work_open(&work, run);
    work_add_some(&work, "d", 31, 1);
    work_commit(&work, NULL);
    work_close(&work);
}

/* Images that go to the disk on their own, so that a batch is several writes and a table's header is filled in later. */
static void big(struct crash_run *run)
{
    struct work work;
    work_create(&work, run);
    work_add_some(&work, "e", 1, 2);
    work_add(&work, "e/big.png", SAMPLE_BIG + 1, 0);
    work_add_some(&work, "e", 3, 1);
    work_commit(&work, NULL);
    work_add(&work, "e/big.png", 4, AIMG_ADD_REPLACE);
    work_commit(&work, NULL);
    work_close(&work);
}

/* An earlier program was stopped with images on the disk and no commit. */
static void torn(struct crash_run *run)
{
    struct work work;
    work_create(&work, run);
    work_add_some(&work, "f", 1, 3);
    work_commit(&work, NULL);
    work_add_some(&work, "lost", 51, 4);
    if (!work.dead) /* the bytes reach the disk, as they do when a batch is large */
        work.dead = aimg_out_flush(&work.writer->out, &work.error) != AIMG_OK;
    if (work.writer != NULL)
        work.writer->failed = true; /* so that close does not tidy up */
    work_close(&work);
    if (work.dead)
        return;
    work_open(&work, run);
    work_add_some(&work, "f", 61, 4); /* as long as what is lost: frames of both fit together */
    work_commit(&work, NULL);
    work_close(&work);
}

/* Content that was seen: in the batch, in the commit before, by a program before, of images that are gone. */
static void twins(struct crash_run *run)
{
    struct work work;
    run->dedup = AIMG_DEDUP_ALL;
    work_create(&work, run);
    work_add_some(&work, "t", 1, 4);
    work_add(&work, "t/again.jpg", 1, 0);
    work_commit(&work, NULL);
    work_add(&work, "t/1.jpg", 2, AIMG_ADD_REPLACE);
    work_remove(&work, "t/2.jpg");
    work_add(&work, "t/new.jpg", 92, 0);
    work_commit(&work, NULL);
    work_expect_twins(&work, 2);
    work_close(&work);
    if (work.dead)
        return;
    work_open(&work, run);
    work_add(&work, "t/2.jpg", 2, 0);
    work_add(&work, "t/new again.jpg", 92, 0);
    work_add(&work, "t/other.jpg", 93, 0);
    work_commit(&work, NULL);
    work_expect_twins(&work, 2);
    work_close(&work);
}

/* A sync fails; the program ends; the next one goes on, on the same machine, whose cache and disk disagree. */
static void failed(struct crash_run *run)
{
    struct work work;
    work_create(&work, run);
    work_add_some(&work, "g", 1, 3);
    work_commit(&work, NULL);
    work_add_some(&work, "g", 71, 3);
    work_commit(&work, NULL);
    work_close(&work);
    for (uint32_t i = 0; i < 2; i++) {
        work_open(&work, run);
        work_add_some(&work, "h", 81 + 10 * i, 3); /* as long as those before */
        work_commit(&work, NULL);
        work_close(&work);
    }
}

/* Values that come after the images, one by one and for all, are changed, and go. */
static void values(struct crash_run *run)
{
    struct work work;
    work_create(&work, run);
    work_add_some(&work, "i", 1, 4);
    work_commit(&work, NULL);
    work_score(&work, 1, 11);
    work_score(&work, 3, 300);
    work_commit(&work, NULL);
    work_scores(&work, 70000);
    work_add_some(&work, "i", 5, 1);
    work_score(&work, 4, 44);
    work_commit(&work, NULL);
    work_close(&work);
    if (work.dead)
        return;
    work_open(&work, run);
    work_score(&work, 2, 0);
    work_score(&work, 0, 5);
    work_commit(&work, NULL);
    work_close(&work);
}

/* An archive of three commits to copy, on a disk of its own that nothing happens to: images that are gone, another name, values,
 * bytes that two images share. */
static void make_source(struct crash_run *source, struct model *model_out)
{
    struct work work;
    *source = (struct crash_run){.same_salt = true, .dedup = AIMG_DEDUP_ALL};
    fake_disk_create(&source->disk, NULL, 0);
    work_create(&work, source);
    work_add_some(&work, "s", 1, 5);
    work_commit(&work, "the first");
    work_rename(&work, "s/2.jpg", "r/2.jpg");
    work_remove(&work, "s/1.jpg");
    work_add(&work, "s/again.jpg", 3, 0);
    work_commit(&work, NULL);
    work_score(&work, 0, 7);
    work_score(&work, 3, 9);
    work_commit(&work, "the third");
    work_expect_twins(&work, 1);
    work_close(&work);
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
    work_create(&work, run);
    run->promise.nothing = true;
    if (!work.dead)
        work.dead = aimg_writer_copy(work.writer, reader, &how, &work.error) != AIMG_OK;
    if (!work.dead) {
        model_compact(&model);
        model.commit_count = flags == AIMG_COPY_DROP_HISTORY ? 1 : model.commit_count;
        promise_only(&run->promise, &model);
    }
    work_close(&work);
    aimg_reader_close(reader);
    fake_disk_destroy(&source.disk);
    if (work.dead)
        return;
    work_open(&work, run);
    work_add_some(&work, "after", 61, 2);
    work_commit(&work, NULL);
    work_close(&work);
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
    {"copy", copy, false},     {"copy-now", copy_now, false},  {"failed", failed, false},
};
const unsigned crash_scenario_count = sizeof crash_scenarios / sizeof crash_scenarios[0];

void crash_prepare(const struct crash_setup *setup, struct crash_run *run)
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
    run->meddle = setup->meddle;
    run->skip_rename_sync = setup->skip_rename_sync;
}

void crash_go(const struct crash_scenario *scenario, const struct crash_setup *setup, struct crash_run *run)
{
    char reason[256];
    scenario->run(run);
    for (unsigned i = 0; i < setup->sessions_after && run->named != NAMED_OTHER; i++)
        if (!crash_continue(run, 900 + 10 * i, reason) && run->promise.candidates[0].commit_count > 0)
            run->refused = true; /* before the first commit there may be no archive to go on from */
}

void crash_perform(const struct crash_scenario *scenario, const struct crash_setup *setup, struct crash_run *run)
{
    crash_prepare(setup, run);
    crash_go(scenario, setup, run);
}

bool crash_continue(struct crash_run *run, uint32_t content, char reason[256])
{
    struct work work;
    char name[24];
    snprintf(name, sizeof name, "next/%u.jpg", content);
    work_open(&work, run);
    work_add(&work, name, content, 0);
    work_commit(&work, NULL);
    work_close(&work);
    snprintf(reason, 256, "the next session fails: %.200s", work.error.message);
    return !work.dead;
}

bool crash_append(struct crash_run *run, const struct model *base, uint32_t content, char reason[256])
{
    promise_only(&run->promise, base);
    return crash_continue(run, content, reason);
}
