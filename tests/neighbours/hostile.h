/* SPDX-License-Identifier: Apache-2.0 */
/* Someone who spoils an archive while it is read. */
#ifndef AIMG_TEST_HOSTILE_H
#define AIMG_TEST_HOSTILE_H

#include "mix.h"

/* Makes an archive at mix->path, and spoils and restores it until mix->stop. */
void hostile_make(struct mix *mix);
void hostile_spoil(struct mix *mix, unsigned number);

/* Reads with a handle without a map: the right bytes, or an error. */
void hostile_read(struct mix *mix, unsigned number);
/* Runs verbs of the tool: right output, or an error; never a crash. */
void hostile_run(struct mix *mix, unsigned number);

#endif
