/* SPDX-License-Identifier: Apache-2.0 */
/* Content that was seen is stored once, and read as any other: by number, by name, in batches, with and without a map, when the
 * image that it was first stored for is gone. Nothing is shared that is not equal. */
#include "random.h"
#include "sample.h"
#include "test.h"

#include <unistd.h>

static struct aimg_error error;
static struct aimg_writer *writer;
static struct aimg_reader *reader;

static void create(const char *path, uint32_t dedup, uint32_t compress)
{
    struct aimg_writer_options options = sample_writer_options();
    options.dedup = dedup;
    options.compress = compress;
    (void)unlink(path);
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
}

static void open_again(const char *path, uint32_t dedup, int32_t level)
{
    struct aimg_writer_options options = sample_writer_options();
    options.dedup = dedup;
    options.level = level;
    options.compress = level == 0 ? AIMG_COMPRESS_STORE : AIMG_COMPRESS_ZSTD;
    REQUIRE(aimg_writer_open(path, &options, &writer, &error) == AIMG_OK);
}

static void commit(void)
{
    if (!EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK))
        fprintf(stderr, "  %s\n", error.message);
}

static void commit_and_close(void)
{
    commit();
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
}

/* Adds `content` under a name; content below `texts` is text that zstd makes smaller. Says whether it became an alias. */
static bool add(const char *name, uint32_t content, uint32_t flags)
{
    uint64_t before, after, bytes;
    aimg_writer_deduplicated(writer, &before, &bytes);
    if (!EXPECT_EQ_INT(sample_add(writer, name, content, flags, NULL, &error), AIMG_OK))
        fprintf(stderr, "  %s: %s\n", name, error.message);
    aimg_writer_deduplicated(writer, &after, &bytes);
    return after == before + 1;
}

static bool add_bytes(const char *name, const void *data, size_t bytes, uint32_t format)
{
    struct aimg_image image = {.struct_bytes = sizeof image,
                               .name = name,
                               .name_bytes = strlen(name),
                               .data = data,
                               .data_bytes = bytes,
                               .format = format};
    uint64_t before, after, saved;
    aimg_writer_deduplicated(writer, &before, &saved);
    EXPECT_EQ_INT(aimg_writer_add(writer, &image, NULL, &error), AIMG_OK);
    aimg_writer_deduplicated(writer, &after, &saved);
    return after == before + 1;
}

/* An image that was prepared, as if its bytes had a hash that somebody made up; the hash of the sample `content` when `whole`, or
 * one that agrees with it in as many bits as the index keeps. */
static bool add_forged(const char *name, const void *data, size_t bytes, uint32_t content, bool whole, bool with_data)
{
    static uint8_t sample[SAMPLE_MAX_BYTES];
    struct aimg_prepared prepared, other;
    struct aimg_image image = {.struct_bytes = sizeof image, .name = name, .name_bytes = strlen(name), .prepared = &prepared};
    uint64_t before, after, saved;
    size_t sample_bytes = sample_fill(content, sample);
    REQUIRE(aimg_writer_prepare(writer, data, bytes, 0, NULL, 0, &prepared, &error) == AIMG_OK);
    REQUIRE(aimg_writer_prepare(writer, sample, sample_bytes, 0, NULL, 0, &other, &error) == AIMG_OK);
    memcpy(prepared.hash + (whole ? 0 : 4), other.hash + (whole ? 0 : 4), whole ? 16 : 4);
    if (!with_data)
        prepared.data = NULL;
    aimg_writer_deduplicated(writer, &before, &saved);
    EXPECT_EQ_INT(aimg_writer_add(writer, &image, NULL, &error), AIMG_OK);
    aimg_writer_deduplicated(writer, &after, &saved);
    return after == before + 1;
}

/* ------------------------------------------------------------------ reading */

static struct aimg_entry entry_of(uint32_t ordinal)
{
    struct aimg_entry entry = {.ordinal = 0};
    EXPECT_EQ_INT(aimg_reader_entry(reader, ordinal, &entry, &error), AIMG_OK);
    return entry;
}

