/* SPDX-License-Identifier: Apache-2.0 */
/* The ways to read an archive of ours. */
#include <aimg/aimg.h>
#include <stdlib.h>

#include "contender.h"

struct handle {
    struct aimg_reader *reader;
    const struct set *set;
    uint8_t *buffer;
    int shared;
    struct aimg_name names[BENCH_BATCH];
};

/* Contenders are asked by the number in the set, so ordinals must be the same numbers: no table between them is timed. */
static void check_ordinals(const struct handle *h)
{
    struct aimg_error error;
    for (size_t i = 0; i < h->set->count; i++) {
        uint32_t ordinal = AIMG_NO_ORDINAL;
        if (aimg_reader_find(h->reader, h->set->names[i], h->set->name_bytes[i], &ordinal, &error))
            bench_die("aimg: %s: %s", h->set->names[i], error.message);
        if (ordinal != i)
            bench_die("aimg: %s is number %u, not %zu", h->set->names[i], ordinal, i);
    }
}

static void *aimg_open(const struct contender *contender, const struct set *set, const char *path, void *first)
{
    struct handle *h = bench_alloc(1, sizeof *h);
    struct aimg_error error;
    (void)contender;
    h->set = set;
    h->buffer = bench_alloc(1, set->largest_bytes);
    if (first) {
        h->reader = ((struct handle *)first)->reader;
        h->shared = 1;
        return h;
    }
    if (aimg_reader_open(path, NULL, &h->reader, &error))
        bench_die("aimg: %s", error.message);
    check_ordinals(h);
    return h;
}

static void aimg_close(void *state)
{
    struct handle *h = state;
    if (!h->shared)
        aimg_reader_close(h->reader);
    free(h->buffer);
    free(h);
}

static inline struct span borrow(const struct handle *h, uint32_t index, uint32_t flags)
{
    struct aimg_bytes bytes;
    if (aimg_reader_borrow(h->reader, index, flags, &bytes, NULL))
        bench_die("aimg: cannot borrow %u", index);
    return (struct span){bytes.data, (size_t)bytes.bytes};
}

static struct span get_plain(void *state, uint32_t index)
{
    return borrow(state, index, 0);
}

static struct span get_verified(void *state, uint32_t index)
{
    return borrow(state, index, AIMG_READ_VERIFY);
}

static inline struct span copy(const struct handle *h, uint32_t ordinal)
{
    uint64_t bytes = 0;
    if (aimg_reader_read(h->reader, ordinal, 0, h->buffer, h->set->largest_bytes, &bytes, NULL))
        bench_die("aimg: cannot read %u", ordinal);
    return (struct span){h->buffer, (size_t)bytes};
}

static struct span get_copy(void *state, uint32_t index)
{
    return copy(state, index);
}

static struct span get_copy_name(void *state, uint32_t index)
{
    const struct handle *h = state;
    uint32_t ordinal = 0;
    if (aimg_reader_find(h->reader, h->set->names[index], h->set->name_bytes[index], &ordinal, NULL))
        bench_die("aimg: cannot find %s", h->set->names[index]);
    return copy(h, ordinal);
}

static inline void put_spans(const struct aimg_bytes *bytes, size_t count, struct span *spans_out)
{
    for (size_t i = 0; i < count; i++)
        spans_out[i] = (struct span){bytes[i].data, (size_t)bytes[i].bytes};
}

static inline void borrow_batch(const struct handle *h, const uint32_t *indexes, size_t count, uint32_t flags,
                                struct span *spans_out)
{
    struct aimg_bytes bytes[BENCH_BATCH];
    if (aimg_reader_borrow_batch(h->reader, indexes, count, flags, bytes, NULL))
        bench_die("aimg: cannot borrow a batch");
    put_spans(bytes, count, spans_out);
}

static void batch_plain(void *state, const uint32_t *indexes, size_t count, struct span *spans_out)
{
    borrow_batch(state, indexes, count, 0, spans_out);
}

static void batch_verified(void *state, const uint32_t *indexes, size_t count, struct span *spans_out)
{
    borrow_batch(state, indexes, count, AIMG_READ_VERIFY, spans_out);
}

static void batch_names(void *state, const uint32_t *indexes, size_t count, struct span *spans_out)
{
    struct handle *h = state;
    struct aimg_bytes bytes[BENCH_BATCH];
    for (size_t i = 0; i < count; i++)
        h->names[i] = (struct aimg_name){h->set->names[indexes[i]], h->set->name_bytes[indexes[i]]};
    if (aimg_reader_borrow_names(h->reader, h->names, count, 0, bytes, NULL))
        bench_die("aimg: cannot borrow a batch of names");
    put_spans(bytes, count, spans_out);
}

#define FROM(container, title, get, batch)                        \
    {                                                             \
        title, container, NULL, aimg_open, get, batch, aimg_close \
    }
#define OURS(title, get, batch) FROM("aimg", title, get, batch)

const struct contender contender_aimg_number = OURS("aimg by number", get_plain, NULL);
const struct contender contender_aimg_verified = OURS("aimg by number, verified in place", get_verified, NULL);
const struct contender contender_aimg_batch = OURS("aimg batch by number", NULL, batch_plain);
const struct contender contender_aimg_batch_verified = OURS("aimg batch by number, verified in place", NULL, batch_verified);
const struct contender contender_aimg_names = OURS("aimg batch by name", NULL, batch_names);
const struct contender contender_aimg_copy = OURS("aimg copying read, verified", get_copy, NULL);
const struct contender contender_auto_number = FROM("aimg-auto", "aimg auto, copying read, verified", get_copy, NULL);
const struct contender contender_auto_name = FROM("aimg-auto", "aimg auto, copying read by name, verified", get_copy_name, NULL);
