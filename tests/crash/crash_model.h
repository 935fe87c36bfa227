/* SPDX-License-Identifier: Apache-2.0 */
/* What an archive must hold after a power cut: one of the states that were promised or are under way, whole. */
#ifndef AIMG_TEST_CRASH_MODEL_H
#define AIMG_TEST_CRASH_MODEL_H

#include "fake_disk.h"

#define MODEL_IMAGES     32
#define MODEL_CANDIDATES 4

struct model_image {
    char name[24];
    uint32_t content;
    uint32_t ordinal;
    uint32_t score; /* its value in the column "score"; 0: none */
    uint32_t mood;  /* its text in the dictionary column "mood": 0 none, 1 calm, 2 wild, 3 a text of its own */
    uint32_t note;  /* its text in the column "note" says this number; 0: none */
    uint32_t thumb; /* content of the attachment that the column "thumb" names; 0: none */
    uint32_t thumb_ordinal;
};

/* The archive as of one commit. */
struct model {
    uint64_t commit_count;
    char title[24]; /* of the metadata; empty: none */
    uint32_t sealed;
    uint32_t ordinal_count;
    uint32_t dead_count;
    uint32_t image_count;
    struct model_image images[MODEL_IMAGES]; /* by position */
};

/* The states of which one must be found: the last that was acknowledged, and the commits that were begun since. */
struct promise {
    struct model candidates[MODEL_CANDIDATES];
    unsigned count;
    bool nothing; /* nobody relies on the file yet, so that anything may be found */
};

struct model_image *model_put(struct model *model, const char *name, uint32_t content);
/* The image of that name leaves its place; false when there is none. */
bool model_remove(struct model *model, const char *name);
struct model_image *model_find(struct model *model, const char *name);
/* As a copy has it: what is dead leaves no trace. */
void model_compact(struct model *model);

/* Contents from this number on are alike; those before are as in sample.h. */
#define MODEL_FAMILY 1500u

/* Bytes of a content, which are made once. */
const uint8_t *model_content(uint32_t number, size_t *bytes_out);
/* Gives a number other bytes. */
void model_content_set(uint32_t number, const uint8_t *data, size_t bytes);
/* Text of a note or of a mood. Returns its bytes. */
size_t model_note(uint32_t note, char out[64]);
size_t model_mood(const struct model_image *image, char out[64]);

void promise_only(struct promise *promise, const struct model *model);
void promise_also(struct promise *promise, const struct model *model);

enum verdict {
    VERDICT_GOOD,
    VERDICT_BAD,  /* something else is shown, or nothing can be shown */
    VERDICT_GONE, /* not an archive, which is good as long as nothing was promised */
};

/* Compares with what a reader shows. On BAD, reason says why; on GOOD, *found_out is the candidate. */
enum verdict promise_compare(const struct promise *promise, const struct aimg_reader *reader, const struct model **found_out,
                             char reason[256]);
/* Opens the bytes and compares. */
enum verdict promise_check(const struct promise *promise, const uint8_t *bytes, uint64_t count, const struct model **found_out,
                           char reason[256]);

#endif
