/* SPDX-License-Identifier: Apache-2.0 */
/* Reading where images lie in several runs and names in several tables: the short paths and the long ones say the same, and no
 * damage of an index makes them say that a name is not there. */
#include "random.h"
#include "reader.h"
#include "sample.h"
#include "test.h"
#include "writer.h"

enum { COMMITS = 4, IMAGES = 600 + 70 + 9 + 1, WAYS = 3 };
/* Each of a lower level than the one before: none is merged. */
static const uint32_t commit_images[COMMITS] = {600, 70, 9, 1};

static struct aimg_error error;
static const char *path;
static uint8_t *bytes;
static size_t byte_count;
static bool dead[IMAGES];

static size_t name_of(uint32_t k, char name[32])
{
    return (size_t)snprintf(name, 32, "dir/%u.jpg", k);
}

static void add_image(struct aimg_writer *writer, uint32_t k, uint32_t flags)
{
    char name[32];
    struct aimg_image image = {.struct_bytes = sizeof image,
                               .name = name,
                               .data = &k,
                               .data_bytes = sizeof k,
                               .flags = flags,
                               .name_bytes = name_of(k, name)};
    REQUIRE(aimg_writer_add(writer, &image, NULL, &error) == AIMG_OK);
}

/* run_rows: 0 as it is. trouble: the last image is an attachment, and images of the second commit are removed. */
static void make(const char *file, uint32_t run_rows, bool trouble)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer;
    uint32_t k = 0;
    path = sample_path(file);
    memset(dead, 0, sizeof dead);
    options.flags = 0; /* with hints */
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    writer->run_rows = run_rows > 0 ? run_rows : writer->run_rows;
    for (unsigned commit = 0; commit < COMMITS; commit++) {
        for (uint32_t end = k + commit_images[commit]; k < end; k++)
            add_image(writer, k, trouble && k == IMAGES - 1 ? AIMG_ADD_ATTACHMENT : 0);
        REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    }
    for (k = 600; trouble && k < 670; k += 7) {
        REQUIRE(aimg_writer_remove(writer, k, &error) == AIMG_OK);
        dead[k] = true;
    }
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    free(bytes);
    bytes = sample_load(path, &byte_count);
    REQUIRE(bytes != NULL);
}

/* 0: a map, 1: without, 2: bytes in memory. */
static struct aimg_reader *open_way(unsigned way)
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .flags = way == 1 ? AIMG_READER_NO_MAP : 0};
    struct aimg_reader *reader = NULL;
    enum aimg_status status = way == 2 ? aimg_reader_open_memory(bytes, byte_count, &options, &reader, &error)
                                       : aimg_reader_open(path, &options, &reader, &error);
    REQUIRE(status == AIMG_OK);
    return reader;
}

/* ------------------------------------------------------------------ all ways say the same */

static bool holds(const struct aimg_bytes *found, uint32_t k)
{
    return found->bytes == sizeof k && found->ordinal == k && memcmp(found->data, &k, sizeof k) == 0;
}

static void check_borrowed(const struct aimg_reader *reader, uint32_t k, enum aimg_status wanted)
{
    struct aimg_bytes one;
    char name[32];
    size_t name_bytes = name_of(k, name);
    EXPECT_EQ_INT(aimg_reader_borrow(reader, k, 0, &one, &error), wanted);
    EXPECT(wanted != AIMG_OK || holds(&one, k));
    EXPECT_EQ_INT(aimg_reader_borrow(reader, k, AIMG_READ_VERIFY, &one, &error), wanted);
    EXPECT(wanted != AIMG_OK || holds(&one, k));
    EXPECT_EQ_INT(aimg_reader_borrow_name(reader, name, name_bytes, 0, &one, &error), wanted);
    EXPECT(wanted != AIMG_OK || holds(&one, k));
}

