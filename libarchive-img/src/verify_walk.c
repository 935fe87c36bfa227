/* SPDX-License-Identifier: Apache-2.0 */
/* All threads over all frames. Where a frame begins is known only from the one before it; so the threads take turns to step over
 * the frame headers, and read before their turn and check payloads after it, beside each other. */
#include "verify_read.h"

#include <unistd.h>

/* Read ahead beyond a chunk, so that most often its last frame is whole. */
#define SLACK_BYTES 16384
/* Frames of which the headers are read alone: reading ahead would miss where the next chunk begins. */
#define LARGE_FRAME_BYTES 32768
#define THREADS_MAX       256

/* ------------------------------------------------------------------ bytes */

const uint8_t *aimg_verify_peek(struct aimg_verify_worker *worker, uint64_t offset, size_t bytes)
{
    struct aimg_verify *verify = worker->verify;
    if (offset >= worker->begin && offset <= worker->end && worker->end - offset >= bytes)
        return worker->buffer + (offset - worker->begin);
    if (offset >= worker->window_begin && offset <= worker->window_end && worker->window_end - offset >= bytes)
        return worker->window + (offset - worker->window_begin);
    if (offset > verify->source.end || verify->source.end - offset < bytes)
        return NULL;
    uint64_t left = verify->source.end - offset;
    size_t piece = left < AIMG_VERIFY_WINDOW_BYTES ? (size_t)left : AIMG_VERIFY_WINDOW_BYTES;
    worker->window_begin = worker->window_end = offset;
    if (verify->io.ops->read_at(&verify->io, offset, worker->window, piece, NULL) != AIMG_OK)
        return NULL;
    worker->window_end = offset + piece;
    return worker->window;
}

static void read_ahead(struct aimg_verify_worker *worker, uint64_t offset)
{
    struct aimg_verify *verify = worker->verify;
    uint64_t left = offset < verify->end ? verify->end - offset : 0;
    size_t bytes = left < AIMG_VERIFY_CHUNK_BYTES + SLACK_BYTES ? (size_t)left : AIMG_VERIFY_CHUNK_BYTES + SLACK_BYTES;
    worker->begin = worker->end = offset;
    worker->window_begin = worker->window_end = 0; /* the file may have changed since */
    if (bytes > 0 && verify->io.ops->read_at(&verify->io, offset, worker->buffer, bytes, NULL) == AIMG_OK)
        worker->end = offset + bytes;
}

/* ------------------------------------------------------------------ turns */

/* A place in the row of threads; *ahead_out: where the walk will be at about that turn, or AIMG_NO_OFFSET when that is not worth
 * a guess. */
static bool take_ticket(struct aimg_verify_walk *walk, uint64_t *ticket_out, uint64_t *ahead_out)
{
    pthread_mutex_lock(&walk->lock);
    bool more = !walk->over;
    if (more) {
        uint64_t guess = walk->passed + (walk->tickets - walk->serving) * AIMG_VERIFY_CHUNK_BYTES;
        *ticket_out = walk->tickets++;
        *ahead_out = AIMG_NO_OFFSET;
        if (!walk->large) {
            *ahead_out = walk->ahead > guess ? walk->ahead : guess;
            walk->ahead = *ahead_out + AIMG_VERIFY_CHUNK_BYTES;
        }
    }
    pthread_mutex_unlock(&walk->lock);
    return more;
}

static void wait_turn(struct aimg_verify_walk *walk, uint64_t ticket)
{
    pthread_mutex_lock(&walk->lock);
    while (walk->serving != ticket)
        pthread_cond_wait(&walk->turn, &walk->lock);
    pthread_mutex_unlock(&walk->lock);
}

static void pass_turn(struct aimg_verify_walk *walk, bool over, bool large)
{
    pthread_mutex_lock(&walk->lock);
    walk->serving++;
    walk->passed = walk->offset;
    walk->over = walk->over || over;
    walk->large = large;
    pthread_cond_broadcast(&walk->turn);
    pthread_mutex_unlock(&walk->lock);
}

/* ------------------------------------------------------------------ claiming */

/* Steps over frames until there is enough to do. False when the walk is over. */
static bool claim(struct aimg_verify_worker *worker, bool *large_out)
{
    struct aimg_verify *verify = worker->verify;
    struct aimg_verify_walk *walk = &verify->walk;
    uint64_t first = walk->offset, frames = 0;
    uint64_t limit = first + AIMG_VERIFY_CHUNK_BYTES;
    bool more = !walk->over;
    if (worker->end > worker->begin && worker->begin + AIMG_VERIFY_CHUNK_BYTES > first)
        limit = worker->begin + AIMG_VERIFY_CHUNK_BYTES;
    worker->span_count = 0;
    while (more && walk->offset < limit && worker->span_count < AIMG_VERIFY_SPANS) {
        more = walk->offset < verify->end && !aimg_verify_stopped(verify) && aimg_verify_step(worker);
        frames++;
    }
    *large_out = (walk->offset - first) / (frames + 1) > LARGE_FRAME_BYTES;
    return more;
}

