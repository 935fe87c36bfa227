/* SPDX-License-Identifier: Apache-2.0 */
/* A set of pictures: files in a folder, and the same bytes in memory. */
#ifndef BENCH_SET_H
#define BENCH_SET_H

#include "bench.h"

struct set {
    const char *name;  /* "cifar" */
    const char *title; /* with its size, for the report */
    char *root;        /* the folder */
    size_t count;
    char **paths;       /* of the files */
    const char **names; /* in the containers: the path relative to root, in byte order */
    size_t *name_bytes;
    const uint8_t **data;
    size_t *bytes;
    uint64_t total_bytes;
    size_t largest_bytes;
    int synthetic; /* the real pictures are not here */
};

/* Unpacks the set from data_directory into work_directory, once; where its archive is missing makes pictures of the same sizes
 * instead. Then reads all of it. name: "cifar" or "imagenet". */
struct set *set_load(const char *name, const char *data_directory, const char *work_directory);

/* Writes a folder of synthetic pictures. */
void set_synthesize(const char *root, const char *name);

void set_free(struct set *set);

#endif
