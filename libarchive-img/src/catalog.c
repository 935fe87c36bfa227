/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog.h"

#include "checksum.h"
#include "error.h"

#include <inttypes.h>
#include <stdlib.h>

static enum aimg_status root_fault(uint64_t offset, unsigned rule, const char *what, struct aimg_error *error)
{
    return aimg_fail_at(error, AIMG_CORRUPT, rule, offset, "ROOT at %" PRIu64 " breaks rule %u: %s; run verify, then repair",
                        offset, rule, what);
}

/* Rule 32. */
static enum aimg_status check_features(const struct aimg_commit_page *commit, struct aimg_error *error)
{
    uint64_t unknown = commit->incompat & ~AIMG_INCOMPAT_KNOWN;
    if (unknown != 0)
        return aimg_fail_at(error, AIMG_UNSUPPORTED, 32, commit->self_offset,
                            "the archive uses features that this version does not know (bits 0x%" PRIx64 "); use a newer version",
                            unknown);
    return AIMG_OK;
}

static enum aimg_status read_root(const struct aimg_source *source, const struct aimg_commit_page *commit,
                                  struct aimg_catalog *catalog, struct aimg_error *error)
{
    uint64_t offset = commit->root_offset + AIMG_FRAME_BYTES;
    if (commit->root_offset < AIMG_HEAD_BYTES || commit->root_offset % AIMG_UNIT != 0 ||
        commit->root_offset <= commit->prev_offset || commit->root_offset >= commit->self_offset)
        return root_fault(commit->root_offset, 31, "it does not lie in the batch of its commit", error);
    if (commit->self_offset - commit->root_offset < AIMG_FRAME_BYTES || commit->root_bytes > commit->self_offset - offset ||
        commit->root_bytes < AIMG_ROOT_HEAD_BYTES)
        return root_fault(commit->root_offset, 31, "its size is not possible", error);
    if (commit->root_bytes > source->limits.index_bytes)
        return aimg_fail_at(error, AIMG_LIMIT, 0, offset, "ROOT has %" PRIu64 " bytes, the limit is %" PRIu64, commit->root_bytes,
                            source->limits.index_bytes);
    catalog->root = aimg_alloc_array(&source->allocator, commit->root_bytes, 1);
    if (catalog->root == NULL)
        return aimg_fail_memory(error, commit->root_bytes);
    catalog->root_bytes = commit->root_bytes;
    enum aimg_status status = aimg_source_copy(source, offset, (size_t)commit->root_bytes, catalog->root, error);
    if (status != AIMG_OK)
        return status;
    if (!aimg_hash_equals(commit->root_hash, aimg_hash(catalog->root, (size_t)commit->root_bytes)))
        return aimg_fail_at(
            error, AIMG_CHECKSUM, 31, offset,
            "ROOT at %" PRIu64 " is damaged: its bytes are not those that its commit names; run verify, then repair", offset);
    return AIMG_OK;
}

/* Sizes and counts of ROOT, before anything is allocated from them. */
static enum aimg_status check_root_head(const struct aimg_source *source, const struct aimg_commit_page *commit,
                                        struct aimg_catalog *catalog, struct aimg_error *error)
{
    const struct aimg_root_head *head = &catalog->head;
    unsigned rule = aimg_root_head_decode(catalog->root, &catalog->head);
    if (rule != 0)
        return root_fault(commit->root_offset, rule, "its head is malformed", error);
    if (head->ordinal_count != commit->ordinal_count || head->listed_count != commit->listed_count)
        return root_fault(commit->root_offset, 30, "its counts are not those of the commit", error);
    uint64_t needed = (uint64_t)head->part_count * AIMG_PART_BYTES + (uint64_t)head->column_count * AIMG_COLUMN_RECORD_BYTES +
                      (uint64_t)head->coding_count * AIMG_CODING_RECORD_BYTES;
    if (needed > catalog->root_bytes - AIMG_ROOT_HEAD_BYTES)
        return root_fault(commit->root_offset, 37, "it is shorter than its counts say", error);
    if (head->meta_offset != 0 && (head->meta_offset < AIMG_HEAD_BYTES || head->meta_offset > source->end ||
                                   source->end - head->meta_offset < AIMG_FRAME_BYTES + head->meta_bytes))
        return root_fault(commit->root_offset, 69, "META lies outside the file", error);
    return AIMG_OK;
}

