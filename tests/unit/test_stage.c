/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that wait: entries, names, and columns with gaps, as narrow as their values allow, in the RUN that is written of them. */
#include "host.h"
#include "random.h"
#include "reader.h"
#include "run_writer.h"
#include "table_room.h"

enum { ROWS = 1000 };

static struct aimg_error error;

/* One column of each kind: how it is filled and what is expected. */
struct kind {
    struct aimg_column_record record;
    uint64_t largest;        /* value */
    unsigned every;          /* row in so many has a value; 0: none */
    unsigned expected_width; /* of the section; 0: groups */
};

static struct kind kinds[] = {
    {{.id = 1, .type = AIMG_COLUMN_U32, .width = 1}, 255, 1, 1},
    {{.id = 2, .type = AIMG_COLUMN_U32, .width = 1}, 256, 3, 2},
    {{.id = 3, .type = AIMG_COLUMN_U64, .width = 1}, 65536, 2, 4},
    {{.id = 4, .type = AIMG_COLUMN_U64, .width = 1}, UINT64_C(1) << 32, 7, 8},
    {{.id = 5, .type = AIMG_COLUMN_U16, .width = 1}, 255, 1, 1},
    {{.id = 6, .type = AIMG_TYPE_I32, .width = 1}, 1, 1, 4},
    {{.id = 7, .type = AIMG_COLUMN_U16, .width = 3}, 1, 2, 6},
    {{.id = 8, .type = AIMG_COLUMN_UTF8, .width = 1}, 0, 2, 0},
    {{.id = 9, .type = AIMG_COLUMN_U16, .width = 2, .flags = AIMG_COLUMN_LIST}, 0, 3, 0},
    {{.id = 10, .type = AIMG_COLUMN_DICTIONARY, .width = 1, .dictionary_count = 1}, 300, 1, 2},
    {{.id = 11, .type = AIMG_COLUMN_U8, .width = 1}, 0, 0, 1},
    {{.id = 12, .type = AIMG_COLUMN_U16, .width = 1, .flags = AIMG_COLUMN_LIST}, 0, 1, 0},
    {{.id = 13, .type = AIMG_COLUMN_U32, .width = 1, .flags = AIMG_COLUMN_LIST}, 0, 2, 0},
    {{.id = 14, .type = AIMG_COLUMN_U64, .width = 1, .flags = AIMG_COLUMN_LIST}, 0, 1, 0},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* The value of a row, in host order. */
static size_t value_of(const struct kind *kind, uint32_t row, uint8_t *out)
{
    uint32_t element = aimg_column_element_bytes(kind->record.type);
    if (kind->expected_width == 0) { /* a text, or a list */
        size_t bytes = kind->record.type == AIMG_COLUMN_UTF8 ? row % 50 : row % 7 * element * kind->record.width;
        memset(out, 'a' + (int)(row % 26), bytes);
        return bytes;
    }
    uint64_t value = row == 0 ? kind->largest : row % (kind->largest + 1);
    size_t bytes = (size_t)element * kind->record.width;
    for (size_t i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> i % element * 8);
    host_order(out, bytes, element);
    return bytes;
}

/* The same, as it stands in a file. */
static size_t stored_of(const struct kind *kind, uint32_t row, uint8_t *out)
{
    size_t bytes = value_of(kind, row, out);
    host_order(out, bytes, kind->expected_width == 0 ? 1 : aimg_column_element_bytes(kind->record.type));
    return bytes;
}

static bool has_value(const struct kind *kind, uint32_t row)
{
    return kind->every != 0 && row % kind->every == 0;
}

static void fill(struct aimg_stage *stage, uint32_t rows)
{
    uint8_t value[64];
    char name[32];
    for (uint32_t row = 0; row < rows; row++) {
        struct aimg_entry_record entry = {
            .frame_offset = 8 * (AIMG_HEAD_BYTES + (uint64_t)row), .stored_bytes = row, .header_units = 7};
        size_t name_bytes = (size_t)snprintf(name, sizeof name, "%.*s%u", (int)(row % 5), "dir/x", row);
        REQUIRE(aimg_stage_row_add(stage, &entry, name, name_bytes));
        for (uint32_t k = 0; k < KINDS; k++)
            if (has_value(&kinds[k], row))
                REQUIRE(aimg_stage_value_set(stage, k, row, value, value_of(&kinds[k], row, value)));
    }
}

static const struct aimg_section *section(struct aimg_table *table, unsigned kind, uint32_t column)
{
    const struct aimg_section *found = aimg_table_section(table, kind, column);
    REQUIRE(found != NULL);
    return found;
}

static void check_column(struct aimg_reader *reader, struct aimg_table *table, const struct kind *kind, uint32_t rows,
                         const uint8_t *payload)
{
    uint8_t expected[64], found[64];
    const struct aimg_section *validity = aimg_table_section(table, AIMG_SECTION_VALIDITY, kind->record.id);
    unsigned place = kind->expected_width == 0 ? AIMG_SECTION_GROUPS : AIMG_SECTION_VALUES;
    if (kind->every == 0) {
        EXPECT(validity == NULL && aimg_table_section(table, place, kind->record.id) == NULL);
        return;
    }
    const struct aimg_section *values = section(table, place, kind->record.id);
    EXPECT_EQ_UINT(values->element_bytes, kind->expected_width);
    EXPECT((validity == NULL) == (kind->every == 1 || rows == 1));
    for (uint32_t row = 0; row < rows; row++) {
        bool valid = has_value(kind, row);
        size_t bytes = valid ? stored_of(kind, row, expected) : 0, found_bytes = 0;
        if (validity != NULL)
            EXPECT(aimg_bitmap_get(payload + validity->offset, row) == valid);
        if (kind->expected_width == 0) {
            EXPECT_EQ_INT(aimg_group_copy(reader, table, values, row, found, sizeof found, &found_bytes, &error), AIMG_OK);
            EXPECT_EQ_UINT(found_bytes, bytes);
        } else {
            memset(found, 0, sizeof found);
            memcpy(found, payload + values->offset + (size_t)row * kind->expected_width, kind->expected_width);
            if (!valid)
                EXPECT(aimg_all_zero(found, kind->expected_width));
        }
        EXPECT_EQ_BYTES(found, expected, bytes);
    }
}

/* A RUN of so many rows, and after it another from the same stage. */
static void check_run(struct table_room *room, struct aimg_stage *stage, uint32_t rows)
{
    struct aimg_part part;
    struct aimg_table table;
    struct aimg_section sections[32];
    bool zstd = false;
    uint32_t first = stage->first;
    fill(stage, rows);
    REQUIRE(aimg_run_write(NULL, 0, stage, &room->out, &room->codecs, &part, &zstd, &error) == AIMG_OK);
    EXPECT(part.type == AIMG_FRAME_RUN && part.first == first && part.count == rows && stage->first == first + rows &&
           stage->rows == 0);
    REQUIRE(aimg_out_flush(&room->out, &error) == AIMG_OK && part.section_count <= 32);
    room->source.end = room->out.flushed;
    REQUIRE(aimg_table_open(&room->source, &part, sections, &table, &error) == AIMG_OK);
    EXPECT_EQ_INT(aimg_table_verify(&room->source, &table, 0, table.data_bytes, &error), AIMG_OK);
    uint8_t *payload = malloc((size_t)part.bytes);
    REQUIRE(payload != NULL && room->io.ops->read_at(&room->io, table.payload, payload, (size_t)part.bytes, &error) == AIMG_OK);
    EXPECT(table.ordered); /* so that a column is found by halving, however many there are */
    const struct aimg_section *entries = section(&table, AIMG_SECTION_ENTRIES, 0);
    for (uint32_t row = 0; row < rows; row++) {
        struct aimg_entry_record entry;
        aimg_entry_decode(payload + entries->offset + (size_t)row * AIMG_ENTRY_BYTES, &entry);
        EXPECT(entry.stored_bytes == row && entry.frame_offset == 8 * (AIMG_HEAD_BYTES + (uint64_t)row));
    }
    struct aimg_reader_caches caches = {.dictionaries = NULL};
    struct aimg_reader reader = {.source = room->source, .caches = &caches};
    aimg_codec_pool_init(&caches.codecs);
    for (uint32_t row = 0; row < rows; row++) {
        char name[32], found[32];
        size_t bytes, expected = (size_t)snprintf(name, sizeof name, "%.*s%u", (int)(row % 5), "dir/x", row);
        EXPECT_EQ_INT(aimg_group_copy(&reader, &table, section(&table, AIMG_SECTION_NAME_TEXT, 0), row, found, sizeof found,
                                      &bytes, &error),
                      AIMG_OK);
        EXPECT(bytes == expected && memcmp(name, found, bytes) == 0);
    }
    for (uint32_t k = 0; k < KINDS; k++)
        check_column(&reader, &table, &kinds[k], rows, payload);
    aimg_codec_pool_release(&caches.codecs);
    free(payload);
}

/* Values of rows that are there are changed, taken away and given later; what skips rows leaves nulls. */
static void check_changes(struct table_room *room, struct aimg_stage *stage)
{
    static const uint16_t rows[][2] = {{2, 500}, {4, 7}, {2, 9}, {0, 300}, {4, 0}, {1, 65535}, {1, 0}};
    uint16_t expected[6] = {300, 0, 9, 0, 0, 0};
    struct aimg_entry_record entry = {.frame_offset = 8 * AIMG_HEAD_BYTES, .header_units = 7};
    struct aimg_part part;
    struct aimg_table table;
    struct aimg_section sections[32];
    uint8_t payload[4096], text = 't';
    bool zstd = false;
    uint32_t number = 0, words = 0;
    while (kinds[number].record.type != AIMG_COLUMN_U16 || kinds[number].record.width != 1)
        number++;
    while (kinds[words].record.type != AIMG_COLUMN_UTF8)
        words++;
    for (uint32_t row = 0; row < 6; row++)
        REQUIRE(aimg_stage_row_add(stage, &entry, "n", 1));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) { /* 0: null */
        uint32_t row = rows[i][0];
        EXPECT(aimg_stage_value_fits(stage, number, row));
        REQUIRE(aimg_stage_value_set(stage, number, row, rows[i][1] == 0 ? NULL : &rows[i][1], 2));
    }
    EXPECT(aimg_stage_value_fits(stage, words, 3) && aimg_stage_value_set(stage, words, 3, &text, 1));
    EXPECT(!aimg_stage_value_fits(stage, words, 3) && !aimg_stage_value_fits(stage, words, 0) &&
           aimg_stage_value_fits(stage, words, 4));
    EXPECT(aimg_stage_value_put(stage, words, NULL, 0)); /* a text of no bytes, for the newest row */
    REQUIRE(aimg_run_write(NULL, 0, stage, &room->out, &room->codecs, &part, &zstd, &error) == AIMG_OK);
    REQUIRE(aimg_out_flush(&room->out, &error) == AIMG_OK && part.bytes <= sizeof payload);
    room->source.end = room->out.flushed;
    REQUIRE(aimg_table_open(&room->source, &part, sections, &table, &error) == AIMG_OK);
    REQUIRE(room->io.ops->read_at(&room->io, table.payload, payload, (size_t)part.bytes, &error) == AIMG_OK);
    const struct aimg_section *values = section(&table, AIMG_SECTION_VALUES, kinds[number].record.id);
    const struct aimg_section *validity = section(&table, AIMG_SECTION_VALIDITY, kinds[number].record.id);
    EXPECT(values->element_bytes == 2 && values->count == 6);
    host_order(expected, sizeof expected, sizeof expected[0]);
    EXPECT_EQ_BYTES(payload + values->offset, expected, sizeof expected);
    EXPECT_EQ_UINT(payload[validity->offset], 1 << 0 | 1 << 2);
    validity = section(&table, AIMG_SECTION_VALIDITY, kinds[words].record.id);
    EXPECT_EQ_UINT(payload[validity->offset], 1 << 3 | 1 << 5);
}

