/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include "error.h"

#define FIRST_SET  64
#define MANY_BYTES (UINT64_C(4) << 20)

const struct aimg_slot_kind aimg_name_slots = {AIMG_NAME_SLOT_BYTES, AIMG_NAME_HASH_BITS, AIMG_FRAME_NAMES,
                                               AIMG_SECTION_NAME_SLOTS};
const struct aimg_slot_kind aimg_content_slots = {AIMG_CONTENT_SLOT_BYTES, AIMG_CONTENT_HASH_BITS, AIMG_FRAME_CONTENT,
                                                  AIMG_SECTION_CONTENT_SLOTS};

#define SLOT_MAX_BYTES AIMG_NAME_SLOT_BYTES

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
    if (!reserve_slot(keys) || (keys->check == NULL && !set_grow(keys)))
        return false;
    if (keys->check == NULL)
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

/* Slots of one width; the hash decides, then the ordinal. */
static bool slot_less(const uint8_t *a, const uint8_t *b, size_t width)
{
    uint64_t hash_a = aimg_slot_hash(a, width), hash_b = aimg_slot_hash(b, width);
    return hash_a != hash_b ? hash_a < hash_b : aimg_slot_ordinal(a, width) < aimg_slot_ordinal(b, width);
}

static inline void slot_copy(uint8_t *to, const uint8_t *from, size_t width)
{
    memcpy(to, from, AIMG_CONTENT_SLOT_BYTES);
    if (width == AIMG_NAME_SLOT_BYTES)
        memcpy(to + AIMG_CONTENT_SLOT_BYTES, from + AIMG_CONTENT_SLOT_BYTES, AIMG_NAME_SLOT_BYTES - AIMG_CONTENT_SLOT_BYTES);
}

static void insertion_sort(uint8_t *slots, uint64_t count, size_t width)
{
    uint8_t moving[SLOT_MAX_BYTES];
    for (uint64_t i = 1; i < count; i++) {
        uint64_t place = i;
        slot_copy(moving, slots + i * width, width);
        for (; place > 0 && slot_less(moving, slots + (place - 1) * width, width); place--)
            slot_copy(slots + place * width, slots + (place - 1) * width, width);
        slot_copy(slots + place * width, moving, width);
    }
}

static unsigned digit(const uint8_t *slot, unsigned shift, size_t width)
{
    return (unsigned)(aimg_slot_hash(slot, width) >> shift) & 0xFF;
}

/* Heap sort of slots whose hash is the same in all: only their ordinals differ. */
static void sift_down(uint8_t *slots, uint64_t root, uint64_t count, size_t width)
{
    uint8_t swap[SLOT_MAX_BYTES];
    for (uint64_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && slot_less(slots + child * width, slots + (child + 1) * width, width))
            child++;
        if (!slot_less(slots + root * width, slots + child * width, width))
            return;
        slot_copy(swap, slots + root * width, width);
        slot_copy(slots + root * width, slots + child * width, width);
        slot_copy(slots + child * width, swap, width);
    }
}

static void heap_sort(uint8_t *slots, uint64_t count, size_t width)
{
    uint8_t swap[SLOT_MAX_BYTES];
    for (uint64_t i = count / 2; i-- > 0;)
        sift_down(slots, i, count, width);
    for (uint64_t last = count; last-- > 1;) {
        slot_copy(swap, slots, width);
        slot_copy(slots, slots + last * width, width);
        slot_copy(slots + last * width, swap, width);
        sift_down(slots, 0, last, width);
    }
}

