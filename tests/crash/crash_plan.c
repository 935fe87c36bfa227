/* SPDX-License-Identifier: Apache-2.0 */
#include "crash_plan.h"

#include "crash_wrong.h"
#include "frame.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

unsigned crash_plan_scenarios(void)
{
    return crash_scenario_count + crash_long_count;
}

const struct crash_scenario *crash_plan_scenario(unsigned index)
{
    return index < crash_scenario_count ? &crash_scenarios[index] : &crash_long_scenarios[index - crash_scenario_count];
}

void crash_plan_setup(const struct crash_plan *plan, struct crash_setup *setup)
{
    *setup = (struct crash_setup){.same_salt = plan->same_salt,
                                  .stop_after = UINT64_MAX,
                                  .lying_sync = plan->lying_sync,
                                  .failing_sync = plan->failing_sync,
                                  .failing_cut = plan->failing_cut != 0,
                                  .after_failure = (enum fake_loss)plan->loss,
                                  .sessions_after = plan->sessions_after,
                                  .skip_rename_sync = plan->wrong == WRONG_RENAME};
    if (plan->wrong == WRONG_HINT)
        setup->meddle = crash_wrong_hint;
    if (plan->wrong == WRONG_RETRY)
        setup->meddle = crash_wrong_retry;
}

void crash_plan_tell(const struct crash_plan *plan, char out[PLAN_TEXT_BYTES])
{
    snprintf(out, PLAN_TEXT_BYTES, "%s:%d:%u:%u:%u:%u:%u:%u:%u:%d:%" PRIu64 ":%" PRIu64,
             crash_plan_scenario(plan->scenario)->name, plan->same_salt, plan->lying_sync, plan->failing_sync, plan->failing_cut,
             plan->loss, plan->sessions_after, plan->wrong, plan->stop, (int)plan->choice.kind, plan->choice.index,
             plan->choice.seed);
}

bool crash_plan_read(struct crash_plan *plan, const char *text)
{
    char name[32], more;
    unsigned salt, kind;
    *plan = (struct crash_plan){.stop = 0};
    if (sscanf(text, "%31[a-z-]:%u:%u:%u:%u:%u:%u:%u:%u:%u:%" SCNu64 ":%" SCNu64 "%c", name, &salt, &plan->lying_sync,
               &plan->failing_sync, &plan->failing_cut, &plan->loss, &plan->sessions_after, &plan->wrong, &plan->stop, &kind,
               &plan->choice.index, &plan->choice.seed, &more) != 12)
        return false;
    plan->same_salt = salt != 0;
    plan->choice.kind = (enum crash_kind)kind;
    while (plan->scenario < crash_plan_scenarios() && strcmp(crash_plan_scenario(plan->scenario)->name, name) != 0)
        plan->scenario++;
    return plan->scenario < crash_plan_scenarios() && kind < CRASH_KINDS && plan->wrong < WRONG_COUNT &&
           plan->loss <= FAKE_LOSE_DROP && plan->sessions_after <= 8;
}

bool crash_plan_goes_on(const struct crash_plan *plan, const struct crash_tape *tape)
{
    return !tape->refused || plan->failing_cut != 0;
}

enum barrier crash_plan_barrier(const struct crash_epoch *epoch)
{
    enum barrier barrier = BARRIER_OTHER;
    for (unsigned i = 0; i < epoch->count; i++) {
        const struct crash_change *change = &epoch->changes[i];
        struct aimg_frame frame;
        if (change->cut)
            barrier = BARRIER_OTHER; /* what was before is dropped */
        if (change->cut || change->end <= AIMG_HEAD_BYTES)
            continue;
        bool page = change->sectors * FAKE_SECTOR == AIMG_PAGE_BYTES && aimg_frame_decode(change->data, &frame) == 0 &&
                    frame.type == AIMG_FRAME_COMMIT;
        barrier = page ? BARRIER_PAGE : BARRIER_DATA;
    }
    return barrier;
}
