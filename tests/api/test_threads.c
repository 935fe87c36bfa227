/* SPDX-License-Identifier: Apache-2.0 */
/* One reader, many threads, everything at once from a cold start: masks and dictionaries are loaded by whoever comes first. And a
 * child that reads on. */
#include "counting.h"
#include "random.h"
#include "sample.h"
#include "test.h"

#include <pthread.h>
#include <sys/wait.h>

enum { THREADS = 8, IMAGES = 200, ROUNDS = 12 };

static struct aimg_error error;
static struct counting counting;

struct job {
    const struct aimg_reader *reader;
    pthread_barrier_t *start;
    uint64_t seed;
    unsigned reads; /* each */
    uint64_t bad;
};

static void expect(struct job *job, bool good)
{
    job->bad += !good;
}

static bool removed(uint32_t k)
{
    return k % 7 == 2;
}

static void read_one(struct job *job, uint32_t k, uint64_t *random)
{
    struct aimg_bytes borrowed;
    struct aimg_error why;
    char name[1025];
    uint32_t ordinal;
    uint64_t position;
    int bytes = snprintf(name, sizeof name, "%u", k);
    enum aimg_status wanted = removed(k) ? AIMG_NOT_FOUND : AIMG_OK;
    expect(job,
           aimg_reader_find(job->reader, name, (size_t)bytes, &ordinal, &why) == wanted && (wanted != AIMG_OK || ordinal == k));
    expect(job,
           aimg_reader_borrow(job->reader, k, random_below(random, 2) == 0 ? 0 : AIMG_READ_VERIFY, &borrowed, &why) == wanted);
    expect(job, aimg_reader_position_of(job->reader, k, &position, &why) == wanted);
    if (wanted != AIMG_OK)
        return;
    expect(job, aimg_reader_ordinal_at(job->reader, position, &ordinal, &why) == AIMG_OK && ordinal == k);
    expect(job, sample_equals(job->reader, k, k));
    expect(job, aimg_reader_name(job->reader, k, name, sizeof name, NULL, &why) == AIMG_OK && (unsigned)atoi(name) == k);
}

static void read_label(struct job *job, uint32_t k)
{
    char label[32], expected[32];
    size_t bytes;
    int null;
    snprintf(expected, sizeof expected, "label %u", k % 9);
    expect(job, aimg_reader_value(job->reader, 0, k, label, sizeof label, &bytes, &null, NULL) == AIMG_OK && null == 0 &&
                    bytes == strlen(expected) && memcmp(label, expected, bytes) == 0);
}

static void *work(void *argument)
{
    struct job *job = argument;
    uint64_t random = job->seed;
    uint32_t ordinals[16];
    struct aimg_bytes batch[16];
    struct aimg_names *names;
    struct aimg_listed listed;
    (void)pthread_barrier_wait(job->start);
    for (unsigned i = 0; i < job->reads; i++) {
        uint32_t k = (uint32_t)random_below(&random, IMAGES);
        read_one(job, k, &random);
        read_label(job, k);
        for (unsigned b = 0; b < 16; b++)
            ordinals[b] = (uint32_t)random_below(&random, IMAGES);
        (void)aimg_reader_borrow_batch(job->reader, ordinals, 16, AIMG_READ_VERIFY, batch, NULL);
        for (unsigned b = 0; b < 16; b++)
            expect(job, batch[b].status == (removed(ordinals[b]) ? AIMG_NOT_FOUND : AIMG_OK));
    }
    if (aimg_names_create(job->reader, 0, &names, NULL) != AIMG_OK)
        return argument;
    uint64_t seen = 0;
    while (aimg_names_next(names, &listed, NULL) == AIMG_OK)
        seen++;
    aimg_names_destroy(names);
    expect(job, seen == aimg_reader_count(job->reader));
    return argument;
}

static void make(const char *path)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer;
    uint32_t label;
    options.compress = AIMG_COMPRESS_ZSTD;
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    REQUIRE(aimg_writer_column(writer, "label", AIMG_TYPE_DICTIONARY, 1, 0, &label, &error) == AIMG_OK);
    for (uint32_t k = 0; k < IMAGES; k++) {
        uint8_t data[SAMPLE_MAX_BYTES];
        char name[16], text[16];
        struct aimg_value value = {
            .column = label, .data = text, .bytes = (size_t)snprintf(text, sizeof text, "label %u", k % 9)};
        struct aimg_image image = {.struct_bytes = sizeof image, .name = name, .data = data, .values = &value, .value_count = 1};
        image.name_bytes = (size_t)snprintf(name, sizeof name, "%u", k);
        image.data_bytes = sample_fill(k, data);
        REQUIRE(aimg_writer_add(writer, &image, NULL, &error) == AIMG_OK);
        if (removed(k))
            REQUIRE(aimg_writer_remove(writer, k, &error) == AIMG_OK);
        if (k % 50 == 49)
            REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    }
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
}

