/* SPDX-License-Identifier: Apache-2.0 */
/* The index of the last commit: opened before the walk, compared with the frames after it. */
#include "verify.h"

#include "checksum.h"
#include "column.h"

/* ------------------------------------------------------------------ opening */

/* Rule 36: RUN parts follow one another. */
static void check_runs(struct aimg_verify *verify)
{
    const struct aimg_verify_root *root = &verify->index.root;
    struct aimg_verify_place place = aimg_verify_at(verify->located.commit.root_offset);
    uint64_t next = 0;
    for (uint32_t i = 0; i < root->part_count; i++) {
        if (root->parts[i].type != AIMG_FRAME_RUN)
            continue;
        if (root->parts[i].first != next)
            aimg_verify_fault(verify, 36, place, "the RUN at %" PRIu64 " begins with ordinal %" PRIu32 ", expected %" PRIu64,
                              root->parts[i].offset, root->parts[i].first, next);
        next = (uint64_t)root->parts[i].first + root->parts[i].count;
    }
    if (next != root->head.ordinal_count)
        aimg_verify_fault(verify, 36, place, "the RUN parts cover %" PRIu64 " ordinals, the archive has %" PRIu64, next,
                          root->head.ordinal_count);
}

static bool is_run(const struct aimg_verify_root *root, const struct aimg_part *part)
{
    uint32_t low = 0, high = root->part_count; /* RUN parts come first, in order of first */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (root->parts[middle].type == AIMG_FRAME_RUN && root->parts[middle].first < part->first)
            low = middle + 1;
        else
            high = middle;
    }
    return low < root->part_count && root->parts[low].type == AIMG_FRAME_RUN && root->parts[low].first == part->first &&
           root->parts[low].count == part->count;
}

static void check_fits(struct aimg_verify *verify)
{
    const struct aimg_verify_root *root = &verify->index.root;
    for (uint32_t i = 0; i < root->part_count; i++) {
        const struct aimg_part *part = &root->parts[i];
        if (part->type != AIMG_FRAME_COLUMN && part->type != AIMG_FRAME_MASK)
            continue;
        if (!is_run(root, part))
            aimg_verify_fault(verify, 36, aimg_verify_at(part->offset),
                              "the %s of ordinals %" PRIu32 " to %" PRIu64 " fits no RUN", aimg_verify_type_name(part->type),
                              part->first, (uint64_t)part->first + part->count - 1);
        if (part->type == AIMG_FRAME_MASK && i > 0 && part[-1].type == AIMG_FRAME_MASK && part[-1].first == part->first)
            aimg_verify_fault(verify, 36, aimg_verify_at(part->offset), "the RUN at ordinal %" PRIu32 " has two MASKs",
                              part->first);
    }
}

/* Rule 68: VALUES parts cover the codes of each dictionary. */
static void check_values_cover(struct aimg_verify *verify)
{
    const struct aimg_verify_root *root = &verify->index.root;
    struct aimg_verify_place place = aimg_verify_at(verify->located.commit.root_offset);
    for (uint32_t i = 0; i < root->part_count; i++) {
        const struct aimg_column_record *column = aimg_verify_column(root, root->parts[i].column);
        if (root->parts[i].type == AIMG_FRAME_VALUES && (column == NULL || column->type != AIMG_COLUMN_DICTIONARY))
            aimg_verify_fault(verify, 68, place, "the VALUES at %" PRIu64 " belong to column %" PRIu32 ", which is no dictionary",
                              root->parts[i].offset, root->parts[i].column);
    }
    for (uint32_t i = 0; i < root->column_count; i++) {
        const struct aimg_column_record *column = &root->columns[i].record;
        uint64_t next = 0;
        bool gap = false;
        for (uint32_t k = 0; k < root->part_count; k++) {
            if (root->parts[k].type != AIMG_FRAME_VALUES || root->parts[k].column != column->id)
                continue;
            gap = gap || root->parts[k].first != next;
            next = (uint64_t)root->parts[k].first + root->parts[k].count;
        }
        if (gap || next != column->dictionary_count)
            aimg_verify_fault(verify, 68, place, "the VALUES of column %" PRIu32 " do not cover its %" PRIu32 " codes",
                              column->id, column->dictionary_count);
    }
}

