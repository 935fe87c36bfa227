/* SPDX-License-Identifier: Apache-2.0 */
/* Names of a copy are those of an archive in which they are unique, so nobody looks for each of them while it is added: in the
 * end its tables are read side by side, where equal hashes meet. */
#include "copy_values.h"

struct named {
    uint64_t frame_offset;
    uint32_t ordinal;
};

static enum aimg_status read_name(const struct aimg_writer *writer, const struct named *named, uint8_t name[AIMG_NAME_MAX],
                                  size_t *bytes_out, struct aimg_error *error)
{
    uint8_t header[AIMG_FRAME_BYTES];
    struct aimg_frame frame;
    enum aimg_status status = aimg_writer_peek(writer, named->frame_offset, header, sizeof header, error);
    if (status != AIMG_OK)
        return status;
    if (aimg_frame_decode(header, &frame) != 0 || frame.name_bytes > AIMG_NAME_MAX)
        return aimg_fail_at(error, AIMG_CHECKSUM, 13, named->frame_offset,
                            "the frame at %" PRIu64 " is not the one that was written; the disk is damaged", named->frame_offset);
    *bytes_out = frame.name_bytes;
    return aimg_writer_peek(writer, named->frame_offset + AIMG_FRAME_BYTES, name, frame.name_bytes, error);
}

static enum aimg_status compare(const struct aimg_writer *writer, const struct named *a, const struct named *b,
                                struct aimg_error *error)
{
    uint8_t names[2][AIMG_NAME_MAX];
    size_t bytes[2] = {0, 0};
    enum aimg_status status = read_name(writer, a, names[0], &bytes[0], error);
    if (status == AIMG_OK)
        status = read_name(writer, b, names[1], &bytes[1], error);
    if (status != AIMG_OK || bytes[0] != bytes[1] || memcmp(names[0], names[1], bytes[0]) != 0)
        return status;
    return aimg_fail(error, AIMG_CORRUPT, "two images are named '%.*s' (rule 54); run verify, then repair",
                     bytes[0] < 150 ? (int)bytes[0] : 150, (const char *)names[0]);
}

/* What was seen so far. */
struct seen_names {
    const struct aimg_writer *writer;
    struct aimg_buffer group; /* struct named: of the same hash as the last */
    uint64_t hash;
};

static enum aimg_status check_name(void *user, const struct aimg_name_slot *slot, struct aimg_error *error)
{
    struct seen_names *names = user;
    struct named named = {slot->frame_offset, slot->ordinal};
    enum aimg_status status = AIMG_OK;
    if (slot->hash != names->hash)
        names->group.bytes = 0;
    names->hash = slot->hash;
    for (size_t at = 0; status == AIMG_OK && at < names->group.bytes; at += sizeof named) {
        struct named other;
        memcpy(&other, names->group.data + at, sizeof other);
        status = compare(names->writer, &other, &named, error);
    }
    if (status == AIMG_OK && !aimg_buffer_add(&names->writer->allocator, &names->group, &named, sizeof named))
        return aimg_fail_memory(error, sizeof named);
    return status;
}

enum aimg_status aimg_copy_check_names(struct aimg_writer *writer, struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &writer->base->catalog;
    struct seen_names names = {.writer = writer};
    struct aimg_table *tables[AIMG_NAME_RUN_MAX];
    for (uint32_t i = 0; i < catalog->names_count; i++)
        tables[i] = &catalog->tables[catalog->names_first + i];
    enum aimg_status status =
        aimg_keys_each(&writer->allocator, &writer->base->source, tables, catalog->names_count, check_name, &names, error);
    aimg_buffer_release(&writer->allocator, &names.group);
    return status;
}
