/* SPDX-License-Identifier: Apache-2.0 */
/* Images that hold frames of the very archive that they are in, and files made to keep a repair busy. */
#include "checksum.h"
#include "commit.h"
#include "frame.h"
#include "random.h"
#include "repair.h"
#include "root.h"
#include "sample.h"
#include "test.h"

#include <time.h>
#include <unistd.h>

static struct aimg_error error;
static const char *path, *out_path;

enum { PAYLOAD = 20480, IMAGES = 6 };

/* A whole frame with an image of the forger's, as it would stand at a place; returns its bytes. */
static size_t forge_frame(uint8_t *out, uint64_t seed, uint32_t ordinal, uint32_t salt, const char *name, const char *text)
{
    size_t bytes = strlen(text), name_bytes = strlen(name);
    struct aimg_frame frame = {.type = AIMG_FRAME_IMAGE,
                               .header_units = (uint8_t)(aimg_frame_header_bytes((uint32_t)name_bytes, 0) / 8),
                               .ordinal = ordinal,
                               .salt = salt,
                               .name_bytes = (uint16_t)name_bytes,
                               .stored_bytes = bytes,
                               .raw_bytes = bytes,
                               .stored_hash = aimg_hash(text, bytes).low};
    size_t header_bytes = (size_t)frame.header_units * 8;
    memset(out, 0, header_bytes + aimg_round_up(bytes, 8));
    aimg_frame_encode(&frame, out);
    memcpy(out + AIMG_FRAME_BYTES, name, name_bytes);
    aimg_store64(out + AIMG_FRAME_CHECK_OFFSET, aimg_frame_checksum(out, header_bytes, seed));
    memcpy(out + header_bytes, text, bytes);
    return header_bytes + (size_t)aimg_round_up(bytes, 8);
}

static void add(struct aimg_writer *writer, const char *name, const uint8_t *data, size_t bytes)
{
    struct aimg_image image = {
        .struct_bytes = sizeof image, .name = name, .name_bytes = strlen(name), .data = data, .data_bytes = bytes};
    REQUIRE(aimg_writer_add(writer, &image, NULL, &error) == AIMG_OK);
}

/* Six images; the payload of each is full of frames that continue the archive where it stands, with a salt or other. */
static uint8_t *make_archive(size_t *bytes_out, bool knows_salt)
{
    static uint8_t payload[PAYLOAD];
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer = NULL;
    char name[32];
    options.flags = 0;
    (void)unlink(path);
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    uint64_t seed = writer->out.seed;
    for (uint32_t i = 0; i < IMAGES; i++) {
        size_t used = 0;
        memset(payload, 0x55, sizeof payload);
        for (uint32_t k = 0; used + 256 < sizeof payload; k++) {
            snprintf(name, sizeof name, "forged/%u-%u", i, k);
            used += forge_frame(payload + used, seed, i + 1 + k, knows_salt ? writer->out.salt : 0x1234567, name, "evil");
        }
        snprintf(name, sizeof name, "true/%u", i);
        add(writer, name, payload, sizeof payload);
        if (i % 2 == 1)
            REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    }
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    uint8_t *data = sample_load(path, bytes_out);
    REQUIRE(data != NULL);
    return data;
}

static enum aimg_status repair(const uint8_t *bytes, size_t count, struct aimg_repair_result *result)
{
    struct aimg_writer_options writer = sample_writer_options();
    struct aimg_repair_options options = {.struct_bytes = sizeof options, .writer = &writer};
    struct aimg_repair_target target = {.path = out_path};
    struct aimg_io io;
    (void)unlink(out_path);
    aimg_io_memory_open(&io, bytes, count);
    return aimg_repair_io(&io, &target, &options, result, &error);
}

/* What is lost beside the header of an image. */
enum lost { INDEX = 1, HINTS = 2, LAST_PAGE = 4, ONE_HINT = 8 };

/* The header of each image in turn is lost, so that what stands in it is looked at: the index tells that it is inside an image;
 * where the index is lost too, the salt does, which no image can know that was there before its batch was. A hint tells it, or
 * the page that closes the batch. */
