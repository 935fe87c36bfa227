/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for the bytes of files that are being packed: bounded over all threads, reused, given out in pieces.
 *
 * Work goes in batches that must be finished in order. So that later batches cannot take all memory and leave the first one
 * waiting for ever, the first may overdraw by one file once nothing of it is waiting to be stored. */
#ifndef AIMG_TOOLS_WORKSPACE_H
#define AIMG_TOOLS_WORKSPACE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct workspace_block;

/* One for all threads. The lock and `news` also serve the pipeline, whose queue changes together with this. */
struct workspace_pool {
    pthread_mutex_t lock;
    pthread_cond_t freed; /* memory, or the leave to overdraw */
    pthread_cond_t news;  /* a batch is finished, or waits for memory */
    size_t held;          /* bytes from the system */
    struct workspace_block *spare;
    atomic_bool stopping;
};

/* One a batch. */
struct workspace {
    struct workspace_block *blocks; /* shared by small files; the first one is being filled */
    size_t used;                    /* of the first */
    bool waiting, may_overdraw;     /* with the lock */
};

/* Memory of one file, within a block or a mapping of its own. */
struct workspace_piece {
    void *own; /* NULL: in a block */
    size_t own_bytes;
};

bool workspace_pool_init(struct workspace_pool *pool);
void workspace_pool_fini(struct workspace_pool *pool);

/* Waits until there is room. NULL when the system has none or the pool is stopping. */
void *workspace_take(struct workspace_pool *pool, struct workspace *workspace, size_t bytes, struct workspace_piece *piece_out);
/* Gives back the last bytes of the piece that was taken last, unless it is a mapping of its own. */
void workspace_trim(struct workspace *workspace, const struct workspace_piece *piece, size_t unused_bytes);
void workspace_piece_release(struct workspace_pool *pool, struct workspace_piece *piece);
/* Counts memory that others take as if it were from here. Waits until there is room; false when the pool is stopping. */
bool workspace_reserve(struct workspace_pool *pool, struct workspace *workspace, size_t bytes);
void workspace_unreserve(struct workspace_pool *pool, size_t bytes);
/* Gives all blocks back; pieces in them are gone. */
void workspace_clear(struct workspace_pool *pool, struct workspace *workspace);

#endif
