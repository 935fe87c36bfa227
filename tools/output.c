/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include "cmd.h"
#include "progress.h"
#include "utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

enum {
    MESSAGE_BYTES = 8192,                 /* two paths and a sentence */
    ESCAPED_BYTES = 4 * MESSAGE_BYTES + 1 /* \xNN takes four for one */
};

static bool quiet_output;

void output_set_quiet(bool quiet)
{
    quiet_output = quiet;
}

const char *output_escape(const char *text, size_t bytes, char *buffer, size_t buffer_bytes)
{
    static const char digits[] = "0123456789ABCDEF";
    const unsigned char *from = (const unsigned char *)text;
    size_t used = 0;
    for (size_t at = 0; at < bytes;) {
        size_t sequence = utf8_sequence(from + at, bytes - at);
        if (sequence > 0 && !utf8_is_control(from + at, sequence)) {
            if (used + sequence >= buffer_bytes)
                break;
            memcpy(buffer + used, from + at, sequence);
            used += sequence;
            at += sequence;
            continue;
        }
        if (used + 4 >= buffer_bytes)
            break;
        buffer[used++] = '\\';
        buffer[used++] = 'x';
        buffer[used++] = digits[from[at] >> 4];
        buffer[used++] = digits[from[at] & 15];
        at++;
    }
    if (buffer_bytes > 0)
        buffer[used] = '\0';
    return buffer;
}

/* The whole message is escaped, so that no path or name in it, however it came in, can act on the terminal. */
static void print_message(const char *head, const char *format, va_list arguments)
{
    char message[MESSAGE_BYTES];
    char escaped[ESCAPED_BYTES];
    int length = vsnprintf(message, sizeof message, format, arguments);
    if (length < 0)
        return;
    size_t bytes = (size_t)length < sizeof message ? (size_t)length : sizeof message - 1;
    progress_hide();
    fprintf(stderr, "aimg: %s%s\n", head, output_escape(message, bytes, escaped, sizeof escaped));
}

void output_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_message("", format, arguments);
    va_end(arguments);
}

void output_warning(const char *format, ...)
{
    if (quiet_output)
        return;
    va_list arguments;
    va_start(arguments, format);
    print_message("warning: ", format, arguments);
    va_end(arguments);
}

void output_note(const char *format, ...)
{
    if (quiet_output)
        return;
    va_list arguments;
    va_start(arguments, format);
    print_message("", format, arguments);
    va_end(arguments);
}

int output_usage(const char *verb, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_message("", format, arguments);
    va_end(arguments);
    if (verb == NULL || verb[0] == '\0')
        fputs("Try 'aimg --help'\n", stderr);
    else
        fprintf(stderr, "Try 'aimg %s --help'\n", verb);
    return EXIT_USAGE;
}

int output_exit_code(enum aimg_status status)
{
    switch (status) {
    case AIMG_OK:
        return EXIT_DONE;
    case AIMG_END:
    case AIMG_NOT_FOUND:
    case AIMG_EXISTS:
        return EXIT_NO;
    case AIMG_INVALID_ARGUMENT:
        return EXIT_USAGE;
    case AIMG_NOT_ARCHIVE:
    case AIMG_VERSION_UNKNOWN:
    case AIMG_UNSUPPORTED:
    case AIMG_TRUNCATED:
    case AIMG_CORRUPT:
    case AIMG_CHECKSUM:
    case AIMG_LIMIT:
        return EXIT_ARCHIVE;
    case AIMG_SEQUENCE:
    case AIMG_OUT_OF_MEMORY:
    case AIMG_IO:
    case AIMG_BUSY:
    case AIMG_BUFFER_TOO_SMALL:
    case AIMG_REPLACED:
        return EXIT_SYSTEM;
    }
    return EXIT_SYSTEM;
}

int output_status(const char *path, enum aimg_status status, const struct aimg_error *error)
{
    bool told = error != NULL && error->status == status && error->message[0] != '\0';
    output_error("%s: %s", path, told ? error->message : aimg_status_text(status));
    /* "Not there" said by the system is a missing file, said by the index a missing name. */
    if (told && status == AIMG_NOT_FOUND && error->sys_errno != 0)
        return EXIT_SYSTEM;
    return output_exit_code(status);
}

int output_finish(int code)
{
    bool failed = ferror(stdout) != 0;
    errno = 0;
    if (fflush(stdout) != 0)
        failed = true;
    if (!failed)
        return code;
    output_error("standard output: cannot write: %s", errno != 0 ? strerror(errno) : "an earlier write failed");
    return EXIT_SYSTEM;
}

const char *output_size(uint64_t bytes, char *buffer, size_t buffer_bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000) {
        snprintf(buffer, buffer_bytes, "%u B", (unsigned)bytes);
        return buffer;
    }
    double value = (double)bytes / 1000;
    size_t unit = 0;
    /* 999.95 and above would print as 1000.0 */
    while (value >= 999.95 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1000;
        unit++;
    }
    snprintf(buffer, buffer_bytes, "%.1f %s", value, units[unit]);
    return buffer;
}

const char *output_count(uint64_t count, char *buffer, size_t buffer_bytes)
{
    char digits[21];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    size_t used = 0;
    for (int i = 0; i < length && used + 2 < buffer_bytes; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            buffer[used++] = ',';
        buffer[used++] = digits[i];
    }
    if (buffer_bytes > 0)
        buffer[used] = '\0';
    return buffer;
}

const char *output_hash(const uint8_t hash[16], char buffer[33])
{
    /* The library stores the low half first, each half little-endian. */
    for (int i = 0; i < 16; i++)
        snprintf(buffer + 2 * i, 3, "%02x", hash[15 - i]);
    return buffer;
}
