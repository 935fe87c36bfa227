/* SPDX-License-Identifier: Apache-2.0 */
/* Frame header, SPEC.md section 3. Decoders return 0 or the number of the rule that is broken. */
#ifndef AIMG_FORMAT_FRAME_H
#define AIMG_FORMAT_FRAME_H

#include "bytes.h"
#include "constants.h"

struct aimg_frame {
    uint8_t type;
    uint8_t header_units;
    uint8_t format;
    uint8_t coding;
    uint32_t ordinal;
    uint32_t salt;
    uint16_t name_bytes;
    uint16_t ext_bytes;
    uint64_t stored_bytes;
    uint64_t raw_bytes;
    uint64_t stored_hash;
    uint64_t check;
};

/* Bytes of header, name and ext with their padding; may pass AIMG_FRAME_HEADER_MAX, which the caller checks. */
static inline uint32_t aimg_frame_header_bytes(uint32_t name_bytes, uint32_t ext_bytes)
{
    return (AIMG_FRAME_BYTES + name_bytes + ext_bytes + AIMG_UNIT - 1) / AIMG_UNIT * AIMG_UNIT;
}

/* Header and payload with padding; stored_bytes below AIMG_PAYLOAD_LIMIT. */
static inline uint64_t aimg_frame_total_bytes(const struct aimg_frame *frame)
{
    return (uint64_t)frame->header_units * AIMG_UNIT + aimg_round_up(frame->stored_bytes, AIMG_UNIT);
}

/* Writes the 48 fixed bytes with frame->check as it is. */
void aimg_frame_encode(const struct aimg_frame *frame, uint8_t out[AIMG_FRAME_BYTES]);
/* Reads them; rules 13 (magic only), 15, 17 and the Z bytes of 19. */
unsigned aimg_frame_decode(const uint8_t in[AIMG_FRAME_BYTES], struct aimg_frame *frame);
/* Rules 14 and 19: a known type, and zero where the type has no use for a field. */
unsigned aimg_frame_check_fields(const struct aimg_frame *frame);
/* The check of a whole header of header_bytes (48 to 2,040); the field itself counts as zero. */
uint64_t aimg_frame_checksum(const uint8_t *header, size_t header_bytes, uint64_t seed);
/* Rule 22: extensions fill ext, no kind twice. *critical_out: 1 when there is a critical kind (none is known). */
unsigned aimg_frame_check_ext(const uint8_t *ext, size_t bytes, int *critical_out);

#endif
