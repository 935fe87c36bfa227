/* SPDX-License-Identifier: Apache-2.0 */
/* What copying an archive is made of: new numbers of the living, ordinals to ordinals, names that are there twice, and every byte
 * of a living image looked at. */
#include "copy_values.h"
#include "counting.h"
#include "ordinal_map.h"
#include "random.h"
#include "sample.h"
#include "test.h"

enum { PAIRS = 5000, ROWS = 9000 };

static struct aimg_error error;
static struct counting counting;

static void check_map(void)
{
    struct aimg_allocator allocator = counting_allocator(&counting);
    struct aimg_ordinal_map map = {NULL, 0, 0};
    uint32_t value = 7;
    EXPECT(!aimg_ordinal_map_find(&map, 0, &value) && value == 7);
    for (uint32_t i = 0; i < PAIRS; i++)
        REQUIRE(aimg_ordinal_map_add(&allocator, &map, i * 3, i ^ 0x5555));
    for (uint32_t key = 0; key < 3 * PAIRS + 10; key++) {
        bool there = key % 3 == 0 && key < 3 * PAIRS;
        EXPECT(aimg_ordinal_map_find(&map, key, &value) == there && (!there || value == (key / 3 ^ 0x5555)));
    }
    EXPECT(aimg_ordinal_map_add(&allocator, &map, AIMG_ORDINAL_LIMIT - 1, 1));
    EXPECT(aimg_ordinal_map_find(&map, AIMG_ORDINAL_LIMIT - 1, &value) && value == 1);
    aimg_ordinal_map_clear(&allocator, &map);
    EXPECT(!aimg_ordinal_map_find(&map, 0, &value));
    for (uint32_t i = 0; i < 100; i++) {
        counting.fail_at = i % 2 == 0 ? counting.allocated + 1 : 0;
        if (!aimg_ordinal_map_add(&allocator, &map, i, i)) { /* nothing is lost */
            counting.fail_at = 0;
            REQUIRE(aimg_ordinal_map_add(&allocator, &map, i, i));
        }
    }
    counting.fail_at = 0;
    for (uint32_t i = 0; i < 100; i++)
        EXPECT(aimg_ordinal_map_find(&map, i, &value) && value == i);
    aimg_ordinal_map_clear(&allocator, &map);
    EXPECT_EQ_INT(counting.live, 0);
}

static void add(struct aimg_writer *writer, const char *name, uint32_t content)
{
    REQUIRE(sample_add(writer, name, content, 0, NULL, &error) == AIMG_OK);
}

static struct aimg_writer *create(const char *name)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer = NULL;
    (void)unlink(sample_path(name));
    REQUIRE(aimg_writer_create(sample_path(name), &options, &writer, &error) == AIMG_OK);
    return writer;
}

static struct aimg_reader *open_reader(const char *name)
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .allocator = counting_allocator(&counting)};
    struct aimg_reader *reader = NULL;
    REQUIRE(aimg_reader_open(sample_path(name), &options, &reader, &error) == AIMG_OK);
    return reader;
}

static enum aimg_status copy_of(const char *name, uint32_t flags)
{
    struct aimg_copy_options options = {.struct_bytes = sizeof options, .flags = flags};
    struct aimg_reader *source = open_reader(name);
    struct aimg_writer *writer = create("copy");
    if (flags == AIMG_COPY_DROP_HISTORY) { /* tables are written as it goes on */
        writer->keys_max = 64;
        writer->run_rows = 40;
    }
    enum aimg_status status = aimg_writer_copy(writer, source, &options, &error);
    EXPECT(aimg_writer_close(writer, NULL) == AIMG_OK);
    aimg_reader_close(source);
    return status;
}

