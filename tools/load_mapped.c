/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

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

struct work {
    const struct loader *loader;
    struct load_item *item;
};

static void digest(void *user)
{
    const struct work *work = user;
    load_digest(work->loader, work->item, work->item->scratch, work->item->scratch_bytes);
}

void load_mapped(const struct loader *loader, struct load_item *item, int fd)
{
    item->fd = fd;
    if (item->bytes > SIZE_MAX) {
        load_fail(item, "is too large for this machine", 0);
        return;
    }
    void *map = mmap(NULL, (size_t)item->bytes, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        load_fail(item, "cannot map", errno);
        return;
    }
    item->map = map;
    item->data = map;
    (void)madvise(map, (size_t)item->bytes, MADV_SEQUENTIAL);
    map_scratch(loader->context, item);
    struct work work = {loader, item};
    bool whole = guard_run(digest, &work);
    load_digest_end(loader, item);
    if (!whole || (item->result == LOAD_READY && !load_is_unchanged(item)))
        load_fail(item, load_changed, 0);
}
