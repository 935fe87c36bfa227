/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that grow. */
#ifndef AIMG_TOOLS_BUFFER_H
#define AIMG_TOOLS_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

/* All zero at first. */
struct buffer {
    char *data;
    size_t bytes, room;
};

/* Room for `more` bytes behind those that are there. False: no memory, and nothing changed. */
bool buffer_reserve(struct buffer *buffer, size_t more);
bool buffer_put(struct buffer *buffer, const void *data, size_t bytes);
void buffer_free(struct buffer *buffer);

/* A copy that ends with a zero byte, to be freed; NULL: no memory. What is copied need not end with one. */
char *buffer_text(const char *text, size_t bytes);

#endif
