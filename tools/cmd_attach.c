/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include "displaced.h"
#include "edit.h"
#include "fields.h"
#include "interrupt.h"
#include "map_file.h"
#include "output.h"
#include "reading.h"
#include "select.h"
#include "value_type.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

const char help_attach[] =
    "Stores the file PATH in the archive as an attachment of the image NAME, or of the one at position N: a mask, a\n"
    "thumbnail, a depth map. It is not listed and not unpacked; COLUMN, of type image, leads to it. NAME COLUMN PATH can be\n"
    "given many times; all are stored in one commit. An attachment that the image has in this column already is replaced; one of "
    "another image never is.\n"
    "\n"
    "      --from FILE     attach what a table says, FILE.csv or FILE.jsonl: its first column is 'name', the others are\n"
    "                      columns, and their values paths; an empty one attaches nothing\n"
    "      --as NAME       name of the attachment; without it NAME:COLUMN, as 'cat/1.jpg:mask'. By its name other\n"
    "                      images can have it too, with 'aimg set'\n"
    "      --name          NAME is a name, also when it looks like '@7'; what --from reads always is\n" EDIT_HELP "\n"
    "  aimg attach photos.aimg cat/1.jpg mask masks/cat-1.png\n"
    "  aimg attach photos.aimg --from masks.csv\n"
    "  aimg cat --column mask photos.aimg cat/1.jpg > mask.png\n";

enum { NAME_ROOM = 1024 + 1, WORDS = 3 };

struct attacher {
    struct edit edit;
    const char *as;
    bool plain;          /* words are names, also those that look like a position */
    struct table *table; /* of --from, or NULL */
    struct displaced displaced;
    uint64_t images, bytes;
};

static int define_column(const struct attacher *attacher, const char *name, uint32_t *column_out)
{
    struct aimg_error error;
    struct aimg_column column;
    char type[VALUE_TYPE_TEXT_BYTES];
    bool there = aimg_reader_column_find(aimg_writer_base(attacher->edit.writer), name, &column, NULL) == AIMG_OK;
    enum aimg_status status;

    if (!there && value_type_is_spaced(name)) {
        output_error("%s: the column's name '%s' begins or ends with a space", attacher->edit.archive, name);
        return EXIT_NO;
    }
    status = aimg_writer_column(attacher->edit.writer, name, AIMG_TYPE_IMAGE, 1, 0, column_out, &error);
    if (status == AIMG_EXISTS && there) {
        struct value_type found = value_type_of(&column);

        output_error("%s: column '%s' is %s, and an attachment needs one of type image", attacher->edit.archive, name,
                     value_type_name(&found, type));
        return EXIT_NO;
    }
    return status == AIMG_OK ? EXIT_DONE : edit_failed(&attacher->edit, status, &error);
}

/* *name_out: what the image is called, which is the word, or in room. */
static int find_owner(const struct attacher *attacher, const char *word, uint32_t *ordinal_out, char room[NAME_ROOM],
                      const char **name_out)
{
    const struct aimg_reader *base = aimg_writer_base(attacher->edit.writer);
    struct aimg_error error;
    enum aimg_status status;
    int code;

    *name_out = word;
    if (!attacher->plain && attacher->table == NULL && select_is_position(word)) {
        *name_out = room;
        code = select_image(base, attacher->edit.archive, word, false, ordinal_out);
        if (code != EXIT_DONE)
            return code;
        status = aimg_reader_name(base, *ordinal_out, room, NAME_ROOM, NULL, &error);
    } else {
        status = aimg_writer_find(attacher->edit.writer, word, strlen(word), ordinal_out, &error);
        if (status == AIMG_NOT_FOUND || status == AIMG_INVALID_ARGUMENT) /* says it with the nearest name */
            return select_image(base, attacher->edit.archive, word, true, ordinal_out);
    }
    return status == AIMG_OK ? EXIT_DONE : edit_failed(&attacher->edit, status, &error);
}

