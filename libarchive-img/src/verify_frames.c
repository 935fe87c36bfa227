/* SPDX-License-Identifier: Apache-2.0 */
/* One step of the walk: the frame is read, checked and kept. Rules 11 to 13 and 16, and what needs more than one frame. */
#include "verify.h"

#include "checksum.h"

#include <stdio.h>

/* ------------------------------------------------------------------ damage */

/* Why a frame cannot be stepped over. */
struct damage {
    unsigned rule;
    char text[160];
};

/* Reports a frame that cannot be read, and goes on where the next one can be found. False when there is none. */
static bool skip_damage(struct aimg_verify_worker *worker, const struct damage *damage, const struct aimg_frame *frame)
{
    struct aimg_verify *verify = worker->verify;
    struct aimg_verify_walk *walk = &verify->walk;
    uint64_t offset = walk->offset, next;
    uint32_t ordinal = aimg_verify_resume(worker, offset, frame, &next);
    if (!aimg_buffer_add(&verify->source.allocator, &verify->damaged, &offset, sizeof offset)) {
        aimg_verify_no_memory(verify, sizeof offset);
        return false;
    }
    if (next < verify->end)
        aimg_verify_fault(verify, damage->rule, aimg_verify_image(offset, ordinal),
                          "the frame at %" PRIu64 " is damaged: %s; going on at %" PRIu64, offset, damage->text, next);
    else
        aimg_verify_fault(verify, damage->rule, aimg_verify_image(offset, ordinal),
                          "the frame at %" PRIu64 " is damaged: %s; no frame can be found after it", offset, damage->text);
    walk->offset = next;
    walk->lost = next;
    walk->counts = false; /* images may be missing */
    walk->salt_count = 0; /* the batch may be another one */
    walk->salts_left_out = 0;
    return next < verify->end;
}

/* The frame is longer than what is left, or says that its header is shorter than every header is. */
static bool out_of_bounds(struct aimg_verify_worker *worker, const struct aimg_verify_header *header)
{
    struct aimg_verify *verify = worker->verify;
    uint64_t file_left = verify->source.end - header->offset;
    struct damage damage = {.rule = header->total > file_left || header->header_bytes < AIMG_FRAME_BYTES ? 12 : 11};
    if (header->header_bytes < AIMG_FRAME_BYTES)
        snprintf(damage.text, sizeof damage.text, "header_units is %u, so that its header would have less than %d bytes",
                 header->frame.header_units, AIMG_FRAME_BYTES);
    else if (damage.rule == 12)
        snprintf(damage.text, sizeof damage.text, "it needs %" PRIu64 " bytes and the file has %" PRIu64 " from there on",
                 header->total, file_left);
    else
        snprintf(damage.text, sizeof damage.text, "it needs %" PRIu64 " bytes, but the last commit ends after %" PRIu64,
                 header->total, verify->end - header->offset);
    if (header->rule == 15 || header->rule == 17)
        aimg_verify_fault(verify, header->rule, aimg_verify_at(header->offset),
                          "the frame's sizes cannot be: header_units %u, stored_bytes %" PRIu64 ", raw_bytes %" PRIu64,
                          header->frame.header_units, header->frame.stored_bytes, header->frame.raw_bytes);
    return skip_damage(worker, &damage, &header->frame);
}

static bool unreadable(struct aimg_verify_worker *worker, uint64_t bytes)
{
    const struct aimg_verify *verify = worker->verify;
    uint64_t left = verify->source.end - verify->walk.offset;
    struct damage damage = {.rule = bytes > left ? 12 : 13};
    if (damage.rule == 12)
        snprintf(damage.text, sizeof damage.text, "its header needs %" PRIu64 " bytes and the file ends after %" PRIu64, bytes,
                 left);
    else
        snprintf(damage.text, sizeof damage.text, "its header cannot be read from the disk");
    return skip_damage(worker, &damage, NULL);
}

/* ------------------------------------------------------------------ reading */

