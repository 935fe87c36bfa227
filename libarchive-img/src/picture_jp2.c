/* SPDX-License-Identifier: Apache-2.0 */
#include "picture.h"

enum { BITS_VARY = 255, BITS_MASK = 0x7F };

/* The SIZ segment, which must come first in a codestream. The scan stands at its length. */
static bool read_siz(struct aimg_scan *scan, struct aimg_picture *picture)
{
    uint32_t length = aimg_scan_u16(scan);
    aimg_scan_skip(scan, 2); /* capabilities */
    uint32_t right = aimg_scan_u32(scan);
    uint32_t bottom = aimg_scan_u32(scan);
    uint32_t left = aimg_scan_u32(scan);
    uint32_t top = aimg_scan_u32(scan);
    aimg_scan_skip(scan, 16); /* tiles */
    uint32_t channels = aimg_scan_u16(scan);
    uint32_t bits = (aimg_scan_u8(scan) & BITS_MASK) + 1U;
    if (!scan->ok || left >= right || top >= bottom)
        return false;
    picture->width = right - left;
    picture->height = bottom - top;
    picture->channels = channels;
    picture->bits = bits;
    return channels > 0 && bits <= 38 && length == 38 + 3 * channels;
}

static bool read_image_header(struct aimg_scan ihdr, struct aimg_picture *picture)
{
    uint32_t height = aimg_scan_u32(&ihdr);
    uint32_t width = aimg_scan_u32(&ihdr);
    uint32_t channels = aimg_scan_u16(&ihdr);
    uint32_t bits = aimg_scan_u8(&ihdr);
    if (!ihdr.ok)
        return false;
    picture->width = width;
    picture->height = height;
    picture->channels = channels;
    picture->bits = bits == BITS_VARY ? 0 : (bits & BITS_MASK) + 1;
    return width > 0 && height > 0 && channels > 0;
}

static bool read_palette(struct aimg_scan pclr, struct aimg_picture *picture)
{
    aimg_scan_skip(&pclr, 2);
    uint32_t channels = aimg_scan_u8(&pclr);
    uint32_t bits = (aimg_scan_u8(&pclr) & BITS_MASK) + 1U;
    if (!pclr.ok)
        return false;
    picture->channels = channels;
    picture->bits = bits;
    return channels > 0;
}

/* The header box. Where it is cut short, nothing is said of channels and bits: a palette could have come yet. */
static bool read_header(struct aimg_scan jp2h, bool is_cut, struct aimg_picture *picture)
{
    struct aimg_box box;
    bool header_ok = false;
    bool whole = true;
    while (aimg_box_next(&jp2h, &box)) {
        if (box.type == AIMG_BOX('i', 'h', 'd', 'r'))
            header_ok = read_image_header(box.content, picture);
        else if (box.type == AIMG_BOX('p', 'c', 'l', 'r'))
            whole = read_palette(box.content, picture);
        else if (box.type == AIMG_BOX('b', 'p', 'c', 'c') && picture->bits == 0)
            picture->bits = (aimg_scan_u8(&box.content) & BITS_MASK) + 1U;
    }
    is_cut = is_cut || !jp2h.ok;
    if (is_cut)
        picture->channels = picture->bits = 0;
    return header_ok && whole && !is_cut;
}

static bool probe_boxes(struct aimg_scan file, struct aimg_picture *picture)
{
    struct aimg_box box;
    bool header_ok = false;
    bool data_ok = false;
    while (aimg_box_next(&file, &box)) {
        if (box.type == AIMG_BOX('j', 'p', '2', 'h'))
            header_ok = read_header(box.content, !file.ok, picture);
        else if (box.type == AIMG_BOX('j', 'p', '2', 'c'))
            data_ok = aimg_scan_has_end_marker(&box.content);
    }
    picture->damaged = !(header_ok && data_ok && file.ok);
    return true;
}

bool aimg_picture_jp2(struct aimg_scan file, struct aimg_picture *picture)
{
    picture->format = AIMG_FORMAT_JP2;
    if (AIMG_SCAN_MATCH(&file, "\0\0\0\x0CjP  \r\n\x87\n"))
        return probe_boxes(file, picture);
    if (!AIMG_SCAN_MATCH(&file, "\xFF\x4F\xFF\x51"))
        return false;
    picture->damaged = !(read_siz(&file, picture) && aimg_scan_has_end_marker(&file));
    return true;
}
