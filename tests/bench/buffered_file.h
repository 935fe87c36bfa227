/* SPDX-License-Identifier: Apache-2.0 */
/* A file that is written through memory. Inline: the flat file is the limit that others are held against, and pays no calls. */
#ifndef BENCH_BUFFERED_FILE_H
#define BENCH_BUFFERED_FILE_H

#include "files.h"

#include <string.h>

struct buffered_file {
    int fd;
    const char *path; /* for messages */
    uint8_t *buffer;
    size_t capacity, used;
};

static inline void buffered_flush(struct buffered_file *file)
{
    files_write(file->fd, file->path, file->buffer, file->used);
    file->used = 0;
}

static inline void buffered_put(struct buffered_file *file, const void *data, size_t bytes)
{
    const uint8_t *from = data;
    while (bytes > 0) {
        size_t piece = file->capacity - file->used < bytes ? file->capacity - file->used : bytes;
        memcpy(file->buffer + file->used, from, piece);
        file->used += piece;
        from += piece;
        bytes -= piece;
        if (file->used == file->capacity)
            buffered_flush(file);
    }
}

#endif
