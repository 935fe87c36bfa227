/* SPDX-License-Identifier: Apache-2.0 */
/* Which salt the frames of each batch have: what an image holds cannot know it, for it was chosen after the image was made. A
 * hint tells it of its batch, and the page that it names of those that its chain leads back to. What lies behind, or all where no
 * hint is left, is told by the last page that is found there, and what lies before a page that is damaged, by the one before; an
 * image could be such a page, so it only speaks for frames, never against them. */
#include "repair.h"

/* A batch, and the page that closes it. */
struct batch {
    uint64_t begin, page, ordinal_end;
    uint32_t salt;
    bool sure; /* a hint vouches for it */
};

static enum aimg_status read_page(const struct aimg_repair *repair, uint64_t offset, struct aimg_commit_page *commit,
                                  bool *whole_out, struct aimg_error *error)
{
    uint8_t page[AIMG_PAGE_BYTES];
    *whole_out = false;
    if (offset > repair->file_bytes || repair->file_bytes - offset < sizeof page)
        return AIMG_OK;
    enum aimg_status status = repair->io->ops->read_at(repair->io, offset, page, sizeof page, error);
    *whole_out = status == AIMG_OK && aimg_commit_decode(page, offset, &repair->reader.located.header, commit) == 0;
    return status;
}

static enum aimg_status add_batch(struct aimg_repair *repair, const struct batch *batch, struct aimg_error *error)
{
    if (!aimg_buffer_add(&repair->options.allocator, &repair->salts, batch, sizeof *batch))
        return aimg_fail_memory(error, repair->salts.bytes);
    return AIMG_OK;
}

/* The last page from `begin` on that is before `end`. */
static enum aimg_status find_last(struct aimg_repair *repair, uint64_t begin, uint64_t end, struct aimg_commit_page *commit,
                                  bool *found_out, struct aimg_error *error)
{
    enum aimg_status status = AIMG_OK;
    *found_out = false;
    for (uint64_t at = end / AIMG_PAGE_BYTES * AIMG_PAGE_BYTES; status == AIMG_OK && !*found_out && at > begin;) {
        at -= AIMG_PAGE_BYTES;
        status = read_page(repair, at, commit, found_out, error);
        if (status == AIMG_OK)
            status = aimg_repair_tell(repair, 0, error);
    }
    return status;
}

/* The page before that of a commit, by its chain; where that is damaged the next one before, which nothing vouches for. */
static enum aimg_status step_back(struct aimg_repair *repair, uint64_t stop, struct aimg_commit_page *commit, bool *sure,
                                  bool *found_out, struct aimg_error *error)
{
    struct aimg_commit_page later = *commit;
    enum aimg_status status = read_page(repair, later.prev_offset, commit, found_out, error);
    if (status != AIMG_OK ||
        (*found_out && commit->seq + 1 == later.seq && memcmp(commit->chain, later.prev_chain, AIMG_HASH_BYTES) == 0))
        return status;
    /* Of its batch the place of the page is known, where no frame is any more. */
    if (*sure)
        status = add_batch(repair, &(struct batch){.begin = later.prev_offset, .page = later.prev_offset, .sure = true}, error);
    *sure = false;
    return status == AIMG_OK ? find_last(repair, stop, later.prev_offset, commit, found_out, error) : status;
}

/* The batch of a commit and those before it, as far as they lie behind `stop`. */
static enum aimg_status walk(struct aimg_repair *repair, struct aimg_commit_page commit, uint64_t stop, bool sure,
                             struct aimg_error *error)
{
    bool found = true;
    enum aimg_status status = AIMG_OK;
    while (status == AIMG_OK && found) {
        bool first = commit.seq == 0;
        struct batch batch = {.begin = first ? AIMG_HEAD_BYTES : commit.prev_offset + AIMG_PAGE_BYTES,
                              .page = commit.self_offset,
                              .ordinal_end = commit.ordinal_count,
                              .salt = commit.salt,
                              .sure = sure};
        if (batch.begin < stop || batch.begin > batch.page)
            return AIMG_OK;
        status = add_batch(repair, &batch, error);
        if (first || status != AIMG_OK)
            return status;
        status = step_back(repair, stop, &commit, &sure, &found, error);
    }
    return status;
}

