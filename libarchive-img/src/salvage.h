/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of a torn tail: which may stay where they are, in a batch of this writer. */
#ifndef AIMG_SRC_SALVAGE_H
#define AIMG_SRC_SALVAGE_H

#include "tail.h"

struct aimg_salvage {
    struct aimg_repair *tail;
    struct aimg_writer *writer;
    uint32_t salt;     /* of the batch that was interrupted, and from now on of this one */
    uint64_t at;       /* the next frame that may stay */
    uint64_t kept_end; /* of the images that do */
    uint64_t copies;   /* where those are written that do not */
    struct aimg_buffer stored, raw;
};

/* All that follows is of the frame at salvage->at. A failure that is no damage ends the recovery. */

/* The frame is damaged. */
enum aimg_status aimg_salvage_damaged(const struct aimg_salvage *salvage, struct aimg_error *error);
enum aimg_status aimg_salvage_hash(const struct aimg_salvage *salvage, const struct aimg_frame *frame, struct aimg_hash *hash_out,
                                   struct aimg_error *error);

/* What verify asks of a frame of this batch, whatever its payload: rules 16, 20 to 22, 32 and 53. */
enum aimg_status aimg_salvage_check_frame(const struct aimg_salvage *salvage, const struct aimg_frame_view *view,
                                          struct aimg_error *error);
/* And of payloads: rule 18; of an image 49 and 50 too, and for its entry what is prepared; of an alias 19 and 47. */
enum aimg_status aimg_salvage_check_payload(const struct aimg_salvage *salvage, const struct aimg_frame *frame,
                                            struct aimg_hash *hash_out, struct aimg_error *error);
enum aimg_status aimg_salvage_check_image(struct aimg_salvage *salvage, const struct aimg_frame *frame,
                                          struct aimg_prepared *prepared, struct aimg_error *error);
enum aimg_status aimg_salvage_check_alias(const struct aimg_salvage *salvage, const struct aimg_frame *frame,
                                          struct aimg_alias *alias, struct aimg_entry_record *entry, struct aimg_error *error);

#endif
