/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes between frames that hold none which can be trusted: those of which nobody can say what they were are told. */
#include "repair.h"

/* Whether something of the last commit's index may have stood in a gap beside its ROOT, which is lost. */
static bool in_index(const struct aimg_repair *repair, const struct aimg_repair_gap *gap)
{
    const struct aimg_commit_page *commit = &repair->reader.located.commit;
    return repair->listed_known && gap->begin >= repair->base_end && gap->begin < commit->root_offset;
}

/* Where the last commit's ROOT stood there is neither its header nor a gap, but frames that the page does not know: it is not
 * ROOT alone that they stand on. */
static bool root_displaced(const struct aimg_repair *repair)
{
    const struct aimg_commit_page *commit = &repair->reader.located.commit;
    const struct aimg_repair_gap *gaps = (const struct aimg_repair_gap *)(const void *)repair->gaps.data;
    size_t count;
    const struct aimg_repair_piece *pieces = aimg_repair_pieces(repair, &count);
    bool explained = !repair->listed_known || repair->base_newest;
    for (size_t i = 0; !explained && i < count; i++)
        explained = pieces[i].offset == commit->root_offset && pieces[i].type == AIMG_FRAME_ROOT &&
                    pieces[i].stored_hash == aimg_load64(commit->root_hash);
    for (size_t i = 0; !explained && i < repair->gaps.bytes / sizeof *gaps; i++)
        explained = gaps[i].begin <= commit->root_offset && commit->root_offset < gaps[i].end;
    return !explained;
}

/* Notes whether the index knows all of a gap: images whose frames have lost their headers follow each other from its begin to its
 * end. *next: the first image that may lie in it. */
static enum aimg_status check_indexed(struct aimg_repair *repair, struct aimg_repair_gap *gap, size_t *next,
                                      struct aimg_error *error)
{
    size_t count;
    const struct aimg_repair_image *images = aimg_repair_images(repair, &count);
    uint64_t at = gap->begin;
    for (; *next < count; ++*next) {
        const struct aimg_repair_image *image = &images[*next];
        struct aimg_entry_record entry;
        if ((image->place & AIMG_REPAIR_ALIAS) != 0 || aimg_repair_offset(image) < gap->begin)
            continue;
        if (aimg_repair_offset(image) >= gap->end)
            break;
        enum aimg_status status = aimg_repair_entry(repair, image->ordinal, &entry, error);
        if (status != AIMG_OK && !aimg_repair_bears(status))
            return status;
        if (status == AIMG_OK && entry.frame_offset == at)
            at = aimg_entry_data_offset(&entry) + aimg_round_up(entry.stored_bytes, AIMG_UNIT);
    }
    gap->indexed = at == gap->end;
    return AIMG_OK;
}

enum aimg_status aimg_repair_judge_gaps(struct aimg_repair *repair, struct aimg_error *error)
{
    struct aimg_repair_gap *gaps = (struct aimg_repair_gap *)(void *)repair->gaps.data;
    size_t next = 0;
    for (size_t i = 0; i < repair->gaps.bytes / sizeof *gaps; i++) {
        enum aimg_status status = check_indexed(repair, &gaps[i], &next, error);
        if (status != AIMG_OK)
            return status;
        if (!gaps[i].indexed && in_index(repair, &gaps[i]))
            repair->changes_lost = true;
    }
    if (root_displaced(repair)) {
        const struct aimg_commit_page *commit = &repair->reader.located.commit;
        bool before = commit->root_offset < commit->self_offset;
        repair->changes_lost = true;
        aimg_repair_lose_bytes(repair, commit->root_offset, before ? commit->self_offset - commit->root_offset : AIMG_FRAME_BYTES,
                               AIMG_REPAIR_CHANGES_LOST);
    }
    for (uint32_t i = 0; repair->changes_lost && i < repair->reader.catalog.run_count; i++)
        repair->runs[i].mask_unsure = true;
    return AIMG_OK;
}

/* What was there is known up to the newest commit: the ordinals tell whether an image is missing. Behind it, and where the index
 * of that commit is lost together with other bytes, nobody can say what a gap held, unless entries do. */
void aimg_repair_tell_gaps(struct aimg_repair *repair)
{
    const struct aimg_repair_gap *gaps = (const struct aimg_repair_gap *)(const void *)repair->gaps.data;
    for (size_t i = 0; i < repair->gaps.bytes / sizeof *gaps; i++) {
        uint64_t unknown = gaps[i].begin > repair->known_end ? gaps[i].begin : repair->known_end;
        if (gaps[i].indexed)
            continue;
        const char *what = unknown < repair->committed_end
                               ? "of a commit that is lost: images, values, metadata, and who was removed, may have stood here"
                               : "nothing tells what these bytes were";
        if (gaps[i].end > unknown)
            aimg_repair_lose_bytes(repair, unknown, gaps[i].end - unknown, what);
        else if (in_index(repair, &gaps[i]))
            aimg_repair_lose_bytes(repair, gaps[i].begin, gaps[i].end - gaps[i].begin, AIMG_REPAIR_CHANGES_LOST);
    }
    if (repair->hint_end > repair->file_bytes)
        aimg_repair_lose_bytes(repair, repair->file_bytes, repair->hint_end - repair->file_bytes,
                               "the end of the file is missing, with all that was committed there: images, values and removals");
}