static enum aimg_status read_hints(const struct aimg_repair *repair, struct aimg_hint hints[2], bool valid[2],
                                   struct aimg_error *error)
{
    uint8_t page[AIMG_HINT_BYTES];
    for (unsigned i = 0; i < 2; i++) {
        uint64_t offset = AIMG_HEADER_BYTES + (uint64_t)i * AIMG_HINT_BYTES;
        enum aimg_status status = repair->io->ops->read_at(repair->io, offset, page, sizeof page, error);
        if (status != AIMG_OK)
            return status;
        valid[i] = aimg_hint_decode(page, repair->reader.source.seed, &hints[i]) == 0 && hints[i].seq % 2 == i;
    }
    return AIMG_OK;
}

static enum aimg_status walk_from(struct aimg_repair *repair, const struct aimg_hint *hint, bool *whole_out,
                                  struct aimg_error *error)
{
    struct aimg_commit_page commit;
    enum aimg_status status = read_page(repair, hint->end - AIMG_PAGE_BYTES, &commit, whole_out, error);
    *whole_out = *whole_out && commit.seq == hint->seq && commit.salt == hint->salt;
    return status == AIMG_OK && *whole_out ? walk(repair, commit, AIMG_HEAD_BYTES, true, error) : status;
}

enum aimg_status aimg_repair_list_salts(struct aimg_repair *repair, struct aimg_error *error)
{
    struct aimg_hint hints[2];
    struct aimg_commit_page commit;
    bool valid[2], whole = false, found = false;
    if (repair->salts_listed)
        return AIMG_OK;
    repair->salts_listed = true;
    uint64_t begin = repair->hint_end > repair->scan_begin ? repair->hint_end : repair->scan_begin;
    enum aimg_status status = find_last(repair, begin, repair->file_bytes, &commit, &found, error);
    if (status == AIMG_OK && found)
        status = walk(repair, commit, begin, false, error);
    if (status == AIMG_OK && repair->hint_end > 0)
        status = read_hints(repair, hints, valid, error);
    if (status != AIMG_OK || repair->hint_end == 0)
        return status;
    const struct aimg_hint *newest = &hints[repair->hint_seq % 2], *older = &hints[1 - repair->hint_seq % 2];
    status = walk_from(repair, newest, &whole, error);
    if (status != AIMG_OK || whole)
        return status;
    bool follows = valid[1 - repair->hint_seq % 2] && older->seq + 1 == newest->seq && older->end < newest->end;
    struct batch batch = {.begin = follows ? older->end : AIMG_HEAD_BYTES,
                          .page = newest->end - AIMG_PAGE_BYTES,
                          .ordinal_end = AIMG_ORDINAL_LIMIT,
                          .salt = newest->salt,
                          .sure = follows || newest->seq == 0};
    status = add_batch(repair, &batch, error);
    return status == AIMG_OK && follows ? walk_from(repair, older, &whole, error) : status;
}

bool aimg_repair_salt_at(const struct aimg_repair *repair, uint64_t offset, struct aimg_repair_salt *salt)
{
    const struct batch *batches = (const struct batch *)(const void *)repair->salts.data;
    size_t count = repair->salts.bytes / sizeof *batches, low = 0, high = count;
    while (low < high) { /* the newest stands first */
        size_t middle = low + (high - low) / 2;
        if (batches[middle].begin > offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == count || offset >= batches[low].page + AIMG_PAGE_BYTES)
        return false;
    *salt = (struct aimg_repair_salt){batches[low].page, batches[low].ordinal_end, batches[low].salt, batches[low].sure};
    return true;
}
