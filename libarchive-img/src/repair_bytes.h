/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of an image on their way into the new archive. */
#ifndef AIMG_SRC_REPAIR_BYTES_H
#define AIMG_SRC_REPAIR_BYTES_H

#include "repair.h"

/* Where the bytes of an image are, and what they must be. */
struct aimg_repair_bytes {
    uint64_t offset; /* of the frame */
    uint64_t data_offset, stored_bytes;
    uint64_t raw_bytes; /* when the frame is there */
    uint64_t stored_hash;
    uint8_t hash[AIMG_HASH_BYTES]; /* when only the entry is there */
    uint8_t format, coding;
    bool framed;
};

struct aimg_repair_copy {
    struct aimg_repair *repair;
    struct aimg_buffer stored, raw;
    const char *why; /* the last image is lost */
};

/* Of an image that is no alias. */
enum aimg_status aimg_repair_find_bytes(struct aimg_repair_copy *copy, const struct aimg_repair_image *image,
                                        struct aimg_repair_bytes *bytes, struct aimg_error *error);
/* The image whose bytes an alias shares; SIZE_MAX when that is not known. *ordinal_out: as the alias says. */
enum aimg_status aimg_repair_find_target(struct aimg_repair *repair, const struct aimg_repair_image *image, size_t *target_out,
                                         uint32_t *ordinal_out, struct aimg_error *error);
/* Where the bytes are that an alias shares with its target, or, where that is SIZE_MAX, as its entry says. */
enum aimg_status aimg_repair_find_shared(struct aimg_repair_copy *copy, const struct aimg_repair_image *image, size_t target,
                                         struct aimg_repair_bytes *bytes, struct aimg_error *error);
/* Reads the stored bytes, and makes them ready for adding when they are those that were added. */
enum aimg_status aimg_repair_load_bytes(struct aimg_repair_copy *copy, struct aimg_repair_bytes *bytes,
                                        struct aimg_prepared *prepared, struct aimg_error *error);
void aimg_repair_copy_release(struct aimg_repair_copy *copy);

#endif
