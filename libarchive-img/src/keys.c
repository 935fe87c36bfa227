/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include "error.h"

#define FIRST_SET  64
#define MANY_BYTES (UINT64_C(4) << 20)

const struct aimg_slot_kind aimg_name_slots = {AIMG_NAME_SLOT_BYTES, AIMG_NAME_HASH_BITS, AIMG_FRAME_NAMES,
                                               AIMG_SECTION_NAME_SLOTS};
const struct aimg_slot_kind aimg_content_slots = {AIMG_CONTENT_SLOT_BYTES, AIMG_CONTENT_HASH_BITS, AIMG_FRAME_CONTENT,
                                                  AIMG_SECTION_CONTENT_SLOTS};

static uint8_t *slot_at(const struct aimg_keys *keys, uint64_t index)
{
    return keys->slots.data + index * AIMG_NAME_SLOT_BYTES;
}

static uint64_t hash_at(const struct aimg_keys *keys, uint64_t index)
{
    return aimg_name_slot_key_hash(aimg_load64(slot_at(keys, index)));
}

/* Where a search begins; the set has `size` places. Whoever makes names knows their hashes: the archive says the seed. */
static uint64_t home(const struct aimg_keys *keys, uint64_t hash)
{
    uint64_t mixed = hash * (keys->multiplier | 1);
    return mixed ^ mixed >> 32;
}

static void set_insert(const struct aimg_keys *keys, uint32_t *set, uint64_t size, uint64_t hash, uint32_t index)
{
    uint64_t place = home(keys, hash) & (size - 1);
    while (set[place] != 0)
        place = (place + 1) & (size - 1);
    set[place] = index + 1;
}

/* Keeps the set at most half full. */
static bool set_grow(struct aimg_keys *keys)
{
    uint64_t count = aimg_keys_count(keys);
    uint64_t size = keys->set_size == 0 ? FIRST_SET : keys->set_size;
    while (size < 2 * (count + 1))
        size *= 2;
    if (size == keys->set_size)
        return true;
    uint32_t *set = aimg_alloc_array(&keys->allocator, size, sizeof *set);
    if (set == NULL)
        return false;
    for (uint64_t i = 0; i < count; i++)
        set_insert(keys, set, size, hash_at(keys, i), (uint32_t)i);
    aimg_release(&keys->allocator, keys->set);
    keys->set = set;
    keys->set_size = size;
    return true;
}

/* Many get room for the most there can be at once: memory that is not touched costs nothing, and growing bit by bit would hold
 * two copies. */
static bool reserve_slot(struct aimg_keys *keys)
{
    uint64_t most = AIMG_KEYS_MAX * keys->kind->slot_bytes;
    bool many = keys->slots.bytes >= MANY_BYTES && keys->slots.bytes < most;
    return aimg_buffer_reserve(&keys->allocator, &keys->slots, many ? most - keys->slots.bytes : keys->kind->slot_bytes);
}

bool aimg_keys_add_content(struct aimg_keys *keys, uint32_t hash, uint32_t ordinal)
{
    if (!reserve_slot(keys))
        return false;
    aimg_content_slot_encode(hash, ordinal, keys->slots.data + keys->slots.bytes);
    keys->slots.bytes += AIMG_CONTENT_SLOT_BYTES;
    return true;
}

bool aimg_keys_add(struct aimg_keys *keys, const struct aimg_name_slot *slot)
{
    uint64_t superseded = keys->superseded;
    keys->superseded = 0;
    if (superseded != 0 && hash_at(keys, superseded - 1) == slot->hash) {
        aimg_name_slot_encode(slot, slot_at(keys, superseded - 1));
        return true;
    }
    if (!reserve_slot(keys) || (!keys->blind && !set_grow(keys)))
        return false;
    if (!keys->blind)
        set_insert(keys, keys->set, keys->set_size, slot->hash, (uint32_t)aimg_keys_count(keys));
    aimg_name_slot_encode(slot, keys->slots.data + keys->slots.bytes);
    keys->slots.bytes += AIMG_NAME_SLOT_BYTES;
    return true;
}

void aimg_keys_supersede(struct aimg_keys *keys, uint64_t hash, uint32_t ordinal)
{
    struct aimg_name_slot slot = {.ordinal = ordinal};
    uint64_t cursor = 0;
    keys->superseded = 0;
    while (keys->superseded == 0 && aimg_keys_next(keys, hash, &cursor, &slot))
        if (slot.ordinal == ordinal)
            keys->superseded = keys->set[(home(keys, hash) + cursor - 1) & (keys->set_size - 1)];
}

