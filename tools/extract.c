/* SPDX-License-Identifier: Apache-2.0 */
#include "extract.h"

#include "interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    TEMPORARY_BYTES = 32,
    TEMPORARY_TRIES = 100,
    WRITE_PIECE = 8 << 20, /* between two looks at interrupt_pending */
    COMPARE_PIECE = 64 << 10
};

int extract_check_free(const struct extract_folder *folder, const char *base)
{
    struct stat status;

    if (fstatat(folder->fd, base, &status, AT_SYMLINK_NOFOLLOW) == 0)
        return S_ISDIR(status.st_mode) ? EISDIR : EEXIST;
    /* EINVAL: the file system refuses the name, so nothing has it. */
    return errno == ENOENT || errno == EINVAL ? 0 : errno;
}

/* ------------------------------------------------------------------ comparing */

static int compare_bytes(int fd, const char *data, uint64_t bytes)
{
    char piece[COMPARE_PIECE];
    ssize_t got;

    while (bytes > 0) {
        got = read(fd, piece, bytes < sizeof piece ? (size_t)bytes : sizeof piece);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno;
        if (got == 0 || memcmp(piece, data, (size_t)got) != 0)
            return EEXIST;
        data += got;
        bytes -= (uint64_t)got;
    }
    return 0;
}

/* Returns 0 or ENOMEM. */
static int remember(const struct extract_folder *folder, ino_t inode)
{
    struct extract_written *written = folder->root->written;
    bool added;

    if (written == NULL)
        return 0;
    pthread_mutex_lock(&written->lock);
    added = number_set_add(&written->inodes, inode, SIZE_MAX);
    pthread_mutex_unlock(&written->lock);
    return added ? 0 : ENOMEM;
}

int extract_compare(const struct extract_folder *folder, const char *base, const void *data, uint64_t bytes)
{
    struct stat status;
    /* A FIFO in the place must not make us wait for a writer. */
    int error, fd = openat(folder->fd, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0)
        return errno == ELOOP || errno == ENXIO ? EEXIST : errno == EINVAL ? ENOENT : errno;
    if (fstat(fd, &status) != 0)
        error = errno;
    else if (!S_ISREG(status.st_mode) || (uint64_t)status.st_size != bytes)
        error = EEXIST;
    else
        error = compare_bytes(fd, data, bytes);
    close(fd);
    return error == 0 ? remember(folder, status.st_ino) : error;
}

/* ------------------------------------------------------------------ writing */

static void name_temporary(struct extract_folder *folder, char name[TEMPORARY_BYTES])
{
    snprintf(name, TEMPORARY_BYTES, ".aimg-%016" PRIx64, folder->temporary++);
}

static int create_temporary(struct extract_folder *folder, char name[TEMPORARY_BYTES], int *fd_out)
{
    for (int i = 0; i < TEMPORARY_TRIES; i++) {
        name_temporary(folder, name);
        *fd_out = openat(folder->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (*fd_out >= 0)
            return 0;
        if (errno != EEXIST)
            return errno;
    }
    return EEXIST;
}

static int write_bytes(int fd, const char *data, uint64_t bytes)
{
    ssize_t put;

    while (bytes > 0) {
        if (interrupt_pending())
            return EINTR;
        put = write(fd, data, bytes < WRITE_PIECE ? (size_t)bytes : WRITE_PIECE);
        if (put < 0 && errno != EINTR)
            return errno;
        if (put > 0) {
            data += put;
            bytes -= (uint64_t)put;
        }
    }
    return 0;
}

static int set_mtime(int fd, int64_t mtime_ns)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                {.tv_sec = mtime_ns / 1000000000, .tv_nsec = (long)(mtime_ns % 1000000000)}};

    if (times[1].tv_nsec < 0) {
        times[1].tv_sec--;
        times[1].tv_nsec += 1000000000;
    }
    return futimens(fd, times) == 0 ? 0 : errno;
}

/* Before it gets its name: from then on another thread may find it in its place. */
static int remember_temporary(const struct extract_folder *folder, int fd)
{
    struct stat status;

    return fstat(fd, &status) == 0 ? remember(folder, status.st_ino) : errno;
}

