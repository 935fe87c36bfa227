/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs that read have in common: opening, words for a bad option, numbers and times as text. */
#ifndef AIMG_TOOLS_READING_H
#define AIMG_TOOLS_READING_H

#include <aimg/aimg.h>
#include <stdbool.h>
#include <stdint.h>

static inline int worse_code(int a, int b)
{
    return a > b ? a : b;
}

/* Whether an archive may have aliases: the bit ALIAS of spec/SPEC.md, 4.1. */
static inline bool may_have_aliases(const struct aimg_info *info)
{
    return (info->incompat & 4) != 0;
}

enum reading_mode {
    READING_MAPPED, /* columns as arrays, fast names */
    READING_COPIED  /* pread only: a file that shrinks under our hands is an error and no SIGBUS */
};

/* Values of long options that have no short form; above all characters. */
enum { LONG_OPTION = 256 };

/* Opens an archive. Prints what is wrong, and warns of a torn tail. Returns an exit_code. */
int reading_open(const char *path, enum reading_mode mode, struct aimg_reader **reader_out);

/* What was packed here can be read here: limits grow with the archive. */
void reading_raise_limits(const char *path, struct aimg_limits *limits);

/* Which commit to read: that of --at N, or the last. All zero: the last. */
struct reading_at {
    bool given;
    uint64_t seq;
};

#define READING_AT_HELP "      --at N     as it was after commit N, a number of 'aimg log'\n"

/* Takes the value of --at, or of another option that names a commit. Prints what is wrong; returns an exit_code. */
int reading_take_at(const char *verb, const char *option, const char *text, struct reading_at *at_out);

/* reading_open as of a commit. EXIT_NO when the log has no such commit. */
int reading_open_at(const char *path, enum reading_mode mode, const struct reading_at *at, struct aimg_reader **reader_out);

/* Says that the archive has no such commit, and which it has. Returns EXIT_NO. */
int reading_no_commit(const char *path, const struct reading_at *at);

/* The same with READING_COPIED, for who has set a limit of their own to what is decoded: that of one image is as high, however
 * much smaller it is stored. */
int reading_open_up_to(const char *path, uint64_t bytes, const struct reading_at *at, struct aimg_reader **reader_out);

/* Memory that grows to the largest image it was asked to hold. All zero at first; released with free(data). */
struct image_buffer {
    void *data;
    uint64_t room;
    uint64_t bytes; /* of the image that is in it */
};

/* Reads the original bytes of an image, checked. */
enum aimg_status reading_image(const struct aimg_reader *reader, uint32_t ordinal, struct image_buffer *buffer,
                               struct aimg_error *error);

/* getopt_long returned '?' or ':'. Returns EXIT_USAGE. */
int reading_bad_option(const char *verb, int found, char *const *argv);

/* "4096", "10K", "3G": powers of 1000, as output_size prints them. False for all else. */
bool reading_parse_size(const char *text, uint64_t *bytes_out);

enum { TIME_TEXT_BYTES = 40, COUNT_TEXT_BYTES = 64 };

/* "1 image", "60,000 images": what is in the singular, without the s. Returns buffer. */
const char *reading_count(uint64_t count, const char *what, char buffer[COUNT_TEXT_BYTES]);

/* "2026-11-21T04:47:28Z". Returns buffer. */
const char *reading_time(uint64_t time_ns, char buffer[TIME_TEXT_BYTES]);

#endif
