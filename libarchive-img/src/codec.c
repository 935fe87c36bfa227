/* SPDX-License-Identifier: Apache-2.0 */
#include "codec.h"

#include "error.h"

#include "bytes.h"
#include "constants.h"

#include <inttypes.h>
#include <zdict.h>
#include <zstd.h>

/* At high levels an encoder that saw a large image holds up to 700 MB: making it anew costs little beside its work. */
#define ENCODER_BYTES_KEPT (UINT64_C(4) << 20)

void aimg_codec_pool_init(struct aimg_codec_pool *pool)
{
    for (int i = 0; i < AIMG_CODEC_CONTEXTS; i++) {
        atomic_init(&pool->decoders[i], NULL);
        atomic_init(&pool->encoders[i], NULL);
    }
}

void aimg_codec_pool_release(struct aimg_codec_pool *pool)
{
    for (int i = 0; i < AIMG_CODEC_CONTEXTS; i++) {
        ZSTD_freeDCtx(atomic_load(&pool->decoders[i]));
        ZSTD_freeCCtx(atomic_load(&pool->encoders[i]));
    }
    aimg_codec_pool_init(pool);
}

static void *take(void *_Atomic *slots)
{
    for (int i = 0; i < AIMG_CODEC_CONTEXTS; i++) {
        if (atomic_load_explicit(&slots[i], memory_order_relaxed) == NULL)
            continue;
        void *context = atomic_exchange_explicit(&slots[i], NULL, memory_order_acquire);
        if (context != NULL)
            return context;
    }
    return NULL;
}

/* Whether a slot was free. */
static int put(void *_Atomic *slots, void *context)
{
    for (int i = 0; i < AIMG_CODEC_CONTEXTS; i++) {
        void *expected = NULL;
        if (atomic_compare_exchange_strong_explicit(&slots[i], &expected, context, memory_order_release, memory_order_relaxed))
            return 1;
    }
    return 0;
}

void *aimg_codec_dictionary_create(const void *data, size_t bytes)
{
    return ZSTD_createDDict(data, bytes);
}

void aimg_codec_dictionary_destroy(void *dictionary)
{
    ZSTD_freeDDict(dictionary);
}

int aimg_codec_dictionary_malformed(const void *data, size_t bytes)
{
    static const uint8_t empty_frame[] = {0x28, 0xB5, 0x2F, 0xFD, 0x20, 0x00, 0x01, 0x00, 0x00};
    ZSTD_DCtx *context = ZSTD_createDCtx();
    if (context == NULL)
        return 0;
    size_t got = ZSTD_decompress_usingDict(context, NULL, 0, empty_frame, sizeof empty_frame, data, bytes);
    ZSTD_freeDCtx(context);
    return ZSTD_isError(got) != 0;
}

/* Whether a frame asks for more than any may, from its header (RFC 8878, 3.1.1.1): the window of one with a single segment is its
 * content. */
static bool window_too_large(const uint8_t *stored, size_t bytes, unsigned long long content)
{
    if (bytes < 6 || (stored[4] & 0x20) != 0)
        return content > UINT64_C(1) << AIMG_ZSTD_WINDOW_LOG_MAX;
    return 10u + (stored[5] >> 3) + ((stored[5] & 7) != 0) > AIMG_ZSTD_WINDOW_LOG_MAX;
}

static enum aimg_status bad_frame(uint64_t offset, const char *what, struct aimg_error *error)
{
    return aimg_fail_at(error, AIMG_CORRUPT, 49, offset, "the zstd data at %" PRIu64 " is damaged: %s", offset, what);
}

