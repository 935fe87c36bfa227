/* SPDX-License-Identifier: Apache-2.0 */
/* What is alive in one archive into another, without what is dead: image by image, their bytes as they are stored. */
#include "checksum.h"
#include "copy_values.h"
#include "meta.h"
#include "name.h"
#include "ordinal_map.h"
#include "recover.h"

/* Stored bytes after which progress is told, and images. */
#define TELL_BYTES  (UINT64_C(1) << 20)
#define TELL_IMAGES 1024
/* Images up to this size are taken into memory before they are checked. */
#define TAKEN_BYTES (UINT64_C(1) << 26)

/* Where a commit of the source is. */
struct past {
    uint64_t offset;
    uint64_t ordinal_count;
};

struct copy {
    struct aimg_writer *writer;
    const struct aimg_reader *source;
    struct aimg_copy_options options;
    struct aimg_survivors survivors;
    struct aimg_copy_values values;
    uint32_t dedup, flags;         /* of the writer, for what is added after the copy */
    struct aimg_buffer history;    /* struct past: the newest first */
    struct aimg_buffer stored;     /* of the image at hand */
    struct aimg_ordinal_map heirs; /* dead images of the source whose bytes are copied as those of an alias: its new ordinal */
    uint64_t bytes_done, bytes_told, images_untold;
    char name[AIMG_NAME_MAX + 1];
};

/* ------------------------------------------------------------------ one image */

/* What an image is called in messages. */
static enum aimg_status image_damaged(const struct copy *copy, uint32_t ordinal, size_t name_bytes, uint64_t offset,
                                      unsigned rule, struct aimg_error *error)
{
    return aimg_fail_at(error, AIMG_CHECKSUM, rule, offset,
                        "image %" PRIu32 " '%.*s' is damaged: its bytes at %" PRIu64
                        " are not those that were written; remove it or repair the archive, then copy again",
                        ordinal, name_bytes < 80 ? (int)name_bytes : 80, copy->name, offset);
}

/* A writer refuses names and values that no archive may hold; here it is the source that has one. */
static enum aimg_status image_not_allowed(uint32_t ordinal, const struct aimg_entry_record *entry, const struct aimg_image *image,
                                          struct aimg_error *error)
{
    struct aimg_error refusal = {.message = ""};
    size_t position;
    bool nameless = image->name_bytes == 0 && (image->flags & AIMG_ADD_ATTACHMENT) != 0;
    bool of_name = !nameless && aimg_name_fault((const uint8_t *)image->name, image->name_bytes, &position) != AIMG_NAME_OK;
    unsigned rule = of_name ? 53 : 61;
    if (error != NULL)
        refusal = *error;
    return aimg_fail_at(error, AIMG_CORRUPT, rule, entry->frame_offset,
                        "image %" PRIu32 " cannot be copied: %.180s (rule %u); remove it, then copy again", ordinal,
                        refusal.message, rule);
}

/* Name, sizes and hash of an image as its frame has them, which is verified and agrees with the entry. */
static enum aimg_status read_frame(struct copy *copy, uint32_t ordinal, const struct aimg_entry_record *entry,
                                   struct aimg_frame_view *view, size_t *name_bytes_out, struct aimg_error *error)
{
    enum aimg_status status = aimg_frame_check_entry(copy->source, ordinal, entry, view, error);
    if (status != AIMG_OK)
        return status;
    if ((entry->flags & AIMG_ENTRY_ALIASED) != 0) /* the frame is another image's */
        return aimg_reader_name(copy->source, ordinal, copy->name, sizeof copy->name, name_bytes_out, error);
    if (view->frame.name_bytes > AIMG_NAME_MAX)
        return aimg_fail_at(error, AIMG_CORRUPT, 53, entry->frame_offset,
                            "the name of image %" PRIu32 " has %u bytes, at most %d are allowed; run verify", ordinal,
                            (unsigned)view->frame.name_bytes, AIMG_NAME_MAX);
    memcpy(copy->name, view->bytes + AIMG_FRAME_BYTES, view->frame.name_bytes);
    *name_bytes_out = view->frame.name_bytes;
    return AIMG_OK;
}

