/* SPDX-License-Identifier: Apache-2.0 */
/* A reader beside a writer: new commits are seen, what was borrowed stays; a file that is replaced, removed, cut short. */
#include "counting.h"
#include "sample.h"
#include "test.h"

#include <sys/stat.h>

static struct aimg_error error;
static struct counting counting;

static struct aimg_reader *open_reader(const char *path, uint32_t flags)
{
    struct aimg_reader_options options = {
        .struct_bytes = sizeof options, .flags = flags, .allocator = counting_allocator(&counting)};
    struct aimg_reader *reader = NULL;
    REQUIRE(aimg_reader_open(path, &options, &reader, &error) == AIMG_OK);
    return reader;
}

/* Image k has content k and the name "k"; every fifth is removed in the commit after its own. */
static void check_state(const struct aimg_reader *reader, uint32_t count, unsigned commits)
{
    uint64_t position = 0, found;
    uint32_t ordinal;
    EXPECT_EQ_UINT(aimg_reader_ordinal_count(reader), count);
    for (uint32_t k = 0; k < count; k++) {
        bool dead = k % 5 == 0 && k / 10 + 1 < commits;
        char name[16];
        int bytes = snprintf(name, sizeof name, "%u", k);
        EXPECT_EQ_INT(aimg_reader_find(reader, name, (size_t)bytes, &ordinal, &error), dead ? AIMG_NOT_FOUND : AIMG_OK);
        EXPECT_EQ_INT(aimg_reader_position_of(reader, k, &found, &error), dead ? AIMG_NOT_FOUND : AIMG_OK);
        if (dead)
            continue;
        EXPECT(ordinal == k && found == position++ && sample_equals(reader, k, k));
    }
    EXPECT_EQ_UINT(aimg_reader_count(reader), position);
}

static void add_ten(struct aimg_writer *writer, unsigned commit)
{
    for (uint32_t k = 10 * commit; k < 10 * commit + 10; k++) {
        char name[16];
        snprintf(name, sizeof name, "%u", k);
        EXPECT_EQ_INT(sample_add(writer, name, k, 0, NULL, &error), AIMG_OK);
    }
    for (uint32_t k = 10 * (commit - 1); commit > 0 && k < 10 * commit; k += 5)
        EXPECT_EQ_INT(aimg_writer_remove(writer, k, &error), AIMG_OK);
}

/* Two readers, with and without a map, that go along with a writer; and one that does not. */
static void check_growing(void)
{
    enum { COMMITS = 12 };
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer;
    struct aimg_bytes borrowed[COMMITS * 10], still;
    const char *path = sample_path("growing");
    int changed = 7;
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    struct aimg_reader *mapped = open_reader(path, 0), *plain = open_reader(path, AIMG_READER_NO_MAP), *old = NULL;
    EXPECT(aimg_reader_refresh(mapped, &changed, &error) == AIMG_OK && changed == 0);
    for (unsigned commit = 0; commit < COMMITS; commit++) {
        add_ten(writer, commit);
        EXPECT(aimg_reader_refresh(mapped, &changed, &error) == AIMG_OK && changed == 0); /* not before the commit */
        EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
        check_state(mapped, 10 * commit, commit);
        EXPECT(aimg_reader_refresh(mapped, &changed, &error) == AIMG_OK && changed == 1);
        EXPECT(aimg_reader_refresh(plain, &changed, &error) == AIMG_OK && changed == 1);
        EXPECT(aimg_reader_refresh(plain, &changed, &error) == AIMG_OK && changed == 0);
        check_state(mapped, 10 * commit + 10, commit + 1);
        check_state(plain, 10 * commit + 10, commit + 1);
        for (uint32_t k = 10 * commit; k < 10 * commit + 10; k++)
            EXPECT_EQ_INT(aimg_reader_borrow(mapped, k, AIMG_READ_VERIFY, &borrowed[k], &error), AIMG_OK);
        if (commit == 3)
            old = open_reader(path, 0);
    }
    /* Pointers from every state are good, also of images that were removed since. */
    for (uint32_t k = 0; k < 10 * COMMITS; k++) {
        uint8_t content[SAMPLE_MAX_BYTES];
        size_t bytes = sample_fill(k, content);
        EXPECT(borrowed[k].bytes == bytes && memcmp(borrowed[k].data, content, bytes) == 0);
        if (k >= 10 * COMMITS - 10)
            EXPECT(aimg_reader_borrow(mapped, k, 0, &still, &error) == AIMG_OK && still.bytes == bytes);
    }
    check_state(old, 40, 4);
    EXPECT(aimg_reader_refresh(old, &changed, &error) == AIMG_OK && changed == 1);
    check_state(old, 10 * COMMITS, COMMITS);
    aimg_reader_close(old);
    aimg_reader_close(mapped);
    aimg_reader_close(plain);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    EXPECT_EQ_INT(counting.live, 0);
}

