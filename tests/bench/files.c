/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t tree_total; /* nftw passes no argument */

uint64_t files_bytes(const char *path)
{
    struct stat st;
    return stat(path, &st) ? 0 : (uint64_t)st.st_size;
}

static int add_blocks(const char *path, const struct stat *st, int type, struct FTW *place)
{
    (void)path, (void)type, (void)place;
    tree_total += (uint64_t)st->st_blocks * 512;
    return 0;
}

uint64_t files_tree_bytes(const char *path)
{
    tree_total = 0;
    nftw(path, add_blocks, 64, FTW_PHYS);
    return tree_total;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *place)
{
    (void)st, (void)type, (void)place;
    return remove(path);
}

void files_remove(const char *path)
{
    if (nftw(path, remove_one, 64, FTW_DEPTH | FTW_PHYS) && errno != ENOENT)
        bench_die("cannot remove %s: %s", path, strerror(errno));
}

void files_make_directory(const char *path)
{
    char *copy = bench_text("%s", path);
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(copy, 0755);
        *slash = '/';
    }
    if (mkdir(copy, 0755) && errno != EEXIST)
        bench_die("cannot make the folder %s: %s", path, strerror(errno));
    free(copy);
}

int files_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        bench_die("cannot open %s: %s", path, strerror(errno));
    return fd;
}

void files_write(int fd, const char *path, const uint8_t *data, size_t bytes)
{
    while (bytes > 0) {
        ssize_t n = write(fd, data, bytes);
        if (n <= 0)
            bench_die("cannot write %s: %s", path, strerror(errno));
        data += n;
        bytes -= (size_t)n;
    }
}

const uint8_t *files_map(const char *path, size_t *bytes_out)
{
    struct stat st;
    int fd = files_open(path);
    if (fstat(fd, &st))
        bench_die("cannot stat %s: %s", path, strerror(errno));
    void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        bench_die("cannot map %s: %s", path, strerror(errno));
    close(fd);
    *bytes_out = (size_t)st.st_size;
    return map;
}

void files_drop(const char *path)
{
    int fd = files_open(path);
    fsync(fd);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
}

void files_warm(const char *path)
{
    size_t piece = (size_t)1 << 20;
    char *buffer = bench_alloc(1, piece);
    int fd = files_open(path);
    ssize_t n;
    do
        n = read(fd, buffer, piece);
    while (n > 0);
    if (n < 0)
        bench_die("cannot read %s: %s", path, strerror(errno));
    close(fd);
    free(buffer);
}

void files_settle(const char *path)
{
    files_drop(path);
    files_warm(path);
}

int files_drop_all(const char *path)
{
    sync();
    files_drop(path);
    int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    int done = write(fd, "3", 1) == 1;
    close(fd);
    usleep(100000); /* what the dropping itself sets off on other processors is over by then */
    return done;
}

void files_sync(const char *path)
{
    int fd = files_open(path);
    if (syncfs(fd))
        bench_die("cannot sync the file system of %s: %s", path, strerror(errno));
    close(fd);
}

int files_run(const char *directory, char *const arguments[])
{
    posix_spawn_file_actions_t actions;
    pid_t child = 0;
    int status = 0;
    int bad = posix_spawn_file_actions_init(&actions);
    if (directory)
        bad |= posix_spawn_file_actions_addchdir_np(&actions, directory);
    bad |= posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    bad |= posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    bad |= posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    if (bad)
        bench_die("cannot prepare to start %s", arguments[0]);
    int failed = posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed)
        return 127;
    if (waitpid(child, &status, 0) < 0)
        bench_die("lost %s: %s", arguments[0], strerror(errno));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
