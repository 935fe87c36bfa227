/* SPDX-License-Identifier: Apache-2.0 */
/* Columns that no ROOT defines any more. Tables say the number of a column and how its values are stored, not its name and type:
 * numbers are taken for unsigned ones of that size, what has a length for bytes, and what has a dictionary for texts. */
#include "repair.h"

#include <stdio.h>

/* What a section tells of its column. */
static struct aimg_column_record shape(const struct aimg_table *table, const struct aimg_section *section)
{
    struct aimg_column_record record = {.id = section->column, .type = AIMG_COLUMN_U8, .width = 1};
    if (section->kind == AIMG_SECTION_GROUPS)
        record.type = table->part.type == AIMG_FRAME_VALUES ? AIMG_COLUMN_DICTIONARY : AIMG_COLUMN_BYTES_TYPE;
    else if (section->element_bytes == 2)
        record.type = AIMG_COLUMN_U16;
    else if (section->element_bytes == 4)
        record.type = AIMG_COLUMN_U32;
    else if (section->element_bytes == 8)
        record.type = AIMG_COLUMN_U64;
    else
        record.width = section->element_bytes;
    return record;
}

/* Single numbers may be stored narrower in one run than in another. */
static void widen(struct aimg_column_record *record, const struct aimg_column_record *other)
{
    bool numbers = record->type <= AIMG_COLUMN_U64 && other->type <= AIMG_COLUMN_U64 && record->width == 1 && other->width == 1;
    if (other->type == AIMG_COLUMN_DICTIONARY || (numbers && other->type > record->type))
        record->type = other->type;
}

static void adopt(struct aimg_repair *repair, struct aimg_table *table)
{
    struct aimg_catalog *catalog = &repair->reader.catalog;
    for (uint32_t i = 0; i < table->section_count; i++) {
        const struct aimg_section *section = &table->sections[i];
        struct aimg_column_record record = shape(table, section);
        uint32_t *count = &catalog->head.column_count, place = *count;
        if (section->column == 0 || (section->kind != AIMG_SECTION_VALUES && section->kind != AIMG_SECTION_GROUPS))
            continue;
        while (place > 0 && catalog->columns[place - 1].record.id >= section->column)
            place--;
        struct aimg_catalog_column *column = &catalog->columns[place];
        if (place < *count && column->record.id == section->column) {
            if (column->name == NULL)
                widen(&column->record, &record);
        } else if (*count < AIMG_COLUMN_MAX && aimg_column_shape_valid(&record)) {
            memmove(column + 1, column, (*count - place) * sizeof *column);
            *column = (struct aimg_catalog_column){.record = record, .name = NULL};
            ++*count;
        }
    }
}

/* Sections that fit no column are not there. */
static void drop_sections(struct aimg_repair *repair, struct aimg_table *table)
{
    for (uint32_t i = 0; i < table->section_count; i++) {
        struct aimg_section *section = &table->sections[i];
        char name[32];
        if (aimg_catalog_section_fits(&repair->reader.catalog, table, section))
            continue;
        snprintf(name, sizeof name, "number %" PRIu32, section->column);
        struct aimg_loss loss = {.kind = AIMG_LOSS_VALUES,
                                 .ordinal = AIMG_NO_ORDINAL,
                                 .count = table->part.count,
                                 .offset = table->payload + section->offset,
                                 .name = name,
                                 .message = "they are not such as the column can have"};
        if (section->kind != AIMG_SECTION_VALIDITY)
            aimg_repair_lose(repair, &loss);
        section->kind = 0;
        table->ordered = false;
    }
}

static void each_table(struct aimg_repair *repair, void (*act)(struct aimg_repair *repair, struct aimg_table *table))
{
    struct aimg_catalog *catalog = &repair->reader.catalog;
    for (uint32_t i = 0; i < catalog->table_count; i++)
        if (catalog->tables[i].part.type == AIMG_FRAME_VALUES)
            act(repair, &catalog->tables[i]);
    for (uint32_t i = 0; i < catalog->run_count; i++) {
        const struct aimg_run *run = &catalog->runs[i];
        act(repair, run->table);
        for (uint32_t k = 0; k < run->columns_count; k++)
            act(repair, &catalog->tables[run->columns_first + k]);
    }
}

void aimg_repair_adopt_columns(struct aimg_repair *repair)
{
    struct aimg_catalog *catalog = &repair->reader.catalog;
    each_table(repair, adopt);
    each_table(repair, drop_sections);
    for (uint32_t i = 0; i < catalog->head.column_count; i++) {
        /* Columns of a dictionary are read as numbers: what of their texts is left is looked up apart. */
        struct aimg_column_record *record = &catalog->columns[i].record;
        repair->column_types[i] = record->type;
        if (record->type == AIMG_COLUMN_DICTIONARY)
            record->type = AIMG_COLUMN_U32;
    }
}
