/* SPDX-License-Identifier: Apache-2.0 */
/* The limit: records one after the other with checksums, then a hash table of their names; mapped. What no container can beat by
 * much, for it does nothing that reading needs not. No commits, no appending, no verification on reading. */
#ifndef BENCH_FLAT_H
#define BENCH_FLAT_H

#include "store.h"

struct flat;

struct flat_place {
    uint64_t offset;
    uint64_t bytes;
};

struct flat *flat_open(const char *path, int random_advice);
void flat_close(struct flat *flat);
struct span flat_find(const struct flat *flat, const char *name, size_t name_bytes);

/* Many names at once, with the memory accesses of all in flight together. */
void flat_find_batch(const struct flat *flat, const struct store_item *names, size_t count, struct span *spans_out);

/* Where the value of a name lies in the file; the base of the map. */
struct flat_place flat_place(const struct flat *flat, const char *name, size_t name_bytes);
const uint8_t *flat_base(const struct flat *flat);

#endif
