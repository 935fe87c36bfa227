/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include "choose.h"
#include "edit.h"
#include "output.h"
#include "reading.h"

#include <getopt.h>
#include <stdlib.h>
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

enum { INCOMPAT_ALIAS = 4, NAME_ROOM = 1025 }; /* spec/SPEC.md, 4.1; a longest name and its end */

struct removal {
    struct edit edit;
    struct choice choice;
    bool dry, plain;
    uint64_t bytes; /* stored ones of the images */
    bool shared;    /* others may have the same bytes */
};

static int compare_offsets(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Bytes that several of the images share count once. */
static int count_bytes(struct removal *removal, const struct aimg_reader *reader)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    size_t count = removal->choice.count;
    uint64_t(*places)[2] = calloc(count, sizeof *places);
    struct aimg_entry entry;
    struct aimg_error error;
    enum aimg_status status = AIMG_OK;

    if (places == NULL) {
        output_error("out of memory for %zu images", count);
        return EXIT_SYSTEM;
    }
    for (size_t i = 0; status == AIMG_OK && i < count; i++) {
        status = aimg_reader_entry(reader, removal->choice.ordinals[i], &entry, &error);
        places[i][0] = entry.frame_offset;
        places[i][1] = entry.stored_bytes;
    }
    if (status == AIMG_OK) {
        qsort(places, count, sizeof *places, compare_offsets);
        for (size_t i = 0; i < count; i++)
            removal->bytes += i > 0 && places[i][0] == places[i - 1][0] ? 0 : places[i][1];
        removal->shared = aimg_reader_info(reader, &info, NULL) == AIMG_OK && (info.incompat & INCOMPAT_ALIAS) != 0;
    }
    free(places);
    return status == AIMG_OK ? EXIT_DONE : output_status(removal->edit.archive, status, &error);
}

static int choose(struct removal *removal, const struct aimg_reader *reader, char *const *words, int count)
{
    int code = choice_make(&removal->choice, reader, removal->edit.archive, words, count, removal->plain);

    if (code == EXIT_DONE)
        code = count_bytes(removal, reader);
    if (code != EXIT_DONE)
        output_error("%s: nothing was removed", removal->edit.archive);
    return code;
}

static void report(const struct removal *removal)
{
    char images[COUNT_TEXT_BYTES], size[32];

    output_note("%s %s; 'aimg compact' frees %s%s", removal->dry ? "would remove" : "removed",
                reading_count(removal->choice.count, "image", images), removal->shared ? "up to " : "",
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
        puts(terminal ? output_escape(name, strlen(name), escaped, sizeof escaped) : name);
    }
    return EXIT_DONE;
}

static int look(struct removal *removal, char *const *words, int count)
{
    struct aimg_reader *reader;
    int code = reading_open(removal->edit.archive, READING_COPIED, &reader);

    if (code != EXIT_DONE)
        return code;
    code = choose(removal, reader, words, count);
    if (code == EXIT_DONE)
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
    int code = edit_open(&removal->edit);

    if (code != EXIT_DONE)
        return code;
    code = choose(removal, aimg_writer_base(removal->edit.writer), words, count);
    if (code == EXIT_DONE)
        code = remove_chosen(removal);
    code = edit_close(&removal->edit, code);
    if (code == EXIT_DONE)
        report(removal);
    return code;
}

int cmd_rm(int argc, char **argv, const struct common_options *common)
{
    enum { OPTION_NAME = LONG_OPTION, OPTION_MESSAGE, OPTION_WAIT };
    static const struct option options[] = {{"dry-run", no_argument, NULL, 'n'},
                                            {"name", no_argument, NULL, OPTION_NAME},
                                            {"message", required_argument, NULL, OPTION_MESSAGE},
                                            {"wait", no_argument, NULL, OPTION_WAIT},
                                            {NULL, 0, NULL, 0}};
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
        removal.edit.wait = removal.edit.wait || found == OPTION_WAIT;
        if (found == OPTION_MESSAGE)
            removal.edit.message = optarg;
    }
    if (argc - optind < 2)
        return output_usage("rm", optind >= argc ? "ARCHIVE is missing" : "NAME, @N or GLOB is missing");
    removal.edit.archive = argv[optind];
    code = removal.dry ? look(&removal, argv + optind + 1, argc - optind - 1)
                       : remove_images(&removal, argv + optind + 1, argc - optind - 1);
    choice_fini(&removal.choice);
    return code;
}
