/* SPDX-License-Identifier: Apache-2.0 */
#include "file_faults.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

struct file_faults file_faults;
/* Threads of verify read at once. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Whether the fault is of a kind that this call can have. */
static bool applies(bool reads, bool writes)
{
    return file_faults.kind == FILE_FAULT_ERRNO || (file_faults.kind == FILE_FAULT_SHORT && (reads || writes)) ||
           (file_faults.kind == FILE_FAULT_END && reads);
}

static bool strikes_locked(const char *name, bool reads, bool writes)
{
    bool is_sync = strcmp(name, "fdatasync") == 0;
    if (file_faults.kind == FILE_FAULT_NONE)
        return false;
    file_faults.after_sync += file_faults.sync_failed && (writes || is_sync);
    if (!applies(reads, writes))
        return false;
    uint64_t call = ++file_faults.calls;
    bool next = file_faults.on && file_faults.fired > 0 && strcmp(name, file_faults.first) == 0;
    if (call != file_faults.fail_at && !next)
        return false;
    if (file_faults.fired++ == 0)
        file_faults.first = name;
    file_faults.sync_failed = file_faults.sync_failed || is_sync;
    errno = file_faults.error;
    return true;
}

static bool strikes(const char *name, bool reads, bool writes)
{
    pthread_mutex_lock(&lock);
    bool strike = strikes_locked(name, reads, writes);
    pthread_mutex_unlock(&lock);
    return strike;
}

ssize_t __real_pread(int fd, void *buffer, size_t bytes, off_t offset);
ssize_t __wrap_pread(int fd, void *buffer, size_t bytes, off_t offset);
ssize_t __wrap_pread(int fd, void *buffer, size_t bytes, off_t offset)
{
    if (!strikes("pread", true, false))
        return __real_pread(fd, buffer, bytes, offset);
    if (file_faults.kind == FILE_FAULT_END)
        return 0;
    return file_faults.kind == FILE_FAULT_ERRNO ? -1 : __real_pread(fd, buffer, bytes > 1 ? bytes / 2 : bytes, offset);
}

ssize_t __real_pwritev(int fd, const struct iovec *pieces, int count, off_t offset);
ssize_t __wrap_pwritev(int fd, const struct iovec *pieces, int count, off_t offset);
ssize_t __wrap_pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
    if (!strikes("pwritev", false, true))
        return __real_pwritev(fd, pieces, count, offset);
    if (file_faults.kind == FILE_FAULT_ERRNO)
        return -1;
    struct iovec piece = pieces[pieces[0].iov_len == 0 ? 1 : 0];
    piece.iov_len = piece.iov_len > 1 ? piece.iov_len / 2 : piece.iov_len;
    return __real_pwritev(fd, &piece, 1, offset);
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return strikes("open", false, false) ? -1 : __real_open(path, flags, mode);
}

int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
    bool strike = strikes("close", false, false);
    int result = __real_close(fd);
    errno = file_faults.error;
    return strike ? -1 : result;
}

int __real_fcntl(int fd, int command, void *argument);
int __wrap_fcntl(int fd, int command, void *argument);
int __wrap_fcntl(int fd, int command, void *argument)
{
    return strikes("fcntl", false, false) ? -1 : __real_fcntl(fd, command, argument);
}

void *__real_mmap(void *place, size_t bytes, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *place, size_t bytes, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *place, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    return strikes("mmap", false, false) ? MAP_FAILED : __real_mmap(place, bytes, protection, flags, fd, offset);
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*work)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*work)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*work)(void *), void *argument)
{
    return strikes("pthread_create", false, false) ? EAGAIN : __real_pthread_create(thread, attributes, work, argument);
}

/* Calls that only fail or not. */
#define WRAP(result, function, parameters, ...)                                                \
    result __real_##function parameters;                                                       \
    result __wrap_##function parameters;                                                       \
    result __wrap_##function parameters                                                        \
    {                                                                                          \
        return strikes(#function, false, false) ? (result)-1 : __real_##function(__VA_ARGS__); \
    }

WRAP(int, fdatasync, (int fd), fd)
WRAP(int, ftruncate, (int fd, off_t bytes), fd, bytes)
WRAP(int, fstat, (int fd, struct stat *out), fd, out)
WRAP(int, stat, (const char *path, struct stat *out), path, out)
WRAP(int, sync_file_range, (int fd, off64_t offset, off64_t bytes, unsigned flags), fd, offset, bytes, flags)
WRAP(int, madvise, (void *place, size_t bytes, int advice), place, bytes, advice)
WRAP(int, unlink, (const char *path), path)
WRAP(ssize_t, getrandom, (void *out, size_t bytes, unsigned flags), out, bytes, flags)
