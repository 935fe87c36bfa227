/* SPDX-License-Identifier: Apache-2.0 */
/* What the small numbers of the model stand for: names, contents, columns and their values, messages, metadata. */
#ifndef AIMG_TEST_MODEL_SAMPLE_H
#define AIMG_TEST_MODEL_SAMPLE_H

#include <aimg/aimg.h>
#include <stdbool.h>

#define MODEL_NAMES         160u /* valid ones */
#define MODEL_BAD_NAMES     6u   /* those that follow are not */
#define MODEL_NAME_BYTES    1100u
#define MODEL_CONTENTS      200u
#define MODEL_BIG_CONTENTS  4u /* those that follow are larger than most buffers */
#define MODEL_CONTENT_BYTES 70000u
#define MODEL_COLUMNS       15u
#define MODEL_VALUES        32u
#define MODEL_VALUE_BYTES   4096u
#define MODEL_MESSAGES      5u /* with 0, which is none */
#define MODEL_KEYS          5u
#define MODEL_META_VALUES   6u

struct model_column {
    const char *name;
    enum aimg_type type;
    uint32_t width;
    int list;
};

extern const struct model_column model_columns[MODEL_COLUMNS];

/* Bytes of one element of a fixed-width type; 0 for texts and bytes. */
size_t model_element_bytes(enum aimg_type type);

/* Into out (MODEL_NAME_BYTES), with a zero byte; returns the bytes before it. */
size_t model_name(uint32_t number, char *out);
/* Into out (MODEL_CONTENT_BYTES); returns the bytes. */
size_t model_content(uint32_t number, uint8_t *out);
/* Picture format that a content is added with. */
uint32_t model_format(uint32_t content);
/* Value `number` of a column, into out (MODEL_VALUE_BYTES); in the machine's order for writing, little-endian as it is read.
 * An image column's value is the ordinal. */
size_t model_value(uint32_t column, uint32_t number, bool little, uint8_t *out);
/* NULL for message 0. */
const char *model_message(uint32_t number);
const char *model_key(uint32_t key);
const char *model_meta_value(uint32_t number);

#endif
