/* SPDX-License-Identifier: Apache-2.0 */
/* Names that were added and stand in no NAMES table yet: found by hash while they wait, then sorted and
 * merged with older tables. */
#ifndef AIMG_SRC_KEYS_H
#define AIMG_SRC_KEYS_H

#include "catalog.h"
#include "slot.h"
#include "table_writer.h"

/* Names after which a NAMES table is written although the batch goes on; it is merged at the commit. */
#define AIMG_KEYS_MAX (UINT64_C(1) << 22)

struct aimg_keys {
    struct aimg_allocator allocator;
    struct aimg_buffer slots; /* encoded name slots, in order of arrival */
    uint32_t *set;            /* open addressing: index in slots + 1, or 0 */
    uint64_t set_size;        /* a power of two, or 0 */
};

static inline uint64_t aimg_keys_count(const struct aimg_keys *keys)
{
    return keys->slots.bytes / AIMG_NAME_SLOT_BYTES;
}

bool aimg_keys_add(struct aimg_keys *keys, const struct aimg_name_slot *slot);
/* The slots with that hash, one after the other: begin with *cursor = 0; false when there are no more. */
bool aimg_keys_next(const struct aimg_keys *keys, uint64_t hash, uint64_t *cursor, struct aimg_name_slot *slot);
void aimg_keys_clear(struct aimg_keys *keys);
void aimg_keys_release(struct aimg_keys *keys);

/* Says whether an image is dead, or why that cannot be said; then the merge fails with that. */
typedef enum aimg_status aimg_dead_fn(void *user, uint32_t ordinal, bool *dead_out, struct aimg_error *error);

/* Writes one NAMES table of the waiting keys and the keys of older tables, without those that are dead. The older tables are
 * verified first: a damaged one must not get good checksums. The keys are sorted in place; clear them after. part_out->count is 0
 * when nothing was left to write. */
enum aimg_status aimg_keys_write(struct aimg_keys *keys, const struct aimg_source *source, struct aimg_table *const *older,
                                 uint32_t older_count, aimg_dead_fn *dead, void *user, struct aimg_out *out,
                                 struct aimg_part *part_out, struct aimg_error *error);

#endif
