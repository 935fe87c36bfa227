/* SPDX-License-Identifier: Apache-2.0 */
/* Frame headers: sizes at their limits, every rule, every bit. */
#include "checksum.h"
#include "frame.h"
#include "random.h"
#include "test.h"

static struct aimg_frame image_frame(void)
{
    return (struct aimg_frame){.type = AIMG_FRAME_IMAGE,
                               .header_units = 8,
                               .format = 2,
                               .coding = 1,
                               .ordinal = 0xFFFFFFFD,
                               .salt = 0x01020304,
                               .name_bytes = 11,
                               .ext_bytes = 4,
                               .stored_bytes = AIMG_PAYLOAD_LIMIT - 1,
                               .raw_bytes = AIMG_PAYLOAD_LIMIT - 1,
                               .stored_hash = UINT64_C(0x0102030405060708),
                               .check = UINT64_C(0x1112131415161718)};
}

static void check_round_trip(void)
{
    struct aimg_frame frame = image_frame(), read;
    uint8_t *bytes = test_guarded(AIMG_FRAME_BYTES);
    aimg_frame_encode(&frame, bytes);
    EXPECT_EQ_UINT(aimg_frame_decode(bytes, &read), 0);
    EXPECT_EQ_BYTES(&frame, &read, sizeof frame);
    EXPECT_EQ_BYTES(bytes, "AF\x01\x08", 4);
    EXPECT_EQ_UINT(aimg_frame_check_fields(&read), 0);
    EXPECT_EQ_UINT(aimg_frame_total_bytes(&read), 64 + AIMG_PAYLOAD_LIMIT);
}

static void check_sizes(void)
{
    EXPECT_EQ_UINT(aimg_frame_header_bytes(0, 0), 48);
    EXPECT_EQ_UINT(aimg_frame_header_bytes(1, 0), 56);
    EXPECT_EQ_UINT(aimg_frame_header_bytes(8, 0), 56);
    EXPECT_EQ_UINT(aimg_frame_header_bytes(4, 5), 64);
    EXPECT_EQ_UINT(aimg_frame_header_bytes(1024, 0), 1072);
    EXPECT_EQ_UINT(aimg_frame_header_bytes(UINT16_MAX, UINT16_MAX), 48 + 131072);
    struct aimg_frame frame = {.header_units = 6, .stored_bytes = 1};
    EXPECT_EQ_UINT(aimg_frame_total_bytes(&frame), 56);
    frame.stored_bytes = 0;
    EXPECT_EQ_UINT(aimg_frame_total_bytes(&frame), 48);
}

static void check_decode_rules(void)
{
    struct aimg_frame frame = image_frame(), read;
    uint8_t bytes[AIMG_FRAME_BYTES];
    static const struct {
        unsigned at;
        uint8_t value;
        unsigned rule;
    } changes[] = {{0, 'a', 13}, {1, 'f', 13},   {3, 7, 15},     {3, 9, 15},  {3, 0, 15}, {12, 3, 15},
                   {22, 30, 15}, {21, 0x80, 17}, {29, 0x80, 17}, {30, 1, 19}, {31, 1, 19}};
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        aimg_frame_encode(&frame, bytes);
        bytes[changes[i].at] = changes[i].value;
        EXPECT_EQ_UINT(aimg_frame_decode(bytes, &read), changes[i].rule);
    }
    /* A header of more than 255 units cannot be said. */
    frame.name_bytes = 2000;
    for (unsigned units = 0; units < 256; units++) {
        frame.header_units = (uint8_t)units;
        aimg_frame_encode(&frame, bytes);
        EXPECT_EQ_UINT(aimg_frame_decode(bytes, &read), 15);
    }
    frame.name_bytes = 1992 - 4;
    frame.header_units = 255;
    aimg_frame_encode(&frame, bytes);
    EXPECT_EQ_UINT(aimg_frame_decode(bytes, &read), 0);
}

