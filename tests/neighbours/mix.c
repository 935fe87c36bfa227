/* SPDX-License-Identifier: Apache-2.0 */
#include "mix.h"

#include "random.h"
#include "sample.h"

#include <aimg/aimg.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void mix_fail(struct mix *mix, const char *format, ...)
{
    if (atomic_fetch_add(&mix->failures, 1) == 0) {
        va_list values;
        va_start(values, format);
        (void)vsnprintf(mix->reason, sizeof mix->reason, format, values);
        va_end(values);
    }
    atomic_store(&mix->stop, true);
}

void mix_pause(unsigned milliseconds)
{
    const struct timespec pause = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};
    (void)nanosleep(&pause, NULL);
}

static uint32_t content_of(unsigned writer, unsigned number)
{
    return (number * 7 + writer * 131) % (number % 50 == 0 ? 1010 : 900); /* now and then a large one */
}

static void name_of(unsigned writer, unsigned number, char name[32])
{
    snprintf(name, 32, "w%u-%u", writer, number);
}

/* ------------------------------------------------------------------ writing */

static enum aimg_status add_image(struct aimg_writer *writer, unsigned self, unsigned number, uint32_t column,
                                  struct aimg_error *error)
{
    static _Thread_local uint8_t data[SAMPLE_MAX_BYTES];
    char name[32];
    struct aimg_value value = {.column = column, .data = &number, .bytes = sizeof number};
    struct aimg_image image = {.struct_bytes = sizeof image, .name = name, .data = data, .values = &value, .value_count = 1};
    name_of(self, number, name);
    image.name_bytes = strlen(name);
    image.data_bytes = sample_fill(content_of(self, number), data);
    return aimg_writer_add(writer, &image, NULL, error);
}

/* One that is replaced again and again, so that there is something to compact. */
static enum aimg_status replace_image(struct aimg_writer *writer, unsigned self, unsigned number, struct aimg_error *error)
{
    char name[32];
    snprintf(name, sizeof name, "replaced-%u", self);
    return sample_add(writer, name, content_of(self, number), AIMG_ADD_REPLACE, NULL, error);
}

/* The last of its images that is in the archive: of a writer that was killed one commit may be there that nobody heard of. */
static unsigned find_last(const struct aimg_reader *base, unsigned self, unsigned known)
{
    char name[32];
    uint32_t ordinal;
    for (;; known++) {
        name_of(self, known + 1, name);
        if (aimg_reader_find(base, name, strlen(name), &ordinal, NULL) != AIMG_OK)
            return known;
    }
}

static enum aimg_status write_batch(struct mix *mix, struct aimg_writer *writer, unsigned self, uint64_t *random,
                                    struct aimg_error *error)
{
    uint32_t column;
    unsigned last = find_last(aimg_writer_base(writer), self, atomic_load(&mix->acknowledged[self]));
    unsigned end = last + 1 + (unsigned)random_below(random, 5);
    atomic_store(&mix->acknowledged[self], last);
    enum aimg_status status = aimg_writer_column(writer, "number", AIMG_TYPE_U32, 1, 0, &column, error);
    for (unsigned number = last + 1; status == AIMG_OK && number <= end; number++)
        status = add_image(writer, self, number, column, error);
    if (status == AIMG_OK)
        status = replace_image(writer, self, end, error);
    if (status == AIMG_OK && random_below(random, 10) == 0) { /* nobody must see it */
        atomic_fetch_add(&mix->dropped, 1);
        status = sample_add(writer, "never", 1, 0, NULL, error);
        return status == AIMG_OK ? AIMG_END : status;
    }
    if (status == AIMG_OK)
        status = aimg_writer_commit(writer, NULL, error);
    if (status == AIMG_OK) {
        atomic_store(&mix->acknowledged[self], end);
        atomic_fetch_add(&mix->commits, 1);
        atomic_fetch_add(&mix->images, end - last);
    }
    return status;
}