static void check_forged(unsigned rest)
{
    bool index_lost = (rest & INDEX) != 0;
    size_t bytes = 0;
    uint8_t *sound = make_archive(&bytes, !index_lost), *damaged = malloc(bytes);
    REQUIRE(damaged != NULL);
    for (uint32_t lost = 0; lost < IMAGES; lost++) {
        struct aimg_repair_result result = {.images = 0};
        struct aimg_reader *reader = NULL;
        uint64_t at = AIMG_HEAD_BYTES;
        uint32_t ordinal;
        memcpy(damaged, sound, bytes);
        if ((rest & HINTS) != 0)
            memset(damaged + AIMG_HEADER_BYTES, 0, 8192);
        if ((rest & ONE_HINT) != 0) /* the older one: three commits, the newest has number 2 */
            memset(damaged + AIMG_HEADER_BYTES + AIMG_HINT_BYTES, 0, AIMG_HINT_BYTES);
        if ((rest & LAST_PAGE) != 0)
            memset(damaged + bytes - AIMG_PAGE_BYTES, 0, AIMG_PAGE_BYTES);
        while (at < bytes) {
            struct aimg_frame frame;
            REQUIRE(aimg_frame_decode(sound + at, &frame) == 0);
            bool index = frame.type != AIMG_FRAME_IMAGE && frame.type != AIMG_FRAME_PAD && frame.type != AIMG_FRAME_COMMIT;
            if ((frame.type == AIMG_FRAME_IMAGE && frame.ordinal == lost) || (index && index_lost))
                memset(damaged + at, 0,
                       frame.type == AIMG_FRAME_IMAGE ? frame.header_units * 8u : (size_t)aimg_frame_total_bytes(&frame));
            at += aimg_frame_total_bytes(&frame);
        }
        if (!EXPECT_EQ_INT(repair(damaged, bytes, &result), AIMG_OK))
            break;
        EXPECT_EQ_UINT(result.images, IMAGES - index_lost);
        bool counted = lost < IMAGES - 1 || (rest & LAST_PAGE) == 0; /* else only by its bytes */
        EXPECT_EQ_UINT(result.lost_images, index_lost && counted);
        EXPECT(counted || result.lost_bytes > PAYLOAD);
        EXPECT(sample_verifies(out_path, 1, 0));
        REQUIRE(aimg_reader_open(out_path, NULL, &reader, &error) == AIMG_OK);
        for (uint32_t i = 0; i < IMAGES; i++) {
            char name[32];
            snprintf(name, sizeof name, "true/%u", i);
            EXPECT_EQ_INT(aimg_reader_find(reader, name, strlen(name), &ordinal, &error),
                          i == lost && index_lost ? AIMG_NOT_FOUND : AIMG_OK);
        }
        aimg_reader_close(reader);
    }
    free(damaged);
    free(sound);
}

/* The uuid is whole in a header that is not, and no commit tells it: the first frame vouches for it. */
static void check_header(void)
{
    size_t bytes = 0, end = AIMG_HEAD_BYTES;
    uint8_t *sound = make_archive(&bytes, true);
    struct aimg_repair_result result = {.images = 0};
    struct aimg_frame frame = {.type = 0};
    while (aimg_frame_decode(sound + end, &frame) == 0 && frame.type == AIMG_FRAME_IMAGE)
        end += (size_t)aimg_frame_total_bytes(&frame);
    sound[300] ^= 1;
    memset(sound + AIMG_HEADER_BYTES, 0, 8192);
    EXPECT_EQ_INT(repair(sound, end, &result), AIMG_OK);
    EXPECT_EQ_UINT(result.images, 2);
    sound[20] ^= 1; /* and then nothing does */
    EXPECT_EQ_INT(repair(sound, end, &result), AIMG_CORRUPT);
    free(sound);
}

/* An image holds pages of many archives, and the header is lost: those of this one are told apart by a hint or the first frame,
 * and else by their number. */
