/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include "column_reader.h"
#include "interrupt.h"
#include "json.h"
#include "output.h"
#include "output_file.h"
#include "reading.h"
#include "select.h"
#include "table.h"
#include "value_text.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char help_get[] =
    "      --csv      CSV, which is the default: a header, then name and values of each image\n"
    "      --jsonl    one JSON object a line; the default for a FILE that ends in .jsonl or .ndjson\n"
    "      --types    columns are called column:type, as 'aimg set' reads it: for another archive, which then gets the\n"
    "                 same types; an archive that has the columns knows theirs\n"
    "      --spreadsheet  CSV for a spreadsheet: an apostrophe before texts that begin with = + - @ or a tab, which it\n"
    "                 would take for formulas; set does not take it off again\n"
    "  -o FILE        write to FILE, which is replaced only once all is written; also --output FILE\n" READING_AT_HELP "\n"
    "The words behind ARCHIVE are columns, or lists as in label,score, as long as the archive has them; the others are\n"
    "GLOBs for names. Without a column all are written. A missing value is an empty field or null, an empty text \"\".\n"
    "Vectors and lists are [1,2,3], bytes hexadecimal digits, images names. What get writes set reads.\n"
    "\n"
    "  aimg get photos.aimg label score > labels.csv\n"
    "  aimg get --jsonl photos.aimg box 'cat/*' | jq .box\n";

enum { COLUMN_NAME_BYTES_MOST = 255 };

struct getter {
    const char *path;
    const struct aimg_reader *reader;
    struct column_reader *columns;
    char **heads; /* what each is called in the output */
    size_t count;
    enum table_format format;
    bool types, terminal, spreadsheet;
    struct buffer text, escaped, marked;
};

/* ------------------------------------------------------------------ CSV */

static bool needs_quotes(const char *text, size_t bytes)
{
    if (bytes == 0)
        return true;
    for (size_t i = 0; i < bytes; i++)
        if (text[i] == ',' || text[i] == '"' || text[i] == '\n' || text[i] == '\r')
            return true;
    /* Readers that trim fields leave those in quotes alone. */
    return text[0] == ' ' || text[bytes - 1] == ' ';
}

static void put_field(const char *text, size_t bytes)
{
    if (!needs_quotes(text, bytes)) {
        fwrite_unlocked(text, 1, bytes, stdout);
        return;
    }
    putchar_unlocked('"');
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] == '"')
            putchar_unlocked('"');
        putchar_unlocked(text[i]);
    }
    putchar_unlocked('"');
}

static int memory_error(const struct getter *getter)
{
    output_error("%s: out of memory", getter->path);
    return EXIT_SYSTEM;
}

/* A spreadsheet runs as a formula what begins so, which can send what is in other cells elsewhere. */
static bool is_formula(const char *text, size_t bytes)
{
    return bytes > 0 && memchr("=+-@\t\r", text[0], 6) != NULL;
}

/* On a terminal nothing that an archive holds may act on it. */
static int put_number(struct getter *getter, const char *text, size_t bytes)
{
    if (getter->terminal) {
        getter->escaped.bytes = 0;
        if (bytes > SIZE_MAX / 4 - 1 || !buffer_reserve(&getter->escaped, bytes * 4 + 1))
            return memory_error(getter);
        text = output_escape(text, bytes, getter->escaped.data, getter->escaped.room);
        bytes = strlen(text);
    }
    put_field(text, bytes);
    return EXIT_DONE;
}

/* What an archive's writer chose freely. */
static int put_text(struct getter *getter, const char *text, size_t bytes)
{
    if (!getter->spreadsheet || !is_formula(text, bytes))
        return put_number(getter, text, bytes);
    getter->marked.bytes = 0;
    if (!buffer_put(&getter->marked, "'", 1) || !buffer_put(&getter->marked, text, bytes))
        return memory_error(getter);
    return put_number(getter, getter->marked.data, getter->marked.bytes);
}