/* A value that is read back, of any kind: of the rows before it none is looked at but the last, so that many reads take no longer
 * than the values do. */
static void check_reading_back(struct aimg_stage *stage)
{
    fill(stage, ROWS);
    for (uint32_t k = 0; k < KINDS; k++) {
        uint32_t *ends = (uint32_t *)(void *)stage->columns[k].ends.data;
        for (uint32_t row = 0; row < stage->columns[k].rows; row++) {
            uint8_t expected[64];
            const uint8_t *stored;
            size_t bytes = 0;
            bool valid = has_value(&kinds[k], row);
            EXPECT(aimg_stage_value_get(stage, k, row, &stored, &bytes) == valid);
            if (valid && EXPECT_EQ_UINT(bytes, stored_of(&kinds[k], row, expected)) && bytes > 0)
                EXPECT_EQ_BYTES(stored, expected, bytes);
            if (kinds[k].expected_width == 0 && row > 0)
                ends[row - 1] = UINT32_MAX - row; /* nobody needs it any more */
        }
        EXPECT(stage->columns[k].rows > 0 || kinds[k].every == 0);
    }
    aimg_stage_empty(stage);
}

/* A thousand columns are taken one by one, as each batch does, without moving all of them for each. */
static void check_many_columns(void)
{
    struct counting counting = {.allocated = 0};
    struct aimg_stage stage = {.allocator = counting_allocator(&counting)};
    for (uint32_t id = 1; id <= AIMG_COLUMN_MAX; id++) {
        struct aimg_column_record record = {.id = id, .type = AIMG_COLUMN_U8, .width = 1};
        REQUIRE(aimg_stage_column_add(&stage, &record));
    }
    for (uint32_t i = 0; i < AIMG_COLUMN_MAX; i++)
        EXPECT(stage.columns[i].record.id == i + 1 && stage.columns[i].rows == 0 && stage.columns[i].values.data == NULL);
    EXPECT(stage.column_count == AIMG_COLUMN_MAX && counting.allocated < 20);
    aimg_stage_release(&stage);
    EXPECT_EQ_INT(counting.live, 0);
}

int main(void)
{
    struct table_room room;
    struct aimg_stage stage = {.first = 5};
    check_many_columns();
    table_room_open(&room);
    stage.allocator = room.out.allocator;
    for (uint32_t k = 0; k < KINDS; k++)
        REQUIRE(aimg_stage_column_add(&stage, &kinds[k].record));
    check_run(&room, &stage, ROWS);
    check_run(&room, &stage, 1); /* what the first had is forgotten */
    check_run(&room, &stage, 129);
    check_changes(&room, &stage);
    check_reading_back(&stage);
    aimg_stage_release(&stage);
    table_room_close(&room);
    return test_end("test_stage");
}
