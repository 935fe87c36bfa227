/* SPDX-License-Identifier: Apache-2.0 */
/* Where the bytes of an image are, found by its frame or by its entry, and whether they are those that were added. Coded ones are
 * decoded, for the hash that a new entry has must be that of the original bytes. */
#include "repair_bytes.h"

#include "checksum.h"

/* Times that the bytes of an image may be asked for: for its name, for itself, and for aliases. */
#define LOADED_MOST 4

#define PIECE_BYTES 65536

/* ------------------------------------------------------------------ finding */

static enum aimg_status bytes_of_frame(const struct aimg_repair *repair, uint64_t offset, uint32_t ordinal,
                                       struct aimg_repair_bytes *bytes, struct aimg_error *error)
{
    struct aimg_frame_view view;
    int critical = 0;
    enum aimg_status status = aimg_frame_read(&repair->reader.source, offset, &view, error);
    if (status != AIMG_OK)
        return status;
    const struct aimg_frame *frame = &view.frame;
    if (frame->type != AIMG_FRAME_IMAGE || frame->ordinal != ordinal)
        return AIMG_CORRUPT;
    if (aimg_frame_check_ext(view.bytes + AIMG_FRAME_BYTES + frame->name_bytes, frame->ext_bytes, &critical) != 0)
        return AIMG_CORRUPT;
    *bytes = (struct aimg_repair_bytes){.offset = offset,
                                        .data_offset = offset + (uint64_t)frame->header_units * AIMG_UNIT,
                                        .stored_bytes = frame->stored_bytes,
                                        .raw_bytes = frame->raw_bytes,
                                        .stored_hash = frame->stored_hash,
                                        .format = frame->format,
                                        .coding = frame->coding,
                                        .framed = true};
    return critical ? AIMG_UNSUPPORTED : AIMG_OK;
}

static void bytes_of_entry(const struct aimg_entry_record *entry, struct aimg_repair_bytes *bytes)
{
    *bytes = (struct aimg_repair_bytes){.offset = entry->frame_offset,
                                        .data_offset = aimg_entry_data_offset(entry),
                                        .stored_bytes = entry->stored_bytes,
                                        .format = entry->format,
                                        .coding = entry->coding};
    memcpy(bytes->hash, entry->hash, sizeof bytes->hash);
}

static enum aimg_status give_up(struct aimg_repair_copy *copy, uint64_t offset, enum aimg_status status, const char *why,
                                struct aimg_error *error)
{
    copy->why = why;
    return aimg_fail_at(error, status, 0, offset, "the image at %" PRIu64 ": %s", offset, why);
}

/* Whether another way to the bytes is looked for. A recovery ends where the file does too early: that is no damage. */
static bool bears(const struct aimg_repair *repair, enum aimg_status status)
{
    return repair->adds ? aimg_repair_is_damage(status) : aimg_repair_bears(status);
}

enum aimg_status aimg_repair_find_bytes(struct aimg_repair_copy *copy, const struct aimg_repair_image *image,
                                        struct aimg_repair_bytes *bytes, struct aimg_error *error)
{
    struct aimg_repair *repair = copy->repair;
    struct aimg_entry_record entry;
    enum aimg_status status = bytes_of_frame(repair, aimg_repair_offset(image), image->ordinal, bytes, error);
    if (status == AIMG_UNSUPPORTED)
        return give_up(copy, aimg_repair_offset(image), status,
                       "it needs an extension that this version does not know: use a newer one", error);
    if (status == AIMG_OK || !bears(repair, status))
        return status;
    status = aimg_repair_entry(repair, image->ordinal, &entry, error);
    if (status == AIMG_OK && (entry.flags & AIMG_ENTRY_ALIASED) != 0)
        status = AIMG_CORRUPT;
    if (status == AIMG_OK)
        bytes_of_entry(&entry, bytes);
    else
        copy->why = "its header is damaged, and the index does not tell where it is";
    return status;
}

