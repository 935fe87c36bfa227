/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plain model of an archive: arrays of what each image has, one whole copy for every commit, and one for the open batch.
 * Names, contents, values and messages are small numbers here; model_sample.h says what they stand for.
 */
#ifndef AIMG_TEST_MODEL_ARCHIVE_H
#define AIMG_TEST_MODEL_ARCHIVE_H

#include "model_sample.h"

#define MODEL_NOBODY UINT32_MAX

struct model_image {
    uint32_t name; /* number of the name + 1; 0: none, which only an attachment may have */
    uint32_t content;
    bool attachment, dead;
    bool renamed;                   /* came by renaming */
    uint32_t renamed_to;            /* in the open batch: the ordinal + 1 that it has now; else 0 */
    uint32_t values[MODEL_COLUMNS]; /* number of the value + 1, of an image column the ordinal + 1; 0: null */
};

/* An archive as of one commit, or as it will be after the next. */
struct model_state {
    uint64_t time_ns;
    uint32_t message; /* 0: none */
    bool sealed;
    bool loose_images; /* made by copying: image columns may lack what came later */
    uint32_t column_count;
    uint32_t columns[MODEL_COLUMNS]; /* which of them are defined, in order of their ids, which are 1, 2, ... */
    uint32_t meta[MODEL_KEYS];       /* number of the value + 1; 0: the key is not there */
    uint32_t image_count, room;
    struct model_image *images; /* by ordinal */
};

struct model_archive {
    struct model_state *commits;
    uint32_t commit_count, commit_room;
    struct model_state next;
    bool changed;       /* the open batch has something that makes a commit without a message */
    bool values_set;    /* or values for images that are there */
    bool taken_back;    /* of which an array of nulls took some back, so that perhaps nothing is left to commit */
    bool maybe_changed; /* or only nulls where perhaps nulls were, which the library need not commit */
};

void model_archive_clear(struct model_archive *archive);
/* The open batch becomes a commit, and the base of the next. */
void model_archive_commit(struct model_archive *archive, uint32_t message, uint64_t time_ns, bool sealed);
/* In the open batch: what refers to an image that was renamed in it refers to what that is now, as a commit has it. */
void model_archive_settle(struct model_archive *archive);
/* Forgets the open batch. */
void model_archive_drop(struct model_archive *archive);
/* Whether a commit, or sealing, would write anything. */
bool model_archive_would_commit(const struct model_archive *archive, uint32_t message, bool seal);
/* The last commit, or an empty state. */
const struct model_state *model_archive_last(const struct model_archive *archive);

void model_state_release(struct model_state *state);
void model_state_copy(struct model_state *to, const struct model_state *from);
uint32_t model_state_add(struct model_state *state, const struct model_image *image);

/* Ordinal of the image that has the name, or MODEL_NOBODY. name: number + 1. */
uint32_t model_state_find(const struct model_state *state, uint32_t name);
uint32_t model_state_listed(const struct model_state *state);
uint32_t model_state_dead(const struct model_state *state);
uint32_t model_state_alive(const struct model_state *state);
/* Index of a column in the order of ids, or MODEL_COLUMNS. */
uint32_t model_state_column(const struct model_state *state, uint32_t column);

/* What copying the archive makes of it: what is alive, renumbered; a commit for each or one in all. */
void model_archive_compact(struct model_archive *archive, bool drop_history, uint64_t time_ns);

#endif
