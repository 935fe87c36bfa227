/* SPDX-License-Identifier: Apache-2.0 */
/* A file whose bytes change after they were read: what a handle without a map says is right, or an error. Whoever checks bytes
 * and then fetches them again is found out. And the same with a thread that changes a real file, for copying reads with a map
 * too. */
#include "error.h"
#include "random.h"
#include "reader.h"
#include "sample.h"
#include "test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

enum { IMAGES = 24, ROUNDS = 400 };

static struct aimg_error error;

static void name_of(uint32_t k, char name[24])
{
    snprintf(name, 24, "some/%u.jpg", k);
}

static bool is_removed(uint32_t k)
{
    return k % 8 == 3;
}

static uint64_t rank_of(uint32_t k)
{
    uint64_t rank = 0;
    for (uint32_t i = 0; i < k; i++)
        rank += !is_removed(i);
    return rank;
}

static void text_of(uint32_t k, char text[24])
{
    snprintf(text, 24, "caption of %u", k * k);
}

static enum aimg_status add(struct aimg_writer *writer, const uint32_t columns[2], uint32_t k)
{
    static uint8_t data[SAMPLE_MAX_BYTES];
    char name[24], text[24];
    name_of(k, name);
    text_of(k, text);
    struct aimg_value values[2] = {{.column = columns[0], .data = &k, .bytes = sizeof k},
                                   {.column = columns[1], .data = text, .bytes = strlen(text)}};
    struct aimg_image image = {.struct_bytes = sizeof image, .name = name, .name_bytes = strlen(name), .data = data};
    image.values = values;
    image.value_count = 2;
    image.data_bytes = sample_fill(k, data);
    return aimg_writer_add(writer, &image, NULL, &error);
}

static void make(const char *path)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer = NULL;
    uint32_t columns[2];
    options.flags = 0;
    options.compress = AIMG_COMPRESS_ZSTD;
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    REQUIRE(aimg_writer_column(writer, "number", AIMG_TYPE_U32, 1, 0, &columns[0], &error) == AIMG_OK);
    REQUIRE(aimg_writer_column(writer, "caption", AIMG_TYPE_UTF8, 1, 0, &columns[1], &error) == AIMG_OK);
    for (uint32_t k = 0; k < IMAGES; k++) {
        REQUIRE(add(writer, columns, k) == AIMG_OK);
        if (k % 10 == 9)
            REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    }
    for (uint32_t k = 0; k < IMAGES; k++)
        REQUIRE(!is_removed(k) || aimg_writer_remove(writer, k, &error) == AIMG_OK);
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK && aimg_writer_close(writer, &error) == AIMG_OK);
}

/* ------------------------------------------------------------------ a file that changes after the n-th read */

struct changing {
    uint8_t *bytes;
    uint64_t count, reads;
    uint64_t change_at; /* the read, from 1, after which what it read is changed; 0: none */
    bool on;            /* after each from that one on; twice, and it is as it was */
    uint64_t seed;
};

static enum aimg_status changing_read(struct aimg_io *io, uint64_t offset, void *buffer, size_t bytes, struct aimg_error *failed)
{
    struct changing *file = io->state;
    if (offset > file->count || bytes > file->count - offset)
        return aimg_fail_at(failed, AIMG_TRUNCATED, 0, offset, "the file ends");
    memcpy(buffer, file->bytes + offset, bytes);
    uint64_t read = ++file->reads;
    if (file->change_at == 0 || bytes == 0 || read < file->change_at || (read > file->change_at && !file->on))
        return AIMG_OK;
    if (file->on) {
        for (size_t i = 0; i < bytes; i++)
            file->bytes[offset + i] ^= 0x41;
    } else {
        uint64_t random = file->seed + read;
        file->bytes[offset + random_below(&random, bytes)] ^= (uint8_t)(1u << random_below(&random, 8));
    }
    return AIMG_OK;
}

static enum aimg_status changing_size(struct aimg_io *io, uint64_t *bytes_out, struct aimg_error *failed)
{
    (void)failed;
    *bytes_out = ((struct changing *)io->state)->count;
    return AIMG_OK;
}

static void nothing(struct aimg_io *io, uint64_t offset, uint64_t bytes)
{
    (void)io;
    (void)offset;
    (void)bytes;
}

static void expect_random(struct aimg_io *io, bool random)
{
    (void)io;
    (void)random;
}

static enum aimg_status changing_close(struct aimg_io *io, struct aimg_error *failed)
{
    (void)io;
    (void)failed;
    return AIMG_OK;
}

static const struct aimg_io_ops changing_ops = {.read_at = changing_read,
                                                .size = changing_size,
                                                .announce = nothing,
                                                .forget = nothing,
                                                .expect_random = expect_random,
                                                .close = changing_close};

