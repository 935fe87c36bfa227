/* SPDX-License-Identifier: Apache-2.0 */
#include "run_writer.h"

#define PIECE_BYTES 65536

/* ------------------------------------------------------------------ runs of the file */

static bool belongs(const struct aimg_part *part, const struct aimg_part *run)
{
    return part->type == AIMG_FRAME_COLUMN && part->first == run->first;
}

static enum aimg_status open_part(struct aimg_run_tables *run, const struct aimg_part *part, struct aimg_section **sections,
                                  struct aimg_error *error)
{
    enum aimg_status status = aimg_table_open(&run->reader->source, part, *sections, &run->tables[run->count], error);
    *sections += part->section_count;
    run->count++;
    return status;
}

enum aimg_status aimg_run_tables_open(const struct aimg_reader *reader, const struct aimg_part *run,
                                      const struct aimg_part *parts, uint32_t part_count, struct aimg_run_tables *run_out,
                                      struct aimg_error *error)
{
    const struct aimg_allocator *allocator = &reader->source.allocator;
    uint64_t tables = 1, sections = run->section_count;
    for (uint32_t i = 0; i < part_count; i++) {
        tables += belongs(&parts[i], run);
        sections += belongs(&parts[i], run) ? parts[i].section_count : 0;
    }
    struct aimg_run_tables opened = {.reader = reader,
                                     .tables = aimg_alloc_array(allocator, tables, sizeof *opened.tables),
                                     .sections = aimg_alloc_array(allocator, sections, sizeof *opened.sections)};
    struct aimg_section *free_sections = opened.sections;
    enum aimg_status status = AIMG_OK;
    if (opened.tables == NULL || opened.sections == NULL)
        status = aimg_fail_memory(error, sections * sizeof *opened.sections);
    if (status == AIMG_OK)
        status = open_part(&opened, run, &free_sections, error);
    for (uint32_t i = 0; status == AIMG_OK && i < part_count; i++)
        if (belongs(&parts[i], run))
            status = open_part(&opened, &parts[i], &free_sections, error);
    if (status == AIMG_OK)
        *run_out = opened;
    else
        aimg_run_tables_release(&opened);
    return status;
}

void aimg_run_tables_release(struct aimg_run_tables *run)
{
    if (run->reader == NULL)
        return;
    aimg_release(&run->reader->source.allocator, run->tables);
    aimg_release(&run->reader->source.allocator, run->sections);
    *run = (struct aimg_run_tables){.count = 0};
}

struct aimg_table *aimg_run_tables_column(const struct aimg_run_tables *run, const struct aimg_column_record *record)
{
    unsigned kind = aimg_column_in_groups(record) ? AIMG_SECTION_GROUPS : AIMG_SECTION_VALUES;
    struct aimg_table *newest = NULL;
    for (uint32_t i = 0; i < run->count; i++) {
        struct aimg_table *table = &run->tables[i];
        if (aimg_table_section(table, kind, record->id) != NULL && (newest == NULL || table->part.offset > newest->part.offset))
            newest = table;
    }
    return newest;
}

/* ------------------------------------------------------------------ their rows */

static enum aimg_status copy_entries(struct aimg_table_writer *out, const struct aimg_run_tables *run, struct aimg_error *error)
{
    struct aimg_table *table = &run->tables[0];
    const struct aimg_section *entries = aimg_table_section(table, AIMG_SECTION_ENTRIES, 0);
    struct aimg_error local;
    uint8_t *scratch = aimg_alloc_array(&out->out->allocator, PIECE_BYTES, 1);
    if (scratch == NULL)
        return aimg_fail_memory(error, PIECE_BYTES);
    enum aimg_status status = aimg_table_verify(&run->reader->source, table, entries->offset, entries->bytes, error);
    for (uint64_t done = 0, bytes; status == AIMG_OK && done < entries->bytes; done += bytes) {
        bytes = entries->bytes - done < PIECE_BYTES ? entries->bytes - done : PIECE_BYTES;
        const uint8_t *data =
            aimg_source_fetch(&run->reader->source, table->payload + entries->offset + done, (size_t)bytes, scratch, &local);
        status = data == NULL ? aimg_fail_as(error, &local) : aimg_table_writer_add(out, data, (size_t)bytes, error);
    }
    aimg_release(&out->out->allocator, scratch);
    return status;
}

static enum aimg_status write_entries(struct aimg_table_writer *out, const struct aimg_run_tables *runs, uint32_t count,
                                      const struct aimg_stage *stage, struct aimg_error *error)
{
    enum aimg_status status = AIMG_OK;
    for (uint32_t i = 0; status == AIMG_OK && i < count; i++)
        status = copy_entries(out, &runs[i], error);
    if (status == AIMG_OK)
        status = aimg_table_writer_add(out, stage->entries.data, stage->entries.bytes, error);
    struct aimg_section section = {.kind = AIMG_SECTION_ENTRIES, .element_bytes = AIMG_ENTRY_BYTES, .count = out->footer.count};
    return status == AIMG_OK ? aimg_table_writer_section(out, section, error) : status;
}

