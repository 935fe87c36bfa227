/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses the vector unit. xxHash's own dispatch is not used: it asks the processor, which costs tens of microseconds under a
 * hypervisor, as much as opening an archive, and its wide code leaves the upper halves of the registers dirty, which slows down
 * what runs after it. The C library has asked already. */
#include "checksum_long.h"

#if AIMG_X86_UNITS
#include <sys/platform/x86.h>
#endif

struct unit {
    struct aimg_hash (*hash_long)(const void *data, size_t bytes);
    void (*hasher_add)(struct aimg_hasher *hasher, const void *data, size_t bytes);
    struct aimg_hash (*hasher_end)(const struct aimg_hasher *hasher);
};

static const struct unit baseline = {aimg_hash_long_baseline, aimg_hasher_add_baseline, aimg_hasher_end_baseline};
#if AIMG_X86_UNITS
static const struct unit avx2 = {aimg_hash_long_avx2, aimg_hasher_add_avx2, aimg_hasher_end_avx2};
static const struct unit avx512 = {aimg_hash_long_avx512, aimg_hasher_add_avx512, aimg_hasher_end_avx512};
#endif

static const struct unit *choose(void)
{
#if AIMG_X86_UNITS
    if (CPU_FEATURE_ACTIVE(AVX512F))
        return &avx512;
    if (CPU_FEATURE_ACTIVE(AVX2))
        return &avx2;
#endif
    return &baseline;
}

struct aimg_hash aimg_hash_long(const void *data, size_t bytes)
{
    return choose()->hash_long(data, bytes);
}

void aimg_hasher_add(struct aimg_hasher *hasher, const void *data, size_t bytes)
{
    choose()->hasher_add(hasher, data, bytes);
}

struct aimg_hash aimg_hasher_end(const struct aimg_hasher *hasher)
{
    return choose()->hasher_end(hasher);
}
