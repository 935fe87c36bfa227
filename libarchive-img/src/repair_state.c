/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the archive, as a catalog of what is left of its tables: those of the ROOT that holds, and those that came after
 * it, which say themselves what they are. A run that is lost stays as one without sections, so that the ordinals are covered. */
#include "repair.h"

#include "checksum.h"

#include <stdlib.h>

/* ------------------------------------------------------------------ tables without ROOT */

enum aimg_status aimg_repair_part(const struct aimg_repair *repair, const struct aimg_repair_piece *piece, struct aimg_part *part,
                                  bool *whole_out, struct aimg_error *error)
{
    const struct aimg_source *source = &repair->reader.source;
    uint8_t bytes[AIMG_TABLE_FOOTER_BYTES];
    struct aimg_table_footer footer;
    struct aimg_hash hash;
    uint64_t end = piece->offset + AIMG_FRAME_BYTES + piece->bytes;
    *whole_out = false;
    if (piece->bytes < sizeof bytes)
        return AIMG_OK;
    enum aimg_status status = aimg_source_copy(source, end - sizeof bytes, sizeof bytes, bytes, error);
    if (status != AIMG_OK || aimg_table_footer_decode(bytes, &footer) != 0 || footer.type != piece->type)
        return status;
    *part = (struct aimg_part){.type = piece->type,
                               .section_count = footer.section_count,
                               .column = footer.column,
                               .first = footer.first,
                               .count = footer.count,
                               .offset = piece->offset,
                               .bytes = piece->bytes};
    uint64_t tail_bytes = aimg_table_tail_bytes(footer.section_count);
    if (tail_bytes > piece->bytes || (uint64_t)footer.first + footer.count > AIMG_ORDINAL_LIMIT)
        return AIMG_OK;
    status = aimg_repair_hash_bytes(repair, piece->offset + AIMG_FRAME_BYTES, piece->bytes, &hash, error);
    if (status != AIMG_OK || hash.low != piece->stored_hash)
        return status;
    uint8_t *tail = aimg_alloc_array(&source->allocator, tail_bytes, 1);
    if (tail == NULL)
        return aimg_fail_memory(error, tail_bytes);
    status = aimg_source_copy(source, end - tail_bytes, (size_t)tail_bytes, tail, error);
    if (status == AIMG_OK)
        aimg_hash_store(part->tail_hash, aimg_hash(tail, (size_t)tail_bytes));
    aimg_release(&source->allocator, tail);
    *whole_out = status == AIMG_OK;
    return status;
}

/* Whether a table that stands behind ROOT belongs to the state: what was committed does; of what was not, the rows of new images.
 */
static bool belongs(const struct aimg_repair *repair, const struct aimg_part *part)
{
    if (part->offset < repair->committed_end)
        return true;
    return part->type == AIMG_FRAME_RUN && part->first >= repair->committed_count;
}

static enum aimg_status take_later(struct aimg_repair *repair, struct aimg_buffer *parts, struct aimg_error *error)
{
    size_t count, taken = 0;
    const struct aimg_repair_piece *pieces = aimg_repair_pieces(repair, &count);
    for (size_t i = 0; i < count && taken < AIMG_PART_MAX; i++) {
        unsigned type = pieces[i].type;
        struct aimg_part part;
        bool whole = false;
        if (pieces[i].offset < repair->base_end ||
            (type != AIMG_FRAME_RUN && type != AIMG_FRAME_COLUMN && type != AIMG_FRAME_MASK && type != AIMG_FRAME_VALUES))
            continue;
        enum aimg_status status = pieces[i].displaced ? AIMG_OK : aimg_repair_part(repair, &pieces[i], &part, &whole, error);
        if (status != AIMG_OK)
            return status;
        if (!whole && pieces[i].offset < repair->committed_end) {
            repair->changes_lost = true;
            aimg_repair_lose_bytes(repair, pieces[i].offset, pieces[i].bytes, AIMG_REPAIR_CHANGES_LOST);
        }
        if (!whole || !belongs(repair, &part))
            continue;
        taken++;
        if (!aimg_buffer_add(&repair->options.allocator, parts, &part, sizeof part))
            return aimg_fail_memory(error, parts->bytes);
    }
    return AIMG_OK;
}

/* ------------------------------------------------------------------ opening */

static int compare_parts(const void *a, const void *b)
{
    return aimg_part_compare(a, b);
}

