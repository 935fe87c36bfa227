/* SPDX-License-Identifier: Apache-2.0 */
/* Archives with everything, damaged in every place, one at a time, and repaired. */
#include "constants.h"
#include "random.h"
#include "repair_check.h"
#include "sanitized.h"
#include "test.h"

static struct truth truth;
static uint8_t *damaged;
static bool columns_late;    /* the newest ROOT alone defines columns */
static uint64_t lost_values; /* of images that an interrupted writer left, which have no index */

enum way { WAY_ZERO, WAY_RUBBISH, WAYS };

static void wipe(uint64_t offset, uint64_t bytes, enum way way)
{
    uint64_t random = offset + 1;
    if (offset + bytes > truth.file_bytes)
        bytes = truth.file_bytes - offset;
    memcpy(damaged, truth.bytes, truth.file_bytes);
    if (way == WAY_ZERO)
        memset(damaged + offset, 0, (size_t)bytes);
    else
        random_fill(&random, damaged + offset, (size_t)bytes);
}

static struct outcome check(const char *what, uint64_t offset, uint64_t bytes, enum way way, unsigned rules)
{
    char subject[200];
    snprintf(subject, sizeof subject, "%s: %s at %" PRIu64 ", %" PRIu64 " bytes, %s", strrchr(truth.path, '/') + 1, what, offset,
             bytes, way == WAY_ZERO ? "zeros" : "rubbish");
    test_state.subject = subject;
    wipe(offset, bytes, way);
    struct outcome outcome = repair_check(&truth, damaged, truth.file_bytes, rules, subject);
    EXPECT_EQ_UINT(outcome.failures, 0);
    test_state.subject = NULL;
    return outcome;
}

/* Nothing is damaged: nothing is lost. */
static void check_whole(void)
{
    struct outcome outcome = check("nothing", 0, 0, WAY_ZERO, OUTCOME_STRICT);
    lost_values = outcome.result.lost_values;
    EXPECT((lost_values > 0) == (truth.file_bytes > truth.committed_end));
    EXPECT(outcome.missing == 0 && outcome.result.lost_images == 0 && outcome.result.lost_bytes == 0 &&
           outcome.result.lost_names == 0 && outcome.result.lost_meta == 0 && outcome.result.removals == 0);
}

static const struct layout_frame *newest_root(void)
{
    unsigned root = truth.frame_count;
    while (truth.frames[--root].type != AIMG_FRAME_ROOT) {
    }
    return &truth.frames[root];
}

/* What the index and the head say is said by the frames too: no image is lost. */
static void check_index_frames(void)
{
    static const struct {
        const char *what;
        uint64_t offset, bytes;
    } heads[] = {{"header", 0, 4096}, {"hint", 4096, 4096}, {"hint", 8192, 4096}, {"head", 0, 12288}};
    for (unsigned i = 0; i < 4 * WAYS; i++) {
        struct outcome outcome = check(heads[i / WAYS].what, heads[i / WAYS].offset, heads[i / WAYS].bytes, i % WAYS, 0);
        EXPECT(outcome.missing == 0 && outcome.result.lost_images == 0 && outcome.result.lost_values == lost_values &&
               outcome.result.lost_bytes == 0 && outcome.result.removals == 0);
    }
    for (unsigned i = 0; i < truth.frame_count * WAYS; i++) {
        const struct layout_frame *frame = &truth.frames[i / WAYS];
        bool image = frame->type == AIMG_FRAME_IMAGE || frame->type == AIMG_FRAME_DICT || frame->offset >= truth.committed_end;
        struct outcome outcome = check("frame", frame->offset, frame->total_bytes, i % WAYS, 0);
        if (!image)
            EXPECT(outcome.missing == 0 && outcome.result.lost_images == 0 && outcome.result.lost_bytes == 0 &&
                   outcome.result.lost_names == 0);
        if (frame->type == AIMG_FRAME_PAD || frame->type == AIMG_FRAME_COMMIT || frame->type == AIMG_FRAME_NAMES ||
            frame->type == AIMG_FRAME_CONTENT)
            EXPECT(outcome.result.lost_values == lost_values && outcome.result.removals == 0 && outcome.result.lost_meta == 0);
        if (columns_late && frame == newest_root())
            EXPECT(outcome.nameless > 0);
        if (image)
            continue;
        outcome = check("header of a frame", frame->offset, frame->header_bytes, i % WAYS, 0);
        EXPECT(outcome.missing == 0 && outcome.result.lost_images == 0);
    }
}

