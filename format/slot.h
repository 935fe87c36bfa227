/* SPDX-License-Identifier: Apache-2.0 */
/* Hash slots by name and by content, SPEC.md sections 6.2 and 6.4. Both kinds are placed by one rule: keys in order of (hash,
 * ordinal), each at max(home, place of the key before + 1), home growing with the hash; so a search may stop at the first empty
 * or larger slot, and merging is one pass. Inline: it is on the path of every read by name. */
#ifndef AIMG_FORMAT_SLOT_H
#define AIMG_FORMAT_SLOT_H

#include "bytes.h"
#include "constants.h"

#define AIMG_NAME_HASH_BITS    40
#define AIMG_CONTENT_HASH_BITS 32

struct aimg_name_slot {
    uint64_t hash; /* 40 bits */
    uint64_t frame_offset;
    uint32_t ordinal;
    uint8_t lenclass;
};

/* 40 bits times up to 2^33 slots pass 64 bits. */
static inline uint64_t aimg_slot_home(uint64_t hash, unsigned hash_bits, uint64_t slot_count)
{
#ifdef __SIZEOF_INT128__
    return (uint64_t)(((unsigned __int128)hash * slot_count) >> hash_bits);
#else /* machines of 32 bits: by halves */
    uint64_t hash_high = hash >> 32, hash_low = hash & UINT32_MAX, high = slot_count >> 32, low = slot_count & UINT32_MAX;
    uint64_t inner = hash_high * low + (hash_low * low >> 32);
    uint64_t cross = hash_low * high + (inner & UINT32_MAX);
    uint64_t product_high = hash_high * high + (inner >> 32) + (cross >> 32);
    uint64_t product_low = cross << 32 | (uint32_t)(hash_low * low);
    return product_high << (64 - hash_bits) | product_low >> hash_bits;
#endif
}

static inline uint64_t aimg_name_hash40(uint64_t hash_low)
{
    return hash_low >> (64 - AIMG_NAME_HASH_BITS);
}

/* Slots for a number of keys: load 0.8. */
static inline uint64_t aimg_slot_count(uint64_t keys)
{
    return keys + keys / 4 + 1;
}

/* Rule 59: between keys / 0.95 and 2 * keys + 4. */
static inline bool aimg_slot_count_in_range(uint64_t slots, uint64_t keys)
{
    return slots >= aimg_blocks(keys * 100, 95) && slots <= 2 * keys + 4;
}

static inline uint8_t aimg_slot_lenclass(uint64_t frame_bytes)
{
    unsigned c = 0;
    while (c < 255 && ((uint64_t)(8 + (c & 7)) << (c >> 3)) * AIMG_UNIT < frame_bytes)
        c++;
    return (uint8_t)c;
}

static inline uint64_t aimg_name_slot_key_hash(uint64_t key)
{
    return key >> 24;
}

static inline void aimg_name_slot_encode(const struct aimg_name_slot *slot, uint8_t out[AIMG_NAME_SLOT_BYTES])
{
    uint64_t loc = slot->frame_offset / AIMG_UNIT;
    aimg_store64(out, slot->hash << 24 | (uint64_t)slot->lenclass << 16 | loc >> 32);
    aimg_store32(out + 8, slot->ordinal);
    aimg_store32(out + 12, (uint32_t)loc);
}

static inline void aimg_name_slot_decode(const uint8_t in[AIMG_NAME_SLOT_BYTES], struct aimg_name_slot *slot)
{
    uint64_t key = aimg_load64(in);
    slot->hash = aimg_name_slot_key_hash(key);
    slot->lenclass = (uint8_t)(key >> 16);
    slot->ordinal = aimg_load32(in + 8);
    slot->frame_offset = ((key & 0xFFFF) << 32 | aimg_load32(in + 12)) * AIMG_UNIT;
}

static inline void aimg_content_slot_encode(uint32_t hash, uint32_t ordinal, uint8_t out[AIMG_CONTENT_SLOT_BYTES])
{
    aimg_store32(out, hash);
    aimg_store32(out + 4, ordinal + 1);
}

/* The top bits of an entry's hash. */
static inline uint32_t aimg_content_hash32(const uint8_t hash[AIMG_HASH_BYTES])
{
    return (uint32_t)(aimg_load64(hash) >> (64 - AIMG_CONTENT_HASH_BITS));
}

/* Of either kind, which its width tells apart. */
static inline uint64_t aimg_slot_hash(const uint8_t *slot, size_t slot_bytes)
{
    return slot_bytes == AIMG_NAME_SLOT_BYTES ? aimg_name_slot_key_hash(aimg_load64(slot)) : aimg_load32(slot);
}

static inline uint32_t aimg_slot_ordinal(const uint8_t *slot, size_t slot_bytes)
{
    return slot_bytes == AIMG_NAME_SLOT_BYTES ? aimg_load32(slot + 8) : aimg_load32(slot + 4) - 1;
}

static inline bool aimg_slot_empty(const uint8_t *slot, size_t slot_bytes)
{
    return aimg_load64(slot) == 0 && (slot_bytes == AIMG_CONTENT_SLOT_BYTES || aimg_load64(slot + 8) == 0);
}

static inline bool aimg_name_slot_empty(const uint8_t in[AIMG_NAME_SLOT_BYTES])
{
    return (aimg_load64(in) | aimg_load64(in + 8)) == 0;
}

#endif
