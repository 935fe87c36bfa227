/* SPDX-License-Identifier: Apache-2.0 */
/* An archive in a file: every call to the system that the library makes. */
#include "io.h"

#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Descriptors 0 to 2 would receive what other code prints. */
#define FIRST_SAFE_FD 3
/* Address space held beyond the file, so that a growing archive is seen without moving the map. */
#define MAP_RESERVE (sizeof(size_t) < 8 ? UINT64_C(1) << 28 : UINT64_C(1) << 36)
#define PAGE        UINT64_C(4096)
/* Between two looks at whether another writer is done. */
#define WAIT_NS 20000000
/* How often a file may be replaced between opening and locking it. */
#define REPLACED_MAX 1000

static enum aimg_status file_read_at(struct aimg_io *io, uint64_t offset, void *buffer, size_t bytes, struct aimg_error *error)
{
    uint8_t *out = buffer;
    while (bytes > 0) {
        ssize_t got = pread(io->fd, out, bytes, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return aimg_fail_errno(error, errno, "cannot read %zu bytes at %" PRIu64, bytes, offset);
        if (got == 0)
            return aimg_fail_at(error, AIMG_TRUNCATED, 0, offset,
                                "the file ends at %" PRIu64
                                ", but %zu more bytes were expected; it was cut short after it was written",
                                offset, bytes);
        out += got;
        offset += (uint64_t)got;
        bytes -= (size_t)got;
    }
    return AIMG_OK;
}

bool aimg_io_file_inherited(const struct aimg_io *io)
{
    return io->writer_pid != 0 && io->writer_pid != (int)getpid();
}

/* A child that wrote from its copy of the writer would overwrite what its parent adds. */
static enum aimg_status check_process(const struct aimg_io *io, struct aimg_error *error)
{
    if (!aimg_io_file_inherited(io))
        return AIMG_OK;
    return aimg_fail(
        error, AIMG_SEQUENCE,
        "the writer was opened by process %d, and a fork does not share it; close it here, and open the archive when "
        "that process has closed it",
        io->writer_pid);
}

static enum aimg_status file_write_at(struct aimg_io *io, uint64_t offset, const void *first, size_t first_bytes,
                                      const void *second, size_t second_bytes, struct aimg_error *error)
{
    struct iovec pieces[2] = {{(void *)(uintptr_t)first, first_bytes}, {(void *)(uintptr_t)second, second_bytes}};
    enum aimg_status status = check_process(io, error);
    while (status == AIMG_OK && pieces[0].iov_len + pieces[1].iov_len > 0) {
        ssize_t put = pwritev(io->fd, pieces, 2, (off_t)offset);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return aimg_fail_errno(error, put < 0 ? errno : ENOSPC, "cannot write %zu bytes at %" PRIu64,
                                   pieces[0].iov_len + pieces[1].iov_len, offset);
        offset += (uint64_t)put;
        for (int i = 0; i < 2; i++) {
            size_t part = (size_t)put < pieces[i].iov_len ? (size_t)put : pieces[i].iov_len;
            if (part == 0)
                continue;
            pieces[i].iov_base = (uint8_t *)pieces[i].iov_base + part;
            pieces[i].iov_len -= part;
            put -= (ssize_t)part;
        }
    }
    return status;
}

static enum aimg_status file_sync(struct aimg_io *io, struct aimg_error *error)
{
    enum aimg_status status = check_process(io, error);
    if (status != AIMG_OK)
        return status;
    /* Never again after a failure: the kernel may have marked the lost pages clean. */
    if (fdatasync(io->fd) != 0)
        return aimg_fail_errno(error, errno, "cannot make the archive durable");
    return AIMG_OK;
}

static enum aimg_status file_truncate(struct aimg_io *io, uint64_t bytes, struct aimg_error *error)
{
    int result;
    enum aimg_status status = check_process(io, error);
    if (status != AIMG_OK)
        return status;
    do
        result = ftruncate(io->fd, (off_t)bytes);
    while (result != 0 && errno == EINTR);
    if (result != 0)
        return aimg_fail_errno(error, errno, "cannot cut the archive to %" PRIu64 " bytes", bytes);
    return AIMG_OK;
}

static enum aimg_status file_size(struct aimg_io *io, uint64_t *bytes_out, struct aimg_error *error)
{
    struct stat info;
    if (fstat(io->fd, &info) != 0)
        return aimg_fail_errno(error, errno, "cannot ask for the size of the archive");
    *bytes_out = (uint64_t)info.st_size;
    return AIMG_OK;
}

static void file_flush_soon(struct aimg_io *io, uint64_t offset, uint64_t bytes)
{
    (void)sync_file_range(io->fd, (off_t)offset, (off_t)bytes, SYNC_FILE_RANGE_WRITE);
}

static void file_forget(struct aimg_io *io, uint64_t offset, uint64_t bytes)
{
    (void)posix_fadvise(io->fd, (off_t)offset, (off_t)bytes, POSIX_FADV_DONTNEED);
}

static void file_announce(struct aimg_io *io, uint64_t offset, uint64_t bytes)
{
    if (io->base != NULL && offset < io->base_bytes) {
        uint64_t begin = offset & ~(PAGE - 1);
        uint64_t end = bytes < io->base_bytes - offset ? offset + bytes : io->base_bytes;
        (void)madvise((void *)(uintptr_t)(io->base + begin), (size_t)(end - begin), MADV_WILLNEED);
    } else {
        (void)posix_fadvise(io->fd, (off_t)offset, (off_t)bytes, POSIX_FADV_WILLNEED);
    }
}

static uint64_t file_data_from(struct aimg_io *io, uint64_t offset)
{
    off_t found = lseek(io->fd, (off_t)offset, SEEK_DATA);
    return found >= 0 ? (uint64_t)found : errno == ENXIO ? UINT64_MAX : offset;
}

static void file_expect_random(struct aimg_io *io, bool random)
{
    if (io->base != NULL)
        (void)madvise((void *)(uintptr_t)io->base, (size_t)io->base_bytes, random ? MADV_RANDOM : MADV_NORMAL);
}

static void unlock(const struct aimg_io *io)
{
    struct flock range = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    (void)fcntl(io->fd, F_OFD_SETLK, &range);
}

static enum aimg_status file_close(struct aimg_io *io, struct aimg_error *error)
{
    enum aimg_status status = AIMG_OK;
    if (io->base != NULL)
        (void)munmap((void *)(uintptr_t)io->base, (size_t)(io->reserved_bytes > 0 ? io->reserved_bytes : io->base_bytes));
    if (io->first_base != NULL)
        (void)munmap((void *)(uintptr_t)io->first_base, (size_t)io->first_bytes);
    if (io->writer_pid != 0 && !aimg_io_file_inherited(io))
        unlock(io); /* a child that lives on may have the descriptor, too */
    if (io->fd >= 0 && close(io->fd) != 0 && errno != EINTR)
        status = aimg_fail_errno(error, errno, "cannot close the archive");
    io->fd = -1;
    io->base = io->first_base = NULL;
    io->base_bytes = io->reserved_bytes = io->first_bytes = 0;
    return status;
}

static const struct aimg_io_ops file_ops = {
    .read_at = file_read_at,
    .write_at = file_write_at,
    .sync = file_sync,
    .truncate = file_truncate,
    .size = file_size,
    .flush_soon = file_flush_soon,
    .forget = file_forget,
    .announce = file_announce,
    .data_from = file_data_from,
    .expect_random = file_expect_random,
    .close = file_close,
};

static int open_safe(const char *path, int flags)
{
    int fd;
    do /* a file system in the network or in a process may be interrupted */
        fd = open(path, flags | O_CLOEXEC | O_NONBLOCK, 0666);
    while (fd < 0 && errno == EINTR);
    if (fd < 0 || fd >= FIRST_SAFE_FD)
        return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_SAFE_FD);
    int saved = errno;
    close(fd);
    errno = saved;
    return moved;
}

