/* SPDX-License-Identifier: Apache-2.0 */
/* By name: slot, then frame. SPEC.md section 6.2. */
#include "lookup.h"

#include "checksum.h"
#include "slot.h"

static const struct aimg_section *slots_of(const struct aimg_table *table)
{
    return &table->sections[0]; /* a NAMES table has this section only */
}

/* Whether a frame, decoded from `header`, is the one that the slot names and carries the name. */
static bool carries_name(const struct aimg_search *search, const struct aimg_name_slot *slot, const struct aimg_frame *frame,
                         const uint8_t *header)
{
    return frame->name_bytes == search->name_bytes && frame->ordinal == slot->ordinal &&
           memcmp(header + AIMG_FRAME_BYTES, search->name, search->name_bytes) == 0 &&
           aimg_frame_total_bytes(frame) <= search->source->end - slot->frame_offset;
}

/* A frame that does not match is of another name with the same hash, or damaged, or whole but not the slot's, as when two sectors
 * were exchanged: only then is its checksum looked at. What was checked decides: the bytes may be others than those that did not
 * match. */
static enum aimg_status match_checked(const struct aimg_search *search, const struct aimg_name_slot *slot,
                                      struct aimg_frame *frame_out, struct aimg_error *error)
{
    struct aimg_frame_view view;
    enum aimg_status status = aimg_frame_read(search->source, slot->frame_offset, &view, error);
    if (status != AIMG_OK)
        return status;
    *frame_out = view.frame;
    bool image = view.frame.type == AIMG_FRAME_IMAGE || view.frame.type == AIMG_FRAME_ALIAS;
    if (image && view.frame.ordinal == slot->ordinal)
        return carries_name(search, slot, &view.frame, view.bytes) ? AIMG_OK : AIMG_NOT_FOUND;
    return aimg_fail_at(error, AIMG_CORRUPT, 59, slot->frame_offset,
                        "the index of names has image %" PRIu32 " at %" PRIu64 ", where there is a frame of another (rule 59); "
                        "run verify, then repair",
                        slot->ordinal, slot->frame_offset);
}

/* Whether the frame of a slot carries the name; NOT_FOUND when not. */
static enum aimg_status match_frame(const struct aimg_search *search, const struct aimg_name_slot *slot, struct aimg_found *found,
                                    struct aimg_error *error)
{
    uint8_t scratch[AIMG_FRAME_BYTES + AIMG_NAME_MAX];
    const struct aimg_source *source = search->source;
    size_t bytes = AIMG_FRAME_BYTES + search->name_bytes;
    if (slot->frame_offset < AIMG_HEAD_BYTES || slot->frame_offset > source->end || source->end - slot->frame_offset < bytes)
        return AIMG_NOT_FOUND; /* a damaged slot: the caller verifies before it says no */
    struct aimg_error local;
    const uint8_t *header = aimg_source_fetch(source, slot->frame_offset, bytes, scratch, &local);
    if (header == NULL)
        return aimg_fail_as(error, &local);
    found->frame_offset = slot->frame_offset;
    found->ordinal = slot->ordinal;
    if (aimg_frame_decode(header, &found->frame) == 0 && carries_name(search, slot, &found->frame, header))
        return AIMG_OK;
    return match_checked(search, slot, &found->frame, error);
}

static enum aimg_status check_alive(const struct aimg_search *search, uint32_t ordinal, struct aimg_error *error)
{
    const struct aimg_catalog *catalog = search->catalog;
    if (catalog->head.dead_count == 0 || ordinal >= catalog->head.ordinal_count)
        return AIMG_OK;
    return aimg_run_check_alive(search->source, &catalog->runs[aimg_catalog_run(catalog, ordinal)], ordinal, error);
}

/* Slots of a table that were looked at and are not verified. */
struct probed {
    uint64_t first, count;
};

/* Slots of one block. */
struct window {
    const uint8_t *next;
    uint64_t end; /* index of the slot after it */
    bool held;    /* the block is in scratch */
    uint8_t scratch[AIMG_BLOCK_BYTES];
};

static enum aimg_status open_window(const struct aimg_search *search, const struct aimg_table *table, uint64_t index,
                                    struct window *window, struct aimg_error *error)
{
    struct aimg_error local;
    size_t bytes;
    uint64_t offset = slots_of(table)->offset + index * AIMG_NAME_SLOT_BYTES;
    window->next = aimg_table_block(search->source, table, offset, window->scratch, &bytes, &local);
    if (window->next == NULL)
        return aimg_fail_as(error, &local);
    window->held = window->next >= window->scratch && window->next < window->scratch + sizeof window->scratch;
    window->end = index + bytes / AIMG_NAME_SLOT_BYTES;
    return AIMG_OK;
}