static enum aimg_status open_tables(const struct aimg_source *source, const struct aimg_commit_page *commit,
                                    struct aimg_catalog *catalog, struct aimg_error *error)
{
    uint64_t sections = 0;
    const uint8_t *record = catalog->root + AIMG_ROOT_HEAD_BYTES;
    uint32_t count = catalog->head.part_count;
    catalog->tables = aimg_alloc_array(&source->allocator, count, sizeof *catalog->tables);
    if (catalog->tables == NULL)
        return aimg_fail_memory(error, (uint64_t)count * sizeof *catalog->tables);
    for (uint32_t i = 0; i < count; i++, record += AIMG_PART_BYTES) {
        struct aimg_part *part = &catalog->tables[i].part;
        unsigned rule = aimg_part_decode(record, commit->root_offset, part);
        if (rule == 0 && i > 0 && aimg_part_compare(&part[0], &catalog->tables[i - 1].part) <= 0)
            rule = 37;
        if (rule != 0)
            return root_fault(commit->root_offset, rule, "a part is malformed or out of order", error);
        sections += part->section_count;
    }
    if (sections * sizeof *catalog->sections > source->limits.index_bytes)
        return aimg_fail(error, AIMG_LIMIT, "the tables have %" PRIu64 " sections, more than the limit allows", sections);
    catalog->sections = aimg_alloc_array(&source->allocator, sections, sizeof *catalog->sections);
    if (catalog->sections == NULL)
        return aimg_fail_memory(error, sections * sizeof *catalog->sections);
    struct aimg_section *next = catalog->sections;
    for (uint32_t i = 0; i < count; i++) {
        struct aimg_part part = catalog->tables[i].part;
        enum aimg_status status = aimg_table_open(source, &part, next, &catalog->tables[i], error);
        if (status != AIMG_OK)
            return status;
        next += part.section_count;
    }
    catalog->table_count = count;
    return AIMG_OK;
}

static uint32_t count_type(const struct aimg_catalog *catalog, unsigned type, uint32_t *first_out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < catalog->table_count; i++) {
        if (catalog->tables[i].part.type != type)
            continue;
        if (count++ == 0)
            *first_out = i;
    }
    return count;
}

/* Rule 62, as far as the tail tells: images that are counted stand in a bitmap. */
static bool mask_fits(const struct aimg_table *table)
{
    return (table->part.dead == 0 || aimg_table_section(table, AIMG_SECTION_DEAD, 0) != NULL) &&
           (table->part.attached == 0 || aimg_table_section(table, AIMG_SECTION_ATTACHED, 0) != NULL);
}

/* Rule 36: COLUMN and MASK parts fit a run. */
static enum aimg_status attach_to_runs(uint64_t root, struct aimg_catalog *catalog, struct aimg_error *error)
{
    for (uint32_t i = 0; i < catalog->table_count; i++) {
        struct aimg_table *table = &catalog->tables[i];
        if (table->part.type != AIMG_FRAME_COLUMN && table->part.type != AIMG_FRAME_MASK)
            continue;
        if (catalog->run_count == 0)
            return root_fault(root, 36, "a table belongs to no run", error);
        struct aimg_run *run = &catalog->runs[aimg_catalog_run(catalog, table->part.first)];
        if (run->first != table->part.first || run->count != table->part.count)
            return root_fault(root, 36, "a table belongs to no run", error);
        if (table->part.type == AIMG_FRAME_COLUMN) {
            run->columns_first = run->columns_count++ == 0 ? i : run->columns_first; /* those of a run stand side by side */
            continue;
        }
        if (run->mask_table != NULL)
            return root_fault(root, 36, "a run has two masks", error);
        if (!mask_fits(table))
            return root_fault(root, 62, "a mask lacks the bitmap that it counts", error);
        run->mask_table = table;
        run->listed = run->count - table->part.dead - table->part.attached;
    }
    return AIMG_OK;
}

