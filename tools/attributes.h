/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes of a file for the one that takes its place: its access list (a POSIX ACL) and what users noted (user.*). */
#ifndef AIMG_TOOLS_ATTRIBUTES_H
#define AIMG_TOOLS_ATTRIBUTES_H

#include <stdbool.h>

/* Gives those of the file `from` to the open file `fd`, which messages call `name`. in_place: it has no access list then but that
 * of `from`. What cannot be kept is said. False when that is the access list: then what the mode says of the group, or of others,
 * is not what the list said of somebody among them. */
bool attributes_inherit(int fd, const char *name, const char *from, bool in_place);

#endif
