/* SPDX-License-Identifier: Apache-2.0 */
/* How archives are changed for fuzzing: mostly a number or two in a place that means something, then the checksums are made right
 * again. Bytes that are changed anywhere at all would nearly always be caught by a checksum, and find nothing. */
#include "resign.h"

#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t bytes, size_t max_bytes);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t max_bytes, unsigned seed);

enum { HEAD_BYTES = 12288, PAGE_BYTES = 4096 };

struct dice {
    uint64_t state;
};

static uint64_t roll(struct dice *dice, uint64_t sides)
{
    dice->state = dice->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (dice->state >> 33) % sides;
}

/* clang-format off */
static const uint64_t telling[] = {
    0, 1, 2, 7, 8, 47, 48, 63, 64, 255, 4095, 4096, 12287, 12288, 0xFFFF, 0x10000, UINT64_C(0x7FFFFFFF),
    UINT64_C(0xFFFFFFFE), UINT64_C(0xFFFFFFFF), UINT64_C(1) << 40, UINT64_C(1) << 47, UINT64_C(1) << 51, UINT64_C(1) << 63,
    UINT64_MAX - 7, UINT64_MAX};
/* clang-format on */

static uint64_t load(const uint8_t *at, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = bytes; i-- > 0;)
        value = value << 8 | at[i];
    return value;
}

/* A number at an even place: replaced, counted up or down, doubled, or taken from elsewhere. */
static void change_number(struct dice *dice, uint8_t *data, size_t bytes, size_t at)
{
    size_t width = (size_t)1 << roll(dice, 4);
    at -= at % width;
    if (at > bytes - width)
        return;
    uint64_t value = load(data + at, width);
    switch (roll(dice, 6)) {
    case 0:
    case 1:
        value = telling[roll(dice, sizeof telling / sizeof telling[0])];
        break;
    case 2:
        value += 1 + roll(dice, 8);
        break;
    case 3:
        value -= 1 + roll(dice, 8);
        break;
    case 4:
        value ^= UINT64_C(1) << roll(dice, 8 * width);
        break;
    default:
        value = load(data + roll(dice, bytes - width), width);
    }
    for (size_t i = 0; i < width; i++)
        data[at + i] = (uint8_t)(value >> 8 * i);
}

/* A place in the head, a frame header, or the beginning or the end of a payload. */
static size_t choose_place(struct dice *dice, const uint8_t *data, size_t bytes)
{
    size_t frames = 0, frame;
    if (roll(dice, 16) == 0)
        return (size_t)roll(dice, 3) * PAGE_BYTES + (size_t)roll(dice, 140);
    while (aimg_resign_frame(data, bytes, frames) != 0)
        frames++;
    if (frames == 0)
        return (size_t)roll(dice, bytes);
    /* ROOT and the commit page stand last in a batch, and matter most. */
    frame = roll(dice, 2) == 0 && frames > 4 ? frames - 1 - (size_t)roll(dice, 4) : (size_t)roll(dice, frames);
    size_t begin = aimg_resign_frame(data, bytes, frame), end = aimg_resign_frame(data, bytes, frame + 1);
    end = end == 0 ? bytes : end;
    if (end <= begin)
        return (size_t)roll(dice, bytes);
    size_t length = end - begin;
    switch (roll(dice, 4)) {
    case 0:
        return begin + (size_t)roll(dice, length < 48 ? length : 48);
    case 1:
        return begin + (size_t)roll(dice, length < 512 ? length : 512);
    case 2:
        return end - 1 - (size_t)roll(dice, length < 448 ? length : 448);
    default:
        return begin + (size_t)roll(dice, length);
    }
}

static void copy_within(struct dice *dice, uint8_t *data, size_t bytes)
{
    size_t count = (size_t)8 << roll(dice, 6), unit = 8;
    if (bytes < 2 * count)
        return;
    size_t from = (size_t)roll(dice, bytes - count) / unit * unit, to = (size_t)roll(dice, bytes - count) / unit * unit;
    memmove(data + to, data + from, count);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t max_bytes, unsigned seed)
{
    struct dice dice = {seed};
    (void)roll(&dice, 2);
    if (bytes <= HEAD_BYTES || roll(&dice, 32) == 0)
        return LLVMFuzzerMutate(data, bytes, max_bytes);
    for (uint64_t changes = 1 + roll(&dice, 4); changes > 0; changes--) {
        if (roll(&dice, 12) == 0)
            copy_within(&dice, data, bytes);
        else
            change_number(&dice, data, bytes, choose_place(&dice, data, bytes));
    }
    if (roll(&dice, 24) == 0)
        bytes -= (size_t)roll(&dice, bytes - HEAD_BYTES);
    if (roll(&dice, 16) != 0)
        aimg_resign(data, bytes);
    return bytes;
}
