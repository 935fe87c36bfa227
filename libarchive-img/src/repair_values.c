/* SPDX-License-Identifier: Apache-2.0 */
/* Values of columns on their way into the new archive. A value is taken over when its block, and for texts its group, is as it
 * was written, and no newer table of its column is lost. What is not is counted. */
#include "repair.h"

#include "value_check.h"

#include <stdio.h>

/* Some texts of a dictionary. */
struct texts {
    uint32_t first, count; /* codes */
    size_t begin, bytes;   /* of the group, summed, in repair_column.texts */
};

struct repair_column {
    struct aimg_values *values;              /* NULL: they would take more than the limits allow */
    const struct aimg_column_record *record; /* a dictionary's says u32 */
    unsigned type;                           /* as it is */
    char name[AIMG_COLUMN_NAME_MAX + 1];
    bool made;                     /* so is its name: no ROOT says it any more */
    bool skipped;                  /* the new archive has none for it */
    uint32_t id;                   /* there */
    const struct aimg_run *judged; /* a run, and whether values of it may be out of date */
    bool outdated;
    uint64_t kept, lost;
    struct aimg_buffer groups, texts; /* struct texts, and their bytes */
    struct aimg_buffer room;          /* for a value in the machine's order, where that is not the file's */
};

struct aimg_repair_values {
    struct repair_column *columns;
    uint32_t count;
    uint64_t texts_bytes, group_bytes; /* of dictionaries; of the groups that are decoded now, one a column */
    struct aimg_value *values;         /* room for one a column */
    bool refers;                       /* there is a column of references */
};

/* ------------------------------------------------------------------ dictionaries */

static enum aimg_status load_texts(struct aimg_repair *repair, struct repair_column *column, struct aimg_table *table,
                                   struct aimg_error *error)
{
    const struct aimg_allocator *allocator = &repair->options.allocator;
    const struct aimg_section *section = aimg_table_section(table, AIMG_SECTION_GROUPS, column->record->id);
    struct aimg_buffer raw = {NULL, 0, 0};
    enum aimg_status status = AIMG_OK;
    for (uint64_t i = 0; section != NULL && status == AIMG_OK && i < section->extra; i++) {
        struct aimg_group group;
        status = aimg_group_read(&repair->reader, table, section, i, &group, &raw, error);
        if (status != AIMG_OK) {
            status = aimg_repair_bears(status) ? AIMG_OK : status;
            continue;
        }
        aimg_group_sum(raw.data, &group);
        struct texts texts = {table->part.first + group.first, group.count, column->texts.bytes, raw.bytes};
        repair->values->texts_bytes += raw.bytes + sizeof texts;
        if (repair->values->texts_bytes > repair->reader.source.limits.index_bytes)
            status = aimg_fail(error, AIMG_LIMIT,
                               "the texts of the dictionary columns take more than the limit of %" PRIu64
                               " bytes; raise limits.index_bytes",
                               repair->reader.source.limits.index_bytes);
        else if (!aimg_buffer_add(allocator, &column->texts, raw.data, raw.bytes) ||
                 !aimg_buffer_add(allocator, &column->groups, &texts, sizeof texts))
            status = aimg_fail_memory(error, raw.bytes);
    }
    aimg_buffer_release(allocator, &raw);
    return status;
}

static enum aimg_status load_dictionary(struct aimg_repair *repair, struct repair_column *column, struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &repair->reader.catalog;
    enum aimg_status status = AIMG_OK;
    for (uint32_t i = 0; status == AIMG_OK && i < catalog->table_count; i++) {
        struct aimg_table *table = &catalog->tables[i];
        if (table->part.type == AIMG_FRAME_VALUES && table->part.column == column->record->id)
            status = load_texts(repair, column, table, error);
    }
    return status;
}

