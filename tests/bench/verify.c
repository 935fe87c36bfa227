/* SPDX-License-Identifier: Apache-2.0 */
/* Checking all of an archive, against what its bytes alone cost: to read them from memory, and to read and hash them. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "archive.h"
#include "bench_options.h"
#include "files.h"

#define ROUNDS       15
#define QUICK_ROUNDS 5
#define THREADS      2
#define PIECE_BYTES  ((size_t)1 << 20)

/* One thread's share of the file. */
struct share {
    const char *path;
    const uint8_t *map;
    size_t begin, end;
    uint64_t sum;
};

static void *sum_words(void *argument)
{
    struct share *share = argument;
    for (size_t i = share->begin; i + 8 <= share->end; i += 8) {
        uint64_t word;
        memcpy(&word, share->map + i, sizeof word);
        share->sum += word;
    }
    return NULL;
}

static void *read_and_hash(void *argument)
{
    struct share *share = argument;
    uint8_t *piece = bench_alloc(1, PIECE_BYTES);
    int fd = files_open(share->path);
    for (size_t i = share->begin; i < share->end; i += PIECE_BYTES) {
        size_t bytes = share->end - i < PIECE_BYTES ? share->end - i : PIECE_BYTES;
        if (pread(fd, piece, bytes, (off_t)i) != (ssize_t)bytes)
            bench_die("cannot read %s: %s", share->path, strerror(errno));
        share->sum += XXH3_128bits(piece, bytes).low64;
    }
    close(fd);
    free(piece);
    return NULL;
}

static void run_shares(const char *path, const uint8_t *map, size_t bytes, void *(*work)(void *))
{
    struct share shares[THREADS];
    pthread_t threads[THREADS];
    size_t each = bytes / THREADS / 64 * 64;
    for (size_t i = 0; i < THREADS; i++) {
        shares[i] = (struct share){path, map, i * each, i + 1 == THREADS ? bytes : (i + 1) * each, 0};
        if (pthread_create(&threads[i], NULL, work, &shares[i]))
            bench_die("cannot start a thread");
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        bench_sink += shares[i].sum;
    }
}

/* ------------------------------------------------------------------ the ways */

struct job {
    const char *path;
    const uint8_t *map;
    size_t bytes;
};

static void run_memory(const struct job *job)
{
    run_shares(job->path, job->map, job->bytes, sum_words);
}

static void run_hash(const struct job *job)
{
    run_shares(job->path, job->map, job->bytes, read_and_hash);
}

static void check(const struct job *job, uint32_t threads)
{
    struct aimg_error error;
    struct aimg_verify_options options = {.struct_bytes = sizeof options, .threads = threads};
    struct aimg_verify_result result;
    archive_check(aimg_verify(job->path, &options, &result, &error), &error);
    if (result.faults)
        bench_die("%s has faults", job->path);
}

static void run_verify(const struct job *job)
{
    check(job, THREADS);
}

static void run_verify_single(const struct job *job)
{
    check(job, 1);
}

static const struct way {
    const char *title;
    void (*run)(const struct job *job);
} ways[] = {
    {"all words of the map, 2 threads", run_memory},
    {"pread of 1 MiB, XXH3-128, 2 threads", run_hash},
    {"aimg verify, 2 threads", run_verify},
    {"aimg verify, 1 thread", run_verify_single},
};

static void run_archive(const struct bench_options *options, const char *set, size_t images, const char *path,
                        struct results *results)
{
    struct job job = {.path = path};
    files_settle(path);
    job.map = files_map(path, &job.bytes);
    files_populate(path);
    for (unsigned round = 0; round < bench_rounds(options, ROUNDS, QUICK_ROUNDS); round++)
        for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
            double begin = bench_now();
            ways[i].run(&job);
            double seconds = bench_now() - begin;
            results_add(results, "verify", set, "all of it", ways[i].title, "ms", seconds * 1e3);
            results_add(results, "verify", set, "GB/s", ways[i].title, "", (double)job.bytes / seconds * 1e-9);
            results_add(results, "verify", set, "million images a second", ways[i].title, "", (double)images / seconds * 1e-6);
        }
    munmap((void *)job.map, job.bytes);
}

/* Packed by the command: as they are, or as the tool stores them when it is not asked. */
static const struct packing {
    const char *set;
    const char *name; /* in the results */
    const char *compress;
} packings[] = {
    {"cifar", "cifar", "store"},
    {"cifar", "cifar, auto", "auto"},
    {"imagenet", "imagenet", "store"},
};

static void run_packing(const struct bench_options *options, const struct packing *packing, struct results *results)
{
    struct set *set = set_load(packing->set, options->data, options->work);
    char *path = bench_text("%s/verify.aimg", options->work);
    char *arguments[] = {(char *)options->tool,     "pack", "--quiet", "--force", "--compress",
                         (char *)packing->compress, path,   set->root, NULL};
    if (files_run(NULL, arguments))
        bench_die("aimg pack of %s failed", set->root);
    char *text = bench_text("%s, compress %s", set->title, packing->compress);
    results_heading(results, "verify", packing->name, text);
    free(text);
    run_archive(options, packing->name, set->count, path, results);
    files_remove(path);
    free(path);
    set_free(set);
}

void verify_run(const struct bench_options *options, struct results *results)
{
    for (size_t i = 0; i < sizeof packings / sizeof *packings; i++)
        if (!options->set || !strcmp(options->set, packings[i].set))
            run_packing(options, &packings[i], results);
}
