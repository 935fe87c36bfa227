/* SPDX-License-Identifier: Apache-2.0 */
#include "archive.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "files.h"

void archive_check(enum aimg_status status, const struct aimg_error *error)
{
    if (status)
        bench_die("aimg: %s: %s", aimg_status_text(status), error->message);
}

struct aimg_writer *archive_create(const char *path)
{
    struct aimg_writer *writer = NULL;
    struct aimg_error error;
    files_remove(path);
    archive_check(aimg_writer_create(path, NULL, &writer, &error), &error);
    return writer;
}

struct aimg_writer *archive_append(const char *path)
{
    struct aimg_writer *writer = NULL;
    struct aimg_error error;
    archive_check(aimg_writer_open(path, NULL, &writer, &error), &error);
    return writer;
}

void archive_add(struct aimg_writer *writer, const char *name, size_t name_bytes, const uint8_t *data, size_t bytes)
{
    struct aimg_error error;
    struct aimg_image image = {
        .struct_bytes = sizeof image,
        .name = name,
        .name_bytes = name_bytes,
        .data = data,
        .data_bytes = bytes,
        .format = AIMG_FORMAT_JPEG,
    };
    archive_check(aimg_writer_add(writer, &image, NULL, &error), &error);
}

void archive_commit(struct aimg_writer *writer)
{
    struct aimg_error error;
    archive_check(aimg_writer_commit(writer, NULL, &error), &error);
}

void archive_close(struct aimg_writer *writer)
{
    struct aimg_error error;
    archive_check(aimg_writer_close(writer, &error), &error);
}

struct aimg_reader *archive_open(const char *path)
{
    struct aimg_reader *reader = NULL;
    struct aimg_error error;
    archive_check(aimg_reader_open(path, NULL, &reader, &error), &error);
    return reader;
}

void archive_save(const char *path, struct archive_state *state_out)
{
    int fd = files_open(path);
    state_out->bytes = files_bytes(path);
    if (pread(fd, state_out->head, sizeof state_out->head, 0) != (ssize_t)sizeof state_out->head)
        bench_die("cannot read the head of %s", path);
    close(fd);
}

void archive_restore(const char *path, const struct archive_state *state)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || pwrite(fd, state->head, sizeof state->head, 0) != (ssize_t)sizeof state->head ||
        ftruncate(fd, (off_t)state->bytes) || fsync(fd))
        bench_die("cannot put %s back: %s", path, strerror(errno));
    close(fd);
}
