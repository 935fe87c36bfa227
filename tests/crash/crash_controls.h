/* SPDX-License-Identifier: Apache-2.0 */
/* The simulator sees what is wrong: each mistake that is made on purpose must lead to a bad state. */
#ifndef AIMG_TEST_CRASH_CONTROLS_H
#define AIMG_TEST_CRASH_CONTROLS_H

#include "crash_plan.h"

struct controls_result {
    uint64_t controls, caught, states; /* states: until they were caught */
    uint64_t slowest;                  /* states of the one that took most */
    uint64_t not_needed;               /* syncs before a page whose lack was not caught in scenarios where that of others was */
};

/* Of every step-th scenario. */
void crash_controls(unsigned step, struct controls_result *result);

#endif
