/* SPDX-License-Identifier: Apache-2.0 */
/* Names in a table that are not in the archive: the first are told one by one, the rest counted; a JSON array may have all. */
#ifndef AIMG_TOOLS_UNKNOWN_H
#define AIMG_TOOLS_UNKNOWN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UNKNOWN_SHOWN = 20 };

/* All zero at first, but for `names`. */
struct unknown {
    uint64_t count;
    json_t *names; /* all of them, for whoever made the array; or NULL */
};

/* False: out of memory for `names`. */
bool unknown_add(struct unknown *unknown, const char *path, uint64_t line, const char *name, size_t name_bytes);
/* One line with their number. what_now: "the rest was set"; where_all: where all are listed, for when not all were told, or NULL.
 */
void unknown_report(const struct unknown *unknown, const char *path, const char *what_now, const char *where_all);

#endif