/* American flag sort (McIlroy, Bostic, McIlroy 1993): by the bytes of the hash from the top, without a second array. */
static void radix_sort(uint8_t *slots, uint64_t count, unsigned shift, size_t width)
{
    uint64_t ends[256] = {0}, nexts[256];
    uint8_t moving[SLOT_MAX_BYTES] = {0}, other[SLOT_MAX_BYTES] = {0}; /* for compilers that do not see the widths agree */
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
            slot_copy(moving, slots + nexts[bucket] * width, width);
            for (unsigned to = digit(moving, shift, width); to != bucket; to = digit(moving, shift, width)) {
                uint8_t *place = slots + nexts[to]++ * width;
                slot_copy(other, place, width);
                slot_copy(place, moving, width);
                slot_copy(moving, other, width);
            }
            slot_copy(slots + nexts[bucket]++ * width, moving, width);
        }
    }
    for (uint64_t begin = 0, i = 0; i < 256; begin = ends[i++]) {
        if (shift > 0)
            radix_sort(slots + begin * width, ends[i] - begin, shift - 8, width);
        else
            heap_sort(slots + begin * width, ends[i] - begin, width);
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
    const struct aimg_slot_kind *kind;
    struct stream *streams;
    uint32_t count;
    aimg_dead_fn *dead;
    void *user;
    uint8_t last[SLOT_MAX_BYTES]; /* taken before, and how many with its hash in a row */
    uint32_t twins;
    const struct aimg_keys *keys;
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
        size_t width = merge->kind->slot_bytes;
        enum aimg_status status = refill(merge, stream, error);
        if (status != AIMG_OK || stream->next == stream->end)
            return status;
        if (aimg_slot_empty(stream->next, width))
            skip = true;
        else
            status = merge->dead(merge->user, aimg_slot_ordinal(stream->next, width), &skip, error);
        if (status != AIMG_OK || !skip)
            return status;
        stream->next += width;
    }
}

/* The smallest key of all streams, copied; *more_out false when there is none. */
static enum aimg_status take_least(struct merge *merge, uint8_t slot[SLOT_MAX_BYTES], bool *more_out, struct aimg_error *error)
{
    struct stream *least = NULL;
    size_t width = merge->kind->slot_bytes;
    for (uint32_t i = 0; i < merge->count; i++) {
        struct stream *stream = &merge->streams[i];
        if (stream->next != stream->end && (least == NULL || slot_less(stream->next, least->next, width)))
            least = stream;
    }
    *more_out = least != NULL;
    if (least == NULL)
        return AIMG_OK;
    slot_copy(slot, least->next, width);
    least->next += width;
    return settle(merge, least, error);
}

/* Whether a key of content is one too many of its hash, or out of order, as none is that was written by this code. */
static bool superfluous(struct merge *merge, const uint8_t *slot)
{
    size_t width = merge->kind->slot_bytes;
    bool first = aimg_slot_empty(merge->last, width);
    bool same = !first && aimg_slot_hash(slot, width) == aimg_slot_hash(merge->last, width);
    if (!first && !slot_less(merge->last, slot, width))
        return true;
    merge->twins = same ? merge->twins + 1 : 1;
    slot_copy(merge->last, slot, width);
    return merge->twins > AIMG_CONTENT_TWINS;
}

static enum aimg_status merge_next(struct merge *merge, uint8_t slot[SLOT_MAX_BYTES], bool *more_out, struct aimg_error *error)
{
    for (;;) {
        enum aimg_status status = take_least(merge, slot, more_out, error);
        if (status != AIMG_OK || !*more_out || merge->kind == &aimg_name_slots || !superfluous(merge, slot))
            return status;
    }
}

static enum aimg_status merge_begin(struct merge *merge, const struct aimg_keys *keys, struct aimg_table *const *older,
                                    struct aimg_error *error)
{
    merge->streams[0].next = keys->slots.data;
    merge->streams[0].end = keys->slots.data == NULL ? NULL : keys->slots.data + keys->slots.bytes;
    merge->streams[0].left = 0;
    memset(merge->last, 0, sizeof merge->last);
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
    uint8_t slot[SLOT_MAX_BYTES];
    bool more = true;
    enum aimg_status status = AIMG_OK;
    for (*count_out = 0; status == AIMG_OK; (*count_out)++) {
        status = merge_next(merge, slot, &more, error);
        if (!more)
            return status;
    }
    return status;
}

