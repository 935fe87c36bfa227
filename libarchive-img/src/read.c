/* SPDX-License-Identifier: Apache-2.0 */
/* Images copied into the caller's memory: read, decoded, verified. */
#include "reader.h"

#include "checksum.h"

/* Small stored forms are fetched on the stack where there is no map. */
#define STACK_BYTES 16384

enum aimg_status aimg_coding_find(const struct aimg_reader *reader, unsigned number, const struct aimg_coding_record **coding_out,
                                  struct aimg_error *error)
{
    const struct aimg_coding_record *coding = aimg_catalog_coding(&reader->catalog, number);
    if (coding == NULL)
        return aimg_fail(error, AIMG_CORRUPT,
                         "an image has coding %u, which the archive does not define; run verify, then repair", number);
    if (coding->codec != AIMG_CODEC_ZSTD_DICT)
        return aimg_fail_at(error, AIMG_UNSUPPORTED, 51, coding->offset,
                            "coding %u has codec %u, which this version does not know", number, (unsigned)coding->codec);
    *coding_out = coding;
    return AIMG_OK;
}

enum aimg_status aimg_coding_fetch(const struct aimg_reader *reader, const struct aimg_coding_record *coding, uint8_t **copy_out,
                                   struct aimg_error *error)
{
    uint64_t offset = coding->offset + AIMG_FRAME_BYTES;
    size_t bytes = (size_t)coding->bytes;
    uint8_t *copy = aimg_alloc_array(&reader->source.allocator, bytes, 1);
    if (copy == NULL)
        return aimg_fail_memory(error, bytes);
    enum aimg_status status = aimg_source_copy(&reader->source, offset, bytes, copy, error);
    if (status == AIMG_OK && !aimg_hash_equals(coding->hash, aimg_hash(copy, bytes)))
        status = aimg_fail_at(error, AIMG_CHECKSUM, 51, offset,
                              "the dictionary of coding %u at %" PRIu64 " is damaged; run verify, then repair",
                              (unsigned)coding->coding, offset);
    if (status == AIMG_OK)
        *copy_out = copy;
    else
        aimg_release(&reader->source.allocator, copy);
    return status;
}

static enum aimg_status load_dictionary(const struct aimg_reader *reader, const struct aimg_coding_record *coding,
                                        void **dictionary_out, struct aimg_error *error)
{
    uint8_t *data = NULL;
    size_t bytes = (size_t)coding->bytes;
    enum aimg_status status = aimg_coding_fetch(reader, coding, &data, error);
    if (status != AIMG_OK)
        return status;
    *dictionary_out = aimg_codec_dictionary_create(data, bytes);
    if (*dictionary_out == NULL && aimg_codec_dictionary_malformed(data, bytes))
        status = aimg_fail_at(error, AIMG_CORRUPT, 51, coding->offset + AIMG_FRAME_BYTES,
                              "the dictionary of coding %u at %" PRIu64 " is none for zstd; run verify, then repair",
                              (unsigned)coding->coding, coding->offset + AIMG_FRAME_BYTES);
    else if (*dictionary_out == NULL)
        status = aimg_fail_memory(error, bytes);
    aimg_release(&reader->source.allocator, data);
    return status;
}

/* Made by the first thread that needs it, then shared. */
static enum aimg_status dictionary_of(const struct aimg_reader *reader, unsigned number, void **dictionary_out,
                                      struct aimg_error *error)
{
    const struct aimg_coding_record *coding = NULL;
    enum aimg_status status = aimg_coding_find(reader, number, &coding, error);
    if (status != AIMG_OK)
        return status;
    void *_Atomic *place = &reader->caches->dictionaries[coding - reader->catalog.codings];
    *dictionary_out = atomic_load_explicit(place, memory_order_acquire);
    if (*dictionary_out != NULL)
        return AIMG_OK;
    void *made, *other = NULL;
    status = load_dictionary(reader, coding, &made, error);
    if (status != AIMG_OK)
        return status;
    if (atomic_compare_exchange_strong(place, &other, made)) {
        *dictionary_out = made;
    } else {
        aimg_codec_dictionary_destroy(made);
        *dictionary_out = other;
    }
    return AIMG_OK;
}

