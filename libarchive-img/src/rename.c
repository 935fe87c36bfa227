/* SPDX-License-Identifier: Apache-2.0 */
/* A name stands in the frame of its image and is never rewritten: a new name is a new image, an alias of the old one with its
 * values, in the same batch in which the old one is removed. */
#include "run_writer.h"
#include "writer.h"

/* Bytes that a value is given room for before it is known how many it has. */
#define FIRST_ROOM 256

/* The values of one image, as they are stored. */
struct carried_value {
    uint32_t column_index;
    uint32_t bytes;
    uint64_t begin; /* in bytes of struct carried */
};

struct carried {
    struct aimg_buffer values; /* struct carried_value */
    struct aimg_buffer bytes;
};

static const struct carried_value *value_at(const struct carried *carried, size_t index)
{
    return (const struct carried_value *)(const void *)carried->values.data + index;
}

static size_t value_count(const struct carried *carried)
{
    return carried->values.bytes / sizeof(struct carried_value);
}

static void release(const struct aimg_writer *writer, struct carried *carried)
{
    aimg_buffer_release(&writer->allocator, &carried->values);
    aimg_buffer_release(&writer->allocator, &carried->bytes);
}

/* ------------------------------------------------------------------ reading the values */

/* A table that holds the image's row. */
struct place {
    const struct aimg_reader *reader;
    struct aimg_table *table;
    uint32_t row;
};

static enum aimg_status add_value(const struct aimg_writer *writer, struct carried *carried, uint32_t column_index,
                                  const uint8_t *stored, size_t bytes, struct aimg_error *error)
{
    struct carried_value value = {.column_index = column_index, .bytes = (uint32_t)bytes, .begin = carried->bytes.bytes};
    bool added = aimg_buffer_add(&writer->allocator, &carried->bytes, stored, bytes) &&
                 aimg_buffer_add(&writer->allocator, &carried->values, &value, sizeof value);
    return added ? AIMG_OK : aimg_fail_memory(error, bytes);
}

/* The value goes to the end of `bytes`, once that has room for it. */
static enum aimg_status carry_from_table(const struct aimg_writer *writer, struct carried *carried, uint32_t column_index,
                                         const struct place *place, struct aimg_error *error)
{
    const struct aimg_column_record *column = &writer->columns[column_index].record;
    struct carried_value value = {.column_index = column_index, .begin = carried->bytes.bytes};
    size_t bytes = FIRST_ROOM;
    bool null = true;
    enum aimg_status status = AIMG_BUFFER_TOO_SMALL;
    while (status == AIMG_BUFFER_TOO_SMALL) {
        if (!aimg_buffer_reserve(&writer->allocator, &carried->bytes, bytes))
            return aimg_fail_memory(error, bytes);
        size_t room = carried->bytes.capacity - carried->bytes.bytes;
        status = aimg_column_stored(place->reader, place->table, column, place->row, carried->bytes.data + carried->bytes.bytes,
                                    room, &bytes, &null, error);
    }
    if (status != AIMG_OK || null)
        return status;
    value.bytes = (uint32_t)bytes;
    carried->bytes.bytes += bytes;
    return aimg_buffer_add(&writer->allocator, &carried->values, &value, sizeof value) ? AIMG_OK
                                                                                       : aimg_fail_memory(error, sizeof value);
}

static enum aimg_status carry_from_base(const struct aimg_writer *writer, uint32_t ordinal, struct carried *carried,
                                        struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &writer->base->catalog;
    const struct aimg_run *run = &catalog->runs[aimg_catalog_run(catalog, ordinal)];
    struct place place = {.reader = writer->base, .row = ordinal - run->first};
    enum aimg_status status = AIMG_OK;
    for (uint32_t i = 0; status == AIMG_OK && i < writer->columns_committed; i++) {
        place.table = aimg_column_table(writer->base, run, &writer->columns[i].record);
        if (place.table != NULL)
            status = carry_from_table(writer, carried, i, &place, error);
    }
    return status;
}

