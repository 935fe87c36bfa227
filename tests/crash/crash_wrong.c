/* SPDX-License-Identifier: Apache-2.0 */
#include "crash_wrong.h"

#include "checksum.h"
#include "frame.h"
#include "recover.h"

static const struct aimg_io_ops *right; /* those of the fake disk, which are the same for all */
static struct aimg_io_ops wrong;

static enum aimg_status write_and_hint(struct aimg_io *io, uint64_t offset, const void *first, size_t first_bytes,
                                       const void *second, size_t second_bytes, struct aimg_error *error)
{
    struct aimg_header header;
    struct aimg_commit_page commit;
    uint8_t head[AIMG_HEAD_BYTES];
    enum aimg_status status = right->write_at(io, offset, first, first_bytes, second, second_bytes, error);
    if (status == AIMG_OK && first_bytes == AIMG_PAGE_BYTES && second_bytes == 0 && offset >= AIMG_HEAD_BYTES &&
        right->read_at(io, 0, head, sizeof head, NULL) == AIMG_OK && aimg_header_decode(head, &header) == 0 &&
        aimg_commit_decode(first, offset, &header, &commit) == 0)
        (void)aimg_hint_write(io, &commit, NULL);
    return status;
}

static enum aimg_status sync_again(struct aimg_io *io, struct aimg_error *error)
{
    return right->sync(io, error) == AIMG_OK ? AIMG_OK : right->sync(io, error);
}

static void stand_between(struct aimg_io *io)
{
    right = io->ops;
    wrong = *right;
    io->ops = &wrong;
}

void crash_wrong_hint(struct aimg_io *io)
{
    stand_between(io);
    wrong.write_at = write_and_hint;
}

void crash_wrong_retry(struct aimg_io *io)
{
    stand_between(io);
    wrong.sync = sync_again;
}
