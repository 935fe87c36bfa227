/* SPDX-License-Identifier: Apache-2.0 */
#include "crash_controls.h"

#include "random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { STATES_MAX = 40000, SYNCS_MAX = 64 };

/* The sync that a recovery begins with, after the two of the first commit. */
enum { RECOVERY_BEGINS = 2 };

struct control {
    struct judge judge;
    struct judge_counts counts;
    struct crash_tape tape;
    struct crash_view view;
    struct controls_result *result;
};

/* Random states until one is bad. Returns how many; 0 when none was found. */
static uint64_t search(struct control *control, struct crash_plan *plan, unsigned first_epoch)
{
    uint64_t random = 1;
    struct crash_setup setup;
    crash_plan_setup(plan, &setup);
    crash_tape_perform(&control->tape, crash_plan_scenario(plan->scenario), &setup);
    unsigned first = 0, last = control->tape.stop_count - 1;
    while (first < last && control->tape.stops[first].epoch < first_epoch)
        first++;
    while (plan->lying_sync == first_epoch + 1 && last > first && control->tape.stops[last].epoch > first_epoch)
        last--; /* with the next sync what was left out is made good */
    control->judge.trust_end = plan->wrong == WRONG_END;
    for (uint64_t tried = 1; tried <= STATES_MAX; tried++) {
        plan->stop = random_next(&random) % 2 == 0 ? last : first + (unsigned)random_below(&random, last - first + 1);
        crash_view_open(&control->view, &control->tape, plan->stop);
        plan->choice = judge_random_choice(&control->view, &random);
        if (!judge_choice(&control->judge, &control->view, &plan->choice))
            return tried;
    }
    return 0;
}

/* What was told is bad when it is done again from there. */
static bool fails_again(struct control *control, const char *text)
{
    struct crash_plan plan;
    struct crash_setup setup;
    if (!crash_plan_read(&plan, text))
        return false;
    crash_plan_setup(&plan, &setup);
    crash_tape_perform(&control->tape, crash_plan_scenario(plan.scenario), &setup);
    crash_view_open(&control->view, &control->tape, plan.stop);
    return !judge_choice(&control->judge, &control->view, &plan.choice);
}

/* A batch so small that no sector is without the header of a frame does not need the sync before its page: the walk sees what is
 * missing. One at least of each scenario does. Returns whether this one was caught. */
static bool leave_out_data(struct control *control, struct crash_plan plan, unsigned epoch)
{
    char text[PLAN_TEXT_BYTES];
    uint64_t tried = search(control, &plan, epoch);
    crash_plan_tell(&plan, text);
    bool caught = tried > 0 && fails_again(control, text);
    control->result->states += tried > 0 ? tried : STATES_MAX;
    printf("  no sync before the page: %s by state %" PRIu64 ": %s\n", caught ? "caught" : "not needed, not caught",
           caught ? tried : STATES_MAX, text);
    return caught;
}

/* epoch: the first in which the mistake can show. */
static void expect_caught(struct control *control, struct crash_plan plan, unsigned epoch, const char *what)
{
    char text[PLAN_TEXT_BYTES];
    uint64_t tried = search(control, &plan, epoch);
    crash_plan_tell(&plan, text);
    bool caught = tried > 0 && fails_again(control, text);
    control->result->controls++;
    control->result->caught += caught;
    control->result->states += tried > 0 ? tried : STATES_MAX;
    control->result->slowest = tried > control->result->slowest ? tried : control->result->slowest;
    if (caught)
        printf("  %s: caught by state %" PRIu64 ": %s\n", what, tried, text);
    else
        printf("  %s: NOT CAUGHT in %d states, or not again: %s\n", what, STATES_MAX, text);
}

/* A recovery reads again what its first sync was for, and sees what is not there: then it goes on with what is. The order in
 * which it makes the rest durable cannot be judged here, where only what was committed is: tests/repair/test_recover_tail.c does
 * that. */
static void expect_seen(struct control *control, struct crash_plan plan, unsigned epoch)
{
    char text[PLAN_TEXT_BYTES];
    uint64_t tried = search(control, &plan, epoch);
    crash_plan_tell(&plan, text);
    control->result->controls++;
    control->result->caught += tried == 0;
    control->result->states += tried > 0 ? tried : STATES_MAX;
    printf("  a failed sync tried again, when a recovery begins: %s: %s\n", tried == 0 ? "seen by it" : "NOT SEEN", text);
}

/* Each sync of a scenario left out. Those at opening have nothing to do unless one before has failed, though its bytes did reach
 * the disk: then the cut that the next writer begins with must be durable before it writes. */
static void leave_out_syncs(struct control *control, unsigned scenario)
{
    enum barrier barriers[SYNCS_MAX];
    unsigned count = 0, data = 0, data_caught = 0;
    struct crash_plan plan = {.scenario = scenario};
    struct crash_setup setup;
    const struct crash_scenario *what = crash_plan_scenario(scenario);
    bool recovers = what->run == crash_recover || what->run == crash_recover_all;
    crash_plan_setup(&plan, &setup);
    crash_tape_perform(&control->tape, what, &setup);
    if (control->tape.syncs > SYNCS_MAX)
        abort();
    for (; count < control->tape.syncs; count++)
        barriers[count] = crash_plan_barrier(&control->tape.epochs[count]);
    for (unsigned k = 0; k < count; k++) {
        if (barriers[k] == BARRIER_OTHER)
            continue;
        plan = (struct crash_plan){.scenario = scenario, .lying_sync = k + 1};
        if (barriers[k] == BARRIER_PAGE)
            expect_caught(control, plan, k, "no sync after the page");
        else
            data += 1, data_caught += leave_out_data(control, plan, k);
        plan = (struct crash_plan){.scenario = scenario, .failing_sync = k + 1, .wrong = WRONG_RETRY};
        if (recovers && k == RECOVERY_BEGINS)
            expect_seen(control, plan, k);
        else
            expect_caught(control, plan, k, "a failed sync tried again");
        plan = (struct crash_plan){
            .scenario = scenario, .failing_sync = k + 1, .loss = FAKE_LOSE_NONE, .lying_sync = k + 2, .sessions_after = 1};
        if (barriers[k] == BARRIER_PAGE && !crash_plan_scenario(scenario)->renames)
            expect_caught(control, plan, k, "no sync at opening");
    }
    control->result->controls += data_caught > 0 ? data_caught : data;
    control->result->not_needed += data_caught > 0 ? data - data_caught : 0;
    control->result->caught += data_caught;
}

void crash_controls(unsigned step, struct controls_result *result)
{
    static struct control control;
    control.result = result;
    *result = (struct controls_result){.controls = 0};
    judge_create(&control.judge, &control.counts, NULL);
    for (unsigned i = 0; i < crash_plan_scenarios(); i += step) {
        const struct crash_scenario *scenario = crash_plan_scenario(i);
        leave_out_syncs(&control, i);
        expect_caught(&control, (struct crash_plan){.scenario = i, .wrong = WRONG_HINT}, 0, "the hint before the commit");
        if (scenario->renames)
            expect_caught(&control, (struct crash_plan){.scenario = i, .wrong = WRONG_RENAME}, 0, "the folder not synced");
        if (scenario->run == crash_forged)
            expect_caught(&control, (struct crash_plan){.scenario = i, .wrong = WRONG_END}, 0, "the end of the file trusted");
    }
    judge_destroy(&control.judge);
    crash_tape_release(&control.tape);
    crash_view_release(&control.view);
}
