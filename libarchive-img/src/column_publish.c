/* SPDX-License-Identifier: Apache-2.0 */
#include "column_publish.h"

#include "run_writer.h"

#include <stdlib.h>

static int compare_parts(const void *a, const void *b)
{
    return aimg_part_compare(a, b);
}

enum aimg_status aimg_written_runs_take(struct aimg_writer *writer, struct aimg_written_runs *written_out,
                                        struct aimg_error *error)
{
    uint32_t count;
    const struct aimg_part *parts = aimg_writer_parts(writer, &count);
    struct aimg_written_runs written = {.runs = aimg_alloc_array(&writer->allocator, count, sizeof *parts)};
    if (written.runs == NULL)
        return aimg_fail_memory(error, count * sizeof *parts);
    for (uint32_t i = 0; i < count; i++) {
        if (parts[i].type != AIMG_FRAME_RUN && parts[i].type != AIMG_FRAME_COLUMN)
            continue;
        written.runs[written.count + written.column_count] = parts[i];
        written.count += parts[i].type == AIMG_FRAME_RUN;
        written.column_count += parts[i].type == AIMG_FRAME_COLUMN;
    }
    qsort(written.runs, written.count + written.column_count, sizeof *parts, compare_parts);
    enum aimg_status status = aimg_writer_view(writer, &written.view, error);
    if (status == AIMG_OK)
        *written_out = written;
    else
        aimg_release(&writer->allocator, written.runs);
    return status;
}

void aimg_written_runs_release(const struct aimg_writer *writer, struct aimg_written_runs *written)
{
    aimg_release(&writer->allocator, written->runs);
    *written = (struct aimg_written_runs){.runs = NULL};
}

/* The COLUMN parts of a run. */
static const struct aimg_part *column_parts(const struct aimg_written_runs *written, uint32_t first, uint32_t *count_out)
{
    const struct aimg_part *all = written->runs + written->count;
    uint32_t low = 0, high = written->column_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (all[middle].first < first)
            low = middle + 1;
        else
            high = middle;
    }
    while (high < written->column_count && all[high].first == first)
        high++;
    *count_out = high - low;
    return all + low;
}

/* ------------------------------------------------------------------ one run */

struct run_change {
    struct aimg_writer *writer;
    const struct aimg_part *run;
    struct aimg_run_tables tables;             /* as they were: of the run, then its COLUMN tables */
    const struct aimg_column_change **changes; /* one a column; NULL: none */
    struct aimg_table **newest;                /* the one of the tables that counts for a column, or NULL */
    bool *written;                             /* columns that the new table holds */
    uint32_t *held;           /* one a table: columns for which it goes on to count; 0 also of those that are not folded */
    struct aimg_buffer edits; /* struct aimg_column_edit: of one column */
};

static bool gives_value(const struct aimg_column_change *change, uint32_t rows)
{
    for (size_t i = 0; i < change->edit_count; i++)
        if (change->edits[i].bytes != AIMG_EDIT_NULL)
            return true;
    return change->values != NULL && (change->validity == NULL || !aimg_all_zero(change->validity, (size_t)aimg_blocks(rows, 8)));
}

/* Which columns change, unless nulls become nulls; how many. */
static uint32_t plan(struct run_change *change)
{
    const struct aimg_writer *writer = change->writer;
    uint32_t count = 0;
    for (uint32_t i = 0; i < writer->column_count; i++) {
        const struct aimg_column_change *column = change->changes[i];
        change->newest[i] = aimg_run_tables_column(&change->tables, &writer->columns[i].record);
        change->written[i] = column != NULL && (change->newest[i] != NULL || gives_value(column, change->run->count));
        count += change->written[i];
    }
    return count;
}

/* ------------------------------------------------------------------ folding */

/* Number of the COLUMN table that goes on to count for a column, or 0. */
static uint32_t holder_of(const struct run_change *change, uint32_t column)
{
    bool held = !change->written[column] && change->newest[column] != NULL;
    return held ? (uint32_t)(change->newest[column] - change->tables.tables) : 0;
}

