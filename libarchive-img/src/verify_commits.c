/* SPDX-License-Identifier: Apache-2.0 */
/* Hints and commits: rules 9 to 11, 20, 24 to 28, 30, 32 to 34. */
#include "verify.h"

/* ------------------------------------------------------------------ hints */

static uint64_t hint_offset(unsigned page)
{
    return AIMG_HEADER_BYTES + (uint64_t)page * AIMG_HINT_BYTES;
}

static void check_hint(struct aimg_verify *verify, const uint8_t *page, unsigned number)
{
    struct aimg_hint *hint = &verify->hints[number];
    const char *letter = number == 0 ? "A" : "B";
    uint64_t offset = hint_offset(number);
    verify->hint_there[number] = !aimg_all_zero(page, AIMG_HINT_BYTES);
    if (!verify->hint_there[number])
        return;
    if (aimg_hint_decode(page, verify->source.seed, hint) != 0) {
        aimg_verify_fault(verify, 9, aimg_verify_at(offset), "hint %s is neither zero nor valid; readers go without it", letter);
        return;
    }
    if (hint->seq % 2 != number) {
        aimg_verify_fault(verify, 9, aimg_verify_at(offset), "hint %s names commit %" PRIu64 ", which belongs on the other page",
                          letter, hint->seq);
        return;
    }
    verify->has_hint[number] = true;
    if (hint->end <= verify->source.end)
        return;
    aimg_verify_fault(verify, 9, aimg_verify_at(offset),
                      "hint %s says that commit %" PRIu64 " reached to %" PRIu64 ", but the file ends at %" PRIu64, letter,
                      hint->seq, hint->end, verify->source.end);
}

enum aimg_status aimg_verify_hints(struct aimg_verify *verify, const uint8_t *head, enum aimg_status located)
{
    uint64_t claimed = verify->located.end;
    for (unsigned i = 0; i < 2; i++) {
        check_hint(verify, head + hint_offset(i), i);
        if (verify->has_hint[i] && verify->hints[i].end > claimed)
            claimed = verify->hints[i].end;
    }
    if (claimed > verify->source.end)
        aimg_verify_fault(verify, 34, aimg_verify_at(verify->source.end),
                          "the file is cut short: it ends at %" PRIu64 ", but a commit reached to %" PRIu64
                          "; copy it again, or repair it",
                          verify->source.end, claimed);
    /* Where the last commit is not to be found, all bytes may be its. */
    verify->end = located == AIMG_OK ? verify->located.end : verify->source.end;
    verify->report.total_bytes = verify->end;
    if (located == AIMG_OK)
        return AIMG_OK;
    return claimed > verify->source.end ? AIMG_TRUNCATED : AIMG_CORRUPT;
}

static void see_hinted(struct aimg_verify *verify, const struct aimg_commit_page *commit)
{
    for (unsigned i = 0; i < 2; i++) {
        const struct aimg_hint *hint = &verify->hints[i];
        if (verify->has_hint[i] && hint->seq == commit->seq && hint->commit_offset == commit->self_offset &&
            hint->salt == commit->salt)
            verify->walk.hinted[i] = true;
    }
}

/* ------------------------------------------------------------------ one commit */

static void check_salts(struct aimg_verify *verify, const struct aimg_commit_page *commit, uint32_t page_salt)
{
    struct aimg_verify_walk *walk = &verify->walk;
    if (page_salt != commit->salt)
        aimg_verify_fault(verify, 20, aimg_verify_at(commit->self_offset),
                          "the page's frame has salt %08" PRIx32 ", the page says %08" PRIx32, page_salt, commit->salt);
    for (uint32_t i = 0; i < walk->salt_count; i++)
        if (walk->salts[i].salt != commit->salt)
            aimg_verify_fault(verify, 20, aimg_verify_at(walk->salts[i].first),
                              "%" PRIu64 " frames of the batch, from here on, have salt %08" PRIx32
                              ", their commit has %08" PRIx32,
                              walk->salts[i].count, walk->salts[i].salt, commit->salt);
    if (walk->salts_left_out > 0)
        aimg_verify_fault(verify, 20, aimg_verify_at(commit->self_offset),
                          "%" PRIu64 " more frames of the batch have other salts", walk->salts_left_out);
}

