/* SPDX-License-Identifier: Apache-2.0 */
/* Payloads: rules 18, 23, 49, 52, and the hash of the original bytes that rule 70 compares. Any thread, beside the walk. */
#include "verify_read.h"

#include "checksum.h"

#include <stdio.h>

/* Images up to this are decoded in one piece, which is faster. */
#define WHOLE_RAW_BYTES (UINT64_C(1) << 22)
/* Enough to recognise nearly every format; the rest is looked at when this was not enough. */
#define PROBE_BYTES 512

/* A frame whose payload is being checked. */
struct subject {
    struct aimg_verify_worker *worker;
    struct aimg_frame frame;
    struct aimg_verify_place place;
    struct aimg_verify_record *record; /* NULL unless an IMAGE that the walk kept */
    uint8_t name[AIMG_NAME_MAX];       /* copied when the header does not stay */
};

/* ------------------------------------------------------------------ what is found */

static void bad_payload(struct subject *subject)
{
    if (subject->record != NULL)
        subject->record->payload = AIMG_VERIFY_PAYLOAD_BAD;
}

static void good_payload(struct subject *subject, struct aimg_hash hash)
{
    if (subject->record == NULL)
        return;
    subject->record->payload = AIMG_VERIFY_PAYLOAD_GOOD;
    aimg_hash_store(subject->record->hash, hash);
}

static bool stored_hash_right(struct subject *subject, struct aimg_hash hash)
{
    const struct aimg_frame *frame = &subject->frame;
    if (hash.low == frame->stored_hash)
        return true;
    bad_payload(subject);
    aimg_verify_fault(subject->worker->verify, 18, subject->place,
                      "the %" PRIu64 " bytes of the %s at %" PRIu64 " are not those that were written: their hash is %016" PRIx64
                      ", not %016" PRIx64,
                      frame->stored_bytes, aimg_verify_type_name(frame->type), subject->place.offset, hash.low,
                      frame->stored_hash);
    return false;
}

/* Rule 52. Formats of later versions cannot be judged. */
static void check_format(struct subject *subject, const uint8_t *first, size_t bytes, const uint8_t *all, size_t all_bytes)
{
    struct aimg_picture picture;
    unsigned format = subject->frame.format;
    (void)aimg_picture_probe(first, bytes, &picture);
    if (picture.format != format && all_bytes > bytes)
        (void)aimg_picture_probe(all, all_bytes, &picture);
    if (picture.format == format || format == AIMG_FORMAT_UNKNOWN || format > AIMG_FORMAT_HDR)
        return;
    aimg_verify_warning(subject->worker->verify, 52, subject->place,
                        "the image is said to be %s, but its first bytes are those of %s", aimg_format_name(format),
                        picture.format == AIMG_FORMAT_UNKNOWN ? "no known format" : aimg_format_name(picture.format));
}

static void coding_fault(struct subject *subject, const char *what)
{
    bad_payload(subject);
    aimg_verify_fault(subject->worker->verify, 49, subject->place, "%s", what);
}

static uint64_t decoding_limit(const struct aimg_verify *verify, uint64_t stored_bytes)
{
    const struct aimg_limits *limits = &verify->source.limits;
    uint64_t by_ratio = stored_bytes > UINT64_MAX / limits->ratio ? UINT64_MAX : stored_bytes * limits->ratio;
    uint64_t limit = by_ratio > AIMG_RATIO_EXEMPT_BYTES ? by_ratio : AIMG_RATIO_EXEMPT_BYTES;
    return limit < limits->image_bytes ? limit : limits->image_bytes;
}

/* Whether the image can be decoded here; its dictionary. */
static bool can_decode(const struct subject *subject, void **dictionary_out)
{
    const struct aimg_verify *verify = subject->worker->verify;
    *dictionary_out = NULL;
    if (subject->frame.coding < AIMG_CODING_FIRST_LISTED)
        return true;
    return verify->index.open && aimg_verify_coding(verify, subject->frame.coding, dictionary_out) != NULL &&
           *dictionary_out != NULL;
}

