/* SPDX-License-Identifier: Apache-2.0 */
/* How archives are changed for fuzzing: the structures that they are made of are edited, moved and mixed, and then the checksums
 * are made right again, up to a level. Bytes changed anywhere at all would nearly always be caught by a checksum at the door. */
#ifndef AIMG_FUZZ_MUTATE_H
#define AIMG_FUZZ_MUTATE_H

#include "resign.h"
#include "tree.h"

/* What a target looks at: a bit for each frame type, 1 << AIMG_FRAME_RUN and so on; 0: all alike. Every archive target has one.
 */
extern const uint32_t fuzz_focus;

/* A frame may claim any type. */
static inline bool fuzz_in_focus(uint8_t type)
{
    return fuzz_focus == 0 || (type < 32 && (fuzz_focus >> type & 1) != 0);
}

struct dice {
    uint64_t state;
};

static inline uint64_t roll(struct dice *dice, uint64_t sides)
{
    dice->state = dice->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (dice->state >> 33) % sides;
}

/* Mutates bytes that are not part of an archive, or those of an image; returns how many there are then. */
typedef size_t mutate_bytes(uint8_t *data, size_t bytes, size_t most_bytes);

/* One to a few changes, and the checksums. other: a second archive to take pieces from, or NULL. Returns the bytes. */
size_t mutate_archive(uint8_t *data, size_t bytes, size_t most_bytes, const uint8_t *other, size_t other_bytes, unsigned seed,
                      mutate_bytes *plain);

/* The pieces of it. */

/* A node, often one that the focus is on; NULL when there is none of that kind (TREE_KINDS: any). */
const struct tree_node *mutate_choose(struct dice *dice, const struct tree *tree, unsigned kind);
/* One of its fields. */
void mutate_field(struct dice *dice, struct tree *tree);
/* Frames: doubled, dropped, swapped, grown, given another salt, with a forged commit, in a circle, or after the end. */
void mutate_frames(struct dice *dice, struct tree *tree, size_t most_bytes);
/* Several copies of one fact, changed alike. */
void mutate_facts(struct dice *dice, struct tree *tree);
/* The payload of a frame of the other archive in place of one of this. */
void mutate_splice(struct dice *dice, struct tree *tree, const uint8_t *other, size_t other_bytes, size_t most_bytes);

/* A script, for targets that do things in an order: so many bytes and a mark behind the archive. */
#define FUZZ_SCRIPT_BYTES 24
#define FUZZ_SCRIPT_MARK  "FUZZRUN\n"
/* Its bytes, or NULL; *archive_bytes: without it. */
const uint8_t *fuzz_script(const uint8_t *data, size_t bytes, size_t *archive_bytes);

#endif