/* Reads and checks what is needed to step over a frame. False when it was damaged: *more_out says whether the walk goes on. */
static bool read_header(struct aimg_verify_worker *worker, struct aimg_verify_header *header, bool *more_out)
{
    struct aimg_verify *verify = worker->verify;
    struct aimg_frame *frame = &header->frame;
    const uint8_t *fixed = aimg_verify_peek(worker, header->offset, AIMG_FRAME_BYTES);
    *more_out = false;
    if (fixed == NULL) {
        *more_out = unreadable(worker, AIMG_FRAME_BYTES);
        return false;
    }
    header->rule = aimg_frame_decode(fixed, frame);
    if (header->rule == 13) {
        struct damage damage = {.rule = 13};
        snprintf(damage.text, sizeof damage.text, "it begins with %02x %02x, a frame with 41 46", fixed[0], fixed[1]);
        *more_out = skip_damage(worker, &damage, NULL);
        return false;
    }
    uint64_t left = verify->end - header->offset;
    header->header_bytes = (size_t)frame->header_units * AIMG_UNIT;
    header->total = aimg_frame_total_bytes(frame);
    if (header->header_bytes < AIMG_FRAME_BYTES || header->total > left) {
        *more_out = out_of_bounds(worker, header);
        return false;
    }
    header->bytes = aimg_verify_peek(worker, header->offset, header->header_bytes);
    if (header->bytes == NULL) {
        *more_out = unreadable(worker, header->header_bytes);
        return false;
    }
    uint64_t check = aimg_frame_checksum(header->bytes, header->header_bytes, verify->source.seed);
    if (check == frame->check)
        return true;
    struct damage damage = {.rule = 13};
    snprintf(damage.text, sizeof damage.text,
             "the check of its header is %016" PRIx64 ", that of the bytes that are there %016" PRIx64, frame->check, check);
    *more_out = skip_damage(worker, &damage, frame);
    return false;
}

/* ------------------------------------------------------------------ state of the walk */

static uint64_t features_of(const struct aimg_frame *frame)
{
    if (frame->type == AIMG_FRAME_IMAGE && frame->coding >= AIMG_CODING_FIRST_LISTED)
        return AIMG_INCOMPAT_ZSTD | AIMG_INCOMPAT_ZSTD_DICT;
    if (frame->type == AIMG_FRAME_IMAGE)
        return frame->coding == AIMG_CODING_STORE ? 0 : AIMG_INCOMPAT_ZSTD;
    if (frame->type == AIMG_FRAME_ALIAS)
        return AIMG_INCOMPAT_ALIAS;
    return frame->type == AIMG_FRAME_MASK ? AIMG_INCOMPAT_MASK : 0;
}

/* Rule 20 is decided when the commit comes: which salts the batch has, and where each was seen first. */
static void note_salt(struct aimg_verify_walk *walk, const struct aimg_verify_header *header)
{
    for (uint32_t i = 0; i < walk->salt_count; i++) {
        if (walk->salts[i].salt == header->frame.salt) {
            walk->salts[i].count++;
            return;
        }
    }
    if (walk->salt_count == AIMG_VERIFY_SALTS) {
        walk->salts_left_out++;
        return;
    }
    walk->salts[walk->salt_count].salt = header->frame.salt;
    walk->salts[walk->salt_count].first = header->offset;
    walk->salts[walk->salt_count].count = 1;
    walk->salt_count++;
}

/* The images of a batch have the ordinals that it adds, one after the other. */
static void check_ordinal(struct aimg_verify *verify, const struct aimg_verify_header *header)
{
    struct aimg_verify_walk *walk = &verify->walk;
    if (walk->counts && header->frame.ordinal != walk->next_ordinal)
        aimg_verify_fault(verify, 45, aimg_verify_header_place(header),
                          "the frame has ordinal %" PRIu32 ", the next to be given was %" PRIu64, header->frame.ordinal,
                          walk->next_ordinal);
    walk->next_ordinal = (uint64_t)header->frame.ordinal + 1;
}

/* ------------------------------------------------------------------ keeping */

static bool keep_spare(struct aimg_verify *verify, const struct aimg_verify_header *header)
{
    struct aimg_verify_spare spare = {.offset = header->offset, .ordinal = header->frame.ordinal, .type = header->frame.type};
    if (aimg_buffer_add(&verify->source.allocator, &verify->spares, &spare, sizeof spare))
        return true;
    aimg_verify_no_memory(verify, sizeof spare);
    return false;
}

static void keep_image(struct aimg_verify *verify, const struct aimg_verify_header *header)
{
    const struct aimg_frame *frame = &header->frame;
    size_t room = header->header_bytes - AIMG_FRAME_BYTES;
    size_t name_bytes = frame->name_bytes < room ? frame->name_bytes : room;
    if (header->offset >= verify->located.end)
        return; /* of a commit that is lost: no index knows it */
    if (frame->ordinal >= verify->record_count) {
        if (verify->index.open)
            aimg_verify_fault(verify, frame->type == AIMG_FRAME_IMAGE ? 45 : 47, aimg_verify_header_place(header),
                              "the %s frame has ordinal %" PRIu32 ", but the archive has only %" PRIu64,
                              aimg_verify_type_name(frame->type), frame->ordinal, verify->record_count);
        return;
    }
    struct aimg_verify_record *record = &verify->records[frame->ordinal];
    if (record->type != 0) {
        (void)keep_spare(verify, header);
        return;
    }
    record->offset = header->offset;
    record->stored_bytes = frame->stored_bytes;
    record->name_hash = aimg_hash_low(header->bytes + AIMG_FRAME_BYTES, name_bytes, verify->located.header.params.name_seed);
    record->type = frame->type;
    record->header_units = frame->header_units;
    record->format = frame->format;
    record->coding = frame->coding;
    record->named = name_bytes > 0;
}