static void run_threads(struct aimg_reader *reader, void *(*function)(void *), unsigned reads)
{
    pthread_t threads[THREADS];
    pthread_barrier_t start;
    struct job jobs[THREADS];
    REQUIRE(pthread_barrier_init(&start, NULL, THREADS) == 0);
    for (unsigned i = 0; i < THREADS; i++) {
        jobs[i] = (struct job){.reader = reader, .start = &start, .seed = i * 77 + reads, .reads = reads};
        REQUIRE(pthread_create(&threads[i], NULL, function, &jobs[i]) == 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        REQUIRE(pthread_join(threads[i], NULL) == 0);
        EXPECT_EQ_UINT(jobs[i].bad, 0);
    }
    pthread_barrier_destroy(&start);
}

/* An archive whose images need a dictionary, which the writer does not make yet. */
static void *decode_all(void *argument)
{
    struct job *job = argument;
    uint8_t out[1 << 16];
    uint64_t bytes;
    (void)pthread_barrier_wait(job->start);
    for (uint32_t k = 0; k < aimg_reader_ordinal_count(job->reader); k++)
        expect(job, aimg_reader_read(job->reader, k, 0, out, sizeof out, &bytes, NULL) == AIMG_OK);
    return argument;
}

static void check_dictionaries(uint32_t flags)
{
    struct aimg_reader_options options = {
        .struct_bytes = sizeof options, .flags = flags, .allocator = counting_allocator(&counting)};
    static const char *const files[] = {VECTORS "/good/coding-trained-dictionary.aimg",
                                        VECTORS "/good/coding-raw-dictionary.aimg"};
    for (unsigned i = 0; i < 2 * ROUNDS; i++) {
        struct aimg_reader *reader = NULL;
        if (!EXPECT_EQ_INT(aimg_reader_open(files[i % 2], &options, &reader, &error), AIMG_OK))
            continue;
        run_threads(reader, decode_all, 0);
        aimg_reader_close(reader);
        EXPECT_EQ_INT(counting.live, 0);
    }
}

static void check_threads(const char *path)
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .allocator = counting_allocator(&counting)};
    for (unsigned round = 0; round < ROUNDS; round++) { /* each begins with nothing loaded */
        struct aimg_reader *reader = NULL;
        REQUIRE(aimg_reader_open(path, &options, &reader, &error) == AIMG_OK);
        run_threads(reader, work, round == 0 ? 150 : 3);
        aimg_reader_close(reader);
        EXPECT_EQ_INT(counting.live, 0);
    }
}

/* The child goes on with what the parent had open, and both read. */
static void check_fork(const char *path, uint32_t flags)
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .flags = flags};
    struct aimg_reader *reader = NULL;
    pid_t children[3];
    int result;
    REQUIRE(aimg_reader_open(path, &options, &reader, &error) == AIMG_OK);
    EXPECT(sample_equals(reader, 0, 0));
    for (unsigned i = 0; i < 3; i++) {
        children[i] = fork();
        if (children[i] != 0)
            continue;
        bool good = true;
        for (uint32_t k = i; k < IMAGES; k++)
            good = good && (removed(k) || sample_equals(reader, k, k));
        aimg_reader_close(reader);
        _exit(good ? 0 : 1);
    }
    for (uint32_t k = 0; k < IMAGES; k++)
        EXPECT(removed(k) || sample_equals(reader, k, k));
    for (unsigned i = 0; i < 3; i++) {
        REQUIRE(waitpid(children[i], &result, 0) == children[i]);
        EXPECT_EQ_INT(result, 0);
    }
    EXPECT(sample_equals(reader, 1, 1));
    aimg_reader_close(reader);
}

