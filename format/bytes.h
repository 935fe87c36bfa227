/* SPDX-License-Identifier: Apache-2.0 */
/* Little-endian loads and stores, checked sums: the one file that knows the byte order. */
#ifndef AIMG_FORMAT_BYTES_H
#define AIMG_FORMAT_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define AIMG_LITTLE_ENDIAN 1
#else
#define AIMG_LITTLE_ENDIAN 0
#endif

static inline uint16_t aimg_load16(const uint8_t *in)
{
    return (uint16_t)(in[0] | in[1] << 8);
}

static inline uint32_t aimg_load32(const uint8_t *in)
{
#if AIMG_LITTLE_ENDIAN
    uint32_t value;
    memcpy(&value, in, sizeof value);
    return value;
#else
    return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
#endif
}

static inline uint64_t aimg_load64(const uint8_t *in)
{
#if AIMG_LITTLE_ENDIAN
    uint64_t value;
    memcpy(&value, in, sizeof value);
    return value;
#else
    return aimg_load32(in) | (uint64_t)aimg_load32(in + 4) << 32;
#endif
}

static inline uint64_t aimg_load48(const uint8_t *in)
{
    return aimg_load32(in) | (uint64_t)aimg_load16(in + 4) << 32;
}

static inline void aimg_store16(uint8_t *out, uint16_t value)
{
    out[0] = (uint8_t)value;
    out[1] = (uint8_t)(value >> 8);
}

static inline void aimg_store32(uint8_t *out, uint32_t value)
{
    aimg_store16(out, (uint16_t)value);
    aimg_store16(out + 2, (uint16_t)(value >> 16));
}

static inline void aimg_store64(uint8_t *out, uint64_t value)
{
    aimg_store32(out, (uint32_t)value);
    aimg_store32(out + 4, (uint32_t)(value >> 32));
}

static inline void aimg_store48(uint8_t *out, uint64_t value)
{
    aimg_store32(out, (uint32_t)value);
    aimg_store16(out + 4, (uint16_t)(value >> 32));
}

static inline bool aimg_all_zero(const uint8_t *in, size_t bytes)
{
    /* Each byte equals the one after it; memcmp looks at many at a time. */
    return bytes == 0 || (in[0] == 0 && memcmp(in, in + 1, bytes - 1) == 0);
}

/* value rounded up to a multiple of align, a power of two; value must leave room. */
static inline uint64_t aimg_round_up(uint64_t value, uint64_t align)
{
    return (value + align - 1) & ~(align - 1);
}

static inline uint64_t aimg_blocks(uint64_t bytes, uint64_t block)
{
    return bytes / block + (bytes % block != 0);
}

#endif
