/* SPDX-License-Identifier: Apache-2.0 */
/* Images into the open batch. */
#include "value_check.h"

#include "checksum.h"
#include "name.h"

uint64_t aimg_writer_scratch_bytes(const struct aimg_writer *writer, uint64_t data_bytes, uint32_t format)
{
    bool coded = writer->coders.way[format < AIMG_FORMATS ? format : AIMG_FORMAT_UNKNOWN] != AIMG_CODING_STORE;
    return coded && data_bytes > 0 && data_bytes < SIZE_MAX / 2 ? aimg_codec_bound((size_t)data_bytes) : 0;
}

static enum aimg_status check_data(const struct aimg_writer *writer, const void *data, uint64_t data_bytes, uint32_t format,
                                   struct aimg_error *error)
{
    if (writer == NULL || (data == NULL && data_bytes > 0) || format >= AIMG_FORMATS)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "preparing needs a writer, data, and a format below %d", AIMG_FORMATS);
    if (data_bytes >= AIMG_PAYLOAD_LIMIT || data_bytes > SIZE_MAX)
        return aimg_fail(error, AIMG_LIMIT, "an image has at most 2^47 bytes, this one %" PRIu64, data_bytes);
    return AIMG_OK;
}

enum aimg_status aimg_writer_prepare(const struct aimg_writer *writer, const void *data, uint64_t data_bytes, uint32_t format,
                                     void *scratch, uint64_t scratch_bytes, struct aimg_prepared *prepared_out,
                                     struct aimg_error *error)
{
    if (prepared_out == NULL || (scratch == NULL && scratch_bytes > 0))
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "preparing needs scratch and a place for the result");
    enum aimg_status status = check_data(writer, data, data_bytes, format, error);
    if (status != AIMG_OK)
        return status;
    struct aimg_hash hash = aimg_hash(data, (size_t)data_bytes);
    struct aimg_prepared prepared = {.data = data,
                                     .stored = data,
                                     .stored_bytes = data_bytes,
                                     .raw_bytes = data_bytes,
                                     .stored_hash = hash.low,
                                     .coding = AIMG_CODING_STORE};
    aimg_hash_store(prepared.hash, hash);
    uint64_t needed = aimg_writer_scratch_bytes(writer, data_bytes, format);
    if (needed > 0 && scratch_bytes >= needed) {
        /* The pool is made for many threads. */
        struct aimg_codec_pool *codecs = (struct aimg_codec_pool *)(uintptr_t)&writer->codecs;
        uint8_t coding = writer->coders.way[format];
        size_t stored = aimg_codec_encode(codecs, writer->coders.level, writer->coders.by_number[coding].encoder, data,
                                          (size_t)data_bytes, scratch, (size_t)scratch_bytes);
        if (stored > 0 && aimg_coding_pays(&writer->coders, stored, data_bytes)) {
            prepared.stored = scratch;
            prepared.stored_bytes = stored;
            prepared.stored_hash = aimg_hash(scratch, stored).low;
            prepared.coding = coding;
        }
    }
    *prepared_out = prepared;
    return AIMG_OK;
}

/* ------------------------------------------------------------------ adding */

static const char *const name_faults[] = {
    [AIMG_NAME_EMPTY] = "is empty",
    [AIMG_NAME_TOO_LONG] = "is longer than 1,024 bytes",
    [AIMG_NAME_NOT_UTF8] = "is not valid UTF-8",
    [AIMG_NAME_CONTROL] = "has a control character",
    [AIMG_NAME_BACKSLASH] = "has a backslash",
    [AIMG_NAME_SLASH] = "begins or ends with a slash or has two in a row",
    [AIMG_NAME_DOTS] = "has '.' or '..' as a component",
    [AIMG_NAME_COMPONENT] = "has a component longer than 255 bytes",
};

enum aimg_status aimg_name_check(const char *name, size_t name_bytes, struct aimg_error *error)
{
    size_t position;
    if (name == NULL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "the name is NULL");
    enum aimg_name_fault fault = aimg_name_fault((const uint8_t *)name, name_bytes, &position);
    if (fault == AIMG_NAME_OK)
        return AIMG_OK;
    return aimg_fail(error, AIMG_INVALID_ARGUMENT, "the name %s (at byte %zu)", name_faults[fault], position);
}

