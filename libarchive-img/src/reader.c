/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, closing, and what an archive says of itself. */
#include "reader.h"

#include <string.h>

#define KNOWN_FLAGS (AIMG_READER_NO_MAP | AIMG_READER_AT | AIMG_READER_ALLOW_TRUNCATED)

static enum aimg_status take_options(const struct aimg_reader_options *options, struct aimg_reader_options *taken,
                                     struct aimg_error *error)
{
    *taken = (struct aimg_reader_options){.struct_bytes = sizeof *taken};
    if (options != NULL) {
        if (options->struct_bytes < offsetof(struct aimg_reader_options, allocator) || options->struct_bytes > sizeof *taken)
            return aimg_fail(error, AIMG_INVALID_ARGUMENT,
                             "options.struct_bytes is %zu, this library knows %zu: set it to sizeof", options->struct_bytes,
                             sizeof *taken);
        memcpy(taken, options, options->struct_bytes);
    }
    if ((taken->flags & ~(uint32_t)KNOWN_FLAGS) != 0)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "options.flags has unknown bits: 0x%" PRIx32, taken->flags);
    if (taken->reserved != 0)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "options.reserved is %" PRIu32 "; set it to 0", taken->reserved);
    if (!aimg_allocator_resolve(&taken->allocator, &taken->allocator))
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "options.allocator needs both alloc and free");
    aimg_limits_resolve(&taken->limits);
    return AIMG_OK;
}

static enum aimg_status create_caches(struct aimg_reader *reader, struct aimg_error *error)
{
    const struct aimg_allocator *allocator = &reader->source.allocator;
    struct aimg_reader_caches *caches = aimg_alloc_array(allocator, 1, sizeof *caches);
    if (caches == NULL)
        return aimg_fail_memory(error, sizeof *caches);
    aimg_codec_pool_init(&caches->codecs);
    caches->dictionaries = aimg_alloc_array(allocator, reader->catalog.head.coding_count, sizeof *caches->dictionaries);
    reader->caches = caches;
    return caches->dictionaries != NULL ? AIMG_OK : aimg_fail_memory(error, sizeof *caches->dictionaries);
}

static void release_caches(struct aimg_reader *reader)
{
    struct aimg_reader_caches *caches = reader->caches;
    if (caches == NULL)
        return;
    aimg_codec_pool_release(&caches->codecs);
    for (uint32_t i = 0; caches->dictionaries != NULL && i < reader->catalog.head.coding_count; i++)
        aimg_codec_dictionary_destroy(atomic_load(&caches->dictionaries[i]));
    aimg_release(&reader->source.allocator, (void *)caches->dictionaries);
    aimg_release(&reader->source.allocator, caches);
    reader->caches = NULL;
}

static void set_hot_runs(struct aimg_hot *hot, const struct aimg_catalog *catalog)
{
    hot->run_count = catalog->run_count;
    for (uint32_t i = 0; i < AIMG_HOT_RUNS; i++) {
        bool plain = i < catalog->run_count && catalog->runs[i].mask_table == NULL;
        hot->run_firsts[i] = i < catalog->run_count ? catalog->runs[i].first : UINT32_MAX;
        hot->run_entries[i] = plain ? hot->base + catalog->runs[i].entries_offset : NULL;
    }
    hot->entries = hot->run_entries[0];
}

static void set_hot(struct aimg_reader *reader)
{
    const struct aimg_catalog *catalog = &reader->catalog;
    struct aimg_hot *hot = &reader->hot;
    *hot = (struct aimg_hot){.base = reader->source.io->base,
                             .end = reader->source.end,
                             .name_seed = reader->located.header.params.name_seed,
                             .ordinal_count = catalog->head.ordinal_count};
    if (hot->base == NULL)
        return;
    if (catalog->run_count > 0 && catalog->run_count <= AIMG_HOT_RUNS)
        set_hot_runs(hot, catalog);
    if (catalog->names_count <= AIMG_HOT_NAMES && catalog->head.dead_count == 0)
        hot->names_count = catalog->names_count;
    for (uint32_t i = 0; i < hot->names_count; i++) {
        const struct aimg_table *table = &catalog->tables[catalog->names_first + i];
        const struct aimg_section *slots = &table->sections[0]; /* a NAMES table has this section only */
        hot->names[i] = (struct aimg_hot_names){hot->base + table->payload + slots->offset, slots->extra, slots->count};
    }
}

