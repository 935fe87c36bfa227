/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include "cmd.h"
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 1 << 16, MESSAGE_BYTES = 2048 };

int table_error(const struct table *table, const char *format, ...)
{
    char message[MESSAGE_BYTES];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    output_error("%s:%" PRIu64 ": %s", table->path, table->row, message);
    return EXIT_NO;
}

static int system_error(const struct table *table, const char *what)
{
    output_error("%s: %s: %s", table->path, what, strerror(errno));
    return EXIT_SYSTEM;
}

static int memory_error(const struct table *table)
{
    output_error("%s: out of memory for line %" PRIu64, table->path, table->line + 1);
    return EXIT_SYSTEM;
}

size_t table_name_bytes(const struct table *table, const char *head, size_t bytes)
{
    while (table->format == TABLE_CSV && bytes > 0 && head[bytes - 1] == ' ')
        bytes--;
    return bytes;
}

bool table_format_parse(const char *text, enum table_format *format_out)
{
    bool csv = strcmp(text, "csv") == 0;

    if (!csv && strcmp(text, "jsonl") != 0)
        return false;
    *format_out = csv ? TABLE_CSV : TABLE_JSONL;
    return true;
}

enum table_format table_format_of(const char *path)
{
    static const struct {
        const char *ending;
        enum table_format format;
    } endings[] = {{".csv", TABLE_CSV}, {".jsonl", TABLE_JSONL}, {".ndjson", TABLE_JSONL}};
    size_t bytes = strlen(path);

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        size_t ending = strlen(endings[i].ending);

        if (bytes > ending && strcasecmp(path + bytes - ending, endings[i].ending) == 0)
            return endings[i].format;
    }
    return TABLE_BY_NAME;
}

/* ------------------------------------------------------------------ opening */

static int choose_format(struct table *table)
{
    if (table->format == TABLE_BY_NAME)
        table->format = table_format_of(table->path);
    if (table->format != TABLE_BY_NAME)
        return EXIT_DONE;
    output_error("%s: is it CSV or JSON lines? A file whose name ends in .csv, .jsonl or .ndjson says it; for 'aimg set' "
                 "--format does too",
                 table->path);
    return EXIT_USAGE;
}

