/* SPDX-License-Identifier: Apache-2.0 */
/* Rules 14 to 17, 19, 21, 22, 47, 50 and 51, as far as the header of one frame tells. */
#include "verify.h"

struct aimg_verify_place aimg_verify_header_place(const struct aimg_verify_header *header)
{
    struct aimg_verify_place place = aimg_verify_at(header->offset);
    size_t room = header->header_bytes - AIMG_FRAME_BYTES;
    if (header->frame.type != AIMG_FRAME_IMAGE && header->frame.type != AIMG_FRAME_ALIAS)
        return place;
    place.ordinal = header->frame.ordinal;
    place.name = header->bytes + AIMG_FRAME_BYTES;
    place.name_bytes = header->frame.name_bytes < room ? header->frame.name_bytes : room;
    return place;
}

static void check_sizes(struct aimg_verify *verify, const struct aimg_verify_header *header)
{
    const struct aimg_frame *frame = &header->frame;
    size_t used = AIMG_FRAME_BYTES + (size_t)frame->name_bytes + frame->ext_bytes;
    if (header->rule == 15)
        aimg_verify_fault(verify, 15, aimg_verify_header_place(header),
                          "header_units is %u, but a name of %u and extensions of %u bytes need %u", frame->header_units,
                          frame->name_bytes, frame->ext_bytes,
                          aimg_frame_header_bytes(frame->name_bytes, frame->ext_bytes) / AIMG_UNIT);
    else if (header->rule == 17)
        aimg_verify_fault(verify, 17, aimg_verify_header_place(header), "raw_bytes is %" PRIu64 ", more than an image can have",
                          frame->raw_bytes);
    else if (header->rule != 0)
        aimg_verify_fault(verify, header->rule, aimg_verify_header_place(header),
                          "bytes 30 and 31 of the frame header are not zero");
    if (used < header->header_bytes && !aimg_all_zero(header->bytes + used, header->header_bytes - used))
        aimg_verify_fault(verify, 16, aimg_verify_header_place(header),
                          "the bytes after the name in the frame header are not zero");
}

static void check_fields(struct aimg_verify *verify, const struct aimg_verify_header *header)
{
    const struct aimg_frame *frame = &header->frame;
    unsigned rule = aimg_frame_check_fields(frame);
    if (rule == 14 && !verify->skips_unknown)
        aimg_verify_fault(verify, 14, aimg_verify_header_place(header), "the frame has type %u, which nothing declares",
                          frame->type);
    else if (frame->type == AIMG_FRAME_ALIAS && frame->stored_bytes != AIMG_ALIAS_BYTES)
        aimg_verify_fault(verify, 47, aimg_verify_header_place(header), "the ALIAS has a payload of %" PRIu64 " bytes, not of 8",
                          frame->stored_bytes);
    else if (rule == 19)
        aimg_verify_fault(verify, 19, aimg_verify_header_place(header),
                          "a field that a %s frame does not use is not zero, or raw_bytes is not stored_bytes",
                          aimg_verify_type_name(frame->type));
}

static void check_alignment(struct aimg_verify *verify, const struct aimg_verify_header *header)
{
    uint64_t payload = header->offset + header->header_bytes, align = AIMG_UNIT;
    if (header->frame.type == AIMG_FRAME_IMAGE)
        align = UINT64_C(1) << verify->located.header.params.alignment_log2;
    else if (header->frame.type >= AIMG_FRAME_RUN && header->frame.type <= AIMG_FRAME_VALUES)
        align = AIMG_TABLE_ALIGN;
    if (payload % align != 0)
        aimg_verify_fault(verify, 21, aimg_verify_header_place(header),
                          "the payload begins at %" PRIu64 ", not at a multiple of %" PRIu64, payload, align);
}

static void check_ext(struct aimg_verify *verify, const struct aimg_verify_header *header)
{
    const struct aimg_frame *frame = &header->frame;
    size_t begin = AIMG_FRAME_BYTES + (size_t)frame->name_bytes;
    int critical = 0;
    bool named = frame->type == AIMG_FRAME_IMAGE || frame->type == AIMG_FRAME_ALIAS;
    if (!named || begin + frame->ext_bytes > header->header_bytes)
        return;
    if (aimg_frame_check_ext(header->bytes + begin, frame->ext_bytes, &critical) != 0)
        aimg_verify_fault(verify, 22, aimg_verify_header_place(header),
                          "the extensions do not fill their %u bytes, or a kind stands twice", frame->ext_bytes);
    else if (critical)
        aimg_verify_fault(verify, 22, aimg_verify_header_place(header),
                          "the image needs an extension that this version does not know");
}

static void check_coding(struct aimg_verify *verify, const struct aimg_verify_header *header)
{
    const struct aimg_frame *frame = &header->frame;
    void *dictionary;
    if (frame->coding == AIMG_CODING_STORE && frame->raw_bytes != frame->stored_bytes)
        aimg_verify_fault(verify, 50, aimg_verify_header_place(header),
                          "the image is stored as it is, but raw_bytes is %" PRIu64 " and stored_bytes %" PRIu64,
                          frame->raw_bytes, frame->stored_bytes);
    if (frame->coding >= AIMG_CODING_FIRST_LISTED && verify->index.open &&
        aimg_verify_coding(verify, frame->coding, &dictionary) == NULL)
        aimg_verify_fault(verify, 51, aimg_verify_header_place(header), "the image has coding %u, which ROOT does not define",
                          frame->coding);
}

void aimg_verify_header_rules(struct aimg_verify *verify, const struct aimg_verify_header *header)
{
    check_sizes(verify, header);
    check_fields(verify, header);
    check_alignment(verify, header);
    check_ext(verify, header);
    if (header->frame.type == AIMG_FRAME_IMAGE)
        check_coding(verify, header);
}
