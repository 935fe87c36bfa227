/* SPDX-License-Identifier: Apache-2.0 */
/* One image by number: position, entry, bytes in place, bytes copied. */
#include "reader.h"

#include "checksum.h"


uint64_t aimg_reader_count(const struct aimg_reader *reader) { return reader->catalog.head.listed_count; }

uint64_t aimg_reader_ordinal_count(const struct aimg_reader *reader) { return reader->catalog.head.ordinal_count; }

enum aimg_status aimg_not_there(const struct aimg_reader *reader, uint64_t ordinal, struct aimg_error *error)
{
    return aimg_fail(error, AIMG_NOT_FOUND, "there is no image %" PRIu64 "; the archive has given %" PRIu64 " ordinals", ordinal,
                     reader->catalog.head.ordinal_count);
}

/* Index of the run that holds a position below listed_count. */
static uint32_t run_of_position(const struct aimg_catalog *catalog, uint64_t position)
{
    uint32_t low = 0, length = catalog->run_count;
    while (length > 1) {
        uint32_t half = length / 2;
        if (catalog->runs[low + half].position_first <= position)
            low += half;
        length -= half;
    }
    return low;
}

enum aimg_status aimg_reader_ordinal_at(const struct aimg_reader *reader, uint64_t position, uint32_t *ordinal_out,
                                        struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &reader->catalog;
    struct aimg_error local;
    if (position >= catalog->head.listed_count)
        return aimg_fail(error, AIMG_NOT_FOUND, "there is no position %" PRIu64 "; the archive lists %" PRIu64 " images", position,
                         catalog->head.listed_count);
    if (catalog->head.listed_count == catalog->head.ordinal_count) {
        *ordinal_out = (uint32_t)position;
        return AIMG_OK;
    }
    struct aimg_run *run = &catalog->runs[run_of_position(catalog, position)];
    uint32_t row = (uint32_t)(position - run->position_first);
    if (run->mask_table != NULL) {
        const struct aimg_mask *mask = aimg_run_mask(&reader->source, run, &local);
        if (mask == NULL) {
            if (error != NULL)
                *error = local;
            return local.status;
        }
        row = aimg_mask_select(mask, run->count, row);
    }
    if (row >= run->count)
        return aimg_fail_at(error, AIMG_CORRUPT, 62, run->table->part.offset, "the mask of the run at %" PRIu64 " lists too few images",
                            run->table->part.offset);
    *ordinal_out = run->first + row;
    return AIMG_OK;
}

enum aimg_status aimg_reader_position_of(const struct aimg_reader *reader, uint32_t ordinal, uint64_t *position_out,
                                         struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &reader->catalog;
    struct aimg_error local;
    if (ordinal >= catalog->head.ordinal_count)
        return aimg_not_there(reader, ordinal, error);
    struct aimg_run *run = &catalog->runs[aimg_catalog_run(catalog, ordinal)];
    uint32_t row = ordinal - run->first;
    if (run->mask_table != NULL) {
        const struct aimg_mask *mask = aimg_run_mask(&reader->source, run, &local);
        if (mask == NULL) {
            if (error != NULL)
                *error = local;
            return local.status;
        }
        if (!aimg_mask_listed(mask, row))
            return aimg_fail(error, AIMG_NOT_FOUND, "image %" PRIu32 " has no position: it was removed, or is an attachment", ordinal);
        row = aimg_mask_rank(mask, row);
    }
    *position_out = run->position_first + row;
    return AIMG_OK;
}

