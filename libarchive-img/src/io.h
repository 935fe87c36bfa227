/* SPDX-License-Identifier: Apache-2.0 */
/* The one way to the bytes of an archive. All calls to the system are made behind this table, so that tests can stand in for a
 * disk. */
#ifndef AIMG_SRC_IO_H
#define AIMG_SRC_IO_H

#include <aimg/aimg.h>
#include <stdbool.h>

struct aimg_io;

/* All or error: a short read is AIMG_TRUNCATED, a short write is carried on. */
struct aimg_io_ops {
    enum aimg_status (*read_at)(struct aimg_io *io, uint64_t offset, void *buffer, size_t bytes, struct aimg_error *error);
    /* Writes two pieces one after the other, the second may be empty. */
    enum aimg_status (*write_at)(struct aimg_io *io, uint64_t offset, const void *first, size_t first_bytes, const void *second,
                                 size_t second_bytes, struct aimg_error *error);
    enum aimg_status (*sync)(struct aimg_io *io, struct aimg_error *error);
    enum aimg_status (*truncate)(struct aimg_io *io, uint64_t bytes, struct aimg_error *error);
    enum aimg_status (*size)(struct aimg_io *io, uint64_t *bytes_out, struct aimg_error *error);
    /* Begins to write back, without waiting; only a hint. */
    void (*flush_soon)(struct aimg_io *io, uint64_t offset, uint64_t bytes);
    /* Drops clean cached pages, so that the next read comes from the medium. */
    void (*forget)(struct aimg_io *io, uint64_t offset, uint64_t bytes);
    /* The bytes will be read soon. */
    void (*announce)(struct aimg_io *io, uint64_t offset, uint64_t bytes);
    /* Where data begins at or behind offset: before that all is zero. offset itself where nobody knows, UINT64_MAX when there is
     * none. NULL: nobody knows. */
    uint64_t (*data_from)(struct aimg_io *io, uint64_t offset);
    /* Whether a touch of the map that misses memory should fetch that page only, or read ahead as the system is set up to. */
    void (*expect_random)(struct aimg_io *io, bool random);
    enum aimg_status (*close)(struct aimg_io *io, struct aimg_error *error);
};

struct aimg_io {
    const struct aimg_io_ops *ops;
    void *state;
    int fd;                    /* io_file; -1 elsewhere */
    int writer_pid;            /* io_file: the process that may write, a child that inherits this may not; 0: any */
    const uint8_t *base;       /* bytes in memory or in a map, or NULL */
    uint64_t base_bytes;       /* how many of them may be touched */
    uint64_t reserved_bytes;   /* address space held for the map to grow into, once it has grown */
    const uint8_t *first_base; /* the map before it first grew, or NULL */
    uint64_t first_bytes;
};

enum aimg_io_access {
    AIMG_IO_READ = 0,
    AIMG_IO_WRITE = 1,     /* takes the writer's lock, of the file that the path names then; BUSY when another has it */
    AIMG_IO_WRITE_WAIT = 2 /* waits for it; BUSY when a signal ended that */
};

/* Opens a regular file. */
enum aimg_status aimg_io_file_open(struct aimg_io *io, const char *path, enum aimg_io_access access, struct aimg_error *error);
enum aimg_status aimg_io_file_create(struct aimg_io *io, const char *path, struct aimg_error *error);
/* Removes the file again that this io created, unless the path names another by now. */
void aimg_io_file_discard(const struct aimg_io *io, const char *path);
/* Maps bytes 0 to `bytes`, or grows the map; pointers into it stay valid. */
enum aimg_status aimg_io_file_map(struct aimg_io *io, uint64_t bytes, struct aimg_error *error);
/* REPLACED unless path names the open file. */
enum aimg_status aimg_io_file_same(const struct aimg_io *io, const char *path, struct aimg_error *error);

/* Whether this process got the open file from its parent, and may not write. */
bool aimg_io_file_inherited(const struct aimg_io *io);
/* Whether another open file holds the writer's lock. */
bool aimg_io_file_being_written(const struct aimg_io *io);

/* Unpredictable bytes, and nanoseconds since 1970 UTC. */
enum aimg_status aimg_io_random(void *out, size_t bytes, struct aimg_error *error);
uint64_t aimg_io_now_ns(void);

void aimg_io_memory_open(struct aimg_io *io, const void *data, uint64_t bytes);

#endif