/* A commit after one that could not be read is taken at its word. */
static bool follows_lost(const struct aimg_verify_walk *walk, const struct aimg_commit_page *commit)
{
    uint64_t after = walk->has_commit ? walk->commit.self_offset : AIMG_HEAD_BYTES - 1;
    return commit->prev_offset > after && commit->prev_offset < walk->lost;
}

static void check_chain(struct aimg_verify *verify, const struct aimg_commit_page *commit)
{
    const struct aimg_verify_walk *walk = &verify->walk;
    const struct aimg_commit_page *last = &walk->commit;
    struct aimg_verify_place place = aimg_verify_at(commit->self_offset);
    uint64_t seq = walk->has_commit ? last->seq + 1 : 0;
    static const uint8_t no_chain[AIMG_HASH_BYTES];
    if (follows_lost(walk, commit))
        return;
    if (commit->seq != seq)
        aimg_verify_fault(verify, 27, place, "the commit has number %" PRIu64 ", expected %" PRIu64, commit->seq, seq);
    uint64_t offset = walk->has_commit ? last->self_offset : 0;
    if (commit->prev_offset != offset)
        aimg_verify_fault(verify, 28, place, "the commit names %" PRIu64 " as the commit before, which is at %" PRIu64,
                          commit->prev_offset, offset);
    else if (memcmp(commit->prev_chain, walk->has_commit ? last->chain : no_chain, AIMG_HASH_BYTES) != 0)
        aimg_verify_fault(verify, 28, place, "prev_chain is not the chain of the commit before");
}

/* Rules 30, 32 and 33 against the commit before. */
static void check_growth(struct aimg_verify *verify, const struct aimg_commit_page *commit)
{
    const struct aimg_commit_page *last = &verify->walk.commit;
    struct aimg_verify_place place = aimg_verify_at(commit->self_offset);
    if (!verify->walk.has_commit)
        return;
    if (commit->ordinal_count < last->ordinal_count)
        aimg_verify_fault(verify, 30, place, "ordinal_count falls from %" PRIu64 " to %" PRIu64, last->ordinal_count,
                          commit->ordinal_count);
    if ((last->compat & ~commit->compat) != 0 || (last->ro_compat & ~commit->ro_compat) != 0 ||
        (last->incompat & ~commit->incompat) != 0)
        aimg_verify_fault(verify, 32, place, "the commit takes back a feature that the one before declared");
    if (commit->time_ns < last->time_ns)
        aimg_verify_warning(verify, 33, place, "the commit is %" PRIu64 " ns older than the one before",
                            last->time_ns - commit->time_ns);
}

/* Rule 30 against the frames. */
static void check_ordinals(struct aimg_verify *verify, const struct aimg_commit_page *commit)
{
    struct aimg_verify_walk *walk = &verify->walk;
    if (walk->counts && commit->ordinal_count != walk->next_ordinal)
        aimg_verify_fault(verify, 30, aimg_verify_at(commit->self_offset),
                          "the commit counts %" PRIu64 " ordinals, the frames up to it have %" PRIu64, commit->ordinal_count,
                          walk->next_ordinal);
    walk->counts = true;
    walk->next_ordinal = commit->ordinal_count;
}

/* ROOT of the last commit was read when its index was opened. */
static void check_root(struct aimg_verify *verify, const struct aimg_commit_page *commit)
{
    struct aimg_verify_root root;
    if (!verify->located.empty && commit->self_offset == verify->located.commit.self_offset) {
        if (verify->index.open)
            aimg_verify_features(verify, commit, &verify->index.root);
        return;
    }
    if (aimg_verify_root_read(verify, commit, &root))
        aimg_verify_features(verify, commit, &root);
    aimg_verify_root_release(verify, &root);
}

/* Whether ROOT lies in the batch. Only then is it read: commits that all name one ROOT cost no more than their pages. */
static bool check_root_frame(struct aimg_verify *verify, const struct aimg_commit_page *commit)
{
    const struct aimg_verify_walk *walk = &verify->walk;
    const struct aimg_verify_frame *frame = aimg_verify_frame_at(verify, commit->root_offset);
    bool in_batch = !walk->has_commit || commit->root_offset > walk->commit.self_offset;
    bool is_root = frame != NULL && frame->type == AIMG_FRAME_ROOT && frame->stored_bytes == commit->root_bytes;
    if (!in_batch || (!is_root && !aimg_verify_is_damaged(verify, commit->root_offset)))
        aimg_verify_fault(verify, 31, aimg_verify_at(commit->self_offset),
                          "the commit names no ROOT frame of its batch: %" PRIu64 " bytes at %" PRIu64, commit->root_bytes,
                          commit->root_offset);
    return in_batch;
}

