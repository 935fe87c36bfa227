/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a program whose allocations fail. */
#ifndef AIMG_TEST_MEMORY_H
#define AIMG_TEST_MEMORY_H

#include "inject.h"

/* shim: of memory_shim.c, built. As inject() for a fault of kind FAULT_MEMORY. */
void memory_run(char *const *argv, const char *folder, const char *shim, const struct fault *fault, long at,
                struct outcome *outcome);

#endif
