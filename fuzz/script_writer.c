/* SPDX-License-Identifier: Apache-2.0 */
#include "script_writer.h"

#include "writer.h"

#include <stdio.h>

enum { VALUE_BYTES = 256, SET_ROWS = 8 };

struct run {
    struct aimg_writer *writer;
    struct fuzz_script_reader *script;
    unsigned added;
};

/* What damage can make a writer say; calls are right, so never that they are not. */
static void answered(struct aimg_writer *writer, enum aimg_status status)
{
    require(status <= AIMG_REPLACED && status != AIMG_INVALID_ARGUMENT && status != AIMG_BUSY && status != AIMG_REPLACED);
    require(status != AIMG_SEQUENCE || writer->failed);
}

static uint32_t some_ordinal(struct run *run)
{
    uint64_t count = aimg_reader_ordinal_count(aimg_writer_base(run->writer)) + run->added;
    return count == 0 ? 0 : (uint32_t)(script_next(run->script) % count);
}

/* A name of the archive, or one of a few. */
static size_t some_name(struct run *run, char name[1026])
{
    unsigned choice = script_next(run->script);
    size_t bytes = 0;
    if (choice % 4 == 0 &&
        aimg_reader_name(aimg_writer_base(run->writer), some_ordinal(run), name, 1025, &bytes, NULL) == AIMG_OK &&
        aimg_name_check(name, bytes, NULL) == AIMG_OK)
        return bytes;
    return (size_t)snprintf(name, 1026, "new/%u", choice % 16);
}

/* A value that a column can have. */
static struct aimg_value some_value(struct run *run, const struct aimg_writer_column *column, uint8_t room[VALUE_BYTES])
{
    unsigned choice = script_next(run->script);
    struct aimg_value value = {.column = column->record.id, .data = room};
    size_t each = (size_t)aimg_column_element_bytes(column->record.type) * column->record.width;
    memset(room, 0, VALUE_BYTES);
    if (choice % 5 == 0 || each > VALUE_BYTES)
        return (struct aimg_value){.column = column->record.id, .flags = AIMG_VALUE_NULL};
    if (column->record.type >= AIMG_COLUMN_UTF8 && column->record.type <= AIMG_COLUMN_DICTIONARY) {
        memset(room, 'a' + (int)(choice % 4), choice % 8);
        value.bytes = choice % 8;
        return value;
    }
    if (column->record.type != AIMG_COLUMN_BOOL && column->record.type != AIMG_COLUMN_IMAGE)
        room[0] = (uint8_t)choice;
    value.bytes = (column->record.flags & AIMG_COLUMN_LIST) != 0 && VALUE_BYTES / each > choice % 4 ? each * (choice % 4) : each;
    return value;
}

static const struct aimg_writer_column *some_column(struct run *run)
{
    uint32_t count = run->writer->column_count;
    return count == 0 ? NULL : &run->writer->columns[script_next(run->script) % count];
}

static enum aimg_status add(struct run *run)
{
    char name[1026];
    uint8_t room[VALUE_BYTES];
    static uint8_t data[512];
    unsigned choice = script_next(run->script);
    const struct aimg_writer_column *column = some_column(run);
    struct aimg_value value;
    struct aimg_image image = {.struct_bytes = sizeof image, .name = name, .data = data};
    image.name_bytes = some_name(run, name);
    image.flags = (choice & 1 ? AIMG_ADD_REPLACE : 0u) | (choice & 2 ? AIMG_ADD_ATTACHMENT : 0u);
    image.data_bytes = choice & 4 ? choice : choice / 8;
    memset(data, (int)(choice / 64), image.data_bytes);
    image.format = choice / 16 % 3;
    /* With nothing in it yet there is no image that a reference could be to. */
    if (column != NULL && column->record.type != AIMG_COLUMN_IMAGE) {
        value = some_value(run, column, room);
        image.values = &value;
        image.value_count = 1;
    }
    enum aimg_status status = aimg_writer_add(run->writer, &image, NULL, NULL);
    run->added += status == AIMG_OK;
    return status;
}

static enum aimg_status set(struct run *run)
{
    uint8_t room[VALUE_BYTES];
    const struct aimg_writer_column *column = some_column(run);
    if (column == NULL || aimg_reader_ordinal_count(aimg_writer_base(run->writer)) == 0)
        return AIMG_OK;
    struct aimg_value value = some_value(run, column, room);
    return aimg_writer_set(run->writer, some_ordinal(run), &value, NULL);
}