/* Where there is no map the block is verified while it is here; in a map it can wait until it is known that no table has the
 * name. */
static enum aimg_status leave_window(const struct aimg_search *search, struct aimg_table *table, const struct window *window,
                                     struct probed *probed, struct aimg_error *error)
{
    if (!window->held || probed->count == 0)
        return AIMG_OK;
    uint64_t offset = slots_of(table)->offset + probed->first * AIMG_NAME_SLOT_BYTES;
    probed->first += probed->count;
    probed->count = 0;
    return aimg_table_verify_held(search->source, table, offset, window->scratch, error);
}

static enum aimg_status try_slot(const struct aimg_search *search, const uint8_t *place, struct aimg_found *found,
                                 struct aimg_error *error)
{
    struct aimg_name_slot slot;
    aimg_name_slot_decode(place, &slot);
    if (slot.ordinal >= search->ordinals)
        return aimg_fail_at(error, AIMG_CORRUPT, 59, slot.frame_offset,
                            "the index of names has an image %" PRIu32 ", of %" PRIu64 " ordinals (rule 59); run verify, then "
                            "repair",
                            slot.ordinal, search->ordinals);
    enum aimg_status status = check_alive(search, slot.ordinal, error);
    return status == AIMG_OK ? match_frame(search, &slot, found, error) : status;
}

/* One NAMES table. NOT_FOUND when the name is not in it. */
static enum aimg_status search_table(const struct aimg_search *search, struct aimg_table *table, struct probed *probed,
                                     struct aimg_found *found, struct aimg_error *error)
{
    const struct aimg_section *slots = slots_of(table);
    uint64_t home = aimg_slot_home(search->hash, AIMG_NAME_HASH_BITS, slots->extra);
    uint64_t last = home + (slots->count - slots->extra);
    struct window window;
    window.end = home;
    window.held = false;
    *probed = (struct probed){home, 0};
    for (uint64_t i = home; i <= last && i < slots->count; i++, window.next += AIMG_NAME_SLOT_BYTES) {
        enum aimg_status status = AIMG_OK;
        if (i >= window.end) {
            status = leave_window(search, table, &window, probed, error);
            if (status == AIMG_OK)
                status = open_window(search, table, i, &window, error);
            if (status != AIMG_OK)
                return status;
        }
        probed->count++;
        uint64_t key_hash = aimg_name_slot_key_hash(aimg_load64(window.next));
        if (key_hash > search->hash || aimg_name_slot_empty(window.next))
            break;
        if (key_hash == search->hash) {
            status = try_slot(search, window.next, found, error);
            if (status != AIMG_NOT_FOUND)
                return status;
        }
    }
    enum aimg_status status = leave_window(search, table, &window, probed, error);
    return status == AIMG_OK ? AIMG_NOT_FOUND : status;
}

static enum aimg_status no_such_name(const struct aimg_search *search, struct aimg_error *error)
{
    int shown = search->name_bytes < 150 ? (int)search->name_bytes : 150;
    return aimg_fail(error, AIMG_NOT_FOUND, "there is no image named '%.*s'", shown, (const char *)search->name);
}

/* The oldest table first: it is the largest. A name that is not dead stands in one table only, so the order does not matter, and
 * a hit needs no proof of what the others lack. */
enum aimg_status aimg_search_run(const struct aimg_search *search, struct aimg_found *found, struct aimg_error *error)
{
    struct probed probed[AIMG_NAME_RUN_MAX];
    for (uint32_t i = 0; i < search->table_count; i++) {
        enum aimg_status status = search_table(search, &search->tables[i], &probed[i], found, error);
        if (status != AIMG_NOT_FOUND)
            return status;
    }
    /* "No" is only said of slots that are what was written. */
    for (uint32_t i = 0; i < search->table_count; i++) {
        struct aimg_table *table = &search->tables[i];
        enum aimg_status status =
            aimg_table_verify(search->source, table, slots_of(table)->offset + probed[i].first * AIMG_NAME_SLOT_BYTES,
                              probed[i].count * AIMG_NAME_SLOT_BYTES, error);
        if (status != AIMG_OK)
            return status;
    }
    return no_such_name(search, error);
}

static struct aimg_search begin_search(const struct aimg_reader *reader, const char *name, size_t name_bytes)
{
    uint64_t hash = aimg_hash_low(name, name_bytes, reader->located.header.params.name_seed);
    const struct aimg_catalog *catalog = &reader->catalog;
    return (struct aimg_search){.source = &reader->source,
                                .catalog = catalog,
                                .tables = catalog->names_count == 0 ? NULL : catalog->tables + catalog->names_first,
                                .table_count = catalog->names_count,
                                .ordinals = catalog->head.ordinal_count,
                                .name = (const uint8_t *)name,
                                .name_bytes = name_bytes,
                                .hash = aimg_name_hash40(hash)};
}

