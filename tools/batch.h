/* SPDX-License-Identifier: Apache-2.0 */
/* A few files that one thread works on in a row, so that the threads seldom meet. */
#ifndef AIMG_TOOLS_BATCH_H
#define AIMG_TOOLS_BATCH_H

#include "load.h"

#include <stdatomic.h>

enum { BATCH_ITEMS = 64, BATCH_FOLDERS = 8 };

struct batch {
    struct load_item items[BATCH_ITEMS];
    size_t count;
    size_t folders;     /* open directories that it holds, counted when the directory changes: their number is bounded */
    atomic_size_t done; /* items that are loaded */
    size_t consumed;    /* items that were taken out again */
    bool small;         /* its files are expected to be small */
    bool finished;      /* with the lock */
    struct workspace workspace;
    char *text; /* paths and names of the items */
    size_t text_used, text_bytes;
};

bool batch_init(struct batch *batch);
void batch_fini(struct batch *batch, struct workspace_pool *pool);
/* Makes it empty: releases what the items hold. */
void batch_clear(struct batch *batch, struct workspace_pool *pool);
bool batch_has_room(const struct batch *batch, size_t item_limit);
/* Copies the input; retains its directory. The item may then be told what is known of it. Never fails while batch_has_room. */
struct load_item *batch_add(struct batch *batch, const struct input *input);

#endif
