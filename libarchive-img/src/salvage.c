/* SPDX-License-Identifier: Apache-2.0 */
/* What an interrupted writer has left: its whole images, into the batch of the writer that comes after it.
 *
 * No byte of a whole image is written over before it is durable elsewhere, so that the power may go, or the disk be full, at any
 * moment: trying again finds the same. The frames that follow the last commit stay where they are, up to the first that is
 * damaged. Whole images behind that are written once more, behind the end of the file; then a PAD takes the place of all
 * between. */
#include "salvage.h"

#include "checksum.h"
#include "recover.h"

/* In the log. */
#define MESSAGE     "recovered after an interrupted writer"
#define PIECE_BYTES 65536

/* ------------------------------------------------------------------ frames that stay */

/* The dictionary of an image that stays stands before it. */
static enum aimg_status take_dictionary(const struct aimg_salvage *salvage, unsigned coding, struct aimg_error *error)
{
    struct aimg_coder *coder = &salvage->writer->coders.by_number[coding];
    const struct aimg_coding_record *record = NULL;
    if (coding < AIMG_CODING_FIRST_LISTED || coder->record.coding != 0)
        return AIMG_OK;
    enum aimg_status status = aimg_coding_find(&salvage->tail->reader, coding, &record, error);
    if (status == AIMG_OK && record->offset >= salvage->at)
        status = aimg_salvage_damaged(salvage, error);
    if (status == AIMG_OK)
        coder->record = *record;
    return status;
}

/* *stays_out: whether it does. A failure ends the recovery, and changes nothing. */
static enum aimg_status keep_image(struct aimg_salvage *salvage, const struct aimg_frame_view *view, bool *stays_out,
                                   struct aimg_error *error)
{
    const struct aimg_frame *frame = &view->frame;
    struct aimg_prepared prepared;
    struct aimg_entry_record entry;
    struct aimg_image image = {.struct_bytes = sizeof image,
                               .name = (const char *)view->bytes + AIMG_FRAME_BYTES,
                               .name_bytes = frame->name_bytes,
                               .format = frame->format,
                               .flags = frame->name_bytes == 0 ? AIMG_ADD_REPLACE | AIMG_ADD_ATTACHMENT : AIMG_ADD_REPLACE};
    struct aimg_alias alias = {
        .name = image.name, .name_bytes = image.name_bytes, .attachment = (image.flags & AIMG_ADD_ATTACHMENT) != 0};
    bool aliased = frame->type == AIMG_FRAME_ALIAS;
    enum aimg_status status = AIMG_OK;
    if (frame->ordinal != salvage->writer->head.ordinal_count)
        status = aimg_salvage_damaged(salvage, error);
    if (status == AIMG_OK)
        status = aliased ? aimg_salvage_check_alias(salvage, frame, &alias, &entry, error)
                         : aimg_salvage_check_image(salvage, frame, &prepared, error);
    if (status == AIMG_OK && !aliased)
        status = take_dictionary(salvage, frame->coding, error);
    *stays_out = status == AIMG_OK;
    if (status != AIMG_OK)
        return aimg_repair_is_damage(status) ? AIMG_OK : status;
    image.prepared = aliased ? NULL : &prepared;
    return aimg_writer_adopt(salvage->writer, &image, frame, salvage->at, aliased ? &alias : NULL, error);
}

static enum aimg_status write_zeros(struct aimg_io *io, uint64_t offset, uint64_t bytes, struct aimg_error *error)
{
    static const uint8_t zeros[PIECE_BYTES];
    enum aimg_status status = AIMG_OK;
    for (uint64_t done = 0; status == AIMG_OK && done < bytes;) {
        size_t piece = bytes - done < sizeof zeros ? (size_t)(bytes - done) : sizeof zeros;
        status = io->ops->write_at(io, offset + done, zeros, piece, NULL, 0, error);
        done += piece;
    }
    return status;
}

static uint64_t hash_of_zeros(uint64_t bytes)
{
    static const uint8_t zeros[PIECE_BYTES];
    struct aimg_hasher hasher;
    aimg_hasher_begin(&hasher);
    for (; bytes > sizeof zeros; bytes -= sizeof zeros)
        aimg_hasher_add(&hasher, zeros, sizeof zeros);
    aimg_hasher_add(&hasher, zeros, (size_t)bytes);
    return aimg_hasher_end(&hasher).low;
}

/* A PAD that a recovery has put over what it had copied may not be all zero yet. */
static enum aimg_status keep_pad(const struct aimg_salvage *salvage, const struct aimg_frame *frame, bool *stays_out,
                                 struct aimg_error *error)
{
    struct aimg_hash hash;
    uint64_t payload = salvage->at + (uint64_t)frame->header_units * AIMG_UNIT;
    enum aimg_status status = aimg_salvage_hash(salvage, frame, &hash, error);
    *stays_out = status == AIMG_OK && hash_of_zeros(frame->stored_bytes) == frame->stored_hash;
    if (!*stays_out || hash.low == frame->stored_hash)
        return status;
    return write_zeros(salvage->writer->io, payload, frame->stored_bytes, error);
}

