/* SPDX-License-Identifier: Apache-2.0 */
/* Writes ARCHIVE with the images 'dense', of BYTES zeros in a few bytes of zstd, which pack would store as they are, and 'plain'.
 */
#include <aimg/aimg.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_BYTES = 9, BLOCK_MOST = 128 << 10, BLOCK_BYTES = 4 };

static struct aimg_error error;

static size_t put(uint8_t *at, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> (8 * i));
    return bytes;
}

/* A frame of blocks that say "this byte so many times". */
static size_t put_frame(uint8_t *frame, uint32_t bytes)
{
    size_t used = put(frame, 0xFD2FB528, 4);
    frame[used++] = 0xA0; /* one segment, size in four bytes */
    used += put(frame + used, bytes, 4);
    while (bytes > 0) {
        uint32_t count = bytes < BLOCK_MOST ? bytes : BLOCK_MOST;
        bytes -= count;
        used += put(frame + used, (uint64_t)count << 3 | 1 << 1 | (bytes == 0), 3);
        frame[used++] = 0;
    }
    return used;
}

static int add(struct aimg_writer *writer, const char *name, const struct aimg_prepared *prepared)
{
    struct aimg_image image = {.struct_bytes = sizeof image,
                               .name = name,
                               .name_bytes = strlen(name),
                               .data = name,
                               .data_bytes = prepared == NULL ? strlen(name) : 0,
                               .prepared = prepared};
    return aimg_writer_add(writer, &image, NULL, &error) == AIMG_OK;
}

static int fill(struct aimg_writer *writer, uint32_t bytes)
{
    struct aimg_prepared raw, stored;
    uint8_t *zeros = calloc(bytes, 1), *frame = malloc(HEAD_BYTES + ((size_t)bytes / BLOCK_MOST + 1) * BLOCK_BYTES);
    int done = 0;
    if (zeros != NULL && frame != NULL && aimg_writer_prepare(writer, zeros, bytes, 0, NULL, 0, &raw, &error) == AIMG_OK &&
        aimg_writer_prepare(writer, frame, put_frame(frame, bytes), 0, NULL, 0, &stored, &error) == AIMG_OK) {
        raw.stored = stored.stored;
        raw.stored_bytes = stored.stored_bytes;
        raw.stored_hash = stored.stored_hash;
        raw.coding = 1; /* zstd, spec/REGISTRY.md */
        done = add(writer, "dense", &raw) && add(writer, "plain", NULL) && aimg_writer_commit(writer, NULL, &error) == AIMG_OK;
    }
    free(zeros);
    free(frame);
    return done;
}

int main(int argc, char **argv)
{
    struct aimg_writer *writer;
    if (argc != 3 || aimg_writer_create(argv[1], NULL, &writer, &error) != AIMG_OK) {
        fprintf(stderr, "usage: make_dense ARCHIVE BYTES: %s\n", error.message);
        return 2;
    }
    int done = fill(writer, (uint32_t)strtoul(argv[2], NULL, 10));
    done = aimg_writer_close(writer, &error) == AIMG_OK && done;
    if (!done)
        fprintf(stderr, "make_dense: %s\n", error.message);
    return done ? 0 : 1;
}