static enum aimg_status build_runs(const struct aimg_source *source, uint64_t root, struct aimg_catalog *catalog,
                                   struct aimg_error *error)
{
    uint32_t first = 0;
    uint64_t next = 0, position = 0, dead = 0;
    catalog->run_count = count_type(catalog, AIMG_FRAME_RUN, &first);
    catalog->names_count = count_type(catalog, AIMG_FRAME_NAMES, &catalog->names_first);
    catalog->content_count = count_type(catalog, AIMG_FRAME_CONTENT, &catalog->content_first);
    if (catalog->run_count > AIMG_RUN_MAX || catalog->names_count > AIMG_NAME_RUN_MAX ||
        catalog->content_count > AIMG_NAME_RUN_MAX)
        return root_fault(root, 37, "it has too many runs", error);
    catalog->runs = aimg_alloc_array(&source->allocator, catalog->run_count, sizeof *catalog->runs);
    catalog->run_firsts = aimg_alloc_array(&source->allocator, catalog->run_count, sizeof *catalog->run_firsts);
    if (catalog->runs == NULL || catalog->run_firsts == NULL)
        return aimg_fail_memory(error, (uint64_t)catalog->run_count * sizeof *catalog->runs);
    for (uint32_t i = 0; i < catalog->run_count; i++) {
        struct aimg_table *table = &catalog->tables[i];
        const struct aimg_section *entries = aimg_table_section(table, AIMG_SECTION_ENTRIES, 0);
        struct aimg_run *run = &catalog->runs[i];
        if (table->part.first != next)
            return root_fault(root, 36, "the runs do not cover the ordinals", error);
        run->first = catalog->run_firsts[i] = table->part.first;
        run->count = run->listed = table->part.count;
        run->table = table;
        run->entries_offset = table->payload + entries->offset;
        next += run->count;
    }
    if (next != catalog->head.ordinal_count)
        return root_fault(root, 36, "the runs do not cover the ordinals", error);
    enum aimg_status status = attach_to_runs(root, catalog, error);
    for (uint32_t i = 0; status == AIMG_OK && i < catalog->run_count; i++) {
        catalog->runs[i].position_first = position;
        position += catalog->runs[i].listed;
        dead += catalog->runs[i].mask_table == NULL ? 0 : catalog->runs[i].mask_table->part.dead;
    }
    if (status == AIMG_OK && (position != catalog->head.listed_count || dead != catalog->head.dead_count))
        return root_fault(root, 65, "its counts of listed and dead images are not the sums of its masks", error);
    return status;
}

static int compare_names(const void *a, const void *b)
{
    const struct aimg_catalog_column *x = *(const struct aimg_catalog_column *const *)a;
    const struct aimg_catalog_column *y = *(const struct aimg_catalog_column *const *)b;
    if (x->record.name_bytes != y->record.name_bytes)
        return x->record.name_bytes < y->record.name_bytes ? -1 : 1;
    return memcmp(x->name, y->name, x->record.name_bytes);
}

/* Rule 60: no two columns have one name. */
static enum aimg_status check_names(const struct aimg_source *source, uint64_t root, const struct aimg_catalog *catalog,
                                    struct aimg_error *error)
{
    uint32_t count = catalog->head.column_count;
    const struct aimg_catalog_column **by_name = aimg_alloc_array(&source->allocator, count, sizeof(void *));
    bool repeats = false;
    if (by_name == NULL)
        return aimg_fail_memory(error, count * sizeof(void *));
    for (uint32_t i = 0; i < count; i++)
        by_name[i] = &catalog->columns[i];
    if (count > 1)
        qsort(by_name, count, sizeof(void *), compare_names);
    for (uint32_t i = 1; i < count; i++)
        repeats |= compare_names(&by_name[i - 1], &by_name[i]) == 0;
    aimg_release(&source->allocator, by_name);
    return repeats ? root_fault(root, 60, "two columns have one name", error) : AIMG_OK;
}

