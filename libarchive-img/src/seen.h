/* SPDX-License-Identifier: Apache-2.0 */
/* Content that was seen: ordinals by the top 32 bits of their hash. 8 bytes a slot, half to three quarters full, so 10.7 to 16
 * bytes an image; grown in pieces, so that growing does not hold two copies of all. */
#ifndef AIMG_SRC_SEEN_H
#define AIMG_SRC_SEEN_H

#include "memory.h"

#define AIMG_SEEN_PIECES 256

struct aimg_seen_piece {
    uint64_t *slots; /* hash << 32 | ordinal + 1, or 0: open addressing */
    uint32_t size, count;
};

struct aimg_seen {
    struct aimg_allocator allocator;
    uint32_t multiplier; /* odd, another one in each session: nobody can make hashes that fall on one place */
    uint64_t count;
    struct aimg_seen_piece pieces[AIMG_SEEN_PIECES];
};

/* False when there is no memory. Of one hash only the first few are kept. */
bool aimg_seen_add(struct aimg_seen *seen, uint32_t hash, uint32_t ordinal);
/* The ordinals with that hash, one after the other: begin with *cursor = 0; false when there are no more. */
bool aimg_seen_next(const struct aimg_seen *seen, uint32_t hash, uint32_t *cursor, uint32_t *ordinal_out);
/* Forgets all. */
void aimg_seen_release(struct aimg_seen *seen);

#endif
