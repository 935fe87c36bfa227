/* SPDX-License-Identifier: Apache-2.0 */
/* ROOT and the tables that it names, as an attacker would write them: all checksums right, one number wrong. */
#include "catalog.h"
#include "checksum.h"
#include "random.h"
#include "resign.h"
#include "sample.h"
#include "test.h"

static uint8_t *archive, *copy;
static size_t archive_bytes;
static uint8_t *page, *root, *parts, *columns; /* of copy: the last commit and what its ROOT holds */
static uint32_t part_count;
static struct aimg_error error;

/* Two runs, a mask, columns of three kinds, several tables of names. */
static void make(void)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer;
    uint32_t ids[3], number = 7;
    REQUIRE(aimg_writer_create(sample_path("a"), &options, &writer, &error) == AIMG_OK);
    REQUIRE(aimg_writer_column(writer, "count", AIMG_TYPE_U32, 1, 0, &ids[0], &error) == AIMG_OK);
    REQUIRE(aimg_writer_column(writer, "label", AIMG_TYPE_DICTIONARY, 1, 0, &ids[1], &error) == AIMG_OK);
    REQUIRE(aimg_writer_column(writer, "note", AIMG_TYPE_UTF8, 1, 0, &ids[2], &error) == AIMG_OK);
    for (uint32_t i = 0; i < 40; i++) {
        char name[16];
        struct aimg_value values[3] = {{.column = ids[0], .data = &number, .bytes = 4},
                                       {.column = ids[1], .data = i % 2 == 0 ? "cat" : "dog", .bytes = 3},
                                       {.column = ids[2], .data = "text", .bytes = i % 5}};
        struct aimg_image image = {
            .struct_bytes = sizeof image, .name = name, .data = "data", .data_bytes = 4, .values = values, .value_count = 3};
        image.name_bytes = (size_t)snprintf(name, sizeof name, "%u", i);
        REQUIRE(aimg_writer_add(writer, &image, NULL, &error) == AIMG_OK);
        if (i == 30)
            REQUIRE(aimg_writer_remove(writer, 3, &error) == AIMG_OK);
        if (i == 29 || i == 38 || i == 39)
            REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    }
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    archive = sample_load(sample_path("a"), &archive_bytes);
    copy = malloc(archive_bytes);
    REQUIRE(archive != NULL && copy != NULL);
}

static void fresh(void)
{
    memcpy(copy, archive, archive_bytes);
    page = copy + archive_bytes - AIMG_PAGE_BYTES;
    root = copy + aimg_load64(page + 136) + AIMG_FRAME_BYTES;
    parts = root + AIMG_ROOT_HEAD_BYTES;
    part_count = aimg_load32(root + 8);
    columns = parts + (size_t)part_count * AIMG_PART_BYTES;
}

/* The first part of a type, or the one after it. */
static uint8_t *part(unsigned type, unsigned which)
{
    for (uint32_t i = 0; i < part_count; i++)
        if (parts[(size_t)i * AIMG_PART_BYTES] == type && which-- == 0)
            return parts + (size_t)i * AIMG_PART_BYTES;
    bool there = false;
    REQUIRE(there);
    return NULL;
}

static uint8_t *footer_of(const uint8_t *record)
{
    return copy + aimg_load64(record + 16) + AIMG_FRAME_BYTES + aimg_load64(record + 24) - AIMG_TABLE_FOOTER_BYTES;
}

/* Descriptor of a section of a table. */
static uint8_t *section_of(const uint8_t *record, unsigned which)
{
    return footer_of(record) - (aimg_load16(record + 2) - which) * (size_t)AIMG_SECTION_BYTES;
}

static enum aimg_status open_copy(struct aimg_reader **reader)
{
    *reader = NULL;
    memset(&error, 0, sizeof error);
    return aimg_reader_open_memory(copy, archive_bytes, NULL, reader, &error);
}

static void expect(unsigned line, enum aimg_status status, unsigned rule)
{
    struct aimg_reader *reader;
    aimg_resign(copy, archive_bytes);
    enum aimg_status found = open_copy(&reader);
    if (!EXPECT(found == status && error.rule == rule))
        fprintf(stderr, "  line %u: %s, rule %u: %s\n", line, aimg_status_text(found), error.rule, error.message);
    aimg_reader_close(reader);
    fresh();
}

#define WRONG(status, rule, change)     \
    do {                                \
        change;                         \
        expect(__LINE__, status, rule); \
    } while (0)

static void add32(uint8_t *at, uint32_t more)
{
    aimg_store32(at, aimg_load32(at) + more);
}