static void check_batches(const struct aimg_reader *reader)
{
    static struct aimg_bytes by_number[IMAGES], by_name[IMAGES];
    static struct aimg_name names[IMAGES];
    static char texts[IMAGES][32];
    uint32_t ordinals[IMAGES];
    for (uint32_t i = 0; i < IMAGES; i++) {
        ordinals[i] = (i * 7 + 3) % IMAGES;
        names[i] = (struct aimg_name){texts[i], name_of(ordinals[i], texts[i])};
    }
    (void)aimg_reader_borrow_batch(reader, ordinals, IMAGES, 0, by_number, &error);
    (void)aimg_reader_borrow_names(reader, names, IMAGES, 0, by_name, &error);
    for (uint32_t i = 0; i < IMAGES; i++) {
        enum aimg_status wanted = dead[ordinals[i]] ? AIMG_NOT_FOUND : AIMG_OK;
        EXPECT_EQ_INT(by_number[i].status, wanted);
        EXPECT_EQ_INT(by_name[i].status, wanted);
        EXPECT(wanted != AIMG_OK || (holds(&by_number[i], ordinals[i]) && holds(&by_name[i], ordinals[i])));
    }
}

/* The short path knows the entry of every image, but where a mask must be asked, or where there are too many runs. */
static void check_entry(const struct aimg_reader *reader, uint32_t k)
{
    const struct aimg_run *run = &reader->catalog.runs[aimg_catalog_run(&reader->catalog, k)];
    bool known = reader->hot.base != NULL && run->mask_table == NULL && reader->catalog.run_count <= AIMG_HOT_RUNS;
    const uint8_t *wanted = known ? reader->hot.base + run->entries_offset + (size_t)(k - run->first) * AIMG_ENTRY_BYTES : NULL;
    EXPECT(aimg_hot_entry(&reader->hot, k) == wanted);
}

static void check_all(uint32_t runs_least, uint32_t runs_most)
{
    for (unsigned way = 0; way < WAYS; way++) {
        struct aimg_reader *reader = open_way(way);
        struct aimg_info info = {.struct_bytes = sizeof info};
        uint32_t ordinal;
        REQUIRE(aimg_reader_info(reader, &info, &error) == AIMG_OK);
        EXPECT(info.run_count >= runs_least && info.run_count <= runs_most && info.name_run_count == COMMITS);
        for (uint32_t k = 0; k < IMAGES; k++) {
            char name[32];
            enum aimg_status wanted = dead[k] ? AIMG_NOT_FOUND : AIMG_OK;
            EXPECT_EQ_INT(aimg_reader_find(reader, name, name_of(k, name), &ordinal, &error), wanted);
            EXPECT(wanted != AIMG_OK || ordinal == k);
            check_entry(reader, k);
            if (way != 1)
                check_borrowed(reader, k, wanted);
        }
        if (way != 1)
            check_batches(reader);
        struct aimg_bytes one;
        EXPECT_EQ_INT(aimg_reader_find(reader, "dir/no.jpg", 10, &ordinal, &error), AIMG_NOT_FOUND);
        EXPECT_EQ_INT(aimg_reader_borrow(reader, IMAGES, 0, &one, &error), way == 1 ? AIMG_SEQUENCE : AIMG_NOT_FOUND);
        EXPECT_EQ_INT(aimg_reader_borrow(reader, UINT32_MAX, 0, &one, &error), way == 1 ? AIMG_SEQUENCE : AIMG_NOT_FOUND);
        aimg_reader_close(reader);
    }
}

/* ------------------------------------------------------------------ damage */

/* Offset in the file of the slot of an image. */
static uint64_t slot_place(const struct aimg_reader *reader, uint32_t k)
{
    for (uint32_t i = 0; i < reader->catalog.names_count; i++) {
        const struct aimg_table *table = &reader->catalog.tables[reader->catalog.names_first + i];
        const struct aimg_section *slots = &table->sections[0];
        for (uint64_t slot = 0; slot < slots->count; slot++) {
            uint64_t place = table->payload + slots->offset + slot * AIMG_NAME_SLOT_BYTES;
            if (!aimg_name_slot_empty(bytes + place) && aimg_load32(bytes + place + 8) == k)
                return place;
        }
    }
    REQUIRE(k == AIMG_NO_ORDINAL); /* every image has a slot */
    return 0;
}

