/* SPDX-License-Identifier: Apache-2.0 */
/* Loads files with many threads and gives them back in the order in which they came. */
#ifndef AIMG_TOOLS_PIPELINE_H
#define AIMG_TOOLS_PIPELINE_H

#include "batch.h"

struct pipeline;

/* context: borrowed until destroyed. NULL when memory or threads are not to be had. */
struct pipeline *pipeline_create(const struct load_context *context, unsigned threads);
/* Waits for what is being loaded, and drops it. NULL is allowed. */
void pipeline_destroy(struct pipeline *pipeline);

/* Place for one more input, NULL when as much is under way as may be: then pipeline_next gives some. */
struct load_item *pipeline_add(struct pipeline *pipeline, const struct input *input);
/* Nothing more will be added for now: begin on what there is. */
void pipeline_flush(struct pipeline *pipeline);
/* Next item in order, loaded; valid until the next call. Waits. NULL when nothing is under way. */
struct load_item *pipeline_next(struct pipeline *pipeline);

#endif
