/* SPDX-License-Identifier: Apache-2.0 */
/* The frames that are left. From the head on each frame tells where the next one begins; where that breaks, the next frame is
 * looked for at every place where one can stand.
 *
 * An image may hold bytes that look like frames of this very archive. So what is found by looking must prove more than its
 * checksum: it has the salt of the batch, which nobody knew before the batch was written, or frames follow it up to a commit or
 * the end. A torn tail is what one session has left: it has one salt, and a commit in it is no proof, but a reason to refuse. */
#include "repair.h"

#include "checksum.h"

#define WINDOW_BYTES 65536
/* Enough where frames are larger, so that their images are not read for their headers. */
#define SMALL_BYTES 4096
#define SELF_OFFSET 88 /* in a page */
/* An image has a name or a byte, so its frame has no fewer bytes: about so many frames can be in a file. */
#define FRAME_LEAST 56
/* Followers that may be looked at beside those. */
#define FOLLOWERS_MORE 4096

struct scan {
    struct aimg_repair *repair;
    uint64_t begin, end; /* what the window holds */
    uint8_t *window;
    uint64_t expected;                 /* ordinal of the next image, */
    uint64_t room;                     /* when none is missing: bytes in gaps since the last image */
    bool batch_open;                   /* in a torn tail: from the first frame on */
    uint32_t salt;                     /* of the open batch */
    bool small;                        /* frames are large: read little of each */
    uint64_t followers_max;            /* that may be looked at altogether: a file of false headers costs no more than its size */
    uint64_t failed_begin, failed_end; /* frames of this salt that follow each other here end in nothing */
    uint32_t failed_salt;
};

/* The bytes at offset, at least `bytes` of them or all that the file has; *known_out: how many. */
static enum aimg_status look(struct scan *scan, uint64_t offset, size_t bytes, const uint8_t **bytes_out, size_t *known_out,
                             struct aimg_error *error)
{
    uint64_t left = scan->repair->file_bytes - offset;
    size_t wanted = left < bytes ? (size_t)left : bytes;
    if (offset < scan->begin || offset > scan->end || scan->end - offset < wanted) {
        size_t piece = scan->small ? SMALL_BYTES : WINDOW_BYTES;
        piece = left < piece ? (size_t)left : piece;
        struct aimg_io *io = scan->repair->io;
        scan->begin = scan->end = 0;
        enum aimg_status status = piece == 0 ? AIMG_OK : io->ops->read_at(io, offset, scan->window, piece, error);
        if (status != AIMG_OK)
            return status;
        scan->begin = offset;
        scan->end = offset + piece;
    }
    *known_out = (size_t)(scan->end - offset);
    *bytes_out = scan->window + (offset - scan->begin);
    return AIMG_OK;
}

/* Whether a COMMIT page stands at offset. */
static enum aimg_status page_at(struct scan *scan, uint64_t offset, struct aimg_commit_page *commit, bool *valid_out,
                                struct aimg_error *error)
{
    const uint8_t *bytes;
    size_t known;
    enum aimg_status status = look(scan, offset, AIMG_PAGE_BYTES, &bytes, &known, error);
    *valid_out = status == AIMG_OK && known >= AIMG_PAGE_BYTES &&
                 aimg_commit_decode(bytes, offset, &scan->repair->reader.located.header, commit) == 0;
    return status;
}

/* Whether one stands there that is right in all but its place. */
static enum aimg_status shifted_page_at(struct scan *scan, uint64_t offset, bool *valid_out, struct aimg_error *error)
{
    const uint8_t *bytes;
    size_t known;
    struct aimg_commit_page commit;
    enum aimg_status status = look(scan, offset, AIMG_PAGE_BYTES, &bytes, &known, error);
    *valid_out = status == AIMG_OK && known >= AIMG_PAGE_BYTES &&
                 aimg_commit_decode(bytes, aimg_load64(bytes + SELF_OFFSET), &scan->repair->reader.located.header, &commit) == 0;
    return status;
}

/* The header of a frame at offset, whose check holds; the frame may be longer than what is left. A COMMIT closes a batch only
 * where its page says that it stands; or, in a file that bytes were put into, where the frames of its batch led to it. */
