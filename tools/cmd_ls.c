/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include "column_reader.h"
#include "json.h"
#include "output.h"
#include "reading.h"
#include "select.h"
#include "value_text.h"
#include "values.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char help_ls[] = "  -l             position, size, format, width x height, label and name\n"
                       "  -0, --null     end names with a zero byte, for 'xargs -0'\n"
                       "      --json     one JSON object a line: position, ordinal, name, bytes, stored_bytes,\n"
                       "                 format, width, height, channels, label, xxh128\n"
                       "      --columns A,B  name and the values of these columns, with tabs between them; a control\n"
                       "                 character is written \\xNN; 'aimg get' writes CSV and JSON lines\n" READING_AT_HELP "\n"
                       "GLOB: '*' any text, slashes too; '?' one character; '[a-z]' one of a set. A GLOB that is\n"
                       "an image's name selects that image. Images are listed in order of position, which counts\n"
                       "from 0 and is what '@N' means elsewhere. A GLOB that matches nothing makes the exit code 1.\n"
                       "\n"
                       "  aimg ls photos.aimg | head\n"
                       "  aimg ls -l photos.aimg 'cat/*'\n"
                       "  aimg ls --columns label,width photos.aimg | sort -k2\n"
                       "  aimg ls --json photos.aimg | jq -r 'select(.width > 1000) | .name'\n";

enum style { STYLE_NAMES, STYLE_NULL, STYLE_LONG, STYLE_JSON, STYLE_COLUMNS };

struct printer {
    const struct aimg_reader *reader;
    const char *path;
    enum style style;
    bool terminal;
    int position_width;
    struct cursor width, height, channels, label;
    struct column_reader *columns; /* of --columns */
    size_t column_count;
    struct buffer text, shown;
    int code;
};

static bool has_control(const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
            return true;
    return false;
}

/* Text as it may be shown: it comes from an archive that anyone may have written. No archive may hold a name with a newline, so
 * one that does must not pass for two names. */
static const char *shown(struct printer *printer, const char *text, size_t *bytes)
{
    if (printer->style == STYLE_NULL || (!printer->terminal && !has_control(text, *bytes)))
        return text;
    printer->shown.bytes = 0;
    if (!buffer_reserve(&printer->shown, *bytes * 4 + 1)) {
        output_error("%s: out of memory", printer->path);
        printer->code = EXIT_SYSTEM;
        *bytes = 0;
        return "";
    }
    output_escape(text, *bytes, printer->shown.data, printer->shown.room);
    *bytes = strlen(printer->shown.data);
    return printer->shown.data;
}

static void print_text(struct printer *printer, const char *text, size_t bytes)
{
    text = shown(printer, text, &bytes);
    fwrite_unlocked(text, 1, bytes, stdout);
}

static void print_dimensions(struct printer *printer, uint32_t ordinal)
{
    uint64_t width, height;
    char text[48] = "-";

    if (cursor_number(&printer->width, ordinal, &width) && cursor_number(&printer->height, ordinal, &height))
        snprintf(text, sizeof text, "%" PRIu64 "x%" PRIu64, width, height);
    printf("  %11s", text);
}

static void print_label(struct printer *printer, uint32_t ordinal)
{
    const char *label = "-";
    size_t bytes = 1;

    cursor_text(&printer->label, ordinal, &label, &bytes);
    fputs("  ", stdout);
    print_text(printer, label, bytes);
    printf("%*s  ", bytes < 12 ? (int)(12 - bytes) : 0, "");
}

static void print_long(struct printer *printer, const struct aimg_listed *listed, const struct aimg_entry *entry)
{
    printf("%*" PRIu64, printer->position_width, listed->position);
    if (entry != NULL)
        printf("  %11" PRIu64 "  %7s", entry->raw_bytes, aimg_format_name(entry->format));
    else
        printf("  %11s  %7s", "?", "?");
    print_dimensions(printer, listed->ordinal);
    print_label(printer, listed->ordinal);
    print_text(printer, listed->name, listed->name_bytes);
    putchar_unlocked('\n');
}

