/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "memory.h"
#include "sample.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct fault no_fault = {"none", FAULT_ERRNO, EIO, 0, 1, NULL};

static void copy_file(const char *from, const char *to)
{
    size_t bytes;
    uint8_t *data = sample_load(from, &bytes);
    if (data == NULL || !sample_store(to, data, bytes)) {
        fprintf(stderr, "%s cannot be copied to %s\n", from, to);
        exit(1);
    }
    free(data);
}

void scene_reset(const struct scene *scene)
{
    static const char *const archives[] = {"a.aimg", "b.aimg", "torn.aimg"};
    char *const paths[] = {(char *)(uintptr_t)scene->folder, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    for (FTSENT *entry; walk != NULL && (entry = fts_read(walk)) != NULL;)
        if (entry->fts_info != FTS_D)
            (void)remove(entry->fts_path);
    if (walk != NULL)
        fts_close(walk);
    (void)mkdir(scene->folder, 0777);
    for (unsigned i = 0; i < sizeof archives / sizeof archives[0]; i++) {
        char from[340], to[340];
        snprintf(from, sizeof from, "%s/%s", scene->inputs, archives[i]);
        snprintf(to, sizeof to, "%s/%s", scene->folder, archives[i]);
        copy_file(from, to);
    }
}

static void path_in(const struct scene *scene, const char *name, char path[560])
{
    snprintf(path, 560, "%s/%s", scene->folder, name);
}

static uint64_t target_state(const struct scene *scene, char reason[300])
{
    char path[560];
    if (scene->verb->target == NULL)
        return 0;
    path_in(scene, scene->verb->target, path);
    return state_of_archive(path, reason);
}

static void perform(const struct scene *scene, const char *const *args, const struct fault *fault, long at,
                    struct outcome *outcome)
{
    char *argv[16] = {(char *)(uintptr_t)scene->tool};
    for (unsigned i = 0; args[i] != NULL; i++)
        argv[i + 1] = (char *)(uintptr_t)args[i];
    if (fault->kind == FAULT_MEMORY)
        memory_run(argv, scene->folder, scene->memory_shim, fault, at, outcome);
    else
        inject(argv, scene->folder, fault, at, outcome);
}

bool scene_begin(struct scene *scene, const char *inputs, const char *folder, const struct verb *verb)
{
    char reason[300];
    *scene = (struct scene){.tool = scene->tool, .memory_shim = scene->memory_shim, .verb = verb};
    snprintf(scene->inputs, sizeof scene->inputs, "%s", inputs);
    snprintf(scene->folder, sizeof scene->folder, "%s", folder);
    scene_reset(scene);
    state_of_folder(scene->folder, &scene->before);
    scene->target_before = target_state(scene, reason);
    char path[560];
    path_in(scene, verb->target == NULL ? "a.aimg" : verb->target, path);
    scene->commits_before = state_commits(path);
    perform(scene, verb->args, &no_fault, 0, &scene->clean);
    state_of_folder(scene->folder, &scene->after);
    scene->target_after = target_state(scene, reason);
    bool writes = verb->effect == VERB_CHANGES || (verb->effect == VERB_MAKES && strcmp(verb->target, "a.aimg") != 0);
    return scene->clean.started && scene->clean.exit_code >= 0 && scene->clean.exit_code <= 1 && scene->target_after != 1 &&
           (!writes || scene->target_after != scene->target_before);
}

/* ------------------------------------------------------------------ what is wrong */

#define WRONG(...)                          \
    do {                                    \
        snprintf(reason, 400, __VA_ARGS__); \
        return;                             \
    } while (0)

/* Without this what was said would be about nothing. */
static bool names_something(const char *message)
{
    static const char *const things[] = {".aimg", "../", "out", "standard output", "memory", "thread", "folder", NULL};
    for (unsigned i = 0; things[i] != NULL; i++)
        if (strstr(message, things[i]) != NULL)
            return true;
    return false;
}

static void check_message(const struct scene *scene, char reason[400])
{
    char path[560];
    size_t bytes;
    path_in(scene, "stderr", path);
    char *message = (char *)sample_load(path, &bytes);
    if (message == NULL)
        WRONG("no stderr");
    message = realloc(message, bytes + 1);
    message[bytes] = '\0';
    if (strncmp(message, "aimg: ", 6) != 0 || !names_something(message))
        snprintf(reason, 400, "the message names no file: '%.200s'", message);
    free(message);
}

static bool is_allowed(const struct scene *scene, const char *name)
{
    return state_find(&scene->before, name) != 0 || state_find(&scene->after, name) != 0 ||
           (scene->verb->leftover != NULL && strcmp(scene->verb->leftover, name) == 0);
}

/* Files that must not change did not; what is new is what the verb makes, whole. */
static void check_files(const struct scene *scene, bool done, bool untidy, char reason[400])
{
    static struct state_folder now;
    state_of_folder(scene->folder, &now);
    for (unsigned i = 0; i < now.count; i++) {
        const char *name = now.names[i];
        if (strcmp(name, "stderr") == 0 || (strcmp(name, "stdout") == 0 && !done) ||
            (scene->verb->target != NULL && strcmp(name, scene->verb->target) == 0))
            continue;
        if (!is_allowed(scene, name) && !untidy)
            WRONG("%s was left behind", name);
        if (strcmp(name, "stdout") == 0 && scene->verb->warns_only && now.bytes[i] != state_find(&scene->after, name)) {
            check_message(scene, reason);
            continue;
        }
        if (is_allowed(scene, name) && now.bytes[i] != state_find(&scene->before, name) &&
            now.bytes[i] != state_find(&scene->after, name) &&
            (scene->verb->leftover == NULL || strcmp(scene->verb->leftover, name) != 0))
            WRONG("%s has not the bytes that it should have", name);
        if (done && scene->verb->leftover != NULL && strcmp(scene->verb->leftover, name) == 0 && !untidy)
            WRONG("%s was left behind", name);
    }
    for (unsigned i = 0; done && i < scene->after.count; i++)
        if (state_find(&now, scene->after.names[i]) == 0)
            WRONG("%s was not made, and the exit status does not say so", scene->after.names[i]);
}

/* partial: some inputs were left out, and that was said. */
static void check_target(const struct scene *scene, bool done, bool partial, bool torn_tail, char reason[400])
{
    char path[560], why[300] = "";
    const struct verb *verb = scene->verb;
    if (verb->target == NULL)
        return;
    path_in(scene, verb->target, path);
    uint64_t state = target_state(scene, why);
    if (state != scene->target_before && state != scene->target_after && (!partial || state == 1))
        WRONG("%s is neither as before nor as it should become: %s", verb->target, why);
    if (done && state != scene->target_after)
        WRONG("%s was not changed, and the exit status does not say so", verb->target);
    if (verb->effect == VERB_CHANGES && state_at(path, scene->commits_before, why) != scene->target_before)
        WRONG("what %s held before is not in it any more: %s", verb->target, why);
    if (state != 0 && !state_is_sound(path, torn_tail, why))
        WRONG("%s is not sound: %s", verb->target, why);
}

/* What a user does next works. */
static void check_next(const struct scene *scene, bool partial, char reason[400])
{
    char path[560], why[300] = "";
    const struct verb *verb = scene->verb;
    struct outcome next = {.exit_code = 0};
    if (verb->effect == VERB_READS)
        return;
    if (verb->again[0] != NULL) {
        bool made = verb->effect == VERB_MAKES && strcmp(verb->target, "a.aimg") != 0 && target_state(scene, why) != 0;
        if (!made)
            perform(scene, verb->again, &no_fault, 0, &next);
        if (next.exit_code != 0 && verb->forced[0] != NULL)
            perform(scene, verb->forced, &no_fault, 0, &next);
        if (next.exit_code != 0)
            WRONG("the same again ends with %d", next.exit_code);
        if (verb->target != NULL && !partial && target_state(scene, why) != scene->target_after)
            WRONG("the same again does not make what it should: %s", why);
        if (verb->effect == VERB_UNPACKS)
            check_files(scene, false, true, reason);
    }
    path_in(scene, verb->target == NULL ? "a.aimg" : verb->target, path);
    if (reason[0] == '\0' && !state_grows(path, why))
        WRONG("%s", why);
}

/* Inputs may be left out when it was they that could not be read. */
static bool may_be_partial(const struct scene *scene, const struct outcome *outcome, bool goes_on)
{
    if (scene->verb->salvages && outcome->exit_code == 1)
        return true;
    return scene->verb->leaves_out && outcome->exit_code != 0 && (goes_on || strstr(outcome->path, ".aimg") == NULL);
}

/* verify and repair tell of damage as data. */
static bool found_damage(const struct scene *scene, const struct outcome *outcome)
{
    char path[560];
    bool tells = scene->verb->salvages || strcmp(scene->verb->args[0], "verify") == 0;
    path_in(scene, "stdout", path);
    return tells && outcome->exit_code == 1 && state_of_file(path) != state_find(&scene->after, "stdout");
}

/* killed: at any moment; goes_on: the fault may have kept it from tidying up. */
static void check(const struct scene *scene, const struct outcome *outcome, bool killed, bool goes_on, char reason[400])
{
    int code = outcome->exit_code;
    bool done = !killed && code == scene->clean.exit_code;
    bool partial = !killed && may_be_partial(scene, outcome, goes_on);
    reason[0] = '\0';
    if (outcome->timed_out)
        WRONG("does not end");
    if (!killed && code < 0)
        WRONG("signal %d", -code);
    if (!killed && !done && code != 1 && code != 3 && code != 4)
        WRONG("exit %d", code);
    if (done && outcome->must_fail)
        WRONG("bytes that were written may be lost, and the exit status is %d", code);
    if (outcome->reused)
        WRONG("a file whose sync failed was written to, or synced, again");
    if (!killed && !done && !found_damage(scene, outcome))
        check_message(scene, reason);
    if (reason[0] == '\0')
        check_files(scene, done, killed || goes_on, reason);
    if (reason[0] == '\0')
        check_target(scene, done, partial, killed || goes_on || scene->verb->torn, reason);
    if (reason[0] == '\0' && outcome->fired > 0)
        check_next(scene, partial, reason);
}

static bool must_succeed(const struct scene *scene, const struct fault *fault, const struct outcome *outcome)
{
    if (fault->kind == FAULT_SHORT)
        return true;
    /* The library goes on. The tool has signals restart its calls: of what it opens itself, and of standard output, where the C
     * library gives up, it may tell. */
    bool by_library = scene->verb->effect == VERB_READS && strstr(outcome->call, "open") != NULL;
    return fault->kind == FAULT_ERRNO && fault->error == EINTR && strstr(outcome->path, "stdout") == NULL &&
           (by_library || strstr(outcome->call, "read") != NULL || strstr(outcome->call, "write") != NULL ||
            strcmp(outcome->call, "close") == 0);
}

/* After another process has meddled with a.aimg: what was read before is right, or there is an error. */
static void check_meddled(const struct scene *scene, const struct outcome *outcome, char reason[400])
{
    static struct state_folder now;
    int code = outcome->exit_code;
    bool done = code == scene->clean.exit_code;
    if (outcome->timed_out)
        WRONG("does not end");
    if (code < 0)
        WRONG("signal %d", -code);
    if (!done && code != 1 && code != 3 && code != 4)
        WRONG("exit %d", code);
    if (!done && !found_damage(scene, outcome))
        check_message(scene, reason);
    state_of_folder(scene->folder, &now);
    if (scene->verb->leftover != NULL && state_find(&now, scene->verb->leftover) != 0)
        WRONG("%s was left behind", scene->verb->leftover);
    for (unsigned i = 0; i < now.count && reason[0] == '\0'; i++) {
        const char *name = now.names[i];
        bool output = strncmp(name, "out/", 4) == 0 || (strcmp(name, "stdout") == 0 && done && !scene->verb->warns_only);
        if (output && now.bytes[i] != state_find(&scene->after, name))
            WRONG("%s has not the bytes that it should have", name);
    }
    if (scene->verb->target != NULL && strcmp(scene->verb->target, "c.aimg") == 0) {
        uint64_t state = target_state(scene, (char[300]){""});
        bool salvaged = scene->verb->salvages && code == 1 && state != 1;
        if (state != 0 && state != scene->target_after && !salvaged)
            WRONG("c.aimg is not what it should be");
        if (done && state == 0)
            WRONG("c.aimg was not made, and the exit status does not say so");
    }
}

void scene_run(const struct scene *scene, const struct fault *fault, long at, struct outcome *outcome, char reason[400])
{
    bool killed = fault->kind == FAULT_KILL || fault->kind == FAULT_KILL_HALF;
    reason[0] = '\0';
    scene_reset(scene);
    perform(scene, scene->verb->args, fault, at, outcome);
    if (!outcome->started)
        WRONG("the program could not be run");
    if (fault->kind == FAULT_MEDDLE) {
        check_meddled(scene, outcome, reason);
        return;
    }
    killed = killed && outcome->fired > 0;
    if (killed && outcome->exit_code != -9)
        WRONG("was not killed");
    if (outcome->fired > 0 && must_succeed(scene, fault, outcome) && outcome->exit_code != scene->clean.exit_code)
        WRONG("exit %d, but it should have gone on", outcome->exit_code);
    check(scene, outcome, killed, fault->times == 0, reason);
}
