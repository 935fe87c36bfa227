/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what with a file that takes the place of another. */
#ifndef AIMG_TOOLS_FILE_MODE_H
#define AIMG_TOOLS_FILE_MODE_H

#include <stdbool.h>
#include <sys/stat.h>

/* mode without what the umask takes away. */
mode_t file_mode_masked(mode_t mode);

/* Mode and owner as the file had them that is replaced. Who may not give the new one to its group shuts that out. False with
 * errno when it cannot be given a mode. */
bool file_mode_inherit(int fd, const struct stat *before);

#endif
