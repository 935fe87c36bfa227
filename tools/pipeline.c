/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline.h"

#include <stdlib.h>
#include <sys/resource.h>

/* What one thread takes at once: as many files as make this, by the size of those before. */
enum { BATCH_BYTES = 1 << 19, FIRST_BATCH_ITEMS = 8, BATCHES_PER_THREAD = 3, MOST_THREADS = 256 };

struct pipeline {
    const struct load_context *context;
    struct workspace_pool pool;
    pthread_cond_t work;   /* a batch to load, or the end */
    struct batch *batches; /* a ring; the three counters below never wrap */
    size_t batch_count;
    size_t submitted, claimed; /* with the lock */
    size_t consumed;           /* batches that are free again; main thread */
    size_t item_limit;
    bool small;
    uint64_t loaded_bytes; /* of the batch that is being consumed */
    struct load_item *out; /* given out by pipeline_next */
    pthread_t *threads;
    unsigned thread_count;
};

static void load_batch(struct pipeline *pipeline, struct batch *batch)
{
    struct loader loader = {
        .context = pipeline->context, .pool = &pipeline->pool, .workspace = &batch->workspace, .small = batch->small};
    for (size_t i = 0; i < batch->count && !pipeline->pool.stopping; i++) {
        load_file(&loader, &batch->items[i]);
        atomic_store_explicit(&batch->done, i + 1, memory_order_release);
    }
}

static void *run(void *user)
{
    struct pipeline *pipeline = user;
    pthread_mutex_lock(&pipeline->pool.lock);
    for (;;) {
        while (!pipeline->pool.stopping && pipeline->claimed == pipeline->submitted)
            pthread_cond_wait(&pipeline->work, &pipeline->pool.lock);
        if (pipeline->pool.stopping)
            break;
        struct batch *batch = &pipeline->batches[pipeline->claimed++ % pipeline->batch_count];
        pthread_mutex_unlock(&pipeline->pool.lock);
        load_batch(pipeline, batch);
        pthread_mutex_lock(&pipeline->pool.lock);
        batch->finished = true;
        pthread_cond_signal(&pipeline->pool.news);
    }
    pthread_mutex_unlock(&pipeline->pool.lock);
    return NULL;
}

/* Enough for all threads, as far as the open folders in them leave half of the file limit to the walk. */
static size_t batches_for(unsigned threads)
{
    enum { OTHER_FILES = 64, LEAST = 2 };
    size_t wanted = (size_t)threads * BATCHES_PER_THREAD;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return wanted;
    size_t taken = (size_t)threads + OTHER_FILES;
    size_t left = limit.rlim_cur > taken ? (size_t)limit.rlim_cur - taken : 0;
    size_t allowed = left / 2 / BATCH_FOLDERS;
    return allowed < LEAST ? LEAST : allowed < wanted ? allowed : wanted;
}

static bool create_batches(struct pipeline *pipeline, unsigned threads)
{
    size_t count = batches_for(threads);
    pipeline->batches = calloc(count, sizeof *pipeline->batches);
    if (pipeline->batches == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!batch_init(&pipeline->batches[i]))
            return false;
        pipeline->batch_count++;
    }
    return true;
}

/* As many threads as the system lets have. */
static bool start_threads(struct pipeline *pipeline, unsigned threads)
{
    pipeline->threads = calloc(threads, sizeof *pipeline->threads);
    if (pipeline->threads == NULL)
        return false;
    while (pipeline->thread_count < threads &&
           pthread_create(&pipeline->threads[pipeline->thread_count], NULL, run, pipeline) == 0)
        pipeline->thread_count++;
    return pipeline->thread_count > 0;
}

struct pipeline *pipeline_create(const struct load_context *context, unsigned threads)
{
    threads = threads > MOST_THREADS ? MOST_THREADS : threads;
    struct pipeline *pipeline = calloc(1, sizeof *pipeline);
    if (pipeline == NULL)
        return NULL;
    pipeline->context = context;
    pipeline->item_limit = FIRST_BATCH_ITEMS;
    if (!workspace_pool_init(&pipeline->pool)) {
        free(pipeline);
        return NULL;
    }
    pthread_cond_init(&pipeline->work, NULL);
    if (!create_batches(pipeline, threads) || !start_threads(pipeline, threads)) {
        pipeline_destroy(pipeline);
        return NULL;
    }
    return pipeline;
}

