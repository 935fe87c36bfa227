/* SPDX-License-Identifier: Apache-2.0 */
/* Layout of the flat file, and its writer. Records from offset 0, each rounded up to 8 bytes; slots; trailer. Native byte order:
 * it lives no longer than the benchmark. */
#ifndef BENCH_FLAT_LAYOUT_H
#define BENCH_FLAT_LAYOUT_H

#include "store.h"

struct flat_record {
    uint64_t checksum; /* XXH3 of the value */
    uint32_t bytes;
    uint32_t name_bytes;
};

struct flat_slot {
    uint64_t hash;          /* XXH3 of the name */
    uint64_t offset_plus_1; /* of the record; 0: empty */
};

struct flat_trailer {
    uint64_t slots_offset;
    uint64_t slot_count;
};

static inline uint64_t flat_home(uint64_t hash, uint64_t slot_count)
{
    return (uint64_t)(((unsigned __int128)hash * slot_count) >> 64);
}

void *flat_create(const char *path, const struct store_plan *plan);
void flat_put(void *builder, const struct store_item *item);
void flat_finish(void *builder);

#endif