enum aimg_status aimg_reader_entry_at(const struct aimg_reader *reader, uint32_t ordinal, struct aimg_entry_record *entry,
                                      struct aimg_run **run_out, struct aimg_error *error)
{
    uint8_t scratch[AIMG_ENTRY_BYTES];
    struct aimg_error local;
    if (ordinal >= reader->catalog.head.ordinal_count)
        return aimg_not_there(reader, ordinal, error);
    struct aimg_run *run = &reader->catalog.runs[aimg_catalog_run(&reader->catalog, ordinal)];
    uint64_t offset = run->entries_offset + (uint64_t)(ordinal - run->first) * AIMG_ENTRY_BYTES;
    const uint8_t *bytes = aimg_source_fetch(&reader->source, offset, sizeof scratch, scratch, &local);
    if (bytes == NULL) {
        if (error != NULL)
            *error = local;
        return local.status;
    }
    aimg_entry_decode(bytes, entry);
    uint64_t end = reader->source.end;
    uint64_t data = aimg_entry_data_offset(entry);
    if (entry->frame_offset < AIMG_HEAD_BYTES || data > end || entry->stored_bytes > end - data)
        return aimg_fail_at(error, AIMG_CORRUPT, 42, offset, "the entry of image %" PRIu32 " points outside the archive; run verify, then repair",
                            ordinal);
    *run_out = run;
    return AIMG_OK;
}

static enum aimg_status frame_fault(uint64_t offset, unsigned rule, struct aimg_error *error)
{
    return aimg_fail_at(error, rule == 13 ? AIMG_CHECKSUM : AIMG_CORRUPT, rule, offset,
                        "the frame header at %" PRIu64 " is damaged (rule %u); run verify, then repair", offset, rule);
}

enum aimg_status aimg_frame_read(const struct aimg_source *source, uint64_t offset, struct aimg_frame_view *view, struct aimg_error *error)
{
    struct aimg_error local;
    const uint8_t *bytes = aimg_source_fetch(source, offset, AIMG_FRAME_BYTES, view->bytes, &local);
    if (bytes != NULL && bytes != view->bytes)
        memcpy(view->bytes, bytes, AIMG_FRAME_BYTES);
    unsigned rule = bytes == NULL ? 0 : aimg_frame_decode(view->bytes, &view->frame);
    if (rule != 0)
        return frame_fault(offset, rule, error);
    size_t header_bytes = bytes == NULL ? 0 : (size_t)view->frame.header_units * AIMG_UNIT;
    if (bytes != NULL)
        bytes = aimg_source_fetch(source, offset + AIMG_FRAME_BYTES, header_bytes - AIMG_FRAME_BYTES, view->bytes + AIMG_FRAME_BYTES, &local);
    if (bytes == NULL) {
        if (error != NULL)
            *error = local;
        return local.status;
    }
    if (bytes != view->bytes + AIMG_FRAME_BYTES)
        memcpy(view->bytes + AIMG_FRAME_BYTES, bytes, header_bytes - AIMG_FRAME_BYTES);
    if (aimg_frame_total_bytes(&view->frame) > source->end - offset)
        return frame_fault(offset, 12, error);
    if (aimg_frame_checksum(view->bytes, header_bytes, source->seed) != view->frame.check)
        return frame_fault(offset, 13, error);
    rule = aimg_frame_check_fields(&view->frame);
    return rule == 0 ? AIMG_OK : frame_fault(offset, rule, error);
}

/* Rules 42 to 44: index and frame say the same. */
static enum aimg_status check_frame(const struct aimg_reader *reader, uint32_t ordinal, const struct aimg_entry_record *entry,
                                    struct aimg_frame_view *view, struct aimg_error *error)
{
    int critical = 0;
    enum aimg_status status = aimg_frame_read(&reader->source, entry->frame_offset, view, error);
    if (status != AIMG_OK)
        return status;
    const struct aimg_frame *frame = &view->frame;
    bool aliased = (entry->flags & AIMG_ENTRY_ALIASED) != 0;
    unsigned rule = 0;
    if (frame->type != AIMG_FRAME_IMAGE || frame->header_units != entry->header_units)
        rule = 42;
    else if (frame->stored_bytes != entry->stored_bytes || frame->format != entry->format || frame->coding != entry->coding)
        rule = 43;
    else if (!aliased && frame->ordinal != ordinal)
        rule = 44;
    else
        rule = aimg_frame_check_ext(view->bytes + AIMG_FRAME_BYTES + frame->name_bytes, frame->ext_bytes, &critical);
    if (rule != 0)
        return aimg_fail_at(error, AIMG_CORRUPT, rule, entry->frame_offset,
                            "image %" PRIu32 ": the index and the frame at %" PRIu64 " disagree (rule %u); run verify, then repair", ordinal,
                            entry->frame_offset, rule);
    if (critical)
        return aimg_fail_at(error, AIMG_UNSUPPORTED, 22, entry->frame_offset,
                            "image %" PRIu32 " needs an extension that this version does not know; use a newer version", ordinal);
    return AIMG_OK;
}

