/* SPDX-License-Identifier: Apache-2.0 */
/* Names: UTF-8 as Unicode's table 3-7 has it, control characters, components. */
#include "bytes.h"
#include "constants.h"
#include "name.h"
#include "test.h"

static uint8_t *room; /* of 1200 bytes, ended by a page that must not be read */
enum { ROOM_BYTES = 1200 };

static const uint8_t *place(const void *text, size_t bytes)
{
    uint8_t *begin = room + ROOM_BYTES - bytes;
    if (bytes > 0)
        memcpy(begin, text, bytes);
    return begin;
}

/* Every code point, written by rule, is valid; surrogates and what lies past U+10FFFF are not. */
static void check_code_points(void)
{
    for (uint32_t point = 0; point < 0x120000; point += point < 0x3000 ? 1 : 7) {
        uint8_t text[4];
        size_t bytes;
        if (point < 0x80) {
            text[0] = (uint8_t)point;
            bytes = 1;
        } else if (point < 0x800) {
            text[0] = (uint8_t)(0xC0 | point >> 6);
            text[1] = (uint8_t)(0x80 | (point & 0x3F));
            bytes = 2;
        } else if (point < 0x10000) {
            text[0] = (uint8_t)(0xE0 | point >> 12);
            text[1] = (uint8_t)(0x80 | (point >> 6 & 0x3F));
            text[2] = (uint8_t)(0x80 | (point & 0x3F));
            bytes = 3;
        } else {
            text[0] = (uint8_t)(0xF0 | point >> 18);
            text[1] = (uint8_t)(0x80 | (point >> 12 & 0x3F));
            text[2] = (uint8_t)(0x80 | (point >> 6 & 0x3F));
            text[3] = (uint8_t)(0x80 | (point & 0x3F));
            bytes = 4;
        }
        bool valid = point < 0xD800 || (point > 0xDFFF && point < 0x110000);
        bool control = point < 0x20 || (point >= 0x7F && point <= 0x9F);
        const uint8_t *at = place(text, bytes);
        EXPECT(aimg_utf8_valid(at, bytes) == valid);
        EXPECT(aimg_text_valid(at, bytes) == (valid && !control));
        for (size_t cut = 1; cut < bytes; cut++)
            EXPECT(!aimg_utf8_valid(place(text, cut), cut));
    }
}

/* Every sequence of two bytes, and of three and four with telling values, against the table. */
static size_t valid_length(const uint8_t *s)
{
    uint8_t a = s[0], b = s[1];
    bool tail3 = (s[2] & 0xC0) == 0x80, tail4 = tail3 && (s[3] & 0xC0) == 0x80;
    if (a < 0x80)
        return 1;
    if (a >= 0xC2 && a <= 0xDF)
        return b >= 0x80 && b <= 0xBF ? 2 : 0;
    if (a == 0xE0)
        return b >= 0xA0 && b <= 0xBF && tail3 ? 3 : 0;
    if ((a >= 0xE1 && a <= 0xEC) || a == 0xEE || a == 0xEF)
        return b >= 0x80 && b <= 0xBF && tail3 ? 3 : 0;
    if (a == 0xED)
        return b >= 0x80 && b <= 0x9F && tail3 ? 3 : 0;
    if (a == 0xF0)
        return b >= 0x90 && b <= 0xBF && tail4 ? 4 : 0;
    if (a >= 0xF1 && a <= 0xF3)
        return b >= 0x80 && b <= 0xBF && tail4 ? 4 : 0;
    if (a == 0xF4)
        return b >= 0x80 && b <= 0x8F && tail4 ? 4 : 0;
    return 0;
}

static void check_table(void)
{
    static const uint8_t tails[] = {0x00, 0x7F, 0x80, 0xBF, 0xC0, 0xFF};
    for (unsigned pair = 0; pair < 65536; pair++)
        for (size_t i = 0; i < sizeof tails; i++)
            for (size_t k = 0; k < sizeof tails; k++) {
                uint8_t text[4] = {(uint8_t)(pair >> 8), (uint8_t)pair, tails[i], tails[k]};
                size_t length = valid_length(text);
                if (length > 1) /* else it is as the other tests have it */
                    EXPECT(aimg_utf8_valid(place(text, length), length));
                if (length == 0)
                    EXPECT(!aimg_utf8_valid(place(text, 4), 4));
            }
}

