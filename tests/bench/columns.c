/* SPDX-License-Identifier: Apache-2.0 */
/* One number for every image, set from an array and read as arrays. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "archive.h"
#include "bench_options.h"
#include "files.h"
#include "grow.h"

#define ROUNDS 7
#define COLUMN "score"

#define LARGE_PAGE ((size_t)1 << 21)

struct column {
    const char *path; /* of the archive */
    size_t count;
    const char *set; /* the count, for results */
    float *values;
    uint32_t *copy; /* as many bytes, for memcpy */
    struct aimg_reader *reader;
    struct aimg_column column;
    struct aimg_chunk *chunks; /* all of it */
    size_t chunk_count;
};

/* With large pages where the system gives them: the page cache has them, too. */
static void *alloc_large(size_t bytes)
{
    size_t rounded = (bytes + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    void *memory = aligned_alloc(LARGE_PAGE, rounded);
    if (!memory)
        bench_die("out of memory: %zu bytes", rounded);
    madvise(memory, rounded, MADV_HUGEPAGE);
    memset(memory, 0, rounded);
    return memory;
}

static uint64_t sum_words(const void *data, size_t count)
{
    const uint32_t *words = data;
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += words[i];
    return sum;
}

/* ------------------------------------------------------------------ setting */

static void set_column(const struct column *c)
{
    struct aimg_error error;
    uint32_t id = 0;
    struct aimg_writer *writer = archive_append(c->path);
    archive_check(aimg_writer_column(writer, COLUMN, AIMG_TYPE_F32, 1, 0, &id, &error), &error);
    archive_check(aimg_writer_set_array(writer, id, 0, (uint32_t)c->count, c->values, NULL, &error), &error);
    archive_commit(writer);
    archive_close(writer);
}

/* What setting cannot be faster than on this disk. */
static void write_plain(const char *path, const struct column *c)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd >= 0)
        files_write(fd, path, (const uint8_t *)c->values, c->count * sizeof *c->values);
    if (fd < 0 || fdatasync(fd))
        bench_die("cannot write %s: %s", path, strerror(errno));
    close(fd);
}

static void measure_set(const struct column *c, unsigned rounds, struct results *results)
{
    struct archive_state before;
    char *plain = bench_text("%s.plain", c->path);
    archive_save(c->path, &before);
    for (unsigned round = 0; round <= rounds; round++) { /* the first writes over blocks of the disk that were never written */
        if (round)
            archive_restore(c->path, &before);
        files_sync(c->path);
        double begin = bench_now();
        write_plain(plain, c);
        double plain_end = bench_now();
        files_sync(c->path);
        double ours = bench_now();
        set_column(c);
        double end = bench_now();
        files_remove(plain);
        if (!round)
            continue;
        results_add(results, "columns", c->set, "set", "array to a file, fdatasync", "s", plain_end - begin);
        results_add(results, "columns", c->set, "set", "aimg, array to a column", "s", end - ours);
    }
    results_add(results, "columns", c->set, "bytes written", "array to a file, fdatasync", "",
                (double)(c->count * sizeof *c->values));
    results_add(results, "columns", c->set, "bytes written", "aimg, array to a column", "",
                (double)(files_bytes(c->path) - before.bytes));
    free(plain);
}

/* ------------------------------------------------------------------ reading */

static uint64_t read_memory(struct column *c)
{
    return sum_words(c->values, c->count);
}

static uint64_t read_copy(struct column *c)
{
    memcpy(c->copy, c->values, c->count * sizeof *c->values);
    return c->copy[c->count / 2];
}

static struct aimg_chunk chunk_at(const struct column *c, size_t first)
{
    struct aimg_chunk chunk;
    struct aimg_error error;
    archive_check(aimg_reader_chunk(c->reader, c->column.index, (uint32_t)first, &chunk, &error), &error);
    if (!chunk.values || chunk.validity || chunk.element_bytes != sizeof *c->values)
        bench_die("aimg: a chunk lacks values");
    return chunk;
}

static uint64_t read_chunks(struct column *c)
{
    uint64_t sum = 0;
    for (size_t first = 0; first < c->count;) {
        struct aimg_chunk chunk = chunk_at(c, first);
        sum += sum_words(chunk.values, chunk.count);
        first = (size_t)chunk.first + chunk.count;
    }
    return sum;
}

static uint64_t read_borrowed(struct column *c)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < c->chunk_count; i++)
        sum += sum_words(c->chunks[i].values, c->chunks[i].count);
    return sum;
}

static const struct way {
    const char *title;
    uint64_t (*read)(struct column *c);
} ways[] = {
    {"array in memory, summed", read_memory},
    {"array in memory, memcpy", read_copy},
    {"aimg, chunks verified and summed", read_chunks},
    {"aimg, chunks borrowed before, summed", read_borrowed},
};

static void open_column(struct column *c)
{
    struct aimg_error error;
    size_t capacity = 0;
    c->reader = archive_open(c->path);
    archive_check(aimg_reader_column_find(c->reader, COLUMN, &c->column, &error), &error);
    files_populate(c->path);
    c->chunks = NULL;
    c->chunk_count = 0;
    for (size_t first = 0; first < c->count; first += c->chunks[c->chunk_count++].count) {
        if (c->chunk_count == capacity) {
            capacity = capacity ? capacity * 2 : 16;
            c->chunks = realloc(c->chunks, capacity * sizeof *c->chunks);
            if (!c->chunks)
                bench_die("out of memory");
        }
        c->chunks[c->chunk_count] = chunk_at(c, first);
        if (memcmp(c->chunks[c->chunk_count].values, c->values + first, c->chunks[c->chunk_count].count * sizeof *c->values))
            bench_die("aimg: wrong values from number %zu on", first);
    }
}

static void measure_read(struct column *c, unsigned rounds, struct results *results)
{
    double bytes = (double)(c->count * sizeof *c->values);
    open_column(c);
    files_pin(1);
    for (unsigned round = 0; round <= rounds; round++)
        for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
            double begin = bench_now();
            bench_sink += ways[i].read(c);
            double seconds = bench_now() - begin;
            if (!round) /* fills page tables and caches */
                continue;
            results_add(results, "columns", c->set, "read all", ways[i].title, "ms", seconds * 1e3);
            results_add(results, "columns", c->set, "GB/s", ways[i].title, "", bytes / seconds * 1e-9);
        }
    files_unpin();
    free(c->chunks);
    aimg_reader_close(c->reader);
}

void columns_run(const struct bench_options *options, struct results *results)
{
    char *path = grow_archive(options, grow_large_count(options));
    char *set = bench_text("%zu", grow_large_count(options));
    struct column c = {.path = path, .count = grow_large_count(options), .set = set};
    struct archive_state before;
    char *text = bench_text("one f32 for each of %zu images", c.count);
    results_heading(results, "columns", c.set, text);
    c.values = alloc_large(c.count * sizeof *c.values);
    c.copy = alloc_large(c.count * sizeof *c.copy);
    for (size_t i = 0; i < c.count; i++)
        c.values[i] = (float)i / 7;
    archive_save(path, &before);
    measure_set(&c, bench_rounds(options, ROUNDS, ROUNDS), results);
    files_settle(path);
    measure_read(&c, bench_rounds(options, ROUNDS, ROUNDS), results);
    archive_restore(path, &before);
    free(c.values);
    free(c.copy);
    free(text);
    free(set);
    free(path);
}
