/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AIMG_TOOLS_MAP_FILE_H
#define AIMG_TOOLS_MAP_FILE_H

#include <stddef.h>

/* A regular file in memory. */
struct map_file {
    const void *data; /* NULL when it is empty */
    size_t bytes;
};

/* Prints what is wrong; returns an exit_code. */
int map_file_open(struct map_file *file, const char *path);
void map_file_close(struct map_file *file);

#endif