static void put_number(struct json_line *line, struct cursor *cursor, uint32_t ordinal)
{
    uint64_t number;

    if (cursor_number(cursor, ordinal, &number))
        json_line_count(line, cursor->column.name, number);
}

static void print_json(struct printer *printer, const struct aimg_listed *listed, const struct aimg_entry *entry)
{
    struct json_line line;
    const char *text;
    char hash[33];
    size_t bytes;

    json_line_begin(&line);
    json_line_count(&line, "position", listed->position);
    json_line_count(&line, "ordinal", listed->ordinal);
    json_line_text(&line, "name", listed->name, listed->name_bytes);
    if (entry != NULL) {
        json_line_count(&line, "bytes", entry->raw_bytes);
        json_line_count(&line, "stored_bytes", entry->stored_bytes);
        text = aimg_format_name(entry->format);
        json_line_text(&line, "format", text, strlen(text));
    }
    put_number(&line, &printer->width, listed->ordinal);
    put_number(&line, &printer->height, listed->ordinal);
    put_number(&line, &printer->channels, listed->ordinal);
    if (cursor_text(&printer->label, listed->ordinal, &text, &bytes))
        json_line_text(&line, "label", text, bytes);
    if (entry != NULL)
        json_line_text(&line, "xxh128", output_hash(entry->hash, hash), sizeof hash - 1);
    json_line_end(&line);
}

/* A line stays a line, and a tab a tab between two values. */
static void print_value(struct printer *printer, struct column_reader *column, uint32_t ordinal)
{
    struct column_value value;
    int code = column_reader_value(column, ordinal, &value);

    putchar_unlocked('\t');
    printer->text.bytes = printer->shown.bytes = 0;
    if (code == EXIT_DONE && (!value_text(&column->type, &value, VALUE_PLAIN, &printer->text) ||
                              !buffer_reserve(&printer->shown, printer->text.bytes * 4 + 1))) {
        output_error("%s: out of memory", printer->path);
        code = EXIT_SYSTEM;
    }
    printer->code = worse_code(printer->code, code);
    if (code == EXIT_DONE)
        fputs_unlocked(output_escape(printer->text.data, printer->text.bytes, printer->shown.data, printer->shown.room), stdout);
}

static void print_columns(struct printer *printer, const struct aimg_listed *listed)
{
    print_text(printer, listed->name, listed->name_bytes);
    for (size_t i = 0; i < printer->column_count && printer->code <= EXIT_NO; i++)
        print_value(printer, &printer->columns[i], listed->ordinal);
    putchar_unlocked('\n');
}

static void print_image(struct printer *printer, const struct aimg_listed *listed)
{
    struct aimg_entry entry;
    struct aimg_error error;
    const struct aimg_entry *known = &entry;
    enum aimg_status status;

    if (printer->style == STYLE_NAMES || printer->style == STYLE_NULL) {
        print_text(printer, listed->name, listed->name_bytes);
        putchar_unlocked(printer->style == STYLE_NULL ? '\0' : '\n');
        return;
    }
    if (printer->style == STYLE_COLUMNS) {
        print_columns(printer, listed);
        return;
    }
    status = aimg_reader_entry(printer->reader, listed->ordinal, &entry, &error);
    if (status != AIMG_OK) {
        printer->code = output_status(printer->path, status, &error);
        known = NULL;
    }
    if (printer->style == STYLE_JSON)
        print_json(printer, listed, known);
    else
        print_long(printer, listed, known);
}

static int list_images(struct printer *printer, struct selection *selection)
{
    struct walk walk;
    struct aimg_listed listed;
    int code;

    walk_begin(&walk, printer->reader, printer->path, selection);
    while (!ferror_unlocked(stdout) && !(printer->style == STYLE_COLUMNS && printer->code > EXIT_NO) && walk_next(&walk, &listed))
        print_image(printer, &listed);
    walk_end(&walk);
    code = worse_code(printer->code, walk.code);
    code = worse_code(code, worse_code(printer->width.code, printer->height.code));
    return worse_code(code, worse_code(printer->channels.code, printer->label.code));
}