static void add64(uint8_t *at, uint64_t more)
{
    aimg_store64(at, aimg_load64(at) + more);
}

static void check_commit(void)
{
    WRONG(AIMG_OK, 0, (void)0);
    WRONG(AIMG_CORRUPT, 31, aimg_store64(page + 136, AIMG_HEAD_BYTES - 8));
    WRONG(AIMG_CORRUPT, 31, add64(page + 136, 4));
    WRONG(AIMG_CORRUPT, 31, aimg_store64(page + 136, archive_bytes - AIMG_PAGE_BYTES));
    WRONG(AIMG_CORRUPT, 31, aimg_store64(page + 136, archive_bytes - AIMG_PAGE_BYTES - 8));
    WRONG(AIMG_CORRUPT, 31, aimg_store64(page + 136, UINT64_MAX - 7));
    WRONG(AIMG_CORRUPT, 31, aimg_store64(page + 144, AIMG_ROOT_HEAD_BYTES - 1));
    WRONG(AIMG_CORRUPT, 31, aimg_store64(page + 144, UINT64_MAX));
    WRONG(AIMG_CORRUPT, 30, add64(page + 120, 1));
    WRONG(AIMG_CORRUPT, 30, add64(page + 128, 1));
    WRONG(AIMG_UNSUPPORTED, 32, page[184] |= 0x10);
    WRONG(AIMG_UNSUPPORTED, 32, page[191] |= 0x80);
    WRONG(AIMG_OK, 0, page[176] |= 0x80); /* an unknown bit of ro_compat, and one of compat */
    WRONG(AIMG_OK, 0, page[168] |= 0x80);
    struct aimg_reader *reader;
    root[40] ^= 1;
    EXPECT(open_copy(&reader) == AIMG_CHECKSUM && error.rule == 31);
    fresh();
}

static void check_root_head(void)
{
    WRONG(AIMG_CORRUPT, 37, root[0] ^= 1);
    WRONG(AIMG_CORRUPT, 37, add32(root + 8, 1));
    WRONG(AIMG_CORRUPT, 60, add32(root + 8, UINT32_MAX)); /* the last part is taken for a column */
    WRONG(AIMG_CORRUPT, 37, aimg_store32(root + 8, AIMG_PART_MAX));
    WRONG(AIMG_CORRUPT, 37, aimg_store32(root + 12, AIMG_COLUMN_MAX));
    WRONG(AIMG_CORRUPT, 37, add32(root + 12, UINT32_MAX));
    WRONG(AIMG_CORRUPT, 37, aimg_store32(root + 16, 1));
    WRONG(AIMG_CORRUPT, 37, root[20] = 1);
    WRONG(AIMG_CORRUPT, 30, add64(root + 24, 1));
    WRONG(AIMG_CORRUPT, 36, (add64(root + 24, 1), add64(page + 120, 1)));
    WRONG(AIMG_CORRUPT, 65, (add64(root + 24, UINT64_MAX), add64(page + 120, UINT64_MAX)));
    WRONG(AIMG_CORRUPT, 65, (add64(root + 32, UINT64_MAX), add64(page + 128, UINT64_MAX)));
    WRONG(AIMG_CORRUPT, 65, aimg_store64(root + 40, 0));
    WRONG(AIMG_CORRUPT, 69, aimg_store64(root + 56, 8));
    WRONG(AIMG_CORRUPT, 69, aimg_store64(root + 56, archive_bytes));
    WRONG(AIMG_CORRUPT, 69, (aimg_store64(root + 56, archive_bytes - 100), aimg_store64(root + 64, 53)));
    WRONG(AIMG_OK, 0, (aimg_store64(root + 56, archive_bytes - 100), aimg_store64(root + 64, 52)));
}

static void swap_parts(uint8_t *a, uint8_t *b)
{
    uint8_t kept[AIMG_PART_BYTES];
    memcpy(kept, a, sizeof kept);
    memcpy(a, b, sizeof kept);
    memcpy(b, kept, sizeof kept);
}

