/* SPDX-License-Identifier: Apache-2.0 */
/* --columns of pack and add: the values of a file go with the images as these are added; what came too early for that, and what
 * is about images that are there, is set at the end. */
#ifndef AIMG_TOOLS_INTAKE_VALUES_H
#define AIMG_TOOLS_INTAKE_VALUES_H

#include "ingest_columns.h"
#include "value_file.h"

struct intake_values {
    const char *path; /* NULL: there is no such file */
    const char *target;
    struct aimg_writer *writer;
    uint32_t replaceable;      /* images of lower ordinals may still be replaced */
    struct value_file *file;   /* borrowed */
    struct aimg_value *values; /* of the image that is being added */
    size_t count;
    struct value_row *row; /* of that image, or NULL */
    bool strict;           /* set after begin: what is about no image is the end of the command, and not left out */
};

/* Print what is wrong; return an exit_code. begin is called once, end in any case. file: of that path, open. replaceable: the
 * lowest ordinal that stays whatever is added. */
int intake_values_begin(struct intake_values *values, const char *path, struct value_file *file, struct aimg_writer *writer,
                        const char *target, uint32_t replaceable);
/* What is known of an image together with what the file says, which counts: values->values and values->count. */
int intake_values_merge(struct intake_values *values, const struct ingest_values *known, const char *name, size_t name_bytes);
/* The image was added. */
void intake_values_added(struct intake_values *values);
/* The rows that are left. *changed_out becomes true when a value was set. EXIT_NO: some rows, or names in them, are about no
 * image. */
int intake_values_finish(struct intake_values *values, bool *changed_out);
void intake_values_end(struct intake_values *values);

#endif
