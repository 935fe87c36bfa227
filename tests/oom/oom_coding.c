/* SPDX-License-Identifier: Apache-2.0 */
/* Dictionaries, and copies of archives, without memory. */
#include "oom.h"
#include "random.h"
#include "sample.h"
#include "test.h"

/* ------------------------------------------------------------------ dictionaries */

enum { FAMILY_BYTES = 700, FAMILY_SAMPLES = 24, FAMILY_IMAGES = 4 };

/* Images for which a dictionary is made: their first half is the same. */
static void family_fill(uint32_t number, uint8_t out[FAMILY_BYTES])
{
    uint64_t common = 1, own = 100 + number;
    random_fill(&common, out, FAMILY_BYTES / 2);
    random_fill(&own, out + FAMILY_BYTES / 2, FAMILY_BYTES / 2);
}

static enum aimg_status train(struct aimg_writer *writer)
{
    static uint8_t data[FAMILY_SAMPLES][FAMILY_BYTES];
    struct aimg_sample samples[FAMILY_SAMPLES];
    for (uint32_t i = 0; i < FAMILY_SAMPLES; i++) {
        family_fill(1000 + i, data[i]);
        samples[i] = (struct aimg_sample){.data = data[i], .bytes = FAMILY_BYTES};
    }
    return aimg_writer_train(writer, samples, FAMILY_SAMPLES, 100000, &oom.error);
}

static enum aimg_status add_family(struct aimg_writer *writer, uint32_t number)
{
    static uint8_t data[FAMILY_BYTES];
    char name[16];
    struct aimg_image image = {.struct_bytes = sizeof image, .name = name, .data = data, .data_bytes = FAMILY_BYTES};
    image.name_bytes = (size_t)snprintf(name, sizeof name, "%u", number);
    family_fill(number, data);
    return aimg_writer_add(writer, &image, NULL, &oom.error);
}

/* Trains, adds and commits; what failed for want of memory is not tried again. */
static enum aimg_status write_family(struct aimg_writer *writer, uint32_t first)
{
    enum aimg_status status = train(writer);
    for (uint32_t k = first; status == AIMG_OK && k < first + FAMILY_IMAGES; k++)
        status = add_family(writer, k);
    if (status == AIMG_OK)
        status = oom_commit(writer);
    EXPECT_EQ_INT(aimg_writer_close(writer, NULL), AIMG_OK);
    return status;
}

enum aimg_status oom_write_trained(void)
{
    struct aimg_writer_options options = oom_writer_options();
    struct aimg_writer *writer = NULL;
    options.compress = AIMG_COMPRESS_AUTO;
    (void)unlink(oom.work_path);
    oom.acknowledged = 0;
    enum aimg_status status = aimg_writer_create(oom.work_path, &options, &writer, &oom.error);
    if (status == AIMG_OK)
        status = write_family(writer, 0);
    if (status == AIMG_OK)
        status = aimg_writer_open(oom.work_path, &options, &writer, &oom.error);
    return status == AIMG_OK ? write_family(writer, FAMILY_IMAGES) : status;
}

/* What was acknowledged is there, and whole. */
void oom_check_trained(void)
{
    static uint8_t out[FAMILY_BYTES], expected[FAMILY_BYTES];
    struct aimg_reader *reader = NULL;
    struct aimg_verify_options options = {.struct_bytes = sizeof options, .threads = 1};
    struct aimg_verify_result result = {.faults = 1};
    uint64_t bytes = 0;
    enum aimg_status status = aimg_reader_open(oom.work_path, NULL, &reader, &oom.error);
    if (oom.acknowledged == 0 && status != AIMG_OK)
        return;
    REQUIRE(status == AIMG_OK);
    EXPECT(aimg_reader_count(reader) >= oom.acknowledged * FAMILY_IMAGES);
    for (uint32_t k = 0; k < aimg_reader_count(reader); k++) {
        family_fill(k, expected);
        EXPECT_EQ_INT(aimg_reader_read(reader, k, 0, out, sizeof out, &bytes, &oom.error), AIMG_OK);
        EXPECT(bytes == FAMILY_BYTES && memcmp(out, expected, FAMILY_BYTES) == 0);
    }
    aimg_reader_close(reader);
    EXPECT(aimg_verify(oom.work_path, &options, &result, &oom.error) == AIMG_OK && result.faults == 0);
}

/* ------------------------------------------------------------------ copies */

/* A copy that was made is whole; one that was not has no last commit to be taken for one. */
static void check_copied(const struct aimg_reader *source, bool copied, uint32_t flags)
{
    struct aimg_info all = {.struct_bytes = sizeof all}, info = {.struct_bytes = sizeof info};
    struct aimg_verify_options options = {.struct_bytes = sizeof options, .threads = 1};
    struct aimg_verify_result result = {.faults = 1};
    struct aimg_reader *target = NULL;
    REQUIRE(aimg_reader_open(oom.work_path, NULL, &target, &oom.error) == AIMG_OK);
    REQUIRE(aimg_reader_info(source, &all, &oom.error) == AIMG_OK && aimg_reader_info(target, &info, &oom.error) == AIMG_OK);
    if (flags == AIMG_COPY_DROP_HISTORY)
        all.commit_count = 1;
    EXPECT_EQ_UINT(info.commit_count, copied ? all.commit_count : 0);
    EXPECT(!copied || info.listed_count == all.listed_count);
    aimg_reader_close(target);
    EXPECT(aimg_verify(oom.work_path, &options, &result, &oom.error) == AIMG_OK && result.faults == 0);
}

static enum aimg_status copy_with(uint32_t flags)
{
    struct aimg_reader_options reading = {.struct_bytes = sizeof reading, .allocator = counting_allocator(&oom.counting)};
    struct aimg_copy_options copying = {.struct_bytes = sizeof copying, .flags = flags};
    struct aimg_writer_options options = oom_writer_options();
    struct aimg_reader *source = NULL;
    struct aimg_writer *writer = NULL;
    (void)unlink(oom.work_path);
    enum aimg_status status = aimg_reader_open(VECTORS "/good/everything.aimg", &reading, &source, &oom.error);
    if (status == AIMG_OK)
        status = aimg_writer_create(oom.work_path, &options, &writer, &oom.error);
    bool begun = status == AIMG_OK;
    if (begun)
        status = aimg_writer_copy(writer, source, &copying, &oom.error);
    EXPECT_EQ_INT(aimg_writer_close(writer, NULL), AIMG_OK);
    unsigned long long allocated = oom.counting.allocated, fail_at = oom.counting.fail_at;
    oom.counting.fail_at = 0; /* what follows is no part of it */
    if (begun)
        check_copied(source, status == AIMG_OK, flags);
    oom.counting.fail_at = fail_at;
    oom.counting.allocated = allocated;
    aimg_reader_close(source);
    return status;
}

enum aimg_status oom_copy_history(void)
{
    return copy_with(0);
}

enum aimg_status oom_copy_now(void)
{
    return copy_with(AIMG_COPY_DROP_HISTORY);
}
