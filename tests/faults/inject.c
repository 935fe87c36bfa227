/* SPDX-License-Identifier: Apache-2.0 */
#include "inject.h"

#include "calls.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS_MAX = 60, FILES_MAX = 1024, BREAKPOINT = 0xCC };

struct run {
    pid_t first;
    char archive[400];
    const struct fault *fault;
    long at, seen;
    enum call_class class; /* of the first call that was made to fail */
    struct outcome *outcome;
    bool dirty[FILES_MAX];          /* descriptors with bytes that were not synced */
    char lost[FILES_MAX / 64][200]; /* files whose sync failed */
    unsigned lost_count;
};

static volatile sig_atomic_t too_long;

static void on_alarm(int number)
{
    (void)number;
    too_long = 1;
}

/* ------------------------------------------------------------------ the program */

void inject_enter(const char *folder, int kept)
{
    int nothing = open("/dev/null", O_RDONLY);
    if (chdir(folder) != 0 || nothing < 0)
        _exit(120);
    int out = open("stdout", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0666);
    int err = open("stderr", O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0666);
    if (out < 0 || err < 0 || dup2(nothing, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(120);
    for (int fd = 3; fd < 64; fd++)
        if (fd != kept)
            close(fd);
}

static void become(char *const *argv, const char *folder)
{
    inject_enter(folder, -1);
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || !calls_stop_for_tracer())
        _exit(121);
    execv(argv[0], argv);
    _exit(122);
}

/* Where the program begins, its libraries being there. */
static uint64_t entry_of(pid_t pid)
{
    char path[40];
    Elf64_auxv_t entry = {.a_type = AT_NULL};
    snprintf(path, sizeof path, "/proc/%d/auxv", pid);
    FILE *file = fopen(path, "rb");
    while (file != NULL && fread(&entry, sizeof entry, 1, file) == 1 && entry.a_type != AT_ENTRY && entry.a_type != AT_NULL)
        continue;
    if (file != NULL)
        fclose(file);
    return entry.a_type == AT_ENTRY ? entry.a_un.a_val : 0;
}

static bool wait_for_trap(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
        if (WSTOPSIG(status) == SIGTRAP && status >> 16 == 0)
            return true;
        ptrace(PTRACE_CONT, pid, NULL, NULL); /* a call of the loader */
    }
    return false;
}

static bool run_to_entry(pid_t pid)
{
    struct user_regs_struct registers;
    if (!wait_for_trap(pid))
        return false;
    uint64_t entry = entry_of(pid);
    long options = PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACESYSGOOD;
    errno = 0;
    long word = ptrace(PTRACE_PEEKTEXT, pid, (void *)entry, NULL);
    if (entry == 0 || errno != 0 || ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)options) != 0)
        return false;
    ptrace(PTRACE_POKETEXT, pid, (void *)entry, (void *)((word & ~0xFFL) | BREAKPOINT));
    ptrace(PTRACE_CONT, pid, NULL, NULL);
    if (!wait_for_trap(pid))
        return false;
    ptrace(PTRACE_POKETEXT, pid, (void *)entry, (void *)word);
    ptrace(PTRACE_GETREGS, pid, NULL, &registers);
    registers.rip = entry;
    return ptrace(PTRACE_SETREGS, pid, NULL, &registers) == 0;
}

/* ------------------------------------------------------------------ one call */

static void path_of(pid_t pid, int fd, char *out, size_t bytes)
{
    char link_path[48];
    snprintf(link_path, sizeof link_path, "/proc/%d/fd/%d", pid, fd);
    ssize_t got = readlink(link_path, out, bytes - 1);
    out[got < 0 ? 0 : got] = '\0';
}

static void text_of(pid_t pid, uint64_t address, char *out, size_t bytes)
{
    struct iovec here = {out, bytes - 1}, there = {(void *)(uintptr_t)address, bytes - 1};
    ssize_t got = process_vm_readv(pid, &here, 1, &there, 1, 0);
    for (; got <= 0 && here.iov_len > 1; got = process_vm_readv(pid, &here, 1, &there, 1, 0))
        here.iov_len = there.iov_len = here.iov_len / 2; /* the text may end where memory does */
    out[got < 0 ? 0 : got] = '\0';
}

static void describe(struct run *run, pid_t pid, const struct call_kind *kind, const struct user_regs_struct *registers)
{
    struct outcome *outcome = run->outcome;
    snprintf(outcome->call, sizeof outcome->call, "%s", kind->name);
    if (kind->on_fd && (int)registers->rdi >= 0)
        path_of(pid, (int)registers->rdi, outcome->path, sizeof outcome->path);
    else if (kind->class == CALL_OPEN || kind->class == CALL_NAME || kind->on_fd)
        text_of(pid, strstr(kind->name, "at") != NULL ? registers->rsi : registers->rdi, outcome->path, sizeof outcome->path);
}

