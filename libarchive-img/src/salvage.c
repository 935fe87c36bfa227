/* SPDX-License-Identifier: Apache-2.0 */
/* What an interrupted writer has left: its whole images, into the batch of the writer that comes after it.
 *
 * They are found as repair finds them, read into memory one by one, and written again from where the tail begins. That never
 * overtakes the reading: the frames are the same, in the same order, with less between them. */
#include "recover.h"
#include "tail.h"

/* In the log. */
#define MESSAGE "recovered after an interrupted writer"

static enum aimg_status take_codings(struct aimg_repair *repair, const struct aimg_catalog *known, struct aimg_error *error)
{
    struct aimg_catalog *catalog = &repair->reader.catalog;
    catalog->codings = aimg_alloc_array(&repair->options.allocator, AIMG_CODINGS, sizeof *catalog->codings);
    if (catalog->codings == NULL)
        return aimg_fail_memory(error, AIMG_CODINGS * sizeof *catalog->codings);
    for (; catalog->head.coding_count < known->head.coding_count; catalog->head.coding_count++)
        catalog->codings[catalog->head.coding_count] = known->codings[catalog->head.coding_count];
    return aimg_repair_take_dictionaries(repair, error);
}

enum aimg_status aimg_tail_salvage(struct aimg_repair *repair, uint64_t *lost_out, struct aimg_error *error)
{
    enum aimg_status status = aimg_repair_create_caches(repair, error);
    if (status == AIMG_OK)
        status = take_codings(repair, &repair->writer->base->catalog, error);
    if (status == AIMG_OK)
        status = aimg_repair_write(repair, error);
    *lost_out = repair->result.lost_images;
    return status;
}

enum aimg_status aimg_writer_renew_hints(struct aimg_writer *writer, struct aimg_error *error)
{
    static const uint8_t blank[2 * AIMG_HINT_BYTES];
    struct aimg_io *io = writer->io;
    enum aimg_status status = io->ops->write_at(io, AIMG_HEADER_BYTES, blank, sizeof blank, NULL, 0, error);
    if (status == AIMG_OK && !writer->located.empty)
        status = aimg_hint_write(io, &writer->located.commit, error);
    return status == AIMG_OK && (writer->flags & AIMG_WRITER_NO_SYNC) == 0 ? io->ops->sync(io, error) : status;
}

enum aimg_status aimg_writer_commit_salvaged(struct aimg_writer *writer, struct aimg_error *error)
{
    writer->recovered_images = writer->pending_images;
    return writer->pending_images == 0 ? AIMG_OK : aimg_writer_commit(writer, MESSAGE, error);
}

void aimg_writer_recovered(const struct aimg_writer *writer, uint64_t *images_out)
{
    *images_out = writer->recovered_images;
}
