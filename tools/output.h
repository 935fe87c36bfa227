/* SPDX-License-Identifier: Apache-2.0 */
/* The one place of the tool that prints messages: errors, warnings, usage, and how a status becomes an exit code. Data goes to
 * stdout by the verbs, all else to stderr here. */
#ifndef AIMG_TOOLS_OUTPUT_H
#define AIMG_TOOLS_OUTPUT_H

#include <aimg/aimg.h>
#include <stdbool.h>
#include <stdio.h>

#if defined(__GNUC__)
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#else
#define PRINTF_LIKE(text, first)
#endif

/* "aimg: ..." to stderr, always. */
void output_error(const char *format, ...) PRINTF_LIKE(1, 2);
/* "aimg: warning: ..." to stderr, not with --quiet. */
void output_warning(const char *format, ...) PRINTF_LIKE(1, 2);
/* Line to stderr that is neither, not with --quiet: "packed 60,000 images ...". */
void output_note(const char *format, ...) PRINTF_LIKE(1, 2);
void output_set_quiet(bool quiet);

/* Misuse of a verb: one line, then "Try 'aimg VERB --help'". Returns EXIT_USAGE. */
int output_usage(const char *verb, const char *format, ...) PRINTF_LIKE(2, 3);

/* Prints "aimg: PATH: message" and returns the exit code of the status. */
int output_status(const char *path, enum aimg_status status, const struct aimg_error *error);
int output_exit_code(enum aimg_status status);

/* Flushes stdout and reports a failed write (full disk, closed pipe); returns `code`, or EXIT_SYSTEM when it failed. Every verb
 * that wrote data ends with it. */
int output_finish(int code);

/* Copies text into buffer with bytes that a terminal would act on, and bytes that are not UTF-8, as \xNN. For messages and for ls
 * on a terminal. Returns buffer. */
const char *output_escape(const char *text, size_t bytes, char *buffer, size_t buffer_bytes);
/* "1.2 MB", "920 B" (powers of 1000). Returns buffer. */
const char *output_size(uint64_t bytes, char *buffer, size_t buffer_bytes);
/* "60,000". Returns buffer. */
const char *output_count(uint64_t count, char *buffer, size_t buffer_bytes);
/* 32 hex digits as xxh128sum prints them, from the 16 bytes of the library. Returns buffer of at least 33. */
const char *output_hash(const uint8_t hash[16], char buffer[33]);

#endif