static void check_borrowed(const char *name, uint32_t ordinal, uint32_t content)
{
    static uint8_t expected[SAMPLE_MAX_BYTES];
    size_t bytes = sample_fill(content, expected);
    struct aimg_name batch = {.name = name, .name_bytes = strlen(name)};
    struct aimg_bytes found[4];
    bool stored = entry_of(ordinal).coding == 0;
    for (uint32_t flags = 0; flags <= AIMG_READ_VERIFY; flags += AIMG_READ_VERIFY) {
        memset(found, 0, sizeof found);
        EXPECT_EQ_INT(aimg_reader_borrow(reader, ordinal, flags, &found[0], &error), AIMG_OK);
        EXPECT_EQ_INT(aimg_reader_borrow_batch(reader, &ordinal, 1, flags, &found[1], &error), AIMG_OK);
        EXPECT_EQ_INT(aimg_reader_borrow_name(reader, name, strlen(name), flags, &found[2], &error), AIMG_OK);
        EXPECT_EQ_INT(aimg_reader_borrow_names(reader, &batch, 1, flags, &found[3], &error), AIMG_OK);
        for (unsigned i = 0; i < 4; i++) {
            EXPECT(found[i].ordinal == ordinal && found[i].data == found[0].data && found[i].status == AIMG_OK);
            EXPECT(!stored || (found[i].bytes == bytes && memcmp(found[i].data, expected, bytes) == 0));
        }
    }
    EXPECT_EQ_INT(aimg_reader_prefetch(reader, &ordinal, 1, &error), AIMG_OK);
}

/* An image, by all ways of reading it. */
static void check_image(const char *path, const char *name, uint32_t content)
{
    char found[64];
    uint32_t ordinal = 0, same = 0;
    uint64_t position;
    for (uint32_t flags = 0; flags <= AIMG_READER_NO_MAP; flags += AIMG_READER_NO_MAP) {
        struct aimg_reader_options options = {.struct_bytes = sizeof options, .flags = flags};
        REQUIRE(aimg_reader_open(path, &options, &reader, &error) == AIMG_OK);
        REQUIRE(EXPECT_EQ_INT(aimg_reader_find(reader, name, strlen(name), &ordinal, &error), AIMG_OK));
        EXPECT(sample_equals(reader, ordinal, content));
        EXPECT(aimg_reader_name(reader, ordinal, found, sizeof found, NULL, &error) == AIMG_OK && strcmp(found, name) == 0);
        EXPECT(aimg_reader_position_of(reader, ordinal, &position, &error) == AIMG_OK &&
               aimg_reader_ordinal_at(reader, position, &same, &error) == AIMG_OK && same == ordinal);
        if (flags == 0)
            check_borrowed(name, ordinal, content);
        aimg_reader_close(reader);
    }
}

static bool is_alias(const char *path, const char *name)
{
    uint32_t ordinal = 0;
    REQUIRE(aimg_reader_open(path, NULL, &reader, &error) == AIMG_OK);
    EXPECT_EQ_INT(aimg_reader_find(reader, name, strlen(name), &ordinal, &error), AIMG_OK);
    bool alias = entry_of(ordinal).alias != 0;
    aimg_reader_close(reader);
    return alias;
}

static uint64_t file_bytes(const char *path)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    REQUIRE(aimg_reader_open(path, NULL, &reader, &error) == AIMG_OK && aimg_reader_info(reader, &info, &error) == AIMG_OK);
    aimg_reader_close(reader);
    return info.file_bytes;
}

/* ------------------------------------------------------------------ what is done */

static void check_session(uint32_t compress)
{
    const char *path = sample_path("session");
    uint64_t images, bytes, pending, pending_bytes, more;
    create(path, AIMG_DEDUP_SESSION, compress);
    EXPECT(!add("first", 51, 0) && !add("other", 53, 0) && !add("text", 402, 0));
    aimg_writer_pending(writer, &pending, &pending_bytes);
    EXPECT(add("second", 51, 0) && add("text again", 402, 0) && add("first", 51, AIMG_ADD_REPLACE));
    aimg_writer_pending(writer, &pending, &more);
    EXPECT(pending == 6 && more == pending_bytes);
    commit();
    EXPECT(add("third", 51, 0) && !add("big", SAMPLE_BIG + 1, 0) && add("big again", SAMPLE_BIG + 1, 0));
    EXPECT(add("attached", 51, AIMG_ADD_ATTACHMENT) && add("", 53, AIMG_ADD_ATTACHMENT));
    aimg_writer_deduplicated(writer, &images, &bytes);
    EXPECT(images == 7 && bytes > SAMPLE_MAX_BYTES);
    commit_and_close();
    EXPECT(sample_verifies(path, 0, 0));
    check_image(path, "first", 51);
    check_image(path, "second", 51);
    check_image(path, "third", 51);
    check_image(path, "text again", 402);
    check_image(path, "big again", SAMPLE_BIG + 1);
    EXPECT(is_alias(path, "first") && is_alias(path, "big again") && !is_alias(path, "big") && !is_alias(path, "other"));
    open_again(path, AIMG_DEDUP_SESSION, 0); /* another session has not seen it */
    EXPECT(!add("fourth", 51, 0) && add("fifth", 51, 0));
    commit_and_close();
    EXPECT(sample_verifies(path, 0, 0));
}

