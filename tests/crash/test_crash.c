/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power cuts. Each scenario is recorded, and cut after each of its writes, cuts and syncs, at every sync that fails too; what was
 * not synced by then is lost, kept, torn or spoiled sector by sector, and the file's size with it; and what is found must be a
 * state that was promised. Then the next program appends to it, sometimes through further power cuts. In the end, the negative
 * controls: with anything done wrong, a bad state must be found.
 *
 *     test_crash [FILES [SEED [PROCESSES [FIGURES]]]]    until so many different files were checked; figures into a JSON file
 *     test_crash replay WORD                             one state, as a failure has told it
 */
#include "crash_controls.h"
#include "crash_sweep.h"
#include "sanitized.h"
#include "test.h"

#include <malloc.h>
#include <sys/resource.h>
#include <time.h>

/* Twenty-one scenarios: the step leads to the first, those in the middle, and the last. */
enum {
    DEFAULT_FILES = TEST_SLOW ? 5000 : 1000000,
    THIN = TEST_SLOW ? 100 : 1,
    EVERY = TEST_SLOW ? 31 : 1,
    CONTROL_STEP = TEST_SLOW ? 10 : 1
};

static double now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Processor time of the processes that have ended. */
static double used(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_CHILDREN, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* A plan is read back as it was told. */
static void test_words(void)
{
    struct crash_plan plan = {.scenario = 3,
                              .same_salt = true,
                              .lying_sync = 1,
                              .failing_sync = 2,
                              .failing_cut = 1,
                              .loss = 3,
                              .sessions_after = 2,
                              .wrong = WRONG_RETRY,
                              .stop = 17,
                              .choice = {.kind = CRASH_SPECIAL, .index = 5, .seed = UINT64_MAX}},
                      back;
    char text[PLAN_TEXT_BYTES], again[PLAN_TEXT_BYTES];
    crash_plan_tell(&plan, text);
    REQUIRE(crash_plan_read(&back, text));
    crash_plan_tell(&back, again);
    EXPECT_EQ_TEXT(text, again);
    EXPECT(back.scenario == plan.scenario && back.choice.seed == plan.choice.seed && back.wrong == plan.wrong);
    EXPECT(!crash_plan_read(&back, ""));
    EXPECT(!crash_plan_read(&back, "nothing:0:0:0:0:0:0:0:0:0:0:0"));
    EXPECT(!crash_plan_read(&back, "one:0:0:0:0:0:0:0:0:0:0"));
    EXPECT(!crash_plan_read(&back, "one:0:0:0:0:0:0:0:0:9:0:0"));
    EXPECT(!crash_plan_read(&back, "one:0:0:0:0:0:0:0:0:0:0:0:"));
}

static int replay(const char *text)
{
    static struct judge judge;
    struct judge_counts counts = {.states = 0};
    struct crash_tape tape = {.run = NULL};
    struct crash_view view = {.stop = NULL};
    struct crash_setup setup;
    struct crash_plan plan;
    if (!crash_plan_read(&plan, text)) {
        fprintf(stderr, "test_crash: this is no state as a failing run prints it: %s\n", text);
        return 2;
    }
    crash_plan_setup(&plan, &setup);
    crash_tape_perform(&tape, crash_plan_scenario(plan.scenario), &setup);
    REQUIRE(plan.stop < tape.stop_count);
    EXPECT(crash_plan_goes_on(&plan, &tape));
    judge_create(&judge, &counts, NULL);
    judge.trust_end = plan.wrong == WRONG_END;
    crash_view_open(&view, &tape, plan.stop);
    printf("%s, step %u of %u: %u sectors and %u cuts are not synced\n", crash_plan_scenario(plan.scenario)->name, plan.stop,
           tape.stop_count - 1, view.sector_count, view.cut_count);
    uint64_t choices = crash_view_choices(&view, plan.choice.kind);
    REQUIRE(plan.choice.kind == CRASH_RANDOM || plan.choice.index < choices);
    if (!EXPECT(judge_choice(&judge, &view, &plan.choice)))
        fprintf(stderr, "after a power cut: %s\n", judge.reason);
    judge_destroy(&judge);
    crash_view_release(&view);
    crash_tape_release(&tape);
    return test_end("test_crash replay");
}

static void write_figures(const char *path, const struct sweep_options *options, const struct sweep_result *swept,
                          const struct controls_result *controls, double seconds)
{
    const struct judge_counts *counts = &swept->counts;
    FILE *file = fopen(path, "w");
    REQUIRE(file != NULL);
    fprintf(file,
            "{\"states\": %" PRIu64 ", \"distinct_files\": %" PRIu64 ", \"checked\": %" PRIu64
            ", \"after_a_second_cut\": %" PRIu64 ", \"appended_and_verified\": %" PRIu64 ", \"bad\": %" PRIu64
            ", \"scenarios\": %u, \"stops\": %" PRIu64 ", \"controls\": %" PRIu64 ", \"controls_caught\": %" PRIu64
            ", \"controls_not_needed\": %" PRIu64 ", \"control_states\": %" PRIu64 ", \"control_states_most\": %" PRIu64
            ", \"seed\": %" PRIu64 ", \"processes\": %u, \"seconds\": %.1f}\n",
            counts->states, counts->files, counts->checked, counts->again, counts->appended, counts->bad, crash_plan_scenarios(),
            swept->stops, controls->controls, controls->caught, controls->not_needed, controls->states, controls->slowest,
            options->seed, options->workers, seconds);
    REQUIRE(fclose(file) == 0);
}

static uint64_t number(int argc, char **argv, int index, uint64_t otherwise)
{
    return argc > index ? strtoull(argv[index], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    struct controls_result controls;
    struct sweep_result swept;
    if (argc == 3 && strcmp(argv[1], "replay") == 0)
        return replay(argv[2]);
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 26); /* what is allocated and freed for each state stays with the process */
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 27);
    double begin = now();
    struct sweep_options options = {.files = number(argc, argv, 1, DEFAULT_FILES),
                                    .seed = number(argc, argv, 2, 1),
                                    .workers = (unsigned)number(argc, argv, 3, 2),
                                    .thin = THIN,
                                    .every = EVERY};
    test_words();
    crash_sweep(&options, &swept);
    EXPECT(swept.good && swept.counts.bad == 0);
    EXPECT(swept.counts.files >= options.files);
    double seconds = now() - begin;
    printf("%" PRIu64 " power cuts at %" PRIu64 " steps of %u scenarios left %" PRIu64 " different files; %" PRIu64
           " were checked, some against several promises, %" PRIu64 " of them left by a further power cut; %" PRIu64
           " went on from and verified; %" PRIu64 " before anything was promised and gone; %.1f s, and %.1f of processors\n",
           swept.counts.states, swept.stops, crash_plan_scenarios(), swept.counts.files, swept.counts.checked, swept.counts.again,
           swept.counts.appended, swept.counts.gone, seconds, used());
    (void)fflush(stdout);
    crash_controls(CONTROL_STEP, &controls);
    printf("%" PRIu64 " of %" PRIu64 " mistakes made on purpose were caught, by %" PRIu64 " states; %" PRIu64
           " syncs left out were not needed\n",
           controls.caught, controls.controls, controls.states, controls.not_needed);
    EXPECT(controls.controls > 0);
    EXPECT_EQ_UINT(controls.caught, controls.controls);
    if (argc > 4)
        write_figures(argv[4], &options, &swept, &controls, now() - begin);
    return test_end("test_crash");
}
