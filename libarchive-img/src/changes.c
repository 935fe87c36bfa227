/* SPDX-License-Identifier: Apache-2.0 */
/* What came and went between two commits: their masks compared. */
#include "reader.h"

#define WORD_ROWS 64

/* The comparison of a reader's commit with an earlier one. */
struct changes {
    const struct aimg_reader *now, *then;
    int (*visit)(void *user, const struct aimg_change *change);
    void *user;
    bool stopped;
};

/* The bitmap of dead rows of a run; NULL when none is dead. */
static enum aimg_status dead_of(const struct aimg_reader *reader, struct aimg_run *run, const uint8_t **dead_out,
                                struct aimg_error *error)
{
    const struct aimg_mask *mask = NULL;
    *dead_out = NULL;
    if (run->mask_table == NULL || run->mask_table->part.dead == 0)
        return AIMG_OK;
    enum aimg_status status = aimg_run_mask(&reader->source, run, &mask, error);
    if (status == AIMG_OK)
        *dead_out = mask->dead;
    return status;
}

static void report(struct changes *changes, uint32_t ordinal, enum aimg_change_kind kind)
{
    struct aimg_change change = {.ordinal = ordinal, .kind = kind};
    changes->stopped = changes->visit(changes->user, &change) != 0;
}

/* Rows that are dead in a run and were alive in the run of the earlier commit that holds them too. */
static enum aimg_status find_removed(struct changes *changes, const struct aimg_run *run, const uint8_t *dead,
                                     struct aimg_run *earlier, struct aimg_error *error)
{
    uint32_t first = run->first > earlier->first ? run->first : earlier->first;
    uint64_t run_end = (uint64_t)run->first + run->count, earlier_end = (uint64_t)earlier->first + earlier->count;
    uint64_t end = run_end < earlier_end ? run_end : earlier_end;
    const uint8_t *dead_then = NULL;
    enum aimg_status status = dead_of(changes->then, earlier, &dead_then, error);
    for (uint64_t ordinal = first; status == AIMG_OK && ordinal < end && !changes->stopped;) {
        uint32_t row = (uint32_t)ordinal - run->first;
        if (row % WORD_ROWS == 0 && aimg_load64(dead + row / 8) == 0) {
            ordinal += WORD_ROWS; /* most words of most masks */
            continue;
        }
        if (aimg_bitmap_get(dead, row) && (dead_then == NULL || !aimg_bitmap_get(dead_then, (uint32_t)ordinal - earlier->first)))
            report(changes, (uint32_t)ordinal, AIMG_CHANGE_REMOVED);
        ordinal++;
    }
    return status;
}

static enum aimg_status find_all_removed(struct changes *changes, struct aimg_error *error)
{
    const struct aimg_catalog *now = &changes->now->catalog, *then = &changes->then->catalog;
    enum aimg_status status = AIMG_OK;
    for (uint32_t i = 0, k = 0; status == AIMG_OK && i < now->run_count && k < then->run_count && !changes->stopped;) {
        struct aimg_run *run = &now->runs[i], *earlier = &then->runs[k];
        const struct aimg_table *mask = run->mask_table, *mask_then = earlier->mask_table;
        bool same = mask != NULL && mask_then != NULL && mask->part.offset == mask_then->part.offset;
        const uint8_t *dead = NULL;
        if (!same)
            status = dead_of(changes->now, run, &dead, error);
        if (status == AIMG_OK && dead != NULL)
            status = find_removed(changes, run, dead, earlier, error);
        uint64_t run_end = (uint64_t)run->first + run->count, earlier_end = (uint64_t)earlier->first + earlier->count;
        i += run_end <= earlier_end;
        k += earlier_end <= run_end;
    }
    return status;
}

static enum aimg_status find_added(struct changes *changes, struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &changes->now->catalog;
    uint64_t ordinal = changes->then->catalog.head.ordinal_count;
    while (ordinal < catalog->head.ordinal_count) {
        struct aimg_run *run = &catalog->runs[aimg_catalog_run(catalog, (uint32_t)ordinal)];
        uint64_t end = (uint64_t)run->first + run->count;
        const uint8_t *dead = NULL;
        enum aimg_status status = dead_of(changes->now, run, &dead, error);
        if (status != AIMG_OK)
            return status;
        for (; ordinal < end && !changes->stopped; ordinal++)
            if (dead == NULL || !aimg_bitmap_get(dead, ordinal - run->first))
                report(changes, (uint32_t)ordinal, AIMG_CHANGE_ADDED);
        if (changes->stopped)
            break;
    }
    return AIMG_OK;
}

enum aimg_status aimg_reader_changes(const struct aimg_reader *reader, uint64_t since_seq,
                                     int (*visit)(void *user, const struct aimg_change *change), void *user,
                                     struct aimg_error *error)
{
    struct changes changes = {.now = reader, .visit = visit, .user = user};
    struct aimg_reader *then = NULL;
    if (reader == NULL || visit == NULL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "aimg_reader_changes needs a reader and a function");
    struct aimg_located located = reader->located;
    enum aimg_status status = aimg_locate_seq(reader->source.io, since_seq, &located, error);
    if (status == AIMG_OK)
        status = aimg_reader_attach(&reader->source, &located, &then, error);
    if (status != AIMG_OK)
        return status;
    changes.then = then;
    if (then->catalog.head.ordinal_count > reader->catalog.head.ordinal_count)
        status = aimg_fail_at(error, AIMG_CORRUPT, 30, located.commit.self_offset,
                              "commit %" PRIu64 " has more images than a later one; run verify", since_seq);
    if (status == AIMG_OK)
        status = find_all_removed(&changes, error);
    if (status == AIMG_OK && !changes.stopped)
        status = find_added(&changes, error);
    aimg_reader_close(then);
    return status;
}