static void check_none(void)
{
    const char *path = sample_path("none");
    struct aimg_writer_options options = sample_writer_options();
    uint64_t images, bytes;
    create(path, AIMG_DEDUP_NONE, AIMG_COMPRESS_STORE);
    EXPECT(!add("first", 51, 0) && !add("second", 51, 0));
    aimg_writer_deduplicated(writer, &images, &bytes);
    EXPECT(images == 0 && bytes == 0);
    commit_and_close();
    EXPECT(sample_verifies(path, 0, 0));
    options.dedup = AIMG_DEDUP_ALL + 1;
    EXPECT_EQ_INT(aimg_writer_open(path, &options, &writer, &error), AIMG_INVALID_ARGUMENT);
    options.dedup = 77; /* a program that was compiled before the option came has no such field */
    options.struct_bytes = offsetof(struct aimg_writer_options, dedup);
    REQUIRE(aimg_writer_open(path, &options, &writer, &error) == AIMG_OK);
    EXPECT(!add("third", 51, 0) && !add("fourth", 51, 0));
    commit_and_close();
}

/* What an alias does not save, and what only looks the same. */
static void check_small_and_unlike(void)
{
    static const uint8_t zeros[100];
    const char *path = sample_path("unlike");
    create(path, AIMG_DEDUP_SESSION, AIMG_COMPRESS_STORE);
    EXPECT(!add_bytes("empty", "", 0, 0) && !add_bytes("empty too", "", 0, 0));
    EXPECT(!add_bytes("8", zeros, 8, 0) && !add_bytes("8 too", zeros, 8, 0));
    EXPECT(!add_bytes("9", zeros, 9, 0) && add_bytes("9 too", zeros, 9, 0));
    EXPECT(!add_bytes("10", zeros, 10, 0) && !add_bytes("as another format", zeros, 10, AIMG_FORMAT_PNG));
    EXPECT(add_bytes("10 too", zeros, 10, 0) && add_bytes("as png", zeros, 10, AIMG_FORMAT_PNG));
    commit_and_close();
    EXPECT(sample_verifies(path, 0, 1)); /* one of these zeros is said to be a PNG */
    REQUIRE(aimg_reader_open(path, NULL, &reader, &error) == AIMG_OK);
    EXPECT(entry_of(8).alias && entry_of(8).format == 0 && entry_of(9).alias && entry_of(9).format == AIMG_FORMAT_PNG);
    EXPECT(entry_of(9).frame_offset == entry_of(7).frame_offset && entry_of(7).frame_offset != entry_of(6).frame_offset);
    aimg_reader_close(reader);
}

/* Hashes that agree, as far as the index keeps them or altogether, of bytes that do not: the first are common in large archives,
 * the second are what somebody might put into one. */
