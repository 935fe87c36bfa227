/* SPDX-License-Identifier: Apache-2.0 */
/* Images out of the archive, or out of the open batch. */
#include "writer.h"

#include <stdlib.h>

/* Of an image of the base, from an index that was verified: else a flipped bit would make the counts of the next commit disagree
 * with its masks. Whether it is an attachment is what its mask says, as for everybody. */
static enum aimg_status entry_of_base(const struct aimg_writer *writer, uint32_t ordinal, struct aimg_entry_record *entry,
                                      bool *attachment_out, struct aimg_error *error)
{
    const struct aimg_reader *base = writer->base;
    const struct aimg_mask *mask = NULL;
    struct aimg_run *run = &base->catalog.runs[aimg_catalog_run(&base->catalog, ordinal)];
    uint32_t row = ordinal - run->first;
    uint64_t offset = run->entries_offset - run->table->payload + (uint64_t)row * AIMG_ENTRY_BYTES;
    enum aimg_status status = aimg_table_verify(&base->source, run->table, offset, AIMG_ENTRY_BYTES, error);
    if (status == AIMG_OK)
        status = aimg_reader_entry_at(base, ordinal, entry, &run, error);
    if (status == AIMG_OK)
        status = aimg_run_check_alive(&base->source, run, ordinal, error);
    if (status == AIMG_OK)
        status = aimg_run_mask(&base->source, run, &mask, error);
    *attachment_out = mask != NULL && mask->attached != NULL && aimg_bitmap_get(mask->attached, row);
    return status;
}

static int compare_ordinals(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

enum aimg_status aimg_writer_batch_entry(const struct aimg_writer *writer, uint32_t ordinal, struct aimg_entry_record *entry,
                                         bool *attachment_out, struct aimg_error *error)
{
    uint8_t bytes[AIMG_ENTRY_BYTES];
    uint32_t count;
    const struct aimg_part *parts = aimg_writer_parts(writer, &count);
    *attachment_out =
        writer->attached.bytes > 0 && bsearch(&ordinal, writer->attached.data, writer->attached.bytes / sizeof ordinal,
                                              sizeof ordinal, compare_ordinals) != NULL;
    if (ordinal >= writer->stage.first) {
        aimg_entry_decode(writer->stage.entries.data + (size_t)(ordinal - writer->stage.first) * AIMG_ENTRY_BYTES, entry);
        return AIMG_OK;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (parts[i].type != AIMG_FRAME_RUN || ordinal < parts[i].first || ordinal - parts[i].first >= parts[i].count)
            continue;
        /* The entries are the first section of a run that this writer wrote. */
        uint64_t offset = aimg_part_payload(&parts[i]) + (uint64_t)(ordinal - parts[i].first) * AIMG_ENTRY_BYTES;
        enum aimg_status status = aimg_writer_peek(writer, offset, bytes, sizeof bytes, error);
        if (status == AIMG_OK)
            aimg_entry_decode(bytes, entry);
        return status;
    }
    return aimg_fail(error, AIMG_NOT_FOUND, "there is no image %" PRIu32, ordinal);
}

enum aimg_status aimg_writer_entry(const struct aimg_writer *writer, uint32_t ordinal, struct aimg_entry_record *entry,
                                   bool *attachment_out, struct aimg_error *error)
{
    if (ordinal >= writer->head.ordinal_count)
        return aimg_fail(error, AIMG_NOT_FOUND, "there is no image %" PRIu32, ordinal);
    if (aimg_ordinal_set_has(&writer->removed, ordinal))
        return aimg_fail(error, AIMG_NOT_FOUND, "image %" PRIu32 " was removed or replaced in this batch", ordinal);
    bool old = ordinal < writer->base->catalog.head.ordinal_count;
    return old ? entry_of_base(writer, ordinal, entry, attachment_out, error)
               : aimg_writer_batch_entry(writer, ordinal, entry, attachment_out, error);
}

enum aimg_status aimg_writer_remove(struct aimg_writer *writer, uint32_t ordinal, struct aimg_error *error)
{
    struct aimg_entry_record entry;
    bool attachment = false;
    enum aimg_status status = aimg_writer_check(writer, error);
    if (status == AIMG_OK)
        status = aimg_writer_entry(writer, ordinal, &entry, &attachment, error);
    if (status != AIMG_OK)
        return status;
    if (!aimg_buffer_reserve(&writer->allocator, &writer->removed_list, sizeof ordinal) ||
        !aimg_ordinal_set_add(&writer->allocator, &writer->removed, ordinal))
        return aimg_fail_memory(error, sizeof ordinal);
    (void)aimg_buffer_add(&writer->allocator, &writer->removed_list, &ordinal, sizeof ordinal);
    writer->head.dead_count++;
    writer->head.listed_count -= !attachment;
    writer->head.live_stored_bytes -= entry.stored_bytes;
    return AIMG_OK;
}
