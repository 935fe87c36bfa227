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
    int32_t level;              /* of zstd; 0: images are stored as they are */
    bool all;                   /* take files that are no pictures too */
    bool times;                 /* the files' times are wanted */
    size_t own_count;           /* files that are never inputs, under whatever name */
    dev_t own_device[2];
    ino_t own_inode[2];
};

/* One thread at work on one batch. */
struct loader {
    const struct load_context *context;
    struct workspace_pool *pool;
    struct workspace *workspace;
    bool small; /* files are expected to be small, so their size need not be asked for */
};

/* What counts as small. */
enum { LOAD_SMALL_BYTES = 16384 };

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
    int64_t mtime_ns; /* when times are wanted */
    struct aimg_picture picture;
    struct aimg_prepared prepared;

    int fd;    /* of a mapped file, else -1 */
    void *map; /* NULL when the file was read into memory */
    void *scratch;
    size_t scratch_bytes;
    size_t mapped_bytes;                         /* counted in the pool while the file is mapped */
    size_t codec_bytes;                          /* counted in the pool while the codec works */
    struct workspace_piece piece, scratch_piece; /* of what was copied, and of what was made of it */
};

/* Any thread. Fills the item from `result` on. */
void load_file(const struct loader *loader, struct load_item *item);
/* Whether a mapped file is still as it was; others were copied. */
bool load_is_unchanged(const struct load_item *item);
void load_release(struct workspace_pool *pool, struct load_item *item);

/* The pieces of load_file. */

static inline void load_fail(struct load_item *item, const char *trouble, int sys_errno)
{
    item->result = LOAD_TROUBLE;
    item->trouble = trouble;
    item->sys_errno = sys_errno;
}

/* Whether item->data is to be stored: LOAD_READY, to be prepared, or LOAD_NOT_PICTURE. */
void load_recognise(const struct loader *loader, struct load_item *item);
/* Prepares what was recognised. scratch as aimg_writer_prepare takes it. May leave memory of the codec counted in the pool, also
 * when it is left by a signal; load_prepare_end takes it off. */
void load_prepare(const struct loader *loader, struct load_item *item, void *scratch, uint64_t scratch_bytes);
void load_prepare_end(const struct loader *loader, struct load_item *item);
/* Scratch and all three, for bytes in memory that were recognised. */
void load_digest(const struct loader *loader, struct load_item *item);

/* A large file; takes fd. */
void load_mapped(const struct loader *loader, struct load_item *item, int fd);

extern const char load_changed[], load_stopped[];

#endif
