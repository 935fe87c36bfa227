/* SPDX-License-Identifier: Apache-2.0 */
/* The file beside ARCHIVE where pack (ARCHIVE.part), compact (ARCHIVE.compact) and repair (OUT.repair) work until it is whole. */
#ifndef AIMG_TOOLS_PART_H
#define AIMG_TOOLS_PART_H

#include "ingest_options.h"

#include <sys/stat.h>
#include <sys/types.h>

/* Which file a path names, to be asked again later: another program may have put another one there, or none. */
struct part_identity {
    dev_t device;
    ino_t inode;
};

void part_identify(struct part_identity *identity, const char *path);
bool part_is_same(const struct part_identity *identity, const char *path);

struct part {
    const char *archive;
    const char *verb; /* that makes it */
    char *path;
    char *folder;                  /* that it lies in */
    struct part_identity identity; /* of the unfinished file, once it is made or opened */
};

/* archive, verb and suffix: borrowed. Returns an exit_code. */
int part_init(struct part *part, const char *archive, const char *verb, const char *suffix);
void part_fini(struct part *part);

/* Whether ARCHIVE may be made: nothing is there, or a file that is to be replaced and that nobody writes. instead: what to do
 * otherwise, for the message. Prints what is wrong; returns an exit_code. */
int part_check_archive(const char *archive, bool force, const char *instead);

/* Whether pack may begin: what is there is neither replaced nor gone on with unless the options say so, and nobody writes it.
 * Prints what is wrong; returns an exit_code. */
int part_check(const struct part *part, const struct ingest_options *options);

/* Removes the unfinished file that a command which was stopped left, if there is one. Prints what is wrong; returns an exit_code.
 */
int part_clear(const struct part *part);

/* Removes the unfinished file unless it is not ours any more. */
void part_remove(const struct part *part);

/* The same for verbs that copy an archive, `source`, and so know what they leave: a file that is something else stays, and stops
 * them, unless it may be removed by force. */
int part_clear_unfinished(const struct part *part, const struct stat *source, bool force);

enum part_target {
    PART_NEW,     /* ARCHIVE must not be there */
    PART_REPLACE, /* it may, unless somebody writes it */
    PART_HELD     /* it may: its writer's lock is ours */
};

/* Renames it to ARCHIVE and makes that durable. Prints what is wrong, and what to do with the unfinished file where it stays;
 * returns an exit_code. */
int part_finish(const struct part *part, enum part_target target, bool sync_file);

#endif
