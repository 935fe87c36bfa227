/* SPDX-License-Identifier: Apache-2.0 */
#include "value_file.h"

#include "cmd.h"
#include "interrupt.h"
#include "name_set.h"
#include "value_parse.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 1 << 20, FIRST_SLOTS = 1024 };

struct value_block {
    struct value_block *next;
    size_t used, bytes;
    _Alignas(16) char data[];
};

static int memory_error(const struct value_file *file)
{
    output_error("%s: out of memory for the values of %zu rows", file->table.path, file->row_count);
    return EXIT_SYSTEM;
}

static size_t rounded(size_t bytes)
{
    return (bytes + 7) & ~(size_t)7;
}

/* ------------------------------------------------------------------ memory */

static void *take(struct value_file *file, size_t bytes)
{
    struct value_block *block = file->blocks;
    size_t needed = rounded(bytes);

    if (block == NULL || block->bytes - block->used < needed) {
        size_t room = needed > BLOCK_BYTES ? needed : BLOCK_BYTES;

        block = malloc(sizeof *block + room);
        if (block == NULL)
            return NULL;
        *block = (struct value_block){.next = file->blocks, .bytes = room};
        file->blocks = block;
    }
    block->used += needed;
    return block->data + block->used - needed;
}

static struct value_row **slot_of(struct value_row **slots, size_t count, const char *name, size_t name_bytes)
{
    size_t at = (size_t)name_hash(name, name_bytes) & (count - 1);

    while (slots[at] != NULL && (slots[at]->name_bytes != name_bytes || memcmp(slots[at]->name, name, name_bytes) != 0))
        at = (at + 1) & (count - 1);
    return &slots[at];
}

static bool make_room(struct value_file *file)
{
    size_t count = file->slot_count == 0 ? FIRST_SLOTS : file->slot_count * 2;
    struct value_row **slots, **rows;

    if (file->row_count == file->row_room) {
        size_t room = file->row_room == 0 ? FIRST_SLOTS : file->row_room * 2;

        rows = realloc(file->rows, room * sizeof *rows);
        if (rows == NULL)
            return false;
        file->rows = rows;
        file->row_room = room;
    }
    if (file->row_count < file->slot_count / 4 * 3)
        return true;
    slots = calloc(count, sizeof *slots);
    if (slots == NULL)
        return false;
    for (size_t i = 0; i < file->slot_count; i++)
        if (file->slots[i] != NULL)
            *slot_of(slots, count, file->slots[i]->name, file->slots[i]->name_bytes) = file->slots[i];
    free(file->slots);
    file->slots = slots;
    file->slot_count = count;
    return true;
}

/* ------------------------------------------------------------------ loading */

/* The bytes of a cell go behind those of the row before; *value_out points to them only once the row is whole. */
static int parse_cell(struct value_file *file, const struct field *field, const struct table_cell *cell,
                      struct row_value *value_out, enum value_answer *answer_out)
{
    char why[VALUE_WHY_BYTES];
    size_t before = file->cell.bytes, bytes;
    const char *name;

    *value_out = (struct row_value){.column = (uint32_t)(field - file->fields.items), .kind = ROW_NULL};
    if (field->type.type == AIMG_TYPE_IMAGE) {
        *answer_out = value_name(cell, &name, &bytes, why);
        if (*answer_out == VALUE_THERE && !buffer_put(&file->cell, name, bytes))
            *answer_out = VALUE_NO_MEMORY;
    } else
        *answer_out = value_parse(&field->type, cell, &file->cell, why);
    if (*answer_out == VALUE_WRONG)
        return fields_wrong(&file->fields, field, why);
    if (*answer_out == VALUE_NO_MEMORY)
        return memory_error(file);
    if (*answer_out == VALUE_THERE)
        value_out->kind = field->type.type == AIMG_TYPE_IMAGE ? ROW_NAME : ROW_DATA;
    /* Values begin where any type may. */
    value_out->bytes = (uint32_t)(file->cell.bytes - before);
    if (!buffer_reserve(&file->cell, 16))
        return memory_error(file);
    file->cell.bytes = rounded(file->cell.bytes);
    return EXIT_DONE;
}

