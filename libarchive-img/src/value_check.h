/* SPDX-License-Identifier: Apache-2.0 */
/* Values that a caller gives: whether they fit their column, and what of them is stored. */
#ifndef AIMG_SRC_VALUE_CHECK_H
#define AIMG_SRC_VALUE_CHECK_H

#include "writer.h"

/* Index of the column with that id among the writer's. */
enum aimg_status aimg_value_column(const struct aimg_writer *writer, uint32_t id, uint32_t *index_out, struct aimg_error *error);

/* Whether a value fits its column; checked for all values before anything is written. Loads the dictionary of its column. */
enum aimg_status aimg_value_check(struct aimg_writer *writer, const struct aimg_value *value, struct aimg_error *error);

/* What stands in the place of a value: its elements, its bytes, or the code of its text. */
struct aimg_plain_value {
    uint32_t column_index;
    uint32_t code;
    const void *data; /* as given, or of this struct; NULL: null */
    size_t bytes;
};

/* Of a value that was checked. A text that its dictionary does not know is given a code. */
enum aimg_status aimg_value_plain(struct aimg_writer *writer, const struct aimg_value *value, struct aimg_plain_value *plain_out,
                                  struct aimg_error *error);

#endif
