/* SPDX-License-Identifier: Apache-2.0 */
#include "picture.h"

/* JPEG XL packs its header bit by bit, the low bit of a byte first. Reads past the end give zeros and clear ok. */
struct bits {
    const uint8_t *data;
    uint64_t count, position;
    bool ok;
};

static uint32_t take(struct bits *bits, unsigned count)
{
    uint32_t value = 0;
    if (!bits->ok || count > bits->count - bits->position) {
        bits->ok = false;
        return 0;
    }
    for (unsigned i = 0; i < count; i++, bits->position++)
        value |= (uint32_t)(bits->data[bits->position / 8] >> bits->position % 8 & 1) << i;
    return value;
}

static bool take_flag(struct bits *bits)
{
    return take(bits, 1) != 0;
}

/* One of four ways to write a number, chosen by two bits: so many bits, and what to add to them. */
struct choice {
    uint8_t bits;
    uint32_t add;
};

static uint32_t take_choice(struct bits *bits, const struct choice choices[4])
{
    const struct choice *choice = &choices[take(bits, 2)];
    return take(bits, choice->bits) + choice->add;
}

static const struct choice size_choices[4] = {{9, 1}, {13, 1}, {18, 1}, {30, 1}};
static const struct choice preview_by_8_choices[4] = {{0, 16}, {0, 32}, {5, 1}, {9, 33}};
static const struct choice preview_choices[4] = {{6, 1}, {8, 65}, {10, 321}, {12, 1345}};
static const struct choice ticks_choices[4] = {{0, 100}, {0, 1000}, {10, 1}, {30, 1}};
static const struct choice ticks_divisor_choices[4] = {{0, 1}, {0, 1001}, {8, 1}, {10, 1}};
static const struct choice loops_choices[4] = {{0, 0}, {3, 0}, {16, 0}, {32, 0}};
static const struct choice integer_depth_choices[4] = {{0, 8}, {0, 10}, {0, 12}, {6, 1}};
static const struct choice float_depth_choices[4] = {{0, 32}, {0, 16}, {0, 24}, {6, 1}};
static const struct choice extra_count_choices[4] = {{0, 0}, {0, 1}, {4, 2}, {12, 1}};
static const struct choice enum_choices[4] = {{0, 0}, {0, 1}, {4, 2}, {6, 18}};
static const struct choice shift_choices[4] = {{0, 0}, {0, 3}, {0, 4}, {3, 1}};
static const struct choice name_choices[4] = {{0, 0}, {4, 0}, {5, 16}, {10, 48}};
static const struct choice filter_choices[4] = {{0, 1}, {2, 0}, {4, 3}, {8, 19}};

enum { EXTRA_ALPHA = 0, EXTRA_SPOT = 2, EXTRA_BLACK = 4, EXTRA_FILTER = 5, EXTRA_MAX = 16, COLOUR_GREY = 1, COLOUR_MAX = 3 };

static uint64_t width_of_ratio(uint64_t height, unsigned ratio)
{
    static const uint8_t ratios[8][2] = {{0, 1}, {1, 1}, {12, 10}, {4, 3}, {3, 2}, {16, 9}, {5, 4}, {2, 1}};
    return height * ratios[ratio][0] / ratios[ratio][1];
}

static void take_size(struct bits *bits, uint64_t *width_out, uint64_t *height_out)
{
    bool by_8 = take_flag(bits);
    *height_out = by_8 ? (take(bits, 5) + 1) * 8 : take_choice(bits, size_choices);
    unsigned ratio = take(bits, 3);
    if (ratio != 0)
        *width_out = width_of_ratio(*height_out, ratio);
    else
        *width_out = by_8 ? (take(bits, 5) + 1) * 8 : take_choice(bits, size_choices);
}

static void skip_preview(struct bits *bits)
{
    const struct choice *choices = take_flag(bits) ? preview_by_8_choices : preview_choices;
    take_choice(bits, choices);
    if (take(bits, 3) == 0)
        take_choice(bits, choices);
}

static void skip_animation(struct bits *bits)
{
    take_choice(bits, ticks_choices);
    take_choice(bits, ticks_divisor_choices);
    take_choice(bits, loops_choices);
    take_flag(bits);
}

static uint32_t take_depth(struct bits *bits)
{
    if (!take_flag(bits))
        return take_choice(bits, integer_depth_choices);
    uint32_t depth = take_choice(bits, float_depth_choices);
    take(bits, 4); /* bits of the exponent */
    return depth;
}

