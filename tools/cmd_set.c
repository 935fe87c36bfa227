/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include "edit.h"
#include "fields.h"
#include "interrupt.h"
#include "json.h"
#include "output.h"
#include "reading.h"
#include "unknown.h"
#include "value_parse.h"
#include "writing.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

const char help_set[] =
    "FILE is CSV or JSON lines, in UTF-8; - is standard input. The first column of CSV is 'name', and so is a key of each\n"
    "JSON object: it says which image the row is about. The others are columns, 'score' or 'score:f32' with a type.\n"
    "Types: bool, u8 to u64, i8 to i64, f16, f32, f64; with [N] for a vector, as f32[4]; list<u16> and the like for lists;\n"
    "utf8, dictionary (text out of a small set), bytes (hexadecimal digits), image (the name of another image). Names\n"
    "such as text, dict, int, float (which is f64), float32[4], list<uint16> are understood too.\n"
    "A column that the archive has keeps its type. One that is new and tells none gets i64 (or u64), f64, bool, a vector or\n"
    "list of these, dictionary or utf8, as all its values ask for. Vectors and lists are [1,2,3], in quotes in CSV.\n"
    "An empty field, or null, takes the value away; a key that an object lacks leaves the value as it is.\n"
    "\n"
    "      --format csv|jsonl  what FILE is, when its name does not end in .csv, .jsonl or .ndjson\n"
    "      --strict            set nothing when a name is not in the archive; else the rest is set\n"
    "      --message TEXT      for the log, at most 254 bytes of UTF-8\n"
    "      --wait              wait while another writer has the archive\n"
    "      --json              print what was done as one object\n"
    "\n"
    "All is set in one commit. When anything is wrong with FILE, nothing is. Names that are not in the archive are listed,\n"
    "the first 20 and their number, with --json all, and the exit code is 1.\n"
    "\n"
    "  aimg set photos.aimg labels.csv\n"
    "  model photos/ | aimg set photos.aimg - --format jsonl --message 'scores of model 7'\n";

struct setter {
    struct edit edit;
    bool strict, json;
    struct table table;
    struct fields fields;
    struct unknown unknown;
    struct buffer cell;
    uint8_t *seen; /* a bit for each ordinal: a row was about it */
    uint64_t rows, images, values;
    uint64_t seq; /* of the commit */
    bool settled; /* it is done, or told why not */
};

/* ------------------------------------------------------------------ a row */

static int memory_error(const struct setter *setter)
{
    output_error("%s: out of memory", setter->edit.archive);
    return EXIT_SYSTEM;
}

/* Looks for the row that had the name first. */
static int report_twice(struct setter *setter)
{
    struct table *table = &setter->table;
    uint64_t second = table->row, first = 0;
    size_t bytes = table->cells[0].bytes;
    char *name = buffer_text(table->cells[0].text, bytes);
    bool row = true;

    if (name == NULL)
        return memory_error(setter);
    if (table_rewind(table) == EXIT_DONE)
        while (first == 0 && table_next(table, &row) == EXIT_DONE && row)
            if (table->cells[0].bytes == bytes && memcmp(table->cells[0].text, name, bytes) == 0)
                first = table->row;
    table->row = second;
    (void)table_error(table, "the name '%s' stands on line %" PRIu64 " already", name, first);
    free(name);
    return EXIT_NO;
}

static int find_image(struct setter *setter, uint32_t *ordinal_out, bool *found_out)
{
    const struct table *table = &setter->table;
    const struct table_cell *name = &table->cells[0];
    struct aimg_error error;
    enum aimg_status status = aimg_writer_find(setter->edit.writer, name->text, name->bytes, ordinal_out, &error);

    *found_out = status == AIMG_OK;
    if (status == AIMG_NOT_FOUND || status == AIMG_INVALID_ARGUMENT) {
        if (!unknown_add(&setter->unknown, table->path, table->row, name->text, name->bytes))
            return memory_error(setter);
        return EXIT_DONE;
    }
    if (status != AIMG_OK)
        return edit_failed(&setter->edit, status, &error);
    if ((setter->seen[*ordinal_out / 8] >> *ordinal_out % 8 & 1) != 0)
        return report_twice(setter);
    setter->seen[*ordinal_out / 8] |= (uint8_t)(1 << *ordinal_out % 8);
    return EXIT_DONE;
}

/* The ordinal of the image that the cell names, put into the buffer. */
static int parse_image(struct setter *setter, const struct field *field, const struct table_cell *cell,
                       enum value_answer *answer_out)
{
    char why[VALUE_WHY_BYTES];
    struct aimg_error error;
    const char *name;
    size_t bytes;
    uint32_t ordinal;
    enum aimg_status status;

