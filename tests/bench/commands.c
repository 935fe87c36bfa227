/* SPDX-License-Identifier: Apache-2.0 */
/* Packing a folder with a command, from its start until the disk has all. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench_options.h"
#include "files.h"
#include "set.h"

#define ROUNDS         7
#define QUICK_ROUNDS   3
#define MOST_ARGUMENTS 12

struct command {
    const char *title;
    int slow;    /* a copy of a folder of small files takes seconds, and its removal longer; once must do */
    int in_root; /* runs in the folder of the set */
    const char *arguments[MOST_ARGUMENTS]; /* "IN", "OUT" and "AIMG" stand for the paths */
};

static const struct command commands[] = {
    {"tar cf", 0, 0, {"tar", "-C", "IN", "-cf", "OUT", ".", NULL}},
    {"aimg pack", 0, 0, {"AIMG", "pack", "--quiet", "--compress", "store", "OUT", "IN", NULL}},
    {"aimg pack, compress auto", 0, 0, {"AIMG", "pack", "--quiet", "--compress", "auto", "OUT", "IN", NULL}},
    {"zip -0", 0, 1, {"zip", "-0", "-q", "-r", "OUT", ".", NULL}},
    {"cp -r", 1, 0, {"cp", "-r", "IN", "OUT", NULL}},
};

static char *fill_in(const struct bench_options *options, const char *argument, const char *in, const char *out)
{
    if (!strcmp(argument, "IN"))
        return (char *)in;
    if (!strcmp(argument, "OUT"))
        return (char *)out;
    return (char *)(strcmp(argument, "AIMG") ? argument : options->tool);
}

/* Seconds; negative when there is no such command here. */
static double run_command(const struct bench_options *options, const struct command *command, const char *in, const char *out)
{
    char *arguments[MOST_ARGUMENTS] = {0};
    for (size_t i = 0; command->arguments[i]; i++)
        arguments[i] = fill_in(options, command->arguments[i], in, out);
    files_sync(in);
    double begin = bench_now();
    int status = files_run(command->in_root ? in : NULL, arguments);
    files_sync(in);
    double seconds = bench_now() - begin;
    if (status && status != 127)
        bench_die("%s exited with %d", command->title, status);
    return status ? -1 : seconds;
}

/* The slow ones come last and are not warmed up: what they leave behind would slow the others down. */
static void run_rounds(const struct bench_options *options, const struct set *set, const char *out, int slow,
                       struct results *results)
{
    unsigned warm = slow ? 0 : 1;
    unsigned rounds = slow ? (unsigned)options->full : bench_rounds(options, ROUNDS, QUICK_ROUNDS);
    for (unsigned round = 0; round < warm + rounds; round++)
        for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
            const struct command *command = &commands[i];
            if (command->slow != slow || !bench_wants(options, command->title))
                continue;
            double seconds = run_command(options, command, set->root, out);
            if (seconds >= 0 && round >= warm)
                results_add(results, "pack", set->name, "command and sync", command->title, "s", seconds);
            files_remove(out);
        }
}

static void run_set(const struct bench_options *options, const char *name, struct results *results)
{
    struct set *set = set_load(name, options->data, options->work);
    char *directory = bench_text("%s/commands", options->work);
    char *out = bench_text("%s/out.zip", directory); /* zip wants its extension */
    files_make_directory(directory);
    results_heading(results, "pack", set->name, set->title);
    run_rounds(options, set, out, 0, results);
    run_rounds(options, set, out, 1, results);
    files_remove(directory);
    free(out);
    free(directory);
    set_free(set);
}

void commands_run(const struct bench_options *options, struct results *results)
{
    static const char *const names[] = {"cifar", "imagenet"};
    for (size_t i = 0; i < 2; i++)
        if (!options->set || !strcmp(options->set, names[i]))
            run_set(options, names[i], results);
}
