/* SPDX-License-Identifier: Apache-2.0 */
/* A set of ordinals: those that the open batch removes. */
#ifndef AIMG_SRC_ORDINAL_SET_H
#define AIMG_SRC_ORDINAL_SET_H

#include "memory.h"

struct aimg_ordinal_set {
    uint32_t *places; /* ordinal + 1, or 0 */
    uint64_t size;    /* a power of two, or 0 */
    uint64_t count;
};

bool aimg_ordinal_set_add(const struct aimg_allocator *allocator, struct aimg_ordinal_set *set, uint32_t ordinal);
bool aimg_ordinal_set_has(const struct aimg_ordinal_set *set, uint32_t ordinal);
void aimg_ordinal_set_clear(const struct aimg_allocator *allocator, struct aimg_ordinal_set *set);

#endif
