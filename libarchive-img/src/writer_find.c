/* SPDX-License-Identifier: Apache-2.0 */
/* Names in the archive and in the open batch. */
#include "writer.h"

#include "checksum.h"

enum aimg_status aimg_writer_peek(const struct aimg_writer *writer, uint64_t offset, void *buffer, size_t bytes,
                                  struct aimg_error *error)
{
    const struct aimg_out *out = &writer->out;
    uint64_t in_file = offset < out->flushed ? out->flushed - offset : 0;
    size_t written = in_file < bytes ? (size_t)in_file : bytes;
    enum aimg_status status = written > 0 ? writer->io->ops->read_at(writer->io, offset, buffer, written, error) : AIMG_OK;
    if (status == AIMG_OK && bytes > written)
        memcpy((uint8_t *)buffer + written, out->buffer + (offset + written - out->flushed), bytes - written);
    return status;
}

static enum aimg_status find_waiting(const struct aimg_writer *writer, const char *name, size_t name_bytes, uint64_t hash,
                                     uint32_t *ordinal_out, struct aimg_error *error)
{
    uint8_t header[AIMG_FRAME_BYTES + AIMG_NAME_MAX];
    struct aimg_name_slot slot;
    for (uint64_t cursor = 0; aimg_keys_next(&writer->names.keys, hash, &cursor, &slot);) {
        struct aimg_frame frame;
        if (aimg_ordinal_set_has(&writer->removed, slot.ordinal))
            continue;
        enum aimg_status status = aimg_writer_peek(writer, slot.frame_offset, header, AIMG_FRAME_BYTES, error);
        if (status != AIMG_OK)
            return status;
        if (aimg_frame_decode(header, &frame) != 0 || frame.name_bytes != name_bytes)
            continue;
        status = aimg_writer_peek(writer, slot.frame_offset, header, AIMG_FRAME_BYTES + name_bytes, error);
        if (status != AIMG_OK)
            return status;
        if (memcmp(header + AIMG_FRAME_BYTES, name, name_bytes) == 0) {
            *ordinal_out = slot.ordinal;
            return AIMG_OK;
        }
    }
    return AIMG_NOT_FOUND;
}

/* NAMES tables one by one: a hit that the batch removed does not end the search. */
static enum aimg_status find_in_tables(const struct aimg_writer *writer, const char *name, size_t name_bytes, uint64_t hash,
                                       uint32_t *ordinal_out, struct aimg_error *error)
{
    struct aimg_source source = writer->base->source;
    const struct aimg_catalog *catalog = &writer->base->catalog;
    uint32_t count = catalog->names_count + writer->names.spilled_count;
    source.end = writer->out.flushed;
    for (uint32_t i = 0; i < count; i++) {
        bool old = i < catalog->names_count;
        struct aimg_table *table =
            old ? &catalog->tables[catalog->names_first + i] : &writer->names.spilled[i - catalog->names_count];
        struct aimg_found found;
        struct aimg_search search = {.source = &source,
                                     .catalog = catalog,
                                     .tables = table,
                                     .table_count = 1,
                                     .ordinals = old ? catalog->head.ordinal_count : AIMG_ORDINAL_LIMIT,
                                     .name = (const uint8_t *)name,
                                     .name_bytes = name_bytes,
                                     .hash = hash};
        enum aimg_status status = old ? aimg_table_hold_list(&source, table, error) : AIMG_OK;
        if (status == AIMG_OK)
            status = aimg_search_run(&search, &found, error);
        if (status == AIMG_OK && !aimg_ordinal_set_has(&writer->removed, found.ordinal)) {
            *ordinal_out = found.ordinal;
            return AIMG_OK;
        }
        if (status != AIMG_OK && status != AIMG_NOT_FOUND)
            return status;
    }
    return AIMG_NOT_FOUND;
}

enum aimg_status aimg_writer_find_name(const struct aimg_writer *writer, const char *name, size_t name_bytes, uint64_t hash,
                                       uint32_t *ordinal_out, struct aimg_error *error)
{
    enum aimg_status status = find_waiting(writer, name, name_bytes, hash, ordinal_out, error);
    return status != AIMG_NOT_FOUND ? status : find_in_tables(writer, name, name_bytes, hash, ordinal_out, error);
}

uint64_t aimg_writer_hash_name(const struct aimg_writer *writer, const char *name, size_t name_bytes)
{
    return aimg_name_hash40(aimg_hash_low(name, name_bytes, writer->located.header.params.name_seed));
}

enum aimg_status aimg_writer_find(const struct aimg_writer *writer, const char *name, size_t name_bytes, uint32_t *ordinal_out,
                                  struct aimg_error *error)
{
    enum aimg_status status = aimg_writer_check(writer, error);
    if (status == AIMG_OK && (name == NULL || ordinal_out == NULL))
        status = aimg_fail(error, AIMG_INVALID_ARGUMENT, "finding needs a name and a place for the ordinal");
    if (status != AIMG_OK)
        return status;
    if (name_bytes == 0 || name_bytes > AIMG_NAME_MAX)
        return aimg_fail(error, AIMG_NOT_FOUND, "no image has a name of %zu bytes", name_bytes);
    status = aimg_writer_find_name(writer, name, name_bytes, aimg_writer_hash_name(writer, name, name_bytes), ordinal_out, error);
    if (status == AIMG_NOT_FOUND)
        return aimg_fail(error, AIMG_NOT_FOUND, "there is no image named '%.*s'", name_bytes < 150 ? (int)name_bytes : 150, name);
    return status;
}
