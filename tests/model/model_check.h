/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a reader shows what the model holds. */
#ifndef AIMG_TEST_MODEL_CHECK_H
#define AIMG_TEST_MODEL_CHECK_H

#include "model_archive.h"

struct model_check {
    const struct aimg_reader *reader;
    const struct model_state *state;   /* what it must show */
    const struct model_state *commits; /* and before it, with it */
    uint32_t commit_count;
    const char *who; /* named in reasons */
    char *reason;    /* MODEL_REASON_BYTES; the first that is found */
};

#define MODEL_REASON_BYTES 512

/* Writes the reason, unless there is one; returns false. */
bool model_fail(char *reason, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* False, with the reason, unless both are the same. */
bool model_status(char *reason, enum aimg_status found, enum aimg_status expected, const struct aimg_error *error,
                  const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The counts, and a few images and names that the seed chooses. */
bool model_check_quickly(const struct model_check *check, uint64_t seed);
/* Every image, name, value, position, pair of the metadata and commit. */
bool model_check_all(const struct model_check *check);

/* For model_check.c: values of columns, and what an archive says of its past. */
bool model_check_columns(const struct model_check *check);
bool model_check_values(const struct model_check *check, uint32_t ordinal);
bool model_check_chunks(const struct model_check *check); /* and walks over columns */
bool model_check_meta(const struct model_check *check);
bool model_check_history(const struct model_check *check);
bool model_check_changes(const struct model_check *check, uint32_t since);

#endif
