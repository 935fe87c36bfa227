/* SPDX-License-Identifier: Apache-2.0 */
#include "results.h"

#include <stdlib.h>

static void *grow(void *array, size_t count, size_t each_bytes)
{
    void *grown = realloc(array, (count + 1) * each_bytes);
    if (!grown)
        bench_die("out of memory");
    return grown;
}

void results_heading(struct results *results, const char *suite, const char *set, const char *text)
{
    for (size_t i = 0; i < results->heading_count; i++)
        if (!strcmp(results->headings[i].suite, suite) && !strcmp(results->headings[i].set, set))
            return;
    results->headings = grow(results->headings, results->heading_count, sizeof *results->headings);
    results->headings[results->heading_count++] =
        (struct heading){bench_text("%s", suite), bench_text("%s", set), bench_text("%s", text)};
}

const struct series *results_find(const struct results *results, const char *suite, const char *set, const char *metric,
                                  const char *contender)
{
    for (size_t i = 0; i < results->count; i++) {
        const struct series *s = &results->series[i];
        if (!strcmp(s->suite, suite) && !strcmp(s->set, set) && !strcmp(s->metric, metric) && !strcmp(s->contender, contender))
            return s;
    }
    return NULL;
}

void results_add(struct results *results, const char *suite, const char *set, const char *metric, const char *contender,
                 const char *unit, double value)
{
    struct series *s = (struct series *)results_find(results, suite, set, metric, contender);
    if (!s) {
        results->series = grow(results->series, results->count, sizeof *results->series);
        s = &results->series[results->count++];
        *s = (struct series){
            .suite = bench_text("%s", suite),
            .set = bench_text("%s", set),
            .metric = bench_text("%s", metric),
            .contender = bench_text("%s", contender),
            .unit = bench_text("%s", unit),
        };
    }
    s->values = grow(s->values, s->count, sizeof *s->values);
    s->values[s->count++] = value;
}

void results_free(struct results *results)
{
    for (size_t i = 0; i < results->count; i++) {
        struct series *s = &results->series[i];
        free(s->suite);
        free(s->set);
        free(s->metric);
        free(s->contender);
        free(s->unit);
        free(s->values);
    }
    for (size_t i = 0; i < results->heading_count; i++) {
        free(results->headings[i].suite);
        free(results->headings[i].set);
        free(results->headings[i].text);
    }
    free(results->series);
    free(results->headings);
    *results = (struct results){0};
}

static double median_of(const double *values, size_t count)
{
    double *copy = bench_alloc(count, sizeof *copy);
    memcpy(copy, values, count * sizeof *copy);
    double median = bench_median(copy, count);
    free(copy);
    return median;
}

double series_median(const struct series *series)
{
    return median_of(series->values, series->count);
}

double series_least(const struct series *series)
{
    double least = series->values[0];
    for (size_t i = 1; i < series->count; i++)
        least = series->values[i] < least ? series->values[i] : least;
    return least;
}

double series_most(const struct series *series)
{
    double most = series->values[0];
    for (size_t i = 1; i < series->count; i++)
        most = series->values[i] > most ? series->values[i] : most;
    return most;
}

double series_ratio(const struct series *series, const struct series *base)
{
    size_t count = series->count < base->count ? series->count : base->count;
    double *ratios = bench_alloc(count, sizeof *ratios);
    for (size_t i = 0; i < count; i++)
        ratios[i] = series->values[i] / base->values[i];
    double ratio = bench_median(ratios, count);
    free(ratios);
    return ratio;
}