/* The stored bytes, checked against their hash in the frame, and where they are the original ones against that of the entry. */
static enum aimg_status check_bytes(const struct copy *copy, uint32_t ordinal, const struct aimg_entry_record *entry,
                                    const struct aimg_frame *frame, size_t name_bytes, const void *stored,
                                    struct aimg_error *error)
{
    struct aimg_hash hash = aimg_hash(stored, (size_t)entry->stored_bytes);
    bool plain = entry->coding == AIMG_CODING_STORE;
    if (hash.low != frame->stored_hash)
        return image_damaged(copy, ordinal, name_bytes, aimg_entry_data_offset(entry), 18, error);
    if (plain && !aimg_hash_equals(entry->hash, hash))
        return image_damaged(copy, ordinal, name_bytes, aimg_entry_data_offset(entry), 70, error);
    if (plain && frame->raw_bytes != frame->stored_bytes)
        return aimg_fail_at(error, AIMG_CORRUPT, 50, entry->frame_offset,
                            "image %" PRIu32 " is stored as it is, but its frame gives two sizes; run verify, then repair",
                            ordinal);
    return AIMG_OK;
}

static enum aimg_status tell(struct copy *copy, uint64_t bytes, struct aimg_error *error)
{
    const struct aimg_copy_options *options = &copy->options;
    copy->bytes_done += bytes;
    copy->images_untold++;
    if (options->progress == NULL || (copy->bytes_done - copy->bytes_told < TELL_BYTES && copy->images_untold < TELL_IMAGES))
        return AIMG_OK;
    copy->bytes_told = copy->bytes_done;
    copy->images_untold = 0;
    if (options->progress(options->user, copy->bytes_done, copy->source->catalog.head.live_stored_bytes) == 0)
        return AIMG_OK;
    return aimg_fail(error, AIMG_END, "the copy was stopped");
}

/* The image whose bytes an alias shares: its new ordinal, where those bytes are in the copy already. Rule 47. */
static enum aimg_status find_shared(const struct copy *copy, uint32_t ordinal, const struct aimg_entry_record *entry,
                                    uint32_t target, uint32_t *new_out, bool *found_out, struct aimg_error *error)
{
    struct aimg_entry_record other = {.flags = AIMG_ENTRY_ALIASED};
    struct aimg_run *run = NULL;
    enum aimg_status status = target < ordinal ? aimg_reader_entry_at(copy->source, target, &other, &run, error) : AIMG_OK;
    if (status != AIMG_OK)
        return status;
    if ((other.flags & AIMG_ENTRY_ALIASED) != 0 || other.frame_offset != entry->frame_offset ||
        memcmp(other.hash, entry->hash, sizeof other.hash) != 0)
        return aimg_fail_at(error, AIMG_CORRUPT, 47, entry->frame_offset,
                            "image %" PRIu32 " is an alias, but at %" PRIu64
                            " there is no image before it with its bytes; run verify, then repair",
                            ordinal, entry->frame_offset);
    *found_out = aimg_survivors_number(&copy->survivors, target, new_out) || aimg_ordinal_map_find(&copy->heirs, target, new_out);
    return AIMG_OK;
}

/* The stored bytes, out of the reach of programs that overwrite the source: what is checked is what is written. Of very large
 * images they stay where they are, and are checked again afterwards. */
