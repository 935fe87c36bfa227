/* SPDX-License-Identifier: Apache-2.0 */
#include "reading.h"

#include "cmd.h"
#include "output.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* The library's own limits to one image, and to what is held of the index. */
#define IMAGE_LEAST (INT64_C(1) << 30)
#define INDEX_LEAST (UINT64_C(1) << 28)
/* Texts and values of columns take that much more room in memory than in the file, at most, or nearly. */
#define INDEX_RATIO 4

static void warn_torn_tail(const char *path, const struct aimg_reader *reader)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    char size[32];

    if (aimg_reader_info(reader, &info, NULL) != AIMG_OK || info.tail_bytes == 0)
        return;
    if (info.being_written != 0) {
        output_note("%s: is being added to; what is not committed yet is not shown", path);
        return;
    }
    output_warning("%s: the last %s, from offset %" PRIu64
                   ", are what an interrupted writer left, and are ignored; 'aimg add --recover' keeps their whole images, any "
                   "other verb that writes drops them",
                   path, output_size(info.tail_bytes, size, sizeof size), info.file_bytes);
}

/* The commit that was asked for is not there: says which are. */
int reading_no_commit(const char *path, const struct reading_at *at)
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options,
                                          .flags = AIMG_READER_NO_MAP | AIMG_READER_ALLOW_TRUNCATED};
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct aimg_reader *reader;

    if (aimg_reader_open(path, &options, &reader, NULL) == AIMG_OK) {
        (void)aimg_reader_info(reader, &info, NULL);
        aimg_reader_close(reader);
    }
    if (info.commit_count == 0)
        output_error("%s: there is no commit %" PRIu64 ": nothing was committed yet", path, at->seq);
    else
        output_error("%s: there is no commit %" PRIu64 "; its commits are 0 to %" PRIu64 ", and 'aimg log' lists them", path,
                     at->seq, info.commit_count - 1);
    return EXIT_NO;
}

void reading_raise_limits(const char *path, struct aimg_limits *limits)
{
    struct stat file;

    if (stat(path, &file) != 0 || !S_ISREG(file.st_mode))
        return;
    /* A stored image is never larger than its archive. */
    if (file.st_size > IMAGE_LEAST && (uint64_t)file.st_size > limits->image_bytes)
        limits->image_bytes = (uint64_t)file.st_size;
    if ((uint64_t)file.st_size > INDEX_LEAST / INDEX_RATIO)
        limits->index_bytes = (uint64_t)file.st_size * INDEX_RATIO;
}

static int open_with(const char *path, struct aimg_reader_options *options, const struct reading_at *at,
                     struct aimg_reader **reader_out)
{
    struct aimg_error error;
    enum aimg_status status;

    reading_raise_limits(path, &options->limits);
    if (at->given) {
        options->flags |= AIMG_READER_AT;
        options->seq = at->seq;
    }
    status = aimg_reader_open(path, options, reader_out, &error);
    if (status == AIMG_TRUNCATED && at->given) {
        output_warning("%s: %s; what it still holds is read, as --at asks for a commit", path, error.message);
        options->flags |= AIMG_READER_ALLOW_TRUNCATED;
        status = aimg_reader_open(path, options, reader_out, &error);
    }
    if (status == AIMG_NOT_FOUND && at->given && error.sys_errno == 0)
        return reading_no_commit(path, at);
    if (status != AIMG_OK)
        return output_status(path, status, &error);
    warn_torn_tail(path, *reader_out);
    return EXIT_DONE;
}

int reading_take_at(const char *verb, const char *option, const char *text, struct reading_at *at_out)
{
    uint64_t seq = 0;

    if (text[0] == '\0' || strspn(text, "0123456789") != strlen(text))
        return output_usage(verb, "%s is the number of a commit, as 'aimg log' prints it, not '%s'", option, text);
    for (const char *digit = text; *digit != '\0'; digit++)
        if (__builtin_mul_overflow(seq, UINT64_C(10), &seq) || __builtin_add_overflow(seq, (uint64_t)(*digit - '0'), &seq))
            seq = UINT64_MAX;
    *at_out = (struct reading_at){.given = true, .seq = seq};
    return EXIT_DONE;
}

