/* SPDX-License-Identifier: Apache-2.0 */
/* A zstd image decoded piece by piece: what is large, or claims to be, is checked in bounded memory. */
#include "verify_read.h"

#include "checksum.h"

#include <zstd.h>

#define OUT_BYTES ((size_t)1 << 17)

struct aimg_verify_decoder {
    ZSTD_DCtx *context;
    uint8_t *out;
    struct aimg_hasher *hasher; /* in hasher_room, aligned for vector units, as memory of an allocator need not be */
    uint8_t hasher_room[sizeof(struct aimg_hasher) + _Alignof(struct aimg_hasher)];
    uint64_t raw_bytes, limit, produced, taken;
    bool ended; /* the frame is complete */
    struct aimg_verify_decoded result;
};

struct aimg_verify_decoder *aimg_verify_decoder_create(const struct aimg_allocator *allocator)
{
    struct aimg_verify_decoder *decoder = aimg_alloc_array(allocator, 1, sizeof *decoder);
    if (decoder == NULL)
        return NULL;
    uintptr_t room = (uintptr_t)decoder->hasher_room;
    size_t skipped = (size_t)(aimg_round_up(room, _Alignof(struct aimg_hasher)) - room);
    decoder->hasher = (struct aimg_hasher *)(void *)(decoder->hasher_room + skipped);
    return decoder;
}

void aimg_verify_decoder_destroy(const struct aimg_allocator *allocator, struct aimg_verify_decoder *decoder)
{
    if (decoder == NULL)
        return;
    ZSTD_freeDCtx(decoder->context);
    aimg_release(allocator, decoder->out);
    aimg_release(allocator, decoder);
}

/* Ready for a frame, also after one that was given up. */
static bool prepare(const struct aimg_allocator *allocator, struct aimg_verify_decoder *decoder, void *dictionary)
{
    if (decoder->context == NULL)
        decoder->context = ZSTD_createDCtx();
    if (decoder->out == NULL)
        decoder->out = allocator->alloc(allocator->user, OUT_BYTES);
    if (decoder->context == NULL || decoder->out == NULL)
        return false;
    ZSTD_DCtx *context = decoder->context;
    return !ZSTD_isError(ZSTD_DCtx_reset(context, ZSTD_reset_session_only)) &&
           !ZSTD_isError(ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, AIMG_ZSTD_WINDOW_LOG_MAX)) &&
           !ZSTD_isError(ZSTD_DCtx_refDDict(context, dictionary));
}

bool aimg_verify_decoder_begin(const struct aimg_allocator *allocator, struct aimg_verify_decoder *decoder, void *dictionary,
                               uint64_t raw_bytes, uint64_t limit)
{
    if (!prepare(allocator, decoder, dictionary))
        return false;
    aimg_hasher_begin(decoder->hasher);
    decoder->raw_bytes = raw_bytes;
    decoder->limit = limit;
    decoder->produced = decoder->taken = 0;
    decoder->ended = false;
    decoder->result.fault = NULL;
    decoder->result.too_large = false;
    decoder->result.first_bytes = 0;
    return true;
}

static void check_begin(struct aimg_verify_decoder *decoder, const uint8_t *stored, size_t bytes)
{
    unsigned long long content = ZSTD_getFrameContentSize(stored, bytes);
    if (bytes < 4 || aimg_load32(stored) != ZSTD_MAGICNUMBER)
        decoder->result.fault = "it does not begin as a zstd frame does";
    else if (content == ZSTD_CONTENTSIZE_ERROR || content == ZSTD_CONTENTSIZE_UNKNOWN || content != decoder->raw_bytes)
        decoder->result.fault = "it does not give raw_bytes as its size";
}

static void produce(struct aimg_verify_decoder *decoder, size_t bytes)
{
    struct aimg_verify_decoded *result = &decoder->result;
    size_t room = sizeof result->first - result->first_bytes;
    size_t kept = bytes < room ? bytes : room;
    memcpy(result->first + result->first_bytes, decoder->out, kept);
    result->first_bytes += kept;
    aimg_hasher_add(decoder->hasher, decoder->out, bytes);
    decoder->produced += bytes;
    result->too_large = decoder->produced > decoder->limit && !decoder->ended;
}

void aimg_verify_decoder_add(struct aimg_verify_decoder *decoder, const uint8_t *stored, size_t bytes)
{
    struct aimg_verify_decoded *result = &decoder->result;
    ZSTD_inBuffer in = {stored, bytes, 0};
    bool full = false;
    if (decoder->taken == 0)
        check_begin(decoder, stored, bytes);
    decoder->taken += bytes;
    while (result->fault == NULL && !result->too_large && (in.pos < in.size || full)) {
        ZSTD_outBuffer out = {decoder->out, OUT_BYTES, 0};
        if (decoder->ended) {
            result->fault = "bytes follow the zstd frame";
            return;
        }
        size_t wanted = ZSTD_decompressStream(decoder->context, &out, &in);
        if (ZSTD_isError(wanted)) {
            result->fault = ZSTD_getErrorName(wanted);
            return;
        }
        decoder->ended = wanted == 0;
        full = out.pos == out.size && !decoder->ended; /* there may be more to come without more input */
        produce(decoder, out.pos);
    }
}

void aimg_verify_decoder_end(struct aimg_verify_decoder *decoder, struct aimg_verify_decoded *decoded_out)
{
    struct aimg_verify_decoded *result = &decoder->result;
    if (result->fault == NULL && !result->too_large && decoder->taken == 0)
        result->fault = "it has no bytes";
    if (result->fault == NULL && !result->too_large && (!decoder->ended || decoder->produced != decoder->raw_bytes))
        result->fault = decoder->ended ? "it decodes to another size" : "it ends in the middle";
    result->hash = aimg_hasher_end(decoder->hasher);
    *decoded_out = *result;
}
