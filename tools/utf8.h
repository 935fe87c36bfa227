/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AIMG_TOOLS_UTF8_H
#define AIMG_TOOLS_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the well-formed sequence that text begins with, 1 to 4; 0 when it begins with none (surrogates and overlong forms are
 * none). */
size_t utf8_sequence(const unsigned char *text, size_t bytes);

bool utf8_valid(const char *text, size_t bytes);

/* Whether the well-formed sequence of that length is a control character: below U+0020, U+007F, U+0080 to U+009F. */
bool utf8_is_control(const unsigned char *text, size_t sequence_bytes);

#endif
