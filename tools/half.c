/* SPDX-License-Identifier: Apache-2.0 */
#include "half.h"

#include <math.h>
#include <string.h>

double half_to_double(unsigned half)
{
    unsigned exponent = half >> 10 & 31, fraction = half & 1023;
    uint64_t scale_bits;
    double scale, value;

    if (exponent == 31)
        value = fraction != 0 ? (double)NAN : (double)INFINITY;
    else {
        if (exponent == 0)
            exponent = 1;
        else
            fraction += 1024;
        /* 2^(exponent - 25), put together here rather than with ldexp, which alone would need libm. */
        scale_bits = (uint64_t)(exponent + 1023 - 25) << 52;
        memcpy(&scale, &scale_bits, sizeof scale);
        value = fraction * scale;
    }
    return half & 0x8000 ? -value : value;
}

/* value >> shift, to the nearest, to even. */
static uint64_t round_shift(uint64_t value, unsigned shift)
{
    uint64_t rest, middle = UINT64_C(1) << (shift - 1);

    rest = value & ((middle << 1) - 1);
    value >>= shift;
    return value + (rest > middle || (rest == middle && (value & 1) != 0));
}

uint16_t half_from_double(double value)
{
    uint64_t bits, fraction, rounded;
    unsigned sign;
    int exponent;

    memcpy(&bits, &value, sizeof bits);
    sign = (unsigned)(bits >> 48) & 0x8000;
    exponent = (int)(bits >> 52 & 0x7FF) - 1023;
    fraction = bits & ((UINT64_C(1) << 52) - 1);
    if (exponent == 1024)
        return (uint16_t)(sign | 0x7C00 | (fraction != 0 ? 0x200 : 0));
    if (exponent > 15)
        return (uint16_t)(sign | 0x7C00);
    if (exponent < -25)
        return (uint16_t)sign;
    fraction |= UINT64_C(1) << 52;
    if (exponent < -14) {
        rounded = round_shift(fraction, (unsigned)(42 - 14 - exponent)); /* subnormal: the exponent stays at -14 */
        return (uint16_t)(sign | rounded);
    }
    /* A fraction that is rounded up to the next power of two carries into the exponent, and from the largest to infinity. */
    rounded = round_shift(fraction, 42) - 1024;
    return (uint16_t)(sign | (((uint64_t)(exponent + 15) << 10) + rounded));
}
