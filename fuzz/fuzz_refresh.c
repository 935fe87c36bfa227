/* SPDX-License-Identifier: Apache-2.0 */
/* A reader on a file that grows, shrinks and changes: it sees what is new, or says why not and stays as it was. */
#include "harness.h"

#include "constants.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

const uint32_t fuzz_focus = 1u << AIMG_FRAME_COMMIT | 1u << AIMG_FRAME_ROOT;

static void look(const struct aimg_reader *reader)
{
    uint8_t room[256];
    char name[1025];
    uint64_t size;
    size_t name_bytes;
    for (uint32_t i = 0; i < 4; i++) {
        allowed(aimg_reader_read(reader, i, 0, room, sizeof room, &size, NULL));
        allowed(aimg_reader_name(reader, i, name, sizeof name, &name_bytes, NULL));
    }
}

/* The file as it is at a commit, or at any other place. */
static size_t choose_end(const uint8_t *data, size_t bytes, unsigned choice)
{
    static struct tree tree;
    size_t commits = 0;
    tree_read(&tree, (uint8_t *)(uintptr_t)data, bytes); /* is not written to */
    for (size_t i = 0; i < tree.frame_count; i++)
        if (tree.frames[i].type == AIMG_FRAME_COMMIT && commits++ == choice % 4)
            return tree.frames[i].offset + tree.frames[i].total;
    return choice % 3 == 0 ? AIMG_HEAD_BYTES : bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static int fd = -1;
    char path[32];
    struct fuzz_script_reader script = script_take(data, &bytes);
    unsigned choice = script_next(&script);
    struct aimg_reader_options options = {.struct_bytes = sizeof options,
                                          .flags = choice & 1 ? AIMG_READER_NO_MAP : 0,
                                          .limits = fuzz_limits,
                                          .allocator = fuzz_allocator()};
    static const uint8_t no_hints[2 * AIMG_HINT_BYTES];
    struct aimg_reader *reader = NULL;
    int changed = 0;
    if (bytes < AIMG_HEAD_BYTES)
        return 0;
    fd = fd < 0 ? memfd_create("archive", MFD_CLOEXEC) : fd;
    size_t end = choose_end(data, bytes, script_next(&script));
    require(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, end, 0) == (ssize_t)end);
    /* Hints that lead past the end would be refused at once. */
    require(end == bytes || pwrite(fd, no_hints, sizeof no_hints, AIMG_HEADER_BYTES) == (ssize_t)sizeof no_hints);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (aimg_reader_open(path, &options, &reader, NULL) != AIMG_OK)
        return 0;
    look(reader);
    uint64_t count = aimg_reader_ordinal_count(reader);
    require(pwrite(fd, data, bytes, 0) == (ssize_t)bytes);
    enum aimg_status status = aimg_reader_refresh(reader, &changed, NULL);
    allowed(status);
    require(status != AIMG_OK || changed || aimg_reader_ordinal_count(reader) == count);
    look(reader);
    if (choice & 2) /* not mapped beyond what is read with pread: a cut is an error there */
        require((options.flags & AIMG_READER_NO_MAP) == 0 || ftruncate(fd, (off_t)(end / 2)) == 0);
    if ((options.flags & AIMG_READER_NO_MAP) != 0)
        look(reader);
    aimg_reader_close(reader);
    return 0;
}
