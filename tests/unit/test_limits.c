/* SPDX-License-Identifier: Apache-2.0 */
/* The largest that a writer takes, and one more: refused with a reason, and the archive stays what it was. */
#include "sample.h"
#include "slot.h"
#include "test.h"
#include "writer.h"

#include <time.h>

#define META_MAX (1u << 24)

static struct aimg_error error;

static struct aimg_writer *open_archive(const char *path)
{
    struct aimg_writer *writer = NULL;
    struct aimg_writer_options options = sample_writer_options();
    REQUIRE(aimg_writer_open(path, &options, &writer, &error) == AIMG_OK);
    return writer;
}

static void begin(const char *path)
{
    struct aimg_writer *writer = sample_create(path);
    REQUIRE(writer != NULL && sample_add(writer, "first", 1, 0, NULL, &error) == AIMG_OK);
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK && aimg_writer_close(writer, &error) == AIMG_OK);
}

/* So many images, the first as it was, and no fault. */
static void expect_intact(const char *path, uint64_t images)
{
    struct aimg_reader *reader = NULL;
    REQUIRE(aimg_reader_open(path, NULL, &reader, &error) == AIMG_OK);
    EXPECT_EQ_UINT(aimg_reader_count(reader), images);
    EXPECT(sample_equals(reader, 0, 1));
    aimg_reader_close(reader);
    EXPECT(sample_verifies(path, 1, 0));
}

static void check_message(const char *path)
{
    char message[300];
    begin(path);
    for (size_t bytes = 254; bytes <= 255; bytes++) {
        struct aimg_writer *writer = open_archive(path);
        memset(message, 'm', bytes);
        message[bytes] = 0;
        REQUIRE(sample_add(writer, bytes == 254 ? "second" : "third", 2, 0, NULL, &error) == AIMG_OK);
        EXPECT_EQ_INT(aimg_writer_commit(writer, message, &error), bytes == 254 ? AIMG_OK : AIMG_INVALID_ARGUMENT);
        EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
        expect_intact(path, 2);
    }
}

/* One pair that fills META: a head of 8 bytes, 8 a pair, the key. */
static void check_meta(const char *path)
{
    static char value[META_MAX];
    size_t most = META_MAX - 8 - 8 - 3;
    begin(path);
    for (size_t bytes = most; bytes <= most + 1; bytes++) {
        struct aimg_writer *writer = open_archive(path);
        memset(value, 'v', bytes);
        value[bytes] = 0;
        enum aimg_status status = aimg_writer_set_meta(writer, "key", value, &error);
        if (status == AIMG_OK)
            status = aimg_writer_commit(writer, NULL, &error);
        EXPECT_EQ_INT(status, bytes == most ? AIMG_OK : AIMG_LIMIT);
        EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
        expect_intact(path, 1);
    }
}

/* The last ordinal, and one more. */
static void check_ordinals(const char *path)
{
    begin(path);
    struct aimg_writer *writer = open_archive(path);
    writer->head.ordinal_count = AIMG_ORDINAL_LIMIT;
    EXPECT_EQ_INT(sample_add(writer, "one too many", 2, 0, NULL, &error), AIMG_LIMIT);
    EXPECT_EQ_INT(aimg_writer_rename(writer, 0, "renamed", 7, NULL, &error), AIMG_LIMIT);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    expect_intact(path, 1);
}

/* Names that somebody made to fall on one place, here by hand, for the seed is not known to him: none of them is searched for
 * longer than the format allows, the commit says why it cannot be, and what was there stays. */
static void check_flood(const char *path)
{
    enum { FLOOD = 5000 };
    struct aimg_name_slot slot;
    char name[16];
    clock_t begun = clock();
    begin(path);
    struct aimg_writer *writer = open_archive(path);
    for (uint32_t i = 0; i < FLOOD; i++) {
        snprintf(name, sizeof name, "%" PRIu32, i);
        REQUIRE(sample_add(writer, name, 7, 0, NULL, &error) == AIMG_OK);
    }
    uint8_t *slots = writer->names.keys.slots.data;
    REQUIRE(aimg_keys_count(&writer->names.keys) == FLOOD);
    for (uint32_t i = 0; i < FLOOD; i++) {
        aimg_name_slot_decode(slots + (size_t)i * AIMG_NAME_SLOT_BYTES, &slot);
        slot.hash = 77;
        aimg_name_slot_encode(&slot, slots + (size_t)i * AIMG_NAME_SLOT_BYTES);
    }
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_LIMIT);
    EXPECT(strstr(error.message, "too many names") != NULL);
    (void)aimg_writer_close(writer, &error);
    expect_intact(path, 1);
    EXPECT((clock() - begun) / CLOCKS_PER_SEC < 20);
}

int main(void)
{
    const char *path = sample_path("limits.aimg");
    check_message(path);
    check_meta(path);
    check_ordinals(path);
    check_flood(path);
    return test_end("test_limits");
}
