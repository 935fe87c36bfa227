/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata of the archive: key and value pairs in one META payload, SPEC.md section 9. */
#ifndef AIMG_SRC_META_H
#define AIMG_SRC_META_H

#include "reader.h"

#define AIMG_META_HEAD_BYTES 8
#define AIMG_META_PAIR_BYTES 8 /* of a pair, before key and value */

struct aimg_meta_pair {
    const uint8_t *key, *value;
    uint32_t key_bytes, value_bytes;
};

/* A walk over a payload. */
struct aimg_meta_walk {
    const uint8_t *next, *end;
    uint32_t left; /* pairs to come */
    bool malformed;
    struct aimg_meta_pair pair; /* the last that was found */
};

struct aimg_meta_walk aimg_meta_begin(const uint8_t *payload, size_t bytes);
/* False after the last pair, or when the payload is malformed, which is then said in the walk: rule 69, but for UTF-8, which
 * aimg_meta_load checks. */
bool aimg_meta_next(struct aimg_meta_walk *walk);

/* The payload that the reader's ROOT names, copied, its hash, form and UTF-8 checked; no bytes when there is none. */
enum aimg_status aimg_meta_load(const struct aimg_reader *reader, struct aimg_buffer *payload, struct aimg_error *error);

#endif
