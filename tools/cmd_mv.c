/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include "attached.h"
#include "edit.h"
#include "output.h"
#include "reading.h"
#include "select.h"

#include <getopt.h>
#include <string.h>

const char help_mv[] = "  -f, --force         remove the image that is called NEW, as 'aimg rm' does\n"
                       "      --name          OLD is a name, also when it looks like '@7'\n" EDIT_HELP "\n"
                       "Gives an image another name, with all its values. Its bytes are not written again. A name is\n"
                       "kept with the image when it arrives, so an image with a new name counts as one that arrives:\n"
                       "it moves to the end of the list, and the images behind its old place move up. Without --force\n"
                       "a NEW that is there makes the exit code 1.\n"
                       "\n"
                       "  aimg mv photos.aimg cat/1.jpg dog/1.jpg\n";

struct renaming {
    struct edit edit;
    const char *from, *to;
    bool force, plain;
};

/* Also the attachments that only it has. */
static int choose(const struct renaming *renaming, uint32_t other, struct choice *choice)
{
    struct aimg_reader *reader;
    size_t attachments;
    int code = reading_open(renaming->edit.archive, READING_MAPPED, &reader);

    if (code != EXIT_DONE)
        return code;
    code = choice_add(choice, other);
    if (code == EXIT_DONE)
        code = attached_choose(reader, renaming->edit.archive, choice, &attachments);
    aimg_reader_close(reader);
    return code;
}

static int remove_other(const struct renaming *renaming, uint32_t ordinal, uint32_t other)
{
    const struct edit *edit = &renaming->edit;
    struct choice choice = {.count = 0};
    struct aimg_error error;
    enum aimg_status status = AIMG_OK;
    int code = choose(renaming, other, &choice);

    if (code == EXIT_DONE && choice_has(&choice, ordinal)) {
        output_error("%s: '%s' is an attachment that only '%s' has, and would be removed with it", edit->archive, renaming->from,
                     renaming->to);
        code = EXIT_NO;
    }
    for (size_t i = 0; code == EXIT_DONE && status == AIMG_OK && i < choice.count; i++)
        status = aimg_writer_remove(edit->writer, choice.ordinals[i], &error);
    choice_fini(&choice);
    return status == AIMG_OK ? code : edit_failed(edit, status, &error);
}

/* The name must be free, or is freed. */
static int clear_way(const struct renaming *renaming, uint32_t ordinal)
{
    const struct edit *edit = &renaming->edit;
    struct aimg_error error;
    uint32_t other;
    enum aimg_status status = aimg_writer_find(edit->writer, renaming->to, strlen(renaming->to), &other, &error);

    if (status == AIMG_NOT_FOUND)
        return EXIT_DONE;
    if (status != AIMG_OK)
        return edit_failed(edit, status, &error);
    if (other == ordinal) {
        output_error("%s: the image is called '%s' already", edit->archive, renaming->to);
        return EXIT_NO;
    }
    if (!renaming->force) {
        output_error("%s: there is an image '%s' already; --force replaces it", edit->archive, renaming->to);
        return EXIT_NO;
    }
    return remove_other(renaming, ordinal, other);
}

static int rename_image(struct renaming *renaming)
{
    struct edit *edit = &renaming->edit;
    struct aimg_error error;
    enum aimg_status status;
    uint32_t ordinal;
    int code = select_image(aimg_writer_base(edit->writer), edit->archive, renaming->from, renaming->plain, &ordinal);

    if (code == EXIT_DONE)
        code = clear_way(renaming, ordinal);
    if (code != EXIT_DONE)
        return code;
    status = aimg_writer_rename(edit->writer, ordinal, renaming->to, strlen(renaming->to), NULL, &error);
    return status == AIMG_OK ? edit_commit(edit) : edit_failed(edit, status, &error);
}

static int move(struct renaming *renaming)
{
    struct aimg_error error;
    int code;

    if (aimg_name_check(renaming->to, strlen(renaming->to), &error) != AIMG_OK)
        return output_usage("mv", "'%s': %s", renaming->to, error.message);
    code = edit_open(&renaming->edit);
    if (code != EXIT_DONE)
        return code;
    code = edit_close(&renaming->edit, rename_image(renaming));
    if (code == EXIT_DONE)
        output_note("renamed '%s' to '%s'", renaming->from, renaming->to);
    return code;
}

int cmd_mv(int argc, char **argv, const struct common_options *common)
{
    enum { OPTION_NAME = LONG_OPTION };
    static const struct option options[] = {
        {"force", no_argument, NULL, 'f'}, {"name", no_argument, NULL, OPTION_NAME}, EDIT_OPTIONS, {NULL, 0, NULL, 0}};
    struct renaming renaming = {.edit = {.verb = "mv", .undone = "nothing was renamed"}};
    int found;

    (void)common;
    optind = 0;
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":f", options, NULL)) != -1) {
        if (found == '?' || found == ':')
            return reading_bad_option("mv", found, argv);
        renaming.force = renaming.force || found == 'f';
        renaming.plain = renaming.plain || found == OPTION_NAME;
        (void)edit_take_option(&renaming.edit, found, optarg);
    }
    if (argc - optind != 3)
        return output_usage("mv", argc - optind < 3 ? "ARCHIVE, OLD or NEW is missing" : "one image at a time");
    renaming.edit.archive = argv[optind];
    renaming.from = argv[optind + 1];
    renaming.to = argv[optind + 2];
    return move(&renaming);
}
