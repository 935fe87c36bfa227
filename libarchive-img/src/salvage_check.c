/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the archive has no fault when a frame stays where it is: all that verify asks of one. */
#include "salvage.h"

#include "checksum.h"
#include "name.h"

enum aimg_status aimg_salvage_damaged(const struct aimg_salvage *salvage, struct aimg_error *error)
{
    return aimg_fail_at(error, AIMG_CORRUPT, 13, salvage->at, "the frame at %" PRIu64 " is damaged", salvage->at);
}

static uint64_t payload_of(const struct aimg_salvage *salvage, const struct aimg_frame *frame)
{
    return salvage->at + (uint64_t)frame->header_units * AIMG_UNIT;
}

/* ------------------------------------------------------------------ headers */

static bool has_name(const struct aimg_frame *frame)
{
    return frame->type == AIMG_FRAME_IMAGE || frame->type == AIMG_FRAME_ALIAS;
}

static uint64_t align_of(const struct aimg_salvage *salvage, const struct aimg_frame *frame)
{
    if (frame->type == AIMG_FRAME_IMAGE)
        return UINT64_C(1) << salvage->writer->located.header.params.alignment_log2;
    return frame->type >= AIMG_FRAME_RUN && frame->type <= AIMG_FRAME_VALUES ? AIMG_TABLE_ALIGN : AIMG_UNIT;
}

/* Whether the fill of the header, and that behind the payload, is zero. */
static enum aimg_status check_fill(const struct aimg_salvage *salvage, const struct aimg_frame_view *view,
                                   struct aimg_error *error)
{
    const struct aimg_frame *frame = &view->frame;
    uint8_t fill[AIMG_UNIT];
    size_t header = (size_t)frame->header_units * AIMG_UNIT;
    size_t used = AIMG_FRAME_BYTES + (size_t)frame->name_bytes + frame->ext_bytes;
    uint64_t begin = header + frame->stored_bytes;
    size_t bytes = (size_t)(aimg_frame_total_bytes(frame) - begin);
    enum aimg_status status = aimg_source_copy(&salvage->tail->reader.source, salvage->at + begin, bytes, fill, error);
    if (status == AIMG_OK && (!aimg_all_zero(view->bytes + used, header - used) || !aimg_all_zero(fill, bytes)))
        status = aimg_salvage_damaged(salvage, error);
    return status;
}

/* The extensions are looked at first: an image that only a newer version knows how to keep is not one to rename, and no damage.
 */
static enum aimg_status check_name(const struct aimg_salvage *salvage, const struct aimg_frame_view *view,
                                   struct aimg_error *error)
{
    const struct aimg_frame *frame = &view->frame;
    const uint8_t *name = view->bytes + AIMG_FRAME_BYTES;
    size_t position;
    int critical = 0;
    if (aimg_frame_check_ext(name + frame->name_bytes, frame->ext_bytes, &critical) != 0)
        return aimg_salvage_damaged(salvage, error);
    if (critical)
        return aimg_fail_at(error, AIMG_UNSUPPORTED, 22, salvage->at,
                            "the image at %" PRIu64 " needs an extension that this version does not know; use a newer version",
                            salvage->at);
    if (frame->name_bytes > 0 && aimg_name_fault(name, frame->name_bytes, &position) != AIMG_NAME_OK)
        return aimg_salvage_damaged(salvage, error);
    return AIMG_OK;
}

enum aimg_status aimg_salvage_check_frame(const struct aimg_salvage *salvage, const struct aimg_frame_view *view,
                                          struct aimg_error *error)
{
    const struct aimg_frame *frame = &view->frame;
    /* A MASK is a feature that the commit would have to declare, and stands behind all images. */
    bool ends = frame->type == AIMG_FRAME_MASK || frame->type == AIMG_FRAME_ROOT || frame->type == AIMG_FRAME_COMMIT;
    if (ends || frame->salt != salvage->salt || payload_of(salvage, frame) % align_of(salvage, frame) != 0)
        return aimg_salvage_damaged(salvage, error);
    enum aimg_status status = check_fill(salvage, view, error);
    return status == AIMG_OK && has_name(frame) ? check_name(salvage, view, error) : status;
}

/* ------------------------------------------------------------------ payloads */

enum aimg_status aimg_salvage_hash(const struct aimg_salvage *salvage, const struct aimg_frame *frame, struct aimg_hash *hash_out,
                                   struct aimg_error *error)
{
    return aimg_repair_hash_bytes(salvage->tail, payload_of(salvage, frame), frame->stored_bytes, hash_out, error);
}