static void check_parts(void)
{
    uint8_t *run = part(AIMG_FRAME_RUN, 0), *second = part(AIMG_FRAME_RUN, 1), *mask = part(AIMG_FRAME_MASK, 0);
    WRONG(AIMG_CORRUPT, 37, swap_parts(run, second));
    WRONG(AIMG_CORRUPT, 37, swap_parts(run, mask));
    WRONG(AIMG_CORRUPT, 37, memcpy(second, run, AIMG_PART_BYTES));
    WRONG(AIMG_CORRUPT, 37, run[1] = 1);
    WRONG(AIMG_CORRUPT, 37, add32(run + 12, UINT32_MAX - aimg_load32(run + 12) + 1));
    WRONG(AIMG_CHECKSUM, 41, add32(run + 12, 1));
    WRONG(AIMG_CHECKSUM, 41, add32(run + 8, 1));
    WRONG(AIMG_CORRUPT, 39, (add32(run + 12, 1), add32(footer_of(run) + 20, 1)));
    WRONG(AIMG_CORRUPT, 41, aimg_store64(run + 16, AIMG_HEAD_BYTES - 48));
    WRONG(AIMG_CORRUPT, 41, aimg_store64(run + 24, archive_bytes));
    WRONG(AIMG_CORRUPT, 41, aimg_store64(run + 24, 64));
    WRONG(AIMG_CORRUPT, 38, add64(run + 16, 64)); /* the tail of something else, which is no footer */
    WRONG(AIMG_CORRUPT, 62, aimg_store32(mask + 48, 1000));
    WRONG(AIMG_CORRUPT, 65, aimg_store32(mask + 48, 0));
    WRONG(AIMG_CORRUPT, 62, aimg_store32(mask + 52, 1)); /* an attachment, and no bitmap that says which */
    WRONG(AIMG_CORRUPT, 37, aimg_store32(run + 48, 1));
    WRONG(AIMG_CORRUPT, 36, (add32(mask + 8, 1), add32(footer_of(mask) + 16, 1))); /* of no run */
}

/* What an entry can say that no frame header fits: nothing is read past the end, and nothing from inside a header. */
static void check_entries(void)
{
    const uint8_t *run = part(AIMG_FRAME_RUN, 0);
    uint8_t *entry = copy + aimg_load64(run + 16) + AIMG_FRAME_BYTES; /* the first section of a run */
    uint8_t saved[AIMG_ENTRY_BYTES];
    memcpy(saved, entry, sizeof saved);
    for (unsigned which = 0; which < 3; which++) {
        struct aimg_reader *reader;
        struct aimg_bytes bytes;
        struct aimg_entry found;
        memcpy(entry, saved, sizeof saved);
        if (which == 0) { /* an empty image of which not even the header lies in the file */
            aimg_store64(entry, archive_bytes / AIMG_UNIT);
            aimg_store64(entry + 8, 0);
            aimg_hash_store(entry + 16, aimg_hash("", 0));
        } else if (which == 1) {
            entry[6] = 5; /* units of the header */
        } else {
            entry[7] |= 4; /* an unknown flag */
        }
        aimg_resign(copy, archive_bytes);
        REQUIRE(open_copy(&reader) == AIMG_OK);
        EXPECT_EQ_INT(aimg_reader_borrow(reader, 0, AIMG_READ_VERIFY, &bytes, &error), AIMG_CORRUPT);
        EXPECT_EQ_UINT(error.rule, 42);
        EXPECT_EQ_INT(aimg_reader_borrow_batch(reader, &(uint32_t){0}, 1, AIMG_READ_VERIFY, &bytes, &error), AIMG_CORRUPT);
        EXPECT_EQ_INT(aimg_reader_entry(reader, 0, &found, &error), AIMG_CORRUPT);
        aimg_reader_close(reader);
    }
    fresh();
}

static void check_tables(void)
{
    uint8_t *run = part(AIMG_FRAME_RUN, 0), *names = part(AIMG_FRAME_NAMES, 0);
    WRONG(AIMG_CORRUPT, 38, footer_of(run)[0] ^= 1);
    WRONG(AIMG_CORRUPT, 38, footer_of(run)[48] = 1);
    WRONG(AIMG_CHECKSUM, 41, footer_of(run)[8] = AIMG_FRAME_COLUMN);
    WRONG(AIMG_CHECKSUM, 41, add32(footer_of(run) + 12, 1));
    WRONG(AIMG_CORRUPT, 38, add64(footer_of(run) + 24, 64));
    WRONG(AIMG_CORRUPT, 38, aimg_store64(footer_of(run) + 24, UINT64_MAX));
    WRONG(AIMG_CORRUPT, 38, section_of(run, 0)[0] = AIMG_SECTION_RANK);
    WRONG(AIMG_CORRUPT, 39, add64(section_of(run, 0) + 24, 1));
    WRONG(AIMG_CORRUPT, 38, add64(section_of(run, 1) + 8, 64));
    WRONG(AIMG_CORRUPT, 39, aimg_store64(section_of(names, 0) + 40, 0));
    WRONG(AIMG_CORRUPT, 39, aimg_store64(section_of(names, 0) + 40, UINT64_MAX));
}

