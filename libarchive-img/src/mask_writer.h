/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AIMG_SRC_MASK_WRITER_H
#define AIMG_SRC_MASK_WRITER_H

#include "catalog.h"
#include "table_writer.h"

struct aimg_ordinals {
    const uint32_t *values; /* ascending */
    uint32_t count;
};

/* Writes the MASK of a run: what the base_count runs that it was made of had, or none, and the ordinals that were removed or are
 * attachments. */
enum aimg_status aimg_mask_write(const struct aimg_source *source, struct aimg_run *bases, uint32_t base_count,
                                 const struct aimg_part *run, struct aimg_ordinals removed, struct aimg_ordinals attached,
                                 struct aimg_out *out, struct aimg_part *part_out, struct aimg_error *error);

#endif
