/* SPDX-License-Identifier: Apache-2.0 */
/* Walking forward ends at the first frame that is damaged. Behind it the rest of an interrupted batch may lie, or a commit, with
 * all that it names: who takes the one for the other throws committed images away. */
#include "tail.h"

#include "recover.h"

/* So far data is read before it is asked whether a hole follows. */
#define HOLE_BYTES 65536

/* Whether a page goes on from the last commit, at once or after others that stand in the tail too, and its ROOT is not older. It
 * then is a commit, but for one case: an image of an interrupted batch has lost its header, and holds a page and a ROOT that were
 * made to fit this place. */
static bool comes_later(const struct aimg_located *located, const struct aimg_commit_page *page)
{
    uint64_t next = located->empty ? 0 : located->commit.seq + 1;
    if (page->seq < next || page->root_offset < located->end || page->root_offset >= page->self_offset ||
        (!located->empty && page->ordinal_count < located->commit.ordinal_count))
        return false;
    return page->seq > next ? page->prev_offset >= located->end : aimg_commit_follows(located, page);
}

static enum aimg_status check_page(const struct aimg_writer *writer, uint64_t offset, struct aimg_error *error)
{
    const struct aimg_located *located = &writer->located;
    uint8_t bytes[AIMG_PAGE_BYTES];
    struct aimg_commit_page page;
    enum aimg_status status = writer->io->ops->read_at(writer->io, offset, bytes, sizeof bytes, error);
    if (status != AIMG_OK || aimg_commit_decode(bytes, offset, &located->header, &page) != 0 || !comes_later(located, &page))
        return status;
    return aimg_fail_at(error, AIMG_CORRUPT, 13, located->end,
                        "commit %" PRIu64 " is whole at %" PRIu64 ", but between %" PRIu64
                        " and there the archive is damaged; writing would destroy that commit: run 'aimg repair' first",
                        page.seq, offset, located->end);
}

static enum aimg_status check_pages(const struct aimg_writer *writer, const struct aimg_repair *tail,
                                    const struct aimg_repair_gap *gap, struct aimg_error *error)
{
    enum aimg_status status = AIMG_OK;
    uint64_t at = gap->begin;
    while (status == AIMG_OK) {
        if (at == gap->begin || at % HOLE_BYTES == 0)
            at = aimg_repair_skip_hole(tail, at);
        at = aimg_round_up(at, AIMG_PAGE_BYTES);
        if (at >= gap->end || gap->end - at < AIMG_PAGE_BYTES)
            return AIMG_OK;
        status = check_page(writer, at, error);
        at += AIMG_PAGE_BYTES;
    }
    return status;
}

/* Among the frames, and where there should be some and are none. */
static enum aimg_status check_no_commit(const struct aimg_writer *writer, const struct aimg_repair *tail,
                                        struct aimg_error *error)
{
    size_t count;
    const struct aimg_repair_piece *pieces = aimg_repair_pieces(tail, &count);
    const struct aimg_repair_gap *gaps = (const struct aimg_repair_gap *)(const void *)tail->gaps.data;
    enum aimg_status status = AIMG_OK;
    for (size_t i = 0; status == AIMG_OK && i < count; i++)
        if (pieces[i].type == AIMG_FRAME_COMMIT)
            status = check_page(writer, pieces[i].offset, error);
    for (size_t i = 0; status == AIMG_OK && i < tail->gaps.bytes / sizeof *gaps; i++)
        status = check_pages(writer, tail, &gaps[i], error);
    return status;
}

enum aimg_status aimg_tail_open(struct aimg_writer *writer, struct aimg_repair **tail_out, struct aimg_error *error)
{
    const struct aimg_allocator *allocator = &writer->allocator;
    struct aimg_repair *tail = aimg_alloc_array(allocator, 1, sizeof *tail);
    if (tail == NULL)
        return aimg_fail_memory(error, sizeof *tail);
    tail->options = (struct aimg_repair_options){.allocator = *allocator, .limits = writer->limits};
    tail->io = writer->io;
    tail->writer = writer;
    tail->adds = true;
    tail->counts = (writer->flags & AIMG_WRITER_RECOVER) == 0;
    tail->file_bytes = writer->located.file_bytes < AIMG_FILE_LIMIT ? writer->located.file_bytes : AIMG_FILE_LIMIT;
    tail->scan_begin = writer->located.end;
    tail->scan_ordinal = writer->head.ordinal_count;
    tail->reader.located.header = writer->located.header;
    tail->reader.source = (struct aimg_source){.allocator = *allocator,
                                               .limits = writer->limits,
                                               .io = writer->io,
                                               .seed = aimg_uuid_seed(writer->located.header.uuid),
                                               .end = tail->file_bytes};
    enum aimg_status status = aimg_repair_scan(tail, error);
    if (status == AIMG_OK)
        status = check_no_commit(writer, tail, error);
    if (status == AIMG_OK)
        *tail_out = tail;
    else
        aimg_tail_close(tail);
    return status;
}

void aimg_tail_close(struct aimg_repair *tail)
{
    const struct aimg_allocator allocator = tail->options.allocator;
    aimg_repair_unload(tail);
    aimg_buffer_release(&allocator, &tail->images);
    aimg_buffer_release(&allocator, &tail->pieces);
    aimg_buffer_release(&allocator, &tail->gaps);
    aimg_buffer_release(&allocator, &tail->salts);
    aimg_release(&allocator, tail);
}

enum aimg_status aimg_writer_take_tail(struct aimg_writer *writer, struct aimg_error *error)
{
    struct aimg_repair *tail = NULL;
    enum aimg_status status = AIMG_OK;
    if (writer->located.file_bytes > writer->located.end)
        status = aimg_tail_open(writer, &tail, error);
    if (status == AIMG_OK)
        status = aimg_confirm_commits(writer->io, &writer->located, error);
    if (tail == NULL)
        return status;
    writer->dropped_images = tail->scanned_images + tail->result.lost_images; /* the last one may have been cut off */
    if (status == AIMG_OK && !tail->counts)
        status = aimg_tail_salvage(tail, &writer->dropped_images, error);
    aimg_tail_close(tail);
    return status;
}
