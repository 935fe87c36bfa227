/* SPDX-License-Identifier: Apache-2.0 */
#include "picture.h"

/* Properties with larger numbers are not looked for; files have a dozen. */
enum { PROPERTY_MAX = 512 };

bool aimg_box_next(struct aimg_scan *scan, struct aimg_box *box_out)
{
    if (!scan->ok || aimg_scan_left(scan) == 0)
        return false;
    uint64_t header_bytes = 8;
    uint64_t bytes = aimg_scan_u32(scan);
    box_out->type = aimg_scan_u32(scan);
    if (bytes == 1) {
        header_bytes = 16;
        bytes = aimg_scan_u64(scan);
    } else if (bytes == 0) { /* up to the end */
        bytes = header_bytes + aimg_scan_left(scan);
    }
    if (!scan->ok || bytes < header_bytes) {
        scan->ok = false;
        return false;
    }
    size_t left = aimg_scan_left(scan);
    bool is_cut = bytes - header_bytes > left;
    box_out->content = aimg_scan_slice(scan, is_cut ? left : bytes - header_bytes);
    scan->ok = !is_cut;
    return true;
}

struct brand {
    uint32_t code;
    uint8_t format;
    bool names_codec; /* else only the container: another brand may say more */
};

static const struct brand brands[] = {
    {AIMG_BOX('a', 'v', 'i', 'f'), AIMG_FORMAT_AVIF, true},  {AIMG_BOX('a', 'v', 'i', 's'), AIMG_FORMAT_AVIF, true},
    {AIMG_BOX('h', 'e', 'i', 'c'), AIMG_FORMAT_HEIF, true},  {AIMG_BOX('h', 'e', 'i', 'x'), AIMG_FORMAT_HEIF, true},
    {AIMG_BOX('h', 'e', 'i', 'm'), AIMG_FORMAT_HEIF, true},  {AIMG_BOX('h', 'e', 'i', 's'), AIMG_FORMAT_HEIF, true},
    {AIMG_BOX('h', 'e', 'v', 'c'), AIMG_FORMAT_HEIF, true},  {AIMG_BOX('h', 'e', 'v', 'x'), AIMG_FORMAT_HEIF, true},
    {AIMG_BOX('h', 'e', 'v', 'm'), AIMG_FORMAT_HEIF, true},  {AIMG_BOX('h', 'e', 'v', 's'), AIMG_FORMAT_HEIF, true},
    {AIMG_BOX('m', 'i', 'f', '1'), AIMG_FORMAT_HEIF, false}, {AIMG_BOX('m', 'i', 'f', '2'), AIMG_FORMAT_HEIF, false},
    {AIMG_BOX('m', 'i', 'a', 'f'), AIMG_FORMAT_HEIF, false}, {AIMG_BOX('m', 's', 'f', '1'), AIMG_FORMAT_HEIF, false},
};

static const struct brand *find_brand(uint32_t code)
{
    for (size_t i = 0; i < sizeof(brands) / sizeof(brands[0]); i++) {
        if (brands[i].code == code)
            return &brands[i];
    }
    return NULL;
}

/* The first brand that names a codec decides, the major brand being asked first; else the first that names the container. */
static enum aimg_format format_of_brands(struct aimg_scan ftyp)
{
    enum aimg_format format = AIMG_FORMAT_UNKNOWN;
    for (unsigned i = 0; aimg_scan_left(&ftyp) >= 4; i++) {
        uint32_t code = aimg_scan_u32(&ftyp);
        const struct brand *brand = i == 1 ? NULL : find_brand(code); /* number 1 is the minor version */
        if (brand != NULL && brand->names_codec)
            return brand->format;
        if (brand != NULL)
            format = brand->format;
    }
    return format;
}

struct properties {
    uint8_t of_primary[PROPERTY_MAX / 8]; /* set of the numbers of the primary item's properties */
    uint32_t width, height;               /* of the primary item; 0 when it has no property with a size */
    uint32_t largest_width, largest_height;
    uint32_t channels, bits;
    bool has_alpha;
};

/* Notes the numbers of the properties that an ipma box ties to the primary item. */
static void read_associations(struct aimg_scan ipma, uint32_t primary, struct properties *properties)
{
    uint32_t version_and_flags = aimg_scan_u32(&ipma);
    bool is_wide = (version_and_flags & 1) != 0;
    uint32_t entry_count = aimg_scan_u32(&ipma);
    for (uint32_t i = 0; i < entry_count && ipma.ok; i++) {
        uint32_t item = version_and_flags >> 24 == 0 ? aimg_scan_u16(&ipma) : aimg_scan_u32(&ipma);
        uint32_t count = aimg_scan_u8(&ipma);
        for (uint32_t k = 0; k < count && ipma.ok; k++) {
            uint32_t number = is_wide ? aimg_scan_u16(&ipma) & 0x7FFF : aimg_scan_u8(&ipma) & 0x7F;
            if (item == primary && number < PROPERTY_MAX)
                properties->of_primary[number / 8] |= (uint8_t)(1U << number % 8);
        }
    }
}

