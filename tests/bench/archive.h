/* SPDX-License-Identifier: Apache-2.0 */
/* Archives of ours that suites add to, and put back as they were. */
#ifndef BENCH_ARCHIVE_H
#define BENCH_ARCHIVE_H

#include <aimg/aimg.h>

#include "set.h"

/* Ends the process when a call failed. */
void archive_check(enum aimg_status status, const struct aimg_error *error);

/* Opens an archive to append, or makes it. */
struct aimg_writer *archive_create(const char *path);
struct aimg_writer *archive_append(const char *path);
void archive_add(struct aimg_writer *writer, const char *name, size_t name_bytes, const uint8_t *data, size_t bytes);
/* Durable when it returns. */
void archive_commit(struct aimg_writer *writer);
void archive_close(struct aimg_writer *writer);

struct aimg_reader *archive_open(const char *path);

/* An archive that only grows is put back by its head and its length. */
#define ARCHIVE_HEAD_BYTES 12288
struct archive_state {
    uint64_t bytes;
    uint8_t head[ARCHIVE_HEAD_BYTES];
};
void archive_save(const char *path, struct archive_state *state_out);
void archive_restore(const char *path, const struct archive_state *state);

#endif