/* Which fields each type may use. */
static void check_field_rules(void)
{
    for (unsigned type = 0; type < 256; type++) {
        bool known = type >= AIMG_FRAME_IMAGE && type <= AIMG_FRAME_COMMIT;
        bool image = type == AIMG_FRAME_IMAGE, named = image || type == AIMG_FRAME_ALIAS;
        bool coded = image || type == AIMG_FRAME_DICT || type == AIMG_FRAME_CODING;
        struct aimg_frame plain = {.type = (uint8_t)type, .header_units = 6, .stored_bytes = 8, .raw_bytes = 8}, changed;
        EXPECT_EQ_UINT(aimg_frame_check_fields(&plain), known ? 0 : 14);
        if (!known)
            continue;
        changed = plain;
        changed.raw_bytes = 9;
        EXPECT_EQ_UINT(aimg_frame_check_fields(&changed), image ? 0 : 19);
        changed = plain;
        changed.ordinal = 1;
        EXPECT_EQ_UINT(aimg_frame_check_fields(&changed), named ? 0 : 19);
        changed = plain;
        changed.name_bytes = 1;
        EXPECT_EQ_UINT(aimg_frame_check_fields(&changed), named ? 0 : 19);
        changed = plain;
        changed.ext_bytes = 1;
        EXPECT_EQ_UINT(aimg_frame_check_fields(&changed), named ? 0 : 19);
        changed = plain;
        changed.coding = 1;
        EXPECT_EQ_UINT(aimg_frame_check_fields(&changed), coded ? 0 : 19);
        changed = plain;
        changed.format = 1;
        EXPECT_EQ_UINT(aimg_frame_check_fields(&changed), coded || named ? 0 : 19);
        changed = plain;
        changed.stored_bytes = changed.raw_bytes = 16;
        EXPECT_EQ_UINT(aimg_frame_check_fields(&changed), type == AIMG_FRAME_ALIAS ? 19 : 0);
    }
}

/* The check covers the whole header, itself left out, and the seed. */
static void check_checksum(void)
{
    uint64_t random = 3;
    uint8_t *header = test_guarded(AIMG_FRAME_HEADER_MAX);
    random_fill(&random, header, AIMG_FRAME_HEADER_MAX);
    for (size_t bytes = AIMG_FRAME_BYTES; bytes <= AIMG_FRAME_HEADER_MAX; bytes += 8 * 31) {
        uint64_t check = aimg_frame_checksum(header, bytes, 5);
        EXPECT(aimg_frame_checksum(header, bytes, 6) != check);
        for (size_t at = 0; at < bytes; at++) {
            bool covered = at < AIMG_FRAME_CHECK_OFFSET || at >= AIMG_FRAME_CHECK_OFFSET + 8;
            header[at] ^= 0x10;
            EXPECT((aimg_frame_checksum(header, bytes, 5) != check) == covered);
            header[at] ^= 0x10;
        }
        uint8_t zeroed[AIMG_FRAME_HEADER_MAX];
        memcpy(zeroed, header, bytes);
        memset(zeroed + AIMG_FRAME_CHECK_OFFSET, 0, 8);
        EXPECT_EQ_UINT(check, aimg_hash_low(zeroed, bytes, 5));
    }
}

static unsigned check_ext(const void *ext, size_t bytes, int *critical)
{
    uint8_t *copy = test_guarded(bytes);
    if (bytes > 0)
        memcpy(copy, ext, bytes);
    return aimg_frame_check_ext(copy, bytes, critical);
}

static void check_extensions(void)
{
    int critical = 7;
    EXPECT(check_ext("", 0, &critical) == 0 && critical == 0);
    EXPECT(check_ext("\x01\x00\x00\x00", 4, &critical) == 0 && critical == 0);
    EXPECT(check_ext("\x01\x00\x02\x00xy\x02\x00\x00\x00", 10, &critical) == 0 && critical == 0);
    EXPECT(check_ext("\x00\x80\x01\x00x", 5, &critical) == 0 && critical == 1);
    EXPECT(check_ext("\x01\x00\x00\x00\xFF\xFF\x00\x00", 8, &critical) == 0 && critical == 1);
    EXPECT_EQ_UINT(check_ext("\x01\x00\x00\x00\x01\x00\x00\x00", 8, &critical), 22); /* a kind twice */
    EXPECT_EQ_UINT(check_ext("\x01\x00\x02\x00x", 5, &critical), 22);                /* longer than ext */
    EXPECT_EQ_UINT(check_ext("\x01\x00\xFF\xFFx", 5, &critical), 22);
    for (size_t bytes = 1; bytes < 4; bytes++)
        EXPECT_EQ_UINT(check_ext("\x01\x00\x00\x00", bytes, &critical), 22);
    EXPECT_EQ_UINT(check_ext("\x01\x00\x00\x00\x02\x00\x00", 7, &critical), 22); /* a rest */
    uint64_t random = 11;
    uint8_t *end = test_guarded(24) + 24;
    for (unsigned i = 0; i < 3000; i++) { /* anything: no byte outside is touched */
        uint8_t ext[24];
        random_fill(&random, ext, sizeof ext);
        for (size_t k = 3; k < sizeof ext; k += 4)
            ext[k] = 0;
        for (size_t k = 2; k < sizeof ext; k += 4)
            ext[k] &= 7;
        size_t bytes = random_below(&random, sizeof ext + 1);
        memcpy(end - bytes, ext, bytes);
        unsigned rule = aimg_frame_check_ext(end - bytes, bytes, &critical);
        EXPECT((rule == 0 || rule == 22) && (critical == 0 || critical == 1));
    }
}

int main(void)
{
    check_round_trip();
    check_sizes();
    check_decode_rules();
    check_field_rules();
    check_checksum();
    check_extensions();
    return test_end("test_frame");
}