int reading_open_at(const char *path, enum reading_mode mode, const struct reading_at *at, struct aimg_reader **reader_out)
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options,
                                          .flags = mode == READING_COPIED ? AIMG_READER_NO_MAP : 0};

    return open_with(path, &options, at, reader_out);
}

int reading_open(const char *path, enum reading_mode mode, struct aimg_reader **reader_out)
{
    return reading_open_at(path, mode, &(struct reading_at){.given = false}, reader_out);
}

int reading_open_up_to(const char *path, uint64_t bytes, const struct reading_at *at, struct aimg_reader **reader_out)
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .flags = AIMG_READER_NO_MAP};

    options.limits.image_bytes = bytes > 0 ? bytes : 1; /* 0 would be the default */
    options.limits.ratio = UINT32_MAX;
    return open_with(path, &options, at, reader_out);
}

enum aimg_status reading_image(const struct aimg_reader *reader, uint32_t ordinal, struct image_buffer *buffer,
                               struct aimg_error *error)
{
    enum aimg_status status = aimg_reader_read(reader, ordinal, 0, buffer->data, buffer->room, &buffer->bytes, error);
    void *data;

    if (status != AIMG_BUFFER_TOO_SMALL)
        return status;
    data = buffer->bytes <= SIZE_MAX ? realloc(buffer->data, (size_t)buffer->bytes) : NULL;
    if (data == NULL) {
        *error = (struct aimg_error){.status = AIMG_OUT_OF_MEMORY, .offset = AIMG_NO_OFFSET};
        snprintf(error->message, sizeof error->message, "out of memory for an image of %" PRIu64 " bytes", buffer->bytes);
        return AIMG_OUT_OF_MEMORY;
    }
    buffer->data = data;
    buffer->room = buffer->bytes;
    return aimg_reader_read(reader, ordinal, 0, buffer->data, buffer->room, &buffer->bytes, error);
}

int reading_bad_option(const char *verb, int found, char *const *argv)
{
    const char *word = argv[optind - 1];
    bool is_long = optopt == 0 || optopt >= LONG_OPTION || (strncmp(word, "--", 2) == 0 && strchr(word, '=') != NULL);

    if (found == ':' && is_long)
        return output_usage(verb, "option '%s' needs a value", word);
    if (found == ':')
        return output_usage(verb, "option '-%c' needs a value", optopt);
    if (!is_long)
        return output_usage(verb, "unknown option '-%c'", optopt);
    if (optopt != 0)
        return output_usage(verb, "option '%s' takes no value", word);
    return output_usage(verb, "unknown option '%s'", word);
}

bool reading_parse_size(const char *text, uint64_t *bytes_out)
{
    static const char units[] = "KMGT";
    char *end;
    const char *unit;
    uint64_t bytes;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    bytes = strtoull(text, &end, 10);
    if (errno != 0)
        return false;
    if (*end != '\0') {
        unit = strchr(units, *end == 'k' ? 'K' : *end);
        if (unit == NULL || end[1] != '\0')
            return false;
        for (const char *step = units; step <= unit; step++)
            if (__builtin_mul_overflow(bytes, UINT64_C(1000), &bytes))
                return false;
    }
    *bytes_out = bytes;
    return true;
}

const char *reading_count(uint64_t count, const char *what, char buffer[COUNT_TEXT_BYTES])
{
    char digits[32];

    snprintf(buffer, COUNT_TEXT_BYTES, "%s %s%s", output_count(count, digits, sizeof digits), what, count == 1 ? "" : "s");
    return buffer;
}

const char *reading_time(uint64_t time_ns, char buffer[TIME_TEXT_BYTES])
{
    time_t seconds = (time_t)(time_ns / 1000000000u);
    struct tm parts;

    if (gmtime_r(&seconds, &parts) == NULL || strftime(buffer, TIME_TEXT_BYTES, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        strcpy(buffer, "unknown");
    return buffer;
}
