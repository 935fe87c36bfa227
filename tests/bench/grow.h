/* SPDX-License-Identifier: Apache-2.0 */
/* Archives of many tiny images to which suites add something, and which they put back. */
#ifndef BENCH_GROW_H
#define BENCH_GROW_H

#include "bench_options.h"

/* The large one: what is done to it must not cost what it holds. */
size_t grow_large_count(const struct bench_options *options);

/* New text: the path of an archive of so many images as the suite of scale makes them, in memory. Made when it is not there. */
char *grow_archive(const struct bench_options *options, size_t count);

/* Removes them all. */
void grow_clean(const struct bench_options *options);

#endif
