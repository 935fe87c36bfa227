/* SPDX-License-Identifier: Apache-2.0 */
/* What the index says of each image; which images only the index knows, which are lost, which are dead. */
#include "repair.h"

#include "name.h"

#define ENTRIES_AT_ONCE (AIMG_BLOCK_BYTES / AIMG_ENTRY_BYTES)

/* ------------------------------------------------------------------ one image */

/* Entries are verified by the block, and asked for in order: the last block is kept. */
static enum aimg_status load_entries(struct aimg_repair *repair, struct aimg_run *run, uint32_t row, struct aimg_error *error)
{
    struct aimg_repair_entries *held = &repair->entries;
    const struct aimg_section *section = aimg_table_section(run->table, AIMG_SECTION_ENTRIES, 0);
    uint32_t first = row / ENTRIES_AT_ONCE * ENTRIES_AT_ONCE;
    uint32_t count = run->count - first < ENTRIES_AT_ONCE ? run->count - first : (uint32_t)ENTRIES_AT_ONCE;
    if (held->run == run && held->first == first)
        return held->status;
    held->status = aimg_table_copy(&repair->reader.source, run->table, section->offset + (uint64_t)first * AIMG_ENTRY_BYTES,
                                   count * AIMG_ENTRY_BYTES, held->bytes, error);
    held->run = run;
    held->first = first;
    return held->status;
}

enum aimg_status aimg_repair_entry(struct aimg_repair *repair, uint32_t ordinal, struct aimg_entry_record *entry,
                                   struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &repair->reader.catalog;
    if (ordinal >= catalog->head.ordinal_count)
        return AIMG_NOT_FOUND;
    struct aimg_run *run = &catalog->runs[aimg_catalog_run(catalog, ordinal)];
    uint32_t row = ordinal - run->first;
    if (run->table == &repair->empty)
        return AIMG_NOT_FOUND;
    enum aimg_status status = load_entries(repair, run, row, error);
    if (status != AIMG_OK)
        return status;
    aimg_entry_decode(repair->entries.bytes + (size_t)(row % ENTRIES_AT_ONCE) * AIMG_ENTRY_BYTES, entry);
    return aimg_entry_valid(entry, repair->file_bytes) ? AIMG_OK : AIMG_CORRUPT;
}

/* Names are decoded by the group, and asked for in order: the last group is kept. */
static enum aimg_status load_names(struct aimg_repair *repair, struct aimg_run *run, uint32_t row, struct aimg_error *error)
{
    struct aimg_repair_names *held = &repair->names;
    const struct aimg_section *section = aimg_table_section(run->table, AIMG_SECTION_NAME_TEXT, 0);
    if (held->run == run && row >= held->group.first && row - held->group.first < held->group.count)
        return held->status;
    held->run = run;
    held->group.count = 0; /* when not even its record can be read */
    held->status = aimg_group_read_row(&repair->reader, run->table, section, row, &held->group, &held->raw, error);
    if (held->status == AIMG_OK)
        aimg_group_sum(held->raw.data, &held->group);
    else if (!aimg_repair_bears(held->status))
        held->run = NULL;
    return held->status;
}

enum aimg_status aimg_repair_index_name(struct aimg_repair *repair, uint32_t ordinal, char *name, size_t *bytes_out,
                                        struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &repair->reader.catalog;
    const uint8_t *text;
    uint32_t bytes;
    size_t position;
    if (ordinal >= catalog->head.ordinal_count)
        return AIMG_NOT_FOUND;
    struct aimg_run *run = &catalog->runs[aimg_catalog_run(catalog, ordinal)];
    if (run->table == &repair->empty)
        return AIMG_NOT_FOUND;
    enum aimg_status status = load_names(repair, run, ordinal - run->first, error);
    if (status != AIMG_OK)
        return status;
    aimg_group_summed_value(repair->names.raw.data, &repair->names.group, ordinal - run->first, &text, &bytes);
    if (bytes > AIMG_NAME_MAX || (bytes > 0 && aimg_name_fault(text, bytes, &position) != AIMG_NAME_OK))
        return AIMG_CORRUPT;
    memcpy(name, text, bytes);
    name[bytes] = '\0';
    *bytes_out = bytes;
    return AIMG_OK;
}