static void count_held(struct run_change *change)
{
    for (uint32_t i = 0; i < change->writer->column_count; i++)
        change->held[holder_of(change, i)]++;
    change->held[0] = 0;
}

static bool is_small(const struct run_change *change, uint32_t table, unsigned level)
{
    return change->held[table] > 0 && aimg_merge_level(change->held[table]) <= level;
}

static uint32_t count_small(const struct run_change *change, unsigned level)
{
    uint32_t count = 0;
    for (uint32_t k = 1; k < change->tables.count; k++)
        count += is_small(change, k, level);
    return count;
}

/* Damage is no reason to fail, and must not get good checksums: such a table stays as it is. */
static void leave_damaged(struct run_change *change, unsigned level)
{
    for (uint32_t k = 1; k < change->tables.count; k++) {
        struct aimg_table *table = &change->tables.tables[k];
        if (is_small(change, k, level) &&
            aimg_table_verify(&change->tables.reader->source, table, 0, table->data_bytes, NULL) != AIMG_OK)
            change->held[k] = 0;
    }
}

/* The columns of the tables up to a level go into the new one, when with it there are enough of these tables. How many columns.
 */
static uint32_t fold(struct run_change *change, unsigned level, uint32_t enough)
{
    uint32_t columns = 0;
    if (count_small(change, level) + 1 < enough)
        return 0;
    leave_damaged(change, level);
    if (count_small(change, level) + 1 < enough)
        return 0;
    for (uint32_t i = 0; i < change->writer->column_count; i++) {
        if (!is_small(change, holder_of(change, i), level))
            continue;
        change->written[i] = true;
        columns++;
    }
    for (uint32_t k = 1; k < change->tables.count; k++)
        change->held[k] = is_small(change, k, level) ? 0 : change->held[k];
    return columns;
}

/* Tables become one by levels of their number of columns, as runs do by their rows: so there are a few a level, and a column is
 * copied a few times. columns: of the new table so far. */
static void fold_levels(struct run_change *change, uint32_t columns, uint32_t enough)
{
    uint32_t more;
    count_held(change);
    do {
        more = fold(change, enough == 1 ? UINT32_MAX : aimg_merge_level(columns), enough);
        columns += more;
    } while (more > 0);
}

/* ------------------------------------------------------------------ the new table */

/* The edits of a column as the table takes them. */
static enum aimg_status take_edits(struct run_change *change, const struct aimg_column_change *column, struct aimg_error *error)
{
    const struct aimg_writer *writer = change->writer;
    change->edits.bytes = 0;
    if (!aimg_buffer_reserve(&writer->allocator, &change->edits, column->edit_count * sizeof(struct aimg_column_edit)))
        return aimg_fail_memory(error, column->edit_count * sizeof(struct aimg_column_edit));
    for (size_t i = 0; i < column->edit_count; i++) {
        const struct aimg_edit *edit = &column->edits[i];
        bool null = edit->bytes == AIMG_EDIT_NULL;
        struct aimg_column_edit taken = {.row = edit->ordinal - change->run->first, .bytes = null ? 0 : edit->bytes};
        if (!null)
            taken.data = aimg_edits_data(&writer->edits, edit);
        (void)aimg_buffer_add(&writer->allocator, &change->edits, &taken, sizeof taken);
    }
    return AIMG_OK;
}

