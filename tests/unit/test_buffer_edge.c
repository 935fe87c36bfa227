/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of the open batch that lie partly in the file and partly in the buffer before it: their names, and their bytes, are
 * found as those of any other. */
#include "sample.h"
#include "test.h"
#include "writer.h"

/* Some twelve megabytes, in steps that put every part of a frame on an edge somewhere. */
#define IMAGES 24000

static struct aimg_error error;

static struct aimg_writer *create(uint32_t dedup)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer = NULL;
    options.dedup = dedup;
    (void)unlink(sample_path("edge"));
    REQUIRE(aimg_writer_create(sample_path("edge"), &options, &writer, &error) == AIMG_OK);
    return writer;
}

/* Each another content, none too small to be shared. */
static size_t fill(uint32_t k, uint8_t *data)
{
    size_t bytes = sample_fill(k % SAMPLE_BIG, data);
    memset(data + bytes, (int)(k % 256), 100);
    memcpy(data + bytes, &k, sizeof k);
    return bytes + 100;
}

static void add(struct aimg_writer *writer, const char *prefix, uint32_t k, enum aimg_status expected)
{
    static uint8_t data[SAMPLE_MAX_BYTES + 100];
    char name[300];
    struct aimg_image image = {.struct_bytes = sizeof image, .name = name, .data = data, .format = AIMG_FORMAT_JPEG};
    image.name_bytes = (size_t)snprintf(name, sizeof name, "%s%0*u", prefix, (int)(6 + k % 200), k);
    image.data_bytes = fill(k, data);
    EXPECT_EQ_INT(aimg_writer_add(writer, &image, NULL, &error), expected);
}

/* Every piece on both sides of an edge, as it is in the file in the end. */
static void check_peek(void)
{
    struct aimg_writer *writer = create(AIMG_DEDUP_NONE);
    uint8_t before[512], after[512];
    uint64_t edges = 0;
    for (uint32_t k = 0; k < IMAGES; k++) {
        uint64_t flushed = writer->out.flushed;
        add(writer, "", k, AIMG_OK);
        uint64_t edge = writer->out.flushed;
        if (edge == flushed || writer->out.used < 256)
            continue;
        REQUIRE(aimg_writer_peek(writer, edge - 256, before, sizeof before, &error) == AIMG_OK);
        REQUIRE(aimg_out_flush(&writer->out, &error) == AIMG_OK);
        REQUIRE(writer->io->ops->read_at(writer->io, edge - 256, after, sizeof after, &error) == AIMG_OK);
        EXPECT_EQ_BYTES(before, after, sizeof before);
        edges++;
    }
    EXPECT(edges >= 3);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
}

static void check_names(void)
{
    struct aimg_writer *writer = create(AIMG_DEDUP_NONE);
    for (uint32_t k = 0; k < IMAGES; k++) {
        add(writer, "", k, AIMG_OK);
        add(writer, "", k, AIMG_EXISTS);
    }
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
}

static void check_twins(void)
{
    struct aimg_writer *writer = create(AIMG_DEDUP_SESSION);
    for (uint32_t k = 0; k < IMAGES; k++) {
        add(writer, "a", k, AIMG_OK);
        add(writer, "b", k, AIMG_OK);
    }
    EXPECT_EQ_UINT(writer->twin_images, IMAGES);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
}

int main(void)
{
    check_peek();
    check_names();
    check_twins();
    return test_end("test_buffer_edge");
}
