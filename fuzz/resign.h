/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the checksums of a changed archive right again, so that what lies behind them is reached: by fuzzing, and by tests of
 * single rules. */
#ifndef AIMG_FUZZ_RESIGN_H
#define AIMG_FUZZ_RESIGN_H

#include <stddef.h>
#include <stdint.h>

/* From the header on, as far as frames follow each other: hash lists, tail hashes, hashes of entries that are stored as they are,
 * stored hashes, checks, the hash of ROOT, the chain, and the hints. Never reads or writes outside; keeps whatever it cannot make
 * sense of. */
void aimg_resign(uint8_t *data, size_t bytes);

/* Offset of the frame number `index`, or 0 when there are not so many. */
size_t aimg_resign_frame(const uint8_t *data, size_t bytes, size_t index);

#endif
