/* SPDX-License-Identifier: Apache-2.0 */
/* Mistakes that a writer could make, put between it and the disk; each must be noticed. */
#ifndef AIMG_TEST_CRASH_WRONG_H
#define AIMG_TEST_CRASH_WRONG_H

#include "io.h"

/* The hint is written with the commit page, before the commit is durable. */
void crash_wrong_hint(struct aimg_io *io);
/* A sync that fails is tried once more, and its success is taken for that of the first. */
void crash_wrong_retry(struct aimg_io *io);

#endif