static int make_name(const struct attacher *attacher, const char *owner, const char *column, char name[NAME_ROOM])
{
    struct aimg_error error;
    size_t bytes;

    if (attacher->as != NULL)
        bytes = (size_t)snprintf(name, NAME_ROOM, "%s", attacher->as);
    else
        bytes = (size_t)snprintf(name, NAME_ROOM, "%s:%s", owner, column);
    if (bytes < NAME_ROOM && aimg_name_check(name, bytes, &error) == AIMG_OK)
        return EXIT_DONE;
    if (bytes >= NAME_ROOM)
        output_error("%s: the attachment's name would have %zu bytes, at most %d; give one with --as", attacher->edit.archive,
                     bytes, NAME_ROOM - 1);
    else
        output_error("%s: the attachment cannot be called '%s': %s%s", attacher->edit.archive, name, error.message,
                     attacher->as == NULL ? "; give a name with --as" : "");
    return EXIT_NO;
}

static int report_taken(const struct attacher *attacher, const char *name, bool attachment)
{
    output_error("%s: there is an %s '%s' already%s", attacher->edit.archive, attachment ? "attachment" : "image", name,
                 !attachment            ? "; give another name with --as"
                 : attacher->as == NULL ? ", of another image or column; give another name with --as"
                                        : "; 'aimg set' gives it to more images");
    return EXIT_NO;
}

/* The name must be free, or that of the attachment that the image has there, or of one that no image has.
 * *holder_out: the attachment whose name is taken from it, or DISPLACED_NONE. */
static int check_taken(struct attacher *attacher, const char *name, uint32_t old, uint32_t *holder_out)
{
    const struct aimg_reader *base = aimg_writer_base(attacher->edit.writer);
    struct aimg_entry entry = {.attachment = 0};
    struct aimg_error error;
    uint32_t ordinal;
    bool owned = true;
    enum aimg_status status = aimg_writer_find(attacher->edit.writer, name, strlen(name), &ordinal, &error);
    int code = EXIT_DONE;

    *holder_out = DISPLACED_NONE;
    if (status == AIMG_NOT_FOUND)
        return EXIT_DONE;
    if (status == AIMG_OK && ordinal >= aimg_reader_ordinal_count(base)) {
        output_error("%s: two attachments of this command would be called '%s'", attacher->edit.archive, name);
        return EXIT_NO;
    }
    if (status == AIMG_OK)
        status = aimg_reader_entry(base, ordinal, &entry, &error);
    if (status != AIMG_OK)
        return edit_failed(&attacher->edit, status, &error);
    if (entry.attachment && attacher->as == NULL) {
        *holder_out = ordinal;
        if (ordinal == old)
            return EXIT_DONE;
        code = displaced_is_owned(&attacher->displaced, ordinal, &owned);
    }
    return code == EXIT_DONE && owned ? report_taken(attacher, name, entry.attachment) : code;
}

static int add_file(struct attacher *attacher, const char *path, const char *name, bool replace, uint32_t *ordinal_out)
{
    struct aimg_picture picture = {.format = AIMG_FORMAT_UNKNOWN};
    struct map_file file;
    struct aimg_error error;
    enum aimg_status status;
    int code = map_file_open(&file, path);

    if (code != EXIT_DONE)
        return code;
    (void)aimg_picture_probe(file.data, file.bytes, &picture);
    struct aimg_image image = {.struct_bytes = sizeof image,
                               .name = name,
                               .name_bytes = strlen(name),
                               .data = file.data,
                               .data_bytes = file.bytes,
                               .format = (uint32_t)picture.format,
                               .flags = AIMG_ADD_ATTACHMENT | (replace ? AIMG_ADD_REPLACE : 0)};

    status = aimg_writer_add(attacher->edit.writer, &image, ordinal_out, &error);
    attacher->images++;
    attacher->bytes += file.bytes;
    map_file_close(&file);
    return status == AIMG_OK ? EXIT_DONE : edit_failed(&attacher->edit, status, &error);
}