/* The target of an ALIAS; its bytes follow the header. */
static void keep_target(struct aimg_verify_worker *worker, const struct aimg_verify_header *header)
{
    struct aimg_verify *verify = worker->verify;
    if (header->frame.stored_bytes != AIMG_ALIAS_BYTES)
        return;
    const uint8_t *payload = aimg_verify_peek(worker, header->offset + header->header_bytes, AIMG_ALIAS_BYTES);
    if (payload == NULL)
        return; /* reported when the payload is checked */
    if (aimg_load32(payload + 4) != 0)
        aimg_verify_fault(verify, 19, aimg_verify_image(header->offset, header->frame.ordinal),
                          "bytes 4 to 7 of an ALIAS are not zero");
    if (header->frame.ordinal < verify->record_count && verify->records[header->frame.ordinal].offset == header->offset)
        memcpy(verify->records[header->frame.ordinal].hash, payload, 4);
}

static void keep_frame(struct aimg_verify *verify, const struct aimg_verify_header *header)
{
    struct aimg_verify_frame kept = {.offset = header->offset,
                                     .stored_bytes = header->frame.stored_bytes,
                                     .type = header->frame.type,
                                     .format = header->frame.format,
                                     .coding = header->frame.coding};
    if (!aimg_buffer_add(&verify->source.allocator, &verify->frames, &kept, sizeof kept))
        aimg_verify_no_memory(verify, sizeof kept);
}

static void check_payload_padding(struct aimg_verify_worker *worker, const struct aimg_verify_header *header)
{
    uint64_t end = header->offset + header->header_bytes + header->frame.stored_bytes;
    size_t bytes = (size_t)(header->offset + header->total - end);
    const uint8_t *padding = bytes == 0 ? NULL : aimg_verify_peek(worker, end, bytes);
    bool image = header->frame.type == AIMG_FRAME_IMAGE;
    if (padding != NULL && !aimg_all_zero(padding, bytes))
        aimg_verify_fault(worker->verify, 16,
                          image ? aimg_verify_image(header->offset, header->frame.ordinal) : aimg_verify_at(header->offset),
                          "the %zu bytes after the payload, at %" PRIu64 ", are not zero", bytes, end);
}

/* The payload is checked after the turn; what cannot wait is looked at here. */
static void pass_frame(struct aimg_verify_worker *worker, const struct aimg_verify_header *header)
{
    struct aimg_verify *verify = worker->verify;
    unsigned type = header->frame.type;
    bool skipped = verify->quick && type == AIMG_FRAME_IMAGE;
    if (type == AIMG_FRAME_IMAGE || type == AIMG_FRAME_ALIAS)
        keep_image(verify, header);
    else if (type != AIMG_FRAME_PAD && type != AIMG_FRAME_COMMIT)
        keep_frame(verify, header);
    if (type == AIMG_FRAME_ALIAS)
        keep_target(worker, header);
    check_payload_padding(worker, header);
    if (!skipped)
        worker->spans[worker->span_count++] = (struct aimg_verify_span){header->offset, header->total};
    verify->walk.checked_bytes += skipped ? header->header_bytes : header->total;
    if (type == AIMG_FRAME_COMMIT)
        aimg_verify_commit(worker, header->offset);
}

bool aimg_verify_step(struct aimg_verify_worker *worker)
{
    struct aimg_verify *verify = worker->verify;
    struct aimg_verify_header header = {.offset = verify->walk.offset};
    bool more;
    if (!read_header(worker, &header, &more))
        return more;
    aimg_verify_header_rules(verify, &header);
    if (header.frame.type == AIMG_FRAME_IMAGE || header.frame.type == AIMG_FRAME_ALIAS)
        check_ordinal(verify, &header);
    if (header.frame.type != AIMG_FRAME_COMMIT) /* its page says the salt again */
        note_salt(&verify->walk, &header);
    verify->walk.used |= features_of(&header.frame);
    pass_frame(worker, &header);
    verify->walk.offset = header.offset + header.total;
    return true;
}
