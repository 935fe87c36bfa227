/* SPDX-License-Identifier: Apache-2.0 */
#include "locate.h"

#include "error.h"

#include <inttypes.h>

#define WALK_BYTES       16384
#define WALK_SMALL_BYTES 4096

static enum aimg_status header_fault(const uint8_t *head, unsigned rule, struct aimg_error *error)
{
    if (rule == 2)
        return aimg_fail_at(error, AIMG_NOT_ARCHIVE, 2, 0, "is not an aimg archive: its first bytes are those of something else");
    if (rule == 3)
        return aimg_fail_at(error, AIMG_VERSION_UNKNOWN, 3, 8,
                            "is an archive of format version %u.%u; this library knows version %d.%d: use another version of it",
                            aimg_load16(head + 8), aimg_load16(head + 10), AIMG_FORMAT_MAJOR, AIMG_FORMAT_MINOR);
    return aimg_fail_at(error, rule == 5 ? AIMG_CHECKSUM : AIMG_CORRUPT, rule, 0,
                        "the archive's header is damaged (rule %u); copy it again, or repair it", rule);
}

static enum aimg_status too_short(struct aimg_io *io, uint64_t bytes, struct aimg_error *error)
{
    uint8_t magic[AIMG_MAGIC_BYTES];
    size_t known = bytes < sizeof magic ? (size_t)bytes : sizeof magic;
    if (bytes == 0)
        return aimg_fail_at(error, AIMG_NOT_ARCHIVE, 1, 0, "is empty, not an aimg archive");
    enum aimg_status status = io->ops->read_at(io, 0, magic, known, error);
    if (status != AIMG_OK)
        return status;
    if (memcmp(magic, AIMG_MAGIC, known) != 0)
        return header_fault(magic, 2, error);
    return aimg_fail_at(error, AIMG_TRUNCATED, 1, bytes, "is the beginning of an aimg archive, cut short at %" PRIu64 " bytes",
                        bytes);
}

enum aimg_status aimg_commit_read(struct aimg_io *io, const struct aimg_header *header, uint64_t offset,
                                  struct aimg_commit_page *commit, struct aimg_error *error)
{
    uint8_t page[AIMG_PAGE_BYTES];
    enum aimg_status status = io->ops->read_at(io, offset, page, sizeof page, error);
    if (status != AIMG_OK)
        return status;
    unsigned rule = aimg_commit_decode(page, offset, header, commit);
    if (rule != 0)
        return aimg_fail_at(error, rule == 25 ? AIMG_CHECKSUM : AIMG_CORRUPT, rule, offset,
                            "the commit at %" PRIu64 " is damaged (rule %u); run verify, then repair", offset, rule);
    return AIMG_OK;
}

static void take_commit(struct aimg_located *located, const struct aimg_commit_page *commit)
{
    located->commit = *commit;
    located->empty = false;
    located->end = commit->self_offset + AIMG_PAGE_BYTES;
}

/* Buffered reads forward. */
struct walk {
    struct aimg_io *io;
    uint64_t file_bytes;
    uint64_t begin, end; /* what buffer holds */
    bool small;          /* frames are large: read little of each */
    uint8_t buffer[WALK_BYTES];
};

/* Reads a piece at offset. A writer may cut off a tail while it is walked, for no commit is in it: then the file is asked for its
 * size again, and less is read. */
static enum aimg_status walk_fill(struct walk *walk, uint64_t offset, struct aimg_error *error)
{
    for (;;) {
        uint64_t bytes = walk->file_bytes, left = bytes < offset ? 0 : bytes - offset;
        size_t piece = walk->small ? WALK_SMALL_BYTES : WALK_BYTES;
        piece = left < piece ? (size_t)left : piece;
        enum aimg_status status = walk->io->ops->read_at(walk->io, offset, walk->buffer, piece, error);
        if (status == AIMG_OK) {
            walk->begin = offset;
            walk->end = offset + piece;
        }
        if (status != AIMG_TRUNCATED)
            return status;
        enum aimg_status asked = walk->io->ops->size(walk->io, &walk->file_bytes, error);
        if (asked != AIMG_OK || walk->file_bytes >= bytes)
            return asked != AIMG_OK ? asked : status;
    }
}

/* The bytes at offset, at least `bytes` of them or all that the file has; *known_out: how many. */
static enum aimg_status walk_at(struct walk *walk, uint64_t offset, size_t bytes, const uint8_t **bytes_out, size_t *known_out,
                                struct aimg_error *error)
{
    uint64_t left = walk->file_bytes - offset;
    size_t wanted = left < bytes ? (size_t)left : bytes;
    if (offset < walk->begin || offset > walk->end || walk->end - offset < wanted) {
        enum aimg_status status = walk_fill(walk, offset, error);
        if (status != AIMG_OK)
            return status;
    }
    *known_out = (size_t)(walk->end - offset);
    *bytes_out = walk->buffer + (offset - walk->begin);
    return AIMG_OK;
}

