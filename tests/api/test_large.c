/* SPDX-License-Identifier: Apache-2.0 */
/* More images in one commit than one run holds, which the writer bounds to keep its memory bounded. */
#include "counting.h"
#include "random.h"
#include "sample.h"
#include "sanitized.h"
#include "test.h"

#define RUN_ROWS (UINT32_C(1) << 20)
#define IMAGES   (RUN_ROWS + 1000)

static struct aimg_error error;
static struct counting counting;

static void make(const char *path)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer;
    options.allocator = counting_allocator(&counting);
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    for (uint32_t k = 0; k < IMAGES; k++) {
        char name[16];
        struct aimg_image image = {.struct_bytes = sizeof image, .name = name, .data = &k, .data_bytes = k % 5};
        image.name_bytes = (size_t)snprintf(name, sizeof name, "%u", k);
        REQUIRE(aimg_writer_add(writer, &image, NULL, &error) == AIMG_OK);
    }
    uint32_t ordinal;
    EXPECT(aimg_writer_find(writer, "77", 2, &ordinal, &error) == AIMG_OK && ordinal == 77); /* in the run that was written */
    EXPECT_EQ_INT(aimg_writer_remove(writer, 78, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_remove(writer, IMAGES - 1, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    EXPECT_EQ_INT(counting.live, 0);
}

static void check(const char *path)
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .allocator = counting_allocator(&counting)};
    struct aimg_reader *reader = NULL;
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct aimg_bytes one;
    uint64_t random = 1;
    counting.peak_bytes = 0;
    REQUIRE(aimg_reader_open(path, &options, &reader, &error) == AIMG_OK);
    EXPECT(counting.peak_bytes < 65536); /* opening costs the same as with ten images */
    EXPECT(aimg_reader_info(reader, &info, &error) == AIMG_OK && info.run_count == 2 && info.name_run_count == 1 &&
           info.commit_count == 1);
    EXPECT_EQ_UINT(aimg_reader_count(reader), IMAGES - 2);
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t k = (uint32_t)random_below(&random, IMAGES), found = 0, ordinal = 0;
        uint64_t position = 0;
        char name[16];
        int bytes = snprintf(name, sizeof name, "%u", k);
        if (k == 78 || k == IMAGES - 1)
            continue;
        EXPECT(aimg_reader_find(reader, name, (size_t)bytes, &found, &error) == AIMG_OK && found == k);
        EXPECT(aimg_reader_borrow(reader, k, AIMG_READ_VERIFY, &one, &error) == AIMG_OK && one.bytes == k % 5 &&
               memcmp(one.data, &k, k % 5) == 0);
        EXPECT(aimg_reader_position_of(reader, k, &position, &error) == AIMG_OK && position == k - (k > 78));
        EXPECT(aimg_reader_ordinal_at(reader, position, &ordinal, &error) == AIMG_OK && ordinal == k);
    }
    aimg_reader_close(reader);
}

/* The names of all, in order, over the seam of the runs. */
static void check_names(const char *path)
{
    struct aimg_reader *reader = NULL;
    struct aimg_names *names = NULL;
    struct aimg_listed listed;
    char name[16];
    uint64_t seen = 0;
    REQUIRE(aimg_reader_open(path, NULL, &reader, &error) == AIMG_OK &&
            aimg_names_create(reader, RUN_ROWS - 500, &names, &error) == AIMG_OK);
    for (; aimg_names_next(names, &listed, &error) == AIMG_OK; seen++) {
        snprintf(name, sizeof name, "%u", listed.ordinal);
        EXPECT_EQ_TEXT(listed.name, name);
        EXPECT_EQ_UINT(listed.ordinal, RUN_ROWS - 500 + seen + 1);
    }
    EXPECT_EQ_UINT(seen, 1498);
    aimg_names_destroy(names);
    aimg_reader_close(reader);
}

int main(void)
{
    const char *path = sample_path("large.aimg");
    struct aimg_verify_options options = {.struct_bytes = sizeof options, .flags = TEST_SLOW ? AIMG_VERIFY_QUICK : 0};
    struct aimg_verify_result result = {.faults = 1};
    make(path);
    check(path);
    check_names(path);
    EXPECT(aimg_verify(path, &options, &result, &error) == AIMG_OK && result.faults == 0);
    return test_end("test_large");
}
