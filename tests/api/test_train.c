/* SPDX-License-Identifier: Apache-2.0 */
/* Compression auto: what is decided from samples, dictionaries in the file, for later commits and later writers, and when one is
 * damaged. */
#include "random.h"
#include "sample.h"
#include "test.h"

#include <pthread.h>

/* Three kinds of images, each under a private format of its own, so that nobody looks for its first bytes. */
enum kind {
    FAMILY = 201, /* small, and the first half is the same in all: a dictionary is the thing */
    NOISE = 202,  /* nothing helps */
    REPEATS = 203 /* large, of one pattern each: zstd alone does it */
};

enum { SAMPLES = 64, IMAGES = 120, MOST_BYTES = 80000, THREADS = 4 };

static struct aimg_error error;
static struct aimg_writer *writer;

static size_t make_image(enum kind kind, uint32_t number, uint8_t *out)
{
    uint64_t family = 7, own = 1000 + (uint64_t)number * 3 + (uint64_t)kind;
    size_t bytes = kind == REPEATS ? MOST_BYTES : 800 + number % 5;
    if (kind == FAMILY)
        random_fill(&family, out, 400);
    random_fill(&own, out + (kind == FAMILY ? 400 : 0), bytes - (kind == FAMILY ? 400 : 0));
    for (size_t i = 50; kind == REPEATS && i < bytes; i++)
        out[i] = out[i - 50];
    return bytes;
}

static enum aimg_status train(const enum kind *kinds, size_t kind_count, uint64_t expected)
{
    static struct aimg_sample samples[3 * SAMPLES];
    static uint8_t *data;
    size_t count = 0;
    if (data == NULL)
        data = malloc((size_t)3 * SAMPLES * MOST_BYTES);
    REQUIRE(data != NULL);
    for (size_t k = 0; k < kind_count; k++)
        for (uint32_t i = 0; i < SAMPLES; i++, count++)
            samples[count] = (struct aimg_sample){.data = data + count * MOST_BYTES,
                                                  .bytes = make_image(kinds[k], 10000 + i, data + count * MOST_BYTES),
                                                  .format = kinds[k]};
    return aimg_writer_train(writer, samples, count, expected, &error);
}

static const enum kind all_kinds[3] = {FAMILY, NOISE, REPEATS};

static enum aimg_status add(enum kind kind, uint32_t number)
{
    static uint8_t data[MOST_BYTES];
    char name[32];
    struct aimg_image image = {.struct_bytes = sizeof image, .name = name, .data = data, .format = kind};
    image.name_bytes = (size_t)snprintf(name, sizeof name, "%u/%u", (unsigned)kind, number);
    image.data_bytes = make_image(kind, number, data);
    return aimg_writer_add(writer, &image, NULL, &error);
}

/* Reads it by name; its coding. */
static unsigned coding_of(const struct aimg_reader *reader, enum kind kind, uint32_t number)
{
    static uint8_t expected[MOST_BYTES], got[MOST_BYTES];
    char name[32];
    uint32_t ordinal = 0;
    uint64_t bytes = 0;
    struct aimg_entry entry = {.coding = 99};
    int name_bytes = snprintf(name, sizeof name, "%u/%u", (unsigned)kind, number);
    EXPECT_EQ_INT(aimg_reader_find(reader, name, (size_t)name_bytes, &ordinal, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_reader_read(reader, ordinal, 0, got, sizeof got, &bytes, &error), AIMG_OK);
    EXPECT(bytes == make_image(kind, number, expected) && memcmp(got, expected, bytes) == 0);
    EXPECT_EQ_INT(aimg_reader_entry(reader, ordinal, &entry, &error), AIMG_OK);
    EXPECT_EQ_UINT(entry.raw_bytes, bytes);
    return entry.coding;
}

static void create(const char *path, uint32_t alignment, int level)
{
    struct aimg_writer_options options = sample_writer_options();
    options.flags = 0; /* with hints: a later writer need not read what is there */
    options.compress = AIMG_COMPRESS_AUTO;
    options.alignment = alignment;
    options.level = level;
    (void)unlink(path);
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
}

static void reopen(const char *path)
{
    struct aimg_writer_options options = sample_writer_options();
    options.compress = AIMG_COMPRESS_AUTO;
    REQUIRE(aimg_writer_open(path, &options, &writer, &error) == AIMG_OK);
}

static struct aimg_info info_of(const struct aimg_reader *reader)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    EXPECT_EQ_INT(aimg_reader_info(reader, &info, &error), AIMG_OK);
    return info;
}