/* Whether a whole, valid frame begins at these bytes, with `left` bytes of the file from there on. */
static bool frame_valid(const uint8_t *bytes, size_t known, uint64_t left, uint64_t seed, struct aimg_frame *frame)
{
    if (known < AIMG_FRAME_BYTES || aimg_frame_decode(bytes, frame) != 0)
        return false;
    size_t header_bytes = (size_t)frame->header_units * AIMG_UNIT;
    return known >= header_bytes && aimg_frame_total_bytes(frame) <= left &&
           aimg_frame_checksum(bytes, header_bytes, seed) == frame->check;
}

bool aimg_commit_follows(const struct aimg_located *located, const struct aimg_commit_page *next)
{
    if (located->empty)
        return next->seq == 0 && next->prev_offset == 0 && aimg_all_zero(next->prev_chain, AIMG_HASH_BYTES);
    return next->seq == located->commit.seq + 1 && next->prev_offset == located->commit.self_offset &&
           memcmp(next->prev_chain, located->commit.chain, AIMG_HASH_BYTES) == 0;
}

/* Step 3: frames forward from located->end; each commit that continues the chain becomes the current one. Its own stack frame:
 * opening a clean archive does not pay for the buffer. */
static __attribute__((noinline)) enum aimg_status walk_forward(struct aimg_io *io, struct aimg_located *located,
                                                               struct aimg_error *error)
{
    struct walk walk = {.io = io, .file_bytes = located->file_bytes, .small = false};
    uint64_t seed = aimg_uuid_seed(located->header.uuid);
    uint64_t offset = located->end;
    bool batch_open = false;
    uint32_t salt = 0;
    while (walk.file_bytes >= offset && walk.file_bytes - offset >= AIMG_FRAME_BYTES) {
        struct aimg_frame frame;
        struct aimg_commit_page commit;
        const uint8_t *bytes;
        size_t known;
        enum aimg_status status = walk_at(&walk, offset, AIMG_FRAME_HEADER_MAX, &bytes, &known, error);
        if (status != AIMG_OK)
            return status;
        if (!frame_valid(bytes, known, walk.file_bytes - offset, seed, &frame) || (batch_open && frame.salt != salt))
            break;
        batch_open = true;
        salt = frame.salt;
        if (frame.type == AIMG_FRAME_COMMIT) {
            status = walk_at(&walk, offset, AIMG_PAGE_BYTES, &bytes, &known, error);
            if (status != AIMG_OK)
                return status;
            if (known < AIMG_PAGE_BYTES)
                break;
            if (aimg_commit_decode(bytes, offset, &located->header, &commit) != 0 || commit.salt != salt ||
                !aimg_commit_follows(located, &commit))
                break;
            take_commit(located, &commit);
            batch_open = false;
        }
        walk.small = aimg_frame_total_bytes(&frame) > WALK_SMALL_BYTES;
        offset += aimg_frame_total_bytes(&frame);
    }
    located->file_bytes = walk.file_bytes;
    if (located->file_bytes >= located->end)
        return AIMG_OK;
    return aimg_fail_at(error, AIMG_TRUNCATED, 34, located->file_bytes,
                        "the archive was cut short while it was opened: it ends at %" PRIu64
                        " bytes, its last commit at %" PRIu64,
                        located->file_bytes, located->end);
}

/* The commit that the newest usable hint names. */
static enum aimg_status follow_hint(struct aimg_io *io, const uint8_t *head, bool allow_truncated, struct aimg_located *located,
                                    struct aimg_error *error)
{
    struct aimg_hint hint, best = {.seq = 0, .end = 0};
    struct aimg_commit_page commit;
    for (unsigned i = 0; i < 2; i++) {
        const uint8_t *page = head + AIMG_HEADER_BYTES + (size_t)i * AIMG_HINT_BYTES;
        if (aimg_hint_decode(page, aimg_uuid_seed(located->header.uuid), &hint) != 0 || hint.seq % 2 != i)
            continue;
        if (allow_truncated && hint.end > located->file_bytes) {
            located->stale_hint = true;
            continue;
        }
        if (best.end == 0 || hint.seq > best.seq)
            best = hint;
    }
    if (best.end == 0)
        return AIMG_OK;
    if (best.end > located->file_bytes)
        return aimg_fail_at(error, AIMG_TRUNCATED, 34, located->file_bytes,
                            "the archive is cut short: it ends at %" PRIu64 " bytes, but commit %" PRIu64 " reached to %" PRIu64
                            "; copy it again, or repair it to save what is left",
                            located->file_bytes, best.seq, best.end);
    enum aimg_status status = aimg_commit_read(io, &located->header, best.commit_offset, &commit, error);
    bool other = status == AIMG_OK && (commit.seq != best.seq || commit.salt != best.salt);
    if (allow_truncated && status != AIMG_IO && (status != AIMG_OK || other)) {
        located->hint_refuted = true;
        return AIMG_OK;
    }
    if (status != AIMG_OK)
        return status;
    if (other)
        return aimg_fail_at(error, AIMG_CORRUPT, 9, best.commit_offset,
                            "the commit at %" PRIu64 " (number %" PRIu64 ") is not the one that the hint names (number %" PRIu64
                            "); run verify, then repair",
                            best.commit_offset, commit.seq, best.seq);
    take_commit(located, &commit);
    return AIMG_OK;
}

