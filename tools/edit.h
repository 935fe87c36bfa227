/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs that change an archive without adding files have in common: one writer, one commit. */
#ifndef AIMG_TOOLS_EDIT_H
#define AIMG_TOOLS_EDIT_H

#include "part.h"
#include "reading.h"

#include <getopt.h>

struct edit {
    const char *verb;
    const char *archive;
    const char *message; /* of the commit, or NULL */
    bool wait;           /* while another writer has the archive */
    const char *undone;  /* "nothing was removed", to be said when the change fails; NULL: the verb says it */
    struct aimg_writer *writer;
    struct part_identity identity; /* of the file that is open */
    bool committed;                /* after edit_close: into the file that the path names */
};

#define EDIT_HELP                                                     \
    "      --message TEXT  for the log, at most 254 bytes of UTF-8\n" \
    "      --wait          wait while another writer has the archive\n"

/* The rows for these in a verb's table of options, and what getopt_long returns for them. */
enum { EDIT_OPTION_MESSAGE = LONG_OPTION + 100, EDIT_OPTION_WAIT };
#define EDIT_OPTIONS                                           \
    {"message", required_argument, NULL, EDIT_OPTION_MESSAGE}, \
    {                                                          \
        "wait", no_argument, NULL, EDIT_OPTION_WAIT            \
    }

/* Whether what getopt_long found is one of them. value: its optarg. */
bool edit_take_option(struct edit *edit, int found, const char *value);

/* With verb, archive and message set. All print what is wrong, and return an exit_code. */
int edit_open(struct edit *edit);
/* What aimg_writer_... said of a change. */
int edit_failed(const struct edit *edit, enum aimg_status status, const struct aimg_error *error);
int edit_commit(struct edit *edit);
/* After edit_open went well. code: what came of it so far. What was not committed is dropped, and said to be undone when the
 * system or the archive is to blame. */
int edit_close(struct edit *edit, int code);

#endif
