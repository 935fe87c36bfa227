/* SPDX-License-Identifier: Apache-2.0 */
#include "open_input.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { PROBE_BYTES = 1 << 16 };

static void refuse_kind(struct load_item *item, mode_t mode)
{
    if (S_ISDIR(mode) && item->input.type == DT_LNK)
        item->result = LOAD_LINK_TO_FOLDER;
    else if (S_ISDIR(mode))
        load_fail(item, "is a folder; a list must name the files in it (find FOLDER -type f)", 0);
    else if (S_ISFIFO(mode))
        load_fail(item, "is a FIFO, not a file", 0);
    else if (S_ISSOCK(mode))
        load_fail(item, "is a socket, not a file", 0);
    else
        load_fail(item, "is a device, not a file", 0);
}

int open_input(struct load_item *item)
{
    const struct input *input = &item->input;
    const char *leaf = input->path + input->leaf;
    int directory = input->directory == NULL ? AT_FDCWD : input->directory->fd;
    struct stat status;
    if (input->type != DT_REG) {
        if (fstatat(directory, leaf, &status, 0) != 0) {
            load_fail(item, "cannot find this", errno);
            return -1;
        }
        if (!S_ISREG(status.st_mode)) {
            refuse_kind(item, status.st_mode);
            return -1;
        }
    }
    /* O_NONBLOCK: a FIFO that took the file's place must not hang us. */
    int fd = openat(directory, leaf, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        load_fail(item, "cannot open", errno);
    return fd;
}

bool open_input_status(struct load_item *item, int fd, struct stat *status_out)
{
    if (fstat(fd, status_out) != 0)
        load_fail(item, "cannot ask for its size", errno);
    else if (!S_ISREG(status_out->st_mode))
        refuse_kind(item, status_out->st_mode);
    else
        return true;
    return false;
}

bool open_input_would_store(const struct input *input, bool all)
{
    struct load_item item = {.input = *input};
    struct stat status;
    int fd = open_input(&item);
    if (fd < 0)
        return false;
    bool stored = open_input_status(&item, fd, &status) && all;
    if (!all) {
        char head[PROBE_BYTES];
        ssize_t bytes = pread(fd, head, sizeof head, 0);
        struct aimg_picture picture;
        stored = bytes > 0 && aimg_picture_probe(head, (size_t)bytes, &picture) == AIMG_OK;
    }
    close(fd);
    return stored;
}
