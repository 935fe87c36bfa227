/* SPDX-License-Identifier: Apache-2.0 */
/* What an archive must hold after a power cut: one of the states that were promised or are under way, whole. */
#ifndef AIMG_TEST_CRASH_MODEL_H
#define AIMG_TEST_CRASH_MODEL_H

#include "fake_disk.h"

#define MODEL_IMAGES     32
#define MODEL_CANDIDATES 4

struct model_image {
    char name[24];
    uint32_t content;
    uint32_t score; /* its value in the column "score"; 0: none */
};

/* The archive as of one commit. */
struct model {
    uint64_t commit_count;
    char title[24]; /* of the metadata; empty: none */
    uint32_t image_count;
    struct model_image images[MODEL_IMAGES]; /* by position */
};

/* The states of which one must be found: the last that was acknowledged, and the commits that were begun since. */
struct promise {
    struct model candidates[MODEL_CANDIDATES];
    unsigned count;
    bool nothing; /* nobody relies on the file yet, so that anything may be found */
};

void model_put(struct model *model, const char *name, uint32_t content);
/* The image of that name leaves its place; false when there is none. */
bool model_remove(struct model *model, const char *name);

void promise_only(struct promise *promise, const struct model *model);
void promise_also(struct promise *promise, const struct model *model);

enum verdict {
    VERDICT_GOOD,
    VERDICT_BAD,  /* something else is shown, or nothing can be shown */
    VERDICT_GONE, /* not an archive, which is good as long as nothing was promised */
};

/* Opens the bytes and compares. On BAD, reason says why; on GOOD, *found_out is the candidate. */
enum verdict promise_check(const struct promise *promise, const uint8_t *bytes, uint64_t count, const struct model **found_out,
                           char reason[256]);

#endif
