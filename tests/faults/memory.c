/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include "memory_shim.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS_MAX = 60 };

static struct memory_plan *plan;
static int plan_fd = -1;

static void share(void)
{
    plan_fd = memfd_create("plan", 0);
    plan = plan_fd < 0 || ftruncate(plan_fd, sizeof *plan) != 0
               ? MAP_FAILED
               : mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED, plan_fd, 0);
    if (plan == MAP_FAILED) {
        fprintf(stderr, "no memory can be shared\n");
        exit(1);
    }
}

void memory_run(char *const *argv, const char *folder, const char *shim, const struct fault *fault, long at,
                struct outcome *outcome)
{
    int status = 0;
    if (plan_fd < 0)
        share();
    *outcome = (struct outcome){.started = true, .exit_code = -1};
    atomic_store(&plan->calls, 0);
    plan->fail_at = (unsigned long)at;
    plan->fail_on = fault->times == 0;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        char text[16];
        snprintf(text, sizeof text, "%d", plan_fd);
        inject_enter(folder, plan_fd);
        setenv("MEMORY_SHIM", text, 1);
        setenv("LD_PRELOAD", shim, 1);
        alarm(SECONDS_MAX); /* stays with the program */
        execv(argv[0], argv);
        _exit(122);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        outcome->started = false;
    outcome->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    unsigned long calls = atomic_load(&plan->calls);
    outcome->fired = at == 0 || calls < (unsigned long)at ? 0 : plan->fail_on ? (long)(calls - (unsigned long)at) + 1 : 1;
    snprintf(outcome->call, sizeof outcome->call, "malloc");
}
