/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power cuts. Each scenario is stopped after each of its writes, cuts and syncs; what was not synced by then is lost, kept, torn
 * or spoiled sector by sector, and the file's size with it; and what is found must be a state that was promised. Then the next
 * program appends to it, sometimes through further power cuts.
 *
 * Without arguments: all scenarios, then the negative controls: with any sync left out, a bad state must be found. A bad state
 * prints one line:
 *
 *   test_crash replay SCENARIO SAME_SALT STOP LYING FAILING CUT AFTER KIND SEED
 *
 * test_crash SAMPLES sets how many states are tried for each stop.
 */
#include "crash_scenario.h"
#include "random.h"
#include "sample.h"
#include "sanitized.h"
#include "test.h"

/* A control ends at the first bad state, but that can be a rare one. */
enum { DEFAULT_SAMPLES = TEST_SLOW ? 40 : 400, CONTROL_SAMPLES = 400 };
enum { DEEPEST = 3, SEEN_SIZE = 1 << 18, VERIFY_EVERY = 2 };

/* One power cut. */
struct cut_plan {
    const struct crash_scenario *scenario;
    struct crash_setup setup;
    enum fake_cut kind;
    uint64_t seed;
};

static uint64_t seen[SEEN_SIZE]; /* hashes of states, so that each is tried once */
static uint64_t state_count, distinct_count, verified_count, gone_count;
static bool quiet; /* bad states are wanted */

static uint64_t hash_state(const uint8_t *bytes, uint64_t count, const struct promise *promise)
{
    return aimg_hash_low(bytes, (size_t)count,
                         aimg_hash_low(promise->candidates, promise->count * sizeof promise->candidates[0], count));
}

static bool seen_before(uint64_t hash)
{
    uint64_t i = hash % SEEN_SIZE;
    for (unsigned tries = 0; tries < 64 && seen[i] != 0; tries++, i = (i + 1) % SEEN_SIZE)
        if (seen[i] == hash)
            return true;
    seen[i] = hash;
    return false;
}

static void print_replay(const struct cut_plan *plan)
{
    const struct crash_setup *setup = &plan->setup;
    fprintf(stderr, "test_crash replay %s %d %" PRIu64 " %" PRIu64 " %" PRIu64 " %d %d %d %" PRIu64 "\n", plan->scenario->name,
            setup->same_salt, setup->stop_after, setup->lying_sync, setup->failing_sync, setup->failing_cut,
            (int)setup->after_failure, (int)plan->kind, plan->seed);
}

static bool verify_clean(const uint8_t *bytes, uint64_t count, char reason[256])
{
    const char *path = sample_path("verify.aimg");
    REQUIRE(sample_store(path, bytes, (size_t)count));
    verified_count++;
    snprintf(reason, 256, "verify finds faults after the next commit");
    return sample_verifies(path, 1, 0);
}

static bool check_bytes(const struct promise *promise, const uint8_t *bytes, uint64_t count, uint64_t seed, unsigned depth,
                        char reason[256]);

/* The next program, stopped after a step of chance; then what it leaves. */
static bool check_again(const struct model *base, const uint8_t *bytes, uint64_t count, uint64_t seed, unsigned depth,
                        char reason[256])
{
    static uint8_t found[DEEPEST + 1][FAKE_DISK_BYTES];
    struct crash_run run = {.sessions = 40 + depth};
    uint64_t random = seed;
    fake_disk_create(&run.disk, bytes, count);
    run.disk.stop_after = random_below(&random, 8);
    (void)crash_append(&run, base, 300 + depth, reason);
    enum fake_cut kind = (enum fake_cut)random_below(&random, FAKE_CUT_KINDS);
    uint64_t left = fake_disk_cut(&run.disk, kind, random_next(&random), found[depth]);
    bool good = check_bytes(&run.promise, found[depth], left, random_next(&random), depth + 1, reason);
    fake_disk_destroy(&run.disk);
    return good;
}

