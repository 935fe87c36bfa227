/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of runs that are written already: COLUMN tables with what the open batch sets. */
#ifndef AIMG_SRC_COLUMN_PUBLISH_H
#define AIMG_SRC_COLUMN_PUBLISH_H

#include "column_edits.h"
#include "writer.h"

/* So many COLUMN tables of a run that hold about as many columns become one: with more, a reader would look in too many places,
 * and ROOT would fill up. */
#define AIMG_COLUMN_TABLES_FOLD 8

/* What becomes of one column in one run: an array of all its rows, or its old values and some edits. */
struct aimg_column_change {
    uint32_t column;         /* index among the writer's */
    const uint8_t *values;   /* one a row, little-endian at full width; NULL: the old ones */
    const uint8_t *validity; /* of values; NULL: all rows have one */
    const struct aimg_edit *edits;
    size_t edit_count;
};

/* The runs that are written, and the file as it is. */
struct aimg_written_runs {
    struct aimg_reader view;
    struct aimg_part *runs; /* in order; after them the COLUMN parts, in order */
    uint32_t count, column_count;
};

enum aimg_status aimg_written_runs_take(struct aimg_writer *writer, struct aimg_written_runs *written_out,
                                        struct aimg_error *error);
void aimg_written_runs_release(const struct aimg_writer *writer, struct aimg_written_runs *written);

/* Writes a COLUMN table for one of these runs, at most once each, and drops the parts that nobody looks at any more. */
enum aimg_status aimg_column_publish_run(struct aimg_writer *writer, const struct aimg_written_runs *written, uint32_t index,
                                         const struct aimg_column_change *changes, uint32_t change_count,
                                         struct aimg_error *error);
/* Writes what is in writer->edits, all of runs that are written, and forgets it. */
enum aimg_status aimg_column_publish_edits(struct aimg_writer *writer, struct aimg_error *error);

#endif
