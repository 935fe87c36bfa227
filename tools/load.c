/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include "guard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Larger files are mapped: the memory of the tool stays bounded. Smaller ones are copied: nobody can change them between the hash
 * and the write. */
enum { LARGEST_COPIED_BYTES = 16 << 20, PROBE_BYTES = 1 << 16 };

static const char changed[] = "changed while it was being read";

static void fail(struct load_item *item, const char *trouble, int sys_errno)
{
    item->result = LOAD_TROUBLE;
    item->trouble = trouble;
    item->sys_errno = sys_errno;
}

static int64_t mtime_of(const struct stat *status)
{
    return (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
}

static bool has_stat(int fd, uint64_t bytes, int64_t mtime_ns)
{
    struct stat status;
    return fstat(fd, &status) == 0 && (uint64_t)status.st_size == bytes && mtime_of(&status) == mtime_ns;
}

static void refuse_kind(struct load_item *item, mode_t mode)
{
    if (S_ISDIR(mode) && item->input.type == DT_LNK)
        item->result = LOAD_LINK_TO_FOLDER;
    else if (S_ISDIR(mode))
        fail(item, "is a folder; a list must name the files in it (find FOLDER -type f)", 0);
    else if (S_ISFIFO(mode))
        fail(item, "is a FIFO, not a file", 0);
    else if (S_ISSOCK(mode))
        fail(item, "is a socket, not a file", 0);
    else
        fail(item, "is a device, not a file", 0);
}

static int directory_of(const struct input *input)
{
    return input->directory == NULL ? AT_FDCWD : input->directory->fd;
}

/* Opens a regular file. What is known to be none is not even opened: opening a device can do things. -1 and the item says why. */
static int open_input(struct load_item *item, struct stat *status)
{
    const struct input *input = &item->input;
    const char *leaf = input->path + input->leaf;
    if (input->type != DT_REG) {
        if (fstatat(directory_of(input), leaf, status, 0) != 0) {
            fail(item, "cannot find this", errno);
            return -1;
        }
        if (!S_ISREG(status->st_mode)) {
            refuse_kind(item, status->st_mode);
            return -1;
        }
    }
    /* O_NONBLOCK: a FIFO that took the file's place must not hang us. */
    int fd = openat(directory_of(input), leaf, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        fail(item, "cannot open", errno);
        return -1;
    }
    if (fstat(fd, status) != 0)
        fail(item, "cannot ask for its size", errno);
    else if (!S_ISREG(status->st_mode))
        refuse_kind(item, status->st_mode);
    else
        return fd;
    close(fd);
    return -1;
}

static bool is_own(const struct load_context *context, const struct stat *status)
{
    for (size_t i = 0; i < context->own_count; i++)
        if (context->own_device[i] == status->st_dev && context->own_inode[i] == status->st_ino)
            return true;
    return false;
}

/* Recognises and prepares the bytes. scratch as aimg_writer_prepare takes it. */
static void digest(const struct load_context *context, struct load_item *item, void *scratch, uint64_t scratch_bytes)
{
    size_t bytes = (size_t)item->bytes;
    if (aimg_picture_probe(item->data, bytes, &item->picture) != AIMG_OK && !context->all) {
        item->result = LOAD_NOT_PICTURE;
        return;
    }
    struct aimg_error error;
    enum aimg_status status =
        aimg_writer_prepare(context->writer, item->data, item->bytes, scratch, scratch_bytes, &item->prepared, &error);
    if (status != AIMG_OK) {
        fail(item, "cannot be made ready, out of memory", 0);
        return;
    }
    item->result = LOAD_READY;
}

/* Reads `bytes` bytes and looks for one more. */
static bool read_whole(struct load_item *item, int fd, char *buffer, size_t bytes)
{
    size_t got = 0;
    do {
        ssize_t count = read(fd, buffer + got, bytes + 1 - got);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            fail(item, "cannot read", errno);
            return false;
        }
        if (count == 0)
            break;
        got += (size_t)count;
    } while (got < bytes);
    if (got != bytes || !has_stat(fd, item->bytes, item->mtime_ns)) {
        fail(item, changed, 0);
        return false;
    }
    return true;
}

