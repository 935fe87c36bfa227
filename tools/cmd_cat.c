/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include "output.h"
#include "reading.h"
#include "select.h"

#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

const char help_cat[] = "  -f, --force    write to a terminal too\n"
                        "      --name     all words are names, also those that look like '@7'\n" READING_AT_HELP "\n"
                        "Writes the images' original bytes, checked, one after the other. '@N' is the image at\n"
                        "position N, counted from 0: line N + 1 of 'aimg ls'. A name that is not there makes the\n"
                        "exit code 1; the others are written all the same.\n"
                        "\n"
                        "  aimg cat photos.aimg cat/1.jpg > 1.jpg\n"
                        "  aimg cat photos.aimg @0 | file -\n";

static int write_image(const struct aimg_reader *reader, const char *path, uint32_t ordinal, struct image_buffer *buffer)
{
    struct aimg_error error;
    enum aimg_status status = reading_image(reader, ordinal, buffer, &error);

    if (status == AIMG_LIMIT)
        output_error("%s: 'aimg unpack --max-output BYTES' lifts this limit:", path);
    if (status != AIMG_OK)
        return output_status(path, status, &error);
    fwrite_unlocked(buffer->data, 1, (size_t)buffer->bytes, stdout);
    return EXIT_DONE;
}

static int write_images(const char *path, const struct reading_at *at, char *const *words, int count, bool plain)
{
    struct image_buffer buffer = {0};
    struct aimg_reader *reader;
    uint32_t ordinal;
    int one, code = reading_open_at(path, READING_COPIED, at, &reader);

    if (code != EXIT_DONE)
        return code;
    for (int i = 0; i < count && !ferror_unlocked(stdout); i++) {
        one = select_image(reader, path, words[i], plain, &ordinal);
        if (one == EXIT_DONE)
            one = write_image(reader, path, ordinal, &buffer);
        code = worse_code(code, one);
    }
    free(buffer.data);
    aimg_reader_close(reader);
    return output_finish(code);
}

int cmd_cat(int argc, char **argv, const struct common_options *common)
{
    enum { OPTION_NAME = LONG_OPTION, OPTION_AT };
    static const struct option options[] = {{"force", no_argument, NULL, 'f'},
                                            {"name", no_argument, NULL, OPTION_NAME},
                                            {"at", required_argument, NULL, OPTION_AT},
                                            {NULL, 0, NULL, 0}};
    struct reading_at at = {.given = false};
    bool force = false, plain = false;
    int found;

    (void)common;
    optind = 0;
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":f", options, NULL)) != -1) {
        if (found == '?' || found == ':')
            return reading_bad_option("cat", found, argv);
        if (found == OPTION_AT && reading_take_at("cat", "--at", optarg, &at) != EXIT_DONE)
            return EXIT_USAGE;
        force = force || found == 'f';
        plain = plain || found == OPTION_NAME;
    }
    if (argc - optind < 2)
        return output_usage("cat", optind >= argc ? "ARCHIVE is missing" : "NAME or @N is missing");
    if (!force && isatty(STDOUT_FILENO))
        return output_usage("cat", "stdout is a terminal: send the bytes to a file or a program, or give -f");
    return write_images(argv[optind], &at, argv + optind + 1, argc - optind - 1, plain);
}