    *answer_out = value_name(cell, &name, &bytes, why);
    if (*answer_out == VALUE_WRONG)
        return fields_wrong(&setter->fields, field, why);
    if (*answer_out != VALUE_THERE)
        return EXIT_DONE;
    status = aimg_writer_find(setter->edit.writer, name, bytes, &ordinal, &error);
    if (status == AIMG_NOT_FOUND || status == AIMG_INVALID_ARGUMENT)
        return table_error(&setter->table, "column '%s' (image): the archive has no image '%.*s'", field->name, (int)bytes, name);
    if (status != AIMG_OK)
        return edit_failed(&setter->edit, status, &error);
    if (!buffer_put(&setter->cell, &ordinal, sizeof ordinal))
        *answer_out = VALUE_NO_MEMORY;
    return EXIT_DONE;
}

static int set_value(struct setter *setter, struct field *field, const struct table_cell *cell, uint32_t ordinal)
{
    char why[VALUE_WHY_BYTES];
    struct aimg_value value = {.column = field->id};
    struct aimg_error error;
    enum value_answer answer;
    enum aimg_status status;
    int code = EXIT_DONE;

    setter->cell.bytes = 0;
    if (field->type.type == AIMG_TYPE_IMAGE)
        code = parse_image(setter, field, cell, &answer);
    else
        answer = value_parse(&field->type, cell, &setter->cell, why);
    if (code != EXIT_DONE || answer == VALUE_ABSENT)
        return code;
    if (answer == VALUE_WRONG)
        return fields_wrong(&setter->fields, field, why);
    if (answer == VALUE_NO_MEMORY)
        return memory_error(setter);
    value.flags = answer == VALUE_NULL ? AIMG_VALUE_NULL : 0;
    value.data = setter->cell.data;
    value.bytes = setter->cell.bytes;
    status = aimg_writer_set(setter->edit.writer, ordinal, &value, &error);
    if (status != AIMG_OK)
        return edit_failed(&setter->edit, status, &error);
    field->values += answer == VALUE_THERE;
    field->nulls += answer == VALUE_NULL;
    setter->values++;
    return EXIT_DONE;
}

static int set_row(struct setter *setter)
{
    const struct table *table = &setter->table;
    uint32_t ordinal = 0;
    bool found = false;
    int code = fields_check_name(table);

    setter->rows++;
    if (code == EXIT_DONE)
        code = find_image(setter, &ordinal, &found);
    if (code != EXIT_DONE || !found)
        return code;
    setter->images++;
    for (uint32_t i = 0; code == EXIT_DONE && i < setter->fields.count; i++)
        if (setter->fields.items[i].origin != FIELD_EMPTY)
            code = set_value(setter, &setter->fields.items[i], &table->cells[i + 1], ordinal);
    return code;
}

/* ------------------------------------------------------------------ all of them */

static int set_rows(struct setter *setter)
{
    bool row = true;
    int code = EXIT_DONE;

    for (;;) {
        code = table_next(&setter->table, &row);
        if (code != EXIT_DONE || !row)
            return code;
        code = set_row(setter);
        if (code != EXIT_DONE)
            return code;
        if (interrupt_pending()) {
            output_error("interrupted");
            return EXIT_SYSTEM;
        }
    }
}

static int commit(struct setter *setter)
{
    uint64_t commits, images;
    int code;

    if (setter->unknown.count > 0 && setter->strict) {
        setter->settled = true;
        return EXIT_NO;
    }
    if (setter->values > 0) {
        code = edit_commit(&setter->edit);
        if (code != EXIT_DONE)
            return code;
        writing_state(setter->edit.writer, &commits, &images);
        setter->seq = commits - 1;
    }
    setter->settled = true;
    return setter->unknown.count > 0 ? EXIT_NO : EXIT_DONE;
}

static int run(struct setter *setter)
{
    const struct aimg_reader *base = aimg_writer_base(setter->edit.writer);
    int code = fields_scan(&setter->fields, &setter->table, base, setter->edit.archive);

    if (code == EXIT_DONE)
        code = fields_define(&setter->fields, setter->edit.writer);
    if (code == EXIT_DONE) {
        setter->seen = calloc((size_t)aimg_reader_ordinal_count(base) / 8 + 1, 1);
        code = setter->seen == NULL ? memory_error(setter) : set_rows(setter);
    }
    return code == EXIT_DONE ? commit(setter) : code;
}

/* ------------------------------------------------------------------ what was done */

