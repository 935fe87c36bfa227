/* SPDX-License-Identifier: Apache-2.0 */
#include "model_shrink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECONDS 20u

bool model_fails(const struct model_sequence *sequence, const struct model_manner *manner, char *reason)
{
    struct model_outcome *outcome = mmap(NULL, sizeof *outcome, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int ended = 0;
    if (outcome == MAP_FAILED)
        abort();
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (!manner->say)
            (void)!freopen("/dev/null", "w", stderr);
        (void)alarm(SECONDS);
        model_run_sequence(sequence, manner, outcome);
        exit(outcome->good ? 0 : 1);
    }
    if (child < 0 || waitpid(child, &ended, 0) != child)
        abort();
    bool failed = !WIFEXITED(ended) || WEXITSTATUS(ended) != 0;
    if (failed && WIFSIGNALED(ended))
        snprintf(reason, MODEL_REASON_BYTES, "the program ended by signal %d (%s)", WTERMSIG(ended), strsignal(WTERMSIG(ended)));
    else if (failed && outcome->reason[0] == 0)
        snprintf(reason, MODEL_REASON_BYTES, "the program ended with %d", WEXITSTATUS(ended));
    else if (failed)
        memcpy(reason, outcome->reason, MODEL_REASON_BYTES);
    (void)munmap(outcome, sizeof *outcome);
    return failed;
}

struct shrinking {
    struct model_sequence *best;
    const struct model_manner *manner;
    char *reason;
    unsigned tries;
    time_t end; /* of trying */
};

static time_t now(void)
{
    struct timespec time;
    if (clock_gettime(CLOCK_MONOTONIC, &time) != 0)
        abort();
    return time.tv_sec;
}

/* Takes the smaller sequence when it fails too. */
static bool try(struct shrinking *shrinking, const struct model_sequence *smaller)
{
    if (now() >= shrinking->end)
        return false;
    shrinking->tries++;
    if (!model_fails(smaller, shrinking->manner, shrinking->reason))
        return false;
    *shrinking->best = *smaller;
    return true;
}

static void without(struct model_sequence *out, const struct model_sequence *all, uint32_t first, uint32_t count)
{
    *out = *all;
    count = count < all->count - first ? count : all->count - first;
    memmove(&out->steps[first], &all->steps[first + count], (all->count - first - count) * sizeof out->steps[0]);
    out->count -= count;
}

/* Pieces of steps, smaller and smaller; the first step, which creates, stays. */
static bool drop_steps(struct shrinking *shrinking)
{
    bool any = false;
    struct model_sequence smaller;
    for (uint32_t piece = shrinking->best->count / 2; piece > 0; piece /= 2)
        for (uint32_t at = shrinking->best->count; at-- > 1;) {
            if (at >= shrinking->best->count || (at - 1) % piece != 0)
                continue;
            without(&smaller, shrinking->best, at, piece);
            any = try(shrinking, &smaller) || any;
        }
    return any;
}

/* Numbers that say several things at once lose them one by one. */
static uint32_t candidate(uint32_t number, unsigned way)
{
    switch (way) {
    case 0:
        return 0;
    case 1:
        return number % 3;
    case 2:
        return number % 9;
    case 3:
        return number % 72;
    case 4:
        return number / 2;
    case 5:
        return number - number % 8;
    default:
        return number - 1;
    }
}

static bool lower_numbers(struct shrinking *shrinking)
{
    bool any = false;
    for (uint32_t i = 0; i < shrinking->best->count; i++)
        for (unsigned k = 0; k < MODEL_ARGUMENTS; k++)
            for (unsigned way = 0; way < 7; way++) {
                struct model_sequence smaller = *shrinking->best;
                uint32_t *number = &smaller.steps[i].arguments[k], before = *number;
                if (before == 0)
                    break;
                *number = candidate(before, way);
                any = (*number < before && try(shrinking, &smaller)) || any;
            }
    return any;
}

/* An add, a plain commit or a plain end says more than what it stands for. */
static bool simplify_kinds(struct shrinking *shrinking)
{
    static const struct {
        enum model_kind from, to;
    } ways[] = {{MODEL_REPLACE, MODEL_ADD},   {MODEL_MANY, MODEL_ADD},     {MODEL_ATTACH, MODEL_ADD}, {MODEL_SEAL, MODEL_COMMIT},
                {MODEL_RENAME, MODEL_REMOVE}, {MODEL_CRASH, MODEL_COMMIT}, {MODEL_KILL, MODEL_REOPEN}};
    bool any = false;
    for (uint32_t i = 0; i < shrinking->best->count; i++)
        for (unsigned k = 0; k < sizeof ways / sizeof ways[0]; k++) {
            struct model_sequence smaller = *shrinking->best;
            if (smaller.steps[i].kind != ways[k].from)
                continue;
            smaller.steps[i] = (struct model_step){.kind = ways[k].to};
            any = try(shrinking, &smaller) || any;
        }
    return any;
}

unsigned model_shrink(struct model_sequence *sequence, const struct model_manner *manner, unsigned seconds, char *reason)
{
    struct shrinking shrinking = {.best = sequence, .manner = manner, .reason = reason, .end = now() + (time_t)seconds};
    bool any = true;
    while (any) {
        any = drop_steps(&shrinking);
        any = simplify_kinds(&shrinking) || any;
        any = lower_numbers(&shrinking) || any;
    }
    return shrinking.tries;
}
