/* SPDX-License-Identifier: Apache-2.0 */
/* Columns: single values, chunks, dictionaries, and the walk over all values. What two ways give must be the same. */
#include "harness.h"

#include "constants.h"

const uint32_t fuzz_focus = 1u << AIMG_FRAME_RUN | 1u << AIMG_FRAME_COLUMN | 1u << AIMG_FRAME_VALUES | 1u << AIMG_FRAME_ROOT;

enum { COLUMNS = 20, ROWS = 6, WALKED = 16 };

static uint8_t room[FUZZ_IMAGE_BYTES];

static void read_value(const struct aimg_reader *reader, const struct aimg_reader *no_map, uint32_t index, uint32_t ordinal)
{
    static uint8_t again[sizeof room];
    struct aimg_chunk chunk;
    size_t size = 0, other = 0;
    int null = 0, null_too = 0;
    enum aimg_status status = aimg_reader_value(reader, index, ordinal, room, sizeof room, &size, &null, NULL);
    allowed(status);
    require(aimg_reader_value(no_map, index, ordinal, again, sizeof again, &other, &null_too, NULL) == status);
    if (status == AIMG_OK)
        require(size == other && (null != 0) == (null_too != 0) && memcmp(room, again, size) == 0);
    (void)aimg_reader_dictionary(reader, index, ordinal, (char *)again, sizeof again, &other, NULL);
    if (aimg_reader_chunk(reader, index, ordinal, &chunk, NULL) != AIMG_OK)
        return;
    require(ordinal >= chunk.first && ordinal - chunk.first < chunk.count);
    if (chunk.values != NULL) /* all of it can be touched */
        touch(chunk.values, (size_t)chunk.count * chunk.element_bytes);
    if (chunk.validity != NULL)
        touch(chunk.validity, (chunk.count + 7) / 8);
}

/* What the walk over a column gives, the value alone must give, too. */
static void walk_values(const struct aimg_reader *reader, uint32_t index, uint32_t from)
{
    struct aimg_values *values = NULL;
    struct aimg_column_value value;
    if (aimg_values_create(reader, index, from, &values, NULL) != AIMG_OK)
        return;
    for (unsigned i = 0; i < WALKED && aimg_values_next(values, &value, NULL) == AIMG_OK; i++) {
        size_t size = 0;
        int null = 0;
        require(value.ordinal == from + i && (value.data == NULL) == (value.null != 0));
        enum aimg_status status = aimg_reader_value(reader, index, value.ordinal, room, sizeof room, &size, &null, NULL);
        require(status == AIMG_OK || status == AIMG_BUFFER_TOO_SMALL);
        require(size == value.bytes && (null != 0) == (value.null != 0));
        require(status != AIMG_OK || size == 0 || memcmp(room, value.data, size) == 0);
        if (value.bytes > 0)
            touch(value.data, value.bytes);
    }
    aimg_values_destroy(values);
}

static void read_columns(const struct aimg_reader *reader, const struct aimg_reader *no_map)
{
    struct aimg_column column, found;
    struct aimg_info info = {.struct_bytes = sizeof info};
    uint64_t count = aimg_reader_ordinal_count(reader);
    require(aimg_reader_info(reader, &info, NULL) == AIMG_OK);
    require(aimg_reader_column(reader, info.column_count, &column, NULL) == AIMG_NOT_FOUND);
    for (uint32_t i = 0; i < COLUMNS && i < info.column_count; i++) {
        require(aimg_reader_column(reader, i, &column, NULL) == AIMG_OK);
        require(column.index == i && strlen(column.name) == column.name_bytes);
        require(aimg_reader_column_find(reader, column.name, &found, NULL) == AIMG_OK);
        for (unsigned row = 0; row < ROWS; row++)
            read_value(reader, no_map, i, fuzz_ordinal(count, row * 4));
        walk_values(reader, i, 0);
        walk_values(no_map, i, (uint32_t)(count / 2));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    (void)fuzz_script(data, bytes, &bytes);
    struct aimg_reader *reader = bytes <= FUZZ_DISK_BYTES ? fuzz_open(data, bytes, 0, 0) : NULL, *no_map;
    if (reader == NULL)
        return 0;
    no_map = fuzz_open_no_map(data, bytes);
    require(no_map != NULL);
    read_columns(reader, no_map);
    aimg_reader_close(no_map);
    aimg_reader_close(reader);
    return 0;
}
