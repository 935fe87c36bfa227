/* SPDX-License-Identifier: Apache-2.0 */
/* Steps between batches: commits, writers that come and go, power cuts, failures, readers. */
#include "model_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Ways in which a power cut could have ended, beside the one that the sequence goes on from. */
#define OTHER_CUTS 12u

static uint32_t message_of(const struct model_step *step)
{
    return step->arguments[0] < MODEL_MESSAGES ? step->arguments[0] : 0;
}

static bool publish(struct model_run *run, bool seal, uint32_t message)
{
    struct aimg_error error;
    enum aimg_status status = model_run_publish(run, seal, message, &error);
    return model_status(run->reason, status, AIMG_OK, &error, seal ? "sealing" : "a commit") &&
           model_run_check(run, false, seal ? "after sealing" : "after a commit");
}

bool model_step_commit(struct model_run *run, const struct model_step *step)
{
    return publish(run, false, message_of(step));
}

bool model_step_seal(struct model_run *run, const struct model_step *step)
{
    return publish(run, true, message_of(step));
}

bool model_step_create(struct model_run *run, const struct model_step *step)
{
    return model_run_create(run, step);
}

bool model_step_reopen(struct model_run *run, const struct model_step *step)
{
    struct aimg_error error;
    enum aimg_status status = aimg_writer_close(run->writer, &error);
    run->writer = NULL;
    return model_status(run->reason, status, AIMG_OK, &error, "closing") && model_run_reopen(run, step);
}

/* The program ends without a word; what it wrote is there, some of it in its own buffers only. */
bool model_step_kill(struct model_run *run, const struct model_step *step)
{
    if (step->arguments[1] % 2 == 0)
        (void)aimg_out_flush(&run->writer->out, NULL);
    run->writer->failed = true; /* so that close does not tidy up */
    (void)aimg_writer_close(run->writer, NULL);
    run->writer = NULL;
    model_archive_drop(&run->model);
    return model_run_reopen(run, step);
}

/* ------------------------------------------------------------------ power cuts */

/* A commit that was begun. */
struct flight {
    bool begun, sealed;
    uint32_t message;
};

/* What there is must be the last commit, or the one in flight. */
static bool recover(struct model_run *run, const struct flight *flight, bool may_be_gone)
{
    struct aimg_reader *reader = NULL;
    struct aimg_error error;
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct model_step session = run->session;
    enum aimg_status status = aimg_reader_open_memory(run->disk.cache, run->disk.cache_bytes, NULL, &reader, &error);
    /* Before the first commit not even the head of the file is durable: rules 1 to 8. */
    if (status != AIMG_OK && may_be_gone && run->model.commit_count == 0 && error.rule >= 1 && error.rule <= 8)
        return model_run_create(run, &session);
    if (!model_status(run->reason, status, AIMG_OK, &error, "opening after a power cut"))
        return false;
    (void)aimg_reader_info(reader, &info, NULL);
    if (info.commit_count == run->model.commit_count + 1 && flight->begun)
        model_archive_commit(&run->model, flight->message, run->time_ns, flight->sealed);
    struct model_check check = model_check_of(run, reader, "after a power cut");
    bool good = model_check_all(&check);
    aimg_reader_close(reader);
    return good && model_run_reopen(run, &session);
}

/* Another way in which the same power cut could have ended. */
static bool check_cut(struct model_run *run, const struct flight *flight, const uint8_t *bytes, uint64_t count)
{
    struct aimg_reader *reader = NULL;
    struct aimg_error error;
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct model_check check = model_check_of(run, NULL, "after another power cut");
    enum aimg_status status = aimg_reader_open_memory(bytes, count, NULL, &reader, &error);
    if (status != AIMG_OK && check.commit_count == 0 && error.rule >= 1 && error.rule <= 8)
        return true;
    if (!model_status(run->reason, status, AIMG_OK, &error, "opening after another power cut"))
        return false;
    (void)aimg_reader_info(reader, &info, NULL);
    check.reader = reader;
    if (info.commit_count == run->model.commit_count + 1 && flight->begun) {
        model_archive_settle(&run->model);
        check.state = &run->model.next;
        check.commit_count++;
        run->model.next.sealed = flight->sealed;
    }
    bool good = model_check_quickly(&check, count);
    aimg_reader_close(reader);
    run->model.next.sealed = false;
    return good;
}

