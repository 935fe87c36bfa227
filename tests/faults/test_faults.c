/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every system call of every verb of the tool fails in turn, or another process meddles with the archive before it. After each
 * fault the archives are as they were or as they should become, the exit status says which, a message names the file, nothing is
 * left behind, and the next command works.
 *
 *   test_faults TOOL SHIM [STEP [OFFSET [JOBS]]]   each STEP-th fault, from OFFSET on (all: 1 0)
 *   test_faults TOOL SHIM replay VERB FAULT N      one of them, with what the tool said
 *
 * SHIM: of memory_shim.c, built.
 */
#include "check.h"
#include "meddle.h"
#include "sanitized.h"
#include "test.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define C(class) (1u << CALL_##class)
#define FILES    (C(OPEN) | C(READ) | C(WRITE) | C(SYNC) | C(CLOSE) | C(NAME) | C(OTHER))

static const struct fault faults[] = {
    {"EIO", FAULT_ERRNO, EIO, FILES, 1, NULL},
    {"EIO-on", FAULT_ERRNO, EIO, FILES, 0, NULL},
    {"ENOSPC", FAULT_ERRNO, ENOSPC, C(OPEN) | C(WRITE) | C(NAME), 1, NULL},
    {"ENOSPC-on", FAULT_ERRNO, ENOSPC, C(OPEN) | C(WRITE) | C(NAME), 0, NULL},
    {"EINTR", FAULT_ERRNO, EINTR, C(OPEN) | C(READ) | C(WRITE) | C(SYNC) | C(CLOSE), 1, NULL},
    {"EINTR-5", FAULT_ERRNO, EINTR, C(OPEN) | C(READ) | C(WRITE), 5, NULL},
    {"EMFILE", FAULT_ERRNO, EMFILE, C(OPEN), 1, NULL},
    {"EMFILE-on", FAULT_ERRNO, EMFILE, C(OPEN), 0, NULL},
    {"ENOMEM", FAULT_ERRNO, ENOMEM, C(MAP), 1, NULL},
    {"ENOMEM-on", FAULT_ERRNO, ENOMEM, C(MAP), 0, NULL},
    {"EAGAIN", FAULT_ERRNO, EAGAIN, C(THREAD), 1, NULL},
    {"EAGAIN-on", FAULT_ERRNO, EAGAIN, C(THREAD), 0, NULL},
    {"short", FAULT_SHORT, 0, C(READ) | C(WRITE), 1, NULL},
    {"short-on", FAULT_SHORT, 0, C(READ) | C(WRITE), 0, NULL},
    {"end", FAULT_END, 0, C(READ), 1, NULL},
    {"end-on", FAULT_END, 0, C(READ), 0, NULL},
    {"kill", FAULT_KILL, 0, C(OPEN) | C(WRITE) | C(SYNC) | C(CLOSE) | C(NAME), 1, NULL},
    {"kill-half", FAULT_KILL_HALF, 0, C(WRITE), 1, NULL},
    {"memory", FAULT_MEMORY, 0, 0, 1, NULL},
    {"memory-on", FAULT_MEMORY, 0, 0, 0, NULL},
    {"cut", FAULT_MEDDLE, 0, ~0u, 1, meddle_cut},
    {"empty", FAULT_MEDDLE, 0, ~0u, 1, meddle_empty},
    {"punch", FAULT_MEDDLE, 0, ~0u, 1, meddle_punch},
    {"overwrite", FAULT_MEDDLE, 0, ~0u, 1, meddle_overwrite},
    {"overwrite-on", FAULT_MEDDLE, 0, ~0u, 0, meddle_overwrite},
};
enum { FAULTS = sizeof faults / sizeof faults[0], JOBS_MAX = 16, PATIENCE = 100000 };

/* Of all processes. */
static struct tally {
    unsigned long injected[FAULTS][64]; /* by fault and verb */
    unsigned long runs, failures;
} * tally;

static char inputs[200];
static const char *tool, *memory_shim;

static void make_inputs(void)
{
    struct stat info;
    const char *base = getenv("TMPDIR");
    if (base == NULL)
        base = stat("/dev/shm", &info) == 0 && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(inputs, sizeof inputs, "%s/aimg-faults.XXXXXX", base);
    REQUIRE(mkdtemp(inputs) != NULL);
    verbs_prepare(tool, inputs);
}

static void remove_inputs(void)
{
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", inputs);
    EXPECT_EQ_INT(system(command), 0);
}

static void report(const struct scene *scene, const struct fault *fault, long at, const struct outcome *outcome,
                   const char *reason)
{
    tally->failures++;
    printf("  %s, %s at call %ld (%s %s), exit %d: %s\n    again: test_faults TOOL SHIM replay %s %s %ld\n", scene->verb->name,
           fault->name, at, outcome->call, outcome->path, outcome->exit_code, reason, scene->verb->name, fault->name, at);
}

static void sweep(const struct scene *scene, unsigned number, long step, long offset)
{
    const struct fault *fault = &faults[number];
    struct outcome outcome = {.fired = 1};
    char reason[400];
    for (long at = 1 + offset; outcome.fired > 0 && at < PATIENCE; at += step) {
        scene_run(scene, fault, at, &outcome, reason);
        tally->runs++;
        tally->injected[number][scene->verb - verbs] += (unsigned long)outcome.fired;
        if (reason[0] != '\0')
            report(scene, fault, at, &outcome, reason);
    }
}

/* A sanitizer has memory of its own, which it cannot do without. */
static bool is_possible(const struct fault *fault, const struct verb *verb)
{
    bool kills = fault->kind == FAULT_KILL || fault->kind == FAULT_KILL_HALF;
    bool untouched = fault->kind == FAULT_MEDDLE && verb->target != NULL && strcmp(verb->target, "p.aimg") == 0;
    if (TEST_SANITIZED && (fault->kind == FAULT_MEMORY || fault->error == ENOMEM))
        return false;
    return !untouched && (!kills || verb->effect != VERB_READS);
}

