/* SPDX-License-Identifier: Apache-2.0 */
#include "map_file.h"

#include "cmd.h"
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *path, const char *what)
{
    output_error("%s: %s: %s", path, what, strerror(errno));
    return EXIT_SYSTEM;
}

static int map(struct map_file *file, const char *path, int fd)
{
    struct stat status;
    void *data;

    if (fstat(fd, &status) != 0)
        return fail(path, "cannot ask for its size");
    if (!S_ISREG(status.st_mode)) {
        output_error("%s: is %s, not a file", path, S_ISDIR(status.st_mode) ? "a folder" : "a device or a pipe");
        return EXIT_SYSTEM;
    }
    if (status.st_size == 0)
        return EXIT_DONE;
    if ((uintmax_t)status.st_size > SIZE_MAX) {
        output_error("%s: is too large for this machine's memory", path);
        return EXIT_SYSTEM;
    }
    data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED)
        return fail(path, "cannot read");
    *file = (struct map_file){.data = data, .bytes = (size_t)status.st_size};
    return EXIT_DONE;
}

int map_file_open(struct map_file *file, const char *path)
{
    /* O_NONBLOCK: a FIFO must not hang us. */
    int code, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    *file = (struct map_file){.data = NULL};
    if (fd < 0)
        return fail(path, "cannot open");
    code = map(file, path, fd);
    close(fd);
    return code;
}

void map_file_close(struct map_file *file)
{
    if (file->data != NULL)
        munmap((void *)(uintptr_t)file->data, file->bytes);
    *file = (struct map_file){.data = NULL};
}
