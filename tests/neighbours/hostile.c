/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile.h"

#include "random.h"
#include "sample.h"

#include <aimg/aimg.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { IMAGES = 400, HEAD_BYTES = 12288, OUTPUT_MAX = 1 << 20 };

static void name_of(unsigned number, char name[24])
{
    snprintf(name, 24, "d%u/%u.jpg", number % 7, number);
}

void hostile_make(struct mix *mix)
{
    struct aimg_writer *writer = NULL;
    struct aimg_error error = {.message = ""};
    /* With hints: by them a reader knows that something is gone. */
    bool made = aimg_writer_create(mix->path, NULL, &writer, &error) == AIMG_OK;
    for (unsigned i = 0; made && i < IMAGES; i++) {
        char name[24];
        name_of(i, name);
        made = sample_add(writer, name, i % 20 == 0 ? SAMPLE_BIG + i : i, 0, NULL, &error) == AIMG_OK;
        if (made && i % 100 == 99)
            made = aimg_writer_commit(writer, NULL, &error) == AIMG_OK;
    }
    if (aimg_writer_close(writer, NULL) != AIMG_OK || !made)
        mix_fail(mix, "%s: %s", mix->path, error.message);
}

/* ------------------------------------------------------------------ the spoiler */

static void spoil_once(int fd, const uint8_t *bytes, size_t count, uint64_t *random)
{
    uint8_t rubbish[4096];
    uint64_t place = HEAD_BYTES + random_below(random, count - HEAD_BYTES);
    uint64_t room = count - place < sizeof rubbish ? count - place : sizeof rubbish;
    int failed = 0;
    switch (random_below(random, 5)) {
    case 0:
        failed = ftruncate(fd, (off_t)place);
        break;
    case 1:
        failed = fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)place, (off_t)(count - place));
        break;
    case 2: /* bytes of another place */
        failed = pwrite(fd, bytes + random_below(random, count - room), room, (off_t)place) < 0;
        break;
    default:
        random_fill(random, rubbish, sizeof rubbish);
        failed = pwrite(fd, rubbish, room, (off_t)place) < 0;
    }
    if (failed != 0)
        abort();
}

void hostile_spoil(struct mix *mix, unsigned number)
{
    uint64_t random = number + 1234;
    size_t count;
    uint8_t *bytes = sample_load(mix->path, &count);
    int fd = open(mix->path, O_RDWR | O_CLOEXEC);
    while (bytes != NULL && fd >= 0 && !atomic_load(&mix->stop)) {
        for (uint64_t i = random_below(&random, 4); i > 0; i--)
            spoil_once(fd, bytes, count, &random);
        usleep((useconds_t)random_below(&random, 3000));
        if (pwrite(fd, bytes, count, 0) != (ssize_t)count) /* whole again, for a moment */
            mix_fail(mix, "the archive cannot be restored");
        atomic_fetch_add(&mix->commits, 1);
        usleep((useconds_t)random_below(&random, 3000));
    }
    free(bytes);
    close(fd);
}

/* ------------------------------------------------------------------ its victims */

static void read_some(struct mix *mix, const struct aimg_reader *reader, uint64_t *random)
{
    static _Thread_local uint8_t data[SAMPLE_MAX_BYTES], expected[SAMPLE_MAX_BYTES];
    char name[24], found_name[1025];
    uint32_t ordinal;
    uint64_t bytes;
    for (unsigned i = 0; i < 50; i++) {
        unsigned number = (unsigned)random_below(random, IMAGES);
        name_of(number, name);
        enum aimg_status status = aimg_reader_find(reader, name, strlen(name), &ordinal, NULL);
        if (status == AIMG_NOT_FOUND || (status == AIMG_OK && ordinal != number))
            mix_fail(mix, "%s: status %d, ordinal %u", name, (int)status, ordinal);
        status = aimg_reader_read(reader, number, 0, data, sizeof data, &bytes, NULL);
        size_t wanted = sample_fill(number % 20 == 0 ? SAMPLE_BIG + number : number, expected);
        if (status == AIMG_OK && (bytes != wanted || memcmp(data, expected, wanted) != 0))
            mix_fail(mix, "%s: wrong bytes", name);
        status = aimg_reader_name(reader, number, found_name, sizeof found_name, NULL, NULL);
        if (status == AIMG_OK && strcmp(found_name, name) != 0)
            mix_fail(mix, "%s: its name is said to be '%s'", name, found_name);
        atomic_fetch_add(&mix->reads, 1);
    }
}

