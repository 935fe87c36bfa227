/* SPDX-License-Identifier: Apache-2.0 */
/* Torn tails of odd frames, each whole by its checksums: what stays must be such that the archive has no fault, images are kept
 * all the same, and nothing that only a newer version or larger limits can read is thrown away. */
#include "checksum.h"
#include "constants.h"
#include "fake_disk.h"
#include "frame.h"
#include "sample.h"
#include "test.h"
#include "writer.h"

enum { ALIGN = 64, BASE = 3, CONTENT_SMALL = 2, LIMIT = 10000 };

static struct aimg_error error;

/* An archive of two images and an alias of the first, and the frames that are put behind it. */
struct tail {
    uint8_t bytes[1 << 17];
    size_t used;
    uint64_t seed;
    uint32_t ordinal, salt;
    struct aimg_located base;
};

/* A frame to be put. Its name and extensions lie one after the other. */
struct odd {
    struct aimg_frame frame;
    const char *name, *ext;
    const void *payload;
    uint64_t align; /* of the payload; 0: as the type needs it */
    uint8_t header_fill, payload_fill;
};

static void put(struct tail *tail, const struct odd *odd)
{
    struct aimg_frame frame = odd->frame;
    uint64_t align = odd->align;
    bool image = frame.type == AIMG_FRAME_IMAGE || frame.type == AIMG_FRAME_ALIAS;
    if (align == 0)
        align = frame.type == AIMG_FRAME_ALIAS || frame.type > AIMG_FRAME_VALUES ? AIMG_UNIT : ALIGN;
    frame.name_bytes = odd->name == NULL ? 0 : (uint16_t)strlen(odd->name);
    size_t used = AIMG_FRAME_BYTES + (size_t)frame.name_bytes + frame.ext_bytes;
    size_t header = aimg_frame_header_bytes(frame.name_bytes, frame.ext_bytes);
    frame.header_units = (uint8_t)(header / AIMG_UNIT);
    frame.salt = tail->salt;
    frame.ordinal = image ? tail->ordinal++ : 0;
    frame.raw_bytes = frame.raw_bytes == 0 ? frame.stored_bytes : frame.raw_bytes;
    frame.stored_hash = aimg_hash(odd->payload, (size_t)frame.stored_bytes).low;
    while (odd->align == 1 ? (tail->used + header) % ALIGN == 0 : (tail->used + header) % align != 0) {
        static const uint8_t zeros[AIMG_UNIT];
        struct odd pad = {.frame = {.type = AIMG_FRAME_PAD, .stored_bytes = sizeof zeros}, .payload = zeros};
        put(tail, &pad);
    }
    uint8_t *out = tail->bytes + tail->used;
    REQUIRE(tail->used + header + frame.stored_bytes + AIMG_UNIT <= sizeof tail->bytes);
    memset(out, odd->header_fill, header);
    aimg_frame_encode(&frame, out);
    memcpy(out + AIMG_FRAME_BYTES, odd->name == NULL ? "" : odd->name, frame.name_bytes);
    memcpy(out + AIMG_FRAME_BYTES + frame.name_bytes, odd->ext == NULL ? "" : odd->ext, frame.ext_bytes);
    EXPECT(odd->header_fill == 0 || used < header);
    aimg_store64(out + AIMG_FRAME_CHECK_OFFSET, aimg_frame_checksum(out, header, tail->seed));
    memset(out + header, odd->payload_fill, (size_t)aimg_round_up(frame.stored_bytes, AIMG_UNIT));
    memcpy(out + header, odd->payload, (size_t)frame.stored_bytes);
    tail->used += (size_t)aimg_frame_total_bytes(&frame);
}

/* An image as writers put it. */
static void put_image(struct tail *tail, const char *name, uint32_t content)
{
    static uint8_t data[SAMPLE_MAX_BYTES];
    struct odd odd = {.frame = {.type = AIMG_FRAME_IMAGE}, .name = name, .payload = data};
    odd.frame.stored_bytes = sample_fill(content, data);
    put(tail, &odd);
}

static void put_alias(struct tail *tail, const char *name, uint32_t target, uint8_t reserved)
{
    uint8_t payload[AIMG_ALIAS_BYTES] = {0};
    struct odd odd = {.frame = {.type = AIMG_FRAME_ALIAS, .stored_bytes = sizeof payload}, .name = name, .payload = payload};
    aimg_store32(payload, target);
    payload[4] = reserved;
    put(tail, &odd);
}

