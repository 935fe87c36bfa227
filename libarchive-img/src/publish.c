/* SPDX-License-Identifier: Apache-2.0 */
/* Making a batch visible: tables, ROOT, barrier, commit page, barrier, hint. The one place that says when data is durable. */
#include "column_publish.h"

#include "checksum.h"
#include "mask_writer.h"
#include "name.h"
#include "recover.h"
#include "run_writer.h"

#include <stdlib.h>

enum aimg_status aimg_writer_add_part(struct aimg_writer *writer, const struct aimg_part *part, struct aimg_error *error)
{
    return aimg_buffer_add(&writer->allocator, &writer->parts, part, sizeof *part) ? AIMG_OK
                                                                                   : aimg_fail_memory(error, sizeof *part);
}

void aimg_writer_drop_part(struct aimg_writer *writer, const struct aimg_part *part)
{
    uint32_t count;
    struct aimg_part *parts = aimg_writer_parts(writer, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (parts[i].type != part->type || parts[i].offset != part->offset)
            continue;
        parts[i] = parts[count - 1];
        writer->parts.bytes -= sizeof *parts;
        return;
    }
}

enum aimg_status aimg_writer_spill_run(struct aimg_writer *writer, struct aimg_error *error)
{
    struct aimg_part part;
    bool zstd = false;
    if (writer->stage.rows == 0)
        return AIMG_OK;
    enum aimg_status status = writer->located.stale_hint ? aimg_writer_renew_hints(writer, error) : AIMG_OK;
    if (status == AIMG_OK)
        status = aimg_run_write(NULL, 0, &writer->stage, &writer->out, &writer->codecs, &part, &zstd, error);
    if (zstd)
        writer->incompat |= AIMG_INCOMPAT_ZSTD;
    return status == AIMG_OK ? aimg_writer_add_part(writer, &part, error) : status;
}

/* ------------------------------------------------------------------ masks and dictionaries */

