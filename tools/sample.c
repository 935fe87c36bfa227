/* SPDX-License-Identifier: Apache-2.0 */
#include "sample.h"

#include "cmd.h"
#include "open_input.h"
#include "output.h"
#include "writing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is read of all files together, and of one: the beginning of a large one tells enough. */
enum { ALL_BYTES = 8 << 20, FILE_BYTES = 1 << 20 };

/* Without memory for a path the sample is one smaller. */
static void keep(struct sample *sample, const struct input *input)
{
    char path[INPUT_PATH_BYTES];
    char *copy = strdup(input_path(input, path, sizeof path));
    if (copy != NULL)
        sample->paths[sample->count++] = copy;
}

static void halve(struct sample *sample)
{
    size_t kept = 0;
    for (size_t i = 0; i < sample->count; i++)
        if (i % 2 == 0)
            sample->paths[kept++] = sample->paths[i];
        else
            free(sample->paths[i]);
    sample->count = kept;
    sample->stride_log2++;
}

void sample_note(struct sample *sample, const struct input *input)
{
    uint64_t number = sample->seen++;
    if (number % (UINT64_C(1) << sample->stride_log2) != 0)
        return;
    if (sample->count == SAMPLE_MOST)
        halve(sample);
    if (number % (UINT64_C(1) << sample->stride_log2) == 0)
        keep(sample, input);
}

void sample_free(struct sample *sample)
{
    for (size_t i = 0; i < sample->count; i++)
        free(sample->paths[i]);
    *sample = (struct sample){.count = 0};
}

/* Up to `bytes` bytes of a file, and its size; 0 when it cannot be read. */
static size_t read_beginning(char *path, char *buffer, size_t bytes, uint64_t *file_bytes_out)
{
    struct stat status;
    struct load_item item = {.input = {.path = path}};
    size_t got = 0;
    ssize_t count = 1;
    int fd = open_input(&item);
    if (fd < 0)
        return 0;
    *file_bytes_out = fstat(fd, &status) == 0 ? (uint64_t)status.st_size : 0;
    while (got < bytes && count != 0) {
        count = pread(fd, buffer + got, bytes - got, (off_t)got);
        if (count < 0 && errno != EINTR)
            break;
        got += count > 0 ? (size_t)count : 0;
    }
    close(fd);
    return count < 0 ? 0 : got;
}

/* Reads the files into buffer. Returns how many samples there are. */
static size_t read_all(const struct sample *sample, bool all, char *buffer, size_t most, struct aimg_sample *samples)
{
    size_t count = 0;
    for (size_t i = 0; i < sample->count; i++) {
        uint64_t file_bytes = 0;
        size_t bytes = read_beginning(sample->paths[i], buffer, most, &file_bytes);
        struct aimg_picture picture;
        bool is_picture = bytes > 0 && aimg_picture_probe(buffer, bytes, &picture) == AIMG_OK;
        if (bytes == 0 || (!is_picture && !all))
            continue;
        samples[count++] = (struct aimg_sample){
            .data = buffer, .bytes = bytes, .format = is_picture ? (uint32_t)picture.format : 0, .image_bytes = file_bytes};
        buffer += bytes;
    }
    return count;
}

int sample_train(const struct sample *sample, bool all, struct aimg_writer *writer, const char *target)
{
    if (sample->count == 0)
        return EXIT_DONE;
    size_t most = ALL_BYTES / sample->count < FILE_BYTES ? ALL_BYTES / sample->count : FILE_BYTES;
    char *buffer = malloc(sample->count * most);
    struct aimg_sample *samples = calloc(sample->count, sizeof *samples);
    int code = EXIT_DONE;
    if (buffer == NULL || samples == NULL) {
        output_error("out of memory");
        code = EXIT_SYSTEM;
    } else {
        size_t count = read_all(sample, all, buffer, most, samples);
        /* Of the inputs only those count that will be stored. */
        uint64_t images = (uint64_t)((double)sample->seen / (double)sample->count * (double)count);
        struct aimg_error error;
        enum aimg_status status = aimg_writer_train(writer, samples, count, images, &error);
        if (status != AIMG_OK)
            code = writing_failed(target, status, &error);
    }
    free(samples);
    free(buffer);
    return code;
}
