/* SPDX-License-Identifier: Apache-2.0 */
#include "listing.h"

#include "name_sort.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Names lie in blocks that never move, so that a directory of millions is never copied. Small directories take a small first
 * block. */
enum { FIRST_BLOCK_BYTES = 4096, LARGEST_BLOCK_BYTES = 1 << 20 };

struct listing_block {
    struct listing_block *next;
    size_t used, bytes;
    char text[];
};

static int block_add(struct listing *listing, size_t needed)
{
    size_t bytes = FIRST_BLOCK_BYTES;
    if (listing->blocks != NULL)
        bytes = listing->blocks->bytes * 2;
    bytes = bytes > LARGEST_BLOCK_BYTES ? LARGEST_BLOCK_BYTES : bytes;
    bytes = bytes < needed ? needed : bytes;
    struct listing_block *block = malloc(sizeof *block + bytes);
    if (block == NULL)
        return ENOMEM;
    block->next = listing->blocks;
    block->used = 0;
    block->bytes = bytes;
    listing->blocks = block;
    return 0;
}

static int name_add(struct listing *listing, const char *name, unsigned char type)
{
    if (listing->count == listing->capacity) {
        size_t capacity = listing->capacity == 0 ? 64 : listing->capacity * 2;
        if (capacity > SIZE_MAX / sizeof *listing->names)
            return ENOMEM;
        const char **names = realloc(listing->names, capacity * sizeof *names);
        if (names == NULL)
            return ENOMEM;
        listing->names = names;
        listing->capacity = capacity;
    }
    size_t length = strlen(name);
    size_t needed = 1 + length + (type == DT_DIR) + 1;
    if (listing->blocks == NULL || listing->blocks->bytes - listing->blocks->used < needed) {
        int failed = block_add(listing, needed);
        if (failed != 0)
            return failed;
    }
    char *place = listing->blocks->text + listing->blocks->used;
    listing->blocks->used += needed;
    *place++ = (char)type;
    listing->names[listing->count++] = place;
    memcpy(place, name, length);
    if (type == DT_DIR)
        place[length++] = '/';
    place[length] = '\0';
    return 0;
}

/* What readdir leaves open: file systems that tell no types, and links that shall be followed. */
static unsigned char resolve_type(int fd, const char *name, unsigned char type, bool follow)
{
    struct stat status;
    if (type == DT_UNKNOWN && fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
        type = (unsigned char)IFTODT(status.st_mode);
    if (type == DT_LNK && follow && fstatat(fd, name, &status, 0) == 0 && S_ISDIR(status.st_mode))
        type = DT_DIR;
    return type;
}

static int read_all(struct listing *listing, int fd, DIR *stream, bool follow)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (entry == NULL)
            return errno;
        const char *name = entry->d_name;
        if (name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0')))
            continue;
        unsigned char type = resolve_type(fd, name, entry->d_type, follow);
        int failed = name_add(listing, name, type);
        if (failed != 0)
            return failed;
    }
}

int listing_read(struct listing *listing, int fd, bool follow)
{
    *listing = (struct listing){.names = NULL};
    /* The stream owns its descriptor; the walk needs one that stays. */
    int stream_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (stream_fd < 0)
        return errno;
    DIR *stream = fdopendir(stream_fd);
    if (stream == NULL) {
        int failed = errno;
        close(stream_fd);
        return failed;
    }
    int failed = read_all(listing, fd, stream, follow);
    closedir(stream);
    if (failed != 0) {
        listing_free(listing);
        return failed;
    }
    name_sort(listing->names, listing->count);
    return 0;
}

unsigned char listing_type(const char *name)
{
    return (unsigned char)name[-1];
}

void listing_free(struct listing *listing)
{
    while (listing->blocks != NULL) {
        struct listing_block *block = listing->blocks;
        listing->blocks = block->next;
        free(block);
    }
    free(listing->names);
    *listing = (struct listing){.names = NULL};
}
