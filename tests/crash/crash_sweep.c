/* SPDX-License-Identifier: Apache-2.0 */
#include "crash_sweep.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Random states of a stop, and of one where a sync has failed; sectors below which states repeat themselves; seconds for one
 * stop, and how many failures are told. */
enum { RANDOM_STATES = 400, FAILED_STATES = 8, FEW = 8, SECONDS = 120, TOLD = 4, MOST_WORKERS = 256 };

struct item {
    struct crash_plan plan;
};

/* What processes share. */
struct shared {
    struct judge_counts counts;
    uint64_t next; /* item */
    struct crash_plan at[MOST_WORKERS];
};

struct sweep {
    const struct sweep_options *options;
    struct item *items;
    uint64_t item_count, item_room, plain_count;
    uint64_t stops;
    struct judge_table seen;
    struct shared *shared;
};

/* ------------------------------------------------------------------ what there is to do */

static void add_item(struct sweep *sweep, const struct crash_plan *plan)
{
    if (sweep->item_count == sweep->item_room) {
        sweep->item_room = sweep->item_room * 2 + 64;
        sweep->items = realloc(sweep->items, sweep->item_room * sizeof *sweep->items);
        if (sweep->items == NULL)
            abort();
    }
    sweep->items[sweep->item_count++].plan = *plan;
}

static void add_failing(struct sweep *sweep, struct crash_plan plan, uint64_t syncs)
{
    plan.sessions_after = 2;
    for (plan.failing_sync = 1; plan.failing_sync <= syncs; plan.failing_sync++) {
        for (plan.loss = FAKE_LOSE_ALL; plan.loss <= FAKE_LOSE_DROP; plan.loss++) {
            for (plan.failing_cut = 0; plan.failing_cut < 2; plan.failing_cut++)
                add_item(sweep, &plan);
        }
    }
}

static void list_items(struct sweep *sweep)
{
    struct crash_tape tape = {.run = NULL};
    struct crash_setup setup;
    uint64_t *syncs = calloc((size_t)crash_plan_scenarios() * 2, sizeof *syncs);
    if (syncs == NULL)
        abort();
    for (unsigned i = 0; i < crash_plan_scenarios() * 2; i++) {
        struct crash_plan plan = {.scenario = i / 2, .same_salt = i % 2 == 1};
        add_item(sweep, &plan);
        crash_plan_setup(&plan, &setup);
        crash_tape_perform(&tape, crash_plan_scenario(plan.scenario), &setup);
        syncs[i] = tape.syncs;
        sweep->stops += tape.stop_count;
    }
    sweep->plain_count = sweep->item_count;
    for (unsigned i = 0; i < sweep->plain_count; i++)
        add_failing(sweep, sweep->items[i].plan, syncs[i]);
    free(syncs);
    crash_tape_release(&tape);
}

/* ------------------------------------------------------------------ doing it */

struct worker {
    struct sweep *sweep;
    struct judge judge;
    struct crash_tape tape;
    struct crash_view view;
    struct crash_plan *plan; /* what is done now, for the parent to see */
    unsigned bad;
};

static void tell_bad(struct worker *worker, const char *reason)
{
    char text[PLAN_TEXT_BYTES];
    crash_plan_tell(worker->plan, text);
    fprintf(stderr, "after a power cut: %s\n    ./dev crash replay %s\n", reason, text);
    if (++worker->bad == TOLD)
        exit(1);
}

static void try_one(struct worker *worker, enum crash_kind kind, uint64_t index, uint64_t seed)
{
    worker->plan->choice = (struct crash_choice){.kind = kind, .index = index, .seed = seed};
    if (seed % worker->sweep->options->thin == 0 && !judge_choice(&worker->judge, &worker->view, &worker->plan->choice))
        tell_bad(worker, worker->judge.reason);
}