static enum aimg_status header_at(struct scan *scan, uint64_t offset, struct aimg_frame *frame, const uint8_t **header_out,
                                  bool *valid_out, struct aimg_error *error)
{
    const uint8_t *bytes;
    size_t known;
    *valid_out = false;
    enum aimg_status status = look(scan, offset, AIMG_FRAME_BYTES, &bytes, &known, error);
    if (status != AIMG_OK || known < AIMG_FRAME_BYTES || aimg_frame_decode(bytes, frame) != 0 ||
        aimg_frame_check_fields(frame) != 0)
        return status;
    size_t header_bytes = (size_t)frame->header_units * AIMG_UNIT;
    status = look(scan, offset, header_bytes, &bytes, &known, error);
    if (status != AIMG_OK || known < header_bytes)
        return status;
    *valid_out = aimg_frame_checksum(bytes, header_bytes, scan->repair->reader.source.seed) == frame->check;
    *header_out = bytes;
    struct aimg_commit_page commit;
    if (!*valid_out || frame->type != AIMG_FRAME_COMMIT)
        return AIMG_OK;
    status = page_at(scan, offset, &commit, valid_out, error);
    if (status == AIMG_OK && !*valid_out && scan->batch_open && frame->salt == scan->salt)
        status = shifted_page_at(scan, offset, valid_out, error);
    return status;
}

static bool fits(const struct scan *scan, uint64_t offset, const struct aimg_frame *frame)
{
    return aimg_frame_total_bytes(frame) <= scan->repair->file_bytes - offset;
}

static bool is_image(const struct aimg_frame *frame)
{
    return frame->type == AIMG_FRAME_IMAGE || frame->type == AIMG_FRAME_ALIAS;
}

/* Ordinals ascend, and no more images can be missing than there is room for: `more` bytes before this frame are no frames. */
static bool in_order(const struct scan *scan, const struct aimg_frame *frame, uint64_t more)
{
    return !is_image(frame) ||
           (frame->ordinal >= scan->expected && frame->ordinal - scan->expected <= (scan->room + more) / AIMG_FRAME_BYTES);
}

/* Whether a frame can be one of a batch: nothing in a batch goes beyond its page, and the page is all that is in its place. */
static bool is_of(const struct aimg_repair_salt *batch, uint64_t offset, const struct aimg_frame *frame)
{
    bool page = offset == batch->page && frame->type == AIMG_FRAME_COMMIT;
    bool inside = offset < batch->page && aimg_frame_total_bytes(frame) <= batch->page - offset;
    return (page || inside) && frame->salt == batch->salt && (!is_image(frame) || frame->ordinal < batch->ordinal_end);
}

/* ------------------------------------------------------------------ frames that are trusted */

static enum aimg_status take_image(struct scan *scan, uint64_t offset, const struct aimg_frame *frame, const uint8_t *header,
                                   struct aimg_error *error)
{
    struct aimg_repair *repair = scan->repair;
    struct aimg_repair_image image = {.place = offset | (frame->type == AIMG_FRAME_ALIAS ? AIMG_REPAIR_ALIAS : 0),
                                      .ordinal = frame->ordinal,
                                      .number = AIMG_NO_ORDINAL};
    if (frame->ordinal < scan->expected || frame->ordinal >= AIMG_ORDINAL_LIMIT)
        return AIMG_OK; /* its number is another's, which nothing that was written rightly says: the index tells, if anyone */
    if (frame->name_bytes > 0)
        image.name_hash = aimg_hash_low(header + AIMG_FRAME_BYTES, frame->name_bytes, repair->reader.source.seed) | 1;
    scan->expected = (uint64_t)frame->ordinal + 1;
    scan->room = 0;
    repair->scanned_images++;
    if (!repair->counts && !aimg_buffer_add(&repair->options.allocator, &repair->images, &image, sizeof image))
        return aimg_fail_memory(error, repair->images.bytes);
    return AIMG_OK;
}

static enum aimg_status take_piece(struct scan *scan, uint64_t offset, const struct aimg_frame *frame, struct aimg_error *error)
{
    struct aimg_repair *repair = scan->repair;
    struct aimg_repair_piece piece = {.offset = offset,
                                      .bytes = frame->stored_bytes,
                                      .stored_hash = frame->stored_hash,
                                      .salt = frame->salt,
                                      .type = frame->type,
                                      .format = frame->format,
                                      .coding = frame->coding};
    if (repair->counts && frame->type != AIMG_FRAME_COMMIT)
        return AIMG_OK;
    if (!aimg_buffer_add(&repair->options.allocator, &repair->pieces, &piece, sizeof piece))
        return aimg_fail_memory(error, repair->pieces.bytes);
    return AIMG_OK;
}

/* Where a batch begins any frame is taken that has a right check. The page that closes it tells which were of another batch: what
 * they stand on is lost. */
static void judge_batch(struct scan *scan, const struct aimg_commit_page *commit)
{
    size_t count;
    struct aimg_repair_piece *pieces = aimg_repair_pieces(scan->repair, &count);
    uint64_t begin = commit->seq == 0 ? AIMG_HEAD_BYTES : commit->prev_offset + AIMG_PAGE_BYTES;
    for (size_t i = count; i-- > 0 && pieces[i].type != AIMG_FRAME_COMMIT && pieces[i].offset >= begin;)
        pieces[i].displaced = pieces[i].salt != commit->salt;
}

