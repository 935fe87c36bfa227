/* SPDX-License-Identifier: Apache-2.0 */
/* Each image into the new archive: found by its frame or by its entry, checked, and coded ones decoded, for the hash that the new
 * entry has must be that of the original bytes. */
#include "repair.h"

#include "checksum.h"
#include "copy_values.h"
#include "ordinal_map.h"

#include <stdio.h>

/* Where the bytes of an image are, and what they must be. */
struct bytes {
    uint64_t offset; /* of the frame */
    uint64_t data_offset, stored_bytes;
    uint64_t raw_bytes; /* when the frame is there */
    uint64_t stored_hash;
    uint8_t hash[AIMG_HASH_BYTES]; /* when only the entry is there */
    uint8_t format, coding;
    bool framed;
};

struct write {
    struct aimg_repair *repair;
    struct aimg_buffer stored, raw;
    struct aimg_ordinal_map heirs; /* image that is dead, and which new image holds its bytes */
    char name[AIMG_NAME_MAX + 1];
    const char *why; /* an image is lost */
};

/* ------------------------------------------------------------------ finding */

static enum aimg_status bytes_of_frame(const struct aimg_repair *repair, uint64_t offset, uint32_t ordinal, struct bytes *bytes,
                                       struct aimg_error *error)
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
    *bytes = (struct bytes){.offset = offset,
                            .data_offset = offset + (uint64_t)frame->header_units * AIMG_UNIT,
                            .stored_bytes = frame->stored_bytes,
                            .raw_bytes = frame->raw_bytes,
                            .stored_hash = frame->stored_hash,
                            .format = frame->format,
                            .coding = frame->coding,
                            .framed = true};
    return critical ? AIMG_UNSUPPORTED : AIMG_OK;
}

static void bytes_of_entry(const struct aimg_entry_record *entry, struct bytes *bytes)
{
    *bytes = (struct bytes){.offset = entry->frame_offset,
                            .data_offset = aimg_entry_data_offset(entry),
                            .stored_bytes = entry->stored_bytes,
                            .format = entry->format,
                            .coding = entry->coding};
    memcpy(bytes->hash, entry->hash, sizeof bytes->hash);
}

/* Of an image that is no alias. */
static enum aimg_status find_bytes(struct aimg_repair *repair, const struct aimg_repair_image *image, struct bytes *bytes,
                                   struct aimg_error *error)
{
    struct aimg_entry_record entry;
    enum aimg_status status = bytes_of_frame(repair, aimg_repair_offset(image), image->ordinal, bytes, error);
    if (status == AIMG_OK || status == AIMG_UNSUPPORTED || !aimg_repair_bears(status))
        return status;
    status = aimg_repair_entry(repair, image->ordinal, &entry, error);
    if (status == AIMG_OK && (entry.flags & AIMG_ENTRY_ALIASED) == 0)
        bytes_of_entry(&entry, bytes);
    return status;
}

/* The image whose bytes an alias shares; NOT_FOUND when that is not known. */
static enum aimg_status find_target(struct aimg_repair *repair, const struct aimg_repair_image *image, size_t *target_out,
                                    uint32_t *ordinal_out, struct aimg_error *error)
{
    struct aimg_frame_view view;
    uint8_t payload[AIMG_ALIAS_BYTES] = {0};
    uint64_t offset = aimg_repair_offset(image);
    bool indexed = (image->place & AIMG_REPAIR_INDEXED) != 0;
    enum aimg_status status = aimg_frame_read(&repair->reader.source, offset, &view, error);
    if (status != AIMG_OK)
        return status;
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
        return status;
    *ordinal_out = ordinal;
    size_t count, found = ordinal < image->ordinal ? aimg_repair_find(repair, ordinal) : SIZE_MAX;
    const struct aimg_repair_image *images = aimg_repair_images(repair, &count);
    if (found == SIZE_MAX || (images[found].place & AIMG_REPAIR_ALIAS) != 0)
        return AIMG_NOT_FOUND;
    *target_out = found;
    return AIMG_OK;
}