static void commit_and_close(const char *path)
{
    struct aimg_verify_options options = {.struct_bytes = sizeof options};
    struct aimg_verify_result result = {.faults = 1};
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    EXPECT(aimg_verify(path, &options, &result, &error) == AIMG_OK && result.faults == 0 && result.warnings == 0);
}

static struct aimg_reader *open_reader(const char *path, uint32_t flags)
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .flags = flags};
    struct aimg_reader *reader = NULL;
    REQUIRE(aimg_reader_open(path, &options, &reader, &error) == AIMG_OK);
    return reader;
}

/* ------------------------------------------------------------------ what is decided */

static void check_codings(const struct aimg_reader *reader)
{
    struct aimg_coding coding;
    REQUIRE(aimg_reader_coding(reader, 0, &coding, &error) == AIMG_OK);
    EXPECT(coding.coding == 2 && coding.codec == 1 && coding.dictionary_bytes >= 256 && coding.dictionary_bytes <= 4096);
    EXPECT_EQ_INT(aimg_reader_coding(reader, 1, &coding, &error), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(aimg_reader_coding(reader, 0, NULL, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_reader_coding(NULL, 0, &coding, &error), AIMG_INVALID_ARGUMENT);
    struct aimg_info info = info_of(reader);
    EXPECT(info.coding_count == 1 && (info.incompat & 3) == 3); /* ZSTD and ZSTD_DICT */
}

static void check_decisions(const char *path, uint32_t alignment, int level)
{
    create(path, alignment, level);
    EXPECT_EQ_UINT(aimg_writer_scratch_bytes(writer, 1000, NOISE) > 0, 1); /* not decided yet */
    EXPECT_EQ_INT(train(all_kinds, 3, 3 * IMAGES), AIMG_OK);
    EXPECT_EQ_UINT(aimg_writer_scratch_bytes(writer, 1000, NOISE), 0);
    EXPECT_EQ_INT(train(all_kinds, 3, 3 * IMAGES), AIMG_OK); /* again: the dictionary that there is, still in memory */
    EXPECT(aimg_writer_scratch_bytes(writer, 1000, FAMILY) > 1000 && aimg_writer_scratch_bytes(writer, 0, FAMILY) == 0);
    for (uint32_t commit = 0; commit < 2; commit++) { /* the second with the dictionary of the first */
        for (uint32_t i = commit * IMAGES / 2; i < (commit + 1) * IMAGES / 2; i++)
            for (size_t k = 0; k < 3; k++)
                REQUIRE(add(all_kinds[k], i) == AIMG_OK);
        EXPECT_EQ_INT(train(all_kinds, 3, 3 * IMAGES), AIMG_OK); /* and when it is in the batch, not committed yet */
        EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
        check_codings(aimg_writer_base(writer));
    }
    EXPECT_EQ_INT(add(FAMILY, IMAGES), AIMG_OK);
    commit_and_close(path);
    for (uint32_t flags = 0; flags <= AIMG_READER_NO_MAP; flags++) {
        struct aimg_reader *reader = open_reader(path, flags);
        check_codings(reader);
        for (uint32_t i = 0; i < IMAGES; i++) {
            EXPECT_EQ_UINT(coding_of(reader, FAMILY, i), 2);
            EXPECT_EQ_UINT(coding_of(reader, NOISE, i), 0);
            EXPECT_EQ_UINT(coding_of(reader, REPEATS, i), 1);
        }
        aimg_reader_close(reader);
    }
}

/* A later writer takes the dictionary that is there, also after its first commit, and makes no other. */
static void check_reuse(const char *path)
{
    for (uint32_t round = 0; round < 3; round++) {
        reopen(path);
        EXPECT_EQ_INT(train(all_kinds, 3, 100000), AIMG_OK);
        EXPECT_EQ_INT(add(FAMILY, 1000 + round), AIMG_OK);
        EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
        EXPECT_EQ_INT(train(all_kinds, 1, 100000), AIMG_OK);
        EXPECT_EQ_INT(add(FAMILY, 2000 + round), AIMG_OK);
        commit_and_close(path);
    }
    reopen(path);
    EXPECT_EQ_INT(add(NOISE, 3000), AIMG_OK); /* and one that never heard of it keeps it */
    commit_and_close(path);
    struct aimg_reader *reader = open_reader(path, 0);
    check_codings(reader);
    for (uint32_t round = 0; round < 3; round++)
        EXPECT(coding_of(reader, FAMILY, 1000 + round) == 2 && coding_of(reader, FAMILY, 2000 + round) == 2);
    EXPECT_EQ_UINT(coding_of(reader, FAMILY, 5), 2);
    EXPECT_EQ_UINT(coding_of(reader, NOISE, 3000), 0);
    aimg_reader_close(reader);
}

/* A dictionary that nobody used is not written; for a handful of images none is made. */
static void check_cost(const char *path)
{
    struct aimg_reader *reader;
    create(path, 0, 0);
    EXPECT_EQ_INT(train(all_kinds, 3, 100000), AIMG_OK);
    EXPECT_EQ_INT(add(NOISE, 1), AIMG_OK);
    commit_and_close(path);
    reader = open_reader(path, 0);
    EXPECT_EQ_UINT(info_of(reader).coding_count, 0);
    aimg_reader_close(reader);
    create(path, 0, 0);
    EXPECT_EQ_INT(train(all_kinds, 1, 3), AIMG_OK);
    EXPECT_EQ_INT(add(FAMILY, 1), AIMG_OK);
    commit_and_close(path);
    reader = open_reader(path, 0);
    EXPECT(info_of(reader).coding_count == 0 && coding_of(reader, FAMILY, 1) == 0);
    aimg_reader_close(reader);
}

/* Without samples each image is tried with zstd; what saves less than a tenth is stored as it is. */
static void check_untrained(const char *path)
{
    static uint8_t data[1000];
    uint64_t random = 9;
    create(path, 0, 0);
    random_fill(&random, data, sizeof data);
    for (size_t zeros = 0; zeros <= 200; zeros += 25) {
        static uint8_t scratch[2000];
        struct aimg_prepared prepared;
        memset(data, 0, zeros);
        uint64_t needed = aimg_writer_scratch_bytes(writer, sizeof data, 77);
        REQUIRE(needed > 0 && needed <= sizeof scratch);
        EXPECT_EQ_INT(aimg_writer_prepare(writer, data, sizeof data, 77, scratch, needed, &prepared, &error), AIMG_OK);
        EXPECT(prepared.data == data && prepared.stored == (prepared.coding == 0 ? data : scratch));
        EXPECT(prepared.coding == 0 ? prepared.stored_bytes == 1000 : prepared.stored_bytes <= 900);
        EXPECT((prepared.coding == 1) == (zeros >= 125));
    }
    EXPECT_EQ_INT(add(NOISE, 1), AIMG_OK);
    EXPECT_EQ_INT(add(REPEATS, 1), AIMG_OK);
    commit_and_close(path);
    struct aimg_reader *reader = open_reader(path, 0);
    EXPECT(coding_of(reader, NOISE, 1) == 0 && coding_of(reader, REPEATS, 1) == 1);
    aimg_reader_close(reader);
}

/* A beginning stands for its image: a header that compresses well does not make the rest do so. */
static void check_beginnings(const char *path)
{
    enum { KNOWN = 8000 };
    static uint8_t data[SAMPLES][KNOWN];
    struct aimg_sample samples[SAMPLES];
    for (int header = 0; header < 2; header++) {
        create(path, 0, 0);
        for (uint32_t i = 0; i < SAMPLES; i++) {
            uint64_t random = i;
            random_fill(&random, data[i], KNOWN);
            for (size_t k = 0; k < KNOWN; k++)
                if (header == 1 ? k < KNOWN / 4 : k % 8 < 2)
                    data[i][k] = 0;
            samples[i] = (struct aimg_sample){.data = data[i], .bytes = KNOWN, .format = NOISE, .image_bytes = 1000000};
        }
        EXPECT_EQ_INT(aimg_writer_train(writer, samples, SAMPLES, 1000, &error), AIMG_OK);
        EXPECT_EQ_UINT(aimg_writer_scratch_bytes(writer, 1000, NOISE) == 0, header == 1);
        EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    }
}

/* ------------------------------------------------------------------ samples that nobody should give */

static void check_hostile(const char *path)
{
    static uint8_t bytes[4096];
    struct aimg_sample samples[40];
    create(path, 0, 0);
    EXPECT_EQ_INT(aimg_writer_train(NULL, NULL, 0, 0, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_writer_train(writer, NULL, 1, 0, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_writer_train(writer, NULL, 0, UINT64_MAX, &error), AIMG_OK);
    const struct aimg_sample bad[] = {{.data = NULL, .bytes = 1},
                                      {.data = bytes, .bytes = 1, .format = 256},
                                      {.data = bytes, .bytes = 1, .reserved = 1},
                                      {.data = bytes, .bytes = UINT64_MAX},
                                      {.data = bytes, .bytes = 1, .image_bytes = UINT64_MAX}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        EXPECT_EQ_INT(aimg_writer_train(writer, &bad[i], 1, 0, &error), AIMG_INVALID_ARGUMENT);
    /* Nothing but nothing; one image; all the same; of each size one; noise: any answer will do, and images are stored all the
     * same. */
    uint64_t random = 3;
    random_fill(&random, bytes, sizeof bytes);
    for (unsigned way = 0; way < 6; way++) {
        for (size_t i = 0; i < 40; i++)
            samples[i] = (struct aimg_sample){.data = way == 0 ? NULL : bytes + (way == 4 ? i : 0), .format = way};
        for (size_t i = 0; i < 40; i++)
            samples[i].bytes = way == 0 ? 0 : way == 2 ? 900 : way == 3 ? i : way == 4 ? 1 + i % 3 : sizeof bytes;
        for (uint64_t expected = 0; expected < 2; expected++)
            EXPECT_EQ_INT(aimg_writer_train(writer, samples, way == 1 ? 1 : 40, expected == 0 ? 0 : UINT64_MAX, &error), AIMG_OK);
    }
    EXPECT_EQ_INT(add(FAMILY, 1), AIMG_OK);
    EXPECT_EQ_INT(add(NOISE, 1), AIMG_OK);
    EXPECT_EQ_INT(add(REPEATS, 1), AIMG_OK);
    commit_and_close(path);
    struct aimg_reader *reader = open_reader(path, 0);
    for (size_t k = 0; k < 3; k++)
        (void)coding_of(reader, all_kinds[k], 1);
    aimg_reader_close(reader);
}

/* In the other modes nothing is decided. */
static void check_other_modes(const char *path)
{
    for (uint32_t compress = AIMG_COMPRESS_STORE; compress <= AIMG_COMPRESS_ZSTD; compress++) {
        struct aimg_writer_options options = sample_writer_options();
        options.compress = compress;
        (void)unlink(path);
        REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
        EXPECT_EQ_INT(train(all_kinds, 3, 1000), AIMG_OK);
        EXPECT_EQ_UINT(aimg_writer_scratch_bytes(writer, 1000, FAMILY) > 0, compress == AIMG_COMPRESS_ZSTD);
        EXPECT_EQ_UINT(aimg_writer_scratch_bytes(writer, 1000, NOISE) > 0, compress == AIMG_COMPRESS_ZSTD);
        EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    }
}

static void check_prepared_elsewhere(const char *path)
{
    static uint8_t data[MOST_BYTES], scratch[2000];
    struct aimg_prepared prepared;
    struct aimg_image image = {.struct_bytes = sizeof image, .name = "a", .name_bytes = 1, .prepared = &prepared};
    create(path, 0, 0);
    EXPECT_EQ_INT(train(all_kinds, 1, 100000), AIMG_OK);
    size_t bytes = make_image(FAMILY, 1, data);
    EXPECT_EQ_INT(aimg_writer_prepare(writer, data, bytes, 256, NULL, 0, &prepared, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_writer_prepare(writer, data, bytes, FAMILY, scratch, sizeof scratch, &prepared, &error), AIMG_OK);
    EXPECT_EQ_UINT(prepared.coding, 2);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    create(path, 0, 0); /* a writer that does not know the dictionary */
    EXPECT_EQ_INT(aimg_writer_add(writer, &image, NULL, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(add(NOISE, 1), AIMG_OK);
    commit_and_close(path);
}

/* ------------------------------------------------------------------ the same bytes, threads, damage */

static void check_deterministic(const char *path, const char *other)
{
    size_t sizes[2];
    uint8_t *files[2];
    for (unsigned i = 0; i < 2; i++) {
        create(i == 0 ? path : other, 0, 0);
        EXPECT_EQ_INT(train(all_kinds, 3, 1000), AIMG_OK);
        for (uint32_t k = 0; k < IMAGES; k++)
            EXPECT_EQ_INT(add(all_kinds[k % 3], k), AIMG_OK);
        commit_and_close(i == 0 ? path : other);
        files[i] = sample_load(i == 0 ? path : other, &sizes[i]);
        REQUIRE(files[i] != NULL);
    }
    REQUIRE(sizes[0] == sizes[1]);
    EXPECT_EQ_BYTES(files[0], files[1], sizes[0]);
    free(files[0]);
    free(files[1]);
}

struct preparing {
    uint32_t first;
    struct aimg_prepared prepared[IMAGES];
    uint8_t data[IMAGES][1000], scratch[IMAGES][2000];
};

static void *prepare(void *argument)
{
    struct preparing *mine = argument;
    for (uint32_t i = 0; i < IMAGES; i++)
        if (aimg_writer_prepare(writer, mine->data[i], make_image(FAMILY, mine->first + i, mine->data[i]), FAMILY,
                                mine->scratch[i], sizeof mine->scratch[i], &mine->prepared[i], NULL) != AIMG_OK)
            return NULL;
    return argument;
}

/* Threads code with one dictionary while the writer's own puts it into the file. */
static void check_threads(const char *path)
{
    static struct preparing all[THREADS];
    pthread_t threads[THREADS];
    create(path, 0, 0);
    EXPECT_EQ_INT(train(all_kinds, 1, 100000), AIMG_OK);
    for (uint32_t t = 0; t < THREADS; t++) {
        all[t].first = 10 * IMAGES * (t + 1);
        REQUIRE(pthread_create(&threads[t], NULL, prepare, &all[t]) == 0);
        EXPECT_EQ_INT(add(FAMILY, t), AIMG_OK);
        if (t == 1)
            EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    }
    for (uint32_t t = 0; t < THREADS; t++) {
        void *done = NULL;
        REQUIRE(pthread_join(threads[t], &done) == 0 && done != NULL);
        for (uint32_t i = 0; i < IMAGES; i++) {
            char name[32];
            struct aimg_image image = {
                .struct_bytes = sizeof image, .name = name, .prepared = &all[t].prepared[i], .format = FAMILY};
            image.name_bytes = (size_t)snprintf(name, sizeof name, "%u/%u", (unsigned)FAMILY, all[t].first + i);
            EXPECT_EQ_INT(aimg_writer_add(writer, &image, NULL, &error), AIMG_OK);
        }
    }
    commit_and_close(path);
    struct aimg_reader *reader = open_reader(path, 0);
    for (uint32_t t = 0; t < THREADS; t++)
        for (uint32_t i = 0; i < IMAGES; i++)
            EXPECT_EQ_UINT(coding_of(reader, FAMILY, all[t].first + i), 2);
    aimg_reader_close(reader);
}

static void count_dictionary_faults(void *user, const struct aimg_finding *finding)
{
    *(unsigned *)user += finding->rule == 51 || finding->rule == 18;
}

/* A dictionary with one bit turned: nothing that needs it is read, the rest is, verify says so, and a later writer does without.
 */
static void check_damage(const char *path)
{
    static const uint8_t magic[4] = {0x37, 0xA4, 0x30, 0xEC};
    static uint8_t out[MOST_BYTES];
    size_t bytes, at = 0;
    uint64_t got;
    unsigned faults = 0;
    create(path, 0, 0);
    EXPECT_EQ_INT(train(all_kinds, 3, 100000), AIMG_OK);
    EXPECT_EQ_INT(add(FAMILY, 0), AIMG_OK);
    EXPECT_EQ_INT(add(NOISE, 0), AIMG_OK);
    commit_and_close(path);
    uint8_t *file = sample_load(path, &bytes);
    REQUIRE(file != NULL);
    while (at + 600 < bytes && memcmp(file + at, magic, sizeof magic) != 0)
        at++;
    REQUIRE(at + 600 < bytes);
    file[at + 500] ^= 4;
    REQUIRE(sample_store(path, file, bytes));
    free(file);
    for (uint32_t flags = 0; flags <= AIMG_READER_NO_MAP; flags++) {
        struct aimg_reader *reader = open_reader(path, flags);
        EXPECT_EQ_INT(aimg_reader_read(reader, 0, 0, out, sizeof out, &got, &error), AIMG_CHECKSUM);
        EXPECT_EQ_UINT(error.rule, 51);
        EXPECT_EQ_INT(aimg_reader_read(reader, 0, AIMG_READ_UNVERIFIED, out, sizeof out, &got, &error), AIMG_CHECKSUM);
        EXPECT_EQ_UINT(coding_of(reader, NOISE, 0), 0);
        aimg_reader_close(reader);
    }
    struct aimg_verify_options options = {.struct_bytes = sizeof options, .user = &faults, .finding = count_dictionary_faults};
    struct aimg_verify_result result = {.faults = 0};
    EXPECT_EQ_INT(aimg_verify(path, &options, &result, &error), AIMG_OK);
    EXPECT(result.faults > 0 && faults > 0);
    reopen(path);
    EXPECT_EQ_INT(train(all_kinds, 3, 100000), AIMG_OK);
    EXPECT_EQ_INT(add(FAMILY, 1), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    EXPECT_EQ_UINT(coding_of(aimg_writer_base(writer), FAMILY, 1), 3);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
}

int main(void)
{
    const char *path = strdup(sample_path("train.aimg"));
    REQUIRE(path != NULL);
    check_decisions(path, 4096, 1);
    check_decisions(path, 8, 12);
    check_reuse(path);
    check_cost(path);
    check_untrained(path);
    check_beginnings(path);
    check_hostile(path);
    check_other_modes(path);
    check_prepared_elsewhere(path);
    check_deterministic(path, sample_path("other.aimg"));
    check_threads(path);
    check_damage(path);
    free((void *)(uintptr_t)path);
    return test_end("test_train");
}