/* ------------------------------------------------------------------ all that can be asked */

/* Whether an answer may be looked at. Absence is an answer: it must be true. */
static bool answered(enum aimg_status status)
{
    EXPECT(status == AIMG_OK || status == AIMG_CHECKSUM || status == AIMG_CORRUPT || status == AIMG_TRUNCATED ||
           status == AIMG_IO || status == AIMG_UNSUPPORTED || status == AIMG_LIMIT);
    return status == AIMG_OK;
}

static void ask_bytes(const struct aimg_reader *reader, uint32_t k)
{
    static uint8_t data[SAMPLE_MAX_BYTES], expected[SAMPLE_MAX_BYTES];
    uint64_t bytes = 0;
    if (answered(aimg_reader_read(reader, k, 0, data, sizeof data, &bytes, &error)))
        EXPECT(bytes == sample_fill(k, expected) && memcmp(data, expected, bytes) == 0);
}

static void ask_values(const struct aimg_reader *reader, uint32_t k)
{
    char text[64], expected[24];
    uint8_t number[4] = {0};
    size_t bytes;
    int null = 0;
    text_of(k, expected);
    if (answered(aimg_reader_value(reader, 0, k, number, sizeof number, &bytes, &null, &error)))
        EXPECT(null == 0 && aimg_load32(number) == k);
    if (answered(aimg_reader_value(reader, 1, k, text, sizeof text, &bytes, &null, &error)))
        EXPECT(null == 0 && bytes == strlen(expected) && memcmp(text, expected, bytes) == 0);
}

static void ask_image(const struct aimg_reader *reader, uint32_t k)
{
    char name[1025], expected[24];
    uint32_t ordinal = 0;
    uint64_t position = 0;
    name_of(k, expected);
    if (answered(aimg_reader_name(reader, k, name, sizeof name, NULL, &error)))
        EXPECT_EQ_TEXT(name, expected);
    enum aimg_status status = aimg_reader_find(reader, expected, strlen(expected), &ordinal, &error);
    if (is_removed(k)) {
        EXPECT(status == AIMG_NOT_FOUND || !answered(status));
        return;
    }
    if (answered(status))
        EXPECT_EQ_UINT(ordinal, k);
    if (answered(aimg_reader_position_of(reader, k, &position, &error)))
        EXPECT_EQ_UINT(position, rank_of(k));
    if (answered(aimg_reader_ordinal_at(reader, rank_of(k), &ordinal, &error)))
        EXPECT_EQ_UINT(ordinal, k);
    ask_bytes(reader, k);
    ask_values(reader, k);
}

static void ask_names(const struct aimg_reader *reader)
{
    struct aimg_names *names = NULL;
    struct aimg_listed listed;
    char expected[24];
    enum aimg_status status = aimg_names_create(reader, 0, &names, &error);
    for (uint32_t k = 0; status == AIMG_OK; k++) {
        while (is_removed(k))
            k++;
        status = aimg_names_next(names, &listed, &error);
        name_of(k, expected);
        EXPECT(status != AIMG_OK || (listed.ordinal == k && strcmp(listed.name, expected) == 0));
        EXPECT(status != AIMG_END || k == IMAGES);
    }
    aimg_names_destroy(names);
}

static void ask_column(const struct aimg_reader *reader)
{
    struct aimg_values *values = NULL;
    struct aimg_column_value value;
    char expected[24];
    enum aimg_status status = aimg_values_create(reader, 1, 0, &values, &error);
    while (status == AIMG_OK) {
        status = aimg_values_next(values, &value, &error);
        if (status != AIMG_OK)
            break;
        text_of(value.ordinal, expected);
        EXPECT(value.null || (value.bytes == strlen(expected) && memcmp(value.data, expected, value.bytes) == 0));
    }
    aimg_values_destroy(values);
}

static void ask_all(const struct aimg_reader *reader)
{
    for (uint32_t k = 0; k < IMAGES; k++)
        ask_image(reader, k);
    ask_names(reader);
    ask_column(reader);
}

/* Whether the change was reached. */
static bool check_change(struct changing *file, const uint8_t *original)
{
    struct aimg_io io = {.ops = &changing_ops, .state = file, .fd = -1};
    struct aimg_source source = {.io = &io};
    struct aimg_allocator none = {NULL, NULL, NULL};
    struct aimg_located located;
    struct aimg_reader *reader = NULL;
    memcpy(file->bytes, original, file->count);
    file->reads = 0;
    REQUIRE(aimg_allocator_resolve(&none, &source.allocator));
    aimg_limits_resolve(&source.limits);
    if (answered(aimg_locate(&io, false, &located, &error)) && answered(aimg_reader_attach(&source, &located, &reader, &error))) {
        ask_all(reader);
        ask_all(reader); /* of what has been changed meanwhile */
    }
    aimg_reader_close(reader);
    return file->reads >= file->change_at;
}

