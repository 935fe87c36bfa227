/* SPDX-License-Identifier: Apache-2.0 */
/* An archive without what is dead, in its own place or in a new file. */
#ifndef AIMG_TOOLS_COMPACT_H
#define AIMG_TOOLS_COMPACT_H

#include <stdbool.h>

struct compact_options {
    const char *archive;
    const char *output; /* NULL: in place */
    bool force, drop_history, dry_run, wait, json, quiet;
};

/* Prints what is wrong, and what was done; returns an exit_code. */
int compact_run(const struct compact_options *options);

#endif
