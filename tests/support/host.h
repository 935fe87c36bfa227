/* SPDX-License-Identifier: Apache-2.0 */
/* The library takes numbers in the machine's byte order and hands them out little-endian: a test that compares both turns one. */
#ifndef AIMG_TEST_HOST_H
#define AIMG_TEST_HOST_H

#include <aimg/aimg.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a number of that type; 1 for bool, text and bytes, whose bytes have one order. */
static inline size_t host_element_bytes(enum aimg_type type)
{
    switch (type) {
    case AIMG_TYPE_U16:
    case AIMG_TYPE_I16:
    case AIMG_TYPE_F16:
        return 2;
    case AIMG_TYPE_U32:
    case AIMG_TYPE_I32:
    case AIMG_TYPE_F32:
    case AIMG_TYPE_IMAGE:
        return 4;
    case AIMG_TYPE_U64:
    case AIMG_TYPE_I64:
    case AIMG_TYPE_F64:
        return 8;
    default:
        return 1;
    }
}

/* Little-endian numbers of element bytes each into those of this machine, or back, in place. */
static inline void *host_order(void *numbers, size_t bytes, size_t element)
{
    static const union {
        uint16_t number;
        uint8_t first;
    } probe = {1};
    uint8_t *next = numbers;
    for (size_t begin = 0; probe.first == 0 && begin + element <= bytes; begin += element)
        for (size_t i = 0; i < element / 2; i++) {
            uint8_t swapped = next[begin + i];
            next[begin + i] = next[begin + element - 1 - i];
            next[begin + element - 1 - i] = swapped;
        }
    return numbers;
}

#endif
