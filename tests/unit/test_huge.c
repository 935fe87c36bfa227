/* SPDX-License-Identifier: Apache-2.0 */
/* Files that claim to be huge, with all checksums right: each number of the index of sound archives made as large as its bytes
 * allow, and files of very many very small things. Whatever they say, it takes little memory and little time. */
#include "checksum.h"
#include "commit.h"
#include "counting.h"
#include "frame.h"
#include "resign.h"
#include "sample.h"
#include "sanitized.h"
#include "test.h"
#include "verify.h"

#include <time.h>

#define MEMORY  (64 << 20) /* for files of less than that */
#define SECONDS 60         /* of the processor; what grows with the square would take hours */
/* Of the words of an index. Every one where the compiler optimises, as that build has the time. */
#ifdef NDEBUG
#define STEP 1
#else
#define STEP (TEST_SLOW ? 211 : 23)
#endif
/* With every one, filling memory with rubbish would be nearly all of the time; the other builds do it. */
#define MEASURED_ALONE (STEP == 1)

enum { SMALL_IMAGES = TEST_SLOW ? 10000 : 100000, MANY_PADS = 1000000, MANY_COMMITS = 3000 };

static uint64_t opened, refused, faulty;

/* ------------------------------------------------------------------ asking */

static void verify(const uint8_t *data, size_t bytes, struct aimg_verify_result *result)
{
    struct counting counting = {.unfilled = MEASURED_ALONE};
    struct aimg_verify_options options = {
        .struct_bytes = sizeof options, .threads = 1, .allocator = counting_allocator(&counting)};
    struct aimg_io io;
    *result = (struct aimg_verify_result){.faults = 0};
    aimg_io_memory_open(&io, data, bytes);
    enum aimg_status status = aimg_verify_io(&io, &options, result, NULL);
    EXPECT(status != AIMG_OUT_OF_MEMORY && status != AIMG_INVALID_ARGUMENT && status != AIMG_IO);
    EXPECT(counting.peak_bytes < MEMORY && counting.live == 0);
    faulty += result->faults > 0;
}

static void read_some(const struct aimg_reader *reader)
{
    static uint8_t room[1 << 16];
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct aimg_space space = {.struct_bytes = sizeof space};
    uint64_t bytes;
    size_t count;
    int null;
    REQUIRE(aimg_reader_info(reader, &info, NULL) == AIMG_OK);
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t ordinal = i == 3 ? (uint32_t)info.ordinal_count - 1 : i;
        (void)aimg_reader_read(reader, ordinal, 0, room, sizeof room, &bytes, NULL);
        (void)aimg_reader_name(reader, ordinal, (char *)room, sizeof room, &count, NULL);
        for (uint32_t column = 0; column < info.column_count; column++)
            (void)aimg_reader_value(reader, column, ordinal, room, sizeof room, &count, &null, NULL);
    }
    if (info.ordinal_count < 1000) /* it reads all entries */
        (void)aimg_reader_space(reader, &space, NULL);
}

static void open_and_read(const uint8_t *data, size_t bytes)
{
    struct counting counting = {.unfilled = MEASURED_ALONE};
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .allocator = counting_allocator(&counting)};
    struct aimg_reader *reader = NULL;
    enum aimg_status status = aimg_reader_open_memory(data, bytes, &options, &reader, NULL);
    EXPECT(status != AIMG_OUT_OF_MEMORY && status != AIMG_INVALID_ARGUMENT && status != AIMG_IO);
    if (status == AIMG_OK)
        read_some(reader);
    aimg_reader_close(reader);
    EXPECT(counting.peak_bytes < MEMORY && counting.live == 0);
    opened += status == AIMG_OK;
    refused += status != AIMG_OK;
}

/* ------------------------------------------------------------------ every number, as large as can be */

static bool is_index(const struct aimg_frame *frame)
{
    return frame->type != AIMG_FRAME_PAD && frame->type != AIMG_FRAME_IMAGE;
}

static void try_word(const uint8_t *sound, uint8_t *data, size_t bytes, size_t at)
{
    static const uint64_t numbers[] = {
        UINT64_MAX,        UINT32_MAX, UINT32_MAX - 1, INT32_MAX, (UINT64_C(1) << 47) - 1, (UINT64_C(1) << 51) - 8,
        UINT64_C(1) << 40, 65536};
    struct aimg_verify_result result;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        memcpy(data, sound, bytes);
        if (i % 2 == 0 && at + 8 <= bytes)
            aimg_store64(data + at, numbers[i]);
        else
            aimg_store32(data + at, (uint32_t)numbers[i]);
        aimg_resign(data, bytes);
        open_and_read(data, bytes);
        verify(data, bytes, &result);
    }
}

static void check_numbers(const char *name)
{
    char path[512];
    size_t bytes;
    struct aimg_frame frame;
    struct aimg_verify_result result;
    snprintf(path, sizeof path, "%s/good/%s.aimg", VECTORS, name);
    uint8_t *sound = sample_load(path, &bytes);
    REQUIRE(sound != NULL);
    uint8_t *data = test_guarded(bytes);
    memcpy(data, sound, bytes);
    verify(data, bytes, &result);
    EXPECT_EQ_UINT(result.faults, 0);
    test_state.subject = name;
    for (size_t offset = AIMG_HEAD_BYTES; offset < bytes; offset += (size_t)aimg_frame_total_bytes(&frame)) {
        REQUIRE(aimg_frame_decode(sound + offset, &frame) == 0);
        size_t end = offset + (size_t)aimg_frame_total_bytes(&frame);
        size_t step = frame.type == AIMG_FRAME_ROOT && !TEST_SLOW ? 4 : 4 * STEP;
        for (size_t at = offset; is_index(&frame) && at < end; at += step)
            try_word(sound, data, bytes, at);
    }
    test_state.subject = NULL;
    free(sound);
}

