/* SPDX-License-Identifier: Apache-2.0 */
/* Paths out of a file or a pipe, one a line or each ended by a zero byte, that can be read more than once. */
#ifndef AIMG_TOOLS_PATH_LIST_H
#define AIMG_TOOLS_PATH_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { PATH_LIST_BYTES = 8192 }; /* longest line; no system opens a longer path */

struct path_list {
    FILE *stream;
    char separator;
    bool ended;
    uint64_t line; /* number of the last path, from 1 */
    char text[PATH_LIST_BYTES];
    size_t text_bytes;
};

/* file: "-" is standard input. What cannot be read twice is copied into an unnamed file first. Prints what is wrong. Returns an
 * exit_code. */
int path_list_open(struct path_list *list, const char *file, bool zero_separated);
void path_list_rewind(struct path_list *list);

/* Next path, empty ones left out. 1 and text; 0 at the end; -1 and *trouble_out for a line that cannot be a path. */
int path_list_next(struct path_list *list, const char **trouble_out);
void path_list_close(struct path_list *list);

#endif
