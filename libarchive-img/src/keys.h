/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of names, or of content, that were added and stand in no table yet: names are found by hash while they wait; then they are
 * sorted and merged with older tables. */
#ifndef AIMG_SRC_KEYS_H
#define AIMG_SRC_KEYS_H

#include "catalog.h"
#include "slot.h"
#include "table_writer.h"

/* Keys after which a table is written although the batch goes on; it is merged at the commit. */
#define AIMG_KEYS_MAX (UINT64_C(1) << 21)

/* The two kinds of tables of slots. */
struct aimg_slot_kind {
    uint8_t slot_bytes; /* tells the kinds apart */
    uint8_t hash_bits;
    uint8_t frame_type, section;
};

extern const struct aimg_slot_kind aimg_name_slots, aimg_content_slots;

/* More slots with one content hash than this are left out, as too many that fall on one place of the table are: entries of a hint
 * may be missing, and a search is short. */
#define AIMG_CONTENT_TWINS 8u

#define AIMG_SLOT_MAX_BYTES AIMG_NAME_SLOT_BYTES

/* Slots of one kind; the hash decides, then the ordinal. */
static inline bool aimg_slot_less(const uint8_t *a, const uint8_t *b, size_t width)
{
    uint64_t hash_a = aimg_slot_hash(a, width), hash_b = aimg_slot_hash(b, width);
    return hash_a != hash_b ? hash_a < hash_b : aimg_slot_ordinal(a, width) < aimg_slot_ordinal(b, width);
}

static inline void aimg_slot_copy(uint8_t *to, const uint8_t *from, size_t width)
{
    memcpy(to, from, AIMG_CONTENT_SLOT_BYTES);
    if (width == AIMG_NAME_SLOT_BYTES)
        memcpy(to + AIMG_CONTENT_SLOT_BYTES, from + AIMG_CONTENT_SLOT_BYTES, AIMG_NAME_SLOT_BYTES - AIMG_CONTENT_SLOT_BYTES);
}

struct aimg_keys {
    struct aimg_allocator allocator;
    const struct aimg_slot_kind *kind;
    struct aimg_buffer slots; /* encoded, in order of arrival */
    uint32_t *set;            /* names: open addressing: index in slots + 1, or 0 */
    uint64_t set_size;        /* a power of two, or 0 */
    uint64_t multiplier;      /* secret, so that nobody makes names that crowd one place of the set */
    uint64_t superseded;      /* index in slots + 1 of a key that the next one with its hash takes the place of, or 0 */
    bool blind;               /* names are not found while they wait: for whoever compares them with aimg_keys_each */
};

static inline uint64_t aimg_keys_count(const struct aimg_keys *keys)
{
    return keys->slots.bytes / keys->kind->slot_bytes;
}

/* A key of content, which is not found while it waits. */
bool aimg_keys_add_content(struct aimg_keys *keys, uint32_t hash, uint32_t ordinal);
/* A name. */
bool aimg_keys_add(struct aimg_keys *keys, const struct aimg_name_slot *slot);
/* The next key that is added, if it has that hash, takes the place of the one of that ordinal, if that still waits. */
void aimg_keys_supersede(struct aimg_keys *keys, uint64_t hash, uint32_t ordinal);
/* The slots with that hash, one after the other: begin with *cursor = 0; false when there are no more. */
bool aimg_keys_next(const struct aimg_keys *keys, uint64_t hash, uint64_t *cursor, struct aimg_name_slot *slot);
/* In the order of tables; they are not found afterwards. */
void aimg_keys_sort(struct aimg_keys *keys);
void aimg_keys_clear(struct aimg_keys *keys);
void aimg_keys_release(struct aimg_keys *keys);

/* Says whether an image is dead, or why that cannot be said; then the merge fails with that. */
typedef enum aimg_status aimg_dead_fn(void *user, uint32_t ordinal, bool *dead_out, struct aimg_error *error);

/* Writes one table of the waiting keys and the keys of older tables, without those that are dead. The older tables are
 * verified first: a damaged one must not get good checksums. The keys are sorted in place; clear them after. part_out->count is 0
 * when nothing was left to write, or nothing that ROOT could name. */
enum aimg_status aimg_keys_write(struct aimg_keys *keys, const struct aimg_source *source, struct aimg_table *const *older,
                                 uint32_t older_count, aimg_dead_fn *dead, void *user, struct aimg_out *out,
                                 struct aimg_part *part_out, struct aimg_error *error);

/* Is shown a name slot; ends the search with what it returns, unless that is OK. */
typedef enum aimg_status aimg_name_slot_fn(void *user, const struct aimg_name_slot *slot, struct aimg_error *error);

/* Shows all slots of some tables of names, in order of hash and, where that is one, of ordinal. The tables are verified
 * before. */
enum aimg_status aimg_keys_each(const struct aimg_allocator *allocator, const struct aimg_source *source,
                                struct aimg_table *const *tables, uint32_t count, aimg_name_slot_fn *each, void *user,
                                struct aimg_error *error);

#endif