static bool is_wanted(unsigned type)
{
    return type == AIMG_FRAME_RUN || type == AIMG_FRAME_COLUMN || type == AIMG_FRAME_MASK || type == AIMG_FRAME_VALUES;
}

static enum aimg_status open_tables(struct aimg_repair *repair, const struct aimg_part *parts, size_t count,
                                    struct aimg_error *error)
{
    struct aimg_catalog *catalog = &repair->reader.catalog;
    const struct aimg_source *source = &repair->reader.source;
    uint64_t sections = 0;
    for (size_t i = 0; i < count; i++)
        sections += is_wanted(parts[i].type) ? parts[i].section_count : 0;
    if (sections * sizeof *catalog->sections > source->limits.index_bytes)
        return aimg_fail(error, AIMG_LIMIT, "the tables have %" PRIu64 " sections, more than the limit allows", sections);
    catalog->tables = aimg_alloc_array(&source->allocator, count, sizeof *catalog->tables);
    catalog->sections = aimg_alloc_array(&source->allocator, sections, sizeof *catalog->sections);
    if (catalog->tables == NULL || catalog->sections == NULL)
        return aimg_fail_memory(error, count * sizeof *catalog->tables + sections * sizeof *catalog->sections);
    struct aimg_section *next = catalog->sections;
    for (size_t i = 0; i < count; i++) {
        struct aimg_table *table = &catalog->tables[catalog->table_count];
        if (!is_wanted(parts[i].type) || (i > 0 && aimg_part_compare(&parts[i], &parts[i - 1]) == 0))
            continue;
        enum aimg_status status = aimg_table_open(source, &parts[i], next, table, error);
        if (status == AIMG_OK) {
            next += table->section_count;
            catalog->table_count++;
            continue;
        }
        struct aimg_repair_lost lost = {.part = parts[i]};
        if (!aimg_repair_bears(status))
            return status;
        if (!aimg_buffer_add(&source->allocator, &repair->lost, &lost, sizeof lost))
            return aimg_fail_memory(error, sizeof lost);
    }
    return AIMG_OK;
}

/* ------------------------------------------------------------------ runs */

/* An interval of ordinals that a table covers, or did. */
struct interval {
    uint64_t offset; /* of the table */
    uint32_t first, count;
    struct aimg_table *table; /* NULL: lost */
};

static int compare_age(const void *a, const void *b)
{
    const struct interval *x = a, *y = b;
    return x->offset < y->offset ? 1 : x->offset > y->offset ? -1 : 0;
}

static enum aimg_status list_intervals(const struct aimg_repair *repair, struct interval **list_out, size_t *count_out,
                                       struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &repair->reader.catalog;
    const struct aimg_repair_lost *lost = (const struct aimg_repair_lost *)(const void *)repair->lost.data;
    size_t lost_count = repair->lost.bytes / sizeof *lost, count = 0;
    struct interval *list = aimg_alloc_array(&repair->options.allocator, catalog->table_count + lost_count, sizeof *list);
    if (list == NULL)
        return aimg_fail_memory(error, (catalog->table_count + lost_count) * sizeof *list);
    for (uint32_t i = 0; i < catalog->table_count; i++) {
        const struct aimg_part *part = &catalog->tables[i].part;
        if (part->type == AIMG_FRAME_RUN)
            list[count++] = (struct interval){part->offset, part->first, part->count, &catalog->tables[i]};
    }
    for (size_t i = 0; i < lost_count; i++)
        if (lost[i].part.type == AIMG_FRAME_RUN)
            list[count++] = (struct interval){lost[i].part.offset, lost[i].part.first, lost[i].part.count, NULL};
    qsort(list, count, sizeof *list, compare_age);
    *list_out = list;
    *count_out = count;
    return AIMG_OK;
}

/* A newer run has swallowed the older ones that it overlaps. Leaves those that count, in order of ordinal. */
static size_t choose_intervals(struct interval *list, size_t count)
{
    size_t chosen = 0;
    for (size_t i = 0; i < count && chosen < AIMG_RUN_MAX; i++) {
        struct interval one = list[i];
        size_t low = 0, high = chosen;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (list[middle].first < one.first)
                low = middle + 1;
            else
                high = middle;
        }
        bool before = low > 0 && (uint64_t)list[low - 1].first + list[low - 1].count > one.first;
        bool after = low < chosen && (uint64_t)one.first + one.count > list[low].first;
        if (before || after || (uint64_t)one.first + one.count > AIMG_ORDINAL_LIMIT)
            continue;
        memmove(&list[low + 1], &list[low], (chosen - low) * sizeof *list);
        list[low] = one;
        chosen++;
    }
    return chosen;
}

