/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include "error.h"

#define FIRST_SET  64
#define MANY_BYTES (UINT64_C(4) << 20)

static uint8_t *slot_at(const struct aimg_keys *keys, uint64_t index)
{
    return keys->slots.data + index * AIMG_NAME_SLOT_BYTES;
}

static uint64_t hash_at(const struct aimg_keys *keys, uint64_t index)
{
    return aimg_name_slot_key_hash(aimg_load64(slot_at(keys, index)));
}

static void set_insert(uint32_t *set, uint64_t size, uint64_t hash, uint32_t index)
{
    uint64_t place = hash & (size - 1);
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
        set_insert(set, size, hash_at(keys, i), (uint32_t)i);
    aimg_release(&keys->allocator, keys->set);
    keys->set = set;
    keys->set_size = size;
    return true;
}

/* Many get room for the most there can be at once: memory that is not touched costs nothing, and growing bit by bit would hold
 * two copies. */
static bool reserve_slot(struct aimg_keys *keys)
{
    uint64_t most = AIMG_KEYS_MAX * AIMG_NAME_SLOT_BYTES;
    bool many = keys->slots.bytes >= MANY_BYTES && keys->slots.bytes < most;
    return aimg_buffer_reserve(&keys->allocator, &keys->slots, many ? most - keys->slots.bytes : AIMG_NAME_SLOT_BYTES);
}

bool aimg_keys_add(struct aimg_keys *keys, const struct aimg_name_slot *slot)
{
    if (!reserve_slot(keys) || !set_grow(keys))
        return false;
    set_insert(keys->set, keys->set_size, slot->hash, (uint32_t)aimg_keys_count(keys));
    aimg_name_slot_encode(slot, keys->slots.data + keys->slots.bytes);
    keys->slots.bytes += AIMG_NAME_SLOT_BYTES;
    return true;
}