static enum aimg_status check_regular(int fd, const char *path, struct stat *info, struct aimg_error *error)
{
    if (fstat(fd, info) != 0)
        return aimg_fail_errno(error, errno, "cannot look at %s", path);
    if (S_ISDIR(info->st_mode))
        return aimg_fail(error, AIMG_NOT_ARCHIVE, "is a directory, not an archive");
    if (!S_ISREG(info->st_mode))
        return aimg_fail(error, AIMG_NOT_ARCHIVE, "is a device, pipe or socket; an archive is a regular file");
    return AIMG_OK;
}

enum aimg_status aimg_io_file_same(const struct aimg_io *io, const char *path, struct aimg_error *error)
{
    struct stat opened, named;
    if (fstat(io->fd, &opened) != 0)
        return aimg_fail_errno(error, errno, "cannot look at the open archive");
    if (stat(path, &named) != 0 || opened.st_dev != named.st_dev || opened.st_ino != named.st_ino)
        return aimg_fail(error, AIMG_REPLACED, "the file was removed or replaced since it was opened; open it again");
    return AIMG_OK;
}

/* Exclusive lock on byte 0, of the open file description: it does not vanish when other code closes the file. */
static enum aimg_status lock(struct aimg_io *io, struct aimg_error *error)
{
    struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    if (fcntl(io->fd, F_OFD_SETLK, &range) == 0) {
        io->writer_pid = (int)getpid();
        return AIMG_OK;
    }
    if (errno == EAGAIN || errno == EACCES)
        return aimg_fail(error, AIMG_BUSY, "another writer has the archive open; try again when it is done");
    return aimg_fail_errno(error, errno, "cannot lock the archive");
}

