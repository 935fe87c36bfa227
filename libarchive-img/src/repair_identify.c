/* SPDX-License-Identifier: Apache-2.0 */
/* Which archive this is: its uuid, which seeds the checks of all frames, and its params. */
#include "repair.h"

#include "checksum.h"

#define CANDIDATES_MAX 16
#define WITNESSED_MAX  4 /* three places can witness, each for one; and that of the header */
#define PIECE_BYTES    (1u << 20)
#define UUID_OFFSET    16
#define HASH_OFFSET    4080

/* A uuid that the file may have, and what speaks for it. */
struct candidate {
    struct aimg_header header;
    uint64_t pages; /* commit pages that say so */
    bool witnessed; /* and something that no image can hold: a hint, or the first frame */
};

/* Reads what there is; the rest is zero. */
static enum aimg_status read_some(struct aimg_io *io, uint64_t file_bytes, uint64_t offset, uint8_t *out, size_t bytes,
                                  struct aimg_error *error)
{
    uint64_t left = file_bytes > offset ? file_bytes - offset : 0;
    size_t there = left < bytes ? (size_t)left : bytes;
    memset(out + there, 0, bytes - there);
    return there == 0 ? AIMG_OK : io->ops->read_at(io, offset, out, there, error);
}

static bool first_frame_checks(const uint8_t *bytes, uint64_t left, uint64_t seed)
{
    struct aimg_frame frame;
    if (left < AIMG_FRAME_BYTES || aimg_frame_decode(bytes, &frame) != 0 || aimg_frame_total_bytes(&frame) > left)
        return false;
    return aimg_frame_checksum(bytes, (size_t)frame.header_units * AIMG_UNIT, seed) == frame.check;
}

/* Images begin behind these places: nobody who made an image could put anything there. */
static enum aimg_status witness(const struct aimg_repair *repair, const uint8_t *head, struct candidate *candidate,
                                struct aimg_error *error)
{
    uint8_t first[AIMG_FRAME_HEADER_MAX];
    struct aimg_hint hint;
    uint64_t seed = aimg_uuid_seed(candidate->header.uuid);
    uint64_t left = repair->file_bytes > AIMG_HEAD_BYTES ? repair->file_bytes - AIMG_HEAD_BYTES : 0;
    enum aimg_status status = read_some(repair->io, repair->file_bytes, AIMG_HEAD_BYTES, first, sizeof first, error);
    candidate->witnessed = status == AIMG_OK && first_frame_checks(first, left, seed);
    for (unsigned i = 0; i < 2; i++)
        candidate->witnessed |= aimg_hint_decode(head + AIMG_HEADER_BYTES + (size_t)i * AIMG_HINT_BYTES, seed, &hint) == 0;
    return status;
}

/* The page of a commit that vouches for itself, whatever the archive is. */
static bool page_header(const uint8_t *page, uint64_t offset, struct aimg_header *header)
{
    struct aimg_commit_page commit;
    if (memcmp(page + AIMG_FRAME_BYTES, AIMG_COMMIT_MAGIC, 8) != 0)
        return false;
    *header = (struct aimg_header){.major = aimg_load16(page + 56), .minor = aimg_load16(page + 58)};
    memcpy(header->uuid, page + 64, AIMG_UUID_BYTES);
    if (aimg_params_decode(page + 192, &header->params) != 0 || aimg_all_zero(header->uuid, AIMG_UUID_BYTES))
        return false;
    header->compat = aimg_load64(page + 168);
    return aimg_commit_decode(page, offset, header, &commit) == 0;
}

/* Pages in images, which anybody can make with any uuid, must not crowd out those of the archive. Who is witnessed has a place;
 * of the others, where there is no room, each loses a page, and who has none his place: who has one of CANDIDATES_MAX + 1 parts
 * of all pages keeps it (Misra and Gries). */
static enum aimg_status count_page(const struct aimg_repair *repair, const uint8_t *head, struct candidate *candidates,
                                   unsigned *count, const struct aimg_header *header, struct aimg_error *error)
{
    struct candidate one = {.header = *header, .pages = 1};
    for (unsigned i = 0; i < *count; i++) {
        if (memcmp(candidates[i].header.uuid, header->uuid, AIMG_UUID_BYTES) != 0)
            continue;
        if (candidates[i].pages++ == 0)
            candidates[i].header = *header; /* of which the uuid alone was known */
        return AIMG_OK;
    }
    enum aimg_status status = witness(repair, head, &one, error);
    if (status == AIMG_OK && one.witnessed && *count < CANDIDATES_MAX + WITNESSED_MAX)
        candidates[(*count)++] = one;
    if (status != AIMG_OK || one.witnessed)
        return status;
    for (unsigned i = 0; *count >= CANDIDATES_MAX && i < *count; i++)
        if (!candidates[i].witnessed && candidates[i].pages > 0 && --candidates[i].pages == 0)
            candidates[i--] = candidates[--*count];
    if (*count < CANDIDATES_MAX)
        candidates[(*count)++] = one;
    return AIMG_OK;
}