static enum aimg_status take(struct scan *scan, uint64_t offset, const struct aimg_frame *frame, const uint8_t *header,
                             struct aimg_error *error)
{
    struct aimg_commit_page commit;
    bool valid = false;
    scan->batch_open = true;
    scan->salt = scan->repair->scanned_salt = frame->salt;
    if (is_image(frame))
        return take_image(scan, offset, frame, header, error);
    if (frame->type != AIMG_FRAME_COMMIT)
        return frame->type == AIMG_FRAME_PAD || frame->type == AIMG_FRAME_CODING ? AIMG_OK
                                                                                 : take_piece(scan, offset, frame, error);
    scan->batch_open = scan->repair->adds;
    enum aimg_status status = page_at(scan, offset, &commit, &valid, error);
    if (status != AIMG_OK || !valid)
        return status;
    judge_batch(scan, &commit);
    return take_piece(scan, offset, frame, error);
}

/* ------------------------------------------------------------------ where the chain breaks */

/* Whether frames of one salt follow each other from here to a commit or to the end of the file. */
static enum aimg_status followed(struct scan *scan, uint64_t begin, const struct aimg_frame *first, bool *followed_out,
                                 struct aimg_error *error)
{
    struct aimg_frame frame = *first;
    struct aimg_commit_page commit;
    const uint8_t *header;
    uint64_t offset = begin;
    bool valid = begin < scan->failed_begin || begin >= scan->failed_end || first->salt != scan->failed_salt;
    enum aimg_status status = AIMG_OK;
    *followed_out = false;
    scan->small = true;
    for (; valid && scan->followers_max > 0; scan->followers_max--) {
        if (frame.type == AIMG_FRAME_COMMIT) {
            status = page_at(scan, offset, &commit, &valid, error);
            *followed_out = valid && commit.salt == first->salt && !scan->repair->adds;
            break;
        }
        offset += aimg_frame_total_bytes(&frame);
        if (offset == scan->repair->file_bytes) {
            *followed_out = true;
            break;
        }
        status = header_at(scan, offset, &frame, &header, &valid, error);
        valid = status == AIMG_OK && valid && frame.salt == first->salt && fits(scan, offset, &frame);
    }
    if (!*followed_out && offset > begin) {
        scan->failed_begin = begin;
        scan->failed_end = offset;
        scan->failed_salt = first->salt;
    }
    return status;
}

/* Whether a frame that was found by looking is one: begin is where the chain broke. */
static enum aimg_status trusted(struct scan *scan, uint64_t begin, uint64_t offset, const struct aimg_frame *frame,
                                bool *trusted_out, struct aimg_error *error)
{
    *trusted_out = false;
    if (!fits(scan, offset, frame))
        return AIMG_OK;
    if (!in_order(scan, frame, offset - begin))
        return AIMG_OK;
    /* A hint says that here, behind its commit, a frame begins, if the file goes on: that is not inside an image. */
    if (offset == scan->repair->hint_end) {
        *trusted_out = true;
        return AIMG_OK;
    }
    if (scan->repair->adds) {
        *trusted_out = scan->batch_open && frame->salt == scan->salt;
        return scan->batch_open ? AIMG_OK : followed(scan, offset, frame, trusted_out, error);
    }
    struct aimg_repair_salt salt;
    enum aimg_status status = aimg_repair_list_salts(scan->repair, error);
    if (status != AIMG_OK)
        return status;
    if (aimg_repair_salt_at(scan->repair, offset, &salt)) {
        *trusted_out = is_of(&salt, offset, frame);
        if (salt.sure || *trusted_out)
            return AIMG_OK;
    }
    if (scan->batch_open && frame->salt == scan->salt) {
        *trusted_out = true;
        return AIMG_OK;
    }
    return followed(scan, offset, frame, trusted_out, error);
}

uint64_t aimg_repair_skip_hole(const struct aimg_repair *repair, uint64_t offset)
{
    struct aimg_io *io = repair->io;
    uint64_t data = io->ops->data_from == NULL ? offset : io->ops->data_from(io, offset);
    return data < offset ? offset : data < repair->file_bytes ? data : repair->file_bytes;
}

/* The next frame from `begin` on; the end of the file when there is none. */
static enum aimg_status resynchronise(struct scan *scan, uint64_t begin, uint64_t *next_out, struct aimg_error *error)
{
    uint64_t file_bytes = scan->repair->file_bytes;
    for (uint64_t at = begin; file_bytes - at >= AIMG_FRAME_BYTES; at += AIMG_UNIT) {
        struct aimg_frame frame;
        const uint8_t *bytes;
        size_t known;
        bool valid = false;
        if (at < scan->begin || at >= scan->end)
            at = aimg_repair_skip_hole(scan->repair, at) / AIMG_UNIT * AIMG_UNIT;
        if (file_bytes - at < AIMG_FRAME_BYTES)
            break;
        scan->small = false;
        enum aimg_status status = look(scan, at, 2, &bytes, &known, error);
        if (status == AIMG_OK && aimg_load16(bytes) == AIMG_FRAME_MAGIC)
            status = header_at(scan, at, &frame, &bytes, &valid, error);
        if (status == AIMG_OK && valid)
            status = trusted(scan, begin, at, &frame, &valid, error);
        if (status != AIMG_OK)
            return status;
        if (valid) {
            *next_out = at;
            return AIMG_OK;
        }
        if (at % (1u << 20) == 0 && (status = aimg_repair_pulse(scan->repair, error)) != AIMG_OK)
            return status;
    }
    *next_out = file_bytes;
    return AIMG_OK;
}

