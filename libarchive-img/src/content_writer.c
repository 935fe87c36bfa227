/* SPDX-License-Identifier: Apache-2.0 */
/* Deduplication: content that was seen before is stored once. A hash finds candidates; only equal bytes make an alias. */
#include "writer.h"

#include "checksum.h"

/* An alias takes as much. */
#define LEAST_BYTES AIMG_ALIAS_BYTES
/* Compared at a time. */
#define PIECE_BYTES 32768
/* Entries that are read at a time where an index is made for what is there. */
#define BUILD_ENTRIES 2048

/* What is looked for. */
struct search {
    struct aimg_writer *writer;
    const struct aimg_prepared *prepared;
    uint32_t format;
    uint32_t hash;
    struct aimg_twin *twin;
};

/* ------------------------------------------------------------------ one candidate */

/* The bytes at an offset are those in memory. NOT_FOUND when not. */
static enum aimg_status compare_stored(const struct aimg_writer *writer, uint64_t offset, const uint8_t *data, uint64_t bytes,
                                       struct aimg_error *error)
{
    uint8_t buffer[PIECE_BYTES];
    while (bytes > 0) {
        size_t piece = bytes < sizeof buffer ? (size_t)bytes : sizeof buffer;
        enum aimg_status status = aimg_writer_peek(writer, offset, buffer, piece, error);
        if (status != AIMG_OK)
            return status;
        if (memcmp(buffer, data, piece) != 0)
            return AIMG_NOT_FOUND;
        offset += piece;
        data += piece;
        bytes -= piece;
    }
    return AIMG_OK;
}

/* The same of bytes that are coded. The sizes were compared, so no more is decoded than the caller holds in memory. */
static enum aimg_status compare_decoded(const struct search *search, const struct aimg_entry_record *entry,
                                        struct aimg_error *error)
{
    const struct aimg_writer *writer = search->writer;
    const struct aimg_prepared *prepared = search->prepared;
    uint64_t offset = aimg_entry_data_offset(entry);
    if (entry->stored_bytes > aimg_codec_bound((size_t)prepared->raw_bytes))
        return AIMG_NOT_FOUND;
    uint8_t *raw = writer->allocator.alloc(writer->allocator.user, (size_t)prepared->raw_bytes);
    uint8_t *stored = writer->allocator.alloc(writer->allocator.user, (size_t)entry->stored_bytes);
    enum aimg_status status = raw == NULL || stored == NULL ? aimg_fail_memory(error, prepared->raw_bytes) : AIMG_OK;
    if (status == AIMG_OK)
        status = aimg_writer_peek(writer, offset, stored, (size_t)entry->stored_bytes, error);
    if (status == AIMG_OK)
        status =
            aimg_image_decode(writer->base, entry->coding, stored, entry->stored_bytes, raw, prepared->raw_bytes, offset, error);
    if (status == AIMG_OK && memcmp(raw, prepared->data, (size_t)prepared->raw_bytes) != 0)
        status = AIMG_NOT_FOUND;
    aimg_release(&writer->allocator, stored);
    aimg_release(&writer->allocator, raw);
    return status;
}

/* What is coded in the same way and is the same decodes to the same. */
static enum aimg_status compare_bytes(const struct search *search, const struct aimg_entry_record *entry,
                                      struct aimg_error *error)
{
    const struct aimg_prepared *prepared = search->prepared;
    uint64_t offset = aimg_entry_data_offset(entry);
    enum aimg_status status = AIMG_NOT_FOUND;
    if (entry->coding == AIMG_CODING_STORE)
        return compare_stored(search->writer, offset, prepared->data, prepared->raw_bytes, error);
    if (entry->coding == prepared->coding && entry->stored_bytes == prepared->stored_bytes)
        status = compare_stored(search->writer, offset, prepared->stored, prepared->stored_bytes, error);
    return status == AIMG_NOT_FOUND ? compare_decoded(search, entry, error) : status;
}

/* Whether the frame that a candidate's entry names is what it says, and of that size. What this session wrote it knows; decoding
 * tells the size. */
static enum aimg_status check_frame(const struct search *search, uint32_t ordinal, const struct aimg_entry_record *entry,
                                    struct aimg_error *error)
{
    struct aimg_frame_view view;
    if (entry->coding == AIMG_CODING_STORE && entry->stored_bytes != search->prepared->raw_bytes)
        return AIMG_NOT_FOUND;
    if (entry->frame_offset >= search->writer->located.end)
        return AIMG_OK;
    enum aimg_status status = aimg_frame_check_entry(search->writer->base, ordinal, entry, &view, error);
    if (status == AIMG_OK && view.frame.raw_bytes != search->prepared->raw_bytes)
        status = AIMG_NOT_FOUND;
    return status;
}

