/* SPDX-License-Identifier: Apache-2.0 */
/* One image by number: position, entry, bytes in place, bytes copied. */
#include "reader.h"

#include "checksum.h"

uint64_t aimg_reader_count(const struct aimg_reader *reader)
{
    return reader->catalog.head.listed_count;
}

uint64_t aimg_reader_ordinal_count(const struct aimg_reader *reader)
{
    return reader->catalog.head.ordinal_count;
}

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
    const struct aimg_mask *mask = NULL;
    if (ordinal_out == NULL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "aimg_reader_ordinal_at needs a place for the ordinal");
    if (position >= catalog->head.listed_count)
        return aimg_fail(error, AIMG_NOT_FOUND, "there is no position %" PRIu64 "; the archive lists %" PRIu64 " images",
                         position, catalog->head.listed_count);
    if (catalog->head.listed_count == catalog->head.ordinal_count) {
        *ordinal_out = (uint32_t)position;
        return AIMG_OK;
    }
    struct aimg_run *run = &catalog->runs[run_of_position(catalog, position)];
    uint32_t row = (uint32_t)(position - run->position_first);
    enum aimg_status status = aimg_run_mask(&reader->source, run, &mask, error);
    if (status != AIMG_OK)
        return status;
    if (mask != NULL)
        row = aimg_mask_select(mask, run->count, row);
    if (row >= run->count)
        return aimg_fail_at(error, AIMG_CORRUPT, 62, run->table->part.offset,
                            "the mask of the run at %" PRIu64 " lists too few images", run->table->part.offset);
    *ordinal_out = run->first + row;
    return AIMG_OK;
}

enum aimg_status aimg_reader_position_of(const struct aimg_reader *reader, uint32_t ordinal, uint64_t *position_out,
                                         struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &reader->catalog;
    const struct aimg_mask *mask = NULL;
    if (position_out == NULL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "aimg_reader_position_of needs a place for the position");
    if (ordinal >= catalog->head.ordinal_count)
        return aimg_not_there(reader, ordinal, error);
    struct aimg_run *run = &catalog->runs[aimg_catalog_run(catalog, ordinal)];
    uint32_t row = ordinal - run->first;
    enum aimg_status status = aimg_run_mask(&reader->source, run, &mask, error);
    if (status != AIMG_OK)
        return status;
    if (mask != NULL) {
        if (!aimg_mask_listed(mask, row))
            return aimg_fail(error, AIMG_NOT_FOUND, "image %" PRIu32 " has no position: it was removed, or is an attachment",
                             ordinal);
        row = aimg_mask_rank(mask, row);
    }
    *position_out = run->position_first + row;
    return AIMG_OK;
}

enum aimg_status aimg_entry_fault(const struct aimg_reader *reader, const struct aimg_run *run, uint32_t ordinal,
                                  struct aimg_error *error)
{
    uint64_t offset = run->entries_offset + (uint64_t)(ordinal - run->first) * AIMG_ENTRY_BYTES;
    return aimg_fail_at(error, AIMG_CORRUPT, 42, offset,
                        "the entry of image %" PRIu32 " is malformed, or points outside the archive, which ends at %" PRIu64
                        "; run verify, then repair",
                        ordinal, reader->source.end);
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
    if (bytes == NULL)
        return aimg_fail_as(error, &local);
    aimg_entry_decode(bytes, entry);
    if (!aimg_entry_valid(entry, reader->source.end))
        return aimg_entry_fault(reader, run, ordinal, error);
    *run_out = run;
    return AIMG_OK;
}

static enum aimg_status frame_fault(uint64_t offset, unsigned rule, struct aimg_error *error)
{
    return aimg_fail_at(error, rule == 13 ? AIMG_CHECKSUM : AIMG_CORRUPT, rule, offset,
                        "the frame header at %" PRIu64 " is damaged (rule %u); run verify, then repair", offset, rule);
}

enum aimg_status aimg_frame_read(const struct aimg_source *source, uint64_t offset, struct aimg_frame_view *view,
                                 struct aimg_error *error)
{
    enum aimg_status status = aimg_source_copy(source, offset, AIMG_FRAME_BYTES, view->bytes, error);
    if (status != AIMG_OK)
        return status;
    unsigned rule = aimg_frame_decode(view->bytes, &view->frame);
    if (rule != 0)
        return frame_fault(offset, rule, error);
    size_t header_bytes = (size_t)view->frame.header_units * AIMG_UNIT;
    status = aimg_source_copy(source, offset + AIMG_FRAME_BYTES, header_bytes - AIMG_FRAME_BYTES, view->bytes + AIMG_FRAME_BYTES,
                              error);
    if (status != AIMG_OK)
        return status;
    if (aimg_frame_total_bytes(&view->frame) > source->end - offset)
        return frame_fault(offset, 12, error);
    memset(view->bytes + AIMG_FRAME_CHECK_OFFSET, 0, 8); /* as it counts in its own checksum */
    if (aimg_hash_low(view->bytes, header_bytes, source->seed) != view->frame.check)
        return frame_fault(offset, 13, error);
    rule = aimg_frame_check_fields(&view->frame);
    return rule == 0 ? AIMG_OK : frame_fault(offset, rule, error);
}

enum aimg_status aimg_frame_check_entry(const struct aimg_reader *reader, uint32_t ordinal, const struct aimg_entry_record *entry,
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
                            "image %" PRIu32 ": the index and the frame at %" PRIu64
                            " disagree (rule %u); run verify, then repair",
                            ordinal, entry->frame_offset, rule);
    if (critical)
        return aimg_fail_at(error, AIMG_UNSUPPORTED, 22, entry->frame_offset,
                            "image %" PRIu32 " needs an extension that this version does not know; use a newer version", ordinal);
    return AIMG_OK;
}

enum aimg_status aimg_image_entry(const struct aimg_reader *reader, uint32_t ordinal, struct aimg_entry *entry_out,
                                  struct aimg_frame_view *view, struct aimg_error *error)
{
    struct aimg_entry_record record = {.frame_offset = 0};
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
        status = aimg_frame_check_entry(reader, ordinal, &record, view, error);
        if (status != AIMG_OK)
            return status;
        entry.raw_bytes = view->frame.raw_bytes;
    }
    *entry_out = entry;
    return AIMG_OK;
}

enum aimg_status aimg_reader_entry(const struct aimg_reader *reader, uint32_t ordinal, struct aimg_entry *entry_out,
                                   struct aimg_error *error)
{
    struct aimg_frame_view view;
    if (entry_out == NULL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "aimg_reader_entry needs a place for the entry");
    return aimg_image_entry(reader, ordinal, entry_out, &view, error);
}
