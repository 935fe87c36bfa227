/* SPDX-License-Identifier: Apache-2.0 */
#include "picture.h"

enum {
    TAG_WIDTH = 256,
    TAG_HEIGHT = 257,
    TAG_BITS = 258,
    TAG_PHOTOMETRIC = 262,
    TAG_STRIP_OFFSETS = 273,
    TAG_SAMPLES = 277,
    TAG_STRIP_BYTES = 279,
    TAG_TILE_OFFSETS = 324,
    TAG_TILE_BYTES = 325
};

enum { PHOTOMETRIC_PALETTE = 3, PALETTE_BITS = 16, ENTRY_COUNT_MAX = 65535 };

struct tiff {
    struct aimg_scan file;
    bool is_big; /* BigTIFF: counts and offsets of 64 bits */
};

struct directory {
    uint64_t width, height, bits, samples, photometric;
    uint64_t last_offset, last_bytes; /* of the last strip or tile, which usually lies last in the file */
};

/* Sizes of the types of values, from BYTE to IFD8; 0 for numbers that mean none. */
enum { TYPE_MAX = 18 };
static const uint8_t type_bytes[TYPE_MAX + 1] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8};

static bool is_unsigned(unsigned type)
{
    const uint32_t types = 1 << 1 | 1 << 3 | 1 << 4 | 1 << 13 | 1 << 16 | 1 << 18; /* BYTE SHORT LONG IFD LONG8 IFD8 */
    return type <= TYPE_MAX && (types >> type & 1) != 0;
}

static uint64_t read_count(const struct tiff *tiff, struct aimg_scan *scan)
{
    return tiff->is_big ? aimg_scan_u64(scan) : aimg_scan_u32(scan);
}

/* A field of a directory: an array of values, which lies in the field itself when it fits. */
struct field {
    unsigned tag, type;
    uint64_t count;
    struct aimg_scan values; /* stands at the array */
};

/* False when the array is not in the file. */
static bool read_field(const struct tiff *tiff, struct aimg_scan entry, struct field *field)
{
    field->tag = aimg_scan_u16(&entry);
    field->type = aimg_scan_u16(&entry);
    field->count = read_count(tiff, &entry);
    uint64_t each = field->type <= TYPE_MAX ? type_bytes[field->type] : 0;
    if (field->count > tiff->file.bytes)
        return false;
    if (each * field->count > (tiff->is_big ? 8 : 4)) {
        uint64_t offset = read_count(tiff, &entry);
        aimg_scan_seek(&entry, offset);
    }
    field->values = entry;
    return aimg_scan_skip(&entry, each * field->count);
}

/* One of the values. False when there is none, or not of a type that counts. */
static bool read_value(const struct field *field, uint64_t index, uint64_t *value_out)
{
    if (!is_unsigned(field->type) || index >= field->count)
        return false;
    struct aimg_scan values = field->values;
    aimg_scan_skip(&values, index * type_bytes[field->type]);
    *value_out = aimg_scan_integer(&values, type_bytes[field->type]);
    return true;
}

static bool read_entry(const struct tiff *tiff, struct aimg_scan entry, struct directory *directory)
{
    struct field field;
    if (!read_field(tiff, entry, &field))
        return false;
    switch (field.tag) {
    case TAG_WIDTH:
        return read_value(&field, 0, &directory->width);
    case TAG_HEIGHT:
        return read_value(&field, 0, &directory->height);
    case TAG_BITS:
        return read_value(&field, 0, &directory->bits);
    case TAG_PHOTOMETRIC:
        return read_value(&field, 0, &directory->photometric);
    case TAG_SAMPLES:
        return read_value(&field, 0, &directory->samples);
    case TAG_STRIP_OFFSETS:
    case TAG_TILE_OFFSETS:
        return read_value(&field, field.count - 1, &directory->last_offset);
    case TAG_STRIP_BYTES:
    case TAG_TILE_BYTES:
        return read_value(&field, field.count - 1, &directory->last_bytes);
    default:
        return true;
    }
}

/* Reads the directory at the file's position. False when part of it is missing; then *directory holds what could be read. */
static bool read_directory(struct tiff *tiff, struct directory *directory)
{
    uint64_t count = tiff->is_big ? aimg_scan_u64(&tiff->file) : aimg_scan_u16(&tiff->file);
    unsigned entry_bytes = tiff->is_big ? 20 : 12;
    bool whole = tiff->file.ok && count > 0 && count <= ENTRY_COUNT_MAX;
    for (uint64_t i = 0; whole && i < count; i++) {
        struct aimg_scan entry = tiff->file; /* sees the whole file: the arrays lie elsewhere */
        whole = aimg_scan_skip(&tiff->file, entry_bytes) && read_entry(tiff, entry, directory);
    }
    uint64_t next = read_count(tiff, &tiff->file); /* the directory of the next page, 0 after the last */
    return whole && tiff->file.ok && next < tiff->file.bytes;
}

static void put_out(const struct directory *directory, bool whole, struct aimg_picture *picture)
{
    bool size_ok =
        directory->width > 0 && directory->width <= UINT32_MAX && directory->height > 0 && directory->height <= UINT32_MAX;
    bool samples_ok = directory->samples > 0 && directory->samples <= UINT16_MAX && directory->bits > 0 && directory->bits <= 64;
    if (size_ok) {
        picture->width = (uint32_t)directory->width;
        picture->height = (uint32_t)directory->height;
    }
    if (whole && samples_ok) { /* both have defaults: what they are is known only at the end of the directory */
        bool is_palette = directory->photometric == PHOTOMETRIC_PALETTE;
        picture->channels = is_palette ? 3 : (uint32_t)directory->samples;
        picture->bits = is_palette ? PALETTE_BITS : (uint32_t)directory->bits;
    }
    picture->damaged = !(whole && size_ok && samples_ok);
}

bool aimg_picture_tiff(struct aimg_scan file, struct aimg_picture *picture)
{
    struct tiff tiff = {0};
    bool is_little = AIMG_SCAN_MATCH(&file, "II*\0");
    bool is_little_big = !is_little && AIMG_SCAN_MATCH(&file, "II+\0\x08\0\0\0");
    bool is_big = AIMG_SCAN_MATCH(&file, "MM\0+\0\x08\0\0");
    if (!is_little && !is_little_big && !is_big && !AIMG_SCAN_MATCH(&file, "MM\0*"))
        return false;
    picture->format = AIMG_FORMAT_TIFF;
    tiff.is_big = is_big || is_little_big;
    tiff.file = file;
    tiff.file.little = is_little || is_little_big;
    uint64_t start = read_count(&tiff, &tiff.file);
    aimg_scan_seek(&tiff.file, start);
    struct directory directory = {.bits = 1, .samples = 1};
    bool whole = read_directory(&tiff, &directory);
    put_out(&directory, whole, picture);
    if (directory.last_offset > file.bytes || directory.last_bytes > file.bytes - directory.last_offset)
        picture->damaged = 1;
    return true;
}
