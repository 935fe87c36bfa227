/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AIMG_TOOLS_GLOB_H
#define AIMG_TOOLS_GLOB_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a name matches a glob: '*' any text, also across slashes; '?' one character; '[a-z]' and '[!a-z]' one of a set;
 * '\' takes the next character as it is. By code points, never by the locale. */
bool glob_matches(const char *glob, const char *name, size_t name_bytes);

#endif
