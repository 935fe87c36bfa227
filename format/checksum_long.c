/* SPDX-License-Identifier: Apache-2.0 */
#include "checksum_long.h"

#define XXH_STATIC_LINKING_ONLY /* for XXH3_state_t, whose size aimg_hasher repeats */
#include <xxhash.h>
#if AIMG_XXH_DISPATCH
#include <xxh_x86dispatch.h> /* renames the functions below to those that choose at run time */
#endif

_Static_assert(sizeof(struct aimg_hasher) >= sizeof(XXH3_state_t), "aimg_hasher holds xxHash's state");

static struct aimg_hash from_xxh(XXH128_hash_t hash) { return (struct aimg_hash){hash.low64, hash.high64}; }

/* libxxhash 0.8.1 leaves the upper halves of the vector registers dirty. Code compiled for plain SSE then runs several times slower on Intel machines, because each
 * of its instructions must keep those halves. */
static inline void clean_registers(void)
{
#if AIMG_XXH_DISPATCH
    if (__builtin_cpu_supports("avx"))
        __asm__ volatile("vzeroupper");
#endif
}

struct aimg_hash aimg_hash_long(const void *data, size_t bytes)
{
    struct aimg_hash hash = from_xxh(XXH3_128bits(data, bytes));
    clean_registers();
    return hash;
}

void aimg_hasher_begin(struct aimg_hasher *hasher) { (void)XXH3_128bits_reset((XXH3_state_t *)(void *)hasher->state); }

void aimg_hasher_add(struct aimg_hasher *hasher, const void *data, size_t bytes)
{
    (void)XXH3_128bits_update((XXH3_state_t *)(void *)hasher->state, data, bytes);
    clean_registers();
}

struct aimg_hash aimg_hasher_end(const struct aimg_hasher *hasher)
{
    return from_xxh(XXH3_128bits_digest((const XXH3_state_t *)(const void *)hasher->state));
}
