/* SPDX-License-Identifier: Apache-2.0 */
/* Tables: written in pieces, opened, verified block by block; groups of texts; every byte is covered. */
#include "error.h"
#include "frame.h"
#include "group_writer.h"
#include "random.h"
#include "reader.h"
#include "table_room.h"

static struct aimg_error error;

static uint64_t bytes_of(uint64_t seed, uint8_t *out, size_t bytes)
{
    uint64_t random = seed;
    random_fill(&random, out, bytes);
    return random;
}

/* A COLUMN table of one section with `rows` bytes. */
static struct aimg_part write_table(struct table_room *room, uint32_t rows, const uint8_t *data)
{
    struct aimg_table_writer writer;
    struct aimg_part part;
    struct aimg_section section = {.kind = AIMG_SECTION_VALUES, .element_bytes = 1, .column = 3, .count = rows};
    uint64_t random = rows;
    REQUIRE(aimg_table_writer_begin(&writer, &room->out, AIMG_FRAME_COLUMN, 0, 10, rows, &error) == AIMG_OK);
    for (size_t at = 0; at < rows;) {
        size_t piece = 1 + (size_t)random_below(&random, rows - at);
        REQUIRE(aimg_table_writer_add(&writer, data + at, piece, &error) == AIMG_OK);
        at += piece;
    }
    REQUIRE(aimg_table_writer_section(&writer, section, &error) == AIMG_OK);
    REQUIRE(aimg_table_writer_end(&writer, &part, &error) == AIMG_OK);
    return part;
}

static void check_sizes(void)
{
    static const uint32_t sizes[] = {1, 63, 64, 65, 4095, 4096, 4097, 8192, 20000, 300000};
    uint8_t *data = malloc(300000), *read = malloc(300000);
    struct table_room room;
    struct aimg_table table;
    table_room_open(&room);
    REQUIRE(data != NULL && read != NULL);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        (void)bytes_of(i, data, sizes[i]);
        struct aimg_part part = write_table(&room, sizes[i], data);
        EXPECT(part.type == AIMG_FRAME_COLUMN && part.first == 10 && part.count == sizes[i] && part.section_count == 1);
        EXPECT_EQ_UINT(aimg_part_payload(&part) % AIMG_TABLE_ALIGN, 0);
        REQUIRE(table_room_table(&room, &part, &table, &error) == AIMG_OK);
        const struct aimg_section *section = aimg_table_section(&table, AIMG_SECTION_VALUES, 3);
        REQUIRE(section != NULL);
        EXPECT(section->bytes == sizes[i] && aimg_table_section(&table, AIMG_SECTION_VALUES, 4) == NULL &&
               aimg_table_section(&table, AIMG_SECTION_VALIDITY, 3) == NULL);
        EXPECT_EQ_INT(aimg_table_verify(&room.source, &table, 0, table.data_bytes, &error), AIMG_OK);
        EXPECT_EQ_INT(room.io.ops->read_at(&room.io, table.payload + section->offset, read, sizes[i], &error), AIMG_OK);
        EXPECT_EQ_BYTES(read, data, sizes[i]);
        /* The frame around it is whole. */
        struct aimg_frame_view view;
        EXPECT_EQ_INT(aimg_frame_read(&room.source, part.offset, &view, &error), AIMG_OK);
        EXPECT(view.frame.type == AIMG_FRAME_COLUMN && view.frame.stored_bytes == part.bytes);
    }
    free(data);
    free(read);
    table_room_close(&room);
}

static void flip(struct table_room *room, uint64_t offset)
{
    uint8_t byte;
    REQUIRE(room->io.ops->read_at(&room->io, offset, &byte, 1, &error) == AIMG_OK);
    byte ^= 8;
    REQUIRE(room->io.ops->write_at(&room->io, offset, &byte, 1, NULL, 0, &error) == AIMG_OK);
}

/* A turned bit anywhere in the payload: found when the table is opened, or when its block is verified; and no other block
 * suffers. */
