/* SPDX-License-Identifier: Apache-2.0 */
/* A writer's life: create, open, close; columns; and the batch that it fills. */
#include "writer.h"

#include "checksum.h"
#include "name.h"

#define DEFAULT_LEVEL 3
#define MAX_LEVEL     22

static enum aimg_status take_options(const struct aimg_writer_options *options, struct aimg_writer_options *taken,
                                     struct aimg_error *error)
{
    *taken = (struct aimg_writer_options){.struct_bytes = sizeof *taken};
    if (options != NULL) {
        if (options->struct_bytes < offsetof(struct aimg_writer_options, allocator) || options->struct_bytes > sizeof *taken)
            return aimg_fail(error, AIMG_INVALID_ARGUMENT,
                             "options.struct_bytes is %zu, this library knows %zu: set it to sizeof", options->struct_bytes,
                             sizeof *taken);
        memcpy(taken, options, options->struct_bytes);
    }
    if (taken->alignment == 0)
        taken->alignment = 1u << AIMG_ALIGNMENT_LOG2_MIN;
    if (taken->level == 0)
        taken->level = DEFAULT_LEVEL;
    if ((taken->flags & ~(uint32_t)(AIMG_WRITER_NO_SYNC | AIMG_WRITER_WAIT | AIMG_WRITER_RECOVER)) != 0 ||
        taken->compress > AIMG_COMPRESS_AUTO || taken->dedup > AIMG_DEDUP_ALL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "options.flags, options.compress or options.dedup is out of range");
    if (taken->reserved != 0)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "options.reserved is %" PRIu32 "; set it to 0", taken->reserved);
    if (taken->level < -MAX_LEVEL || taken->level > MAX_LEVEL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "options.level is %d; zstd levels go from %d to %d", (int)taken->level,
                         -MAX_LEVEL, MAX_LEVEL);
    if (taken->alignment < 8 || taken->alignment > 4096 || (taken->alignment & (taken->alignment - 1)) != 0)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "options.alignment is %" PRIu32 "; a power of two from 8 to 4096",
                         taken->alignment);
    if (!aimg_allocator_resolve(&taken->allocator, &taken->allocator))
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "options.allocator needs both alloc and free");
    aimg_limits_resolve(&taken->limits);
    return AIMG_OK;
}

static enum aimg_status create(const struct aimg_writer_options *options, struct aimg_writer **writer_out,
                               struct aimg_writer_options *taken, struct aimg_error *error)
{
    enum aimg_status status = take_options(options, taken, error);
    if (status != AIMG_OK)
        return status;
    struct aimg_writer *writer = aimg_alloc_array(&taken->allocator, 1, sizeof *writer);
    if (writer == NULL)
        return aimg_fail_memory(error, sizeof *writer);
    writer->allocator = writer->out.allocator = writer->stage.allocator = writer->seen.allocator = taken->allocator;
    writer->names.keys = (struct aimg_keys){.allocator = taken->allocator, .kind = &aimg_name_slots};
    writer->content.keys = (struct aimg_keys){.allocator = taken->allocator, .kind = &aimg_content_slots};
    writer->limits = taken->limits;
    writer->flags = taken->flags;
    writer->dedup = taken->dedup;
    writer->time_ns = taken->time_ns;
    writer->seeded = taken->seed != NULL;
    writer->run_rows = AIMG_RUN_ROWS;
    writer->keys_max = AIMG_KEYS_MAX;
    writer->stage_max = AIMG_STAGE_MAX;
    writer->io = writer->out.io = &writer->io_storage;
    aimg_codec_pool_init(&writer->codecs);
    aimg_coders_init(&writer->coders, taken->compress, taken->level);
    *writer_out = writer;
    return AIMG_OK;
}

static enum aimg_status destroy(struct aimg_writer *writer, struct aimg_error *error)
{
    struct aimg_allocator allocator = writer->allocator;
    aimg_writer_release_batch(writer);
    aimg_seen_release(&writer->seen);
    aimg_reader_close(writer->base);
    aimg_out_destroy(&writer->out);
    aimg_coders_release(&allocator, &writer->coders);
    aimg_codec_pool_release(&writer->codecs);
    enum aimg_status status = writer->io->ops != NULL ? writer->io->ops->close(writer->io, error) : AIMG_OK;
    aimg_release(&allocator, writer);
    return status;
}

