/* SPDX-License-Identifier: Apache-2.0 */
/* Further names for bytes that are there: ALIAS frames, SPEC.md sections 3.1 and 6.3. */
#include "writer.h"

static struct aimg_entry_record entry_of(const struct aimg_alias *alias)
{
    struct aimg_entry_record entry = *alias->entry;
    entry.flags = AIMG_ENTRY_ALIASED;
    if (alias->attachment)
        entry.flags |= AIMG_ENTRY_ATTACHMENT;
    return entry;
}

static void count_alias(struct aimg_writer *writer, const struct aimg_alias *alias)
{
    writer->head.ordinal_count++;
    writer->head.listed_count += !alias->attachment;
    writer->head.live_stored_bytes += alias->entry->stored_bytes;
    writer->pending_images++;
    writer->incompat |= AIMG_INCOMPAT_ALIAS;
}

enum aimg_status aimg_writer_put_alias_row(struct aimg_writer *writer, const struct aimg_alias *alias,
                                           const struct aimg_frame *frame, uint64_t offset, struct aimg_error *error)
{
    struct aimg_entry_record entry = entry_of(alias);
    uint64_t hash = aimg_writer_hash_name(writer, alias->name, alias->name_bytes);
    enum aimg_status status = aimg_writer_put_row(writer, frame, offset, &entry, alias->name, hash, error);
    if (status == AIMG_OK)
        count_alias(writer, alias);
    return status;
}

enum aimg_status aimg_writer_put_alias(struct aimg_writer *writer, const struct aimg_alias *alias, uint32_t *ordinal_out,
                                       struct aimg_error *error)
{
    uint8_t payload[AIMG_ALIAS_BYTES] = {0};
    uint32_t ordinal = (uint32_t)writer->head.ordinal_count;
    aimg_store32(payload, alias->target);
    struct aimg_frame frame = {.type = AIMG_FRAME_ALIAS,
                               .ordinal = ordinal,
                               .name_bytes = (uint16_t)alias->name_bytes,
                               .format = alias->entry->format,
                               .raw_bytes = sizeof payload,
                               .stored_hash = aimg_hash(payload, sizeof payload).low};
    uint64_t offset = aimg_out_offset(&writer->out);
    enum aimg_status status = aimg_out_frame(&writer->out, &frame, alias->name, payload, sizeof payload, error);
    *ordinal_out = ordinal;
    return status == AIMG_OK ? aimg_writer_put_alias_row(writer, alias, &frame, offset, error) : status;
}

/* The frame header at an offset: of the archive, where it is verified, or of the batch. */
static enum aimg_status read_frame(const struct aimg_writer *writer, uint64_t offset, struct aimg_frame *frame,
                                   struct aimg_error *error)
{
    struct aimg_frame_view view;
    uint8_t header[AIMG_FRAME_BYTES];
    if (offset < writer->base->source.end) {
        enum aimg_status status = aimg_frame_read(&writer->base->source, offset, &view, error);
        *frame = view.frame;
        return status;
    }
    enum aimg_status status = aimg_writer_peek(writer, offset, header, sizeof header, error);
    if (status == AIMG_OK)
        (void)aimg_frame_decode(header, frame); /* this writer made it */
    return status;
}

enum aimg_status aimg_writer_alias_target(const struct aimg_writer *writer, uint32_t ordinal,
                                          const struct aimg_entry_record *entry, uint32_t *target_out, struct aimg_error *error)
{
    struct aimg_frame frame = {.type = 0};
    if ((entry->flags & AIMG_ENTRY_ALIASED) == 0) {
        *target_out = ordinal;
        return AIMG_OK;
    }
    /* The entry tells where the bytes are, and the frame there whose they are. */
    enum aimg_status status = read_frame(writer, entry->frame_offset, &frame, error);
    if (status != AIMG_OK)
        return status;
    if (frame.type != AIMG_FRAME_IMAGE || frame.ordinal >= ordinal)
        return aimg_fail_at(error, AIMG_CORRUPT, 47, entry->frame_offset,
                            "image %" PRIu32 " is an alias, but at %" PRIu64
                            " there is no image before it; run verify, then repair",
                            ordinal, entry->frame_offset);
    *target_out = frame.ordinal;
    return AIMG_OK;
}