static enum aimg_status set_array(struct run *run)
{
    static const uint8_t zeros[SET_ROWS * VALUE_BYTES], validity[SET_ROWS / 8 + 1] = {0xB5};
    const struct aimg_writer_column *column = some_column(run);
    uint64_t count = aimg_reader_ordinal_count(aimg_writer_base(run->writer));
    if (column == NULL || count == 0 || aimg_column_in_groups(&column->record))
        return AIMG_OK;
    size_t each = (size_t)aimg_column_element_bytes(column->record.type) * column->record.width;
    uint32_t first = (uint32_t)(script_next(run->script) % count), rows = 1 + script_next(run->script) % SET_ROWS;
    rows = count - first < rows ? (uint32_t)(count - first) : rows;
    bool empty = column->record.type == AIMG_COLUMN_DICTIONARY; /* which may have no text yet */
    if (each > VALUE_BYTES || empty)
        return AIMG_OK;
    return aimg_writer_set_array(run->writer, column->record.id, first, rows, zeros, rows % 2 == 0 ? validity : NULL, NULL);
}

static enum aimg_status define(struct run *run)
{
    static const enum aimg_type types[] = {AIMG_TYPE_BOOL, AIMG_TYPE_U32, AIMG_TYPE_F32,        AIMG_TYPE_UTF8,
                                           AIMG_TYPE_I64,  AIMG_TYPE_U16, AIMG_TYPE_DICTIONARY, AIMG_TYPE_IMAGE};
    unsigned choice = script_next(run->script) % 8;
    char name[16];
    uint32_t id;
    snprintf(name, sizeof name, "col %u", choice);
    return aimg_writer_column(run->writer, name, types[choice], choice == 2 ? 4 : 1, choice == 5, &id, NULL);
}

static enum aimg_status step(struct run *run, unsigned choice)
{
    char name[1026];
    uint32_t ordinal;
    size_t bytes;
    switch (choice % 12) {
    case 0:
    case 1:
    case 2:
        return add(run);
    case 3:
        return aimg_writer_remove(run->writer, some_ordinal(run), NULL);
    case 4:
        bytes = some_name(run, name);
        return aimg_writer_rename(run->writer, some_ordinal(run), name, bytes, NULL, NULL);
    case 5:
    case 6:
        return set(run);
    case 7:
        return set_array(run);
    case 8:
        return define(run);
    case 9:
        return aimg_writer_set_meta(run->writer, choice & 16 ? "title" : "key", choice & 32 ? NULL : "text", NULL);
    case 10:
        bytes = some_name(run, name);
        return aimg_writer_find(run->writer, name, bytes, &ordinal, NULL);
    default:
        run->added = 0;
        return choice & 64 ? aimg_writer_seal(run->writer, NULL, NULL) : aimg_writer_commit(run->writer, "of a script", NULL);
    }
}

struct aimg_writer *script_open(struct fuzz_disk *disk, struct fuzz_script_reader *script)
{
    unsigned choice = script_next(script);
    struct aimg_writer_options options = {.struct_bytes = sizeof options,
                                          .flags =
                                              (choice & 1 ? AIMG_WRITER_NO_SYNC : 0) | (choice & 64 ? AIMG_WRITER_RECOVER : 0),
                                          .compress = choice & 2 ? AIMG_COMPRESS_ZSTD : AIMG_COMPRESS_STORE,
                                          .level = -1,
                                          .dedup = choice / 4 % 3,
                                          .time_ns = UINT64_MAX / 2,
                                          .seed = (const uint8_t *)"seed of a script",
                                          .limits = fuzz_limits,
                                          .allocator = fuzz_allocator()};
    struct aimg_io io = fuzz_disk_io(disk);
    struct aimg_writer *writer = NULL;
    allowed(aimg_writer_open_io(&io, &options, &writer, NULL));
    if (writer != NULL && choice & 32) { /* as if memory were short: tables are written as the batch goes on */
        writer->run_rows = 3;
        writer->keys_max = 4;
        writer->stage_max = 256;
    }
    return writer;
}

bool script_run(struct aimg_writer *writer, struct fuzz_script_reader *script, const struct fuzz_disk *disk)
{
    struct run run = {.writer = writer, .script = script};
    while (script->left > 0 && !writer->failed) {
        enum aimg_status status = step(&run, script_next(script));
        require(status != AIMG_IO || disk->full);
        answered(writer, status);
    }
    enum aimg_status status = aimg_writer_commit(writer, "the last", NULL);
    require(status != AIMG_IO || disk->full);
    answered(writer, status);
    require(aimg_writer_close(writer, NULL) == AIMG_OK);
    return status == AIMG_OK;
}
