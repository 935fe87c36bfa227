/* SPDX-License-Identifier: Apache-2.0 */
/* The growing end of the file: whatever goes in, in whatever pieces, is in the file; frames and pads are what SPEC.md says. */
#include "random.h"
#include "table_room.h"

enum { MODEL_BYTES = 8 << 20 };

static uint8_t *model; /* what the file must hold from AIMG_HEAD_BYTES on */
static size_t model_bytes;
static struct aimg_error error;

static void expect_file(struct table_room *room)
{
    uint64_t bytes = 0;
    uint8_t *found = malloc(model_bytes);
    REQUIRE(found != NULL);
    EXPECT_EQ_UINT(aimg_out_offset(&room->out), AIMG_HEAD_BYTES + model_bytes);
    EXPECT_EQ_INT(aimg_out_flush(&room->out, &error), AIMG_OK);
    EXPECT(room->io.ops->size(&room->io, &bytes, &error) == AIMG_OK && bytes == AIMG_HEAD_BYTES + model_bytes);
    EXPECT_EQ_INT(room->io.ops->read_at(&room->io, AIMG_HEAD_BYTES, found, model_bytes, &error), AIMG_OK);
    EXPECT_EQ_BYTES(found, model, model_bytes);
    free(found);
}

/* Pieces below, at and above the sizes where the path changes, and patches before, in and across what is still in the buffer. */
static void check_pieces(void)
{
    static const size_t sizes[] = {0, 1, 7, 100, 4096, 65535, 65536, 65537, 300000};
    struct table_room room;
    uint64_t random = 3;
    uint8_t *piece = malloc(300000);
    table_room_open(&room);
    REQUIRE(piece != NULL);
    random_fill(&random, piece, 300000);
    while (model_bytes < MODEL_BYTES - 400000) {
        size_t bytes = sizes[random_below(&random, sizeof sizes / sizeof sizes[0])];
        uint64_t what = random_below(&random, 8);
        if (what == 0) {
            EXPECT_EQ_INT(aimg_out_zero(&room.out, bytes, &error), AIMG_OK);
            memset(model + model_bytes, 0, bytes);
            model_bytes += bytes;
        } else if (what == 1 && model_bytes > 0) {
            size_t at = (size_t)random_below(&random, model_bytes), most = model_bytes - at < 2000 ? model_bytes - at : 2000;
            if (random_below(&random, 2) == 0 && room.out.flushed - AIMG_HEAD_BYTES > 10) /* across the seam */
                at = (size_t)(room.out.flushed - AIMG_HEAD_BYTES) - 10, most = model_bytes - at < 20 ? model_bytes - at : 20;
            EXPECT_EQ_INT(aimg_out_patch(&room.out, AIMG_HEAD_BYTES + at, piece, most, &error), AIMG_OK);
            memcpy(model + at, piece, most);
        } else {
            EXPECT_EQ_INT(aimg_out_write(&room.out, piece, bytes, &error), AIMG_OK);
            memcpy(model + model_bytes, piece, bytes);
            model_bytes += bytes;
        }
    }
    expect_file(&room);
    free(piece);
    table_room_close(&room);
}

/* Reads the frame at offset as a reader would, and checks all of it. */
static struct aimg_frame read_frame(struct table_room *room, uint64_t offset, uint8_t *name, uint8_t *payload)
{
    uint8_t header[AIMG_FRAME_HEADER_MAX];
    struct aimg_frame frame = {.type = 0};
    REQUIRE(aimg_out_flush(&room->out, &error) == AIMG_OK);
    REQUIRE(room->io.ops->read_at(&room->io, offset, header, AIMG_FRAME_BYTES, &error) == AIMG_OK);
    EXPECT_EQ_UINT(aimg_frame_decode(header, &frame), 0);
    EXPECT_EQ_UINT(aimg_frame_check_fields(&frame), 0);
    size_t header_bytes = frame.header_units * 8u;
    REQUIRE(room->io.ops->read_at(&room->io, offset, header, header_bytes, &error) == AIMG_OK);
    EXPECT_EQ_UINT(aimg_frame_checksum(header, header_bytes, room->out.seed), frame.check);
    memcpy(name, header + AIMG_FRAME_BYTES, frame.name_bytes);
    EXPECT(aimg_all_zero(header + AIMG_FRAME_BYTES + frame.name_bytes, header_bytes - AIMG_FRAME_BYTES - frame.name_bytes));
    size_t padded = (size_t)aimg_round_up(frame.stored_bytes, 8);
    if (padded > 0)
        REQUIRE(room->io.ops->read_at(&room->io, offset + header_bytes, payload, padded, &error) == AIMG_OK);
    EXPECT(aimg_all_zero(payload + frame.stored_bytes, padded - (size_t)frame.stored_bytes));
    EXPECT_EQ_UINT(aimg_hash(payload, (size_t)frame.stored_bytes).low, frame.stored_hash);
    EXPECT_EQ_UINT(frame.salt, room->out.salt);
    return frame;
}

