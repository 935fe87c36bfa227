/* SPDX-License-Identifier: Apache-2.0 */
/* How a writer codes images: what those of each format are tried with, and the dictionaries for that. Threads that prepare images
 * read this while the writer's own thread puts dictionaries into the file; nothing that both look at changes then. */
#ifndef AIMG_SRC_CODERS_H
#define AIMG_SRC_CODERS_H

#include "catalog.h"
#include "codec.h"

#define AIMG_CODINGS 256 /* numbers that a coding can have */
#define AIMG_FORMATS 256

struct aimg_coder {
    struct aimg_coding_record record; /* coding 0: the number is free; offset 0: not in the file yet */
    uint8_t *dictionary;              /* while it is not in the file */
    void *encoder;                    /* NULL: images are not coded with it */
};

struct aimg_coders {
    int level;
    bool sparing;                              /* what saves less than a tenth is stored as it is */
    uint8_t way[AIMG_FORMATS];                 /* by format: the coding that its images are tried with */
    struct aimg_coder by_number[AIMG_CODINGS]; /* from AIMG_CODING_FIRST_LISTED on */
};

void aimg_coders_init(struct aimg_coders *coders, uint32_t compress, int level);
/* Those that the archive has. */
void aimg_coders_take(struct aimg_coders *coders, const struct aimg_catalog *catalog);
void aimg_coders_release(const struct aimg_allocator *allocator, struct aimg_coders *coders);
/* Of those in the file. */
uint32_t aimg_coders_count(const struct aimg_coders *coders);
/* Their records, in order of number. */
void aimg_coders_encode(const struct aimg_coders *coders, uint8_t *out);

/* Whether an image is worth coding when it takes so many bytes then. */
bool aimg_coding_pays(const struct aimg_coders *coders, uint64_t stored_bytes, uint64_t raw_bytes);

#endif
