/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios of many steps, in which tables are merged, and those that need more than one file. */
#include "crash_scenario.h"

#include "constants.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void pack(struct crash_run *run)
{
    struct work work;
    work_create(&work, run);
    work_title(&work, "packed");
    work_add_some(&work, "cats", 1, 6);
    work_add(&work, "cats/large.png", 1001, 0);
    work_add_some(&work, "dogs", 11, 6);
    work_commit(&work, "packed");
    work_close(&work);
}

/* Commits of one image: their runs, names and masks become one again and again. */
static void many(struct crash_run *run)
{
    struct work work;
    work_create(&work, run);
    for (uint32_t i = 0; i < 7; i++) {
        work_add_some(&work, "p", 1 + i, 1 + i % 2);
        if (i % 2 == 1)
            work_remove(&work, i == 1 ? "p/1.jpg" : i == 3 ? "p/3.jpg" : "p/5.jpg");
        work_commit(&work, NULL);
        if (i % 2 == 0) /* so that the next name is free */
            continue;
        work_close(&work);
        if (work.dead)
            return;
        work_open(&work, run);
    }
    work_close(&work);
}

/* A column at a time: eight tables of a run become one. Texts of a dictionary come one by one. */
static void columns(struct crash_run *run)
{
    struct work work;
    work_create(&work, run);
    work_add_some(&work, "q", 1, 6);
    work_commit(&work, NULL);
    for (uint32_t i = 0; i < 9; i++) {
        if (i % 3 == 0)
            work_score(&work, i % 6, 100 + i);
        else if (i % 3 == 1)
            work_note(&work, i % 6, 200 + i);
        else
            work_mood(&work, i % 6, i == 2 ? 1 : 3);
        work_commit(&work, NULL);
    }
    work_close(&work);
}

/* Merging of everything on purpose, of what is sealed and open again, and of what is gone. */
static void seal(struct crash_run *run)
{
    struct work work;
    work_create(&work, run);
    work_add_some(&work, "u", 1, 4);
    work_mood(&work, 1, 1);
    work_commit(&work, NULL);
    work_add_some(&work, "u", 5, 3);
    work_remove(&work, "u/2.jpg");
    work_score(&work, 0, 9);
    work_commit(&work, NULL);
    work_seal(&work, "sealed");
    work_close(&work);
    if (work.dead)
        return;
    work_open(&work, run);
    work_add_some(&work, "v", 31, 2);
    work_mood(&work, 0, 3);
    work_commit(&work, NULL);
    work_remove(&work, "u/4.jpg");
    work_seal(&work, NULL);
    work_close(&work);
}

static void attach(struct crash_run *run)
{
    struct work work;
    work_create(&work, run);
    work_add_some(&work, "w", 1, 4);
    work_attach(&work, 0, 101);
    work_commit(&work, NULL);
    work_attach(&work, 2, 102);
    work_rename(&work, "w/1.jpg", "x/1.jpg"); /* its attachment stays */
    work_commit(&work, NULL);
    work_close(&work);
    if (work.dead)
        return;
    work_open(&work, run);
    work_attach(&work, 1, 103);
    work_add_some(&work, "w", 41, 1);
    work_commit(&work, NULL);
    work_close(&work);
}

/* Metadata and messages are commits of their own; and an archive that had none is opened. */
static void words(struct crash_run *run)
{
    struct work work;
    work_create(&work, run);
    work_close(&work);
    if (work.dead)
        return;
    work_open(&work, run);
    work_title(&work, "one");
    work_commit(&work, NULL);
    work_commit(&work, "nothing but this");
    work_add_some(&work, "y", 1, 2);
    work_title(&work, "two");
    work_commit(&work, NULL);
    work_close(&work);
}

/* A dictionary is made and stored with the first image that needs it; a later program finds it. */
static void train(struct crash_run *run)
{
    enum { SAMPLES = 40 };
    struct aimg_sample samples[SAMPLES];
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct work work;
    for (uint32_t i = 0; i < SAMPLES; i++) {
        size_t bytes;
        samples[i] = (struct aimg_sample){.format = AIMG_FORMAT_JPEG};
        samples[i].data = model_content(MODEL_FAMILY + 100 + i, &bytes);
        samples[i].bytes = bytes;
    }
    run->compress = AIMG_COMPRESS_AUTO;
    work_create(&work, run);
    work_add_some(&work, "z", 1, 2);
    work_commit(&work, NULL);
    if (!work.dead)
        work.dead = aimg_writer_train(work.writer, samples, SAMPLES, 100000, &work.error) != AIMG_OK;
    work_add_some(&work, "z", MODEL_FAMILY, 5);
    work_commit(&work, NULL);
    if (!work.dead && (aimg_reader_info(aimg_writer_base(work.writer), &info, NULL) != AIMG_OK || info.coding_count != 1))
        abort();
    work_close(&work);
    if (work.dead)
        return;
    work_open(&work, run);
    work_add_some(&work, "z", MODEL_FAMILY + 11, 3);
    work_commit(&work, NULL);
    work_close(&work);
    run->compress = 0;
}

