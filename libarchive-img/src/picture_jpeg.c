/* SPDX-License-Identifier: Apache-2.0 */
#include "picture.h"

enum {
    MARKER_STUFFED = 0x00,
    MARKER_TEM = 0x01,
    MARKER_DHT = 0xC4,
    MARKER_JPG = 0xC8,
    MARKER_DAC = 0xCC,
    MARKER_RST0 = 0xD0,
    MARKER_RST7 = 0xD7,
    MARKER_SOI = 0xD8,
    MARKER_EOI = 0xD9,
    MARKER_SOS = 0xDA,
    MARKER_DHP = 0xDE
};

/* In a hierarchical JPEG it is DHP that gives the size of the whole; the frames after it are its steps. */
static bool is_frame_header(unsigned marker)
{
    if (marker == MARKER_DHP)
        return true;
    return marker >= 0xC0 && marker <= 0xCF && marker != MARKER_DHT && marker != MARKER_JPG && marker != MARKER_DAC;
}

static bool has_no_segment(unsigned marker)
{
    return marker == MARKER_STUFFED || marker == MARKER_TEM || (marker >= MARKER_RST0 && marker <= MARKER_SOI);
}

/* Finds the next marker. Bytes that belong to none are stepped over, as decoders do, and noted as damage. */
static unsigned next_marker(struct aimg_scan *scan, struct aimg_picture *picture)
{
    uint8_t byte = aimg_scan_u8(scan);
    if (byte != 0xFF && scan->ok) {
        picture->damaged = 1;
        const uint8_t *start = scan->data + scan->position;
        const uint8_t *found = memchr(start, 0xFF, aimg_scan_left(scan));
        aimg_scan_skip(scan, found == NULL ? aimg_scan_left(scan) : (size_t)(found - start) + 1);
    }
    do
        byte = aimg_scan_u8(scan);
    while (byte == 0xFF && scan->ok);
    return byte;
}

static void read_frame_header(struct aimg_scan segment, struct aimg_picture *picture)
{
    uint32_t bits = aimg_scan_u8(&segment);
    uint32_t height = aimg_scan_u16(&segment); /* 0: only the DNL marker after the first scan will tell */
    uint32_t width = aimg_scan_u16(&segment);
    uint32_t channels = aimg_scan_u8(&segment);
    if (!segment.ok) {
        picture->damaged = 1;
        return;
    }
    picture->width = width;
    picture->height = height;
    picture->channels = channels;
    picture->bits = bits;
    if (width == 0 || channels == 0 || bits < 2 || bits > 16 || aimg_scan_left(&segment) != 3 * channels)
        picture->damaged = 1;
}

static void check_scan(struct aimg_scan segment, const struct aimg_scan *file, bool frame_seen, struct aimg_picture *picture)
{
    uint32_t components = aimg_scan_u8(&segment);
    if (!frame_seen || components == 0 || aimg_scan_left(&segment) != 2 * components + 3)
        picture->damaged = 1;
    if (!aimg_scan_has_end_marker(file))
        picture->damaged = 1;
}

bool aimg_picture_jpeg(struct aimg_scan file, struct aimg_picture *picture)
{
    if (!AIMG_SCAN_MATCH(&file, "\xFF\xD8\xFF"))
        return false;
    file.position = 2;
    picture->format = AIMG_FORMAT_JPEG;
    unsigned frame_marker = 0;
    for (;;) {
        unsigned marker = next_marker(&file, picture);
        if (marker == MARKER_STUFFED || marker == MARKER_SOI || marker == MARKER_EOI)
            picture->damaged = 1;
        if (!file.ok || marker == MARKER_EOI)
            break;
        if (has_no_segment(marker))
            continue;
        uint32_t length = aimg_scan_u16(&file);
        struct aimg_scan segment = aimg_scan_slice(&file, length < 2 ? UINT64_MAX : length - 2);
        if (!segment.ok)
            break;
        if (marker == MARKER_SOS) {
            check_scan(segment, &file, frame_marker != 0, picture);
            return true;
        }
        if (!is_frame_header(marker))
            continue;
        if (frame_marker == 0)
            read_frame_header(segment, picture);
        else if (frame_marker != MARKER_DHP)
            picture->damaged = 1;
        frame_marker = frame_marker == 0 ? marker : frame_marker;
    }
    picture->damaged = 1; /* no scan was found */
    return true;
}