static enum aimg_status check_image(const struct aimg_writer *writer, const struct aimg_image *image, struct aimg_error *error)
{
    enum aimg_status status = aimg_writer_check(writer, error);
    if (status != AIMG_OK)
        return status;
    if (image == NULL || image->struct_bytes != sizeof *image)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "an image needs struct_bytes set to its size");
    if ((image->data == NULL && image->data_bytes > 0 && image->prepared == NULL) ||
        (image->values == NULL && image->value_count > 0) || image->format > UINT8_MAX ||
        (image->flags & ~(uint32_t)(AIMG_ADD_REPLACE | AIMG_ADD_ATTACHMENT)) != 0)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "an image needs data, a format below 256, and known flags");
    if (writer->head.ordinal_count >= AIMG_ORDINAL_LIMIT)
        return aimg_fail(error, AIMG_LIMIT, "an archive holds at most %u images", AIMG_ORDINAL_LIMIT);
    if (image->prepared != NULL && image->prepared->coding >= AIMG_CODING_FIRST_LISTED &&
        writer->coders.by_number[image->prepared->coding].record.coding == 0)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "the image was prepared with coding %u, which this writer does not have",
                         (unsigned)image->prepared->coding);
    if (image->name_bytes == 0 && (image->flags & AIMG_ADD_ATTACHMENT) != 0)
        return AIMG_OK;
    return aimg_name_check(image->name, image->name_bytes, error);
}

static enum aimg_status check_values(struct aimg_writer *writer, const struct aimg_image *image, struct aimg_error *error)
{
    enum aimg_status status = AIMG_OK;
    for (size_t i = 0; status == AIMG_OK && i < image->value_count; i++) {
        for (size_t k = 0; k < i; k++)
            if (image->values[k].column == image->values[i].column)
                return aimg_fail(error, AIMG_INVALID_ARGUMENT, "an image has two values for the column with id %" PRIu32,
                                 image->values[i].column);
        status = aimg_value_check(writer, &image->values[i], error);
    }
    return status;
}

static enum aimg_status set_value(struct aimg_writer *writer, const struct aimg_value *value, struct aimg_error *error)
{
    struct aimg_plain_value plain;
    if ((value->flags & AIMG_VALUE_NULL) != 0)
        return AIMG_OK; /* as every row that is given no value */
    enum aimg_status status = aimg_value_plain(writer, value, &plain, error);
    if (status != AIMG_OK)
        return status;
    return aimg_stage_value_set(&writer->stage, plain.column_index, writer->stage.rows - 1, plain.data, plain.bytes)
               ? AIMG_OK
               : aimg_fail_memory(error, plain.bytes);
}

enum aimg_status aimg_writer_put_row(struct aimg_writer *writer, const struct aimg_frame *frame, uint64_t frame_offset,
                                     const struct aimg_entry_record *entry, const char *name, uint64_t hash,
                                     struct aimg_error *error)
{
    uint32_t ordinal = frame->ordinal;
    bool attachment = (entry->flags & AIMG_ENTRY_ATTACHMENT) != 0;
    struct aimg_name_slot slot = {.hash = hash,
                                  .frame_offset = frame_offset,
                                  .ordinal = ordinal,
                                  .lenclass = aimg_slot_lenclass(aimg_frame_total_bytes(frame))};
    bool kept = aimg_stage_row_add(&writer->stage, entry, name, frame->name_bytes) &&
                (frame->name_bytes == 0 || aimg_keys_add(&writer->names.keys, &slot)) &&
                (!attachment || aimg_buffer_add(&writer->allocator, &writer->attached, &ordinal, sizeof ordinal));
    return kept ? AIMG_OK : aimg_fail_memory(error, AIMG_ENTRY_BYTES);
}

/* A dictionary goes into the file when the first image needs it. */
static enum aimg_status put_dictionary(struct aimg_writer *writer, unsigned coding, struct aimg_error *error)
{
    struct aimg_coder *coder = &writer->coders.by_number[coding];
    if (coding < AIMG_CODING_FIRST_LISTED || coder->record.offset != 0)
        return AIMG_OK;
    struct aimg_frame frame = {.type = AIMG_FRAME_DICT,
                               .format = coder->record.codec,
                               .coding = coder->record.coding,
                               .raw_bytes = coder->record.bytes,
                               .stored_hash = aimg_load64(coder->record.hash)};
    uint64_t offset = aimg_out_offset(&writer->out);
    enum aimg_status status = aimg_out_frame(&writer->out, &frame, NULL, coder->dictionary, coder->record.bytes, error);
    if (status != AIMG_OK)
        return status;
    coder->record.offset = offset;
    aimg_release(&writer->allocator, coder->dictionary);
    coder->dictionary = NULL;
    return AIMG_OK;
}

