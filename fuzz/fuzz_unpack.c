/* SPDX-License-Identifier: Apache-2.0 */
/* 'aimg unpack' of an archive of strangers into a folder in which somebody has laid out links that lead elsewhere: nothing may be
 * written outside of it, and nothing that was there may be replaced without --force. */
#include "harness.h"

#include "cmd.h"
#include "constants.h"
#include "interrupt.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

const uint32_t fuzz_focus = 1u << AIMG_FRAME_IMAGE | 1u << AIMG_FRAME_ALIAS | 1u << AIMG_FRAME_RUN | 1u << AIMG_FRAME_MASK;

/* scratch/up/out is unpacked into, so that '..' and '../..' still lie in scratch; scratch/up/guard holds one file. */
static char scratch[64], out[80], archive[32];
static int scratch_fd = -1, archive_fd = -1;

/* Stands in for the tool's own: its handlers would take the fuzzer's signals away. */
void interrupt_install(void)
{
}

bool interrupt_pending(void)
{
    return false;
}

static void write_file(const char *path, const char *text)
{
    int fd = openat(scratch_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    require(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    return place->level == 0 ? 0 : remove(path);
}

static void remove_scratch(void)
{
    (void)nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    (void)rmdir(scratch);
}

/* Names that the seeds have, so that links stand in the way of folders and of files. */
static void lay_out(void)
{
    require(mkdirat(scratch_fd, "up/out", 0755) == 0);
    require(symlinkat("../guard", scratch_fd, "up/out/d0") == 0);
    require(symlinkat("../guard/kept", scratch_fd, "up/out/1") == 0);
    require(mkdirat(scratch_fd, "up/out/d1", 0755) == 0);
    require(symlinkat("../../guard/kept", scratch_fd, "up/out/d1/1.png") == 0);
    write_file("up/out/2", "mine");
}

static void prepare(void)
{
    snprintf(scratch, sizeof scratch, "%s/aimg-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    require(mkdtemp(scratch) != NULL);
    atexit(remove_scratch);
    scratch_fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    archive_fd = memfd_create("archive", MFD_CLOEXEC);
    require(scratch_fd >= 0 && archive_fd >= 0);
    snprintf(out, sizeof out, "%s/up/out", scratch);
    snprintf(archive, sizeof archive, "/proc/self/fd/%d", archive_fd);
    require(mkdirat(scratch_fd, "up", 0755) == 0 && mkdirat(scratch_fd, "up/guard", 0755) == 0);
    write_file("up/guard/kept", "kept");
    stderr = fopen("/dev/null", "we"); /* a sanitizer writes to the descriptor */
    stdout = fopen("/dev/null", "we");
    require(stderr != NULL && stdout != NULL);
}

static bool holds(const char *path, const char *text)
{
    char found[16] = "";
    int fd = openat(scratch_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t bytes = fd < 0 ? -1 : read(fd, found, sizeof found);
    close(fd);
    return bytes == (ssize_t)strlen(text) && memcmp(found, text, (size_t)bytes) == 0;
}

/* So many entries as were laid out there, and no other. */
static void check_folder(const char *path, unsigned expected)
{
    int fd = openat(scratch_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    unsigned count = 0;
    require(directory != NULL);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(directory);
    require(count == expected);
}

/* Whatever was unpacked is a file or a folder that others cannot write to. */
static int check_and_remove(const char *path, const struct stat *status, int type, struct FTW *place)
{
    require(type != FTW_F || S_ISREG(status->st_mode));
    (void)place;
    require((status->st_mode & (S_ISUID | S_ISGID | S_IWOTH)) == 0 || type == FTW_SL || type == FTW_SLN);
    return remove(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct fuzz_script_reader script = script_take(data, &bytes);
    static const struct common_options common = {.quiet = true};
    unsigned choice = script_next(&script);
    bool force = choice & 1;
    char *arguments[] = {"unpack", "--threads", "1", "-C", out, archive, NULL, NULL, NULL};
    int count = 6;
    if (scratch_fd < 0)
        prepare();
    if (force)
        arguments[count++] = "--force";
    if (choice & 2)
        arguments[count++] = "--skip-existing";
    bool laid_out = choice & 1 || choice & 4 || choice & 2;
    require(ftruncate(archive_fd, 0) == 0 && pwrite(archive_fd, data, bytes, 0) == (ssize_t)bytes);
    if (laid_out)
        lay_out();
    int code = cmd_unpack(count, arguments, &common);
    require(code >= EXIT_DONE && code <= EXIT_ARCHIVE && code != EXIT_USAGE);
    require(holds("up/guard/kept", "kept") && (force || !laid_out || holds("up/out/2", "mine")));
    check_folder(".", 1);
    check_folder("up/guard", 1);
    check_folder("up", faccessat(scratch_fd, "up/out", F_OK, 0) == 0 ? 2 : 1);
    (void)nftw(out, check_and_remove, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