static enum aimg_status take_gap(struct scan *scan, uint64_t begin, uint64_t end, struct aimg_error *error)
{
    struct aimg_repair *repair = scan->repair;
    struct aimg_repair_gap gap = {begin, end, false};
    if (!aimg_buffer_add(&repair->options.allocator, &repair->gaps, &gap, sizeof gap))
        return aimg_fail_memory(error, repair->gaps.bytes);
    return AIMG_OK;
}

/* A frame whose end was cut off: what follows its header was all its own. */
static void lose_cut(struct scan *scan, uint64_t offset, const struct aimg_frame *frame, const uint8_t *header)
{
    char name[AIMG_NAME_MAX + 1] = "";
    bool named = frame->name_bytes > 0 && frame->name_bytes <= AIMG_NAME_MAX;
    struct aimg_loss loss = {.kind = AIMG_LOSS_IMAGES,
                             .ordinal = frame->ordinal,
                             .count = 1,
                             .offset = offset,
                             .bytes = scan->repair->file_bytes - offset,
                             .name = named ? name : NULL,
                             .message = "the file ends before the image does"};
    if (!is_image(frame))
        return;
    if (named)
        memcpy(name, header + AIMG_FRAME_BYTES, frame->name_bytes);
    scan->expected = (uint64_t)frame->ordinal + 1;
    aimg_repair_lose(scan->repair, &loss);
}

/* One step of the walk: a frame, or what lies before the next one. */
static enum aimg_status step(struct scan *scan, uint64_t *at, struct aimg_error *error)
{
    struct aimg_frame frame;
    const uint8_t *header = NULL;
    bool valid = false;
    uint64_t next = *at;
    enum aimg_status status = header_at(scan, *at, &frame, &header, &valid, error);
    if (status != AIMG_OK)
        return status;
    struct aimg_repair_salt batch;
    bool follows = valid && (!scan->batch_open || frame.salt == scan->salt) && in_order(scan, &frame, 0);
    if (follows && aimg_repair_salt_at(scan->repair, *at, &batch) && batch.sure)
        follows = is_of(&batch, *at, &frame);
    if (follows && !fits(scan, *at, &frame)) {
        lose_cut(scan, *at, &frame, header);
        *at = scan->repair->file_bytes;
        return AIMG_OK;
    }
    if (follows) {
        status = take(scan, *at, &frame, header, error);
        scan->small = aimg_frame_total_bytes(&frame) > SMALL_BYTES;
        *at += aimg_frame_total_bytes(&frame);
        return status;
    }
    status = resynchronise(scan, *at, &next, error);
    if (status == AIMG_OK && next == *at) /* its salt is that of another batch, and others follow it */
        status = header_at(scan, next, &frame, &header, &valid, error);
    if (status != AIMG_OK)
        return status;
    if (next == *at) {
        status = take(scan, next, &frame, header, error);
        *at += aimg_frame_total_bytes(&frame);
        return status;
    }
    status = take_gap(scan, *at, next, error);
    scan->room += next - *at;
    *at = next;
    scan->batch_open = scan->batch_open && scan->repair->adds; /* what was found proved itself, whichever batch it is of */
    return status;
}

enum aimg_status aimg_repair_scan(struct aimg_repair *repair, struct aimg_error *error)
{
    struct scan scan = {
        .repair = repair, .expected = repair->scan_ordinal, .followers_max = FOLLOWERS_MORE + repair->file_bytes / FRAME_LEAST};
    uint64_t at = repair->scan_begin;
    enum aimg_status status = repair->adds ? AIMG_OK : aimg_repair_list_salts(repair, error);
    if (status != AIMG_OK)
        return status;
    scan.window = aimg_alloc_array(&repair->options.allocator, WINDOW_BYTES, 1);
    if (scan.window == NULL)
        return aimg_fail_memory(error, WINDOW_BYTES);
    while (status == AIMG_OK && at < repair->file_bytes) {
        status = step(&scan, &at, error);
        if (status == AIMG_OK)
            status = aimg_repair_tell(repair, 0, error);
    }
    aimg_release(&repair->options.allocator, scan.window);
    return status;
}