/* The power goes: what is there then, and more that could be. seed: of chance. */
static bool cut_power(struct model_run *run, const struct flight *flight, enum fake_cut kind, uint32_t seed)
{
    static const enum fake_cut others[] = {FAKE_CUT_HOLE, FAKE_CUT_RANDOM, FAKE_CUT_HOLE, FAKE_CUT_PREFIX};
    uint8_t *bytes = malloc(fake_disk_reach(&run->disk) + 1);
    bool good = true;
    if (bytes == NULL)
        abort();
    for (uint32_t i = 0; good && run->synced && run->disk.change_count > 0 && i < OTHER_CUTS; i++) {
        uint64_t count = fake_disk_cut(&run->disk, others[i % 4], seed + 1000 * i, bytes);
        good = check_cut(run, flight, bytes, count);
    }
    uint64_t count = fake_disk_cut(&run->disk, run->synced ? kind : FAKE_CUT_NEW, seed, bytes);
    fake_disk_restart(&run->disk, bytes, count);
    free(bytes);
    run->disk.stop_after = UINT64_MAX;
    return good;
}

/* Arguments: steps of the disk until the power goes; what is done meanwhile (nothing, a commit, sealing); how it ends. */
bool model_step_crash(struct model_run *run, const struct model_step *step)
{
    struct flight flight = {.begun = false};
    struct aimg_error error;
    enum fake_cut kind = (enum fake_cut)(step->arguments[2] % FAKE_CUT_KINDS);
    if (step->arguments[1] != 0) {
        flight = (struct flight){true, step->arguments[1] == 2, step->arguments[2] % MODEL_MESSAGES};
        flight.begun = model_archive_would_commit(&run->model, flight.message, flight.sealed) || run->model.maybe_changed;
        run->disk.stop_after = run->disk.steps + step->arguments[0];
        enum aimg_status status = model_run_publish(run, flight.sealed, flight.message, &error);
        if (status != AIMG_OK && !model_status(run->reason, status, AIMG_IO, &error, "a commit without power"))
            return false;
        flight.begun = flight.begun && status != AIMG_OK;
    }
    run->disk.stop_after = run->disk.steps; /* closing can do nothing any more */
    (void)aimg_writer_close(run->writer, NULL);
    run->writer = NULL;
    if (run->synced) /* else nothing was promised for a power cut: the program alone is stopped */
        model_follower_close(&run->follower);
    return cut_power(run, &flight, kind, step->arguments[2]) && recover(run, &flight, run->synced);
}

/* ------------------------------------------------------------------ copies */

static enum aimg_status copy(struct model_run *run, struct fake_disk *disk, const struct model_step *session, bool drop_history,
                             uint32_t stop, struct aimg_writer **writer_out, struct aimg_error *error)
{
    struct aimg_copy_options options = {.struct_bytes = sizeof options, .flags = drop_history ? AIMG_COPY_DROP_HISTORY : 0};
    struct aimg_reader *source;
    enum aimg_status status = model_session_open(run, disk, session, true, writer_out, error);
    if (status != AIMG_OK)
        return status;
    if (stop > 0)
        disk->stop_after = disk->steps + stop - 1;
    status = aimg_reader_open_memory(run->disk.cache, run->disk.cache_bytes, NULL, &source, error);
    if (status != AIMG_OK)
        return status;
    status = aimg_writer_copy(*writer_out, source, &options, error);
    aimg_reader_close(source);
    return status;
}

/* Arguments: history is dropped when odd, from 10 on the new disk stops after some steps and the old archive stays; the session
 * of the new writer. The open batch is lost. */
bool model_step_compact(struct model_run *run, const struct model_step *step)
{
    struct model_step before = run->session;
    struct model_step session = {.arguments = {step->arguments[1], step->arguments[2] % 24, step->arguments[2]}};
    struct fake_disk disk;
    struct aimg_writer *writer = NULL;
    struct aimg_error error;
    bool drop_history = step->arguments[0] % 2 == 1, empty = run->model.commit_count == 0;
    uint32_t stop = step->arguments[0] < 10 || empty ? 0 : 1 + (step->arguments[0] - 10) / 2;
    (void)aimg_writer_close(run->writer, NULL);
    run->writer = NULL;
    run->archives++;
    fake_disk_create(&disk, NULL, 0);
    enum aimg_status status = copy(run, &disk, &session, drop_history, stop, &writer, &error);
    bool good = model_status(run->reason, status, stop > 0 ? AIMG_IO : AIMG_OK, &error, "copying");
    if (!good || stop > 0) {
        (void)aimg_writer_close(writer, NULL);
        fake_disk_destroy(&disk);
        return good && model_run_reopen(run, &before);
    }
    fake_disk_destroy(&run->disk);
    run->disk = disk;
    run->writer = writer;
    run->writer->io->state = &run->disk;
    run->follower.replaced = true;
    model_archive_compact(&run->model, drop_history, run->time_ns);
    run->session_first = run->model.next.image_count; /* what it copied it need not remember */
    return model_run_check(run, true, "the copy");
}

/* ------------------------------------------------------------------ failures */