static void add_run(struct aimg_repair *repair, uint32_t first, uint32_t count, struct aimg_table *table)
{
    struct aimg_catalog *catalog = &repair->reader.catalog;
    struct aimg_run *run = &catalog->runs[catalog->run_count];
    run->first = catalog->run_firsts[catalog->run_count] = first;
    run->count = run->listed = count;
    run->table = table != NULL ? table : &repair->empty;
    if (table != NULL)
        run->entries_offset = table->payload + aimg_table_section(table, AIMG_SECTION_ENTRIES, 0)->offset;
    else
        repair->runs[catalog->run_count].values_lost = 1; /* but those in tables that came later */
    catalog->run_count++;
}

static uint64_t ordinals_known(const struct aimg_repair *repair, const struct interval *list, size_t count)
{
    size_t images;
    const struct aimg_repair_image *image = aimg_repair_images(repair, &images);
    uint64_t known = repair->committed_count < AIMG_ORDINAL_LIMIT ? repair->committed_count : AIMG_ORDINAL_LIMIT;
    if (images > 0 && (uint64_t)image[images - 1].ordinal + 1 > known)
        known = (uint64_t)image[images - 1].ordinal + 1;
    if (count > 0 && (uint64_t)list[count - 1].first + list[count - 1].count > known)
        known = (uint64_t)list[count - 1].first + list[count - 1].count;
    return known;
}

static enum aimg_status build_runs(struct aimg_repair *repair, struct aimg_error *error)
{
    struct aimg_catalog *catalog = &repair->reader.catalog;
    const struct aimg_allocator *allocator = &repair->options.allocator;
    struct interval *list = NULL;
    size_t count = 0;
    uint64_t next = 0;
    enum aimg_status status = list_intervals(repair, &list, &count, error);
    if (status != AIMG_OK)
        return status;
    count = choose_intervals(list, count);
    uint64_t known = ordinals_known(repair, list, count);
    catalog->head.ordinal_count = known;
    catalog->runs = aimg_alloc_array(allocator, 2 * count + 1, sizeof *catalog->runs);
    catalog->run_firsts = aimg_alloc_array(allocator, 2 * count + 1, sizeof *catalog->run_firsts);
    repair->runs = aimg_alloc_array(allocator, 2 * count + 1, sizeof *repair->runs);
    if (catalog->runs == NULL || catalog->run_firsts == NULL || repair->runs == NULL)
        status = aimg_fail_memory(error, 2 * count * sizeof *catalog->runs);
    for (size_t i = 0; status == AIMG_OK && i < count; i++) {
        if (list[i].first > next)
            add_run(repair, (uint32_t)next, (uint32_t)(list[i].first - next), NULL);
        add_run(repair, list[i].first, list[i].count, list[i].table);
        next = (uint64_t)list[i].first + list[i].count;
    }
    if (status == AIMG_OK && known > next)
        add_run(repair, (uint32_t)next, (uint32_t)(known - next), NULL);
    aimg_release(allocator, list);
    return status;
}

/* The run that a table of a run belongs to, or NULL: it is of one that another has swallowed. */
static struct aimg_run *run_of(const struct aimg_catalog *catalog, const struct aimg_part *part)
{
    if (catalog->run_count == 0 || part->first >= catalog->head.ordinal_count)
        return NULL;
    struct aimg_run *run = &catalog->runs[aimg_catalog_run(catalog, part->first)];
    return run->first == part->first && run->count == part->count ? run : NULL;
}

static void attach_tables(struct aimg_repair *repair)
{
    struct aimg_catalog *catalog = &repair->reader.catalog;
    for (uint32_t i = 0; i < catalog->table_count; i++) {
        struct aimg_table *table = &catalog->tables[i];
        struct aimg_run *run =
            table->part.type == AIMG_FRAME_COLUMN || table->part.type == AIMG_FRAME_MASK ? run_of(catalog, &table->part) : NULL;
        /* What is older than the run was merged into it; what is of no run must not be taken for one of the run behind it. */
        if (run == NULL || (table->part.offset < run->table->part.offset && run->table->part.offset >= repair->base_end)) {
            table->section_count = table->part.type == AIMG_FRAME_COLUMN ? 0 : table->section_count;
            continue;
        }
        if (table->part.type == AIMG_FRAME_MASK) {
            run->mask_table = table; /* the last one is the newest */
            continue;
        }
        if (run->columns_count++ == 0)
            run->columns_first = i;
        run->columns_count = i - run->columns_first + 1;
    }
}

