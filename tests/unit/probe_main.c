/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints what aimg_picture_probe says, one line a picture: name, format, width, height, channels, bits, damaged.
 *
 *   probe FILE...       probes files
 *   probe --stream      probes what test_picture_data.py sends: u32 little-endian size, then so many
 * bytes, again and again */
#include <aimg/aimg.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct buffer {
    unsigned char *data;
    size_t capacity;
};

static int reserve(struct buffer *buffer, size_t bytes)
{
    if (bytes <= buffer->capacity)
        return 0;
    free(buffer->data);
    buffer->data = malloc(bytes);
    buffer->capacity = buffer->data == NULL ? 0 : bytes;
    return buffer->data == NULL ? -1 : 0;
}

static void print_probe(const char *name, const struct buffer *buffer, size_t bytes)
{
    struct aimg_picture picture;
    enum aimg_status status = aimg_picture_probe(buffer->data, bytes, &picture);
    printf("%s\t%s\t%u\t%u\t%u\t%u\t%d\n", name, status == AIMG_OK ? aimg_format_name(picture.format) : "not found",
           picture.width, picture.height, picture.channels, picture.bits, picture.damaged);
}

static int probe_file(const char *path, struct buffer *buffer)
{
    FILE *file = fopen(path, "rb");
    long bytes = -1;
    if (file != NULL && fseek(file, 0, SEEK_END) == 0)
        bytes = ftell(file);
    int failed = bytes < 0 || fseek(file, 0, SEEK_SET) != 0 || reserve(buffer, (size_t)bytes) != 0 ||
                 fread(buffer->data, 1, (size_t)bytes, file) != (size_t)bytes;
    if (failed)
        fprintf(stderr, "probe: %s: %s\n", path, strerror(errno));
    else
        print_probe(path, buffer, (size_t)bytes);
    if (file != NULL)
        fclose(file);
    return failed;
}

static int probe_stream(struct buffer *buffer)
{
    unsigned char head[4];
    while (fread(head, 1, sizeof(head), stdin) == sizeof(head)) {
        size_t bytes = (size_t)head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
        if (reserve(buffer, bytes) != 0 || fread(buffer->data, 1, bytes, stdin) != bytes) {
            fprintf(stderr, "probe: the stream ended within a picture of %zu bytes\n", bytes);
            return 1;
        }
        print_probe("-", buffer, bytes);
    }
    return ferror(stdin) != 0;
}

int main(int argc, char **argv)
{
    struct buffer buffer = {0};
    int failed = 0;
    if (argc == 2 && strcmp(argv[1], "--stream") == 0)
        failed = probe_stream(&buffer);
    for (int i = 1; i < argc && strcmp(argv[1], "--stream") != 0; i++)
        failed |= probe_file(argv[i], &buffer);
    free(buffer.data);
    if (argc < 2)
        fprintf(stderr, "usage: probe FILE... | probe --stream\n");
    return argc < 2 ? 2 : failed;
}
