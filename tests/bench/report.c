/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include <stdlib.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* Ratios mean something between times, not between counts and sizes. */
static int is_time(const char *unit)
{
    return !strcmp(unit, "ns") || !strcmp(unit, "us") || !strcmp(unit, "ms") || !strcmp(unit, "s");
}

/* First in the order of the series of this suite and set, of one metric (NULL: of any). */
static const struct series *first_of(const struct results *results, const char *suite, const char *set, const char *metric)
{
    for (size_t i = 0; i < results->count; i++) {
        const struct series *s = &results->series[i];
        if (!strcmp(s->suite, suite) && !strcmp(s->set, set) && (!metric || !strcmp(s->metric, metric)))
            return s;
    }
    return NULL;
}

/* Whether series `index` is the first of its table with this value in the field at `field` (of metric or contender). */
static int is_new(const struct results *results, size_t index, size_t field)
{
    const struct series *s = &results->series[index];
    const char *text = *(char *const *)((const char *)s + field);
    for (size_t i = 0; i < index; i++) {
        const struct series *t = &results->series[i];
        if (!strcmp(t->suite, s->suite) && !strcmp(t->set, s->set) && !strcmp(*(char *const *)((const char *)t + field), text))
            return 0;
    }
    return 1;
}

static int in_table(const struct series *s, const struct heading *heading)
{
    return !strcmp(s->suite, heading->suite) && !strcmp(s->set, heading->set);
}

static void print_number(FILE *out, double value)
{
    if (value >= 100 || value == (double)(long long)value)
        fprintf(out, "%.0f", value);
    else
        fprintf(out, value >= 10 ? "%.1f" : "%.4f", value);
}

static void print_cell(FILE *out, const struct series *s, const struct series *base)
{
    if (!s) {
        fputs(" - |", out);
        return;
    }
    fputc(' ', out);
    print_number(out, series_median(s));
    if (s->count > 1) {
        fputs(" [", out);
        print_number(out, series_least(s));
        fputs(" to ", out);
        print_number(out, series_most(s));
        fputc(']', out);
    }
    if (is_time(s->unit))
        fprintf(out, " %.2fx", series_ratio(s, base));
    fputs(" |", out);
}

static void print_head(FILE *out, const struct results *results, const struct heading *heading)
{
    size_t columns = 0;
    fprintf(out, "### %s: %s\n\n| |", heading->suite, heading->text);
    for (size_t i = 0; i < results->count; i++) {
        const struct series *s = &results->series[i];
        if (!in_table(s, heading) || !is_new(results, i, offsetof(struct series, metric)))
            continue;
        fprintf(out, *s->unit ? " %s, %s |" : " %s |", s->metric, s->unit);
        columns++;
    }
    fputs("\n|---|", out);
    while (columns--)
        fputs("---|", out);
    fputc('\n', out);
}

static void print_row(FILE *out, const struct results *results, const struct heading *heading, const char *contender)
{
    fprintf(out, "| %s |", contender);
    for (size_t i = 0; i < results->count; i++) {
        const struct series *s = &results->series[i];
        if (in_table(s, heading) && is_new(results, i, offsetof(struct series, metric)))
            print_cell(out, results_find(results, s->suite, s->set, s->metric, contender),
                       first_of(results, s->suite, s->set, s->metric));
    }
    fputc('\n', out);
}

void report_tables(FILE *out, const struct results *results)
{
    for (size_t h = 0; h < results->heading_count; h++) {
        const struct heading *heading = &results->headings[h];
        if (!first_of(results, heading->suite, heading->set, NULL))
            continue;
        print_head(out, results, heading);
        for (size_t i = 0; i < results->count; i++)
            if (in_table(&results->series[i], heading) && is_new(results, i, offsetof(struct series, contender)))
                print_row(out, results, heading, results->series[i].contender);
        fputc('\n', out);
    }
}

void report_plain(FILE *out, const struct results *results)
{
    for (size_t i = 0; i < results->count; i++) {
        const struct series *s = &results->series[i];
        fprintf(out, "%s\t%s\t%s\t%s\t%s\t%.6g\n", s->suite, s->set, s->metric, s->contender, s->unit, series_median(s));
    }
}

static char *processor_model(void)
{
    char line[512];
    char *model = NULL;
    FILE *cpuinfo = fopen("/proc/cpuinfo", "re");
    while (cpuinfo && !model && fgets(line, sizeof line, cpuinfo)) {
        char *colon = strchr(line, ':');
        line[strcspn(line, "\n")] = 0;
        if (colon && !strncmp(line, "model name", 10))
            model = bench_text("%s", colon + 2);
    }
    if (cpuinfo)
        fclose(cpuinfo);
    return model ? model : bench_text("unknown processor");
}

void report_machine(FILE *out, const struct bench_options *options, const char *commit)
{
    struct utsname system;
    char date[32];
    time_t now = time(NULL);
    char *model = processor_model();
    strftime(date, sizeof date, "%Y-%m-%d", gmtime(&now));
    uname(&system);
    system.release[strspn(system.release, "0123456789.")] = 0; /* what follows names a distribution or a host, not a version */
    fprintf(out, "%s, commit %s, %s run. %ld x %s, %.0f GiB, %s %s, compiler %s; load %.1f before.\n\n", date, commit,
            options->full ? "full" : "quick", sysconf(_SC_NPROCESSORS_ONLN), model,
            (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / (1 << 30), system.sysname, system.release,
            __VERSION__, options->load);
    free(model);
}
