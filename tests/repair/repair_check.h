/* SPDX-License-Identifier: Apache-2.0 */
/* One repair, and whether it did what is due: a sound archive, every image whose bytes were not hit exactly as it was, the others
 * named, and no value that was never there. */
#ifndef AIMG_TEST_REPAIR_CHECK_H
#define AIMG_TEST_REPAIR_CHECK_H

#include "repair_truth.h"

struct outcome {
    enum aimg_status status;
    struct aimg_error error;
    struct aimg_repair_result result;
    uint64_t nameless; /* values in columns that lost their names */
    bool complete;     /* nothing was told of */
    unsigned missing;  /* images of the truth that the repaired archive lacks */
    uint64_t failures; /* expectations that did not hold */
};

enum outcome_rule {
    OUTCOME_STRICT = 0,
    OUTCOME_MAY_FAIL = 1, /* there may be nothing to save */
    OUTCOME_CUT = 2,      /* the file ends early: what is lost need not have a name */
    OUTCOME_MOVED = 4     /* two places are hit; what was there may be found elsewhere, or be lost without a name */
};

/* Repairs the bytes and compares with the truth: bytes that differ from the sound archive's are damaged. subject: for messages.
 */
struct outcome repair_check(const struct truth *truth, const uint8_t *damaged, size_t bytes, unsigned rules, const char *subject);

#endif
