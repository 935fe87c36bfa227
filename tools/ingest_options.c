/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest_options.h"

#include "cmd.h"
#include "cores.h"
#include "output.h"
#include "reading.h"
#include "utf8.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* One row an option: a row with a value sets a text, one without sets a bool. */
struct row {
    const char *name;
    size_t place; /* in struct ingest_options */
    bool has_value;
    unsigned verbs;
};

#define PLACE(field) offsetof(struct ingest_options, field)

static const struct row rows[] = {
    {"prefix", PLACE(prefix), 1, INGEST_PACK | INGEST_ADD},
    {"files-from", PLACE(files_from), 1, INGEST_PACK | INGEST_ADD},
    {"null", PLACE(zero_separated), 0, INGEST_PACK | INGEST_ADD},
    {"follow", PLACE(follow), 0, INGEST_PACK | INGEST_ADD},
    {"all", PLACE(all), 0, INGEST_PACK | INGEST_ADD},
    {"strict", PLACE(strict), 0, INGEST_PACK | INGEST_ADD},
    {"escape-names", PLACE(escape_names), 0, INGEST_PACK | INGEST_ADD},
    {"compress", PLACE(compress_text), 1, INGEST_PACK | INGEST_ADD},
    {"level", PLACE(level_text), 1, INGEST_PACK | INGEST_ADD},
    {"dedup", PLACE(dedup_text), 1, INGEST_PACK | INGEST_ADD},
    {"no-dedup", PLACE(no_dedup), 0, INGEST_PACK | INGEST_ADD},
    {"no-label", PLACE(no_label), 0, INGEST_PACK | INGEST_ADD},
    {"times", PLACE(times), 0, INGEST_PACK | INGEST_ADD},
    {"columns", PLACE(columns), 1, INGEST_PACK | INGEST_ADD},
    {"message", PLACE(message), 1, INGEST_PACK | INGEST_ADD},
    {"one-commit", PLACE(one_commit), 0, INGEST_PACK | INGEST_ADD},
    {"threads", PLACE(threads_text), 1, INGEST_PACK | INGEST_ADD},
    {"force", PLACE(force), 0, INGEST_PACK},
    {"resume", PLACE(resume), 0, INGEST_PACK},
    {"align", PLACE(alignment_text), 1, INGEST_PACK},
    {"replace", PLACE(replace), 0, INGEST_ADD},
    {"skip-existing", PLACE(skip), 0, INGEST_ADD},
    {"update", PLACE(update), 0, INGEST_ADD},
    {"wait", PLACE(wait), 0, INGEST_ADD},
    {"recover", PLACE(recover), 0, INGEST_ADD},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

static void set(struct ingest_options *options, const struct row *row, char *value)
{
    char *place = (char *)options + row->place;
    if (row->has_value) {
        memcpy(place, &value, sizeof value);
    } else {
        bool yes = true;
        memcpy(place, &yes, sizeof yes);
    }
}

/* getopt moves the words around; the command line must be there as it was given, to be printed. */
static bool copy_words(struct ingest_options *options)
{
    size_t bytes = ((size_t)options->argc + 1) * sizeof *options->words;
    options->words = malloc(bytes);
    if (options->words == NULL)
        return false;
    memcpy(options->words, options->argv, bytes);
    return true;
}

static int read_words(const char *name, enum ingest_verb verb, struct ingest_options *options)
{
    if (!copy_words(options)) {
        output_error("out of memory");
        return EXIT_SYSTEM;
    }
    struct option table[ROWS + 1];
    memset(table, 0, sizeof table);
    int count = 0;
    for (int i = 0; i < ROWS; i++)
        if (rows[i].verbs & (unsigned)verb)
            table[count++] = (struct option){rows[i].name, rows[i].has_value, NULL, LONG_OPTION + i};
    opterr = 0;
    int found;
    while ((found = getopt_long(options->argc, options->words, ":0", table, NULL)) != -1)
        if (found == '0')
            options->zero_separated = true;
        else if (found >= LONG_OPTION)
            set(options, &rows[found - LONG_OPTION], optarg);
        else
            return reading_bad_option(name, found, options->words);
    if (optind == options->argc)
        return output_usage(name, "ARCHIVE is missing");
    options->archive = options->words[optind++];
    options->paths = options->words + optind;
    options->path_count = (size_t)(options->argc - optind);
    return EXIT_DONE;
}

/* A whole number in a range. */
static bool parse_number(const char *text, uint64_t least, uint64_t most, uint64_t *number_out)
{
    char *end;
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || number < least || number > most)
        return false;
    *number_out = number;
    return true;
}

int ingest_check_message(const char *verb, const char *message)
{
    if (message == NULL)
        return EXIT_DONE;
    size_t bytes = strlen(message);
    if (bytes > 254)
        return output_usage(verb, "--message has %zu bytes, at most 254 are stored", bytes);
    if (!utf8_valid(message, bytes))
        return output_usage(verb, "--message is UTF-8, not '%s'", message);
    return EXIT_DONE;
}

static int set_dedup(const char *verb, struct ingest_options *options)
{
    const char *text = options->dedup_text;
    options->dedup = options->no_dedup ? AIMG_DEDUP_NONE : AIMG_DEDUP_SESSION;
    if (text == NULL)
        return EXIT_DONE;
    if (strcmp(text, "all") == 0)
        options->dedup = AIMG_DEDUP_ALL;
    else if (strcmp(text, "session") != 0)
        return output_usage(verb, "--dedup is session or all, not '%s'", text);
    return options->no_dedup ? output_usage(verb, "only one of --dedup and --no-dedup can be given") : EXIT_DONE;
}