static enum aimg_status check_name(const struct aimg_reader *reader, const char *name, size_t name_bytes, const void *out,
                                   struct aimg_error *error)
{
    if (reader == NULL || (name == NULL && name_bytes > 0) || out == NULL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "finding a name needs a reader, a name, and a place for the answer");
    if (name_bytes == 0 || name_bytes > AIMG_NAME_MAX)
        return aimg_fail(error, AIMG_NOT_FOUND, "no image has a name of %zu bytes; names have 1 to %d", name_bytes,
                         AIMG_NAME_MAX);
    return AIMG_OK;
}

/* Slots that are counted at once, without a branch for each: how far a name stands from its home cannot be foreseen, and a wrong
 * guess would undo the work on the reads that follow. More would touch a second cache line. */
#define GLANCE_SLOTS 4

/* Whether a search goes on past a slot: it holds a smaller hash and is not empty. One with a hash of 0 that is not empty is left
 * to the full search. */
static inline bool slot_before(const uint8_t *slot, uint64_t hash)
{
    uint64_t key_hash = aimg_name_slot_key_hash(aimg_load64(slot));
    return (key_hash != 0) & (key_hash < hash);
}

/* Where a search meets a hash: past all smaller ones from its home on, at most max_disp. NULL when it does not, or near the end
 * of the slots. Also where they are out of order (rule 57) this is what the full search meets first. */
static inline const uint8_t *glance_slot(const struct aimg_hot_names *names, uint64_t hash, uint64_t home)
{
    const uint8_t *slot = names->slots + home * AIMG_NAME_SLOT_BYTES;
    const uint8_t *last = slot + (names->slots_total - names->slot_count) * AIMG_NAME_SLOT_BYTES;
    size_t smaller = 0, before = 1;
    if (names->slots_total - home < GLANCE_SLOTS + 1)
        return NULL;
    for (size_t i = 0; i < GLANCE_SLOTS; i++) {
        before &= slot_before(slot + i * AIMG_NAME_SLOT_BYTES, hash);
        smaller += before;
    }
    slot += smaller * AIMG_NAME_SLOT_BYTES;
    while (slot < last && slot_before(slot, hash))
        slot += AIMG_NAME_SLOT_BYTES;
    return slot <= last && aimg_name_slot_key_hash(aimg_load64(slot)) == hash ? slot : NULL;
}

/* The frame that a slot names, not looked at; NULL when it cannot be one. */
static inline const uint8_t *glance_frame(const struct aimg_hot *hot, const uint8_t *place, size_t name_bytes,
                                          uint32_t *ordinal_out)
{
    struct aimg_name_slot slot;
    aimg_name_slot_decode(place, &slot);
    if (slot.frame_offset < AIMG_HEAD_BYTES || slot.frame_offset > hot->end ||
        hot->end - slot.frame_offset < AIMG_FRAME_BYTES + name_bytes || slot.ordinal >= hot->ordinal_count)
        return NULL;
    *ordinal_out = slot.ordinal;
    return hot->base + slot.frame_offset;
}

/* Its bytes, when it is the image of that name and ordinal as images mostly are. Where the bytes begin follows from the name,
 * without extensions: so their first lines are fetched while the header is still on its way. */
static inline bool glance_bytes(const struct aimg_hot *hot, const uint8_t *header, uint32_t ordinal, const char *name,
                                size_t name_bytes, struct aimg_bytes *bytes_out)
{
    uint64_t left = hot->end - (uint64_t)(header - hot->base);
    uint64_t stored_bytes = aimg_load48(header + 16);
    uint32_t header_bytes = aimg_frame_header_bytes((uint32_t)name_bytes, 0);
    uint32_t first = AIMG_FRAME_MAGIC | AIMG_FRAME_IMAGE << 16 | header_bytes / AIMG_UNIT << 24;
    if (aimg_load32(header) != first || aimg_load32(header + 4) != ordinal || aimg_load16(header + 12) != name_bytes ||
        header_bytes + stored_bytes > left || memcmp(header + AIMG_FRAME_BYTES, name, name_bytes) != 0)
        return false;
    bytes_out->data = header + header_bytes;
    bytes_out->bytes = stored_bytes;
    bytes_out->ordinal = ordinal;
    bytes_out->format = header[14];
    bytes_out->coding = header[15];
    bytes_out->status = AIMG_OK;
    return true;
}

