/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of type image after a rename: what refers to the old ordinal refers to the new one from the same commit on. All renames
 * of a batch in one pass over these columns, at the commit. */
#include "run_writer.h"
#include "writer.h"

#include <stdlib.h>

#define VALUE_BYTES 4
#define WINDOW_ROWS 4096 /* a multiple of 8 */

/* A row whose reference moves. */
struct moved {
    uint32_t ordinal, target;
};

/* The pass over one column. */
struct pass {
    struct aimg_writer *writer;
    const struct aimg_renamed *renames; /* ascending by the old ordinal */
    size_t count;
    uint32_t column;         /* index */
    struct aimg_buffer rows; /* struct moved: of tables */
};

static int compare_renames(const void *a, const void *b)
{
    const struct aimg_renamed *x = a, *y = b;
    return (x->from > y->from) - (x->from < y->from);
}

/* Where a reference leads now; itself when nothing was renamed. An image may have been renamed several times. */
static uint32_t target_of(const struct pass *pass, uint32_t ordinal)
{
    struct aimg_renamed key = {.from = ordinal};
    const struct aimg_renamed *found;
    if (ordinal < pass->renames[0].from || ordinal > pass->renames[pass->count - 1].from)
        return ordinal;
    while ((found = bsearch(&key, pass->renames, pass->count, sizeof key, compare_renames)) != NULL)
        key.from = found->to; /* which is larger */
    return key.from;
}

/* ------------------------------------------------------------------ rows in memory */

static void move_value(const struct pass *pass, uint8_t *value)
{
    uint32_t ordinal = aimg_load32(value), target = target_of(pass, ordinal);
    if (target != ordinal)
        aimg_store32(value, target);
}

static void move_staged(const struct pass *pass)
{
    struct aimg_stage_column *column = &pass->writer->stage.columns[pass->column];
    for (uint32_t row = 0; row < column->rows; row++)
        if (aimg_bitmap_get(column->validity.data, row))
            move_value(pass, column->values.data + (size_t)row * VALUE_BYTES);
}

static void move_edits(const struct pass *pass)
{
    struct aimg_column_edits *edits = &pass->writer->edits;
    size_t count;
    const struct aimg_edit *all = aimg_edits_all(edits, &count);
    for (size_t i = 0; i < count; i++)
        if (all[i].column == pass->column && all[i].bytes == VALUE_BYTES)
            move_value(pass, edits->data.data + all[i].offset);
}

/* ------------------------------------------------------------------ rows in tables */

/* Rows of one table, fetched piece by piece. */
struct window {
    struct aimg_table *table;
    const struct aimg_section *values, *validity; /* validity NULL: all rows have a value */
    uint8_t value_bytes[WINDOW_ROWS * VALUE_BYTES];
    uint8_t validity_bytes[WINDOW_ROWS / 8];
};

static enum aimg_status find_moved(struct pass *pass, struct window *window, uint32_t first, uint32_t rows,
                                   struct aimg_error *error)
{
    const struct aimg_allocator *allocator = &pass->writer->allocator;
    for (uint32_t i = 0; i < rows; i++) {
        struct moved moved = {.ordinal = window->table->part.first + first + i};
        uint32_t ordinal = aimg_load32(window->value_bytes + (size_t)i * VALUE_BYTES);
        moved.target = target_of(pass, ordinal);
        if (moved.target == ordinal || (window->validity != NULL && !aimg_bitmap_get(window->validity_bytes, i)) ||
            aimg_edits_find(allocator, &pass->writer->edits, pass->column, moved.ordinal) != NULL) /* the batch sets it anew */
            continue;
        if (!aimg_buffer_add(allocator, &pass->rows, &moved, sizeof moved))
            return aimg_fail_memory(error, sizeof moved);
    }
    return AIMG_OK;
}