static json_t *describe_columns(const struct setter *setter)
{
    json_t *columns = json_array();
    char type[VALUE_TYPE_TEXT_BYTES];

    for (uint32_t i = 0; setter->edit.committed && i < setter->fields.count; i++) {
        const struct field *field = &setter->fields.items[i];
        struct json_object one;

        if (field->origin == FIELD_EMPTY)
            continue;
        one = json_object_begin();
        json_put_string(&one, "name", field->name);
        json_put_string(&one, "type", value_type_name(&field->type, type));
        json_put_bool(&one, "new", field->origin != FIELD_EXISTING);
        json_put_count(&one, "values", field->values);
        json_put_count(&one, "nulls", field->nulls);
        if (columns == NULL || json_array_append_new(columns, one.value) != 0)
            return NULL;
    }
    return columns;
}

static int print_json(const struct setter *setter)
{
    struct json_object object = json_object_begin();

    json_put_string(&object, "schema", "aimg.set/1");
    json_put_string(&object, "path", setter->edit.archive);
    json_put_count(&object, "rows", setter->rows);
    json_put_count(&object, "images", setter->edit.committed ? setter->images : 0);
    json_put(&object, "columns", describe_columns(setter));
    json_put_count(&object, "unknown", setter->unknown.count);
    json_put(&object, "unknown_names", json_incref(setter->unknown.names));
    json_put(&object, "commit", setter->edit.committed ? json_from_count(setter->seq) : json_null());
    return output_finish(json_print(&object));
}

static void report(const struct setter *setter)
{
    char images[COUNT_TEXT_BYTES], values[COUNT_TEXT_BYTES], type[VALUE_TYPE_TEXT_BYTES];

    output_note("set %s of %s in %s; commit %" PRIu64, reading_count(setter->values, "value", values),
                reading_count(setter->images, "image", images), setter->edit.archive, setter->seq);
    for (uint32_t i = 0; i < setter->fields.count; i++) {
        const struct field *field = &setter->fields.items[i];

        if (field->origin == FIELD_INFERRED || field->origin == FIELD_DECLARED)
            output_note("  new column '%s', %s", field->name, value_type_name(&field->type, type));
    }
}

/* After the archive is closed: only then it is known whether what was done is in it. */
static int conclude(const struct setter *setter, int code)
{
    bool committed = setter->edit.committed;

    if (setter->settled)
        unknown_report(&setter->unknown, setter->table.path,
                       committed        ? "the rest was set"
                       : setter->strict ? "nothing was set, as --strict says"
                                        : "nothing was set",
                       setter->json ? "the JSON has all of them" : "--json lists all of them");
    else
        output_error("%s: nothing was set", setter->edit.archive);
    if (committed && !setter->json)
        report(setter);
    if (setter->json && setter->settled)
        code = worse_code(code, print_json(setter));
    return code;
}

/* ------------------------------------------------------------------ the verb */

static int set_file(struct setter *setter, const char *path, enum table_format format)
{
    int code = table_open(&setter->table, path, format);

    if (code != EXIT_DONE)
        return code;
    /* Only now: until here, while a pipe may give nothing for long, a signal may end it. */
    interrupt_install();
    code = edit_open(&setter->edit);
    if (code == EXIT_DONE)
        code = conclude(setter, edit_close(&setter->edit, run(setter)));
    fields_free(&setter->fields);
    table_close(&setter->table);
    buffer_free(&setter->cell);
    free(setter->seen);
    return code;
}

int cmd_set(int argc, char **argv, const struct common_options *common)
{
    enum { OPTION_FORMAT = LONG_OPTION, OPTION_STRICT, OPTION_JSON };
    static const struct option table[] = {{"format", required_argument, NULL, OPTION_FORMAT},
                                          {"strict", no_argument, NULL, OPTION_STRICT},
                                          {"json", no_argument, NULL, OPTION_JSON},
                                          EDIT_OPTIONS,
                                          {NULL, 0, NULL, 0}};
    struct setter setter = {.edit = {.verb = "set"}};
    enum table_format format = TABLE_BY_NAME;
    int found, code;

    (void)common;
    optind = 0;
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":", table, NULL)) != -1) {
        if (found == '?' || found == ':')
            return reading_bad_option("set", found, argv);
        if (found == OPTION_FORMAT && !table_format_parse(optarg, &format))
            return output_usage("set", "--format is csv or jsonl, not '%s'", optarg);
        setter.strict = setter.strict || found == OPTION_STRICT;
        setter.json = setter.json || found == OPTION_JSON;
        (void)edit_take_option(&setter.edit, found, optarg);
    }
    if (argc - optind < 2)
        return output_usage("set", optind >= argc ? "ARCHIVE is missing" : "FILE is missing");
    if (argc - optind > 2)
        return output_usage("set", "one FILE at a time");
    setter.edit.archive = argv[optind];
    if (setter.json) {
        setter.unknown.names = json_array();
        if (setter.unknown.names == NULL)
            return memory_error(&setter);
    }
    code = set_file(&setter, argv[optind + 1], format);
    json_decref(setter.unknown.names);
    return code;
}
