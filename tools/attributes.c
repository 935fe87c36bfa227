/* SPDX-License-Identifier: Apache-2.0 */
#include "attributes.h"

#include "output.h"

#include <errno.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/xattr.h>

#define ACCESS_LIST "system.posix_acl_access"

/* False with errno. */
static bool copy(int fd, const char *from, const char *attribute)
{
    static char value[XATTR_SIZE_MAX];
    ssize_t bytes = getxattr(from, attribute, value, sizeof value);
    return bytes >= 0 && fsetxattr(fd, attribute, value, (size_t)bytes, 0) == 0;
}

static bool has(const char *from, const char *attribute)
{
    return getxattr(from, attribute, NULL, 0) >= 0 || (errno != ENODATA && errno != ENOTSUP);
}

static bool inherit_access_list(int fd, const char *name, const char *from, bool in_place)
{
    if (!has(from, ACCESS_LIST)) {
        if (in_place)
            (void)fremovexattr(fd, ACCESS_LIST); /* the folder may have given it one */
        return true;
    }
    if (copy(fd, from, ACCESS_LIST))
        return true;
    output_warning("%s: cannot be given the access list (ACL) of the archive: %s; only its owner may use it", name,
                   strerror(errno));
    return false;
}

bool attributes_inherit(int fd, const char *name, const char *from, bool in_place)
{
    static char names[XATTR_LIST_MAX];
    static const char of_users[] = "user.";
    ssize_t bytes = listxattr(from, names, sizeof names);
    for (const char *next = names; bytes > 0 && next < names + bytes; next += strlen(next) + 1)
        if (strncmp(next, of_users, sizeof of_users - 1) == 0 && !copy(fd, from, next))
            output_warning("%s: the attribute '%s' of the archive is not kept: %s", name, next, strerror(errno));
    return inherit_access_list(fd, name, from, in_place);
}
