/* SPDX-License-Identifier: Apache-2.0 */
/* zstd: round trips, frames that are not what rule 49 asks for, contexts shared by threads. */
#include "codec.h"
#include "random.h"
#include "test.h"

#include <pthread.h>
#include <zdict.h>
#include <zstd.h>

enum { RAW_BYTES = 5000 };

static struct aimg_codec_pool pool;
static uint8_t raw[RAW_BYTES], stored[RAW_BYTES * 2], decoded[RAW_BYTES];

static size_t encode(size_t bytes)
{
    return aimg_codec_encode(&pool, 3, NULL, raw, bytes, stored, sizeof stored);
}

/* Decodes from and into buffers that end where no page follows. */
static enum aimg_status decode(const void *data, size_t bytes, size_t raw_bytes)
{
    struct aimg_error error = {.status = AIMG_OK};
    uint8_t *in = test_guarded(bytes), *out = test_guarded(raw_bytes);
    if (bytes > 0)
        memcpy(in, data, bytes);
    enum aimg_status status = aimg_codec_decode(&pool, NULL, in, bytes, out, raw_bytes, 777, &error);
    if (status == AIMG_OK && raw_bytes > 0)
        memcpy(decoded, out, raw_bytes);
    if (status == AIMG_CORRUPT)
        EXPECT(error.rule == 49 && error.offset == 777);
    return status;
}

static void check_round_trips(void)
{
    for (size_t bytes = 0; bytes <= RAW_BYTES; bytes += bytes < 20 ? 1 : 997) {
        size_t packed = encode(bytes);
        EXPECT(packed > 0 && packed <= aimg_codec_bound(bytes));
        memset(decoded, 0, sizeof decoded);
        EXPECT_EQ_INT(decode(stored, packed, bytes), AIMG_OK);
        EXPECT_EQ_BYTES(decoded, raw, bytes);
        EXPECT_EQ_INT(decode(stored, packed, bytes + 1), AIMG_CORRUPT);
        if (bytes > 0)
            EXPECT_EQ_INT(decode(stored, packed, bytes - 1), AIMG_CORRUPT);
    }
    EXPECT_EQ_UINT(aimg_codec_encode(&pool, 3, NULL, raw, RAW_BYTES, stored, 10), 0); /* does not fit */
}

static void check_bad_frames(void)
{
    size_t packed = encode(1000);
    for (size_t bytes = 0; bytes < packed; bytes++)
        EXPECT_EQ_INT(decode(stored, bytes, 1000), AIMG_CORRUPT);
    EXPECT_EQ_INT(decode(stored, packed + 1, 1000), AIMG_CORRUPT); /* something after it */
    /* Two frames, each whole. */
    size_t second = aimg_codec_encode(&pool, 3, NULL, raw + 500, 500, stored, sizeof stored);
    uint8_t both[2000];
    memcpy(both, stored, second);
    memcpy(both + second, stored, second);
    EXPECT_EQ_INT(decode(both, second, 500), AIMG_OK);
    EXPECT_EQ_INT(decode(both, 2 * second, 1000), AIMG_CORRUPT);
    EXPECT_EQ_INT(decode(both, 2 * second, 500), AIMG_CORRUPT);
    static const uint8_t skippable[12] = {0x50, 0x2A, 0x4D, 0x18, 4, 0, 0, 0, 1, 2, 3, 4};
    EXPECT_EQ_INT(decode(skippable, sizeof skippable, 0), AIMG_CORRUPT);
    memcpy(both, skippable, sizeof skippable);
    memcpy(both + sizeof skippable, stored, second);
    EXPECT_EQ_INT(decode(both, second + sizeof skippable, 500), AIMG_CORRUPT);
}

/* Frames by the rich interface: without a content size, with a large window, for a dictionary. */
static size_t encode_with(ZSTD_cParameter parameter, int value, size_t bytes, const void *dictionary, size_t dictionary_bytes)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    REQUIRE(context != NULL);
    ZSTD_CCtx_setParameter(context, parameter, value);
    if (dictionary != NULL)
        ZSTD_CCtx_loadDictionary(context, dictionary, dictionary_bytes);
    size_t packed = ZSTD_compress2(context, stored, sizeof stored, raw, bytes);
    ZSTD_freeCCtx(context);
    REQUIRE(!ZSTD_isError(packed));
    return packed;
}