/* A state is good when it is what was promised, and one can go on from there. */
static bool check_bytes(const struct promise *promise, const uint8_t *bytes, uint64_t count, uint64_t seed, unsigned depth,
                        char reason[256])
{
    const struct model *model, *after;
    enum verdict verdict = promise_check(promise, bytes, count, &model, reason);
    gone_count += verdict == VERDICT_GONE;
    if (verdict != VERDICT_GOOD)
        return verdict == VERDICT_GONE;
    struct crash_run run = {.sessions = 50};
    fake_disk_create(&run.disk, bytes, count);
    bool good = crash_append(&run, model, 201, reason);
    if (good && promise_check(&run.promise, run.disk.medium, run.disk.medium_bytes, &after, reason) != VERDICT_GOOD)
        good = false;
    if (good && seed % VERIFY_EVERY == 0)
        good = verify_clean(run.disk.cache, run.disk.cache_bytes, reason);
    fake_disk_destroy(&run.disk);
    return good && (depth == DEEPEST || seed % 3 != 0 || check_again(model, bytes, count, seed, depth, reason));
}

/* One state of a run that was stopped. */
static bool check_cut(const struct crash_run *run, const struct cut_plan *plan)
{
    static uint8_t found[FAKE_DISK_BYTES];
    char reason[256] = "";
    uint64_t count = fake_disk_cut(&run->disk, plan->kind, plan->seed, found);
    state_count++;
    if (!quiet && seen_before(hash_state(found, count, &run->promise)))
        return true;
    distinct_count++;
    if (check_bytes(&run->promise, found, count, plan->seed, 0, reason))
        return true;
    if (!quiet) {
        fprintf(stderr, "after a power cut: %s\n", reason);
        print_replay(plan);
    }
    return false;
}

/* All states of one stop. Returns the bad ones; *ended_out when the scenario came to its end. */
static unsigned check_stop(struct cut_plan *plan, unsigned samples, bool *ended_out, uint64_t *syncs_out)
{
    struct crash_run run;
    unsigned bad = 0;
    crash_perform(plan->scenario, &plan->setup, &run);
    *ended_out = run.disk.steps < plan->setup.stop_after;
    *syncs_out = run.disk.syncs;
    for (unsigned i = 0; i < samples; i++) {
        plan->kind = (enum fake_cut)(i < FAKE_CUT_KINDS ? i : FAKE_CUT_PREFIX + i % (FAKE_CUT_KINDS - FAKE_CUT_PREFIX));
        plan->seed = (plan->setup.stop_after << 32) + i;
        bad += !check_cut(&run, plan);
        if (run.disk.change_count == 0)
            break; /* one state only */
    }
    fake_disk_destroy(&run.disk);
    return bad;
}

/* All stops of a scenario. Returns the bad states. */
static unsigned check_scenario(const struct crash_scenario *scenario, struct crash_setup setup, unsigned samples,
                               uint64_t *syncs_out)
{
    struct cut_plan plan = {.scenario = scenario, .setup = setup};
    unsigned bad = 0;
    bool ended = false;
    for (plan.setup.stop_after = 0; !ended; plan.setup.stop_after++) {
        unsigned here = check_stop(&plan, samples, &ended, syncs_out);
        bad += here;
        if (quiet && bad > 0)
            break;
    }
    return bad;
}

/* Every sync of a scenario fails once, and the disk does with the lost bytes what it likes. */
static void check_failing(const struct crash_scenario *scenario, bool same_salt, unsigned samples)
{
    uint64_t syncs, ignored;
    struct crash_setup setup = {.same_salt = same_salt};
    EXPECT_EQ_UINT(check_scenario(scenario, setup, samples, &syncs), 0);
    for (setup.failing_sync = 1; setup.failing_sync <= syncs; setup.failing_sync++) {
        for (int loss = FAKE_LOSE_ALL; loss <= FAKE_LOSE_SOME; loss++) {
            setup.after_failure = (enum fake_loss)loss;
            setup.failing_cut = false;
            EXPECT_EQ_UINT(check_scenario(scenario, setup, samples, &ignored), 0);
            setup.failing_cut = true;
            EXPECT_EQ_UINT(check_scenario(scenario, setup, samples, &ignored), 0);
        }
    }
}

