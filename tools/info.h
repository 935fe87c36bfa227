/* SPDX-License-Identifier: Apache-2.0 */
/* What 'aimg info' says. Both functions print a table, or one JSON object, and return an exit_code. */
#ifndef AIMG_TOOLS_INFO_H
#define AIMG_TOOLS_INFO_H

#include <aimg/aimg.h>
#include <stdbool.h>

int info_archive(const struct aimg_reader *reader, const char *path, bool json);
int info_image(const struct aimg_reader *reader, const char *path, uint32_t ordinal, bool json);

#endif