static void check_collisions(uint32_t dedup)
{
    static uint8_t data[SAMPLE_MAX_BYTES];
    const char *path = sample_path("collisions");
    size_t bytes = sample_fill(51, data);
    data[bytes / 2] ^= 1;
    create(path, dedup, AIMG_COMPRESS_STORE);
    EXPECT(!add_forged("poison", data, bytes, 51, true, true));
    EXPECT(!add("honest", 51, 0) && add("honest too", 51, 0));
    for (unsigned reopen = 0; reopen < 2; reopen++) {
        commit_and_close();
        check_image(path, "honest", 51);
        check_image(path, "honest too", 51);
        open_again(path, dedup, 0);
        data[bytes / 3] ^= (uint8_t)(7 + reopen);
        EXPECT(!add_forged(reopen == 0 ? "same 32 bits" : "again", data, bytes, 51, false, true));
        data[bytes / 4] ^= (uint8_t)(9 + reopen);
        EXPECT(!add_forged(reopen == 0 ? "same hash" : "same hash again", data, bytes, 51, true, true));
        EXPECT(!add_forged(reopen == 0 ? "shorter" : "shorter again", data, bytes - 1, 51, true, true));
    }
    EXPECT_EQ_INT(add("honest after all", 51, 0), dedup == AIMG_DEDUP_ALL);
    data[0] ^= 1;
    sample_fill(53, data);
    EXPECT(!add("x", 53, 0) && !add_forged("nobody knows its bytes", data, sample_fill(53, data), 53, true, false));
    commit_and_close();
    check_image(path, "honest after all", 51);
}

/* The image whose bytes are shared is removed, replaced, and added again. */
static void check_dead(uint32_t dedup, uint32_t compress)
{
    const char *path = sample_path("dead");
    uint32_t ordinal;
    create(path, dedup, compress);
    EXPECT(!add("first", 402, 0) && add("second", 402, 0) && !add("plain", 51, 0));
    commit();
    EXPECT_EQ_INT(aimg_writer_find(writer, "first", 5, &ordinal, &error), AIMG_OK);
    EXPECT(ordinal == 0 && aimg_writer_remove(writer, ordinal, &error) == AIMG_OK);
    EXPECT(add("third", 402, 0)); /* the target dies with this commit */
    commit();
    EXPECT(add("fourth", 402, 0) && add("first", 402, 0)); /* and is dead */
    EXPECT(!add("plain", 53, AIMG_ADD_REPLACE) && add("second", 51, AIMG_ADD_REPLACE));
    commit_and_close();
    EXPECT(sample_verifies(path, 0, 0));
    check_image(path, "first", 402);
    check_image(path, "third", 402);
    check_image(path, "fourth", 402);
    check_image(path, "second", 51);
    check_image(path, "plain", 53);
    open_again(path, dedup, 0);
    /* Until nobody is left but some who make tables merge. */
    for (uint32_t k = 61; aimg_reader_count(aimg_writer_base(writer)) > 0; k += 2) {
        EXPECT_EQ_INT(aimg_reader_ordinal_at(aimg_writer_base(writer), 0, &ordinal, &error), AIMG_OK);
        EXPECT_EQ_INT(aimg_writer_remove(writer, ordinal, &error), AIMG_OK);
        EXPECT(!add("", k, AIMG_ADD_ATTACHMENT));
        commit();
    }
    EXPECT_EQ_INT(add("back again", 402, 0), dedup == AIMG_DEDUP_ALL);
    commit_and_close();
    EXPECT(sample_verifies(path, 0, 0));
    check_image(path, "back again", 402);
}

static uint64_t masks(const char *path)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    REQUIRE(aimg_reader_open(path, NULL, &reader, &error) == AIMG_OK && aimg_reader_info(reader, &info, &error) == AIMG_OK);
    aimg_reader_close(reader);
    return info.ro_compat & 2;
}

/* The content index: made for an archive that has none, kept by those who come after, left alone by those who do not want it. */
static void check_all(void)
{
    const char *path = sample_path("all");
    char name[32];
    create(path, AIMG_DEDUP_NONE, AIMG_COMPRESS_STORE);
    for (uint32_t k = 1; k < 40; k++) {
        snprintf(name, sizeof name, "old%u", k);
        EXPECT(!add(name, k, 0));
        if (k % 9 == 0)
            commit();
    }
    commit_and_close();
    EXPECT_EQ_UINT(masks(path), 0);
    uint64_t before = file_bytes(path);
    open_again(path, AIMG_DEDUP_ALL, 0);
    EXPECT(add("again13", 13, 0) && add("again39", 39, 0) && !add("new41", 41, 0) && add("new41 too", 41, 0));
    commit_and_close();
    EXPECT(masks(path) == 2 && file_bytes(path) > before);
    EXPECT(sample_verifies(path, 0, 0));
    open_again(path, AIMG_DEDUP_SESSION, 0); /* keeps the index that is there */
    EXPECT(add("again41", 41, 0) && add("again11", 11, 0) && !add("new43", 43, 0));
    commit();
    EXPECT(add("new43 too", 43, 0));
    commit_and_close();
    EXPECT(sample_verifies(path, 0, 0));
    open_again(path, AIMG_DEDUP_NONE, 0);
    EXPECT(!add("once more 41", 41, 0) && !add("45", 45, 0));
    commit_and_close();
    EXPECT(sample_verifies(path, 0, 0));
    open_again(path, AIMG_DEDUP_ALL, 0);
    EXPECT(add("twice more 41", 41, 0) && add("43 again", 43, 0) && !add("45 is not known", 45, 0) && add("now it is", 45, 0));
    commit_and_close();
    EXPECT_EQ_UINT(masks(path), 2);
    EXPECT(sample_verifies(path, 0, 0));
    check_image(path, "twice more 41", 41);
    check_image(path, "again13", 13);
    check_image(path, "now it is", 45);
}