/* ------------------------------------------------------------------ checking */

static enum aimg_status give_up(struct write *write, enum aimg_status status, const char *why)
{
    write->why = why;
    return status;
}

/* The original bytes of a coded image, hashed. */
static enum aimg_status decode(struct write *write, struct bytes *bytes, uint8_t hash_out[AIMG_HASH_BYTES],
                               struct aimg_error *error)
{
    const struct aimg_repair *repair = write->repair;
    const struct aimg_reader *reader = &repair->reader;
    if (!bytes->framed && !aimg_codec_raw_bytes(write->stored.data, (size_t)bytes->stored_bytes, &bytes->raw_bytes))
        return give_up(write, AIMG_CORRUPT, "its bytes are damaged");
    if (!aimg_decoding_allowed(&reader->source.limits, bytes->stored_bytes, bytes->raw_bytes))
        return give_up(write, AIMG_LIMIT, "it would take more than the limits allow when it is decoded");
    write->raw.bytes = 0;
    if (!aimg_buffer_reserve(&repair->options.allocator, &write->raw, bytes->raw_bytes + 1))
        return aimg_fail_memory(error, bytes->raw_bytes);
    enum aimg_status status = aimg_image_decode(reader, bytes->coding, write->stored.data, bytes->stored_bytes, write->raw.data,
                                                bytes->raw_bytes, bytes->data_offset, error);
    if (status == AIMG_OK)
        aimg_hash_store(hash_out, aimg_hash(write->raw.data, (size_t)bytes->raw_bytes));
    else if (aimg_repair_bears(status))
        return give_up(write, status, "its bytes, or the dictionary that they need, are damaged");
    return status;
}

/* Reads the stored bytes, and makes them ready for adding when they are those that were added. */
static enum aimg_status load(struct write *write, struct bytes *bytes, struct aimg_prepared *prepared, struct aimg_error *error)
{
    struct aimg_repair *repair = write->repair;
    const struct aimg_source *source = &repair->reader.source;
    if (bytes->stored_bytes > source->limits.image_bytes)
        return give_up(write, AIMG_LIMIT, "it takes more than the limit for images");
    if (bytes->data_offset > repair->file_bytes || bytes->stored_bytes > repair->file_bytes - bytes->data_offset)
        return give_up(write, AIMG_TRUNCATED, "the file ends before the image does");
    write->stored.bytes = 0;
    if (!aimg_buffer_reserve(&repair->options.allocator, &write->stored, bytes->stored_bytes + 1))
        return aimg_fail_memory(error, bytes->stored_bytes);
    enum aimg_status status =
        aimg_source_copy(source, bytes->data_offset, (size_t)bytes->stored_bytes, write->stored.data, error);
    if (status != AIMG_OK)
        return status;
    struct aimg_hash hash = aimg_hash(write->stored.data, (size_t)bytes->stored_bytes);
    *prepared = (struct aimg_prepared){.stored = write->stored.data,
                                       .stored_bytes = bytes->stored_bytes,
                                       .raw_bytes = bytes->stored_bytes,
                                       .stored_hash = hash.low,
                                       .coding = bytes->coding};
    aimg_hash_store(prepared->hash, hash);
    if (bytes->framed && hash.low != bytes->stored_hash)
        return give_up(write, AIMG_CHECKSUM, "its bytes are damaged");
    if (bytes->coding == AIMG_CODING_STORE && bytes->framed && bytes->raw_bytes != bytes->stored_bytes)
        return give_up(write, AIMG_CORRUPT, "its frame contradicts itself");
    if (bytes->coding != AIMG_CODING_STORE) {
        status = decode(write, bytes, prepared->hash, error);
        prepared->raw_bytes = bytes->raw_bytes;
    }
    if (status == AIMG_OK && !bytes->framed && memcmp(bytes->hash, prepared->hash, sizeof bytes->hash) != 0)
        return give_up(write, AIMG_CHECKSUM, "its bytes are damaged");
    return status;
}