static void check_changes(const char *path)
{
    size_t count;
    uint8_t *original = sample_load(path, &count);
    struct changing file = {.bytes = malloc(count), .count = count};
    REQUIRE(original != NULL && file.bytes != NULL);
    unsigned changes = 0;
    for (unsigned way = 0; way < 6; way++) {
        file.on = way == 0;
        file.seed = way * 1000003u;
        for (file.change_at = 1; check_change(&file, original); file.change_at++)
            changes++;
    }
    printf("%u changes after a read\n", changes);
    EXPECT(changes > 1000);
    free(original);
    free(file.bytes);
}

/* A mask that was checked, and whose bits are changed under the map: the list of names must not end as if it were whole. */
static void check_mask_in_map(const char *path)
{
    struct aimg_reader *reader = NULL;
    struct aimg_names *names = NULL;
    struct aimg_listed listed;
    size_t bytes;
    uint8_t *data = sample_load(path, &bytes);
    REQUIRE(data != NULL && aimg_reader_open_memory(data, bytes, NULL, &reader, &error) == AIMG_OK);
    REQUIRE(aimg_names_create(reader, 0, &names, &error) == AIMG_OK);
    EXPECT_EQ_INT(aimg_names_next(names, &listed, &error), AIMG_OK);
    for (uint32_t i = 0; i < reader->catalog.run_count; i++) {
        const struct aimg_table *table = reader->catalog.runs[i].mask_table;
        const struct aimg_section *section = table == NULL ? NULL : aimg_table_section(table, AIMG_SECTION_DEAD, 0);
        if (section != NULL)
            memset(data + table->payload + section->offset, 0xFF, (size_t)section->bytes);
    }
    enum aimg_status status = AIMG_OK;
    while (status == AIMG_OK)
        status = aimg_names_next(names, &listed, &error);
    EXPECT_EQ_INT(status, AIMG_CORRUPT);
    aimg_names_destroy(names);
    aimg_reader_close(reader);
    free(data);
}

/* ------------------------------------------------------------------ a file that another thread changes */

struct mutator {
    const char *path;
    const uint8_t *original;
    size_t bytes;
    atomic_bool stop;
    atomic_uint changes;
};

static void *mutate(void *user)
{
    struct mutator *mutator = user;
    uint64_t random = 4;
    int fd = open(mutator->path, O_RDWR | O_CLOEXEC);
    while (fd >= 0 && !atomic_load(&mutator->stop)) {
        uint64_t place = AIMG_HEAD_BYTES + random_below(&random, mutator->bytes - AIMG_HEAD_BYTES);
        uint8_t byte = (uint8_t)~mutator->original[place];
        bool changed = pwrite(fd, &byte, 1, (off_t)place) == 1 && pwrite(fd, &mutator->original[place], 1, (off_t)place) == 1;
        atomic_fetch_add(&mutator->changes, changed);
    }
    close(fd);
    return NULL;
}

/* With a map only what is copied is asked for. */
static void check_thread(const char *path, uint32_t flags)
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .flags = flags};
    struct mutator mutator = {.path = path};
    size_t bytes;
    uint8_t *original = sample_load(path, &bytes);
    pthread_t thread;
    mutator.original = original;
    mutator.bytes = bytes;
    REQUIRE(original != NULL && pthread_create(&thread, NULL, mutate, &mutator) == 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct aimg_reader *reader = NULL;
        if (!answered(aimg_reader_open(path, &options, &reader, &error)))
            continue;
        if (flags == AIMG_READER_NO_MAP)
            ask_all(reader);
        for (uint32_t k = 0; k < IMAGES; k++)
            if (!is_removed(k))
                ask_bytes(reader, k);
        aimg_reader_close(reader);
    }
    atomic_store(&mutator.stop, true);
    REQUIRE(pthread_join(thread, NULL) == 0);
    printf("%u changes by a thread\n", atomic_load(&mutator.changes));
    EXPECT(atomic_load(&mutator.changes) > 0);
    free(original);
}

int main(void)
{
    char *path = strdup(sample_path("changing.aimg"));
    REQUIRE(path != NULL);
    make(path);
    check_changes(path);
    check_mask_in_map(path);
    check_thread(path, AIMG_READER_NO_MAP);
    check_thread(path, 0);
    free(path);
    return test_end("test_changing_file");
}
