/* SPDX-License-Identifier: Apache-2.0 */
#include "model_run.h"

#include "checksum.h"
#include "sample.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

model_step_fn *const model_step_functions[MODEL_KINDS] = {
    [MODEL_CREATE] = model_step_create,   [MODEL_ADD] = model_step_add,       [MODEL_REPLACE] = model_step_replace,
    [MODEL_ATTACH] = model_step_attach,   [MODEL_MANY] = model_step_many,     [MODEL_REMOVE] = model_step_remove,
    [MODEL_RENAME] = model_step_rename,   [MODEL_COLUMN] = model_step_column, [MODEL_META] = model_step_meta,
    [MODEL_SET] = model_step_set,         [MODEL_ARRAY] = model_step_array,   [MODEL_TRAIN] = model_step_train,
    [MODEL_COMMIT] = model_step_commit,   [MODEL_SEAL] = model_step_seal,     [MODEL_REOPEN] = model_step_reopen,
    [MODEL_KILL] = model_step_kill,       [MODEL_CRASH] = model_step_crash,   [MODEL_FAIL] = model_step_fail,
    [MODEL_REFRESH] = model_step_refresh, [MODEL_TRAVEL] = model_step_travel, [MODEL_CHANGES] = model_step_changes,
    [MODEL_COMPACT] = model_step_compact,
};

/* ------------------------------------------------------------------ looking */

struct model_check model_check_of(struct model_run *run, const struct aimg_reader *reader, const char *who)
{
    return (struct model_check){.reader = reader,
                                .state = model_archive_last(&run->model),
                                .commits = run->model.commits,
                                .commit_count = run->model.commit_count,
                                .who = who,
                                .reason = run->reason};
}

bool model_run_open(struct model_run *run, const struct aimg_reader_options *options, struct aimg_reader **reader_out,
                    enum aimg_status expected, const char *who)
{
    struct aimg_error error;
    *reader_out = NULL;
    enum aimg_status status = aimg_reader_open_memory(run->disk.cache, run->disk.cache_bytes, options, reader_out, &error);
    return model_status(run->reason, status, expected, &error, "%s: opening", who);
}

/* What is looked at when that is not everything: chosen by what there is, so that it does not depend on the steps before. */
static uint64_t choice(const struct model_run *run)
{
    return run->disk.cache_bytes + run->model.next.image_count * 977u + run->model.commit_count;
}

bool model_run_check(struct model_run *run, bool all, const char *who)
{
    struct aimg_reader *reader;
    if (!model_run_open(run, NULL, &reader, AIMG_OK, who))
        return false;
    struct model_check check = model_check_of(run, reader, who);
    bool good = all || run->thorough ? model_check_all(&check) : model_check_quickly(&check, choice(run));
    aimg_reader_close(reader);
    check = model_check_of(run, aimg_writer_base(run->writer), "the writer's base");
    return good && (run->thorough ? model_check_all(&check) : model_check_quickly(&check, choice(run) + 1));
}

/* Names as the writer finds them, with those of the open batch. */
static bool check_writer_name(struct model_run *run, uint32_t name)
{
    char text[MODEL_NAME_BYTES];
    uint32_t found = 0, expected = model_state_find(&run->model.next, name);
    struct aimg_error error;
    enum aimg_status status = aimg_writer_find(run->writer, text, model_name(name - 1, text), &found, &error);
    if (!model_status(run->reason, status, expected == MODEL_NOBODY ? AIMG_NOT_FOUND : AIMG_OK, &error,
                      "the writer finding '%.80s'", text))
        return false;
    return expected == MODEL_NOBODY || found == expected ||
           model_fail(run->reason, "to the writer '%.80s' is image %" PRIu32 ", not %" PRIu32, text, found, expected);
}

static bool check_writer(struct model_run *run)
{
    uint64_t images, bytes;
    uint32_t added = run->model.next.image_count - model_archive_last(&run->model)->image_count;
    aimg_writer_pending(run->writer, &images, &bytes);
    if (images != added)
        return model_fail(run->reason, "the writer has %" PRIu64 " images in the open batch, not %" PRIu32, images, added);
    if (run->model.next.image_count > 0) {
        uint32_t name = run->model.next.images[run->model.next.image_count - 1].name;
        if (name != 0 && !check_writer_name(run, name))
            return false;
    }
    for (uint32_t i = 0; i < (run->thorough ? MODEL_NAMES : 2); i++)
        if (!check_writer_name(run, 1 + (uint32_t)((run->thorough ? i : choice(run) * (i + 1)) % MODEL_NAMES)))
            return false;
    return true;
}