static enum aimg_status scan_table(struct pass *pass, const struct aimg_reader *reader, struct aimg_table *table,
                                   struct aimg_error *error)
{
    uint32_t id = pass->writer->columns[pass->column].record.id;
    struct window *window = aimg_alloc_array(&pass->writer->allocator, 1, sizeof *window);
    enum aimg_status status = AIMG_OK;
    if (window == NULL)
        return aimg_fail_memory(error, sizeof *window);
    window->table = table;
    window->values = aimg_table_section(table, AIMG_SECTION_VALUES, id);
    window->validity = aimg_table_section(table, AIMG_SECTION_VALIDITY, id);
    for (uint32_t first = 0; status == AIMG_OK && first < table->part.count; first += WINDOW_ROWS) {
        uint32_t rows = table->part.count - first < WINDOW_ROWS ? table->part.count - first : WINDOW_ROWS;
        status = aimg_table_copy(&reader->source, table, window->values->offset + (uint64_t)first * VALUE_BYTES,
                                 (size_t)rows * VALUE_BYTES, window->value_bytes, error);
        if (status == AIMG_OK && window->validity != NULL)
            status = aimg_table_copy(&reader->source, table, window->validity->offset + first / 8, (size_t)aimg_blocks(rows, 8),
                                     window->validity_bytes, error);
        if (status == AIMG_OK)
            status = find_moved(pass, window, first, rows, error);
    }
    aimg_release(&pass->writer->allocator, window);
    return status;
}

static enum aimg_status scan_runs(struct pass *pass, const struct aimg_reader *view, struct aimg_error *error)
{
    uint32_t count;
    const struct aimg_part *parts = aimg_writer_parts(pass->writer, &count);
    enum aimg_status status = AIMG_OK;
    for (uint32_t i = 0; status == AIMG_OK && i < count; i++) {
        struct aimg_run_tables run = {.count = 0};
        if (parts[i].type != AIMG_FRAME_RUN)
            continue;
        status = aimg_run_tables_open(view, &parts[i], parts, count, &run, error);
        struct aimg_table *table =
            status == AIMG_OK ? aimg_run_tables_column(&run, &pass->writer->columns[pass->column].record) : NULL;
        if (table != NULL)
            status = scan_table(pass, view, table, error);
        aimg_run_tables_release(&run);
    }
    return status;
}

/* ------------------------------------------------------------------ all of it */

static enum aimg_status set_rows(struct pass *pass, struct aimg_error *error)
{
    const struct moved *rows = (const struct moved *)(const void *)pass->rows.data;
    enum aimg_status status = AIMG_OK;
    for (size_t i = 0; status == AIMG_OK && i < pass->rows.bytes / sizeof *rows; i++) {
        struct aimg_value value = {
            .column = pass->writer->columns[pass->column].record.id, .data = &rows[i].target, .bytes = sizeof rows[i].target};
        status = aimg_writer_set(pass->writer, rows[i].ordinal, &value, error);
        status = status == AIMG_NOT_FOUND ? AIMG_OK : status; /* who is dead may refer to the dead */
    }
    return status;
}

static enum aimg_status move_column(struct pass *pass, struct aimg_error *error)
{
    struct aimg_reader view;
    enum aimg_status status = aimg_writer_view(pass->writer, &view, error);
    if (status != AIMG_OK)
        return status;
    pass->rows.bytes = 0;
    aimg_edits_sort(&pass->writer->edits);
    move_staged(pass);
    move_edits(pass);
    status = scan_runs(pass, &view, error);
    return status == AIMG_OK ? set_rows(pass, error) : status;
}

enum aimg_status aimg_writer_move_references(struct aimg_writer *writer, struct aimg_error *error)
{
    size_t count = writer->renamed.bytes / sizeof(struct aimg_renamed);
    struct pass pass = {.writer = writer, .count = count};
    enum aimg_status status = AIMG_OK;
    if (count == 0)
        return AIMG_OK;
    qsort(writer->renamed.data, count, sizeof(struct aimg_renamed), compare_renames);
    pass.renames = (const struct aimg_renamed *)(const void *)writer->renamed.data;
    for (uint32_t i = 0; status == AIMG_OK && i < writer->column_count; i++) {
        pass.column = i;
        if (writer->columns[i].record.type == AIMG_COLUMN_IMAGE)
            status = move_column(&pass, error);
    }
    aimg_buffer_release(&writer->allocator, &pass.rows);
    return status;
}
