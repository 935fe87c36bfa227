/* SPDX-License-Identifier: Apache-2.0 */
/* A frame that is whole, whose stored_hash is not that of the bytes: what is verified is refused, copied or in place. */
#include "checksum.h"
#include "reader.h"
#include "sample.h"
#include "test.h"

enum { WAYS = 3, BYTES = 3000 };

static struct aimg_error error;
static uint8_t content[BYTES];
static uint8_t *archive;
static size_t archive_bytes;

static void make(uint32_t compress)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_image image = {.struct_bytes = sizeof image, .name = "x", .name_bytes = 1, .data = content, .data_bytes = BYTES};
    struct aimg_writer *writer = NULL;
    options.compress = compress;
    (void)unlink(sample_path("archive"));
    REQUIRE(aimg_writer_create(sample_path("archive"), &options, &writer, &error) == AIMG_OK);
    REQUIRE(aimg_writer_add(writer, &image, NULL, &error) == AIMG_OK && aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    archive = sample_load(sample_path("archive"), &archive_bytes);
    REQUIRE(archive != NULL);
}

/* 0: a map, 1: without, 2: bytes in memory. */
static struct aimg_reader *open_way(unsigned way)
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .flags = way == 1 ? AIMG_READER_NO_MAP : 0};
    struct aimg_reader *reader = NULL;
    enum aimg_status status = way == 2 ? aimg_reader_open_memory(archive, archive_bytes, &options, &reader, &error)
                                       : aimg_reader_open(sample_path("archive"), &options, &reader, &error);
    REQUIRE(status == AIMG_OK);
    return reader;
}

static void change_stored_hash(void)
{
    struct aimg_reader *reader = open_way(0);
    struct aimg_frame frame;
    uint8_t *header = archive + AIMG_HEAD_BYTES;
    REQUIRE(aimg_frame_decode(header, &frame) == 0 && frame.type == AIMG_FRAME_IMAGE);
    frame.stored_hash ^= 1;
    frame.check = 0;
    aimg_frame_encode(&frame, header);
    frame.check = aimg_frame_checksum(header, (size_t)frame.header_units * AIMG_UNIT, reader->source.seed);
    aimg_frame_encode(&frame, header);
    aimg_reader_close(reader);
    REQUIRE(sample_store(sample_path("archive"), archive, archive_bytes));
}

static void check_read(enum aimg_status wanted, uint8_t coding)
{
    static uint8_t out[BYTES];
    for (unsigned way = 0; way < WAYS; way++) {
        struct aimg_reader *reader = open_way(way);
        struct aimg_bytes stored;
        uint64_t bytes = 0;
        EXPECT_EQ_INT(aimg_reader_read(reader, 0, 0, out, sizeof out, &bytes, &error), wanted);
        EXPECT_EQ_UINT(wanted == AIMG_OK ? 18 : error.rule, 18);
        EXPECT_EQ_INT(aimg_reader_read(reader, 0, AIMG_READ_UNVERIFIED, out, sizeof out, &bytes, &error), AIMG_OK);
        EXPECT(bytes == BYTES && memcmp(out, content, BYTES) == 0);
        if (way != 1) {
            EXPECT_EQ_INT(aimg_reader_borrow(reader, 0, AIMG_READ_VERIFY, &stored, &error), wanted);
            EXPECT_EQ_INT(aimg_reader_borrow(reader, 0, 0, &stored, &error), AIMG_OK);
            EXPECT_EQ_UINT(stored.coding, coding);
        }
        aimg_reader_close(reader);
    }
}

int main(void)
{
    memset(content, 'x', sizeof content);
    for (uint32_t compress = AIMG_COMPRESS_STORE; compress <= AIMG_COMPRESS_ZSTD; compress++) {
        uint8_t coding = compress == AIMG_COMPRESS_STORE ? AIMG_CODING_STORE : AIMG_CODING_ZSTD;
        make(compress);
        check_read(AIMG_OK, coding);
        change_stored_hash();
        check_read(AIMG_CHECKSUM, coding);
        free(archive);
    }
    return test_end("test_read_frame");
}