/* ------------------------------------------------------------------ writers */

static void apply_session(struct aimg_writer *writer, const struct model_step *session, uint32_t number)
{
    uint32_t rows = session->arguments[1], keys = session->arguments[2] % 8, stage = session->arguments[2] / 8 % 8;
    if (rows >= 8)
        writer->run_rows = rows - 7;
    if (keys >= 4)
        writer->keys_max = keys - 2;
    if (stage >= 4)
        writer->stage_max = 100u << (stage - 4);
    if (keys % 2 == 0)
        writer->out.salt = 0x5A17u * (number + 1);
}

uint32_t model_session_dedup(const struct model_step *session)
{
    return session->arguments[0] / 3 % 3;
}

enum aimg_status model_session_open(struct model_run *run, struct fake_disk *disk, const struct model_step *session, bool create,
                                    struct aimg_writer **writer_out, struct aimg_error *error)
{
    static const uint32_t alignments[] = {0, 8, 64, 4096};
    uint32_t how = session->arguments[0];
    uint8_t seed[16];
    struct aimg_io io = fake_disk_io(disk);
    struct aimg_writer_options options = {.struct_bytes = sizeof options,
                                          .compress = how % 3,
                                          .flags = how / 9 % 8 == 7 ? AIMG_WRITER_NO_SYNC : 0,
                                          .alignment = alignments[how / 72 % 4],
                                          .seed = seed,
                                          .dedup = model_session_dedup(session)};
    memcpy(seed, sample_seed, sizeof seed);
    seed[1] = (uint8_t)run->archives;
    /* Clocks go back now and then. */
    options.time_ns = SAMPLE_TIME_NS + 1000 * run->sessions - (session->arguments[2] % 3 == 2 ? 2500 : 0);
    *writer_out = NULL;
    enum aimg_status status =
        create ? aimg_writer_create_io(&io, &options, writer_out, error) : aimg_writer_open_io(&io, &options, writer_out, error);
    if (status != AIMG_OK)
        return status;
    apply_session(*writer_out, session, run->sessions);
    run->sessions++;
    run->trainings = 0;
    run->session = *session;
    run->time_ns = options.time_ns;
    run->synced = options.flags == 0;
    return AIMG_OK;
}

bool model_run_create(struct model_run *run, const struct model_step *session)
{
    struct aimg_error error;
    (void)aimg_writer_close(run->writer, NULL);
    run->writer = NULL;
    fake_disk_destroy(&run->disk);
    fake_disk_create(&run->disk, NULL, 0);
    model_archive_clear(&run->model);
    model_archive_drop(&run->model);
    run->follower.replaced = true;
    run->session_first = 0;
    run->archives++;
    enum aimg_status status = model_session_open(run, &run->disk, session, true, &run->writer, &error);
    return model_status(run->reason, status, AIMG_OK, &error, "creating") && model_run_check(run, true, "the new archive");
}

bool model_run_reopen(struct model_run *run, const struct model_step *session)
{
    struct aimg_error error;
    struct aimg_reader *reader;
    struct aimg_info info = {.struct_bytes = sizeof info};
    uint64_t dropped_bytes, dropped_images, before = run->disk.cache_bytes;
    if (!model_run_open(run, NULL, &reader, AIMG_OK, "before the next writer"))
        return false;
    (void)aimg_reader_info(reader, &info, NULL);
    aimg_reader_close(reader);
    enum aimg_status status = model_session_open(run, &run->disk, session, false, &run->writer, &error);
    if (!model_status(run->reason, status, AIMG_OK, &error, "opening to write"))
        return false;
    aimg_writer_dropped(run->writer, &dropped_bytes, &dropped_images);
    if (dropped_bytes != before - info.file_bytes || run->disk.cache_bytes != info.file_bytes)
        return model_fail(run->reason, "the writer dropped %" PRIu64 " bytes, not %" PRIu64, dropped_bytes,
                          before - info.file_bytes);
    model_archive_drop(&run->model);
    run->session_first = run->model.next.image_count;
    return model_run_check(run, false, "opened to write");
}

