/* SPDX-License-Identifier: Apache-2.0 */
/* All scenarios, with every sync failing in turn, by several processes. */
#ifndef AIMG_TEST_CRASH_SWEEP_H
#define AIMG_TEST_CRASH_SWEEP_H

#include "crash_plan.h"

struct sweep_options {
    uint64_t files; /* goes on until so many different ones were checked; a first round is always finished */
    uint64_t seed;
    unsigned workers;
    unsigned thin;  /* one state in so many is tried */
    unsigned every; /* and one failing sync in so many */
};

struct sweep_result {
    struct judge_counts counts;
    uint64_t stops, rounds;
    bool good;
};

void crash_sweep(const struct sweep_options *options, struct sweep_result *result);

#endif
