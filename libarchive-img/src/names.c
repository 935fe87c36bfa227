/* SPDX-License-Identifier: Apache-2.0 */
/* Names by number: one from its frame, all of them from the names section, group by group. */
#include "name.h"
#include "reader.h"

struct aimg_names {
    const struct aimg_reader *reader;
    uint64_t position;        /* of the next image */
    uint32_t ordinal;         /* where to go on looking */
    struct aimg_table *table; /* whose group is decoded */
    struct aimg_group group;
    struct aimg_buffer raw;
    uint32_t row;         /* next value of the group */
    const uint8_t *value; /* where it lies */
    char name[AIMG_NAME_MAX + 1];
};

static const struct aimg_section *text_of(const struct aimg_table *table)
{
    return aimg_table_section(table, AIMG_SECTION_NAME_TEXT, 0);
}

static enum aimg_status name_too_long(const struct aimg_run *run, uint32_t ordinal, size_t bytes, struct aimg_error *error)
{
    return aimg_fail_at(error, AIMG_CORRUPT, 53, run->table->part.offset,
                        "the name of image %" PRIu32 " has %zu bytes, at most %d are allowed; run verify", ordinal, bytes,
                        AIMG_NAME_MAX);
}

/* Rule 53. Programs make paths of names: none leaves here that is not allowed to be in an archive. Attachments may have none. */
static enum aimg_status check_name(const struct aimg_run *run, uint32_t ordinal, const void *name, size_t bytes,
                                   struct aimg_error *error)
{
    size_t position;
    if (bytes == 0 || aimg_name_fault(name, bytes, &position) == AIMG_NAME_OK)
        return AIMG_OK;
    return aimg_fail_at(error, AIMG_CORRUPT, 53, run->table->part.offset,
                        "the name of image %" PRIu32 " is a name that no archive may hold; run verify", ordinal);
}

/* An alias shares the frame of other bytes: its name stands in the names section only. */
static enum aimg_status name_from_section(const struct aimg_reader *reader, const struct aimg_run *run, uint32_t ordinal,
                                          char *name, size_t *bytes_out, struct aimg_error *error)
{
    enum aimg_status status =
        aimg_group_copy(reader, run->table, text_of(run->table), ordinal - run->first, name, AIMG_NAME_MAX, bytes_out, error);
    return status == AIMG_BUFFER_TOO_SMALL ? name_too_long(run, ordinal, *bytes_out, error) : status;
}

static enum aimg_status name_from_frame(const struct aimg_reader *reader, const struct aimg_entry_record *entry, uint32_t ordinal,
                                        char *name, size_t *bytes_out, struct aimg_error *error)
{
    struct aimg_frame_view view;
    enum aimg_status status = aimg_frame_read(&reader->source, entry->frame_offset, &view, error);
    if (status != AIMG_OK)
        return status;
    if (view.frame.type != AIMG_FRAME_IMAGE || view.frame.ordinal != ordinal || view.frame.name_bytes > AIMG_NAME_MAX)
        return aimg_fail_at(error, AIMG_CORRUPT, 44, entry->frame_offset,
                            "the frame at %" PRIu64 " is not that of image %" PRIu32 "; run verify, then repair",
                            entry->frame_offset, ordinal);
    memcpy(name, view.bytes + AIMG_FRAME_BYTES, view.frame.name_bytes);
    *bytes_out = view.frame.name_bytes;
    return AIMG_OK;
}

enum aimg_status aimg_reader_name(const struct aimg_reader *reader, uint32_t ordinal, char *buffer, size_t buffer_bytes,
                                  size_t *name_bytes_out, struct aimg_error *error)
{
    struct aimg_entry_record entry;
    struct aimg_run *run;
    char name[AIMG_NAME_MAX + 1];
    size_t bytes = 0;
    if (reader == NULL || (buffer == NULL && buffer_bytes > 0))
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "aimg_reader_name needs a reader and a buffer");
    enum aimg_status status = aimg_reader_entry_at(reader, ordinal, &entry, &run, error);
    if (status == AIMG_OK && (entry.flags & AIMG_ENTRY_ALIASED) != 0)
        status = name_from_section(reader, run, ordinal, name, &bytes, error);
    else if (status == AIMG_OK)
        status = name_from_frame(reader, &entry, ordinal, name, &bytes, error);
    if (status == AIMG_OK)
        status = check_name(run, ordinal, name, bytes, error);
    if (status != AIMG_OK)
        return status;
    if (name_bytes_out != NULL)
        *name_bytes_out = bytes;
    if (bytes + 1 > buffer_bytes)
        return aimg_fail(error, AIMG_BUFFER_TOO_SMALL, "the name has %zu bytes and a zero, the buffer %zu", bytes, buffer_bytes);
    memcpy(buffer, name, bytes);
    buffer[bytes] = 0;
    return AIMG_OK;
}