static void check_frame_headers(void)
{
    size_t packed = encode_with(ZSTD_c_contentSizeFlag, 0, 1000, NULL, 0);
    EXPECT_EQ_INT(decode(stored, packed, 1000), AIMG_CORRUPT);
    packed = encode_with(ZSTD_c_checksumFlag, 1, 1000, NULL, 0);
    EXPECT_EQ_INT(decode(stored, packed, 1000), AIMG_OK);
    stored[packed - 1] ^= 1;
    EXPECT_EQ_INT(decode(stored, packed, 1000), AIMG_CORRUPT);
    /* By hand: no single segment, a window descriptor, a content size of 2 bytes (256 + n), one raw block of 300 bytes. */
    uint8_t frame[4 + 1 + 1 + 2 + 3 + 300] = {0x28, 0xB5, 0x2F, 0xFD, 0x40, 0, 300 - 256, 0, (300 << 3 | 1) & 0xFF, 300 >> 5, 0};
    memcpy(frame + 11, raw, 300);
    EXPECT_EQ_INT(decode(frame, sizeof frame, 300), AIMG_OK);
    frame[5] = 17 << 3; /* 2^27 */
    EXPECT_EQ_INT(decode(frame, sizeof frame, 300), AIMG_OK);
    frame[5] = 17 << 3 | 1;
    EXPECT_EQ_INT(decode(frame, sizeof frame, 300), AIMG_CORRUPT);
    frame[5] = 31 << 3 | 7;
    EXPECT_EQ_INT(decode(frame, sizeof frame, 300), AIMG_CORRUPT);
    /* A single segment: the window is the content, here of 2^27 bytes and one more. What is told is the first that is wrong. */
    struct aimg_error error;
    uint8_t single[9 + 3] = {0x28, 0xB5, 0x2F, 0xFD, 0xA0, 0, 0, 0, 8, 1};
    for (uint8_t more = 0; more < 2; more++) {
        single[5] = more;
        EXPECT_EQ_INT(aimg_codec_decode(&pool, NULL, single, sizeof single, decoded, (1u << 27) + more, 0, &error), AIMG_CORRUPT);
        EXPECT_EQ_INT(strstr(error.message, "window above 2^27") != NULL, more);
    }
}

static void check_dictionary(void)
{
    size_t packed = encode_with(ZSTD_c_compressionLevel, 3, 1000, raw + 500, 800);
    struct aimg_error error;
    void *dictionary = aimg_codec_dictionary_create(raw + 500, 800), *other = aimg_codec_dictionary_create(raw + 2000, 800);
    REQUIRE(dictionary != NULL && other != NULL);
    EXPECT_EQ_INT(aimg_codec_decode(&pool, dictionary, stored, packed, decoded, 1000, 0, &error), AIMG_OK);
    EXPECT_EQ_BYTES(decoded, raw, 1000);
    /* Without it, or with another, it is not those bytes. */
    EXPECT(aimg_codec_decode(&pool, NULL, stored, packed, decoded, 1000, 0, &error) != AIMG_OK ||
           memcmp(decoded, raw, 1000) != 0);
    EXPECT(aimg_codec_decode(&pool, other, stored, packed, decoded, 1000, 0, &error) != AIMG_OK ||
           memcmp(decoded, raw, 1000) != 0);
    aimg_codec_dictionary_destroy(dictionary);
    aimg_codec_dictionary_destroy(other);
    aimg_codec_dictionary_destroy(NULL);
}

enum { TRAINED_BYTES = 4096 };

/* Samples that share a beginning, and what is learned from them. */
static size_t train(unsigned count, uint8_t *dictionary, size_t capacity)
{
    enum { SAMPLES = 50, BYTES = 200, COMMON = 150 };
    static uint8_t samples[SAMPLES * BYTES];
    size_t sizes[SAMPLES];
    uint64_t random = 4;
    for (size_t i = 0; i < SAMPLES; i++) {
        sizes[i] = BYTES;
        memcpy(samples + i * BYTES, raw, COMMON);
        random_fill(&random, samples + i * BYTES + COMMON, BYTES - COMMON);
    }
    return aimg_codec_train(samples, sizes, count, dictionary, capacity);
}