/* ------------------------------------------------------------------ adding */

/* A name for an image that has lost its own. */
static enum aimg_status make_name(struct write *write, uint32_t ordinal, size_t *bytes_out, struct aimg_error *error)
{
    uint32_t other;
    for (unsigned i = 0;; i++) {
        int bytes = i == 0 ? snprintf(write->name, sizeof write->name, "recovered/image-%" PRIu32, ordinal)
                           : snprintf(write->name, sizeof write->name, "recovered/image-%" PRIu32 "-%u", ordinal, i);
        *bytes_out = (size_t)bytes;
        enum aimg_status status = aimg_writer_find(write->repair->writer, write->name, *bytes_out, &other, error);
        if (status != AIMG_OK)
            return status == AIMG_NOT_FOUND ? AIMG_OK : status;
    }
}

/* Name, kind and values of an image. */
static enum aimg_status describe(struct write *write, const struct aimg_repair_image *image, struct aimg_image *out,
                                 struct aimg_error *error)
{
    struct aimg_repair *repair = write->repair;
    bool attachment = false;
    *out = (struct aimg_image){.struct_bytes = sizeof *out, .name = write->name, .flags = AIMG_ADD_REPLACE};
    enum aimg_status status = aimg_repair_attached(repair, image, &attachment, error);
    if (status == AIMG_OK)
        status = aimg_repair_name(repair, image, write->name, &out->name_bytes, error);
    bool named = status == AIMG_OK;
    if (!named && !aimg_repair_bears(status))
        return status;
    if (attachment)
        out->flags = AIMG_ADD_ATTACHMENT | AIMG_ADD_REPLACE;
    if (!named || (out->name_bytes == 0 && !attachment)) {
        status = make_name(write, image->ordinal, &out->name_bytes, error);
        struct aimg_loss loss = {.kind = AIMG_LOSS_NAME,
                                 .ordinal = image->ordinal,
                                 .count = 1,
                                 .offset = aimg_repair_offset(image),
                                 .name = write->name,
                                 .message = "its name is lost; this one was made for it"};
        if (status != AIMG_OK)
            return status;
        aimg_repair_lose(repair, &loss);
    }
    return aimg_repair_values_take(repair, image->ordinal, &out->values, &out->value_count, error);
}

static enum aimg_status add_bytes(struct write *write, struct aimg_repair_image *image, struct bytes *bytes,
                                  struct aimg_error *error)
{
    struct aimg_repair *repair = write->repair;
    struct aimg_prepared prepared;
    struct aimg_image described;
    enum aimg_status status = load(write, bytes, &prepared, error);
    if (status == AIMG_OK)
        status = aimg_copy_coding(repair->writer, &repair->reader, bytes->coding, error);
    if (status == AIMG_OK)
        status = describe(write, image, &described, error);
    if (status != AIMG_OK)
        return status;
    described.prepared = &prepared;
    described.format = bytes->format;
    return aimg_writer_add(repair->writer, &described, &image->number, error);
}

static enum aimg_status add_alias(struct write *write, struct aimg_repair_image *image, uint32_t target, struct aimg_error *error)
{
    struct aimg_repair *repair = write->repair;
    struct aimg_image described;
    uint32_t replaced;
    enum aimg_status status = describe(write, image, &described, error);
    if (status != AIMG_OK)
        return status;
    uint32_t number = (uint32_t)repair->writer->head.ordinal_count;
    /* Its name is not looked for there. */
    if (described.name_bytes > 0 &&
        aimg_writer_find(repair->writer, described.name, described.name_bytes, &replaced, NULL) == AIMG_OK)
        status = aimg_writer_remove(repair->writer, replaced, error);
    if (status == AIMG_OK)
        status = aimg_writer_add_alias(repair->writer, &described, target, error);
    if (status == AIMG_OK)
        image->number = number;
    return status;
}

