/* SPDX-License-Identifier: Apache-2.0 */
#include "precheck.h"

#include "cmd.h"
#include "interrupt.h"
#include "name_escape.h"
#include "name_set.h"
#include "open_input.h"
#include "output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SHOWN = 20, MOST_CLASHES = 20 };

struct check {
    const struct ingest_options *options;
    const struct aimg_writer *writer;
    struct precheck *result;
    struct name_set names;
    bool may_clash;
    uint64_t refused, taken;
    uint64_t attachments;        /* of the taken, those of attachments */
    uint64_t curable;            /* of the refused, by --escape-names */
    char *clashes[MOST_CLASHES]; /* names that two inputs seem to have */
    size_t clash_count;
};

/* Whether the name could be stored with --escape-names, which leaves the prefix as it is. */
static bool escaping_helps(const struct ingest_options *options, const struct input *input)
{
    char escaped[INPUT_NAME_BYTES];
    size_t prefix_bytes = options->prefix == NULL ? 0 : strlen(options->prefix);
    if (options->escape_names)
        return false;
    memcpy(escaped, input->name, prefix_bytes);
    size_t bytes =
        prefix_bytes + name_escape(input->name + prefix_bytes, input->name_bytes - prefix_bytes, escaped + prefix_bytes);
    return aimg_name_check(escaped, bytes, NULL) == AIMG_OK;
}

/* A file that would be left out may have any name. */
static void check_name(struct check *check, const struct input *input)
{
    struct aimg_error error;
    if (aimg_name_check(input->name, input->name_bytes, &error) == AIMG_OK || !open_input_would_store(input, check->options->all))
        return;
    check->curable += escaping_helps(check->options, input);
    if (++check->refused <= MOST_SHOWN) {
        char path[INPUT_PATH_BYTES];
        output_error("%s: %s", input_path(input, path, sizeof path), error.message);
    }
}

static int check_taken(struct check *check, const struct input *input)
{
    if (check->writer == NULL || check->options->existing != EXISTING_REFUSE)
        return EXIT_DONE;
    uint32_t ordinal;
    struct aimg_error error;
    enum aimg_status status = aimg_writer_find(check->writer, input->name, input->name_bytes, &ordinal, &error);
    if (status == AIMG_NOT_FOUND)
        return EXIT_DONE;
    if (status != AIMG_OK)
        return output_status(check->options->archive, status, &error);
    struct aimg_entry entry;
    status = aimg_reader_entry(aimg_writer_base(check->writer), ordinal, &entry, &error);
    if (status != AIMG_OK)
        return output_status(check->options->archive, status, &error);
    if (!open_input_would_store(input, check->options->all))
        return EXIT_DONE;
    check->attachments += entry.attachment != 0;
    if (++check->taken <= MOST_SHOWN) {
        char path[INPUT_PATH_BYTES];
        output_error("%s: the archive has %s '%.*s' already", input_path(input, path, sizeof path),
                     entry.attachment ? "an attachment" : "the name", (int)input->name_bytes, input->name);
    }
    return EXIT_DONE;
}

/* Notes names that came before. Whether it is a clash is asked when all are seen: then the inputs can be walked again. */
static void check_clash(struct check *check, const struct input *input)
{
    if (!check->may_clash || check->clash_count == MOST_CLASHES || !name_set_add(&check->names, input->name, input->name_bytes) ||
        !open_input_would_store(input, check->options->all))
        return;
    char *name = strndup(input->name, input->name_bytes);
    if (name != NULL)
        check->clashes[check->clash_count++] = name;
}

static void digest_name(struct precheck *precheck, const struct input *input)
{
    uint64_t hash = name_hash(input->name, input->name_bytes);
    precheck->digest[0] = precheck->digest[0] * UINT64_C(0x9E3779B97F4A7C15) + hash;
    precheck->digest[1] = (precheck->digest[1] ^ hash) * UINT64_C(0xD1342543DE82EF95) + 1;
}

static int check_all(struct check *check, struct inputs *inputs)
{
    struct input input;
    int code = EXIT_DONE;
    while (code == EXIT_DONE && inputs_next(inputs, &input)) {
        if (interrupt_pending()) {
            output_error("interrupted; nothing was written");
            return EXIT_SYSTEM;
        }
        if (input.trouble != NULL)
            continue;
        check->result->files++;
        check_name(check, &input);
        check_clash(check, &input);
        if (check->options->reproducible)
            digest_name(check->result, &input);
        if (check->options->compress == AIMG_COMPRESS_AUTO)
            sample_note(&check->result->sample, &input);
        code = check_taken(check, &input);
    }
    return code;
}

bool precheck_report_clash(struct inputs *inputs, bool all, const char *name, size_t name_bytes)
{
    struct input input;
    char first[INPUT_PATH_BYTES] = "";
    bool reported = false;
    inputs_rewind(inputs);
    while (!reported && inputs_next(inputs, &input)) {
        if (input.trouble != NULL || input.name_bytes != name_bytes || memcmp(input.name, name, name_bytes) != 0 ||
            !open_input_would_store(&input, all))
            continue;
        if (first[0] == '\0') {
            input_path(&input, first, sizeof first);
            continue;
        }
        char second[INPUT_PATH_BYTES];
        output_error("%s and %s would both be stored as '%.*s'; pack one of them and 'aimg add --prefix P/' the other", first,
                     input_path(&input, second, sizeof second), (int)name_bytes, name);
        reported = true;
    }
    inputs_rewind(inputs);
    return reported;
}

static int conclude(struct check *check, struct inputs *inputs)
{
    if (check->refused > 0) {
        char hint[80] = "";
        if (check->curable == check->refused)
            snprintf(hint, sizeof hint, ", or use --escape-names");
        else if (check->curable > 0)
            snprintf(hint, sizeof hint, "; --escape-names helps with %llu of them", (unsigned long long)check->curable);
        output_error("%llu names cannot be stored; nothing was written. Rename the files%s", (unsigned long long)check->refused,
                     hint);
        return EXIT_NO;
    }
    bool clash = false;
    for (size_t i = 0; i < check->clash_count && !clash; i++)
        clash = precheck_report_clash(inputs, check->options->all, check->clashes[i], strlen(check->clashes[i]));
    if (clash) {
        output_error("two inputs have one name; nothing was written");
        return EXIT_NO;
    }
    if (check->taken > 0) {
        output_error("%s: has %llu of these names already; nothing was written. Use %s--prefix", check->options->archive,
                     (unsigned long long)check->taken,
                     check->attachments < check->taken ? "--replace, --skip-existing, --update, or " : "");
        return EXIT_NO;
    }
    return EXIT_DONE;
}

int precheck_names(struct inputs *inputs, const struct ingest_options *options, const struct aimg_writer *writer,
                   struct precheck *precheck_out)
{
    *precheck_out = (struct precheck){.files = 0};
    struct check check = {.options = options, .writer = writer, .result = precheck_out};
    /* One folder without escapes cannot clash with itself. */
    check.may_clash = options->path_count > 1 || options->files_from != NULL || options->escape_names;
    int code = check_all(&check, inputs);
    name_set_free(&check.names);
    if (code == EXIT_DONE)
        code = conclude(&check, inputs);
    for (size_t i = 0; i < check.clash_count; i++)
        free(check.clashes[i]);
    inputs_rewind(inputs);
    return code;
}
