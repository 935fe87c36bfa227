/* SPDX-License-Identifier: Apache-2.0 */
/* A few hundred inputs, evenly spread over all of them, from which the library decides how to store the rest. */
#ifndef AIMG_TOOLS_SAMPLE_H
#define AIMG_TOOLS_SAMPLE_H

#include "inputs.h"

#include <aimg/aimg.h>
#include <stdint.h>

enum { SAMPLE_MOST = 512 };

/* All zero: empty. Every stride-th input; the stride doubles when there are too many, so their number need not be known before.
 */
struct sample {
    char *paths[SAMPLE_MOST];
    size_t count;
    uint64_t seen;
    unsigned stride_log2;
};

void sample_note(struct sample *sample, const struct input *input);
void sample_free(struct sample *sample);

/* Reads what was noted and lets the writer decide. all: what is no picture will be stored too. target: for messages. Inputs that
 * cannot be read are left to those who pack them. Prints what is wrong; returns an exit_code. */
int sample_train(const struct sample *sample, bool all, struct aimg_writer *writer, const char *target);

#endif