/* A run of the open batch that was written before the commit. */
static enum aimg_status carry_from_run(struct aimg_writer *writer, const struct aimg_part *part, uint32_t row,
                                       struct carried *carried, struct aimg_error *error)
{
    struct aimg_reader view;
    struct aimg_run_tables run = {.count = 0};
    uint32_t part_count;
    const struct aimg_part *parts = aimg_writer_parts(writer, &part_count);
    enum aimg_status status = aimg_writer_view(writer, &view, error);
    if (status != AIMG_OK)
        return aimg_writer_poison(writer, status);
    status = aimg_run_tables_open(&view, part, parts, part_count, &run, error);
    struct place place = {.reader = &view, .row = row};
    for (uint32_t i = 0; status == AIMG_OK && i < writer->column_count; i++) {
        place.table = aimg_run_tables_column(&run, &writer->columns[i].record);
        if (place.table != NULL)
            status = carry_from_table(writer, carried, i, &place, error);
    }
    aimg_run_tables_release(&run);
    return status;
}

static enum aimg_status carry_from_stage(const struct aimg_writer *writer, uint32_t row, struct carried *carried,
                                         struct aimg_error *error)
{
    enum aimg_status status = AIMG_OK;
    const uint8_t *stored;
    size_t bytes;
    for (uint32_t i = 0; status == AIMG_OK && i < writer->column_count; i++)
        if (aimg_stage_value_get(&writer->stage, i, row, &stored, &bytes))
            status = add_value(writer, carried, i, stored, bytes, error);
    return status;
}

static enum aimg_status carry_written(struct aimg_writer *writer, uint32_t ordinal, struct carried *carried,
                                      struct aimg_error *error)
{
    uint32_t count;
    const struct aimg_part *parts = aimg_writer_parts(writer, &count);
    if (ordinal < writer->base->catalog.head.ordinal_count && !writer->columns_written)
        return carry_from_base(writer, ordinal, carried, error);
    if (ordinal >= writer->stage.first)
        return carry_from_stage(writer, ordinal - writer->stage.first, carried, error);
    for (uint32_t i = 0; i < count; i++)
        if (parts[i].type == AIMG_FRAME_RUN && ordinal >= parts[i].first && ordinal - parts[i].first < parts[i].count)
            return carry_from_run(writer, &parts[i], ordinal - parts[i].first, carried, error);
    return aimg_fail(error, AIMG_NOT_FOUND, "there is no image %" PRIu32, ordinal);
}

static void forget_column(struct carried *carried, uint32_t column_index)
{
    struct carried_value *values = (struct carried_value *)(void *)carried->values.data;
    for (size_t i = 0; i < value_count(carried); i++) {
        if (values[i].column_index != column_index)
            continue;
        values[i] = values[value_count(carried) - 1];
        carried->values.bytes -= sizeof *values;
        return;
    }
}

/* What was written, and what the batch has set since. */
static enum aimg_status carry(struct aimg_writer *writer, uint32_t ordinal, struct carried *carried, struct aimg_error *error)
{
    enum aimg_status status = carry_written(writer, ordinal, carried, error);
    for (uint32_t i = 0; status == AIMG_OK && writer->edits.edits.bytes > 0 && i < writer->column_count; i++) {
        const struct aimg_edit *edit = aimg_edits_find(&writer->allocator, &writer->edits, i, ordinal);
        if (edit == NULL)
            continue;
        forget_column(carried, i);
        if (edit->bytes != AIMG_EDIT_NULL)
            status = add_value(writer, carried, i, aimg_edits_data(&writer->edits, edit), edit->bytes, error);
    }
    return status;
}

/* ------------------------------------------------------------------ writing them */

static uint64_t stage_bytes(const struct aimg_writer *writer, const struct carried *carried)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < value_count(carried); i++)
        sum += aimg_stage_value_bytes(&writer->stage, value_at(carried, i)->column_index, value_at(carried, i)->bytes);
    return sum;
}

