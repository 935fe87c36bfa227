/* SPDX-License-Identifier: Apache-2.0 */
/* What lies behind the last commit that a writer has found, before anything of it is cut off. */
#ifndef AIMG_SRC_TAIL_H
#define AIMG_SRC_TAIL_H

#include "repair.h"

/* The frames of the tail, found as repair finds them. Fails when a commit stands there: then what is before it is damaged, and it
 * is no tail. Costs a header a frame, and the bytes between frames. */
enum aimg_status aimg_tail_open(struct aimg_writer *writer, struct aimg_repair **tail_out, struct aimg_error *error);
void aimg_tail_close(struct aimg_repair *tail);
/* Adds its whole images to the open batch. *lost_out: how many are not. */
enum aimg_status aimg_tail_salvage(struct aimg_repair *tail, uint64_t *lost_out, struct aimg_error *error);

#endif
