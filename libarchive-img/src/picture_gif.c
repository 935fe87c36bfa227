/* SPDX-License-Identifier: Apache-2.0 */
#include "picture.h"

enum { BLOCK_EXTENSION = 0x21, BLOCK_IMAGE = 0x2C, BLOCK_TRAILER = 0x3B, FLAG_COLOUR_TABLE = 0x80 };

static uint64_t colour_table_bytes(unsigned flags)
{
    return (flags & FLAG_COLOUR_TABLE) != 0 ? 3U << ((flags & 7) + 1) : 0;
}

static void skip_sub_blocks(struct aimg_scan *file)
{
    uint8_t length;
    do {
        length = aimg_scan_u8(file);
        aimg_scan_skip(file, length);
    } while (length > 0 && file->ok);
}

/* Whether the blocks lead from one to the next up to the trailer, with an image on the way. */
static bool blocks_are_whole(struct aimg_scan *file)
{
    bool image_seen = false;
    while (file->ok) {
        switch (aimg_scan_u8(file)) {
        case BLOCK_EXTENSION:
            aimg_scan_skip(file, 1);
            break;
        case BLOCK_IMAGE:
            aimg_scan_skip(file, 8);
            aimg_scan_skip(file, colour_table_bytes(aimg_scan_u8(file)));
            aimg_scan_skip(file, 1);
            image_seen = true;
            break;
        case BLOCK_TRAILER:
            return image_seen;
        default:
            return false;
        }
        skip_sub_blocks(file);
    }
    return false;
}

bool aimg_picture_gif(struct aimg_scan file, struct aimg_picture *picture)
{
    if (!AIMG_SCAN_MATCH(&file, "GIF87a") && !AIMG_SCAN_MATCH(&file, "GIF89a"))
        return false;
    file.little = true;
    picture->format = AIMG_FORMAT_GIF;
    picture->channels = 3;
    picture->bits = 8;
    uint32_t width = aimg_scan_u16(&file);
    uint32_t height = aimg_scan_u16(&file);
    unsigned flags = aimg_scan_u8(&file);
    if (file.ok) {
        picture->width = width;
        picture->height = height;
    }
    aimg_scan_skip(&file, 2 + colour_table_bytes(flags));
    picture->damaged = width == 0 || height == 0 || !blocks_are_whole(&file);
    return true;
}