void hostile_read(struct mix *mix, unsigned number)
{
    uint64_t random = number;
    while (!atomic_load(&mix->stop)) {
        struct aimg_reader_options options = {.struct_bytes = sizeof options, .flags = AIMG_READER_NO_MAP};
        struct aimg_reader *reader = NULL;
        enum aimg_status status = aimg_reader_open(mix->path, &options, &reader, NULL);
        atomic_fetch_add(status == AIMG_OK ? &mix->refreshes : &mix->busy, 1);
        for (unsigned i = 0; status == AIMG_OK && i < 20 && !atomic_load(&mix->stop); i++)
            read_some(mix, reader, &random);
        aimg_reader_close(reader);
    }
}

/* Its exit status; -signal. */
static int run_tool(struct mix *mix, const char *arguments, char *output, size_t room, size_t *bytes_out)
{
    char command[1600];
    snprintf(command, sizeof command, "exec '%s' %s 2>'%s.err'", mix->tool, arguments, mix->path);
    FILE *pipe = popen(command, "r");
    *bytes_out = pipe == NULL ? 0 : fread(output, 1, room, pipe);
    int status = pipe == NULL ? -1 : pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static const char *const verbs[] = {"info", "ls -l",  "ls --json", "cat",     "get",          "dups",
                                    "log",  "verify", "diff",      "compact", "diff --from 1"};

void hostile_run(struct mix *mix, unsigned number)
{
    static _Thread_local char output[OUTPUT_MAX];
    static _Thread_local uint8_t expected[SAMPLE_MAX_BYTES];
    uint64_t random = number + 99;
    while (!atomic_load(&mix->stop)) {
        char arguments[800], name[24];
        size_t bytes;
        const char *verb = verbs[random_below(&random, sizeof verbs / sizeof verbs[0])];
        unsigned image = 20 * (unsigned)random_below(&random, IMAGES / 20); /* a large one */
        bool is_cat = strcmp(verb, "cat") == 0;
        name_of(image, name);
        if (strcmp(verb, "compact") == 0)
            snprintf(arguments, sizeof arguments, "compact -q --force '%s' -o '%s.new'", mix->path, mix->path);
        else if (strcmp(verb, "diff") == 0)
            snprintf(arguments, sizeof arguments, "diff '%s' '%s'", mix->path, mix->path);
        else
            snprintf(arguments, sizeof arguments, "%s '%s' %s", verb, mix->path, is_cat ? name : "");
        int code = run_tool(mix, arguments, output, sizeof output, &bytes);
        bool trouble = code == 2 && strncmp(verb, "diff", 4) == 0; /* its 1 says that there is a difference */
        if (code != 0 && code != 1 && code != 3 && code != 4 && !trouble)
            mix_fail(mix, "aimg %s: ends with %d", arguments, code);
        if (is_cat && code == 0 && (bytes != sample_fill(SAMPLE_BIG + image, expected) || memcmp(output, expected, bytes) != 0))
            mix_fail(mix, "aimg %s: wrong bytes", arguments);
        if (strcmp(verb, "compact") == 0 && code == 0) {
            snprintf(arguments, sizeof arguments, "%s.new", mix->path);
            if (!sample_verifies(arguments, 1, 0))
                mix_fail(mix, "compact made an archive that does not verify");
        }
        atomic_fetch_add(code == 0 ? &mix->verifies : &mix->dropped, 1);
    }
}
