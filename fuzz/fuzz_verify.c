/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a file to verify: it must come to an end and say what it found; and what it calls whole must be readable. */
#include <aimg/aimg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void require(int condition)
{
    if (!condition)
        abort();
}

struct found {
    uint64_t faults, warnings;
};

static void count(void *user, const struct aimg_finding *finding)
{
    struct found *found = user;
    require(finding->rule >= 1 && finding->rule <= 70 && finding->message[0] != 0);
    require(finding->name == NULL || strlen(finding->name) <= 1024);
    if (finding->warning)
        found->warnings++;
    else
        found->faults++;
}

/* An archive without a fault: each listed image has a position, a name by which it is found, and bytes. */
static void read_whole(const char *path)
{
    static uint8_t out[1 << 20];
    struct aimg_reader *reader = NULL;
    struct aimg_error error;
    char name[1025];
    uint64_t position, bytes;
    require(aimg_reader_open(path, NULL, &reader, &error) == AIMG_OK);
    for (position = 0; position < aimg_reader_count(reader) && position < 64; position++) {
        uint32_t ordinal, found;
        size_t size;
        uint64_t back;
        require(aimg_reader_ordinal_at(reader, position, &ordinal, &error) == AIMG_OK);
        require(aimg_reader_position_of(reader, ordinal, &back, &error) == AIMG_OK && back == position);
        require(aimg_reader_name(reader, ordinal, name, sizeof name, &size, &error) == AIMG_OK);
        require(aimg_reader_find(reader, name, size, &found, &error) == AIMG_OK && found == ordinal);
        enum aimg_status status = aimg_reader_read(reader, ordinal, 0, out, sizeof out, &bytes, &error);
        require(status == AIMG_OK || status == AIMG_BUFFER_TOO_SMALL || status == AIMG_LIMIT || status == AIMG_UNSUPPORTED);
    }
    aimg_reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct found found = {0, 0};
    struct aimg_verify_options options = {.struct_bytes = sizeof options,
                                          .threads = 1,
                                          .user = &found,
                                          .finding = count,
                                          .limits = {.image_bytes = 1 << 20, .index_bytes = 1 << 22, .ratio = 1000}};
    struct aimg_verify_result result = {.faults = 0};
    char path[64];
    int fd = memfd_create("archive", MFD_CLOEXEC);
    require(fd >= 0);
    require(write(fd, data, bytes) == (ssize_t)bytes);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    enum aimg_status status = aimg_verify(path, &options, &result, NULL);
    require(status != AIMG_INVALID_ARGUMENT && status != AIMG_OUT_OF_MEMORY && status <= AIMG_REPLACED);
    if (status == AIMG_OK) {
        require((result.faults == 0) == (found.faults == 0) && result.bytes <= bytes);
        if (result.faults == 0)
            read_whole(path);
    }
    close(fd);
    return 0;
}
