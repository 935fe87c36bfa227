/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into a program, makes things happen that depend on the moment or on the file system:
 *
 *   LD_PRELOAD=write_shim.so [AT_WRITE=COMMAND] [AT_READ=COMMAND] [AT_SYNC=COMMAND [SYNC=N]] [AT_TEMPORARY=COMMAND]
 *       [NO_TMPFILE=1] [NO_FSYNC=1] [TRACE=FILE] PROGRAM
 *
 * COMMAND is run by the shell, and waited for, before the first write of a mebibyte or more, before the first read beyond 16 MiB,
 * before data are made durable for the first time, or after a file with a random name was made. With NO_TMPFILE there are no
 * files without a name, as on some file systems; with NO_FSYNC fsync fails as on a broken disk, and fdatasync does not;
 * with NO_ATTRIBUTES no extended attribute can be set.
 * TRACE gets a line for each call that changes a file, makes it durable or gives it a name: "write PATH OFFSET",
 * "cut PATH BYTES", "sync PATH" and "rename FROM TO".
 */
#undef _FILE_OFFSET_BITS /* both names of each call are defined here, so the headers must not make them one */
#undef _TIME_BITS
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { LARGE_BYTES = 1 << 20, FAR_BYTES = 16 << 20 };

/* Under the names that programs link against; the headers may know them under others. */
int fdatasync(int fd);
int fsync(int fd);
int ftruncate(int fd, off_t bytes);
int ftruncate64(int fd, off64_t bytes);
int mkostemp(char *path, int flags);
int mkostemp64(char *path, int flags);
int open(const char *path, int flags, ...);
int open64(const char *path, int flags, ...);
ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset);
ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t offset);

ssize_t pread(int fd, void *buffer, size_t bytes, off_t offset);
ssize_t pread64(int fd, void *buffer, size_t bytes, off64_t offset);

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL)
        abort();
    return function;
}

static void run_once(const char *variable)
{
    const char *command = getenv(variable);
    if (command == NULL)
        return;
    if (system(command) != 0)
        abort();
    unsetenv(variable);
}

__attribute__((format(printf, 1, 2))) static void trace(const char *format, ...)
{
    const char *path = getenv("TRACE");
    int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0)
        return;
    va_list values;
    va_start(values, format);
    (void)vdprintf(fd, format, values);
    va_end(values);
    close(fd);
}

/* Where an open file is; static memory. */
static const char *path_of(int fd)
{
    static _Thread_local char path[PATH_MAX];
    char link_path[32];
    snprintf(link_path, sizeof link_path, "/proc/self/fd/%d", fd);
    ssize_t bytes = readlink(link_path, path, sizeof path - 1);
    path[bytes < 0 ? 0 : bytes] = 0;
    return path;
}

static void before_write(int fd, const struct iovec *pieces, int count, long long offset)
{
    size_t bytes = 0;
    trace("write %s %lld\n", path_of(fd), offset);
    for (int i = 0; i < count; i++)
        bytes += pieces[i].iov_len;
    if (bytes >= LARGE_BYTES)
        run_once("AT_WRITE");
}

ssize_t pread(int fd, void *buffer, size_t bytes, off_t offset)
{
    if (offset > FAR_BYTES)
        run_once("AT_READ");
    return ((ssize_t(*)(int, void *, size_t, off_t))real("pread"))(fd, buffer, bytes, offset);
}

ssize_t pread64(int fd, void *buffer, size_t bytes, off64_t offset)
{
    if (offset > FAR_BYTES)
        run_once("AT_READ");
    return ((ssize_t(*)(int, void *, size_t, off64_t))real("pread64"))(fd, buffer, bytes, offset);
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
    before_write(fd, pieces, count, offset);
    return ((ssize_t(*)(int, const struct iovec *, int, off_t))real("pwritev"))(fd, pieces, count, offset);
}

ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t offset)
{
    before_write(fd, pieces, count, offset);
    return ((ssize_t(*)(int, const struct iovec *, int, off64_t))real("pwritev64"))(fd, pieces, count, offset);
}

int fdatasync(int fd)
{
    static int syncs;
    const char *number = getenv("SYNC");
    if (++syncs == (number == NULL ? 1 : atoi(number)))
        run_once("AT_SYNC");
    trace("sync %s\n", path_of(fd));
    return ((int (*)(int))real("fdatasync"))(fd);
}

int fsync(int fd)
{
    if (getenv("NO_FSYNC") != NULL) {
        errno = EIO;
        return -1;
    }
    trace("sync %s\n", path_of(fd));
    return ((int (*)(int))real("fsync"))(fd);
}

static int make_temporary(const char *name, char *path, int flags)
{
    int fd = ((int (*)(char *, int))real(name))(path, flags);
    run_once("AT_TEMPORARY");
    return fd;
}

int mkostemp(char *path, int flags)
{
    return make_temporary("mkostemp", path, flags);
}

int mkostemp64(char *path, int flags)
{
    return make_temporary("mkostemp64", path, flags);
}

int ftruncate(int fd, off_t bytes)
{
    trace("cut %s %lld\n", path_of(fd), (long long)bytes);
    return ((int (*)(int, off_t))real("ftruncate"))(fd, bytes);
}

int ftruncate64(int fd, off64_t bytes)
{
    trace("cut %s %lld\n", path_of(fd), (long long)bytes);
    return ((int (*)(int, off64_t))real("ftruncate64"))(fd, bytes);
}

int rename(const char *from, const char *to)
{
    trace("rename %s %s\n", from, to);
    return ((int (*)(const char *, const char *))real("rename"))(from, to);
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    trace("rename %s %s\n", from, to);
    return ((int (*)(int, const char *, int, const char *, unsigned))real("renameat2"))(from_folder, from, to_folder, to, flags);
}

static int open_as(const char *name, const char *path, int flags, mode_t mode)
{
    if ((flags & O_TMPFILE) == O_TMPFILE && getenv("NO_TMPFILE") != NULL) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return ((int (*)(const char *, int, ...))real(name))(path, flags, mode);
}

/* The mode is there when a file may be made. */
static mode_t mode_of(int flags, va_list rest)
{
    return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(rest, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = mode_of(flags, rest);
    va_end(rest);
    return open_as("open", path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = mode_of(flags, rest);
    va_end(rest);
    return open_as("open64", path, flags, mode);
}

int fsetxattr(int fd, const char *name, const void *value, size_t bytes, int flags)
{
    if (getenv("NO_ATTRIBUTES") != NULL) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return ((int (*)(int, const char *, const void *, size_t, int))real("fsetxattr"))(fd, name, value, bytes, flags);
}