static enum aimg_status add_empty(struct aimg_table_writer *table, uint64_t bytes, struct aimg_error *error)
{
    static const uint8_t zeros[AIMG_BLOCK_BYTES];
    enum aimg_status status = AIMG_OK;
    for (uint64_t left = bytes; status == AIMG_OK && left > 0;) {
        size_t piece = left < sizeof zeros ? (size_t)left : sizeof zeros;
        status = aimg_table_writer_add(table, zeros, piece, error);
        left -= piece;
    }
    return status;
}

/* Places the keys as SPEC.md section 6.2 says. A name must have its place; content that has none near its home is left out:
 * whoever makes images whose hashes are alike must not be able to stop a commit. *placed_out: how many have one. */
static enum aimg_status check_slot(const struct merge *merge, const uint8_t *encoded, struct aimg_error *error)
{
    struct aimg_name_slot slot;
    if (merge->keys->check == NULL)
        return AIMG_OK;
    aimg_name_slot_decode(encoded, &slot);
    return merge->keys->check(merge->keys->check_user, &slot, error);
}

static enum aimg_status place_keys(struct merge *merge, struct aimg_table_writer *table, uint64_t slot_count,
                                   uint64_t *placed_out, struct aimg_error *error)
{
    uint8_t slot[SLOT_MAX_BYTES];
    size_t width = merge->kind->slot_bytes;
    uint64_t next = 0, max_disp = 0;
    for (*placed_out = 0;;) {
        bool more;
        enum aimg_status status = merge_next(merge, slot, &more, error);
        if (status != AIMG_OK)
            return status;
        if (!more)
            break;
        uint64_t home = aimg_slot_home(aimg_slot_hash(slot, width), merge->kind->hash_bits, slot_count);
        uint64_t place = home > next ? home : next;
        if (place - home > AIMG_PROBE_MAX && merge->kind == &aimg_content_slots)
            continue;
        if (place - home > AIMG_PROBE_MAX)
            return aimg_fail(error, AIMG_LIMIT, "too many names fall on one place of the hash table");
        max_disp = place - home > max_disp ? place - home : max_disp;
        status = check_slot(merge, slot, error);
        if (status == AIMG_OK)
            status = add_empty(table, (place - next) * width, error);
        if (status == AIMG_OK)
            status = aimg_table_writer_add(table, slot, width, error);
        if (status != AIMG_OK)
            return status;
        next = place + 1;
        ++*placed_out;
    }
    enum aimg_status status = add_empty(table, (slot_count + max_disp - next) * width, error);
    struct aimg_section section = {
        .kind = merge->kind->section, .element_bytes = (uint16_t)width, .count = slot_count + max_disp, .extra = slot_count};
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
    uint64_t count = 0, placed = 0;
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
    status = aimg_table_writer_begin(&table, out, merge->kind->frame_type, 0, 0, (uint32_t)count, error);
    if (status == AIMG_OK)
        status = place_keys(merge, &table, aimg_slot_count(count), &placed, error);
    if (status != AIMG_OK) {
        aimg_table_writer_abandon(&table);
        return status;
    }
    table.footer.count = (uint32_t)placed;
    status = aimg_table_writer_end(&table, part_out, error);
    if (!aimg_slot_count_in_range(aimg_slot_count(count), placed))
        part_out->count = 0; /* too few of them have a place: a frame that no ROOT names */
    return status;
}

enum aimg_status aimg_keys_write(struct aimg_keys *keys, const struct aimg_source *source, struct aimg_table *const *older,
                                 uint32_t older_count, aimg_dead_fn *dead, void *user, struct aimg_out *out,
                                 struct aimg_part *part_out, struct aimg_error *error)
{
    const struct aimg_allocator *allocator = &keys->allocator;
    struct merge merge = {
        .source = source, .kind = keys->kind, .count = older_count + 1, .dead = dead, .user = user, .keys = keys};
    enum aimg_status status = AIMG_OK;
    radix_sort(keys->slots.data, aimg_keys_count(keys), keys->kind->hash_bits - 8u, keys->kind->slot_bytes);
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