static enum aimg_status put_values(struct aimg_writer *writer, const struct carried *carried, struct aimg_error *error)
{
    for (size_t i = 0; i < value_count(carried); i++) {
        const struct carried_value *value = value_at(carried, i);
        const uint8_t *stored = value->bytes == 0 ? (const uint8_t *)"" : carried->bytes.data + value->begin;
        if (!aimg_stage_value_put(&writer->stage, value->column_index, stored, value->bytes))
            return aimg_fail_memory(error, value->bytes);
    }
    return AIMG_OK;
}

static enum aimg_status check_names(struct aimg_writer *writer, const char *name, size_t name_bytes, struct aimg_error *error)
{
    uint32_t other;
    enum aimg_status status = aimg_writer_check(writer, error);
    if (status == AIMG_OK)
        status = aimg_name_check(name, name_bytes, error);
    if (status != AIMG_OK)
        return status;
    if (writer->head.ordinal_count >= AIMG_ORDINAL_LIMIT)
        return aimg_fail(error, AIMG_LIMIT, "an archive holds at most %u images", AIMG_ORDINAL_LIMIT);
    status = aimg_writer_find(writer, name, name_bytes, &other, error);
    if (status == AIMG_OK)
        return aimg_fail(error, AIMG_EXISTS, "the name '%.*s' is taken by image %" PRIu32,
                         name_bytes < 150 ? (int)name_bytes : 150, name, other);
    return status == AIMG_NOT_FOUND ? AIMG_OK : status;
}

static enum aimg_status replace(struct aimg_writer *writer, const struct aimg_alias *alias, uint32_t ordinal,
                                const struct carried *carried, uint32_t *ordinal_out, struct aimg_error *error)
{
    struct aimg_renamed renamed = {.from = ordinal};
    enum aimg_status status = aimg_writer_make_room(writer, AIMG_ALIAS_BYTES, stage_bytes(writer, carried), error);
    if (status == AIMG_OK && !aimg_buffer_reserve(&writer->allocator, &writer->renamed, sizeof renamed))
        status = aimg_fail_memory(error, sizeof renamed);
    if (status == AIMG_OK)
        status = aimg_writer_remove(writer, ordinal, error);
    if (status != AIMG_OK)
        return status;
    status = aimg_writer_put_alias(writer, alias, ordinal_out, error);
    renamed.to = *ordinal_out;
    (void)aimg_buffer_add(&writer->allocator, &writer->renamed, &renamed, sizeof renamed);
    if (status == AIMG_OK)
        status = put_values(writer, carried, error);
    if (status == AIMG_OK)
        status = aimg_writer_spill_if_full(writer, error);
    return status == AIMG_OK ? AIMG_OK : aimg_writer_poison(writer, status);
}

enum aimg_status aimg_writer_rename(struct aimg_writer *writer, uint32_t ordinal, const char *name, size_t name_bytes,
                                    uint32_t *ordinal_out, struct aimg_error *error)
{
    struct carried carried = {.values = {NULL, 0, 0}};
    struct aimg_entry_record entry;
    struct aimg_alias alias = {.name = name, .name_bytes = name_bytes, .entry = &entry};
    uint32_t renamed = 0;
    enum aimg_status status = check_names(writer, name, name_bytes, error);
    if (status == AIMG_OK)
        status = aimg_writer_entry(writer, ordinal, &entry, &alias.attachment, error);
    if (status == AIMG_OK)
        status = aimg_writer_alias_target(writer, ordinal, &entry, &alias.target, error);
    if (status == AIMG_OK)
        status = carry(writer, ordinal, &carried, error);
    if (status == AIMG_OK)
        status = replace(writer, &alias, ordinal, &carried, &renamed, error);
    if (writer != NULL)
        release(writer, &carried);
    if (status == AIMG_OK && ordinal_out != NULL)
        *ordinal_out = renamed;
    return status;
}
