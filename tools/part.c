/* SPDX-License-Identifier: Apache-2.0 */
#include "part.h"

#include "cmd.h"
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int part_init(struct part *part, const char *archive, const char *verb, const char *suffix)
{
    size_t bytes = strlen(archive), suffix_bytes = strlen(suffix) + 1;
    const char *slash = strrchr(archive, '/');
    *part = (struct part){.archive = archive, .verb = verb, .path = malloc(bytes + suffix_bytes)};
    if (slash == NULL)
        part->folder = strdup(".");
    else
        part->folder = slash == archive ? strdup("/") : strndup(archive, (size_t)(slash - archive));
    if (part->path == NULL || part->folder == NULL) {
        part_fini(part);
        output_error("out of memory");
        return EXIT_SYSTEM;
    }
    memcpy(part->path, archive, bytes);
    memcpy(part->path + bytes, suffix, suffix_bytes);
    return EXIT_DONE;
}

void part_fini(struct part *part)
{
    free(part->path);
    free(part->folder);
    part->path = NULL;
    part->folder = NULL;
}

/* A writer holds a lock on the first byte (spec/SPEC.md, section 4.2). */
static bool has_writer(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    bool held = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(fd);
    return held;
}

int part_check_archive(const char *archive, bool force, const char *instead)
{
    struct stat status;
    if (lstat(archive, &status) != 0)
        return EXIT_DONE;
    if (S_ISDIR(status.st_mode)) {
        output_error("%s: is a folder; name the file to be made first, then what goes into it: aimg pack photos.aimg photos/",
                     archive);
        return EXIT_NO;
    }
    if (!force) {
        output_error("%s: is there already; %s--force replaces it", archive, instead);
        return EXIT_NO;
    }
    if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) {
        output_error("%s: is not a regular file; --force replaces regular files only", archive);
        return EXIT_NO;
    }
    if (has_writer(archive)) {
        output_error("%s: another 'aimg' is adding to it now, and what it adds would be lost; try again when it is done",
                     archive);
        return EXIT_SYSTEM;
    }
    return EXIT_DONE;
}

static int check_running(const struct part *part)
{
    if (!has_writer(part->path))
        return EXIT_DONE;
    output_error("%s: another 'aimg %s' is writing it now", part->path, part->verb);
    return EXIT_SYSTEM;
}

int part_check(const struct part *part, const struct ingest_options *options)
{
    int code = part_check_archive(part->archive, options->force, "'aimg add' appends to it, ");
    if (code != EXIT_DONE)
        return code;
    struct stat status;
    bool there = lstat(part->path, &status) == 0;
    if (options->resume && !there) {
        output_error("%s: is not there, so there is nothing to resume; pack without --resume", part->path);
        return EXIT_SYSTEM;
    }
    if (!there || options->resume)
        return EXIT_DONE;
    code = check_running(part);
    if (code == EXIT_DONE && !options->force) {
        output_error("%s: is there, from a pack that was stopped; --resume goes on with it, --force starts again", part->path);
        return EXIT_NO;
    }
    return code;
}

int part_clear(const struct part *part)
{
    int code = check_running(part);
    if (code == EXIT_DONE && unlink(part->path) != 0 && errno != ENOENT) {
        output_error("%s: cannot remove what a %s that was stopped left: %s", part->path, part->verb, strerror(errno));
        return EXIT_SYSTEM;
    }
    return code;
}

/* Whether a file is what a copy that was stopped may have left: empty, or an archive without a durable commit. */
static bool is_unfinished(const char *path)
{
    static const char magic[8] = "\x89\x41\x49\x4D\x47\x0D\x0A\x1A", hint[] = "AIMGHINT";
    enum { HINT_OFFSET = 4096, HINT_BYTES = 4096 };
    char head[HINT_OFFSET + HINT_BYTES + sizeof magic] = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t bytes = fd < 0 ? -1 : read(fd, head, sizeof head);
    if (fd >= 0)
        close(fd);
    if (bytes < 0)
        return false;
    size_t begin = (size_t)bytes < sizeof magic ? (size_t)bytes : sizeof magic;
    return memcmp(head, magic, begin) == 0 && memcmp(head + HINT_OFFSET, hint, sizeof magic) != 0 &&
           memcmp(head + HINT_OFFSET + HINT_BYTES, hint, sizeof magic) != 0;
}

int part_clear_unfinished(const struct part *part, const struct stat *source, bool force)
{
    struct stat there;
    if (lstat(part->path, &there) != 0)
        return EXIT_DONE;
    if (there.st_dev == source->st_dev && there.st_ino == source->st_ino) {
        output_error("%s: is ARCHIVE itself, and under this name %s would be made; name another file with --output", part->path,
                     part->archive);
        return EXIT_USAGE;
    }
    if (!S_ISREG(there.st_mode) || (!force && !is_unfinished(part->path))) {
        output_error("%s: is in the way, and is not what a %s that was stopped half-way leaves; move it away%s", part->path,
                     part->verb, S_ISREG(there.st_mode) ? ", or --force removes it" : "");
        return EXIT_NO;
    }
    return part_clear(part);
}

void part_identify(struct part_identity *identity, const char *path)
{
    struct stat status;
    *identity = (struct part_identity){.inode = 0};
    if (stat(path, &status) == 0)
        *identity = (struct part_identity){.device = status.st_dev, .inode = status.st_ino};
}

bool part_is_same(const struct part_identity *identity, const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && status.st_dev == identity->device && status.st_ino == identity->inode;
}

void part_remove(const struct part *part)
{
    if (part_is_same(&part->identity, part->path))
        unlink(part->path);
}

static int sync_path(const char *path, int flags)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0)
        return -1;
    int result = fsync(fd);
    /* some file systems cannot sync a directory and need not */
    if (result != 0 && (errno == EINVAL || errno == ENOTSUP))
        result = 0;
    int code = errno;
    close(fd);
    errno = code;
    return result;
}

static int rename_new(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -1;
    if (link(from, to) == 0)
        return unlink(from);
    return errno == EEXIST ? -1 : rename(from, to);
}

int part_finish(const struct part *part, enum part_target target, bool sync_file)
{
    if (!part_is_same(&part->identity, part->path)) {
        output_error("%s: was removed or replaced by another program before it was whole; %s is not made", part->path,
                     part->archive);
        return EXIT_SYSTEM;
    }
    if (sync_file && sync_path(part->path, 0) != 0) {
        output_error("%s: cannot sync: %s; it may not be whole and is removed, and %s is not touched: look after the disk, then "
                     "run this again",
                     part->path, strerror(errno), part->archive);
        part_remove(part);
        return EXIT_SYSTEM;
    }
    if (target == PART_REPLACE && has_writer(part->archive)) {
        output_error(
            "%s: another 'aimg' is adding to it now, and what it adds would be lost; %s is whole and may be renamed by hand",
            part->archive, part->path);
        return EXIT_SYSTEM;
    }
    int result = target != PART_NEW ? rename(part->path, part->archive) : rename_new(part->path, part->archive);
    if (result != 0) {
        output_error("%s: cannot be renamed to %s: %s; it is whole and may be renamed by hand", part->path, part->archive,
                     strerror(errno));
        return errno == EEXIST ? EXIT_NO : EXIT_SYSTEM;
    }
    if (sync_path(part->folder, O_DIRECTORY) != 0) {
        output_error("%s: cannot sync the folder: %s; %s is whole but may be lost in a power cut", part->folder, strerror(errno),
                     part->archive);
        return EXIT_SYSTEM;
    }
    return EXIT_DONE;
}
