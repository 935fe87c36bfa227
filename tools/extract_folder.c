/* SPDX-License-Identifier: Apache-2.0 */
#include "extract.h"

#include <aimg/aimg.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FOLDER_FLAGS = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };

/* ------------------------------------------------------------------ the root */

static int open_safely(int at, const char *path)
{
    struct open_how how = {.flags = FOLDER_FLAGS,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV};

    return (int)syscall(SYS_openat2, at, path, &how, sizeof how);
}

static int make_path(const char *path)
{
    char copy[PATH_MAX];
    size_t bytes = strlen(path);

    if (bytes >= sizeof copy)
        return ENAMETOOLONG;
    memcpy(copy, path, bytes + 1);
    for (size_t i = 1; i <= bytes; i++) {
        if (copy[i] != '/' && copy[i] != '\0')
            continue;
        copy[i] = '\0';
        if (mkdir(copy, 0755) != 0 && errno != EEXIST)
            return errno;
        copy[i] = path[i];
    }
    return 0;
}

int extract_root_open(struct extract_root *root, const char *path, const char *archive, bool make)
{
    struct stat status;
    int probe, error = make ? make_path(path) : 0;

    *root = (struct extract_root){.fd = -1};
    if (error != 0)
        return error;
    root->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root->fd < 0)
        return errno == ENOENT && !make ? 0 : errno;
    if (fstat(root->fd, &status) != 0) {
        error = errno;
        extract_root_close(root);
        return error;
    }
    root->device = status.st_dev;
    if (stat(archive, &status) == 0) {
        root->archive_device = status.st_dev;
        root->archive_inode = status.st_ino;
    }
    /* Before Linux 5.6 there is none; some sandboxes answer EPERM for what they do not know. */
    probe = open_safely(root->fd, ".");
    root->stepwise = probe < 0 && (errno == ENOSYS || errno == EPERM);
    if (probe >= 0)
        close(probe);
    return 0;
}

void extract_root_close(struct extract_root *root)
{
    if (root->fd >= 0)
        close(root->fd);
    root->fd = -1;
}

/* ------------------------------------------------------------------ folders */

void extract_folder_init(struct extract_folder *folder, const struct extract_root *root)
{
    *folder = (struct extract_folder){.root = root, .fd = -1};
    /* Only to keep two runs in one directory from meeting; where there is no randomness they retry. */
    if (getrandom(&folder->temporary, sizeof folder->temporary, GRND_NONBLOCK) < 0)
        folder->temporary = (uint64_t)getpid() << 32;
}

static void leave(struct extract_folder *folder)
{
    if (folder->fd >= 0)
        close(folder->fd);
    folder->fd = -1;
    folder->known = false;
}

void extract_folder_fini(struct extract_folder *folder)
{
    leave(folder);
}

/* The device is looked at for kernels without openat2. *fd_out is the caller's. */
static int open_on_device(int at, const char *component, dev_t device, int *fd_out)
{
    struct stat status;
    int error, fd = openat(at, component, FOLDER_FLAGS);

    if (fd < 0)
        return errno;
    error = fstat(fd, &status) != 0 ? errno : status.st_dev != device ? EXDEV : 0;
    if (error != 0)
        close(fd);
    else
        *fd_out = fd;
    return error;
}

static int open_one(const struct extract_root *root, int at, const char *component, bool make, int *fd_out)
{
    struct stat status;
    int error = 0;

    if (make && mkdirat(at, component, 0755) != 0 && errno != EEXIST)
        return errno;
    if (root->stepwise)
        error = open_on_device(at, component, root->device, fd_out);
    else if ((*fd_out = open_safely(at, component)) < 0)
        error = errno;
    /* The system says "not a directory" of a link as well. */
    if (error == ENOTDIR && fstatat(at, component, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode))
        error = ELOOP;
    return error;
}

/* Component after component: each is created in a folder that was opened safely. mkdirat with a longer
 * path would follow links. */
static int open_stepwise(const struct extract_root *root, const char *path, bool make, int *fd_out)
{
    char component[NAME_MAX + 1];
    int at = root->fd, next = -1, error = 0;

    while (error == 0 && *path != '\0') {
        size_t bytes = strcspn(path, "/");

        if (bytes >= sizeof component)
            return ENAMETOOLONG;
        memcpy(component, path, bytes);
        component[bytes] = '\0';
        error = open_one(root, at, component, make, &next);
        if (at != root->fd)
            close(at);
        at = next;
        path += bytes + (path[bytes] == '/');
    }
    if (error == 0)
        *fd_out = at;
    return error;
}

static int open_folder(const struct extract_root *root, const char *path, bool make, int *fd_out)
{
    if (*path == '\0') {
        *fd_out = fcntl(root->fd, F_DUPFD_CLOEXEC, 0);
        return *fd_out < 0 ? errno : 0;
    }
    if (!root->stepwise) {
        *fd_out = open_safely(root->fd, path);
        if (*fd_out >= 0)
            return 0;
        /* Step by step, what is missing can be made, and what is no directory be named. */
        if (errno != ENOTDIR && (errno != ENOENT || !make))
            return errno;
    }
    return open_stepwise(root, path, make, fd_out);
}

int extract_folder_enter(struct extract_folder *folder, const char *name, size_t name_bytes, bool make, const char **base_out)
{
    const char *slash;
    size_t bytes;

    /* The library checks names too; nothing here may depend on that. */
    if (aimg_name_check(name, name_bytes, NULL) != AIMG_OK || name_bytes >= sizeof folder->path)
        return EINVAL;
    slash = memrchr(name, '/', name_bytes);
    bytes = slash != NULL ? (size_t)(slash - name) : 0;
    *base_out = slash != NULL ? slash + 1 : name;
    if (folder->known && bytes == folder->path_bytes && memcmp(name, folder->path, bytes) == 0)
        return folder->error;
    leave(folder);
    memcpy(folder->path, name, bytes);
    folder->path[bytes] = '\0';
    folder->path_bytes = bytes;
    folder->error = open_folder(folder->root, folder->path, make, &folder->fd);
    if (folder->error == EINVAL)
        folder->error = EILSEQ;
    folder->known = true;
    return folder->error;
}