static void to_end_of_call(pid_t pid)
{
    int status;
    ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
    waitpid(pid, &status, __WALL);
}

static void refuse(pid_t pid, const struct call_kind *kind, struct user_regs_struct *registers, int error)
{
    if (strcmp(kind->name, "brk") == 0) {
        unsigned long long wanted = registers->rdi;
        registers->rdi = 0; /* answers as one that was refused: with the end as it is */
        ptrace(PTRACE_SETREGS, pid, NULL, registers);
        to_end_of_call(pid);
        ptrace(PTRACE_GETREGS, pid, NULL, registers);
        registers->rdi = wanted;
    } else if (kind->class == CALL_CLOSE) {
        to_end_of_call(pid);
        ptrace(PTRACE_GETREGS, pid, NULL, registers);
        registers->rax = (unsigned long long)-(long long)error;
    } else {
        registers->orig_rax = (unsigned long long)-1;
        registers->rax = (unsigned long long)-(long long)error;
    }
    ptrace(PTRACE_SETREGS, pid, NULL, registers);
}

/* The length of the first piece that is not empty; *place_out: where that is said. */
static uint64_t first_piece(pid_t pid, struct user_regs_struct *registers, uint64_t *place_out)
{
    uint64_t bytes = 0;
    for (; registers->rdx > 0; registers->rsi += sizeof(struct iovec), registers->rdx--) {
        *place_out = registers->rsi + offsetof(struct iovec, iov_len);
        bytes = (uint64_t)ptrace(PTRACE_PEEKDATA, pid, (void *)(uintptr_t)*place_out, NULL);
        if (bytes > 0)
            break;
    }
    registers->rdx = 1;
    return bytes;
}

/* Half of the bytes, and at least one. The call is over when this returns. */
static void shorten(pid_t pid, const struct call_kind *kind, struct user_regs_struct *registers)
{
    struct user_regs_struct before = *registers;
    uint64_t place = 0, bytes = registers->rdx;
    if (kind->of_pieces)
        bytes = first_piece(pid, registers, &place);
    uint64_t half = bytes > 1 ? bytes / 2 : bytes;
    if (kind->of_pieces)
        ptrace(PTRACE_POKEDATA, pid, (void *)(uintptr_t)place, (void *)(uintptr_t)half);
    else
        registers->rdx = half;
    ptrace(PTRACE_SETREGS, pid, NULL, registers);
    to_end_of_call(pid);
    if (kind->of_pieces)
        ptrace(PTRACE_POKEDATA, pid, (void *)(uintptr_t)place, (void *)(uintptr_t)bytes);
    ptrace(PTRACE_GETREGS, pid, NULL, registers);
    before.rax = registers->rax;
    before.rip = registers->rip;
    before.rcx = registers->rcx;
    before.r11 = registers->r11;
    before.orig_rax = registers->orig_rax;
    ptrace(PTRACE_SETREGS, pid, NULL, &before);
}

static bool has_bytes(const struct call_kind *kind)
{
    return strcmp(kind->name, "ftruncate") != 0 && strcmp(kind->name, "fallocate") != 0 &&
           strcmp(kind->name, "copy_file_range") != 0;
}

/* What befalls the call. */
static void strike(struct run *run, pid_t pid, const struct call_kind *kind, struct user_regs_struct *registers)
{
    switch (run->fault->kind) {
    case FAULT_ERRNO:
        refuse(pid, kind, registers, run->fault->error);
        break;
    case FAULT_END:
        refuse(pid, kind, registers, 0);
        break;
    case FAULT_SHORT:
        shorten(pid, kind, registers);
        break;
    case FAULT_KILL_HALF:
        shorten(pid, kind, registers);
        kill(run->first, SIGKILL);
        break;
    case FAULT_KILL:
        refuse(pid, kind, registers, EIO); /* or it might still be done */
        kill(run->first, SIGKILL);
        break;
    case FAULT_MEDDLE:
        run->fault->meddle(run->archive);
        break;
    case FAULT_MEMORY: /* no call of the system */
        break;
    }
}

static bool is_lost(const struct run *run, const char *path)
{
    for (unsigned i = 0; i < run->lost_count; i++)
        if (strcmp(run->lost[i], path) == 0)
            return true;
    return false;
}

/* Keeps book on what was written and not synced. */
static void follow(struct run *run, pid_t pid, const struct call_kind *kind, const struct user_regs_struct *registers)
{
    char path[200];
    int fd = (int)registers->rdi;
    if (!kind->on_fd || fd < 3 || fd >= FILES_MAX)
        return;
    if (kind->class == CALL_WRITE && has_bytes(kind))
        run->dirty[fd] = true;
    if (kind->class == CALL_SYNC || kind->class == CALL_CLOSE)
        run->dirty[fd] = false;
    if (run->lost_count > 0 && (kind->class == CALL_SYNC || (kind->class == CALL_WRITE && has_bytes(kind)))) {
        path_of(pid, fd, path, sizeof path);
        if (is_lost(run, path))
            run->outcome->reused = true;
    }
}