/* old, holder: what was there, or DISPLACED_NONE. */
static int displace(struct attacher *attacher, uint32_t old, uint32_t holder)
{
    int code = EXIT_DONE;

    if (holder != DISPLACED_NONE)
        code = displaced_replaced(&attacher->displaced, holder);
    if (code == EXIT_DONE && old != DISPLACED_NONE && old != holder)
        code = displaced_leave(&attacher->displaced, old);
    return code;
}

/* words: NAME or @N, COLUMN, PATH */
static int attach(struct attacher *attacher, char *const *words)
{
    struct aimg_error error;
    struct aimg_value value = {.bytes = sizeof(uint32_t)};
    char name[NAME_ROOM], room[NAME_ROOM];
    const char *owner_name;
    uint32_t owner, attachment, old, holder;
    enum aimg_status status;
    int code = find_owner(attacher, words[0], &owner, room, &owner_name);

    if (code == EXIT_DONE)
        code = define_column(attacher, words[1], &value.column);
    if (code == EXIT_DONE)
        code = make_name(attacher, owner_name, words[1], name);
    if (code == EXIT_DONE)
        code = displaced_find(&attacher->displaced, owner, words[1], &old);
    if (code == EXIT_DONE)
        code = check_taken(attacher, name, old, &holder);
    if (code == EXIT_DONE)
        code = add_file(attacher, words[2], name, holder != DISPLACED_NONE, &attachment);
    if (code != EXIT_DONE)
        return code;
    value.data = &attachment;
    status = aimg_writer_set(attacher->edit.writer, owner, &value, &error);
    return status == AIMG_OK ? displace(attacher, old, holder) : edit_failed(&attacher->edit, status, &error);
}

/* ------------------------------------------------------------------ many */

static int attach_words(struct attacher *attacher, char *const *words, int count)
{
    int code = EXIT_DONE;

    for (int i = 0; code == EXIT_DONE && i < count; i += WORDS)
        code = attach(attacher, words + i);
    return code;
}

/* "mask", or "mask:image" as in a file for 'aimg set'. */
static int column_name(const struct table *table, uint32_t column, char **name_out)
{
    const char *head = table->heads[column], *colon = strrchr(head, ':');
    size_t bytes = strlen(head);
    struct value_type type;

    if (colon != NULL && value_type_parse(colon + 1, strlen(colon + 1), &type)) {
        bytes = table_name_bytes(table, head, (size_t)(colon - head));
        if (type.type != AIMG_TYPE_IMAGE)
            return table_error(table, "column '%s': attachments need a column of type image", head);
    }
    *name_out = buffer_text(head, bytes);
    return EXIT_DONE;
}

static int attach_cell(struct attacher *attacher, const struct table *table, uint32_t column)
{
    const struct table_cell *name = &table->cells[0], *cell = &table->cells[column];
    char *words[WORDS] = {NULL};
    int code;

    if (cell->kind == TABLE_ABSENT || cell->kind == TABLE_NULL || (cell->kind == TABLE_TEXT && cell->bytes == 0))
        return EXIT_DONE;
    if (cell->kind != TABLE_TEXT || memchr(cell->text, '\0', cell->bytes) != NULL)
        return table_error(table, "column '%s': it is no path", table->heads[column]);
    code = column_name(table, column, &words[1]);
    if (code != EXIT_DONE)
        return code;
    words[0] = buffer_text(name->text, name->bytes);
    words[2] = buffer_text(cell->text, cell->bytes);
    if (words[0] == NULL || words[1] == NULL || words[2] == NULL) {
        output_error("%s: out of memory", table->path);
        code = EXIT_SYSTEM;
    } else {
        code = attach(attacher, words);
        if (code != EXIT_DONE)
            (void)table_error(table, "this row cannot be attached");
    }
    for (int i = 0; i < WORDS; i++)
        free(words[i]);
    return code;
}

static int attach_table(struct attacher *attacher, struct table *table)
{
    bool row = true;
    int code;

    for (;;) {
        code = table_next(table, &row);
        if (code != EXIT_DONE || !row)
            return code;
        code = fields_check_name(table);
        for (uint32_t i = 1; code == EXIT_DONE && i < table->count; i++)
            code = attach_cell(attacher, table, i);
        if (code == EXIT_DONE && interrupt_pending()) {
            output_error("interrupted");
            code = EXIT_SYSTEM;
        }
        if (code != EXIT_DONE)
            return code;
    }
}