/* The tables of one dictionary seldom overlap: only where a newer one has swallowed an older. */
static bool find_text(const struct repair_column *column, uint32_t code, struct aimg_value *value)
{
    const struct texts *groups = (const struct texts *)(const void *)column->groups.data;
    size_t low = 0, high = column->groups.bytes / sizeof *groups;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (groups[middle].first <= code)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t back = 0; back < 8 && back < low; back++) {
        const struct texts *group = &groups[low - 1 - back];
        const uint8_t *text;
        uint32_t bytes;
        if (code < group->first || code - group->first >= group->count)
            continue;
        struct aimg_group shape = {.first = group->first, .count = group->count};
        aimg_group_summed_value(column->texts.data + group->begin, &shape, code, &text, &bytes);
        value->data = text;
        value->bytes = bytes;
        return true;
    }
    return false;
}

/* ------------------------------------------------------------------ columns */

static bool id_taken(const struct aimg_repair_values *values, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++)
        if (!values->columns[i].skipped && values->columns[i].id == values->columns[index].id)
            return true;
    return false;
}

static bool is_known(const struct aimg_catalog *catalog, const char *name)
{
    for (uint32_t i = 0; i < catalog->head.column_count; i++) {
        const struct aimg_catalog_column *column = &catalog->columns[i];
        if (column->name != NULL && column->record.name_bytes == strlen(name) &&
            memcmp(column->name, name, column->record.name_bytes) == 0)
            return true;
    }
    return false;
}

static void make_name(const struct aimg_catalog *catalog, struct repair_column *column)
{
    uint32_t id = column->record->id;
    snprintf(column->name, sizeof column->name, "recovered/column-%" PRIu32, id);
    for (unsigned i = 1; is_known(catalog, column->name); i++)
        snprintf(column->name, sizeof column->name, "recovered/column-%" PRIu32 "-%u", id, i);
    column->made = true;
}

static enum aimg_status define(struct aimg_repair *repair, uint32_t index, struct aimg_error *error)
{
    struct aimg_repair_values *values = repair->values;
    struct repair_column *column = &values->columns[index];
    const struct aimg_catalog_column *known = &repair->reader.catalog.columns[index];
    column->record = &known->record;
    column->type = repair->column_types[index];
    if (known->name == NULL)
        make_name(&repair->reader.catalog, column);
    else
        memcpy(column->name, known->name, known->record.name_bytes);
    enum aimg_status status = aimg_writer_column(repair->writer, column->name, (enum aimg_type)column->type, known->record.width,
                                                 (known->record.flags & AIMG_COLUMN_LIST) != 0, &column->id, error);
    column->skipped = status == AIMG_EXISTS || aimg_repair_bears(status) || (status == AIMG_OK && id_taken(values, index));
    if (status != AIMG_OK && !column->skipped)
        return status;
    status = aimg_values_create(&repair->reader, index, 0, &column->values, error);
    if (status == AIMG_OK && column->type == AIMG_COLUMN_DICTIONARY)
        status = load_dictionary(repair, column, error);
    values->refers = values->refers || (column->type == AIMG_COLUMN_IMAGE && !column->skipped);
    return status;
}

enum aimg_status aimg_repair_values_create(struct aimg_repair *repair, struct aimg_error *error)
{
    const struct aimg_allocator *allocator = &repair->options.allocator;
    uint32_t count = repair->reader.catalog.head.column_count;
    struct aimg_repair_values *values = repair->values = aimg_alloc_array(allocator, 1, sizeof *values);
    if (values == NULL)
        return aimg_fail_memory(error, sizeof *values);
    values->columns = aimg_alloc_array(allocator, count, sizeof *values->columns);
    values->values = aimg_alloc_array(allocator, count, sizeof *values->values);
    if (values->columns == NULL || values->values == NULL)
        return aimg_fail_memory(error, count * sizeof *values->columns);
    enum aimg_status status = AIMG_OK;
    for (; status == AIMG_OK && values->count < count; values->count++)
        status = define(repair, values->count, error);
    return status;
}

