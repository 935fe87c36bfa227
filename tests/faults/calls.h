/* SPDX-License-Identifier: Apache-2.0 */
/* What the injector knows of the calls of x86-64. */
#ifndef AIMG_TEST_CALLS_H
#define AIMG_TEST_CALLS_H

#include "inject.h"

#include <sys/types.h>

struct call_kind {
    long number;
    enum call_class class;
    bool on_fd;     /* its first argument is a descriptor */
    bool of_pieces; /* its bytes are given as an array of pieces */
    const char *name;
};

extern const struct call_kind call_kinds[];
extern const unsigned call_kind_count;

const struct call_kind *call_kind_of(long number);

/* For a child that is about to become the program: every call of the table stops for its tracer. */
bool calls_stop_for_tracer(void);

#endif