static int keep_row(struct value_file *file, const struct row_value *values, uint32_t count)
{
    const struct table_cell *name = &file->table.cells[0];
    size_t head = rounded(sizeof(struct value_row) + count * sizeof *values);
    struct value_row *row = take(file, head + file->cell.bytes + name->bytes);
    char *data;

    if (row == NULL)
        return memory_error(file);
    data = (char *)row + head;
    *row = (struct value_row){
        .line = file->table.row, .name = data + file->cell.bytes, .name_bytes = (uint32_t)name->bytes, .count = count};
    if (file->cell.bytes > 0)
        memcpy(data, file->cell.data, file->cell.bytes);
    memcpy(data + file->cell.bytes, name->text, name->bytes);
    for (uint32_t i = 0; i < count; i++) {
        row->values[i] = values[i];
        row->values[i].data = data;
        data += rounded(values[i].bytes);
    }
    *slot_of(file->slots, file->slot_count, row->name, row->name_bytes) = row;
    file->rows[file->row_count++] = row;
    return EXIT_DONE;
}

static int load_row(struct value_file *file, struct row_value *values)
{
    const struct table_cell *name = &file->table.cells[0];
    const struct value_row *same;
    uint32_t count = 0;
    int code = fields_check_name(&file->table);

    if (code != EXIT_DONE)
        return code;
    if (!make_room(file))
        return memory_error(file);
    same = *slot_of(file->slots, file->slot_count, name->text, name->bytes);
    if (same != NULL)
        return table_error(&file->table, "the name '%.*s' stands on line %" PRIu64 " already", (int)name->bytes, name->text,
                           same->line);
    file->cell.bytes = 0;
    for (uint32_t i = 0; code == EXIT_DONE && i < file->fields.count; i++) {
        enum value_answer answer = VALUE_ABSENT;

        if (file->fields.items[i].origin == FIELD_EMPTY)
            continue;
        code = parse_cell(file, &file->fields.items[i], &file->table.cells[i + 1], &values[count], &answer);
        count += answer != VALUE_ABSENT;
    }
    return code == EXIT_DONE ? keep_row(file, values, count) : code;
}

static int load_rows(struct value_file *file)
{
    struct row_value *values = calloc(file->fields.count + 1, sizeof *values);
    bool row = true;
    int code = values == NULL ? memory_error(file) : EXIT_DONE;

    while (code == EXIT_DONE) {
        code = table_next(&file->table, &row);
        if (code != EXIT_DONE || !row)
            break;
        code = load_row(file, values);
        if (code == EXIT_DONE && interrupt_pending()) {
            output_error("interrupted");
            code = EXIT_SYSTEM;
        }
    }
    free(values);
    return code;
}

int value_file_open(struct value_file *file, const char *path)
{
    int code;

    *file = (struct value_file){.row_count = 0};
    if (path == NULL)
        return EXIT_DONE;
    code = table_open(&file->table, path, TABLE_BY_NAME);
    file->open = code == EXIT_DONE;
    return code;
}

int value_file_load(struct value_file *file, const struct aimg_reader *base, const char *archive)
{
    int code;

    if (!file->open || file->loaded)
        return EXIT_DONE;
    code = fields_scan(&file->fields, &file->table, base, archive);
    if (code == EXIT_DONE)
        code = load_rows(file);
    file->loaded = code == EXIT_DONE;
    return code;
}

int value_file_define(struct value_file *file, struct aimg_writer *writer)
{
    int code = fields_define(&file->fields, writer);

    for (size_t i = 0; code == EXIT_DONE && i < file->row_count; i++) {
        struct value_row *row = file->rows[i];

        for (uint32_t j = 0; j < row->count; j++)
            row->values[j].column = file->fields.items[row->values[j].column].id;
    }
    return code;
}

/* ------------------------------------------------------------------ using */

struct value_row *value_file_find(const struct value_file *file, const char *name, size_t name_bytes)
{
    return file->slot_count == 0 ? NULL : *slot_of(file->slots, file->slot_count, name, name_bytes);
}

void value_file_free(struct value_file *file)
{
    while (file->blocks != NULL) {
        struct value_block *block = file->blocks;

        file->blocks = block->next;
        free(block);
    }
    free(file->rows);
    free(file->slots);
    buffer_free(&file->cell);
    fields_free(&file->fields);
    if (file->open)
        table_close(&file->table);
    *file = (struct value_file){.row_count = 0};
}