static void read_size(struct aimg_scan ispe, bool is_of_primary, struct properties *properties)
{
    aimg_scan_skip(&ispe, 4);
    uint32_t width = aimg_scan_u32(&ispe);
    uint32_t height = aimg_scan_u32(&ispe);
    if (!ispe.ok)
        return;
    if (is_of_primary) {
        properties->width = width;
        properties->height = height;
    }
    if ((uint64_t)width * height > (uint64_t)properties->largest_width * properties->largest_height) {
        properties->largest_width = width;
        properties->largest_height = height;
    }
}

static void read_pixel_information(struct aimg_scan pixi, struct properties *properties)
{
    aimg_scan_skip(&pixi, 4);
    uint32_t channels = aimg_scan_u8(&pixi);
    uint32_t bits = aimg_scan_u8(&pixi);
    if (pixi.ok) {
        properties->channels = channels;
        properties->bits = bits;
    }
}

static bool names_alpha(struct aimg_scan auxc)
{
    aimg_scan_skip(&auxc, 4);
    return AIMG_SCAN_MATCH(&auxc, "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha") ||
           AIMG_SCAN_MATCH(&auxc, "urn:mpeg:hevc:2015:auxid:1");
}

static bool read_properties(struct aimg_scan ipco, struct properties *properties)
{
    struct aimg_box box;
    for (uint32_t number = 1; aimg_box_next(&ipco, &box); number++) {
        bool is_of_primary = number < PROPERTY_MAX && (properties->of_primary[number / 8] >> number % 8 & 1) != 0;
        if (box.type == AIMG_BOX('i', 's', 'p', 'e'))
            read_size(box.content, is_of_primary, properties);
        else if (box.type == AIMG_BOX('p', 'i', 'x', 'i') && is_of_primary)
            read_pixel_information(box.content, properties);
        else if (box.type == AIMG_BOX('a', 'u', 'x', 'C') && names_alpha(box.content))
            properties->has_alpha = true;
    }
    return ipco.ok;
}

/* iprp holds the properties and, usually after them, what ties them to items: two passes. */
static bool read_item_properties(struct aimg_scan iprp, uint32_t primary, struct properties *properties)
{
    struct aimg_box box;
    bool whole = true;
    struct aimg_scan pass = iprp;
    while (aimg_box_next(&pass, &box)) {
        if (box.type == AIMG_BOX('i', 'p', 'm', 'a'))
            read_associations(box.content, primary, properties);
    }
    if (!pass.ok)
        return false;
    while (aimg_box_next(&iprp, &box)) {
        if (box.type == AIMG_BOX('i', 'p', 'c', 'o'))
            whole = read_properties(box.content, properties) && whole;
    }
    return whole;
}

/* Reads the size of the primary item, or of the largest when it has none. False when the box is cut short or tells no size. */
static bool read_meta(struct aimg_scan meta, struct aimg_picture *picture, bool *data_seen)
{
    struct aimg_box box;
    struct aimg_scan iprp = {0};
    uint32_t primary = 0;
    aimg_scan_skip(&meta, 4);
    while (aimg_box_next(&meta, &box)) {
        if (box.type == AIMG_BOX('p', 'i', 't', 'm'))
            primary = aimg_scan_u32(&box.content) >> 24 == 0 ? aimg_scan_u16(&box.content) : aimg_scan_u32(&box.content);
        else if (box.type == AIMG_BOX('i', 'p', 'r', 'p'))
            iprp = box.content;
        else if (box.type == AIMG_BOX('i', 'd', 'a', 't'))
            *data_seen = true;
    }
    struct properties properties = {0};
    if (!meta.ok || !iprp.ok || !read_item_properties(iprp, primary, &properties))
        return false;
    bool has_size = properties.width > 0 && properties.height > 0;
    picture->width = has_size ? properties.width : properties.largest_width;
    picture->height = has_size ? properties.height : properties.largest_height;
    picture->channels = properties.channels == 0 ? 0 : properties.channels + properties.has_alpha;
    picture->bits = properties.bits;
    return picture->width > 0 && picture->height > 0;
}

bool aimg_picture_heif(struct aimg_scan file, struct aimg_picture *picture)
{
    struct aimg_box box;
    if (!aimg_box_next(&file, &box) || box.type != AIMG_BOX('f', 't', 'y', 'p') || !file.ok)
        return false;
    picture->format = format_of_brands(box.content);
    if (picture->format == AIMG_FORMAT_UNKNOWN)
        return false;
    bool meta_seen = false;
    bool data_seen = false;
    bool whole = true;
    while (aimg_box_next(&file, &box)) {
        bool is_meta = box.type == AIMG_BOX('m', 'e', 't', 'a');
        if (is_meta && !meta_seen)
            whole = file.ok && read_meta(box.content, picture, &data_seen); /* a part of it could tell the size of another item */
        data_seen = data_seen || box.type == AIMG_BOX('m', 'd', 'a', 't');
        meta_seen = meta_seen || is_meta || box.type == AIMG_BOX('m', 'o', 'o', 'v'); /* films of images need no meta */
    }
    picture->damaged = !(whole && meta_seen && data_seen && file.ok);
    return true;
}