static void count_image(struct aimg_writer *writer, const struct aimg_image *image, const struct aimg_prepared *prepared)
{
    writer->head.ordinal_count++;
    writer->head.listed_count += (image->flags & AIMG_ADD_ATTACHMENT) == 0;
    writer->head.live_stored_bytes += prepared->stored_bytes;
    writer->pending_images++;
    writer->pending_bytes += prepared->stored_bytes;
    if (prepared->coding != AIMG_CODING_STORE)
        writer->incompat |= AIMG_INCOMPAT_ZSTD;
    if (prepared->coding >= AIMG_CODING_FIRST_LISTED)
        writer->incompat |= AIMG_INCOMPAT_ZSTD_DICT;
}

/* The row of an image whose frame is in the file. */
static enum aimg_status put_row_of(struct aimg_writer *writer, const struct aimg_image *image,
                                   const struct aimg_prepared *prepared, const struct aimg_frame *frame, uint64_t offset,
                                   uint64_t hash, struct aimg_error *error)
{
    struct aimg_entry_record entry = {.frame_offset = offset,
                                      .stored_bytes = prepared->stored_bytes,
                                      .header_units = frame->header_units,
                                      .flags = (image->flags & AIMG_ADD_ATTACHMENT) != 0 ? AIMG_ENTRY_ATTACHMENT : 0,
                                      .format = frame->format,
                                      .coding = frame->coding};
    memcpy(entry.hash, prepared->hash, sizeof entry.hash);
    enum aimg_status status = aimg_writer_put_row(writer, frame, offset, &entry, image->name, hash, error);
    if (status == AIMG_OK && !aimg_writer_remember(writer, prepared, frame->ordinal))
        status = aimg_fail_memory(error, AIMG_CONTENT_SLOT_BYTES);
    if (status == AIMG_OK)
        count_image(writer, image, prepared);
    return status;
}

/* The frame at the end of the file, the row in the stage, the name among the keys. A failure here leaves the batch in doubt: the
 * caller poisons. */
static enum aimg_status put_image(struct aimg_writer *writer, const struct aimg_image *image,
                                  const struct aimg_prepared *prepared, uint64_t hash, uint32_t *ordinal_out,
                                  struct aimg_error *error)
{
    uint32_t ordinal = (uint32_t)writer->head.ordinal_count;
    struct aimg_frame frame = {.type = AIMG_FRAME_IMAGE,
                               .ordinal = ordinal,
                               .name_bytes = (uint16_t)image->name_bytes,
                               .format = (uint8_t)image->format,
                               .coding = prepared->coding,
                               .raw_bytes = prepared->raw_bytes,
                               .stored_hash = prepared->stored_hash};
    uint64_t align = UINT64_C(1) << writer->located.header.params.alignment_log2;
    uint32_t header_bytes = aimg_frame_header_bytes(frame.name_bytes, 0);
    enum aimg_status status = put_dictionary(writer, frame.coding, error);
    if (status == AIMG_OK && align > AIMG_UNIT)
        status = aimg_out_align(&writer->out, header_bytes, align, error);
    uint64_t offset = 0;
    if (status == AIMG_OK) {
        offset = aimg_out_offset(&writer->out);
        status = aimg_out_frame(&writer->out, &frame, image->name, prepared->stored, prepared->stored_bytes, error);
    }
    *ordinal_out = ordinal;
    return status == AIMG_OK ? put_row_of(writer, image, prepared, &frame, offset, hash, error) : status;
}

static enum aimg_status put_twin(struct aimg_writer *writer, const struct aimg_image *image, const struct aimg_twin *twin,
                                 uint32_t *ordinal_out, struct aimg_error *error)
{
    struct aimg_alias alias = {.name = image->name,
                               .name_bytes = image->name_bytes,
                               .attachment = (image->flags & AIMG_ADD_ATTACHMENT) != 0,
                               .target = twin->ordinal,
                               .entry = &twin->entry};
    writer->twin_images++;
    writer->twin_bytes += twin->entry.stored_bytes;
    return aimg_writer_put_alias(writer, &alias, ordinal_out, error);
}

