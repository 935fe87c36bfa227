/* SPDX-License-Identifier: Apache-2.0 */
/* An archive in memory, for reading. */
#include "io.h"

#include "error.h"

#include <inttypes.h>
#include <string.h>

static enum aimg_status memory_read_at(struct aimg_io *io, uint64_t offset, void *buffer, size_t bytes, struct aimg_error *error)
{
    if (offset > io->base_bytes || bytes > io->base_bytes - offset)
        return aimg_fail_at(error, AIMG_TRUNCATED, 0, offset,
                            "the archive ends at %" PRIu64 ", but %zu bytes were expected at %" PRIu64, io->base_bytes, bytes,
                            offset);
    memcpy(buffer, io->base + offset, bytes);
    return AIMG_OK;
}

static enum aimg_status memory_size(struct aimg_io *io, uint64_t *bytes_out, struct aimg_error *error)
{
    (void)error;
    *bytes_out = io->base_bytes;
    return AIMG_OK;
}

static void memory_hint(struct aimg_io *io, uint64_t offset, uint64_t bytes)
{
    (void)io;
    (void)offset;
    (void)bytes;
}

static void memory_expect_random(struct aimg_io *io, bool random)
{
    (void)io;
    (void)random;
}

static enum aimg_status memory_close(struct aimg_io *io, struct aimg_error *error)
{
    (void)io;
    (void)error;
    return AIMG_OK;
}

static const struct aimg_io_ops memory_ops = {
    .read_at = memory_read_at,
    .size = memory_size,
    .flush_soon = memory_hint,
    .forget = memory_hint,
    .announce = memory_hint,
    .expect_random = memory_expect_random,
    .close = memory_close,
};

void aimg_io_memory_open(struct aimg_io *io, const void *data, uint64_t bytes)
{
    *io = (struct aimg_io){.ops = &memory_ops, .fd = -1, .base = data, .base_bytes = bytes};
}
