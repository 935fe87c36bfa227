/* SPDX-License-Identifier: Apache-2.0 */
/* ARCHIVE.part: where pack works until ARCHIVE is whole. */
#ifndef AIMG_TOOLS_PART_H
#define AIMG_TOOLS_PART_H

#include "ingest_options.h"

#include <sys/types.h>

struct part {
    const char *archive;
    char *path;
    char *folder; /* that it lies in */
    dev_t device; /* of the unfinished file, once part_identify was called */
    ino_t inode;
};

/* archive: borrowed. Returns an exit_code. */
int part_init(struct part *part, const char *archive);
void part_fini(struct part *part);

/* Whether pack may begin: what is there is neither replaced nor gone on with unless the options say so. With --force an abandoned
 * unfinished file is removed. Prints what is wrong; returns an exit_code. */
int part_prepare(const struct part *part, const struct ingest_options *options);

/* Remembers which file the path names now. */
void part_identify(struct part *part);
void part_remove(const struct part *part);

/* Renames it to ARCHIVE and makes that durable. Prints what is wrong; returns an exit_code. */
int part_finish(const struct part *part, bool replace, bool sync_file);

#endif