/* Column and coding records; they must end with the payload. */
static enum aimg_status read_records(const struct aimg_source *source, uint64_t root, struct aimg_catalog *catalog,
                                     struct aimg_error *error)
{
    const uint8_t *in = catalog->root + AIMG_ROOT_HEAD_BYTES + (size_t)catalog->head.part_count * AIMG_PART_BYTES;
    size_t left = (size_t)(catalog->root + catalog->root_bytes - in);
    const uint8_t *name = NULL;
    catalog->columns = aimg_alloc_array(&source->allocator, catalog->head.column_count, sizeof *catalog->columns);
    catalog->codings = aimg_alloc_array(&source->allocator, catalog->head.coding_count, sizeof *catalog->codings);
    if (catalog->columns == NULL || catalog->codings == NULL)
        return aimg_fail_memory(error, catalog->root_bytes);
    for (uint32_t i = 0; i < catalog->head.column_count; i++) {
        struct aimg_catalog_column *column = &catalog->columns[i];
        unsigned rule = aimg_column_record_decode(in, left, &column->record, &name);
        column->name = (const char *)name;
        if (rule == 0 && i > 0 && column->record.id <= column[-1].record.id)
            rule = 60;
        if (rule != 0)
            return root_fault(root, rule, "a column record is malformed", error);
        in += aimg_column_record_total(column->record.name_bytes);
        left -= aimg_column_record_total(column->record.name_bytes);
    }
    enum aimg_status status = check_names(source, root, catalog, error);
    if (status != AIMG_OK)
        return status;
    if (left != (size_t)catalog->head.coding_count * AIMG_CODING_RECORD_BYTES)
        return root_fault(root, 37, "its records do not fill it", error);
    for (uint32_t i = 0; i < catalog->head.coding_count; i++, in += AIMG_CODING_RECORD_BYTES) {
        unsigned rule = aimg_coding_record_decode(in, source->end, &catalog->codings[i]);
        if (rule == 0 && i > 0 && catalog->codings[i].coding <= catalog->codings[i - 1].coding)
            rule = 51;
        if (rule != 0)
            return root_fault(root, rule, "a coding record is malformed", error);
    }
    return AIMG_OK;
}

static const struct aimg_column_record *find_record(const struct aimg_catalog *catalog, uint32_t id)
{
    uint32_t low = 0, high = catalog->head.column_count; /* their ids ascend */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (catalog->columns[middle].record.id < id)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < catalog->head.column_count && catalog->columns[low].record.id == id;
    return found ? &catalog->columns[low].record : NULL;
}

bool aimg_catalog_section_fits(const struct aimg_catalog *catalog, const struct aimg_table *table,
                               const struct aimg_section *section)
{
    if (section->column == 0)
        return true;
    const struct aimg_column_record *column = find_record(catalog, section->column);
    if (column == NULL)
        return false;
    if (table->part.type == AIMG_FRAME_VALUES)
        return column->type == AIMG_COLUMN_DICTIONARY && section->column == table->part.column;
    if (section->kind == AIMG_SECTION_VALIDITY)
        return aimg_table_section(table, aimg_column_in_groups(column) ? AIMG_SECTION_GROUPS : AIMG_SECTION_VALUES,
                                  section->column) != NULL;
    if (aimg_column_in_groups(column))
        return section->kind == AIMG_SECTION_GROUPS;
    return section->kind == AIMG_SECTION_VALUES && aimg_column_width_fits(column, section->element_bytes);
}

/* Rule 60 on the sections, rule 68 on the ranges of VALUES. */
static enum aimg_status check_columns(uint64_t root, const struct aimg_catalog *catalog, struct aimg_error *error)
{
    uint32_t column = 0, next = 0;
    uint64_t covered = 0, declared = 0;
    for (uint32_t i = 0; i < catalog->table_count; i++) {
        const struct aimg_table *table = &catalog->tables[i];
        for (uint32_t k = 0; k < table->section_count; k++)
            if (!aimg_catalog_section_fits(catalog, table, &table->sections[k]))
                return root_fault(root, 60, "a table has a section that fits no column", error);
        if (table->part.type != AIMG_FRAME_VALUES)
            continue;
        if (table->part.column != column)
            next = 0;
        if (table->part.first != next)
            return root_fault(root, 68, "the values of a dictionary have a gap", error);
        column = table->part.column;
        next += table->part.count;
        covered += table->part.count;
        const struct aimg_column_record *record = find_record(catalog, column);
        if (record == NULL || next > record->dictionary_count)
            return root_fault(root, 68, "a dictionary has more values than its column says", error);
    }
    for (uint32_t i = 0; i < catalog->head.column_count; i++)
        declared += catalog->columns[i].record.dictionary_count;
    return covered == declared ? AIMG_OK : root_fault(root, 68, "a dictionary has fewer values than its column says", error);
}