void aimg_repair_values_destroy(struct aimg_repair *repair)
{
    const struct aimg_allocator *allocator = &repair->options.allocator;
    struct aimg_repair_values *values = repair->values;
    if (values == NULL)
        return;
    for (uint32_t i = 0; i < values->count; i++) {
        aimg_values_destroy(values->columns[i].values);
        aimg_buffer_release(allocator, &values->columns[i].groups);
        aimg_buffer_release(allocator, &values->columns[i].texts);
        aimg_buffer_release(allocator, &values->columns[i].room);
    }
    aimg_release(allocator, values->columns);
    aimg_release(allocator, values->values);
    aimg_release(allocator, values);
    repair->values = NULL;
}

/* ------------------------------------------------------------------ one value */

/* As the file has it to as the machine has it. */
static enum aimg_status to_host(const struct aimg_allocator *allocator, struct repair_column *column, struct aimg_value *value,
                                struct aimg_error *error)
{
#if AIMG_LITTLE_ENDIAN
    (void)allocator, (void)column, (void)value, (void)error;
#else
    size_t element = aimg_column_element_bytes(column->type);
    if (element < 2)
        return AIMG_OK;
    column->room.bytes = 0;
    if (!aimg_buffer_reserve(allocator, &column->room, value->bytes + 1))
        return aimg_fail_memory(error, value->bytes);
    aimg_column_store(column->room.data, value->data, value->bytes, element);
    value->data = column->room.data;
#endif
    return AIMG_OK;
}

/* The next value. There is an iterator a column, so what bounds one of them does not bound them all. */
static enum aimg_status next_value(struct aimg_repair *repair, struct repair_column *column, uint32_t ordinal,
                                   struct aimg_column_value *value, struct aimg_error *error)
{
    struct aimg_repair_values *values = repair->values;
    if (column->values == NULL)
        return AIMG_LIMIT;
    values->group_bytes -= aimg_values_group_bytes(column->values);
    aimg_values_seek(column->values, ordinal);
    enum aimg_status status = aimg_values_next(column->values, value, error);
    values->group_bytes += aimg_values_group_bytes(column->values);
    if (values->group_bytes <= repair->reader.source.limits.index_bytes)
        return status;
    values->group_bytes -= aimg_values_group_bytes(column->values);
    aimg_values_destroy(column->values);
    column->values = NULL;
    return AIMG_LIMIT;
}

/* A value as it is stored; *null_out also for one that is lost, which is counted. */
static enum aimg_status read_value(struct aimg_repair *repair, struct repair_column *column, uint32_t ordinal,
                                   struct aimg_column_value *value, bool *null_out, struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &repair->reader.catalog;
    const struct aimg_run *run = &catalog->runs[aimg_catalog_run(catalog, ordinal)];
    uint64_t values_lost = repair->runs[run - catalog->runs].values_lost;
    enum aimg_status status = AIMG_OK;
    *null_out = true;
    if (values_lost > 0 && column->judged != run) {
        const struct aimg_table *table = aimg_column_table(&repair->reader, run, column->record);
        column->judged = run;
        column->outdated = table == NULL || table->part.offset < values_lost;
    }
    if (values_lost > 0 && column->outdated) {
        column->lost++;
        return AIMG_OK;
    }
    status = next_value(repair, column, ordinal, value, error);
    *null_out = status != AIMG_OK || value->null != 0;
    if (!aimg_repair_bears(status))
        return status;
    column->lost++;
    return AIMG_OK;
}

static enum aimg_status take(struct aimg_repair *repair, struct repair_column *column, uint32_t ordinal, struct aimg_value *value,
                             bool *null_out, struct aimg_error *error)
{
    struct aimg_column_value stored;
    enum aimg_status status = read_value(repair, column, ordinal, &stored, null_out, error);
    if (status != AIMG_OK || *null_out)
        return status;
    *value = (struct aimg_value){.column = column->id, .data = stored.data, .bytes = stored.bytes};
    bool found = true;
    if (column->type == AIMG_COLUMN_DICTIONARY)
        found = find_text(column, aimg_load32(stored.data), value);
    else
        status = to_host(&repair->options.allocator, column, value, error);
    if (status == AIMG_OK && found && !column->skipped) {
        status = aimg_value_check(repair->writer, value, error);
        found = status == AIMG_OK;
        status = aimg_repair_bears(status) ? AIMG_OK : status;
    }
    *null_out = !found || column->skipped;
    column->lost += *null_out;
    column->kept += !*null_out;
    return status;
}

