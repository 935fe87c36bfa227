/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of a batch into tables of slots, NAMES and CONTENT: some before the commit so that memory stays bounded, merged into
 * one at the commit. */
#include "writer.h"

static enum aimg_status is_removed(void *user, uint32_t ordinal, bool *removed_out, struct aimg_error *error)
{
    const struct aimg_writer *writer = user;
    const struct aimg_catalog *catalog = &writer->base->catalog;
    const struct aimg_mask *mask = NULL;
    *removed_out = aimg_ordinal_set_has(&writer->removed, ordinal);
    if (*removed_out || catalog->head.dead_count == 0 || ordinal >= catalog->head.ordinal_count)
        return AIMG_OK;
    struct aimg_run *run = &catalog->runs[aimg_catalog_run(catalog, ordinal)];
    enum aimg_status status = aimg_run_mask(&writer->base->source, run, &mask, error);
    *removed_out = mask != NULL && mask->dead != NULL && aimg_bitmap_get(mask->dead, ordinal - run->first);
    return status;
}

/* Content of dead images stays: their bytes do, and images that are alive may share them. What no image can be is left out. */
static enum aimg_status is_nobody(void *user, uint32_t ordinal, bool *nobody_out, struct aimg_error *error)
{
    const struct aimg_writer *writer = user;
    (void)error;
    *nobody_out = ordinal >= writer->head.ordinal_count;
    return AIMG_OK;
}

/* ------------------------------------------------------------------ before the commit */

static void forget_spilled(struct aimg_writer *writer, struct aimg_index *index)
{
    for (uint32_t i = 0; i < index->spilled_count; i++)
        aimg_release(&writer->allocator, index->spilled[i].sections);
    aimg_release(&writer->allocator, index->spilled);
    index->spilled = NULL;
    index->spilled_count = 0;
}

void aimg_index_release(struct aimg_writer *writer, struct aimg_index *index)
{
    forget_spilled(writer, index);
    aimg_keys_release(&index->keys);
}

/* A table that was just written, among those that wait for the commit. */
static enum aimg_status keep_spilled(struct aimg_writer *writer, struct aimg_index *index, const struct aimg_part *part,
                                     struct aimg_error *error)
{
    struct aimg_source source = writer->base->source;
    struct aimg_table *tables = aimg_alloc_array(&writer->allocator, index->spilled_count + 1, sizeof *tables);
    struct aimg_section *sections = aimg_alloc_array(&writer->allocator, 1, sizeof *sections);
    enum aimg_status status = tables == NULL || sections == NULL ? aimg_fail_memory(error, sizeof *tables) : AIMG_OK;
    source.end = writer->out.flushed;
    if (status == AIMG_OK)
        status = aimg_table_open(&source, part, sections, &tables[index->spilled_count], error);
    if (status != AIMG_OK) {
        aimg_release(&writer->allocator, tables);
        aimg_release(&writer->allocator, sections);
        return status;
    }
    for (uint32_t i = 0; i < index->spilled_count; i++) {
        tables[i] = index->spilled[i];
        atomic_init(&tables[i].list_verified, true);
    }
    aimg_release(&writer->allocator, index->spilled);
    index->spilled = tables;
    index->spilled_count++;
    return AIMG_OK;
}

/* One table of the waiting keys and of older ones; part_out->count 0: of nothing. */
static enum aimg_status write_table(struct aimg_writer *writer, struct aimg_index *index, struct aimg_table *const *older,
                                    uint32_t count, struct aimg_part *part_out, struct aimg_error *error)
{
    struct aimg_source source = writer->base->source;
    aimg_dead_fn *dead = index == &writer->names ? is_removed : is_nobody;
    enum aimg_status status = aimg_out_flush(&writer->out, error);
    source.end = writer->out.flushed;
    if (index == &writer->content)
        writer->ro_compat |= AIMG_RO_COMPAT_CONTENT;
    if (status == AIMG_OK)
        status = aimg_keys_write(&index->keys, &source, older, count, dead, writer, &writer->out, part_out, error);
    return status;
}

enum aimg_status aimg_writer_spill_keys(struct aimg_writer *writer, struct aimg_index *index, struct aimg_error *error)
{
    struct aimg_table *older[AIMG_NAME_RUN_MAX] = {NULL};
    struct aimg_part part;
    bool full = index->spilled_count == AIMG_NAME_RUN_MAX; /* then those that wait become one, so that any number fits a commit */
    for (uint32_t i = 0; full && i < index->spilled_count; i++)
        older[i] = &index->spilled[i];
    /* Without what the batch has removed: of each name a table has one slot at most, so that a search may end at the first. */
    enum aimg_status status = writer->located.stale_hint ? aimg_writer_renew_hints(writer, error) : AIMG_OK;
    if (status == AIMG_OK)
        status = write_table(writer, index, older, full ? index->spilled_count : 0, &part, error);
    if (status == AIMG_OK)
        status = aimg_out_flush(&writer->out, error);
    if (status == AIMG_OK && full)
        forget_spilled(writer, index);
    if (status == AIMG_OK && part.count > 0)
        status = keep_spilled(writer, index, &part, error);
    if (status == AIMG_OK)
        aimg_keys_clear(&index->keys);
    return status;
}

/* ------------------------------------------------------------------ at the commit */

/* A damaged table of names must not get good checksums, so it stops the commit. One of content is a hint, and is left out: what
 * it knew is stored anew when it comes again. */
static bool left_out(const struct aimg_writer *writer, const struct aimg_index *index, struct aimg_table *table)
{
    if (index != &writer->content)
        return false;
    enum aimg_status status =
        aimg_table_verify(&writer->base->source, table, table->sections[0].offset, table->sections[0].bytes, NULL);
    return status == AIMG_CHECKSUM || status == AIMG_CORRUPT;
}

/* first, tables: those of the archive, the newest last. */
static enum aimg_status publish(struct aimg_writer *writer, struct aimg_index *index, uint32_t first, uint32_t tables,
                                bool everything, struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &writer->base->catalog;
    struct aimg_table *older[AIMG_NAME_RUN_MAX * 2];
    struct aimg_part part;
    uint32_t count = 0;
    uint64_t keys = aimg_keys_count(&index->keys);
    if (keys == 0 && index->spilled_count == 0 && !(everything && tables > 1))
        return AIMG_OK;
    for (; count < index->spilled_count; count++) {
        older[count] = &index->spilled[count];
        keys += older[count]->part.count;
    }
    bool full = everything || tables == AIMG_NAME_RUN_MAX; /* of another writer; then all become one */
    for (uint32_t i = tables; i-- > 0;) {
        struct aimg_table *table = &catalog->tables[first + i];
        if (!full && aimg_merge_level(table->part.count) > aimg_merge_level(keys))
            break;
        aimg_writer_drop_part(writer, &table->part);
        if (left_out(writer, index, table))
            continue;
        older[count++] = table;
        keys += table->part.count;
    }
    enum aimg_status status = write_table(writer, index, older, count, &part, error);
    return status == AIMG_OK && part.count > 0 ? aimg_writer_add_part(writer, &part, error) : status;
}

enum aimg_status aimg_writer_publish_names(struct aimg_writer *writer, bool everything, struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &writer->base->catalog;
    return publish(writer, &writer->names, catalog->names_first, catalog->names_count, everything, error);
}

enum aimg_status aimg_writer_publish_content(struct aimg_writer *writer, bool everything, struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &writer->base->catalog;
    return publish(writer, &writer->content, catalog->content_first, catalog->content_count, everything, error);
}