static void check_flips(void)
{
    enum { ROWS = 9000 };
    uint8_t data[ROWS];
    struct table_room room;
    struct aimg_table table;
    table_room_open(&room);
    (void)bytes_of(1, data, sizeof data);
    struct aimg_part part = write_table(&room, ROWS, data);
    REQUIRE(table_room_table(&room, &part, &table, &error) == AIMG_OK);
    uint64_t list = table.data_bytes, tail = part.bytes - aimg_table_tail_bytes(1);
    for (uint64_t at = 0; at < part.bytes; at += 7) {
        flip(&room, table.payload + at);
        struct aimg_table changed;
        enum aimg_status status = aimg_table_open(&room.source, &part, room.sections, &changed, &error);
        EXPECT_EQ_INT(status, at >= tail ? AIMG_CHECKSUM : AIMG_OK);
        for (uint64_t block = 0; status == AIMG_OK && block < 3; block++) {
            bool bad = at >= list || at / AIMG_BLOCK_BYTES == block; /* a damaged list serves no block */
            status = aimg_table_verify(&room.source, &changed, block * AIMG_BLOCK_BYTES, 100, &error);
            EXPECT_EQ_INT(status, bad ? AIMG_CHECKSUM : AIMG_OK);
            EXPECT(status == AIMG_OK || error.rule == 40);
            status = AIMG_OK;
        }
        flip(&room, table.payload + at);
    }
    /* Spans that touch two blocks need both. */
    flip(&room, table.payload + AIMG_BLOCK_BYTES);
    REQUIRE(aimg_table_open(&room.source, &part, room.sections, &table, &error) == AIMG_OK);
    EXPECT_EQ_INT(aimg_table_verify(&room.source, &table, AIMG_BLOCK_BYTES - 1, 1, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_table_verify(&room.source, &table, AIMG_BLOCK_BYTES - 1, 2, &error), AIMG_CHECKSUM);
    EXPECT_EQ_INT(aimg_table_verify(&room.source, &table, 2 * AIMG_BLOCK_BYTES, 1, &error), AIMG_OK);
    table_room_close(&room);
}

/* What ROOT says of a table must be so. */
static void check_parts(void)
{
    uint8_t data[100] = {0};
    struct table_room room;
    struct aimg_table table;
    table_room_open(&room);
    struct aimg_part part = write_table(&room, sizeof data, data), wrong = part;
    REQUIRE(table_room_table(&room, &part, &table, &error) == AIMG_OK);
    wrong.first++;
    EXPECT_EQ_INT(table_room_table(&room, &wrong, &table, &error), AIMG_CHECKSUM);
    EXPECT_EQ_UINT(error.rule, 41);
    wrong = part;
    wrong.type = AIMG_FRAME_RUN;
    EXPECT_EQ_INT(table_room_table(&room, &wrong, &table, &error), AIMG_CHECKSUM);
    wrong = part;
    wrong.section_count = 0;
    EXPECT_EQ_INT(table_room_table(&room, &wrong, &table, &error), AIMG_CHECKSUM);
    wrong = part;
    wrong.bytes -= 64;
    EXPECT_EQ_INT(table_room_table(&room, &wrong, &table, &error), AIMG_CHECKSUM);
    wrong = part;
    wrong.bytes += 1 << 20; /* past the end */
    EXPECT_EQ_INT(table_room_table(&room, &wrong, &table, &error), AIMG_CORRUPT);
    EXPECT_EQ_UINT(error.rule, 12);
    table_room_close(&room);
}

/* ------------------------------------------------------------------ groups */

/* Texts in groups, through aimg_group_find and aimg_group_value, against what was put in. */
static void check_texts(uint32_t count, size_t longest, bool packable)
{
    uint64_t random = count + longest;
    uint32_t *lengths = malloc(count * sizeof *lengths);
    uint8_t *texts = malloc(count * longest + 1);
    uint64_t *begins = malloc(count * sizeof *begins), total = 0;
    struct table_room room;
    struct aimg_table_writer writer;
    struct aimg_part part;
    struct aimg_table table;
    bool zstd = false;
    table_room_open(&room);
    REQUIRE(lengths != NULL && texts != NULL && begins != NULL);
    for (uint32_t i = 0; i < count; i++) {
        lengths[i] = (uint32_t)random_below(&random, longest + 1);
        begins[i] = total;
        total += lengths[i];
    }
    random_fill(&random, texts, (size_t)total);
    if (packable)
        memset(texts, 'p', (size_t)total);
    REQUIRE(aimg_table_writer_begin(&writer, &room.out, AIMG_FRAME_VALUES, 3, 0, count, &error) == AIMG_OK);
    REQUIRE(aimg_group_writer_section(&writer, &room.codecs, AIMG_SECTION_GROUPS, 3, lengths, texts, count, &zstd, &error) ==
            AIMG_OK);
    REQUIRE(aimg_table_writer_end(&writer, &part, &error) == AIMG_OK);
    EXPECT(packable ? zstd : count > 1 || !zstd); /* lengths of many random texts may still be packed */
    REQUIRE(table_room_table(&room, &part, &table, &error) == AIMG_OK);
    const struct aimg_section *section = aimg_table_section(&table, AIMG_SECTION_GROUPS, 3);
    struct aimg_reader_caches caches = {.dictionaries = NULL};
    struct aimg_reader reader = {.source = room.source, .caches = &caches};
    aimg_codec_pool_init(&caches.codecs);
    EXPECT_EQ_UINT(section->raw_bytes, total + 4 * (uint64_t)count);
    uint8_t *value = test_guarded(longest);
    for (uint32_t row = 0; row < count; row += 1 + count / 300) {
        size_t bytes = 0;
        EXPECT_EQ_INT(aimg_group_copy(&reader, &table, section, row, value, longest, &bytes, &error), AIMG_OK);
        EXPECT_EQ_UINT(bytes, lengths[row]);
        EXPECT_EQ_BYTES(value, texts + begins[row], lengths[row]);
        if (lengths[row] > 0)
            EXPECT_EQ_INT(aimg_group_copy(&reader, &table, section, row, value, lengths[row] - 1u, &bytes, &error),
                          AIMG_BUFFER_TOO_SMALL);
        EXPECT_EQ_UINT(bytes, lengths[row]);
    }
    size_t bytes = 0;
    EXPECT_EQ_INT(aimg_group_copy(&reader, &table, section, count, value, longest, &bytes, &error), AIMG_NOT_FOUND);
    reader.source.limits.index_bytes = 3;
    EXPECT_EQ_INT(aimg_group_copy(&reader, &table, section, 0, value, longest, &bytes, &error), AIMG_LIMIT);
    aimg_codec_pool_release(&caches.codecs);
    free(lengths);
    free(texts);
    free(begins);
    table_room_close(&room);
}

/* ------------------------------------------------------------------ sections */

/* Each section is found, and none that is not there, in whatever order they stand. */
static void check_sections(void)
{
    enum { COUNT = 400 };
    static struct aimg_section sections[COUNT];
    struct aimg_table table = {.section_count = COUNT, .sections = sections};
    uint64_t random = 3;
    for (uint32_t i = 0; i < COUNT; i++) /* two for each odd column */
        sections[i] = (struct aimg_section){.kind = i % 2 == 0 ? AIMG_SECTION_VALUES : AIMG_SECTION_VALIDITY,
                                            .column = i / 2 * 2 + 1};
    for (unsigned round = 0; round < 2; round++) {
        table.ordered = aimg_sections_ordered(sections, COUNT);
        EXPECT_EQ_INT(table.ordered, round == 0);
        for (uint32_t column = 0; column < COUNT + 3; column++) {
            for (unsigned kind = AIMG_SECTION_ENTRIES; kind <= AIMG_SECTION_CONTENT_SLOTS; kind++) {
                const struct aimg_section *found = aimg_table_section(&table, kind, column);
                bool there = column % 2 == 1 && column < COUNT && (kind == AIMG_SECTION_VALUES || kind == AIMG_SECTION_VALIDITY);
                EXPECT((found != NULL) == there && (found == NULL || (found->kind == kind && found->column == column)));
            }
        }
        for (uint32_t i = COUNT - 1; i > 0; i--) {
            uint32_t other = (uint32_t)random_below(&random, i + 1);
            struct aimg_section section = sections[i];
            sections[i] = sections[other];
            sections[other] = section;
        }
    }
}

/* ------------------------------------------------------------------ what a value costs */

enum { MANY_GROUPS = 2048, RECORD_BLOCKS = MANY_GROUPS * AIMG_GROUP_RECORD_BYTES / AIMG_BLOCK_BYTES };

static uint64_t bytes_read, damaged_at; /* offset in the file; 0: none */
static const struct aimg_io_ops *real_ops;

static enum aimg_status counting_read(struct aimg_io *io, uint64_t offset, void *buffer, size_t bytes, struct aimg_error *out)
{
    bytes_read += bytes;
    enum aimg_status status = real_ops->read_at(io, offset, buffer, bytes, out);
    if (damaged_at >= offset && damaged_at - offset < bytes)
        ((uint8_t *)buffer)[damaged_at - offset] ^= 0x40;
    return status;
}

/* A value of a section of many groups: the search reads some records, and verified are the blocks of one record and of the group,
 * not all records. Damage of a record never gives another value: rows of its group and of the next are refused. */
static void check_search(void)
{
    static uint8_t text[AIMG_GROUP_TARGET_BYTES], value[AIMG_GROUP_TARGET_BYTES];
    struct table_room room;
    struct aimg_table_writer writer;
    struct aimg_group_writer groups;
    struct aimg_part part;
    struct aimg_table table;
    bool zstd = false;
    size_t bytes;
    table_room_open(&room);
    REQUIRE(aimg_table_writer_begin(&writer, &room.out, AIMG_FRAME_VALUES, 3, 0, MANY_GROUPS, &error) == AIMG_OK);
    aimg_group_writer_begin(&groups, &writer, &room.codecs, AIMG_SECTION_GROUPS, 3);
    for (uint32_t row = 0; row < MANY_GROUPS; row++) {
        memcpy(text, &row, sizeof row);
        REQUIRE(aimg_group_writer_add(&groups, text, sizeof text, &error) == AIMG_OK);
    }
    REQUIRE(aimg_group_writer_end(&groups, &zstd, &error) == AIMG_OK);
    REQUIRE(aimg_table_writer_end(&writer, &part, &error) == AIMG_OK);
    REQUIRE(table_room_table(&room, &part, &table, &error) == AIMG_OK);
    const struct aimg_section *section = aimg_table_section(&table, AIMG_SECTION_GROUPS, 3);
    REQUIRE(section->extra == MANY_GROUPS);
    struct aimg_io_ops ops = *room.io.ops;
    real_ops = room.io.ops;
    ops.read_at = counting_read;
    room.io.ops = &ops;
    struct aimg_reader_caches caches = {.dictionaries = NULL};
    struct aimg_reader reader = {.source = room.source, .caches = &caches};
    aimg_codec_pool_init(&caches.codecs);
    EXPECT_EQ_INT(aimg_table_verify(&reader.source, &table, 0, 0, &error), AIMG_OK); /* the hash list, once */
    for (uint32_t row = 0; row < MANY_GROUPS; row += 7) {
        bytes_read = 0;
        EXPECT_EQ_INT(aimg_group_copy(&reader, &table, section, row, value, sizeof value, &bytes, &error), AIMG_OK);
        EXPECT(bytes == sizeof value && memcmp(value, &row, sizeof row) == 0);
        EXPECT(bytes_read < (RECORD_BLOCKS / 2 + 1) * (uint64_t)AIMG_BLOCK_BYTES);
    }
    for (uint32_t k = 0; k < MANY_GROUPS * AIMG_GROUP_RECORD_BYTES; k += 509) {
        uint32_t record = k / AIMG_GROUP_RECORD_BYTES, first = record < 5 ? 0 : record - 5;
        damaged_at = table.payload + section->offset + section->bytes - MANY_GROUPS * AIMG_GROUP_RECORD_BYTES + k;
        for (uint32_t row = first; row < first + 12 && row < MANY_GROUPS; row++) {
            enum aimg_status status = aimg_group_copy(&reader, &table, section, row, value, sizeof value, &bytes, &error);
            EXPECT(status == AIMG_CHECKSUM || (status == AIMG_OK && row != record && row != record + 1));
            EXPECT(status != AIMG_OK || memcmp(value, &row, sizeof row) == 0);
        }
    }
    damaged_at = 0;
    room.io.ops = real_ops;
    aimg_codec_pool_release(&caches.codecs);
    table_room_close(&room);
}

int main(void)
{
    check_sizes();
    check_flips();
    check_parts();
    check_texts(1, 1, false);
    check_texts(1, 300000, true);
    check_texts(1, 300000, false);
    check_texts(5000, 20, true);
    check_texts(5000, 50, false);
    check_texts(30000, 60, false);
    check_texts(40, 70000, false); /* most values are a group of their own */
    check_texts(2000, 0, true);
    check_search();
    check_sections();
    return test_end("test_table_writer");
}