/* Maps and loads what located names. */
static enum aimg_status load(struct aimg_reader *reader, struct aimg_error *error)
{
    enum aimg_status status = AIMG_OK;
    reader->source.seed = aimg_uuid_seed(reader->located.header.uuid);
    reader->source.end = reader->located.end;
    if (reader->path != NULL && (reader->flags & AIMG_READER_NO_MAP) == 0)
        status = aimg_io_file_map(reader->source.io, reader->located.end, error);
    /* The ends of the tables lie far apart: reading ahead around each would cost milliseconds when the file is not in memory. */
    reader->source.io->ops->expect_random(reader->source.io, true);
    if (status == AIMG_OK && !reader->located.empty)
        status = aimg_catalog_load(&reader->source, &reader->located.commit, &reader->catalog, error);
    reader->source.io->ops->expect_random(reader->source.io, false);
    if (status != AIMG_OK)
        return status;
    set_hot(reader);
    return create_caches(reader, error);
}

static void destroy(struct aimg_reader *reader)
{
    struct aimg_allocator allocator = reader->source.allocator;
    release_caches(reader);
    aimg_catalog_release(&reader->source, &reader->catalog);
    if (!reader->borrowed_io && reader->source.io->ops != NULL)
        (void)reader->source.io->ops->close(reader->source.io, NULL);
    aimg_release(&allocator, reader->path);
    aimg_release(&allocator, reader);
}

static enum aimg_status create(const struct aimg_reader_options *options, const char *path, struct aimg_reader **reader_out,
                               struct aimg_reader_options *taken, struct aimg_error *error)
{
    enum aimg_status status = take_options(options, taken, error);
    if (status != AIMG_OK)
        return status;
    struct aimg_reader *reader = aimg_alloc_array(&taken->allocator, 1, sizeof *reader);
    if (reader == NULL)
        return aimg_fail_memory(error, sizeof *reader);
    reader->source.allocator = taken->allocator;
    reader->source.limits = taken->limits;
    reader->source.io = &reader->io_storage;
    reader->flags = taken->flags;
    if (path != NULL) {
        size_t bytes = strlen(path) + 1;
        reader->path = aimg_alloc_array(&taken->allocator, bytes, 1);
        if (reader->path == NULL) {
            aimg_release(&taken->allocator, reader);
            return aimg_fail_memory(error, bytes);
        }
        memcpy(reader->path, path, bytes);
    }
    *reader_out = reader;
    return AIMG_OK;
}

/* With io open: finds the commit and loads it. Destroys the reader on failure. */
static enum aimg_status finish_open(struct aimg_reader *reader, uint64_t seq, struct aimg_reader **reader_out,
                                    struct aimg_error *error)
{
    enum aimg_status status =
        aimg_locate(reader->source.io, (reader->flags & AIMG_READER_ALLOW_TRUNCATED) != 0, &reader->located, error);
    if (status == AIMG_OK && (reader->flags & AIMG_READER_AT) != 0)
        status = aimg_locate_seq(reader->source.io, seq, &reader->located, error);
    if (status == AIMG_OK)
        status = load(reader, error);
    if (status == AIMG_OK)
        *reader_out = reader;
    else
        destroy(reader);
    return status;
}

enum aimg_status aimg_reader_open(const char *path, const struct aimg_reader_options *options, struct aimg_reader **reader_out,
                                  struct aimg_error *error)
{
    struct aimg_reader_options taken;
    struct aimg_reader *reader = NULL;
    if (path == NULL || reader_out == NULL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "aimg_reader_open needs a path and a place for the reader");
    enum aimg_status status = create(options, path, &reader, &taken, error);
    if (status != AIMG_OK)
        return status;
    status = aimg_io_file_open(reader->source.io, path, AIMG_IO_READ, error);
    if (status != AIMG_OK) {
        reader->source.io->ops = NULL;
        destroy(reader);
        return status;
    }
    return finish_open(reader, taken.seq, reader_out, error);
}

enum aimg_status aimg_reader_open_memory(const void *data, uint64_t bytes, const struct aimg_reader_options *options,
                                         struct aimg_reader **reader_out, struct aimg_error *error)
{
    struct aimg_reader_options taken;
    struct aimg_reader *reader = NULL;
    if ((data == NULL && bytes > 0) || bytes > SIZE_MAX || reader_out == NULL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "aimg_reader_open_memory needs bytes and a place for the reader");
    enum aimg_status status = create(options, NULL, &reader, &taken, error);
    if (status != AIMG_OK)
        return status;
    aimg_io_memory_open(reader->source.io, data, bytes);
    return finish_open(reader, taken.seq, reader_out, error);
}

enum aimg_status aimg_reader_attach(const struct aimg_source *source, const struct aimg_located *located,
                                    struct aimg_reader **reader_out, struct aimg_error *error)
{
    struct aimg_reader *reader = aimg_alloc_array(&source->allocator, 1, sizeof *reader);
    if (reader == NULL)
        return aimg_fail_memory(error, sizeof *reader);
    reader->source = *source;
    reader->located = *located;
    reader->borrowed_io = true;
    enum aimg_status status = load(reader, error);
    if (status == AIMG_OK)
        *reader_out = reader;
    else
        destroy(reader);
    return status;
}