static uint8_t *column(unsigned which)
{
    uint8_t *at = columns;
    while (which-- > 0)
        at += aimg_column_record_total(aimg_load16(at + 6));
    return at;
}

static void check_columns(void)
{
    WRONG(AIMG_CORRUPT, 60, aimg_store32(column(0), 0));
    WRONG(AIMG_CORRUPT, 60, aimg_store32(column(1), 1));      /* twice */
    WRONG(AIMG_CORRUPT, 60, aimg_store32(column(0), 9));      /* not ascending */
    WRONG(AIMG_CORRUPT, 60, aimg_store32(column(2), 9));      /* sections of a column that is not there */
    WRONG(AIMG_CORRUPT, 60, column(0)[4] = AIMG_COLUMN_UTF8); /* values where groups should be */
    WRONG(AIMG_CORRUPT, 60, column(2)[4] = AIMG_COLUMN_U32);
    WRONG(AIMG_CORRUPT, 60, column(0)[4] = AIMG_COLUMN_U8 + 5);  /* of another width */
    WRONG(AIMG_OK, 0, column(0)[4] = AIMG_COLUMN_U64);           /* narrower is fine */
    WRONG(AIMG_CORRUPT, 60, memcpy(column(1) + 16, "count", 5)); /* a name twice */
    WRONG(AIMG_CORRUPT, 60, column(0)[16] = 1);
    WRONG(AIMG_CORRUPT, 37, aimg_store16(column(2) + 6, 255));
    WRONG(AIMG_CORRUPT, 37, aimg_store16(column(2) + 6, 12));
    WRONG(AIMG_CORRUPT, 68, aimg_store32(column(1) + 12, 1));
    WRONG(AIMG_CORRUPT, 68, aimg_store32(column(1) + 12, 3));
    WRONG(AIMG_CORRUPT, 60, column(1)[4] = AIMG_COLUMN_U32); /* VALUES of a column that has no dictionary */
    WRONG(AIMG_CORRUPT, 68,
          (aimg_store32(part(AIMG_FRAME_VALUES, 0) + 8, 1), add32(footer_of(part(AIMG_FRAME_VALUES, 0)) + 16, 1)));
}

/* Numbers at random, everything signed: what opens can be read, or says what is wrong. */
static void check_random(void)
{
    static const uint64_t telling[] = {0, 1, 2, 7, 8, 64, 4096, UINT32_MAX, UINT64_C(1) << 40, UINT64_MAX, 12288};
    uint64_t random = 5;
    unsigned opened = 0;
    static uint8_t out[1 << 16];
    for (unsigned i = 0; i < 4000; i++) {
        size_t tail = (size_t)(page - root) < 4096 ? (size_t)(page - root) : 4096;
        uint8_t *at = random_below(&random, 2) == 0
                          ? root + random_below(&random, tail - 8)
                          : footer_of(parts + random_below(&random, part_count) * AIMG_PART_BYTES) - random_below(&random, 150);
        memcpy(at, &telling[random_below(&random, 11)], 1 + random_below(&random, 8));
        aimg_resign(copy, archive_bytes);
        struct aimg_reader *reader;
        if (open_copy(&reader) == AIMG_OK) {
            opened++;
            for (uint32_t k = 0; k < 45; k++) {
                uint64_t bytes;
                size_t size;
                int null;
                (void)aimg_reader_read(reader, k, 0, out, sizeof out, &bytes, &error);
                (void)aimg_reader_name(reader, k, (char *)out, sizeof out, &size, &error);
                for (uint32_t c = 0; c < 3; c++)
                    (void)aimg_reader_value(reader, c, k, out, sizeof out, &size, &null, &error);
            }
            (void)aimg_reader_find(reader, "17", 2, &part_count, &error);
        }
        aimg_reader_close(reader);
        fresh();
    }
    EXPECT(opened > 100);
}

static void check_limits(void)
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .limits = {.index_bytes = 100}};
    struct aimg_reader *reader = NULL;
    EXPECT_EQ_INT(aimg_reader_open_memory(copy, archive_bytes, &options, &reader, &error), AIMG_LIMIT);
    EXPECT(reader == NULL);
    options.limits.index_bytes = 1 << 16;
    EXPECT_EQ_INT(aimg_reader_open_memory(copy, archive_bytes, &options, &reader, &error), AIMG_OK);
    aimg_reader_close(reader);
}

int main(void)
{
    make();
    fresh();
    check_commit();
    check_root_head();
    check_parts();
    check_entries();
    check_tables();
    check_columns();
    check_random();
    check_limits();
    free(archive);
    free(copy);
    return test_end("test_catalog");
}
