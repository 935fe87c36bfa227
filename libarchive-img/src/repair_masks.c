/* SPDX-License-Identifier: Apache-2.0 */
/* Which images are dead. Where the mask of a run is lost, those of earlier commits serve, for whichever runs they were: who was
 * dead then is dead. */
#include "repair.h"

/* A MASK has three kinds of sections. */
#define SECTIONS_MAX 3

/* No ROOT tells what a mask counts that came after it: it counts itself. */
static void count_bits(const struct aimg_source *source, struct aimg_table *table)
{
    struct aimg_mask mask = {.owned = NULL};
    bool read = aimg_mask_read(source, table, &mask, NULL) == AIMG_OK;
    for (uint32_t row = 0; read && (mask.dead != NULL || mask.attached != NULL) && row < table->part.count; row++) {
        bool dead = mask.dead != NULL && aimg_bitmap_get(mask.dead, row);
        table->part.dead += dead;
        table->part.attached += !dead && mask.attached != NULL && aimg_bitmap_get(mask.attached, row);
    }
    aimg_release(&source->allocator, mask.owned);
}

static enum aimg_status load_mask(struct aimg_repair *repair, struct aimg_run *run, struct aimg_error *error)
{
    const struct aimg_mask *mask = NULL;
    if (run->mask_table->part.offset >= repair->base_end)
        count_bits(&repair->reader.source, run->mask_table);
    enum aimg_status status = aimg_run_mask(&repair->reader.source, run, &mask, error);
    if (aimg_repair_bears(status)) {
        struct aimg_repair_run *more = &repair->runs[run - repair->reader.catalog.runs];
        more->mask_unsure = true;
        more->counted = run->mask_table->part.offset < repair->base_end; /* by ROOT */
        more->dead = run->mask_table->part.dead;
        more->attached = run->mask_table->part.attached;
        run->mask_table = NULL;
        return AIMG_OK;
    }
    return status;
}

enum aimg_status aimg_repair_load_masks(struct aimg_repair *repair, struct aimg_error *error)
{
    struct aimg_catalog *catalog = &repair->reader.catalog;
    enum aimg_status status = AIMG_OK;
    for (uint32_t i = 0; status == AIMG_OK && i < catalog->run_count; i++)
        if (catalog->runs[i].mask_table != NULL)
            status = load_mask(repair, &catalog->runs[i], error);
    return status;
}

/* The dead rows of a mask, whatever run it was for. */
static enum aimg_status apply(struct aimg_repair *repair, const struct aimg_part *part, struct aimg_error *error)
{
    const struct aimg_source *source = &repair->reader.source;
    struct aimg_section sections[SECTIONS_MAX];
    struct aimg_table table;
    struct aimg_mask mask = {.owned = NULL};
    size_t count;
    struct aimg_repair_image *images = aimg_repair_images(repair, &count);
    enum aimg_status status = aimg_table_open(source, part, sections, &table, error);
    if (status == AIMG_OK)
        status = aimg_mask_read(source, &table, &mask, error); /* no ROOT says how many rows it should count */
    for (uint32_t row = 0; status == AIMG_OK && mask.dead != NULL && row < part->count; row++) {
        size_t found = aimg_bitmap_get(mask.dead, row) ? aimg_repair_find(repair, part->first + row) : SIZE_MAX;
        if (found != SIZE_MAX)
            images[found].place |= AIMG_REPAIR_DEAD;
    }
    aimg_release(&source->allocator, mask.owned);
    return aimg_repair_bears(status) ? AIMG_OK : status;
}

enum aimg_status aimg_repair_use_old_masks(struct aimg_repair *repair, struct aimg_error *error)
{
    size_t count;
    const struct aimg_repair_piece *pieces = aimg_repair_pieces(repair, &count);
    enum aimg_status status = AIMG_OK;
    bool unsure = false;
    for (uint32_t i = 0; i < repair->reader.catalog.run_count; i++)
        unsure = unsure || repair->runs[i].mask_unsure;
    for (size_t i = 0; unsure && status == AIMG_OK && i < count; i++) {
        struct aimg_part part;
        bool whole = false;
        if (pieces[i].type != AIMG_FRAME_MASK || pieces[i].offset >= repair->committed_end)
            continue;
        status = aimg_repair_part(repair, &pieces[i], &part, &whole, error);
        if (status == AIMG_OK && whole && part.section_count <= SECTIONS_MAX)
            status = apply(repair, &part, error);
    }
    return status;
}