static enum aimg_status count_pages(const struct aimg_repair *repair, const uint8_t *head, struct candidate *candidates,
                                    unsigned *count, struct aimg_error *error)
{
    const struct aimg_allocator *allocator = &repair->options.allocator;
    uint8_t *piece = aimg_alloc_array(allocator, PIECE_BYTES, 1);
    if (piece == NULL)
        return aimg_fail_memory(error, PIECE_BYTES);
    enum aimg_status status = AIMG_OK;
    for (uint64_t at = AIMG_HEAD_BYTES; status == AIMG_OK && at < repair->file_bytes; at += PIECE_BYTES) {
        status = read_some(repair->io, repair->file_bytes, at, piece, PIECE_BYTES, error);
        for (size_t i = 0; status == AIMG_OK && i < PIECE_BYTES; i += AIMG_PAGE_BYTES) {
            struct aimg_header header;
            if (page_header(piece + i, at + i, &header))
                status = count_page(repair, head, candidates, count, &header, error);
        }
        if (status == AIMG_OK)
            status = aimg_repair_pulse(repair, error);
    }
    aimg_release(allocator, piece);
    return status;
}

/* A header of another version may look otherwise, and is no damage. */
static enum aimg_status check_version(const uint8_t *head, uint16_t major, uint16_t minor, struct aimg_error *error)
{
    bool whole = aimg_hash_equals(head + HASH_OFFSET, aimg_hash(head, HASH_OFFSET));
    if (memcmp(head, AIMG_MAGIC, AIMG_MAGIC_BYTES) == 0 && whole) {
        major = aimg_load16(head + 8);
        minor = aimg_load16(head + 10);
    }
    if (major == AIMG_FORMAT_MAJOR && minor == AIMG_FORMAT_MINOR)
        return AIMG_OK;
    return aimg_fail_at(error, AIMG_VERSION_UNKNOWN, 3, 8,
                        "is an archive of format version %u.%u; this library knows version %d.%d: use another version of it",
                        major, minor, AIMG_FORMAT_MAJOR, AIMG_FORMAT_MINOR);
}

static enum aimg_status choose(const struct aimg_repair *repair, const uint8_t *head, struct candidate *candidates,
                               unsigned count, const struct candidate **best_out, struct aimg_error *error)
{
    const struct candidate *best = NULL;
    for (unsigned i = 0; i < count; i++) {
        struct candidate *one = &candidates[i];
        enum aimg_status status = witness(repair, head, one, error);
        if (status != AIMG_OK)
            return status;
        if (!one->witnessed && one->pages == 0)
            continue;
        if (best == NULL || one->witnessed > best->witnessed || (one->witnessed == best->witnessed && one->pages > best->pages))
            best = one;
    }
    if (best == NULL && memcmp(head, AIMG_MAGIC, AIMG_MAGIC_BYTES) != 0)
        return aimg_fail_at(error, AIMG_NOT_ARCHIVE, 2, 0,
                            "is not an aimg archive, or nothing is left of one: no header and no commit vouches for it");
    if (best == NULL)
        return aimg_fail_at(
            error, AIMG_CORRUPT, 5, 0,
            "there is nothing to save: the header is damaged, and no commit is whole that tells which archive this is");
    *best_out = best;
    return AIMG_OK;
}

static void take_hints(struct aimg_repair *repair, const uint8_t *head)
{
    struct aimg_hint hint;
    for (unsigned i = 0; i < 2; i++) {
        const uint8_t *page = head + AIMG_HEADER_BYTES + (size_t)i * AIMG_HINT_BYTES;
        if (aimg_hint_decode(page, repair->reader.source.seed, &hint) != 0 || hint.seq % 2 != i)
            continue;
        if (repair->hint_end == 0 || hint.seq > repair->hint_seq) {
            repair->hint_seq = hint.seq;
            repair->hint_end = hint.end;
        }
    }
}

enum aimg_status aimg_repair_identify(struct aimg_repair *repair, struct aimg_error *error)
{
    uint8_t head[AIMG_HEAD_BYTES];
    struct candidate candidates[CANDIDATES_MAX + WITNESSED_MAX];
    const struct candidate *best = candidates;
    unsigned count = 0;
    memset(candidates, 0, sizeof candidates);
    enum aimg_status status = read_some(repair->io, repair->file_bytes, 0, head, sizeof head, error);
    if (status != AIMG_OK)
        return status;
    if (aimg_header_decode(head, &candidates[0].header) != 0) {
        status = check_version(head, AIMG_FORMAT_MAJOR, AIMG_FORMAT_MINOR, error);
        /* The uuid may be whole although the header is not. */
        candidates[0].header = (struct aimg_header){.major = AIMG_FORMAT_MAJOR, .minor = AIMG_FORMAT_MINOR};
        candidates[0].header.params.alignment_log2 = AIMG_ALIGNMENT_LOG2_MIN;
        memcpy(candidates[0].header.uuid, head + UUID_OFFSET, AIMG_UUID_BYTES);
        count = !aimg_all_zero(head + UUID_OFFSET, AIMG_UUID_BYTES);
        if (status == AIMG_OK)
            status = count_pages(repair, head, candidates, &count, error);
        if (status == AIMG_OK)
            status = choose(repair, head, candidates, count, &best, error);
        if (status == AIMG_OK)
            status = check_version(head, best->header.major, best->header.minor, error);
        if (status != AIMG_OK)
            return status;
    }
    repair->reader.located.header = best->header;
    repair->reader.source.seed = aimg_uuid_seed(best->header.uuid);
    take_hints(repair, head);
    return AIMG_OK;
}