/* Two passes need a file that can be read twice. */
static int open_file(struct table *table, bool standard_input)
{
    struct stat status;

    table->fd = standard_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : open(table->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (table->fd < 0)
        return system_error(table, "cannot open");
    if (fstat(table->fd, &status) != 0)
        return system_error(table, "cannot ask for its kind");
    if (S_ISDIR(status.st_mode)) {
        output_error("%s: is a folder, not a file with values", table->path);
        return EXIT_SYSTEM;
    }
    /* Standard input may stand anywhere in its file, so it is copied from there on. */
    if (S_ISREG(status.st_mode) && !standard_input)
        return EXIT_DONE;
    return spool_input(&table->fd, table->path);
}

int table_rewind(struct table *table)
{
    if (lseek(table->fd, 0, SEEK_SET) != 0)
        return system_error(table, "cannot go back to its beginning");
    table->line = table->row = 0;
    table->at = table->scanned = table->input.bytes = 0;
    table->ended = false;
    if (table->format == TABLE_JSONL)
        return EXIT_DONE;
    table_csv_end(table);
    return table_csv_begin(table);
}

static int begin(struct table *table, bool standard_input)
{
    int code = choose_format(table);

    if (code == EXIT_DONE)
        code = open_file(table, standard_input);
    if (code == EXIT_DONE && table->format == TABLE_JSONL)
        code = table_add_column(table, "name", 4);
    if (code == EXIT_DONE && table->format == TABLE_CSV)
        code = table_csv_begin(table);
    return code;
}

int table_open(struct table *table, const char *path, enum table_format format)
{
    bool standard_input = strcmp(path, "-") == 0;
    int code;

    *table = (struct table){.path = standard_input ? "standard input" : path, .format = format, .fd = -1};
    code = begin(table, standard_input);
    if (code != EXIT_DONE)
        table_close(table);
    return code;
}

void table_close(struct table *table)
{
    table_csv_end(table);
    json_decref(table->object);
    table->object = NULL;
    buffer_free(&table->input);
    for (uint32_t i = 0; i < table->count; i++)
        free(table->heads[i]);
    free(table->heads);
    free(table->cells);
    table->heads = NULL;
    table->cells = NULL;
    table->count = table->room = 0;
    if (table->fd >= 0)
        close(table->fd);
    table->fd = -1;
}

int table_add_column(struct table *table, const char *head, size_t bytes)
{
    uint32_t room = table->room == 0 ? 16 : table->room * 2;

    if (table->count > TABLE_COLUMNS_MOST)
        return table_error(table, "more than %d columns, which is the most that an archive can have", TABLE_COLUMNS_MOST);
    if (table->count == table->room) {
        char **heads = realloc(table->heads, room * sizeof *heads);
        struct table_cell *cells;

        if (heads == NULL)
            return memory_error(table);
        table->heads = heads;
        cells = realloc(table->cells, room * sizeof *cells);
        if (cells == NULL)
            return memory_error(table);
        table->cells = cells;
        table->room = room;
    }
    table->heads[table->count] = buffer_text(head, bytes);
    if (table->heads[table->count] == NULL)
        return memory_error(table);
    table->cells[table->count++] = (struct table_cell){.kind = TABLE_ABSENT};
    return EXIT_DONE;
}

/* ------------------------------------------------------------------ lines */

static int read_more(struct table *table)
{
    ssize_t got;

    if (!buffer_reserve(&table->input, READ_BYTES))
        return memory_error(table);
    do
        got = read(table->fd, table->input.data + table->input.bytes, READ_BYTES);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return system_error(table, "cannot read");
    table->input.bytes += (size_t)got;
    table->ended = got == 0;
    return EXIT_DONE;
}

/* Spreadsheets put a mark before UTF-8; before anything else it says that this is no UTF-8. */
static int skip_mark(struct table *table)
{
    const char *data = table->input.data + table->at;
    size_t bytes = table->input.bytes - table->at;

    if (bytes >= 3 && memcmp(data, "\xEF\xBB\xBF", 3) == 0)
        table->at = table->scanned = 3;
    if (bytes < 2 || (memcmp(data, "\xFF\xFE", 2) != 0 && memcmp(data, "\xFE\xFF", 2) != 0))
        return EXIT_DONE;
    table->row = 1;
    return table_error(table, "this is UTF-16; save it as UTF-8");
}

static int check_line(struct table *table, const char *line, size_t bytes)
{
    const char *zero = memchr(line, '\0', bytes);

    if (zero == NULL)
        return EXIT_DONE;
    table->row = table->line;
    return table_error(table, "a zero byte, the %zuth of the line; this is not text", (size_t)(zero - line) + 1);
}

static int line_too_long(struct table *table)
{
    table->row = table->line + 1;
    return table_error(table, "the line has more than %d MiB", TABLE_ROW_BYTES_MOST >> 20);
}

/* Reads until the line that begins at `at` is whole. *end_out: where it ends. */
static int find_end(struct table *table, size_t *end_out)
{
    const char *newline;
    int code = EXIT_DONE;

    for (;;) {
        newline = NULL;
        if (table->input.bytes > table->scanned)
            newline = memchr(table->input.data + table->scanned, '\n', table->input.bytes - table->scanned);
        *end_out = newline != NULL ? (size_t)(newline - table->input.data) + 1 : table->input.bytes;
        if (*end_out - table->at > TABLE_ROW_BYTES_MOST)
            return line_too_long(table);
        if (newline != NULL || table->ended)
            return EXIT_DONE;
        /* The end was not in what is there: that need not be looked at again, and what was used makes room. */
        if (table->at > 0) {
            memmove(table->input.data, table->input.data + table->at, table->input.bytes - table->at);
            table->input.bytes -= table->at;
            table->at = 0;
        }
        table->scanned = table->input.bytes;
        code = read_more(table);
        if (code == EXIT_DONE && table->line == 0 && table->scanned == 0)
            code = skip_mark(table);
        if (code != EXIT_DONE)
            return code;
    }
}

int table_line(struct table *table, const char **line_out, size_t *bytes_out)
{
    size_t end = 0;
    int code = find_end(table, &end);

    if (code != EXIT_DONE)
        return code;
    *line_out = NULL;
    *bytes_out = end - table->at;
    if (*bytes_out == 0)
        return EXIT_DONE;
    *line_out = table->input.data + table->at;
    table->at = table->scanned = end;
    table->line++;
    return check_line(table, *line_out, *bytes_out);
}

int table_next(struct table *table, bool *row_out)
{
    return table->format == TABLE_CSV ? table_csv_next(table, row_out) : table_jsonl_next(table, row_out);
}
