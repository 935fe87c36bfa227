/* SPDX-License-Identifier: Apache-2.0 */
/* One column of one table, written from pieces that follow each other: rows of older tables, of the stage, of an array, or
 * nulls; single rows may be changed on the way. */
#ifndef AIMG_SRC_COLUMN_WRITER_H
#define AIMG_SRC_COLUMN_WRITER_H

#include "group_writer.h"
#include "stage.h"

struct aimg_column_piece {
    uint32_t count;                         /* rows */
    const struct aimg_reader *reader;       /* with table: all rows of that table, which has `count` */
    struct aimg_table *table;               /* of the file */
    const struct aimg_stage_column *staged; /* or of the stage; rows that it lacks are null */
    const uint8_t *values;                  /* or an array: count values of full width, little-endian; not for groups */
    const uint8_t *validity;                /* of the array: a bitmap, or NULL when all rows have a value */
};                                          /* none of them: count nulls */

struct aimg_column_edit {
    uint32_t row; /* counted over all pieces */
    uint32_t bytes;
    const uint8_t *data; /* fixed width: little-endian at full width; dictionary: the code; groups: the bytes; NULL: null */
};

struct aimg_column_source {
    const struct aimg_column_record *record;
    const struct aimg_column_piece *pieces;
    uint32_t piece_count;
    const struct aimg_column_edit *edits; /* ascending by row; they win over the pieces */
    uint32_t edit_count;
    bool always; /* write the column also when all rows are null: to hide an older one */
};

/* Writes the sections of the column; none when no row has a value, unless `always` says so. What is read from the file is
 * verified. Of the edits only the values are looked at, not whether they fit the type. *zstd_out is set to true when a section is
 * coded. */
enum aimg_status aimg_column_write(struct aimg_table_writer *table, struct aimg_codec_pool *codecs,
                                   const struct aimg_column_source *source, bool *zstd_out, struct aimg_error *error);

#endif
