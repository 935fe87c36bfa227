/* SPDX-License-Identifier: Apache-2.0 */
/* Writing: options, names and sizes at their limits, who may write, what a commit keeps, memory that is given back, limits of a
 * reader. */
#include "counting.h"
#include "random.h"
#include "sample.h"
#include "test.h"

#include <sys/stat.h>

static struct aimg_error error;
static struct aimg_writer *writer;
static struct aimg_reader *reader;

static enum aimg_status add_bytes(const char *name, size_t name_bytes, const void *data, uint64_t bytes, uint32_t flags)
{
    struct aimg_image image = {
        .struct_bytes = sizeof image, .name = name, .name_bytes = name_bytes, .data = data, .data_bytes = bytes, .flags = flags};
    return aimg_writer_add(writer, &image, NULL, &error);
}

static void open_reader(const char *path)
{
    reader = NULL;
    if (!EXPECT_EQ_INT(aimg_reader_open(path, NULL, &reader, &error), AIMG_OK))
        fprintf(stderr, "  %s\n", error.message);
    REQUIRE(reader != NULL);
}

/* ------------------------------------------------------------------ an archive without images */

static void check_empty(void)
{
    const char *path = sample_path("empty");
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct aimg_names *names;
    struct aimg_listed listed;
    struct aimg_bytes one;
    struct aimg_chunk chunk;
    uint32_t ordinal = 5;
    uint64_t position, bytes, images;
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    EXPECT_EQ_UINT(aimg_reader_count(aimg_writer_base(writer)), 0);
    EXPECT_EQ_INT(aimg_writer_find(writer, "a", 1, &ordinal, &error), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(aimg_writer_remove(writer, 0, &error), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK); /* nothing to commit */
    aimg_writer_pending(writer, &images, &bytes);
    EXPECT(images == 0 && bytes == 0);
    for (unsigned round = 0; round < 2; round++) {
        EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
        open_reader(path);
        EXPECT(aimg_reader_info(reader, &info, &error) == AIMG_OK && info.commit_count == round && info.listed_count == 0 &&
               info.ordinal_count == 0);
        EXPECT(aimg_reader_count(reader) == 0 && aimg_reader_ordinal_count(reader) == 0);
        EXPECT_EQ_INT(aimg_reader_find(reader, "a", 1, &ordinal, &error), AIMG_NOT_FOUND);
        EXPECT_EQ_INT(aimg_reader_borrow(reader, 0, 0, &one, &error), AIMG_NOT_FOUND);
        EXPECT_EQ_INT(aimg_reader_borrow_name(reader, "a", 1, 0, &one, &error), AIMG_NOT_FOUND);
        EXPECT_EQ_INT(aimg_reader_borrow_batch(reader, &ordinal, 1, 0, &one, &error), AIMG_NOT_FOUND);
        EXPECT_EQ_INT(aimg_reader_read(reader, 0, 0, NULL, 0, &bytes, &error), AIMG_NOT_FOUND);
        EXPECT_EQ_INT(aimg_reader_ordinal_at(reader, 0, &ordinal, &error), AIMG_NOT_FOUND);
        EXPECT_EQ_INT(aimg_reader_position_of(reader, 0, &position, &error), AIMG_NOT_FOUND);
        EXPECT_EQ_INT(aimg_reader_chunk(reader, 0, 0, &chunk, &error), AIMG_NOT_FOUND);
        REQUIRE(aimg_names_create(reader, 0, &names, &error) == AIMG_OK);
        EXPECT_EQ_INT(aimg_names_next(names, &listed, &error), AIMG_END);
        aimg_names_destroy(names);
        aimg_reader_close(reader);
        EXPECT(sample_verifies(path, 0, 0));
        REQUIRE(aimg_writer_open(path, &options, &writer, &error) == AIMG_OK);
        EXPECT_EQ_INT(aimg_writer_commit(writer, "only a message", &error), AIMG_OK);
    }
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
}

/* ------------------------------------------------------------------ names and sizes */

static void check_names(void)
{
    static const char *const wrong[] = {"", "/a", "a/", "a//b", ".", "..", "a/../b", "a\\b", "a\nb", "\xFF", "a\xC2\x85"};
    const char *path = sample_path("names");
    struct aimg_writer_options options = sample_writer_options();
    char longest[1030], found[1100];
    size_t bytes;
    uint32_t ordinal;
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        EXPECT_EQ_INT(add_bytes(wrong[i], strlen(wrong[i]), "x", 1, 0), AIMG_INVALID_ARGUMENT);
        EXPECT_EQ_INT(aimg_name_check(wrong[i], strlen(wrong[i]), &error), AIMG_INVALID_ARGUMENT);
    }
    EXPECT_EQ_INT(add_bytes("", 0, "x", 1, AIMG_ADD_ATTACHMENT), AIMG_OK);
    memset(longest, 'n', sizeof longest);
    for (size_t i = 200; i < sizeof longest; i += 200)
        longest[i] = '/';
    EXPECT_EQ_INT(add_bytes(longest, 1025, "x", 1, 0), AIMG_INVALID_ARGUMENT);
    for (size_t length = 1; length <= 1024; length += length < 20 || length > 1010 ? 1 : 37)
        if (longest[length - 1] != '/')
            EXPECT_EQ_INT(add_bytes(longest, length, longest, length, 0), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    open_reader(path);
    for (uint32_t k = 1; k < aimg_reader_ordinal_count(reader); k++) {
        uint64_t size = 0;
        EXPECT_EQ_INT(aimg_reader_name(reader, k, found, 1025, &bytes, &error), AIMG_OK);
        EXPECT(memcmp(found, longest, bytes) == 0 && found[bytes] == 0);
        EXPECT(aimg_reader_find(reader, longest, bytes, &ordinal, &error) == AIMG_OK && ordinal == k);
        EXPECT(aimg_reader_read(reader, k, 0, found, sizeof found, &size, &error) == AIMG_OK && size == bytes);
    }
    EXPECT(aimg_reader_name(reader, 0, found, 1, &bytes, &error) == AIMG_OK && bytes == 0 && found[0] == 0);
    aimg_reader_close(reader);
    EXPECT(sample_verifies(path, 0, 0));
}

/* Stored bytes begin where the alignment says, whatever stands before them. */
static void check_alignment(void)
{
    struct aimg_writer_options options = sample_writer_options();
    const char *path = sample_path("aligned");
    char name[40];
    for (uint32_t alignment = 8; alignment <= 4096; alignment *= 2) {
        options.alignment = alignment;
        (void)unlink(path);
        REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
        for (uint32_t k = 0; k < 24; k++) {
            snprintf(name, sizeof name, "%.*s%u", (int)k, "nnnnnnnnnnnnnnnnnnnnnnnnn", k);
            EXPECT_EQ_INT(sample_add(writer, name, k, 0, NULL, &error), AIMG_OK);
        }
        EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
        EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
        open_reader(path);
        for (uint32_t k = 0; k < 24; k++) {
            struct aimg_entry entry;
            EXPECT(aimg_reader_entry(reader, k, &entry, &error) == AIMG_OK && entry.data_offset % alignment == 0);
            EXPECT(sample_equals(reader, k, k));
        }
        aimg_reader_close(reader);
        EXPECT(sample_verifies(path, 0, 0));
    }
    static const uint32_t wrong[] = {1, 4, 12, 24, 8192, UINT32_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        options.alignment = wrong[i];
        EXPECT_EQ_INT(aimg_writer_create(sample_path("never"), &options, &writer, &error), AIMG_INVALID_ARGUMENT);
    }
    EXPECT(access(sample_path("never"), F_OK) != 0); /* refused before a file was made */
}

static void check_options(void)
{
    struct aimg_writer_options options = sample_writer_options();
    const char *path = sample_path("never");
    char program[300];
    options.flags = 8;
    EXPECT_EQ_INT(aimg_writer_create(path, &options, &writer, &error), AIMG_INVALID_ARGUMENT);
    options = sample_writer_options();
    options.compress = 3;
    EXPECT_EQ_INT(aimg_writer_create(path, &options, &writer, &error), AIMG_INVALID_ARGUMENT);
    options = sample_writer_options();
    options.level = 23;
    EXPECT_EQ_INT(aimg_writer_create(path, &options, &writer, &error), AIMG_INVALID_ARGUMENT);
    options = sample_writer_options();
    options.reserved = 1;
    EXPECT_EQ_INT(aimg_writer_create(path, &options, &writer, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_writer_open(path, &options, &writer, &error), AIMG_INVALID_ARGUMENT);
    options = sample_writer_options();
    options.struct_bytes = 7;
    EXPECT_EQ_INT(aimg_writer_create(path, &options, &writer, &error), AIMG_INVALID_ARGUMENT);
    options = sample_writer_options();
    memset(program, 'p', sizeof program);
    program[255] = 0;
    options.program = program;
    EXPECT_EQ_INT(aimg_writer_create(path, &options, &writer, &error), AIMG_INVALID_ARGUMENT);
    options.program = "a\nb";
    EXPECT_EQ_INT(aimg_writer_create(path, &options, &writer, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_writer_create(NULL, NULL, &writer, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_writer_create(path, NULL, NULL, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_writer_open(path, NULL, &writer, &error), AIMG_NOT_FOUND);
    EXPECT(access(path, F_OK) != 0);
    REQUIRE(aimg_writer_create(path, NULL, &writer, &error) == AIMG_OK); /* all defaults */
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_create(path, NULL, &writer, &error), AIMG_EXISTS);
    EXPECT_EQ_INT(aimg_writer_close(NULL, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_commit(NULL, NULL, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_writer_add(NULL, NULL, NULL, &error), AIMG_INVALID_ARGUMENT);
}

/* ------------------------------------------------------------------ what is the same, and what differs */

static void make(const char *path, const struct aimg_writer_options *options)
{
    (void)unlink(path);
    REQUIRE(aimg_writer_create(path, options, &writer, &error) == AIMG_OK);
    for (uint32_t k = 0; k < 30; k++) {
        char name[16];
        snprintf(name, sizeof name, "%u", k);
        EXPECT_EQ_INT(sample_add(writer, name, k, 0, NULL, &error), AIMG_OK);
        if (k % 10 == 9)
            EXPECT_EQ_INT(aimg_writer_commit(writer, "ten more", &error), AIMG_OK);
    }
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
}

static void check_deterministic(void)
{
    struct aimg_writer_options options = sample_writer_options();
    size_t sizes[3];
    uint8_t *files[3];
    options.compress = AIMG_COMPRESS_ZSTD;
    make(sample_path("same1"), &options);
    make(sample_path("same2"), &options);
    options.seed = NULL;
    make(sample_path("same3"), &options);
    for (unsigned i = 0; i < 3; i++) {
        char name[8];
        snprintf(name, sizeof name, "same%u", i + 1);
        files[i] = sample_load(sample_path(name), &sizes[i]);
        REQUIRE(files[i] != NULL);
    }
    EXPECT_EQ_UINT(sizes[0], sizes[1]);
    EXPECT_EQ_BYTES(files[0], files[1], sizes[0]);
    EXPECT(memcmp(files[0] + 16, files[2] + 16, 16) != 0); /* another identity */
    for (unsigned i = 0; i < 3; i++)
        free(files[i]);
}

static void check_messages(void)
{
    const char *path = sample_path("messages");
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_commit commit;
    char message[300];
    options.program = "test";
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    memset(message, 'm', sizeof message);
    message[255] = 0;
    EXPECT_EQ_INT(aimg_writer_commit(writer, message, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_writer_commit(writer, "\xC3", &error), AIMG_INVALID_ARGUMENT);
    message[254] = 0;
    EXPECT_EQ_INT(aimg_writer_commit(writer, message, &error), AIMG_OK); /* a refused message does no harm */
    EXPECT_EQ_INT(aimg_writer_commit(writer, "line\nline \xC3\xA9", &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_commit(writer, "", &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    open_reader(path);
    EXPECT(aimg_reader_commit(reader, 0, &commit, &error) == AIMG_OK && strcmp(commit.message, message) == 0);
    EXPECT(aimg_reader_commit(reader, 1, &commit, &error) == AIMG_OK && strcmp(commit.message, "line\nline \xC3\xA9") == 0);
    EXPECT(aimg_reader_commit(reader, 2, &commit, &error) == AIMG_OK && commit.message[0] == 0);
    struct aimg_info info = {.struct_bytes = sizeof info};
    EXPECT(aimg_reader_info(reader, &info, &error) == AIMG_OK && strcmp(info.writer, "test") == 0 && info.commit_count == 3);
    aimg_reader_close(reader);
    EXPECT(sample_verifies(path, 0, 0));
}

/* Made ready elsewhere, added here. */
static void check_prepared(void)
{
    static uint8_t data[SAMPLE_MAX_BYTES], scratch[2 * SAMPLE_MAX_BYTES];
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_prepared prepared, plain;
    const char *path = sample_path("prepared");
    for (uint32_t compress = 0; compress < 2; compress++) {
        options.compress = compress;
        (void)unlink(path);
        REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
        for (uint32_t k = 0; k < 20; k++) {
            char name[16];
            uint64_t bytes = sample_fill(k, data), needed = aimg_writer_scratch_bytes(writer, bytes, 0);
            EXPECT((needed == 0) == (compress == 0 || bytes == 0) && needed <= sizeof scratch);
            EXPECT_EQ_INT(aimg_writer_prepare(writer, data, bytes, 0, needed == 0 ? NULL : scratch, needed, &prepared, &error),
                          AIMG_OK);
            EXPECT_EQ_INT(aimg_writer_prepare(writer, data, bytes, 0, NULL, 0, &plain, &error), AIMG_OK);
            EXPECT(plain.coding == 0 && plain.stored == data && plain.stored_bytes == bytes &&
                   memcmp(plain.hash, prepared.hash, 16) == 0);
            EXPECT(prepared.raw_bytes == bytes && prepared.coding == (compress == 1 && k % 2 == 0 && bytes > 30));
            struct aimg_image image = {.struct_bytes = sizeof image, .name = name, .prepared = &prepared};
            image.name_bytes = (size_t)snprintf(name, sizeof name, "%u", k);
            EXPECT_EQ_INT(aimg_writer_add(writer, &image, NULL, &error), AIMG_OK);
        }
        EXPECT_EQ_INT(aimg_writer_prepare(writer, NULL, 5, 0, NULL, 0, &prepared, &error), AIMG_INVALID_ARGUMENT);
        EXPECT_EQ_INT(aimg_writer_prepare(writer, data, UINT64_C(1) << 47, 0, NULL, 0, &prepared, &error), AIMG_LIMIT);
        EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
        for (uint32_t k = 0; k < 20; k++)
            EXPECT(sample_equals(aimg_writer_base(writer), k, k));
        EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
        EXPECT(sample_verifies(path, 0, 0));
    }
}

/* ------------------------------------------------------------------ who may write, and when */

/* Readers are welcome; what the writer has not committed is no torn tail to them. */
static void check_beside_writer(const char *path)
{
    static const uint8_t large[3 << 20];
    struct aimg_info info = {.struct_bytes = sizeof info};
    open_reader(path);
    EXPECT(aimg_reader_info(reader, &info, &error) == AIMG_OK && info.tail_bytes == 0 && info.being_written == 0);
    aimg_reader_close(reader);
    EXPECT_EQ_INT(add_bytes("large", 5, large, sizeof large, 0), AIMG_OK);
    open_reader(path);
    EXPECT(aimg_reader_info(reader, &info, &error) == AIMG_OK && info.tail_bytes >= sizeof large && info.being_written == 1);
    aimg_reader_close(reader);
}

static void check_second_writer(void)
{
    const char *path = sample_path("busy");
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *second = NULL;
    REQUIRE(sample_archive(path, 1, 3));
    REQUIRE(aimg_writer_open(path, &options, &writer, &error) == AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_open(path, &options, &second, &error), AIMG_BUSY);
    EXPECT(second == NULL && strstr(error.message, "another writer") != NULL);
    check_beside_writer(path);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_open(path, &options, &writer, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    REQUIRE(chmod(path, 0444) == 0);
    if (geteuid() != 0)
        EXPECT_EQ_INT(aimg_writer_open(path, &options, &writer, &error), AIMG_IO);
}

/* What was not committed is gone after close; a tail that someone left is dropped and told. */
static void check_dropped(void)
{
    const char *path = sample_path("dropped");
    struct aimg_writer_options options = sample_writer_options();
    uint64_t bytes, images;
    size_t before, after;
    REQUIRE(sample_archive(path, 2, 3));
    free(sample_load(path, &before));
    REQUIRE(aimg_writer_open(path, &options, &writer, &error) == AIMG_OK);
    aimg_writer_dropped(writer, &bytes, &images);
    EXPECT(bytes == 0 && images == 0);
    for (uint32_t k = 0; k < 20; k++) { /* more than fits the writer's buffer */
        char name[16];
        snprintf(name, sizeof name, "big%u", k);
        EXPECT_EQ_INT(sample_add(writer, name, SAMPLE_BIG + k, 0, NULL, &error), AIMG_OK);
    }
    EXPECT_EQ_INT(sample_add(writer, "big3", 1, 0, NULL, &error), AIMG_EXISTS);
    aimg_writer_pending(writer, &images, &bytes);
    EXPECT(images == 20 && bytes == 20 * (uint64_t)SAMPLE_MAX_BYTES);
    uint8_t *during = sample_load(path, &after);
    REQUIRE(during != NULL && after > before + 20 * SAMPLE_MAX_BYTES / 2);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    size_t closed;
    free(sample_load(path, &closed));
    EXPECT_EQ_UINT(closed, before);
    REQUIRE(sample_store(path, during, after)); /* as if the writer had been killed */
    REQUIRE(aimg_writer_open(path, &options, &writer, &error) == AIMG_OK);
    aimg_writer_dropped(writer, &bytes, &images);
    EXPECT(bytes == after - before && images >= 10 && images <= 20);
    EXPECT_EQ_INT(sample_add(writer, "big3", 1, 0, NULL, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    EXPECT(sample_verifies(path, 0, 0));
    free(during);
}

/* ------------------------------------------------------------------ memory and limits */

static void check_memory(void)
{
    static struct counting counting;
    const char *path = sample_path("memory");
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_reader_options reading = {.struct_bytes = sizeof reading};
    struct aimg_verify_options verify = {.struct_bytes = sizeof verify, .threads = 2};
    struct aimg_verify_result result;
    options.allocator = reading.allocator = verify.allocator = counting_allocator(&counting);
    options.compress = AIMG_COMPRESS_ZSTD;
    make(path, &options);
    EXPECT(counting.live == 0 && counting.allocated > 20);
    for (uint32_t flags = 0; flags <= AIMG_READER_NO_MAP; flags++) {
        reading.flags = flags;
        counting.peak_bytes = 0;
        REQUIRE(aimg_reader_open(path, &reading, &reader, &error) == AIMG_OK);
        EXPECT(counting.peak_bytes < 65536); /* whatever the number of images */
        for (uint32_t k = 0; k < 30; k++)
            EXPECT(sample_equals(reader, k, k));
        aimg_reader_close(reader);
        EXPECT(counting.live == 0);
    }
    EXPECT(aimg_verify(path, &verify, &result, &error) == AIMG_OK && result.faults == 0);
    EXPECT(counting.live == 0);
    options.allocator.free = NULL;
    EXPECT_EQ_INT(aimg_writer_open(path, &options, &writer, &error), AIMG_INVALID_ARGUMENT);
    reading.allocator.alloc = NULL;
    EXPECT_EQ_INT(aimg_reader_open(path, &reading, &reader, &error), AIMG_INVALID_ARGUMENT);
}

/* What a reader with the usual limits would refuse is stored as it is; other readers may have other limits. */
static void check_limits(void)
{
    static uint8_t zeros[3 << 20], out[3 << 20];
    const char *path = sample_path("limits");
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_reader_options reading = {.struct_bytes = sizeof reading};
    struct aimg_entry entry;
    uint64_t bytes = 0, random = 1;
    options.compress = AIMG_COMPRESS_ZSTD;
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    EXPECT_EQ_INT(add_bytes("zeros", 5, zeros, sizeof zeros, 0), AIMG_OK); /* would be several thousand times smaller */
    for (size_t i = 0; i < sizeof zeros; i += 100)
        random_fill(&random, zeros + i, 1);
    EXPECT_EQ_INT(add_bytes("packed", 6, zeros, sizeof zeros, 0), AIMG_OK);
    EXPECT_EQ_INT(add_bytes("exempt", 6, out, 1 << 20, 0), AIMG_OK); /* as much smaller, but it was not large */
    EXPECT_EQ_INT(add_bytes("small", 5, "abc", 3, 0), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_reader_read(aimg_writer_base(writer), 0, 0, out, sizeof out, &bytes, &error),
                  AIMG_OK); /* the writer's has limits too */
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    open_reader(path);
    for (uint32_t k = 0; k < 4; k++) {
        EXPECT_EQ_INT(aimg_reader_read(reader, k, 0, out, sizeof out, &bytes, &error), AIMG_OK);
        EXPECT(aimg_reader_entry(reader, k, &entry, &error) == AIMG_OK && entry.coding == (k == 1 || k == 2));
    }
    EXPECT(aimg_reader_entry(reader, 1, &entry, &error) == AIMG_OK);
    aimg_reader_close(reader);
    reading.limits.ratio = (uint32_t)(sizeof zeros / entry.stored_bytes) - 1;
    REQUIRE(aimg_reader_open(path, &reading, &reader, &error) == AIMG_OK);
    EXPECT_EQ_INT(aimg_reader_read(reader, 1, 0, out, sizeof out, &bytes, &error), AIMG_LIMIT);
    EXPECT_EQ_INT(aimg_reader_read(reader, 2, 0, out, sizeof out, &bytes, &error), AIMG_OK);
    aimg_reader_close(reader);
    reading.limits.ratio += 2;
    REQUIRE(aimg_reader_open(path, &reading, &reader, &error) == AIMG_OK);
    EXPECT(aimg_reader_read(reader, 1, 0, out, sizeof out, &bytes, &error) == AIMG_OK && memcmp(out, zeros, sizeof zeros) == 0);
    aimg_reader_close(reader);
    reading.limits.image_bytes = sizeof zeros - 1;
    REQUIRE(aimg_reader_open(path, &reading, &reader, &error) == AIMG_OK);
    EXPECT_EQ_INT(aimg_reader_read(reader, 0, 0, out, sizeof out, &bytes, &error), AIMG_LIMIT);
    EXPECT_EQ_INT(aimg_reader_read(reader, 1, 0, out, sizeof out, &bytes, &error), AIMG_LIMIT);
    EXPECT_EQ_INT(aimg_reader_read(reader, 3, 0, out, sizeof out, &bytes, &error), AIMG_OK);
    aimg_reader_close(reader);
    reading.limits.index_bytes = 1;
    EXPECT_EQ_INT(aimg_reader_open(path, &reading, &reader, &error), AIMG_LIMIT);
    EXPECT(sample_verifies(path, 0, 0));
}

int main(void)
{
    check_empty();
    check_names();
    check_alignment();
    check_options();
    check_deterministic();
    check_messages();
    check_prepared();
    check_second_writer();
    check_dropped();
    check_memory();
    check_limits();
    return test_end("test_write");
}
