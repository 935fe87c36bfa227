/* SPDX-License-Identifier: Apache-2.0 */
#include "name_escape.h"

#include "utf8.h"

#include <stdbool.h>
#include <string.h>

static bool is_hex(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

static bool stands_for_itself(const unsigned char *text, size_t bytes, size_t sequence)
{
    if (sequence == 0 || utf8_is_control(text, sequence) || text[0] == '\\')
        return false;
    return !(text[0] == '%' && bytes >= 3 && is_hex(text[1]) && is_hex(text[2]));
}

size_t name_escape(const char *name, size_t name_bytes, char *escaped)
{
    static const char digits[] = "0123456789ABCDEF";
    const unsigned char *from = (const unsigned char *)name;
    size_t used = 0;
    for (size_t at = 0; at < name_bytes;) {
        size_t sequence = utf8_sequence(from + at, name_bytes - at);
        if (stands_for_itself(from + at, name_bytes - at, sequence)) {
            memcpy(escaped + used, from + at, sequence);
            used += sequence;
            at += sequence;
            continue;
        }
        /* All bytes of a control character from U+0080 on are escaped: a lone one of them would not be UTF-8. */
        size_t count = sequence == 0 ? 1 : sequence;
        for (size_t end = at + count; at < end; at++) {
            escaped[used++] = '%';
            escaped[used++] = digits[from[at] >> 4];
            escaped[used++] = digits[from[at] & 15];
        }
    }
    return used;
}
