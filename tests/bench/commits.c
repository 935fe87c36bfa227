/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what was packed in a thousand small commits, against the same images after sealing. */
#include <stdlib.h>

#include "archive.h"
#include "bench_options.h"
#include "files.h"
#include "scale.h"

#define COMMITS         1000
#define IMAGES          100 /* each */
#define COUNT           (COMMITS * IMAGES)
#define ROUNDS          9
#define QUICK_ROUNDS    5
#define PROCESSES       31
#define QUICK_PROCESSES 15

/* The first is the yardstick. */
static const char *const titles[] = {"sealed", "1,000 commits"};

struct names {
    char *text[COUNT];
    size_t bytes[COUNT];
};

static void make_names(const struct set *set, struct names *names)
{
    for (size_t i = 0; i < COUNT; i++) {
        names->text[i] = bench_text("%zu/%s", i / set->count, set->names[i % set->count]);
        names->bytes[i] = strlen(names->text[i]);
    }
}

static void make(const char *path, const struct set *set, const struct names *names)
{
    struct aimg_writer *writer = archive_create(path);
    for (size_t i = 0; i < COUNT; i++) {
        archive_add(writer, names->text[i], names->bytes[i], set->data[i % set->count], set->bytes[i % set->count]);
        if (i % IMAGES == IMAGES - 1)
            archive_commit(writer);
    }
    archive_close(writer);
}

static void seal(const char *path)
{
    struct aimg_error error;
    struct aimg_writer *writer = archive_append(path);
    archive_check(aimg_writer_seal(writer, NULL, &error), &error);
    archive_close(writer);
}

static void copy(const char *from, const char *to)
{
    char *arguments[] = {"cp", (char *)from, (char *)to, NULL};
    if (files_run(NULL, arguments))
        bench_die("cannot copy %s", from);
}

/* Every image must be what was added. */
static void check_bytes(const struct aimg_reader *reader, const struct set *set, const struct names *names)
{
    for (uint32_t i = 0; i < COUNT; i++) {
        struct aimg_bytes number, name;
        if (aimg_reader_borrow(reader, i, AIMG_READ_VERIFY, &number, NULL) ||
            aimg_reader_borrow_name(reader, names->text[i], names->bytes[i], 0, &name, NULL) || name.data != number.data ||
            number.bytes != set->bytes[i % set->count] || memcmp(number.data, set->data[i % set->count], number.bytes))
            bench_die("aimg: wrong bytes for %s", names->text[i]);
    }
}

static double read_numbers(const struct aimg_reader *reader, const uint32_t *order)
{
    uint64_t sum = 0;
    double begin = bench_now();
    for (size_t i = 0; i < COUNT; i++) {
        struct aimg_bytes bytes;
        if (aimg_reader_borrow(reader, order[i], 0, &bytes, NULL))
            bench_die("aimg: cannot borrow %u", order[i]);
        sum += bench_touch(bytes.data, bytes.bytes);
    }
    double seconds = bench_now() - begin;
    bench_sink += sum;
    return seconds / COUNT;
}

static double read_names(const struct aimg_reader *reader, const uint32_t *order, const struct names *names)
{
    uint64_t sum = 0;
    double begin = bench_now();
    for (size_t i = 0; i < COUNT; i++) {
        struct aimg_bytes bytes;
        if (aimg_reader_borrow_name(reader, names->text[order[i]], names->bytes[order[i]], 0, &bytes, NULL))
            bench_die("aimg: cannot borrow %s", names->text[order[i]]);
        sum += bench_touch(bytes.data, bytes.bytes);
    }
    double seconds = bench_now() - begin;
    bench_sink += sum;
    return seconds / COUNT;
}

/* What the archive before left in the caches is driven out by a whole pass first. */
static void run_reads(struct aimg_reader *const *readers, const struct names *names, unsigned rounds, struct results *results)
{
    uint32_t *order = bench_alloc(COUNT, sizeof *order);
    for (unsigned round = 0; round < rounds; round++) {
        bench_shuffle(order, COUNT, round + 1);
        for (size_t i = 0; i < 2; i++) {
            read_numbers(readers[i], order);
            results_add(results, "grow", "commits", "by number", titles[i], "ns", read_numbers(readers[i], order) * 1e9);
        }
        for (size_t i = 0; i < 2; i++) {
            read_names(readers[i], order, names);
            results_add(results, "grow", "commits", "by name", titles[i], "ns", read_names(readers[i], order, names) * 1e9);
        }
    }
    free(order);
}

static void run_opens(const struct bench_options *options, char *const *paths, const struct names *names, struct results *results)
{
    uint64_t state = 42;
    for (unsigned round = 0; round < bench_rounds(options, PROCESSES, QUICK_PROCESSES); round++) {
        uint32_t wanted = (uint32_t)(bench_random(&state) % COUNT);
        for (size_t i = 0; i < 2; i++) {
            struct scale_opened opened = scale_open_name(options, &store_aimg, paths[i], names->text[wanted]);
            results_add(results, "grow", "commits", "open", titles[i], "us", opened.open_us);
            results_add(results, "grow", "commits", "open and first read", titles[i], "us", opened.total_us);
        }
    }
}

static void measure(const struct bench_options *options, char *const *paths, const struct set *set, const struct names *names,
                    struct results *results)
{
    struct aimg_reader *readers[2];
    for (size_t i = 0; i < 2; i++) {
        struct aimg_info info = {.struct_bytes = sizeof info};
        struct aimg_error error;
        files_settle(paths[i]);
        readers[i] = archive_open(paths[i]);
        files_populate(paths[i]);
        archive_check(aimg_reader_info(readers[i], &info, &error), &error);
        results_add(results, "grow", "commits", "runs", titles[i], "", info.run_count);
        results_add(results, "grow", "commits", "tables of names", titles[i], "", info.name_run_count);
        check_bytes(readers[i], set, names);
    }
    files_pin(1);
    run_reads(readers, names, bench_rounds(options, ROUNDS, QUICK_ROUNDS), results);
    run_opens(options, paths, names, results);
    files_unpin();
    for (size_t i = 0; i < 2; i++)
        aimg_reader_close(readers[i]);
}

void commits_run(const struct bench_options *options, struct results *results)
{
    struct set *set = set_load("cifar", options->data, options->work);
    struct names *names = bench_alloc(1, sizeof *names);
    char *directory = bench_text("%s/commits", options->work);
    char *paths[2] = {bench_text("%s/sealed.aimg", directory), bench_text("%s/commits.aimg", directory)};
    results_heading(results, "grow", "commits", "1,000 commits of 100 images of CIFAR each, then sealed");
    files_make_directory(directory);
    make_names(set, names);
    if (!options->keep || !files_bytes(paths[0])) {
        make(paths[1], set, names);
        copy(paths[1], paths[0]);
        seal(paths[0]);
    }
    measure(options, paths, set, names, results);
    if (!options->keep)
        files_remove(directory);
    for (size_t i = 0; i < COUNT; i++)
        free(names->text[i]);
    free(names);
    free(paths[0]);
    free(paths[1]);
    free(directory);
    set_free(set);
}
