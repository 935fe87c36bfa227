/* SPDX-License-Identifier: Apache-2.0 */
#include "name.h"

#include "bytes.h"
#include "constants.h"

/* Bytes of the UTF-8 sequence at the start of text, 0 when it is not valid. Table 3-7 of the Unicode Standard. */
static size_t sequence_bytes(const uint8_t *text, size_t left)
{
    uint8_t lead = text[0];
    uint8_t low = 0x80, high = 0xBF;
    size_t length;
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        length = 2;
    else if (lead >= 0xE0 && lead <= 0xEF)
        length = 3;
    else if (lead >= 0xF0 && lead <= 0xF4)
        length = 4;
    else
        return 0;
    if (lead == 0xE0)
        low = 0xA0;
    if (lead == 0xED)
        high = 0x9F;
    if (lead == 0xF0)
        low = 0x90;
    if (lead == 0xF4)
        high = 0x8F;
    if (left < length || text[1] < low || text[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

static bool is_control(const uint8_t *text)
{
    return text[0] < 0x20 || text[0] == 0x7F || (text[0] == 0xC2 && text[1] < 0xA0);
}

static bool plain_ascii(const uint8_t *text)
{
    uint64_t word = aimg_load64(text);
    uint64_t below_space = word - UINT64_C(0x2020202020202020);
    uint64_t delete = (word ^ UINT64_C(0x7F7F7F7F7F7F7F7F)) - UINT64_C(0x0101010101010101);
    return ((word | below_space | delete) & UINT64_C(0x8080808080808080)) == 0;
}

bool aimg_utf8_valid(const uint8_t *text, size_t bytes)
{
    for (size_t i = 0; i < bytes;) {
        size_t step = sequence_bytes(text + i, bytes - i);
        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

bool aimg_text_valid(const uint8_t *text, size_t bytes)
{
    for (size_t i = 0; i < bytes;) {
        if (bytes - i >= 8 && plain_ascii(text + i)) {
            i += 8;
            continue;
        }
        size_t step = sequence_bytes(text + i, bytes - i);
        if (step == 0 || is_control(text + i))
            return false;
        i += step;
    }
    return true;
}

static enum aimg_name_fault component_fault(const uint8_t *component, size_t bytes)
{
    if (bytes == 0)
        return AIMG_NAME_SLASH;
    if (bytes > AIMG_NAME_COMPONENT_MAX)
        return AIMG_NAME_COMPONENT;
    if (component[0] == '.' && (bytes == 1 || (bytes == 2 && component[1] == '.')))
        return AIMG_NAME_DOTS;
    return AIMG_NAME_OK;
}

static enum aimg_name_fault text_fault(const uint8_t *name, size_t bytes, size_t *position_out)
{
    size_t i = 0;
    if (aimg_text_valid(name, bytes))
        return AIMG_NAME_OK;
    while (sequence_bytes(name + i, bytes - i) != 0 && !is_control(name + i))
        i += sequence_bytes(name + i, bytes - i);
    *position_out = i;
    return sequence_bytes(name + i, bytes - i) == 0 ? AIMG_NAME_NOT_UTF8 : AIMG_NAME_CONTROL;
}

enum aimg_name_fault aimg_name_fault(const uint8_t *name, size_t bytes, size_t *position_out)
{
    *position_out = 0;
    if (bytes == 0)
        return AIMG_NAME_EMPTY;
    if (bytes > AIMG_NAME_MAX)
        return AIMG_NAME_TOO_LONG;
    enum aimg_name_fault fault = text_fault(name, bytes, position_out);
    size_t begin = 0;
    for (size_t i = 0; fault == AIMG_NAME_OK && i <= bytes; i++) {
        if (i < bytes && name[i] == '\\') {
            *position_out = i;
            return AIMG_NAME_BACKSLASH;
        }
        if (i == bytes || name[i] == '/') {
            *position_out = begin;
            fault = component_fault(name + begin, i - begin);
            begin = i + 1;
        }
    }
    return fault;
}
