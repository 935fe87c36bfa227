/* SPDX-License-Identifier: Apache-2.0 */
/* Which names were seen before, by a hash of 64 bits: a name that is new may be taken for an old one, never the other way round,
 * until the set is full and forgets what comes. Whoever asks must look again. */
#ifndef AIMG_TOOLS_NAME_SET_H
#define AIMG_TOOLS_NAME_SET_H

#include "number_set.h"

struct name_set {
    struct number_set hashes;
};

uint64_t name_hash(const char *name, size_t name_bytes);
/* Returns whether the name was there. Out of memory counts as full. */
bool name_set_add(struct name_set *set, const char *name, size_t name_bytes);
void name_set_free(struct name_set *set);

#endif
