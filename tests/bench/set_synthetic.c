/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures in the shape of the real sets, so that the benchmark runs where those are not: the sizes are right, the headers are
 * those of a JPEG, and the rest is bytes that no compressor can shrink. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "files.h"
#include "set.h"

struct shape {
    const char *name;
    size_t count;
    size_t folders; /* 0: all in the root */
    size_t least_bytes;
    size_t spread_bytes; /* sizes are even between least and least + 2 * spread, but for a long tail of large ones */
    uint16_t pixels;     /* height and width */
};

static const struct shape shapes[] = {
    {"cifar", 50000, 10, 700, 220, 32},
    {"imagenet", 500, 0, 30000, 70000, 448},
};

/* SOI, JFIF, a frame header of three components, the begin of a scan. */
static size_t put_header(uint8_t *out, uint16_t pixels)
{
    static const uint8_t header[] = {
        0xFF, 0xD8, 0xFF, 0xE0, 0, 16, 'J', 'F', 'I',  'F', 0,    1,    1,  0, 0,    1, 0, 1,    0, 0, /* APP0 */
        0xFF, 0xC0, 0,    17,   8, 0,  0,   0,   0,    3,   1,    0x22, 0,  2, 0x11, 1, 3, 0x11, 1,    /* SOF0 */
        0xFF, 0xDA, 0,    12,   3, 1,  0,   2,   0x11, 3,   0x11, 0,    63, 0,                         /* SOS */
    };
    memcpy(out, header, sizeof header);
    out[25] = out[27] = (uint8_t)(pixels >> 8);
    out[26] = out[28] = (uint8_t)pixels;
    return sizeof header;
}

static size_t picture(uint8_t *out, const struct shape *shape, uint64_t *state)
{
    size_t bytes = shape->least_bytes + bench_random(state) % (2 * shape->spread_bytes);
    if (bench_random(state) % 50 == 0)
        bytes *= 2;
    size_t i = put_header(out, shape->pixels);
    for (; i < bytes - 2; i++)
        out[i] = (uint8_t)(bench_random(state) % 255); /* 0xFF would begin a marker */
    out[i] = 0xFF;
    out[i + 1] = 0xD9;
    return bytes;
}

static void write_picture(const char *path, const uint8_t *data, size_t bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, data, bytes) != (ssize_t)bytes || close(fd))
        bench_die("cannot write %s: %s", path, strerror(errno));
}

void set_synthesize(const char *root, const char *name)
{
    const struct shape *shape = shapes;
    uint64_t state = 20240229;
    while (strcmp(shape->name, name))
        shape++;
    uint8_t *buffer = bench_alloc(2, shape->least_bytes + 2 * shape->spread_bytes);
    files_make_directory(root);
    for (size_t i = 0; i < shape->count; i++) {
        char *folder = shape->folders ? bench_text("%s/train/class%zu", root, i % shape->folders) : bench_text("%s", root);
        char *path = bench_text("%s/%06zu.jpg", folder, i);
        if (i < shape->folders)
            files_make_directory(folder);
        write_picture(path, buffer, picture(buffer, shape, &state));
        free(path);
        free(folder);
    }
    free(buffer);
}