static int fill_temporary(const struct extract_folder *folder, int fd, struct extract_file *file)
{
    int error = write_bytes(fd, file->data, file->bytes);

    file->mtime_error = error == 0 && file->has_mtime ? set_mtime(fd, file->mtime_ns) : 0;
    if (error == 0 && file->replace)
        error = remember_temporary(folder, fd);
    /* A network file system may tell of a full disk only here. What a signal interrupted is closed all the same. */
    if (close(fd) != 0 && errno != EINTR && error == 0)
        error = errno;
    return error;
}

/* Whether what stands in the place, if anything does, may be replaced: 0 or an errno. With the lock. */
static int check_replaceable(const struct extract_folder *folder, const char *base)
{
    const struct extract_root *root = folder->root;
    struct stat status;

    if (fstatat(folder->fd, base, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return 0;
    if (status.st_dev == root->archive_device && status.st_ino == root->archive_inode)
        return ETXTBSY;
    return number_set_has(&root->written->inodes, status.st_ino) ? ENOTUNIQ : 0;
}

static int replace(const struct extract_folder *folder, const char *temporary, const char *base)
{
    struct extract_written *written = folder->root->written;
    int error;

    pthread_mutex_lock(&written->lock);
    error = check_replaceable(folder, base);
    if (error == 0 && renameat(folder->fd, temporary, folder->fd, base) != 0)
        error = errno == EINVAL ? EILSEQ : errno;
    pthread_mutex_unlock(&written->lock);
    return error;
}

/* A rename that must not replace was refused as "invalid". That is about the name when one that all file systems take is not
 * refused; *temporary is renamed to it then. */
static bool name_is_refused(struct extract_folder *folder, char temporary[TEMPORARY_BYTES])
{
    char other[TEMPORARY_BYTES];

    name_temporary(folder, other);
    if (renameat2(folder->fd, temporary, folder->fd, other, RENAME_NOREPLACE) != 0)
        return false;
    memcpy(temporary, other, sizeof other);
    return true;
}

static int rename_temporary(struct extract_folder *folder, char temporary[TEMPORARY_BYTES], const char *base)
{
    int at = folder->fd;

    if (renameat2(at, temporary, at, base, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return errno;
    /* Perhaps this file system cannot; a second link does not replace either. */
    if (linkat(at, temporary, at, base, 0) == 0)
        return unlinkat(at, temporary, 0) == 0 ? 0 : errno;
    if (errno == EINVAL)
        return EILSEQ;
    if (errno != EPERM)
        return errno;
    return name_is_refused(folder, temporary) ? EILSEQ : ENOTSUP;
}

int extract_write(struct extract_folder *folder, const char *base, struct extract_file *file)
{
    char temporary[TEMPORARY_BYTES];
    int fd, error = create_temporary(folder, temporary, &fd);

    if (error != 0)
        return error;
    error = fill_temporary(folder, fd, file);
    if (error == 0)
        error = file->replace ? replace(folder, temporary, base) : rename_temporary(folder, temporary, base);
    if (error == EEXIST && extract_check_free(folder, base) == EISDIR)
        error = EISDIR;
    if (error != 0)
        unlinkat(folder->fd, temporary, 0);
    return error;
}

/* ------------------------------------------------------------------ words */

const char *extract_reason(int error)
{
    switch (error) {
    case EEXIST:
        return "is there already, or another name of this archive is the same to this file system (--force replaces what was "
               "there before, --skip-existing resumes)";
    case ENOTUNIQ:
        return "another name of this archive, which was written, is the same to this file system; unpack this one into another "
               "directory";
    case EINVAL:
        return "is a name that no archive may hold";
    case EILSEQ:
        return "is a name that this file system refuses; unpack it onto another one, or 'aimg cat' it into a file";
    case ELOOP:
        return "a symbolic link stands in its path and is not followed";
    case ENOTDIR:
        return "a file stands where its folder must be";
    case EISDIR:
    case ENOTEMPTY:
        return "a folder stands in its place";
    case EXDEV:
        return "its folder is a mount point, and other file systems are not entered";
    case ETXTBSY:
        return "is the archive itself";
    case ENOTSUP:
        return "this file system can only rename by replacing: use --force";
    default:
        return strerror(error);
    }
}

bool extract_is_fatal(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EROFS || error == EIO || error == EMFILE || error == ENFILE ||
           error == ENOMEM || error == EINTR;
}