static enum aimg_status write_column(struct run_change *change, struct aimg_table_writer *table, uint32_t index, bool *zstd,
                                     struct aimg_error *error)
{
    struct aimg_writer *writer = change->writer;
    const struct aimg_column_change *column = change->changes[index];
    const struct aimg_column_record *record = &writer->columns[index].record;
    struct aimg_table *old = change->newest[index];
    struct aimg_column_piece piece = {.count = change->run->count};
    struct aimg_column_source source = {.record = record, .pieces = &piece, .piece_count = 1, .always = old != NULL};
    bool all_new = column != NULL && column->edit_count == change->run->count; /* then the old ones are not looked at */
    if (column != NULL && column->values != NULL) {
        piece.values = column->values;
        piece.validity = column->validity;
    } else if (old != NULL && !all_new) {
        piece.reader = change->tables.reader;
        piece.table = old;
    }
    enum aimg_status status = column == NULL ? AIMG_OK : take_edits(change, column, error);
    if (status == AIMG_OK && column != NULL) {
        source.edits = (const struct aimg_column_edit *)(const void *)change->edits.data;
        source.edit_count = (uint32_t)column->edit_count;
    }
    return status == AIMG_OK ? aimg_column_write(table, &writer->codecs, &source, zstd, error) : status;
}

static enum aimg_status write_table(struct run_change *change, struct aimg_part *part_out, struct aimg_error *error)
{
    struct aimg_table_writer table;
    struct aimg_writer *writer = change->writer;
    bool zstd = false;
    enum aimg_status status =
        aimg_table_writer_begin(&table, &writer->out, AIMG_FRAME_COLUMN, 0, change->run->first, change->run->count, error);
    for (uint32_t i = 0; status == AIMG_OK && i < writer->column_count; i++)
        if (change->written[i])
            status = write_column(change, &table, i, &zstd, error);
    if (zstd)
        writer->incompat |= AIMG_INCOMPAT_ZSTD;
    if (status == AIMG_OK)
        return aimg_table_writer_end(&table, part_out, error);
    aimg_table_writer_abandon(&table);
    return status;
}

/* COLUMN tables whose columns all stand in newer ones. */
static void drop_superseded(struct run_change *change)
{
    struct aimg_writer *writer = change->writer;
    for (uint32_t k = 1; k < change->tables.count; k++) {
        const struct aimg_table *table = &change->tables.tables[k];
        bool counts = false;
        for (uint32_t i = 0; !counts && i < writer->column_count; i++)
            counts = !change->written[i] && change->newest[i] == table;
        if (!counts)
            aimg_writer_drop_part(writer, &table->part);
    }
}

/* Tables of a level that become one. Fewer with many runs, so that ROOT has room for the tables of all. */
static uint32_t enough_tables(uint32_t run_count)
{
    return run_count <= AIMG_PART_MAX / 128 ? AIMG_COLUMN_TABLES_FOLD : run_count <= AIMG_PART_MAX / 64 ? 2 : 1;
}

static enum aimg_status change_run(struct run_change *change, uint32_t run_count, struct aimg_error *error)
{
    struct aimg_part part;
    uint32_t columns = plan(change);
    if (columns == 0)
        return AIMG_OK;
    fold_levels(change, columns, enough_tables(run_count));
    enum aimg_status status = write_table(change, &part, error);
    if (status != AIMG_OK)
        return status;
    drop_superseded(change);
    change->writer->columns_written = true;
    return aimg_writer_add_part(change->writer, &part, error);
}

static enum aimg_status open_change(struct run_change *change, const struct aimg_written_runs *written, struct aimg_error *error)
{
    struct aimg_writer *writer = change->writer;
    const struct aimg_allocator *allocator = &writer->allocator;
    uint32_t part_count;
    const struct aimg_part *parts = column_parts(written, change->run->first, &part_count);
    change->changes = aimg_alloc_array(allocator, writer->column_count, sizeof(void *));
    change->newest = aimg_alloc_array(allocator, writer->column_count, sizeof(void *));
    change->written = aimg_alloc_array(allocator, writer->column_count, sizeof *change->written);
    change->held = aimg_alloc_array(allocator, (uint64_t)part_count + 1, sizeof *change->held);
    if (change->changes == NULL || change->newest == NULL || change->written == NULL || change->held == NULL)
        return aimg_fail_memory(error, writer->column_count * sizeof(void *));
    return aimg_run_tables_open(&written->view, change->run, parts, part_count, &change->tables, error);
}