enum aimg_status aimg_reader_entry(const struct aimg_reader *reader, uint32_t ordinal, struct aimg_entry *entry_out,
                                   struct aimg_error *error)
{
    struct aimg_entry_record record = {.frame_offset = 0};
    struct aimg_frame_view view;
    struct aimg_run *run = NULL;
    enum aimg_status status = aimg_reader_entry_at(reader, ordinal, &record, &run, error);
    if (status != AIMG_OK)
        return status;
    struct aimg_entry entry = {.ordinal = ordinal,
                               .format = record.format,
                               .coding = record.coding,
                               .attachment = (record.flags & AIMG_ENTRY_ATTACHMENT) != 0,
                               .alias = (record.flags & AIMG_ENTRY_ALIASED) != 0,
                               .frame_offset = record.frame_offset,
                               .data_offset = aimg_entry_data_offset(&record),
                               .stored_bytes = record.stored_bytes,
                               .raw_bytes = record.stored_bytes};
    memcpy(entry.hash, record.hash, sizeof entry.hash);
    status = aimg_run_check_alive(&reader->source, run, ordinal, error);
    if (status != AIMG_OK && status != AIMG_NOT_FOUND)
        return status;
    entry.dead = status == AIMG_NOT_FOUND;
    if (record.coding != AIMG_CODING_STORE) {
        status = check_frame(reader, ordinal, &record, &view, error);
        if (status != AIMG_OK)
            return status;
        entry.raw_bytes = view.frame.raw_bytes;
    }
    *entry_out = entry;
    return AIMG_OK;
}

static enum aimg_status bytes_damaged(uint32_t ordinal, uint64_t offset, unsigned rule, struct aimg_error *error)
{
    return aimg_fail_at(error, AIMG_CHECKSUM, rule, offset,
                        "image %" PRIu32 " is damaged: its bytes at %" PRIu64 " are not those that were written; run verify, then repair", ordinal,
                        offset);
}

/* Frame header and stored bytes, already in memory. For coding 0 the entry's hash is stronger than the frame's. */
static enum aimg_status verify_stored(const struct aimg_reader *reader, uint32_t ordinal, const struct aimg_entry_record *entry,
                                      const void *stored, struct aimg_error *error)
{
    struct aimg_frame_view view;
    enum aimg_status status = check_frame(reader, ordinal, entry, &view, error);
    if (status != AIMG_OK)
        return status;
    struct aimg_hash hash = aimg_hash(stored, (size_t)entry->stored_bytes);
    if (hash.low != view.frame.stored_hash)
        return bytes_damaged(ordinal, aimg_entry_data_offset(entry), 18, error);
    if (entry->coding == AIMG_CODING_STORE && !aimg_hash_equals(entry->hash, hash))
        return bytes_damaged(ordinal, aimg_entry_data_offset(entry), 70, error);
    return AIMG_OK;
}

static enum aimg_status check_borrow(const struct aimg_reader *reader, uint32_t flags, const void *bytes_out, struct aimg_error *error)
{
    if (reader == NULL || bytes_out == NULL || (flags & ~(uint32_t)AIMG_READ_VERIFY) != 0)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "borrowing needs a reader, a place for the bytes, and flags of 0 or AIMG_READ_VERIFY");
    if (reader->source.io->base == NULL && reader->source.end > AIMG_HEAD_BYTES)
        return aimg_fail(error, AIMG_SEQUENCE, "the archive was opened without a map: copy with aimg_reader_read");
    return AIMG_OK;
}