/* As if a coded image had the bytes of `raw`. */
static void add_coded_poison(const char *name, const void *raw, const void *stored, size_t bytes)
{
    static uint8_t scratch[100000];
    struct aimg_prepared prepared, other;
    struct aimg_image image = {.struct_bytes = sizeof image, .name = name, .name_bytes = strlen(name), .prepared = &prepared};
    REQUIRE(aimg_writer_prepare(writer, stored, bytes, 0, scratch, sizeof scratch, &prepared, &error) == AIMG_OK);
    REQUIRE(aimg_writer_prepare(writer, raw, bytes, 0, NULL, 0, &other, &error) == AIMG_OK);
    memcpy(prepared.hash, other.hash, sizeof prepared.hash);
    EXPECT(prepared.coding == 1 && aimg_writer_add(writer, &image, NULL, &error) == AIMG_OK);
}

/* Other stored bytes of the same image: compared after decoding. */
static void check_levels(void)
{
    const char *path = sample_path("levels");
    static uint8_t text[60000], unlike[60000];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)("abcdefghijklmnop"[(i * i / 100 + i / 7) % 16]);
    create(path, AIMG_DEDUP_ALL, AIMG_COMPRESS_STORE);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    open_again(path, AIMG_DEDUP_ALL, 19);
    EXPECT(!add_bytes("19", text, sizeof text, 0));
    commit_and_close();
    open_again(path, AIMG_DEDUP_ALL, -5);
    EXPECT(add_bytes("-5", text, sizeof text, 0));
    text[59999] ^= 1;
    EXPECT(!add_bytes("unlike", text, sizeof text, 0));
    commit_and_close();
    EXPECT(sample_verifies(path, 0, 0));
    open_again(path, AIMG_DEDUP_ALL, 0); /* stored as it is, the earlier one coded */
    EXPECT(add_bytes("as it is", text, sizeof text, 0));
    commit_and_close();
    EXPECT(sample_verifies(path, 0, 0));
    open_again(path, AIMG_DEDUP_ALL, 3);
    memcpy(unlike, text, sizeof text);
    unlike[30000] ^= 1;
    add_coded_poison("poison", unlike, text, sizeof text);
    EXPECT(!add_bytes("honest", unlike, sizeof unlike, 0));
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    REQUIRE(aimg_reader_open(path, NULL, &reader, &error) == AIMG_OK);
    EXPECT(entry_of(0).coding == 1 && entry_of(1).alias && entry_of(1).coding == 1 && entry_of(3).alias);
    EXPECT(entry_of(1).raw_bytes == sizeof text && entry_of(3).frame_offset == entry_of(2).frame_offset);
    aimg_reader_close(reader);
}

int main(void)
{
    check_session(AIMG_COMPRESS_STORE);
    check_session(AIMG_COMPRESS_ZSTD);
    check_none();
    check_small_and_unlike();
    check_collisions(AIMG_DEDUP_SESSION);
    check_collisions(AIMG_DEDUP_ALL);
    for (uint32_t compress = AIMG_COMPRESS_STORE; compress <= AIMG_COMPRESS_ZSTD; compress++) {
        check_dead(AIMG_DEDUP_SESSION, compress);
        check_dead(AIMG_DEDUP_ALL, compress);
    }
    check_all();
    check_levels();
    return test_end("test_api_dedup");
}