/* The writer that failed is closed; nothing of the open batch is there, and the next writer goes on. */
static bool replace_writer(struct model_run *run)
{
    struct flight flight = {.begun = false};
    struct aimg_error error;
    run->disk.fail_at = 0;
    enum aimg_status status = aimg_writer_close(run->writer, &error);
    run->writer = NULL;
    model_archive_drop(&run->model);
    return model_status(run->reason, status, AIMG_OK, &error, "closing after a failure") && recover(run, &flight, false);
}

/* Changes of the open batch while calls fail: each is done, is refused, or fails with what the disk said. */
static bool change_while_failing(struct model_run *run, const struct model_step *step)
{
    char text[MODEL_NAME_BYTES];
    uint8_t data[16] = {0};
    struct aimg_error error;
    enum aimg_status status = AIMG_OK;
    for (uint32_t i = 0; i < 12 && status != AIMG_IO; i++) {
        uint32_t ordinal = model_pick(&run->model.next, i * 7, false), number = step->arguments[2] + i;
        struct aimg_value value = {.column = 1 + i % 3, .flags = AIMG_VALUE_NULL};
        struct aimg_image image = {.struct_bytes = sizeof image, .name = text, .data = data, .flags = AIMG_ADD_REPLACE};
        image.name_bytes = model_name((number * 5) % MODEL_NAMES, text);
        image.data_bytes = i;
        status = i % 4 == 1   ? aimg_writer_rename(run->writer, ordinal, text, image.name_bytes, NULL, &error)
                 : i % 4 == 2 ? aimg_writer_set(run->writer, ordinal, &value, &error)
                 : i % 8 == 3 ? aimg_writer_remove(run->writer, ordinal, &error)
                              : aimg_writer_add(run->writer, &image, NULL, &error);
        bool refused = status == AIMG_EXISTS || status == AIMG_NOT_FOUND || (i % 4 == 2 && status == AIMG_INVALID_ARGUMENT);
        if (status != AIMG_OK && !refused && !model_status(run->reason, status, AIMG_IO, &error, "a change on a disk that fails"))
            return false;
    }
    return replace_writer(run);
}

/* Arguments: the call to the disk that fails; commit or sealing, and whether later calls fail too, from 4 on changes; what a
 * failed sync loses. */
bool model_step_fail(struct model_run *run, const struct model_step *step)
{
    struct aimg_error error;
    uint32_t ordinal;
    run->disk.fail_at = run->disk.calls + 1 + step->arguments[0];
    run->disk.fail_on = step->arguments[1] >= 2;
    run->disk.after_failure = (enum fake_loss)(step->arguments[2] % 3);
    if (step->arguments[1] >= 4)
        return change_while_failing(run, step);
    enum aimg_status status = model_run_publish(run, step->arguments[1] % 2 == 1, step->arguments[2] % 2, &error);
    run->disk.fail_at = 0;
    if (status == AIMG_OK)
        return model_run_check(run, false, "after a commit on a disk that failed");
    if (!model_status(run->reason, status, AIMG_IO, &error, "a commit on a disk that fails") ||
        !model_status(run->reason, aimg_writer_commit(run->writer, "again", &error), AIMG_SEQUENCE, &error,
                      "another commit after a failure") ||
        !model_status(run->reason, aimg_writer_find(run->writer, "a", 1, &ordinal, &error), AIMG_SEQUENCE, &error,
                      "finding after a failure"))
        return false;
    return replace_writer(run);
}

/* ------------------------------------------------------------------ readers */

/* Argument: 2 a new reader; 3 a new one without a map; else the one that is there is refreshed. */
bool model_step_refresh(struct model_run *run, const struct model_step *step)
{
    if (step->arguments[0] >= 2) {
        aimg_reader_close(run->follower.reader);
        run->follower.reader = NULL;
        run->follower.lent.data = NULL;
    }
    return model_follower_refresh(run, step->arguments[0] == 3);
}

bool model_step_travel(struct model_run *run, const struct model_step *step)
{
    uint32_t count = run->model.commit_count, seq = step->arguments[0] % (count + 2);
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .flags = AIMG_READER_AT, .seq = seq};
    struct aimg_reader *reader;
    char who[40];
    snprintf(who, sizeof who, "at commit %" PRIu32, seq);
    if (!model_run_open(run, &options, &reader, seq < count ? AIMG_OK : AIMG_NOT_FOUND, who) || seq >= count)
        return run->reason[0] == 0;
    struct model_check check = model_check_of(run, reader, who);
    check.state = &run->model.commits[seq];
    check.commit_count = seq + 1;
    bool good = model_check_all(&check);
    aimg_reader_close(reader);
    return good;
}

bool model_step_changes(struct model_run *run, const struct model_step *step)
{
    struct aimg_reader *reader;
    if (!model_run_open(run, NULL, &reader, AIMG_OK, "for changes"))
        return false;
    struct model_check check = model_check_of(run, reader, "changes");
    bool good = model_check_changes(&check, step->arguments[0] % (run->model.commit_count + 1));
    aimg_reader_close(reader);
    return good;
}