static inline uint64_t glance_hash(const struct aimg_hot *hot, const char *name, size_t name_bytes)
{
    return aimg_name_hash40(aimg_hash_low(name, name_bytes, hot->name_seed));
}

static inline uint64_t home_in(const struct aimg_hot_names *names, uint64_t hash)
{
    return aimg_slot_home(hash, AIMG_NAME_HASH_BITS, names->slot_count);
}

struct flight {
    uint64_t hash;
    const uint8_t *header; /* of the frame, or NULL */
    uint32_t ordinal;
};

/* Where the frame of a name must be, by the first table that has its hash; NULL when none has. Later tables are not asked: the
 * full search would say first what is wrong with this one. */
static inline const uint8_t *glance_header(const struct aimg_hot *hot, size_t name_bytes, struct flight *flight)
{
    const uint8_t *place = NULL;
    for (uint32_t i = 0; place == NULL && i < hot->names_count; i++)
        place = glance_slot(&hot->names[i], flight->hash, home_in(&hot->names[i], flight->hash));
    return place == NULL ? NULL : glance_frame(hot, place, name_bytes, &flight->ordinal);
}

/* The bytes of a name if all is as it mostly is; if not, the full search says why. */
static bool glance(const struct aimg_hot *hot, const char *name, size_t name_bytes, struct aimg_bytes *bytes_out)
{
    struct flight flight = {.hash = glance_hash(hot, name, name_bytes)};
    const uint8_t *header = glance_header(hot, name_bytes, &flight);
    return header != NULL && glance_bytes(hot, header, flight.ordinal, name, name_bytes, bytes_out);
}

static enum aimg_status borrow_found(const struct aimg_reader *reader, const struct aimg_search *search, uint32_t flags,
                                     struct aimg_bytes *bytes_out, struct aimg_error *error)
{
    struct aimg_found found;
    enum aimg_status status = aimg_search_run(search, &found, error);
    if (status != AIMG_OK)
        return status;
    /* An alias keeps its bytes elsewhere; a verified read asks the index too. */
    if (found.frame.type != AIMG_FRAME_IMAGE || (flags & AIMG_READ_VERIFY) != 0)
        return aimg_reader_borrow(reader, found.ordinal, flags, bytes_out, error);
    *bytes_out = (struct aimg_bytes){.data = search->source->io->base + found.frame_offset +
                                             (uint64_t)found.frame.header_units * AIMG_UNIT,
                                     .bytes = found.frame.stored_bytes,
                                     .ordinal = found.ordinal,
                                     .format = found.frame.format,
                                     .coding = found.frame.coding};
    return AIMG_OK;
}

static enum aimg_status check_borrow_name(const struct aimg_reader *reader, uint32_t flags, struct aimg_error *error)
{
    if ((flags & ~(uint32_t)AIMG_READ_VERIFY) != 0)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "unknown flags 0x%" PRIx32 "; 0 or AIMG_READ_VERIFY", flags);
    if (reader->source.io->base == NULL && reader->source.end > AIMG_HEAD_BYTES)
        return aimg_fail(error, AIMG_SEQUENCE, "the archive was opened without a map: copy with aimg_reader_read");
    return AIMG_OK;
}

static enum aimg_status borrow_name_searched(const struct aimg_reader *reader, const char *name, size_t name_bytes,
                                             uint32_t flags, struct aimg_bytes *bytes_out, struct aimg_error *error)
{
    enum aimg_status status = check_name(reader, name, name_bytes, bytes_out, error);
    if (status == AIMG_OK)
        status = check_borrow_name(reader, flags, error);
    if (status != AIMG_OK)
        return status;
    struct aimg_search search = begin_search(reader, name, name_bytes);
    return borrow_found(reader, &search, flags, bytes_out, error);
}

enum aimg_status aimg_reader_borrow_name(const struct aimg_reader *reader, const char *name, size_t name_bytes, uint32_t flags,
                                         struct aimg_bytes *bytes_out, struct aimg_error *error)
{
    if (reader != NULL && reader->hot.names_count > 0 && flags == 0 && name != NULL && name_bytes - 1 < AIMG_NAME_MAX &&
        bytes_out != NULL && glance(&reader->hot, name, name_bytes, bytes_out))
        return AIMG_OK;
    return borrow_name_searched(reader, name, name_bytes, flags, bytes_out, error);
}

/* Names in flight. */
#define BATCH 32
/* Cache lines of a frame that was found: the header and the bytes of a small image. */
#define FOUND_LINES 6

static bool name_possible(const struct aimg_name *name)
{
    return name->name != NULL && name->name_bytes - 1 < AIMG_NAME_MAX;
}

