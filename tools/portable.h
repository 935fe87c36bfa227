/* SPDX-License-Identifier: Apache-2.0 */
/* Names that not every file system can hold beside each other. */
#ifndef AIMG_TOOLS_PORTABLE_H
#define AIMG_TOOLS_PORTABLE_H

#include "fold.h"
#include "number_set.h"

/* The names so far. Begins with portable_init. About 20 bytes a name and folder. */
struct portable {
    struct fold fold;
    struct buffer folded;
    struct number_set files, folders, spellings;
    bool forgot; /* memory was not enough for all of them: the answers are not complete */
};

/* False: out of memory. */
bool portable_init(struct portable *portable);
void portable_fini(struct portable *portable);

/* Why the name, of an archive's image, cannot be written everywhere beside those that were asked for before; NULL when it can. */
const char *portable_add(struct portable *portable, const char *name, size_t name_bytes);

#endif