static enum aimg_status take_bytes(struct copy *copy, const struct aimg_entry_record *entry, const uint8_t **stored_out,
                                   struct aimg_error *error)
{
    size_t bytes = (size_t)entry->stored_bytes;
    *stored_out = copy->source->hot.base + aimg_entry_data_offset(entry);
    if (bytes == 0 || bytes > TAKEN_BYTES)
        return AIMG_OK;
    copy->stored.bytes = 0;
    if (!aimg_buffer_reserve(&copy->source->source.allocator, &copy->stored, bytes))
        return aimg_fail_memory(error, bytes);
    memcpy(copy->stored.data, *stored_out, bytes);
    *stored_out = copy->stored.data;
    return AIMG_OK;
}

static enum aimg_status put_bytes(struct copy *copy, uint32_t ordinal, const struct aimg_entry_record *entry,
                                  const struct aimg_frame *frame, struct aimg_image *image, struct aimg_error *error)
{
    const uint8_t *stored = NULL;
    enum aimg_status status = take_bytes(copy, entry, &stored, error);
    struct aimg_prepared prepared = {.stored = stored,
                                     .stored_bytes = entry->stored_bytes,
                                     .raw_bytes = frame->raw_bytes,
                                     .stored_hash = frame->stored_hash,
                                     .coding = entry->coding};
    uint32_t added;
    memcpy(prepared.hash, entry->hash, sizeof prepared.hash);
    image->prepared = &prepared;
    if (status == AIMG_OK)
        status = check_bytes(copy, ordinal, entry, frame, image->name_bytes, stored, error);
    if (status == AIMG_OK)
        status = aimg_copy_coding(copy->writer, copy->source, entry->coding, error);
    if (status == AIMG_OK)
        status = aimg_writer_add(copy->writer, image, &added, error);
    if (status == AIMG_OK && entry->stored_bytes > TAKEN_BYTES)
        status = check_bytes(copy, ordinal, entry, frame, image->name_bytes, stored, error);
    if (status != AIMG_OK || (entry->flags & AIMG_ENTRY_ALIASED) == 0)
        return status;
    if (!aimg_ordinal_map_add(&copy->source->source.allocator, &copy->heirs, frame->ordinal, added))
        return aimg_fail_memory(error, sizeof added);
    return AIMG_OK;
}

static enum aimg_status copy_image(struct copy *copy, uint32_t ordinal, const struct aimg_entry_record *entry,
                                   struct aimg_error *error)
{
    struct aimg_frame_view view;
    struct aimg_image image = {.struct_bytes = sizeof image, .name = copy->name, .format = entry->format};
    uint32_t shared = 0;
    bool found = false;
    enum aimg_status status = read_frame(copy, ordinal, entry, &view, &image.name_bytes, error);
    if (status == AIMG_OK)
        status = aimg_copy_values_take(&copy->values, ordinal, &image.value_count, error);
    if (status == AIMG_OK && (entry->flags & AIMG_ENTRY_ALIASED) != 0)
        status = find_shared(copy, ordinal, entry, view.frame.ordinal, &shared, &found, error);
    if (status != AIMG_OK)
        return status;
    image.values = copy->values.values;
    image.flags = (entry->flags & AIMG_ENTRY_ATTACHMENT) != 0 ? AIMG_ADD_ATTACHMENT : 0;
    status = found ? aimg_writer_add_alias(copy->writer, &image, shared, error)
                   : put_bytes(copy, ordinal, entry, &view.frame, &image, error);
    if (status == AIMG_INVALID_ARGUMENT)
        return image_not_allowed(ordinal, entry, &image, error);
    return status == AIMG_OK ? tell(copy, entry->stored_bytes, error) : status;
}

/* Mask and entry both say what is an attachment: rule 62. The mask was loaded to count the survivors. */
static enum aimg_status check_attached(const struct aimg_run *run, uint32_t ordinal, const struct aimg_entry_record *entry,
                                       struct aimg_error *error)
{
    const struct aimg_mask *mask = run->mask_table == NULL ? NULL : atomic_load_explicit(&run->mask, memory_order_relaxed);
    bool attached = mask != NULL && mask->attached != NULL && aimg_bitmap_get(mask->attached, ordinal - run->first);
    if (attached == ((entry->flags & AIMG_ENTRY_ATTACHMENT) != 0))
        return AIMG_OK;
    return aimg_fail(error, AIMG_CORRUPT,
                     "image %" PRIu32
                     ": its entry and the mask of its run disagree on whether it is an attachment (rule 62); run "
                     "verify, then repair",
                     ordinal);
}

