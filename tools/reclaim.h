/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AIMG_TOOLS_RECLAIM_H
#define AIMG_TOOLS_RECLAIM_H

#include "choose.h"

/* Stored bytes that belong to these images alone: what comes free when they are gone. Bytes that several of them share count
 * once, those that another image has too do not count. reader: with a map. Prints what is wrong; returns an exit_code. */
int reclaim_count(const struct aimg_reader *reader, const struct choice *choice, uint64_t *bytes_out);

#endif
