/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies of the functions of checksum_long.h for one vector unit. Before including it, AIMG_WIDE(function) is defined as the
 * function's name for that unit, and XXH_VECTOR says the unit where it is not the compiler's own choice. */
#include "checksum_long.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

_Static_assert(sizeof(struct aimg_hasher) >= sizeof(XXH3_state_t), "aimg_hasher holds xxHash's state");

static struct aimg_hash from_xxh(XXH128_hash_t hash)
{
    return (struct aimg_hash){hash.low64, hash.high64};
}

struct aimg_hash AIMG_WIDE(aimg_hash_long)(const void *data, size_t bytes)
{
    return from_xxh(XXH3_128bits(data, bytes));
}

void AIMG_WIDE(aimg_hasher_add)(struct aimg_hasher *hasher, const void *data, size_t bytes)
{
    (void)XXH3_128bits_update((XXH3_state_t *)(void *)hasher->state, data, bytes);
}

struct aimg_hash AIMG_WIDE(aimg_hasher_end)(const struct aimg_hasher *hasher)
{
    return from_xxh(XXH3_128bits_digest((const XXH3_state_t *)(const void *)hasher->state));
}
