/* SPDX-License-Identifier: Apache-2.0 */
#include "recover.h"

#include "checksum.h"
#include "error.h"

#include <inttypes.h>

#define PIECE_BYTES 65536

static enum aimg_status check_payload(struct aimg_io *io, uint64_t offset, const struct aimg_frame *frame,
                                      struct aimg_error *error)
{
    uint8_t piece[PIECE_BYTES];
    struct aimg_hasher hasher;
    uint64_t at = offset + (uint64_t)frame->header_units * AIMG_UNIT;
    uint64_t left = frame->stored_bytes;
    aimg_hasher_begin(&hasher);
    while (left > 0) {
        size_t bytes = left < sizeof piece ? (size_t)left : sizeof piece;
        enum aimg_status status = io->ops->read_at(io, at, piece, bytes, error);
        if (status != AIMG_OK)
            return status;
        aimg_hasher_add(&hasher, piece, bytes);
        at += bytes;
        left -= bytes;
    }
    if (aimg_hasher_end(&hasher).low != frame->stored_hash)
        return aimg_fail_at(error, AIMG_CHECKSUM, 18, offset,
                            "bytes of the last commit were lost when the machine or a disk failed (frame at %" PRIu64
                            "); run verify, then repair",
                            offset);
    return AIMG_OK;
}

enum aimg_status aimg_confirm_commits(struct aimg_io *io, const struct aimg_located *located, struct aimg_error *error)
{
    uint64_t offset = located->hinted_end;
    if (offset == located->end)
        return AIMG_OK;
    enum aimg_status status = io->ops->sync(io, error);
    io->ops->forget(io, offset, located->end - offset);
    while (status == AIMG_OK && offset < located->end) {
        uint8_t header[AIMG_FRAME_BYTES];
        struct aimg_frame frame;
        status = io->ops->read_at(io, offset, header, sizeof header, error);
        if (status == AIMG_OK &&
            (aimg_frame_decode(header, &frame) != 0 || aimg_frame_total_bytes(&frame) > located->end - offset))
            return aimg_fail_at(error, AIMG_CHECKSUM, 13, offset,
                                "a frame of the last commit was lost at %" PRIu64 "; run verify, then repair", offset);
        if (status == AIMG_OK)
            status = check_payload(io, offset, &frame, error);
        if (status == AIMG_OK)
            offset += aimg_frame_total_bytes(&frame);
    }
    return status == AIMG_OK && !located->empty ? aimg_hint_write(io, &located->commit, error) : status;
}

enum aimg_status aimg_hint_write(struct aimg_io *io, const struct aimg_commit_page *commit, struct aimg_error *error)
{
    uint8_t page[AIMG_HINT_BYTES];
    struct aimg_hint hint = {.seq = commit->seq,
                             .commit_offset = commit->self_offset,
                             .end = commit->self_offset + AIMG_PAGE_BYTES,
                             .salt = commit->salt};
    if ((commit->compat & AIMG_COMPAT_NO_HINTS) != 0)
        return AIMG_OK;
    aimg_hint_encode(&hint, aimg_uuid_seed(commit->uuid), page);
    return io->ops->write_at(io, AIMG_HEADER_BYTES + commit->seq % 2 * AIMG_HINT_BYTES, page, sizeof page, NULL, 0, error);
}
