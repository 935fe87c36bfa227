/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a verb that met a fault did what it promises. */
#ifndef AIMG_TEST_CHECK_H
#define AIMG_TEST_CHECK_H

#include "inject.h"
#include "state.h"
#include "verbs.h"

/* Where commands run, and what they do when nothing fails. */
struct scene {
    const char *tool;
    const char *memory_shim;
    char inputs[300]; /* of verbs_prepare */
    char folder[320]; /* made anew for each command */
    const struct verb *verb;
    struct outcome clean;
    struct state_folder before, after; /* of folder */
    uint64_t target_before, target_after;
    uint64_t commits_before;
};

/* An empty folder but for the two archives. */
void scene_reset(const struct scene *scene);
/* scene: with its programs. Runs the verb without a fault and keeps what it does; whether it did it. */
bool scene_begin(struct scene *scene, const char *inputs, const char *folder, const struct verb *verb);

/* Runs the verb with the fault; reason: what was wrong after it, or empty. */
void scene_run(const struct scene *scene, const struct fault *fault, long at, struct outcome *outcome, char reason[400]);

#endif
