/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of a handle, through its allocator and within its limits; sizes are checked before they are used. */
#ifndef AIMG_SRC_MEMORY_H
#define AIMG_SRC_MEMORY_H

#include <aimg/aimg.h>
#include <stdbool.h>

/* The caller's allocator, or malloc and free when it is all zero. False when it is half given. */
bool aimg_allocator_resolve(const struct aimg_allocator *given, struct aimg_allocator *resolved);

/* Zero fields become the defaults that aimg.h names. */
void aimg_limits_resolve(struct aimg_limits *limits);

#define AIMG_DEFAULT_IMAGE_BYTES (UINT64_C(1) << 30)
#define AIMG_DEFAULT_INDEX_BYTES (UINT64_C(1) << 28)
#define AIMG_DEFAULT_RATIO       1000
/* Images up to this decoded size may have any ratio to their stored size. */
#define AIMG_RATIO_EXEMPT_BYTES (UINT64_C(1) << 20)

/* Whether an image may be decoded; a writer stores as it is what the default limits would refuse. */
static inline bool aimg_decoding_allowed(const struct aimg_limits *limits, uint64_t stored_bytes, uint64_t raw_bytes)
{
    return raw_bytes <= limits->image_bytes &&
           (raw_bytes <= AIMG_RATIO_EXEMPT_BYTES || raw_bytes / limits->ratio <= stored_bytes);
}

/* Zeroed memory for count elements; NULL when there is none or the size overflows. count 0 gives one element. */
void *aimg_alloc_array(const struct aimg_allocator *allocator, uint64_t count, size_t each);
void aimg_release(const struct aimg_allocator *allocator, void *memory);

/* Bytes that grow by doubling. */
struct aimg_buffer {
    uint8_t *data;
    size_t bytes;
    size_t capacity;
};

/* Room for `more` bytes after those in use; false when there is no memory (the buffer stays as it was). */
bool aimg_buffer_reserve(const struct aimg_allocator *allocator, struct aimg_buffer *buffer, uint64_t more);
bool aimg_buffer_add(const struct aimg_allocator *allocator, struct aimg_buffer *buffer, const void *data, size_t bytes);
void aimg_buffer_release(const struct aimg_allocator *allocator, struct aimg_buffer *buffer);

#endif
