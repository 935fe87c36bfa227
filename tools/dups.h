/* SPDX-License-Identifier: Apache-2.0 */
/* Equal images of an archive: found by size and checksum, then compared byte for byte. 24 bytes of memory an image, and the names
 * of some hundred thousand of those that have equals. */
#ifndef AIMG_TOOLS_DUPS_H
#define AIMG_TOOLS_DUPS_H

#include "select.h"

struct dups_options {
    bool fast; /* equal size and checksum is enough */
    bool json;
};

struct dups_totals {
    uint64_t groups;
    uint64_t copies; /* images beyond the first of their group */
    uint64_t shared; /* of these: share the bytes of another already */
    uint64_t bytes;  /* stored for the others */
};

/* Prints the groups in order of their first image. Returns an exit_code. */
int dups_print(const struct aimg_reader *reader, const char *path, struct selection *selection,
               const struct dups_options *options, struct dups_totals *totals_out);

#endif