static enum aimg_status keep_frame(struct aimg_salvage *salvage, const struct aimg_frame_view *view, bool *stays_out,
                                   struct aimg_error *error)
{
    const struct aimg_frame *frame = &view->frame;
    struct aimg_hash hash;
    enum aimg_status status = aimg_salvage_check_frame(salvage, view, error);
    *stays_out = false;
    if (status != AIMG_OK)
        return aimg_repair_is_damage(status) ? AIMG_OK : status;
    if (frame->type == AIMG_FRAME_PAD)
        return keep_pad(salvage, frame, stays_out, error);
    if (frame->type == AIMG_FRAME_IMAGE || frame->type == AIMG_FRAME_ALIAS) {
        status = keep_image(salvage, view, stays_out, error);
        if (status == AIMG_OK && *stays_out)
            salvage->kept_end = salvage->at + aimg_frame_total_bytes(frame);
        return status;
    }
    status = aimg_salvage_check_payload(salvage, frame, &hash, error);
    *stays_out = status == AIMG_OK;
    return aimg_repair_is_damage(status) ? AIMG_OK : status;
}

static enum aimg_status keep_frames(struct aimg_salvage *salvage, struct aimg_error *error)
{
    const struct aimg_source *source = &salvage->tail->reader.source;
    for (bool stays = true; stays && salvage->at < source->end;) {
        struct aimg_frame_view view = {.frame = {.header_units = 0}};
        uint64_t left = source->end - salvage->at;
        enum aimg_status status = left < AIMG_FRAME_BYTES ? AIMG_CORRUPT : aimg_frame_read(source, salvage->at, &view, error);
        if (status == AIMG_TRUNCATED && (uint64_t)view.frame.header_units * AIMG_UNIT > left)
            status = AIMG_CORRUPT; /* its header goes beyond the end */
        if (status != AIMG_OK)
            return aimg_repair_is_damage(status) ? AIMG_OK : status;
        status = keep_frame(salvage, &view, &stays, error);
        if (status != AIMG_OK)
            return status;
        salvage->at += aimg_frame_total_bytes(&view.frame);
    }
    return AIMG_OK;
}

/* ------------------------------------------------------------------ and those behind them */

static enum aimg_status sync(const struct aimg_writer *writer, struct aimg_error *error)
{
    return (writer->flags & AIMG_WRITER_NO_SYNC) == 0 ? writer->io->ops->sync(writer->io, error) : AIMG_OK;
}

/* Between the images that stay and the copies. Once its header is there, whoever comes finds the copies in place of the images,
 * so these are durable first. */
static enum aimg_status write_pad(const struct aimg_salvage *salvage, struct aimg_error *error)
{
    struct aimg_writer *writer = salvage->writer;
    uint8_t header[AIMG_FRAME_BYTES];
    uint64_t bytes = salvage->copies - salvage->kept_end - AIMG_FRAME_BYTES;
    struct aimg_frame frame = {.type = AIMG_FRAME_PAD,
                               .header_units = AIMG_FRAME_BYTES / AIMG_UNIT,
                               .salt = salvage->salt,
                               .stored_bytes = bytes,
                               .raw_bytes = bytes,
                               .stored_hash = hash_of_zeros(bytes)};
    aimg_frame_encode(&frame, header);
    frame.check = aimg_frame_checksum(header, sizeof header, writer->out.seed);
    aimg_frame_encode(&frame, header);
    enum aimg_status status = aimg_out_flush(&writer->out, error);
    if (status == AIMG_OK)
        status = sync(writer, error);
    writer->kept = status == AIMG_OK ? aimg_out_offset(&writer->out) : writer->kept;
    if (status == AIMG_OK)
        status = writer->io->ops->write_at(writer->io, salvage->kept_end, header, sizeof header, NULL, 0, error);
    if (status == AIMG_OK)
        status = sync(writer, error);
    return status == AIMG_OK ? write_zeros(writer->io, salvage->kept_end + AIMG_FRAME_BYTES, bytes, error) : status;
}

/* Images that stay are there for the aliases behind them, and are not copied. Returns how many others there are. */
static size_t leave_out_kept(const struct aimg_salvage *salvage)
{
    size_t count, others = 0;
    struct aimg_repair_image *images = aimg_repair_images(salvage->tail, &count);
    for (size_t i = 0; i < count; i++) {
        if (aimg_repair_offset(&images[i]) >= salvage->kept_end) {
            others++;
            continue;
        }
        images[i].number = images[i].ordinal;
        images[i].place |= AIMG_REPAIR_DEAD;
    }
    return others;
}

