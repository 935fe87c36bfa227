/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AIMG_TOOLS_OPEN_INPUT_H
#define AIMG_TOOLS_OPEN_INPUT_H

#include "load.h"

#include <sys/stat.h>

/* Opens what the directory says is a regular file, or what turns out to be one: opening a device can do things. -1 and the item
 * says why. */
int open_input(struct load_item *item);
/* Asks for its size and makes sure of its kind. False and the item says why. */
bool open_input_status(struct load_item *item, int fd, struct stat *status_out);

/* Whether an input would be stored: looks at its first bytes only. */
bool open_input_would_store(const struct input *input, bool all);

#endif
