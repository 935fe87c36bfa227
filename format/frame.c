/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include "checksum.h"

void aimg_frame_encode(const struct aimg_frame *frame, uint8_t out[AIMG_FRAME_BYTES])
{
    aimg_store16(out, AIMG_FRAME_MAGIC);
    out[2] = frame->type;
    out[3] = frame->header_units;
    aimg_store32(out + 4, frame->ordinal);
    aimg_store32(out + 8, frame->salt);
    aimg_store16(out + 12, frame->name_bytes);
    out[14] = frame->format;
    out[15] = frame->coding;
    aimg_store48(out + 16, frame->stored_bytes);
    aimg_store16(out + 22, frame->ext_bytes);
    aimg_store48(out + 24, frame->raw_bytes);
    aimg_store16(out + 30, 0);
    aimg_store64(out + 32, frame->stored_hash);
    aimg_store64(out + AIMG_FRAME_CHECK_OFFSET, frame->check);
}

unsigned aimg_frame_decode(const uint8_t in[AIMG_FRAME_BYTES], struct aimg_frame *frame)
{
    if (aimg_load16(in) != AIMG_FRAME_MAGIC)
        return 13;
    frame->type = in[2];
    frame->header_units = in[3];
    frame->ordinal = aimg_load32(in + 4);
    frame->salt = aimg_load32(in + 8);
    frame->name_bytes = aimg_load16(in + 12);
    frame->format = in[14];
    frame->coding = in[15];
    frame->stored_bytes = aimg_load48(in + 16);
    frame->ext_bytes = aimg_load16(in + 22);
    frame->raw_bytes = aimg_load48(in + 24);
    frame->stored_hash = aimg_load64(in + 32);
    frame->check = aimg_load64(in + AIMG_FRAME_CHECK_OFFSET);
    if ((uint32_t)frame->header_units * AIMG_UNIT != aimg_frame_header_bytes(frame->name_bytes, frame->ext_bytes))
        return 15;
    if (frame->stored_bytes >= AIMG_PAYLOAD_LIMIT || frame->raw_bytes >= AIMG_PAYLOAD_LIMIT)
        return 17;
    return aimg_load16(in + 30) != 0 ? 19 : 0;
}

unsigned aimg_frame_check_fields(const struct aimg_frame *frame)
{
    bool image = frame->type == AIMG_FRAME_IMAGE;
    bool alias = frame->type == AIMG_FRAME_ALIAS;
    bool defines = frame->type == AIMG_FRAME_DICT || frame->type == AIMG_FRAME_CODING;
    if (frame->type < AIMG_FRAME_IMAGE || frame->type > AIMG_FRAME_COMMIT)
        return 14;
    if (!image && frame->raw_bytes != frame->stored_bytes)
        return 19;
    if (!image && !alias && (frame->ordinal != 0 || frame->name_bytes != 0 || frame->ext_bytes != 0))
        return 19;
    if (alias && (frame->stored_bytes != AIMG_ALIAS_BYTES || frame->coding != 0))
        return 19;
    if (!image && !alias && !defines && (frame->format != 0 || frame->coding != 0))
        return 19;
    return 0;
}

uint64_t aimg_frame_checksum(const uint8_t *header, size_t header_bytes, uint64_t seed)
{
    uint8_t copy[AIMG_FRAME_HEADER_MAX];
    memcpy(copy, header, header_bytes);
    memset(copy + AIMG_FRAME_CHECK_OFFSET, 0, 8);
    return aimg_hash_low(copy, header_bytes, seed);
}

static bool kind_seen_before(const uint8_t *ext, size_t position, uint16_t kind)
{
    for (size_t i = 0; i < position; i += 4u + aimg_load16(ext + i + 2))
        if (aimg_load16(ext + i) == kind)
            return true;
    return false;
}

unsigned aimg_frame_check_ext(const uint8_t *ext, size_t bytes, int *critical_out)
{
    size_t position = 0;
    *critical_out = 0;
    while (position < bytes) {
        if (bytes - position < 4)
            return 22;
        uint16_t kind = aimg_load16(ext + position);
        uint16_t length = aimg_load16(ext + position + 2);
        if (bytes - position - 4 < length || kind_seen_before(ext, position, kind))
            return 22;
        *critical_out |= kind >= AIMG_EXT_CRITICAL;
        position += 4u + length;
    }
    return 0;
}
