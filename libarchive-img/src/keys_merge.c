/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of slots read side by side, in the order of their hashes: to write one of them, or to look at them. */
#include "error.h"
#include "keys.h"

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
    struct stream *streams; /* that of the waiting keys, then one a table */
    uint8_t *windows;
    uint32_t count;
    aimg_dead_fn *dead;
    void *user;
    uint8_t last[AIMG_SLOT_MAX_BYTES]; /* taken before, and how many with its hash in a row */
    uint32_t twins;
};

static enum aimg_status merge_create(struct merge *merge, const struct aimg_allocator *allocator, struct aimg_error *error)
{
    uint64_t window_bytes = (uint64_t)(merge->count - 1) * WINDOW_BYTES;
    merge->streams = aimg_alloc_array(allocator, merge->count, sizeof *merge->streams);
    merge->windows = aimg_alloc_array(allocator, window_bytes, 1);
    if (merge->streams == NULL || merge->windows == NULL)
        return aimg_fail_memory(error, window_bytes);
    for (uint32_t i = 1; i < merge->count; i++)
        merge->streams[i].window = merge->windows + (size_t)(i - 1) * WINDOW_BYTES;
    return AIMG_OK;
}

static void merge_destroy(struct merge *merge, const struct aimg_allocator *allocator)
{
    aimg_release(allocator, merge->windows);
    aimg_release(allocator, merge->streams);
}

static enum aimg_status refill(struct merge *merge, struct stream *stream, struct aimg_error *error)
{
    struct aimg_error local;
    while (stream->next == stream->end && stream->left > 0) {
        size_t piece = stream->left < WINDOW_BYTES ? (size_t)stream->left : WINDOW_BYTES;
        const uint8_t *bytes = aimg_source_fetch(merge->source, stream->offset, piece, stream->window, &local);
        if (bytes == NULL)
            return aimg_fail_as(error, &local);
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
static enum aimg_status take_least(struct merge *merge, uint8_t slot[AIMG_SLOT_MAX_BYTES], bool *more_out,
                                   struct aimg_error *error)
{
    struct stream *least = NULL;
    size_t width = merge->kind->slot_bytes;
    for (uint32_t i = 0; i < merge->count; i++) {
        struct stream *stream = &merge->streams[i];
        if (stream->next != stream->end && (least == NULL || aimg_slot_less(stream->next, least->next, width)))
            least = stream;
    }
    *more_out = least != NULL;
    if (least == NULL)
        return AIMG_OK;
    aimg_slot_copy(slot, least->next, width);
    least->next += width;
    return settle(merge, least, error);
}

/* Whether a key of content is one too many of its hash, or out of order, as none is that was written by this code. */
static bool superfluous(struct merge *merge, const uint8_t *slot)
{
    size_t width = merge->kind->slot_bytes;
    bool first = aimg_slot_empty(merge->last, width);
    bool same = !first && aimg_slot_hash(slot, width) == aimg_slot_hash(merge->last, width);
    if (!first && !aimg_slot_less(merge->last, slot, width))
        return true;
    merge->twins = same ? merge->twins + 1 : 1;
    aimg_slot_copy(merge->last, slot, width);
    return merge->twins > AIMG_CONTENT_TWINS;
}

static enum aimg_status merge_next(struct merge *merge, uint8_t slot[AIMG_SLOT_MAX_BYTES], bool *more_out,
                                   struct aimg_error *error)
{
    for (;;) {
        enum aimg_status status = take_least(merge, slot, more_out, error);
        if (status != AIMG_OK || !*more_out || merge->kind == &aimg_name_slots || !superfluous(merge, slot))
            return status;
    }
}

/* keys: NULL, or those that wait. */
static enum aimg_status merge_begin(struct merge *merge, const struct aimg_keys *keys, struct aimg_table *const *older,
                                    struct aimg_error *error)
{
    const uint8_t *waiting = keys != NULL ? keys->slots.data : NULL;
    merge->streams[0].next = waiting;
    merge->streams[0].end = waiting == NULL ? NULL : waiting + keys->slots.bytes;
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
    uint8_t slot[AIMG_SLOT_MAX_BYTES];
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
static enum aimg_status place_keys(struct merge *merge, struct aimg_table_writer *table, uint64_t slot_count,
                                   uint64_t *placed_out, struct aimg_error *error)
{
    uint8_t slot[AIMG_SLOT_MAX_BYTES];
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
    struct merge merge = {.source = source, .kind = keys->kind, .count = older_count + 1, .dead = dead, .user = user};
    aimg_keys_sort(keys);
    enum aimg_status status = merge_create(&merge, &keys->allocator, error);
    if (status == AIMG_OK)
        status = write_merged(&merge, keys, older, out, part_out, error);
    merge_destroy(&merge, &keys->allocator);
    return status;
}

static enum aimg_status keep_all(void *user, uint32_t ordinal, bool *dead_out, struct aimg_error *error)
{
    (void)user;
    (void)ordinal;
    (void)error;
    *dead_out = false;
    return AIMG_OK;
}

static enum aimg_status show_merged(struct merge *merge, struct aimg_table *const *tables, aimg_name_slot_fn *each, void *user,
                                    struct aimg_error *error)
{
    enum aimg_status status = verify_older(merge->source, tables, merge->count - 1, error);
    if (status == AIMG_OK)
        status = merge_begin(merge, NULL, tables, error);
    while (status == AIMG_OK) {
        uint8_t encoded[AIMG_SLOT_MAX_BYTES];
        struct aimg_name_slot slot;
        bool more;
        status = merge_next(merge, encoded, &more, error);
        if (status != AIMG_OK || !more)
            break;
        aimg_name_slot_decode(encoded, &slot);
        status = each(user, &slot, error);
    }
    return status;
}

enum aimg_status aimg_keys_each(const struct aimg_allocator *allocator, const struct aimg_source *source,
                                struct aimg_table *const *tables, uint32_t count, aimg_name_slot_fn *each, void *user,
                                struct aimg_error *error)
{
    struct merge merge = {.source = source, .kind = &aimg_name_slots, .count = count + 1, .dead = keep_all};
    enum aimg_status status = merge_create(&merge, allocator, error);
    if (status == AIMG_OK)
        status = show_merged(&merge, tables, each, user, error);
    merge_destroy(&merge, allocator);
    return status;
}
