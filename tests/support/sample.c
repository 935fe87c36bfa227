/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include "random.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const uint8_t sample_seed[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

size_t sample_fill(uint32_t number, uint8_t *out)
{
    uint64_t random = number;
    size_t bytes = number >= SAMPLE_BIG ? SAMPLE_MAX_BYTES : number % 7 == 0 ? 0 : 1 + (size_t)random_below(&random, 699);
    /* Half of them would become smaller when packed. */
    if (number % 2 == 0)
        memset(out, (int)(number & 0xFF), bytes);
    else
        random_fill(&random, out, bytes);
    return bytes;
}

struct aimg_writer_options sample_writer_options(void)
{
    return (struct aimg_writer_options){.struct_bytes = sizeof(struct aimg_writer_options),
                                        .time_ns = SAMPLE_TIME_NS,
                                        .seed = sample_seed,
                                        .flags = AIMG_WRITER_NO_SYNC};
}

struct aimg_writer *sample_create(const char *path)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer = NULL;
    struct aimg_error error;
    (void)unlink(path);
    if (aimg_writer_create(path, &options, &writer, &error) != AIMG_OK)
        fprintf(stderr, "  %s: %s\n", path, error.message);
    return writer;
}

enum aimg_status sample_add(struct aimg_writer *writer, const char *name, uint32_t content, uint32_t flags, uint32_t *ordinal_out,
                            struct aimg_error *error)
{
    static _Thread_local uint8_t data[SAMPLE_MAX_BYTES];
    struct aimg_image image = {
        .struct_bytes = sizeof image, .name = name, .name_bytes = strlen(name), .data = data, .flags = flags};
    image.data_bytes = sample_fill(content, data);
    return aimg_writer_add(writer, &image, ordinal_out, error);
}

bool sample_archive(const char *path, unsigned commits, unsigned images)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer = NULL;
    struct aimg_error error;
    char name[64];
    options.flags = 0; /* with hints, as archives mostly have them */
    enum aimg_status status = aimg_writer_create(path, &options, &writer, &error);
    for (unsigned c = 0; status == AIMG_OK && c < commits; c++) {
        for (unsigned i = 0; status == AIMG_OK && i < images; i++) {
            snprintf(name, sizeof name, "c%u/%u.jpg", c, i);
            status = sample_add(writer, name, c * images + i, 0, NULL, &error);
        }
        if (status == AIMG_OK)
            status = aimg_writer_commit(writer, NULL, &error);
    }
    if (status != AIMG_OK)
        fprintf(stderr, "%s: %s\n", path, error.message);
    return aimg_writer_close(writer, NULL) == AIMG_OK && status == AIMG_OK;
}

bool sample_equals(const struct aimg_reader *reader, uint32_t ordinal, uint32_t content)
{
    static _Thread_local uint8_t expected[SAMPLE_MAX_BYTES], found[SAMPLE_MAX_BYTES];
    struct aimg_error error;
    uint64_t bytes = 0;
    size_t expected_bytes = sample_fill(content, expected);
    enum aimg_status status = aimg_reader_read(reader, ordinal, 0, found, sizeof found, &bytes, &error);
    if (status != AIMG_OK) {
        fprintf(stderr, "image %" PRIu32 ": %s: %s\n", ordinal, aimg_status_text(status), error.message);
        return false;
    }
    if (bytes == expected_bytes && memcmp(expected, found, expected_bytes) == 0)
        return true;
    fprintf(stderr, "image %" PRIu32 " has other bytes than content %" PRIu32 "\n", ordinal, content);
    return false;
}

static char directory[256];

static void remove_directory(void)
{
    char path[sizeof directory + 256];
    DIR *all = opendir(directory);
    for (struct dirent *entry; all != NULL && (entry = readdir(all)) != NULL;) {
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        (void)unlink(path);
    }
    if (all != NULL)
        closedir(all);
    (void)rmdir(directory);
}

const char *sample_path(const char *name)
{
    static char paths[8][sizeof directory + 256];
    static unsigned next;
    if (directory[0] == 0) {
        const char *parent = getenv("TMPDIR");
        snprintf(directory, sizeof directory, "%s/aimg-test.XXXXXX",
                 parent != NULL                  ? parent
                 : access("/dev/shm", W_OK) == 0 ? "/dev/shm"
                                                 : "/tmp");
        if (mkdtemp(directory) == NULL) {
            perror(directory);
            exit(1);
        }
        atexit(remove_directory);
    }
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

uint8_t *sample_load(const char *path, size_t *bytes_out)
{
    struct stat info;
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    if (file != NULL && fstat(fileno(file), &info) == 0) {
        *bytes_out = (size_t)info.st_size;
        data = malloc(*bytes_out + 1);
        if (data != NULL && fread(data, 1, *bytes_out, file) != *bytes_out) {
            free(data);
            data = NULL;
        }
    }
    if (file != NULL)
        fclose(file);
    return data;
}

bool sample_store(const char *path, const void *data, size_t bytes)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return false;
    bool whole = fwrite(data, 1, bytes, file) == bytes;
    return fclose(file) == 0 && whole;
}

void sample_flip(const char *path, uint64_t offset, uint8_t bits)
{
    uint8_t byte;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    bool read = fd >= 0 && pread(fd, &byte, 1, (off_t)offset) == 1;
    byte = read ? byte ^ bits : 0;
    if (!read || pwrite(fd, &byte, 1, (off_t)offset) != 1 || close(fd) != 0) {
        perror(path);
        exit(1);
    }
}

static void print_finding(void *user, const struct aimg_finding *finding)
{
    const uint64_t *warnings = user;
    if (!finding->warning || *warnings == 0)
        fprintf(stderr, "  rule %" PRIu32 " at %" PRIu64 ": %s\n", finding->rule, finding->offset, finding->message);
}

bool sample_verifies(const char *path, uint32_t threads, uint64_t warnings)
{
    struct aimg_verify_options options = {
        .struct_bytes = sizeof options, .threads = threads, .user = &warnings, .finding = print_finding};
    struct aimg_verify_result result;
    struct aimg_error error;
    enum aimg_status status = aimg_verify(path, &options, &result, &error);
    if (status != AIMG_OK) {
        fprintf(stderr, "  verify: %s\n", error.message);
        return false;
    }
    if (result.faults == 0 && result.warnings == warnings)
        return true;
    fprintf(stderr, "  %s has %" PRIu64 " faults and %" PRIu64 " warnings, not none and %" PRIu64 "\n", path, result.faults,
            result.warnings, warnings);
    return false;
}
