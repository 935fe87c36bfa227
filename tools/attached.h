/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AIMG_TOOLS_ATTACHED_H
#define AIMG_TOOLS_ATTACHED_H

#include "choose.h"

/* Adds to the images that are to be removed the attachments that nobody could reach any more: those that columns of these images
 * refer to, and no other image. *added_out: how many. reader: with a map. Prints what is wrong; returns an exit_code. */
int attached_choose(const struct aimg_reader *reader, const char *path, struct choice *choice, size_t *added_out);

enum { ATTACHED_MANY = UINT8_MAX };

/* For each ordinal, how many values in columns of images that are there lead to it; ATTACHED_MANY: so many or more. To be freed
 * by the caller. Reads all columns of type image. As above. */
int attached_count(const struct aimg_reader *reader, const char *path, uint8_t **counts_out);

#endif