static bool section_fits(const struct aimg_verify_root *root, const struct aimg_table *table, const struct aimg_section *section)
{
    const struct aimg_column_record *column = aimg_verify_column(root, section->column);
    if (section->column == 0)
        return true;
    if (column == NULL)
        return false;
    if (table->part.type == AIMG_FRAME_VALUES)
        return column->type == AIMG_COLUMN_DICTIONARY && section->column == table->part.column;
    unsigned kind = aimg_column_in_groups(column) ? AIMG_SECTION_GROUPS : AIMG_SECTION_VALUES;
    if (section->kind == AIMG_SECTION_VALIDITY)
        return aimg_table_section(table, kind, section->column) != NULL;
    if (section->kind != kind)
        return false;
    return kind == AIMG_SECTION_GROUPS || aimg_column_width_fits(column, section->element_bytes);
}

/* Rule 60 on the sections of a table. */
static void check_sections(struct aimg_verify *verify, const struct aimg_table *table)
{
    for (uint32_t i = 0; i < table->section_count; i++) {
        const struct aimg_section *section = &table->sections[i];
        verify->index.root.zstd = verify->index.root.zstd || section->codec == AIMG_CODEC_ZSTD;
        if (!section_fits(&verify->index.root, table, section))
            aimg_verify_fault(verify, 60, aimg_verify_at(table->part.offset),
                              "section %" PRIu32 " of the %s table at %" PRIu64 " fits no column: column %" PRIu32
                              ", kind %u, %u bytes an element",
                              i, aimg_verify_type_name(table->part.type), table->part.offset, section->column, section->kind,
                              section->element_bytes);
    }
}

/* Dictionaries before the walk, which decodes with them. */
static void open_dictionaries(struct aimg_verify *verify)
{
    struct aimg_verify_index *index = &verify->index;
    const struct aimg_allocator *allocator = &verify->source.allocator;
    index->dictionaries = aimg_alloc_array(allocator, index->root.coding_count, sizeof *index->dictionaries);
    uint8_t *payload = allocator->alloc(allocator->user, AIMG_DICT_MAX_BYTES); /* a MiB that nobody need clear */
    if (index->dictionaries == NULL || payload == NULL)
        aimg_verify_no_memory(verify, AIMG_DICT_MAX_BYTES);
    for (uint32_t i = 0; index->dictionaries != NULL && payload != NULL && i < index->root.coding_count; i++) {
        const struct aimg_coding_record *coding = &index->root.codings[i];
        if (coding->codec != AIMG_CODEC_ZSTD_DICT ||
            verify->io.ops->read_at(&verify->io, coding->offset + AIMG_FRAME_BYTES, payload, (size_t)coding->bytes, NULL) !=
                AIMG_OK ||
            !aimg_hash_equals(coding->hash, aimg_hash(payload, (size_t)coding->bytes)))
            continue; /* aimg_verify_codings says so; its images are not decoded */
        index->dictionaries[i] = aimg_codec_dictionary_create(payload, (size_t)coding->bytes);
    }
    aimg_release(allocator, payload);
}

/* As for readers: what is kept of all tables is within the limit. */
static bool sections_allowed(struct aimg_verify *verify)
{
    const struct aimg_verify_root *root = &verify->index.root;
    struct aimg_error error;
    uint64_t sections = 0, limit = verify->source.limits.index_bytes;
    for (uint32_t i = 0; i < root->part_count; i++)
        sections += root->parts[i].section_count;
    if (sections * sizeof(struct aimg_section) <= limit)
        return true;
    (void)aimg_fail(&error, AIMG_LIMIT,
                    "the tables have %" PRIu64 " sections, more than limits.index_bytes of %" PRIu64 " allows: raise it",
                    sections, limit);
    aimg_verify_stop(verify, &error);
    return false;
}

void aimg_verify_index_open(struct aimg_verify *verify)
{
    struct aimg_verify_index *index = &verify->index;
    if (verify->located.empty || !aimg_verify_root_read(verify, &verify->located.commit, &index->root) ||
        !sections_allowed(verify))
        return;
    index->tables = aimg_alloc_array(&verify->source.allocator, index->root.part_count, sizeof *index->tables);
    if (index->tables == NULL) {
        aimg_verify_no_memory(verify, index->root.part_count * sizeof *index->tables);
        return;
    }
    index->open = true;
    check_runs(verify);
    check_fits(verify);
    check_values_cover(verify);
    for (uint32_t i = 0; i < index->root.part_count && !aimg_verify_stopped(verify); i++) {
        aimg_verify_table_open(verify, &index->root.parts[i], &index->tables[i]);
        if (index->tables[i].sections != NULL)
            check_sections(verify, &index->tables[i]);
        else if (index->root.parts[i].type == AIMG_FRAME_VALUES)
            aimg_verify_fault(verify, 68, aimg_verify_at(index->root.parts[i].offset),
                              "the dictionary of column %" PRIu32 " has no values from code %" PRIu32 " on",
                              index->root.parts[i].column, index->root.parts[i].first);
    }
    open_dictionaries(verify);
}

void aimg_verify_index_close(struct aimg_verify *verify)
{
    struct aimg_verify_index *index = &verify->index;
    const struct aimg_allocator *allocator = &verify->source.allocator;
    for (uint32_t i = 0; index->dictionaries != NULL && i < index->root.coding_count; i++)
        aimg_codec_dictionary_destroy(index->dictionaries[i]);
    for (uint32_t i = 0; index->tables != NULL && i < index->root.part_count; i++)
        aimg_release(allocator, index->tables[i].sections);
    aimg_release(allocator, (void *)index->dictionaries);
    aimg_release(allocator, index->tables);
    aimg_verify_root_release(verify, &index->root);
}

const struct aimg_coding_record *aimg_verify_coding(const struct aimg_verify *verify, unsigned coding, void **dictionary_out)
{
    const struct aimg_verify_index *index = &verify->index;
    for (uint32_t i = 0; i < index->root.coding_count; i++) {
        if (index->root.codings[i].coding != coding)
            continue;
        *dictionary_out = index->dictionaries == NULL ? NULL : index->dictionaries[i];
        return &index->root.codings[i];
    }
    return NULL;
}

const struct aimg_table *aimg_verify_run_of(const struct aimg_verify *verify, uint32_t ordinal)
{
    const struct aimg_part *parts = verify->index.root.parts;
    uint32_t low = 0, high = verify->index.open ? verify->index.root.part_count : 0;
    while (low < high) { /* RUN parts come first, in order of first */
        uint32_t middle = low + (high - low) / 2;
        if (parts[middle].type == AIMG_FRAME_RUN && parts[middle].first <= ordinal)
            low = middle + 1;
        else
            high = middle;
    }
    const struct aimg_table *table = low > 0 ? &verify->index.tables[low - 1] : NULL;
    return table != NULL && table->sections != NULL && ordinal - table->part.first < table->part.count ? table : NULL;
}

/* ------------------------------------------------------------------ after the walk */

const struct aimg_verify_frame *aimg_verify_frame_at(const struct aimg_verify *verify, uint64_t offset)
{
    const struct aimg_verify_frame *frames = (const void *)verify->frames.data;
    size_t low = 0, high = verify->frames.bytes / sizeof *frames;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (frames[middle].offset == offset)
            return &frames[middle];
        if (frames[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Rule 41: the parts designate frames that the walk saw. */
static void check_part_frames(struct aimg_verify *verify)
{
    const struct aimg_verify_root *root = &verify->index.root;
    for (uint32_t i = 0; i < root->part_count; i++) {
        const struct aimg_part *part = &root->parts[i];
        const struct aimg_verify_frame *frame = aimg_verify_frame_at(verify, part->offset);
        if (aimg_verify_is_damaged(verify, part->offset) ||
            (frame != NULL && frame->type == part->type && frame->stored_bytes == part->bytes))
            continue;
        aimg_verify_fault(verify, 41, aimg_verify_at(part->offset),
                          "ROOT names a %s of %" PRIu64 " bytes at %" PRIu64 ", where no such frame is",
                          aimg_verify_type_name(part->type), part->bytes, part->offset);
    }
}

void aimg_verify_index_check(struct aimg_verify *verify)
{
    const struct aimg_verify_index *index = &verify->index;
    if (!index->open)
        return;
    check_part_frames(verify);
    for (uint32_t i = 0; i < index->root.part_count; i++)
        if (index->tables[i].sections != NULL)
            aimg_verify_table_data(verify, &index->tables[i]);
    aimg_verify_codings(verify);
    aimg_verify_meta(verify);
    aimg_verify_masks(verify);
    aimg_verify_entries(verify);
    aimg_verify_names(verify);
    aimg_verify_slots(verify);
    aimg_verify_content(verify);
    aimg_verify_columns(verify);
}
