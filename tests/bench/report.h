/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "bench_options.h"
#include "results.h"

/* Tables in Markdown: one for each suite and set, a row a contender, a column a metric. */
void report_tables(FILE *out, const struct results *results);

/* One line a series: suite, set, metric, contender, unit, median; tab-separated, for scripts. */
void report_plain(FILE *out, const struct results *results);

/* The machine, the date and the commit that was measured. */
void report_machine(FILE *out, const struct bench_options *options, const char *commit);

void report_json(FILE *out, const struct bench_options *options, const struct results *results, const char *commit);

/* Every bar that the project has set itself: what was measured, and whether it is met. */
void check_report(FILE *out, const struct results *results);
void check_json(FILE *out, const struct results *results);

/* Text of a JSON string, in quotes. */
void json_string(FILE *out, const char *text);

#endif