static bool is_index(const struct layout_frame *frame)
{
    return frame->type > AIMG_FRAME_ALIAS && frame->type != AIMG_FRAME_PAD && frame->type != AIMG_FRAME_NAMES &&
           frame->type != AIMG_FRAME_CONTENT;
}

/* Two frames are lost, or of the second the beginning of its payload. What is not named is in bytes that are told. */
static void check_pair(const struct layout_frame *first, const struct layout_frame *second, bool payload)
{
    char subject[200];
    snprintf(subject, sizeof subject, "%s: without the frame at %" PRIu64 ", nor %s of that at %" PRIu64,
             strrchr(truth.path, '/') + 1, first->offset, payload ? "the payload" : "anything", second->offset);
    test_state.subject = subject;
    wipe(first->offset, first->total_bytes, WAY_ZERO);
    if (payload)
        memset(damaged + second->offset + second->header_bytes, 0xAB, second->stored_bytes > 32 ? 32 : 0);
    else
        memset(damaged + second->offset, 0, (size_t)second->total_bytes);
    struct outcome outcome = repair_check(&truth, damaged, truth.file_bytes, OUTCOME_STRICT, subject);
    EXPECT_EQ_UINT(outcome.failures, 0);
    test_state.subject = NULL;
}

/* A frame of the index and any other one, or the header of an image; each step-th of these pairs, and all with the newest ROOT.
 */
static void check_pairs(unsigned step)
{
    const struct layout_frame *root = newest_root();
    unsigned pair = 0;
    for (unsigned i = 0; i < truth.frame_count; i++) {
        const struct layout_frame *one = &truth.frames[i];
        if (i % (TEST_SLOW ? 10 : 1) == 0)
            check_pair(root, one, true);
        for (unsigned k = 0; is_index(one) && k < truth.frame_count; k++) {
            struct layout_frame other = truth.frames[k];
            if (other.type <= AIMG_FRAME_ALIAS)
                other.total_bytes = other.header_bytes;
            else if (k <= i || !is_index(&other))
                continue;
            if (pair++ % step == 0 || (one == root && !TEST_SLOW))
                check_pair(one, &other, false);
        }
    }
}

/* A header of an image is lost: the index has it. */
static void check_image_headers(void)
{
    for (unsigned i = 0; i < truth.frame_count * WAYS; i++) {
        const struct layout_frame *frame = &truth.frames[i / WAYS];
        if ((frame->type > AIMG_FRAME_ALIAS && frame->type != AIMG_FRAME_DICT) || frame->offset >= truth.committed_end)
            continue;
        struct outcome outcome = check("header of an image", frame->offset, frame->header_bytes, i % WAYS, 0);
        EXPECT(outcome.missing == 0 && outcome.result.lost_images == 0 && outcome.result.lost_names == 0 &&
               outcome.result.lost_values == lost_values);
    }
}

static void check_blocks(uint64_t block, uint64_t step)
{
    for (uint64_t at = 0; at < truth.file_bytes; at += step)
        for (unsigned way = 0; way < WAYS; way++)
            (void)check("block", at, block, way, 0);
}

/* A sector stands in place of another, which is lost, or the two have changed places. Frames there are whole and have right
 * checks: only where they stand tells that they are none of this place. */
