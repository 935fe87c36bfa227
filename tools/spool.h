/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AIMG_TOOLS_SPOOL_H
#define AIMG_TOOLS_SPOOL_H

/* Copies what can be read from *fd to an unnamed file in TMPDIR, or /tmp, and puts that, at its beginning, in the place of *fd,
 * which is closed. path: for messages. Prints what is wrong; returns an exit_code. */
int spool_input(int *fd, const char *path);

#endif
