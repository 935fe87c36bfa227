/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include "info.h"
#include "output.h"
#include "reading.h"
#include "select.h"

#include <getopt.h>

const char help_info[] = "      --json     one object\n"
                         "      --name     the word is a name, also when it looks like '@7'\n" READING_AT_HELP "\n"
                         "About the archive: format, images, commits, sizes, metadata, columns, runs. About an image: name,\n"
                         "position, ordinal, sizes, place in the file, checksum (as 'xxh128sum' prints it), columns.\n"
                         "\n"
                         "  aimg info photos.aimg\n"
                         "  aimg info photos.aimg @0\n"
                         "  aimg info --json photos.aimg | jq .images\n";

static int show_image(const struct aimg_reader *reader, const char *path, const char *word, bool plain, bool json)
{
    uint32_t ordinal;
    int code = select_image(reader, path, word, plain, &ordinal);

    return code == EXIT_DONE ? info_image(reader, path, ordinal, json) : code;
}

int cmd_info(int argc, char **argv, const struct common_options *common)
{
    enum { OPTION_JSON = LONG_OPTION, OPTION_NAME, OPTION_AT };
    static const struct option options[] = {{"json", no_argument, NULL, OPTION_JSON},
                                            {"name", no_argument, NULL, OPTION_NAME},
                                            {"at", required_argument, NULL, OPTION_AT},
                                            {NULL, 0, NULL, 0}};
    struct reading_at at = {.given = false};
    struct aimg_reader *reader;
    bool json = false, plain = false;
    int found, code;

    (void)common;
    optind = 0;
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (found == '?' || found == ':')
            return reading_bad_option("info", found, argv);
        if (found == OPTION_AT && reading_take_at("info", "--at", optarg, &at) != EXIT_DONE)
            return EXIT_USAGE;
        json = json || found == OPTION_JSON;
        plain = plain || found == OPTION_NAME;
    }
    if (optind >= argc)
        return output_usage("info", "ARCHIVE is missing");
    if (argc - optind > 2)
        return output_usage("info", "one image at a time");
    code = reading_open_at(argv[optind], READING_COPIED, &at, &reader);
    if (code != EXIT_DONE)
        return code;
    if (argc - optind == 2)
        code = show_image(reader, argv[optind], argv[optind + 1], plain, json);
    else
        code = info_archive(reader, argv[optind], json);
    aimg_reader_close(reader);
    return output_finish(code);
}
