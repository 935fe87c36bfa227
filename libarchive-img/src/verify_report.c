/* SPDX-License-Identifier: Apache-2.0 */
/* Findings and progress: told to the caller by one thread at a time, floods cut short, all counted. */
#include "verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

/* Findings of one rule that are told. */
#define TOLD_MAX      1000
#define PROGRESS_NS   50000000u
#define MESSAGE_BYTES 320

static const char *const type_names[] = {"unknown", "IMAGE", "ALIAS",  "RUN",  "COLUMN", "MASK", "NAMES", "CONTENT",
                                         "VALUES",  "DICT",  "CODING", "META", "ROOT",   "PAD",  "COMMIT"};

const char *aimg_verify_type_name(unsigned type)
{
    return type_names[type <= AIMG_FRAME_COMMIT ? type : 0];
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool aimg_verify_report_begin(struct aimg_verify *verify)
{
    atomic_init(&verify->stopped, false);
    if (pthread_mutex_init(&verify->report.lock, NULL) != 0)
        return false;
    if (pthread_mutex_init(&verify->stop_lock, NULL) == 0)
        return true;
    pthread_mutex_destroy(&verify->report.lock);
    return false;
}

static void tell(struct aimg_verify *verify, const struct aimg_finding *finding)
{
    if (verify->options.finding != NULL)
        verify->options.finding(verify->options.user, finding);
}

void aimg_verify_report_end(struct aimg_verify *verify)
{
    for (uint32_t rule = 0; rule < AIMG_VERIFY_RULES; rule++) {
        char message[MESSAGE_BYTES];
        uint64_t count = verify->report.counts[rule];
        if (count <= TOLD_MAX)
            continue;
        snprintf(message, sizeof message, "%" PRIu64 " more findings of rule %" PRIu32 " are not listed", count - TOLD_MAX, rule);
        struct aimg_finding finding = {
            .rule = rule, .warning = 1, .ordinal = AIMG_NO_ORDINAL, .offset = AIMG_NO_OFFSET, .message = message};
        tell(verify, &finding);
    }
    pthread_mutex_destroy(&verify->stop_lock);
    pthread_mutex_destroy(&verify->report.lock);
}

/* Names that break rule 53 can hold zero bytes; what follows one is not shown. */
static const char *printable_name(struct aimg_verify *verify, const struct aimg_verify_place *place,
                                  uint8_t name[AIMG_NAME_MAX + 1])
{
    size_t bytes = place->name_bytes < AIMG_NAME_MAX ? place->name_bytes : AIMG_NAME_MAX;
    if (place->ordinal == AIMG_NO_ORDINAL)
        return NULL;
    if (place->name != NULL)
        memcpy(name, place->name, bytes);
    else
        bytes = aimg_verify_name_of(verify, place->ordinal, name);
    name[bytes] = 0;
    return bytes > 0 ? (const char *)name : NULL;
}

static void report(struct aimg_verify *verify, unsigned rule, bool warning, const struct aimg_verify_place *place,
                   const char *format, va_list arguments)
{
    struct aimg_verify_report *state = &verify->report;
    char message[MESSAGE_BYTES];
    uint8_t name[AIMG_NAME_MAX + 1];
    struct aimg_finding finding = {
        .rule = rule, .warning = warning, .ordinal = place->ordinal, .offset = place->offset, .message = message};
    pthread_mutex_lock(&state->lock);
    bool told = state->counts[rule]++ < TOLD_MAX;
    state->faults += !warning;
    state->warnings += warning;
    pthread_mutex_unlock(&state->lock);
    if (!told)
        return;
    vsnprintf(message, sizeof message, format, arguments);
    finding.name = printable_name(verify, place, name);
    pthread_mutex_lock(&state->lock);
    tell(verify, &finding);
    pthread_mutex_unlock(&state->lock);
}

void aimg_verify_fault(struct aimg_verify *verify, unsigned rule, struct aimg_verify_place place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(verify, rule, false, &place, format, arguments);
    va_end(arguments);
}

void aimg_verify_warning(struct aimg_verify *verify, unsigned rule, struct aimg_verify_place place, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    report(verify, rule, true, &place, format, arguments);
    va_end(arguments);
}

void aimg_verify_progress(struct aimg_verify *verify, uint64_t bytes)
{
    struct aimg_verify_report *state = &verify->report;
    if (verify->options.progress == NULL)
        return;
    pthread_mutex_lock(&state->lock);
    uint64_t now = now_ns();
    state->done_bytes += bytes;
    if (now - state->told_ns >= PROGRESS_NS || state->done_bytes == state->total_bytes) {
        state->told_ns = now;
        verify->options.progress(verify->options.user, state->done_bytes, state->total_bytes);
    }
    pthread_mutex_unlock(&state->lock);
}

void aimg_verify_stop(struct aimg_verify *verify, const struct aimg_error *error)
{
    pthread_mutex_lock(&verify->stop_lock);
    if (!aimg_verify_stopped(verify)) {
        verify->stop = *error;
        atomic_store(&verify->stopped, true);
    }
    pthread_mutex_unlock(&verify->stop_lock);
}

void aimg_verify_no_memory(struct aimg_verify *verify, uint64_t bytes)
{
    struct aimg_error error;
    (void)aimg_fail_memory(&error, bytes);
    aimg_verify_stop(verify, &error);
}