enum aimg_status aimg_repair_find_target(struct aimg_repair *repair, const struct aimg_repair_image *image, size_t *target_out,
                                         uint32_t *ordinal_out, struct aimg_error *error)
{
    struct aimg_frame_view view;
    uint8_t payload[AIMG_ALIAS_BYTES] = {0};
    uint64_t offset = aimg_repair_offset(image);
    bool indexed = (image->place & AIMG_REPAIR_INDEXED) != 0;
    enum aimg_status status = aimg_frame_read(&repair->reader.source, offset, &view, error);
    *target_out = SIZE_MAX;
    *ordinal_out = AIMG_NO_ORDINAL;
    if (status != AIMG_OK)
        return bears(repair, status) ? AIMG_OK : status;
    uint32_t ordinal = view.frame.ordinal;
    if (!indexed) {
        status = aimg_source_copy(&repair->reader.source, offset + (uint64_t)view.frame.header_units * AIMG_UNIT, sizeof payload,
                                  payload, error);
        if (status == AIMG_OK && aimg_hash(payload, sizeof payload).low != view.frame.stored_hash)
            status = AIMG_CHECKSUM;
        ordinal = aimg_load32(payload);
    } else if (view.frame.type != AIMG_FRAME_IMAGE) {
        status = AIMG_CORRUPT;
    }
    if (status != AIMG_OK)
        return bears(repair, status) ? AIMG_OK : status;
    *ordinal_out = ordinal;
    size_t count, found = ordinal < image->ordinal ? aimg_repair_find(repair, ordinal) : SIZE_MAX;
    const struct aimg_repair_image *images = aimg_repair_images(repair, &count);
    if (found != SIZE_MAX && (images[found].place & AIMG_REPAIR_ALIAS) == 0)
        *target_out = found;
    return AIMG_OK;
}

enum aimg_status aimg_repair_find_shared(struct aimg_repair_copy *copy, const struct aimg_repair_image *image, size_t target,
                                         struct aimg_repair_bytes *bytes, struct aimg_error *error)
{
    struct aimg_entry_record entry;
    size_t count;
    if (target != SIZE_MAX)
        return aimg_repair_find_bytes(copy, &aimg_repair_images(copy->repair, &count)[target], bytes, error);
    enum aimg_status status = aimg_repair_entry(copy->repair, image->ordinal, &entry, error);
    if (status == AIMG_OK)
        bytes_of_entry(&entry, bytes);
    else
        copy->why = "nothing tells any more whose bytes it shares";
    return status;
}

/* ------------------------------------------------------------------ checking */

/* The original bytes of a coded image, hashed. */
static enum aimg_status decode(struct aimg_repair_copy *copy, struct aimg_repair_bytes *bytes, uint8_t hash_out[AIMG_HASH_BYTES],
                               struct aimg_error *error)
{
    const struct aimg_repair *repair = copy->repair;
    const struct aimg_reader *reader = &repair->reader;
    if (bytes->coding >= AIMG_CODING_FIRST_LISTED && aimg_catalog_coding(&reader->catalog, bytes->coding) == NULL)
        return give_up(copy, bytes->offset, AIMG_CORRUPT, "the dictionary that it was compressed with is lost", error);
    if (!bytes->framed && !aimg_codec_raw_bytes(copy->stored.data, (size_t)bytes->stored_bytes, &bytes->raw_bytes))
        return give_up(copy, bytes->offset, AIMG_CORRUPT, "its bytes are damaged", error);
    if (!aimg_decoding_allowed(&reader->source.limits, bytes->stored_bytes, bytes->raw_bytes))
        return give_up(copy, bytes->offset, AIMG_LIMIT, "it would take more than the limits allow when it is decoded", error);
    copy->raw.bytes = 0;
    if (!aimg_buffer_reserve(&repair->options.allocator, &copy->raw, bytes->raw_bytes + 1))
        return aimg_fail_memory(error, bytes->raw_bytes);
    enum aimg_status status = aimg_image_decode(reader, bytes->coding, copy->stored.data, bytes->stored_bytes, copy->raw.data,
                                                bytes->raw_bytes, bytes->data_offset, error);
    if (status == AIMG_OK)
        aimg_hash_store(hash_out, aimg_hash(copy->raw.data, (size_t)bytes->raw_bytes));
    else if (aimg_repair_bears(status))
        return give_up(copy, bytes->offset, status, "its bytes cannot be decoded", error);
    return status;
}

enum aimg_status aimg_repair_hash_bytes(const struct aimg_repair *repair, uint64_t offset, uint64_t bytes,
                                        struct aimg_hash *hash_out, struct aimg_error *error)
{
    uint8_t piece[PIECE_BYTES];
    struct aimg_hasher hasher;
    aimg_hasher_begin(&hasher);
    while (bytes > 0) {
        size_t part = bytes < sizeof piece ? (size_t)bytes : sizeof piece;
        enum aimg_status status = aimg_source_copy(&repair->reader.source, offset, part, piece, error);
        if (status != AIMG_OK)
            return status;
        aimg_hasher_add(&hasher, piece, part);
        offset += part;
        bytes -= part;
    }
    *hash_out = aimg_hasher_end(&hasher);
    return AIMG_OK;
}

/* Whether memory is taken for so many bytes. What is left out of a recovery is lost: so an image that is not to be decoded may be
 * of any size, but memory is taken for whole ones only, which damage cannot make larger than they are. */
