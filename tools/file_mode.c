/* SPDX-License-Identifier: Apache-2.0 */
#include "file_mode.h"

#include <unistd.h>

mode_t file_mode_masked(mode_t mode)
{
    mode_t mask = umask(0);
    umask(mask);
    return mode & ~mask;
}

bool file_mode_inherit(int fd, const struct stat *before)
{
    mode_t mode = before->st_mode & (S_IRWXU | S_IRWXG | S_IRWXO);
    if (fchown(fd, before->st_uid, before->st_gid) != 0 && fchown(fd, (uid_t)-1, before->st_gid) != 0) {
        struct stat after;
        bool same_group = fstat(fd, &after) == 0 && after.st_gid == before->st_gid;
        if (!same_group)
            mode = (mode & ~(mode_t)S_IRWXG) | ((mode & S_IRWXO) << 3);
    }
    return fchmod(fd, mode) == 0;
}
