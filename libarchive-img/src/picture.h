/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the headers of foreign pictures. Each format family has one prober; picture.c asks them in turn.
 *
 * All probers read through struct aimg_scan, so that no offset or length found in a picture is used unchecked. Nothing here knows
 * the archive's own format.
 *
 * What the fields say for palette pictures: channels and bits are those of the palette's colours, not of its indices.
 */
#ifndef AIMG_PICTURE_H
#define AIMG_PICTURE_H

#include <aimg/aimg.h>
#include <stdbool.h>
#include <string.h>

/* A bounded reader. The first read past the end clears ok, for good; that read and all later ones give zeros. */
struct aimg_scan {
    const uint8_t *data;
    size_t bytes;
    size_t position; /* never more than bytes */
    bool little;     /* byte order of u16, u32 and u64 */
    bool ok;
};

static inline struct aimg_scan aimg_scan_of(const uint8_t *data, size_t bytes)
{
    return (struct aimg_scan){.data = data, .bytes = bytes, .ok = true};
}

static inline size_t aimg_scan_left(const struct aimg_scan *scan)
{
    return scan->bytes - scan->position;
}

/* The next `bytes` bytes, or NULL. */
static inline const uint8_t *aimg_scan_take(struct aimg_scan *scan, uint64_t bytes)
{
    if (!scan->ok || bytes > aimg_scan_left(scan)) {
        scan->ok = false;
        return NULL;
    }
    const uint8_t *taken = scan->data + scan->position;
    scan->position += (size_t)bytes;
    return taken;
}

static inline bool aimg_scan_skip(struct aimg_scan *scan, uint64_t bytes)
{
    return aimg_scan_take(scan, bytes) != NULL;
}

static inline bool aimg_scan_seek(struct aimg_scan *scan, uint64_t position)
{
    if (!scan->ok || position > scan->bytes) {
        scan->ok = false;
        return false;
    }
    scan->position = (size_t)position;
    return true;
}

/* The next `bytes` bytes as a reader of their own; empty and not ok when there are fewer. */
static inline struct aimg_scan aimg_scan_slice(struct aimg_scan *scan, uint64_t bytes)
{
    struct aimg_scan slice = {.little = scan->little};
    const uint8_t *taken = aimg_scan_take(scan, bytes);
    if (taken != NULL) {
        slice.data = taken;
        slice.bytes = (size_t)bytes;
        slice.ok = true;
    }
    return slice;
}

static inline uint64_t aimg_scan_integer(struct aimg_scan *scan, unsigned bytes)
{
    const uint8_t *taken = aimg_scan_take(scan, bytes);
    uint64_t value = 0;
    for (unsigned i = 0; taken != NULL && i < bytes; i++)
        value = value << 8 | taken[scan->little ? bytes - 1 - i : i];
    return value;
}

static inline uint8_t aimg_scan_u8(struct aimg_scan *scan)
{
    return (uint8_t)aimg_scan_integer(scan, 1);
}

static inline uint16_t aimg_scan_u16(struct aimg_scan *scan)
{
    return (uint16_t)aimg_scan_integer(scan, 2);
}

static inline uint32_t aimg_scan_u32(struct aimg_scan *scan)
{
    return (uint32_t)aimg_scan_integer(scan, 4);
}

static inline uint64_t aimg_scan_u64(struct aimg_scan *scan)
{
    return aimg_scan_integer(scan, 8);
}

/* Steps over `bytes` bytes when they are those of `text`; else stays, and stays ok. */
static inline bool aimg_scan_match(struct aimg_scan *scan, const char *text, size_t bytes)
{
    if (!scan->ok || aimg_scan_left(scan) < bytes || memcmp(scan->data + scan->position, text, bytes) != 0)
        return false;
    scan->position += bytes;
    return true;
}

/* For string literals: their terminator is not part of the magic. */
#define AIMG_SCAN_MATCH(scan, literal) aimg_scan_match((scan), "" literal, sizeof(literal) - 1)

/* A box type as it reads from a big-endian file. */
#define AIMG_BOX(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* A prober says whether the bytes are a picture of its family, and fills in what it could read; `file` stands at the start and is
 * big-endian. When it says no, what it wrote does not count. */
typedef bool aimg_prober(struct aimg_scan file, struct aimg_picture *picture);

aimg_prober aimg_picture_jpeg, aimg_picture_png, aimg_picture_gif, aimg_picture_webp, aimg_picture_bmp, aimg_picture_tiff;
aimg_prober aimg_picture_pnm, aimg_picture_heif, aimg_picture_jxl, aimg_picture_jp2, aimg_picture_ico, aimg_picture_qoi;
aimg_prober aimg_picture_psd, aimg_picture_exr, aimg_picture_hdr;

/* A box of HEIF, AVIF, JPEG XL and JPEG 2000 files. */
struct aimg_box {
    uint32_t type;
    struct aimg_scan content; /* ends early when the box runs past the end of its parent */
};

/* Steps to the next box. False at the end, or when no box stands there; then, and when the box was cut
 * short, scan->ok is false. */
bool aimg_box_next(struct aimg_scan *scan, struct aimg_box *box_out);

/* The number of bits that the samples up to a largest value take. */
static inline uint32_t aimg_bits_of_maximum(uint64_t maximum)
{
    uint32_t bits = 0;
    for (; maximum != 0; maximum >>= 1)
        bits++;
    return bits;
}

/* Whether an end marker FF D9 (EOI of JPEG, EOC of JPEG 2000) stands at or after the position. Looks near the end first. */
bool aimg_scan_has_end_marker(const struct aimg_scan *scan);

#endif
