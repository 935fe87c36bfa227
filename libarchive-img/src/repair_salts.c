/* SPDX-License-Identifier: Apache-2.0 */
/* Which salt the frames of each batch have, from the commit that the newest hint names and those that its chain leads back to:
 * what an image holds cannot know it, for it was chosen after the image was made. */
#include "repair.h"

/* A batch, and the page that closes it. */
struct batch {
    uint64_t begin, page;
    uint32_t salt;
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

enum aimg_status aimg_repair_list_salts(struct aimg_repair *repair, struct aimg_error *error)
{
    struct aimg_commit_page commit, earlier;
    bool whole = false;
    if (repair->salts_listed || repair->hint_end == 0)
        return AIMG_OK;
    repair->salts_listed = true;
    enum aimg_status status = read_page(repair, repair->hint_end - AIMG_PAGE_BYTES, &commit, &whole, error);
    whole = whole && commit.seq == repair->hint_seq && commit.salt == repair->hint_salt;
    while (status == AIMG_OK && whole) {
        bool first = commit.seq == 0;
        struct batch batch = {first ? AIMG_HEAD_BYTES : commit.prev_offset + AIMG_PAGE_BYTES, commit.self_offset, commit.salt};
        if (batch.begin < AIMG_HEAD_BYTES || batch.begin > batch.page)
            return AIMG_OK;
        if (!aimg_buffer_add(&repair->options.allocator, &repair->salts, &batch, sizeof batch))
            return aimg_fail_memory(error, repair->salts.bytes);
        if (first)
            return AIMG_OK;
        status = read_page(repair, commit.prev_offset, &earlier, &whole, error);
        whole = whole && earlier.seq + 1 == commit.seq && memcmp(earlier.chain, commit.prev_chain, AIMG_HASH_BYTES) == 0;
        commit = earlier;
    }
    return status;
}

bool aimg_repair_salt_at(const struct aimg_repair *repair, uint64_t offset, uint32_t *salt_out, uint64_t *page_out)
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
    if (low == count || offset > batches[low].page)
        return false;
    *salt_out = batches[low].salt;
    *page_out = batches[low].page;
    return true;
}
