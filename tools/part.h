/* SPDX-License-Identifier: Apache-2.0 */
/* ARCHIVE.part: where pack works until ARCHIVE is whole. */
#ifndef AIMG_TOOLS_PART_H
#define AIMG_TOOLS_PART_H

#include "ingest_options.h"

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
    char *path;
    char *folder;                  /* that it lies in */
    struct part_identity identity; /* of the unfinished file, once it is made or opened */
};

/* archive: borrowed. Returns an exit_code. */
int part_init(struct part *part, const char *archive);
void part_fini(struct part *part);

/* Whether pack may begin: what is there is neither replaced nor gone on with unless the options say so, and nobody writes it.
 * Prints what is wrong; returns an exit_code. */
int part_check(const struct part *part, const struct ingest_options *options);

/* Removes the unfinished file that a pack which was stopped left, if there is one. Prints what is wrong; returns an exit_code. */
int part_clear(const struct part *part);

/* Removes the unfinished file unless it is not ours any more. */
void part_remove(const struct part *part);

/* Renames it to ARCHIVE and makes that durable. Prints what is wrong; returns an exit_code. */
int part_finish(const struct part *part, bool replace, bool sync_file);

#endif
