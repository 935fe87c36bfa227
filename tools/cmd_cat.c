/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include "output.h"
#include "reading.h"
#include "select.h"

#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

const char help_cat[] =
    "  -f, --force    write to a terminal too\n"
    "      --name     all words are names, also those that look like '@7'\n"
    "      --max-image BYTES  decode images of up to so many bytes, however much smaller they are stored;\n"
    "                 K, M, G, T are powers of 1000. Without it the limit is 1 GiB, and 1,000 times what is stored\n"
    "      --column C what the images have in column C: attachments, as 'aimg attach' made them, texts, bytes\n" READING_AT_HELP
    "\n"
    "Writes the images' original bytes, checked, one after the other. '@N' is the image at\n"
    "position N, counted from 0: line N + 1 of 'aimg ls'. A name that is not there makes the\n"
    "exit code 1; the others are written all the same.\n"
    "\n"
    "  aimg cat photos.aimg cat/1.jpg > 1.jpg\n"
    "  aimg cat photos.aimg @0 | file -\n"
    "  aimg cat --column mask photos.aimg cat/1.jpg > mask.png\n";

static int write_image(const struct aimg_reader *reader, const char *path, uint32_t ordinal, struct image_buffer *buffer)
{
    struct aimg_error error;
    enum aimg_status status = reading_image(reader, ordinal, buffer, &error);

    if (status == AIMG_LIMIT)
        output_error("%s: '--max-image BYTES' lifts this limit:", path);
    if (status != AIMG_OK)
        return output_status(path, status, &error);
    fwrite_unlocked(buffer->data, 1, (size_t)buffer->bytes, stdout);
    return EXIT_DONE;
}

static enum aimg_status read_value(const struct aimg_reader *reader, const struct aimg_column *column, uint32_t ordinal,
                                   struct image_buffer *buffer, int *null_out, struct aimg_error *error)
{
    size_t bytes = 0;
    enum aimg_status status;

    do {
        void *room = buffer->room >= bytes ? buffer->data : realloc(buffer->data, bytes);

        if (room == NULL && bytes > 0)
            return AIMG_OUT_OF_MEMORY;
        buffer->data = room;
        buffer->room = buffer->room > bytes ? buffer->room : bytes;
        status = aimg_reader_value(reader, column->index, ordinal, buffer->data, (size_t)buffer->room, &bytes, null_out, error);
    } while (status == AIMG_BUFFER_TOO_SMALL);
    buffer->bytes = bytes;
    return status;
}

static int write_value(const struct aimg_reader *reader, const char *path, const struct aimg_column *column, const char *word,
                       uint32_t ordinal, struct image_buffer *buffer)
{
    struct aimg_error error;
    const uint8_t *bytes;
    int null = 0;
    enum aimg_status status = read_value(reader, column, ordinal, buffer, &null, &error);

    if (status != AIMG_OK)
        return output_status(path, status, &error);
    if (null) {
        output_error("%s: '%s' has nothing in column '%s'", path, word, column->name);
        return EXIT_NO;
    }
    bytes = buffer->data;
    if (column->type == AIMG_TYPE_IMAGE)
        return write_image(reader, path,
                           (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24,
                           buffer);
    if (buffer->bytes > 0)
        fwrite_unlocked(buffer->data, 1, (size_t)buffer->bytes, stdout);
    return EXIT_DONE;
}

static int find_column(const struct aimg_reader *reader, const char *path, const char *name, struct aimg_column *column_out)
{
    if (aimg_reader_column_find(reader, name, column_out, NULL) != AIMG_OK) {
        output_error("%s: there is no column '%s'; 'aimg info' lists them", path, name);
        return EXIT_NO;
    }
    if (column_out->type >= AIMG_TYPE_UTF8)
        return EXIT_DONE;
    output_error("%s: column '%s' holds numbers; 'aimg get' writes them as text", path, name);
    return EXIT_NO;
}

/* column: NULL for the images themselves. image_most: UINT64_MAX for the usual limits to one image. */
static int write_images(const char *path, const struct reading_at *at, uint64_t image_most, const char *column,
                        char *const *words, int count, bool plain)
{
    struct aimg_column of;
    struct image_buffer buffer = {0};
    struct aimg_reader *reader;
    uint32_t ordinal;
    int one, code = image_most == UINT64_MAX ? reading_open_at(path, READING_COPIED, at, &reader)
                                             : reading_open_up_to(path, image_most, at, &reader);

    if (code != EXIT_DONE)
        return code;
    if (column != NULL)
        code = find_column(reader, path, column, &of);
    if (code != EXIT_DONE)
        count = 0;
    for (int i = 0; i < count && !ferror_unlocked(stdout); i++) {
        one = select_image(reader, path, words[i], plain, &ordinal);
        if (one == EXIT_DONE && column != NULL)
            one = write_value(reader, path, &of, words[i], ordinal, &buffer);
        else if (one == EXIT_DONE)
            one = write_image(reader, path, ordinal, &buffer);
        code = worse_code(code, one);
    }
    free(buffer.data);
    aimg_reader_close(reader);
    return output_finish(code);
}

int cmd_cat(int argc, char **argv, const struct common_options *common)
{
    enum { OPTION_NAME = LONG_OPTION, OPTION_AT, OPTION_COLUMN, OPTION_MAX_IMAGE };
    static const struct option options[] = {{"force", no_argument, NULL, 'f'},
                                            {"name", no_argument, NULL, OPTION_NAME},
                                            {"at", required_argument, NULL, OPTION_AT},
                                            {"column", required_argument, NULL, OPTION_COLUMN},
                                            {"max-image", required_argument, NULL, OPTION_MAX_IMAGE},
                                            {NULL, 0, NULL, 0}};
    struct reading_at at = {.given = false};
    const char *column = NULL;
    uint64_t image_most = UINT64_MAX;
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
        if (found == OPTION_MAX_IMAGE && !reading_parse_size(optarg, &image_most))
            return output_usage("cat", "'%s' is not a number; '4096', '10K', '3G' are", optarg);
        force = force || found == 'f';
        plain = plain || found == OPTION_NAME;
        if (found == OPTION_COLUMN)
            column = optarg;
    }
    if (argc - optind < 2)
        return output_usage("cat", optind >= argc ? "ARCHIVE is missing" : "NAME or @N is missing");
    if (!force && isatty(STDOUT_FILENO))
        return output_usage("cat", "stdout is a terminal: send the bytes to a file or a program, or give -f");
    return write_images(argv[optind], &at, image_most, column, argv + optind + 1, argc - optind - 1, plain);
}