/* A name that was made stands for one that no archive may have. Where it stands for one that could not be read, recovery ends. */
static enum aimg_status check_names(const struct aimg_salvage *salvage, struct aimg_error *error)
{
    size_t count, bytes;
    uint64_t invalid = 0;
    char name[AIMG_NAME_MAX + 1];
    const struct aimg_repair_image *images = aimg_repair_images(salvage->tail, &count);
    for (size_t i = 0; i < count && salvage->tail->result.lost_names > 0; i++) {
        enum aimg_status status = aimg_repair_offset(&images[i]) < salvage->kept_end
                                      ? AIMG_OK
                                      : aimg_repair_name(salvage->tail, &images[i], name, &bytes, error);
        if (status != AIMG_OK && !aimg_repair_is_damage(status))
            return status;
        invalid += status != AIMG_OK;
    }
    if (salvage->tail->result.lost_names > invalid)
        return aimg_fail(error, AIMG_IO, "the name of an image could not be read when it should be kept: try again");
    return AIMG_OK;
}

/* An image that was not copied is damaged. One that could not be read then, and can now, or not even now, ends the recovery. */
static enum aimg_status check_left_out(const struct aimg_salvage *salvage, struct aimg_error *error)
{
    size_t count;
    const struct aimg_repair_image *images = aimg_repair_images(salvage->tail, &count);
    for (size_t i = 0; i < count; i++) {
        uint64_t offset = aimg_repair_offset(&images[i]);
        bool whole;
        if (images[i].number != AIMG_NO_ORDINAL || (images[i].place & AIMG_REPAIR_ALIAS) != 0)
            continue;
        enum aimg_status status = aimg_repair_whole(salvage->tail, &images[i], &whole, error);
        if (status == AIMG_OK && whole)
            status = aimg_fail_at(error, AIMG_IO, 0, offset,
                                  "the image at %" PRIu64 " is whole, but could not be read when it should be kept: try again",
                                  offset);
        if (status != AIMG_OK)
            return status;
    }
    /* A file that ends earlier than it did is no damage of an image. */
    uint8_t last;
    return aimg_source_copy(&salvage->tail->reader.source, salvage->tail->file_bytes - 1, sizeof last, &last, error);
}

static enum aimg_status copy_others(struct aimg_salvage *salvage, struct aimg_error *error)
{
    struct aimg_writer *writer = salvage->writer;
    enum aimg_status status = AIMG_OK;
    if (leave_out_kept(salvage) > 0 && writer->located.stale_hint)
        status = aimg_writer_renew_hints(writer, error);
    if (status == AIMG_OK)
        status = aimg_repair_write(salvage->tail, error);
    if (status == AIMG_OK)
        status = check_names(salvage, error);
    if (status == AIMG_OK)
        status = check_left_out(salvage, error);
    if (status != AIMG_OK)
        return status;
    uint64_t copied = aimg_out_offset(&writer->out) - salvage->copies;
    if (copied == 0) {
        writer->out.flushed = writer->out.announced = writer->kept = salvage->kept_end;
        return AIMG_OK;
    }
    uint64_t others = salvage->tail->file_bytes - salvage->kept_end;
    writer->dropped_bytes = others > copied ? others - copied : 0;
    return write_pad(salvage, error);
}

/* ------------------------------------------------------------------ the call */

static enum aimg_status take_codings(struct aimg_repair *tail, const struct aimg_catalog *known, struct aimg_error *error)
{
    struct aimg_catalog *catalog = &tail->reader.catalog;
    catalog->codings = aimg_alloc_array(&tail->options.allocator, AIMG_CODINGS, sizeof *catalog->codings);
    if (catalog->codings == NULL)
        return aimg_fail_memory(error, AIMG_CODINGS * sizeof *catalog->codings);
    for (; catalog->head.coding_count < known->head.coding_count; catalog->head.coding_count++)
        catalog->codings[catalog->head.coding_count] = known->codings[catalog->head.coding_count];
    return aimg_repair_take_dictionaries(tail, error);
}

static uint64_t count_lost(const struct aimg_salvage *salvage, uint64_t cut)
{
    size_t count;
    const struct aimg_repair_image *images = aimg_repair_images(salvage->tail, &count);
    uint64_t first = salvage->tail->scan_ordinal, end = count > 0 ? (uint64_t)images[count - 1].ordinal + 1 : first;
    return end - first - salvage->writer->pending_images + cut;
}

