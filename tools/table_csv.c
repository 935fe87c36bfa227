/* SPDX-License-Identifier: Apache-2.0 */
/* CSV as RFC 4180 has it, by libcsv in its strict mode. Its callbacks cannot stop it, so it is given a line at a time: then there
 * is at most one row to take, and the line of every error is known. */
#include "table.h"

#include "cmd.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

enum { FIELD_STEP_BYTES = 1 << 12, SLICE_BYTES = 1 << 16 };

/* Spaces are part of a field. */
static int no_space(unsigned char byte)
{
    (void)byte;
    return 0;
}

int table_csv_begin(struct table *table)
{
    if (csv_init(&table->csv, CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL) != 0)
        return table_error(table, "the CSV parser cannot be started");
    csv_set_space_func(&table->csv, no_space);
    csv_set_blk_size(&table->csv, FIELD_STEP_BYTES);
    table->has_csv = true;
    table->header_read = false;
    table->field_count = table->rows_in_line = 0;
    table->row_bytes = table->fields.bytes = 0;
    table->out_of_memory = table->too_many = false;
    return EXIT_DONE;
}

void table_csv_end(struct table *table)
{
    if (table->has_csv)
        csv_free(&table->csv);
    table->has_csv = false;
    buffer_free(&table->fields);
}

/* ------------------------------------------------------------------ what libcsv calls */

/* A cell's text is an offset while the buffer of the texts may still move. */
struct field {
    size_t begin, bytes;
    bool null;
};

static void take_field(void *text, size_t bytes, void *user)
{
    struct table *table = user;
    struct field field = {.bytes = bytes, .null = text == NULL};

    if (table->rows_in_line > 0)
        return;
    if (table->field_count > TABLE_COLUMNS_MOST) {
        table->too_many = true;
        return;
    }
    table->out_of_memory =
        table->out_of_memory || !buffer_put(&table->fields, &field, sizeof field) || !buffer_put(&table->fields, text, bytes);
    table->field_count++;
}

static void take_row(int end, void *user)
{
    struct table *table = user;

    (void)end;
    table->rows_in_line++;
}

/* ------------------------------------------------------------------ lines to rows */

static int parse_fault(struct table *table)
{
    if (csv_error(&table->csv) == CSV_ENOMEM || csv_error(&table->csv) == CSV_ETOOBIG) {
        output_error("%s: out of memory for a field of line %llu", table->path, (unsigned long long)table->line);
        return EXIT_SYSTEM;
    }
    table->row = table->line;
    return table_error(table, "broken quoting: a quote inside a field without quotes, or text behind a closing quote; a field "
                              "with a quote in it is written \"like \"\"this\"\"\"");
}

/* libcsv's own buffer grows by steps of one size, which would copy a long field over and over: here the step grows with it. */
static int parse(struct table *table, const char *line, size_t bytes)
{
    while (bytes > 0) {
        size_t slice = bytes < SLICE_BYTES ? bytes : SLICE_BYTES, room = csv_get_buffer_size(&table->csv);

        csv_set_blk_size(&table->csv, room > FIELD_STEP_BYTES ? room : FIELD_STEP_BYTES);
        if (csv_parse(&table->csv, line, slice, take_field, take_row, table) != slice)
            return parse_fault(table);
        line += slice;
        bytes -= slice;
    }
    return EXIT_DONE;
}

static int finish(struct table *table)
{
    if (csv_fini(&table->csv, take_field, take_row, table) == 0)
        return EXIT_DONE;
    if (csv_error(&table->csv) != CSV_EPARSE)
        return parse_fault(table);
    return table_error(table, "a quote is opened in the row that begins here, and never closed");
}

static int check_row(struct table *table)
{
    if (table->out_of_memory) {
        output_error("%s: out of memory for the row on line %llu", table->path, (unsigned long long)table->row);
        return EXIT_SYSTEM;
    }
    if (table->rows_in_line > 1)
        return table_error(table, "a carriage return alone ends a row; save the file with line ends LF or CR LF");
    if (table->too_many)
        return table_error(table, "more than %d fields, the most columns that an archive can have", TABLE_COLUMNS_MOST);
    if (table->row_bytes > TABLE_ROW_BYTES_MOST)
        return table_error(table, "the row that begins here has more than %d MiB; is a quote not closed?",
                           TABLE_ROW_BYTES_MOST >> 20);
    return EXIT_DONE;
}

