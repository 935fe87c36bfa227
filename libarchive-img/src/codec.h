/* SPDX-License-Identifier: Apache-2.0 */
/* zstd, the storage codec (https://github.com/facebook/zstd, RFC 8878): contexts shared by the threads
 * of a handle without locks. */
#ifndef AIMG_SRC_CODEC_H
#define AIMG_SRC_CODEC_H

#include <aimg/aimg.h>
#include <stdatomic.h>
#include <stdbool.h>

#define AIMG_CODEC_CONTEXTS 16

/* Idle contexts; a thread takes one or makes one, and puts it back or frees it. */
struct aimg_codec_pool {
    void *_Atomic decoders[AIMG_CODEC_CONTEXTS];
    void *_Atomic encoders[AIMG_CODEC_CONTEXTS];
};

void aimg_codec_pool_init(struct aimg_codec_pool *pool);
void aimg_codec_pool_release(struct aimg_codec_pool *pool);

/* A dictionary made ready for decoding; NULL when it is none, or there is no memory. */
void *aimg_codec_dictionary_create(const void *data, size_t bytes);
void aimg_codec_dictionary_destroy(void *dictionary);
/* 1 when it is none. 0 when it is one, or when there is no memory to find out: of one that could not be created, memory was then
 * what lacked. */
int aimg_codec_dictionary_malformed(const void *data, size_t bytes);

/* Decodes one zstd frame that gives its content size = raw_bytes and fills `stored` exactly (rule 49). dictionary: or NULL.
 * offset: for the error. */
enum aimg_status aimg_codec_decode(struct aimg_codec_pool *pool, const void *dictionary, const void *stored, size_t stored_bytes,
                                   void *raw, size_t raw_bytes, uint64_t offset, struct aimg_error *error);

/* The content size that a zstd frame gives; false when it gives none. */
bool aimg_codec_raw_bytes(const void *stored, size_t stored_bytes, uint64_t *raw_bytes_out);

size_t aimg_codec_bound(size_t raw_bytes);
/* A dictionary made ready for encoding at a level, for any number of threads; it keeps no pointer to data. NULL when it is none,
 * or there is no memory. */
void *aimg_codec_encoder_create(const void *data, size_t bytes, int level);
void aimg_codec_encoder_destroy(void *encoder);
/* Encodes at a level, or with an encoder and its level. Bytes written, or 0 when it did not fit or there was no memory. */
size_t aimg_codec_encode(struct aimg_codec_pool *pool, int level, const void *encoder, const void *raw, size_t raw_bytes,
                         void *stored, size_t capacity);

/* Makes a dictionary of at most `capacity` bytes from samples that stand one after the other. Its size, or 0 when they are too
 * few or too small for one, or there is no memory. */
size_t aimg_codec_train(const void *samples, const size_t *sizes, unsigned count, void *dictionary, size_t capacity);

#endif
