/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* What a mapped file counts in the pool: no memory of its own, but so many of them must not be open, each with its scratch on the
 * disk, while others wait to be stored. */
enum { MAPPED_BYTES = 8 << 20 };

/* For file systems that cannot make a file without a name. */
static int open_named(const char *folder)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/.aimg-scratch-XXXXXX", folder);
    if (length < 0 || (size_t)length >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

static int open_scratch(const char *folder)
{
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
        fd = open_named(folder);
    return fd;
}

/* Room to compress a large file into, in an unnamed file beside the archive: it must not count as memory. Without it the file is
 * not stored: what an archive holds does not depend on the disk. False and the item says why. */
static bool map_scratch(const struct load_context *context, struct load_item *item)
{
    uint64_t bytes = aimg_writer_scratch_bytes(context->writer, item->bytes, (uint32_t)item->picture.format);
    if (bytes == 0)
        return true;
    int fd = open_scratch(context->scratch_folder);
    if (fd < 0) {
        load_fail(item, "cannot make a file beside the archive to compress it in (--compress store needs none)", errno);
        return false;
    }
    int code = posix_fallocate(fd, 0, (off_t)bytes);
    if (code == 0) {
        void *scratch = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (scratch == MAP_FAILED) {
            code = errno;
        } else {
            item->scratch = scratch;
            item->scratch_bytes = (size_t)bytes;
        }
    }
    close(fd);
    if (code != 0)
        load_fail(item, "no room beside the archive to compress it (--compress store needs none)", code);
    return code == 0;
}

struct work {
    const struct loader *loader;
    struct load_item *item;
};

static void recognise(void *user)
{
    const struct work *work = user;
    load_recognise(work->loader, work->item);
}

static void prepare(void *user)
{
    const struct work *work = user;
    load_prepare(work->loader, work->item, work->item->scratch, work->item->scratch_bytes);
}

/* The scratch is made for what will be stored only: it takes room on the disk. False: the file changed under our hands. */
static bool digest(const struct loader *loader, struct load_item *item)
{
    struct work work = {loader, item};
    if (!guard_run(recognise, &work))
        return false;
    if (item->result != LOAD_READY || !map_scratch(loader->context, item))
        return true;
    bool whole = guard_run(prepare, &work);
    load_prepare_end(loader, item);
    return whole;
}

void load_mapped(const struct loader *loader, struct load_item *item, int fd)
{
    item->fd = fd;
    if (item->bytes > SIZE_MAX) {
        load_fail(item, "is too large for this machine", 0);
        return;
    }
    if (!workspace_reserve(loader->pool, loader->workspace, MAPPED_BYTES)) {
        load_fail(item, load_stopped, 0);
        return;
    }
    item->mapped_bytes = MAPPED_BYTES;
    void *map = mmap(NULL, (size_t)item->bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        load_fail(item, "cannot map", errno);
        return;
    }
    item->map = map;
    item->data = map;
    (void)madvise(map, (size_t)item->bytes, MADV_SEQUENTIAL);
    if (!digest(loader, item) || (item->result == LOAD_READY && !load_is_unchanged(item)))
        load_fail(item, load_changed, 0);
}