static enum aimg_status borrow(const struct aimg_reader *reader, uint32_t ordinal, uint32_t flags, struct aimg_bytes *bytes_out,
                               struct aimg_error *error)
{
    struct aimg_entry_record entry = {.frame_offset = 0};
    struct aimg_run *run = NULL;
    enum aimg_status status = aimg_reader_entry_at(reader, ordinal, &entry, &run, error);
    if (status == AIMG_OK && run->mask_table != NULL)
        status = aimg_run_check_alive(&reader->source, run, ordinal, error);
    if (status != AIMG_OK)
        return status;
    const uint8_t *data = reader->source.io->base + aimg_entry_data_offset(&entry);
    if ((flags & AIMG_READ_VERIFY) != 0)
        status = verify_stored(reader, ordinal, &entry, data, error);
    if (status != AIMG_OK)
        return status;
    *bytes_out = (struct aimg_bytes){
        .data = data, .bytes = entry.stored_bytes, .ordinal = ordinal, .format = entry.format, .coding = entry.coding};
    return AIMG_OK;
}

enum aimg_status aimg_reader_borrow(const struct aimg_reader *reader, uint32_t ordinal, uint32_t flags, struct aimg_bytes *bytes_out,
                                    struct aimg_error *error)
{
    enum aimg_status status = check_borrow(reader, flags, bytes_out, error);
    return status != AIMG_OK ? status : borrow(reader, ordinal, flags, bytes_out, error);
}

/* Images in flight: enough to hide a miss behind the work on the others, few enough to stay in the first cache. */
#define BATCH_AHEAD 16
#define LINE_BYTES 64
/* First lines of an image to fetch ahead; the hardware follows on its own from there. */
#define AHEAD_LINES 16

static void prefetch_lines(const uint8_t *data, uint64_t bytes)
{
    uint64_t lines = aimg_blocks(bytes, LINE_BYTES);
    lines = lines < AHEAD_LINES ? lines : AHEAD_LINES;
    for (uint64_t i = 0; i < lines; i++)
        __builtin_prefetch(data + i * LINE_BYTES);
}

static const uint8_t *entry_address(const struct aimg_reader *reader, uint32_t ordinal)
{
    const struct aimg_run *run = &reader->catalog.runs[aimg_catalog_run(&reader->catalog, ordinal)];
    return reader->source.io->base + run->entries_offset + (uint64_t)(ordinal - run->first) * AIMG_ENTRY_BYTES;
}

/* Step 1 of an image: its entry on the way. Step 2: its frame and first bytes on the way. */
static void announce_entry(const struct aimg_reader *reader, uint32_t ordinal)
{
    if (ordinal < reader->catalog.head.ordinal_count)
        __builtin_prefetch(entry_address(reader, ordinal));
}

static void announce_data(const struct aimg_reader *reader, uint32_t ordinal, uint32_t flags)
{
    struct aimg_entry_record entry = {.frame_offset = 0};
    struct aimg_run *run = NULL;
    if (aimg_reader_entry_at(reader, ordinal, &entry, &run, NULL) != AIMG_OK)
        return;
    const uint8_t *frame = reader->source.io->base + entry.frame_offset;
    uint64_t header = (uint64_t)entry.header_units * AIMG_UNIT;
    if ((flags & AIMG_READ_VERIFY) != 0)
        prefetch_lines(frame, header + entry.stored_bytes);
    else
        prefetch_lines(frame + header, entry.stored_bytes);
}

enum aimg_status aimg_reader_borrow_batch(const struct aimg_reader *reader, const uint32_t *ordinals, size_t count, uint32_t flags,
                                          struct aimg_bytes *bytes_out, struct aimg_error *error)
{
    enum aimg_status first = check_borrow(reader, flags, bytes_out, error);
    if (first != AIMG_OK)
        return first;
    for (size_t i = 0; i < count + 2 * BATCH_AHEAD; i++) {
        if (i < count)
            announce_entry(reader, ordinals[i]);
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

enum aimg_status aimg_reader_prefetch(const struct aimg_reader *reader, const uint32_t *ordinals, size_t count, struct aimg_error *error)
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
