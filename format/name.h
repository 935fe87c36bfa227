/* SPDX-License-Identifier: Apache-2.0 */
/* Names and texts, SPEC.md section 10. */
#ifndef AIMG_FORMAT_NAME_H
#define AIMG_FORMAT_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum aimg_name_fault {
    AIMG_NAME_OK,
    AIMG_NAME_EMPTY,
    AIMG_NAME_TOO_LONG,
    AIMG_NAME_NOT_UTF8,
    AIMG_NAME_CONTROL,
    AIMG_NAME_BACKSLASH,
    AIMG_NAME_SLASH,    /* leading, trailing or doubled */
    AIMG_NAME_DOTS,     /* a component . or .. */
    AIMG_NAME_COMPONENT /* a component over 255 bytes */
};

/* *position_out: byte where the fault is. */
enum aimg_name_fault aimg_name_fault(const uint8_t *name, size_t bytes, size_t *position_out);

/* Valid UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
bool aimg_utf8_valid(const uint8_t *text, size_t bytes);
/* Valid UTF-8 without control characters (U+0000 to U+001F, U+007F to U+009F). */
bool aimg_text_valid(const uint8_t *text, size_t bytes);

#endif