/* The salt tells this session's frames from those of one that was cut off before. */
static enum aimg_status make_salt(struct aimg_writer *writer, struct aimg_error *error)
{
    if (!writer->seeded)
        return aimg_io_random(&writer->out.salt, sizeof writer->out.salt, error);
    uint8_t source[AIMG_UUID_BYTES + 8];
    memcpy(source, writer->located.header.uuid, AIMG_UUID_BYTES);
    aimg_store64(source + AIMG_UUID_BYTES, writer->located.end);
    writer->out.salt = (uint32_t)aimg_hash(source, sizeof source).low;
    return AIMG_OK;
}

/* With io open and located known. Changes nothing in the file. */
static enum aimg_status start(struct aimg_writer *writer, struct aimg_error *error)
{
    struct aimg_source source = {.allocator = writer->allocator, .limits = writer->limits, .io = writer->io};
    writer->out.flushed = writer->out.announced = writer->located.end;
    writer->out.seed = aimg_uuid_seed(writer->located.header.uuid);
    enum aimg_status status = make_salt(writer, error);
    writer->seen.multiplier = writer->out.salt | 1;
    writer->names.keys.multiplier = writer->out.salt * UINT64_C(0x9E3779B97F4A7C15);
    if (status == AIMG_OK)
        status = aimg_out_create(&writer->out, error);
    if (status == AIMG_OK)
        status = aimg_reader_attach(&source, &writer->located, &writer->base, error);
    if (status != AIMG_OK)
        return status;
    aimg_coders_take(&writer->coders, &writer->base->catalog);
    writer->content_elsewhere = writer->base->catalog.content_count > 0;
    return aimg_writer_begin_batch(writer, error);
}

static enum aimg_status make_header(struct aimg_writer *writer, const struct aimg_writer_options *options,
                                    struct aimg_error *error)
{
    struct aimg_header *header = &writer->located.header;
    uint8_t random[AIMG_UUID_BYTES + 8];
    const char *program = options->program != NULL ? options->program : "libarchive_img " AIMG_VERSION;
    size_t program_bytes = strlen(program);
    if (program_bytes > AIMG_WRITER_TEXT_MAX || !aimg_text_valid((const uint8_t *)program, program_bytes))
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "options.program must be at most %d bytes of UTF-8", AIMG_WRITER_TEXT_MAX);
    enum aimg_status status = options->seed == NULL ? aimg_io_random(random, sizeof random, error) : AIMG_OK;
    if (options->seed != NULL) {
        memcpy(random, options->seed, AIMG_UUID_BYTES);
        aimg_store64(random + AIMG_UUID_BYTES, aimg_hash(options->seed, AIMG_UUID_BYTES).high);
    }
    random[0] |= 1; /* never all zero */
    *header = (struct aimg_header){.major = AIMG_FORMAT_MAJOR, .minor = AIMG_FORMAT_MINOR};
    memcpy(header->uuid, random, AIMG_UUID_BYTES);
    header->created_ns = options->time_ns != 0 ? options->time_ns : aimg_io_now_ns();
    header->params.alignment_log2 = (uint8_t)__builtin_ctz(options->alignment);
    header->params.name_seed = aimg_load64(random + AIMG_UUID_BYTES);
    header->writer_bytes = (uint16_t)program_bytes;
    memcpy(header->writer, program, program_bytes);
    return status;
}

static enum aimg_status write_head(struct aimg_writer *writer, struct aimg_error *error)
{
    static const uint8_t hints[2 * AIMG_HINT_BYTES];
    uint8_t page[AIMG_HEADER_BYTES];
    aimg_header_encode(&writer->located.header, page);
    return writer->io->ops->write_at(writer->io, 0, page, sizeof page, hints, sizeof hints, error);
}