static void expect_no_lie(enum aimg_status status, uint32_t ordinal, uint32_t k)
{
    EXPECT(status == AIMG_CHECKSUM || status == AIMG_CORRUPT || (status == AIMG_OK && ordinal == k));
}

/* A reader with a damaged slot finds the image or says that it cannot know; a writer does not take the name for a free one. */
static void check_damaged(uint32_t k)
{
    char name[32];
    size_t name_bytes = name_of(k, name);
    uint32_t ordinal = 0;
    for (unsigned way = 0; way < WAYS; way++) {
        struct aimg_reader *reader = open_way(way);
        struct aimg_bytes one = {.ordinal = 0};
        struct aimg_name wanted = {name, name_bytes};
        enum aimg_status status = aimg_reader_find(reader, name, name_bytes, &ordinal, &error);
        expect_no_lie(status, ordinal, k);
        if (way != 1) {
            status = aimg_reader_borrow_name(reader, name, name_bytes, 0, &one, &error);
            expect_no_lie(status, one.ordinal, k);
            status = aimg_reader_borrow_names(reader, &wanted, 1, 0, &one, &error);
            expect_no_lie(status, one.ordinal, k);
        }
        aimg_reader_close(reader);
    }
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer;
    REQUIRE(aimg_writer_open(path, &options, &writer, &error) == AIMG_OK);
    enum aimg_status status = sample_add(writer, name, 1, 0, NULL, &error);
    EXPECT(status == AIMG_EXISTS || status == AIMG_CHECKSUM || status == AIMG_CORRUPT);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
}

static void check_damaged_slots(void)
{
    struct aimg_reader *reader = open_way(0);
    uint64_t random = 5;
    for (uint32_t k = 0; k < IMAGES; k += k < 600 ? 41 : 3) {
        uint64_t place = slot_place(reader, k) + random_below(&random, AIMG_NAME_SLOT_BYTES);
        uint8_t bit = (uint8_t)(1u << random_below(&random, 8));
        bytes[place] ^= bit;
        REQUIRE(sample_store(path, bytes, byte_count));
        check_damaged(k);
        bytes[place] ^= bit;
    }
    REQUIRE(sample_store(path, bytes, byte_count));
    aimg_reader_close(reader);
}

/* What proves a "no" is damaged itself. */
static void check_damaged_lists(void)
{
    struct aimg_reader *reader = open_way(0);
    for (uint32_t i = 0; i < reader->catalog.names_count; i++) {
        const struct aimg_table *table = &reader->catalog.tables[reader->catalog.names_first + i];
        struct aimg_writer_options options = sample_writer_options();
        struct aimg_writer *writer;
        uint32_t ordinal;
        bytes[table->payload + table->data_bytes] ^= 1;
        REQUIRE(sample_store(path, bytes, byte_count));
        for (unsigned way = 0; way < WAYS; way++) {
            struct aimg_reader *damaged = open_way(way);
            EXPECT_EQ_INT(aimg_reader_find(damaged, "dir/no.jpg", 10, &ordinal, &error), AIMG_CHECKSUM);
            EXPECT_EQ_INT(aimg_reader_find(damaged, "dir/5.jpg", 9, &ordinal, &error), AIMG_OK);
            aimg_reader_close(damaged);
        }
        REQUIRE(aimg_writer_open(path, &options, &writer, &error) == AIMG_OK);
        EXPECT_EQ_INT(sample_add(writer, "dir/no.jpg", 1, 0, NULL, &error), AIMG_CHECKSUM);
        EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
        bytes[table->payload + table->data_bytes] ^= 1;
    }
    aimg_reader_close(reader);
}

int main(void)
{
    make("several.aimg", 0, false);
    check_all(COMMITS, COMMITS);
    check_damaged_slots();
    check_damaged_lists();
    make("trouble.aimg", 0, true);
    check_all(COMMITS, COMMITS);
    make("many.aimg", 16, false);
    check_all(AIMG_HOT_RUNS + 1, IMAGES / 16 + COMMITS);
    make("many-trouble.aimg", 64, true);
    check_all(COMMITS, AIMG_HOT_RUNS);
    free(bytes);
    return test_end("test_shortcuts");
}