static void conclude_decoding(struct subject *subject)
{
    struct aimg_verify_decoded decoded;
    aimg_verify_decoder_end(subject->worker->decoder, &decoded);
    if (decoded.fault != NULL) {
        char what[160];
        snprintf(what, sizeof what, "the zstd data at %" PRIu64 " is damaged: %s", subject->place.offset, decoded.fault);
        coding_fault(subject, what);
        return;
    }
    if (decoded.too_large) {
        aimg_verify_warning(subject->worker->verify, 70, subject->place,
                            "the image is not compared with its hash: decoded it would have %" PRIu64
                            " bytes, more than the limits allow",
                            subject->frame.raw_bytes);
        return;
    }
    good_payload(subject, decoded.hash);
    check_format(subject, decoded.first, decoded.first_bytes, NULL, 0);
}

/* ------------------------------------------------------------------ in memory */

static void decode_pieces(struct subject *subject, void *dictionary, const uint8_t *stored, size_t bytes)
{
    struct aimg_verify_worker *worker = subject->worker;
    struct aimg_verify *verify = worker->verify;
    if (!aimg_verify_decoder_begin(&verify->source.allocator, worker->decoder, dictionary, subject->frame.raw_bytes,
                                   decoding_limit(verify, bytes))) {
        aimg_verify_no_memory(verify, subject->frame.raw_bytes);
        return;
    }
    aimg_verify_decoder_add(worker->decoder, stored, bytes);
    conclude_decoding(subject);
}

static void decode_whole(struct subject *subject, const uint8_t *stored, size_t bytes)
{
    struct aimg_verify_worker *worker = subject->worker;
    struct aimg_verify *verify = worker->verify;
    uint64_t raw_bytes = subject->frame.raw_bytes;
    struct aimg_error error;
    void *dictionary;
    if (!can_decode(subject, &dictionary))
        return;
    if (raw_bytes > WHOLE_RAW_BYTES || raw_bytes > decoding_limit(verify, bytes)) {
        decode_pieces(subject, dictionary, stored, bytes);
        return;
    }
    worker->raw.bytes = 0;
    if (!aimg_buffer_reserve(&verify->source.allocator, &worker->raw, raw_bytes + 1)) {
        aimg_verify_no_memory(verify, raw_bytes);
        return;
    }
    if (aimg_codec_decode(&verify->codecs, dictionary, stored, bytes, worker->raw.data, (size_t)raw_bytes, subject->place.offset,
                          &error) != AIMG_OK) {
        if (error.status == AIMG_CORRUPT)
            coding_fault(subject, error.message);
        else
            aimg_verify_stop(verify, &error);
        return;
    }
    good_payload(subject, aimg_hash(worker->raw.data, (size_t)raw_bytes));
    check_format(subject, worker->raw.data, (size_t)(raw_bytes < PROBE_BYTES ? raw_bytes : PROBE_BYTES), worker->raw.data,
                 (size_t)raw_bytes);
}

/* The span's bytes are in memory. */
static void check_whole(struct subject *subject, const uint8_t *bytes)
{
    const struct aimg_frame *frame = &subject->frame;
    const uint8_t *payload = bytes + (size_t)frame->header_units * AIMG_UNIT;
    size_t stored = (size_t)frame->stored_bytes;
    struct aimg_hash hash = aimg_hash(payload, stored);
    if (!stored_hash_right(subject, hash))
        return;
    if (frame->type == AIMG_FRAME_PAD && !aimg_all_zero(payload, stored))
        aimg_verify_fault(subject->worker->verify, 23, subject->place, "the PAD at %" PRIu64 " holds bytes that are not zero",
                          subject->place.offset);
    if (frame->type != AIMG_FRAME_IMAGE)
        return;
    if (frame->coding != AIMG_CODING_STORE) {
        decode_whole(subject, payload, stored);
        return;
    }
    good_payload(subject, hash);
    check_format(subject, payload, stored < PROBE_BYTES ? stored : PROBE_BYTES, payload, stored);
}

