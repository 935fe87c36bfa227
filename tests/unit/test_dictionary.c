/* SPDX-License-Identifier: Apache-2.0 */
/* Dictionaries: codes in order of arrival, the same text the same code; written, loaded again, and whole again after memory ran
 * out. */
#include "dictionary.h"
#include "group_writer.h"
#include "random.h"
#include "table_room.h"

enum { TEXTS = 3000 };

static struct aimg_error error;

/* Text number i: some empty, some alike, some long. */
static size_t text_of(uint32_t i, char text[80])
{
    if (i == 5)
        return 0;
    if (i == 6) {
        memcpy(text, "a\0b", 3);
        return 3;
    }
    return (size_t)snprintf(text, 80, "%.*slabel %u", (int)(i % 40), "########################################", i);
}

static void check_codes(const struct aimg_allocator *allocator, struct aimg_dictionary *dictionary, uint32_t count)
{
    char text[80];
    uint32_t code;
    for (uint32_t i = 0; i < count; i++) {
        EXPECT(aimg_dictionary_code(allocator, dictionary, text, text_of(i, text), &code));
        EXPECT_EQ_UINT(code, i);
    }
    EXPECT_EQ_UINT(aimg_dictionary_count(dictionary), count);
}

/* A reader that has just the tables of a dictionary. */
struct archive {
    struct aimg_reader reader;
    struct aimg_reader_caches caches;
    struct aimg_table tables[2];
    struct aimg_section sections[2][1];
};

static void open_tables(struct table_room *room, struct archive *archive, const struct aimg_part *parts, uint32_t count)
{
    *archive = (struct archive){.reader = {.source = room->source}};
    aimg_codec_pool_init(&archive->caches.codecs);
    archive->reader.caches = &archive->caches;
    archive->reader.catalog.tables = archive->tables;
    archive->reader.catalog.table_count = count;
    REQUIRE(aimg_out_flush(&room->out, &error) == AIMG_OK);
    archive->reader.source.end = room->source.end = room->out.flushed;
    for (uint32_t i = 0; i < count; i++)
        REQUIRE(aimg_table_open(&room->source, &parts[i], archive->sections[i], &archive->tables[i], &error) == AIMG_OK);
}

static void check_stored(void)
{
    struct table_room room;
    struct archive archive;
    struct aimg_dictionary dictionary = {.set = NULL}, loaded = {.set = NULL};
    struct aimg_part parts[2];
    bool zstd = false;
    table_room_open(&room);
    const struct aimg_allocator *allocator = &room.out.allocator;
    check_codes(allocator, &dictionary, TEXTS);
    check_codes(allocator, &dictionary, TEXTS); /* the same again */
    /* In two tables, as two commits would. */
    uint32_t cut = 1234;
    struct aimg_dictionary head = {.set = NULL};
    check_codes(allocator, &head, cut);
    REQUIRE(aimg_dictionary_write(&head, 4, 0, &room.out, &room.codecs, &parts[0], &zstd, &error) == AIMG_OK);
    REQUIRE(aimg_dictionary_write(&dictionary, 4, cut, &room.out, &room.codecs, &parts[1], &zstd, &error) == AIMG_OK);
    EXPECT(parts[0].type == AIMG_FRAME_VALUES && parts[0].column == 4 && parts[0].first == 0 && parts[0].count == cut);
    EXPECT(parts[1].first == cut && parts[1].count == TEXTS - cut && zstd);
    open_tables(&room, &archive, parts, 2);
    /* Memory runs out at every place; after that it loads as if nothing had been. */
    for (unsigned long long n = 1;; n++) {
        room.counting.fail_at = room.counting.allocated + n;
        enum aimg_status status = aimg_dictionary_load(&loaded, &archive.reader, 4, &error);
        room.counting.fail_at = 0;
        EXPECT(status == AIMG_OUT_OF_MEMORY || status == AIMG_OK);
        EXPECT_EQ_INT(loaded.loaded, status == AIMG_OK);
        if (status != AIMG_OUT_OF_MEMORY)
            break;
    }
    EXPECT_EQ_UINT(loaded.committed, TEXTS);
    check_codes(allocator, &loaded, TEXTS);
    EXPECT_EQ_INT(aimg_dictionary_load(&loaded, &archive.reader, 4, &error), AIMG_OK); /* once */
    aimg_dictionary_release(allocator, &dictionary);
    aimg_dictionary_release(allocator, &head);
    aimg_dictionary_release(allocator, &loaded);
    aimg_codec_pool_release(&archive.caches.codecs);
    table_room_close(&room);
}

/* A table that holds a text twice is not one that a writer may go on from. */
static void check_twice(void)
{
    struct table_room room;
    struct archive archive;
    struct aimg_dictionary loaded = {.set = NULL};
    struct aimg_table_writer table;
    struct aimg_part part;
    uint32_t lengths[3] = {2, 2, 2};
    bool zstd = false;
    table_room_open(&room);
    REQUIRE(aimg_table_writer_begin(&table, &room.out, AIMG_FRAME_VALUES, 4, 0, 3, &error) == AIMG_OK);
    REQUIRE(aimg_group_writer_section(&table, &room.codecs, AIMG_SECTION_GROUPS, 4, lengths, (const uint8_t *)"abcdab", 3, &zstd,
                                      &error) == AIMG_OK);
    REQUIRE(aimg_table_writer_end(&table, &part, &error) == AIMG_OK);
    open_tables(&room, &archive, &part, 1);
    EXPECT_EQ_INT(aimg_dictionary_load(&loaded, &archive.reader, 4, &error), AIMG_CORRUPT);
    EXPECT(!loaded.loaded);
    aimg_dictionary_release(&room.out.allocator, &loaded);
    aimg_codec_pool_release(&archive.caches.codecs);
    table_room_close(&room);
}

int main(void)
{
    check_stored();
    check_twice();
    return test_end("test_dictionary");
}
