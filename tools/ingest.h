/* SPDX-License-Identifier: Apache-2.0 */
/* The road that pack and add share: from inputs to images in an archive, in order, committed. */
#ifndef AIMG_TOOLS_INGEST_H
#define AIMG_TOOLS_INGEST_H

#include "ingest_options.h"
#include "sample.h"
#include "value_file.h"

struct ingest_source {
    struct inputs *inputs;
    const struct ingest_options *options;
    const struct sample *sample; /* of the inputs */
    struct value_file *values;   /* of --columns, opened; of no file when that is not given */
    uint64_t files;              /* how many there will be, for the progress line */
    const char *target;          /* file that the writer writes, for messages */
    const char *folder;          /* that the target lies in */
    double begin;                /* of the command, on ingest_clock */
};

struct ingest_totals {
    uint64_t images, bytes; /* stored */
    uint64_t not_pictures, troubles, links, skipped, replaced, damaged;
    bool lost_values;                 /* rows of --columns were about no image */
    uint64_t duplicates, saved_bytes; /* of the images: those that share the bytes of others, and what that saved */
    uint64_t commits;                 /* made by this command */
    double seconds;                   /* since the command began */
};

/* Returns EXIT_DONE, EXIT_NO when inputs were left out, or why it stopped: then *stopped_out is true, what is committed stays,
 * and the rest is not in the archive. Prints what is wrong. Afterwards the writer can only be closed. */
int ingest_run(const struct ingest_source *source, struct aimg_writer *writer, struct ingest_totals *totals_out,
               bool *stopped_out);

/* Seconds of a clock that only goes forward. */
double ingest_clock(void);

/* The one line at the end. verb: "packed". */
void ingest_report(const char *verb, const char *archive, const struct ingest_totals *totals);

#endif
