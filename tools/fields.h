/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of a table and those of an archive: which is which, and of what type. */
#ifndef AIMG_TOOLS_FIELDS_H
#define AIMG_TOOLS_FIELDS_H

#include "infer.h"
#include "table.h"
#include "value_type.h"

enum field_origin {
    FIELD_EXISTING, /* the archive has it */
    FIELD_DECLARED, /* name:type in the file, or a name that has one type only */
    FIELD_INFERRED,
    FIELD_EMPTY /* no value and no type: nothing to set */
};

struct field {
    char *name;
    enum field_origin origin;
    struct value_type type;
    struct infer infer;
    uint32_t id;            /* in the writer, once it is defined */
    uint64_t values, nulls; /* set so far; for whoever counts */
};

struct fields {
    struct table *table;
    const struct aimg_reader *base;
    const char *archive;
    struct field *items; /* item i is column i + 1 of the table */
    uint32_t count, room;
    uint64_t rows; /* that the scan has seen */
};

/* Goes over the table, finds the columns and their types, and rewinds it. base: the archive, borrowed until fields_free; NULL
 * for one that is yet to be made. Prints what is wrong; returns an exit_code. Needs fields_free in any case. */
int fields_scan(struct fields *fields, struct table *table, const struct aimg_reader *base, const char *archive);
/* Defines the columns in the writer. */
int fields_define(struct fields *fields, struct aimg_writer *writer);
/* The name in the row, checked to be one: TABLE_TEXT and UTF-8. Returns an exit_code. */
int fields_check_name(const struct table *table);
/* A cell of the last row does not fit its column. Returns EXIT_NO. */
int fields_wrong(const struct fields *fields, const struct field *field, const char *why);
void fields_free(struct fields *fields);

#endif