enum aimg_status aimg_image_decode(const struct aimg_reader *reader, unsigned coding, const void *stored, uint64_t stored_bytes,
                                   void *raw, uint64_t raw_bytes, uint64_t offset, struct aimg_error *error)
{
    void *dictionary = NULL;
    if (coding != AIMG_CODING_ZSTD) {
        enum aimg_status status = dictionary_of(reader, coding, &dictionary, error);
        if (status != AIMG_OK)
            return status;
    }
    return aimg_codec_decode(&reader->caches->codecs, dictionary, stored, (size_t)stored_bytes, raw, (size_t)raw_bytes, offset,
                             error);
}

/* Before memory is asked for. */
static enum aimg_status check_size(const struct aimg_reader *reader, const struct aimg_entry *entry, struct aimg_error *error)
{
    const struct aimg_limits *limits = &reader->source.limits;
    if (entry->raw_bytes > limits->image_bytes || entry->raw_bytes > SIZE_MAX)
        return aimg_fail_at(error, AIMG_LIMIT, 0, entry->frame_offset,
                            "image %" PRIu32 " has %" PRIu64 " bytes, the limit is %" PRIu64, entry->ordinal, entry->raw_bytes,
                            limits->image_bytes);
    if (entry->coding != AIMG_CODING_STORE && entry->stored_bytes > aimg_codec_bound((size_t)entry->raw_bytes))
        return aimg_fail_at(error, AIMG_LIMIT, 0, entry->frame_offset,
                            "image %" PRIu32 " of %" PRIu64 " bytes takes %" PRIu64 ", more than its codec ever needs",
                            entry->ordinal, entry->raw_bytes, entry->stored_bytes);
    if (!aimg_decoding_allowed(limits, entry->stored_bytes, entry->raw_bytes))
        return aimg_fail_at(error, AIMG_LIMIT, 0, entry->frame_offset,
                            "image %" PRIu32 " would grow from %" PRIu64 " to %" PRIu64 " bytes, more than the limit of %" PRIu32
                            " times",
                            entry->ordinal, entry->stored_bytes, entry->raw_bytes, limits->ratio);
    return AIMG_OK;
}

static enum aimg_status not_of_frame(const struct aimg_entry *entry, struct aimg_error *error)
{
    return aimg_fail_at(error, AIMG_CHECKSUM, 18, entry->data_offset,
                        "image %" PRIu32 " is damaged: its bytes at %" PRIu64
                        " are not those whose hash its frame has; run verify, then repair",
                        entry->ordinal, entry->data_offset);
}

/* The original bytes. Those that are stored as they are have the hash of their frame too: its beginning is the same. */
static enum aimg_status check_hash(const struct aimg_entry *entry, const struct aimg_frame *frame, const void *raw,
                                   struct aimg_error *error)
{
    struct aimg_hash hash = aimg_hash(raw, (size_t)entry->raw_bytes);
    if (!aimg_hash_equals(entry->hash, hash))
        return aimg_fail_at(error, AIMG_CHECKSUM, 70, entry->data_offset,
                            "image %" PRIu32 " is damaged: its bytes at %" PRIu64
                            " are not those that were added; run verify, then repair",
                            entry->ordinal, entry->data_offset);
    bool plain = entry->coding == AIMG_CODING_STORE;
    return plain && hash.low != frame->stored_hash ? not_of_frame(entry, error) : AIMG_OK;
}

