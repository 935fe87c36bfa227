/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AIMG_TOOLS_NAME_ESCAPE_H
#define AIMG_TOOLS_NAME_ESCAPE_H

#include <stddef.h>

/* --escape-names: what may not stand in a name (bytes that are not UTF-8, control characters, backslashes) becomes %XX, one a
 * byte, in capital digits. A percent sign before two hexadecimal digits becomes %25, so that two names never become one and every
 * name can be turned back. Returns the bytes written, without a zero byte; escaped needs three times the bytes of name. */
size_t name_escape(const char *name, size_t name_bytes, char *escaped);

#endif