enum aimg_status aimg_codec_decode(struct aimg_codec_pool *pool, const void *dictionary, const void *stored, size_t stored_bytes,
                                   void *raw, size_t raw_bytes, uint64_t offset, struct aimg_error *error)
{
    if (stored_bytes < 4 || aimg_load32(stored) != ZSTD_MAGICNUMBER)
        return bad_frame(offset, "it does not begin as a zstd frame does", error);
    unsigned long long content = ZSTD_getFrameContentSize(stored, stored_bytes);
    if (content == ZSTD_CONTENTSIZE_ERROR || content == ZSTD_CONTENTSIZE_UNKNOWN || content != raw_bytes)
        return bad_frame(offset, "it does not give the size that is expected", error);
    if (window_too_large(stored, stored_bytes, content))
        return bad_frame(offset, "it asks for a window above 2^27", error);
    if (ZSTD_findFrameCompressedSize(stored, stored_bytes) != stored_bytes)
        return bad_frame(offset, "it is not one whole frame", error);
    ZSTD_DCtx *context = take(pool->decoders);
    if (context == NULL)
        context = ZSTD_createDCtx();
    if (context == NULL)
        return aimg_fail_memory(error, raw_bytes);
    size_t got = dictionary == NULL ? ZSTD_decompressDCtx(context, raw, raw_bytes, stored, stored_bytes)
                                    : ZSTD_decompress_usingDDict(context, raw, raw_bytes, stored, stored_bytes, dictionary);
    if (!put(pool->decoders, context))
        ZSTD_freeDCtx(context);
    if (ZSTD_isError(got) || got != raw_bytes)
        return bad_frame(offset, ZSTD_isError(got) ? ZSTD_getErrorName(got) : "it decodes to another size", error);
    return AIMG_OK;
}

bool aimg_codec_raw_bytes(const void *stored, size_t stored_bytes, uint64_t *raw_bytes_out)
{
    unsigned long long content = ZSTD_getFrameContentSize(stored, stored_bytes);
    *raw_bytes_out = content;
    return content != ZSTD_CONTENTSIZE_ERROR && content != ZSTD_CONTENTSIZE_UNKNOWN;
}

size_t aimg_codec_bound(size_t raw_bytes)
{
    return ZSTD_compressBound(raw_bytes);
}

void *aimg_codec_encoder_create(const void *data, size_t bytes, int level)
{
    return ZSTD_createCDict(data, bytes, level);
}

void aimg_codec_encoder_destroy(void *encoder)
{
    ZSTD_freeCDict(encoder);
}

/* The frame does not name its dictionary: the coding of the image does, in a byte that is there anyway. */
static size_t encode_with(ZSTD_CCtx *context, const ZSTD_CDict *dictionary, const void *raw, size_t raw_bytes, void *stored,
                          size_t capacity)
{
    size_t got = ZSTD_CCtx_setParameter(context, ZSTD_c_dictIDFlag, 0);
    if (!ZSTD_isError(got))
        got = ZSTD_CCtx_refCDict(context, dictionary);
    if (!ZSTD_isError(got))
        got = ZSTD_compress2(context, stored, capacity, raw, raw_bytes);
    (void)ZSTD_CCtx_refCDict(context, NULL); /* the context may outlive it */
    return got;
}

size_t aimg_codec_encode(struct aimg_codec_pool *pool, int level, const void *encoder, const void *raw, size_t raw_bytes,
                         void *stored, size_t capacity)
{
    ZSTD_CCtx *context = take(pool->encoders);
    if (context == NULL)
        context = ZSTD_createCCtx();
    if (context == NULL)
        return 0;
    size_t got = encoder == NULL ? ZSTD_compressCCtx(context, stored, capacity, raw, raw_bytes, level)
                                 : encode_with(context, encoder, raw, raw_bytes, stored, capacity);
    if (ZSTD_sizeof_CCtx(context) > ENCODER_BYTES_KEPT || !put(pool->encoders, context))
        ZSTD_freeCCtx(context);
    return ZSTD_isError(got) ? 0 : got;
}

size_t aimg_codec_train(const void *samples, const size_t *sizes, unsigned count, void *dictionary, size_t capacity)
{
    size_t got = ZDICT_trainFromBuffer(dictionary, capacity, samples, sizes, count);
    return ZDICT_isError(got) ? 0 : got;
}