/* With io open on nothing and the header made. */
static enum aimg_status start_new(struct aimg_writer *writer, struct aimg_error *error)
{
    writer->located.empty = true;
    writer->located.end = writer->located.hinted_end = writer->located.file_bytes = AIMG_HEAD_BYTES;
    enum aimg_status status = write_head(writer, error);
    return status == AIMG_OK ? start(writer, error) : status;
}

/* The writer to the caller, or away. */
static enum aimg_status hand_over(struct aimg_writer *writer, enum aimg_status status, struct aimg_writer **writer_out)
{
    if (status == AIMG_OK)
        *writer_out = writer;
    else
        (void)destroy(writer, NULL);
    return status;
}

static enum aimg_status check_places(const void *source, struct aimg_writer **writer_out, struct aimg_error *error)
{
    if (source == NULL || writer_out == NULL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "a writer needs a path and a place for the handle");
    return AIMG_OK;
}

enum aimg_status aimg_writer_create(const char *path, const struct aimg_writer_options *options, struct aimg_writer **writer_out,
                                    struct aimg_error *error)
{
    struct aimg_writer_options taken;
    struct aimg_writer *writer = NULL;
    enum aimg_status status = check_places(path, writer_out, error);
    if (status == AIMG_OK)
        status = create(options, &writer, &taken, error);
    if (status != AIMG_OK)
        return status;
    status = make_header(writer, &taken, error);
    if (status == AIMG_OK)
        status = aimg_io_file_create(writer->io, path, error);
    if (status != AIMG_OK)
        return hand_over(writer, status, writer_out);
    status = start_new(writer, error);
    if (status != AIMG_OK)
        aimg_io_file_discard(writer->io, path);
    return hand_over(writer, status, writer_out);
}

enum aimg_status aimg_writer_create_io(const struct aimg_io *io, const struct aimg_writer_options *options,
                                       struct aimg_writer **writer_out, struct aimg_error *error)
{
    struct aimg_writer_options taken;
    struct aimg_writer *writer = NULL;
    enum aimg_status status = create(options, &writer, &taken, error);
    if (status != AIMG_OK)
        return status;
    *writer->io = *io;
    status = make_header(writer, &taken, error);
    if (status == AIMG_OK)
        status = start_new(writer, error);
    return hand_over(writer, status, writer_out);
}

static enum aimg_status check_writable(const struct aimg_located *located, struct aimg_error *error)
{
    uint64_t masks = located->empty ? located->header.ro_compat : located->commit.ro_compat;
    uint64_t unknown = masks & ~AIMG_RO_COMPAT_KNOWN, strange = located->header.incompat & ~AIMG_INCOMPAT_KNOWN;
    if (located->empty && strange != 0) /* its first commit would have to declare them */
        return aimg_fail(error, AIMG_UNSUPPORTED,
                         "the archive uses features that this version does not know (bits 0x%" PRIx64 "); use a newer version",
                         strange);
    if (unknown != 0)
        return aimg_fail(error, AIMG_UNSUPPORTED,
                         "the archive uses features that this version can read past but not write (bits 0x%" PRIx64
                         "); use a newer version",
                         unknown);
    return AIMG_OK;
}

/* Cuts off what an interrupted writer left, and makes that durable: what was cut, by this writer or by one whose sync had failed,
 * must not come back from the medium between the frames that are written next. While no commit is there the head may be lost in
 * the same way: it is written again, unless something was saved of the tail: then it was looked at, and the hints alone, which
 * lead nowhere, are. What was saved stands before that. */
static enum aimg_status drop_tail(struct aimg_writer *writer, struct aimg_error *error)
{
    enum aimg_status status = aimg_out_flush(&writer->out, error);
    uint64_t file_bytes = writer->located.file_bytes, kept = aimg_out_offset(&writer->out);
    writer->dropped_bytes = file_bytes > kept ? file_bytes - kept : writer->dropped_bytes;
    if (status == AIMG_OK && file_bytes > kept)
        status = writer->io->ops->truncate(writer->io, kept, error);
    if (status == AIMG_OK && writer->located.empty)
        status = writer->pending_images == 0 ? write_head(writer, error) : aimg_writer_renew_hints(writer, error);
    if (status == AIMG_OK && (writer->flags & AIMG_WRITER_NO_SYNC) == 0)
        status = writer->io->ops->sync(writer->io, error);
    writer->located.file_bytes = writer->located.end;
    writer->base->located = writer->located;
    return status;
}