static enum aimg_status prepare_here(struct aimg_writer *writer, const struct aimg_image *image, void **scratch_out,
                                     struct aimg_prepared *prepared, struct aimg_error *error)
{
    uint64_t scratch_bytes = aimg_writer_scratch_bytes(writer, image->data_bytes, image->format);
    *scratch_out = scratch_bytes == 0 ? NULL : writer->allocator.alloc(writer->allocator.user, (size_t)scratch_bytes);
    if (scratch_bytes > 0 && *scratch_out == NULL)
        return aimg_fail_memory(error, scratch_bytes);
    return aimg_writer_prepare(writer, image->data, image->data_bytes, image->format, *scratch_out, scratch_bytes, prepared,
                               error);
}

/* What the values of an image add to the staged rows. */
static uint64_t values_bytes(const struct aimg_writer *writer, const struct aimg_image *image)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < image->value_count; i++) {
        uint32_t index = 0;
        bool null = (image->values[i].flags & AIMG_VALUE_NULL) != 0;
        if (!null && aimg_value_column(writer, image->values[i].column, &index, NULL) == AIMG_OK)
            bytes += aimg_stage_value_bytes(&writer->stage, index, image->values[i].bytes);
    }
    return bytes;
}

enum aimg_status aimg_writer_make_room(struct aimg_writer *writer, uint64_t stored_bytes, uint64_t value_bytes,
                                       struct aimg_error *error)
{
    uint64_t left = AIMG_FILE_LIMIT - AIMG_TABLES_ROOM;
    left -= aimg_out_offset(&writer->out) < left ? aimg_out_offset(&writer->out) : left;
    if (stored_bytes >= left)
        return aimg_fail(error, AIMG_LIMIT,
                         "the archive would pass 2^51 bytes; commit what was added, and begin another archive");
    if (writer->stage.rows > 0 && aimg_stage_bytes(&writer->stage) + value_bytes > writer->stage_max) {
        enum aimg_status status = aimg_writer_spill_run(writer, error);
        if (status != AIMG_OK)
            return aimg_writer_poison(writer, status);
    }
    return AIMG_OK;
}

enum aimg_status aimg_writer_spill_if_full(struct aimg_writer *writer, struct aimg_error *error)
{
    enum aimg_status status = AIMG_OK;
    if (writer->stage.rows == writer->run_rows)
        status = aimg_writer_spill_run(writer, error);
    if (status == AIMG_OK && aimg_keys_count(&writer->names.keys) == writer->keys_max)
        status = aimg_writer_spill_keys(writer, &writer->names, error);
    return status == AIMG_OK ? aimg_writer_bound_content(writer, error) : status;
}

/* The name must be free, or be one that may be taken over: then *replaced_out is who has it, else AIMG_NO_ORDINAL. */
static enum aimg_status check_name_free(const struct aimg_writer *writer, const struct aimg_image *image, uint64_t hash,
                                        uint32_t *replaced_out, struct aimg_error *error)
{
    *replaced_out = AIMG_NO_ORDINAL;
    if (image->name_bytes == 0 || writer->names.keys.blind) /* which is asked later */
        return AIMG_OK;
    enum aimg_status status = aimg_writer_find_name(writer, image->name, image->name_bytes, hash, replaced_out, error);
    if (status == AIMG_NOT_FOUND)
        return AIMG_OK;
    if (status == AIMG_OK && (image->flags & AIMG_ADD_REPLACE) == 0)
        return aimg_fail(error, AIMG_EXISTS, "the name '%.*s' is taken by image %" PRIu32,
                         image->name_bytes < 150 ? (int)image->name_bytes : 150, image->name, *replaced_out);
    return status;
}

enum aimg_status aimg_writer_replace(struct aimg_writer *writer, uint32_t ordinal, uint64_t hash, struct aimg_error *error)
{
    enum aimg_status status = ordinal == AIMG_NO_ORDINAL ? AIMG_OK : aimg_writer_remove(writer, ordinal, error);
    if (status == AIMG_OK && ordinal != AIMG_NO_ORDINAL)
        aimg_keys_supersede(&writer->names.keys, hash, ordinal);
    return status;
}

