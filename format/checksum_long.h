/* SPDX-License-Identifier: Apache-2.0 */
/* XXH3-128 of long inputs and of streams, compiled for each vector unit; checksum_long.c chooses at run time. */
#ifndef AIMG_FORMAT_CHECKSUM_LONG_H
#define AIMG_FORMAT_CHECKSUM_LONG_H

#include "checksum.h"

#define AIMG_WIDE_FUNCTIONS(name)                                                            \
    struct aimg_hash aimg_hash_long_##name(const void *data, size_t bytes);                  \
    void aimg_hasher_add_##name(struct aimg_hasher *hasher, const void *data, size_t bytes); \
    struct aimg_hash aimg_hasher_end_##name(const struct aimg_hasher *hasher);

AIMG_WIDE_FUNCTIONS(baseline)
AIMG_WIDE_FUNCTIONS(avx2)
AIMG_WIDE_FUNCTIONS(avx512)

struct aimg_hash aimg_hash_long(const void *data, size_t bytes);

#endif
