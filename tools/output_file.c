/* SPDX-License-Identifier: Apache-2.0 */
#include "output_file.h"

#include "cmd.h"
#include "file_mode.h"
#include "interrupt.h"
#include "output.h"
#include "part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NEW_FILE_MODE = 0666 };

static int fail(const char *path, const char *what)
{
    output_error("%s: %s: %s", path, what, strerror(errno));
    return EXIT_SYSTEM;
}

static void release(struct output_file *file)
{
    free(file->target);
    free(file->part);
    *file = (struct output_file){.path = NULL};
}

static bool is_archive(const char *path, const char *archive)
{
    struct part_identity identity;

    part_identify(&identity, archive);
    return part_is_same(&identity, path);
}

/* A device or a pipe is written to; putting a file in its place is not what anyone means. */
static bool is_special(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

/* The file is replaced, not the link to it. */
static int find_target(struct output_file *file)
{
    struct stat link;
    bool is_link = lstat(file->path, &link) == 0 && S_ISLNK(link.st_mode);

    errno = 0;
    file->target = is_link ? realpath(file->path, NULL) : strdup(file->path);
    if (file->target != NULL)
        return EXIT_DONE;
    if (is_link)
        return fail(file->path, "is a link, and where it leads no file can be made");
    output_error("out of memory");
    return EXIT_SYSTEM;
}

/* Under a name that nobody has, in the same folder, with the mode of the file that it will replace. */
static int create_part(struct output_file *file, int *fd_out)
{
    const char *slash = strrchr(file->target, '/');
    int folder = slash == NULL ? 0 : (int)(slash - file->target) + 1;
    struct stat before;
    bool moded;

    if (asprintf(&file->part, "%.*s.aimg-XXXXXX", folder, file->target) < 0) {
        file->part = NULL;
        output_error("out of memory");
        return EXIT_SYSTEM;
    }
    interrupt_install();
    *fd_out = mkostemp(file->part, O_CLOEXEC);
    if (*fd_out < 0)
        return fail(file->path, "cannot create");
    moded = stat(file->target, &before) == 0 ? file_mode_inherit(*fd_out, &before)
                                             : fchmod(*fd_out, file_mode_masked(NEW_FILE_MODE)) == 0;
    if (!moded)
        output_warning("%s: cannot be given its mode: %s", file->path, strerror(errno));
    return EXIT_DONE;
}

static int open_special(const char *path, int *fd_out)
{
    *fd_out = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    return *fd_out < 0 ? fail(path, "cannot open") : EXIT_DONE;
}

int output_file_begin(struct output_file *file, const char *path, const char *archive)
{
    int fd = -1, code = EXIT_DONE;

    *file = (struct output_file){.path = path};
    if (path == NULL || strcmp(path, "-") == 0) {
        file->path = NULL;
        return EXIT_DONE;
    }
    if (is_archive(path, archive)) {
        output_error("%s: is ARCHIVE itself; name another file with --output", path);
        return EXIT_USAGE;
    }
    if (is_special(path))
        code = open_special(path, &fd);
    else {
        code = find_target(file);
        if (code == EXIT_DONE)
            code = create_part(file, &fd);
    }
    if (code == EXIT_DONE && fd != STDOUT_FILENO && dup2(fd, STDOUT_FILENO) < 0)
        code = fail(path, "cannot write");
    /* Where standard output was closed the file may have got its number. */
    if (fd >= 0 && fd != STDOUT_FILENO)
        close(fd);
    if (code != EXIT_DONE) {
        if (fd >= 0 && file->part != NULL)
            unlink(file->part);
        release(file);
    }
    return code;
}

int output_file_end(struct output_file *file, int code)
{
    int finished = output_finish(EXIT_DONE);

    code = finished > code ? finished : code;
    if (file->part == NULL)
        return code;
    if (code == EXIT_DONE && rename(file->part, file->target) != 0)
        code = fail(file->path, "cannot be given its name");
    if (code != EXIT_DONE) {
        unlink(file->part);
        output_error(access(file->target, F_OK) == 0 ? "%s is as it was" : "%s was not made", file->path);
    }
    release(file);
    return code;
}