enum aimg_status aimg_repair_values_take(struct aimg_repair *repair, uint32_t ordinal, const struct aimg_value **values_out,
                                         size_t *count_out, struct aimg_error *error)
{
    struct aimg_repair_values *values = repair->values;
    enum aimg_status status = AIMG_OK;
    *values_out = NULL;
    *count_out = 0;
    if (values == NULL) /* no column is looked at */
        return AIMG_OK;
    *values_out = values->values;
    for (uint32_t i = 0; status == AIMG_OK && i < values->count; i++) {
        bool null = true;
        if (values->columns[i].type == AIMG_COLUMN_IMAGE)
            continue; /* when all images have their new numbers */
        status = take(repair, &values->columns[i], ordinal, &values->values[*count_out], &null, error);
        *count_out += !null;
    }
    return status;
}

/* ------------------------------------------------------------------ references */

/* A reference to an image that is dead becomes none; one to an image that is lost is lost too. */
static enum aimg_status refer(struct aimg_repair *repair, struct repair_column *column, const struct aimg_repair_image *image,
                              struct aimg_error *error)
{
    struct aimg_column_value stored;
    bool null = true;
    size_t count;
    const struct aimg_repair_image *images = aimg_repair_images(repair, &count);
    enum aimg_status status = read_value(repair, column, image->ordinal, &stored, &null, error);
    if (status != AIMG_OK || null)
        return status;
    size_t found = aimg_repair_find(repair, aimg_load32(stored.data));
    if (found != SIZE_MAX && (images[found].place & AIMG_REPAIR_DEAD) != 0)
        return AIMG_OK;
    if (found == SIZE_MAX || images[found].number == AIMG_NO_ORDINAL) {
        column->lost++;
        return AIMG_OK;
    }
    struct aimg_value value = {.column = column->id, .data = &images[found].number, .bytes = sizeof images[found].number};
    return aimg_writer_set(repair->writer, image->number, &value, error);
}

static void tell_lost(struct aimg_repair *repair)
{
    const struct aimg_repair_values *values = repair->values;
    for (uint32_t i = 0; i < values->count; i++) {
        const struct repair_column *column = &values->columns[i];
        const char *why =
            column->values == NULL ? "they take more memory than the limits allow" : "the table that held them is damaged";
        struct aimg_loss loss = {.kind = AIMG_LOSS_VALUES,
                                 .ordinal = AIMG_NO_ORDINAL,
                                 .count = column->lost + (column->made ? column->kept : 0),
                                 .offset = AIMG_NO_OFFSET,
                                 .name = column->name,
                                 .message = column->made
                                                ? "the name and type of this column are lost; what is left of its values "
                                                  "is there under this name, as it was stored"
                                                : why};
        if (loss.count > 0)
            aimg_repair_lose(repair, &loss);
    }
}

enum aimg_status aimg_repair_values_finish(struct aimg_repair *repair, struct aimg_error *error)
{
    struct aimg_repair_values *values = repair->values;
    size_t count;
    const struct aimg_repair_image *images = aimg_repair_images(repair, &count);
    enum aimg_status status = AIMG_OK;
    for (size_t i = 0; values->refers && status == AIMG_OK && i < count; i++) {
        if (images[i].number == AIMG_NO_ORDINAL)
            continue;
        for (uint32_t k = 0; status == AIMG_OK && k < values->count; k++)
            if (values->columns[k].type == AIMG_COLUMN_IMAGE && !values->columns[k].skipped)
                status = refer(repair, &values->columns[k], &images[i], error);
    }
    if (status == AIMG_OK)
        tell_lost(repair);
    return status;
}
