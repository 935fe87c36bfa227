/* SPDX-License-Identifier: Apache-2.0 */
/* Names in a table that are not in the archive: the first are told one by one, the rest counted. */
#ifndef AIMG_TOOLS_UNKNOWN_H
#define AIMG_TOOLS_UNKNOWN_H

#include <stddef.h>
#include <stdint.h>

enum { UNKNOWN_SHOWN = 20 };

/* All zero at first. */
struct unknown {
    uint64_t count;
    char *names[UNKNOWN_SHOWN]; /* NULL for want of memory */
};

void unknown_add(struct unknown *unknown, const char *path, uint64_t line, const char *name, size_t name_bytes);
/* One line with their number. what_now: "the rest was set". */
void unknown_report(const struct unknown *unknown, const char *path, const char *what_now);
void unknown_free(struct unknown *unknown);

#endif