static enum aimg_status check_size(struct aimg_repair_copy *copy, const struct aimg_repair_bytes *bytes, struct aimg_error *error)
{
    const struct aimg_repair *repair = copy->repair;
    struct aimg_hash hash;
    bool large = bytes->stored_bytes > repair->reader.source.limits.image_bytes;
    if (large && (!repair->adds || bytes->coding != AIMG_CODING_STORE))
        return give_up(copy, bytes->offset, AIMG_LIMIT, "it takes more than the limit for images", error);
    if (bytes->data_offset > repair->file_bytes || bytes->stored_bytes > repair->file_bytes - bytes->data_offset)
        return give_up(copy, bytes->offset, AIMG_TRUNCATED, "the file ends before the image does", error);
    if (!large || !bytes->framed)
        return AIMG_OK;
    enum aimg_status status = aimg_repair_hash_bytes(repair, bytes->data_offset, bytes->stored_bytes, &hash, error);
    if (status == AIMG_OK && hash.low != bytes->stored_hash)
        return give_up(copy, bytes->offset, AIMG_CHECKSUM, "its bytes are damaged", error);
    return status;
}

enum aimg_status aimg_repair_load_bytes(struct aimg_repair_copy *copy, struct aimg_repair_bytes *bytes,
                                        struct aimg_prepared *prepared, struct aimg_error *error)
{
    struct aimg_repair *repair = copy->repair;
    const struct aimg_source *source = &repair->reader.source;
    enum aimg_status status = check_size(copy, bytes, error);
    if (status != AIMG_OK)
        return status;
    if (repair->loaded_bytes / LOADED_MOST >= repair->file_bytes)
        return give_up(copy, bytes->offset, AIMG_CORRUPT, "the index gives the same bytes to many images", error);
    repair->loaded_bytes += bytes->stored_bytes;
    copy->stored.bytes = 0;
    if (!aimg_buffer_reserve(&repair->options.allocator, &copy->stored, bytes->stored_bytes + 1))
        return aimg_fail_memory(error, bytes->stored_bytes);
    status = aimg_source_copy(source, bytes->data_offset, (size_t)bytes->stored_bytes, copy->stored.data, error);
    if (status != AIMG_OK)
        return status;
    struct aimg_hash hash = aimg_hash(copy->stored.data, (size_t)bytes->stored_bytes);
    *prepared = (struct aimg_prepared){.stored = copy->stored.data,
                                       .stored_bytes = bytes->stored_bytes,
                                       .raw_bytes = bytes->stored_bytes,
                                       .stored_hash = hash.low,
                                       .coding = bytes->coding};
    aimg_hash_store(prepared->hash, hash);
    if (bytes->framed && hash.low != bytes->stored_hash)
        return give_up(copy, bytes->offset, AIMG_CHECKSUM, "its bytes are damaged", error);
    if (bytes->coding == AIMG_CODING_STORE && bytes->framed && bytes->raw_bytes != bytes->stored_bytes)
        return give_up(copy, bytes->offset, AIMG_CORRUPT, "its header says that it has another size than its bytes have", error);
    if (bytes->coding != AIMG_CODING_STORE) {
        status = decode(copy, bytes, prepared->hash, error);
        prepared->raw_bytes = bytes->raw_bytes;
    }
    if (status == AIMG_OK && !bytes->framed && memcmp(bytes->hash, prepared->hash, sizeof bytes->hash) != 0)
        return give_up(copy, bytes->offset, AIMG_CHECKSUM, "its bytes are damaged", error);
    return status;
}

void aimg_repair_copy_release(struct aimg_repair_copy *copy)
{
    aimg_buffer_release(&copy->repair->options.allocator, &copy->stored);
    aimg_buffer_release(&copy->repair->options.allocator, &copy->raw);
}

enum aimg_status aimg_repair_whole(struct aimg_repair *repair, const struct aimg_repair_image *image, bool *whole_out,
                                   struct aimg_error *error)
{
    struct aimg_repair_copy copy = {.repair = repair};
    struct aimg_prepared prepared;
    struct aimg_repair_bytes bytes;
    size_t target;
    uint32_t ordinal;
    bool alias = (image->place & AIMG_REPAIR_ALIAS) != 0;
    enum aimg_status status = alias ? aimg_repair_find_target(repair, image, &target, &ordinal, error) : AIMG_OK;
    if (status == AIMG_OK)
        status = alias ? aimg_repair_find_shared(&copy, image, target, &bytes, error)
                       : aimg_repair_find_bytes(&copy, image, &bytes, error);
    if (status == AIMG_OK)
        status = aimg_repair_load_bytes(&copy, &bytes, &prepared, error);
    aimg_repair_copy_release(&copy);
    *whole_out = status == AIMG_OK;
    return aimg_repair_bears(status) ? AIMG_OK : status;
}
