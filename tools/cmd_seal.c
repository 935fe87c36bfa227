/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include "edit.h"
#include "output.h"
#include "reading.h"

#include <getopt.h>
#include <inttypes.h>

const char help_seal[] =
    EDIT_HELP "\n"
              "Makes one table of each kind out of those that many commits have left, in a commit of its own: for\n"
              "publishing, and for the fastest reads. No image is written again. The archive can still be added to;\n"
              "then it is not sealed any more.\n"
              "\n"
              "  aimg seal photos.aimg\n";

static int seal(struct edit *edit)
{
    struct aimg_error error;
    enum aimg_status status = aimg_writer_seal(edit->writer, edit->message, &error);

    if (status != AIMG_OK)
        return edit_failed(edit, status, &error);
    edit->committed = true;
    return EXIT_DONE;
}

int cmd_seal(int argc, char **argv, const struct common_options *common)
{
    static const struct option options[] = {EDIT_OPTIONS, {NULL, 0, NULL, 0}};
    struct edit edit = {.verb = "seal", .undone = "it was not sealed"};
    int found, code;

    (void)common;
    optind = 0;
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (found == '?' || found == ':')
            return reading_bad_option("seal", found, argv);
        (void)edit_take_option(&edit, found, optarg);
    }
    if (argc - optind != 1)
        return output_usage("seal", optind >= argc ? "ARCHIVE is missing" : "one ARCHIVE at a time");
    edit.archive = argv[optind];
    code = edit_open(&edit);
    if (code != EXIT_DONE)
        return code;
    code = edit_close(&edit, seal(&edit));
    if (code == EXIT_DONE)
        output_note("%s is sealed", edit.archive);
    return code;
}
