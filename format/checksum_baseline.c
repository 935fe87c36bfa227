/* SPDX-License-Identifier: Apache-2.0 */
#define AIMG_WIDE(function) function##_baseline
#include "checksum_wide.h"

void aimg_hasher_begin(struct aimg_hasher *hasher)
{
    (void)XXH3_128bits_reset((XXH3_state_t *)(void *)hasher->state);
}
