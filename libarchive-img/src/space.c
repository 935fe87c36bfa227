/* SPDX-License-Identifier: Apache-2.0 */
/* What the bytes of an archive are for: what lives, how it is found, and what is left of the past. */
#include "reader.h"

#include <stdlib.h>

struct tally {
    const struct aimg_reader *reader;
    struct aimg_buffer shared; /* u64: frames that living aliases share, sorted */
    uint64_t aliases, images_bytes;
};

typedef enum aimg_status visit_fn(struct tally *tally, const struct aimg_entry_record *entry, bool dead,
                                  struct aimg_error *error);

static enum aimg_status each_of_run(struct tally *tally, struct aimg_run *run, visit_fn *visit, struct aimg_error *error)
{
    const struct aimg_source *source = &tally->reader->source;
    const struct aimg_mask *mask = NULL;
    enum aimg_status status = aimg_run_mask(source, run, &mask, error);
    for (uint32_t row = 0; status == AIMG_OK && row < run->count; row++) {
        struct aimg_entry_record entry;
        bool dead = mask != NULL && mask->dead != NULL && aimg_bitmap_get(mask->dead, row);
        status = aimg_reader_entry_at(tally->reader, run->first + row, &entry, &run, error);
        if (status == AIMG_OK)
            status = visit(tally, &entry, dead, error);
    }
    return status;
}

static enum aimg_status each_entry(struct tally *tally, visit_fn *visit, struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &tally->reader->catalog;
    enum aimg_status status = AIMG_OK;
    for (uint32_t i = 0; status == AIMG_OK && i < catalog->run_count; i++)
        status = each_of_run(tally, &catalog->runs[i], visit, error);
    return status;
}

static uint64_t frame_bytes(const struct aimg_entry_record *entry)
{
    return (uint64_t)entry->header_units * AIMG_UNIT + aimg_round_up(entry->stored_bytes, AIMG_UNIT);
}

static enum aimg_status take_living(struct tally *tally, const struct aimg_entry_record *entry, bool dead,
                                    struct aimg_error *error)
{
    if (dead)
        return AIMG_OK;
    if ((entry->flags & AIMG_ENTRY_ALIASED) == 0) {
        tally->images_bytes += frame_bytes(entry);
        return AIMG_OK;
    }
    /* Its own frame has the size of a name; that of the image is not far from it. */
    tally->images_bytes += (uint64_t)entry->header_units * AIMG_UNIT + AIMG_UNIT;
    tally->aliases++;
    if (!aimg_buffer_add(&tally->reader->source.allocator, &tally->shared, &entry->frame_offset, sizeof entry->frame_offset))
        return aimg_fail_memory(error, tally->shared.bytes);
    return AIMG_OK;
}

static int compare_offsets(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* A dead image whose bytes live on under another name. */
static enum aimg_status take_shared(struct tally *tally, const struct aimg_entry_record *entry, bool dead,
                                    struct aimg_error *error)
{
    (void)error;
    if (dead && (entry->flags & AIMG_ENTRY_ALIASED) == 0 &&
        bsearch(&entry->frame_offset, tally->shared.data, (size_t)tally->aliases, sizeof entry->frame_offset, compare_offsets) !=
            NULL)
        tally->images_bytes += frame_bytes(entry);
    return AIMG_OK;
}

static uint64_t index_bytes(const struct aimg_reader *reader)
{
    const struct aimg_catalog *catalog = &reader->catalog;
    uint64_t sum = catalog->root_bytes + catalog->head.meta_bytes;
    for (uint32_t i = 0; i < catalog->table_count; i++)
        sum += catalog->tables[i].part.bytes;
    for (uint32_t i = 0; i < catalog->head.coding_count; i++)
        sum += catalog->codings[i].bytes;
    return sum;
}

enum aimg_status aimg_reader_space(const struct aimg_reader *reader, struct aimg_space *space_out, struct aimg_error *error)
{
    struct tally tally = {.reader = reader};
    if (reader == NULL || space_out == NULL || space_out->struct_bytes != sizeof *space_out)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT,
                         "aimg_reader_space needs a reader and a struct aimg_space with struct_bytes set to its size");
    enum aimg_status status = each_entry(&tally, take_living, error);
    if (status == AIMG_OK && tally.aliases > 0) {
        qsort(tally.shared.data, (size_t)tally.aliases, sizeof(uint64_t), compare_offsets);
        status = each_entry(&tally, take_shared, error);
    }
    aimg_buffer_release(&reader->source.allocator, &tally.shared);
    if (status != AIMG_OK)
        return status;
    *space_out = (struct aimg_space){.struct_bytes = sizeof *space_out,
                                     .images_bytes = tally.images_bytes,
                                     .index_bytes = index_bytes(reader),
                                     .aliases = tally.aliases};
    uint64_t used = AIMG_HEAD_BYTES + space_out->images_bytes + space_out->index_bytes;
    space_out->past_bytes = reader->located.end > used ? reader->located.end - used : 0;
    return AIMG_OK;
}