/* Refreshing fails for want of memory at every place: the reader stays as it was. */
static void check_no_memory(void)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer;
    const char *path = sample_path("memory");
    int changed = 0;
    for (uint32_t flags = 0; flags <= AIMG_READER_NO_MAP; flags++) {
        (void)unlink(path);
        REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
        add_ten(writer, 0);
        REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
        struct aimg_reader *reader = open_reader(path, flags);
        add_ten(writer, 1);
        REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK && aimg_writer_close(writer, &error) == AIMG_OK);
        for (unsigned long long n = 1; changed == 0; n++) {
            counting.fail_at = counting.allocated + n;
            enum aimg_status status = aimg_reader_refresh(reader, &changed, &error);
            counting.fail_at = 0;
            EXPECT_EQ_INT(status, changed ? AIMG_OK : AIMG_OUT_OF_MEMORY);
            check_state(reader, changed ? 20 : 10, changed ? 2 : 1);
            REQUIRE(n < 100);
        }
        changed = 0;
        aimg_reader_close(reader);
        EXPECT_EQ_INT(counting.live, 0);
    }
}

static void check_replaced(void)
{
    const char *path = sample_path("replaced"), *other = sample_path("other");
    int changed = 7;
    REQUIRE(sample_archive(path, 1, 5) && sample_archive(other, 2, 5));
    struct aimg_reader *reader = open_reader(path, 0);
    struct aimg_bytes one;
    REQUIRE(rename(other, path) == 0);
    EXPECT_EQ_INT(aimg_reader_refresh(reader, &changed, &error), AIMG_REPLACED);
    EXPECT(changed == 7 && aimg_reader_borrow(reader, 3, AIMG_READ_VERIFY, &one, &error) == AIMG_OK &&
           sample_equals(reader, 4, 4));
    REQUIRE(unlink(path) == 0);
    EXPECT_EQ_INT(aimg_reader_refresh(reader, &changed, &error), AIMG_REPLACED);
    EXPECT(sample_equals(reader, 4, 4)); /* it is still open */
    aimg_reader_close(reader);
    REQUIRE(sample_archive(path, 1, 5));
    reader = open_reader(path, AIMG_READER_AT);
    REQUIRE(unlink(path) == 0);
    EXPECT(aimg_reader_refresh(reader, &changed, &error) == AIMG_OK && changed == 0); /* as of a commit: nothing changes */
    aimg_reader_close(reader);
}

/* The file is cut short, or filled with something else, while it is open without a map: errors, never bytes that are not the
 * image's. */
static void check_cut(void)
{
    const char *path = sample_path("cut");
    uint8_t out[SAMPLE_MAX_BYTES], expected[SAMPLE_MAX_BYTES];
    size_t whole;
    REQUIRE(sample_archive(path, 3, 6));
    uint8_t *bytes = sample_load(path, &whole);
    REQUIRE(bytes != NULL);
    unsigned failures = 0, reads = 0;
    for (off_t size = (off_t)whole; size >= 0; size -= 333) {
        REQUIRE(sample_store(path, bytes, whole));
        struct aimg_reader *reader = open_reader(path, AIMG_READER_NO_MAP);
        REQUIRE(truncate(path, size) == 0);
        for (uint32_t k = 0; k < 18; k++) {
            char name[1025];
            uint64_t count = 0;
            uint32_t ordinal;
            enum aimg_status status = aimg_reader_read(reader, k, 0, out, sizeof out, &count, &error);
            EXPECT(status == AIMG_OK || status == AIMG_TRUNCATED || status == AIMG_CHECKSUM || status == AIMG_CORRUPT);
            if (status == AIMG_OK)
                EXPECT(count == sample_fill(k, expected) && memcmp(out, expected, count) == 0);
            failures += status != AIMG_OK;
            reads += status == AIMG_OK;
            (void)aimg_reader_name(reader, k, name, sizeof name, NULL, &error);
            status = aimg_reader_find(reader, "c1/3.jpg", 8, &ordinal, &error);
            EXPECT(status != AIMG_NOT_FOUND && (status != AIMG_OK || ordinal == 9));
        }
        int changed = 7;
        enum aimg_status status = aimg_reader_refresh(reader, &changed, &error);
        EXPECT(size == (off_t)whole ? status == AIMG_OK : status == AIMG_TRUNCATED || status == AIMG_NOT_ARCHIVE);
        aimg_reader_close(reader);
    }
    EXPECT(failures > 100 && reads > 100);
    EXPECT_EQ_INT(counting.live, 0);
    free(bytes);
}

int main(void)
{
    check_growing();
    check_no_memory();
    check_replaced();
    check_cut();
    return test_end("test_refresh");
}
