/* SPDX-License-Identifier: Apache-2.0 */
#include "interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

/* How long the wait for the end may be before a word is said. */
enum { SILENT_SECONDS = 1 };

/* Lock-free, so a handler may set it, on whatever thread it runs. */
static atomic_int pending;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    atomic_store(&pending, 1);
    alarm(SILENT_SECONDS);
}

/* The work at hand is a large file: nobody asks interrupt_pending before it is done. */
static void on_alarm(int signal_number)
{
    static const char text[] = "aimg: stopping when the current file is done; Ctrl-C again to stop at once\n";
    (void)signal_number;
    int code = errno;
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    errno = code;
}

void interrupt_install(void)
{
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_interrupt;
    action.sa_flags = (int)SA_RESETHAND | SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_handler = on_alarm;
    sigaction(SIGALRM, &action, NULL);
    action.sa_handler = on_interrupt;
    struct sigaction before;
    /* nohup sets it to be ignored, and means it */
    if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        sigaction(SIGHUP, &action, NULL);
}

bool interrupt_pending(void)
{
    return atomic_load(&pending) != 0;
}