static void check_frames(void)
{
    static const uint16_t names[] = {0, 1, 7, 8, 9, 1023, 1024};
    static const size_t payloads[] = {0, 1, 8, 65536, 65543, 100000};
    struct table_room room;
    uint64_t random = 8;
    uint8_t name[1024], name_read[1024], *data = malloc(100008), *payload = malloc(100008);
    table_room_open(&room);
    room.out.seed = 99;
    REQUIRE(data != NULL && payload != NULL);
    random_fill(&random, name, sizeof name);
    random_fill(&random, data, 100008);
    for (size_t i = 0; i < 7; i++)
        for (size_t k = 0; k < 6; k++) {
            uint64_t offset = aimg_out_offset(&room.out);
            struct aimg_frame frame = {
                .type = AIMG_FRAME_IMAGE, .ordinal = 5, .name_bytes = names[i], .format = 1, .raw_bytes = 9};
            frame.stored_hash = aimg_hash(data, payloads[k]).low;
            EXPECT_EQ_INT(aimg_out_frame(&room.out, &frame, name, data, payloads[k], &error), AIMG_OK);
            EXPECT_EQ_UINT(aimg_out_offset(&room.out), offset + aimg_frame_total_bytes(&frame));
            struct aimg_frame read = read_frame(&room, offset, name_read, payload);
            EXPECT(read.ordinal == 5 && read.name_bytes == names[i] && read.stored_bytes == payloads[k] && read.raw_bytes == 9);
            EXPECT_EQ_BYTES(name_read, name, names[i]);
            EXPECT_EQ_BYTES(payload, data, payloads[k]);
        }
    free(data);
    free(payload);
    table_room_close(&room);
}

/* A PAD of the right length, from every place modulo the alignment. */
static void check_align(void)
{
    uint8_t payload[2 * AIMG_PAGE_BYTES], name[1];
    struct table_room room;
    table_room_open(&room);
    for (uint64_t align = 16; align <= 4096; align *= 2)
        for (uint64_t lead = 0; lead <= 104; lead += 8)
            for (unsigned i = 0; i < (align < 512 ? 20u : 6u); i++) {
                EXPECT_EQ_INT(aimg_out_zero(&room.out, 8 * (i % 5), &error), AIMG_OK);
                uint64_t offset = aimg_out_offset(&room.out);
                bool right = (offset + lead) % align == 0;
                EXPECT_EQ_INT(aimg_out_align(&room.out, lead, align, &error), AIMG_OK);
                uint64_t now = aimg_out_offset(&room.out);
                EXPECT((now + lead) % align == 0 && (now == offset) == right && now - offset < align + 48 + align);
                if (right)
                    continue;
                struct aimg_frame frame = read_frame(&room, offset, name, payload);
                EXPECT(frame.type == AIMG_FRAME_PAD && offset + aimg_frame_total_bytes(&frame) == now);
                EXPECT(aimg_all_zero(payload, (size_t)frame.stored_bytes));
            }
    table_room_close(&room);
}

int main(void)
{
    model = malloc(MODEL_BYTES);
    REQUIRE(model != NULL);
    check_pieces();
    check_frames();
    check_align();
    free(model);
    return test_end("test_out");
}