static void check_all(unsigned samples)
{
    uint64_t syncs;
    for (unsigned i = 0; i < crash_scenario_count; i++) {
        test_state.subject = crash_scenarios[i].name;
        for (int same = 0; same < 2; same++) {
            struct crash_setup setup = {.same_salt = same == 1};
            EXPECT_EQ_UINT(check_scenario(&crash_scenarios[i], setup, samples, &syncs), 0);
            if (crash_scenarios[i].fails)
                check_failing(&crash_scenarios[i], same == 1, samples / 8);
        }
    }
    test_state.subject = NULL;
}

/* After a failed sync whose bytes did reach the disk, the next writer must make its cut durable before it writes. */
static void check_open_control(void)
{
    uint64_t ignored;
    for (unsigned i = 0; i < crash_scenario_count; i++) {
        if (!crash_scenarios[i].fails)
            continue;
        struct crash_setup setup = {.failing_sync = 4, .after_failure = FAKE_LOSE_NONE, .lying_sync = 5};
        EXPECT(check_scenario(&crash_scenarios[i], setup, CONTROL_SAMPLES, &ignored) > 0);
    }
}

/* The test would see it if a barrier were missing. */
static void check_controls(void)
{
    quiet = true;
    check_open_control();
    for (unsigned i = 0; i < crash_scenario_count; i++) {
        uint64_t syncs = UINT64_MAX;
        if (crash_scenarios[i].fails || strcmp(crash_scenarios[i].name, "append") == 0 ||
            strcmp(crash_scenarios[i].name, "torn") == 0)
            continue; /* there a sync at open follows one at commit: it does nothing as long as none fails */
        for (uint64_t k = 1; k <= syncs; k++) {
            struct crash_setup setup = {.lying_sync = k};
            unsigned bad = check_scenario(&crash_scenarios[i], setup, CONTROL_SAMPLES, &syncs);
            if (k > syncs)
                break;
            test_state.subject = crash_scenarios[i].name;
            if (!EXPECT(bad > 0))
                fprintf(stderr, "sync %" PRIu64 " can be left out\n", k);
        }
    }
    quiet = false;
    test_state.subject = NULL;
}

static int replay(char **arguments)
{
    struct cut_plan plan = {.scenario = NULL};
    struct crash_run run;
    for (unsigned i = 0; i < crash_scenario_count; i++)
        if (strcmp(crash_scenarios[i].name, arguments[0]) == 0)
            plan.scenario = &crash_scenarios[i];
    REQUIRE(plan.scenario != NULL);
    plan.setup = (struct crash_setup){.same_salt = atoi(arguments[1]) != 0,
                                      .stop_after = strtoull(arguments[2], NULL, 10),
                                      .lying_sync = strtoull(arguments[3], NULL, 10),
                                      .failing_sync = strtoull(arguments[4], NULL, 10),
                                      .failing_cut = atoi(arguments[5]) != 0,
                                      .after_failure = (enum fake_loss)atoi(arguments[6])};
    plan.kind = (enum fake_cut)atoi(arguments[7]);
    plan.seed = strtoull(arguments[8], NULL, 10);
    crash_perform(plan.scenario, &plan.setup, &run);
    EXPECT(check_cut(&run, &plan));
    fake_disk_destroy(&run.disk);
    return test_end("test_crash replay");
}

int main(int argc, char **argv)
{
    if (argc == 11 && strcmp(argv[1], "replay") == 0)
        return replay(argv + 2);
    unsigned samples = argc == 2 ? (unsigned)atoi(argv[1]) : DEFAULT_SAMPLES;
    check_all(samples);
    printf("%" PRIu64 " power cuts, %" PRIu64 " different states, %" PRIu64
           " of them before anything was promised and gone, %" PRIu64 " verified\n",
           state_count, distinct_count, gone_count, verified_count);
    if (argc < 2)
        EXPECT(distinct_count >= (TEST_SLOW ? 2000 : 20000));
    check_controls();
    return test_end("test_crash");
}