/* ------------------------------------------------------------------ in pieces */

struct pieces {
    struct aimg_hasher hasher;
    bool zero, decodes;
};

static void add_piece(struct subject *subject, struct pieces *pieces, const uint8_t *piece, size_t bytes, bool first)
{
    const struct aimg_frame *frame = &subject->frame;
    aimg_hasher_add(&pieces->hasher, piece, bytes);
    pieces->zero = pieces->zero && (frame->type != AIMG_FRAME_PAD || aimg_all_zero(piece, bytes));
    if (pieces->decodes)
        aimg_verify_decoder_add(subject->worker->decoder, piece, bytes);
    else if (first && frame->type == AIMG_FRAME_IMAGE && frame->coding == AIMG_CODING_STORE)
        check_format(subject, piece, bytes, NULL, 0);
}

static bool begin_pieces(struct subject *subject, struct pieces *pieces)
{
    struct aimg_verify *verify = subject->worker->verify;
    const struct aimg_frame *frame = &subject->frame;
    void *dictionary;
    aimg_hasher_begin(&pieces->hasher);
    pieces->zero = true;
    pieces->decodes = frame->type == AIMG_FRAME_IMAGE && frame->coding != AIMG_CODING_STORE && can_decode(subject, &dictionary);
    if (!pieces->decodes || aimg_verify_decoder_begin(&verify->source.allocator, subject->worker->decoder, dictionary,
                                                      frame->raw_bytes, decoding_limit(verify, frame->stored_bytes)))
        return true;
    aimg_verify_no_memory(verify, frame->raw_bytes);
    return false;
}

static void unreadable(struct subject *subject, const struct aimg_error *error)
{
    bad_payload(subject);
    aimg_verify_fault(subject->worker->verify, 18, subject->place, "the payload of the %s at %" PRIu64 " cannot be read: %s",
                      aimg_verify_type_name(subject->frame.type), subject->place.offset, error->message);
}

static void check_pieces(struct subject *subject)
{
    struct aimg_verify_worker *worker = subject->worker;
    struct aimg_verify *verify = worker->verify;
    const struct aimg_frame *frame = &subject->frame;
    struct pieces pieces;
    uint64_t begin = subject->place.offset + (uint64_t)frame->header_units * AIMG_UNIT;
    if (!begin_pieces(subject, &pieces))
        return;
    for (uint64_t at = 0; at < frame->stored_bytes && !aimg_verify_stopped(verify);) {
        struct aimg_error error;
        uint64_t left = frame->stored_bytes - at;
        size_t bytes = left < AIMG_VERIFY_BUFFER_BYTES ? (size_t)left : AIMG_VERIFY_BUFFER_BYTES;
        if (verify->io.ops->read_at(&verify->io, begin + at, worker->buffer, bytes, &error) != AIMG_OK) {
            unreadable(subject, &error);
            return;
        }
        add_piece(subject, &pieces, worker->buffer, bytes, at == 0);
        at += bytes;
    }
    struct aimg_hash hash = aimg_hasher_end(&pieces.hasher);
    if (!stored_hash_right(subject, hash))
        return;
    if (!pieces.zero)
        aimg_verify_fault(verify, 23, subject->place, "the PAD at %" PRIu64 " holds bytes that are not zero",
                          subject->place.offset);
    if (pieces.decodes)
        conclude_decoding(subject);
    else if (frame->type == AIMG_FRAME_IMAGE && frame->coding == AIMG_CODING_STORE)
        good_payload(subject, hash);
}

/* ------------------------------------------------------------------ spans */

/* Brings the spans into the buffer as far as they fit. What cannot be read is read once more, frame by frame, so that it is known
 * which frame it is. */
