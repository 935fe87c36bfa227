/* SPDX-License-Identifier: Apache-2.0 */
/* All that was measured: series of one value a round. Values of the same round and metric were taken next to each other in time,
 * so the ratio of two contenders is the median of the ratios of their rounds, which the drift of the machine does not touch. */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

#include <stdio.h>

#include "bench.h"

struct series {
    char *suite;     /* "reads" */
    char *set;       /* "cifar" */
    char *metric;    /* "1 thread" */
    char *contender; /* "LMDB by key" */
    char *unit;      /* "ns" */
    double *values;
    size_t count;
};

struct results {
    struct series *series; /* in the order of their first values */
    size_t count;
    struct heading {
        char *suite, *set, *text; /* what stands above the table of a suite and a set */
    } * headings;
    size_t heading_count;
};

/* The first heading of a suite and set stays. */
void results_heading(struct results *results, const char *suite, const char *set, const char *text);
void results_add(struct results *results, const char *suite, const char *set, const char *metric, const char *contender,
                 const char *unit, double value);
void results_free(struct results *results);

/* NULL when it was not measured. */
const struct series *results_find(const struct results *results, const char *suite, const char *set, const char *metric,
                                  const char *contender);

double series_median(const struct series *series);
double series_least(const struct series *series);
double series_most(const struct series *series);
double series_ratio(const struct series *series, const struct series *base);

#endif