enum aimg_status aimg_writer_any_entry(const struct aimg_writer *writer, uint32_t ordinal, struct aimg_entry_record *entry,
                                       struct aimg_error *error)
{
    struct aimg_run *run;
    bool attachment;
    if (ordinal >= writer->head.ordinal_count)
        return aimg_fail(error, AIMG_NOT_FOUND, "there is no image %" PRIu32, ordinal);
    if (ordinal < writer->base->catalog.head.ordinal_count)
        return aimg_reader_entry_at(writer->base, ordinal, entry, &run, error);
    return aimg_writer_batch_entry(writer, ordinal, entry, &attachment, error);
}

static enum aimg_status try_candidate(const struct search *search, uint32_t ordinal, struct aimg_error *error)
{
    const struct aimg_prepared *prepared = search->prepared;
    struct aimg_twin twin = {.ordinal = ordinal};
    enum aimg_status status = aimg_writer_any_entry(search->writer, ordinal, &twin.entry, error);
    if (status != AIMG_OK)
        return status;
    if ((twin.entry.flags & AIMG_ENTRY_ALIASED) != 0 || twin.entry.format != search->format ||
        memcmp(twin.entry.hash, prepared->hash, AIMG_HASH_BYTES) != 0)
        return AIMG_NOT_FOUND;
    status = check_frame(search, ordinal, &twin.entry, error);
    if (status == AIMG_OK)
        status = compare_bytes(search, &twin.entry, error);
    if (status == AIMG_OK)
        *search->twin = twin;
    return status;
}

/* What is damaged, or cannot be decoded here, is nobody's twin: the image is stored anew. A disk that fails, or a file that is
 * cut under our hands, is another matter. */
static enum aimg_status try_ordinal(const struct search *search, uint32_t ordinal, struct aimg_error *error)
{
    struct aimg_error local;
    enum aimg_status status = try_candidate(search, ordinal, &local);
    if (status == AIMG_OK || status == AIMG_NOT_FOUND)
        return status;
    if (status == AIMG_CHECKSUM || status == AIMG_CORRUPT || status == AIMG_LIMIT || status == AIMG_UNSUPPORTED)
        return AIMG_NOT_FOUND;
    if (error != NULL)
        *error = local;
    return status;
}

/* ------------------------------------------------------------------ candidates */

static enum aimg_status find_seen(const struct search *search, struct aimg_error *error)
{
    uint32_t cursor = 0, ordinal;
    enum aimg_status status = AIMG_NOT_FOUND;
    while (status == AIMG_NOT_FOUND && aimg_seen_next(&search->writer->seen, search->hash, &cursor, &ordinal))
        status = try_ordinal(search, ordinal, error);
    return status;
}

/* Slots that one read brings. */
#define WINDOW_SLOTS 32

/* A slot is a hint, so it is not verified: a wrong one leads to an image with other bytes, or to none. */
static enum aimg_status find_in_table(const struct search *search, const struct aimg_table *table, struct aimg_error *error)
{
    const struct aimg_section *slots = &table->sections[0];
    uint64_t index = aimg_slot_home(search->hash, AIMG_CONTENT_HASH_BITS, slots->extra);
    uint64_t end = index + (slots->count - slots->extra) + 1;
    uint8_t window[WINDOW_SLOTS * AIMG_CONTENT_SLOT_BYTES];
    unsigned tries = 0;
    for (end = end < slots->count ? end : slots->count; index < end;) {
        size_t piece = end - index < WINDOW_SLOTS ? (size_t)(end - index) : WINDOW_SLOTS;
        enum aimg_status status =
            aimg_writer_peek(search->writer, table->payload + slots->offset + index * AIMG_CONTENT_SLOT_BYTES, window,
                             piece * AIMG_CONTENT_SLOT_BYTES, error);
        if (status != AIMG_OK)
            return status;
        index += piece;
        for (const uint8_t *slot = window; piece > 0; piece--, slot += AIMG_CONTENT_SLOT_BYTES) {
            uint64_t hash = aimg_slot_hash(slot, AIMG_CONTENT_SLOT_BYTES);
            if (hash > search->hash || aimg_slot_empty(slot, AIMG_CONTENT_SLOT_BYTES) || tries == AIMG_CONTENT_TWINS)
                return AIMG_NOT_FOUND;
            if (hash < search->hash)
                continue;
            tries++;
            status = try_ordinal(search, aimg_slot_ordinal(slot, AIMG_CONTENT_SLOT_BYTES), error);
            if (status != AIMG_NOT_FOUND)
                return status;
        }
    }
    return AIMG_NOT_FOUND;
}

static enum aimg_status find_indexed(const struct search *search, struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &search->writer->base->catalog;
    const struct aimg_index *index = &search->writer->content;
    enum aimg_status status = AIMG_NOT_FOUND;
    for (uint32_t i = 0; status == AIMG_NOT_FOUND && i < index->spilled_count; i++)
        status = find_in_table(search, &index->spilled[i], error);
    for (uint32_t i = catalog->content_count; status == AIMG_NOT_FOUND && i-- > 0;)
        status = find_in_table(search, &catalog->tables[catalog->content_first + i], error);
    return status;
}

/* ------------------------------------------------------------------ an index for what is there */

