/* SPDX-License-Identifier: Apache-2.0 */
/* XXH3-128 of long inputs by the widest vector unit of the machine that runs, chosen at run time by libxxhash. */
#ifndef AIMG_FORMAT_CHECKSUM_LONG_H
#define AIMG_FORMAT_CHECKSUM_LONG_H

#include "checksum.h"

struct aimg_hash aimg_hash_long(const void *data, size_t bytes);

#endif
