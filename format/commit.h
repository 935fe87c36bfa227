/* SPDX-License-Identifier: Apache-2.0 */
/* Commit page, SPEC.md section 4. */
#ifndef AIMG_FORMAT_COMMIT_H
#define AIMG_FORMAT_COMMIT_H

#include "head.h"

struct aimg_commit_page {
    uint8_t uuid[AIMG_UUID_BYTES];
    uint64_t seq;
    uint64_t self_offset;
    uint64_t prev_offset;
    uint8_t prev_chain[AIMG_HASH_BYTES];
    uint64_t ordinal_count;
    uint64_t listed_count;
    uint64_t root_offset;
    uint64_t root_bytes;
    uint8_t root_hash[AIMG_HASH_BYTES];
    uint64_t compat, ro_compat, incompat;
    struct aimg_params params;
    uint64_t time_ns;
    uint32_t salt;
    uint32_t flags;
    uint16_t message_bytes;
    char message[AIMG_MESSAGE_MAX + 1]; /* ends with a zero byte */
    uint8_t chain[AIMG_HASH_BYTES];     /* set by encode */
};

/* Writes the whole page, frame header included, and sets commit->chain. */
void aimg_commit_encode(struct aimg_commit_page *commit, uint8_t out[AIMG_PAGE_BYTES]);
/* Rules of the frame (13 to 19), then 24 with the offset it was read from, 25, and 26 against the header. */
unsigned aimg_commit_decode(const uint8_t in[AIMG_PAGE_BYTES], uint64_t offset, const struct aimg_header *header,
                            struct aimg_commit_page *commit);

#endif
