/* SPDX-License-Identifier: Apache-2.0 */
/* The end of the road into an archive: one input after the other is stored, left out or refused, and parts are committed. */
#ifndef AIMG_TOOLS_INTAKE_H
#define AIMG_TOOLS_INTAKE_H

#include "existing.h"
#include "ingest.h"
#include "ingest_columns.h"
#include "intake_values.h"
#include "part_rule.h"

struct intake {
    const struct ingest_options *options; /* set by the caller, down to totals; all borrowed */
    struct inputs *inputs;
    struct value_file *file; /* of --columns */
    const char *target;      /* file that the writer writes */
    struct aimg_writer *writer;
    struct ingest_totals *totals;

    struct existing existing;
    struct ingest_columns columns;
    struct intake_values values;
    struct extent part;       /* since the last commit */
    double begin, part_begin; /* on ingest_clock */
};

/* All return an exit_code; other than EXIT_DONE means that the command ends here. They print what is wrong. */
int intake_begin(struct intake *intake);
/* Before an input is read: *read_out false when it need not be. Fills what is known of it. */
int intake_before(struct intake *intake, const struct input *input, struct load_item *known, bool *read_out);
/* What came of an input. */
int intake_take(struct intake *intake, const struct load_item *item);
/* All inputs were taken. totals->lost_values: rows of --columns were about no image. */
int intake_finish(struct intake *intake);
void intake_end(struct intake *intake);

#endif
