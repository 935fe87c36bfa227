/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "flat_layout.h"

#define BUFFER_BYTES ((size_t)4 << 20)

struct builder {
    int fd;
    uint8_t *buffer;
    size_t used;
    uint64_t offset; /* in the file, of the next byte */
    struct flat_slot *slots;
    uint64_t slot_count;
};

static void write_all(struct builder *b, const uint8_t *data, size_t bytes)
{
    while (bytes) {
        ssize_t n = write(b->fd, data, bytes);
        if (n < 0)
            bench_die("flat: write: %s", strerror(errno));
        data += n;
        bytes -= (size_t)n;
    }
}

static void append(struct builder *b, const void *data, size_t bytes)
{
    const uint8_t *from = data;
    b->offset += bytes;
    while (bytes) {
        size_t part = BUFFER_BYTES - b->used < bytes ? BUFFER_BYTES - b->used : bytes;
        memcpy(b->buffer + b->used, from, part);
        b->used += part;
        from += part;
        bytes -= part;
        if (b->used == BUFFER_BYTES) {
            write_all(b, b->buffer, b->used);
            b->used = 0;
        }
    }
}

void *flat_create(const char *path, const struct store_plan *plan)
{
    struct builder *b = bench_alloc(1, sizeof *b);
    b->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (b->fd < 0)
        bench_die("cannot create %s: %s", path, strerror(errno));
    b->buffer = malloc(BUFFER_BYTES);
    if (!b->buffer)
        bench_die("out of memory");
    b->slot_count = plan->count * 10 / 6 + 1;
    b->slots = bench_alloc(b->slot_count, sizeof *b->slots);
    return b;
}

void flat_put(void *builder, const struct store_item *item)
{
    static const uint8_t zero[8];
    struct builder *b = builder;
    uint64_t hash = XXH3_64bits(item->name, item->name_bytes);
    struct flat_record record = {XXH3_64bits(item->data, item->bytes), (uint32_t)item->bytes, (uint32_t)item->name_bytes};
    uint64_t i = flat_home(hash, b->slot_count);
    while (b->slots[i].offset_plus_1)
        i = i + 1 == b->slot_count ? 0 : i + 1;
    b->slots[i] = (struct flat_slot){hash, b->offset + 1};
    append(b, &record, sizeof record);
    append(b, item->name, item->name_bytes);
    append(b, item->data, item->bytes);
    append(b, zero, (size_t)(-b->offset & 7));
}

void flat_finish(void *builder)
{
    struct builder *b = builder;
    struct flat_trailer trailer = {b->offset, b->slot_count};
    append(b, b->slots, b->slot_count * sizeof *b->slots);
    append(b, &trailer, sizeof trailer);
    write_all(b, b->buffer, b->used);
    if (fdatasync(b->fd) || close(b->fd))
        bench_die("flat: sync: %s", strerror(errno));
    free(b->slots);
    free(b->buffer);
    free(b);
}
