/* SPDX-License-Identifier: Apache-2.0 */
#include "out.h"

#include "error.h"

/* The file is written in pieces of this size that begin at a multiple of it: the page cache then takes each as one huge page,
 * which is filled about twice as fast as the same bytes cut at odd places. */
#define BUFFER_BYTES (size_t)(1 << 21)
/* Larger pieces go to the system from where they are. */
#define DIRECT_BYTES (size_t)(1 << 16)
/* Write-back is begun in steps, so that the disk works while the next images are read. */
#define FLUSH_SOON_BYTES (UINT64_C(1) << 23)

enum aimg_status aimg_out_create(struct aimg_out *out, struct aimg_error *error)
{
    out->buffer = out->allocator.alloc(out->allocator.user, BUFFER_BYTES);
    return out->buffer != NULL ? AIMG_OK : aimg_fail_memory(error, BUFFER_BYTES);
}

void aimg_out_destroy(struct aimg_out *out)
{
    aimg_release(&out->allocator, out->buffer);
    out->buffer = NULL;
}

static enum aimg_status flush_with(struct aimg_out *out, const void *data, size_t bytes, struct aimg_error *error)
{
    if (out->used + bytes == 0)
        return AIMG_OK;
    enum aimg_status status = out->io->ops->write_at(out->io, out->flushed, out->buffer, out->used, data, bytes, error);
    if (status != AIMG_OK)
        return status;
    out->flushed += out->used + bytes;
    out->used = 0;
    if (out->flushed - out->announced >= FLUSH_SOON_BYTES) {
        out->io->ops->flush_soon(out->io, out->announced, out->flushed - out->announced);
        out->announced = out->flushed;
    }
    return AIMG_OK;
}

enum aimg_status aimg_out_flush(struct aimg_out *out, struct aimg_error *error)
{
    return flush_with(out, NULL, 0, error);
}

static void append(struct aimg_out *out, const void *data, size_t bytes)
{
    if (bytes > 0)
        memcpy(out->buffer + out->used, data, bytes);
    out->used += bytes;
}

enum aimg_status aimg_out_write(struct aimg_out *out, const void *data, size_t bytes, struct aimg_error *error)
{
    if (bytes >= DIRECT_BYTES)
        return flush_with(out, data, bytes, error);
    size_t room = BUFFER_BYTES - (size_t)(out->flushed % BUFFER_BYTES) - out->used;
    if (bytes < room) {
        append(out, data, bytes);
        return AIMG_OK;
    }
    append(out, data, room);
    enum aimg_status status = aimg_out_flush(out, error);
    if (status == AIMG_OK)
        append(out, (const uint8_t *)data + room, bytes - room);
    return status;
}

enum aimg_status aimg_out_zero(struct aimg_out *out, uint64_t bytes, struct aimg_error *error)
{
    static const uint8_t zeros[AIMG_PAGE_BYTES];
    enum aimg_status status = AIMG_OK;
    while (status == AIMG_OK && bytes > 0) {
        size_t piece = bytes < sizeof zeros ? (size_t)bytes : sizeof zeros;
        status = aimg_out_write(out, zeros, piece, error);
        bytes -= piece;
    }
    return status;
}

enum aimg_status aimg_out_patch(struct aimg_out *out, uint64_t offset, const void *data, size_t bytes, struct aimg_error *error)
{
    const uint8_t *from = data;
    if (offset < out->flushed) {
        size_t written = out->flushed - offset < bytes ? (size_t)(out->flushed - offset) : bytes;
        enum aimg_status status = out->io->ops->write_at(out->io, offset, from, written, NULL, 0, error);
        if (status != AIMG_OK)
            return status;
        offset += written;
        from += written;
        bytes -= written;
    }
    if (bytes > 0)
        memcpy(out->buffer + (offset - out->flushed), from, bytes);
    return AIMG_OK;
}

enum aimg_status aimg_out_frame(struct aimg_out *out, struct aimg_frame *frame, const void *name, const void *payload,
                                uint64_t bytes, struct aimg_error *error)
{
    uint8_t header[AIMG_FRAME_HEADER_MAX];
    size_t header_bytes = aimg_frame_header_bytes(frame->name_bytes, 0);
    frame->header_units = (uint8_t)(header_bytes / AIMG_UNIT);
    frame->salt = out->salt;
    frame->stored_bytes = bytes;
    frame->check = 0;
    aimg_frame_encode(frame, header);
    if (frame->name_bytes > 0)
        memcpy(header + AIMG_FRAME_BYTES, name, frame->name_bytes);
    memset(header + AIMG_FRAME_BYTES + frame->name_bytes, 0, header_bytes - AIMG_FRAME_BYTES - frame->name_bytes);
    frame->check = aimg_hash_low(header, header_bytes, out->seed);
    aimg_store64(header + AIMG_FRAME_CHECK_OFFSET, frame->check);
    enum aimg_status status = aimg_out_write(out, header, header_bytes, error);
    if (status == AIMG_OK)
        status = aimg_out_write(out, payload, (size_t)bytes, error);
    if (status == AIMG_OK)
        status = aimg_out_zero(out, aimg_round_up(bytes, AIMG_UNIT) - bytes, error);
    return status;
}

enum aimg_status aimg_out_plain_frame(struct aimg_out *out, unsigned type, const void *payload, uint64_t bytes,
                                      struct aimg_error *error)
{
    struct aimg_frame frame = {.type = (uint8_t)type, .raw_bytes = bytes, .stored_hash = aimg_hash(payload, (size_t)bytes).low};
    return aimg_out_frame(out, &frame, NULL, payload, bytes, error);
}

enum aimg_status aimg_out_align(struct aimg_out *out, uint64_t lead, uint64_t align, struct aimg_error *error)
{
    static const uint8_t zeros[2 * AIMG_PAGE_BYTES];
    uint64_t target = aimg_out_offset(out) + lead;
    uint64_t gap = aimg_round_up(target, align) - target;
    if (gap == 0)
        return AIMG_OK;
    while (gap < AIMG_FRAME_BYTES)
        gap += align;
    return aimg_out_plain_frame(out, AIMG_FRAME_PAD, zeros, gap - AIMG_FRAME_BYTES, error);
}