static int compare_ordinals(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* First element of a sorted list that is not below `ordinal`. */
static uint32_t lower_bound(const struct aimg_buffer *list, uint32_t ordinal)
{
    const uint32_t *values = (const uint32_t *)(const void *)list->data;
    uint32_t low = 0, high = (uint32_t)(list->bytes / sizeof *values);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (values[middle] < ordinal)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct aimg_ordinals range_of(const struct aimg_buffer *list, const struct aimg_part *run)
{
    if (list->bytes == 0)
        return (struct aimg_ordinals){NULL, 0};
    uint32_t begin = lower_bound(list, run->first);
    uint32_t end = lower_bound(list, run->first + run->count);
    return (struct aimg_ordinals){(const uint32_t *)(const void *)list->data + begin, end - begin};
}

/* The runs of the base whose rows a run of the batch has; none for new rows. */
static struct aimg_run *bases_of(const struct aimg_catalog *catalog, const struct aimg_part *run, uint32_t *count_out)
{
    *count_out = 0;
    if (run->first >= catalog->head.ordinal_count)
        return NULL;
    struct aimg_run *bases = &catalog->runs[aimg_catalog_run(catalog, run->first)];
    while (&bases[*count_out] < catalog->runs + catalog->run_count && bases[*count_out].first - run->first < run->count)
        ++*count_out;
    return bases;
}

/* The new MASK of one run, if it lost rows, has new attachments, or was made of runs with masks. */
static enum aimg_status write_mask(struct aimg_writer *writer, const struct aimg_part *run, struct aimg_error *error)
{
    struct aimg_ordinals removed = range_of(&writer->removed_list, run), attached = range_of(&writer->attached, run);
    struct aimg_part part;
    uint32_t base_count;
    struct aimg_run *bases = bases_of(&writer->base->catalog, run, &base_count);
    bool changed = removed.count + attached.count > 0;
    for (uint32_t i = 0; i < base_count; i++)
        changed = changed || (bases[i].mask_table != NULL && bases[i].table->part.offset != run->offset);
    if (!changed)
        return AIMG_OK;
    enum aimg_status status =
        aimg_mask_write(&writer->base->source, bases, base_count, run, removed, attached, &writer->out, &part, error);
    if (status != AIMG_OK)
        return status;
    for (uint32_t i = 0; i < base_count; i++)
        if (bases[i].mask_table != NULL)
            aimg_writer_drop_part(writer, &bases[i].mask_table->part);
    writer->incompat |= AIMG_INCOMPAT_MASK;
    return aimg_writer_add_part(writer, &part, error);
}

static enum aimg_status write_masks(struct aimg_writer *writer, struct aimg_error *error)
{
    uint32_t count;
    enum aimg_status status = AIMG_OK;
    const struct aimg_part *parts = aimg_writer_parts(writer, &count);
    if (writer->removed_list.bytes > 0)
        qsort(writer->removed_list.data, writer->removed_list.bytes / sizeof(uint32_t), sizeof(uint32_t), compare_ordinals);
    struct aimg_part *copy =
        aimg_alloc_array(&writer->allocator, count, sizeof *copy); /* the parts move while masks come and go */
    if (copy == NULL)
        return aimg_fail_memory(error, count * sizeof *copy);
    if (count > 0)
        memcpy(copy, parts, count * sizeof *copy);
    for (uint32_t i = 0; status == AIMG_OK && i < count; i++)
        if (copy[i].type == AIMG_FRAME_RUN)
            status = write_mask(writer, &copy[i], error);
    aimg_release(&writer->allocator, copy);
    return status;
}

/* Whether several tables hold the values of a dictionary. */
static bool in_pieces(const struct aimg_catalog *catalog, uint32_t column)
{
    uint32_t tables = 0;
    for (uint32_t i = 0; i < catalog->table_count; i++)
        tables += catalog->tables[i].part.type == AIMG_FRAME_VALUES && catalog->tables[i].part.column == column;
    return tables > 1;
}

/* New values of a dictionary; older tables of it that are not much larger are merged in, so that their number stays small, or
 * all of them. */
static enum aimg_status write_dictionary(struct aimg_writer *writer, struct aimg_writer_column *column, bool everything,
                                         struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &writer->base->catalog;
    struct aimg_part part;
    bool zstd = false;
    bool pieces = everything && in_pieces(catalog, column->record.id);
    enum aimg_status status =
        pieces ? aimg_dictionary_load(&column->dictionary, writer->base, column->record.id, error) : AIMG_OK;
    uint32_t total = aimg_dictionary_count(&column->dictionary);
    uint32_t first = column->dictionary.committed;
    if (status != AIMG_OK || !column->dictionary.loaded || (total == first && !pieces))
        return status;
    for (uint32_t i = catalog->table_count; i-- > 0;) {
        const struct aimg_part *old = &catalog->tables[i].part;
        if (old->type != AIMG_FRAME_VALUES || old->column != column->record.id || old->first + old->count != first)
            continue;
        if (!everything && old->count / 2 > total - first)
            break;
        first = old->first;
        aimg_writer_drop_part(writer, old);
    }
    status =
        aimg_dictionary_write(&column->dictionary, column->record.id, first, &writer->out, &writer->codecs, &part, &zstd, error);
    if (zstd)
        writer->incompat |= AIMG_INCOMPAT_ZSTD;
    column->record.dictionary_count = total;
    return status == AIMG_OK ? aimg_writer_add_part(writer, &part, error) : status;
}

/* ------------------------------------------------------------------ ROOT and commit */

static int compare_parts(const void *a, const void *b)
{
    return aimg_part_compare(a, b);
}

/* The column with the smallest id above one: ROOT has them in that order. */
static const struct aimg_writer_column *next_column(const struct aimg_writer *writer, uint32_t after)
{
    const struct aimg_writer_column *next = NULL;
    for (uint32_t i = 0; i < writer->column_count; i++)
        if (writer->columns[i].record.id > after && (next == NULL || writer->columns[i].record.id < next->record.id))
            next = &writer->columns[i];
    return next;
}

static enum aimg_status encode_root(struct aimg_writer *writer, struct aimg_buffer *root, struct aimg_error *error)
{
    uint32_t count;
    struct aimg_part *parts = aimg_writer_parts(writer, &count);
    uint64_t bytes = AIMG_ROOT_HEAD_BYTES + (uint64_t)count * AIMG_PART_BYTES;
    for (uint32_t i = 0; i < writer->column_count; i++)
        bytes += aimg_column_record_total(writer->columns[i].record.name_bytes);
    writer->head.coding_count = aimg_coders_count(&writer->coders);
    bytes += (uint64_t)writer->head.coding_count * AIMG_CODING_RECORD_BYTES;
    if (!aimg_buffer_reserve(&writer->allocator, root, bytes))
        return aimg_fail_memory(error, bytes);
    writer->head.part_count = count;
    writer->head.column_count = writer->column_count;
    uint8_t *out = root->data;
    aimg_root_head_encode(&writer->head, out);
    out += AIMG_ROOT_HEAD_BYTES;
    if (count > 0)
        qsort(parts, count, sizeof *parts, compare_parts);
    for (uint32_t i = 0; i < count; i++, out += AIMG_PART_BYTES)
        aimg_part_encode(&parts[i], out);
    for (uint32_t i = 0, id = 0; i < writer->column_count; i++) {
        const struct aimg_writer_column *column = next_column(writer, id);
        aimg_column_record_encode(&column->record, column->name, out);
        out += aimg_column_record_total(column->record.name_bytes);
        id = column->record.id;
    }
    (void)aimg_coders_encode(&writer->coders, out);
    root->bytes = (size_t)bytes;
    return AIMG_OK;
}

static enum aimg_status write_root(struct aimg_writer *writer, struct aimg_commit_page *commit, struct aimg_error *error)
{
    struct aimg_buffer root = {NULL, 0, 0};
    enum aimg_status status = encode_root(writer, &root, error);
    if (status == AIMG_OK) {
        commit->root_offset = aimg_out_offset(&writer->out);
        commit->root_bytes = root.bytes;
        aimg_hash_store(commit->root_hash, aimg_hash(root.data, root.bytes));
        status = aimg_out_plain_frame(&writer->out, AIMG_FRAME_ROOT, root.data, root.bytes, error);
    }
    aimg_buffer_release(&writer->allocator, &root);
    return status;
}

static void fill_commit(const struct aimg_writer *writer, const char *message, uint32_t flags, struct aimg_commit_page *commit)
{
    const struct aimg_located *located = &writer->located;
    *commit = (struct aimg_commit_page){
        .ordinal_count = writer->head.ordinal_count, .listed_count = writer->head.listed_count, .flags = flags};
    memcpy(commit->uuid, located->header.uuid, AIMG_UUID_BYTES);
    commit->params = located->header.params;
    commit->compat = writer->compat;
    commit->ro_compat = writer->ro_compat;
    commit->incompat = writer->incompat;
    commit->salt = writer->out.salt;
    commit->time_ns = writer->time_ns != 0 ? writer->time_ns : aimg_io_now_ns();
    if (!located->empty) {
        commit->seq = located->commit.seq + 1;
        commit->prev_offset = located->commit.self_offset;
        memcpy(commit->prev_chain, located->commit.chain, AIMG_HASH_BYTES);
        if (commit->time_ns < located->commit.time_ns)
            commit->time_ns = located->commit.time_ns; /* the clock went back; rule 33 */
    }
    commit->message_bytes = message == NULL ? 0 : (uint16_t)strlen(message);
    if (message != NULL)
        memcpy(commit->message, message, commit->message_bytes);
}

static enum aimg_status barrier(struct aimg_writer *writer, struct aimg_error *error)
{
    enum aimg_status status = aimg_out_flush(&writer->out, error);
    if (status == AIMG_OK && (writer->flags & AIMG_WRITER_NO_SYNC) == 0)
        status = writer->io->ops->sync(writer->io, error);
    return status;
}

/* What the commit is going to name, opened as a reader will open it: what no reader accepts must not be committed. */
static enum aimg_status open_next(struct aimg_writer *writer, struct aimg_commit_page *commit, struct aimg_reader **next_out,
                                  struct aimg_error *error)
{
    struct aimg_located located = writer->located;
    enum aimg_status status = aimg_out_align(&writer->out, 0, AIMG_PAGE_BYTES, error);
    if (status == AIMG_OK)
        status = aimg_out_flush(&writer->out, error);
    located.empty = false;
    located.end = located.file_bytes = commit->self_offset = aimg_out_offset(&writer->out);
    located.commit = *commit;
    if (status == AIMG_OK && commit->self_offset >= AIMG_FILE_LIMIT - AIMG_PAGE_BYTES)
        status = aimg_fail(error, AIMG_LIMIT, "the archive would pass 2^51 bytes");
    return status == AIMG_OK ? aimg_reader_attach(&writer->base->source, &located, next_out, error) : status;
}

static enum aimg_status write_page(struct aimg_writer *writer, struct aimg_commit_page *commit, struct aimg_error *error)
{
    uint8_t page[AIMG_PAGE_BYTES];
    enum aimg_status status = barrier(writer, error); /* all that the commit names is durable before the commit can be seen */
    if (status != AIMG_OK)
        return status;
    aimg_commit_encode(commit, page);
    status = aimg_out_write(&writer->out, page, sizeof page, error);
    return status == AIMG_OK ? barrier(writer, error) : status;
}

/* Runs, and what was set in them: edits are made to the runs that stay, unless all becomes one run with them. */
static enum aimg_status publish_rows(struct aimg_writer *writer, bool everything, struct aimg_error *error)
{
    enum aimg_status status = everything ? aimg_writer_spill_run(writer, error) : aimg_writer_publish_runs(writer, false, error);
    if (status == AIMG_OK)
        status = aimg_column_publish_edits(writer, error);
    return status == AIMG_OK && everything ? aimg_writer_publish_runs(writer, true, error) : status;
}

/* everything: tables of a kind become one, however large. */
static enum aimg_status write_tables(struct aimg_writer *writer, bool everything, struct aimg_error *error)
{
    uint32_t count;
    enum aimg_status status = aimg_writer_move_references(writer, error);
    if (status == AIMG_OK)
        status = publish_rows(writer, everything, error);
    if (status == AIMG_OK)
        status = aimg_writer_publish_names(writer, everything, error);
    if (status == AIMG_OK)
        status = aimg_writer_publish_content(writer, everything, error);
    if (status == AIMG_OK)
        status = write_masks(writer, error);
    for (uint32_t i = 0; status == AIMG_OK && i < writer->column_count; i++)
        status = write_dictionary(writer, &writer->columns[i], everything, error);
    if (status == AIMG_OK)
        status = aimg_writer_publish_meta(writer, error);
    (void)aimg_writer_parts(writer, &count);
    if (status == AIMG_OK && count > AIMG_PART_MAX)
        status = aimg_fail(error, AIMG_LIMIT, "the archive would have %" PRIu32 " tables, it can have %u; pack it anew", count,
                           AIMG_PART_MAX);
    return status;
}

/* The batch is durable: it becomes the base of the next. From here on nothing may say that the commit failed: a hint that could
 * not be written is missed by nobody, and a handle that cannot go on says so when it is used again. */
static void adopt(struct aimg_writer *writer, const struct aimg_commit_page *commit, struct aimg_reader *next)
{
    writer->located.commit = *commit;
    writer->located.empty = false;
    writer->located.end = writer->located.hinted_end = writer->located.file_bytes = aimg_out_offset(&writer->out);
    if ((writer->flags & AIMG_WRITER_NO_SYNC) == 0)
        (void)aimg_hint_write(writer->io, commit, NULL);
    aimg_writer_release_batch(writer);
    aimg_reader_close(writer->base);
    next->located = writer->located;
    next->source.end = next->hot.end = writer->located.end;
    writer->base = next;
    writer->failed = aimg_writer_begin_batch(writer, NULL) != AIMG_OK;
}

static bool nothing_to_commit(const struct aimg_writer *writer, const char *message)
{
    return writer->pending_images == 0 && writer->removed.count == 0 && message == NULL &&
           writer->column_count == writer->columns_committed && !writer->columns_written && writer->edits.edits.bytes == 0 &&
           !aimg_writer_meta_changed(writer);
}

enum aimg_status aimg_writer_commit_batch(struct aimg_writer *writer, const char *message, uint32_t flags, bool everything,
                                          struct aimg_error *error)
{
    struct aimg_commit_page commit;
    struct aimg_reader *next = NULL;
    enum aimg_status status = write_tables(writer, everything, error);
    if (status == AIMG_OK) {
        fill_commit(writer, message, flags, &commit);
        status = write_root(writer, &commit, error);
    }
    if (status == AIMG_OK)
        status = open_next(writer, &commit, &next, error);
    if (status == AIMG_OK)
        status = write_page(writer, &commit, error);
    if (status != AIMG_OK) {
        aimg_reader_close(next);
        return aimg_writer_poison(writer, status);
    }
    adopt(writer, &commit, next);
    return AIMG_OK;
}

static enum aimg_status check_commit(const struct aimg_writer *writer, const char *message, struct aimg_error *error)
{
    enum aimg_status status = aimg_writer_check(writer, error);
    if (status == AIMG_OK && message != NULL &&
        (strlen(message) > AIMG_MESSAGE_MAX || !aimg_utf8_valid((const uint8_t *)message, strlen(message))))
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "a commit message is at most %d bytes of UTF-8", AIMG_MESSAGE_MAX);
    return status;
}

enum aimg_status aimg_writer_commit(struct aimg_writer *writer, const char *message, struct aimg_error *error)
{
    enum aimg_status status = check_commit(writer, message, error);
    if (status != AIMG_OK || nothing_to_commit(writer, message))
        return status;
    return aimg_writer_commit_batch(writer, message, 0, false, error);
}

enum aimg_status aimg_writer_seal(struct aimg_writer *writer, const char *message, struct aimg_error *error)
{
    enum aimg_status status = check_commit(writer, message, error);
    if (status != AIMG_OK)
        return status;
    bool sealed = !writer->located.empty && (writer->located.commit.flags & AIMG_COMMIT_SEALED) != 0;
    if (sealed && nothing_to_commit(writer, message))
        return AIMG_OK;
    return aimg_writer_commit_batch(writer, message, AIMG_COMMIT_SEALED, true, error);
}