static void try_stop(struct worker *worker, uint64_t round, unsigned randoms)
{
    const struct crash_plan *plan = worker->plan;
    uint64_t seed = judge_mix(worker->sweep->options->seed, round << 32 | plan->stop);
    (void)alarm(SECONDS);
    crash_view_open(&worker->view, &worker->tape, plan->stop);
    if (worker->view.sector_count < FEW) /* they repeat themselves */
        randoms = worker->view.sector_count == 0 ? 2 : randoms / FEW + 2;
    if (worker->view.stop->promise.nothing) /* all that is asked of these is that they are opened or refused */
        randoms = randoms / FEW + 1;
    bool all = round == 0 && plan->failing_sync == 0 && !worker->view.stop->promise.nothing;
    for (enum crash_kind kind = CRASH_SUBSET; all && kind < CRASH_RANDOM; kind++) {
        uint64_t choices = crash_view_choices(&worker->view, kind);
        for (uint64_t i = 0; i < choices; i++)
            try_one(worker, kind, i, judge_mix(seed, i << 2 | kind));
    }
    for (unsigned i = 0; i < randoms; i++)
        try_one(worker, CRASH_RANDOM, 0, judge_mix(seed, (uint64_t)i << 2 | CRASH_RANDOM));
}

/* Where a sync has failed, the stops before it are those of the run without. */
static void try_item(struct worker *worker, const struct item *item, uint64_t round)
{
    struct crash_setup setup;
    *worker->plan = item->plan;
    crash_plan_setup(&item->plan, &setup);
    crash_tape_perform(&worker->tape, crash_plan_scenario(item->plan.scenario), &setup);
    if (!crash_plan_goes_on(&item->plan, &worker->tape))
        tell_bad(worker, "a program after the failed sync cannot go on, before any power cut");
    for (unsigned stop = 0; stop < worker->tape.stop_count; stop++) {
        worker->plan->stop = stop;
        if (item->plan.failing_sync == 0)
            try_stop(worker, round, RANDOM_STATES);
        else if (worker->tape.stops[stop].epoch >= item->plan.failing_sync)
            try_stop(worker, round, FAILED_STATES);
    }
}

static void work(struct sweep *sweep, unsigned number)
{
    static struct worker worker;
    struct shared *shared = sweep->shared;
    worker.sweep = sweep;
    worker.plan = &shared->at[number];
    judge_create(&worker.judge, &shared->counts, &sweep->seen);
    for (;;) {
        uint64_t next = __atomic_fetch_add(&shared->next, 1, __ATOMIC_RELAXED);
        uint64_t round = next / sweep->item_count, index = next % sweep->item_count;
        if (round > 0 && __atomic_load_n(&shared->counts.files, __ATOMIC_RELAXED) >= sweep->options->files)
            break;
        if (index < sweep->plain_count || (index + round) % sweep->options->every == 0)
            try_item(&worker, &sweep->items[index], round);
    }
    judge_destroy(&worker.judge);
    crash_tape_release(&worker.tape);
    crash_view_release(&worker.view);
    exit(worker.bad > 0);
}

static bool wait_for(const struct sweep *sweep, const pid_t *children, unsigned count)
{
    bool good = true;
    for (unsigned i = 0; i < count; i++) {
        char text[PLAN_TEXT_BYTES];
        int ended = 0;
        if (waitpid(children[i], &ended, 0) != children[i])
            abort();
        good = good && WIFEXITED(ended) && WEXITSTATUS(ended) == 0;
        if (WIFEXITED(ended))
            continue;
        crash_plan_tell(&sweep->shared->at[i], text);
        fprintf(stderr, "a process was ended by signal %d%s\n    ./dev crash replay %s\n", WTERMSIG(ended),
                WTERMSIG(ended) == SIGALRM ? ": a stop took too long" : "", text);
    }
    return good;
}

void crash_sweep(const struct sweep_options *options, struct sweep_result *result)
{
    pid_t children[MOST_WORKERS];
    unsigned workers = options->workers < 1 ? 1 : options->workers > MOST_WORKERS ? MOST_WORKERS : options->workers;
    struct sweep sweep = {.options = options};
    list_items(&sweep);
    /* A file, a file with a promise, and a file to go on from are a hash each; a round goes past what was asked for. */
    judge_table_create(&sweep.seen, (options->files + 1000000) * 3);
    sweep.shared = mmap(NULL, sizeof *sweep.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (sweep.shared == MAP_FAILED)
        abort();
    (void)fflush(NULL);
    for (unsigned i = 0; i < workers; i++) {
        children[i] = fork();
        if (children[i] < 0)
            abort();
        if (children[i] == 0)
            work(&sweep, i);
    }
    result->good = wait_for(&sweep, children, workers);
    result->counts = sweep.shared->counts;
    result->stops = sweep.stops;
    result->rounds = sweep.shared->next / sweep.item_count;
    free(sweep.items);
}