static void check_misplaced(uint64_t from, uint64_t to, bool swapped)
{
    enum { SECTOR = 4096 };
    char subject[200];
    snprintf(subject, sizeof subject, "%s: %" PRIu64 " %s %" PRIu64, strrchr(truth.path, '/') + 1, from,
             swapped ? "swapped with" : "in place of", to);
    test_state.subject = subject;
    memcpy(damaged, truth.bytes, truth.file_bytes);
    memcpy(damaged + to, truth.bytes + from, SECTOR);
    if (swapped)
        memcpy(damaged + from, truth.bytes + to, SECTOR);
    struct outcome outcome = repair_check(&truth, damaged, truth.file_bytes, swapped ? OUTCOME_MOVED : OUTCOME_STRICT, subject);
    EXPECT_EQ_UINT(outcome.failures, 0);
    test_state.subject = NULL;
}

/* To the begins of batches, where frames begin, and to each step-th other sector. */
static void check_all_misplaced(unsigned step)
{
    unsigned pair = 0;
    for (uint64_t to = 12288; to + 4096 <= truth.file_bytes; to += 4096) {
        bool begins = to == 12288;
        for (unsigned i = 0; i < truth.frame_count; i++)
            begins = begins || (truth.frames[i].type == AIMG_FRAME_COMMIT && truth.frames[i].offset + 4096 == to);
        for (uint64_t from = 12288; from + 4096 <= truth.file_bytes; from += 4096)
            if (from != to && (pair++ % step == 0 || begins))
                check_misplaced(from, to, pair % 2 == 0);
    }
}

/* Bytes behind the last commit of which nobody knows what they were. */
static void check_tail(void)
{
    enum { TAIL = 1000 };
    uint64_t random = 3;
    uint8_t *longer = malloc(truth.file_bytes + TAIL);
    REQUIRE(longer != NULL);
    memcpy(longer, truth.bytes, truth.file_bytes);
    random_fill(&random, longer + truth.file_bytes, TAIL);
    struct outcome outcome = repair_check(&truth, longer, truth.file_bytes + TAIL, OUTCOME_STRICT, "rubbish behind the end");
    EXPECT(outcome.failures == 0 && outcome.missing == 0 && outcome.result.lost_images == 0 &&
           outcome.result.lost_values == lost_values);
    EXPECT_EQ_UINT(outcome.result.lost_bytes, TAIL);
    free(longer);
}

static void check_cut(uint64_t bytes)
{
    char subject[200];
    snprintf(subject, sizeof subject, "%s: cut at %" PRIu64, strrchr(truth.path, '/') + 1, bytes);
    test_state.subject = subject;
    memcpy(damaged, truth.bytes, (size_t)bytes);
    struct outcome outcome = repair_check(&truth, damaged, (size_t)bytes, OUTCOME_CUT | OUTCOME_MAY_FAIL, subject);
    EXPECT_EQ_UINT(outcome.failures, 0);
    if (outcome.status == AIMG_OK && bytes < truth.committed_end)
        EXPECT(outcome.result.lost_bytes > 0); /* hints tell that there was more */
    test_state.subject = NULL;
}

static void check_cuts(uint64_t step)
{
    for (uint64_t at = 0; at < truth.file_bytes; at += step)
        check_cut(at);
    for (unsigned i = 0; i < truth.frame_count; i++) {
        uint64_t end = truth.frames[i].offset + truth.frames[i].total_bytes;
        check_cut(end - 1);
        if (end < truth.file_bytes) {
            check_cut(end);
            check_cut(end + 1);
        }
    }
}

int main(void)
{
    for (enum truth_kind kind = 0; kind < TRUTH_KINDS; kind++) {
        truth_make(&truth, kind);
        columns_late = kind == TRUTH_LATE || kind == TRUTH_PLAIN;
        damaged = malloc(truth.file_bytes);
        REQUIRE(damaged != NULL);
        check_whole();
        check_tail();
        check_index_frames();
        check_pairs((kind < TRUTH_LATE ? 17 : 1) * (TEST_SLOW ? 10 : 1));
        check_image_headers();
        check_all_misplaced(TEST_SLOW ? 1000 : 13);
        check_blocks(512, TEST_SLOW ? 8192 : 512);
        check_blocks(4096, TEST_SLOW ? 40960 : 4096);
        check_cuts(TEST_SLOW ? 4096 : kind == TRUTH_RICH ? 64 : 512);
        free(damaged);
        truth_destroy(&truth);
    }
    return test_end("repair");
}
