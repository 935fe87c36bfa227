/* SPDX-License-Identifier: Apache-2.0 */
/* Entry of the index, SPEC.md section 6.3. Inline: it is on the path of every read. */
#ifndef AIMG_FORMAT_ENTRY_H
#define AIMG_FORMAT_ENTRY_H

#include "bytes.h"
#include "constants.h"

struct aimg_entry_record {
    uint64_t frame_offset;
    uint64_t stored_bytes;
    uint8_t header_units;
    uint8_t flags;
    uint8_t format;
    uint8_t coding;
    uint8_t hash[AIMG_HASH_BYTES];
};

static inline void aimg_entry_encode(const struct aimg_entry_record *entry, uint8_t out[AIMG_ENTRY_BYTES])
{
    aimg_store64(out, entry->frame_offset / AIMG_UNIT | (uint64_t)entry->header_units << 48 | (uint64_t)entry->flags << 56);
    aimg_store48(out + 8, entry->stored_bytes);
    out[14] = entry->format;
    out[15] = entry->coding;
    memcpy(out + 16, entry->hash, AIMG_HASH_BYTES);
}

static inline void aimg_entry_decode(const uint8_t in[AIMG_ENTRY_BYTES], struct aimg_entry_record *entry)
{
    uint64_t loc = aimg_load64(in);
    uint64_t sizes = aimg_load64(in + 8);
    entry->frame_offset = (loc & UINT64_C(0xFFFFFFFFFFFF)) * AIMG_UNIT;
    entry->header_units = (uint8_t)(loc >> 48);
    entry->flags = (uint8_t)(loc >> 56);
    entry->stored_bytes = sizes & UINT64_C(0xFFFFFFFFFFFF);
    entry->format = (uint8_t)(sizes >> 48);
    entry->coding = (uint8_t)(sizes >> 56);
    memcpy(entry->hash, in + 16, AIMG_HASH_BYTES);
}

static inline uint64_t aimg_entry_data_offset(const struct aimg_entry_record *entry)
{
    return entry->frame_offset + (uint64_t)entry->header_units * AIMG_UNIT;
}

#endif