static void note_failure(struct run *run, pid_t pid, const struct call_kind *kind, int fd)
{
    bool dirty = fd >= 0 && fd < FILES_MAX && run->dirty[fd];
    if (run->fault->kind != FAULT_ERRNO)
        return;
    if (kind->class == CALL_SYNC || (kind->class == CALL_CLOSE && dirty && run->fault->error != EINTR))
        run->outcome->must_fail = true;
    if (kind->class == CALL_SYNC && run->lost_count < FILES_MAX / 64) {
        char *path = run->lost[run->lost_count];
        path_of(pid, fd, path, sizeof run->lost[0]);
        struct stat info; /* folders have no bytes that could be lost behind one's back */
        run->lost_count += stat(path, &info) != 0 || S_ISREG(info.st_mode);
    }
}

static void on_call(struct run *run, pid_t pid)
{
    struct user_regs_struct registers;
    ptrace(PTRACE_GETREGS, pid, NULL, &registers);
    const struct call_kind *kind = call_kind_of((long)registers.orig_rax);
    if (kind == NULL || (kind->on_fd && (int)registers.rdi == STDERR_FILENO))
        return;
    bool any = run->fault->kind == FAULT_ERRNO || run->fault->kind == FAULT_KILL || run->fault->kind == FAULT_MEDDLE;
    bool counted = (run->fault->classes >> kind->class & 1) != 0 && (any || has_bytes(kind));
    run->seen += counted;
    long *fired = &run->outcome->fired;
    bool first = counted && run->at > 0 && run->seen == run->at;
    bool next = *fired > 0 && kind->class == run->class && (run->fault->times == 0 || *fired < (long)run->fault->times);
    if (!first && !(next && counted)) {
        follow(run, pid, kind, &registers);
        return;
    }
    if (first) {
        run->class = kind->class;
        describe(run, pid, kind, &registers);
    }
    ++*fired;
    follow(run, pid, kind, &registers);
    if (kind->class == CALL_CLOSE && registers.rdi < FILES_MAX)
        run->dirty[registers.rdi] = false;
    note_failure(run, pid, kind, kind->on_fd ? (int)registers.rdi : -1);
    strike(run, pid, kind, &registers);
}

/* ------------------------------------------------------------------ all of them */

static void follow_to_end(struct run *run)
{
    int status;
    for (;;) {
        pid_t pid = waitpid(-1, &status, __WALL);
        if (too_long) {
            run->outcome->timed_out = true;
            kill(run->first, SIGKILL);
            too_long = 0;
        }
        if (pid < 0 && errno == EINTR)
            continue;
        if (pid < 0)
            return;
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            if (pid == run->first)
                run->outcome->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
            continue;
        }
        int number = WSTOPSIG(status), event = status >> 16;
        if (event == PTRACE_EVENT_SECCOMP)
            on_call(run, pid);
        bool own = number == SIGTRAP || number == (SIGTRAP | 0x80) || (number == SIGSTOP && pid != run->first);
        ptrace(PTRACE_CONT, pid, NULL, (void *)(intptr_t)(own ? 0 : number));
    }
}

void inject(char *const *argv, const char *folder, const struct fault *fault, long at, struct outcome *outcome)
{
    static struct run run;
    struct sigaction action = {.sa_handler = on_alarm};
    *outcome = (struct outcome){.exit_code = -1};
    run = (struct run){.fault = fault, .at = at, .outcome = outcome};
    snprintf(run.archive, sizeof run.archive, "%s/a.aimg", folder);
    fflush(NULL);
    run.first = fork();
    if (run.first == 0)
        become(argv, folder);
    sigaction(SIGALRM, &action, NULL);
    outcome->started = run.first > 0 && run_to_entry(run.first);
    if (!outcome->started) {
        kill(run.first, SIGKILL);
        waitpid(run.first, NULL, __WALL);
        return;
    }
    alarm(SECONDS_MAX);
    ptrace(PTRACE_CONT, run.first, NULL, NULL);
    follow_to_end(&run);
    alarm(0);
}

bool inject_possible(void)
{
    char *argv[] = {(char *)(uintptr_t) "/bin/true", NULL};
    static const struct fault none = {"none", FAULT_ERRNO, EIO, 0, 1, NULL};
    struct outcome outcome;
    inject(argv, "/tmp", &none, 0, &outcome);
    return outcome.started && outcome.exit_code == 0;
}
