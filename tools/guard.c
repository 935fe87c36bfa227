/* SPDX-License-Identifier: Apache-2.0 */
#include "guard.h"

#include "cmd.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

static _Thread_local sigjmp_buf *landing;
static const char *volatile unfinished; /* path, or NULL */

static void say(const char *text, size_t bytes)
{
    ssize_t ignored = write(STDERR_FILENO, text, bytes);
    (void)ignored;
}

static uintptr_t parse_hex(const char **text)
{
    uintptr_t value = 0;
    for (;; ++*text) {
        char c = **text;
        if (c >= '0' && c <= '9')
            value = value << 4 | (uintptr_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value << 4 | (uintptr_t)(c - 'a' + 10);
        else
            return value;
    }
}

/* A line of /proc/self/maps: "7f00-7f20 r--s 00000000 fe:00 1234   /path". */
static const char *path_when_inside(const char *line, uintptr_t address)
{
    uintptr_t begin = parse_hex(&line);
    if (*line != '-')
        return NULL;
    line++;
    uintptr_t end = parse_hex(&line);
    return address >= begin && address < end ? strchr(line, '/') : NULL;
}

/* Async-signal-safe: system calls and bytes on the stack only. Returns false when the address is in no mapped file. */
static bool say_path(uintptr_t address)
{
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    char line[4096 + 128];
    size_t used = 0;
    bool found = false;
    char next;
    while (!found && read(fd, &next, 1) == 1) {
        if (next != '\n') {
            if (used + 1 < sizeof line)
                line[used++] = next;
            continue;
        }
        line[used] = '\0';
        used = 0;
        const char *path = path_when_inside(line, address);
        if (path != NULL) {
            say(path, strlen(path));
            found = true;
        }
    }
    close(fd);
    return found;
}

static void on_bus_error(int signal_number, siginfo_t *information, void *context)
{
    (void)signal_number;
    (void)context;
    if (landing != NULL)
        siglongjmp(*landing, 1);
    static const char head[] = "aimg: ";
    static const char anonymous[] = "a mapped file";
    static const char tail[] =
        ": bytes that were there when it was opened cannot be read any more: another program cut the file short, or the "
        "disk failed; run the command again when the file is whole\n";
    say(head, sizeof head - 1);
    if (!say_path((uintptr_t)information->si_addr))
        say(anonymous, sizeof anonymous - 1);
    say(tail, sizeof tail - 1);
    if (unfinished != NULL)
        (void)unlink(unfinished);
    _exit(EXIT_SYSTEM);
}

void guard_removes(const char *path)
{
    unfinished = path;
}

void guard_install(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_bus_error;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

bool guard_run(void (*work)(void *user), void *user)
{
    sigjmp_buf here;
    if (sigsetjmp(here, 1) != 0) {
        landing = NULL;
        return false;
    }
    landing = &here;
    work(user);
    landing = NULL;
    return true;
}