/* The path of eight bytes at once says what the path of single bytes says. */
static void check_long_texts(void)
{
    static const char *const odd[] = {"\x1F", "\x7F", "\xC2\x80", "\xC2\x9F", "\xFF", "\xC3", "\x80", "\xED\xA0\x80"};
    static const char *const fine[] = {" ", "~", "\xC2\xA0", "\xEF\xBF\xBD", "\xF4\x8F\xBF\xBF"};
    char text[64];
    for (size_t at = 0; at < 32; at++) {
        for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
            memset(text, 'a', sizeof text);
            memcpy(text + at, odd[i], strlen(odd[i]));
            EXPECT(!aimg_text_valid(place(text, 40), 40));
        }
        for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
            memset(text, 'a', sizeof text);
            memcpy(text + at, fine[i], strlen(fine[i]));
            EXPECT(aimg_text_valid(place(text, 40), 40));
        }
    }
    EXPECT(aimg_text_valid(place("", 0), 0));
    EXPECT(!aimg_text_valid(place("aaaaaaa\0", 8), 8));
}

static void check_name(const char *name, size_t bytes, enum aimg_name_fault expected, size_t at)
{
    size_t position = 12345;
    test_state.subject = name;
    EXPECT_EQ_INT(aimg_name_fault(place(name, bytes), bytes, &position), expected);
    if (expected != AIMG_NAME_OK)
        EXPECT_EQ_UINT(position, at);
    test_state.subject = NULL;
}

static void check_names(void)
{
    static const struct {
        const char *name;
        enum aimg_name_fault fault;
        size_t at;
    } names[] = {
        {"a", AIMG_NAME_OK, 0},
        {"a/b/c.jpg", AIMG_NAME_OK, 0},
        {"...", AIMG_NAME_OK, 0},
        {"..a/.b/c.", AIMG_NAME_OK, 0},
        {"-rf", AIMG_NAME_OK, 0},
        {"a b:*?\"<>|", AIMG_NAME_OK, 0},
        {"\xC3\xA9/\xE4\xB8\xAD", AIMG_NAME_OK, 0},
        {"", AIMG_NAME_EMPTY, 0},
        {"/a", AIMG_NAME_SLASH, 0},
        {"a/", AIMG_NAME_SLASH, 2},
        {"a//b", AIMG_NAME_SLASH, 2},
        {"/", AIMG_NAME_SLASH, 0},
        {".", AIMG_NAME_DOTS, 0},
        {"..", AIMG_NAME_DOTS, 0},
        {"a/..", AIMG_NAME_DOTS, 2},
        {"a/./b", AIMG_NAME_DOTS, 2},
        {"../a", AIMG_NAME_DOTS, 0},
        {"a\\b", AIMG_NAME_BACKSLASH, 1},
        {"a/b\\", AIMG_NAME_BACKSLASH, 3},
        {"a\nb", AIMG_NAME_CONTROL, 1},
        {"a\x7F", AIMG_NAME_CONTROL, 1},
        {"\xC2\x85", AIMG_NAME_CONTROL, 0},
        {"ab\xFF", AIMG_NAME_NOT_UTF8, 2},
        {"ab\xC3", AIMG_NAME_NOT_UTF8, 2},
        {"\xC0\xAF", AIMG_NAME_NOT_UTF8, 0},
        {"a\tb\xFF", AIMG_NAME_CONTROL, 1},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        check_name(names[i].name, strlen(names[i].name), names[i].fault, names[i].at);
    check_name("a\0b", 3, AIMG_NAME_CONTROL, 1);
}

static void check_lengths(void)
{
    char name[ROOM_BYTES];
    memset(name, 'n', sizeof name);
    check_name(name, 255, AIMG_NAME_OK, 0);
    check_name(name, 256, AIMG_NAME_COMPONENT, 0);
    for (size_t i = 255; i < sizeof name; i += 256)
        name[i] = '/';
    check_name(name, 1023, AIMG_NAME_OK, 0);
    name[1000] = '/';
    check_name(name, AIMG_NAME_MAX, AIMG_NAME_SLASH, 1024); /* ends with a slash */
    name[1023] = 'n';
    check_name(name, AIMG_NAME_MAX, AIMG_NAME_OK, 0);
    check_name(name, AIMG_NAME_MAX + 1, AIMG_NAME_TOO_LONG, 0);
    memset(name, 'n', sizeof name);
    name[10] = '/';
    check_name(name, 266, AIMG_NAME_OK, 0);
    check_name(name, 267, AIMG_NAME_COMPONENT, 11);
}

int main(void)
{
    room = test_guarded(ROOM_BYTES);
    check_code_points();
    check_table();
    check_long_texts();
    check_names();
    check_lengths();
    return test_end("test_name");
}