static void begin_tail(struct tail *tail)
{
    struct fake_disk disk;
    struct aimg_writer *writer = NULL;
    struct aimg_writer_options options = sample_writer_options();
    options.alignment = ALIGN;
    options.flags = 0; /* so that a hint is there */
    options.dedup = AIMG_DEDUP_ALL;
    fake_disk_create(&disk, NULL, 0);
    struct aimg_io io = fake_disk_io(&disk);
    REQUIRE(aimg_writer_create_io(&io, &options, &writer, &error) == AIMG_OK);
    REQUIRE(sample_add(writer, "base/0", 3, 0, NULL, &error) == AIMG_OK);
    REQUIRE(sample_add(writer, "base/1", 4, 0, NULL, &error) == AIMG_OK);
    REQUIRE(sample_add(writer, "base/2", 3, 0, NULL, &error) == AIMG_OK);
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    *tail = (struct tail){
        .used = (size_t)disk.cache_bytes, .seed = writer->out.seed, .ordinal = BASE, .salt = 0x5a17, .base = writer->located};
    memcpy(tail->bytes, disk.cache, tail->used);
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    fake_disk_destroy(&disk);
}

/* ------------------------------------------------------------------ the odd frames */

static void odd_table(struct tail *tail)
{
    static const uint8_t payload[100];
    const struct odd odd = {.frame = {.type = AIMG_FRAME_RUN, .stored_bytes = sizeof payload}, .payload = payload, .align = 1};
    put(tail, &odd);
}

static void odd_mask(struct tail *tail)
{
    static const uint8_t payload[100];
    const struct odd odd = {.frame = {.type = AIMG_FRAME_MASK, .stored_bytes = sizeof payload}, .payload = payload};
    put(tail, &odd);
}

/* An image with something odd about it. */
static void put_odd(struct tail *tail, struct odd odd)
{
    static uint8_t data[SAMPLE_MAX_BYTES];
    odd.frame.type = AIMG_FRAME_IMAGE;
    odd.frame.stored_bytes = sample_fill(CONTENT_SMALL, data);
    odd.name = odd.name == NULL ? "t/odd" : odd.name;
    odd.payload = data;
    put(tail, &odd);
}

static void odd_alignment(struct tail *tail)
{
    put_odd(tail, (struct odd){.align = 1});
}

static void odd_header_fill(struct tail *tail)
{
    put_odd(tail, (struct odd){.header_fill = 1});
}

static void odd_payload_fill(struct tail *tail)
{
    put_odd(tail, (struct odd){.payload_fill = 1});
}

static void odd_name(struct tail *tail)
{
    put_odd(tail, (struct odd){.name = "a//b"});
}

static void odd_extension(struct tail *tail)
{
    put_odd(tail, (struct odd){.frame = {.ext_bytes = 1}, .ext = "\1"});
}

static void odd_size(struct tail *tail)
{
    put_odd(tail, (struct odd){.frame = {.raw_bytes = 7}});
}

static void odd_alias(struct tail *tail)
{
    put_alias(tail, "t/odd", 0, 1);
}

static void odd_alias_of_alias(struct tail *tail)
{
    put_alias(tail, "t/alias", 0, 0);
    put_alias(tail, "t/odd", BASE + 1, 0);
}

static void odd_alias_of_old(struct tail *tail)
{
    put_alias(tail, "t/odd", BASE - 1, 0);
}

/* Two with the same bytes, and an alias of the second. */
static void odd_twins(struct tail *tail)
{
    put_odd(tail, (struct odd){.name = "t/x", .header_fill = 1});
    put_image(tail, "t/y", CONTENT_SMALL);
    put_alias(tail, "t/odd", BASE + 2, 0);
}

static void odd_critical(struct tail *tail)
{
    put_odd(tail, (struct odd){.frame = {.ext_bytes = 4}, .ext = "\1\x80\0\0"});
}

static void odd_limit(struct tail *tail)
{
    put_odd(tail, (struct odd){.frame = {.coding = AIMG_CODING_ZSTD, .raw_bytes = LIMIT + 1}});
}

/* No limit is there for what need not be decoded. */
static void odd_large(struct tail *tail)
{
    put_image(tail, "t/odd", SAMPLE_BIG);
}

static void odd_codec(struct tail *tail)
{
    static const uint8_t payload[100];
    const struct odd odd = {.frame = {.type = AIMG_FRAME_DICT, .format = 9, .coding = 9, .stored_bytes = sizeof payload},
                            .payload = payload};
    put(tail, &odd);
    put_odd(tail, (struct odd){.frame = {.coding = 9}});
}