enum aimg_status aimg_salvage_check_payload(const struct aimg_salvage *salvage, const struct aimg_frame *frame,
                                            struct aimg_hash *hash_out, struct aimg_error *error)
{
    enum aimg_status status = aimg_salvage_hash(salvage, frame, hash_out, error);
    return status == AIMG_OK && hash_out->low != frame->stored_hash ? aimg_salvage_damaged(salvage, error) : status;
}

/* The hash of the original bytes. What the limits do not allow to decode must not be taken for damaged, and lost. */
static enum aimg_status decode(struct aimg_salvage *salvage, const struct aimg_frame *frame, struct aimg_hash *hash_out,
                               struct aimg_error *error)
{
    const struct aimg_reader *reader = &salvage->tail->reader;
    const struct aimg_allocator *allocator = &salvage->writer->allocator;
    uint64_t payload = payload_of(salvage, frame);
    if (frame->stored_bytes > reader->source.limits.image_bytes ||
        !aimg_decoding_allowed(&reader->source.limits, frame->stored_bytes, frame->raw_bytes))
        return aimg_fail_at(error, AIMG_LIMIT, 0, salvage->at,
                            "the image at %" PRIu64 " has %" PRIu64 " bytes when it is decoded, more than the limits allow",
                            salvage->at, frame->raw_bytes);
    salvage->stored.bytes = salvage->raw.bytes = 0;
    if (!aimg_buffer_reserve(allocator, &salvage->stored, frame->stored_bytes + 1) ||
        !aimg_buffer_reserve(allocator, &salvage->raw, frame->raw_bytes + 1))
        return aimg_fail_memory(error, frame->stored_bytes + frame->raw_bytes);
    enum aimg_status status =
        aimg_source_copy(&reader->source, payload, (size_t)frame->stored_bytes, salvage->stored.data, error);
    if (status == AIMG_OK)
        status = aimg_image_decode(reader, frame->coding, salvage->stored.data, frame->stored_bytes, salvage->raw.data,
                                   frame->raw_bytes, payload, error);
    if (status == AIMG_OK)
        *hash_out = aimg_hash(salvage->raw.data, (size_t)frame->raw_bytes);
    return status;
}

enum aimg_status aimg_salvage_check_image(struct aimg_salvage *salvage, const struct aimg_frame *frame,
                                          struct aimg_prepared *prepared, struct aimg_error *error)
{
    struct aimg_hash hash;
    enum aimg_status status = aimg_salvage_check_payload(salvage, frame, &hash, error);
    if (status == AIMG_OK && frame->coding != AIMG_CODING_STORE)
        status = decode(salvage, frame, &hash, error);
    else if (status == AIMG_OK && frame->raw_bytes != frame->stored_bytes)
        status = aimg_salvage_damaged(salvage, error);
    *prepared = (struct aimg_prepared){.stored_bytes = frame->stored_bytes,
                                       .raw_bytes = frame->raw_bytes,
                                       .stored_hash = frame->stored_hash,
                                       .coding = frame->coding};
    if (status == AIMG_OK)
        aimg_hash_store(prepared->hash, hash);
    return status;
}

enum aimg_status aimg_salvage_check_alias(const struct aimg_salvage *salvage, const struct aimg_frame *frame,
                                          struct aimg_alias *alias, struct aimg_entry_record *entry, struct aimg_error *error)
{
    uint8_t payload[AIMG_ALIAS_BYTES] = {0};
    struct aimg_hash hash;
    enum aimg_status status = aimg_salvage_check_payload(salvage, frame, &hash, error);
    if (status == AIMG_OK)
        status = aimg_source_copy(&salvage->tail->reader.source, payload_of(salvage, frame), sizeof payload, payload, error);
    alias->target = aimg_load32(payload);
    if (status == AIMG_OK && (alias->target >= frame->ordinal || !aimg_all_zero(payload + 4, sizeof payload - 4)))
        status = aimg_salvage_damaged(salvage, error);
    if (status == AIMG_OK)
        status = aimg_writer_any_entry(salvage->writer, alias->target, entry, error);
    if (status == AIMG_OK && ((entry->flags & AIMG_ENTRY_ALIASED) != 0 || entry->format != frame->format))
        status = aimg_salvage_damaged(salvage, error);
    alias->entry = entry;
    return status;
}
