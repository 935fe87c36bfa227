/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include "results.h"

struct bench_options {
    int full;              /* else quick */
    const char *suite;     /* only this one; NULL: all */
    const char *set;       /* only this one; NULL: all */
    const char *contender; /* only these: ids or titles, as each suite says; NULL: all */
    const char *data;      /* folder of the archives of test pictures */
    const char *work;      /* scratch folder; needs 20 GB for the full run */
    const char *tool;      /* path of the command-line tool */
    const char *self;      /* path of this program */
    int keep;              /* use containers that are there already */
    int repeats;           /* cold: draw images with repeats, for comparison with programs that do */
    int warm;              /* leave out what empties the caches of the whole machine */
    double load;           /* of the machine before the run: figures of a busy one are worth little */
    unsigned rounds;       /* 0: as the suite thinks right */
    size_t scale_count;    /* 0: as the mode says */
};

/* Whether a contender was asked for. */
int bench_wants(const struct bench_options *options, const char *contender);

/* How often contenders take turns: as asked for, else as the mode says. */
unsigned bench_rounds(const struct bench_options *options, unsigned full, unsigned quick);

/* The suites; each adds its series. */
void reads_run(const struct bench_options *options, struct results *results);
void scale_run(const struct bench_options *options, struct results *results);
void cold_run(const struct bench_options *options, struct results *results);
void pack_run(const struct bench_options *options, struct results *results);
void commands_run(const struct bench_options *options, struct results *results);
void size_run(const struct bench_options *options, struct results *results);
void append_run(const struct bench_options *options, struct results *results);
void commits_run(const struct bench_options *options, struct results *results);
void columns_run(const struct bench_options *options, struct results *results);
void compact_run(const struct bench_options *options, struct results *results);
void dedup_run(const struct bench_options *options, struct results *results);
void verify_run(const struct bench_options *options, struct results *results);

#endif
