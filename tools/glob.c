/* SPDX-License-Identifier: Apache-2.0 */
/* Not fnmatch: that one follows the locale, so the same command would select other images on another machine. */
#include "glob.h"

#include <stdint.h>
#include <string.h>

/* Code point at *text, which moves past it. Bytes that are not UTF-8 count as one character each. */
static uint32_t take_code(const char **text, const char *end)
{
    const unsigned char *byte = (const unsigned char *)*text;
    size_t left = (size_t)(end - *text);
    size_t length = byte[0] >= 0xF0 ? 4 : byte[0] >= 0xE0 ? 3 : byte[0] >= 0xC0 ? 2 : 1;
    uint32_t code = byte[0];

    if (length > left)
        length = 1;
    if (length > 1)
        code &= 0x7Fu >> length;
    for (size_t i = 1; i < length; i++) {
        if ((byte[i] & 0xC0) != 0x80) {
            *text += 1;
            return byte[0];
        }
        code = code << 6 | (byte[i] & 0x3Fu);
    }
    *text += length;
    return code;
}

static uint32_t take_set_code(const char **glob, const char *end)
{
    if (**glob == '\\' && *glob + 1 < end)
        (*glob)++;
    return take_code(glob, end);
}

/* *glob is behind the '['. False when there is no ']': then the '[' stands for itself. */
static bool take_set(const char **glob, const char *end, uint32_t code, bool *matched_out)
{
    const char *at = *glob;
    bool negated = at < end && (*at == '!' || *at == '^');
    bool matched = false;
    uint32_t low, high;

    at += negated;
    for (const char *begin = at; at < end && (*at != ']' || at == begin);) {
        low = high = take_set_code(&at, end);
        if (at + 1 < end && at[0] == '-' && at[1] != ']') {
            at++;
            high = take_set_code(&at, end);
        }
        matched = matched || (low <= code && code <= high);
    }
    if (at >= end)
        return false;
    *glob = at + 1;
    *matched_out = matched != negated;
    return true;
}

/* Whether the element at *glob, which is no '*', takes this character; *glob moves past the element. */
static bool take_element(const char **glob, const char *end, uint32_t code)
{
    const char *set = *glob + 1;
    bool matched;

    if (**glob == '?') {
        (*glob)++;
        return true;
    }
    if (**glob == '[' && take_set(&set, end, code, &matched)) {
        *glob = set;
        return matched;
    }
    return take_set_code(glob, end) == code;
}

/* One '*' is remembered, the last: an earlier one never has to take more. So the cost is at most glob times name. */
bool glob_matches(const char *glob, const char *name, size_t name_bytes)
{
    const char *glob_end = glob + strlen(glob), *name_end = name + name_bytes;
    const char *star = NULL, *star_name = NULL;
    const char *next;

    while (name < name_end) {
        if (glob < glob_end && *glob == '*') {
            star = ++glob;
            star_name = name;
            continue;
        }
        next = name;
        if (glob < glob_end && take_element(&glob, glob_end, take_code(&next, name_end))) {
            name = next;
            continue;
        }
        if (star == NULL)
            return false;
        take_code(&star_name, name_end);
        glob = star;
        name = star_name;
    }
    while (glob < glob_end && *glob == '*')
        glob++;
    return glob == glob_end;
}
