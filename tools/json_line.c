/* SPDX-License-Identifier: Apache-2.0 */
/* What jansson would print, several times as fast: 'aimg ls --json' has no object to keep. */
#include "json.h"

#include "utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void put(const char *text, size_t bytes)
{
    fwrite_unlocked(text, 1, bytes, stdout);
}

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
}

/* One character that is not plain. Returns its bytes. */
static size_t put_special(const unsigned char *text, size_t bytes)
{
    size_t sequence = utf8_sequence(text, bytes);
    char escape[8];
    int length;

    if (sequence > 1 && !utf8_is_control(text, sequence)) {
        put((const char *)text, sequence);
        return sequence;
    }
    if (sequence == 0)
        length = snprintf(escape, sizeof escape, "\\\\x%02X", text[0]); /* the text \xNN, as output_escape writes it */
    else if (text[0] == '"' || text[0] == '\\')
        length = snprintf(escape, sizeof escape, "\\%c", text[0]);
    else /* terminals act on U+0080 to U+009F as well */
        length = snprintf(escape, sizeof escape, "\\u%04x", text[sequence - 1]);
    put(escape, (size_t)length);
    return sequence > 1 ? sequence : 1;
}

static void put_string(const char *text, size_t bytes)
{
    const unsigned char *at = (const unsigned char *)text, *end = at + bytes;
    size_t plain;

    putchar_unlocked('"');
    while (at < end) {
        for (plain = 0; at + plain < end && is_plain(at[plain]); plain++)
            ;
        put((const char *)at, plain);
        at += plain;
        if (at < end)
            at += put_special(at, (size_t)(end - at));
    }
    putchar_unlocked('"');
}

static void put_key(struct json_line *line, const char *key)
{
    if (line->filled)
        putchar_unlocked(',');
    line->filled = true;
    put_string(key, strlen(key));
    putchar_unlocked(':');
}

void json_line_begin(struct json_line *line)
{
    line->filled = false;
    putchar_unlocked('{');
}

void json_line_text(struct json_line *line, const char *key, const char *text, size_t bytes)
{
    put_key(line, key);
    put_string(text, bytes);
}

void json_line_count(struct json_line *line, const char *key, uint64_t count)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, count <= INT64_MAX ? "%" PRIu64 : "\"%" PRIu64 "\"", count);

    put_key(line, key);
    put(digits, (size_t)length);
}

void json_line_raw(struct json_line *line, const char *key, const char *json, size_t bytes)
{
    put_key(line, key);
    put(json, bytes);
}

void json_line_end(struct json_line *line)
{
    (void)line;
    put("}\n", 2);
}
