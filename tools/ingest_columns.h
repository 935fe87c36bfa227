/* SPDX-License-Identifier: Apache-2.0 */
/* What pack and add know of a picture beside its bytes: columns of the archive. */
#ifndef AIMG_TOOLS_INGEST_COLUMNS_H
#define AIMG_TOOLS_INGEST_COLUMNS_H

#include "load.h"

enum { COLUMN_WIDTH, COLUMN_HEIGHT, COLUMN_CHANNELS, COLUMN_LABEL, COLUMN_MTIME, INGEST_COLUMNS };

struct ingest_columns {
    bool present[INGEST_COLUMNS];
    uint32_t ids[INGEST_COLUMNS];
};

/* Values of one image; what they point to lives here and in the item. */
struct ingest_values {
    struct aimg_value values[INGEST_COLUMNS];
    size_t count;
    uint8_t channels;
};

/* Defines the columns that are wanted. One that the archive has with another type is left empty, with a warning; for times that
 * is an error. Returns an exit_code. */
int ingest_columns_begin(struct ingest_columns *columns, struct aimg_writer *writer, const char *archive, bool labels,
                         bool times);
void ingest_columns_fill(const struct ingest_columns *columns, const struct load_item *item, struct ingest_values *values_out);

#endif