size_t aimg_repair_find(const struct aimg_repair *repair, uint32_t ordinal)
{
    size_t count, low = 0;
    const struct aimg_repair_image *images = aimg_repair_images(repair, &count);
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (images[middle].ordinal < ordinal)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && images[low].ordinal == ordinal ? low : SIZE_MAX;
}

/* ------------------------------------------------------------------ images that only the index knows */

static bool is_dead(const struct aimg_repair *repair, uint32_t ordinal)
{
    const struct aimg_catalog *catalog = &repair->reader.catalog;
    if (ordinal >= catalog->head.ordinal_count)
        return false;
    struct aimg_run *run = &catalog->runs[aimg_catalog_run(catalog, ordinal)];
    const struct aimg_mask *mask = run->mask_table == NULL ? NULL : atomic_load_explicit(&run->mask, memory_order_relaxed);
    return mask != NULL && mask->dead != NULL && aimg_bitmap_get(mask->dead, ordinal - run->first);
}

static bool mask_says_attached(const struct aimg_repair *repair, uint32_t ordinal)
{
    const struct aimg_catalog *catalog = &repair->reader.catalog;
    if (ordinal >= catalog->head.ordinal_count)
        return false;
    struct aimg_run *run = &catalog->runs[aimg_catalog_run(catalog, ordinal)];
    const struct aimg_mask *mask = run->mask_table == NULL ? NULL : atomic_load_explicit(&run->mask, memory_order_relaxed);
    return mask != NULL && mask->attached != NULL && aimg_bitmap_get(mask->attached, ordinal - run->first);
}

/* A frame does not tell; but what has no name is one. */
enum aimg_status aimg_repair_attached(struct aimg_repair *repair, const struct aimg_repair_image *image, bool *attached_out,
                                      struct aimg_error *error)
{
    struct aimg_entry_record entry;
    bool unnamed = image->name_hash == 0 && (image->place & AIMG_REPAIR_INDEXED) == 0;
    enum aimg_status status = aimg_repair_entry(repair, image->ordinal, &entry, error);
    if (status == AIMG_OK)
        *attached_out = (entry.flags & AIMG_ENTRY_ATTACHMENT) != 0;
    else
        *attached_out = unnamed || mask_says_attached(repair, image->ordinal);
    return aimg_repair_bears(status) ? AIMG_OK : status;
}

static void lose_images(struct aimg_repair *repair, uint32_t first, uint64_t count, const char *name)
{
    struct aimg_loss loss = {.kind = AIMG_LOSS_IMAGES,
                             .ordinal = first,
                             .count = count,
                             .offset = AIMG_NO_OFFSET,
                             .name = name,
                             .message = "neither a frame nor an entry of the index is left"};
    if (count == 0)
        return;
    if (first < repair->committed_count)
        repair->missing_count += repair->committed_count - first < count ? repair->committed_count - first : count;
    aimg_repair_lose(repair, &loss);
}

static enum aimg_status add_indexed(struct aimg_repair *repair, struct aimg_buffer *filled, uint32_t ordinal,
                                    const struct aimg_entry_record *entry, struct aimg_error *error)
{
    bool alias = (entry->flags & AIMG_ENTRY_ALIASED) != 0;
    struct aimg_repair_image image = {.place = entry->frame_offset | AIMG_REPAIR_INDEXED | (alias ? AIMG_REPAIR_ALIAS : 0),
                                      .ordinal = ordinal,
                                      .number = AIMG_NO_ORDINAL};
    if (!aimg_buffer_add(&repair->options.allocator, filled, &image, sizeof image))
        return aimg_fail_memory(error, filled->bytes);
    return AIMG_OK;
}