/* Who finds a name reads the image next: the entry and the first bytes come along with the frame. */
static bool glance_ordinal(const struct aimg_hot *hot, const char *name, size_t name_bytes, uint32_t *ordinal_out)
{
    struct flight flight = {.hash = glance_hash(hot, name, name_bytes)};
    struct aimg_bytes bytes;
    const uint8_t *header = glance_header(hot, name_bytes, &flight);
    if (header == NULL)
        return false;
    __builtin_prefetch(header);
    __builtin_prefetch(aimg_hot_entry(hot, flight.ordinal));
    for (size_t line = 1; line < FOUND_LINES; line++)
        __builtin_prefetch(header + line * 64);
    if (!glance_bytes(hot, header, flight.ordinal, name, name_bytes, &bytes))
        return false;
    *ordinal_out = flight.ordinal;
    return true;
}

static enum aimg_status find_searched(const struct aimg_reader *reader, const char *name, size_t name_bytes,
                                      uint32_t *ordinal_out, struct aimg_error *error)
{
    struct aimg_found found;
    enum aimg_status status = check_name(reader, name, name_bytes, ordinal_out, error);
    if (status != AIMG_OK)
        return status;
    struct aimg_search search = begin_search(reader, name, name_bytes);
    status = aimg_search_run(&search, &found, error);
    if (status == AIMG_OK)
        *ordinal_out = found.ordinal;
    return status;
}

enum aimg_status aimg_reader_find(const struct aimg_reader *reader, const char *name, size_t name_bytes, uint32_t *ordinal_out,
                                  struct aimg_error *error)
{
    if (reader != NULL && reader->hot.names_count > 0 && name != NULL && name_bytes - 1 < AIMG_NAME_MAX && ordinal_out != NULL &&
        glance_ordinal(&reader->hot, name, name_bytes, ordinal_out))
        return AIMG_OK;
    return find_searched(reader, name, name_bytes, ordinal_out, error);
}

/* Up to BATCH names, in three steps, each of which leaves the memory that the next needs on its way: hash and slot, frame, bytes.
 * done_out[i]: whether name i was found. */
static void glance_batch(const struct aimg_hot *hot, const struct aimg_name *names, size_t count, struct aimg_bytes *bytes_out,
                         bool *done_out)
{
    struct flight flights[BATCH];
    for (size_t i = 0; i < count; i++) {
        if (!name_possible(&names[i]))
            continue;
        flights[i].hash = glance_hash(hot, names[i].name, names[i].name_bytes);
        for (uint32_t k = 0; k < hot->names_count; k++)
            __builtin_prefetch(hot->names[k].slots + home_in(&hot->names[k], flights[i].hash) * AIMG_NAME_SLOT_BYTES);
    }
    for (size_t i = 0; i < count; i++) {
        flights[i].header = name_possible(&names[i]) ? glance_header(hot, names[i].name_bytes, &flights[i]) : NULL;
        if (flights[i].header == NULL)
            continue;
        __builtin_prefetch(flights[i].header);
        __builtin_prefetch(flights[i].header + 64);
    }
    for (size_t i = 0; i < count; i++)
        done_out[i] = flights[i].header != NULL &&
                      glance_bytes(hot, flights[i].header, flights[i].ordinal, names[i].name, names[i].name_bytes, &bytes_out[i]);
}

enum aimg_status aimg_reader_borrow_names(const struct aimg_reader *reader, const struct aimg_name *names, size_t count,
                                          uint32_t flags, struct aimg_bytes *bytes_out, struct aimg_error *error)
{
    enum aimg_status first = AIMG_OK;
    if (reader == NULL || ((names == NULL || bytes_out == NULL) && count > 0))
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "borrowing needs a reader, names, and a place for the bytes");
    for (size_t begin = 0; begin < count; begin += BATCH) {
        size_t here = count - begin < BATCH ? count - begin : BATCH;
        bool done[BATCH] = {false};
        if (reader->hot.names_count > 0 && flags == 0)
            glance_batch(&reader->hot, names + begin, here, bytes_out + begin, done);
        for (size_t i = begin; i < begin + here; i++) {
            if (done[i - begin])
                continue;
            bytes_out[i] = (struct aimg_bytes){.ordinal = AIMG_NO_ORDINAL};
            enum aimg_status status = borrow_name_searched(reader, names[i].name, names[i].name_bytes, flags, &bytes_out[i],
                                                           first == AIMG_OK ? error : NULL);
            bytes_out[i].status = (uint8_t)status;
            first = first == AIMG_OK ? status : first;
        }
    }
    return first;
}
