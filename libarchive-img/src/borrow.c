/* SPDX-License-Identifier: Apache-2.0 */
/* Stored bytes in place: one image, many at once, and what is announced. */
#include "reader.h"

#include "checksum.h"

static enum aimg_status bytes_damaged(uint32_t ordinal, uint64_t offset, unsigned rule, struct aimg_error *error)
{
    return aimg_fail_at(error, AIMG_CHECKSUM, rule, offset,
                        "image %" PRIu32 " is damaged: its bytes at %" PRIu64
                        " are not those that were written; run verify, then repair",
                        ordinal, offset);
}

/* Whether the frame header in place says what the entry says. Both are copies of the same facts, so damage to one of them shows;
 * the header's own checksum is looked at only when they differ, or when there is more in the header than the entry knows. */
static bool header_agrees(const uint8_t *header, uint32_t ordinal, const struct aimg_entry_record *entry)
{
    uint32_t first = AIMG_FRAME_MAGIC | AIMG_FRAME_IMAGE << 16 | (uint32_t)entry->header_units << 24;
    uint64_t sizes = entry->stored_bytes; /* and no extensions, whose length follows */
    return entry->coding == AIMG_CODING_STORE && (entry->flags & AIMG_ENTRY_ALIASED) == 0 && aimg_load32(header) == first &&
           aimg_load32(header + 4) == ordinal && header[14] == entry->format && header[15] == entry->coding &&
           aimg_load64(header + 16) == sizes && aimg_load48(header + 24) == entry->stored_bytes &&
           aimg_load64(header + 32) == aimg_load64(entry->hash);
}

/* Frame header and stored bytes, already in memory. For coding 0 the entry's hash is stronger than the frame's. */
static enum aimg_status verify_stored(const struct aimg_reader *reader, uint32_t ordinal, const struct aimg_entry_record *entry,
                                      const void *stored, struct aimg_error *error)
{
    struct aimg_frame_view view;
    enum aimg_status status = aimg_frame_check_entry(reader, ordinal, entry, &view, error);
    if (status != AIMG_OK)
        return status;
    struct aimg_hash hash = aimg_hash(stored, (size_t)entry->stored_bytes);
    if (hash.low != view.frame.stored_hash)
        return bytes_damaged(ordinal, aimg_entry_data_offset(entry), 18, error);
    if (entry->coding == AIMG_CODING_STORE && !aimg_hash_equals(entry->hash, hash))
        return bytes_damaged(ordinal, aimg_entry_data_offset(entry), 70, error);
    return AIMG_OK;
}

static enum aimg_status check_borrow(const struct aimg_reader *reader, uint32_t flags, const void *bytes_out,
                                     struct aimg_error *error)
{
    if (reader == NULL || bytes_out == NULL || (flags & ~(uint32_t)AIMG_READ_VERIFY) != 0)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT,
                         "borrowing needs a reader, a place for the bytes, and flags of 0 or AIMG_READ_VERIFY");
    if (reader->source.io->base == NULL && reader->source.end > AIMG_HEAD_BYTES)
        return aimg_fail(error, AIMG_SEQUENCE, "the archive was opened without a map: copy with aimg_reader_read");
    return AIMG_OK;
}

#define LINE_BYTES 64

/* Brings the first lines of an image on their way; the hardware follows on its own from there, and more would block the fill
 * buffers. The number of lines is one of three, so that the branch is foreseen although sizes vary. */
static inline void prefetch_lines(const uint8_t *data, uint64_t bytes)
{
    int lines = bytes > 4 * LINE_BYTES ? 12 : bytes > 2 * LINE_BYTES ? 4 : 2;
    for (int i = 0; i < lines; i++)
        __builtin_prefetch(data + (size_t)i * LINE_BYTES);
}

static const uint8_t *entry_address(const struct aimg_reader *reader, const struct aimg_run *run, uint32_t ordinal)
{
    return reader->source.io->base + run->entries_offset + (uint64_t)(ordinal - run->first) * AIMG_ENTRY_BYTES;
}

static enum aimg_status borrow_verified(const struct aimg_reader *reader, uint32_t ordinal, const struct aimg_entry_record *entry,
                                        struct aimg_error *error)
{
    const uint8_t *frame = reader->source.io->base + entry->frame_offset;
    const uint8_t *data = frame + (uint64_t)entry->header_units * AIMG_UNIT;
    struct aimg_hash hash = aimg_hash(data, (size_t)entry->stored_bytes);
    if (aimg_hash_equals(entry->hash, hash) && header_agrees(frame, ordinal, entry))
        return AIMG_OK;
    return verify_stored(reader, ordinal, entry, data, error);
}

static enum aimg_status borrow(const struct aimg_reader *reader, uint32_t ordinal, uint32_t flags, struct aimg_bytes *bytes_out,
                               struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &reader->catalog;
    struct aimg_entry_record entry;
    enum aimg_status status = AIMG_OK;
    if (ordinal >= catalog->head.ordinal_count)
        return aimg_not_there(reader, ordinal, error);
    struct aimg_run *run = &catalog->runs[aimg_catalog_run(catalog, ordinal)];
    aimg_entry_decode(entry_address(reader, run, ordinal), &entry);
    if (!aimg_entry_valid(&entry, reader->hot.end))
        return aimg_entry_fault(reader, run, ordinal, error);
    if (run->mask_table != NULL)
        status = aimg_run_check_alive(&reader->source, run, ordinal, error);
    if (status == AIMG_OK && (flags & AIMG_READ_VERIFY) != 0)
        status = borrow_verified(reader, ordinal, &entry, error);
    if (status != AIMG_OK)
        return status;
    bytes_out->data = reader->hot.base + aimg_entry_data_offset(&entry);
    bytes_out->bytes = entry.stored_bytes;
    bytes_out->ordinal = ordinal;
    bytes_out->format = entry.format;
    bytes_out->coding = entry.coding;
    bytes_out->status = AIMG_OK;
    return AIMG_OK;
}

