/* SPDX-License-Identifier: Apache-2.0 */
#include "output_file.h"

#include "cmd.h"
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *path, const char *what)
{
    output_error("%s: %s: %s", path, what, strerror(errno));
    return EXIT_SYSTEM;
}

/* A device or a pipe is written to; putting a file in its place is not what anyone means. */
static bool is_special(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

int output_file_begin(struct output_file *file, const char *path)
{
    const char *target = path;
    int fd, code = EXIT_DONE;

    *file = (struct output_file){.path = path};
    if (path == NULL || strcmp(path, "-") == 0) {
        file->path = NULL;
        return EXIT_DONE;
    }
    if (!is_special(path)) {
        if (asprintf(&file->part, "%s.part", path) < 0) {
            file->part = NULL;
            output_error("out of memory");
            return EXIT_SYSTEM;
        }
        target = file->part;
    }
    fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | (file->part != NULL ? O_TRUNC | O_NOFOLLOW : 0), 0666);
    if (fd < 0)
        code = fail(target, "cannot create");
    else if (dup2(fd, STDOUT_FILENO) < 0)
        code = fail(target, "cannot write");
    if (fd >= 0)
        close(fd);
    if (code != EXIT_DONE) {
        free(file->part);
        *file = (struct output_file){.path = NULL};
    }
    return code;
}

int output_file_end(struct output_file *file, int code, bool keep)
{
    int finished = output_finish(EXIT_DONE);

    code = finished > code ? finished : code;
    if (file->part == NULL)
        return code;
    if (!keep || finished != EXIT_DONE)
        unlink(file->part);
    else if (rename(file->part, file->path) != 0) {
        code = fail(file->path, "cannot be given its name");
        unlink(file->part);
    }
    free(file->part);
    file->part = NULL;
    return code;
}
