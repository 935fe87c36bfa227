/* SPDX-License-Identifier: Apache-2.0 */
#include "picture.h"

/* ------------------------------------------------------------------ OpenEXR */

enum { EXR_NAME_MAX = 256, EXR_PIXEL_HALF = 1, EXR_PIXEL_MAX = 2 };

/* A text up to its zero byte. False when it is longer than texts may be, or cut short. */
static bool exr_take_text(struct aimg_scan *scan, const char **text_out, size_t *bytes_out)
{
    size_t left = aimg_scan_left(scan);
    const uint8_t *start = scan->data + scan->position;
    const uint8_t *end = left > 0 ? memchr(start, 0, left < EXR_NAME_MAX ? left : EXR_NAME_MAX) : NULL;
    if (!scan->ok || end == NULL) {
        scan->ok = false;
        return false;
    }
    *text_out = (const char *)start;
    *bytes_out = (size_t)(end - start);
    return aimg_scan_skip(scan, *bytes_out + 1);
}

static bool exr_read_channels(struct aimg_scan value, struct aimg_picture *picture)
{
    uint32_t channels = 0;
    uint32_t bits = 0;
    const char *name;
    size_t name_bytes;
    while (exr_take_text(&value, &name, &name_bytes) && name_bytes > 0) {
        uint32_t pixel_type = aimg_scan_u32(&value);
        aimg_scan_skip(&value, 12);
        uint32_t channel_bits = pixel_type == EXR_PIXEL_HALF ? 16 : 32;
        bits = channel_bits > bits ? channel_bits : bits;
        channels++;
        if (pixel_type > EXR_PIXEL_MAX)
            return false;
    }
    if (!value.ok || channels == 0)
        return false;
    picture->channels = channels;
    picture->bits = bits;
    return true;
}

static bool exr_read_window(struct aimg_scan value, struct aimg_picture *picture)
{
    int32_t corners[4];
    for (int i = 0; i < 4; i++)
        corners[i] = (int32_t)aimg_scan_u32(&value);
    int64_t width = (int64_t)corners[2] - corners[0] + 1;
    int64_t height = (int64_t)corners[3] - corners[1] + 1;
    if (!value.ok || width <= 0 || height <= 0 || width > UINT32_MAX || height > UINT32_MAX)
        return false;
    picture->width = (uint32_t)width;
    picture->height = (uint32_t)height;
    return true;
}

/* Attributes up to the empty name that ends the header; of a file with several parts, those of the first. */
static bool exr_read_attributes(struct aimg_scan *file, struct aimg_picture *picture)
{
    const char *name, *type;
    size_t name_bytes, type_bytes;
    bool whole = true;
    while (exr_take_text(file, &name, &name_bytes) && name_bytes > 0) {
        if (!exr_take_text(file, &type, &type_bytes))
            return false;
        struct aimg_scan value = aimg_scan_slice(file, aimg_scan_u32(file));
        if (!value.ok)
            return false;
        if (strcmp(name, "channels") == 0)
            whole = exr_read_channels(value, picture) && whole;
        else if (strcmp(name, "dataWindow") == 0)
            whole = exr_read_window(value, picture) && whole;
    }
    return whole && file->ok;
}

bool aimg_picture_exr(struct aimg_scan file, struct aimg_picture *picture)
{
    if (!AIMG_SCAN_MATCH(&file, "\x76\x2F\x31\x01"))
        return false;
    file.little = true;
    picture->format = AIMG_FORMAT_EXR;
    aimg_scan_skip(&file, 4); /* version and flags */
    bool whole = exr_read_attributes(&file, picture);
    picture->damaged = !(whole && picture->width > 0 && picture->channels > 0);
    return true;
}

/* ------------------------------------------------------------------ Radiance HDR */

enum { HDR_HEADER_MAX_BYTES = 65536 };

/* A number after an axis as "+X ", and whether it was the axis of widths. False when there is none, or the data end within it. */
static bool hdr_take_axis(struct aimg_scan *scan, bool *is_width_out, uint32_t *number_out)
{
    uint8_t sign = aimg_scan_u8(scan);
    uint8_t axis = aimg_scan_u8(scan);
    if ((sign != '+' && sign != '-') || (axis != 'X' && axis != 'Y') || aimg_scan_u8(scan) != ' ')
        return false;
    uint64_t number = 0;
    uint8_t byte = aimg_scan_u8(scan);
    for (; byte >= '0' && byte <= '9' && number <= INT32_MAX; byte = aimg_scan_u8(scan))
        number = number * 10 + (uint64_t)(byte - '0');
    *is_width_out = axis == 'X';
    *number_out = (uint32_t)number;
    return scan->ok && number > 0 && number <= INT32_MAX && (byte == ' ' || byte == '\n');
}

/* The text lines end with an empty one, the size comes after it. */
static bool hdr_read_size(struct aimg_scan *header, struct aimg_picture *picture)
{
    const uint8_t *start = header->data + header->position;
    const uint8_t *end = memmem(start, aimg_scan_left(header), "\n\n", 2);
    if (end == NULL)
        return false;
    aimg_scan_skip(header, (size_t)(end - start) + 2);
    bool first_is_width, second_is_width;
    uint32_t first, second;
    if (!hdr_take_axis(header, &first_is_width, &first) || !hdr_take_axis(header, &second_is_width, &second))
        return false;
    if (first_is_width == second_is_width)
        return false;
    picture->width = first_is_width ? first : second;
    picture->height = first_is_width ? second : first;
    return aimg_scan_left(header) > 0;
}

bool aimg_picture_hdr(struct aimg_scan file, struct aimg_picture *picture)
{
    struct aimg_scan header = aimg_scan_of(file.data, file.bytes < HDR_HEADER_MAX_BYTES ? file.bytes : HDR_HEADER_MAX_BYTES);
    if (!AIMG_SCAN_MATCH(&header, "#?RADIANCE") && !AIMG_SCAN_MATCH(&header, "#?RGBE"))
        return false;
    picture->format = AIMG_FORMAT_HDR;
    picture->channels = 3;
    picture->bits = 32; /* of a decoded sample: in the file, three bytes share an exponent */
    picture->damaged = !hdr_read_size(&header, picture);
    return true;
}