/* Ordinals from first to end - 1, of one run, have no frame. Those that are lost without a name are told together. */
static enum aimg_status fill(struct aimg_repair *repair, struct aimg_buffer *filled, const struct aimg_run *run, uint32_t first,
                             uint32_t end, struct aimg_error *error)
{
    uint32_t nameless = 0; /* lost just before */
    enum aimg_status status = AIMG_OK;
    if (run->table == &repair->empty && run->mask_table == NULL) {
        lose_images(repair, first, end - first, NULL);
        return AIMG_OK;
    }
    for (uint32_t ordinal = first; status == AIMG_OK && ordinal < end; ordinal++) {
        struct aimg_entry_record entry;
        char name[AIMG_NAME_MAX + 1];
        size_t bytes = 0;
        enum aimg_status found = aimg_repair_entry(repair, ordinal, &entry, error);
        if (found != AIMG_OK && !aimg_repair_bears(found))
            return found;
        bool lost = found != AIMG_OK && !is_dead(repair, ordinal);
        bool named = lost && aimg_repair_index_name(repair, ordinal, name, &bytes, NULL) == AIMG_OK && bytes > 0;
        if (!lost || named)
            lose_images(repair, ordinal - nameless, nameless, NULL);
        nameless = lost && !named ? nameless + 1 : 0;
        if (named)
            lose_images(repair, ordinal, 1, name);
        status = found == AIMG_OK ? add_indexed(repair, filled, ordinal, &entry, error) : aimg_repair_tell(repair, 0, error);
    }
    lose_images(repair, end - nameless, nameless, NULL);
    return status;
}

/* The same for ordinals of any runs. */
static enum aimg_status fill_range(struct aimg_repair *repair, struct aimg_buffer *filled, uint64_t first, uint64_t end,
                                   struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &repair->reader.catalog;
    enum aimg_status status = AIMG_OK;
    while (status == AIMG_OK && first < end) {
        const struct aimg_run *run = &catalog->runs[aimg_catalog_run(catalog, (uint32_t)first)];
        uint64_t run_end = (uint64_t)run->first + run->count;
        uint64_t stop = run_end < end ? run_end : end;
        status = fill(repair, filled, run, (uint32_t)first, (uint32_t)stop, error);
        first = stop;
    }
    return status;
}

/* The index knows better where an image is than a frame that was found by looking. */
static enum aimg_status check_place(struct aimg_repair *repair, struct aimg_repair_image *image, struct aimg_error *error)
{
    struct aimg_entry_record entry;
    enum aimg_status status = aimg_repair_entry(repair, image->ordinal, &entry, error);
    if (status != AIMG_OK)
        return aimg_repair_bears(status) ? AIMG_OK : status;
    bool alias = (image->place & AIMG_REPAIR_ALIAS) != 0;
    bool aliased = (entry.flags & AIMG_ENTRY_ALIASED) != 0;
    if (alias == aliased && (alias || entry.frame_offset == aimg_repair_offset(image)))
        return AIMG_OK;
    image->place = entry.frame_offset | AIMG_REPAIR_INDEXED | (aliased ? AIMG_REPAIR_ALIAS : 0);
    image->name_hash = 0;
    return AIMG_OK;
}

enum aimg_status aimg_repair_complete(struct aimg_repair *repair, struct aimg_error *error)
{
    const struct aimg_allocator *allocator = &repair->options.allocator;
    struct aimg_buffer filled = {NULL, 0, 0};
    size_t count;
    struct aimg_repair_image *images = aimg_repair_images(repair, &count);
    uint64_t next = 0;
    enum aimg_status status = AIMG_OK;
    for (size_t i = 0; status == AIMG_OK && i < count; i++) {
        status = fill_range(repair, &filled, next, images[i].ordinal, error);
        if (status == AIMG_OK && repair->gaps.bytes > 0)
            status = check_place(repair, &images[i], error);
        if (status == AIMG_OK && !aimg_buffer_add(allocator, &filled, &images[i], sizeof images[i]))
            status = aimg_fail_memory(error, filled.bytes);
        next = (uint64_t)images[i].ordinal + 1;
    }
    if (status == AIMG_OK)
        status = fill_range(repair, &filled, next, repair->reader.catalog.head.ordinal_count, error);
    aimg_buffer_release(allocator, &repair->images);
    repair->images = filled;
    if (status == AIMG_OK)
        status = aimg_repair_judge_gaps(repair, error);
    images = aimg_repair_images(repair, &count);
    for (size_t i = 0; i < count; i++)
        if (is_dead(repair, images[i].ordinal))
            images[i].place |= AIMG_REPAIR_DEAD;
    return status == AIMG_OK ? aimg_repair_use_old_masks(repair, error) : status;
}
