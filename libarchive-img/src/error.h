/* SPDX-License-Identifier: Apache-2.0 */
/* Filling a struct aimg_error where something fails. */
#ifndef AIMG_SRC_ERROR_H
#define AIMG_SRC_ERROR_H

#include <aimg/aimg.h>

#if defined(__GNUC__)
#define AIMG_PRINTF(text, first) __attribute__((format(printf, text, first), cold))
#else
#define AIMG_PRINTF(text, first)
#endif

/* All return status, so that a caller can say `return aimg_fail(...)`. error may be NULL. */
enum aimg_status aimg_fail(struct aimg_error *error, enum aimg_status status, const char *format, ...) AIMG_PRINTF(3, 4);
/* With a place in the file and the rule that is broken there. */
enum aimg_status aimg_fail_at(struct aimg_error *error, enum aimg_status status, unsigned rule, uint64_t offset,
                              const char *format, ...) AIMG_PRINTF(5, 6);
/* AIMG_IO with errno; the message ends with its text. */
enum aimg_status aimg_fail_errno(struct aimg_error *error, int sys_errno, const char *format, ...) AIMG_PRINTF(3, 4);
enum aimg_status aimg_fail_memory(struct aimg_error *error, uint64_t bytes);
/* As something called on the way did: its status is known also where the caller wants no error. */
enum aimg_status aimg_fail_as(struct aimg_error *error, const struct aimg_error *cause);

#endif
