/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench_options.h"
#include "files.h"
#include "grow.h"
#include "report.h"
#include "scale.h"

static const char usage[] = "usage: aimg-bench [quick|full] [options]\n"
                            "  --data DIR        archives of test pictures; where they are missing, pictures are made up\n"
                            "  --work DIR        scratch folder (a full run takes 15 GB)\n"
                            "  --tool FILE       the command-line tool aimg\n"
                            "  --suite NAME      only reads, scale, cold, pack, commands, size, append,\n"
                            "                    commits, columns, compact, dedup or verify\n"
                            "  --set NAME        only cifar or imagenet\n"
                            "  --only NAME       only this contender\n"
                            "  --rounds N        instead of what each suite thinks right\n"
                            "  --count N         scale, append, columns: only this many images\n"
                            "  --keep            use and leave the files of the last run\n"
                            "  --warm            leave out what empties the caches of the whole machine\n"
                            "  --repeats         cold: draw images with repeats, for comparison with programs that do\n"
                            "  --plain           lines of tab-separated medians instead of tables\n"
                            "  --json FILE, --markdown FILE, --commit ID\n";

struct suite {
    const char *name;
    void (*run)(const struct bench_options *options, struct results *results);
};

static const struct suite suites[] = {
    {"reads", reads_run},       {"scale", scale_run},     {"cold", cold_run},     {"pack", pack_run},
    {"commands", commands_run}, {"size", size_run},       {"append", append_run}, {"commits", commits_run},
    {"columns", columns_run},   {"compact", compact_run}, {"dedup", dedup_run},   {"verify", verify_run},
};

struct outputs {
    const char *json;
    const char *markdown;
    const char *commit;
    int plain;
};

int bench_wants(const struct bench_options *options, const char *contender)
{
    return !options->contender || !strcmp(options->contender, contender);
}

unsigned bench_rounds(const struct bench_options *options, unsigned full, unsigned quick)
{
    if (options->rounds)
        return options->rounds;
    return options->full ? full : quick;
}

/* Returns how many arguments it took; 0 when it is none that it knows. */
static int take_option(const char *name, const char *value, struct bench_options *options, struct outputs *outputs)
{
    const struct {
        const char *name;
        const char **text;
    } texts[] = {
        {"--data", &options->data},   {"--work", &options->work},         {"--tool", &options->tool},
        {"--suite", &options->suite}, {"--set", &options->set},           {"--only", &options->contender},
        {"--json", &outputs->json},   {"--markdown", &outputs->markdown}, {"--commit", &outputs->commit},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts && value; i++)
        if (!strcmp(name, texts[i].name)) {
            *texts[i].text = value;
            return 2;
        }
    if (!strcmp(name, "--keep"))
        return options->keep = 1;
    if (!strcmp(name, "--repeats"))
        return options->repeats = 1;
    if (!strcmp(name, "--warm"))
        return options->warm = 1;
    if (!strcmp(name, "--plain"))
        return outputs->plain = 1;
    if (!strcmp(name, "--rounds") && value) {
        options->rounds = (unsigned)strtoul(value, NULL, 10);
        return 2;
    }
    if (!strcmp(name, "--count") && value) {
        options->scale_count = strtoul(value, NULL, 10);
        return 2;
    }
    options->full = !strcmp(name, "full");
    return options->full || !strcmp(name, "quick");
}

static void write_report(const char *path,
                         void (*write)(FILE *, const struct bench_options *, const struct results *, const char *),
                         const struct bench_options *options, const struct results *results, const char *commit)
{
    FILE *out = path ? fopen(path, "we") : NULL;
    if (!path)
        return;
    if (!out)
        bench_die("cannot write %s: %s", path, strerror(errno));
    write(out, options, results, commit);
    if (ferror(out) || fclose(out))
        bench_die("cannot write %s: %s", path, strerror(errno));
}

static void write_tables(FILE *out, const struct bench_options *options, const struct results *results, const char *commit)
{
    report_machine(out, options, commit);
    fputs("Each cell: the median, [the least to the most], and the median of the ratios to the first row within a round.\n\n",
          out);
    report_tables(out, results);
    check_report(out, results);
}

static void run_suites(const struct bench_options *options, struct results *results)
{
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
        if (options->suite && strcmp(options->suite, suites[i].name))
            continue;
        double begin = bench_now();
        suites[i].run(options, results);
        fprintf(stderr, "%s: %.0f s\n", suites[i].name, bench_now() - begin);
    }
    if (!options->keep) {
        grow_clean(options);
        char *containers = bench_text("%s/containers", options->work);
        files_remove(containers);
        free(containers);
    }
}

int main(int count, char **arguments)
{
    struct bench_options options = {.data = "data", .work = "bench-work", .tool = "aimg", .self = "/proc/self/exe"};
    struct outputs outputs = {.commit = "unknown"};
    struct results results = {0};
    if (count == 5 && !strcmp(arguments[1], "child"))
        return scale_child(arguments[2], arguments[3], arguments[4]);
    for (int i = 1; i < count;) {
        int taken = take_option(arguments[i], arguments[i + 1], &options, &outputs);
        if (!taken) {
            fputs(usage, stderr);
            return 2;
        }
        i += taken;
    }
    getloadavg(&options.load, 1);
    files_make_directory(options.work);
    char *work = realpath(options.work, NULL); /* commands run in other folders */
    options.work = work;
    run_suites(&options, &results);
    if (outputs.plain)
        report_plain(stdout, &results);
    else
        write_tables(stdout, &options, &results, outputs.commit);
    write_report(outputs.markdown, write_tables, &options, &results, outputs.commit);
    write_report(outputs.json, report_json, &options, &results, outputs.commit);
    results_free(&results);
    free(work);
    return 0;
}
