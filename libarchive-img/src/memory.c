/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 256

static void *standard_alloc(void *user, size_t bytes)
{
    (void)user;
    return malloc(bytes);
}

static void standard_free(void *user, void *memory)
{
    (void)user;
    free(memory);
}

bool aimg_allocator_resolve(const struct aimg_allocator *given, struct aimg_allocator *resolved)
{
    if (given->alloc == NULL && given->free == NULL) {
        *resolved = (struct aimg_allocator){NULL, standard_alloc, standard_free};
        return true;
    }
    *resolved = *given;
    return given->alloc != NULL && given->free != NULL;
}

void aimg_limits_resolve(struct aimg_limits *limits)
{
    if (limits->image_bytes == 0)
        limits->image_bytes = AIMG_DEFAULT_IMAGE_BYTES;
    if (limits->index_bytes == 0)
        limits->index_bytes = AIMG_DEFAULT_INDEX_BYTES;
    if (limits->ratio == 0)
        limits->ratio = AIMG_DEFAULT_RATIO;
}

void *aimg_alloc_array(const struct aimg_allocator *allocator, uint64_t count, size_t each)
{
    size_t bytes;
    if (count == 0)
        count = 1;
    if (count > SIZE_MAX || __builtin_mul_overflow((size_t)count, each, &bytes))
        return NULL;
    void *memory = allocator->alloc(allocator->user, bytes);
    if (memory != NULL)
        memset(memory, 0, bytes);
    return memory;
}

void aimg_release(const struct aimg_allocator *allocator, void *memory)
{
    allocator->free(allocator->user, memory);
}

bool aimg_buffer_reserve(const struct aimg_allocator *allocator, struct aimg_buffer *buffer, uint64_t more)
{
    if (more <= buffer->capacity - buffer->bytes)
        return true;
    if (more > SIZE_MAX / 2 - buffer->bytes)
        return false;
    size_t needed = buffer->bytes + (size_t)more;
    size_t capacity = buffer->capacity < FIRST_CAPACITY ? FIRST_CAPACITY : buffer->capacity;
    while (capacity < needed)
        capacity += capacity / 2;
    uint8_t *data = allocator->alloc(allocator->user, capacity);
    if (data == NULL)
        return false;
    if (buffer->bytes > 0)
        memcpy(data, buffer->data, buffer->bytes);
    aimg_release(allocator, buffer->data);
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

bool aimg_buffer_add(const struct aimg_allocator *allocator, struct aimg_buffer *buffer, const void *data, size_t bytes)
{
    if (!aimg_buffer_reserve(allocator, buffer, bytes))
        return false;
    if (bytes > 0)
        memcpy(buffer->data + buffer->bytes, data, bytes);
    buffer->bytes += bytes;
    return true;
}

void aimg_buffer_release(const struct aimg_allocator *allocator, struct aimg_buffer *buffer)
{
    aimg_release(allocator, buffer->data);
    *buffer = (struct aimg_buffer){NULL, 0, 0};
}
