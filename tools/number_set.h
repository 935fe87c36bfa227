/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AIMG_TOOLS_NUMBER_SET_H
#define AIMG_TOOLS_NUMBER_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers, except that 0 and the largest count as one. All zero at first; 9 to 21 bytes a number. */
struct number_set {
    uint64_t *slots; /* 0 is a free one */
    size_t capacity, count;
};

bool number_set_has(const struct number_set *set, uint64_t number);
/* False: it is not there and was not added, for want of memory or because that takes more than `most` slots, a power of two. */
bool number_set_add(struct number_set *set, uint64_t number, size_t most);
void number_set_free(struct number_set *set);

#endif