bool aimg_keys_next(const struct aimg_keys *keys, uint64_t hash, uint64_t *cursor, struct aimg_name_slot *slot)
{
    if (keys->set_size == 0)
        return false;
    for (;; (*cursor)++) {
        uint32_t index = keys->set[(hash + *cursor) & (keys->set_size - 1)];
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
#define TOP_SHIFT     56 /* of the key: hash40 is its upper 40 bits */
#define LOW_SHIFT     24

static bool slot_less(const uint8_t *a, const uint8_t *b)
{
    uint64_t hash_a = aimg_name_slot_key_hash(aimg_load64(a)), hash_b = aimg_name_slot_key_hash(aimg_load64(b));
    return hash_a != hash_b ? hash_a < hash_b : aimg_load32(a + 8) < aimg_load32(b + 8);
}

static void insertion_sort(uint8_t *slots, uint64_t count)
{
    uint8_t moving[AIMG_NAME_SLOT_BYTES];
    for (uint64_t i = 1; i < count; i++) {
        uint64_t place = i;
        memcpy(moving, slots + i * sizeof moving, sizeof moving);
        for (; place > 0 && slot_less(moving, slots + (place - 1) * sizeof moving); place--)
            memcpy(slots + place * sizeof moving, slots + (place - 1) * sizeof moving, sizeof moving);
        memcpy(slots + place * sizeof moving, moving, sizeof moving);
    }
}

static unsigned digit(const uint8_t *slot, unsigned shift)
{
    return (unsigned)(aimg_load64(slot) >> shift) & 0xFF;
}

/* Heap sort of slots whose hash is the same in all: only their ordinals differ. */
static void sift_down(uint8_t *slots, uint64_t root, uint64_t count)
{
    uint8_t swap[AIMG_NAME_SLOT_BYTES];
    for (uint64_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && slot_less(slots + child * sizeof swap, slots + (child + 1) * sizeof swap))
            child++;
        if (!slot_less(slots + root * sizeof swap, slots + child * sizeof swap))
            return;
        memcpy(swap, slots + root * sizeof swap, sizeof swap);
        memcpy(slots + root * sizeof swap, slots + child * sizeof swap, sizeof swap);
        memcpy(slots + child * sizeof swap, swap, sizeof swap);
    }
}

static void heap_sort(uint8_t *slots, uint64_t count)
{
    uint8_t swap[AIMG_NAME_SLOT_BYTES];
    for (uint64_t i = count / 2; i-- > 0;)
        sift_down(slots, i, count);
    for (uint64_t last = count; last-- > 1;) {
        memcpy(swap, slots, sizeof swap);
        memcpy(slots, slots + last * sizeof swap, sizeof swap);
        memcpy(slots + last * sizeof swap, swap, sizeof swap);
        sift_down(slots, 0, last);
    }
}

/* American flag sort (McIlroy, Bostic, McIlroy 1993): by the bytes of the hash from the top, without a second array. */
static void radix_sort(uint8_t *slots, uint64_t count, unsigned shift)
{
    uint64_t ends[256] = {0}, nexts[256];
    uint8_t moving[AIMG_NAME_SLOT_BYTES], other[AIMG_NAME_SLOT_BYTES];
    if (count <= INSERTION_MAX) {
        insertion_sort(slots, count);
        return;
    }
    for (uint64_t i = 0; i < count; i++)
        ends[digit(slots + i * sizeof moving, shift)]++;
    for (uint64_t sum = 0, i = 0; i < 256; i++) {
        nexts[i] = sum;
        sum += ends[i];
        ends[i] = sum;
    }
    for (unsigned bucket = 0; bucket < 256; bucket++) {
        while (nexts[bucket] < ends[bucket]) {
            memcpy(moving, slots + nexts[bucket] * sizeof moving, sizeof moving);
            for (unsigned to = digit(moving, shift); to != bucket; to = digit(moving, shift)) {
                uint8_t *place = slots + nexts[to]++ * sizeof moving;
                memcpy(other, place, sizeof other);
                memcpy(place, moving, sizeof moving);
                memcpy(moving, other, sizeof moving);
            }
            memcpy(slots + nexts[bucket]++ * sizeof moving, moving, sizeof moving);
        }
    }
    for (uint64_t begin = 0, i = 0; i < 256; begin = ends[i++]) {
        if (shift > LOW_SHIFT)
            radix_sort(slots + begin * sizeof moving, ends[i] - begin, shift - 8);
        else
            heap_sort(slots + begin * sizeof moving, ends[i] - begin);
    }
}

/* ------------------------------------------------------------------ merging */

#define WINDOW_BYTES 65536

/* A sorted row of slots: the waiting keys, or an older table read through a window. */
struct stream {
    const uint8_t *next;
    const uint8_t *end;
    uint64_t offset; /* in the file, of what follows the window */
    uint64_t left;   /* bytes of the section after the window */
    uint8_t *window;
};

struct merge {
    const struct aimg_source *source;
    struct stream *streams;
    uint32_t count;
    aimg_dead_fn *dead;
    void *user;
};

static enum aimg_status refill(struct merge *merge, struct stream *stream, struct aimg_error *error)
{
    struct aimg_error local;
    while (stream->next == stream->end && stream->left > 0) {
        size_t piece = stream->left < WINDOW_BYTES ? (size_t)stream->left : WINDOW_BYTES;
        const uint8_t *bytes = aimg_source_fetch(merge->source, stream->offset, piece, stream->window, &local);
        if (bytes == NULL) {
            if (error != NULL)
                *error = local;
            return local.status;
        }
        stream->next = bytes;
        stream->end = bytes + piece;
        stream->offset += piece;
        stream->left -= piece;
    }
    return AIMG_OK;
}

/* Brings the stream to its next key that is neither empty nor dead. */
static enum aimg_status settle(struct merge *merge, struct stream *stream, struct aimg_error *error)
{
    for (;;) {
        bool skip = false;
        enum aimg_status status = refill(merge, stream, error);
        if (status != AIMG_OK || stream->next == stream->end)
            return status;
        if (aimg_name_slot_empty(stream->next))
            skip = true;
        else
            status = merge->dead(merge->user, aimg_load32(stream->next + 8), &skip, error);
        if (status != AIMG_OK || !skip)
            return status;
        stream->next += AIMG_NAME_SLOT_BYTES;
    }
}

/* The smallest key of all streams, copied; *more_out false when there is none. */
static enum aimg_status merge_next(struct merge *merge, uint8_t slot[AIMG_NAME_SLOT_BYTES], bool *more_out,
                                   struct aimg_error *error)
{
    struct stream *least = NULL;
    for (uint32_t i = 0; i < merge->count; i++) {
        struct stream *stream = &merge->streams[i];
        if (stream->next != stream->end && (least == NULL || slot_less(stream->next, least->next)))
            least = stream;
    }
    *more_out = least != NULL;
    if (least == NULL)
        return AIMG_OK;
    memcpy(slot, least->next, AIMG_NAME_SLOT_BYTES);
    least->next += AIMG_NAME_SLOT_BYTES;
    return settle(merge, least, error);
}

static enum aimg_status merge_begin(struct merge *merge, const struct aimg_keys *keys, struct aimg_table *const *older,
                                    struct aimg_error *error)
{
    merge->streams[0].next = keys->slots.data;
    merge->streams[0].end = keys->slots.data == NULL ? NULL : keys->slots.data + keys->slots.bytes;
    merge->streams[0].left = 0;
    enum aimg_status status = settle(merge, &merge->streams[0], error);
    for (uint32_t i = 1; status == AIMG_OK && i < merge->count; i++) {
        struct stream *stream = &merge->streams[i];
        const struct aimg_section *slots = &older[i - 1]->sections[0];
        stream->offset = older[i - 1]->payload + slots->offset;
        stream->left = slots->bytes;
        stream->next = stream->end = NULL;
        status = settle(merge, stream, error);
    }
    return status;
}

static enum aimg_status count_keys(struct merge *merge, uint64_t *count_out, struct aimg_error *error)
{
    uint8_t slot[AIMG_NAME_SLOT_BYTES];
    bool more = true;
    enum aimg_status status = AIMG_OK;
    for (*count_out = 0; status == AIMG_OK; (*count_out)++) {
        status = merge_next(merge, slot, &more, error);
        if (!more)
            return status;
    }
    return status;
}

static enum aimg_status add_empty(struct aimg_table_writer *table, uint64_t slots, struct aimg_error *error)
{
    static const uint8_t zeros[AIMG_BLOCK_BYTES];
    enum aimg_status status = AIMG_OK;
    for (uint64_t left = slots * AIMG_NAME_SLOT_BYTES; status == AIMG_OK && left > 0;) {
        size_t piece = left < sizeof zeros ? (size_t)left : sizeof zeros;
        status = aimg_table_writer_add(table, zeros, piece, error);
        left -= piece;
    }
    return status;
}

/* Places the keys as SPEC.md section 6.2 says. */
static enum aimg_status place_keys(struct merge *merge, struct aimg_table_writer *table, uint64_t slot_count,
                                   struct aimg_error *error)
{
    uint8_t slot[AIMG_NAME_SLOT_BYTES];
    uint64_t next = 0, max_disp = 0;
    for (;;) {
        bool more;
        enum aimg_status status = merge_next(merge, slot, &more, error);
        if (status != AIMG_OK)
            return status;
        if (!more)
            break;
        uint64_t home = aimg_slot_home(aimg_name_slot_key_hash(aimg_load64(slot)), AIMG_NAME_HASH_BITS, slot_count);
        uint64_t place = home > next ? home : next;
        max_disp = place - home > max_disp ? place - home : max_disp;
        status = add_empty(table, place - next, error);
        if (status == AIMG_OK)
            status = aimg_table_writer_add(table, slot, sizeof slot, error);
        if (status != AIMG_OK)
            return status;
        next = place + 1;
    }
    if (max_disp > AIMG_PROBE_MAX)
        return aimg_fail(error, AIMG_LIMIT, "too many names fall on one place of the hash table");
    enum aimg_status status = add_empty(table, slot_count + max_disp - next, error);
    struct aimg_section section = {.kind = AIMG_SECTION_NAME_SLOTS,
                                   .element_bytes = AIMG_NAME_SLOT_BYTES,
                                   .count = slot_count + max_disp,
                                   .extra = slot_count};
    return status == AIMG_OK ? aimg_table_writer_section(table, section, error) : status;
}

static enum aimg_status verify_older(const struct aimg_source *source, struct aimg_table *const *older, uint32_t count,
                                     struct aimg_error *error)
{
    enum aimg_status status = AIMG_OK;
    for (uint32_t i = 0; status == AIMG_OK && i < count; i++)
        status = aimg_table_verify(source, older[i], older[i]->sections[0].offset, older[i]->sections[0].bytes, error);
    return status;
}

static enum aimg_status write_merged(struct merge *merge, const struct aimg_keys *keys, struct aimg_table *const *older,
                                     struct aimg_out *out, struct aimg_part *part_out, struct aimg_error *error)
{
    uint64_t count = 0;
    struct aimg_table_writer table;
    enum aimg_status status = verify_older(merge->source, older, merge->count - 1, error);
    if (status == AIMG_OK)
        status = merge_begin(merge, keys, older, error);
    if (status == AIMG_OK)
        status = count_keys(merge, &count, error);
    if (status == AIMG_OK)
        status = merge_begin(merge, keys, older, error);
    *part_out = (struct aimg_part){.count = 0};
    if (status != AIMG_OK || count == 0)
        return status;
    status = aimg_table_writer_begin(&table, out, AIMG_FRAME_NAMES, 0, 0, (uint32_t)count, error);
    if (status == AIMG_OK)
        status = place_keys(merge, &table, aimg_slot_count(count), error);
    if (status == AIMG_OK)
        return aimg_table_writer_end(&table, part_out, error);
    aimg_table_writer_abandon(&table);
    return status;
}

enum aimg_status aimg_keys_write(struct aimg_keys *keys, const struct aimg_source *source, struct aimg_table *const *older,
                                 uint32_t older_count, aimg_dead_fn *dead, void *user, struct aimg_out *out,
                                 struct aimg_part *part_out, struct aimg_error *error)
{
    const struct aimg_allocator *allocator = &keys->allocator;
    struct merge merge = {.source = source, .count = older_count + 1, .dead = dead, .user = user};
    enum aimg_status status = AIMG_OK;
    radix_sort(keys->slots.data, aimg_keys_count(keys), TOP_SHIFT);
    merge.streams = aimg_alloc_array(allocator, merge.count, sizeof *merge.streams);
    uint8_t *windows = aimg_alloc_array(allocator, (uint64_t)older_count * WINDOW_BYTES, 1);
    if (merge.streams == NULL || windows == NULL) {
        status = aimg_fail_memory(error, (uint64_t)older_count * WINDOW_BYTES);
    } else {
        for (uint32_t i = 0; i < older_count; i++)
            merge.streams[i + 1].window = windows + (size_t)i * WINDOW_BYTES;
        status = write_merged(&merge, keys, older, out, part_out, error);
    }
    aimg_release(allocator, windows);
    aimg_release(allocator, merge.streams);
    return status;
}