static void close_change(struct run_change *change)
{
    const struct aimg_allocator *allocator = &change->writer->allocator;
    aimg_run_tables_release(&change->tables);
    aimg_buffer_release(allocator, &change->edits);
    aimg_release(allocator, change->changes);
    aimg_release(allocator, change->newest);
    aimg_release(allocator, change->written);
    aimg_release(allocator, change->held);
}

enum aimg_status aimg_column_publish_run(struct aimg_writer *writer, const struct aimg_written_runs *written, uint32_t index,
                                         const struct aimg_column_change *changes, uint32_t change_count,
                                         struct aimg_error *error)
{
    struct run_change change = {.writer = writer, .run = &written->runs[index]};
    enum aimg_status status = open_change(&change, written, error);
    for (uint32_t i = 0; status == AIMG_OK && i < change_count; i++)
        if (changes[i].values != NULL || changes[i].edit_count > 0)
            change.changes[changes[i].column] = &changes[i];
    if (status == AIMG_OK)
        status = change_run(&change, written->count, error);
    close_change(&change);
    return status;
}

/* ------------------------------------------------------------------ edits */

/* The edits of each column as changes, without any edits yet. */
static enum aimg_status begin_changes(const struct aimg_writer *writer, struct aimg_column_change **changes_out,
                                      uint32_t *count_out, struct aimg_error *error)
{
    size_t count;
    const struct aimg_edit *edits = aimg_edits_all(&writer->edits, &count);
    struct aimg_column_change *changes = aimg_alloc_array(&writer->allocator, writer->column_count, sizeof *changes);
    uint32_t columns = 0;
    if (changes == NULL)
        return aimg_fail_memory(error, writer->column_count * sizeof *changes);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || edits[i].column != edits[i - 1].column)
            changes[columns++] = (struct aimg_column_change){.column = edits[i].column, .edits = &edits[i]};
    *changes_out = changes;
    *count_out = columns;
    return AIMG_OK;
}

/* Moves each change on to the edits of the next run. How many columns have some. */
static uint32_t next_changes(const struct aimg_writer *writer, const struct aimg_part *run, struct aimg_column_change *changes,
                             uint32_t count)
{
    size_t total;
    uint32_t changed = 0;
    const struct aimg_edit *all = aimg_edits_all(&writer->edits, &total);
    for (uint32_t i = 0; i < count; i++) {
        struct aimg_column_change *change = &changes[i];
        change->edits += change->edit_count;
        size_t left = total - (size_t)(change->edits - all), taken = 0;
        while (taken < left && change->edits[taken].column == change->column &&
               change->edits[taken].ordinal - run->first < run->count)
            taken++;
        change->edit_count = taken;
        changed += taken > 0;
    }
    return changed;
}

static enum aimg_status publish_changes(struct aimg_writer *writer, const struct aimg_written_runs *written,
                                        struct aimg_column_change *changes, uint32_t count, struct aimg_error *error)
{
    enum aimg_status status = AIMG_OK;
    for (uint32_t i = 0; status == AIMG_OK && i < written->count; i++)
        if (next_changes(writer, &written->runs[i], changes, count) > 0)
            status = aimg_column_publish_run(writer, written, i, changes, count, error);
    return status;
}

enum aimg_status aimg_column_publish_edits(struct aimg_writer *writer, struct aimg_error *error)
{
    struct aimg_written_runs written = {.runs = NULL};
    struct aimg_column_change *changes = NULL;
    uint32_t count = 0;
    if (writer->edits.edits.bytes == 0)
        return AIMG_OK;
    aimg_edits_sort(&writer->edits);
    enum aimg_status status = begin_changes(writer, &changes, &count, error);
    if (status == AIMG_OK)
        status = aimg_written_runs_take(writer, &written, error);
    if (status == AIMG_OK)
        status = publish_changes(writer, &written, changes, count, error);
    aimg_written_runs_release(writer, &written);
    aimg_release(&writer->allocator, changes);
    aimg_edits_clear(&writer->edits);
    return status;
}