void mix_writer(struct mix *mix, unsigned number)
{
    uint64_t random = number + (uint64_t)getpid() * 1000;
    while (!atomic_load(&mix->stop)) {
        struct aimg_writer_options options = {.struct_bytes = sizeof options};
        struct aimg_writer *writer = NULL;
        struct aimg_error error;
        bool waits = random_below(&random, 2) == 0;
        options.flags = waits ? AIMG_WRITER_WAIT : 0;
        enum aimg_status status = aimg_writer_open(mix->path, &options, &writer, &error);
        if (status == AIMG_BUSY && !waits) {
            atomic_fetch_add(&mix->busy, 1);
            mix_pause(1);
            continue;
        }
        for (unsigned i = 0; status == AIMG_OK && i < 1 + random_below(&random, 3); i++)
            status = write_batch(mix, writer, number, &random, &error);
        if (status != AIMG_OK && status != AIMG_END)
            mix_fail(mix, "writer %u: %s: %s", number, aimg_status_text(status), error.message);
        if (aimg_writer_close(writer, &error) != AIMG_OK)
            mix_fail(mix, "writer %u cannot close: %s", number, error.message);
        if (random_below(&random, 4) == 0)
            mix_pause((unsigned)random_below(&random, 60)); /* who waits looks every 20 ms */
    }
}

/* ------------------------------------------------------------------ reading */

struct follower {
    struct mix *mix;
    struct aimg_reader *reader;
    unsigned number;
    uint32_t flags;
    uint64_t random, count;
    unsigned floor[MIX_WRITERS]; /* what had been acknowledged before the reader looked */
};

static void check_image(struct follower *follower, unsigned writer, unsigned number)
{
    struct mix *mix = follower->mix;
    struct aimg_column column;
    struct aimg_error error;
    char name[32];
    uint32_t ordinal = 0, value = 0;
    size_t bytes;
    int null = 1;
    name_of(writer, number, name);
    enum aimg_status status = aimg_reader_find(follower->reader, name, strlen(name), &ordinal, &error);
    if (status != AIMG_OK) {
        mix_fail(mix, "%s was acknowledged and is not there: %s", name, error.message);
        return;
    }
    if (!sample_equals(follower->reader, ordinal, content_of(writer, number)))
        mix_fail(mix, "%s has not the bytes that were added", name);
    status = aimg_reader_column_find(follower->reader, "number", &column, &error);
    if (status == AIMG_OK)
        status = aimg_reader_value(follower->reader, column.index, ordinal, &value, sizeof value, &bytes, &null, &error);
    if (status != AIMG_OK || null || value != number)
        mix_fail(mix, "%s has the value %u", name, value);
    atomic_fetch_add(&mix->reads, 1);
}

static void check_view(struct follower *follower)
{
    struct mix *mix = follower->mix;
    uint32_t ordinal;
    uint64_t count = aimg_reader_count(follower->reader);
    if (count < follower->count)
        mix_fail(mix, "there were %llu images, now there are %llu", (unsigned long long)follower->count,
                 (unsigned long long)count);
    follower->count = count;
    if (aimg_reader_find(follower->reader, "never", 5, &ordinal, NULL) != AIMG_NOT_FOUND)
        mix_fail(mix, "what was not committed is there");
    for (unsigned writer = 0; writer < MIX_WRITERS; writer++) {
        if (follower->floor[writer] == 0)
            continue;
        check_image(follower, writer, follower->floor[writer]);
        check_image(follower, writer, 1 + (unsigned)random_below(&follower->random, follower->floor[writer]));
    }
}

static void look(struct follower *follower)
{
    struct mix *mix = follower->mix;
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .flags = follower->flags};
    struct aimg_error error;
    int changed;
    enum aimg_status status = AIMG_OK;
    for (unsigned writer = 0; writer < MIX_WRITERS; writer++)
        follower->floor[writer] = atomic_load(&mix->acknowledged[writer]);
    if (follower->reader == NULL)
        status = aimg_reader_open(mix->path, &options, &follower->reader, &error);
    else
        status = aimg_reader_refresh(follower->reader, &changed, &error);
    if (status == AIMG_REPLACED) {
        atomic_fetch_add(&mix->replaced, 1);
        aimg_reader_close(follower->reader);
        follower->reader = NULL;
        return;
    }
    atomic_fetch_add(&mix->refreshes, 1);
    if (status == AIMG_OK)
        check_view(follower);
    else
        mix_fail(mix, "follower %u: %s: %s", follower->number, aimg_status_text(status), error.message);
}

