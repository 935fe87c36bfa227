/* SPDX-License-Identifier: Apache-2.0 */
/* Steps as data: made by chance, told, and read back. */
#ifndef AIMG_TEST_MODEL_SEQUENCE_H
#define AIMG_TEST_MODEL_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_STEPS      64u
#define MODEL_ARGUMENTS  3u
#define MODEL_TEXT_BYTES 4096u

enum model_kind {
    MODEL_CREATE,
    MODEL_ADD,
    MODEL_REPLACE,
    MODEL_ATTACH,
    MODEL_MANY,
    MODEL_REMOVE,
    MODEL_RENAME,
    MODEL_COLUMN,
    MODEL_SET,
    MODEL_ARRAY,
    MODEL_META,
    MODEL_TRAIN,
    MODEL_COMMIT,
    MODEL_SEAL,
    MODEL_COMPACT,
    MODEL_REOPEN,
    MODEL_KILL,
    MODEL_CRASH,
    MODEL_FAIL,
    MODEL_REFRESH,
    MODEL_TRAVEL,
    MODEL_CHANGES,
    MODEL_KINDS
};

struct model_step {
    enum model_kind kind;
    uint32_t arguments[MODEL_ARGUMENTS];
};

struct model_sequence {
    uint32_t count;
    struct model_step steps[MODEL_STEPS];
};

/* Sequence number `index` of a seed. */
void model_sequence_make(struct model_sequence *sequence, uint64_t seed, uint64_t index);
/* One word that model_sequence_read takes back. */
void model_sequence_tell(const struct model_sequence *sequence, char out[MODEL_TEXT_BYTES]);
bool model_sequence_read(struct model_sequence *sequence, const char *text);
const char *model_kind_name(enum model_kind kind);

#endif
