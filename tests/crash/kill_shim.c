/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into a program, ends it with SIGKILL at its n-th call that changes a file or makes it durable:
 *
 *   LD_PRELOAD=kill_shim.so KILL_AT=n [KILL_HALF=1] PROGRAM
 *
 * With KILL_HALF the n-th call, if it is a write, puts half of its bytes first. Without KILL_AT, KILL_COUNT=FILE gets the number
 * of calls in the end.
 */
#undef _FILE_OFFSET_BITS /* both names of each call are defined here, so the headers must not make them one */
#undef _TIME_BITS
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* Under the names that programs link against; the headers may know them under others. */
ssize_t pwrite(int fd, const void *data, size_t bytes, off_t offset);
ssize_t pwrite64(int fd, const void *data, size_t bytes, off64_t offset);
ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset);
ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t offset);
int ftruncate64(int fd, off64_t bytes);

static atomic_long calls;

static long number(const char *name)
{
    const char *text = getenv(name);
    return text == NULL ? 0 : atol(text);
}

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL)
        abort();
    return function;
}

/* Counts; whether this is the call. */
static int is_last(void)
{
    return atomic_fetch_add(&calls, 1) + 1 == number("KILL_AT");
}

static void end(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

static ssize_t put(int fd, const struct iovec *pieces, int count, off_t offset)
{
    ssize_t (*real_put)(int, const struct iovec *, int, off_t) =
        (ssize_t(*)(int, const struct iovec *, int, off_t))real("pwritev");
    if (!is_last())
        return real_put(fd, pieces, count, offset);
    if (number("KILL_HALF") != 0) {
        size_t all = 0;
        for (int i = 0; i < count; i++)
            all += pieces[i].iov_len;
        all /= 2;
        for (int i = 0; i < count && all > 0; i++) {
            struct iovec piece = {pieces[i].iov_base, pieces[i].iov_len < all ? pieces[i].iov_len : all};
            (void)!real_put(fd, &piece, 1, offset);
            offset += (off_t)piece.iov_len;
            all -= piece.iov_len;
        }
    }
    end();
    return -1;
}

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset)
{
    return put(fd, pieces, count, offset);
}

ssize_t pwritev64(int fd, const struct iovec *pieces, int count, off64_t offset)
{
    return put(fd, pieces, count, offset);
}

ssize_t pwrite(int fd, const void *data, size_t bytes, off_t offset)
{
    struct iovec piece = {(void *)(size_t)data, bytes};
    return put(fd, &piece, 1, offset);
}

ssize_t pwrite64(int fd, const void *data, size_t bytes, off64_t offset)
{
    return pwrite(fd, data, bytes, offset);
}

#define KILLS(function, parameters, ...)                                     \
    int function parameters                                                  \
    {                                                                        \
        int(*real_function) parameters = (int(*) parameters)real(#function); \
        if (is_last())                                                       \
            end();                                                           \
        return real_function(__VA_ARGS__);                                   \
    }

KILLS(fdatasync, (int fd), fd)
KILLS(fsync, (int fd), fd)
KILLS(ftruncate, (int fd, off_t bytes), fd, bytes)
KILLS(ftruncate64, (int fd, off64_t bytes), fd, bytes)
KILLS(rename, (const char *from, const char *to), from, to)
KILLS(renameat2, (int from_fd, const char *from, int to_fd, const char *to, unsigned flags), from_fd, from, to_fd, to, flags)
KILLS(unlink, (const char *path), path)
KILLS(sync_file_range, (int fd, off64_t offset, off64_t bytes, unsigned flags), fd, offset, bytes, flags)

__attribute__((destructor)) static void tell(void)
{
    const char *path = getenv("KILL_COUNT");
    FILE *file = path == NULL ? NULL : fopen(path, "w");
    if (file == NULL)
        return;
    fprintf(file, "%ld\n", (long)atomic_load(&calls));
    fclose(file);
}
