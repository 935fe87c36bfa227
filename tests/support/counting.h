/* SPDX-License-Identifier: Apache-2.0 */
/* An allocator that counts, fills what it hands out with rubbish, and fails when it is told to. One handle at a time may use it
 * from several threads. */
#ifndef AIMG_TEST_COUNTING_H
#define AIMG_TEST_COUNTING_H

#include <aimg/aimg.h>
#include <stdatomic.h>
#include <stdbool.h>

struct counting {
    atomic_ullong allocated; /* calls so far */
    atomic_llong live;       /* pieces that were not given back */
    atomic_llong live_bytes;
    atomic_llong peak_bytes;
    unsigned long long fail_at; /* the call, from 1, that gets nothing; 0: none */
    bool fail_on;               /* all later ones get nothing either */
    bool unfilled;              /* no rubbish: for who measures very often how much it is */
};

struct aimg_allocator counting_allocator(struct counting *counting);

#endif
