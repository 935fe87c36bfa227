/* SPDX-License-Identifier: Apache-2.0 */
/* Opening in a fresh process: this program starts itself again. */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <aimg/aimg.h>

#include "files.h"
#include "scale.h"

/* How full malloc's first piece is when main begins is chance: the libraries of all peers have run their constructors. */
#define HEAP_START 100000

static double heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return (double)info.uordblks + (double)info.hblkhd;
}

/* A call that nobody makes otherwise, for who counts the calls between two of them. */
static void marker(void)
{
    syscall(SYS_getppid);
}

/* Tiny values say which they are; of others only the store can know. */
static void check_span(struct span span, const char *name)
{
    uint32_t number = 0;
    int end = 0;
    if (!span.data)
        bench_die("nothing is named %s", name);
    if (sscanf(name, "img/%10" SCNu32 ".jpg%n", &number, &end) == 1 && end == SCALE_NAME_BYTES)
        scale_touch(span, number);
}

int scale_child(const char *store_id, const char *path, const char *name)
{
    const struct store *store = store_by_id(store_id);
    size_t name_bytes = strlen(name);
    void *volatile start = malloc(HEAP_START); /* volatile: else the compiler takes both away */
    free(start);
    double heap = heap_bytes();
    marker();
    double begin = bench_now();
    void *state = store->open(path, NULL);
    double opened = bench_now();
    struct span span = store->find(state, name, name_bytes);
    bench_sink += span.data ? bench_touch(span.data, span.bytes) : 0;
    double end = bench_now();
    marker();
    heap = heap_bytes() - heap;
    check_span(span, name);
    store->close(state);
    printf("%.3f %.3f %.0f\n", (opened - begin) * 1e6, (end - begin) * 1e6, heap);
    return 0;
}

/* Symbols are bound at the start: what the dynamic linker does at the first call of a function is no store's own work. */
static char *child_environment[] = {(char *)"LD_BIND_NOW=1", (char *)"LC_ALL=C", NULL};

static char **child_arguments(const struct bench_options *options, const struct store *store, const char *path, const char *name)
{
    static char *arguments[6];
    arguments[0] = (char *)options->self;
    arguments[1] = (char *)"child";
    arguments[2] = (char *)store->id;
    arguments[3] = (char *)path;
    arguments[4] = (char *)name;
    return arguments;
}

struct scale_opened scale_open_fresh(const struct bench_options *options, const struct store *store, const char *path,
                                     uint32_t number)
{
    char name[SCALE_NAME_BYTES + 1];
    scale_name(name, number);
    return scale_open_name(options, store, path, name);
}

struct scale_opened scale_open_name(const struct bench_options *options, const struct store *store, const char *path,
                                    const char *name)
{
    struct scale_opened opened;
    posix_spawn_file_actions_t actions;
    int ends[2];
    int status = 0;
    pid_t child = 0;
    if (pipe(ends) || posix_spawn_file_actions_init(&actions) ||
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO))
        bench_die("cannot prepare a process: %s", strerror(errno));
    if (posix_spawn(&child, options->self, &actions, NULL, child_arguments(options, store, path, name), child_environment))
        bench_die("cannot start %s", options->self);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    FILE *answer = fdopen(ends[0], "r");
    int fields = answer ? fscanf(answer, "%lf %lf %lf", &opened.open_us, &opened.total_us, &opened.heap_bytes) : 0;
    if (answer)
        fclose(answer);
    if (waitpid(child, &status, 0) < 0 || status || fields != 3)
        bench_die("the process for %s failed", store->id);
    return opened;
}

static void run_traced(char **arguments)
{
    if (!freopen("/dev/null", "w", stdout) || ptrace(PTRACE_TRACEME, 0, NULL, NULL))
        _exit(126);
    execve(arguments[0], arguments, child_environment);
    _exit(127);
}

/* Lets the child run to its next entry into the system. Returns the number of the call, or -1 at its end. */
static long next_call(pid_t child)
{
    for (;;) {
        struct __ptrace_syscall_info info;
        int status = 0;
        if (ptrace(PTRACE_SYSCALL, child, NULL, NULL) || waitpid(child, &status, 0) < 0 || !WIFSTOPPED(status))
            return -1;
        if (WSTOPSIG(status) == (SIGTRAP | 0x80) && ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info) > 0 &&
            info.op == PTRACE_SYSCALL_INFO_ENTRY)
            return (long)info.entry.nr;
    }
}

int scale_count_calls(const struct bench_options *options, const struct store *store, const char *path, uint32_t number)
{
    int status = 0;
    int calls = -1;
    int inside = 0;
    char name[SCALE_NAME_BYTES + 1];
    scale_name(name, number);
    pid_t child = fork();
    if (child < 0)
        bench_die("cannot start a process: %s", strerror(errno));
    if (!child)
        run_traced(child_arguments(options, store, path, name));
    if (waitpid(child, &status, 0) < 0 || !WIFSTOPPED(status))
        return -1; /* tracing is forbidden here, as in some containers */
    ptrace(PTRACE_SETOPTIONS, child, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    for (long call = next_call(child); call >= 0; call = next_call(child)) {
        if (call == SYS_getppid)
            inside = !inside;
        if (inside)
            calls++; /* from -1, so that the first marker makes it 0 */
    }
    return calls;
}

struct ledger {
    size_t now;
    size_t most;
};

static void *count_alloc(void *user, size_t bytes)
{
    struct ledger *ledger = user;
    void *memory = malloc(bytes);
    if (memory)
        ledger->now += malloc_usable_size(memory);
    if (ledger->now > ledger->most)
        ledger->most = ledger->now;
    return memory;
}

static void count_free(void *user, void *memory)
{
    struct ledger *ledger = user;
    ledger->now -= memory ? malloc_usable_size(memory) : 0;
    free(memory);
}

size_t scale_aimg_heap(const char *path, uint32_t number)
{
    struct ledger ledger = {0};
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .allocator = {&ledger, count_alloc, count_free}};
    struct aimg_reader *reader = NULL;
    struct aimg_bytes bytes;
    struct aimg_error error;
    char name[SCALE_NAME_BYTES + 1];
    scale_name(name, number);
    if (aimg_reader_open(path, &options, &reader, &error) ||
        aimg_reader_borrow_name(reader, name, SCALE_NAME_BYTES, 0, &bytes, &error))
        bench_die("aimg: %s", error.message);
    aimg_reader_close(reader);
    if (ledger.now)
        bench_die("aimg: a closed reader kept %zu bytes", ledger.now);
    return ledger.most;
}