/* As if four thousand million images had been there: it is not believed. */
static void odd_jump(struct tail *tail)
{
    uint32_t ordinal = tail->ordinal;
    tail->ordinal = 4000000000u;
    put_image(tail, "t/odd", CONTENT_SMALL);
    tail->ordinal = ordinal + 1;
}

/* The index of the archive itself is damaged: whether a name is taken cannot be known. */
static void odd_archive(struct tail *tail)
{
    struct aimg_frame frame = {.type = 0};
    size_t at = AIMG_HEAD_BYTES;
    for (; aimg_frame_decode(tail->bytes + at, &frame) == 0 && frame.type != AIMG_FRAME_NAMES;)
        at += (size_t)aimg_frame_total_bytes(&frame);
    REQUIRE(frame.type == AIMG_FRAME_NAMES);
    tail->bytes[at + AIMG_FRAME_BYTES] ^= 1;
}

struct odd_case {
    const char *subject;
    void (*put)(struct tail *tail);
    enum aimg_status status;
    uint64_t kept, lost; /* with one image before and one behind */
};

static const struct odd_case cases[] = {
    {"a table that is not aligned", odd_table, AIMG_OK, 2, 0},
    {"a mask", odd_mask, AIMG_OK, 2, 0},
    {"an image that is not aligned", odd_alignment, AIMG_OK, 3, 0},
    {"a header with fill that is not zero", odd_header_fill, AIMG_OK, 3, 0},
    {"fill that is not zero behind an image", odd_payload_fill, AIMG_OK, 3, 0},
    {"a name that no archive may have", odd_name, AIMG_OK, 3, 0},
    {"extensions that do not fit", odd_extension, AIMG_OK, 2, 1},
    {"an image of another size", odd_size, AIMG_OK, 2, 1},
    {"an alias with reserved bytes", odd_alias, AIMG_OK, 3, 0},
    {"an alias of an alias", odd_alias_of_alias, AIMG_OK, 3, 1},
    {"an alias of an alias of the archive", odd_alias_of_old, AIMG_OK, 3, 0},
    {"an alias of a twin", odd_twins, AIMG_OK, 5, 0},
    {"a critical extension", odd_critical, AIMG_UNSUPPORTED, 0, 0},
    {"an image above the limits", odd_limit, AIMG_LIMIT, 0, 0},
    {"an ordinal far ahead", odd_jump, AIMG_OK, 2, 1},
    {"a stored image above the limits", odd_large, AIMG_OK, 3, 0},
    {"a dictionary of another codec", odd_codec, AIMG_UNSUPPORTED, 0, 0},
    {"a damaged index of the archive", odd_archive, AIMG_CHECKSUM, 0, 0},
};

/* A recovery of the tail, as it lies on the disk. */
static enum aimg_status recover(struct fake_disk *disk, uint32_t dedup, uint64_t image_bytes, struct aimg_writer **writer)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_io io = fake_disk_io(disk);
    options.flags = AIMG_WRITER_RECOVER;
    options.dedup = dedup;
    options.limits.image_bytes = image_bytes;
    return aimg_writer_open_io(&io, &options, writer, &error);
}

/* Behind an image, or behind a hole, where it would be copied. */
static void check_case(const struct odd_case *odd, bool hole)
{
    static struct tail tail;
    struct fake_disk disk;
    struct aimg_writer *writer = NULL;
    const char *path = sample_path("recovered");
    uint64_t kept, dropped, lost;
    uint32_t ordinal;
    test_state.subject = odd->subject;
    begin_tail(&tail);
    size_t first = tail.used;
    put_image(&tail, "t/first", 5);
    size_t second = tail.used;
    odd->put(&tail);
    put_image(&tail, "t/last", 6);
    REQUIRE(tail.used > LIMIT);
    memset(tail.bytes + first, 0, hole ? second - first : 0);
    fake_disk_create(&disk, tail.bytes, tail.used);
    enum aimg_status status = recover(&disk, AIMG_DEDUP_ALL, LIMIT, &writer); /* there are more bytes in the file */
    if (!EXPECT_EQ_INT(status, odd->status))
        fprintf(stderr, "  %s\n", error.message);
    if (odd->status != AIMG_OK)
        EXPECT(disk.cache_bytes == tail.used && memcmp(disk.cache, tail.bytes, tail.used) == 0);
    if (status == AIMG_OK) {
        aimg_writer_recovered(writer, &kept);
        aimg_writer_dropped(writer, &dropped, &lost);
        EXPECT(writer->out.salt != tail.salt); /* also of one that is the same in every run */
        EXPECT_EQ_UINT(kept, odd->kept - hole);
        EXPECT_EQ_UINT(lost, odd->lost + hole);
        EXPECT(aimg_writer_find(writer, "t/last", 6, &ordinal, &error) == AIMG_OK &&
               sample_equals(aimg_writer_base(writer), ordinal, 6));
        REQUIRE(sample_store(path, disk.medium, disk.medium_bytes));
        EXPECT(sample_verifies(path, 1, 0));
    }
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    fake_disk_destroy(&disk);
    test_state.subject = NULL;
}