static int commit(struct attacher *attacher)
{
    if (attacher->images > 0) {
        int code = displaced_remove(&attacher->displaced, attacher->edit.writer);

        return code == EXIT_DONE ? edit_commit(&attacher->edit) : code;
    }
    output_error("%s: has nothing to attach", attacher->table->path);
    return EXIT_NO;
}

static void report(const struct attacher *attacher)
{
    char files[COUNT_TEXT_BYTES], size[32];

    output_note("attached %s, %s, in %s", reading_count(attacher->images, "file", files),
                output_size(attacher->bytes, size, sizeof size), attacher->edit.archive);
}

static int run(struct attacher *attacher, char *const *words, int count)
{
    int code = edit_open(&attacher->edit);

    if (code != EXIT_DONE)
        return code;
    code = displaced_begin(&attacher->displaced, attacher->edit.archive);
    if (code == EXIT_DONE)
        code = attacher->table != NULL ? attach_table(attacher, attacher->table) : attach_words(attacher, words, count);
    if (code == EXIT_DONE)
        code = commit(attacher);
    displaced_end(&attacher->displaced);
    if (code != EXIT_DONE)
        output_error("%s: nothing was attached", attacher->edit.archive);
    code = edit_close(&attacher->edit, code);
    if (code == EXIT_DONE)
        report(attacher);
    return code;
}

static int check_words(const struct attacher *attacher, int words, const char *from)
{
    if (words < 0)
        return output_usage("attach", "ARCHIVE is missing");
    if (from != NULL && words > 0)
        return output_usage("attach", "either --from FILE or NAME COLUMN PATH, not both");
    if (from == NULL && (words == 0 || words % WORDS != 0))
        return output_usage("attach", "NAME, COLUMN and PATH belong together; the last %s missing",
                            words % WORDS == 2 ? "PATH is"
                            : words == 0       ? "three are"
                                               : "COLUMN and PATH are");
    if (attacher->as != NULL && words != WORDS)
        return output_usage("attach", "--as is for one attachment");
    return EXIT_DONE;
}

static int run_with_table(struct attacher *attacher, const char *from)
{
    struct table table;
    int code = table_open(&table, from, TABLE_BY_NAME);

    if (code != EXIT_DONE)
        return code;
    attacher->table = &table;
    /* Only now: until here, while a pipe may give nothing for long, a signal may end it. */
    interrupt_install();
    code = run(attacher, NULL, 0);
    table_close(&table);
    return code;
}

int cmd_attach(int argc, char **argv, const struct common_options *common)
{
    enum { OPTION_AS = LONG_OPTION, OPTION_FROM, OPTION_NAME };
    static const struct option table[] = {{"as", required_argument, NULL, OPTION_AS},
                                          {"from", required_argument, NULL, OPTION_FROM},
                                          {"name", no_argument, NULL, OPTION_NAME},
                                          EDIT_OPTIONS,
                                          {NULL, 0, NULL, 0}};
    struct attacher attacher = {.edit = {.verb = "attach"}};
    const char *from = NULL;
    int found, code, words;

    (void)common;
    optind = 0;
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":", table, NULL)) != -1) {
        if (found == '?' || found == ':')
            return reading_bad_option("attach", found, argv);
        if (found == OPTION_AS)
            attacher.as = optarg;
        else if (found == OPTION_FROM)
            from = optarg;
        else if (found == OPTION_NAME)
            attacher.plain = true;
        else
            (void)edit_take_option(&attacher.edit, found, optarg);
    }
    words = argc - optind - 1;
    code = check_words(&attacher, words, from);
    if (code != EXIT_DONE)
        return code;
    attacher.edit.archive = argv[optind];
    if (from != NULL)
        return run_with_table(&attacher, from);
    interrupt_install();
    return run(&attacher, argv + optind + 1, words);
}