/* With io open on an archive. The file is changed only once it is known that this writer can go on from it. */
static enum aimg_status start_old(struct aimg_writer *writer, struct aimg_error *error)
{
    bool recover = (writer->flags & AIMG_WRITER_RECOVER) != 0;
    enum aimg_status status = aimg_locate(writer->io, recover, &writer->located, error);
    if (status == AIMG_OK && recover && writer->located.hint_refuted) /* what says so, more exactly */
        status = aimg_locate(writer->io, false, &writer->located, error);
    if (status == AIMG_OK)
        status = check_writable(&writer->located, error);
    if (status == AIMG_OK)
        status = start(writer, error);
    uint32_t salt = writer->out.salt;
    if (status == AIMG_OK)
        status = aimg_writer_take_tail(writer, error);
    if (status == AIMG_OK && writer->located.stale_hint)
        status = aimg_writer_renew_hints(writer, error);
    if (status == AIMG_OK)
        status = drop_tail(writer, error);
    if (status == AIMG_OK && recover)
        status = aimg_writer_commit_salvaged(writer, error);
    /* What is added now has another salt than the tail, which whoever has seen that knows. */
    writer->out.salt = salt;
    return status == AIMG_OK && writer->seeded ? make_salt(writer, error) : status;
}

enum aimg_status aimg_writer_open(const char *path, const struct aimg_writer_options *options, struct aimg_writer **writer_out,
                                  struct aimg_error *error)
{
    struct aimg_writer_options taken;
    struct aimg_writer *writer = NULL;
    enum aimg_status status = check_places(path, writer_out, error);
    if (status == AIMG_OK)
        status = create(options, &writer, &taken, error);
    if (status != AIMG_OK)
        return status;
    bool wait = (taken.flags & AIMG_WRITER_WAIT) != 0;
    status = aimg_io_file_open(writer->io, path, wait ? AIMG_IO_WRITE_WAIT : AIMG_IO_WRITE, error);
    if (status == AIMG_OK)
        status = start_old(writer, error);
    return hand_over(writer, status, writer_out);
}

enum aimg_status aimg_writer_open_io(const struct aimg_io *io, const struct aimg_writer_options *options,
                                     struct aimg_writer **writer_out, struct aimg_error *error)
{
    struct aimg_writer_options taken;
    struct aimg_writer *writer = NULL;
    enum aimg_status status = create(options, &writer, &taken, error);
    if (status != AIMG_OK)
        return status;
    *writer->io = *io;
    return hand_over(writer, start_old(writer, error), writer_out);
}

enum aimg_status aimg_writer_close(struct aimg_writer *writer, struct aimg_error *error)
{
    enum aimg_status status = AIMG_OK;
    if (writer == NULL)
        return AIMG_OK;
    bool behind = writer->failed ? writer->uncut : writer->out.flushed > writer->located.end;
    if (behind && !aimg_io_file_inherited(writer->io))
        status = writer->io->ops->truncate(writer->io, writer->located.end, error);
    enum aimg_status closed = destroy(writer, status == AIMG_OK ? error : NULL);
    return status == AIMG_OK ? closed : status;
}

enum aimg_status aimg_writer_check(const struct aimg_writer *writer, struct aimg_error *error)
{
    if (writer == NULL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "the writer is NULL");
    if (writer->failed)
        return aimg_fail(error, AIMG_SEQUENCE, "the writer failed before; close it and open the archive again");
    return AIMG_OK;
}

enum aimg_status aimg_writer_poison(struct aimg_writer *writer, enum aimg_status status)
{
    if (writer->failed)
        return status;
    writer->failed = true;
    /* So that nobody builds on bytes that may exist in the page cache only. */
    uint64_t end = writer->kept > writer->located.end ? writer->kept : writer->located.end;
    writer->uncut = writer->io->ops->truncate(writer->io, end, NULL) != AIMG_OK;
    return status;
}

