/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

void json_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        if ((unsigned char)*text < 0x20)
            fprintf(out, "\\u%04x", (unsigned)*text);
        else
            fputc(*text, out);
    }
    fputc('"', out);
}

static void member(FILE *out, const char *key, const char *text)
{
    fprintf(out, "\"%s\":", key);
    json_string(out, text);
    fputc(',', out);
}

static void print_series(FILE *out, const struct series *s)
{
    fputc('{', out);
    member(out, "suite", s->suite);
    member(out, "set", s->set);
    member(out, "metric", s->metric);
    member(out, "contender", s->contender);
    member(out, "unit", s->unit);
    fprintf(out, "\"median\":%.6g,\"values\":[", series_median(s));
    for (size_t i = 0; i < s->count; i++)
        fprintf(out, i ? ",%.6g" : "%.6g", s->values[i]);
    fputs("]}", out);
}

void report_json(FILE *out, const struct bench_options *options, const struct results *results, const char *commit)
{
    char text[1024] = "";
    FILE *machine = fmemopen(text, sizeof text, "w");
    report_machine(machine, options, commit);
    fclose(machine);
    text[strcspn(text, "\n")] = 0;
    fputs("{\"schema\":\"aimg.bench/1\",", out);
    member(out, "run", text);
    fputs("\"series\":[\n", out);
    for (size_t i = 0; i < results->count; i++) {
        print_series(out, &results->series[i]);
        fputs(i + 1 < results->count ? ",\n" : "\n", out);
    }
    fputs("],\"bars\":[\n", out);
    check_json(out, results);
    fputs("]}\n", out);
}