static void load_copied(const struct load_context *context, struct workspace_pool *pool, struct workspace *workspace,
                        struct load_item *item, int fd)
{
    size_t bytes = (size_t)item->bytes;
    size_t scratch_bytes = (size_t)aimg_writer_scratch_bytes(context->writer, item->bytes);
    size_t scratch_at = (bytes + 1 + 63) & ~(size_t)63;
    size_t total = scratch_at + scratch_bytes;
    char *buffer = workspace_take(pool, workspace, total, &item->piece);
    if (buffer == NULL) {
        fail(item, "cannot be read, out of memory", 0);
        return;
    }
    item->data = buffer;
    if (!read_whole(item, fd, buffer, bytes)) {
        workspace_trim(workspace, &item->piece, total);
        return;
    }
    digest(context, item, scratch_bytes == 0 ? NULL : buffer + scratch_at, scratch_bytes);
    size_t kept = 0;
    if (item->result == LOAD_READY) {
        bool coded = item->prepared.stored != item->data;
        kept = coded ? scratch_at + (size_t)item->prepared.stored_bytes : bytes;
    }
    workspace_trim(workspace, &item->piece, total - kept);
}

/* Room to compress a large file into, in an unnamed file beside the archive: it must not count as memory. Without it the file is
 * stored as it is. */
static void map_scratch(const struct load_context *context, struct load_item *item)
{
    uint64_t bytes = aimg_writer_scratch_bytes(context->writer, item->bytes);
    if (bytes == 0 || bytes > SIZE_MAX)
        return;
    int fd = open(context->scratch_folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    if (posix_fallocate(fd, 0, (off_t)bytes) == 0) {
        void *scratch = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (scratch != MAP_FAILED) {
            item->scratch = scratch;
            item->scratch_bytes = (size_t)bytes;
        }
    }
    close(fd);
}

struct mapped_work {
    const struct load_context *context;
    struct load_item *item;
};

static void digest_mapped(void *user)
{
    const struct mapped_work *work = user;
    digest(work->context, work->item, work->item->scratch, work->item->scratch_bytes);
}

/* Takes fd. */
static void load_mapped(const struct load_context *context, struct load_item *item, int fd)
{
    item->fd = fd;
    if (item->bytes > SIZE_MAX) {
        fail(item, "is too large for this machine", 0);
        return;
    }
    void *map = mmap(NULL, (size_t)item->bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        fail(item, "cannot map", errno);
        return;
    }
    item->map = map;
    item->data = map;
    (void)madvise(map, (size_t)item->bytes, MADV_SEQUENTIAL);
    map_scratch(context, item);
    struct mapped_work work = {context, item};
    if (!guard_run(digest_mapped, &work) || (item->result == LOAD_READY && !load_is_unchanged(item)))
        fail(item, changed, 0);
}

void load_file(const struct load_context *context, struct workspace_pool *pool, struct workspace *workspace,
               struct load_item *item)
{
    item->fd = -1;
    item->map = NULL;
    item->scratch = NULL;
    item->piece.own = NULL;
    item->bytes = 0;
    struct stat status;
    int fd = open_input(item, &status);
    if (fd < 0)
        return;
    item->bytes = (uint64_t)status.st_size;
    item->mtime_ns = mtime_of(&status);
    if (is_own(context, &status)) {
        item->result = LOAD_OWN;
    } else if (item->bytes == 0 && !context->all) {
        item->result = LOAD_NOT_PICTURE;
    } else if (item->known && item->known_bytes == item->bytes && item->known_mtime_ns == item->mtime_ns) {
        item->result = LOAD_SAME;
    } else if (item->bytes > LARGEST_COPIED_BYTES) {
        load_mapped(context, item, fd);
        return;
    } else {
        load_copied(context, pool, workspace, item, fd);
    }
    close(fd);
}

bool load_is_unchanged(const struct load_item *item)
{
    return item->map == NULL || has_stat(item->fd, item->bytes, item->mtime_ns);
}

void load_release(struct workspace_pool *pool, struct load_item *item)
{
    workspace_piece_release(pool, &item->piece);
    if (item->scratch != NULL) {
        munmap(item->scratch, item->scratch_bytes);
        item->scratch = NULL;
    }
    if (item->map != NULL) {
        munmap(item->map, (size_t)item->bytes);
        item->map = NULL;
    }
    if (item->fd >= 0) {
        close(item->fd);
        item->fd = -1;
    }
}

bool load_would_store(const struct input *input, bool all)
{
    struct load_item item = {.input = *input};
    struct stat status;
    int fd = open_input(&item, &status);
    if (fd < 0)
        return false;
    bool stored = all;
    if (!all) {
        char head[PROBE_BYTES];
        ssize_t bytes = pread(fd, head, sizeof head, 0);
        struct aimg_picture picture;
        stored = bytes > 0 && aimg_picture_probe(head, (size_t)bytes, &picture) == AIMG_OK;
    }
    close(fd);
    return stored;
}