static void load(struct aimg_verify_worker *worker)
{
    struct aimg_verify *verify = worker->verify;
    uint64_t begin = worker->spans[0].offset;
    const struct aimg_verify_span *last = &worker->spans[worker->span_count - 1];
    uint64_t end = last->offset + last->bytes;
    bool ahead = begin >= worker->begin && begin < worker->end;
    if (!ahead)
        worker->begin = worker->end = begin;
    if (end - worker->begin > AIMG_VERIFY_BUFFER_BYTES)
        end = last->offset; /* a large frame: in pieces */
    if (end <= worker->end || end - worker->begin > AIMG_VERIFY_BUFFER_BYTES || (verify->quick && !ahead))
        return;
    size_t missing = (size_t)(end - worker->end);
    if (verify->io.ops->read_at(&verify->io, worker->end, worker->buffer + (worker->end - worker->begin), missing, NULL) ==
        AIMG_OK)
        worker->end = end;
}

/* Whether the file still has at bytes the frame that the walk saw. */
static bool take_frame(struct subject *subject, const struct aimg_verify_span *span, const uint8_t *bytes, size_t known)
{
    struct aimg_verify *verify = subject->worker->verify;
    struct aimg_frame *frame = &subject->frame;
    subject->place = aimg_verify_at(span->offset);
    subject->record = NULL;
    if (bytes == NULL || aimg_frame_decode(bytes, frame) == 13 || aimg_frame_total_bytes(frame) != span->bytes ||
        (size_t)frame->header_units * AIMG_UNIT < AIMG_FRAME_BYTES || (size_t)frame->header_units * AIMG_UNIT > known) {
        aimg_verify_fault(verify, 13, subject->place, "the frame at %" PRIu64 " changed while it was checked", span->offset);
        return false;
    }
    if (frame->type != AIMG_FRAME_IMAGE && frame->type != AIMG_FRAME_ALIAS)
        return true;
    size_t room = (size_t)frame->header_units * AIMG_UNIT - AIMG_FRAME_BYTES;
    subject->place.ordinal = frame->ordinal;
    subject->place.name = bytes + AIMG_FRAME_BYTES;
    subject->place.name_bytes = frame->name_bytes < room ? frame->name_bytes : room;
    if (frame->type == AIMG_FRAME_IMAGE && frame->ordinal < verify->record_count &&
        verify->records[frame->ordinal].offset == span->offset)
        subject->record = &verify->records[frame->ordinal];
    return true;
}

static void check_span(struct aimg_verify_worker *worker, const struct aimg_verify_span *span)
{
    struct subject subject;
    subject.worker = worker;
    if (span->offset >= worker->begin && span->offset + span->bytes <= worker->end) {
        const uint8_t *bytes = worker->buffer + (span->offset - worker->begin);
        if (take_frame(&subject, span, bytes, (size_t)span->bytes))
            check_whole(&subject, bytes);
        return;
    }
    size_t known = span->bytes < AIMG_FRAME_HEADER_MAX ? (size_t)span->bytes : AIMG_FRAME_HEADER_MAX;
    if (!take_frame(&subject, span, aimg_verify_peek(worker, span->offset, known), known))
        return;
    if (subject.place.name != NULL) {
        size_t bytes = subject.place.name_bytes < sizeof subject.name ? subject.place.name_bytes : sizeof subject.name;
        memcpy(subject.name, subject.place.name, bytes);
        subject.place.name = subject.name;
        subject.place.name_bytes = bytes;
    }
    check_pieces(&subject);
    worker->begin = worker->end = 0; /* the buffer was used for the pieces */
}

void aimg_verify_payloads(struct aimg_verify_worker *worker)
{
    if (worker->span_count == 0)
        return;
    load(worker);
    for (uint32_t i = 0; i < worker->span_count && !aimg_verify_stopped(worker->verify); i++)
        check_span(worker, &worker->spans[i]);
}
