/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AIMG_TEST_MEMORY_SHIM_H
#define AIMG_TEST_MEMORY_SHIM_H

#include <stdatomic.h>
#include <stdbool.h>

struct memory_plan {
    atomic_ulong calls;    /* allocations so far */
    unsigned long fail_at; /* the one, from 1, that gets nothing; 0: none */
    bool fail_on;          /* all after it get nothing either */
};

#endif