/* Runs with none, few, many and all dead; ranks over more than one block. */
static void check_survivors(void)
{
    static bool dead[ROWS];
    char name[16];
    uint64_t random = 3;
    struct aimg_survivors survivors;
    struct aimg_writer *writer = create("survivors");
    for (uint32_t k = 0; k < ROWS; k++) {
        snprintf(name, sizeof name, "%u", k);
        add(writer, name, k % 900);
        if (k == 99 || k == 4999 || k == 5063)
            REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    }
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    for (uint32_t k = 100; k < ROWS; k++) {
        dead[k] = k < 5000 ? random_below(&random, 30) == 0 : k < 5064 || random_below(&random, 3) > 0;
        if (dead[k])
            REQUIRE(aimg_writer_remove(writer, k, &error) == AIMG_OK);
    }
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK && aimg_writer_close(writer, &error) == AIMG_OK);
    struct aimg_reader *reader = open_reader("survivors");
    REQUIRE(aimg_survivors_create(&survivors, reader, &error) == AIMG_OK);
    uint32_t expected = 0, number = 0;
    for (uint32_t k = 0; k < ROWS; k++) {
        EXPECT(aimg_survivors_number(&survivors, k, &number) == !dead[k]);
        if (!dead[k])
            EXPECT_EQ_UINT(number, expected++);
    }
    EXPECT_EQ_UINT(survivors.count, expected);
    aimg_survivors_destroy(&survivors);
    EXPECT_EQ_INT(copy_of("survivors", AIMG_COPY_DROP_HISTORY), AIMG_OK);
    struct aimg_reader *copy = open_reader("copy");
    EXPECT_EQ_UINT(aimg_reader_ordinal_count(copy), expected);
    for (uint32_t k = 0, next = 0; k < ROWS; k++)
        EXPECT(dead[k] || sample_equals(copy, next++, k % 900));
    aimg_reader_close(copy);
    aimg_reader_close(reader);
    EXPECT_EQ_INT(counting.live, 0);
}

/* A writer that does not look: two images of one name, in one commit or in two, side by side in the order of hashes or not. */
static void check_twice(void)
{
    for (unsigned way = 0; way < 4; way++) {
        struct aimg_writer *writer = create("twice");
        char name[16];
        for (uint32_t k = 0; k < 300; k++) {
            writer->names.keys.blind = true;
            snprintf(name, sizeof name, "%u", way % 2 == 1 && k == 250 ? 3 : k);
            add(writer, name, k);
            if (way / 2 == 1 && k % 100 == 50)
                REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
        }
        REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK && aimg_writer_close(writer, &error) == AIMG_OK);
        EXPECT_EQ_INT(copy_of("twice", 0), way % 2 == 1 ? AIMG_CORRUPT : AIMG_OK);
        if (way % 2 == 1)
            EXPECT_EQ_TEXT(error.message, "two images are named '3' (rule 54); run verify, then repair");
        EXPECT_EQ_INT(copy_of("twice", AIMG_COPY_DROP_HISTORY), way % 2 == 1 ? AIMG_CORRUPT : AIMG_OK);
    }
}

/* Half of the images are coded; five are removed. */
static void write_flips(void)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer = NULL;
    char name[16];
    options.flags = 0; /* with a hint of the last commit: it cannot be taken for a torn tail */
    options.compress = AIMG_COMPRESS_ZSTD;
    REQUIRE(aimg_writer_create(sample_path("flips"), &options, &writer, &error) == AIMG_OK);
    for (uint32_t k = 0; k < 24; k++) {
        snprintf(name, sizeof name, "%u", k);
        add(writer, name, k);
        if (k % 12 == 11)
            REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    }
    for (uint32_t k = 1; k < 24; k += 5)
        REQUIRE(aimg_writer_remove(writer, k, &error) == AIMG_OK);
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK && aimg_writer_close(writer, &error) == AIMG_OK);
}

/* A flipped bit in every second byte from the first frame to the last commit: either nothing of it is copied, or copying
 * says so. */
static void check_flips(void)
{
    size_t bytes, flips = 0, refused = 0;
    write_flips();
    uint8_t *data = sample_load(sample_path("flips"), &bytes);
    REQUIRE(data != NULL);
    for (size_t at = AIMG_HEAD_BYTES; at < bytes; at += 2) {
        struct aimg_reader *source = NULL, *target = NULL;
        data[at] ^= (uint8_t)(1u << (at % 8));
        if (aimg_reader_open_memory(data, bytes, NULL, &source, &error) == AIMG_OK) {
            struct aimg_copy_options dropping = {.struct_bytes = sizeof dropping, .flags = AIMG_COPY_DROP_HISTORY};
            struct aimg_writer *writer = create("copy");
            flips++;
            if (aimg_writer_copy(writer, source, &dropping, &error) != AIMG_OK)
                refused++;
            else if (EXPECT(aimg_reader_open(sample_path("copy"), NULL, &target, &error) == AIMG_OK))
                for (uint32_t k = 0, next = 0; k < 24; k++)
                    EXPECT(k % 5 == 1 || sample_equals(target, next++, k));
            aimg_reader_close(target);
            EXPECT(aimg_writer_close(writer, NULL) == AIMG_OK);
        }
        aimg_reader_close(source);
        data[at] ^= (uint8_t)(1u << (at % 8));
    }
    printf("%zu flips, %zu refused\n", flips, refused);
    EXPECT(refused > flips / 10 && refused < flips);
    free(data);
}

int main(void)
{
    check_map();
    check_survivors();
    check_twice();
    check_flips();
    return test_end("test_copy_parts");
}
