/* SPDX-License-Identifier: Apache-2.0 */
#include "utf8.h"

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

static size_t sequence_of_three(const unsigned char *text)
{
    bool overlong = text[0] == 0xE0 && text[1] < 0xA0;
    bool surrogate = text[0] == 0xED && text[1] > 0x9F;
    return is_continuation(text[1]) && is_continuation(text[2]) && !overlong && !surrogate ? 3 : 0;
}

static size_t sequence_of_four(const unsigned char *text)
{
    bool overlong = text[0] == 0xF0 && text[1] < 0x90;
    bool too_large = text[0] == 0xF4 && text[1] > 0x8F;
    bool whole = is_continuation(text[1]) && is_continuation(text[2]) && is_continuation(text[3]);
    return whole && !overlong && !too_large ? 4 : 0;
}

size_t utf8_sequence(const unsigned char *text, size_t bytes)
{
    if (bytes == 0)
        return 0;
    unsigned char first = text[0];
    if (first < 0x80)
        return 1;
    if (first >= 0xC2 && first <= 0xDF)
        return bytes >= 2 && is_continuation(text[1]) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF)
        return bytes >= 3 ? sequence_of_three(text) : 0;
    if (first >= 0xF0 && first <= 0xF4)
        return bytes >= 4 ? sequence_of_four(text) : 0;
    return 0;
}

bool utf8_valid(const char *text, size_t bytes)
{
    const unsigned char *from = (const unsigned char *)text;
    for (size_t at = 0; at < bytes;) {
        size_t sequence = utf8_sequence(from + at, bytes - at);
        if (sequence == 0)
            return false;
        at += sequence;
    }
    return true;
}

bool utf8_is_control(const unsigned char *text, size_t sequence_bytes)
{
    if (sequence_bytes == 1)
        return text[0] < 0x20 || text[0] == 0x7F;
    return sequence_bytes == 2 && text[0] == 0xC2 && text[1] < 0xA0;
}