static int put_csv_value(struct getter *getter, struct column_reader *column, const struct aimg_listed *listed)
{
    struct column_value value;
    int code = column_reader_value(column, listed->ordinal, &value);

    putchar_unlocked(',');
    if (code != EXIT_DONE || value.null)
        return code;
    getter->text.bytes = 0;
    if (!value_text(&column->type, &value, VALUE_PLAIN, &getter->text))
        return memory_error(getter);
    if (value_type_is_text(column->type.type) && memchr(value.data, '\0', value.bytes) != NULL) {
        output_error("%s: '%s' has a zero byte in column '%s', which CSV cannot hold; use --jsonl", getter->path, listed->name,
                     column->column.name);
        return EXIT_NO;
    }
    /* Names of images are texts; lists begin with a bracket. */
    if (value_type_is_text(column->type.type) || column->type.type == AIMG_TYPE_IMAGE)
        return put_text(getter, getter->text.data, getter->text.bytes);
    return put_number(getter, getter->text.data, getter->text.bytes);
}

static int put_csv(struct getter *getter, const struct aimg_listed *listed)
{
    int code = put_text(getter, listed->name, listed->name_bytes);

    for (size_t i = 0; code == EXIT_DONE && i < getter->count; i++)
        code = put_csv_value(getter, &getter->columns[i], listed);
    putchar_unlocked('\n');
    return code;
}

static int put_csv_header(struct getter *getter)
{
    int code = EXIT_DONE;

    fputs("name", stdout);
    for (size_t i = 0; code == EXIT_DONE && i < getter->count; i++) {
        putchar_unlocked(',');
        code = put_text(getter, getter->heads[i], strlen(getter->heads[i]));
    }
    putchar_unlocked('\n');
    return code;
}

/* ------------------------------------------------------------------ JSON lines */

static int put_json_value(struct getter *getter, struct json_line *line, size_t index, uint32_t ordinal)
{
    struct column_reader *column = &getter->columns[index];
    const char *key = getter->heads[index];
    struct column_value value;
    int code = column_reader_value(column, ordinal, &value);

    if (code != EXIT_DONE)
        return code;
    getter->text.bytes = 0;
    if (!value_text(&column->type, &value, VALUE_JSON, &getter->text))
        return memory_error(getter);
    if (value.null)
        json_line_raw(line, key, "null", 4);
    else if (column->type.type >= AIMG_TYPE_UTF8)
        json_line_text(line, key, getter->text.data, getter->text.bytes);
    else
        json_line_raw(line, key, getter->text.data, getter->text.bytes);
    return EXIT_DONE;
}

static int put_json(struct getter *getter, const struct aimg_listed *listed)
{
    struct json_line line;
    int code = EXIT_DONE;

    json_line_begin(&line);
    json_line_text(&line, "name", listed->name, listed->name_bytes);
    for (size_t i = 0; code == EXIT_DONE && i < getter->count; i++)
        code = put_json_value(getter, &line, i, listed->ordinal);
    json_line_end(&line);
    return code;
}

/* ------------------------------------------------------------------ which columns and images */

/* A name that ends like a type would be taken for one with a type. */
static bool looks_typed(const char *name)
{
    const char *colon = strrchr(name, ':');
    struct value_type type;

    return colon != NULL && value_type_parse(colon + 1, strlen(colon + 1), &type);
}

static int add_column(struct getter *getter, const char *name)
{
    struct column_reader *column = &getter->columns[getter->count];
    char type[VALUE_TYPE_TEXT_BYTES];

    if (!column_reader_begin(column, getter->reader, getter->path, name))
        return EXIT_NO;
    if (getter->types || looks_typed(name)) {
        if (asprintf(&getter->heads[getter->count], "%s:%s", name, value_type_name(&column->type, type)) < 0)
            getter->heads[getter->count] = NULL;
    } else
        getter->heads[getter->count] = strdup(name);
    if (getter->heads[getter->count] == NULL)
        return memory_error(getter);
    getter->count++;
    return EXIT_DONE;
}

static bool make_room(struct getter *getter, size_t count)
{
    getter->columns = calloc(count + 1, sizeof *getter->columns);
    getter->heads = calloc(count + 1, sizeof *getter->heads);
    return getter->columns != NULL && getter->heads != NULL;
}

static int add_all_columns(struct getter *getter)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct aimg_column column;
    int code = EXIT_DONE;

    if (aimg_reader_info(getter->reader, &info, NULL) != AIMG_OK || !make_room(getter, info.column_count))
        return memory_error(getter);
    for (uint32_t i = 0; code == EXIT_DONE && i < info.column_count; i++)
        if (aimg_reader_column(getter->reader, i, &column, NULL) == AIMG_OK)
            code = add_column(getter, column.name);
    return code;
}

