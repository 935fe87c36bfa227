/* SPDX-License-Identifier: Apache-2.0 */
#include "picture.h"

/* ------------------------------------------------------------------ ICO and CUR */

enum { ICO_HEADER_BYTES = 6, ICO_ENTRY_BYTES = 16, ICO_ENTRIES_MAX = 1024, ICO_DATA_MAX = 1 << 24 };

struct ico_entry {
    uint32_t width, height, data_bytes, data_offset;
};

/* The magic is four bytes of almost nothing: a directory must make sense to be one. */
static bool ico_read_entry(struct aimg_scan *file, bool is_cursor, uint32_t first_data, struct ico_entry *entry)
{
    uint32_t width = aimg_scan_u8(file);
    uint32_t height = aimg_scan_u8(file);
    aimg_scan_skip(file, 1); /* colours */
    uint32_t reserved = aimg_scan_u8(file);
    uint32_t planes = aimg_scan_u16(file);
    uint32_t depth = aimg_scan_u16(file);
    entry->width = width == 0 ? 256 : width;
    entry->height = height == 0 ? 256 : height;
    entry->data_bytes = aimg_scan_u32(file);
    entry->data_offset = aimg_scan_u32(file);
    bool depth_ok = is_cursor || (planes <= 1 && depth <= 32); /* a cursor has its hot spot there */
    return (reserved == 0 || reserved == UINT8_MAX) && depth_ok && entry->data_bytes >= 40 && entry->data_bytes <= ICO_DATA_MAX &&
           entry->data_offset >= first_data && entry->data_offset <= ICO_DATA_MAX;
}

/* The picture in an entry is a PNG or a bitmap with a mask. False when it is there and is neither. */
static bool ico_read_data(struct aimg_scan file, const struct ico_entry *entry, struct aimg_picture *picture)
{
    picture->width = entry->width;
    picture->height = entry->height;
    if (!aimg_scan_seek(&file, entry->data_offset) || aimg_scan_left(&file) < 4) {
        picture->damaged = 1;
        return true;
    }
    size_t left = aimg_scan_left(&file);
    bool is_cut = entry->data_bytes > left;
    struct aimg_picture inner = {0};
    if (aimg_picture_png(aimg_scan_of(file.data + file.position, is_cut ? left : entry->data_bytes), &inner)) {
        picture->channels = inner.channels;
        picture->bits = inner.bits;
    } else {
        uint32_t header_bytes = aimg_scan_u32(&file);
        if (header_bytes != 40 && header_bytes != 108 && header_bytes != 124)
            return false;
        picture->channels = 4;
        picture->bits = 8;
    }
    picture->damaged = is_cut || inner.damaged;
    return true;
}

bool aimg_picture_ico(struct aimg_scan file, struct aimg_picture *picture)
{
    bool is_cursor = AIMG_SCAN_MATCH(&file, "\0\0\2\0");
    if (!is_cursor && !AIMG_SCAN_MATCH(&file, "\0\0\1\0"))
        return false;
    file.little = true;
    picture->format = AIMG_FORMAT_ICO;
    uint32_t count = aimg_scan_u16(&file);
    if (count == 0 || count > ICO_ENTRIES_MAX)
        return false;
    struct ico_entry largest = {0};
    for (uint32_t i = 0; i < count; i++) {
        struct ico_entry entry;
        bool plausible = ico_read_entry(&file, is_cursor, ICO_HEADER_BYTES + ICO_ENTRY_BYTES * count, &entry);
        if (!file.ok) {
            picture->damaged = 1;
            return i > 0; /* which is the largest is not known yet */
        }
        if (!plausible)
            return false;
        if (entry.width * entry.height > largest.width * largest.height)
            largest = entry;
    }
    return ico_read_data(file, &largest, picture);
}

/* ------------------------------------------------------------------ QOI */

bool aimg_picture_qoi(struct aimg_scan file, struct aimg_picture *picture)
{
    if (!AIMG_SCAN_MATCH(&file, "qoif"))
        return false;
    picture->format = AIMG_FORMAT_QOI;
    uint32_t width = aimg_scan_u32(&file);
    uint32_t height = aimg_scan_u32(&file);
    uint32_t channels = aimg_scan_u8(&file);
    uint32_t colour_space = aimg_scan_u8(&file);
    if (!file.ok) {
        picture->damaged = 1;
        return true;
    }
    if (channels < 3 || channels > 4 || colour_space > 1)
        return false;
    picture->width = width;
    picture->height = height;
    picture->channels = channels;
    picture->bits = 8;
    static const uint8_t end[8] = {0, 0, 0, 0, 0, 0, 0, 1};
    bool has_end = aimg_scan_left(&file) >= sizeof(end) && memcmp(file.data + file.bytes - sizeof(end), end, sizeof(end)) == 0;
    picture->damaged = width == 0 || height == 0 || !has_end;
    return true;
}

/* ------------------------------------------------------------------ PSD and PSB */

enum { PSD_CHANNELS_MAX = 56, PSD_MODE_INDEXED = 2, PSD_MODE_MAX = 9, PSD_SIDE_MAX = 30000, PSB_SIDE_MAX = 300000 };

bool aimg_picture_psd(struct aimg_scan file, struct aimg_picture *picture)
{
    if (!AIMG_SCAN_MATCH(&file, "8BPS"))
        return false;
    picture->format = AIMG_FORMAT_PSD;
    uint32_t version = aimg_scan_u16(&file); /* 2: PSB, for pictures of more than 30,000 pixels a side */
    aimg_scan_skip(&file, 6);
    uint32_t channels = aimg_scan_u16(&file);
    uint32_t height = aimg_scan_u32(&file);
    uint32_t width = aimg_scan_u32(&file);
    uint32_t depth = aimg_scan_u16(&file);
    uint32_t mode = aimg_scan_u16(&file);
    uint32_t side_max = version == 1 ? PSD_SIDE_MAX : PSB_SIDE_MAX;
    bool size_ok = width > 0 && width <= side_max && height > 0 && height <= side_max;
    bool depth_ok = depth == 1 || depth == 8 || depth == 16 || depth == 32;
    bool header_ok = file.ok && (version == 1 || version == 2) && size_ok && depth_ok && channels > 0 &&
                     channels <= PSD_CHANNELS_MAX && mode <= PSD_MODE_MAX;
    if (header_ok) {
        picture->width = width;
        picture->height = height;
        picture->channels = mode == PSD_MODE_INDEXED ? 3 : channels;
        picture->bits = depth;
    }
    aimg_scan_skip(&file, aimg_scan_u32(&file));                                       /* colour mode data */
    aimg_scan_skip(&file, aimg_scan_u32(&file));                                       /* resources */
    aimg_scan_skip(&file, version == 2 ? aimg_scan_u64(&file) : aimg_scan_u32(&file)); /* layers */
    aimg_scan_skip(&file, 2);                                                          /* compression of the merged picture */
    picture->damaged = !(header_ok && file.ok);
    return true;
}