/* The living rows of a run from `first` to `end` - 1. */
static enum aimg_status copy_rows(struct copy *copy, struct aimg_run *run, uint64_t first, uint64_t end, struct aimg_error *error)
{
    const struct aimg_reader *source = copy->source;
    uint64_t offset = run->entries_offset - run->table->payload + first * AIMG_ENTRY_BYTES;
    enum aimg_status status = aimg_table_verify(&source->source, run->table, offset, (end - first) * AIMG_ENTRY_BYTES, error);
    for (uint64_t row = first; status == AIMG_OK && row < end; row++) {
        struct aimg_entry_record entry;
        uint32_t ordinal = run->first + (uint32_t)row;
        if (!aimg_survivors_has_row(&copy->survivors, run, (uint32_t)row))
            continue;
        status = aimg_reader_entry_at(source, ordinal, &entry, &run, error);
        if (status == AIMG_OK)
            status = check_attached(run, ordinal, &entry, error);
        if (status == AIMG_OK)
            status = copy_image(copy, ordinal, &entry, error);
    }
    return status;
}

/* The living images from ordinal `first` to `end` - 1. */
static enum aimg_status copy_range(struct copy *copy, uint64_t first, uint64_t end, struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &copy->source->catalog;
    enum aimg_status status = AIMG_OK;
    while (status == AIMG_OK && first < end) {
        struct aimg_run *run = &catalog->runs[aimg_catalog_run(catalog, (uint32_t)first)];
        uint64_t run_end = (uint64_t)run->first + run->count;
        uint64_t stop = run_end < end ? run_end : end;
        status = copy_rows(copy, run, first - run->first, stop - run->first, error);
        first = stop;
    }
    return status;
}

/* ------------------------------------------------------------------ metadata */

static enum aimg_status copy_meta(struct copy *copy, struct aimg_error *error)
{
    struct aimg_buffer meta = {NULL, 0, 0};
    struct aimg_writer *writer = copy->writer;
    enum aimg_status status = aimg_meta_load(copy->source, &meta, error);
    writer->meta.bytes = 0; /* of what was set and taken back before */
    if (status == AIMG_OK && meta.bytes > 0 && !aimg_buffer_add(&writer->allocator, &writer->meta, meta.data, meta.bytes))
        status = aimg_fail_memory(error, meta.bytes);
    aimg_buffer_release(&copy->source->source.allocator, &meta);
    return status;
}

/* ------------------------------------------------------------------ commits */

static enum aimg_status list_history(struct copy *copy, struct aimg_error *error)
{
    const struct aimg_reader *source = copy->source;
    struct aimg_located at = source->located;
    for (;;) {
        struct past past = {.offset = at.commit.self_offset, .ordinal_count = at.commit.ordinal_count};
        if (!aimg_buffer_add(&source->source.allocator, &copy->history, &past, sizeof past))
            return aimg_fail_memory(error, copy->history.bytes);
        if (at.commit.seq == 0)
            return AIMG_OK;
        enum aimg_status status = aimg_locate_seq(source->source.io, at.commit.seq - 1, &at, error);
        if (status != AIMG_OK)
            return status;
        if (at.commit.ordinal_count > past.ordinal_count)
            return aimg_fail_at(error, AIMG_CORRUPT, 30, past.offset,
                                "the commit at %" PRIu64 " has fewer images than the one before", past.offset);
    }
}

/* Tables become one where those of the source are: to merge them otherwise would leave dead ones behind, and the copy might be
 * larger than its source. */