/* One child closes what it got, one tries to commit it, and one just lives on: the batch is the parent's, and so is the lock. */
static void check_writer_fork(const char *path)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer;
    struct aimg_reader *reader;
    int ends[2], result;
    pid_t children[3];
    char name[16];
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK && pipe(ends) == 0);
    for (uint32_t k = 0; k < 40; k++) { /* the file has some of them, the buffer the others */
        snprintf(name, sizeof name, "%u", k);
        REQUIRE(sample_add(writer, name, SAMPLE_BIG + k, 0, NULL, &error) == AIMG_OK);
    }
    for (unsigned i = 0; i < 3; i++) {
        children[i] = fork();
        if (children[i] != 0)
            continue;
        close(ends[1]);
        if (i == 2)
            _exit(read(ends[0], name, 1) == 0 ? 0 : 1);
        bool refused = i == 0 || aimg_writer_commit(writer, NULL, &error) == AIMG_SEQUENCE;
        _exit(refused && aimg_writer_close(writer, NULL) == AIMG_OK ? 0 : 1);
    }
    for (unsigned i = 0; i < 2; i++) {
        REQUIRE(waitpid(children[i], &result, 0) == children[i]);
        EXPECT_EQ_INT(result, 0);
    }
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_open(path, &options, &writer, &error), AIMG_OK); /* although a child has the file open */
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    close(ends[1]);
    EXPECT(waitpid(children[2], &result, 0) == children[2] && result == 0);
    close(ends[0]);
    REQUIRE(aimg_reader_open(path, NULL, &reader, &error) == AIMG_OK);
    for (uint32_t k = 0; k < 40; k++)
        EXPECT(sample_equals(reader, k, SAMPLE_BIG + k));
    aimg_reader_close(reader);
}

/* Images are made ready by several threads beside the one that adds. */
struct preparing {
    const struct aimg_writer *writer;
    uint32_t first;
    struct aimg_prepared prepared[IMAGES / THREADS];
    uint8_t *memory; /* data, then scratch, for each */
};

static void *prepare(void *argument)
{
    struct preparing *mine = argument;
    for (uint32_t i = 0; i < IMAGES / THREADS; i++) {
        uint8_t *data = mine->memory + (size_t)i * 4096;
        uint64_t bytes = sample_fill(mine->first + i, data), needed = aimg_writer_scratch_bytes(mine->writer, bytes, 0);
        if (aimg_writer_prepare(mine->writer, data, bytes, 0, needed == 0 ? NULL : data + 1024, needed, &mine->prepared[i],
                                NULL) != AIMG_OK)
            return NULL;
    }
    return argument;
}

static void check_prepare(const char *path)
{
    static struct preparing all[THREADS];
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer;
    pthread_t threads[THREADS];
    options.compress = AIMG_COMPRESS_ZSTD;
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    for (uint32_t i = 0; i < THREADS; i++) {
        all[i] = (struct preparing){.writer = writer, .first = i * (IMAGES / THREADS), .memory = malloc(IMAGES / THREADS * 4096)};
        REQUIRE(all[i].memory != NULL && pthread_create(&threads[i], NULL, prepare, &all[i]) == 0);
        EXPECT_EQ_INT(sample_add(writer, i == 0 ? "beside" : "beside too", i, AIMG_ADD_REPLACE, NULL, &error), AIMG_OK);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        void *done = NULL;
        REQUIRE(pthread_join(threads[i], &done) == 0 && done != NULL);
        for (uint32_t k = 0; k < IMAGES / THREADS; k++) {
            char name[16];
            struct aimg_image image = {.struct_bytes = sizeof image, .name = name, .prepared = &all[i].prepared[k]};
            uint32_t ordinal;
            image.name_bytes = (size_t)snprintf(name, sizeof name, "%u", all[i].first + k);
            EXPECT(aimg_writer_add(writer, &image, &ordinal, &error) == AIMG_OK && ordinal == THREADS + all[i].first + k);
        }
        free(all[i].memory);
    }
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    for (uint32_t k = 0; k < IMAGES; k++)
        EXPECT(sample_equals(aimg_writer_base(writer), THREADS + k, k));
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
}

int main(void)
{
    const char *path = sample_path("threads.aimg");
    make(path);
    check_threads(path);
    check_dictionaries(0);
    check_dictionaries(AIMG_READER_NO_MAP);
    check_fork(path, 0);
    check_fork(path, AIMG_READER_NO_MAP);
    check_writer_fork(sample_path("forked.aimg"));
    check_prepare(sample_path("prepared.aimg"));
    return test_end("test_threads");
}
