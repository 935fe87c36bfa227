/* SPDX-License-Identifier: Apache-2.0 */
/* IEEE 754 half precision. */
#ifndef AIMG_TOOLS_HALF_H
#define AIMG_TOOLS_HALF_H

#include <stdint.h>

double half_to_double(unsigned half);
/* The nearest, to even; infinity beyond the largest. */
uint16_t half_from_double(double value);

#endif
