/* SPDX-License-Identifier: Apache-2.0 */
#include "buffer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 256 };

bool buffer_reserve(struct buffer *buffer, size_t more)
{
    size_t needed, room;
    char *data;

    if (__builtin_add_overflow(buffer->bytes, more, &needed))
        return false;
    if (needed <= buffer->room && buffer->data != NULL)
        return true;
    room = buffer->room <= SIZE_MAX / 2 ? buffer->room * 2 : needed;
    if (room < needed)
        room = needed;
    if (room < FIRST_ROOM)
        room = FIRST_ROOM;
    data = realloc(buffer->data, room);
    if (data == NULL)
        return false;
    buffer->data = data;
    buffer->room = room;
    return true;
}

bool buffer_put(struct buffer *buffer, const void *data, size_t bytes)
{
    if (!buffer_reserve(buffer, bytes))
        return false;
    if (bytes > 0)
        memcpy(buffer->data + buffer->bytes, data, bytes);
    buffer->bytes += bytes;
    return true;
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){.data = NULL};
}

char *buffer_text(const char *text, size_t bytes)
{
    char *copy = bytes < SIZE_MAX ? malloc(bytes + 1) : NULL;

    if (copy == NULL)
        return NULL;
    if (bytes > 0)
        memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    return copy;
}
