/* SPDX-License-Identifier: Apache-2.0 */
/* Which images are dead. Where the mask of a run is lost, one of an earlier commit serves: who was dead then is dead. */
#include "repair.h"

#include "checksum.h"

/* A MASK has three kinds of sections. */
#define SECTIONS_MAX 3

struct aimg_repair_old_mask {
    struct aimg_table table;
    struct aimg_section sections[SECTIONS_MAX];
};

static enum aimg_status load_mask(struct aimg_repair *repair, struct aimg_run *run, struct aimg_error *error)
{
    const struct aimg_mask *mask = NULL;
    enum aimg_status status = aimg_run_mask(&repair->reader.source, run, &mask, error);
    if (aimg_repair_bears(status)) {
        struct aimg_repair_run *more = &repair->runs[run - repair->reader.catalog.runs];
        more->mask_unsure = true;
        more->dead_counted = run->mask_table->part.offset < repair->base_root; /* which counts them */
        more->dead = run->mask_table->part.dead;
        run->mask_table = NULL;
        return AIMG_OK;
    }
    return status;
}

static enum aimg_status use_old(struct aimg_repair *repair, struct aimg_run *run, const struct aimg_part *part,
                                struct aimg_error *error)
{
    const struct aimg_allocator *allocator = &repair->options.allocator;
    struct aimg_repair_run *more = &repair->runs[run - repair->reader.catalog.runs];
    const struct aimg_mask *mask = NULL;
    struct aimg_repair_old_mask *old = aimg_alloc_array(allocator, 1, sizeof *old);
    if (old == NULL)
        return aimg_fail_memory(error, sizeof *old);
    enum aimg_status status = aimg_table_open(&repair->reader.source, part, old->sections, &old->table, error);
    if (status == AIMG_OK) {
        run->mask_table = &old->table;
        status = aimg_run_mask(&repair->reader.source, run, &mask, error);
    }
    if (status == AIMG_OK) {
        more->old = old;
        return AIMG_OK;
    }
    run->mask_table = NULL;
    aimg_release(allocator, old);
    return aimg_repair_bears(status) ? AIMG_OK : status;
}

/* From the newest to the oldest, so the first that fits a run is the best for it. */
static enum aimg_status find_old(struct aimg_repair *repair, struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &repair->reader.catalog;
    size_t count;
    const struct aimg_repair_piece *pieces = aimg_repair_pieces(repair, &count);
    enum aimg_status status = AIMG_OK;
    for (size_t i = count; status == AIMG_OK && i-- > 0;) {
        struct aimg_part part;
        bool whole = false;
        if (pieces[i].type != AIMG_FRAME_MASK || pieces[i].offset >= repair->committed_end)
            continue;
        status = aimg_repair_part(repair, &pieces[i], &part, &whole, error);
        if (status != AIMG_OK || !whole || part.section_count > SECTIONS_MAX || part.first >= catalog->head.ordinal_count)
            continue;
        struct aimg_run *run = &catalog->runs[aimg_catalog_run(catalog, part.first)];
        bool wanted = repair->runs[run - catalog->runs].mask_unsure && run->mask_table == NULL;
        if (wanted && run->first == part.first && run->count == part.count)
            status = use_old(repair, run, &part, error);
    }
    return status;
}

enum aimg_status aimg_repair_load_masks(struct aimg_repair *repair, struct aimg_error *error)
{
    struct aimg_catalog *catalog = &repair->reader.catalog;
    enum aimg_status status = AIMG_OK;
    bool unsure = false;
    for (uint32_t i = 0; status == AIMG_OK && i < catalog->run_count; i++) {
        if (catalog->runs[i].mask_table != NULL)
            status = load_mask(repair, &catalog->runs[i], error);
        unsure = unsure || repair->runs[i].mask_unsure;
    }
    return status == AIMG_OK && unsure ? find_old(repair, error) : status;
}

void aimg_repair_release_masks(struct aimg_repair *repair)
{
    for (uint32_t i = 0; repair->runs != NULL && i < repair->reader.catalog.run_count; i++)
        aimg_release(&repair->options.allocator, repair->runs[i].old);
}
