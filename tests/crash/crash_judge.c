/* SPDX-License-Identifier: Apache-2.0 */
#include "crash_judge.h"

#include "checksum.h"
#include "random.h"
#include "reader.h"
#include "verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* One file in so many is gone on from with further power cuts; so many each time. */
enum { AGAIN_EVERY = 16, AGAIN_CUTS = 8, VERIFY_TORN_EVERY = 32 };
/* What is hashed: a file, a file with a promise, a file to go on from. */
enum { TAG_FILE = 1, TAG_PROMISE, TAG_NEXT };

uint64_t judge_mix(uint64_t a, uint64_t b)
{
    uint64_t state = a ^ b * UINT64_C(0xD6E8FEB86659FD93);
    return random_next(&state);
}

/* ------------------------------------------------------------------ what was seen */

void judge_table_create(struct judge_table *table, uint64_t count)
{
    uint64_t slots = 1 << 16, most = UINT64_C(1) << 27;
    while (slots < count * 2 && slots < most)
        slots *= 2;
    table->mask = slots - 1;
    table->slots =
        mmap(NULL, slots * sizeof *table->slots, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (table->slots == MAP_FAILED)
        abort();
}

enum novelty { SEEN, UNSEEN, UNKNOWN };

static enum novelty add_hash(const struct judge *judge, uint64_t hash)
{
    const struct judge_table *table = judge->seen;
    hash |= hash == 0;
    if (table == NULL)
        return UNKNOWN;
    for (unsigned tries = 0; tries < 256; tries++) {
        uint64_t *slot = &table->slots[(hash + tries) & table->mask], empty = 0;
        if (__atomic_compare_exchange_n(slot, &empty, hash, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
            return UNSEEN;
        if (empty == hash)
            return SEEN;
    }
    return UNKNOWN;
}

static void bump(uint64_t *counter)
{
    (void)__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

/* ------------------------------------------------------------------ verify */

struct findings {
    bool torn; /* what a power cut may leave is none */
    char *reason;
    bool bad;
};

static void on_finding(void *user, const struct aimg_finding *finding)
{
    struct findings *findings = user;
    bool torn = finding->rule == 9 || finding->rule == 34; /* a hint, a tail */
    if (finding->rule == 52 || (findings->torn && torn) || findings->bad)
        return;
    findings->bad = true;
    snprintf(findings->reason, 256, "verify: rule %" PRIu32 " at %" PRIu64 ": %.180s", finding->rule, finding->offset,
             finding->message);
}

static bool verifies(struct judge *judge, const uint8_t *bytes, uint64_t count, bool torn)
{
    struct findings findings = {.torn = torn, .reason = judge->reason};
    struct aimg_verify_options options = {.struct_bytes = sizeof options, .threads = 1, .user = &findings, .finding = on_finding};
    struct aimg_verify_result result;
    struct aimg_error error;
    struct aimg_io io;
    aimg_io_memory_open(&io, bytes, count);
    if (aimg_verify_io(&io, &options, &result, &error) == AIMG_OK)
        return !findings.bad;
    snprintf(judge->reason, sizeof judge->reason, "verify: %.200s", error.message);
    return false;
}

/* ------------------------------------------------------------------ reading */

/* What a reader would do that looks for the last commit where the file ends. */
static bool open_at_end(const uint8_t *bytes, uint64_t count, struct aimg_io *io, struct aimg_reader **reader_out)
{
    struct aimg_located located;
    struct aimg_commit_page page;
    struct aimg_source source = {.io = io};
    uint64_t at = count - AIMG_PAGE_BYTES;
    aimg_io_memory_open(io, bytes, count);
    (void)aimg_allocator_resolve(&source.allocator, &source.allocator);
    aimg_limits_resolve(&source.limits);
    if (count < AIMG_HEAD_BYTES + AIMG_PAGE_BYTES || aimg_locate(io, true, &located, NULL) != AIMG_OK ||
        aimg_commit_read(io, &located.header, at, &page, NULL) != AIMG_OK)
        return false;
    located.commit = page;
    located.empty = false;
    located.end = count;
    return aimg_reader_attach(&source, &located, reader_out, NULL) == AIMG_OK;
}

static enum verdict read_file(struct judge *judge, const struct promise *promise, const uint8_t *bytes, uint64_t count,
                              const struct model **model_out)
{
    struct aimg_reader *reader = NULL;
    struct aimg_io io;
    if (!judge->trust_end || !open_at_end(bytes, count, &io, &reader))
        return promise_check(promise, bytes, count, model_out, judge->reason);
    enum verdict verdict = promise_compare(promise, reader, model_out, judge->reason);
    aimg_reader_close(reader);
    return verdict;
}

/* ------------------------------------------------------------------ going on */

static struct crash_run *restart(struct judge_level *level, const uint8_t *bytes, uint64_t count, unsigned sessions)
{
    struct crash_run *run = &level->run;
    struct fake_disk disk;
    fake_disk_restart(&run->disk, bytes, count);
    disk = run->disk;
    *run = (struct crash_run){.sessions = sessions, .disk = disk};
    return run;
}

/* After opening, what was committed is as it was found, and nothing else is there. */
static bool is_cut_back(struct judge *judge, const struct work *work, const uint8_t *bytes, uint64_t count)
{
    const struct fake_disk *disk = &work->run->disk;
    uint64_t end = work->writer->located.end, frames = end - AIMG_HEAD_BYTES;
    if (end <= count && disk->cache_bytes == end && disk->change_count == 0 && disk->medium_bytes == end &&
        memcmp(disk->cache, bytes, AIMG_HEADER_BYTES) == 0 &&
        memcmp(disk->cache + AIMG_HEAD_BYTES, bytes + AIMG_HEAD_BYTES, frames) == 0 &&
        memcmp(disk->cache, disk->medium, end) == 0)
        return true;
    snprintf(judge->reason, sizeof judge->reason, "opening for writing leaves %" PRIu64 " bytes, not %" PRIu64 " as they were",
             disk->cache_bytes, end);
    return false;
}

/* Opens, adds, commits. Files from which a writer has cut what is torn are often the same; each is added to once. */
static bool goes_on(struct judge *judge, struct judge_level *level, const struct model *model, const uint8_t *bytes,
                    uint64_t bytes_count)
{
    const struct model *after;
    struct work work;
    struct crash_run *run = restart(level, bytes, bytes_count, 50);
    promise_only(&run->promise, model);
    work_open(&work, run);
    bool good = !work.dead && is_cut_back(judge, &work, bytes, bytes_count);
    if (work.dead)
        snprintf(judge->reason, sizeof judge->reason, "the next session: %.200s", work.error.message);
    uint64_t hash = judge_mix(aimg_hash(run->disk.cache, run->disk.cache_bytes).low, TAG_NEXT);
    bool again = good && add_hash(judge, hash) == SEEN;
    if (good && !again) {
        work_add(&work, "next/201.jpg", 201, 0);
        work_commit(&work, NULL);
        snprintf(judge->reason, sizeof judge->reason, "the next commit: %.200s", work.error.message);
        good = !work.dead;
    }
    work_close(&work);
    if (!good || again)
        return good;
    bump(&judge->counts->appended);
    return promise_check(&run->promise, run->disk.cache, run->disk.cache_bytes, &after, judge->reason) == VERDICT_GOOD &&
           verifies(judge, run->disk.cache, run->disk.cache_bytes, false);
}

static bool judge_at(struct judge *judge, unsigned depth, const struct promise *promise, const uint8_t *bytes,
                     uint64_t bytes_count, uint64_t seed);

struct crash_choice judge_random_choice(const struct crash_view *view, uint64_t *random)
{
    struct crash_choice choice = {.kind = (enum crash_kind)random_below(random, CRASH_KINDS)};
    uint64_t choices = crash_view_choices(view, choice.kind);
    if (choices == 0)
        choice.kind = CRASH_RANDOM;
    else
        choice.index = random_below(random, choices);
    choice.seed = random_next(random);
    return choice;
}

/* The power goes again while the next program opens the archive and adds to it. */
static bool survives_again(struct judge *judge, unsigned depth, const struct model *model, const uint8_t *bytes,
                           uint64_t bytes_count, uint64_t seed)
{
    struct judge_level *level = &judge->levels[depth];
    uint64_t random = seed;
    struct crash_run *run = restart(level, bytes, bytes_count, 40 + depth);
    run->same_salt = random_next(&random) % 2 == 0;
    crash_tape_begin(&level->tape, run);
    bool good = crash_append(run, model, 300 + depth, judge->reason);
    crash_tape_end(&level->tape);
    for (unsigned i = 0; good && i < AGAIN_CUTS; i++) {
        crash_view_open(&level->view, &level->tape, (unsigned)random_below(&random, level->tape.stop_count));
        struct crash_choice choice = judge_random_choice(&level->view, &random);
        uint64_t left = crash_view_build(&level->view, &choice);
        good = judge_at(judge, depth + 1, &level->view.stop->promise, level->view.canvas, left, choice.seed);
    }
    return good;
}

static bool judge_at(struct judge *judge, unsigned depth, const struct promise *promise, const uint8_t *bytes,
                     uint64_t bytes_count, uint64_t seed)
{
    const struct model *model = NULL;
    uint64_t file = judge_mix(aimg_hash(bytes, bytes_count).low, TAG_FILE) + bytes_count;
    uint64_t promised = aimg_hash_low(promise->candidates, promise->count * sizeof promise->candidates[0], promise->nothing);
    bump(&judge->counts->states);
    if (add_hash(judge, file) == UNSEEN)
        bump(&judge->counts->files);
    if (add_hash(judge, judge_mix(judge_mix(file, promised), TAG_PROMISE)) == SEEN)
        return true;
    bump(&judge->counts->checked);
    if (depth > 0)
        bump(&judge->counts->again);
    enum verdict verdict = read_file(judge, promise, bytes, bytes_count, &model);
    if (verdict == VERDICT_GONE)
        bump(&judge->counts->gone);
    if (verdict != VERDICT_GOOD || promise->nothing || judge->trust_end)
        return verdict != VERDICT_BAD;
    if (seed % VERIFY_TORN_EVERY == 0 && !verifies(judge, bytes, bytes_count, true))
        return false;
    if (!goes_on(judge, &judge->levels[depth], model, bytes, bytes_count))
        return false;
    uint64_t dice = judge_mix(seed, depth + 1);
    return depth == JUDGE_DEEPEST || (dice % AGAIN_EVERY) >> depth != 0 ||
           survives_again(judge, depth, model, bytes, bytes_count, dice);
}

bool judge_file(struct judge *judge, const struct promise *promise, const uint8_t *bytes, uint64_t bytes_count, uint64_t seed)
{
    return judge_at(judge, 0, promise, bytes, bytes_count, seed);
}

bool judge_choice(struct judge *judge, struct crash_view *view, const struct crash_choice *choice)
{
    const struct crash_stop *stop = view->stop;
    uint64_t bytes = crash_view_build(view, choice);
    bool good = judge_file(judge, &stop->promise, view->canvas, bytes, choice->seed);
    if (good && stop->named != NAMED_THIS) { /* the name may lead to the file that had it before */
        const struct crash_run *other = stop->other;
        good = stop->other_good && judge_file(judge, &other->promise, other->disk.cache, other->disk.cache_bytes, 1);
        if (!stop->other_good)
            snprintf(judge->reason, sizeof judge->reason, "the name leads to the old file, and the new one was promised");
    }
    if (!good)
        bump(&judge->counts->bad);
    return good;
}

void judge_create(struct judge *judge, struct judge_counts *counts, const struct judge_table *seen)
{
    *judge = (struct judge){.counts = counts, .seen = seen};
    for (unsigned i = 0; i <= JUDGE_DEEPEST; i++)
        fake_disk_create(&judge->levels[i].run.disk, NULL, 0);
}

void judge_destroy(struct judge *judge)
{
    for (unsigned i = 0; i <= JUDGE_DEEPEST; i++) {
        fake_disk_destroy(&judge->levels[i].run.disk);
        crash_tape_release(&judge->levels[i].tape);
        crash_view_release(&judge->levels[i].view);
    }
}