void aimg_writer_dropped(const struct aimg_writer *writer, uint64_t *bytes_out, uint64_t *images_out)
{
    *bytes_out = writer->dropped_bytes;
    *images_out = writer->dropped_images;
}

void aimg_writer_deduplicated(const struct aimg_writer *writer, uint64_t *images_out, uint64_t *bytes_out)
{
    *images_out = writer->twin_images;
    *bytes_out = writer->twin_bytes;
}

const struct aimg_reader *aimg_writer_base(const struct aimg_writer *writer)
{
    return writer->base;
}

void aimg_writer_pending(const struct aimg_writer *writer, uint64_t *images_out, uint64_t *bytes_out)
{
    *images_out = writer->pending_images;
    *bytes_out = writer->pending_bytes;
}

/* ------------------------------------------------------------------ the batch */

static enum aimg_status take_columns(struct aimg_writer *writer, struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &writer->base->catalog;
    writer->columns = aimg_alloc_array(&writer->allocator, catalog->head.column_count, sizeof *writer->columns);
    if (writer->columns == NULL)
        return aimg_fail_memory(error, catalog->head.column_count * sizeof *writer->columns);
    for (uint32_t i = 0; i < catalog->head.column_count; i++) {
        writer->columns[i].record = catalog->columns[i].record;
        memcpy(writer->columns[i].name, catalog->columns[i].name, catalog->columns[i].record.name_bytes);
        writer->column_count++;
        if (!aimg_stage_column_add(&writer->stage, &catalog->columns[i].record))
            return aimg_fail_memory(error, sizeof(struct aimg_stage_column));
    }
    writer->columns_committed = writer->column_count;
    return AIMG_OK;
}

enum aimg_status aimg_writer_begin_batch(struct aimg_writer *writer, struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &writer->base->catalog;
    bool empty = writer->located.empty;
    writer->head = catalog->head;
    writer->stage.first = (uint32_t)catalog->head.ordinal_count;
    writer->stage.rows = 0;
    /* An archive that has a content index keeps it. */
    writer->content_indexed =
        writer->dedup == AIMG_DEDUP_ALL || (writer->dedup == AIMG_DEDUP_SESSION && catalog->content_count > 0);
    writer->content_begun = catalog->content_count > 0 || catalog->head.ordinal_count == 0;
    writer->compat = empty ? writer->located.header.compat : writer->located.commit.compat;
    writer->ro_compat = empty ? writer->located.header.ro_compat : writer->located.commit.ro_compat;
    writer->incompat = empty ? writer->located.header.incompat : writer->located.commit.incompat;
    for (uint32_t i = 0; i < catalog->table_count; i++)
        if (!aimg_buffer_add(&writer->allocator, &writer->parts, &catalog->tables[i].part, sizeof(struct aimg_part)))
            return aimg_fail_memory(error, writer->parts.bytes);
    return take_columns(writer, error);
}

void aimg_writer_release_batch(struct aimg_writer *writer)
{
    const struct aimg_allocator *allocator = &writer->allocator;
    for (uint32_t i = 0; i < writer->column_count; i++)
        aimg_dictionary_release(allocator, &writer->columns[i].dictionary);
    aimg_release(allocator, writer->columns);
    aimg_index_release(writer, &writer->names);
    aimg_index_release(writer, &writer->content);
    aimg_stage_release(&writer->stage);
    aimg_edits_release(allocator, &writer->edits);
    aimg_buffer_release(allocator, &writer->parts);
    aimg_buffer_release(allocator, &writer->removed_list);
    aimg_buffer_release(allocator, &writer->attached);
    aimg_buffer_release(allocator, &writer->meta);
    aimg_buffer_release(allocator, &writer->renamed);
    aimg_ordinal_set_clear(allocator, &writer->removed);
    writer->columns = NULL;
    writer->column_count = 0;
    writer->columns_written = false;
    writer->pending_images = writer->pending_bytes = 0;
}

/* ------------------------------------------------------------------ columns */

