/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include "edit.h"
#include "json.h"
#include "output.h"
#include "reading.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char help_meta[] =
    "  -d, --delete KEY    remove a key and its value\n"
    "      --json          one object with the object 'meta', of all pairs or of each KEY\n" READING_AT_HELP EDIT_HELP "\n"
    "What the archive says about itself as a whole: keys and values, both UTF-8; keys have no\n"
    "control characters. Usual keys are title, licence and source; others are free. Without\n"
    "words all pairs are printed, one line KEY=VALUE each, control characters as \\xNN; KEY prints\n"
    "its value as it is, KEY=VALUE sets it, KEY= sets it to nothing. All changes are one commit,\n"
    "or none when one of them fails; what is printed beside them is as it is after them. A key\n"
    "that is not there makes the exit code 1.\n"
    "\n"
    "  aimg meta photos.aimg title='Cats and dogs' licence=CC-BY-4.0\n"
    "  aimg meta photos.aimg title\n"
    "  aimg meta photos.aimg --delete source\n";

enum { KEY_MOST = 255 };

struct request {
    struct edit edit;
    const char **deleted;
    size_t deleted_count;
    char **words; /* KEY is to be read, KEY=VALUE to be set */
    size_t word_count, read_count;
    struct reading_at at;
    bool json;
};

static bool is_read(const char *word)
{
    return strchr(word, '=') == NULL;
}

/* ------------------------------------------------------------------ printing */

struct printer {
    struct json_object pairs;
    bool json, failed;
};

static void print_escaped(const char *text, size_t bytes)
{
    size_t room = 4 * bytes + 1;
    char *buffer = malloc(room);

    if (buffer == NULL)
        return;
    fputs(output_escape(text, bytes, buffer, room), stdout);
    free(buffer);
}

static int print_pair(void *user, const char *key, const char *value, size_t value_bytes)
{
    struct printer *printer = user;

    if (printer->json) {
        json_put_text(&printer->pairs, key, value, value_bytes);
        return printer->pairs.failed;
    }
    print_escaped(key, strlen(key));
    putchar('=');
    print_escaped(value, value_bytes);
    putchar('\n');
    return ferror(stdout);
}

/* Takes the pairs. */
static int print_object(const struct request *request, const struct json_object *pairs)
{
    struct json_object object = json_object_begin();

    object.failed = object.failed || pairs->failed;
    json_put_string(&object, "schema", "aimg.meta/1");
    json_put_string(&object, "path", request->edit.archive);
    json_put(&object, "meta", pairs->value);
    return json_print(&object);
}

static int print_all(const struct request *request, const struct aimg_reader *reader)
{
    struct printer printer = {.json = request->json};
    struct aimg_error error;
    enum aimg_status status;

    if (request->json)
        printer.pairs = json_object_begin();
    status = aimg_reader_each_meta(reader, print_pair, &printer, &error);
    if (status != AIMG_OK) {
        if (request->json)
            json_decref(printer.pairs.value);
        return output_status(request->edit.archive, status, &error);
    }
    return request->json ? print_object(request, &printer.pairs) : EXIT_DONE;
}

/* *value_out: to be freed; NULL for one of no bytes. */
static int read_value(const struct request *request, const struct aimg_reader *reader, const char *key, char **value_out,
                      size_t *bytes_out)
{
    struct aimg_error error;
    enum aimg_status status = aimg_reader_meta(reader, key, NULL, 0, bytes_out, &error);

    *value_out = NULL;
    if (status == AIMG_BUFFER_TOO_SMALL) {
        *value_out = malloc(*bytes_out);
        if (*value_out == NULL) {
            output_error("out of memory for %zu bytes", *bytes_out);
            return EXIT_SYSTEM;
        }
        status = aimg_reader_meta(reader, key, *value_out, *bytes_out, bytes_out, &error);
    }
    return status == AIMG_OK ? EXIT_DONE : output_status(request->edit.archive, status, &error);
}

/* The value as it is, and a newline; on a terminal without what would act on it. */
static void print_value(const char *value, size_t bytes)
{
    if (isatty(STDOUT_FILENO))
        print_escaped(value, bytes);
    else if (bytes > 0)
        fwrite(value, 1, bytes, stdout);
    putchar('\n');
}

static int print_keys(const struct request *request, const struct aimg_reader *reader)
{
    struct json_object pairs = {.failed = false};
    int code = EXIT_DONE;

    if (request->json)
        pairs = json_object_begin();
    for (size_t i = 0; i < request->word_count; i++) {
        const char *key = request->words[i];
        size_t bytes = 0;
        char *value;
        int one;

        if (!is_read(key))
            continue;
        one = read_value(request, reader, key, &value, &bytes);
        if (one == EXIT_DONE && request->json)
            json_put_text(&pairs, key, value != NULL ? value : "", bytes);
        else if (one == EXIT_DONE)
            print_value(value, bytes);
        free(value);
        code = worse_code(code, one);
    }
    if (!request->json)
        return code;
    if (code <= EXIT_NO)
        return worse_code(code, print_object(request, &pairs));
    json_decref(pairs.value);
    return code;
}

