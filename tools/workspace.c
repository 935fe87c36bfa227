/* SPDX-License-Identifier: Apache-2.0 */
#include "workspace.h"

#include <sys/mman.h>

enum {
    BLOCK_BYTES = 1 << 20,
    BLOCK_HEAD_BYTES = 64,
    POOL_BYTES = 80 << 20 /* of the 256 MiB that the tool may use; the index of the open batch takes most of the rest */
};

struct workspace_block {
    struct workspace_block *next;
};

_Static_assert(sizeof(struct workspace_block) <= BLOCK_HEAD_BYTES, "the bytes behind the head are the caller's");

bool workspace_pool_init(struct workspace_pool *pool)
{
    *pool = (struct workspace_pool){.held = 0};
    if (pthread_mutex_init(&pool->lock, NULL) != 0)
        return false;
    return pthread_cond_init(&pool->freed, NULL) == 0 && pthread_cond_init(&pool->news, NULL) == 0;
}

void workspace_pool_fini(struct workspace_pool *pool)
{
    while (pool->spare != NULL) {
        struct workspace_block *block = pool->spare;
        pool->spare = block->next;
        munmap(block, BLOCK_BYTES);
    }
    pthread_cond_destroy(&pool->news);
    pthread_cond_destroy(&pool->freed);
    pthread_mutex_destroy(&pool->lock);
}

/* With the lock: waits until `bytes` more may be held, and counts them. False when stopping. */
static bool reserve(struct workspace_pool *pool, struct workspace *workspace, size_t bytes)
{
    while (!pool->stopping) {
        while (pool->held + bytes > POOL_BYTES && pool->spare != NULL) {
            struct workspace_block *block = pool->spare;
            pool->spare = block->next;
            munmap(block, BLOCK_BYTES);
            pool->held -= BLOCK_BYTES;
        }
        if (pool->held + bytes <= POOL_BYTES || workspace->may_overdraw) {
            workspace->may_overdraw = false;
            pool->held += bytes;
            return true;
        }
        workspace->waiting = true;
        pthread_cond_signal(&pool->news);
        pthread_cond_wait(&pool->freed, &pool->lock);
        workspace->waiting = false;
    }
    return false;
}

bool workspace_reserve(struct workspace_pool *pool, struct workspace *workspace, size_t bytes)
{
    pthread_mutex_lock(&pool->lock);
    bool reserved = reserve(pool, workspace, bytes);
    pthread_mutex_unlock(&pool->lock);
    return reserved;
}

void workspace_unreserve(struct workspace_pool *pool, size_t bytes)
{
    pthread_mutex_lock(&pool->lock);
    pool->held -= bytes;
    pthread_cond_broadcast(&pool->freed);
    pthread_mutex_unlock(&pool->lock);
}

static void *map_memory(struct workspace_pool *pool, size_t bytes, int flags)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    if (memory != MAP_FAILED)
        return memory;
    workspace_unreserve(pool, bytes);
    return NULL;
}

static bool add_block(struct workspace_pool *pool, struct workspace *workspace)
{
    pthread_mutex_lock(&pool->lock);
    struct workspace_block *block = pool->spare;
    bool reserved = true;
    if (block != NULL)
        pool->spare = block->next;
    else
        reserved = reserve(pool, workspace, BLOCK_BYTES);
    pthread_mutex_unlock(&pool->lock);
    if (block == NULL && reserved)
        block = map_memory(pool, BLOCK_BYTES, 0);
    if (block == NULL)
        return false;
    block->next = workspace->blocks;
    workspace->blocks = block;
    workspace->used = BLOCK_HEAD_BYTES;
    return true;
}

static void *take_own(struct workspace_pool *pool, struct workspace *workspace, size_t bytes, struct workspace_piece *piece)
{
    if (!workspace_reserve(pool, workspace, bytes))
        return NULL;
    piece->own = map_memory(pool, bytes, MAP_POPULATE);
    piece->own_bytes = bytes;
    return piece->own;
}

void *workspace_take(struct workspace_pool *pool, struct workspace *workspace, size_t bytes, struct workspace_piece *piece_out)
{
    *piece_out = (struct workspace_piece){.own = NULL};
    bytes = (bytes + 63) & ~(size_t)63;
    if (bytes > BLOCK_BYTES - BLOCK_HEAD_BYTES)
        return take_own(pool, workspace, bytes, piece_out);
    bool fits = workspace->blocks != NULL && BLOCK_BYTES - workspace->used >= bytes;
    if (!fits && !add_block(pool, workspace))
        return NULL;
    void *memory = (char *)workspace->blocks + workspace->used;
    workspace->used += bytes;
    return memory;
}

void workspace_trim(struct workspace *workspace, const struct workspace_piece *piece, size_t unused_bytes)
{
    if (piece->own == NULL)
        workspace->used -= unused_bytes & ~(size_t)63;
}

void workspace_piece_release(struct workspace_pool *pool, struct workspace_piece *piece)
{
    if (piece->own == NULL)
        return;
    munmap(piece->own, piece->own_bytes);
    workspace_unreserve(pool, piece->own_bytes);
    piece->own = NULL;
}

void workspace_clear(struct workspace_pool *pool, struct workspace *workspace)
{
    pthread_mutex_lock(&pool->lock);
    while (workspace->blocks != NULL) {
        struct workspace_block *block = workspace->blocks;
        workspace->blocks = block->next;
        block->next = pool->spare;
        pool->spare = block;
    }
    workspace->used = 0;
    pthread_cond_broadcast(&pool->freed);
    pthread_mutex_unlock(&pool->lock);
}
