/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include "open_input.h"

#include <dirent.h>
#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* Larger files are mapped: the memory of the tool stays bounded. Smaller ones are copied: nobody can change them between the hash
 * and the write. */
enum { LARGEST_COPIED_BYTES = 16 << 20 };

const char load_changed[] = "changed while it was being read";
const char load_stopped[] = "is not read any more";

static int64_t mtime_of(const struct stat *status)
{
    return (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec;
}

static bool has_stat(int fd, uint64_t bytes, int64_t mtime_ns)
{
    struct stat status;
    return fstat(fd, &status) == 0 && (uint64_t)status.st_size == bytes && mtime_of(&status) == mtime_ns;
}

static bool is_own(const struct load_context *context, const struct stat *status)
{
    for (size_t i = 0; i < context->own_count; i++)
        if (context->own_device[i] == status->st_dev && context->own_inode[i] == status->st_ino)
            return true;
    return false;
}

/* Reads `bytes` bytes and looks for one more. */
static bool read_whole(struct load_item *item, int fd, char *buffer, size_t bytes)
{
    size_t got = 0;
    do {
        ssize_t count = pread(fd, buffer + got, bytes + 1 - got, (off_t)got);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            load_fail(item, "cannot read", errno);
            return false;
        }
        if (count == 0)
            break;
        got += (size_t)count;
    } while (got < bytes);
    if (got != bytes || !has_stat(fd, item->bytes, item->mtime_ns)) {
        load_fail(item, load_changed, 0);
        return false;
    }
    return true;
}

static void load_copied(const struct loader *loader, struct load_item *item, int fd)
{
    size_t bytes = (size_t)item->bytes;
    char *buffer = workspace_take(loader->pool, loader->workspace, bytes + 1, &item->piece);
    if (buffer == NULL) {
        load_fail(item, "cannot be read, out of memory", 0);
        return;
    }
    item->data = buffer;
    if (read_whole(item, fd, buffer, bytes))
        load_recognise(loader, item);
    if (item->result == LOAD_READY)
        load_digest(loader, item);
    else
        workspace_trim(loader->workspace, &item->piece, bytes + 1);
}

/* A file of which nothing but the bytes is wanted, in one read that finds its end: what is read is what was there at one moment.
 * False when it is not so small, or cannot be read. */
static bool load_small(const struct loader *loader, struct load_item *item, int fd)
{
    char *buffer = workspace_take(loader->pool, loader->workspace, LOAD_SMALL_BYTES, &item->piece);
    if (buffer == NULL)
        return false;
    ssize_t count = pread(fd, buffer, LOAD_SMALL_BYTES, 0);
    bool whole = count >= 0 && count < LOAD_SMALL_BYTES;
    if (whole) {
        item->data = buffer;
        item->bytes = (uint64_t)count;
        load_recognise(loader, item);
    }
    bool ready = whole && item->result == LOAD_READY;
    workspace_trim(loader->workspace, &item->piece, LOAD_SMALL_BYTES - (ready ? (size_t)count : 0));
    if (ready)
        load_digest(loader, item);
    return whole;
}

/* Every system call counts for a small file: its size is only asked for when it is needed, or when the file could be the archive
 * itself. */
static bool may_be_small(const struct loader *loader, const struct load_item *item)
{
    const struct load_context *context = loader->context;
    return loader->small && item->input.type == DT_REG && !item->known && !context->all && !context->times;
}

/* Takes fd. */
static void load_by_size(const struct loader *loader, struct load_item *item, int fd)
{
    struct stat status;
    if (!open_input_status(item, fd, &status)) {
        close(fd);
        return;
    }
    item->bytes = (uint64_t)status.st_size;
    item->mtime_ns = mtime_of(&status);
    if (is_own(loader->context, &status)) {
        item->result = LOAD_OWN;
    } else if (item->bytes == 0 && !loader->context->all) {
        item->result = LOAD_NOT_PICTURE;
    } else if (item->known && item->known_bytes == item->bytes && item->known_mtime_ns == item->mtime_ns) {
        item->result = LOAD_SAME;
    } else if (item->bytes > LARGEST_COPIED_BYTES) {
        load_mapped(loader, item, fd);
        return;
    } else {
        load_copied(loader, item, fd);
    }
    close(fd);
}

void load_file(const struct loader *loader, struct load_item *item)
{
    item->fd = -1;
    item->map = NULL;
    item->scratch = NULL;
    item->mapped_bytes = 0;
    item->codec_bytes = 0;
    item->piece.own = item->scratch_piece.own = NULL;
    item->bytes = 0;
    int fd = open_input(item);
    if (fd < 0)
        return;
    if (may_be_small(loader, item) && load_small(loader, item, fd))
        close(fd);
    else
        load_by_size(loader, item, fd);
}

bool load_is_unchanged(const struct load_item *item)
{
    return item->map == NULL || has_stat(item->fd, item->bytes, item->mtime_ns);
}

void load_release(struct workspace_pool *pool, struct load_item *item)
{
    workspace_piece_release(pool, &item->piece);
    workspace_piece_release(pool, &item->scratch_piece);
    if (item->scratch != NULL) {
        munmap(item->scratch, item->scratch_bytes);
        item->scratch = NULL;
    }
    if (item->map != NULL) {
        munmap(item->map, (size_t)item->bytes);
        item->map = NULL;
    }
    if (item->mapped_bytes > 0) {
        workspace_unreserve(pool, item->mapped_bytes);
        item->mapped_bytes = 0;
    }
    if (item->fd >= 0) {
        close(item->fd);
        item->fd = -1;
    }
}
