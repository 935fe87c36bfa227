/* SPDX-License-Identifier: Apache-2.0 */
/* Random reads of warm pictures: all contenders open in one process, then rounds in which each reads the whole set in the same
 * random order, one after the other. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench_options.h"
#include "containers.h"
#include "contender.h"
#include "files.h"

#define BATCH_BYTES       (UINT64_C(1) << 20)
#define MOST_THREADS      2
#define ROUNDS            7
#define TIMED_SECONDS     0.03 /* as many passes a round as fill this */
#define SLOW_PASS_SECONDS 0.1

struct runner {
    const struct contender *contender;
    void *states[MOST_THREADS];
    double pass_seconds; /* as first seen */
    size_t batch;        /* images announced at a time */
};

struct share {
    const struct runner *runner;
    void *state;
    const uint32_t *order;
    size_t count;
    unsigned passes;
    unsigned processor;
    pthread_barrier_t *start;
    double begin, end;
};

static uint64_t read_single(const struct contender *contender, void *state, const uint32_t *order, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        struct span span = contender->get(state, order[i]);
        sum += bench_touch(span.data, span.bytes);
    }
    return sum;
}

static uint64_t read_batches(const struct runner *runner, void *state, const uint32_t *order, size_t count)
{
    uint64_t sum = 0;
    struct span spans[BENCH_BATCH];
    for (size_t i = 0; i < count; i += runner->batch) {
        size_t part = count - i < runner->batch ? count - i : runner->batch;
        runner->contender->batch(state, order + i, part, spans);
        for (size_t j = 0; j < part; j++)
            sum += bench_touch(spans[j].data, spans[j].bytes);
    }
    return sum;
}

static void read_share(const struct share *share)
{
    const struct contender *contender = share->runner->contender;
    uint64_t sum = 0;
    for (unsigned pass = 0; pass < share->passes; pass++)
        sum += contender->batch ? read_batches(share->runner, share->state, share->order, share->count)
                                : read_single(contender, share->state, share->order, share->count);
    __atomic_fetch_add(&bench_sink, sum, __ATOMIC_RELAXED);
}

static void *run_thread(void *argument)
{
    struct share *share = argument;
    files_pin(share->processor);
    pthread_barrier_wait(share->start);
    share->begin = bench_now();
    read_share(share);
    share->end = bench_now();
    return NULL;
}

/* Seconds that the threads take together for `passes` passes over the order, which is dealt out among them. The first share is
 * the calling thread's: it has malloc's main arena, as a program of one thread has. */
static double run_passes(const struct runner *runner, const uint32_t *order, size_t count, unsigned passes, unsigned threads)
{
    struct share shares[MOST_THREADS];
    pthread_t ids[MOST_THREADS];
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, threads);
    for (unsigned t = 0; t < threads; t++) {
        size_t begin = count * t / threads;
        shares[t] = (struct share){
            .runner = runner,
            .state = runner->states[t],
            .order = order + begin,
            .count = count * (t + 1) / threads - begin,
            .passes = passes,
            .processor = t + 1,
            .start = &start,
        };
        if (t && pthread_create(&ids[t], NULL, run_thread, &shares[t]))
            bench_die("cannot start a thread");
    }
    run_thread(&shares[0]);
    double begin = shares[0].begin;
    double end = shares[0].end;
    for (unsigned t = 1; t < threads; t++) {
        pthread_join(ids[t], NULL);
        begin = shares[t].begin < begin ? shares[t].begin : begin;
        end = shares[t].end > end ? shares[t].end : end;
    }
    pthread_barrier_destroy(&start);
    return end - begin;
}

/* So many images as a core's own cache holds until they are looked at. */
static size_t batch_of(const struct set *set)
{
    uint64_t fitting = BATCH_BYTES / (set->total_bytes / set->count + 1);
    return fitting < 1 ? 1 : fitting < BENCH_BATCH ? (size_t)fitting : BENCH_BATCH;
}

/* Every contender must hand out the very bytes of the files. */
static void check_bytes(const struct runner *runner, const struct set *set)
{
    const struct contender *contender = runner->contender;
    for (uint32_t i = 0; i < set->count; i++) {
        struct span span;
        if (contender->batch)
            contender->batch(runner->states[0], &i, 1, &span);
        else
            span = contender->get(runner->states[0], i);
        if (!span.data || span.bytes != set->bytes[i] || memcmp(span.data, set->data[i], span.bytes))
            bench_die("%s: wrong bytes for %s", contender->title, set->names[i]);
    }
}

static void open_runner(const struct bench_options *options, struct runner *runner, const struct contender *contender,
                        const struct set *set, const uint32_t *order)
{
    char *path = container_path(options, set, contender->container);
    container_make(options, set, contender->container);
    runner->contender = contender;
    runner->batch = batch_of(set);
    for (unsigned t = 0; t < MOST_THREADS; t++)
        runner->states[t] = contender->open(contender, set, path, t ? runner->states[0] : NULL);
    if (strcmp(contender->container, "directory"))
        files_populate(path);
    check_bytes(runner, set);
    runner->pass_seconds = run_passes(runner, order, set->count, 1, 1);
    free(path);
}

/* What the contender before left in the caches is driven out first: by a whole pass, or where one takes long by a part of it. */
static double run_turn(const struct runner *runner, const uint32_t *order, size_t count, unsigned threads)
{
    double filling = TIMED_SECONDS / runner->pass_seconds;
    unsigned passes = filling > 1 ? (unsigned)(filling + 0.5) : 1;
    run_passes(runner, order, runner->pass_seconds > SLOW_PASS_SECONDS ? count / 10 : count, 1, threads);
    return run_passes(runner, order, count, passes, threads) / ((double)passes * (double)count);
}

static void run_rounds(const struct bench_options *options, struct runner *runners, size_t runner_count, const struct set *set,
                       struct results *results)
{
    uint32_t *order = bench_alloc(set->count, sizeof *order);
    unsigned rounds = bench_rounds(options, ROUNDS, ROUNDS);
    for (unsigned round = 0; round < rounds; round++)
        for (unsigned threads = 1; threads <= MOST_THREADS; threads++) {
            bench_shuffle(order, set->count, round * 977 + threads);
            for (size_t i = 0; i < runner_count; i++)
                results_add(results, "reads", set->name, threads == 1 ? "1 thread" : "2 threads", runners[i].contender->title,
                            "ns", run_turn(&runners[i], order, set->count, threads) * 1e9);
        }
    free(order);
}

static void run_set(const struct bench_options *options, const char *name, struct results *results)
{
    struct set *set = set_load(name, options->data, options->work);
    struct runner runners[32];
    size_t count = 0;
    uint32_t *order = bench_alloc(set->count, sizeof *order);
    bench_shuffle(order, set->count, 1);
    results_heading(results, "reads", set->name, set->title);
    files_unpin(); /* before there are threads: it learns what processors there are */
    for (size_t i = 0; contenders_all[i]; i++)
        if (bench_wants(options, contenders_all[i]->title))
            open_runner(options, &runners[count++], contenders_all[i], set, order);
    run_rounds(options, runners, count, set, results);
    files_unpin();
    for (size_t i = 0; i < count; i++)
        for (unsigned t = MOST_THREADS; t-- > 0;)
            runners[i].contender->close(runners[i].states[t]);
    free(order);
    set_free(set);
}

void reads_run(const struct bench_options *options, struct results *results)
{
    static const char *const names[] = {"cifar", "imagenet"};
    for (size_t i = 0; i < 2; i++)
        if (!options->set || !strcmp(options->set, names[i]))
            run_set(options, names[i], results);
}
