/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AIMG_TOOLS_INODE_SET_H
#define AIMG_TOOLS_INODE_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Files of one file system. All zero at first; 11 to 21 bytes a file. */
struct inode_set {
    uint64_t *slots; /* 0 is a free one */
    size_t capacity, count;
};

bool inode_set_has(const struct inode_set *set, ino_t inode);
/* False: out of memory. */
bool inode_set_add(struct inode_set *set, ino_t inode);
void inode_set_free(struct inode_set *set);

#endif