void mix_follower(struct mix *mix, unsigned number)
{
    struct follower follower = {.mix = mix, .number = number, .random = number + 77};
    follower.flags = number % 2 == 0 ? 0 : AIMG_READER_NO_MAP;
    while (!atomic_load(&mix->stop))
        look(&follower);
    aimg_reader_close(follower.reader);
}

/* ------------------------------------------------------------------ what is done with all of it */

static int by_tool(const struct mix *mix)
{
    char command[700];
    snprintf(command, sizeof command, "'%s' compact -q --wait '%s'", mix->tool, mix->path);
    int status = system(command);
    return status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* As the tool does it: whoever holds the lock puts a copy in the place of the archive. */
static enum aimg_status by_library(const struct mix *mix, struct aimg_error *error)
{
    struct aimg_writer_options options = {.struct_bytes = sizeof options, .flags = AIMG_WRITER_WAIT};
    struct aimg_writer *held = NULL, *target = NULL;
    struct aimg_reader *source = NULL;
    char other[320];
    snprintf(other, sizeof other, "%s.compact", mix->path);
    (void)unlink(other);
    enum aimg_status status = aimg_writer_open(mix->path, &options, &held, error);
    if (status == AIMG_OK)
        status = aimg_reader_open(mix->path, NULL, &source, error);
    if (status == AIMG_OK)
        status = aimg_writer_create(other, NULL, &target, error);
    if (status == AIMG_OK)
        status = aimg_writer_copy(target, source, NULL, error);
    if (status == AIMG_OK && rename(other, mix->path) != 0)
        status = AIMG_IO;
    enum aimg_status closed = aimg_writer_close(target, status == AIMG_OK ? error : NULL);
    aimg_reader_close(source);
    (void)aimg_writer_close(held, NULL);
    return status == AIMG_OK ? closed : status;
}

void mix_compact(struct mix *mix, unsigned number)
{
    struct aimg_error error = {.message = ""};
    (void)number;
    while (!atomic_load(&mix->stop)) {
        if (mix->tool[0] != '\0') {
            int code = by_tool(mix);
            if (code != 0)
                mix_fail(mix, "compact ends with %d", code);
        } else if (by_library(mix, &error) != AIMG_OK) {
            mix_fail(mix, "compact: %s", error.message);
        }
        atomic_fetch_add(&mix->compacts, 1);
        mix_pause(150);
    }
}

enum { RULE_HINT = 9, RULE_TAIL = 34 };

/* What a writer at work, or one that was killed, leaves for the next. */
static void on_finding(void *user, const struct aimg_finding *finding)
{
    if (!finding->warning && finding->rule != RULE_TAIL && finding->rule != RULE_HINT)
        mix_fail(user, "verify: rule %u: %s", (unsigned)finding->rule, finding->message);
}

void mix_verify(struct mix *mix, unsigned number)
{
    struct aimg_error error;
    struct aimg_verify_result result;
    (void)number;
    while (!atomic_load(&mix->stop)) {
        struct aimg_verify_options options = {.struct_bytes = sizeof options, .threads = 2, .user = mix, .finding = on_finding};
        if (aimg_verify(mix->path, &options, &result, &error) != AIMG_OK)
            mix_fail(mix, "verify: %s", error.message);
        atomic_fetch_add(&mix->verifies, 1);
        mix_pause(20);
    }
}

void mix_check_end(struct mix *mix)
{
    struct follower last = {.mix = mix, .random = 5};
    look(&last);
    for (unsigned writer = 0; last.reader != NULL && writer < MIX_WRITERS; writer++)
        for (unsigned number = 1; number <= atomic_load(&mix->acknowledged[writer]); number++)
            check_image(&last, writer, number);
    aimg_reader_close(last.reader);
    struct aimg_writer *writer = NULL;
    struct aimg_error error;
    bool added = aimg_writer_open(mix->path, NULL, &writer, &error) == AIMG_OK &&
                 sample_add(writer, "last", 2, 0, NULL, &error) == AIMG_OK && aimg_writer_commit(writer, NULL, &error) == AIMG_OK;
    if (aimg_writer_close(writer, NULL) != AIMG_OK || !added)
        mix_fail(mix, "the next add: %s", error.message);
    if (!sample_verifies(mix->path, 2, 0))
        mix_fail(mix, "the archive does not verify in the end");
}
