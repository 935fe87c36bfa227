/* SPDX-License-Identifier: Apache-2.0 */
/* Damage that is looked for one at a time nowhere else: several things are hit, each in one place. Names and aliases. */
#include "damaged.h"

enum { MANY = 300, ALIASES = 200, LARGE = 20000 };

static bool holds(const struct aimg_reader *reader, const char *name, const void *data, size_t data_bytes)
{
    static uint8_t found[LARGE];
    uint32_t ordinal;
    uint64_t found_bytes = 0;
    return aimg_reader_find(reader, name, strlen(name), &ordinal, &error) == AIMG_OK &&
           aimg_reader_read(reader, ordinal, 0, found, sizeof found, &found_bytes, &error) == AIMG_OK &&
           found_bytes == data_bytes && memcmp(found, data, data_bytes) == 0;
}

/* ------------------------------------------------------------------ names */

/* An image that has lost its name must not take that of one that comes later, which would replace it. */
static void check_made_name(void)
{
    struct aimg_writer *writer = create();
    char name[32];
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, i == MANY - 1 ? "recovered/image-0" : "image %u", i);
        add(writer, name, name, strlen(name));
    }
    finish(writer);
    size_t header_bytes = 0, run = frame_at(AIMG_FRAME_RUN, 0, &header_bytes);
    wipe(run + header_bytes + MANY * AIMG_ENTRY_BYTES, 100); /* names begin behind the entries */
    wipe(frame_at(AIMG_FRAME_IMAGE, 0, &header_bytes), AIMG_FRAME_BYTES);
    struct aimg_reader *reader = repaired();
    EXPECT(result.lost_images == 0 && result.lost_names == 1 && result.images == MANY);
    EXPECT(holds(reader, "recovered/image-0", "recovered/image-0", 17));
    EXPECT(holds(reader, "recovered/image-0-1", "image 0", 7));
    aimg_reader_close(reader);
}

/* Names of images that have lost their headers stand together in the index: what holds many of them is read once. */
static void check_index_names(void)
{
    enum { IMAGES = 6000 };
    struct aimg_writer *writer = create();
    char name[64];
    for (unsigned i = 0; i < IMAGES; i++) {
        snprintf(name, sizeof name, "%u is the name of an image, and %u its number", i * 7919 % 6007, i);
        add(writer, name, name, strlen(name));
    }
    finish(writer);
    for (size_t at = AIMG_HEAD_BYTES; at < file_bytes;) {
        struct aimg_frame frame;
        REQUIRE(aimg_frame_decode(bytes + at, &frame) == 0);
        if (frame.type == AIMG_FRAME_IMAGE)
            bytes[at + AIMG_FRAME_CHECK_OFFSET] ^= 1;
        at += (size_t)aimg_frame_total_bytes(&frame);
    }
    struct aimg_reader *reader = repaired();
    EXPECT(result.images == IMAGES && result.lost_images + result.lost_names == 0);
    EXPECT(holds(reader, name, name, strlen(name)));
    EXPECT(read_bytes < 4 * file_bytes);
    aimg_reader_close(reader);
}

/* ------------------------------------------------------------------ aliases */

static void make_aliases(uint8_t *data, bool removed)
{
    struct aimg_writer *writer = create();
    char name[32];
    for (unsigned i = 0; i < LARGE; i++)
        data[i] = (uint8_t)(i * 7 + i / 251);
    add(writer, "before", "1", 1);
    add(writer, "original", data, LARGE);
    for (unsigned i = 0; i < ALIASES; i++) {
        struct aimg_image image = {.struct_bytes = sizeof image, .name = name};
        image.name_bytes = (size_t)snprintf(name, sizeof name, "alias %u", i);
        REQUIRE(aimg_writer_add_alias(writer, &image, 1, &error) == AIMG_OK);
    }
    if (removed)
        REQUIRE(aimg_writer_remove(writer, 1, &error) == AIMG_OK);
    finish(writer);
}

/* The header of the image and those of its aliases are lost: entries tell whose bytes they are, which are written once. */
static void check_aliases(bool removed, bool damaged)
{
    static uint8_t data[LARGE];
    size_t header_bytes = 0, at;
    make_aliases(data, removed);
    size_t original = frame_at(AIMG_FRAME_IMAGE, 1, &header_bytes), original_bytes = header_bytes;
    for (uint32_t i = 0; i < ALIASES; i++) {
        REQUIRE((at = frame_at(AIMG_FRAME_ALIAS, i + 2, &header_bytes)) != 0);
        bytes[at + 40] ^= 1; /* its check */
    }
    wipe(original, original_bytes);
    if (damaged)
        wipe(original + original_bytes + LARGE / 2, 1);
    struct aimg_reader *reader = repaired();
    struct aimg_info info = {.struct_bytes = sizeof info};
    REQUIRE(aimg_reader_info(reader, &info, &error) == AIMG_OK);
    EXPECT_EQ_UINT(result.lost_images, damaged ? ALIASES + !removed : 0);
    EXPECT_EQ_UINT(result.images, 1 + (damaged ? 0 : ALIASES + !removed));
    EXPECT(holds(reader, "alias 0", data, LARGE) == !damaged && holds(reader, "alias 199", data, LARGE) == !damaged);
    EXPECT(holds(reader, "original", data, LARGE) == (!damaged && !removed));
    EXPECT(info.file_bytes < 3 * LARGE + ALIASES * 200);
    aimg_reader_close(reader);
}

int main(void)
{
    damaged_begin();
    check_made_name();
    check_index_names();
    for (unsigned i = 0; i < 4; i++)
        check_aliases(i % 2 == 1, i / 2 == 1);
    damaged_end();
    return test_end("repair_cases");
}
