/* SPDX-License-Identifier: Apache-2.0 */
/* A RUN table made of runs that lie in the file and of the rows of the stage, in this order. */
#ifndef AIMG_SRC_RUN_WRITER_H
#define AIMG_SRC_RUN_WRITER_H

#include "column_writer.h"

/* A run of the file, opened: its RUN table and the COLUMN tables that were added to it. */
struct aimg_run_tables {
    const struct aimg_reader *reader; /* sees the bytes of all of them; borrowed */
    struct aimg_table *tables;        /* the RUN first */
    struct aimg_section *sections;
    uint32_t count;
};

/* parts: those of the archive, among which the COLUMN tables of the run are found. */
enum aimg_status aimg_run_tables_open(const struct aimg_reader *reader, const struct aimg_part *run,
                                      const struct aimg_part *parts, uint32_t part_count, struct aimg_run_tables *run_out,
                                      struct aimg_error *error);
void aimg_run_tables_release(struct aimg_run_tables *run);
/* The table whose values of a column count (SPEC.md section 6.1), or NULL: all rows are null. */
struct aimg_table *aimg_run_tables_column(const struct aimg_run_tables *run, const struct aimg_column_record *record);

/* Writes the rows of `count` runs that follow each other, and those of the stage, as one RUN; empties the stage. What is read is
 * verified. *zstd_out is set to true when a section is coded. */
enum aimg_status aimg_run_write(const struct aimg_run_tables *runs, uint32_t count, struct aimg_stage *stage,
                                struct aimg_out *out, struct aimg_codec_pool *codecs, struct aimg_part *part_out, bool *zstd_out,
                                struct aimg_error *error);

#endif