static enum aimg_status check_column(const char *name, const struct aimg_column_record *record, struct aimg_error *error)
{
    if (record->name_bytes == 0 || !aimg_text_valid((const uint8_t *)name, record->name_bytes))
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "a column name is 1 to %d bytes of UTF-8 without control characters",
                         AIMG_COLUMN_NAME_MAX);
    if (aimg_column_name_reserved((const uint8_t *)name, record->name_bytes))
        return aimg_fail(error, AIMG_INVALID_ARGUMENT,
                         "'%s' is the name of something every image has; choose another column name", name);
    if (!aimg_column_shape_valid(record))
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "column '%s': no such type, or width %" PRIu32 " and list do not fit it",
                         name, record->width);
    return AIMG_OK;
}

/* The id after the largest; when that is the last one there is, the smallest that is free. */
static uint32_t free_column_id(const struct aimg_writer *writer)
{
    uint32_t largest = 0, id = 1;
    for (uint32_t i = 0; i < writer->column_count; i++)
        largest = writer->columns[i].record.id > largest ? writer->columns[i].record.id : largest;
    if (largest < UINT32_MAX)
        return largest + 1;
    for (uint32_t i = 0; i < writer->column_count; i++) {
        if (writer->columns[i].record.id == id) {
            id++;
            i = UINT32_MAX; /* from the first again: ids need not be in order here */
        }
    }
    return id;
}

static enum aimg_status append_column(struct aimg_writer *writer, const char *name, const struct aimg_column_record *record,
                                      struct aimg_error *error)
{
    struct aimg_writer_column *columns = aimg_alloc_array(&writer->allocator, writer->column_count + 1, sizeof *columns);
    if (columns == NULL || !aimg_stage_column_add(&writer->stage, record)) {
        aimg_release(&writer->allocator, columns);
        return aimg_fail_memory(error, (writer->column_count + 1) * sizeof *columns);
    }
    memcpy(columns, writer->columns, writer->column_count * sizeof *columns);
    columns[writer->column_count].record = *record;
    memcpy(columns[writer->column_count].name, name, record->name_bytes);
    aimg_release(&writer->allocator, writer->columns);
    writer->columns = columns;
    writer->column_count++;
    writer->ro_compat |= AIMG_RO_COMPAT_COLUMNS;
    return AIMG_OK;
}

enum aimg_status aimg_writer_column(struct aimg_writer *writer, const char *name, enum aimg_type type, uint32_t width, int list,
                                    uint32_t *column_out, struct aimg_error *error)
{
    enum aimg_status status = aimg_writer_check(writer, error);
    if (status == AIMG_OK && (name == NULL || column_out == NULL || strlen(name) > AIMG_COLUMN_NAME_MAX))
        status = aimg_fail(error, AIMG_INVALID_ARGUMENT, "a column needs a name of at most %d bytes and a place for its id",
                           AIMG_COLUMN_NAME_MAX);
    if (status != AIMG_OK)
        return status;
    struct aimg_column_record record = {.id = free_column_id(writer), .flags = list ? AIMG_COLUMN_LIST : 0, .width = width};
    record.type = (unsigned)type <= UINT8_MAX ? (uint8_t)type : 0; /* 0 is no type */
    record.name_bytes = (uint16_t)strlen(name);
    for (uint32_t i = 0; i < writer->column_count; i++) {
        const struct aimg_column_record *known = &writer->columns[i].record;
        if (strcmp(writer->columns[i].name, name) != 0)
            continue;
        if (known->type != record.type || known->width != width || known->flags != record.flags)
            return aimg_fail(error, AIMG_EXISTS, "column '%s' is there with another type", name);
        *column_out = known->id;
        return AIMG_OK;
    }
    if (writer->column_count == AIMG_COLUMN_MAX)
        return aimg_fail(error, AIMG_LIMIT, "an archive has at most %u columns", AIMG_COLUMN_MAX);
    status = check_column(name, &record, error);
    if (status == AIMG_OK)
        status = append_column(writer, name, &record, error);
    if (status == AIMG_OK)
        *column_out = record.id;
    return status;
}