static void check_training(void)
{
    uint8_t dictionary[TRAINED_BYTES], again[TRAINED_BYTES];
    size_t bytes = train(50, dictionary, sizeof dictionary);
    EXPECT(bytes >= 256 && bytes <= sizeof dictionary && aimg_codec_dictionary_malformed(dictionary, bytes) == 0);
    EXPECT_EQ_UINT(train(50, again, sizeof again), bytes);
    EXPECT_EQ_BYTES(dictionary, again, bytes);
    EXPECT_EQ_UINT(train(0, dictionary, sizeof dictionary), 0);
    EXPECT_EQ_UINT(train(1, dictionary, sizeof dictionary), 0);
    EXPECT_EQ_UINT(train(50, dictionary, 10), 0);
}

/* What the format asks of a frame: one segment that gives its size; and no number of a dictionary, though a trained one has one,
 * and no checksum: the index has better ones. */
static void check_encoder(void)
{
    struct aimg_error error;
    uint8_t trained[TRAINED_BYTES];
    size_t bytes = train(50, trained, sizeof trained);
    REQUIRE(bytes > 0 && ZDICT_getDictID(trained, bytes) != 0);
    void *encoder = aimg_codec_encoder_create(trained, bytes, 3), *dictionary = aimg_codec_dictionary_create(trained, bytes);
    REQUIRE(encoder != NULL && dictionary != NULL);
    size_t plain = encode(200);
    size_t packed = aimg_codec_encode(&pool, 3, encoder, raw, 200, stored, sizeof stored);
    EXPECT(packed > 0 && packed < plain);
    EXPECT_EQ_UINT(stored[4] & 3, 0);       /* dictionary id */
    EXPECT_EQ_UINT(stored[4] & 4, 0);       /* checksum */
    EXPECT_EQ_UINT(stored[4] & 0x20, 0x20); /* single segment, with content size */
    EXPECT_EQ_UINT(ZSTD_getFrameContentSize(stored, packed), 200);
    EXPECT_EQ_INT(aimg_codec_decode(&pool, dictionary, stored, packed, decoded, 200, 0, &error), AIMG_OK);
    EXPECT_EQ_BYTES(decoded, raw, 200);
    EXPECT_EQ_UINT(aimg_codec_encode(&pool, 3, encoder, raw, 200, stored, 10), 0);
    aimg_codec_encoder_destroy(encoder);
    EXPECT_EQ_UINT(encode(200), plain); /* the context forgot it */
    EXPECT_EQ_INT(decode(stored, plain, 200), AIMG_OK);
    aimg_codec_dictionary_destroy(dictionary);
}

/* Anything may come in. */
static void check_rubbish(void)
{
    uint64_t random = 5;
    size_t packed = encode(2000);
    uint8_t frame[sizeof stored], *in = test_guarded(packed), *out = test_guarded(2000);
    memcpy(frame, stored, packed);
    for (unsigned i = 0; i < 20000; i++) {
        memcpy(in, frame, packed);
        for (unsigned k = 0; k < 3; k++)
            in[random_below(&random, i % 2 == 0 ? 16 : packed)] = (uint8_t)random_next(&random);
        enum aimg_status status = aimg_codec_decode(&pool, NULL, in, packed, out, 2000, 0, NULL);
        EXPECT(status == AIMG_OK || status == AIMG_CORRUPT);
    }
}

static void *decode_often(void *argument)
{
    const size_t packed = *(const size_t *)argument;
    uint8_t out[3000];
    uintptr_t bad = 0;
    for (unsigned i = 0; i < 300; i++)
        bad += aimg_codec_decode(&pool, NULL, stored, packed, out, sizeof out, 0, NULL) != AIMG_OK ||
               memcmp(out, raw, sizeof out) != 0;
    return (void *)bad;
}

static void check_threads(void)
{
    enum { THREADS = 20 }; /* more than the pool keeps */
    pthread_t threads[THREADS];
    size_t packed = encode(3000);
    for (unsigned i = 0; i < THREADS; i++)
        REQUIRE(pthread_create(&threads[i], NULL, decode_often, &packed) == 0);
    for (unsigned i = 0; i < THREADS; i++) {
        void *bad;
        pthread_join(threads[i], &bad);
        EXPECT(bad == NULL);
    }
}

int main(void)
{
    uint64_t random = 1;
    for (size_t i = 0; i < RAW_BYTES; i++)
        raw[i] = (uint8_t)(random_below(&random, 4) == 0 ? random_next(&random) : i / 100);
    aimg_codec_pool_init(&pool);
    check_round_trips();
    check_bad_frames();
    check_frame_headers();
    check_dictionary();
    check_encoder();
    check_training();
    check_rubbish();
    check_threads();
    aimg_codec_pool_release(&pool);
    return test_end("test_codec");
}