static enum aimg_status commit_batch(struct aimg_writer *writer, const char *message, uint32_t sealed, struct aimg_error *error)
{
    enum aimg_status status = aimg_writer_commit_batch(writer, message, sealed, sealed != 0, error);
    if (status == AIMG_OK && writer->failed) /* it went well, but there was no memory to go on */
        return aimg_fail_memory(error, 0);
    return status;
}

/* With all that belongs to the last state. */
static enum aimg_status commit_last(struct copy *copy, const char *message, struct aimg_error *error)
{
    uint32_t sealed = copy->source->located.commit.flags & AIMG_COMMIT_SEALED;
    enum aimg_status status = copy_meta(copy, error);
    if (status == AIMG_OK)
        status = aimg_copy_values_refer(&copy->values, error);
    copy->writer->dedup = copy->dedup;
    if (status == AIMG_OK)
        status = commit_batch(copy->writer, message, sealed, error);
    return status == AIMG_OK ? aimg_copy_check_names(copy->writer, error) : status;
}

/* As the source's, in the source's time. */
static enum aimg_status commit_past(struct copy *copy, const struct aimg_commit_page *page, struct aimg_error *error)
{
    struct aimg_writer *writer = copy->writer;
    uint64_t time_ns = writer->time_ns;
    bool last = page->seq == copy->source->located.commit.seq;
    writer->time_ns = page->time_ns != 0 ? page->time_ns : 1; /* zero is the clock */
    enum aimg_status status = last ? commit_last(copy, page->message, error) : commit_batch(writer, page->message, 0, error);
    writer->time_ns = time_ns;
    return status;
}

static enum aimg_status copy_history(struct copy *copy, struct aimg_error *error)
{
    const struct aimg_reader *source = copy->source;
    uint64_t first = 0;
    enum aimg_status status = list_history(copy, error);
    for (size_t left = copy->history.bytes / sizeof(struct past); status == AIMG_OK && left > 0; left--) {
        struct aimg_commit_page page;
        struct past past;
        memcpy(&past, copy->history.data + (left - 1) * sizeof past, sizeof past);
        status = aimg_commit_read(source->source.io, &source->located.header, past.offset, &page, error);
        if (status == AIMG_OK)
            status = copy_range(copy, first, past.ordinal_count, error);
        if (status == AIMG_OK)
            status = commit_past(copy, &page, error);
        first = past.ordinal_count;
    }
    return status;
}

/* Nobody relies on the copy before it is whole, so its commits are made durable together, in the end. Content is not looked for,
 * but an index of it is made when the source has one. */
static void begin_writing(struct copy *copy)
{
    struct aimg_writer *writer = copy->writer;
    bool indexed = copy->source->catalog.content_count > 0;
    copy->flags = writer->flags;
    copy->dedup = writer->dedup;
    writer->flags |= AIMG_WRITER_NO_SYNC;
    writer->dedup = indexed ? AIMG_DEDUP_ALL : AIMG_DEDUP_NONE;
    writer->content_indexed = indexed;
    writer->names.keys.blind = true;
}

/* Makes the copy durable, or leaves an empty archive. */
static enum aimg_status end_writing(struct copy *copy, enum aimg_status status, struct aimg_error *error)
{
    struct aimg_writer *writer = copy->writer;
    writer->flags = copy->flags;
    writer->dedup = copy->dedup;
    writer->names.keys.blind = false;
    bool durable = (writer->flags & AIMG_WRITER_NO_SYNC) == 0;
    if (status == AIMG_OK && durable)
        status = writer->io->ops->sync(writer->io, error);
    if (status == AIMG_OK) {
        if (durable)
            (void)aimg_hint_write(writer->io, &writer->located.commit, NULL); /* missed by nobody */
        return AIMG_OK;
    }
    writer->located.end = AIMG_HEAD_BYTES;
    writer->failed = false;
    return aimg_writer_poison(writer, status);
}