enum aimg_status aimg_locate(struct aimg_io *io, bool allow_truncated, struct aimg_located *located, struct aimg_error *error)
{
    uint8_t head[AIMG_HEAD_BYTES];
    *located = (struct aimg_located){.empty = true, .end = AIMG_HEAD_BYTES};
    enum aimg_status read = io->ops->read_at(io, 0, head, sizeof head, error);
    if (read != AIMG_OK && read != AIMG_TRUNCATED)
        return read;
    /* The size after the head: a hint is written after its commit, so what it names lies within this size even when a writer is
     * at work. */
    enum aimg_status status = io->ops->size(io, &located->file_bytes, error);
    if (status == AIMG_OK && located->file_bytes < AIMG_HEAD_BYTES)
        return too_short(io, located->file_bytes, error);
    status = status == AIMG_OK ? read : status;
    if (status != AIMG_OK)
        return status;
    unsigned rule = aimg_header_decode(head, &located->header);
    if (rule != 0)
        return header_fault(head, rule, error);
    status = follow_hint(io, head, allow_truncated, located, error);
    if (status != AIMG_OK)
        return status;
    located->hinted_end = located->end;
    return located->end == located->file_bytes ? AIMG_OK : walk_forward(io, located, error);
}

/* Whether the history that `now` ends still has the commit of `before`: OK, TRUNCATED, or IO when that cannot be read. */
static enum aimg_status check_continues(struct aimg_io *io, const struct aimg_located *before, const struct aimg_located *now,
                                        struct aimg_error *error)
{
    struct aimg_commit_page commit;
    enum aimg_status status = AIMG_OK;
    bool same = memcmp(now->header.uuid, before->header.uuid, AIMG_UUID_BYTES) == 0 && now->end >= before->end;
    if (same && !before->empty)
        status = aimg_commit_read(io, &now->header, before->commit.self_offset, &commit, error);
    if (status == AIMG_IO)
        return status;
    if (same && status == AIMG_OK && (before->empty || memcmp(commit.chain, before->commit.chain, AIMG_HASH_BYTES) == 0))
        return AIMG_OK;
    return aimg_fail_at(error, AIMG_TRUNCATED, 34, now->file_bytes,
                        "the archive was rewritten under the reader: commits that were there are gone; open it again");
}

enum aimg_status aimg_locate_newer(struct aimg_io *io, bool allow_truncated, struct aimg_located *located,
                                   struct aimg_error *error)
{
    struct aimg_located now;
    enum aimg_status status = aimg_locate(io, allow_truncated, &now, error);
    if (status == AIMG_OK)
        status = check_continues(io, located, &now, error);
    if (status == AIMG_OK)
        *located = now;
    return status;
}

enum aimg_status aimg_locate_seq(struct aimg_io *io, uint64_t seq, struct aimg_located *located, struct aimg_error *error)
{
    if (located->empty || seq > located->commit.seq)
        return aimg_fail(error, AIMG_NOT_FOUND, "there is no commit %" PRIu64 "; the archive has %" PRIu64, seq,
                         located->empty ? 0 : located->commit.seq + 1);
    while (located->commit.seq > seq) {
        struct aimg_commit_page earlier;
        uint64_t offset = located->commit.prev_offset;
        if (offset < AIMG_HEAD_BYTES || offset >= located->commit.self_offset)
            return aimg_fail_at(error, AIMG_CORRUPT, 28, located->commit.self_offset,
                                "commit %" PRIu64 " names no earlier commit", located->commit.seq);
        enum aimg_status status = aimg_commit_read(io, &located->header, offset, &earlier, error);
        if (status != AIMG_OK)
            return status;
        if (earlier.seq + 1 != located->commit.seq || memcmp(earlier.chain, located->commit.prev_chain, AIMG_HASH_BYTES) != 0)
            return aimg_fail_at(error, AIMG_CORRUPT, 28, offset,
                                "the commit at %" PRIu64 " is not the one before commit %" PRIu64, offset, located->commit.seq);
        take_commit(located, &earlier);
    }
    return AIMG_OK;
}