/* Nothing but the ends of lines; the bytes end with no zero. */
static bool is_blank(const char *line, size_t bytes)
{
    while (bytes > 0 && (line[bytes - 1] == '\r' || line[bytes - 1] == '\n'))
        bytes--;
    return bytes == 0;
}

/* Reads on until there is a row; it lies in `fields`. */
static int read_row(struct table *table, bool *row_out)
{
    const char *line;
    size_t bytes;
    int code;

    table->fields.bytes = table->row_bytes = 0;
    table->field_count = table->rows_in_line = 0;
    table->row = table->line + 1;
    for (;;) {
        code = table_line(table, &line, &bytes);
        if (code != EXIT_DONE)
            return code;
        if (table->row_bytes == 0)
            table->row = table->line;
        code = line == NULL ? finish(table) : parse(table, line, bytes);
        table->row_bytes += bytes;
        if (code == EXIT_DONE)
            code = check_row(table);
        if (code != EXIT_DONE || table->rows_in_line > 0 || line == NULL)
            break;
        if (table->row_bytes == bytes && is_blank(line, bytes))
            table->row_bytes = 0; /* an empty line between rows */
    }
    *row_out = table->rows_in_line > 0;
    return code;
}

static const char *next_field(const char *at, struct table_cell *cell)
{
    struct field field;

    memcpy(&field, at, sizeof field);
    at += sizeof field;
    *cell = (struct table_cell){.kind = field.null ? TABLE_NULL : TABLE_TEXT, .text = at, .bytes = field.bytes};
    return at + field.bytes;
}

static int read_header(struct table *table)
{
    struct table_cell cell;
    const char *at = table->fields.data;
    int code = EXIT_DONE;

    table->header_read = true;
    table->header_row = table->row;
    /* The second time the columns are known. */
    if (table->count > 0)
        return EXIT_DONE;
    for (uint32_t i = 0; code == EXIT_DONE && i < table->field_count; i++) {
        at = next_field(at, &cell);
        while (cell.bytes > 0 && cell.text[0] == ' ') {
            cell.text++;
            cell.bytes--;
        }
        while (cell.bytes > 0 && cell.text[cell.bytes - 1] == ' ')
            cell.bytes--;
        if (cell.kind == TABLE_NULL || cell.bytes == 0)
            return table_error(table, "column %u of the header has no name", (unsigned)i + 1);
        if (!utf8_valid(cell.text, cell.bytes))
            return table_error(table, "the name of column %u is not UTF-8", (unsigned)i + 1);
        code = table_add_column(table, cell.text, cell.bytes);
    }
    if (code == EXIT_DONE && strcmp(table->heads[0], "name") != 0)
        return table_error(table, "the first column must be 'name', found '%s'; the first line names the columns, with commas",
                           table->heads[0]);
    return code;
}

static int fill_cells(struct table *table)
{
    const char *at = table->fields.data;

    if (table->field_count != table->count)
        return table_error(table, "the row has %u field%s, the header %u", (unsigned)table->field_count,
                           table->field_count == 1 ? "" : "s", (unsigned)table->count);
    for (uint32_t i = 0; i < table->count; i++)
        at = next_field(at, &table->cells[i]);
    return EXIT_DONE;
}

int table_csv_next(struct table *table, bool *row_out)
{
    int code = read_row(table, row_out);

    if (code == EXIT_DONE && *row_out && !table->header_read) {
        code = read_header(table);
        if (code == EXIT_DONE)
            code = read_row(table, row_out);
    }
    if (code != EXIT_DONE)
        return code;
    if (*row_out)
        return fill_cells(table);
    if (table->header_read)
        return EXIT_DONE;
    output_error("%s: is empty; the first line names the columns: name,score", table->path);
    return EXIT_NO;
}