bool aimg_io_file_being_written(const struct aimg_io *io)
{
    struct flock range = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    return fcntl(io->fd, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}

static enum aimg_status lock_named(struct aimg_io *io, const char *path, struct aimg_error *error)
{
    enum aimg_status status = lock(io, error);
    return status != AIMG_OK ? status : aimg_io_file_same(io, path, error);
}

static enum aimg_status open_once(struct aimg_io *io, const char *path, bool writable, struct aimg_error *error)
{
    struct stat info;
    *io = (struct aimg_io){.ops = &file_ops, .fd = -1};
    io->fd = open_safe(path, writable ? O_RDWR : O_RDONLY);
    if (io->fd < 0 && writable && errno == EISDIR)
        return aimg_fail(error, AIMG_NOT_ARCHIVE, "is a directory, not an archive");
    if (io->fd < 0 && errno == ENOENT) {
        enum aimg_status missing = aimg_fail_errno(error, ENOENT, "cannot open");
        if (error != NULL)
            error->status = AIMG_NOT_FOUND;
        return missing == AIMG_IO ? AIMG_NOT_FOUND : missing;
    }
    if (io->fd < 0)
        return aimg_fail_errno(error, errno, writable ? "cannot open for writing" : "cannot open");
    enum aimg_status status = check_regular(io->fd, path, &info, error);
    if (status == AIMG_OK && writable)
        status = lock_named(io, path, error);
    if (status != AIMG_OK)
        (void)file_close(io, NULL);
    return status;
}

/* A file that lost its name between opening and locking has a successor: that one is opened. Who waits asks again and again, by
 * path, and not the kernel for the lock of a file that may be replaced meanwhile; any signal that is handled ends the wait. */
enum aimg_status aimg_io_file_open(struct aimg_io *io, const char *path, enum aimg_io_access access, struct aimg_error *error)
{
    const struct timespec pause = {.tv_nsec = WAIT_NS};
    unsigned replaced = 0;
    for (;;) {
        enum aimg_status status = open_once(io, path, access != AIMG_IO_READ, error);
        if (status == AIMG_REPLACED && ++replaced < REPLACED_MAX)
            continue;
        if (status != AIMG_BUSY || access != AIMG_IO_WRITE_WAIT)
            return status;
        if (nanosleep(&pause, NULL) != 0 && errno == EINTR)
            return aimg_fail(error, AIMG_BUSY, "another writer has the archive open, and a signal ended the wait for it");
    }
}

void aimg_io_file_discard(const struct aimg_io *io, const char *path)
{
    if (aimg_io_file_same(io, path, NULL) == AIMG_OK)
        (void)unlink(path);
}

enum aimg_status aimg_io_file_create(struct aimg_io *io, const char *path, struct aimg_error *error)
{
    *io = (struct aimg_io){.ops = &file_ops, .fd = -1};
    io->fd = open_safe(path, O_RDWR | O_CREAT | O_EXCL);
    if (io->fd < 0 && errno == EEXIST)
        return aimg_fail(error, AIMG_EXISTS, "is there already");
    if (io->fd < 0)
        return aimg_fail_errno(error, errno, "cannot create");
    enum aimg_status status = lock_named(io, path, error);
    if (status != AIMG_OK) {
        aimg_io_file_discard(io, path);
        (void)file_close(io, NULL);
    }
    return status;
}

static enum aimg_status map_fixed(struct aimg_io *io, void *place, uint64_t bytes, int flags, struct aimg_error *error)
{
    void *map = mmap(place, (size_t)bytes, PROT_READ, MAP_SHARED | flags, io->fd, 0);
    if (map == MAP_FAILED)
        return aimg_fail_errno(error, errno, "cannot map %" PRIu64 " bytes; open the archive without a map", bytes);
    io->base = map;
    io->base_bytes = bytes;
    return AIMG_OK;
}

/* A second map with room to grow, made when the first grows; the first stays, so that pointers into it do. */
static enum aimg_status reserve_and_map(struct aimg_io *io, uint64_t bytes, struct aimg_error *error)
{
    uint64_t reserve = bytes + MAP_RESERVE;
    void *space = mmap(NULL, (size_t)reserve, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (space == MAP_FAILED)
        return aimg_fail_errno(error, errno, "cannot reserve %" PRIu64 " bytes of address space; open the archive without a map",
                               reserve);
    struct aimg_io first = *io;
    enum aimg_status status = map_fixed(io, space, bytes, MAP_FIXED, error);
    if (status != AIMG_OK) {
        (void)munmap(space, (size_t)reserve);
        return status;
    }
    io->reserved_bytes = reserve;
    io->first_base = first.base;
    io->first_bytes = first.base_bytes;
    return AIMG_OK;
}

enum aimg_status aimg_io_file_map(struct aimg_io *io, uint64_t bytes, struct aimg_error *error)
{
    if (bytes <= io->base_bytes || bytes == 0)
        return AIMG_OK;
    if (bytes > SIZE_MAX - MAP_RESERVE || (io->reserved_bytes > 0 && bytes > io->reserved_bytes))
        return aimg_fail(error, AIMG_LIMIT, "no address space for %" PRIu64 " bytes; open the archive again, or without a map",
                         bytes);
    if (io->base == NULL)
        return map_fixed(io, NULL, bytes, 0, error);
    if (io->reserved_bytes == 0)
        return reserve_and_map(io, bytes, error);
    /* The whole file again, in place: pages that are in use stay the same, and no seam can run through one. */
    return map_fixed(io, (void *)(uintptr_t)io->base, bytes, MAP_FIXED, error);
}

enum aimg_status aimg_io_random(void *out, size_t bytes, struct aimg_error *error)
{
    uint8_t *next = out;
    while (bytes > 0) {
        ssize_t got = getrandom(next, bytes, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return aimg_fail_errno(error, errno, "cannot get random bytes");
        next += got;
        bytes -= (size_t)got;
    }
    return AIMG_OK;
}

uint64_t aimg_io_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
