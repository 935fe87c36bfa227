/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include "dups.h"
#include "output.h"
#include "reading.h"

#include <getopt.h>

const char help_dups[] =
    "      --fast     trust size and checksum; do not compare the bytes\n"
    "      --json     one JSON object a line for each group: bytes, xxh128, positions, names\n" READING_AT_HELP "\n"
    "Lists groups of equal images: names one a line, an empty line between groups. Groups stand in\n"
    "order of their first image, and so do the images in each. With GLOBs only images that one of\n"
    "them matches are looked at. Images that share their bytes, as 'pack' and 'add' store what they\n"
    "see again, are equal too. The exit code is 0 whether there are any or none.\n"
    "\n"
    "  aimg dups photos.aimg\n"
    "  aimg dups photos.aimg | awk -v RS= -F '\\n' '{for (i = 2; i <= NF; i++) print $i}'\n"
    "  aimg dups --json photos.aimg | jq -r '.names[1:][]'\n";

static void print_totals(const struct dups_totals *totals)
{
    char groups[COUNT_TEXT_BYTES], copies[32], shared[32], size[32];

    if (totals->groups == 0) {
        output_note("no two images are equal");
        return;
    }
    output_note("%s, %s more than one of each; of these %s share the bytes of another, the others take %s",
                reading_count(totals->groups, "group", groups), output_count(totals->copies, copies, sizeof copies),
                output_count(totals->shared, shared, sizeof shared), output_size(totals->bytes, size, sizeof size));
}

static int list_duplicates(const char *path, const struct reading_at *at, const struct dups_options *options, char *const *globs,
                           int glob_count)
{
    struct selection selection;
    struct dups_totals totals;
    struct aimg_reader *reader;
    int code = reading_open_at(path, READING_MAPPED, at, &reader);

    if (code != EXIT_DONE)
        return code;
    code = selection_init(&selection, globs, glob_count);
    if (code == EXIT_DONE) {
        code = dups_print(reader, path, &selection, options, &totals);
        code = worse_code(code, selection_report(&selection, reader));
        selection_fini(&selection);
        code = output_finish(code);
        if (code == EXIT_DONE)
            print_totals(&totals);
    }
    aimg_reader_close(reader);
    return code;
}

int cmd_dups(int argc, char **argv, const struct common_options *common)
{
    enum { OPTION_JSON = LONG_OPTION, OPTION_FAST, OPTION_AT };
    static const struct option long_options[] = {{"json", no_argument, NULL, OPTION_JSON},
                                                 {"fast", no_argument, NULL, OPTION_FAST},
                                                 {"at", required_argument, NULL, OPTION_AT},
                                                 {NULL, 0, NULL, 0}};
    struct reading_at at = {.given = false};
    struct dups_options options = {.fast = false};
    int found;

    (void)common;
    optind = 0;
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":", long_options, NULL)) != -1) {
        if (found == '?' || found == ':')
            return reading_bad_option("dups", found, argv);
        if (found == OPTION_AT && reading_take_at("dups", "--at", optarg, &at) != EXIT_DONE)
            return EXIT_USAGE;
        options.json = options.json || found == OPTION_JSON;
        options.fast = options.fast || found == OPTION_FAST;
    }
    if (optind >= argc)
        return output_usage("dups", "ARCHIVE is missing");
    return list_duplicates(argv[optind], &at, &options, argv + optind + 1, argc - optind - 1);
}
