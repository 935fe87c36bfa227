/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "buffered_file.h"
#include "flat_layout.h"

#define BUFFER_BYTES ((size_t)4 << 20)

struct builder {
    struct buffered_file file;
    uint64_t offset; /* in the file, of the next byte */
    struct flat_slot *slots;
    uint64_t slot_count;
};

static void append(struct builder *b, const void *data, size_t bytes)
{
    b->offset += bytes;
    buffered_put(&b->file, data, bytes);
}

void *flat_create(const char *path, const struct store_plan *plan)
{
    struct builder *b = bench_alloc(1, sizeof *b);
    b->file = (struct buffered_file){
        .fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), .path = "the flat file", .capacity = BUFFER_BYTES};
    if (b->file.fd < 0)
        bench_die("cannot create %s: %s", path, strerror(errno));
    b->file.buffer = malloc(BUFFER_BYTES);
    if (!b->file.buffer)
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
    buffered_flush(&b->file);
    if (fdatasync(b->file.fd) || close(b->file.fd))
        bench_die("flat: sync: %s", strerror(errno));
    free(b->slots);
    free(b->file.buffer);
    free(b);
}
