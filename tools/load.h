/* SPDX-License-Identifier: Apache-2.0 */
/* The work on one file that needs no order: open, read, recognise the picture, hash, compress. */
#ifndef AIMG_TOOLS_LOAD_H
#define AIMG_TOOLS_LOAD_H

#include "inputs.h"
#include "workspace.h"

#include <aimg/aimg.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct load_context {
    const struct aimg_writer *writer;
    const char *scratch_folder; /* where large files are compressed to */
    bool all;                   /* take files that are no pictures too */
    size_t own_count;           /* files that are never inputs, under whatever name */
    dev_t own_device[2];
    ino_t own_inode[2];
};

enum load_result {
    LOAD_READY,
    LOAD_NOT_PICTURE,
    LOAD_SAME,           /* size and time are those that are known */
    LOAD_OWN,            /* the archive itself */
    LOAD_LINK_TO_FOLDER, /* a symbolic link to a directory, met without --follow */
    LOAD_TROUBLE         /* trouble and sys_errno say why */
};

struct load_item {
    struct input input;
    bool known; /* the archive has this name with this size and time */
    uint64_t known_bytes;
    int64_t known_mtime_ns;

    enum load_result result;
    const char *trouble;
    int sys_errno;
    const void *data;
    uint64_t bytes;
    int64_t mtime_ns;
    struct aimg_picture picture;
    struct aimg_prepared prepared;

    int fd;    /* of a mapped file, else -1 */
    void *map; /* NULL when the file was read into memory */
    void *scratch;
    size_t scratch_bytes;
    struct workspace_piece piece;
};

/* Any thread. Fills the item from `result` on. */
void load_file(const struct load_context *context, struct workspace_pool *pool, struct workspace *workspace,
               struct load_item *item);
/* Whether a mapped file is still as it was; others were copied. */
bool load_is_unchanged(const struct load_item *item);
void load_release(struct workspace_pool *pool, struct load_item *item);

/* Whether an input would be stored: looks at its first bytes only. */
bool load_would_store(const struct input *input, bool all);

#endif