void aimg_verify_commit(struct aimg_verify_worker *worker, uint64_t offset)
{
    static const char *const what[] = {[13] = "its frame header is damaged",
                                       [24] = "alignment, magic, number, flags, or bytes that must be zero are wrong",
                                       [25] = "its bytes are not those that were written",
                                       [26] = "it belongs to another archive"};
    struct aimg_verify *verify = worker->verify;
    struct aimg_verify_walk *walk = &verify->walk;
    struct aimg_commit_page commit;
    const uint8_t *page = aimg_verify_peek(worker, offset, AIMG_PAGE_BYTES);
    unsigned rule = page == NULL ? 12 : aimg_commit_decode(page, offset, &verify->located.header, &commit);
    if (rule != 0) {
        const char *text = rule < sizeof what / sizeof what[0] && what[rule] != NULL ? what[rule] : "it is no whole commit page";
        aimg_verify_fault(verify, rule, aimg_verify_at(offset), "the commit page at %" PRIu64 " cannot be used: %s", offset,
                          text);
        walk->lost = offset + AIMG_PAGE_BYTES;
        if (!aimg_buffer_add(&verify->source.allocator, &verify->damaged, &offset, sizeof offset))
            aimg_verify_no_memory(verify, sizeof offset);
    } else {
        check_salts(verify, &commit, aimg_load32(page + 8));
        check_chain(verify, &commit);
        check_growth(verify, &commit);
        check_ordinals(verify, &commit);
        if (check_root_frame(verify, &commit))
            check_root(verify, &commit);
        see_hinted(verify, &commit);
        walk->commit = commit;
        walk->has_commit = true;
        walk->commits++;
    }
    walk->salt_count = 0;
    walk->salts_left_out = 0;
}

/* ------------------------------------------------------------------ after the walk */

static void check_tail(struct aimg_verify *verify)
{
    uint64_t bytes = verify->source.end - verify->end;
    struct aimg_verify_place place = aimg_verify_at(verify->end);
    if (bytes > 0 && verify->being_written)
        aimg_verify_warning(verify, 34, place,
                            "%" PRIu64 " bytes follow the last commit: the archive is being added to, and they were not checked;"
                            " verify it again when the writer is done",
                            bytes);
    else if (bytes > 0)
        aimg_verify_fault(verify, 34, place,
                          "%" PRIu64
                          " bytes follow the last commit: a writer was stopped; readers ignore them, the next writer drops them",
                          bytes);
}

void aimg_verify_ends(struct aimg_verify *verify)
{
    const struct aimg_verify_walk *walk = &verify->walk;
    const struct aimg_located *located = &verify->located;
    bool reached =
        located->empty ? !walk->has_commit : walk->has_commit && walk->commit.self_offset == located->commit.self_offset;
    bool no_hints = !located->empty && (located->commit.compat & AIMG_COMPAT_NO_HINTS) != 0;
    if (!reached && verify->damaged.bytes == 0 && verify->end == located->end)
        aimg_verify_fault(verify, 11, aimg_verify_at(located->end - AIMG_PAGE_BYTES),
                          "the frames from %d on do not lead to the last commit at %" PRIu64, AIMG_HEAD_BYTES,
                          located->end - AIMG_PAGE_BYTES);
    for (unsigned i = 0; i < 2; i++) {
        const struct aimg_hint *hint = &verify->hints[i];
        if (!verify->hint_there[i])
            continue;
        if (no_hints)
            aimg_verify_fault(verify, 10, aimg_verify_at(hint_offset(i)),
                              "the archive declares that it has no hints, but page %s is not zero", i == 0 ? "A" : "B");
        else if (verify->has_hint[i] && !walk->hinted[i] && hint->end <= verify->source.end &&
                 !aimg_verify_is_damaged(verify, hint->commit_offset))
            aimg_verify_fault(verify, 9, aimg_verify_at(hint_offset(i)),
                              "hint %s names commit %" PRIu64 " at %" PRIu64 ", which is not there", i == 0 ? "A" : "B",
                              hint->seq, hint->commit_offset);
    }
    check_tail(verify);
}