/* Whether the word names columns: "a", or "a,b" where none is called just that. *wrong_out: where the first that there is not
 * begins, in a list; *wrong_bytes_out: its bytes. */
static bool is_columns(const struct getter *getter, const char *word, const char **wrong_out, size_t *wrong_bytes_out)
{
    struct aimg_column column;
    char name[COLUMN_NAME_BYTES_MOST + 1];

    if (aimg_reader_column_find(getter->reader, word, &column, NULL) == AIMG_OK)
        return true;
    for (const char *comma;; word = comma + 1) {
        comma = strchrnul(word, ',');
        size_t bytes = (size_t)(comma - word);

        *wrong_out = word;
        *wrong_bytes_out = bytes;
        if (bytes > COLUMN_NAME_BYTES_MOST)
            return false;
        memcpy(name, word, bytes);
        name[bytes] = '\0';
        if (aimg_reader_column_find(getter->reader, name, &column, NULL) != AIMG_OK)
            return false;
        if (*comma == '\0')
            return true;
    }
}

/* A word that is neither must not pass for a column without values. */
static int check_glob(const struct getter *getter, const char *word)
{
    const char *wrong = word;
    size_t wrong_bytes = 0;
    struct aimg_error error;
    uint32_t ordinal;
    enum aimg_status status;

    if (strpbrk(word, "*?[\\") != NULL)
        return EXIT_DONE;
    status = aimg_reader_find(getter->reader, word, strlen(word), &ordinal, &error);
    if (status == AIMG_OK)
        return EXIT_DONE;
    if (status != AIMG_NOT_FOUND && status != AIMG_INVALID_ARGUMENT)
        return output_status(getter->path, status, &error);
    if (is_columns(getter, word, &wrong, &wrong_bytes)) {
        output_error("%s: '%s' is a column, and those stand before the images: 'aimg get ARCHIVE COLUMN... GLOB...'",
                     getter->path, word);
        return EXIT_NO;
    }
    if (wrong_bytes < strlen(word)) {
        output_error("%s: no column is called '%.*s', and no image '%s'; 'aimg info' lists the columns, 'aimg ls' the images",
                     getter->path, (int)wrong_bytes, wrong, word);
        return EXIT_NO;
    }
    output_error("%s: no column and no image is called '%s'; 'aimg info' lists the columns, 'aimg ls' the images", getter->path,
                 word);
    return EXIT_NO;
}

static int add_once(struct getter *getter, const char *name)
{
    for (size_t i = 0; i < getter->count; i++)
        if (strcmp(getter->columns[i].column.name, name) == 0)
            return output_usage("get", "the column '%s' is asked for twice", name);
    return add_column(getter, name);
}

/* word: columns, as is_columns says; a list is cut up in place. */
static int add_word(struct getter *getter, char *word)
{
    struct aimg_column column;
    int code = EXIT_DONE;

    if (aimg_reader_column_find(getter->reader, word, &column, NULL) == AIMG_OK)
        return add_once(getter, word);
    for (char *name = strsep(&word, ","); code == EXIT_DONE && name != NULL; name = strsep(&word, ","))
        code = add_once(getter, name);
    return code;
}

/* *used_out: words that are columns. */
static int choose_columns(struct getter *getter, char *const *words, int count, int *used_out)
{
    const char *wrong;
    size_t wrong_bytes, columns = 0;
    int code = EXIT_DONE, used = 0;

    for (; used < count && is_columns(getter, words[used], &wrong, &wrong_bytes); used++) {
        columns++;
        for (const char *at = words[used]; *at != '\0'; at++)
            columns += *at == ',';
    }
    for (int i = used; code == EXIT_DONE && i < count; i++)
        code = check_glob(getter, words[i]);
    *used_out = used;
    if (code != EXIT_DONE)
        return code;
    if (used == 0)
        return add_all_columns(getter);
    if (!make_room(getter, columns))
        return memory_error(getter);
    for (int i = 0; code == EXIT_DONE && i < used; i++)
        code = add_word(getter, words[i]);
    return code;
}

/* ------------------------------------------------------------------ running */