static int set_storage(const char *verb, struct ingest_options *options)
{
    uint64_t number = 0;
    static const char *const methods[] = {
        [AIMG_COMPRESS_STORE] = "store", [AIMG_COMPRESS_ZSTD] = "zstd", [AIMG_COMPRESS_AUTO] = "auto"};
    const char *method = options->compress_text == NULL ? methods[AIMG_COMPRESS_AUTO] : options->compress_text;
    while (options->compress <= AIMG_COMPRESS_AUTO && strcmp(method, methods[options->compress]) != 0)
        options->compress++;
    if (options->compress > AIMG_COMPRESS_AUTO)
        return output_usage(verb, "--compress is auto, store or zstd, not '%s'", method);
    options->level = options->compress == AIMG_COMPRESS_STORE ? 0 : 3;
    if (options->level_text != NULL) {
        if (!parse_number(options->level_text, 1, 19, &number))
            return output_usage(verb, "--level is 1 to 19, not '%s'", options->level_text);
        if (options->compress == AIMG_COMPRESS_STORE)
            return output_usage(verb, "--level is for --compress auto or zstd");
        options->level = (int32_t)number;
    }
    if (options->alignment_text != NULL) {
        if (!parse_number(options->alignment_text, 8, 4096, &number) || (number & (number - 1)) != 0)
            return output_usage(verb, "--align is a power of two from 8 to 4096, not '%s'", options->alignment_text);
        options->alignment = (uint32_t)number;
    }
    return ingest_check_message(verb, options->message);
}

int ingest_epoch(const char *verb, bool *reproducible_out, uint64_t *time_ns_out)
{
    uint64_t number;
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    *reproducible_out = false;
    if (epoch == NULL || epoch[0] == '\0')
        return EXIT_DONE;
    if (!parse_number(epoch, 0, UINT64_MAX / 1000000000 - 1, &number))
        return output_usage(verb, "SOURCE_DATE_EPOCH is a number of seconds since 1970, not '%s'", epoch);
    *reproducible_out = true;
    /* Zero nanoseconds would mean the clock. */
    *time_ns_out = number == 0 ? 1 : number * 1000000000;
    return EXIT_DONE;
}

static int set_manner(const char *verb, struct ingest_options *options)
{
    uint64_t number = cores_count();
    if (options->threads_text != NULL && !parse_number(options->threads_text, 1, THREADS_MOST, &number))
        return output_usage(verb, "--threads is 1 to %d, not '%s'", THREADS_MOST, options->threads_text);
    options->threads = (unsigned)number;
    if (options->replace + options->skip + options->update > 1)
        return output_usage(verb, "only one of --replace, --skip-existing and --update can be given");
    if (options->replace)
        options->existing = EXISTING_REPLACE;
    else if (options->skip)
        options->existing = EXISTING_SKIP;
    else if (options->update || options->resume)
        options->existing = EXISTING_UPDATE;
    return ingest_epoch(verb, &options->reproducible, &options->time_ns);
}

static int check_words(const char *verb, const struct ingest_options *options)
{
    if (options->archive[0] == '\0')
        return output_usage(verb, "ARCHIVE is empty");
    if (options->prefix != NULL && strlen(options->prefix) > INPUT_PREFIX_BYTES)
        return output_usage(verb, "--prefix has %zu bytes; no name may have more than %d", strlen(options->prefix),
                            INPUT_PREFIX_BYTES);
    if (options->path_count == 0 && options->files_from == NULL && !options->recover)
        return output_usage(verb, "no PATH and no --files-from: nothing to %s", verb);
    if (options->zero_separated && options->files_from == NULL)
        return output_usage(verb, "-0 is for --files-from");
    return EXIT_DONE;
}

int ingest_options_parse(enum ingest_verb verb, int argc, char **argv, bool quiet, struct ingest_options *options_out)
{
    const char *name = argv[0];
    *options_out = (struct ingest_options){.quiet = quiet, .argc = argc, .argv = argv};
    int code = read_words(name, verb, options_out);
    if (code == EXIT_DONE)
        code = set_storage(name, options_out);
    if (code == EXIT_DONE)
        code = set_dedup(name, options_out);
    if (code == EXIT_DONE)
        code = set_manner(name, options_out);
    if (code == EXIT_DONE)
        code = check_words(name, options_out);
    if (code != EXIT_DONE)
        ingest_options_fini(options_out);
    return code;
}

void ingest_options_fini(struct ingest_options *options)
{
    free(options->words);
    options->words = NULL;
}

struct input_options ingest_input_options(const struct ingest_options *options, const char *own_part)
{
    return (struct input_options){.paths = options->paths,
                                  .path_count = options->path_count,
                                  .files_from = options->files_from,
                                  .prefix = options->prefix,
                                  .own = {options->archive, own_part},
                                  .zero_separated = options->zero_separated,
                                  .escape_names = options->escape_names,
                                  .follow = options->follow};
}

struct aimg_writer_options ingest_writer_options(const struct ingest_options *options, const uint8_t *seed)
{
    return (struct aimg_writer_options){.struct_bytes = sizeof(struct aimg_writer_options),
                                        .flags = options->recover ? AIMG_WRITER_RECOVER : 0,
                                        .alignment = options->alignment,
                                        .compress = options->compress,
                                        .level = options->level,
                                        .time_ns = options->time_ns,
                                        .seed = options->reproducible ? seed : NULL,
                                        .program = "aimg " AIMG_VERSION,
                                        .dedup = options->dedup};
}