static void note_lost(struct aimg_repair *repair)
{
    const struct aimg_catalog *catalog = &repair->reader.catalog;
    const struct aimg_repair_lost *lost = (const struct aimg_repair_lost *)(const void *)repair->lost.data;
    for (size_t i = 0; i < repair->lost.bytes / sizeof *lost; i++) {
        const struct aimg_part *part = &lost[i].part;
        struct aimg_run *run = run_of(catalog, part);
        if (run == NULL)
            continue;
        struct aimg_repair_run *more = &repair->runs[run - catalog->runs];
        if (part->type == AIMG_FRAME_COLUMN && part->offset > more->values_lost)
            more->values_lost = part->offset;
        if (part->type == AIMG_FRAME_MASK && (run->mask_table == NULL || run->mask_table->part.offset < part->offset)) {
            more->mask_unsure = more->counted = true;
            more->dead = part->dead;
            more->attached = part->attached;
        }
    }
}

enum aimg_status aimg_repair_create_caches(struct aimg_repair *repair, struct aimg_error *error)
{
    aimg_codec_pool_init(&repair->caches.codecs);
    repair->reader.caches = &repair->caches;
    repair->caches.dictionaries = aimg_alloc_array(&repair->options.allocator, AIMG_CODINGS, sizeof *repair->caches.dictionaries);
    if (repair->caches.dictionaries == NULL)
        return aimg_fail_memory(error, AIMG_CODINGS * sizeof *repair->caches.dictionaries);
    return AIMG_OK;
}

/* A frame that lies before the last commit and has an ordinal that it has not given is none: bytes of an image look like one. */
static void drop_forged(struct aimg_repair *repair)
{
    size_t count, kept = 0;
    struct aimg_repair_image *images = aimg_repair_images(repair, &count);
    for (size_t i = 0; i < count; i++) {
        bool before = repair->listed_known && aimg_repair_offset(&images[i]) < repair->committed_end;
        if (!before || images[i].ordinal < repair->committed_count)
            images[kept++] = images[i];
    }
    repair->images.bytes = kept * sizeof *images;
}

enum aimg_status aimg_repair_load(struct aimg_repair *repair, struct aimg_error *error)
{
    struct aimg_buffer parts = {NULL, 0, 0};
    enum aimg_status status = aimg_repair_create_caches(repair, error);
    if (status == AIMG_OK)
        status = aimg_repair_find_base(repair, &parts, error);
    drop_forged(repair);
    if (status == AIMG_OK)
        status = take_later(repair, &parts, error);
    size_t count = parts.bytes / sizeof(struct aimg_part);
    if (status == AIMG_OK && count > 1)
        qsort(parts.data, count, sizeof(struct aimg_part), compare_parts);
    if (status == AIMG_OK)
        status = open_tables(repair, (const struct aimg_part *)(const void *)parts.data, count, error);
    aimg_buffer_release(&repair->options.allocator, &parts);
    if (status == AIMG_OK)
        status = build_runs(repair, error);
    if (status != AIMG_OK)
        return status;
    attach_tables(repair);
    note_lost(repair);
    aimg_repair_adopt_columns(repair);
    return aimg_repair_load_masks(repair, error);
}

void aimg_repair_unload(struct aimg_repair *repair)
{
    const struct aimg_allocator *allocator = &repair->options.allocator;
    if (repair->reader.caches != NULL) {
        aimg_codec_pool_release(&repair->caches.codecs);
        for (unsigned i = 0; repair->caches.dictionaries != NULL && i < AIMG_CODINGS; i++)
            aimg_codec_dictionary_destroy(atomic_load(&repair->caches.dictionaries[i]));
        aimg_release(allocator, (void *)repair->caches.dictionaries);
    }
    aimg_catalog_release(&repair->reader.source, &repair->reader.catalog);
    aimg_release(allocator, repair->runs);
    aimg_buffer_release(allocator, &repair->names.raw);
    aimg_buffer_release(allocator, &repair->lost);
}