static int write_rows(struct getter *getter, struct selection *selection)
{
    struct aimg_listed listed;
    struct walk walk;
    int code = getter->format == TABLE_CSV ? put_csv_header(getter) : EXIT_DONE;

    walk_begin(&walk, getter->reader, getter->path, selection);
    while (code == EXIT_DONE && !interrupt_pending() && !ferror_unlocked(stdout) && walk_next(&walk, &listed))
        code = getter->format == TABLE_CSV ? put_csv(getter, &listed) : put_json(getter, &listed);
    walk_end(&walk);
    if (interrupt_pending()) {
        output_error("interrupted");
        return EXIT_SYSTEM;
    }
    code = worse_code(code, walk.code);
    for (size_t i = 0; i < getter->count; i++)
        column_reader_report(&getter->columns[i]);
    return ferror_unlocked(stdout) ? code : worse_code(code, selection_report(selection, getter->reader));
}

static void release(struct getter *getter)
{
    for (size_t i = 0; i < getter->count; i++) {
        column_reader_end(&getter->columns[i]);
        free(getter->heads[i]);
    }
    free(getter->columns);
    free(getter->heads);
    buffer_free(&getter->text);
    buffer_free(&getter->escaped);
    buffer_free(&getter->marked);
}

static int get(struct getter *getter, char *const *words, int count, const char *output)
{
    struct selection selection = {.count = 0};
    struct output_file file;
    int used = 0, code = choose_columns(getter, words, count, &used);

    if (code == EXIT_DONE)
        code = selection_init(&selection, words + used, count - used);
    if (code != EXIT_DONE)
        return code;
    code = output_file_begin(&file, output, getter->path);
    if (code == EXIT_DONE) {
        getter->terminal = isatty(STDOUT_FILENO);
        code = write_rows(getter, &selection);
        code = output_file_end(&file, code);
    }
    selection_fini(&selection);
    return code;
}

int cmd_get(int argc, char **argv, const struct common_options *common)
{
    enum { OPTION_CSV = LONG_OPTION, OPTION_JSONL, OPTION_TYPES, OPTION_SPREADSHEET, OPTION_AT };
    static const struct option options[] = {{"csv", no_argument, NULL, OPTION_CSV},
                                            {"jsonl", no_argument, NULL, OPTION_JSONL},
                                            {"types", no_argument, NULL, OPTION_TYPES},
                                            {"spreadsheet", no_argument, NULL, OPTION_SPREADSHEET},
                                            {"output", required_argument, NULL, 'o'},
                                            {"at", required_argument, NULL, OPTION_AT},
                                            {NULL, 0, NULL, 0}};
    struct getter getter = {.format = TABLE_BY_NAME};
    struct reading_at at = {.given = false};
    struct aimg_reader *reader;
    const char *output = NULL;
    int found, code;

    (void)common;
    optind = 0;
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":o:", options, NULL)) != -1) {
        if (found == '?' || found == ':')
            return reading_bad_option("get", found, argv);
        if (found == OPTION_AT) {
            if (reading_take_at("get", "--at", optarg, &at) != EXIT_DONE)
                return EXIT_USAGE;
        } else if (found == 'o')
            output = optarg;
        else if (found == OPTION_TYPES)
            getter.types = true;
        else if (found == OPTION_SPREADSHEET)
            getter.spreadsheet = true;
        else if (getter.format != TABLE_BY_NAME && getter.format != (found == OPTION_CSV ? TABLE_CSV : TABLE_JSONL))
            return output_usage("get", "--csv and --jsonl cannot be combined");
        else
            getter.format = found == OPTION_CSV ? TABLE_CSV : TABLE_JSONL;
    }
    if (optind >= argc)
        return output_usage("get", "ARCHIVE is missing");
    if (getter.format == TABLE_BY_NAME && output != NULL)
        getter.format = table_format_of(output);
    if (getter.format == TABLE_BY_NAME)
        getter.format = TABLE_CSV;
    if (getter.spreadsheet && getter.format != TABLE_CSV)
        return output_usage("get", "--spreadsheet is about CSV");
    getter.path = argv[optind];
    code = reading_open_at(getter.path, READING_MAPPED, &at, &reader);
    if (code != EXIT_DONE)
        return code;
    getter.reader = reader;
    code = get(&getter, argv + optind + 1, argc - optind - 1, output);
    release(&getter);
    aimg_reader_close(reader);
    return code;
}