/* What is compacted: a file of its own that nothing happens to. */
static const struct crash_run *archive_to_compact(void)
{
    static struct crash_run old;
    struct work work;
    if (old.disk.cache != NULL)
        return &old;
    fake_disk_create(&old.disk, NULL, 0);
    work_create(&work, &old);
    work_add_some(&work, "s", 1, 5);
    work_attach(&work, 2, 104);
    work_title(&work, "compacted");
    work_commit(&work, "the first");
    work_remove(&work, "s/1.jpg");
    work_rename(&work, "s/2.jpg", "r/2.jpg");
    work_score(&work, 0, 7);
    work_note(&work, 3, 8);
    work_commit(&work, NULL);
    work_close(&work);
    if (work.dead)
        abort();
    return &old;
}

/* The new file takes the name, and the folder is made to remember that, before anybody is told. */
static void take_name(struct work *work)
{
    struct crash_run *run = work->run;
    if (work->dead || !fake_disk_step(&run->disk)) {
        work->dead = true;
        return;
    }
    run->named = NAMED_EITHER;
    run->promise.nothing = false;
    if (run->skip_rename_sync)
        return;
    if (!fake_disk_step(&run->disk))
        work->dead = true;
    else
        run->named = NAMED_THIS;
}

/* Copied into a new file, which then takes the name of the old one: under the name is the one or the other, whole. */
static void compact(struct crash_run *run)
{
    const struct crash_run *old = archive_to_compact();
    struct work work;
    struct model model = old->promise.candidates[0];
    struct aimg_reader *reader = NULL;
    if (aimg_reader_open_memory(old->disk.cache, old->disk.cache_bytes, NULL, &reader, NULL) != AIMG_OK)
        abort();
    run->other = old;
    run->other_good = true;
    run->named = NAMED_OTHER;
    work_create(&work, run);
    model_compact(&model);
    promise_only(&run->promise, &model);
    run->promise.nothing = true;
    if (!work.dead)
        work.dead = aimg_writer_copy(work.writer, reader, NULL, &work.error) != AIMG_OK;
    take_name(&work);
    run->other_good = work.dead;
    aimg_reader_close(reader);
    work_close(&work);
    if (work.dead)
        return;
    work_open(&work, run);
    work_add_some(&work, "after", 61, 2);
    work_commit(&work, NULL);
    work_close(&work);
}

/* A program is stopped with images on the disk and no commit, one of them damaged or none; the next one keeps the others, which
 * are committed then or not, and never some of them. */
static void recover_with(struct crash_run *run, uint32_t dedup, bool damaged)
{
    static const uint8_t zeros[AIMG_FRAME_BYTES];
    struct work work;
    run->dedup = dedup;
    work_create(&work, run);
    work_add_some(&work, "f", 1, 3);
    work_commit(&work, NULL);
    work_add_some(&work, "kept", 51, 2);
    struct work lost = work;
    uint64_t at = work.dead ? 0 : aimg_out_offset(&work.writer->out);
    if (damaged)
        work_add(&lost, "lost.jpg", 71, 0);
    work.dead = work.dead || lost.dead;
    work_add(&work, "kept/again.jpg", 52, 0);
    work_add(&work, "f/2.jpg", 53, AIMG_ADD_REPLACE);
    if (!work.dead)
        work.dead = aimg_out_flush(&work.writer->out, &work.error) != AIMG_OK;
    if (!work.dead && damaged)
        work.dead = work.writer->io->ops->write_at(work.writer->io, at, zeros, sizeof zeros, NULL, 0, &work.error) != AIMG_OK;
    struct model kept = work.next;
    if (work.writer != NULL)
        work.writer->failed = true; /* so that close does not tidy up */
    work_close(&work);
    if (work.dead)
        return;
    kept.commit_count++;
    promise_also(&run->promise, &kept);
    run->flags = AIMG_WRITER_RECOVER;
    work_open(&work, run);
    run->flags = 0;
    if (!work.dead && run->disk.failing_sync == 0 && work.next.commit_count != kept.commit_count)
        abort();
    work_add_some(&work, "f", 61, 2);
    work_commit(&work, NULL);
    work_close(&work);
}

void crash_recover(struct crash_run *run)
{
    recover_with(run, AIMG_DEDUP_NONE, false);
}

void crash_recover_all(struct crash_run *run)
{
    recover_with(run, AIMG_DEDUP_ALL, true);
}

const struct crash_scenario crash_long_scenarios[] = {
    {"pack", pack, false},
    {"many", many, false},
    {"columns", columns, false},
    {"seal", seal, false},
    {"attach", attach, false},
    {"words", words, false},
    {"train", train, false},
    {"compact", compact, true},
    {"forged", crash_forged, false},
    {"recover", crash_recover, false},
    {"recover-all", crash_recover_all, false},
};
const unsigned crash_long_count = sizeof crash_long_scenarios / sizeof crash_long_scenarios[0];
