/* SPDX-License-Identifier: Apache-2.0 */
/* Dropping what was removed, against a program that copies what is left. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "archive.h"
#include "bench_options.h"
#include "buffered_file.h"

#define ROUNDS       9
#define QUICK_ROUNDS 5
#define BUFFER_BYTES (1 << 20)
#define REMOVED      10 /* one in so many */

/* A frame of an image that is alive: header and name, then the bytes. */
struct live {
    uint64_t offset, data_offset, bytes;
};

struct job {
    const struct bench_options *options;
    char *archive; /* with the dead */
    char *out;
    struct live *live;
    size_t count;
};

static void make_archive(const struct set *set, const char *path)
{
    struct aimg_error error;
    struct aimg_writer *writer = archive_create(path);
    uint64_t state = 7;
    for (size_t i = 0; i < set->count; i++)
        archive_add(writer, set->names[i], set->name_bytes[i], set->data[i], set->bytes[i]);
    archive_commit(writer);
    for (uint32_t i = 0; i < set->count; i += REMOVED)
        archive_check(aimg_writer_remove(writer, i + (uint32_t)(bench_random(&state) % REMOVED), &error), &error);
    archive_commit(writer);
    archive_close(writer);
}

static void list_live(struct job *job)
{
    struct aimg_reader *reader = archive_open(job->archive);
    struct aimg_error error;
    job->count = (size_t)aimg_reader_count(reader);
    job->live = bench_alloc(job->count, sizeof *job->live);
    for (size_t i = 0; i < job->count; i++) {
        struct aimg_entry entry;
        uint32_t ordinal = 0;
        archive_check(aimg_reader_ordinal_at(reader, i, &ordinal, &error), &error);
        archive_check(aimg_reader_entry(reader, ordinal, &entry, &error), &error);
        job->live[i] = (struct live){entry.frame_offset, entry.data_offset, entry.stored_bytes};
    }
    aimg_reader_close(reader);
}

/* ------------------------------------------------------------------ the copying program */

static void copy_live(const struct job *job)
{
    size_t map_bytes = 0;
    const uint8_t *map = files_map(job->archive, &map_bytes);
    struct buffered_file out = {.fd = open(job->out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644),
                                .path = job->out,
                                .buffer = bench_alloc(1, BUFFER_BYTES),
                                .capacity = BUFFER_BYTES};
    if (out.fd < 0)
        bench_die("cannot make %s: %s", job->out, strerror(errno));
    for (size_t i = 0; i < job->count; i++) {
        const struct live *live = &job->live[i];
        bench_sink += XXH3_128bits(map + live->data_offset, live->bytes).low64;
        buffered_put(&out, map + live->offset, live->data_offset - live->offset + live->bytes);
    }
    buffered_flush(&out);
    if (fsync(out.fd) || close(out.fd))
        bench_die("cannot sync %s: %s", job->out, strerror(errno));
    munmap((void *)map, map_bytes);
    free(out.buffer);
}

/* ------------------------------------------------------------------ ours */

static void copy_archive(const struct job *job)
{
    struct aimg_error error;
    struct aimg_reader *reader = archive_open(job->archive);
    struct aimg_writer *writer = archive_create(job->out);
    archive_check(aimg_writer_copy(writer, reader, NULL, &error), &error);
    archive_close(writer);
    aimg_reader_close(reader);
}

static void run_command(const struct job *job)
{
    char *arguments[] = {(char *)job->options->tool, "compact", "--quiet", "-o", job->out, job->archive, NULL};
    int status = files_run(NULL, arguments);
    if (status)
        bench_die("aimg compact exited with %d", status);
}

static const struct way {
    const char *title;
    void (*run)(const struct job *job);
} ways[] = {
    {"copy of what is alive, XXH3-128, fsync", copy_live},
    {"aimg, copy into a new archive", copy_archive},
    {"aimg compact, the command", run_command},
};

static void run_rounds(const struct job *job, const char *set, unsigned rounds, struct results *results)
{
    for (unsigned round = 0; round <= rounds; round++) /* the first writes over blocks of the disk that were never written */
        for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
            files_sync(job->archive);
            double begin = bench_now();
            ways[i].run(job);
            double seconds = bench_now() - begin;
            if (round)
                results_add(results, "compact", set, "durable", ways[i].title, "s", seconds);
            if (round == rounds)
                results_add(results, "compact", set, "MB", ways[i].title, "", (double)files_bytes(job->out) * 1e-6);
            files_remove(job->out);
        }
}

static void run_set(const struct bench_options *options, const char *name, struct results *results)
{
    struct set *set = set_load(name, options->data, options->work);
    char *directory = bench_text("%s/compact", options->work);
    struct job job = {options, bench_text("%s/in.aimg", directory), bench_text("%s/out.aimg", directory), NULL, 0};
    char *text = bench_text("%s, one in ten removed", set->title);
    results_heading(results, "compact", set->name, text);
    files_make_directory(directory);
    make_archive(set, job.archive);
    files_settle(job.archive);
    list_live(&job);
    run_rounds(&job, set->name, bench_rounds(options, ROUNDS, QUICK_ROUNDS), results);
    files_remove(directory);
    free(job.archive);
    free(job.out);
    free(job.live);
    free(text);
    free(directory);
    set_free(set);
}

void compact_run(const struct bench_options *options, struct results *results)
{
    static const char *const names[] = {"cifar", "imagenet"};
    for (size_t i = 0; i < 2; i++)
        if (!options->set || !strcmp(options->set, names[i]))
            run_set(options, names[i], results);
}