static int show(const struct request *request)
{
    struct aimg_reader *reader;
    int code = reading_open_at(request->edit.archive, READING_COPIED, &request->at, &reader);

    if (code != EXIT_DONE)
        return code;
    code = request->read_count > 0 ? print_keys(request, reader) : print_all(request, reader);
    aimg_reader_close(reader);
    return output_finish(code);
}

/* ------------------------------------------------------------------ changing */

static int change(const struct request *request)
{
    struct aimg_error error;
    enum aimg_status status = AIMG_OK;
    char key[KEY_MOST + 1];

    for (size_t i = 0; status == AIMG_OK && i < request->deleted_count; i++)
        status = aimg_writer_set_meta(request->edit.writer, request->deleted[i], NULL, &error);
    for (size_t i = 0; status == AIMG_OK && i < request->word_count; i++) {
        const char *value = strchr(request->words[i], '=');
        size_t key_bytes = value != NULL ? (size_t)(value++ - request->words[i]) : 0;

        if (value == NULL)
            continue;
        memcpy(key, request->words[i], key_bytes); /* check_words knows that it fits */
        key[key_bytes] = '\0';
        status = aimg_writer_set_meta(request->edit.writer, key, value, &error);
    }
    return status == AIMG_OK ? EXIT_DONE : edit_failed(&request->edit, status, &error);
}

static int change_archive(struct request *request)
{
    int code = edit_open(&request->edit);

    if (code != EXIT_DONE)
        return code;
    code = change(request);
    if (code == EXIT_DONE)
        code = edit_commit(&request->edit);
    return edit_close(&request->edit, code);
}

/* ------------------------------------------------------------------ the command line */

/* Counts those to be read. *changes_out: whether there is anything to change. */
static int check_words(struct request *request, bool *changes_out)
{
    for (size_t i = 0; i < request->word_count; i++) {
        const char *word = request->words[i], *equals = strchr(word, '=');
        size_t key_bytes = equals != NULL ? (size_t)(equals - word) : strlen(word);

        if (key_bytes == 0 || key_bytes > KEY_MOST)
            return output_usage("meta", "'%s': a key has 1 to %d bytes", word, KEY_MOST);
        request->read_count += equals == NULL;
    }
    *changes_out = request->read_count < request->word_count || request->deleted_count > 0;
    if (*changes_out && request->at.given)
        return output_usage("meta", "--at is for reading: no commit that was made can be changed");
    if (*changes_out && request->json && request->read_count == 0)
        return output_usage("meta", "--json is for reading: name each KEY that it is to print");
    return EXIT_DONE;
}

static int take_words(struct request *request, int argc, char **argv)
{
    enum { OPTION_JSON = LONG_OPTION, OPTION_AT };
    static const struct option options[] = {{"delete", required_argument, NULL, 'd'},
                                            {"json", no_argument, NULL, OPTION_JSON},
                                            {"at", required_argument, NULL, OPTION_AT},
                                            EDIT_OPTIONS,
                                            {NULL, 0, NULL, 0}};
    int found;

    optind = 0;
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":d:", options, NULL)) != -1) {
        if (found == '?' || found == ':')
            return reading_bad_option("meta", found, argv);
        if (found == 'd')
            request->deleted[request->deleted_count++] = optarg;
        else if (found == OPTION_JSON)
            request->json = true;
        else if (!edit_take_option(&request->edit, found, optarg) &&
                 reading_take_at("meta", "--at", optarg, &request->at) != EXIT_DONE)
            return EXIT_USAGE;
    }
    if (optind >= argc)
        return output_usage("meta", "ARCHIVE is missing");
    request->edit.archive = argv[optind];
    request->words = argv + optind + 1;
    request->word_count = (size_t)(argc - optind - 1);
    return EXIT_DONE;
}

int cmd_meta(int argc, char **argv, const struct common_options *common)
{
    struct request request = {.edit = {.verb = "meta", .undone = "nothing was changed"}};
    bool changes = false;
    int code;

    (void)common;
    request.deleted = calloc((size_t)argc, sizeof *request.deleted);
    if (request.deleted == NULL) {
        output_error("out of memory");
        return EXIT_SYSTEM;
    }
    code = take_words(&request, argc, argv);
    if (code == EXIT_DONE)
        code = check_words(&request, &changes);
    if (code == EXIT_DONE && changes)
        code = change_archive(&request);
    if (code == EXIT_DONE && (!changes || request.read_count > 0))
        code = show(&request);
    free(request.deleted);
    return code;
}