enum aimg_status model_run_publish(struct model_run *run, bool seal, uint32_t message, struct aimg_error *error)
{
    bool commits = model_archive_would_commit(&run->model, message, seal);
    enum aimg_status status = seal ? aimg_writer_seal(run->writer, model_message(message), error)
                                   : aimg_writer_commit(run->writer, model_message(message), error);
    if (status == AIMG_OK && !commits && run->model.maybe_changed) {
        struct aimg_info info = {.struct_bytes = sizeof info};
        (void)aimg_reader_info(aimg_writer_base(run->writer), &info, NULL);
        commits = info.commit_count > run->model.commit_count;
    }
    if (status == AIMG_OK && commits) {
        model_archive_commit(&run->model, message, run->time_ns, seal);
        run->trainings = 0;
    }
    return status;
}

/* ------------------------------------------------------------------ a sequence */

static void print_finding(void *user, const struct aimg_finding *finding)
{
    (void)model_fail(user, "verify: rule %" PRIu32 " at %" PRIu64 ": %s", finding->rule, finding->offset, finding->message);
}

static bool verify(struct model_run *run)
{
    struct aimg_verify_options options = {
        .struct_bytes = sizeof options, .threads = 1, .user = run->reason, .finding = print_finding};
    struct aimg_verify_result result = {.faults = 0};
    struct aimg_error error = {.message = "faults"};
    char path[300];
    snprintf(path, sizeof path, "%s/verify.aimg", run->folder);
    if (!sample_store(path, run->disk.cache, (size_t)run->disk.cache_bytes))
        return model_fail(run->reason, "%s cannot be written", path);
    enum aimg_status status = aimg_verify(path, &options, &result, &error);
    return model_status(run->reason, status, AIMG_OK, &error, "verify") && result.faults == 0 && result.warnings == 0;
}

/* All of the last commit, and of others as many as `most`, spread over the past. */
static bool check_end(struct model_run *run, const struct model_manner *manner)
{
    uint32_t count = run->model.commit_count, most = run->thorough ? count : 3;
    struct aimg_error error;
    /* The batch that is open is dropped, and leaves nothing. */
    enum aimg_status status = aimg_writer_close(run->writer, &error);
    run->writer = NULL;
    if (!model_status(run->reason, status, AIMG_OK, &error, "closing") || !model_run_reopen(run, &run->session) ||
        !model_run_check(run, true, "in the end"))
        return false;
    for (uint32_t i = 0; i < most && i < count; i++) {
        struct model_step travel = {.kind = MODEL_TRAVEL, .arguments = {most < count ? count * i / most : i}};
        if (!model_step_travel(run, &travel))
            return false;
    }
    return !manner->verify || verify(run);
}

static bool do_step(struct model_run *run, const struct model_manner *manner, const struct model_step *step)
{
    if (step->kind == manner->broken && step->kind != MODEL_CREATE)
        return model_fail(run->reason, "the step %s is to fail", model_kind_name(step->kind));
    bool good = model_step_functions[step->kind](run, step) && check_writer(run);
    /* Where a failure was expected it would pass for that. */
    return good && (!run->disk.full || model_fail(run->reason, "the disk is too small for this sequence: FAKE_DISK_BYTES"));
}

void model_run_sequence(const struct model_sequence *sequence, const struct model_manner *manner, struct model_outcome *outcome)
{
    struct model_run run = {.folder = manner->folder, .thorough = manner->thorough, .follower = {.file = -1}};
    bool good = true;
    *outcome = (struct model_outcome){.good = true};
    fake_disk_create(&run.disk, NULL, 0);
    for (uint32_t i = 0; good && i < sequence->count; i++) {
        if (manner->say) {
            struct model_sequence one = {.count = 1, .steps = {sequence->steps[i]}};
            char text[MODEL_TEXT_BYTES];
            model_sequence_tell(&one, text);
            printf("%3" PRIu32 " %s\n", i, text);
            fflush(stdout);
        }
        good = do_step(&run, manner, &sequence->steps[i]);
        outcome->steps++;
        if (manner->say && good)
            printf("    %" PRIu32 " commits, %" PRIu32 " ordinals, %" PRIu32 " alive\n", run.model.commit_count,
                   run.model.next.image_count, model_state_alive(&run.model.next));
    }
    outcome->good = good && check_end(&run, manner);
    outcome->commits = run.model.commit_count;
    memcpy(outcome->reason, run.reason, sizeof outcome->reason);
    model_follower_close(&run.follower);
    (void)aimg_writer_close(run.writer, NULL);
    fake_disk_destroy(&run.disk);
    model_archive_clear(&run.model);
    free(run.follower.shown);
}
