/* SPDX-License-Identifier: Apache-2.0 */
#include "picture.h"

enum { HEADER_CORE = 12, HEADER_OS2_SHORT = 16, HEADER_INFO = 40, HEADER_ALPHA = 56, HEADER_OS2 = 64 };
enum { COMPRESSION_NONE = 0, COMPRESSION_MASKS = 3, COMPRESSION_ALPHA_MASKS = 6 };
enum { FILE_HEADER_BYTES = 14, OFFSET_OF_MASKS = FILE_HEADER_BYTES + HEADER_INFO };

struct bmp {
    uint32_t data_offset;
    uint32_t header_bytes;
    uint32_t depth; /* bits of a pixel; 0 when a JPEG or PNG is inside */
    uint32_t compression;
    uint32_t data_bytes; /* 0 when not said */
};

static bool is_header_size(uint32_t bytes)
{
    static const uint8_t known[] = {HEADER_CORE, HEADER_OS2_SHORT, HEADER_INFO, 52, 56, HEADER_OS2, 108, 124};
    return bytes <= 124 && memchr(known, (int)bytes, sizeof(known)) != NULL;
}

static bool is_depth(uint32_t depth)
{
    static const uint8_t known[] = {0, 1, 2, 4, 8, 16, 24, 32};
    return depth <= 32 && memchr(known, (int)depth, sizeof(known)) != NULL;
}

static bool read_size(struct aimg_scan *file, const struct bmp *bmp, struct aimg_picture *picture)
{
    if (bmp->header_bytes == HEADER_CORE) {
        uint32_t width = aimg_scan_u16(file);
        picture->height = aimg_scan_u16(file);
        picture->width = file->ok ? width : 0;
        return picture->width > 0 && picture->height > 0;
    }
    uint32_t width = aimg_scan_u32(file);
    uint32_t height = aimg_scan_u32(file);
    if (!file->ok || width > INT32_MAX)
        return false;
    picture->width = width;
    picture->height = height > INT32_MAX ? 0 - height : height; /* negative: the rows run from top to bottom */
    return width > 0 && height > 0;
}

/* Channels and bits of pixels that are cut into samples by masks. */
static bool read_masks(struct aimg_scan *file, const struct bmp *bmp, struct aimg_picture *picture)
{
    bool has_alpha_mask = bmp->compression == COMPRESSION_ALPHA_MASKS || bmp->header_bytes >= HEADER_ALPHA;
    uint32_t channels = has_alpha_mask ? 4 : 3;
    uint32_t bits = 0;
    aimg_scan_seek(file, OFFSET_OF_MASKS);
    for (uint32_t i = 0; i < channels; i++) {
        uint32_t mask = aimg_scan_u32(file);
        uint32_t mask_bits = (uint32_t)__builtin_popcount(mask);
        bits = mask_bits > bits ? mask_bits : bits;
        if (i == 3 && mask == 0)
            channels = 3;
    }
    if (!file->ok)
        return false;
    picture->channels = channels;
    picture->bits = bits;
    return bits > 0;
}

static bool read_samples(struct aimg_scan *file, const struct bmp *bmp, struct aimg_picture *picture)
{
    if (bmp->depth == 0)
        return true;
    bool has_masks = bmp->compression == COMPRESSION_MASKS || bmp->compression == COMPRESSION_ALPHA_MASKS;
    if (has_masks && bmp->header_bytes != HEADER_OS2 && (bmp->depth == 16 || bmp->depth == 32))
        return read_masks(file, bmp, picture);
    picture->channels = 3;
    picture->bits = bmp->depth == 16 ? 5 : 8;
    return true;
}

static bool pixels_are_there(const struct aimg_scan *file, const struct bmp *bmp, const struct aimg_picture *picture)
{
    if (bmp->data_offset < FILE_HEADER_BYTES + bmp->header_bytes || bmp->data_offset > file->bytes)
        return false;
    size_t left = file->bytes - bmp->data_offset;
    bool is_coded = bmp->compression != COMPRESSION_NONE && bmp->compression != COMPRESSION_MASKS;
    if (is_coded || bmp->depth == 0 || picture->width == 0)
        return left > 0 && bmp->data_bytes <= left;
    uint64_t row_bytes = ((uint64_t)picture->width * bmp->depth + 31) / 32 * 4;
    return left / row_bytes >= picture->height;
}

bool aimg_picture_bmp(struct aimg_scan file, struct aimg_picture *picture)
{
    file.little = true;
    struct bmp bmp = {0};
    if (!AIMG_SCAN_MATCH(&file, "BM"))
        return false;
    aimg_scan_skip(&file, 8); /* the size of the file is often wrong, and nobody reads it */
    bmp.data_offset = aimg_scan_u32(&file);
    bmp.header_bytes = aimg_scan_u32(&file);
    if (!file.ok || !is_header_size(bmp.header_bytes))
        return false;
    picture->format = AIMG_FORMAT_BMP;
    bool size_ok = read_size(&file, &bmp, picture);
    uint32_t planes = aimg_scan_u16(&file);
    bmp.depth = aimg_scan_u16(&file);
    if (bmp.header_bytes >= HEADER_INFO) {
        bmp.compression = aimg_scan_u32(&file);
        bmp.data_bytes = aimg_scan_u32(&file);
    }
    bool header_ok = file.ok && size_ok && planes == 1 && is_depth(bmp.depth);
    bool samples_ok = file.ok && is_depth(bmp.depth) && read_samples(&file, &bmp, picture);
    picture->damaged = !(header_ok && samples_ok && pixels_are_there(&file, &bmp, picture));
    return true;
}
