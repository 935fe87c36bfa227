/* SPDX-License-Identifier: Apache-2.0 */
/* Column values and dictionaries on their way from one archive into another. */
#ifndef AIMG_SRC_COPY_VALUES_H
#define AIMG_SRC_COPY_VALUES_H

#include "survivors.h"
#include "writer.h"

/* A column of the source, and its value for the image at hand. */
struct aimg_copy_column {
    struct aimg_column column;
    uint32_t id;                /* in the target */
    bool late;                  /* IMAGE: some refer to images that came later */
    bool begun;                 /* now is a value */
    size_t element;             /* bytes; 0: text or bytes */
    struct aimg_values *values; /* of all rows */
    struct aimg_column_value now;
    struct aimg_buffer room; /* for a value in the machine's order, where that is not the file's */
    uint32_t number;         /* of the image that is referred to */
};

struct aimg_copy_values {
    struct aimg_writer *writer;
    const struct aimg_survivors *survivors;
    struct aimg_copy_column *columns;
    uint32_t count;
    struct aimg_value *values;              /* room for one a column */
    uint64_t group_bytes, dictionary_bytes; /* that the iterators hold: of each no more than limits.index_bytes of the source */
};

/* Defines the columns of the source in the writer, in their order. The values are released by destroy, also after a failure. */
enum aimg_status aimg_copy_values_create(struct aimg_copy_values *values, struct aimg_writer *writer,
                                         const struct aimg_survivors *survivors, struct aimg_error *error);
void aimg_copy_values_destroy(struct aimg_copy_values *values);

/* The values of a living image into values->values, good until the next call; nulls are left out. References to images that are
 * dead are null, those to images that are not copied yet wait for aimg_copy_values_refer. */
enum aimg_status aimg_copy_values_take(struct aimg_copy_values *values, uint32_t ordinal, size_t *count_out,
                                       struct aimg_error *error);
/* Sets the references that waited, once all images are there. */
enum aimg_status aimg_copy_values_refer(struct aimg_copy_values *values, struct aimg_error *error);

/* The dictionary of a coding, unless the writer has it; written once an image with it is. */
enum aimg_status aimg_copy_coding(struct aimg_writer *writer, const struct aimg_reader *source, unsigned coding,
                                  struct aimg_error *error);

/* Whether the names of a copy are unique, once its last commit is written. */
enum aimg_status aimg_copy_check_names(struct aimg_writer *writer, struct aimg_error *error);

#endif
