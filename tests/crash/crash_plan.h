/* SPDX-License-Identifier: Apache-2.0 */
/* Which states are tried, and the words that tell one of them again. */
#ifndef AIMG_TEST_CRASH_PLAN_H
#define AIMG_TEST_CRASH_PLAN_H

#include "crash_judge.h"

/* What is made wrong on purpose. */
enum wrong {
    WRONG_NOTHING,
    WRONG_HINT,   /* the hint is written before the commit is durable */
    WRONG_RETRY,  /* a sync that failed is tried again, and then all is taken to be well */
    WRONG_RENAME, /* the folder is not synced after the rename */
    WRONG_END,    /* the reader takes the commit page at the end of the file */
    WRONG_COUNT
};

/* One power cut. */
struct crash_plan {
    unsigned scenario;
    bool same_salt;
    unsigned lying_sync, failing_sync, failing_cut, loss, sessions_after, wrong;
    unsigned stop;
    struct crash_choice choice;
};

unsigned crash_plan_scenarios(void);
const struct crash_scenario *crash_plan_scenario(unsigned index);
void crash_plan_setup(const struct crash_plan *plan, struct crash_setup *setup);

/* A word for a plan, and back; false when it is none. */
#define PLAN_TEXT_BYTES 160
void crash_plan_tell(const struct crash_plan *plan, char out[PLAN_TEXT_BYTES]);
bool crash_plan_read(struct crash_plan *plan, const char *text);

/* After a sync that failed the next program can go on, as long as the file could be cut back. */
bool crash_plan_goes_on(const struct crash_plan *plan, const struct crash_tape *tape);

/* What a sync makes durable. */
enum barrier { BARRIER_OTHER, BARRIER_DATA, BARRIER_PAGE };
enum barrier crash_plan_barrier(const struct crash_epoch *epoch);

#endif