/* What can be refused without a trace comes first. */
static enum aimg_status add_prepared(struct aimg_writer *writer, const struct aimg_image *image,
                                     const struct aimg_prepared *prepared, uint32_t *ordinal_out, struct aimg_error *error)
{
    struct aimg_twin twin;
    uint32_t replaced = AIMG_NO_ORDINAL;
    bool intact = true, has_twin = false;
    uint64_t hash = aimg_writer_hash_name(writer, image->name, image->name_bytes);
    enum aimg_status status = aimg_writer_make_room(writer, prepared->stored_bytes, values_bytes(writer, image), error);
    if (status == AIMG_OK)
        status = check_name_free(writer, image, hash, &replaced, error);
    if (status == AIMG_OK) {
        status = aimg_writer_find_twin(writer, prepared, image->format, &twin, &intact, error);
        has_twin = status == AIMG_OK;
        status = status == AIMG_NOT_FOUND ? AIMG_OK : status;
    }
    if (status == AIMG_OK)
        status = aimg_writer_replace(writer, replaced, hash, error);
    if (status != AIMG_OK)
        return intact ? status : aimg_writer_poison(writer, status);
    status = has_twin ? put_twin(writer, image, &twin, ordinal_out, error)
                      : put_image(writer, image, prepared, hash, ordinal_out, error);
    for (size_t i = 0; status == AIMG_OK && i < image->value_count; i++)
        status = set_value(writer, &image->values[i], error);
    if (status == AIMG_OK)
        status = aimg_writer_spill_if_full(writer, error);
    return status == AIMG_OK ? status : aimg_writer_poison(writer, status);
}

enum aimg_status aimg_writer_add(struct aimg_writer *writer, const struct aimg_image *image, uint32_t *ordinal_out,
                                 struct aimg_error *error)
{
    struct aimg_prepared prepared;
    void *scratch = NULL;
    uint32_t ordinal = 0;
    enum aimg_status status = check_image(writer, image, error);
    if (status == AIMG_OK)
        status = check_values(writer, image, error);
    if (status != AIMG_OK)
        return status;
    if (image->prepared != NULL)
        prepared = *image->prepared;
    else
        status = prepare_here(writer, image, &scratch, &prepared, error);
    if (status == AIMG_OK)
        status = add_prepared(writer, image, &prepared, &ordinal, error);
    aimg_release(&writer->allocator, scratch);
    if (status == AIMG_OK && ordinal_out != NULL)
        *ordinal_out = ordinal;
    return status;
}

enum aimg_status aimg_writer_adopt(struct aimg_writer *writer, const struct aimg_image *image, const struct aimg_frame *frame,
                                   uint64_t offset, const struct aimg_alias *alias, struct aimg_error *error)
{
    uint32_t replaced = AIMG_NO_ORDINAL;
    uint64_t hash = aimg_writer_hash_name(writer, image->name, image->name_bytes);
    enum aimg_status status = check_image(writer, image, error);
    if (status == AIMG_OK)
        status = aimg_writer_make_room(writer, 0, 0, error);
    if (status == AIMG_OK)
        status = check_name_free(writer, image, hash, &replaced, error);
    if (status == AIMG_OK)
        status = aimg_writer_replace(writer, replaced, hash, error);
    if (status != AIMG_OK)
        return status;
    status = alias != NULL ? aimg_writer_put_alias_row(writer, alias, frame, offset, error)
                           : put_row_of(writer, image, image->prepared, frame, offset, hash, error);
    if (status == AIMG_OK)
        status = aimg_writer_spill_if_full(writer, error);
    return status == AIMG_OK ? AIMG_OK : aimg_writer_poison(writer, status);
}

enum aimg_status aimg_writer_add_alias(struct aimg_writer *writer, const struct aimg_image *image, uint32_t target,
                                       struct aimg_error *error)
{
    struct aimg_entry_record entry;
    uint32_t ordinal = 0;
    enum aimg_status status = check_image(writer, image, error);
    if (status == AIMG_OK)
        status = check_values(writer, image, error);
    if (status == AIMG_OK)
        status = aimg_writer_any_entry(writer, target, &entry, error);
    if (status == AIMG_OK)
        status = aimg_writer_alias_target(writer, target, &entry, &target, error);
    if (status == AIMG_OK)
        status = aimg_writer_make_room(writer, AIMG_ALIAS_BYTES, values_bytes(writer, image), error);
    if (status != AIMG_OK)
        return status;
    struct aimg_alias alias = {.name = image->name,
                               .name_bytes = image->name_bytes,
                               .attachment = (image->flags & AIMG_ADD_ATTACHMENT) != 0,
                               .target = target,
                               .entry = &entry};
    status = aimg_writer_put_alias(writer, &alias, &ordinal, error);
    for (size_t i = 0; status == AIMG_OK && i < image->value_count; i++)
        status = set_value(writer, &image->values[i], error);
    if (status == AIMG_OK)
        status = aimg_writer_spill_if_full(writer, error);
    return status == AIMG_OK ? AIMG_OK : aimg_writer_poison(writer, status);
}
