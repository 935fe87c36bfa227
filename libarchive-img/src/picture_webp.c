/* SPDX-License-Identifier: Apache-2.0 */
#include "picture.h"

enum { VP8_SIZE_MASK = 0x3FFF, VP8L_SIGNATURE = 0x2F, VP8X_ALPHA = 0x10 };

static bool read_lossy(struct aimg_scan *chunk, struct aimg_picture *picture)
{
    bool is_key_frame = (aimg_scan_u8(chunk) & 1) == 0;
    aimg_scan_skip(chunk, 2);
    if (!is_key_frame || !AIMG_SCAN_MATCH(chunk, "\x9D\x01\x2A"))
        return false;
    uint32_t width = aimg_scan_u16(chunk);
    uint32_t height = aimg_scan_u16(chunk);
    if (!chunk->ok)
        return false;
    picture->width = width & VP8_SIZE_MASK; /* the two bits above it are a scaling hint */
    picture->height = height & VP8_SIZE_MASK;
    picture->channels = 3;
    return picture->width > 0 && picture->height > 0;
}

static bool read_lossless(struct aimg_scan *chunk, struct aimg_picture *picture)
{
    uint8_t signature = aimg_scan_u8(chunk);
    uint32_t header = aimg_scan_u32(chunk);
    if (!chunk->ok || signature != VP8L_SIGNATURE)
        return false;
    picture->width = (header & VP8_SIZE_MASK) + 1;
    picture->height = (header >> 14 & VP8_SIZE_MASK) + 1;
    picture->channels = (header >> 28 & 1) != 0 ? 4 : 3;
    return header >> 29 == 0; /* the only version */
}

static bool read_extended(struct aimg_scan *chunk, struct aimg_picture *picture)
{
    uint8_t flags = aimg_scan_u8(chunk);
    aimg_scan_skip(chunk, 3);
    uint32_t width = (uint32_t)aimg_scan_integer(chunk, 3) + 1;
    uint32_t height = (uint32_t)aimg_scan_integer(chunk, 3) + 1;
    if (!chunk->ok)
        return false;
    picture->width = width;
    picture->height = height;
    picture->channels = (flags & VP8X_ALPHA) != 0 ? 4 : 3;
    return true;
}

static bool read_first_chunk(struct aimg_scan *chunk, uint32_t tag, struct aimg_picture *picture)
{
    if (tag == AIMG_BOX(' ', '8', 'P', 'V'))
        return read_lossy(chunk, picture);
    if (tag == AIMG_BOX('L', '8', 'P', 'V'))
        return read_lossless(chunk, picture);
    if (tag == AIMG_BOX('X', '8', 'P', 'V'))
        return read_extended(chunk, picture);
    return false;
}

bool aimg_picture_webp(struct aimg_scan file, struct aimg_picture *picture)
{
    file.little = true;
    if (!AIMG_SCAN_MATCH(&file, "RIFF"))
        return false;
    uint32_t riff_bytes = aimg_scan_u32(&file);
    if (!AIMG_SCAN_MATCH(&file, "WEBP"))
        return false;
    picture->format = AIMG_FORMAT_WEBP;
    picture->bits = 8;
    bool whole = riff_bytes >= 12 && riff_bytes - 4 <= aimg_scan_left(&file);
    uint32_t tag = aimg_scan_u32(&file);
    uint32_t chunk_bytes = aimg_scan_u32(&file);
    whole = whole && chunk_bytes <= riff_bytes - 12;
    /* A chunk that is cut short still has its header: read what is there. */
    struct aimg_scan chunk = aimg_scan_slice(&file, chunk_bytes < aimg_scan_left(&file) ? chunk_bytes : aimg_scan_left(&file));
    picture->damaged = !read_first_chunk(&chunk, tag, picture) || !whole;
    return true;
}
