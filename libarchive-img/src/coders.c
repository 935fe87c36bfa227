/* SPDX-License-Identifier: Apache-2.0 */
#include "coders.h"

void aimg_coders_init(struct aimg_coders *coders, uint32_t compress, int level)
{
    coders->level = level;
    coders->sparing = compress == AIMG_COMPRESS_AUTO;
    memset(coders->way, compress == AIMG_COMPRESS_STORE ? AIMG_CODING_STORE : AIMG_CODING_ZSTD, sizeof coders->way);
}

void aimg_coders_take(struct aimg_coders *coders, const struct aimg_catalog *catalog)
{
    for (uint32_t i = 0; i < catalog->head.coding_count; i++)
        coders->by_number[catalog->codings[i].coding].record = catalog->codings[i];
}

void aimg_coders_release(const struct aimg_allocator *allocator, struct aimg_coders *coders)
{
    for (unsigned i = AIMG_CODING_FIRST_LISTED; i < AIMG_CODINGS; i++) {
        aimg_release(allocator, coders->by_number[i].dictionary);
        aimg_codec_encoder_destroy(coders->by_number[i].encoder);
    }
}

uint32_t aimg_coders_count(const struct aimg_coders *coders)
{
    uint32_t count = 0;
    for (unsigned i = AIMG_CODING_FIRST_LISTED; i < AIMG_CODINGS; i++)
        count += coders->by_number[i].record.offset != 0;
    return count;
}

void aimg_coders_encode(const struct aimg_coders *coders, uint8_t *out)
{
    for (unsigned i = AIMG_CODING_FIRST_LISTED; i < AIMG_CODINGS; i++) {
        if (coders->by_number[i].record.offset == 0)
            continue;
        aimg_coding_record_encode(&coders->by_number[i].record, out);
        out += AIMG_CODING_RECORD_BYTES;
    }
}

bool aimg_coding_pays(const struct aimg_coders *coders, uint64_t stored_bytes, uint64_t raw_bytes)
{
    const struct aimg_limits defaults = {.image_bytes = AIMG_DEFAULT_IMAGE_BYTES, .ratio = AIMG_DEFAULT_RATIO};
    uint64_t least_saved = coders->sparing ? raw_bytes / 10 : 0;
    return stored_bytes < raw_bytes && raw_bytes - stored_bytes >= least_saved &&
           aimg_decoding_allowed(&defaults, stored_bytes, raw_bytes);
}
