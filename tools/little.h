/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as the library hands them out: little-endian, whatever this machine is. */
#ifndef AIMG_TOOLS_LITTLE_H
#define AIMG_TOOLS_LITTLE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* An unsigned integer of up to eight bytes. */
static inline uint64_t little_number(const void *bytes, size_t width)
{
    uint64_t number = 0;
    for (size_t i = width; i-- > 0;)
        number = number << 8 | ((const uint8_t *)bytes)[i];
    return number;
}

static inline float little_float(const void *bytes)
{
    uint32_t bits = (uint32_t)little_number(bytes, sizeof bits);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline double little_double(const void *bytes)
{
    uint64_t bits = little_number(bytes, sizeof bits);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif
