/* SPDX-License-Identifier: Apache-2.0 */
/* The names in one directory. */
#ifndef AIMG_TOOLS_LISTING_H
#define AIMG_TOOLS_LISTING_H

#include <stdbool.h>
#include <stddef.h>

struct listing_block;

/* names[i] ends with a zero byte; directories have a slash before it, which sorts them as their files' paths will sort. */
struct listing {
    const char **names;
    size_t count, capacity;
    struct listing_block *blocks;
};

/* Fills the listing from the open directory, sorted. With follow, a symbolic link to a directory is a directory.
 * 0, or an errno; the listing is then empty. */
int listing_read(struct listing *listing, int fd, bool follow);
/* d_type of a name of a listing. */
unsigned char listing_type(const char *name);
void listing_free(struct listing *listing);

#endif
