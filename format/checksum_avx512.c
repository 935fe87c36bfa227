/* SPDX-License-Identifier: Apache-2.0 */
#ifdef __AVX512F__ /* compiled with -mavx512f */
#define AIMG_WIDE(function) function##_avx512
#define XXH_VECTOR          3 /* XXH_AVX512, which xxhash.h has not named yet here */
#include "checksum_wide.h"
#endif