static enum aimg_status copy_all(struct copy *copy, struct aimg_error *error)
{
    enum aimg_status status = aimg_survivors_create(&copy->survivors, copy->source, error);
    if (status == AIMG_OK)
        status = aimg_copy_values_create(&copy->values, copy->writer, &copy->survivors, error);
    if (status != AIMG_OK)
        return status;
    if ((copy->options.flags & AIMG_COPY_DROP_HISTORY) == 0)
        return copy_history(copy, error);
    status = copy_range(copy, 0, copy->source->catalog.head.ordinal_count, error);
    return status == AIMG_OK ? commit_last(copy, NULL, error) : status;
}

/* ------------------------------------------------------------------ the call */

static enum aimg_status take_options(const struct aimg_copy_options *options, struct aimg_copy_options *taken,
                                     struct aimg_error *error)
{
    *taken = (struct aimg_copy_options){.struct_bytes = sizeof *taken};
    if (options == NULL)
        return AIMG_OK;
    if (options->struct_bytes != sizeof *taken || (options->flags & ~(uint32_t)AIMG_COPY_DROP_HISTORY) != 0)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT,
                         "copying needs options with struct_bytes set to their size and known flags");
    if (options->reserved != 0)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "options.reserved is %" PRIu32 "; set it to 0", options->reserved);
    *taken = *options;
    return AIMG_OK;
}

/* Those of the source keep their numbers: none may be taken. */
static bool has_codings(const struct aimg_coders *coders)
{
    for (unsigned number = AIMG_CODING_FIRST_LISTED; number < AIMG_CODINGS; number++)
        if (coders->by_number[number].record.coding != 0)
            return true;
    return false;
}

static enum aimg_status check_ends(const struct aimg_writer *writer, const struct aimg_reader *source, struct aimg_error *error)
{
    enum aimg_status status = aimg_writer_check(writer, error);
    if (status != AIMG_OK)
        return status;
    if (source == NULL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "copying needs a reader");
    if (!writer->located.empty || writer->pending_images > 0 || writer->column_count > 0 || aimg_writer_meta_changed(writer))
        return aimg_fail(error, AIMG_SEQUENCE,
                         "the archive that is copied into must be new, without commits, images, columns or metadata; copy first");
    if (has_codings(&writer->coders))
        return aimg_fail(error, AIMG_SEQUENCE, "the writer that is copied into has a dictionary already; copy first, then train");
    if (source->located.empty)
        return AIMG_OK;
    if (source->source.io->base == NULL)
        return aimg_fail(error, AIMG_SEQUENCE, "the archive to copy was opened without a map");
    uint64_t unknown = source->located.commit.ro_compat & ~AIMG_RO_COMPAT_KNOWN;
    if (unknown != 0)
        return aimg_fail(error, AIMG_UNSUPPORTED,
                         "the archive uses features that this version can read past but not copy (bits 0x%" PRIx64
                         "); use a newer version",
                         unknown);
    return AIMG_OK;
}

enum aimg_status aimg_writer_copy(struct aimg_writer *writer, const struct aimg_reader *source,
                                  const struct aimg_copy_options *options, struct aimg_error *error)
{
    struct copy copy = {.writer = writer, .source = source};
    enum aimg_status status = check_ends(writer, source, error);
    if (status == AIMG_OK)
        status = take_options(options, &copy.options, error);
    if (status != AIMG_OK || source->located.empty)
        return status;
    begin_writing(&copy);
    status = end_writing(&copy, copy_all(&copy, error), error);
    aimg_copy_values_destroy(&copy.values);
    aimg_survivors_destroy(&copy.survivors);
    aimg_buffer_release(&source->source.allocator, &copy.history);
    aimg_buffer_release(&source->source.allocator, &copy.stored);
    aimg_ordinal_map_clear(&source->source.allocator, &copy.heirs);
    return status;
}
