/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of small commits become larger ones, so that a reader searches a handful of them however many commits there were. */
#include "run_writer.h"
#include "writer.h"

#include <stdlib.h>

enum aimg_status aimg_writer_view(struct aimg_writer *writer, struct aimg_reader *view, struct aimg_error *error)
{
    enum aimg_status status = aimg_out_flush(&writer->out, error);
    *view = *writer->base;
    view->source.end = writer->out.flushed;
    return status;
}

/* ------------------------------------------------------------------ which */

/* Bytes of a run with all that was added to it. */
static uint64_t bytes_of(const struct aimg_part *run, const struct aimg_part *parts, uint32_t count)
{
    uint64_t bytes = run->bytes;
    for (uint32_t i = 0; i < count; i++)
        if (parts[i].type == AIMG_FRAME_COLUMN && parts[i].first == run->first)
            bytes += parts[i].bytes;
    return bytes;
}

static int compare_firsts(const void *a, const void *b)
{
    const struct aimg_part *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

/* The RUN parts in order, copied. */
static struct aimg_part *sorted_runs(const struct aimg_writer *writer, uint32_t *count_out)
{
    uint32_t count, runs = 0;
    const struct aimg_part *parts = aimg_writer_parts(writer, &count);
    struct aimg_part *sorted = aimg_alloc_array(&writer->allocator, count, sizeof *sorted);
    for (uint32_t i = 0; sorted != NULL && i < count; i++)
        if (parts[i].type == AIMG_FRAME_RUN)
            sorted[runs++] = parts[i];
    if (runs > 0)
        qsort(sorted, runs, sizeof *sorted, compare_firsts);
    *count_out = runs;
    return sorted;
}

/* Large enough to be searched for free, and too large to be rewritten by a small append. */
static bool is_full(const struct aimg_writer *writer, uint64_t rows, uint64_t bytes)
{
    return rows >= writer->run_rows || bytes >= writer->stage_max;
}

/* Whether what the run and its mask hold is what was written. */
static enum aimg_status check_run(const struct aimg_writer *writer, const struct aimg_run_tables *run, struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &writer->base->catalog;
    uint32_t first = run->tables[0].part.first;
    enum aimg_status status = AIMG_OK;
    const struct aimg_mask *mask = NULL;
    for (uint32_t i = 0; status == AIMG_OK && i < run->count; i++)
        status = aimg_table_verify(&run->reader->source, &run->tables[i], 0, run->tables[i].data_bytes, error);
    if (status != AIMG_OK || first >= catalog->head.ordinal_count)
        return status;
    return aimg_run_mask(&writer->base->source, &catalog->runs[aimg_catalog_run(catalog, first)], &mask, error);
}

/* ------------------------------------------------------------------ merging */

/* The runs that become one with the staged rows, opened: the last `count` of those in the archive, the newest first. */
struct merging {
    struct aimg_reader view;
    struct aimg_run_tables *runs;
    uint32_t count;
    uint64_t rows;  /* of them and the stage */
    uint64_t bytes; /* of them */
};

/* A run that is full stays as it is, and so do all once the new one is: a batch that was spilled by bytes can leave many that are
 * far from full. */
static bool may_merge(const struct aimg_writer *writer, const struct merging *merging, const struct aimg_part *run,
                      uint64_t run_bytes)
{
    return merging->rows > 0 && !is_full(writer, run->count, run_bytes) && !is_full(writer, merging->rows, merging->bytes) &&
           aimg_merge_level(run->count) <= aimg_merge_level(merging->rows);
}

static enum aimg_status open_run(struct aimg_writer *writer, struct merging *merging, const struct aimg_part *run,
                                 struct aimg_error *error)
{
    uint32_t part_count;
    const struct aimg_part *parts = aimg_writer_parts(writer, &part_count);
    struct aimg_run_tables *opened = &merging->runs[merging->count];
    enum aimg_status status = merging->count == 0 ? aimg_writer_view(writer, &merging->view, error) : AIMG_OK;
    if (status == AIMG_OK)
        status = aimg_run_tables_open(&merging->view, run, parts, part_count, opened, error);
    if (status == AIMG_OK)
        status = check_run(writer, opened, error);
    if (status == AIMG_OK)
        merging->count++;
    else
        aimg_run_tables_release(opened);
    return status;
}

/* Runs that must become one with the staged rows, or there would be more than there can be. */
static uint32_t needed_merges(const struct aimg_writer *writer, uint32_t count)
{
    return count + (writer->stage.rows > 0) > AIMG_RUN_MAX ? count + 1 - AIMG_RUN_MAX : 0;
}

static enum aimg_status cannot_merge(const struct aimg_part *run, const struct aimg_error *damage, struct aimg_error *error)
{
    return aimg_fail_at(error, damage->status, damage->rule, damage->offset,
                        "there would be more than %u runs, and that of the images %" PRIu32 " to %" PRIu32
                        " cannot be merged: %s",
                        AIMG_RUN_MAX, run->first, run->first + (run->count - 1), damage->message);
}

/* A run that is damaged stays as it is, unless all are wanted: what is added is no reason to fail, and damage must not get good
 * checksums. Where some must be merged, all are that can be. */
static enum aimg_status open_runs(struct aimg_writer *writer, struct merging *merging, const struct aimg_part *runs,
                                  uint32_t count, bool everything, struct aimg_error *error)
{
    uint32_t needed = needed_merges(writer, count);
    uint32_t part_count;
    const struct aimg_part *parts = aimg_writer_parts(writer, &part_count);
    struct aimg_error local;
    merging->rows = writer->stage.rows;
    while (merging->count < count) {
        const struct aimg_part *run = &runs[count - 1 - merging->count];
        uint64_t run_bytes = bytes_of(run, parts, part_count);
        if (!everything && needed == 0 && !may_merge(writer, merging, run, run_bytes))
            return AIMG_OK;
        enum aimg_status status = open_run(writer, merging, run, &local);
        bool damaged = status == AIMG_CHECKSUM || status == AIMG_CORRUPT;
        if (!everything && damaged)
            return merging->count >= needed ? AIMG_OK : cannot_merge(run, &local, error);
        if (status != AIMG_OK) {
            if (error != NULL)
                *error = local;
            return status;
        }
        merging->rows += run->count;
        merging->bytes += run_bytes;
    }
    return AIMG_OK;
}

static void reverse(struct merging *merging)
{
    for (uint32_t low = 0, high = merging->count; high > low + 1; low++) {
        struct aimg_run_tables swap = merging->runs[low];
        merging->runs[low] = merging->runs[--high];
        merging->runs[high] = swap;
    }
}

/* The parts that the new run replaces; the masks are replaced with those of all runs. */
static void drop_run(struct aimg_writer *writer, const struct aimg_run_tables *run)
{
    for (uint32_t i = 0; i < run->count; i++)
        aimg_writer_drop_part(writer, &run->tables[i].part);
}

static enum aimg_status merge(struct aimg_writer *writer, struct merging *merging, struct aimg_error *error)
{
    struct aimg_part part;
    bool zstd = false;
    reverse(merging);
    enum aimg_status status =
        aimg_run_write(merging->runs, merging->count, &writer->stage, &writer->out, &writer->codecs, &part, &zstd, error);
    if (status != AIMG_OK)
        return status;
    if (zstd)
        writer->incompat |= AIMG_INCOMPAT_ZSTD;
    for (uint32_t i = 0; i < merging->count; i++)
        drop_run(writer, &merging->runs[i]);
    return aimg_writer_add_part(writer, &part, error);
}

/* Whether all is in one run as it should be. */
static bool is_whole(const struct aimg_writer *writer, const struct aimg_part *runs, uint32_t count)
{
    uint32_t part_count;
    const struct aimg_part *parts = aimg_writer_parts(writer, &part_count);
    return writer->stage.rows == 0 && (count == 0 || (count == 1 && bytes_of(&runs[0], parts, part_count) == runs[0].bytes));
}

enum aimg_status aimg_writer_publish_runs(struct aimg_writer *writer, bool everything, struct aimg_error *error)
{
    struct merging merging = {.count = 0};
    uint32_t count;
    struct aimg_part *runs = sorted_runs(writer, &count);
    enum aimg_status status = AIMG_OK;
    if (runs == NULL)
        return aimg_fail_memory(error, sizeof *runs);
    if (everything ? !is_whole(writer, runs, count) : writer->stage.rows > 0 || needed_merges(writer, count) > 0) {
        merging.runs = aimg_alloc_array(&writer->allocator, count, sizeof *merging.runs);
        status = merging.runs == NULL ? aimg_fail_memory(error, count * sizeof *merging.runs)
                                      : open_runs(writer, &merging, runs, count, everything, error);
        if (status == AIMG_OK)
            status = merge(writer, &merging, error);
    }
    for (uint32_t i = 0; i < merging.count; i++)
        aimg_run_tables_release(&merging.runs[i]);
    aimg_release(&writer->allocator, merging.runs);
    aimg_release(&writer->allocator, runs);
    return status;
}
