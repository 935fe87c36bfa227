/* SPDX-License-Identifier: Apache-2.0 */
#include "spool.h"

#include "cmd.h"
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_BYTES = 1 << 16, PATH_BYTES = 4096 };

/* Not every file system has files without a name. */
static int open_unnamed(const char *folder)
{
    char path[PATH_BYTES];
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0 || snprintf(path, sizeof path, "%s/aimg-XXXXXX", folder) >= (int)sizeof path)
        return fd;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

static bool write_all(int fd, const char *data, size_t bytes)
{
    while (bytes > 0) {
        ssize_t done = write(fd, data, bytes);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return false;
        data += done;
        bytes -= (size_t)done;
    }
    return true;
}

static int copy(int from, int to, const char *path, const char *folder)
{
    char data[COPY_BYTES];

    for (;;) {
        ssize_t got = read(from, data, sizeof data);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            output_error("%s: cannot read: %s", path, strerror(errno));
            return EXIT_SYSTEM;
        }
        if (got == 0)
            break;
        if (!write_all(to, data, (size_t)got)) {
            output_error("%s: cannot keep it in a temporary file in %s: %s; TMPDIR names another folder", path, folder,
                         strerror(errno));
            return EXIT_SYSTEM;
        }
    }
    if (lseek(to, 0, SEEK_SET) == 0)
        return EXIT_DONE;
    output_error("%s: cannot go back to the beginning of its copy: %s", path, strerror(errno));
    return EXIT_SYSTEM;
}

int spool_input(int *fd, const char *path)
{
    const char *folder = getenv("TMPDIR");
    int copied, code;

    if (folder == NULL || folder[0] == '\0')
        folder = "/tmp";
    copied = open_unnamed(folder);
    if (copied < 0) {
        output_error("%s: cannot make a temporary file in %s: %s; TMPDIR names another folder", path, folder, strerror(errno));
        return EXIT_SYSTEM;
    }
    code = copy(*fd, copied, path, folder);
    close(*fd);
    *fd = copied;
    return code;
}
