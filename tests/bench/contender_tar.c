/* SPDX-License-Identifier: Apache-2.0 */
/* tar with what its readers build for random access: the offsets of all members in memory, from one walk over the headers. */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "contender.h"
#include "files.h"

struct member {
    uint64_t offset;
    uint64_t bytes;
};

struct tar {
    int fd;
    struct member *members;
    uint8_t *buffer;
    int shared;
};

/* The fields of a ustar header that are needed here. */
#define NAME_AT      0
#define NAME_BYTES   100
#define SIZE_AT      124
#define TYPE_AT      156
#define PREFIX_AT    345
#define PREFIX_BYTES 155

static int compare_names(const void *key, const void *element)
{
    return strcmp(key, *(const char *const *)element);
}

static void place_member(struct tar *tar, const struct set *set, const char *header, uint64_t offset, uint64_t bytes)
{
    char *name = header[PREFIX_AT] ? bench_text("%.*s/%.*s", PREFIX_BYTES, header + PREFIX_AT, NAME_BYTES, header + NAME_AT)
                                   : bench_text("%.*s", NAME_BYTES, header + NAME_AT);
    const char *shown = strncmp(name, "./", 2) ? name : name + 2;
    const char **found = bsearch(shown, set->names, set->count, sizeof *set->names, compare_names);
    if (found)
        tar->members[found - set->names] = (struct member){offset, bytes};
    free(name);
}

static void walk_members(struct tar *tar, const struct set *set)
{
    char header[512];
    uint64_t offset = 0;
    while (pread(tar->fd, header, sizeof header, (off_t)offset) == sizeof header && header[0]) {
        uint64_t bytes = strtoull(header + SIZE_AT, NULL, 8);
        offset += sizeof header;
        if (header[TYPE_AT] == '0' || !header[TYPE_AT])
            place_member(tar, set, header, offset, bytes);
        offset += (bytes + 511) & ~511ULL;
    }
}

static void *tar_open(const struct contender *contender, const struct set *set, const char *path, void *first)
{
    struct tar *tar = bench_alloc(1, sizeof *tar);
    (void)contender;
    if (first) {
        *tar = *(struct tar *)first;
        tar->shared = 1;
    } else {
        tar->fd = files_open(path);
        tar->members = bench_alloc(set->count, sizeof *tar->members);
        walk_members(tar, set);
    }
    tar->buffer = bench_alloc(1, set->largest_bytes);
    return tar;
}

static struct span tar_get(void *state, uint32_t index)
{
    const struct tar *tar = state;
    struct member member = tar->members[index];
    if (pread(tar->fd, tar->buffer, member.bytes, (off_t)member.offset) != (ssize_t)member.bytes)
        bench_die("tar: pread: %s", strerror(errno));
    return (struct span){tar->buffer, member.bytes};
}

static void tar_close(void *state)
{
    struct tar *tar = state;
    if (!tar->shared) {
        close(tar->fd);
        free(tar->members);
    }
    free(tar->buffer);
    free(tar);
}

const struct contender contender_tar = {"tar, offsets in memory, pread", "tar", NULL, tar_open, tar_get, NULL, tar_close};
