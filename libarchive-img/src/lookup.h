/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AIMG_SRC_LOOKUP_H
#define AIMG_SRC_LOOKUP_H

#include "reader.h"

/* A search for one name in NAMES tables. */
struct aimg_search {
    const struct aimg_source *source;
    const struct aimg_catalog *catalog; /* who is dead; ordinals past it are not */
    struct aimg_table *tables;          /* the newest last */
    uint32_t table_count;
    uint64_t ordinals; /* those of their slots are below */
    const uint8_t *name;
    size_t name_bytes;
    uint64_t hash; /* 40 bits */
};

/* Where it was found. */
struct aimg_found {
    struct aimg_frame frame;
    uint64_t frame_offset;
    uint32_t ordinal;
};

/* NOT_FOUND only after the slots that were looked at are verified. */
enum aimg_status aimg_search_run(const struct aimg_search *search, struct aimg_found *found, struct aimg_error *error);

#endif