/* names: "a,b"; its commas become zero bytes. */
static int begin_columns(struct printer *printer, char *names)
{
    size_t count = 1;

    for (const char *at = names; *at != '\0'; at++)
        count += *at == ',';
    printer->columns = calloc(count, sizeof *printer->columns);
    if (printer->columns == NULL) {
        output_error("%s: out of memory", printer->path);
        return EXIT_SYSTEM;
    }
    for (char *name = names, *next; name != NULL; name = next) {
        next = strchr(name, ',');
        if (next != NULL)
            *next++ = '\0';
        if (!column_reader_begin(&printer->columns[printer->column_count], printer->reader, printer->path, name)) {
            output_error("%s: there is no column '%s'; 'aimg info' lists them", printer->path, name);
            return EXIT_NO;
        }
        printer->column_count++;
    }
    return EXIT_DONE;
}

static void end_columns(struct printer *printer)
{
    for (size_t i = 0; i < printer->column_count; i++) {
        column_reader_report(&printer->columns[i]);
        column_reader_end(&printer->columns[i]);
    }
    free(printer->columns);
    buffer_free(&printer->text);
    buffer_free(&printer->shown);
}

static int list_archive(const char *path, const struct reading_at *at, enum style style, char *columns, char *const *globs,
                        int glob_count)
{
    struct printer printer = {.path = path, .style = style};
    struct selection selection;
    struct aimg_reader *reader;
    int code = reading_open_at(path, READING_MAPPED, at, &reader);

    if (code != EXIT_DONE)
        return code;
    code = selection_init(&selection, globs, glob_count);
    if (code != EXIT_DONE)
        goto out;
    printer.reader = reader;
    printer.terminal = isatty(STDOUT_FILENO);
    printer.position_width = snprintf(NULL, 0, "%" PRIu64, aimg_reader_count(reader));
    cursor_begin(&printer.width, reader, path, "width");
    cursor_begin(&printer.height, reader, path, "height");
    cursor_begin(&printer.channels, reader, path, "channels");
    cursor_begin(&printer.label, reader, path, "label");
    code = columns != NULL ? begin_columns(&printer, columns) : EXIT_DONE;
    if (code == EXIT_DONE) {
        code = list_images(&printer, &selection);
        if (!ferror_unlocked(stdout))
            code = worse_code(code, selection_report(&selection, reader));
    }
    end_columns(&printer);
    cursor_end(&printer.label);
    selection_fini(&selection);
out:
    aimg_reader_close(reader);
    return output_finish(code);
}

int cmd_ls(int argc, char **argv, const struct common_options *common)
{
    enum { OPTION_JSON = LONG_OPTION, OPTION_AT, OPTION_COLUMNS };
    static const struct option options[] = {{"null", no_argument, NULL, '0'},
                                            {"json", no_argument, NULL, OPTION_JSON},
                                            {"at", required_argument, NULL, OPTION_AT},
                                            {"columns", required_argument, NULL, OPTION_COLUMNS},
                                            {NULL, 0, NULL, 0}};
    struct reading_at at = {.given = false};
    enum style style = STYLE_NAMES, wanted;
    char *columns = NULL;
    int found;

    (void)common;
    optind = 0;
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":l0", options, NULL)) != -1) {
        if (found == '?' || found == ':')
            return reading_bad_option("ls", found, argv);
        if (found == OPTION_AT) {
            if (reading_take_at("ls", "--at", optarg, &at) != EXIT_DONE)
                return EXIT_USAGE;
            continue;
        }
        wanted = found == 'l' ? STYLE_LONG : found == '0' ? STYLE_NULL : STYLE_JSON;
        if (found == OPTION_COLUMNS) {
            wanted = STYLE_COLUMNS;
            columns = optarg;
        }
        if (style != STYLE_NAMES && style != wanted)
            return output_usage("ls", "-l, -0, --json and --columns cannot be combined");
        style = wanted;
    }
    if (optind >= argc)
        return output_usage("ls", "ARCHIVE is missing");
    return list_archive(argv[optind], &at, style, columns, argv + optind + 1, argc - optind - 1);
}
