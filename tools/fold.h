/* SPDX-License-Identifier: Apache-2.0 */
/* Names that some file system takes for the same: those that differ in case, or in how an accented letter is composed. */
#ifndef AIMG_TOOLS_FOLD_H
#define AIMG_TOOLS_FOLD_H

#include "buffer.h"

/* The tables, made once. All zero at first. */
struct fold {
    struct fold_pair *pairs;
    struct fold_mark *marks;
    size_t pair_count, mark_count;
};

/* False: out of memory. */
bool fold_init(struct fold *fold);
void fold_fini(struct fold *fold);

/* Appends what all such names have in common: folded in case as Unicode says for caseless matching, and decomposed. text is valid
 * UTF-8. False: out of memory. */
bool fold_add(const struct fold *fold, const char *text, size_t bytes, struct buffer *out);

#endif