static enum aimg_status copy_names(struct aimg_group_writer *groups, const struct aimg_run_tables *run, struct aimg_error *error)
{
    struct aimg_table *table = &run->tables[0];
    const struct aimg_section *names = aimg_table_section(table, AIMG_SECTION_NAME_TEXT, 0);
    enum aimg_status status = aimg_group_verify_records(run->reader, table, names, error);
    for (uint64_t index = 0; status == AIMG_OK && index < names->extra; index++)
        status = aimg_group_writer_copy(groups, run->reader, table, names, index, error);
    return status;
}

static enum aimg_status add_staged_names(struct aimg_group_writer *groups, const struct aimg_stage *stage,
                                         struct aimg_error *error)
{
    const uint8_t *name = stage->names.data;
    enum aimg_status status = AIMG_OK;
    for (uint32_t row = 0; status == AIMG_OK && row < stage->rows; row++) {
        uint32_t bytes;
        memcpy(&bytes, stage->name_lengths.data + (size_t)row * sizeof bytes, sizeof bytes);
        status = aimg_group_writer_add(groups, name, bytes, error);
        if (bytes > 0)
            name += bytes;
    }
    return status;
}

static enum aimg_status write_names(struct aimg_table_writer *out, struct aimg_codec_pool *codecs,
                                    const struct aimg_run_tables *runs, uint32_t count, const struct aimg_stage *stage,
                                    bool *zstd_out, struct aimg_error *error)
{
    struct aimg_group_writer groups;
    enum aimg_status status = AIMG_OK;
    aimg_group_writer_begin(&groups, out, codecs, AIMG_SECTION_NAME_TEXT, 0);
    for (uint32_t i = 0; status == AIMG_OK && i < count; i++)
        status = copy_names(&groups, &runs[i], error);
    if (status == AIMG_OK)
        status = add_staged_names(&groups, stage, error);
    if (status == AIMG_OK)
        return aimg_group_writer_end(&groups, zstd_out, error);
    aimg_group_writer_abandon(&groups);
    return status;
}

/* pieces: room for one a run and one for the stage. */
static enum aimg_status write_columns(struct aimg_table_writer *out, struct aimg_codec_pool *codecs,
                                      const struct aimg_run_tables *runs, uint32_t count, const struct aimg_stage *stage,
                                      struct aimg_column_piece *pieces, bool *zstd_out, struct aimg_error *error)
{
    enum aimg_status status = AIMG_OK;
    for (uint32_t c = 0; status == AIMG_OK && c < stage->column_count; c++) {
        const struct aimg_column_record *record = &stage->columns[c].record;
        for (uint32_t i = 0; i < count; i++)
            pieces[i] = (struct aimg_column_piece){.count = runs[i].tables[0].part.count,
                                                   .reader = runs[i].reader,
                                                   .table = aimg_run_tables_column(&runs[i], record)};
        pieces[count] = (struct aimg_column_piece){.count = stage->rows, .staged = &stage->columns[c]};
        struct aimg_column_source source = {.record = record, .pieces = pieces, .piece_count = count + 1};
        status = aimg_column_write(out, codecs, &source, zstd_out, error);
    }
    return status;
}

static enum aimg_status write_rows(struct aimg_table_writer *out, struct aimg_codec_pool *codecs,
                                   const struct aimg_run_tables *runs, uint32_t count, const struct aimg_stage *stage,
                                   bool *zstd_out, struct aimg_error *error)
{
    const struct aimg_allocator *allocator = &out->out->allocator;
    struct aimg_column_piece *pieces = aimg_alloc_array(allocator, (uint64_t)count + 1, sizeof *pieces);
    if (pieces == NULL)
        return aimg_fail_memory(error, ((uint64_t)count + 1) * sizeof *pieces);
    enum aimg_status status = write_entries(out, runs, count, stage, error);
    if (status == AIMG_OK)
        status = write_names(out, codecs, runs, count, stage, zstd_out, error);
    if (status == AIMG_OK)
        status = write_columns(out, codecs, runs, count, stage, pieces, zstd_out, error);
    aimg_release(allocator, pieces);
    return status;
}

enum aimg_status aimg_run_write(const struct aimg_run_tables *runs, uint32_t count, struct aimg_stage *stage,
                                struct aimg_out *out, struct aimg_codec_pool *codecs, struct aimg_part *part_out, bool *zstd_out,
                                struct aimg_error *error)
{
    struct aimg_table_writer table;
    uint32_t first = count > 0 ? runs[0].tables[0].part.first : stage->first;
    uint32_t rows = stage->first + stage->rows - first;
    enum aimg_status status = aimg_table_writer_begin(&table, out, AIMG_FRAME_RUN, 0, first, rows, error);
    if (status == AIMG_OK)
        status = write_rows(&table, codecs, runs, count, stage, zstd_out, error);
    if (status != AIMG_OK) {
        aimg_table_writer_abandon(&table);
        return status;
    }
    status = aimg_table_writer_end(&table, part_out, error);
    if (status == AIMG_OK)
        aimg_stage_empty(stage);
    return status;
}
