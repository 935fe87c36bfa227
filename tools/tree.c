/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include "listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Names in an archive are shorter by far; what lies deeper is left out with a word. */
enum { LONGEST_PATH = 4096 };

struct level {
    struct tree_directory *directory;
    struct listing listing;
    size_t next;       /* in the listing */
    size_t path_bytes; /* of the path to this directory, with its slash */
    dev_t device;
    ino_t inode;
};

struct tree {
    struct level *levels;
    size_t depth, capacity;
    bool follow;
    char path[LONGEST_PATH + 256 + 2];
};

void tree_directory_retain(struct tree_directory *directory)
{
    if (directory != NULL)
        directory->references++;
}

void tree_directory_release(struct tree_directory *directory)
{
    if (directory != NULL && --directory->references == 0) {
        close(directory->fd);
        free(directory);
    }
}

struct tree_directory *tree_directory_create(int fd)
{
    struct tree_directory *directory = malloc(sizeof *directory);
    if (directory == NULL) {
        close(fd);
        return NULL;
    }
    *directory = (struct tree_directory){.fd = fd, .references = 1};
    return directory;
}

static bool is_being_walked(const struct tree *tree, const struct stat *status)
{
    for (size_t i = 0; i < tree->depth; i++)
        if (tree->levels[i].device == status->st_dev && tree->levels[i].inode == status->st_ino)
            return true;
    return false;
}

static int level_reserve(struct tree *tree)
{
    if (tree->depth < tree->capacity)
        return 0;
    size_t capacity = tree->capacity == 0 ? 8 : tree->capacity * 2;
    struct level *levels = realloc(tree->levels, capacity * sizeof *levels);
    if (levels == NULL)
        return ENOMEM;
    tree->levels = levels;
    tree->capacity = capacity;
    return 0;
}

/* Goes down into an open directory; takes fd. 0, an errno, or ELOOP for one that is being walked already. */
static int level_push(struct tree *tree, int fd, size_t path_bytes)
{
    struct stat status;
    int failed = level_reserve(tree);
    if (failed == 0 && fstat(fd, &status) != 0)
        failed = errno;
    if (failed == 0 && is_being_walked(tree, &status))
        failed = ELOOP;
    if (failed != 0) {
        close(fd);
        return failed;
    }
    struct level *level = &tree->levels[tree->depth];
    *level = (struct level){.path_bytes = path_bytes, .device = status.st_dev, .inode = status.st_ino};
    failed = listing_read(&level->listing, fd, tree->follow);
    if (failed != 0) {
        close(fd);
        return failed;
    }
    level->directory = tree_directory_create(fd);
    if (level->directory == NULL) {
        listing_free(&level->listing);
        return ENOMEM;
    }
    tree->depth++;
    return 0;
}

static void level_pop(struct tree *tree)
{
    struct level *level = &tree->levels[--tree->depth];
    listing_free(&level->listing);
    tree_directory_release(level->directory);
}

struct tree *tree_open(const char *path, bool follow)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    struct tree *tree = calloc(1, sizeof *tree);
    if (tree == NULL) {
        close(fd);
        errno = ENOMEM;
        return NULL;
    }
    tree->follow = follow;
    int failed = level_push(tree, fd, 0);
    if (failed != 0) {
        tree_close(tree);
        errno = failed;
        return NULL;
    }
    return tree;
}

/* path: that of the directory, as tree->path has it, without its slash. 0 or what level_push says. */
static int descend(struct tree *tree, const struct level *level, size_t path_bytes)
{
    if (path_bytes > LONGEST_PATH)
        return ENAMETOOLONG;
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (tree->follow ? 0 : O_NOFOLLOW);
    int fd = openat(level->directory->fd, tree->path + level->path_bytes, flags);
    if (fd < 0)
        return errno;
    tree->path[path_bytes] = '/';
    return level_push(tree, fd, path_bytes + 1);
}

bool tree_next(struct tree *tree, struct tree_entry *entry_out)
{
    while (tree->depth > 0) {
        struct level *level = &tree->levels[tree->depth - 1];
        if (level->next == level->listing.count) {
            level_pop(tree);
            continue;
        }
        const char *name = level->listing.names[level->next++];
        unsigned char type = listing_type(name);
        size_t name_bytes = strlen(name) - (type == DT_DIR);
        size_t leaf = level->path_bytes;
        size_t path_bytes = leaf + name_bytes;
        memcpy(tree->path + leaf, name, name_bytes);
        tree->path[path_bytes] = '\0';
        *entry_out = (struct tree_entry){
            .directory = level->directory, .path = tree->path, .path_bytes = path_bytes, .leaf = leaf, .type = type};
        if (type != DT_DIR)
            return true;
        int failed = descend(tree, level, path_bytes);
        if (failed == 0)
            continue;
        tree->path[path_bytes] = '\0';
        entry_out->sys_errno = failed;
        entry_out->loop = failed == ELOOP && tree->follow;
        entry_out->trouble = entry_out->loop ? "links back to a folder that it lies in" : "cannot read this folder";
        return true;
    }
    return false;
}

void tree_close(struct tree *tree)
{
    if (tree == NULL)
        return;
    while (tree->depth > 0)
        level_pop(tree);
    free(tree->levels);
    free(tree);
}