enum aimg_status aimg_names_create(const struct aimg_reader *reader, uint64_t position, struct aimg_names **names_out,
                                   struct aimg_error *error)
{
    uint32_t ordinal = 0;
    if (reader == NULL || names_out == NULL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "aimg_names_create needs a reader and a place for the iterator");
    if (position < aimg_reader_count(reader)) {
        enum aimg_status status = aimg_reader_ordinal_at(reader, position, &ordinal, error);
        if (status != AIMG_OK)
            return status;
    }
    struct aimg_names *names = aimg_alloc_array(&reader->source.allocator, 1, sizeof *names);
    if (names == NULL)
        return aimg_fail_memory(error, sizeof *names);
    names->reader = reader;
    names->position = position;
    names->ordinal = ordinal;
    *names_out = names;
    return AIMG_OK;
}

void aimg_names_destroy(struct aimg_names *names)
{
    if (names == NULL)
        return;
    aimg_buffer_release(&names->reader->source.allocator, &names->raw);
    aimg_release(&names->reader->source.allocator, names);
}

/* Decodes the group that holds the row unless it is there, and goes to the row. */
static enum aimg_status go_to_row(struct aimg_names *names, const struct aimg_run *run, uint32_t row, struct aimg_error *error)
{
    const struct aimg_section *text = text_of(run->table);
    bool decoded = names->table == run->table && row >= names->group.first && row - names->group.first < names->group.count;
    if (!decoded || row < names->row) {
        names->table = NULL;
        enum aimg_status status = aimg_group_read_row(names->reader, run->table, text, row, &names->group, &names->raw, error);
        if (status != AIMG_OK)
            return status;
        names->table = run->table;
        names->row = names->group.first;
        names->value = names->raw.data + (size_t)names->group.count * 4;
    }
    for (; names->row < row; names->row++)
        names->value += aimg_load32(names->raw.data + (size_t)(names->row - names->group.first) * 4);
    return AIMG_OK;
}

/* Whether a row of a run is listed. */
static enum aimg_status row_listed(const struct aimg_names *names, struct aimg_run *run, uint32_t row, bool *listed_out,
                                   struct aimg_error *error)
{
    const struct aimg_mask *mask = NULL;
    enum aimg_status status = aimg_run_mask(&names->reader->source, run, &mask, error);
    *listed_out = mask == NULL || aimg_mask_listed(mask, row);
    return status;
}

enum aimg_status aimg_names_next(struct aimg_names *names, struct aimg_listed *listed_out, struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &names->reader->catalog;
    if (names->position >= catalog->head.listed_count)
        return AIMG_END;
    for (; names->ordinal < catalog->head.ordinal_count; names->ordinal++) {
        struct aimg_run *run = &catalog->runs[aimg_catalog_run(catalog, names->ordinal)];
        uint32_t row = names->ordinal - run->first;
        bool listed;
        enum aimg_status status = row_listed(names, run, row, &listed, error);
        if (status == AIMG_OK && !listed)
            continue;
        if (status == AIMG_OK)
            status = go_to_row(names, run, row, error);
        if (status != AIMG_OK)
            return status;
        uint32_t bytes = aimg_load32(names->raw.data + (size_t)(row - names->group.first) * 4);
        if (bytes > AIMG_NAME_MAX)
            return name_too_long(run, names->ordinal, bytes, error);
        if (bytes == 0)
            return aimg_fail_at(error, AIMG_CORRUPT, 53, run->table->part.offset,
                                "image %" PRIu32 " has no name, and is no attachment; run verify", names->ordinal);
        status = check_name(run, names->ordinal, names->value, bytes, error);
        if (status != AIMG_OK)
            return status;
        memcpy(names->name, names->value, bytes);
        names->name[bytes] = 0;
        *listed_out = (struct aimg_listed){names->position++, names->ordinal++, 0, names->name, bytes};
        return AIMG_OK;
    }
    /* Opening compared the counts with the masks, and loading each mask with its bits: only a map that changed leads here. */
    return aimg_fail(error, AIMG_CORRUPT,
                     "only %" PRIu64 " of %" PRIu64
                     " images were met: the archive was overwritten while it was read; open it again",
                     names->position, catalog->head.listed_count);
}
