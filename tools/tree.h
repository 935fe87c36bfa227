/* SPDX-License-Identifier: Apache-2.0 */
/* The files below a directory, in byte order of their paths. Holds the names of one directory at each level, never the whole
 * tree. */
#ifndef AIMG_TOOLS_TREE_H
#define AIMG_TOOLS_TREE_H

#include <stdbool.h>
#include <stddef.h>

/* An open directory, shared by the walk and by files that wait to be opened in it. Counted by one thread, the one that walks. */
struct tree_directory {
    int fd;
    unsigned references;
};

/* Takes fd, also when it fails: NULL. One reference is the caller's. */
struct tree_directory *tree_directory_create(int fd);
void tree_directory_retain(struct tree_directory *directory);
/* NULL is allowed. */
void tree_directory_release(struct tree_directory *directory);

/* A file, or a directory that could not be walked; borrowed until the next call. */
struct tree_entry {
    struct tree_directory *directory; /* where leaf is to be opened */
    const char *path;                 /* from the root of the walk, ends with a zero byte */
    size_t path_bytes;
    size_t leaf;         /* position in path of the last component */
    unsigned char type;  /* DT_REG, DT_LNK, DT_FIFO, ...; DT_UNKNOWN when the system does not say */
    const char *trouble; /* NULL, or why a directory is left out */
    int sys_errno;       /* of the trouble, or 0 */
    bool loop;           /* the trouble is a symbolic link back to a directory that is being walked */
};

struct tree;

/* path: borrowed for the call. Returns NULL and sets errno when the directory cannot be opened. */
struct tree *tree_open(const char *path, bool follow);
/* False at the end. */
bool tree_next(struct tree *tree, struct tree_entry *entry_out);
/* NULL is allowed. */
void tree_close(struct tree *tree);

#endif