/* frame: whose hash the stored bytes must have; NULL: not verified. */
static enum aimg_status read_coded(const struct aimg_reader *reader, const struct aimg_entry *entry,
                                   const struct aimg_frame *frame, void *buffer, struct aimg_error *error)
{
    uint8_t on_stack[STACK_BYTES];
    uint8_t *owned = NULL, *scratch = on_stack;
    struct aimg_error local;
    size_t bytes = (size_t)entry->stored_bytes;
    if (reader->source.io->base == NULL && entry->stored_bytes > sizeof on_stack) {
        scratch = owned = aimg_alloc_array(&reader->source.allocator, entry->stored_bytes, 1);
        if (owned == NULL)
            return aimg_fail_memory(error, entry->stored_bytes);
    }
    const uint8_t *stored = aimg_source_fetch(&reader->source, entry->data_offset, bytes, scratch, &local);
    enum aimg_status status = stored == NULL ? aimg_fail_as(error, &local) : AIMG_OK;
    if (status == AIMG_OK && frame != NULL && aimg_hash(stored, bytes).low != frame->stored_hash)
        status = not_of_frame(entry, error);
    if (status == AIMG_OK)
        status = aimg_image_decode(reader, entry->coding, stored, entry->stored_bytes, buffer, entry->raw_bytes,
                                   entry->data_offset, error);
    aimg_release(&reader->source.allocator, owned);
    return status;
}

/* Bytes as they are stored: by read_at, so that what was verified is what the caller has. */
static enum aimg_status read_stored(const struct aimg_reader *reader, const struct aimg_entry *entry, void *buffer,
                                    struct aimg_error *error)
{
    struct aimg_io *io = reader->source.io;
    return entry->raw_bytes == 0 ? AIMG_OK : io->ops->read_at(io, entry->data_offset, buffer, (size_t)entry->raw_bytes, error);
}

/* Index and frame agree: the bytes are of this image, not of another that its entry was confused with. */
static enum aimg_status check_frame(const struct aimg_reader *reader, uint32_t ordinal, struct aimg_frame_view *view,
                                    struct aimg_error *error)
{
    struct aimg_entry_record record = {.frame_offset = 0};
    struct aimg_run *run = NULL;
    enum aimg_status status = aimg_reader_entry_at(reader, ordinal, &record, &run, error);
    return status == AIMG_OK ? aimg_frame_check_entry(reader, ordinal, &record, view, error) : status;
}

/* The entry of an image that may be read, and of a coded one its frame. */
static enum aimg_status readable_entry(const struct aimg_reader *reader, uint32_t ordinal, struct aimg_entry *entry,
                                       struct aimg_frame_view *view, struct aimg_error *error)
{
    enum aimg_status status = aimg_image_entry(reader, ordinal, entry, view, error);
    if (status != AIMG_OK)
        return status;
    if (entry->dead)
        return aimg_fail(error, AIMG_NOT_FOUND, "image %" PRIu32 " was removed or replaced", ordinal);
    return check_size(reader, entry, error);
}

enum aimg_status aimg_reader_read(const struct aimg_reader *reader, uint32_t ordinal, uint32_t flags, void *buffer,
                                  uint64_t buffer_bytes, uint64_t *bytes_out, struct aimg_error *error)
{
    struct aimg_entry entry;
    struct aimg_frame_view view;
    bool verified = (flags & AIMG_READ_UNVERIFIED) == 0;
    if (reader == NULL || bytes_out == NULL || (buffer == NULL && buffer_bytes > 0) ||
        (flags & ~(uint32_t)AIMG_READ_UNVERIFIED) != 0)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT,
                         "aimg_reader_read needs a reader, a buffer, a place for the size, and known flags");
    aimg_image_announce(reader, ordinal);
    enum aimg_status status = readable_entry(reader, ordinal, &entry, &view, error);
    if (status != AIMG_OK)
        return status;
    *bytes_out = entry.raw_bytes;
    if (buffer_bytes < entry.raw_bytes)
        return aimg_fail(error, AIMG_BUFFER_TOO_SMALL, "image %" PRIu32 " has %" PRIu64 " bytes, the buffer %" PRIu64, ordinal,
                         entry.raw_bytes, buffer_bytes);
    if (entry.coding == AIMG_CODING_STORE && verified)
        status = check_frame(reader, ordinal, &view, error); /* of a coded image it was checked with the entry */
    if (status == AIMG_OK)
        status = entry.coding == AIMG_CODING_STORE ? read_stored(reader, &entry, buffer, error)
                                                   : read_coded(reader, &entry, verified ? &view.frame : NULL, buffer, error);
    if (status == AIMG_OK && verified)
        status = check_hash(&entry, &view.frame, buffer, error);
    return status;
}
