/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the checksums of an archive agree with its bytes again, so that what a fuzzer or a test has changed is seen by the code
 * behind the checksums. Sizes and offsets are taken as they stand there; what does not make sense is left alone. */
#ifndef AIMG_FUZZ_RESIGN_H
#define AIMG_FUZZ_RESIGN_H

#include <stddef.h>
#include <stdint.h>

/* How far up it is signed; each level includes those before it. */
enum aimg_resign_level {
    AIMG_RESIGN_NONE,
    AIMG_RESIGN_FRAMES, /* stored_hash and check of each frame */
    AIMG_RESIGN_BLOCKS, /* hash lists of tables, and hashes in entries */
    AIMG_RESIGN_TAILS,  /* in ROOT: of tables, META and dictionaries */
    AIMG_RESIGN_ROOTS,  /* in commit pages */
    AIMG_RESIGN_CHAIN,
    AIMG_RESIGN_ALL /* header and hints */
};

/* All checksums: frames, hash lists and footers of tables, ROOT, commit pages and their chain, header and hints. Of entries those
 * of images that are stored as they are. */
void aimg_resign(uint8_t *data, size_t bytes);

/* Up to a level, of frames that begin at these offsets, in order of the file: also of those that a walk no longer reaches. */
void aimg_resign_to(uint8_t *data, size_t bytes, const size_t *offsets, size_t count, enum aimg_resign_level level);

/* Offset of frame number `index`, or 0 when there are fewer. */
size_t aimg_resign_frame(const uint8_t *data, size_t bytes, size_t index);

#endif
