/* SPDX-License-Identifier: Apache-2.0 */
#include "picture.h"

enum { SIZE_MAX_PX = 0x7FFFFFFF, CHUNK_MAX_BYTES = 0x7FFFFFFF, PALETTE = 3, COLOUR_TYPE_MAX = 6 };

/* By colour type: channels, and the allowed bit depths as a set of bits. */
static const struct {
    uint8_t channels;
    uint32_t depths;
} colour_types[COLOUR_TYPE_MAX + 1] = {
    [0] = {1, 1 << 1 | 1 << 2 | 1 << 4 | 1 << 8 | 1 << 16},
    [2] = {3, 1 << 8 | 1 << 16},
    [PALETTE] = {3, 1 << 1 | 1 << 2 | 1 << 4 | 1 << 8},
    [4] = {2, 1 << 8 | 1 << 16},
    [6] = {4, 1 << 8 | 1 << 16},
};

/* CRC-32 bit by bit: only ever over the 17 bytes of IHDR. */
static uint32_t crc32_of(const uint8_t *data, size_t bytes)
{
    uint32_t crc = 0xFFFFFFFF;
    for (size_t i = 0; i < bytes; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0xEDB88320 & (0 - (crc & 1)));
    }
    return ~crc;
}

static bool read_header(struct aimg_scan *file, struct aimg_picture *picture)
{
    if (!AIMG_SCAN_MATCH(file, "\0\0\0\rIHDR"))
        return false;
    const uint8_t *checked = file->data + file->position - 4;
    uint32_t width = aimg_scan_u32(file);
    uint32_t height = aimg_scan_u32(file);
    uint32_t depth = aimg_scan_u8(file);
    uint32_t type = aimg_scan_u8(file);
    uint32_t compression = aimg_scan_u8(file);
    uint32_t filter = aimg_scan_u8(file);
    uint32_t interlace = aimg_scan_u8(file);
    uint32_t crc = aimg_scan_u32(file);
    if (!file->ok)
        return false;
    bool size_ok = width > 0 && width <= SIZE_MAX_PX && height > 0 && height <= SIZE_MAX_PX;
    if (size_ok) {
        picture->width = width;
        picture->height = height;
    }
    bool type_ok = type <= COLOUR_TYPE_MAX && depth <= 16 && (colour_types[type].depths >> depth & 1) != 0;
    if (type_ok) {
        picture->channels = colour_types[type].channels;
        picture->bits = type == PALETTE ? 8 : depth;
    }
    return size_ok && type_ok && compression == 0 && filter == 0 && interlace <= 1 && crc == crc32_of(checked, 17);
}

static bool is_chunk_type(uint32_t type)
{
    for (int shift = 0; shift < 32; shift += 8) {
        uint32_t letter = (type >> shift & 0xFF) | 0x20;
        if (letter < 'a' || letter > 'z')
            return false;
    }
    return true;
}

/* Whether the chunks lead from one to the next up to IEND, with image data on the way. */
static bool chunks_are_whole(struct aimg_scan *file)
{
    bool data_seen = false;
    for (;;) {
        uint32_t length = aimg_scan_u32(file);
        uint32_t type = aimg_scan_u32(file);
        if (length > CHUNK_MAX_BYTES || !is_chunk_type(type) || !aimg_scan_skip(file, (uint64_t)length + 4))
            return false;
        if (type == AIMG_BOX('I', 'E', 'N', 'D'))
            return data_seen;
        data_seen = data_seen || type == AIMG_BOX('I', 'D', 'A', 'T');
    }
}

bool aimg_picture_png(struct aimg_scan file, struct aimg_picture *picture)
{
    /* The rest of the signature is there to be broken by transfers as text: such a file is a PNG, but not a whole one. */
    if (!AIMG_SCAN_MATCH(&file, "\x89PNG"))
        return false;
    picture->format = AIMG_FORMAT_PNG;
    picture->damaged = !(AIMG_SCAN_MATCH(&file, "\r\n\x1A\n") && read_header(&file, picture) && chunks_are_whole(&file));
    return true;
}