/* Rule 32, as far as ROOT and the tails of its tables tell: what is used is declared. */
static enum aimg_status check_declared(const struct aimg_commit_page *commit, const struct aimg_catalog *catalog,
                                       struct aimg_error *error)
{
    uint64_t incompat = catalog->head.coding_count > 0 ? AIMG_INCOMPAT_ZSTD_DICT : 0;
    uint64_t ro_compat = catalog->head.column_count > 0 ? AIMG_RO_COMPAT_COLUMNS : 0;
    for (uint32_t i = 0; i < catalog->table_count; i++) {
        const struct aimg_table *table = &catalog->tables[i];
        incompat |= table->part.type == AIMG_FRAME_MASK ? AIMG_INCOMPAT_MASK : 0;
        ro_compat |= table->part.type == AIMG_FRAME_CONTENT ? AIMG_RO_COMPAT_CONTENT : 0;
        for (uint32_t k = 0; k < table->section_count; k++)
            incompat |= table->sections[k].codec == AIMG_CODEC_ZSTD ? AIMG_INCOMPAT_ZSTD : 0;
    }
    if ((incompat & ~commit->incompat) == 0 && (ro_compat & ~commit->ro_compat) == 0)
        return AIMG_OK;
    return aimg_fail_at(error, AIMG_CORRUPT, 32, commit->self_offset,
                        "the last commit does not declare features that are in use (incompat 0x%" PRIx64 ", ro_compat 0x%" PRIx64
                        "); run verify",
                        incompat & ~commit->incompat, ro_compat & ~commit->ro_compat);
}

enum aimg_status aimg_catalog_read_head(const struct aimg_source *source, const struct aimg_commit_page *commit,
                                        struct aimg_root_head *head, struct aimg_error *error)
{
    struct aimg_catalog catalog = {.root = NULL};
    enum aimg_status status = read_root(source, commit, &catalog, error);
    if (status == AIMG_OK)
        status = check_root_head(source, commit, &catalog, error);
    aimg_release(&source->allocator, catalog.root);
    if (status == AIMG_OK)
        *head = catalog.head;
    return status;
}

enum aimg_status aimg_catalog_load(const struct aimg_source *source, const struct aimg_commit_page *commit,
                                   struct aimg_catalog *catalog, struct aimg_error *error)
{
    *catalog = (struct aimg_catalog){.root = NULL};
    enum aimg_status status = check_features(commit, error);
    if (status == AIMG_OK)
        status = read_root(source, commit, catalog, error);
    if (status == AIMG_OK)
        status = check_root_head(source, commit, catalog, error);
    if (status == AIMG_OK)
        status = open_tables(source, commit, catalog, error);
    if (status == AIMG_OK)
        status = build_runs(source, commit->root_offset, catalog, error);
    if (status == AIMG_OK)
        status = read_records(source, commit->root_offset, catalog, error);
    if (status == AIMG_OK)
        status = check_columns(commit->root_offset, catalog, error);
    if (status == AIMG_OK)
        status = check_declared(commit, catalog, error);
    if (status != AIMG_OK)
        aimg_catalog_release(source, catalog);
    return status;
}

void aimg_catalog_release(const struct aimg_source *source, struct aimg_catalog *catalog)
{
    for (uint32_t i = 0; catalog->runs != NULL && i < catalog->run_count; i++) {
        struct aimg_mask *mask = atomic_load(&catalog->runs[i].mask);
        if (mask != NULL)
            aimg_release(&source->allocator, mask->owned);
        aimg_release(&source->allocator, mask);
    }
    for (uint32_t i = 0; i < catalog->table_count; i++)
        aimg_release(&source->allocator, catalog->tables[i].list);
    aimg_release(&source->allocator, catalog->root);
    aimg_release(&source->allocator, catalog->tables);
    aimg_release(&source->allocator, catalog->sections);
    aimg_release(&source->allocator, catalog->runs);
    aimg_release(&source->allocator, catalog->run_firsts);
    aimg_release(&source->allocator, catalog->columns);
    aimg_release(&source->allocator, catalog->codings);
    *catalog = (struct aimg_catalog){.root = NULL};
}

const struct aimg_coding_record *aimg_catalog_coding(const struct aimg_catalog *catalog, unsigned coding)
{
    for (uint32_t i = 0; i < catalog->head.coding_count; i++)
        if (catalog->codings[i].coding == coding)
            return &catalog->codings[i];
    return NULL;
}