enum aimg_status aimg_writer_bound_content(struct aimg_writer *writer, struct aimg_error *error)
{
    bool full = aimg_keys_count(&writer->content.keys) >= writer->keys_max || writer->seen.count >= writer->keys_max;
    if (!full || !writer->content_indexed)
        return AIMG_OK;
    aimg_seen_release(&writer->seen);
    writer->content_elsewhere = true;
    return aimg_writer_spill_keys(writer, &writer->content, error);
}

static bool remember(struct aimg_writer *writer, const uint8_t content_hash[AIMG_HASH_BYTES], uint32_t ordinal)
{
    uint32_t hash = aimg_content_hash32(content_hash);
    return aimg_seen_add(&writer->seen, hash, ordinal) &&
           (!writer->content_indexed || aimg_keys_add_content(&writer->content.keys, hash, ordinal));
}

bool aimg_writer_remember(struct aimg_writer *writer, const struct aimg_prepared *prepared, uint32_t ordinal)
{
    return writer->dedup == AIMG_DEDUP_NONE || prepared->raw_bytes <= LEAST_BYTES || remember(writer, prepared->hash, ordinal);
}

static enum aimg_status index_entries(struct aimg_writer *writer, const uint8_t *entries, uint32_t first, uint32_t count,
                                      struct aimg_error *error)
{
    enum aimg_status status = AIMG_OK;
    for (uint32_t i = 0; status == AIMG_OK && i < count; i++) {
        struct aimg_entry_record entry;
        aimg_entry_decode(entries + (size_t)i * AIMG_ENTRY_BYTES, &entry);
        bool small = entry.coding == AIMG_CODING_STORE && entry.stored_bytes <= LEAST_BYTES;
        if (small || (entry.flags & AIMG_ENTRY_ALIASED) != 0)
            continue;
        if (!remember(writer, entry.hash, first + i))
            status = aimg_fail_memory(error, AIMG_CONTENT_SLOT_BYTES);
        else
            status = aimg_writer_bound_content(writer, error);
    }
    return status;
}

/* Entries that are damaged are left out: nobody is their twin. */
static enum aimg_status index_run(struct aimg_writer *writer, const struct aimg_run *run, uint8_t *buffer,
                                  struct aimg_error *error)
{
    enum aimg_status status = AIMG_OK;
    for (uint32_t row = 0; status == AIMG_OK && row < run->count; row += BUILD_ENTRIES) {
        uint32_t count = run->count - row < BUILD_ENTRIES ? run->count - row : BUILD_ENTRIES;
        uint64_t offset = run->entries_offset + (uint64_t)row * AIMG_ENTRY_BYTES;
        size_t bytes = (size_t)count * AIMG_ENTRY_BYTES;
        status = aimg_table_verify(&writer->base->source, run->table, offset - run->table->payload, bytes, error);
        if (status == AIMG_CHECKSUM || status == AIMG_CORRUPT) {
            status = AIMG_OK;
            continue;
        }
        if (status == AIMG_OK)
            status = aimg_writer_peek(writer, offset, buffer, bytes, error);
        if (status == AIMG_OK)
            status = index_entries(writer, buffer, run->first + row, count, error);
    }
    return status;
}

/* One pass over the entries of an archive that has images and no content index yet. */
static enum aimg_status begin_index(struct aimg_writer *writer, struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &writer->base->catalog;
    uint8_t *buffer = aimg_alloc_array(&writer->allocator, BUILD_ENTRIES, AIMG_ENTRY_BYTES);
    enum aimg_status status = buffer != NULL ? AIMG_OK : aimg_fail_memory(error, BUILD_ENTRIES * AIMG_ENTRY_BYTES);
    for (uint32_t i = 0; status == AIMG_OK && i < catalog->run_count; i++)
        status = index_run(writer, &catalog->runs[i], buffer, error);
    aimg_release(&writer->allocator, buffer);
    writer->content_begun = status == AIMG_OK;
    return status;
}

enum aimg_status aimg_writer_find_twin(struct aimg_writer *writer, const struct aimg_prepared *prepared, uint32_t format,
                                       struct aimg_twin *twin_out, bool *intact_out, struct aimg_error *error)
{
    struct search search = {
        .writer = writer, .prepared = prepared, .format = format, .hash = aimg_content_hash32(prepared->hash), .twin = twin_out};
    *intact_out = true;
    if (writer->dedup == AIMG_DEDUP_NONE)
        return AIMG_NOT_FOUND;
    if (writer->content_indexed && !writer->content_begun) {
        enum aimg_status status = begin_index(writer, error);
        *intact_out = status == AIMG_OK;
        if (status != AIMG_OK)
            return status;
    }
    if (prepared->data == NULL || prepared->raw_bytes <= LEAST_BYTES)
        return AIMG_NOT_FOUND;
    enum aimg_status status = find_seen(&search, error);
    return status == AIMG_NOT_FOUND && writer->content_elsewhere ? find_indexed(&search, error) : status;
}
