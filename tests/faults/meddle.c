/* SPDX-License-Identifier: Apache-2.0 */
#include "meddle.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 12288 };

/* Opens it; *bytes_out: its size. A file that is not there any more is left alone: -1. */
static int enter(const char *archive, off_t *bytes_out)
{
    struct stat file;
    int fd = open(archive, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return -1;
    *bytes_out = fstat(fd, &file) == 0 ? file.st_size : 0;
    return fd;
}

static void leave(int fd, int failed)
{
    close(fd);
    if (failed == 0)
        return;
    perror("the archive cannot be meddled with");
    exit(1);
}

void meddle_cut(const char *archive)
{
    off_t bytes;
    int fd = enter(archive, &bytes);
    if (fd >= 0)
        leave(fd, ftruncate(fd, bytes / 2));
}

void meddle_empty(const char *archive)
{
    off_t bytes;
    int fd = enter(archive, &bytes);
    if (fd >= 0)
        leave(fd, ftruncate(fd, 0));
}

void meddle_punch(const char *archive)
{
    off_t bytes;
    int fd = enter(archive, &bytes);
    if (fd >= 0)
        leave(fd,
              bytes > HEAD_BYTES ? fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, HEAD_BYTES, bytes - HEAD_BYTES) : 0);
}

void meddle_overwrite(const char *archive)
{
    off_t bytes;
    int fd = enter(archive, &bytes);
    if (fd < 0)
        return;
    uint8_t *map = bytes > HEAD_BYTES ? mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
    for (off_t i = HEAD_BYTES; map != MAP_FAILED && i < bytes; i += 10)
        map[i] ^= 0x24;
    if (map != MAP_FAILED)
        munmap(map, (size_t)bytes);
    leave(fd, bytes > HEAD_BYTES && map == MAP_FAILED ? -1 : 0);
}
