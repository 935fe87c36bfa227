/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const status_texts[] = {
    [AIMG_OK] = "ok",
    [AIMG_END] = "end",
    [AIMG_INVALID_ARGUMENT] = "invalid argument",
    [AIMG_SEQUENCE] = "wrong state",
    [AIMG_OUT_OF_MEMORY] = "out of memory",
    [AIMG_IO] = "input/output error",
    [AIMG_NOT_FOUND] = "not found",
    [AIMG_EXISTS] = "exists",
    [AIMG_BUSY] = "busy",
    [AIMG_NOT_ARCHIVE] = "not an archive",
    [AIMG_VERSION_UNKNOWN] = "version unknown",
    [AIMG_UNSUPPORTED] = "unsupported",
    [AIMG_TRUNCATED] = "truncated",
    [AIMG_CORRUPT] = "corrupt",
    [AIMG_CHECKSUM] = "checksum mismatch",
    [AIMG_LIMIT] = "limit exceeded",
    [AIMG_BUFFER_TOO_SMALL] = "buffer too small",
    [AIMG_REPLACED] = "replaced",
};

const char *aimg_status_text(enum aimg_status status)
{
    if ((unsigned)status >= sizeof status_texts / sizeof status_texts[0])
        return "unknown status";
    return status_texts[status];
}

const char *aimg_version(void)
{
    return AIMG_VERSION;
}

static void fill(struct aimg_error *error, enum aimg_status status, const char *format, va_list arguments)
{
    error->status = status;
    error->sys_errno = 0;
    error->rule = 0;
    error->offset = AIMG_NO_OFFSET;
    vsnprintf(error->message, sizeof error->message, format, arguments);
}

enum aimg_status aimg_fail(struct aimg_error *error, enum aimg_status status, const char *format, ...)
{
    va_list arguments;
    if (error == NULL)
        return status;
    va_start(arguments, format);
    fill(error, status, format, arguments);
    va_end(arguments);
    return status;
}

enum aimg_status aimg_fail_at(struct aimg_error *error, enum aimg_status status, unsigned rule, uint64_t offset,
                              const char *format, ...)
{
    va_list arguments;
    if (error == NULL)
        return status;
    va_start(arguments, format);
    fill(error, status, format, arguments);
    va_end(arguments);
    error->rule = rule;
    error->offset = offset;
    return status;
}

enum aimg_status aimg_fail_errno(struct aimg_error *error, int sys_errno, const char *format, ...)
{
    va_list arguments;
    char reason[64];
    if (error == NULL)
        return AIMG_IO;
    va_start(arguments, format);
    fill(error, AIMG_IO, format, arguments);
    va_end(arguments);
    error->sys_errno = sys_errno;
    size_t used = strlen(error->message);
    snprintf(error->message + used, sizeof error->message - used, ": %s", strerror_r(sys_errno, reason, sizeof reason));
    return AIMG_IO;
}

enum aimg_status aimg_fail_memory(struct aimg_error *error, uint64_t bytes)
{
    return aimg_fail(error, AIMG_OUT_OF_MEMORY, "out of memory: %" PRIu64 " bytes were not to be had", bytes);
}

enum aimg_status aimg_fail_as(struct aimg_error *error, const struct aimg_error *cause)
{
    if (error != NULL)
        *error = *cause;
    return cause->status;
}
