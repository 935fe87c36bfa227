/* SPDX-License-Identifier: Apache-2.0 */
/* Ways to read pictures that are not in memory, in random order. */
#ifndef BENCH_COLD_H
#define BENCH_COLD_H

#include "bench.h"
#include "flat.h"

#define COLD_IMAGE_BYTES ((size_t)100000)
#define COLD_DEPTH       64 /* reads that are under way at once, for those who look ahead */

struct cold_files {
    const char *flat_path;
    const char *aimg_path;
    const struct flat_place *places; /* of all images in the flat file */
};

struct cold_way {
    const char *title;
    int slow;                                            /* does a fraction of the reads: each takes milliseconds */
    const char *(*path)(const struct cold_files *files); /* the file that must be cold */
    /* Opens, reads and touches the images of the order, closes. Returns the seconds of the reading. */
    double (*run)(const struct cold_files *files, const uint32_t *order, size_t count);
};

extern const struct cold_way *const cold_ways[]; /* NULL at the end */

extern const struct cold_way cold_pread;
extern const struct cold_way cold_pread_random;
extern const struct cold_way cold_map;
extern const struct cold_way cold_map_announced;
extern const struct cold_way cold_uring;
extern const struct cold_way cold_aimg_plain;
extern const struct cold_way cold_aimg_announced;
extern const struct cold_way cold_aimg_window;
extern const struct cold_way cold_aimg_copy;

const char *cold_flat_path(const struct cold_files *files);

#endif
