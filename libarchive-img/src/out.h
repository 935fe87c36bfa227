/* SPDX-License-Identifier: Apache-2.0 */
/* The growing end of the file: bytes appended through a buffer, frames begun and closed. */
#ifndef AIMG_SRC_OUT_H
#define AIMG_SRC_OUT_H

#include "checksum.h"
#include "frame.h"
#include "io.h"
#include "memory.h"

struct aimg_out {
    struct aimg_io *io;
    struct aimg_allocator allocator;
    uint8_t *buffer;
    size_t used;
    uint64_t flushed;   /* offset of buffer[0] in the file */
    uint64_t announced; /* written back, or on its way */
    uint64_t seed;      /* of Hs */
    uint32_t salt;
};

enum aimg_status aimg_out_create(struct aimg_out *out, struct aimg_error *error);
void aimg_out_destroy(struct aimg_out *out);

static inline uint64_t aimg_out_offset(const struct aimg_out *out)
{
    return out->flushed + out->used;
}

enum aimg_status aimg_out_write(struct aimg_out *out, const void *data, size_t bytes, struct aimg_error *error);
enum aimg_status aimg_out_zero(struct aimg_out *out, uint64_t bytes, struct aimg_error *error);
/* Overwrites bytes that were appended since the last commit. */
enum aimg_status aimg_out_patch(struct aimg_out *out, uint64_t offset, const void *data, size_t bytes, struct aimg_error *error);
enum aimg_status aimg_out_flush(struct aimg_out *out, struct aimg_error *error);

/* Appends PAD frames' worth of bytes so that offset + lead is a multiple of align (a power of two above
 * 8); nothing when it is. */
enum aimg_status aimg_out_align(struct aimg_out *out, uint64_t lead, uint64_t align, struct aimg_error *error);
/* Appends a whole frame; fills header_units, salt, stored_bytes; stored_hash must be set. name: frame->name_bytes of it. */
enum aimg_status aimg_out_frame(struct aimg_out *out, struct aimg_frame *frame, const void *name, const void *payload,
                                uint64_t bytes, struct aimg_error *error);
/* The same for a frame without name whose payload is small and hashed here. */
enum aimg_status aimg_out_plain_frame(struct aimg_out *out, unsigned type, const void *payload, uint64_t bytes,
                                      struct aimg_error *error);

#endif
