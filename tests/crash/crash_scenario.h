/* SPDX-License-Identifier: Apache-2.0 */
/* What programs do to an archive until the power goes. */
#ifndef AIMG_TEST_CRASH_SCENARIO_H
#define AIMG_TEST_CRASH_SCENARIO_H

#include "crash_work.h"

/* How a scenario is run. */
struct crash_setup {
    bool same_salt;      /* sessions that begin at the same place have the same salt, as those with the same seed have */
    uint64_t stop_after; /* of fake_disk */
    uint64_t lying_sync;
    uint64_t failing_sync;
    bool failing_cut;
    enum fake_loss after_failure;
    uint64_t fail_at; /* the call that fails, for the other tests of faults */
    bool fail_on;
    int fail_errno;
    bool short_reads;
    unsigned sessions_after; /* programs that add an image each, when the scenario is over */
    void (*meddle)(struct aimg_io *io);
    bool skip_rename_sync;
};

struct crash_scenario {
    const char *name;
    void (*run)(struct crash_run *run);
    bool renames; /* what it makes takes the name of another file */
};

extern const struct crash_scenario crash_scenarios[];
extern const unsigned crash_scenario_count;
/* More of them, which take longer. */
extern const struct crash_scenario crash_long_scenarios[];
extern const unsigned crash_long_count;

/* An image whose bytes hold a commit page. */
void crash_forged(struct crash_run *run);
/* A writer keeps what another has left without a commit. */
void crash_recover(struct crash_run *run);
void crash_recover_all(struct crash_run *run);

/* Runs a scenario; destroy the disk after. The same in two steps: the disk is there before anything happens. */
void crash_perform(const struct crash_scenario *scenario, const struct crash_setup *setup, struct crash_run *run);
void crash_prepare(const struct crash_setup *setup, struct crash_run *run);
void crash_go(const struct crash_scenario *scenario, const struct crash_setup *setup, struct crash_run *run);

/* The next session of a program that knows nothing of what was before: opens, adds an image, commits. False, with the reason,
 * when it cannot. */
bool crash_append(struct crash_run *run, const struct model *base, uint32_t content, char reason[256]);

/* The same from what the run itself promises. */
bool crash_continue(struct crash_run *run, uint32_t content, char reason[256]);

#endif