void pipeline_destroy(struct pipeline *pipeline)
{
    if (pipeline == NULL)
        return;
    pthread_mutex_lock(&pipeline->pool.lock);
    pipeline->pool.stopping = true;
    pthread_cond_broadcast(&pipeline->work);
    pthread_cond_broadcast(&pipeline->pool.freed);
    pthread_mutex_unlock(&pipeline->pool.lock);
    for (unsigned i = 0; i < pipeline->thread_count; i++)
        pthread_join(pipeline->threads[i], NULL);
    free(pipeline->threads);
    for (size_t i = 0; i < pipeline->batch_count; i++)
        batch_fini(&pipeline->batches[i], &pipeline->pool);
    free(pipeline->batches);
    pthread_cond_destroy(&pipeline->work);
    workspace_pool_fini(&pipeline->pool);
    free(pipeline);
}

/* The batch that is being filled is the one after the submitted ones. */
static struct batch *filling(struct pipeline *pipeline)
{
    return &pipeline->batches[pipeline->submitted % pipeline->batch_count];
}

static bool is_full(const struct pipeline *pipeline)
{
    return pipeline->submitted - pipeline->consumed == pipeline->batch_count;
}

void pipeline_flush(struct pipeline *pipeline)
{
    if (is_full(pipeline) || filling(pipeline)->count == 0)
        return;
    filling(pipeline)->small = pipeline->small;
    pthread_mutex_lock(&pipeline->pool.lock);
    pipeline->submitted++;
    pthread_cond_signal(&pipeline->work);
    pthread_mutex_unlock(&pipeline->pool.lock);
}

struct load_item *pipeline_add(struct pipeline *pipeline, const struct input *input)
{
    if (!is_full(pipeline) && !batch_has_room(filling(pipeline), pipeline->item_limit))
        pipeline_flush(pipeline);
    if (is_full(pipeline))
        return NULL;
    return batch_add(filling(pipeline), input);
}

static void set_limit(struct pipeline *pipeline, size_t count)
{
    uint64_t mean = pipeline->loaded_bytes / count + 1;
    uint64_t limit = BATCH_BYTES / mean;
    pipeline->item_limit = limit < 1 ? 1 : limit > BATCH_ITEMS ? BATCH_ITEMS : (size_t)limit;
    pipeline->small = mean < LOAD_SMALL_BYTES / 2;
    pipeline->loaded_bytes = 0;
}

/* Waits until the oldest batch has an item that can be taken, or its thread has left it. */
static void wait_for(struct pipeline *pipeline, struct batch *batch)
{
    pthread_mutex_lock(&pipeline->pool.lock);
    while (!batch->finished) {
        if (batch->workspace.waiting) {
            if (atomic_load(&batch->done) > batch->consumed)
                break;
            /* All that it made was taken, and still it has no room: the memory is with later batches, which wait for this one. */
            batch->workspace.may_overdraw = true;
            pthread_cond_broadcast(&pipeline->pool.freed);
        }
        pthread_cond_wait(&pipeline->pool.news, &pipeline->pool.lock);
    }
    pthread_mutex_unlock(&pipeline->pool.lock);
}

struct load_item *pipeline_next(struct pipeline *pipeline)
{
    if (pipeline->out != NULL) {
        load_release(&pipeline->pool, pipeline->out);
        pipeline->out = NULL;
    }
    while (pipeline->consumed < pipeline->submitted) {
        struct batch *batch = &pipeline->batches[pipeline->consumed % pipeline->batch_count];
        if (atomic_load_explicit(&batch->done, memory_order_acquire) > batch->consumed) {
            pipeline->out = &batch->items[batch->consumed++];
            pipeline->loaded_bytes += pipeline->out->bytes;
            return pipeline->out;
        }
        wait_for(pipeline, batch);
        if (batch->consumed == batch->count) {
            set_limit(pipeline, batch->count);
            batch_clear(batch, &pipeline->pool);
            pipeline->consumed++;
        }
    }
    return NULL;
}