static void *work(void *user)
{
    struct aimg_verify_worker *worker = user;
    struct aimg_verify_walk *walk = &worker->verify->walk;
    uint64_t ticket, ahead;
    while (take_ticket(walk, &ticket, &ahead)) {
        bool large = false;
        worker->begin = worker->end = 0;
        if (ahead != AIMG_NO_OFFSET)
            read_ahead(worker, ahead);
        wait_turn(walk, ticket);
        uint64_t first = walk->offset;
        bool more = claim(worker, &large);
        uint64_t passed = walk->offset - first;
        pass_turn(walk, !more, large);
        aimg_verify_payloads(worker);
        aimg_verify_progress(worker->verify, passed);
    }
    return NULL;
}

/* ------------------------------------------------------------------ threads */

static bool worker_create(struct aimg_verify *verify, struct aimg_verify_worker *worker)
{
    const struct aimg_allocator *allocator = &verify->source.allocator;
    *worker = (struct aimg_verify_worker){.verify = verify};
    worker->buffer = allocator->alloc(allocator->user, AIMG_VERIFY_BUFFER_BYTES);
    worker->window = allocator->alloc(allocator->user, AIMG_VERIFY_WINDOW_BYTES);
    worker->spans = allocator->alloc(allocator->user, AIMG_VERIFY_SPANS * sizeof *worker->spans);
    worker->decoder = aimg_verify_decoder_create(allocator);
    return worker->buffer != NULL && worker->window != NULL && worker->spans != NULL && worker->decoder != NULL;
}

static void worker_destroy(struct aimg_verify_worker *worker)
{
    const struct aimg_allocator *allocator = &worker->verify->source.allocator;
    aimg_release(allocator, worker->buffer);
    aimg_release(allocator, worker->window);
    aimg_release(allocator, worker->spans);
    aimg_buffer_release(allocator, &worker->raw);
    aimg_verify_decoder_destroy(allocator, worker->decoder);
}

static uint32_t thread_count(const struct aimg_verify *verify)
{
    uint64_t wanted = verify->options.threads;
    uint64_t chunks = aimg_blocks(verify->end - AIMG_HEAD_BYTES, AIMG_VERIFY_CHUNK_BYTES);
    if (wanted == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        wanted = cores > 0 ? (uint64_t)cores : 1;
    }
    wanted = wanted < THREADS_MAX ? wanted : THREADS_MAX;
    wanted = wanted < chunks ? wanted : chunks;
    return wanted > 0 ? (uint32_t)wanted : 1;
}

/* Runs with as many threads as the system gives; this one is the first. */
static void run(struct aimg_verify *verify, struct aimg_verify_worker *workers, pthread_t *threads, uint32_t count)
{
    uint32_t created = 0, started = 1;
    while (created < count && worker_create(verify, &workers[created]))
        created++;
    if (created == 0)
        aimg_verify_no_memory(verify, AIMG_VERIFY_BUFFER_BYTES);
    while (started < created && pthread_create(&threads[started], NULL, work, &workers[started]) == 0)
        started++;
    if (created > 0)
        (void)work(&workers[0]);
    for (uint32_t i = 1; i < started && created > 0; i++)
        pthread_join(threads[i], NULL);
    for (uint32_t i = 0; i < count && i <= created; i++)
        worker_destroy(&workers[i]);
}

void aimg_verify_walk_all(struct aimg_verify *verify)
{
    const struct aimg_allocator *allocator = &verify->source.allocator;
    struct aimg_verify_walk *walk = &verify->walk;
    uint32_t count = thread_count(verify);
    struct aimg_verify_worker *workers = aimg_alloc_array(allocator, count, sizeof *workers);
    pthread_t *threads = aimg_alloc_array(allocator, count, sizeof *threads);
    walk->offset = walk->passed = walk->ahead = AIMG_HEAD_BYTES;
    walk->counts = true;
    if (workers == NULL || threads == NULL) {
        aimg_verify_no_memory(verify, count * sizeof *workers);
    } else if (pthread_mutex_init(&walk->lock, NULL) == 0) {
        if (pthread_cond_init(&walk->turn, NULL) == 0) {
            run(verify, workers, threads, count);
            pthread_cond_destroy(&walk->turn);
        }
        pthread_mutex_destroy(&walk->lock);
    }
    aimg_release(allocator, threads);
    aimg_release(allocator, workers);
}