void aimg_reader_close(struct aimg_reader *reader)
{
    if (reader != NULL)
        destroy(reader);
}

enum aimg_status aimg_reader_refresh(struct aimg_reader *reader, int *changed_out, struct aimg_error *error)
{
    if (reader == NULL || changed_out == NULL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "aimg_reader_refresh needs a reader and a place for the answer");
    if (reader->path == NULL || (reader->flags & AIMG_READER_AT) != 0) {
        *changed_out = 0; /* bytes in memory do not change, and one commit stays what it is */
        return AIMG_OK;
    }
    enum aimg_status status = aimg_io_file_same(reader->source.io, reader->path, error);
    if (status != AIMG_OK)
        return status;
    struct aimg_reader before = *reader;
    status = aimg_locate_newer(reader->source.io, (reader->flags & AIMG_READER_ALLOW_TRUNCATED) != 0, &reader->located, error);
    if (status == AIMG_OK && reader->located.end == before.located.end) {
        *changed_out = 0;
        return AIMG_OK;
    }
    if (status == AIMG_OK) {
        reader->catalog = (struct aimg_catalog){.root = NULL};
        reader->caches = NULL;
        status = load(reader, error);
    }
    struct aimg_reader *old = &before;
    if (status != AIMG_OK) {
        struct aimg_reader failed = *reader;
        *reader = before;
        reader->io_storage = failed.io_storage;
        if (failed.caches != before.caches)
            release_caches(&failed);
        if (failed.catalog.root != before.catalog.root)
            aimg_catalog_release(&failed.source, &failed.catalog);
        return status;
    }
    release_caches(old);
    aimg_catalog_release(&old->source, &old->catalog);
    *changed_out = 1;
    return AIMG_OK;
}

enum aimg_status aimg_reader_info(const struct aimg_reader *reader, struct aimg_info *info_out, struct aimg_error *error)
{
    if (reader == NULL || info_out == NULL || info_out->struct_bytes != sizeof *info_out)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT,
                         "aimg_reader_info needs a reader and a struct aimg_info with struct_bytes set to its size");
    const struct aimg_located *located = &reader->located;
    const struct aimg_catalog *catalog = &reader->catalog;
    struct aimg_info info = {.struct_bytes = sizeof info};
    info.file_bytes = located->end;
    info.tail_bytes = (reader->flags & AIMG_READER_AT) != 0 ? 0 : located->file_bytes - located->end;
    info.being_written = info.tail_bytes > 0 && reader->path != NULL && aimg_io_file_being_written(reader->source.io);
    info.listed_count = catalog->head.listed_count;
    info.ordinal_count = catalog->head.ordinal_count;
    info.dead_count = catalog->head.dead_count;
    info.live_stored_bytes = catalog->head.live_stored_bytes;
    info.commit_count = located->empty ? 0 : located->commit.seq + 1;
    info.created_ns = located->header.created_ns;
    info.compat = located->empty ? located->header.compat : located->commit.compat;
    info.ro_compat = located->empty ? located->header.ro_compat : located->commit.ro_compat;
    info.incompat = located->empty ? located->header.incompat : located->commit.incompat;
    info.alignment = UINT32_C(1) << located->header.params.alignment_log2;
    info.run_count = catalog->run_count;
    info.name_run_count = catalog->names_count;
    info.column_count = catalog->head.column_count;
    info.coding_count = catalog->head.coding_count;
    info.sealed = located->empty ? 0 : located->commit.flags & AIMG_COMMIT_SEALED;
    memcpy(info.uuid, located->header.uuid, sizeof info.uuid);
    if (!located->empty)
        memcpy(info.chain, located->commit.chain, sizeof info.chain);
    memcpy(info.writer, located->header.writer, sizeof located->header.writer);
    info.version_major = located->header.major;
    info.version_minor = located->header.minor;
    *info_out = info;
    return AIMG_OK;
}

enum aimg_status aimg_reader_coding(const struct aimg_reader *reader, uint32_t index, struct aimg_coding *coding_out,
                                    struct aimg_error *error)
{
    if (reader == NULL || coding_out == NULL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "aimg_reader_coding needs a reader and a place for the coding");
    if (index >= reader->catalog.head.coding_count)
        return aimg_fail(error, AIMG_NOT_FOUND, "there is no coding %" PRIu32 "; the archive defines %" PRIu32, index,
                         reader->catalog.head.coding_count);
    const struct aimg_coding_record *record = &reader->catalog.codings[index];
    *coding_out = (struct aimg_coding){.coding = record->coding, .codec = record->codec, .dictionary_bytes = record->bytes};
    return AIMG_OK;
}