/* ------------------------------------------------------------------ very many, very small */

static void check_time(clock_t begun, const char *what)
{
    double seconds = (double)(clock() - begun) / CLOCKS_PER_SEC;
    if (!EXPECT(seconds < SECONDS))
        fprintf(stderr, "  %s: %.1f s\n", what, seconds);
}

/* The header of each image damaged: the walk looks for the next frame as often as there are images. */
static void check_damaged_images(void)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer;
    struct aimg_verify_result result;
    struct aimg_frame frame;
    size_t bytes;
    char name[16];
    options.flags = 0; /* with a hint, which says that there is a commit behind the damage */
    REQUIRE(aimg_writer_create(sample_path("many"), &options, &writer, NULL) == AIMG_OK);
    for (uint32_t i = 0; i < SMALL_IMAGES; i++) {
        snprintf(name, sizeof name, "%" PRIu32, i);
        REQUIRE(sample_add(writer, name, 7, 0, NULL, NULL) == AIMG_OK);
    }
    REQUIRE(aimg_writer_commit(writer, NULL, NULL) == AIMG_OK && aimg_writer_close(writer, NULL) == AIMG_OK);
    uint8_t *data = sample_load(sample_path("many"), &bytes);
    REQUIRE(data != NULL);
    for (size_t offset = AIMG_HEAD_BYTES, images = 0; images < SMALL_IMAGES; offset += (size_t)aimg_frame_total_bytes(&frame)) {
        REQUIRE(aimg_frame_decode(data + offset, &frame) == 0);
        images += frame.type == AIMG_FRAME_IMAGE;
        data[offset + 45] ^= frame.type == AIMG_FRAME_IMAGE;
    }
    clock_t begun = clock();
    verify(data, bytes, &result);
    EXPECT_EQ_UINT(result.faults, SMALL_IMAGES);
    check_time(begun, "images that are all damaged");
    free(data);
}

/* The shortest frames that there are, and behind them commits without images. */
static void check_small_frames(void)
{
    struct aimg_verify_result result;
    size_t bytes, room = AIMG_HEAD_BYTES + (size_t)MANY_PADS * AIMG_FRAME_BYTES + ((size_t)MANY_COMMITS + 4) * AIMG_PAGE_BYTES;
    struct aimg_writer *writer = sample_create(sample_path("empty"));
    struct aimg_header header;
    uint8_t *data = calloc(room, 1);
    REQUIRE(data != NULL && writer != NULL && aimg_writer_close(writer, NULL) == AIMG_OK);
    uint8_t *empty = sample_load(sample_path("empty"), &bytes);
    REQUIRE(empty != NULL && bytes == AIMG_HEAD_BYTES && aimg_header_decode(empty, &header) == 0);
    memcpy(data, empty, bytes);
    free(empty);
    struct aimg_frame pad = {.type = AIMG_FRAME_PAD, .header_units = AIMG_FRAME_BYTES / AIMG_UNIT, .salt = 1};
    pad.stored_hash = aimg_hash(data, 0).low;
    aimg_frame_encode(&pad, data + bytes);
    pad.check = aimg_frame_checksum(data + bytes, AIMG_FRAME_BYTES, aimg_uuid_seed(header.uuid));
    aimg_frame_encode(&pad, data + bytes);
    for (uint32_t i = 0; i < MANY_PADS; i++, bytes += AIMG_FRAME_BYTES)
        memcpy(data + bytes, data + AIMG_HEAD_BYTES, AIMG_FRAME_BYTES);
    clock_t begun = clock();
    open_and_read(data, bytes); /* a torn tail of a million frames */
    verify(data, bytes, &result);
    EXPECT(result.tail_bytes > (uint64_t)MANY_PADS * AIMG_FRAME_BYTES - 1);
    check_time(begun, "a million frames");
    free(data);
}

static void check_many_commits(void)
{
    struct aimg_verify_result result;
    size_t bytes;
    struct aimg_writer *writer = sample_create(sample_path("commits"));
    REQUIRE(writer != NULL);
    for (uint32_t i = 0; i < MANY_COMMITS; i++)
        REQUIRE(aimg_writer_set_meta(writer, "n", i % 2 == 0 ? "0" : "1", NULL) == AIMG_OK &&
                aimg_writer_commit(writer, NULL, NULL) == AIMG_OK);
    REQUIRE(aimg_writer_close(writer, NULL) == AIMG_OK);
    uint8_t *data = sample_load(sample_path("commits"), &bytes);
    REQUIRE(data != NULL);
    clock_t begun = clock();
    memset(data + AIMG_HEADER_BYTES, 0, 2 * AIMG_HINT_BYTES);
    open_and_read(data, bytes);
    verify(data, bytes, &result);
    EXPECT_EQ_UINT(result.faults, 0);
    EXPECT_EQ_UINT(result.commits, MANY_COMMITS);
    check_time(begun, "commits without images");
    free(data);
}

int main(void)
{
    check_numbers("everything");
    check_numbers("content-slots");
    EXPECT(opened > 100 && refused > 100 && faulty > 100);
    printf("opened %" PRIu64 ", refused %" PRIu64 ", faults in %" PRIu64 "\n", opened, refused, faulty);
    check_damaged_images();
    check_small_frames();
    check_many_commits();
    return test_end("test_huge");
}
