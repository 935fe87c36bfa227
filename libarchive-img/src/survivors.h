/* SPDX-License-Identifier: Apache-2.0 */
/* The images of an archive that are not dead, numbered anew in order: what an ordinal becomes when the dead ones are left out. */
#ifndef AIMG_SRC_SURVIVORS_H
#define AIMG_SRC_SURVIVORS_H

#include "reader.h"

struct aimg_survivors {
    const struct aimg_reader *reader;
    uint32_t *firsts;  /* one a run: survivors in the runs before */
    uint32_t **counts; /* one a run: survivors before every AIMG_RANK_ROWS rows; NULL where no row is dead */
    uint32_t count;
};

/* Reads and checks every mask. The reader must stay open. */
enum aimg_status aimg_survivors_create(struct aimg_survivors *survivors, const struct aimg_reader *reader,
                                       struct aimg_error *error);
void aimg_survivors_destroy(struct aimg_survivors *survivors);

/* Whether a row of a run is not dead. */
bool aimg_survivors_has_row(const struct aimg_survivors *survivors, const struct aimg_run *run, uint32_t row);
/* New number of an ordinal that the archive has; false when it is dead. */
bool aimg_survivors_number(const struct aimg_survivors *survivors, uint32_t ordinal, uint32_t *number_out);

#endif