/* An alias behind a hole, with the name of an image of the archive: it takes that one's place only when it is sure that it is
 * there. Call n fails; false when there are not so many. */
static bool check_renewed(uint64_t n)
{
    static struct tail tail;
    struct fake_disk disk;
    struct aimg_writer *writer = NULL;
    const char *path = sample_path("renewed");
    begin_tail(&tail);
    size_t first = tail.used;
    put_image(&tail, "t/first", 5);
    memset(tail.bytes + first, 0, tail.used - first);
    put_alias(&tail, "base/1", 0, 0);
    fake_disk_create(&disk, tail.bytes, tail.used);
    disk.fail_at = n;
    enum aimg_status status = recover(&disk, AIMG_DEDUP_NONE, 0, &writer);
    EXPECT(status == AIMG_OK || (disk.calls >= n && status == AIMG_IO));
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    bool reached = disk.calls >= n;
    REQUIRE(sample_store(path, disk.cache, disk.cache_bytes));
    EXPECT(status != AIMG_OK || sample_verifies(path, 1, 0));
    fake_disk_destroy(&disk);
    return reached;
}

/* What an image may hold: frames of this very archive, and the page of a commit that was long ago, with a salt of its own. */
static void put_forged(struct tail *tail)
{
    static const uint8_t zeros[AIMG_PAGE_BYTES];
    const struct tail before = {.ordinal = tail->ordinal, .salt = tail->salt};
    struct aimg_commit_page page = tail->base.commit;
    tail->salt = page.salt = 0xbad;
    tail->ordinal++;
    put_image(tail, "base/0", 9);
    put_image(tail, "base/1", 9);
    struct odd pad = {.frame = {.type = AIMG_FRAME_PAD}, .payload = zeros};
    page.self_offset = aimg_round_up(tail->used + AIMG_FRAME_BYTES, AIMG_PAGE_BYTES);
    pad.frame.stored_bytes = page.self_offset - tail->used - AIMG_FRAME_BYTES;
    put(tail, &pad);
    aimg_commit_encode(&page, tail->bytes + tail->used);
    tail->used += AIMG_PAGE_BYTES;
    tail->ordinal = before.ordinal;
    tail->salt = before.salt;
}

/* An image that has lost its header in the crash, with forged frames in it: nothing of them is taken for an image. */
static void check_forged(unsigned before)
{
    static struct tail tail;
    struct fake_disk disk;
    struct aimg_writer *writer = NULL;
    const char *path = sample_path("forged");
    uint64_t kept, dropped, lost;
    uint32_t ordinal;
    begin_tail(&tail);
    for (unsigned i = 0; i < before; i++)
        put_image(&tail, "t/first", 5);
    tail.ordinal++;
    tail.used += 2 * (size_t)AIMG_FRAME_BYTES;
    put_forged(&tail);
    put_image(&tail, "t/last", 6);
    fake_disk_create(&disk, tail.bytes, tail.used);
    REQUIRE(recover(&disk, AIMG_DEDUP_NONE, 0, &writer) == AIMG_OK);
    aimg_writer_recovered(writer, &kept);
    aimg_writer_dropped(writer, &dropped, &lost);
    EXPECT_EQ_UINT(kept, before + 1);
    EXPECT_EQ_UINT(lost, 1);
    EXPECT(aimg_writer_find(writer, "base/0", 6, &ordinal, &error) == AIMG_OK &&
           sample_equals(aimg_writer_base(writer), ordinal, 3));
    EXPECT(aimg_writer_find(writer, "t/last", 6, &ordinal, &error) == AIMG_OK &&
           sample_equals(aimg_writer_base(writer), ordinal, 6));
    REQUIRE(sample_store(path, disk.medium, disk.medium_bytes));
    EXPECT(sample_verifies(path, 1, 0));
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    fake_disk_destroy(&disk);
}

int main(void)
{
    test_state.subject = "an alias with a name of the archive";
    for (uint64_t n = 1; check_renewed(n);)
        n++;
    test_state.subject = "forged frames";
    check_forged(1);
    check_forged(0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_case(&cases[i], false);
        check_case(&cases[i], true);
    }
    return test_end("recover_frames");
}
