/* SPDX-License-Identifier: Apache-2.0 */
/* A look at all names before anything is written: those that may not stand in an archive, those that clash, those that are there
 * already. */
#ifndef AIMG_TOOLS_PRECHECK_H
#define AIMG_TOOLS_PRECHECK_H

#include "ingest_options.h"
#include "sample.h"

struct precheck {
    uint64_t files;
    uint64_t digest[2];   /* of all names in their order */
    struct sample sample; /* of the inputs, when how they are stored depends on that; sample_free */
};

/* writer: NULL, or the archive that must not have the names yet. Prints what is wrong; returns an exit_code. Leaves the inputs at
 * their first. */
int precheck_names(struct inputs *inputs, const struct ingest_options *options, const struct aimg_writer *writer,
                   struct precheck *precheck_out);

/* Prints which two inputs would be stored under one name. False when there are no two. */
bool precheck_report_clash(struct inputs *inputs, bool all, const char *name, size_t name_bytes);

#endif
