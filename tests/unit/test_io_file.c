/* SPDX-License-Identifier: Apache-2.0 */
/* Files: what may be opened, the lock, whole reads and writes, the map, a file that was replaced or cut. */
#include "io.h"
#include "sample.h"
#include "sanitized.h"
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

static struct aimg_io io, other;
static struct aimg_error error;
enum { UNLIMITED = 9 }; /* exit code of a child */

static void check_kinds(void)
{
    EXPECT_EQ_INT(aimg_io_file_open(&io, sample_path("nothing"), AIMG_IO_READ, &error), AIMG_NOT_FOUND);
    EXPECT(error.status == AIMG_NOT_FOUND && error.sys_errno == ENOENT);
    EXPECT_EQ_INT(aimg_io_file_open(&io, sample_path("nothing"), AIMG_IO_WRITE, NULL), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(aimg_io_file_open(&io, "/", AIMG_IO_READ, &error), AIMG_NOT_ARCHIVE);
    EXPECT_EQ_INT(aimg_io_file_open(&io, "/", AIMG_IO_WRITE, &error), AIMG_NOT_ARCHIVE);
    EXPECT_EQ_INT(aimg_io_file_open(&io, "/dev/null", AIMG_IO_READ, &error), AIMG_NOT_ARCHIVE);
    EXPECT_EQ_INT(aimg_io_file_open(&io, "/dev/null/x", AIMG_IO_READ, &error), AIMG_IO);
    EXPECT_EQ_INT(error.sys_errno, ENOTDIR);
    REQUIRE(mkfifo(sample_path("pipe"), 0600) == 0); /* opening one must not wait for a writer */
    EXPECT_EQ_INT(aimg_io_file_open(&io, sample_path("pipe"), AIMG_IO_READ, &error), AIMG_NOT_ARCHIVE);
    EXPECT_EQ_INT(aimg_io_file_open(&io, sample_path("pipe"), AIMG_IO_WRITE, &error), AIMG_NOT_ARCHIVE);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", sample_path("socket"));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    REQUIRE(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    EXPECT_EQ_INT(aimg_io_file_open(&io, sample_path("socket"), AIMG_IO_READ, &error), AIMG_IO);
    close(fd);
    REQUIRE(sample_store(sample_path("there"), "x", 1));
    EXPECT_EQ_INT(aimg_io_file_create(&io, sample_path("there"), &error), AIMG_EXISTS);
    REQUIRE(symlink("nowhere", sample_path("dangling")) == 0);
    EXPECT_EQ_INT(aimg_io_file_create(&io, sample_path("dangling"), &error), AIMG_EXISTS);
    EXPECT_EQ_INT(aimg_io_file_create(&io, sample_path("no/such/folder"), &error), AIMG_IO);
}

/* Standard input may be closed: the archive must not become it. */
static void check_low_descriptors(void)
{
    pid_t child = fork();
    if (child == 0) {
        close(0);
        close(1);
        enum aimg_status status = aimg_io_file_open(&io, sample_path("there"), AIMG_IO_READ, &error);
        _exit(status == AIMG_OK && io.fd > 2 && fcntl(0, F_GETFD) < 0 && (fcntl(io.fd, F_GETFD) & FD_CLOEXEC) != 0 ? 0 : 1);
    }
    int result;
    REQUIRE(waitpid(child, &result, 0) == child);
    EXPECT_EQ_INT(result, 0);
}

static void check_reading(void)
{
    char text[16];
    uint64_t bytes;
    REQUIRE(aimg_io_file_create(&io, sample_path("text"), &error) == AIMG_OK);
    EXPECT_EQ_INT(io.ops->write_at(&io, 0, "hello ", 6, "world", 5, &error), AIMG_OK);
    EXPECT_EQ_INT(io.ops->write_at(&io, 20, "", 0, "end", 3, &error), AIMG_OK);
    EXPECT_EQ_INT(io.ops->write_at(&io, 5, "-", 1, NULL, 0, &error), AIMG_OK);
    EXPECT(io.ops->size(&io, &bytes, &error) == AIMG_OK && bytes == 23);
    EXPECT_EQ_INT(io.ops->read_at(&io, 0, text, 11, &error), AIMG_OK);
    EXPECT_EQ_BYTES(text, "hello-world", 11);
    EXPECT_EQ_INT(io.ops->read_at(&io, 11, text, 12, &error), AIMG_OK);
    EXPECT_EQ_BYTES(text, "\0\0\0\0\0\0\0\0\0end", 12);
    EXPECT_EQ_INT(io.ops->read_at(&io, 20, text, 4, &error), AIMG_TRUNCATED);
    EXPECT_EQ_INT(io.ops->read_at(&io, 100, text, 1, &error), AIMG_TRUNCATED);
    EXPECT_EQ_INT(io.ops->sync(&io, &error), AIMG_OK);
    io.ops->flush_soon(&io, 0, 23);
    io.ops->forget(&io, 0, 23);
    io.ops->announce(&io, 0, 23);
    EXPECT_EQ_INT(io.ops->truncate(&io, 5, &error), AIMG_OK);
    EXPECT(io.ops->size(&io, &bytes, &error) == AIMG_OK && bytes == 5);
    EXPECT_EQ_INT(io.ops->close(&io, &error), AIMG_OK);
}

static void check_lock(void)
{
    REQUIRE(aimg_io_file_open(&io, sample_path("text"), AIMG_IO_WRITE, &error) == AIMG_OK);
    EXPECT_EQ_INT(aimg_io_file_open(&other, sample_path("text"), AIMG_IO_WRITE, &error), AIMG_BUSY); /* by the same process too */
    EXPECT_EQ_INT(aimg_io_file_open(&other, sample_path("text"), AIMG_IO_READ, &error), AIMG_OK);    /* who reads does not ask */
    EXPECT_EQ_INT(other.ops->close(&other, &error), AIMG_OK);
    int fd = open(sample_path("text"), O_RDONLY); /* closing another descriptor of the file must not drop the lock */
    close(fd);
    EXPECT_EQ_INT(aimg_io_file_open(&other, sample_path("text"), AIMG_IO_WRITE, &error), AIMG_BUSY);
    EXPECT_EQ_INT(io.ops->close(&io, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_io_file_open(&other, sample_path("text"), AIMG_IO_WRITE, &error), AIMG_OK);
    EXPECT_EQ_INT(other.ops->close(&other, &error), AIMG_OK);
}

static void check_same(void)
{
    const char *path = sample_path("same"), *aside = sample_path("aside");
    REQUIRE(sample_store(path, "abc", 3) && sample_store(aside, "abc", 3));
    REQUIRE(aimg_io_file_open(&io, path, AIMG_IO_READ, &error) == AIMG_OK);
    EXPECT_EQ_INT(aimg_io_file_same(&io, path, &error), AIMG_OK);
    REQUIRE(rename(aside, path) == 0);
    EXPECT_EQ_INT(aimg_io_file_same(&io, path, &error), AIMG_REPLACED);
    REQUIRE(unlink(path) == 0);
    EXPECT_EQ_INT(aimg_io_file_same(&io, path, &error), AIMG_REPLACED);
    EXPECT_EQ_INT(io.ops->close(&io, &error), AIMG_OK);
}

static atomic_bool replacing;
static atomic_uint replaced;

/* Until it is told to stop, or cannot go on: then nobody is `replacing` any more. */
static void *replace_on_and_on(void *path)
{
    char aside[512];
    snprintf(aside, sizeof aside, "%s.aside", (const char *)path);
    while (atomic_load(&replacing))
        if (sample_store(aside, "abc", 3) && rename(aside, path) == 0)
            atomic_fetch_add(&replaced, 1);
        else
            atomic_store(&replacing, false);
    return NULL;
}

/* Whoever opens to write has the file that the path names then, however often another takes its place. */
static void check_replaced_on_and_on(void)
{
    enum { OPENED = 20000, REPLACED = 2000 };
    char path[256];
    pthread_t thread;
    snprintf(path, sizeof path, "%s", sample_path("replaced"));
    REQUIRE(sample_store(path, "abc", 3));
    atomic_store(&replacing, true);
    REQUIRE(pthread_create(&thread, NULL, replace_on_and_on, path) == 0);
    for (unsigned i = 0; atomic_load(&replacing) && (i < OPENED || atomic_load(&replaced) < REPLACED); i++) {
        if (!EXPECT_EQ_INT(aimg_io_file_open(&io, path, AIMG_IO_WRITE, &error), AIMG_OK))
            break;
        EXPECT_EQ_INT(io.ops->close(&io, &error), AIMG_OK);
    }
    EXPECT(atomic_exchange(&replacing, false)); /* it did not end by itself */
    pthread_join(thread, NULL);
    EXPECT(atomic_load(&replaced) >= REPLACED);
}

static unsigned pauses;
static unsigned close_in_pause; /* the one in which `io` gives its lock back; 0: none */

/* The library's own pauses, in the place of the C library's function: they show that it waits. */
int nanosleep(const struct timespec *pause, struct timespec *left)
{
    if (++pauses == close_in_pause)
        EXPECT_EQ_INT(io.ops->close(&io, &error), AIMG_OK);
    errno = clock_nanosleep(CLOCK_REALTIME, 0, pause, left);
    return errno == 0 ? 0 : -1;
}

static void on_signal(int number)
{
    (void)number;
}

/* Waiting for the lock: until it is free, or a signal comes. */
static void check_wait(void)
{
    struct aimg_error waited;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct itimerval on_and_on = {.it_value = {.tv_usec = 50000}, .it_interval = {.tv_usec = 50000}}, off = {.it_value = {0}};
    REQUIRE(sample_store(sample_path("wait"), "abc", 3));
    REQUIRE(aimg_io_file_open(&io, sample_path("wait"), AIMG_IO_WRITE, &error) == AIMG_OK);
    EXPECT_EQ_INT(aimg_io_file_open(&other, sample_path("nothing"), AIMG_IO_WRITE_WAIT, &waited), AIMG_NOT_FOUND);
    EXPECT_EQ_UINT(pauses, 0);
    close_in_pause = 3;
    EXPECT_EQ_INT(aimg_io_file_open(&other, sample_path("wait"), AIMG_IO_WRITE_WAIT, &waited), AIMG_OK);
    EXPECT_EQ_UINT(pauses, 3);
    close_in_pause = 0;
    REQUIRE(sigaction(SIGALRM, &action, NULL) == 0);
    REQUIRE(setitimer(ITIMER_REAL, &on_and_on, NULL) == 0); /* again: the first may come before the pause does */
    EXPECT_EQ_INT(aimg_io_file_open(&io, sample_path("wait"), AIMG_IO_WRITE_WAIT, &waited), AIMG_BUSY);
    EXPECT(pauses > 3);
    REQUIRE(setitimer(ITIMER_REAL, &off, NULL) == 0);
    EXPECT_EQ_INT(other.ops->close(&other, &error), AIMG_OK);
}

/* The map grows; what was borrowed of it stays. */
static void check_map(void)
{
    const char *path = sample_path("map");
    char page[4096];
    memset(page, 'm', sizeof page);
    REQUIRE(sample_store(path, page, sizeof page));
    REQUIRE(aimg_io_file_open(&io, path, AIMG_IO_READ, &error) == AIMG_OK);
    EXPECT_EQ_INT(aimg_io_file_map(&io, 0, &error), AIMG_OK);
    EXPECT(io.base == NULL);
    EXPECT_EQ_INT(aimg_io_file_map(&io, 1000, &error), AIMG_OK);
    const uint8_t *base = io.base;
    REQUIRE(base != NULL);
    EXPECT(io.base_bytes == 1000 && base[999] == 'm');
    const uint8_t *grown = NULL;
    for (size_t pages = 2; pages <= 50; pages++) {
        FILE *file = fopen(path, "ab");
        REQUIRE(file != NULL && fwrite(page, 1, sizeof page, file) == sizeof page && fclose(file) == 0);
        EXPECT_EQ_INT(aimg_io_file_map(&io, pages * 4096, &error), AIMG_OK);
        EXPECT(io.base_bytes == pages * 4096 && base[999] == 'm' && io.base[pages * 4096 - 1] == 'm');
        grown = grown == NULL ? io.base : grown;
        EXPECT(io.base == grown); /* once it has room it does not move any more */
    }
    EXPECT_EQ_INT(aimg_io_file_map(&io, 4096, &error), AIMG_OK); /* never smaller */
    EXPECT_EQ_UINT(io.base_bytes, 50 * 4096);
    io.ops->expect_random(&io, true);
    io.ops->announce(&io, 100, 5000);
    io.ops->announce(&io, 50 * 4096 - 1, 5000);
    io.ops->announce(&io, UINT64_MAX - 10, 5);
    io.ops->expect_random(&io, false);
    EXPECT_EQ_INT(aimg_io_file_map(&io, UINT64_C(1) << 60, &error), AIMG_LIMIT);
    EXPECT_EQ_INT(io.ops->close(&io, &error), AIMG_OK);
    EXPECT(io.base == NULL && io.fd == -1);
    EXPECT_EQ_INT(io.ops->close(&io, &error), AIMG_OK); /* twice does no harm */
}

/* Limits the address space to less than a map that grows reserves; an emulator that runs this program knows no limit. */
static bool limit_address_space(void)
{
    size_t bytes = (size_t)1 << (sizeof(size_t) < 8 ? 27 : 32);
    struct rlimit limit = {bytes, bytes};
    return setrlimit(RLIMIT_AS, &limit) == 0 &&
           mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) == MAP_FAILED;
}

/* Too little address space to grow into: what is mapped stays. */
static void check_map_without_reserve(void)
{
    pid_t child = fork();
    if (child == 0) {
        if (!limit_address_space())
            _exit(UNLIMITED);
        bool good = aimg_io_file_open(&io, sample_path("map"), AIMG_IO_READ, &error) == AIMG_OK &&
                    aimg_io_file_map(&io, 4096, &error) == AIMG_OK && io.base[4095] == 'm' &&
                    aimg_io_file_map(&io, 8192, &error) == AIMG_IO && io.base_bytes == 4096 && io.base[4095] == 'm' &&
                    io.ops->close(&io, &error) == AIMG_OK;
        _exit(good ? 0 : 1);
    }
    int result;
    REQUIRE(waitpid(child, &result, 0) == child);
    if (WIFEXITED(result) && WEXITSTATUS(result) == UNLIMITED)
        printf("test_io_file: skipped: the address space has no limit here\n");
    else
        EXPECT_EQ_INT(result, 0);
}

static void check_errors(void)
{
    REQUIRE(aimg_io_file_open(&io, sample_path("map"), AIMG_IO_READ, &error) == AIMG_OK);
    EXPECT_EQ_INT(io.ops->write_at(&io, 0, "x", 1, NULL, 0, &error), AIMG_IO); /* opened for reading */
    EXPECT_EQ_INT(error.sys_errno, EBADF);
    EXPECT(io.ops->truncate(&io, 1, &error) == AIMG_IO);
    (void)io.ops->close(&io, NULL);
    char text[4];
    EXPECT_EQ_INT(io.ops->read_at(&io, 0, text, 4, &error), AIMG_IO);
    EXPECT_EQ_INT(io.ops->sync(&io, &error), AIMG_IO);
    uint64_t bytes = 5;
    EXPECT(io.ops->size(&io, &bytes, &error) == AIMG_IO && bytes == 5);
    EXPECT_EQ_INT(aimg_io_file_same(&io, sample_path("map"), &error), AIMG_IO);
    uint8_t a[16], b[16];
    EXPECT(aimg_io_random(a, sizeof a, &error) == AIMG_OK && aimg_io_random(b, sizeof b, &error) == AIMG_OK &&
           memcmp(a, b, sizeof a) != 0);
    EXPECT(aimg_io_now_ns() > UINT64_C(1600000000000000000));
}

/* A disk that is full in the midst of a write: what fitted is written, and the rest is an error. */
static void check_full(void)
{
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {10000, 10000};
        char block[6000] = {0};
        uint64_t bytes = 0;
        signal(SIGXFSZ, SIG_IGN);
        bool good = aimg_io_file_create(&io, sample_path("full"), &error) == AIMG_OK && setrlimit(RLIMIT_FSIZE, &limit) == 0 &&
                    io.ops->write_at(&io, 0, block, sizeof block, NULL, 0, &error) == AIMG_OK &&
                    io.ops->write_at(&io, sizeof block, block, sizeof block, block, sizeof block, &error) == AIMG_IO &&
                    error.sys_errno == EFBIG && io.ops->size(&io, &bytes, &error) == AIMG_OK && bytes == 10000;
        _exit(good ? 0 : 1);
    }
    int result;
    REQUIRE(waitpid(child, &result, 0) == child);
    EXPECT_EQ_INT(result, 0);
    (void)unlink(sample_path("full"));
}

int main(void)
{
    check_kinds();
    check_low_descriptors();
    check_reading();
    check_lock();
    check_same();
    check_replaced_on_and_on();
    check_wait();
    check_map();
    if (!TEST_SANITIZED) /* a sanitizer needs more address space than that */
        check_map_without_reserve();
    check_errors();
    check_full();
    return test_end("test_io_file");
}
