/* SPDX-License-Identifier: Apache-2.0 */
/* An archive that is made, damaged in memory, and repaired: what the tests of single cases share. */
#ifndef AIMG_TEST_DAMAGED_H
#define AIMG_TEST_DAMAGED_H

#include "constants.h"
#include "frame.h"
#include "repair.h"
#include "sample.h"
#include "test.h"

#include <unistd.h>

static struct aimg_error error;
static const char *path, *out_path;
static uint8_t *bytes;
static size_t file_bytes;
static struct aimg_repair_result result;
static struct aimg_limits limits; /* of the repair */

static struct aimg_writer *create(void)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer = NULL;
    (void)unlink(path);
    options.flags = 0;
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    return writer;
}

static void add(struct aimg_writer *writer, const char *name, const void *data, size_t data_bytes)
{
    struct aimg_image image = {
        .struct_bytes = sizeof image, .name = name, .name_bytes = strlen(name), .data = data, .data_bytes = data_bytes};
    REQUIRE(aimg_writer_add(writer, &image, NULL, &error) == AIMG_OK);
}

static void finish(struct aimg_writer *writer)
{
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    bytes = sample_load(path, &file_bytes);
    REQUIRE(bytes != NULL);
}

/* Offset of the frame of a type and ordinal; 0: there is none. */
static size_t frame_at(unsigned type, uint32_t ordinal, size_t *header_bytes_out)
{
    for (size_t at = AIMG_HEAD_BYTES; at < file_bytes;) {
        struct aimg_frame frame;
        if (aimg_frame_decode(bytes + at, &frame) != 0)
            return 0;
        *header_bytes_out = frame.header_units * (size_t)AIMG_UNIT;
        if (frame.type == type && frame.ordinal == ordinal)
            return at;
        at += (size_t)aimg_frame_total_bytes(&frame);
    }
    return 0;
}

static inline void wipe(size_t offset, size_t count)
{
    REQUIRE(offset >= AIMG_HEAD_BYTES && offset + count <= file_bytes);
    memset(bytes + offset, 0, count);
}

/* The damaged archive as a disk has it, that counts what is read. */
static uint64_t read_bytes;

static enum aimg_status count_read(struct aimg_io *io, uint64_t offset, void *buffer, size_t count, struct aimg_error *said)
{
    (void)io, (void)said;
    REQUIRE(offset + count <= file_bytes);
    memcpy(buffer, bytes + offset, count);
    read_bytes += count;
    return AIMG_OK;
}

static enum aimg_status tell_size(struct aimg_io *io, uint64_t *bytes_out, struct aimg_error *said)
{
    (void)io, (void)said;
    *bytes_out = file_bytes;
    return AIMG_OK;
}

static const struct aimg_io_ops counting = {.read_at = count_read, .size = tell_size};

static unsigned unknown_told, images_told;

static void count_unknown(void *user, const struct aimg_loss *loss)
{
    (void)user;
    unknown_told += loss->kind == AIMG_LOSS_UNKNOWN;
    images_told += loss->kind == AIMG_LOSS_IMAGES;
}

/* The repaired archive, which is sound; the damaged one is freed. */
static struct aimg_reader *repaired(void)
{
    struct aimg_writer_options writer = sample_writer_options();
    struct aimg_repair_options options = {
        .struct_bytes = sizeof options, .loss = count_unknown, .limits = limits, .writer = &writer};
    struct aimg_repair_target target = {.path = out_path};
    struct aimg_reader *reader = NULL;
    struct aimg_io io = {.ops = &counting, .fd = -1};
    (void)unlink(out_path);
    read_bytes = 0;
    REQUIRE(aimg_repair_io(&io, &target, &options, &result, &error) == AIMG_OK);
    free(bytes);
    EXPECT(sample_verifies(out_path, 1, 0));
    REQUIRE(aimg_reader_open(out_path, NULL, &reader, &error) == AIMG_OK);
    return reader;
}

static inline void damaged_begin(void)
{
    path = strdup(sample_path("damaged"));
    out_path = strdup(sample_path("out"));
}

static inline void damaged_end(void)
{
    free((char *)(uintptr_t)path);
    free((char *)(uintptr_t)out_path);
}

#endif
