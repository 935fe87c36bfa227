/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AIMG_TOOLS_NAME_SORT_H
#define AIMG_TOOLS_NAME_SORT_H

#include <stddef.h>

/* Sorts texts that end with a zero byte in byte order, in place and without memory of its own. */
void name_sort(const char **names, size_t count);

#endif