/* While no commit is there, nothing but the head leads to the images: of one that is on the medium no byte is written over. */
static enum aimg_status restore_head(const struct aimg_writer *writer, struct aimg_error *error)
{
    uint8_t header[AIMG_HEADER_BYTES], found[AIMG_HEADER_BYTES];
    struct aimg_io *io = writer->io;
    aimg_header_encode(&writer->located.header, header);
    enum aimg_status status = io->ops->read_at(io, 0, found, sizeof found, error);
    if (status != AIMG_OK || memcmp(header, found, sizeof header) == 0)
        return status;
    status = io->ops->write_at(io, 0, header, sizeof header, NULL, 0, error);
    return status == AIMG_OK ? io->ops->sync(io, error) : status;
}

/* The tail is read from the medium, and a head that no commit confirms: what is in the page cache alone would be lost although it
 * is committed. */
static enum aimg_status begin(struct aimg_salvage *salvage, struct aimg_error *error)
{
    struct aimg_writer *writer = salvage->writer;
    struct aimg_io *io = writer->io;
    uint64_t bytes = writer->kept = salvage->tail->file_bytes;
    uint64_t from = writer->located.empty ? 0 : writer->located.end;
    enum aimg_status status = io->ops->sync(io, error);
    io->ops->forget(io, from, bytes - from);
    if (status == AIMG_OK && writer->located.empty)
        status = restore_head(writer, error);
    if (status == AIMG_OK)
        status = aimg_repair_create_caches(salvage->tail, error);
    if (status == AIMG_OK)
        status = take_codings(salvage->tail, &writer->base->catalog, error);
    writer->out.salt = salvage->salt = salvage->tail->scanned_salt;
    /* An index of the content that is not begun would be begun with all that is there, before this is committed. */
    writer->content_indexed = writer->content_indexed && writer->content_begun;
    salvage->at = salvage->kept_end = writer->located.end;
    salvage->copies = aimg_round_up(bytes + AIMG_FRAME_BYTES, AIMG_UNIT);
    writer->out.flushed = writer->out.announced = salvage->copies;
    return status;
}

/* After a failure, as of a disk that is full: copies to which nothing leads give their place back. */
static void cut_copies(struct aimg_writer *writer, enum aimg_status status)
{
    uint64_t bytes;
    if (writer->io->ops->size(writer->io, &bytes, NULL) == AIMG_OK && bytes > writer->kept)
        (void)aimg_writer_poison(writer, status);
}

enum aimg_status aimg_tail_salvage(struct aimg_repair *tail, uint64_t *lost_out, struct aimg_error *error)
{
    struct aimg_salvage salvage = {.tail = tail, .writer = tail->writer};
    uint64_t cut = tail->result.lost_images;
    enum aimg_status status = begin(&salvage, error);
    if (status == AIMG_OK)
        status = keep_frames(&salvage, error);
    if (status == AIMG_OK)
        status = copy_others(&salvage, error);
    if (status == AIMG_OK)
        *lost_out = count_lost(&salvage, cut);
    else
        cut_copies(salvage.writer, status);
    aimg_buffer_release(&salvage.writer->allocator, &salvage.stored);
    aimg_buffer_release(&salvage.writer->allocator, &salvage.raw);
    return status;
}

enum aimg_status aimg_writer_renew_hints(struct aimg_writer *writer, struct aimg_error *error)
{
    static const uint8_t blank[AIMG_HINT_BYTES];
    const struct aimg_located *located = &writer->located;
    struct aimg_io *io = writer->io;
    enum aimg_status status = AIMG_OK;
    for (unsigned i = 0; status == AIMG_OK && i < 2; i++) {
        uint64_t at = AIMG_HEADER_BYTES + (uint64_t)i * AIMG_HINT_BYTES;
        uint8_t page[AIMG_HINT_BYTES];
        struct aimg_hint hint;
        status = io->ops->read_at(io, at, page, sizeof page, error);
        bool valid = aimg_hint_decode(page, writer->out.seed, &hint) == 0 && hint.seq % 2 == i;
        /* One that leads to the last commit may be the only way: it is left alone. */
        if (status == AIMG_OK && (located->empty || !valid || hint.end > located->file_bytes))
            status = io->ops->write_at(io, at, blank, sizeof blank, NULL, 0, error);
    }
    if (status == AIMG_OK)
        status = sync(writer, error);
    writer->located.stale_hint = writer->located.stale_hint && status != AIMG_OK;
    return status;
}

enum aimg_status aimg_writer_commit_salvaged(struct aimg_writer *writer, struct aimg_error *error)
{
    writer->recovered_images = writer->pending_images;
    enum aimg_status status = writer->pending_images == 0 ? AIMG_OK : aimg_writer_commit(writer, MESSAGE, error);
    writer->kept = status == AIMG_OK ? 0 : writer->kept;
    return status;
}

void aimg_writer_recovered(const struct aimg_writer *writer, uint64_t *images_out)
{
    *images_out = writer->recovered_images;
}
