/* SPDX-License-Identifier: Apache-2.0 */
#include "picture.h"

enum { HEADER_MAX_BYTES = 65536, MAXIMUM_MAX = 65535 };

static bool is_space(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static uint8_t peek(const struct aimg_scan *scan)
{
    return aimg_scan_left(scan) > 0 ? scan->data[scan->position] : 0;
}

static void skip_line(struct aimg_scan *scan)
{
    const uint8_t *start = scan->data + scan->position;
    size_t left = aimg_scan_left(scan);
    const uint8_t *end = left > 0 ? memchr(start, '\n', left) : NULL;
    scan->position += end == NULL ? left : (size_t)(end - start) + 1;
}

/* A decimal number of up to 31 bits. Not ok when none stands there, or when the data end within it. */
static uint32_t read_digits(struct aimg_scan *scan)
{
    uint64_t value = 0;
    size_t start = scan->position;
    while (peek(scan) >= '0' && peek(scan) <= '9' && value <= INT32_MAX) {
        value = value * 10 + (uint64_t)(peek(scan) - '0');
        scan->position++;
    }
    if (scan->position == start || value > INT32_MAX || aimg_scan_left(scan) == 0)
        scan->ok = false;
    return scan->ok ? (uint32_t)value : 0;
}

/* A number after white space and comments, of which there must be some. */
static uint32_t read_number(struct aimg_scan *scan)
{
    if (!is_space(peek(scan)) && peek(scan) != '#')
        scan->ok = false;
    while (is_space(peek(scan)) || peek(scan) == '#') {
        if (peek(scan) == '#')
            skip_line(scan);
        else
            scan->position++;
    }
    return read_digits(scan);
}

/* Whether the samples can be there, each of at least so many bits. */
static bool raster_is_there(uint64_t left, const struct aimg_picture *picture, unsigned sample_bits)
{
    uint64_t row_bytes = ((uint64_t)picture->width * picture->channels * sample_bits + 7) / 8;
    return row_bytes > 0 && picture->height > 0 && left / row_bytes >= picture->height;
}

/* Whether a text raster begins here, or nothing more follows. */
static bool is_text_raster(struct aimg_scan scan)
{
    while (is_space(peek(&scan)))
        scan.position++;
    return aimg_scan_left(&scan) == 0 || peek(&scan) == '#' || (peek(&scan) >= '0' && peek(&scan) <= '9');
}

/* P1 to P6. What should be numbers must be numbers, else a text that begins with "P3" would be a picture. */
static bool probe_classic(struct aimg_scan header, size_t file_bytes, unsigned variant, struct aimg_picture *picture)
{
    bool is_bitmap = variant == 1 || variant == 4;
    bool is_text = variant <= 3;
    uint32_t width = read_number(&header);
    uint32_t height = read_number(&header);
    if (!header.ok)
        return false;
    picture->width = width;
    picture->height = height;
    picture->channels = variant == 3 || variant == 6 ? 3 : 1;
    uint32_t maximum = is_bitmap ? 1 : read_number(&header);
    if (!header.ok && aimg_scan_left(&header) == 0) {
        picture->damaged = 1;
        return true;
    }
    if (!header.ok || !is_space(peek(&header)) || maximum == 0 || maximum > MAXIMUM_MAX || (is_text && !is_text_raster(header)))
        return false;
    picture->bits = aimg_bits_of_maximum(maximum);
    unsigned sample_bits = variant == 4 ? 1 : is_text || maximum <= UINT8_MAX ? 8 : 16;
    picture->damaged = !raster_is_there(file_bytes - header.position - 1, picture, sample_bits);
    return true;
}

struct pam_field {
    const char *keyword;
    uint32_t *number_out;
};

/* Reads one line of a PAM header, and counts it when it is one of the fields. False when it is no such line. */
static bool read_pam_line(struct aimg_scan *header, const struct pam_field *fields, unsigned *seen_count)
{
    for (const struct pam_field *field = fields; field->keyword != NULL; field++) {
        if (!aimg_scan_match(header, field->keyword, strlen(field->keyword)))
            continue;
        (*seen_count)++;
        uint32_t number = read_number(header);
        if (header->ok)
            *field->number_out = number;
        skip_line(header);
        return header->ok;
    }
    bool is_other = peek(header) == '#' || peek(header) == '\n' || AIMG_SCAN_MATCH(header, "TUPLTYPE");
    skip_line(header);
    return is_other;
}

static bool probe_pam(struct aimg_scan header, size_t file_bytes, struct aimg_picture *picture)
{
    uint32_t maximum = 0;
    const struct pam_field fields[] = {
        {"WIDTH", &picture->width},
        {"HEIGHT", &picture->height},
        {"DEPTH", &picture->channels},
        {"MAXVAL", &maximum},
        {NULL, NULL},
    };
    unsigned seen_count = 0;
    bool ended = false;
    bool whole = true;
    while (whole && !ended && aimg_scan_left(&header) > 0) {
        ended = AIMG_SCAN_MATCH(&header, "ENDHDR\n");
        whole = ended || read_pam_line(&header, fields, &seen_count);
    }
    bool maximum_ok = maximum > 0 && maximum <= MAXIMUM_MAX;
    if (maximum_ok)
        picture->bits = aimg_bits_of_maximum(maximum);
    unsigned sample_bits = maximum <= UINT8_MAX ? 8 : 16;
    picture->damaged = !(whole && ended && maximum_ok && raster_is_there(file_bytes - header.position, picture, sample_bits));
    return seen_count > 0;
}

bool aimg_picture_pnm(struct aimg_scan file, struct aimg_picture *picture)
{
    if (file.bytes < 3 || file.data[0] != 'P' || file.data[1] < '1' || file.data[1] > '7')
        return false;
    picture->format = AIMG_FORMAT_PNM;
    unsigned variant = (unsigned)(file.data[1] - '0');
    /* Comments may make the header as long as they like; no honest one does. */
    struct aimg_scan header = aimg_scan_of(file.data, file.bytes < HEADER_MAX_BYTES ? file.bytes : HEADER_MAX_BYTES);
    if (variant == 7)
        return AIMG_SCAN_MATCH(&header, "P7\n") && probe_pam(header, file.bytes, picture);
    header.position = 2;
    return probe_classic(header, file.bytes, variant, picture);
}