/* An alias of an image that is not there any more becomes the image. */
static enum aimg_status write_alias(struct write *write, struct aimg_repair_image *image, struct aimg_error *error)
{
    struct aimg_repair *repair = write->repair;
    struct aimg_entry_record entry;
    struct bytes bytes;
    size_t target = 0, count;
    uint32_t holder, ordinal = AIMG_NO_ORDINAL;
    struct aimg_repair_image *images = aimg_repair_images(repair, &count);
    enum aimg_status status = find_target(repair, image, &target, &ordinal, error);
    bool known = status == AIMG_OK;
    if (ordinal < repair->scan_ordinal) /* of the archive that is added to */
        return add_alias(write, image, ordinal, error);
    if (!known && !aimg_repair_bears(status))
        return status;
    if (known && images[target].number != AIMG_NO_ORDINAL)
        return add_alias(write, image, images[target].number, error);
    if (known && aimg_ordinal_map_find(&write->heirs, images[target].ordinal, &holder))
        return add_alias(write, image, holder, error);
    if (known) {
        status = find_bytes(repair, &images[target], &bytes, error);
    } else {
        status = aimg_repair_entry(repair, image->ordinal, &entry, error);
        if (status == AIMG_OK)
            bytes_of_entry(&entry, &bytes);
    }
    if (status == AIMG_OK)
        status = add_bytes(write, image, &bytes, error);
    if (status == AIMG_OK && known &&
        !aimg_ordinal_map_add(&repair->options.allocator, &write->heirs, images[target].ordinal, image->number))
        return aimg_fail_memory(error, sizeof holder);
    return status;
}

static void lose(struct write *write, const struct aimg_repair_image *image)
{
    size_t bytes = 0;
    bool named = aimg_repair_name(write->repair, image, write->name, &bytes, NULL) == AIMG_OK && bytes > 0;
    struct aimg_loss loss = {.kind = AIMG_LOSS_IMAGES,
                             .ordinal = image->ordinal,
                             .count = 1,
                             .offset = aimg_repair_offset(image),
                             .name = named ? write->name : NULL,
                             .message = write->why};
    aimg_repair_lose(write->repair, &loss);
}

static enum aimg_status write_image(struct write *write, struct aimg_repair_image *image, struct aimg_error *error)
{
    struct aimg_repair *repair = write->repair;
    struct bytes bytes;
    enum aimg_status status;
    write->why = "what is left of it contradicts itself, or is not enough";
    if ((image->place & AIMG_REPAIR_ALIAS) != 0) {
        status = write_alias(write, image, error);
    } else {
        status = find_bytes(repair, image, &bytes, error);
        if (status == AIMG_OK)
            status = add_bytes(write, image, &bytes, error);
    }
    if (status == AIMG_OK || repair->writer->failed || !aimg_repair_bears(status))
        return status;
    lose(write, image);
    return AIMG_OK;
}

enum aimg_status aimg_repair_write(struct aimg_repair *repair, struct aimg_error *error)
{
    struct write write = {.repair = repair};
    size_t count;
    struct aimg_repair_image *images = aimg_repair_images(repair, &count);
    enum aimg_status status = AIMG_OK;
    for (size_t i = 0; status == AIMG_OK && i < count; i++) {
        if ((images[i].place & AIMG_REPAIR_DEAD) == 0)
            status = write_image(&write, &images[i], error);
        if (status == AIMG_OK)
            status = aimg_repair_tell(repair, aimg_repair_offset(&images[i]), error);
    }
    aimg_buffer_release(&repair->options.allocator, &write.stored);
    aimg_buffer_release(&repair->options.allocator, &write.raw);
    aimg_ordinal_map_clear(&repair->options.allocator, &write.heirs);
    return status;
}
