/* SPDX-License-Identifier: Apache-2.0 */
/* Header and hints, SPEC.md sections 2.1 to 2.3. */
#ifndef AIMG_FORMAT_HEAD_H
#define AIMG_FORMAT_HEAD_H

#include "bytes.h"
#include "constants.h"

struct aimg_params {
    uint8_t alignment_log2;
    uint64_t name_seed;
};

struct aimg_header {
    uint16_t major, minor;
    uint8_t uuid[AIMG_UUID_BYTES];
    uint64_t compat, ro_compat, incompat;
    uint64_t created_ns;
    struct aimg_params params;
    uint16_t writer_bytes;
    char writer[AIMG_WRITER_TEXT_MAX + 1]; /* ends with a zero byte */
};

struct aimg_hint {
    uint64_t seq;
    uint64_t commit_offset;
    uint64_t end;
    uint32_t salt;
};

/* The seed of Hs. */
static inline uint64_t aimg_uuid_seed(const uint8_t uuid[AIMG_UUID_BYTES])
{
    return aimg_load64(uuid);
}

void aimg_params_encode(const struct aimg_params *params, uint8_t out[AIMG_PARAMS_BYTES]);
unsigned aimg_params_decode(const uint8_t in[AIMG_PARAMS_BYTES], struct aimg_params *params);

void aimg_header_encode(const struct aimg_header *header, uint8_t out[AIMG_HEADER_BYTES]);
/* Rules 2 to 8, in that order. */
unsigned aimg_header_decode(const uint8_t in[AIMG_HEADER_BYTES], struct aimg_header *header);

void aimg_hint_encode(const struct aimg_hint *hint, uint64_t seed, uint8_t out[AIMG_HINT_BYTES]);
/* Rule 9 as far as the page alone can tell; an all-zero page is not valid here. */
unsigned aimg_hint_decode(const uint8_t in[AIMG_HINT_BYTES], uint64_t seed, struct aimg_hint *hint);

#endif
