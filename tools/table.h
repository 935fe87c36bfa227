/* SPDX-License-Identifier: Apache-2.0 */
/* Values of columns as people keep them: CSV (RFC 4180, UTF-8, the first line names the columns) or JSON lines (an object a
 * line). Rows come one by one and can be gone over again; memory is that of the longest row, and up to 200 bytes for each
 * value of a JSON line. */
#ifndef AIMG_TOOLS_TABLE_H
#define AIMG_TOOLS_TABLE_H

#include "buffer.h"
#include "output.h"

#include <csv.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum table_format { TABLE_BY_NAME, TABLE_CSV, TABLE_JSONL };

enum {
    TABLE_COLUMNS_MOST = 1024,       /* as an archive can have */
    TABLE_ROW_BYTES_MOST = 64 << 20, /* the longest value, 16 MiB, fits also when it is written in hexadecimal digits */
    TABLE_JSON_VALUES_MOST = 1 << 20 /* of a line, those in arrays too: they stand in memory one by one */
};

enum table_kind {
    TABLE_ABSENT, /* JSON lines: the row has no such key */
    TABLE_NULL,   /* CSV: nothing between the commas; JSON: null */
    TABLE_TEXT,   /* CSV, also "" in quotes; JSON: a string */
    TABLE_JSON    /* another JSON value */
};

struct table_cell {
    enum table_kind kind;
    bool is_string; /* of JSON: text, and no number whatever it looks like */
    const char *text;
    size_t bytes;
    const json_t *json;
};

struct table {
    const char *path;
    enum table_format format;
    int fd;
    uint64_t line; /* lines read so far */
    uint64_t row;  /* line on which the row begins that was read last */
    uint64_t header_row;
    char **heads; /* names of the columns as they stand in the file, the name's at 0; JSON lines find more as they go on */
    uint32_t count, room;
    struct table_cell *cells; /* of the row that was read last, `count` of them; valid until the next */

    struct buffer input; /* read, not used yet: from `at` on */
    size_t at, scanned;
    bool ended;
    struct csv_parser csv;
    struct buffer fields; /* texts of the CSV row */
    uint32_t field_count, rows_in_line;
    size_t row_bytes;
    bool has_csv, header_read, out_of_memory, too_many;
    json_t *object; /* of the JSON row */
};

/* path: borrowed, "-" for standard input. What is no regular file is copied to an unnamed temporary file first. These print what
 * is wrong, and return an exit_code. */
int table_open(struct table *table, const char *path, enum table_format format);
/* *row_out false at the end. */
int table_next(struct table *table, bool *row_out);
int table_rewind(struct table *table);
void table_close(struct table *table);

/* "labels.csv:12: ...", the line being that of the last row. Returns EXIT_NO. */
int table_error(const struct table *table, const char *format, ...) PRINTF_LIKE(2, 3);

/* Bytes of a column's name out of a head: in CSV the spaces before ":type" are no part of it, as those around a head are not. */
size_t table_name_bytes(const struct table *table, const char *head, size_t bytes);

/* "csv", "jsonl". */
bool table_format_parse(const char *text, enum table_format *format_out);
/* What the end of a file's name says; TABLE_BY_NAME: nothing. */
enum table_format table_format_of(const char *path);

/* The pieces of it. */

/* The next line with its end; NULL at the end of the file. */
int table_line(struct table *table, const char **line_out, size_t *bytes_out);
/* One more column. */
int table_add_column(struct table *table, const char *head, size_t bytes);
int table_csv_begin(struct table *table);
int table_csv_next(struct table *table, bool *row_out);
void table_csv_end(struct table *table);
int table_jsonl_next(struct table *table, bool *row_out);

#endif