/* Every jobs-th pair of a verb and a fault. */
static void work(unsigned job, unsigned jobs, long step, long offset)
{
    static struct scene scene;
    char folder[300];
    scene = (struct scene){.tool = tool, .memory_shim = memory_shim};
    snprintf(folder, sizeof folder, "%s/run-%u", inputs, job);
    for (unsigned v = 0, pair = 0; v < verb_count; v++) {
        bool begun = false;
        for (unsigned f = 0; f < FAULTS; f++, pair++) {
            if (pair % jobs != job || !is_possible(&faults[f], &verbs[v]))
                continue;
            if (!begun && !scene_begin(&scene, inputs, folder, &verbs[v])) {
                printf("  %s does not do its work without a fault: exit %d\n", verbs[v].name, scene.clean.exit_code);
                tally->failures++;
                return;
            }
            begun = true;
            sweep(&scene, f, step, (offset + (long)pair) % step);
        }
    }
}

static void work_in_children(unsigned jobs, long step, long offset)
{
    fflush(NULL);
    for (unsigned job = 0; job < jobs; job++) {
        pid_t pid = fork();
        REQUIRE(pid >= 0);
        if (pid == 0) {
            setvbuf(stdout, NULL, _IOLBF, 0);
            work(job, jobs, step, offset);
            fflush(NULL);
            _exit(0);
        }
    }
    for (unsigned job = 0; job < jobs; job++) {
        int status;
        REQUIRE(wait(&status) > 0);
        EXPECT_EQ_INT(status, 0);
    }
}

static unsigned long injected_in_all(void)
{
    unsigned long all = 0;
    for (unsigned f = 0; f < FAULTS; f++)
        for (unsigned v = 0; v < verb_count; v++)
            all += tally->injected[f][v];
    return all;
}

/* One JSON object: what ./dev faults keeps. */
static void print_tally(double seconds)
{
    printf("{\"verbs\": {");
    for (unsigned v = 0; v < verb_count; v++) {
        unsigned long sum = 0;
        for (unsigned f = 0; f < FAULTS; f++)
            sum += tally->injected[f][v];
        printf("%s\"%s\": %lu", v == 0 ? "" : ", ", verbs[v].name, sum);
    }
    printf("}, \"faults\": {");
    for (unsigned f = 0; f < FAULTS; f++) {
        unsigned long sum = 0;
        for (unsigned v = 0; v < verb_count; v++)
            sum += tally->injected[f][v];
        printf("%s\"%s\": %lu", f == 0 ? "" : ", ", faults[f].name, sum);
    }
    printf("}, \"injected\": %lu, \"runs\": %lu, \"failures\": %lu, \"seconds\": %.0f}\n", injected_in_all(), tally->runs,
           tally->failures, seconds);
}

static int replay(const char *verb, const char *fault, long at)
{
    static struct scene scene;
    struct outcome outcome;
    char reason[400] = "no such verb or fault", folder[300], command[800];
    scene = (struct scene){.tool = tool, .memory_shim = memory_shim};
    snprintf(folder, sizeof folder, "%s/run", inputs);
    for (unsigned v = 0; v < verb_count; v++)
        for (unsigned f = 0; f < FAULTS; f++) {
            if (strcmp(verbs[v].name, verb) != 0 || strcmp(faults[f].name, fault) != 0)
                continue;
            REQUIRE(scene_begin(&scene, inputs, folder, &verbs[v]));
            scene_run(&scene, &faults[f], at, &outcome, reason);
            printf("%ld calls failed, the first was %s %s; exit %d\n", outcome.fired, outcome.call, outcome.path,
                   outcome.exit_code);
            fflush(stdout);
            snprintf(command, sizeof command, "cd '%s' && cat stdout stderr && find . -type f", folder);
            EXPECT_EQ_INT(system(command), 0);
        }
    EXPECT_EQ_TEXT(reason, "");
    remove_inputs();
    return test_end("test_faults replay");
}

int main(int argc, char **argv)
{
    struct timespec begin, end;
    REQUIRE(argc >= 3);
    tool = realpath(argv[1], NULL);
    memory_shim = realpath(argv[2], NULL);
    REQUIRE(tool != NULL && memory_shim != NULL);
    (void)setenv("LC_ALL", "C.UTF-8", 1);
    (void)setenv("ASAN_OPTIONS", "detect_leaks=0", 1); /* it cannot look for leaks in a program that is traced */
    if (!inject_possible()) {
        printf("test_faults: skipped: no process may be traced here\n");
        return 0;
    }
    make_inputs();
    if (argc == 7 && strcmp(argv[3], "replay") == 0)
        return replay(argv[4], argv[5], atol(argv[6]));
    long step = argc > 3 ? atol(argv[3]) : 1, offset = argc > 4 ? atol(argv[4]) : 0;
    unsigned jobs = argc > 5 ? (unsigned)atoi(argv[5]) : 2;
    REQUIRE(step > 0 && offset >= 0 && jobs > 0 && jobs <= JOBS_MAX);
    tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(tally != MAP_FAILED);
    clock_gettime(CLOCK_MONOTONIC, &begin);
    work_in_children(jobs, step, offset);
    clock_gettime(CLOCK_MONOTONIC, &end);
    EXPECT_EQ_UINT(tally->failures, 0);
    EXPECT(injected_in_all() >= verb_count); /* or nothing was tested */
    remove_inputs();
    int code = test_end("test_faults");
    print_tally((double)(end.tv_sec - begin.tv_sec));
    return code;
}
