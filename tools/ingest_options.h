/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of pack and of add. */
#ifndef AIMG_TOOLS_INGEST_OPTIONS_H
#define AIMG_TOOLS_INGEST_OPTIONS_H

#include "inputs.h"

#include <aimg/aimg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ingest_verb { INGEST_PACK = 1, INGEST_ADD = 2 };

/* What to do with a name that the archive has. */
enum existing_policy { EXISTING_REFUSE, EXISTING_REPLACE, EXISTING_SKIP, EXISTING_UPDATE };

struct ingest_options {
    const char *archive;
    char **paths;
    size_t path_count;
    const char *files_from, *prefix, *columns, *message, *compress_text, *level_text, *alignment_text, *threads_text, *dedup_text;
    bool no_dedup;
    bool zero_separated, follow, all, strict, escape_names, no_label, times, one_commit;
    bool force, resume;               /* pack */
    bool replace, skip, update, wait, recover; /* add */

    enum existing_policy existing;
    uint32_t compress, alignment, dedup;
    int32_t level;
    unsigned threads;
    bool reproducible; /* SOURCE_DATE_EPOCH is set: time_ns is from it */
    uint64_t time_ns;
    bool quiet;

    int argc; /* as given to the verb, to be printed again */
    char **argv;
    char **words; /* the same in the order that getopt makes; archive and paths are among them */
};

/* Reads argv, whose words are borrowed until ingest_options_fini. Prints what is wrong; returns an exit_code, and needs no fini
 * unless EXIT_DONE. */
int ingest_options_parse(enum ingest_verb verb, int argc, char **argv, bool quiet, struct ingest_options *options_out);

/* SOURCE_DATE_EPOCH, when it is in the environment: then the same input is to give the same bytes. Prints what is wrong with it;
 * returns an exit_code. */
int ingest_epoch(const char *verb, bool *reproducible_out, uint64_t *time_ns_out);

void ingest_options_fini(struct ingest_options *options);

/* For verbs with other options: what the archive would refuse with the commit, when the work is done; message may be NULL. */
int ingest_check_message(const char *verb, const char *message);

struct input_options ingest_input_options(const struct ingest_options *options, const char *own_part);

/* The options of the writer; seed: 16 bytes, borrowed, used when the result is to be reproducible. */
struct aimg_writer_options ingest_writer_options(const struct ingest_options *options, const uint8_t *seed);

/* Options that pack and add share, for their help. */
#define INGEST_HELP                                                                                                              \
    "names and inputs:\n"                                                                                                        \
    "  A folder is walked in byte order of names; a picture is stored under its path below the folder given, a single file "     \
    "under\n"                                                                                                                    \
    "  its base name. Pictures are recognised by content; other files are left out and counted.\n"                               \
    "      --prefix P         put P before every name (P/ for a folder)\n"                                                       \
    "      --files-from FILE  take the paths in FILE too, one a line, - for standard input; a listed path is the name,\n"        \
    "                         less a leading ./ or /\n"                                                                          \
    "  -0, --null             paths in FILE end with a zero byte\n"                                                              \
    "      --follow           follow symbolic links to folders below PATH too\n"                                                 \
    "      --all              take files that are no pictures too, empty ones included\n"                                        \
    "      --strict           stop at the first input that cannot be read, instead of leaving it out, and when --columns has\n"  \
    "                         rows without an image\n"                                                                           \
    "      --escape-names     store what may not stand in a name (bytes that are not UTF-8, control characters, backslashes)\n"  \
    "                         as %XX, and % before two hexadecimal digits as %25\n"                                              \
    "\nwhat is stored:\n"                                                                                                        \
    "      --compress METHOD  auto (the default): a sample decides for each format of picture whether images are stored as\n"    \
    "                         they are, with zstd, or with zstd and a dictionary made of the sample; what saves less than a\n"   \
    "                         tenth is stored as it is. store: all as it is. zstd: where that makes an image smaller. Files "    \
    "of\n"                                                                                                                       \
    "                         over 16 MiB that are compressed take room in the folder of ARCHIVE meanwhile\n"                    \
    "      --level N          of zstd, 1 to 19 (default 3)\n"                                                                    \
    "      --dedup WHERE      session (the default): a file whose bytes were seen before in this command is stored once, and\n"  \
    "                         the names share it. all: seen before in the archive too: an index of the content is kept in it,\n" \
    "                         and by later commands\n"                                                                           \
    "      --no-dedup         store every file\n"                                                                                \
    "      --no-label         no column 'label' with the first folder of each name\n"                                            \
    "      --times            keep the files' times in the column 'mtime_ns'\n"                                                  \
    "      --columns FILE     values for the images, as 'aimg set' takes them: FILE.csv or FILE.jsonl, found by the names "      \
    "that\n"                                                                                                                     \
    "                         the images get; rows without an image are listed, and the exit code is 1; see --strict\n"          \
    "      --message TEXT     for the log, at most 254 bytes of UTF-8\n"                                                         \
    "\nhow:\n"                                                                                                                   \
    "      --one-commit       make everything visible at once; else large input is committed in parts, each 1 GiB, 60 seconds\n" \
    "                         or 1,000,000 images; size and time grow to a 64th of what is done\n"                               \
    "      --threads N        threads that read (default: all cores)\n"                                                          \
    "With SOURCE_DATE_EPOCH in the environment the same input gives the same bytes.\n"

#endif