static void check_crowd(bool witnessed)
{
    enum { PAGES = 40 };
    static uint8_t payload[(PAGES + 1) * AIMG_PAGE_BYTES];
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer = NULL;
    struct aimg_repair_result result = {.images = 0};
    uint64_t random = 11;
    size_t bytes = 0;
    size_t first = AIMG_PAGE_BYTES - (AIMG_FRAME_BYTES + 8); /* behind the header of the first frame, and its name */
    options.flags = 0;
    (void)unlink(path);
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    for (unsigned i = 0; i < PAGES; i++) {
        struct aimg_commit_page page = {.self_offset = AIMG_HEAD_BYTES + (i + 1) * (uint64_t)AIMG_PAGE_BYTES,
                                        .root_offset = AIMG_HEAD_BYTES,
                                        .root_bytes = AIMG_ROOT_HEAD_BYTES};
        page.params.alignment_log2 = AIMG_ALIGNMENT_LOG2_MIN;
        random_fill(&random, page.uuid, sizeof page.uuid);
        aimg_commit_encode(&page, payload + first + i * (size_t)AIMG_PAGE_BYTES);
    }
    add(writer, "crowd", payload, sizeof payload);
    for (unsigned i = 0; i < 4; i++) {
        char name[8];
        snprintf(name, sizeof name, "%u", i);
        REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
        add(writer, name, payload, i);
    }
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK && aimg_writer_close(writer, &error) == AIMG_OK);
    uint8_t *data = sample_load(path, &bytes);
    REQUIRE(data != NULL);
    memset(data, 0, witnessed ? AIMG_HEADER_BYTES : AIMG_HEAD_BYTES + AIMG_FRAME_BYTES);
    EXPECT_EQ_INT(repair(data, bytes, &result), AIMG_OK);
    EXPECT_EQ_UINT(result.images, 5);
    EXPECT_EQ_UINT(result.lost_images + result.lost_bytes, 0);
    free(data);
}

/* Nothing but headers that look right, or are: the work grows with the file, not with its square. */
static void check_busy(bool valid, uint32_t stored_bytes)
{
    size_t bytes = 0, count = AIMG_HEAD_BYTES + (4u << 20);
    uint8_t *sound = make_archive(&bytes, true), *busy = malloc(count);
    struct aimg_repair_result result;
    struct timespec begin, end;
    REQUIRE(busy != NULL);
    memcpy(busy, sound, AIMG_HEAD_BYTES);
    memset(busy + 4096, 0, 8192);
    struct aimg_frame frame = {
        .type = AIMG_FRAME_RUN, .header_units = 6, .stored_bytes = stored_bytes, .raw_bytes = stored_bytes};
    for (size_t at = AIMG_HEAD_BYTES; at + AIMG_FRAME_BYTES <= count; at += AIMG_FRAME_BYTES) {
        frame.salt = (uint32_t)at;
        aimg_frame_encode(&frame, busy + at);
        if (valid)
            aimg_store64(busy + at + AIMG_FRAME_CHECK_OFFSET,
                         aimg_frame_checksum(busy + at, AIMG_FRAME_BYTES, aimg_uuid_seed(sound + 16)));
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    (void)repair(busy, count, &result);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    EXPECT(end.tv_sec - begin.tv_sec < 20); /* hundredths of a second; the square takes hours */
    free(busy);
    free(sound);
}

int main(void)
{
    path = strdup(sample_path("forged"));
    out_path = strdup(sample_path("out"));
    check_forged(0);
    check_forged(INDEX);
    check_forged(INDEX | HINTS);
    check_forged(INDEX | LAST_PAGE);
    check_forged(INDEX | LAST_PAGE | ONE_HINT);
    check_header();
    check_crowd(true);
    check_crowd(false);
    check_busy(false, 0);
    check_busy(true, 0);
    check_busy(true, 4096);
    check_busy(true, 1 << 20);
    free((char *)(uintptr_t)path);
    free((char *)(uintptr_t)out_path);
    return test_end("repair_forged");
}