/* Address of an entry of a mapped archive; the ordinal must exist. */
static const uint8_t *find_entry(const struct aimg_reader *reader, uint32_t ordinal)
{
    const uint8_t *entry = aimg_hot_entry(&reader->hot, ordinal);
    if (entry != NULL)
        return entry;
    return entry_address(reader, &reader->catalog.runs[aimg_catalog_run(&reader->catalog, ordinal)], ordinal);
}

/* An image's frame and first bytes on their way. */
static void announce_data(const struct aimg_reader *reader, uint32_t ordinal, uint32_t flags)
{
    struct aimg_entry_record entry;
    if (ordinal >= reader->catalog.head.ordinal_count)
        return;
    aimg_entry_decode(find_entry(reader, ordinal), &entry);
    if (!aimg_entry_in_range(&entry, reader->hot.end))
        return;
    uint64_t header = (uint64_t)entry.header_units * AIMG_UNIT;
    const uint8_t *frame = reader->hot.base + entry.frame_offset;
    if ((flags & AIMG_READ_VERIFY) != 0)
        prefetch_lines(frame, header + entry.stored_bytes);
    else
        prefetch_lines(frame + header, entry.stored_bytes);
}

void aimg_image_announce(const struct aimg_reader *reader, uint32_t ordinal)
{
    if (reader->hot.base != NULL)
        announce_data(reader, ordinal, AIMG_READ_VERIFY);
}

/* Apart, so that the short path need not save the registers that this one uses. */
static __attribute__((noinline)) enum aimg_status borrow_checked(const struct aimg_reader *reader, uint32_t ordinal,
                                                                 uint32_t flags, struct aimg_bytes *bytes_out,
                                                                 struct aimg_error *error)
{
    enum aimg_status status = check_borrow(reader, flags, bytes_out, error);
    if (status != AIMG_OK)
        return status;
    if ((flags & AIMG_READ_VERIFY) != 0)
        announce_data(reader, ordinal, flags); /* all its lines at once, not one after the other as the hash comes to them */
    return borrow(reader, ordinal, flags, bytes_out, error);
}

/* First the case that nearly every read is, in so few instructions that the misses of several reads overlap in the processor. */
enum aimg_status aimg_reader_borrow(const struct aimg_reader *reader, uint32_t ordinal, uint32_t flags,
                                    struct aimg_bytes *bytes_out, struct aimg_error *error)
{
    if (reader == NULL || bytes_out == NULL || flags != 0)
        return borrow_checked(reader, ordinal, flags, bytes_out, error);
    const uint8_t *place = aimg_hot_entry(&reader->hot, ordinal);
    if (place == NULL)
        return borrow_checked(reader, ordinal, flags, bytes_out, error);
    struct aimg_entry_record entry;
    aimg_entry_decode(place, &entry);
    if (!aimg_entry_in_range(&entry, reader->hot.end))
        return borrow_checked(reader, ordinal, flags, bytes_out, error);
    bytes_out->data = reader->hot.base + aimg_entry_data_offset(&entry);
    bytes_out->bytes = entry.stored_bytes;
    bytes_out->ordinal = ordinal;
    bytes_out->format = entry.format;
    bytes_out->coding = entry.coding;
    bytes_out->status = AIMG_OK;
    return AIMG_OK;
}

/* Images in flight: enough to hide a miss behind the work on the others, few enough to stay in the first cache. */
#define BATCH_AHEAD 8

enum aimg_status aimg_reader_borrow_batch(const struct aimg_reader *reader, const uint32_t *ordinals, size_t count,
                                          uint32_t flags, struct aimg_bytes *bytes_out, struct aimg_error *error)
{
    enum aimg_status first = check_borrow(reader, flags, bytes_out, error);
    if (first != AIMG_OK)
        return first;
    if (ordinals == NULL && count > 0)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "aimg_reader_borrow_batch needs ordinals");
    for (size_t i = 0; i < count + 2 * BATCH_AHEAD; i++) {
        if (i < count && ordinals[i] < reader->catalog.head.ordinal_count)
            __builtin_prefetch(find_entry(reader, ordinals[i]));
        if (i >= BATCH_AHEAD && i - BATCH_AHEAD < count)
            announce_data(reader, ordinals[i - BATCH_AHEAD], flags);
        if (i < 2 * BATCH_AHEAD)
            continue;
        size_t now = i - 2 * BATCH_AHEAD;
        bytes_out[now] = (struct aimg_bytes){.ordinal = ordinals[now]};
        enum aimg_status status = borrow(reader, ordinals[now], flags, &bytes_out[now], first == AIMG_OK ? error : NULL);
        bytes_out[now].status = (uint8_t)status;
        first = first == AIMG_OK ? status : first;
    }
    return first;
}

enum aimg_status aimg_reader_prefetch(const struct aimg_reader *reader, const uint32_t *ordinals, size_t count,
                                      struct aimg_error *error)
{
    struct aimg_entry_record entry = {.frame_offset = 0};
    struct aimg_run *run = NULL;
    if (reader == NULL || (ordinals == NULL && count > 0))
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "aimg_reader_prefetch needs a reader and ordinals");
    for (size_t i = 0; i < count; i++)
        if (aimg_reader_entry_at(reader, ordinals[i], &entry, &run, NULL) == AIMG_OK)
            reader->source.io->ops->announce(reader->source.io, entry.frame_offset,
                                             (uint64_t)entry.header_units * AIMG_UNIT + entry.stored_bytes);
    return AIMG_OK;
}