bool aimg_keys_next(const struct aimg_keys *keys, uint64_t hash, uint64_t *cursor, struct aimg_name_slot *slot)
{
    if (keys->set_size == 0)
        return false;
    for (;; (*cursor)++) {
        uint32_t index = keys->set[(home(keys, hash) + *cursor) & (keys->set_size - 1)];
        if (index == 0)
            return false;
        if (hash_at(keys, index - 1) == hash) {
            aimg_name_slot_decode(slot_at(keys, index - 1), slot);
            (*cursor)++;
            return true;
        }
    }
}

void aimg_keys_clear(struct aimg_keys *keys)
{
    keys->slots.bytes = 0;
    keys->superseded = 0;
    aimg_release(&keys->allocator, keys->set);
    keys->set = NULL;
    keys->set_size = 0;
}

void aimg_keys_release(struct aimg_keys *keys)
{
    aimg_keys_clear(keys);
    aimg_buffer_release(&keys->allocator, &keys->slots);
}

/* ------------------------------------------------------------------ sorting, in place */

#define INSERTION_MAX 24

static void insertion_sort(uint8_t *slots, uint64_t count, size_t width)
{
    uint8_t moving[AIMG_SLOT_MAX_BYTES];
    for (uint64_t i = 1; i < count; i++) {
        uint64_t place = i;
        aimg_slot_copy(moving, slots + i * width, width);
        for (; place > 0 && aimg_slot_less(moving, slots + (place - 1) * width, width); place--)
            aimg_slot_copy(slots + place * width, slots + (place - 1) * width, width);
        aimg_slot_copy(slots + place * width, moving, width);
    }
}

static unsigned digit(const uint8_t *slot, unsigned shift, size_t width)
{
    return (unsigned)(aimg_slot_hash(slot, width) >> shift) & 0xFF;
}

/* Heap sort of slots whose hash is the same in all: only their ordinals differ. */
static void sift_down(uint8_t *slots, uint64_t root, uint64_t count, size_t width)
{
    uint8_t swap[AIMG_SLOT_MAX_BYTES];
    for (uint64_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && aimg_slot_less(slots + child * width, slots + (child + 1) * width, width))
            child++;
        if (!aimg_slot_less(slots + root * width, slots + child * width, width))
            return;
        aimg_slot_copy(swap, slots + root * width, width);
        aimg_slot_copy(slots + root * width, slots + child * width, width);
        aimg_slot_copy(slots + child * width, swap, width);
    }
}

static void heap_sort(uint8_t *slots, uint64_t count, size_t width)
{
    uint8_t swap[AIMG_SLOT_MAX_BYTES];
    for (uint64_t i = count / 2; i-- > 0;)
        sift_down(slots, i, count, width);
    for (uint64_t last = count; last-- > 1;) {
        aimg_slot_copy(swap, slots, width);
        aimg_slot_copy(slots, slots + last * width, width);
        aimg_slot_copy(slots + last * width, swap, width);
        sift_down(slots, 0, last, width);
    }
}

/* American flag sort (McIlroy, Bostic, McIlroy 1993): by the bytes of the hash from the top, without a second array. At
 * most five calls deep. */
static void radix_sort(uint8_t *slots, uint64_t count, unsigned shift, size_t width) /* NOLINT(misc-no-recursion) */
{
    uint64_t ends[256] = {0}, nexts[256];
    uint8_t moving[AIMG_SLOT_MAX_BYTES] = {0},
            other[AIMG_SLOT_MAX_BYTES] = {0}; /* for compilers that do not see the widths agree */
    if (count <= INSERTION_MAX) {
        insertion_sort(slots, count, width);
        return;
    }
    for (uint64_t i = 0; i < count; i++)
        ends[digit(slots + i * width, shift, width)]++;
    for (uint64_t sum = 0, i = 0; i < 256; i++) {
        nexts[i] = sum;
        sum += ends[i];
        ends[i] = sum;
    }
    for (unsigned bucket = 0; bucket < 256; bucket++) {
        while (nexts[bucket] < ends[bucket]) {
            aimg_slot_copy(moving, slots + nexts[bucket] * width, width);
            for (unsigned to = digit(moving, shift, width); to != bucket; to = digit(moving, shift, width)) {
                uint8_t *place = slots + nexts[to]++ * width;
                aimg_slot_copy(other, place, width);
                aimg_slot_copy(place, moving, width);
                aimg_slot_copy(moving, other, width);
            }
            aimg_slot_copy(slots + nexts[bucket]++ * width, moving, width);
        }
    }
    for (uint64_t begin = 0, i = 0; i < 256; begin = ends[i++]) {
        if (shift > 0)
            radix_sort(slots + begin * width, ends[i] - begin, shift - 8, width);
        else
            heap_sort(slots + begin * width, ends[i] - begin, width);
    }
}

void aimg_keys_sort(struct aimg_keys *keys)
{
    radix_sort(keys->slots.data, aimg_keys_count(keys), keys->kind->hash_bits - 8u, keys->kind->slot_bytes);
}
