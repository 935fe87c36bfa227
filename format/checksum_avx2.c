/* SPDX-License-Identifier: Apache-2.0 */
#ifdef __AVX2__ /* compiled with -mavx2 */
#define AIMG_WIDE(function) function##_avx2
#define XXH_VECTOR          2 /* XXH_AVX2, which xxhash.h has not named yet here */
#include "checksum_wide.h"
#endif