/* The type of an extra channel, its other fields stepped over. */
static uint32_t take_extra_channel(struct bits *bits)
{
    if (take_flag(bits))
        return EXTRA_ALPHA;
    uint32_t type = take_choice(bits, enum_choices);
    take_depth(bits);
    take_choice(bits, shift_choices);
    for (uint32_t left = take_choice(bits, name_choices); left > 0 && bits->ok; left--)
        take(bits, 8);
    if (type == EXTRA_ALPHA)
        take_flag(bits);
    if (type == EXTRA_SPOT) {
        take(bits, 32);
        take(bits, 32);
    }
    if (type == EXTRA_FILTER)
        take_choice(bits, filter_choices);
    return type;
}

static void skip_extra_fields(struct bits *bits)
{
    uint64_t width, height;
    take(bits, 3); /* orientation */
    if (take_flag(bits))
        take_size(bits, &width, &height);
    if (take_flag(bits))
        skip_preview(bits);
    if (take_flag(bits))
        skip_animation(bits);
}

/* Reads channels and bits. False when a rule is broken; running past the end is seen by bits->ok. */
static bool take_metadata(struct bits *bits, uint32_t *channels_out, uint32_t *depth_out)
{
    *channels_out = 3;
    *depth_out = 8;
    if (take_flag(bits))
        return true;
    if (take_flag(bits))
        skip_extra_fields(bits);
    *depth_out = take_depth(bits);
    take_flag(bits);
    uint32_t extra_count = take_choice(bits, extra_count_choices);
    uint32_t counted = 0;
    bool types_ok = *depth_out <= 32;
    for (uint32_t i = 0; i < extra_count && bits->ok; i++) {
        uint32_t type = take_extra_channel(bits);
        counted += type == EXTRA_ALPHA || type == EXTRA_BLACK;
        types_ok = types_ok && type <= EXTRA_MAX;
    }
    take_flag(bits); /* XYB */
    bool is_grey = false;
    if (!take_flag(bits)) {
        take_flag(bits); /* ICC */
        uint32_t colour = take_choice(bits, enum_choices);
        is_grey = colour == COLOUR_GREY;
        types_ok = types_ok && colour <= COLOUR_MAX;
    }
    *channels_out = (is_grey ? 1 : 3) + counted;
    return types_ok;
}

/* The scan stands after FF 0A. False when this cannot be a codestream; two bytes of magic alone would believe anything. */
static bool read_codestream(const struct aimg_scan *scan, struct aimg_picture *picture)
{
    struct bits bits = {.data = scan->data + scan->position, .count = (uint64_t)aimg_scan_left(scan) * 8, .ok = scan->ok};
    uint64_t width, height;
    take_size(&bits, &width, &height);
    if (!bits.ok || width == 0 || width > 1U << 30)
        return false;
    picture->width = (uint32_t)width;
    picture->height = (uint32_t)height;
    uint32_t channels, depth;
    bool valid = take_metadata(&bits, &channels, &depth);
    if (bits.ok && valid) {
        picture->channels = channels;
        picture->bits = depth;
    }
    picture->damaged = !bits.ok;
    return valid || !bits.ok;
}

static bool probe_container(struct aimg_scan file, struct aimg_picture *picture)
{
    struct aimg_box box;
    bool header_seen = false;
    bool whole = true;
    while (aimg_box_next(&file, &box)) {
        bool is_part = box.type == AIMG_BOX('j', 'x', 'l', 'p');
        if (header_seen || (!is_part && box.type != AIMG_BOX('j', 'x', 'l', 'c')))
            continue;
        header_seen = true;
        if (is_part)
            aimg_scan_skip(&box.content, 4); /* number of the part: the first comes first */
        whole = AIMG_SCAN_MATCH(&box.content, "\xFF\x0A") && read_codestream(&box.content, picture) && picture->damaged == 0;
    }
    picture->damaged = !(header_seen && whole && file.ok);
    return true;
}

bool aimg_picture_jxl(struct aimg_scan file, struct aimg_picture *picture)
{
    picture->format = AIMG_FORMAT_JXL;
    if (AIMG_SCAN_MATCH(&file, "\0\0\0\x0CJXL \r\n\x87\n"))
        return probe_container(file, picture);
    return AIMG_SCAN_MATCH(&file, "\xFF\x0A") && read_codestream(&file, picture);
}
