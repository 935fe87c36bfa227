/* SPDX-License-Identifier: Apache-2.0 */
/* A sequence that fails, made as small as it gets while it still fails. */
#ifndef AIMG_TEST_MODEL_SHRINK_H
#define AIMG_TEST_MODEL_SHRINK_H

#include "model_run.h"

/* Whether the sequence fails, in a process of its own: also when that crashes or does not end. reason: MODEL_REASON_BYTES. */
bool model_fails(const struct model_sequence *sequence, const struct model_manner *manner, char *reason);

/* Drops steps, then makes numbers smaller, until nothing can be left out; begins no try after so many seconds. Returns how many
 * sequences were tried. */
unsigned model_shrink(struct model_sequence *sequence, const struct model_manner *manner, unsigned seconds, char *reason);

#endif
