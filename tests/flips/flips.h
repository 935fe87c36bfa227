/* SPDX-License-Identifier: Apache-2.0 */
/* Damage in every place of an archive: what an archive says when it is sound, and whether one that is damaged tells lies. */
#ifndef AIMG_TEST_FLIPS_H
#define AIMG_TEST_FLIPS_H

#include "io.h"

#include <aimg/aimg.h>
#include <stdbool.h>

/* ------------------------------------------------------------------ flips_state.c: what an archive says */

struct flips_state; /* as of one commit */

/* Memory of one opening or check, given back as a whole: most of the time would go into malloc. Under a sanitizer it is malloc.
 */
struct aimg_allocator flips_allocator(void);
void flips_forget(void);

/* Opens on memory; with_map false: as a handle without a map does, that only copies. */
enum aimg_status flips_open(const uint8_t *data, uint64_t bytes, bool with_map, struct aimg_reader **reader_out);
void flips_close(struct aimg_reader *reader);

/* All that the reader says. NULL when something cannot be read. */
struct flips_state *flips_state_take(const struct aimg_reader *reader);
void flips_state_destroy(struct flips_state *state);

/* What the reader, of a damaged archive, says otherwise than the state, and is no error; NULL when nothing is. every_way: by
 * iterators, chunks and borrowing as well. *reads: answers that were
 * compared are added; a refusal is none. */
const char *flips_state_wrong(const struct flips_state *state, const struct aimg_reader *reader, bool every_way, uint64_t *reads);

/* ------------------------------------------------------------------ flips_archive.c: the archives */

struct flips_archive {
    char name[80];
    size_t bytes;
    size_t tail;     /* where what was torn off begins; bytes when there is none */
    uint8_t *sound;  /* as it should be */
    uint8_t *old;    /* as it was before the last commit, and zero behind that */
    uint8_t *data;   /* to be damaged; where it ends no page follows */
    uint64_t faults; /* that the check finds in it as it is: a torn tail is one */
    bool *payload;   /* of each byte: whether it is an image's */
    uint64_t commits;
    struct flips_state **states; /* after 0 to `commits` commits */
};

/* Ends the program when the file cannot be read or is not sound. */
void flips_archive_load(struct flips_archive *archive, const char *path);
/* An archive with all that a writer makes, of about so many bytes; with a torn tail. */
void flips_archive_write(struct flips_archive *archive, uint32_t alignment, size_t bytes, size_t torn);
void flips_archive_destroy(struct flips_archive *archive);

/* Faults that the check finds in archive->data, but for the torn tail that it has. quick: without the bytes of images. */
uint64_t flips_faults(const struct flips_archive *archive, bool quick);
/* What archive->data, opened and read in all ways, says that is wrong; NULL when nothing is. */
const char *flips_lie(const struct flips_archive *archive, bool every_way, uint64_t *reads);

/* ------------------------------------------------------------------ flips_sectors.c: damage in pieces */

/* What was tried, and what came of it; one a process. */
struct flips_sum {
    uint64_t bits, bits_found, bursts, bursts_found, sectors, sectors_found;
    uint64_t bits_harmless; /* of a torn tail, which is no part of the archive */
    uint64_t harmless;      /* of the sectors: a hint page that is empty or old, as the format allows */
    uint64_t reads;
    uint64_t failures;
};

/* Compares what the check and a reader say of archive->data with what is there; what names the damage. Returns whether it was
 * found. may_be_sound: the format allows it. */
bool flips_judge(struct flips_archive *archive, bool every_way, bool may_be_sound, struct flips_sum *sum, const char *what, ...)
    __attribute__((format(printf, 5, 6)));
/* Sectors of that size zeroed, swapped, doubled, and as they were before the last commit. */
void flips_sectors(struct flips_archive *archive, size_t sector, struct flips_sum *sum);
/* So many times 2 to 64 bits next to each other, any of them turned. */
void flips_bursts(struct flips_archive *archive, uint64_t count, uint64_t seed, struct flips_sum *sum);

#endif
