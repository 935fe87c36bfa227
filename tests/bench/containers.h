/* SPDX-License-Identifier: Apache-2.0 */
/* The files that the suites of reads and of sizes look at: every set in every container. */
#ifndef BENCH_CONTAINERS_H
#define BENCH_CONTAINERS_H

#include "bench_options.h"
#include "set.h"
#include "store.h"

/* New text: where the container of that id is, or will be. */
char *container_path(const struct bench_options *options, const struct set *set, const char *id);

/* Writes it, durable, unless it is there and options->keep. The archive of ours is made by the command-line tool when there is
 * one (columns and all), so that what is measured is what users get. */
void container_make(const struct bench_options *options, const struct set *set, const char *id);

/* Writes the set from memory. */
void container_write(const struct store *store, const struct set *set, const char *path);

#endif
