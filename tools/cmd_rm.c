/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include "attached.h"
#include "choose.h"
#include "edit.h"
#include "output.h"
#include "reading.h"
#include "reclaim.h"

#include <getopt.h>
#include <string.h>
#include <unistd.h>

const char help_rm[] = "  -n, --dry-run       only list what would be removed\n"
                       "      --name          all words are names, also those that look like '@7' or a GLOB\n" EDIT_HELP "\n"
                       "All or nothing, in one commit: a word that means no image makes the exit code 1, and nothing is\n"
                       "removed. '@N' is the image at position N before any is removed. A GLOB is as in 'aimg ls'; a word\n"
                       "that is an image's name means that image only. The images behind move up: positions are counted\n"
                       "anew. The bytes stay in the file, and 'aimg unpack --at' gets them back, until\n"
                       "'aimg compact' drops them.\n"
                       "\n"
                       "  aimg rm photos.aimg cat/1.jpg @0\n"
                       "  aimg rm -n photos.aimg 'blurred/*'\n";

enum { NAME_ROOM = 1025 }; /* a longest name and its end */

struct removal {
    struct edit edit;
    struct choice choice;
    size_t attachments; /* of those */
    bool dry, plain;
    uint64_t bytes; /* that come free */
};

static int choose_from(struct removal *removal, const struct aimg_reader *reader, char *const *words, int count)
{
    const char *archive = removal->edit.archive;
    int code = choice_make(&removal->choice, reader, archive, words, count, removal->plain);

    if (code == EXIT_DONE)
        code = attached_choose(reader, archive, &removal->choice, &removal->attachments);
    return code == EXIT_DONE ? reclaim_count(reader, &removal->choice, &removal->bytes) : code;
}

/* In the last commit; a writer that holds the lock knows that it stays the last. */
static int choose(struct removal *removal, char *const *words, int count, struct aimg_reader **reader_out)
{
    int code = reading_open(removal->edit.archive, READING_MAPPED, reader_out);

    if (code != EXIT_DONE)
        return code;
    code = choose_from(removal, *reader_out, words, count);
    if (code == EXIT_DONE)
        return code;
    output_error("%s: nothing was removed", removal->edit.archive);
    aimg_reader_close(*reader_out);
    return code;
}

static void report(const struct removal *removal)
{
    char images[COUNT_TEXT_BYTES], attachments[COUNT_TEXT_BYTES], size[32];

    output_note("%s %s%s%s; 'aimg compact' frees %s", removal->dry ? "would remove" : "removed",
                reading_count(removal->choice.count - removal->attachments, "image", images),
                removal->attachments > 0 ? " and " : "",
                removal->attachments > 0 ? reading_count(removal->attachments, "attachment", attachments) : "",
                output_size(removal->bytes, size, sizeof size));
}

/* ------------------------------------------------------------------ only looking */

static int list_images(const struct removal *removal, const struct aimg_reader *reader)
{
    char name[NAME_ROOM], escaped[4 * NAME_ROOM];
    bool terminal = isatty(STDOUT_FILENO);
    struct aimg_error error;
    enum aimg_status status;

    for (size_t i = 0; i < removal->choice.count; i++) {
        status = aimg_reader_name(reader, removal->choice.ordinals[i], name, sizeof name, NULL, &error);
        if (status != AIMG_OK)
            return output_status(removal->edit.archive, status, &error);
        if (name[0] != '\0') /* an attachment may have none */
            puts(terminal ? output_escape(name, strlen(name), escaped, sizeof escaped) : name);
    }
    return EXIT_DONE;
}

static int look(struct removal *removal, char *const *words, int count)
{
    struct aimg_reader *reader;
    int code = choose(removal, words, count, &reader);

    if (code != EXIT_DONE)
        return code;
    code = list_images(removal, reader);
    if (code == EXIT_DONE)
        report(removal);
    aimg_reader_close(reader);
    return output_finish(code);
}

/* ------------------------------------------------------------------ removing */

static int remove_chosen(struct removal *removal)
{
    struct aimg_error error;
    enum aimg_status status = AIMG_OK;

    for (size_t i = 0; status == AIMG_OK && i < removal->choice.count; i++)
        status = aimg_writer_remove(removal->edit.writer, removal->choice.ordinals[i], &error);
    return status == AIMG_OK ? edit_commit(&removal->edit) : edit_failed(&removal->edit, status, &error);
}

static int remove_images(struct removal *removal, char *const *words, int count)
{
    struct aimg_reader *reader;
    int code = edit_open(&removal->edit);

    if (code != EXIT_DONE)
        return code;
    code = choose(removal, words, count, &reader);
    if (code == EXIT_DONE) {
        aimg_reader_close(reader);
        removal->edit.undone = "nothing was removed";
        code = remove_chosen(removal);
    }
    code = edit_close(&removal->edit, code);
    if (code == EXIT_DONE)
        report(removal);
    return code;
}

int cmd_rm(int argc, char **argv, const struct common_options *common)
{
    enum { OPTION_NAME = LONG_OPTION };
    static const struct option options[] = {
        {"dry-run", no_argument, NULL, 'n'}, {"name", no_argument, NULL, OPTION_NAME}, EDIT_OPTIONS, {NULL, 0, NULL, 0}};
    struct removal removal = {.edit = {.verb = "rm"}};
    int found, code;

    (void)common;
    optind = 0;
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":n", options, NULL)) != -1) {
        if (found == '?' || found == ':')
            return reading_bad_option("rm", found, argv);
        removal.dry = removal.dry || found == 'n';
        removal.plain = removal.plain || found == OPTION_NAME;
        (void)edit_take_option(&removal.edit, found, optarg);
    }
    if (argc - optind < 2)
        return output_usage("rm", optind >= argc ? "ARCHIVE is missing" : "NAME, @N or GLOB is missing");
    removal.edit.archive = argv[optind];
    code = removal.dry ? look(&removal, argv + optind + 1, argc - optind - 1)
                       : remove_images(&removal, argv + optind + 1, argc - optind - 1);
    choice_fini(&removal.choice);
    return code;
}
