/* SPDX-License-Identifier: Apache-2.0 */
/* Commits of the archive. */
#include "reader.h"

/* What a commit page and its ROOT count. */
struct counts {
    uint64_t ordinals, dead, attachments;
};

static enum aimg_status counts_wrong(const struct aimg_commit_page *page, struct aimg_error *error)
{
    return aimg_fail_at(error, AIMG_CORRUPT, 30, page->self_offset,
                        "commit %" PRIu64 " has fewer images, or fewer removed ones, than the one before, or more than it counts",
                        page->seq);
}

static enum aimg_status count(const struct aimg_reader *reader, const struct aimg_commit_page *page, struct counts *counts,
                              struct aimg_error *error)
{
    struct aimg_root_head head = {.dead_count = 0};
    enum aimg_status status = aimg_catalog_read_head(&reader->source, page, &head, error);
    if (status != AIMG_OK)
        return status;
    *counts = (struct counts){page->ordinal_count, head.dead_count, page->ordinal_count - head.dead_count - page->listed_count};
    return head.dead_count + page->listed_count <= page->ordinal_count ? AIMG_OK : counts_wrong(page, error);
}

static enum aimg_status describe(const struct aimg_commit_page *page, const struct counts *before, const struct counts *after,
                                 struct aimg_commit *out, struct aimg_error *error)
{
    uint64_t attached = after->attachments > before->attachments ? after->attachments - before->attachments : 0;
    uint64_t detached = before->attachments > after->attachments ? before->attachments - after->attachments : 0;
    if (before->ordinals + attached > after->ordinals || before->dead + detached > after->dead)
        return counts_wrong(page, error);
    *out = (struct aimg_commit){.seq = page->seq,
                                .time_ns = page->time_ns,
                                .offset = page->self_offset,
                                .listed_count = page->listed_count,
                                .ordinal_count = page->ordinal_count,
                                .added = after->ordinals - before->ordinals - attached,
                                .removed = after->dead - before->dead - detached,
                                .attached = attached,
                                .detached = detached,
                                .sealed = page->flags & AIMG_COMMIT_SEALED};
    memcpy(out->chain, page->chain, sizeof out->chain);
    memcpy(out->message, page->message, sizeof page->message);
    return AIMG_OK;
}

/* From commit `first` back to the oldest. */
static enum aimg_status walk_back(const struct aimg_reader *reader, uint64_t first,
                                  int (*visit)(void *user, const struct aimg_commit *commit), void *user,
                                  struct aimg_error *error)
{
    struct aimg_located at = reader->located;
    struct aimg_commit commit;
    struct counts after, before;
    enum aimg_status status = aimg_locate_seq(reader->source.io, first, &at, error);
    if (status == AIMG_OK)
        status = count(reader, &at.commit, &after, error);
    for (bool stopped = false; status == AIMG_OK && !stopped; after = before) {
        struct aimg_commit_page page = at.commit;
        before = (struct counts){0, 0, 0};
        if (page.seq > 0)
            status = aimg_locate_seq(reader->source.io, page.seq - 1, &at, error);
        if (status == AIMG_OK && page.seq > 0)
            status = count(reader, &at.commit, &before, error);
        if (status == AIMG_OK)
            status = describe(&page, &before, &after, &commit, error);
        stopped = status != AIMG_OK || visit(user, &commit) != 0 || page.seq == 0;
    }
    return status;
}

enum aimg_status aimg_reader_log(const struct aimg_reader *reader, int (*visit)(void *user, const struct aimg_commit *commit),
                                 void *user, struct aimg_error *error)
{
    if (reader == NULL || visit == NULL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "aimg_reader_log needs a reader and a function");
    return reader->located.empty ? AIMG_OK : walk_back(reader, reader->located.commit.seq, visit, user, error);
}

static int take_one(void *user, const struct aimg_commit *commit)
{
    *(struct aimg_commit *)user = *commit;
    return 1;
}

enum aimg_status aimg_reader_commit(const struct aimg_reader *reader, uint64_t seq, struct aimg_commit *commit_out,
                                    struct aimg_error *error)
{
    if (reader == NULL || commit_out == NULL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "aimg_reader_commit needs a reader and a place for the commit");
    uint64_t commits = reader->located.empty ? 0 : reader->located.commit.seq + 1;
    if (seq >= commits)
        return aimg_fail(error, AIMG_NOT_FOUND, "there is no commit %" PRIu64 "; the archive has %" PRIu64, seq, commits);
    return walk_back(reader, seq, take_one, commit_out, error);
}
