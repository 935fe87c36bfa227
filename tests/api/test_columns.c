/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of every type: what goes in comes out, as single values and as chunks, with nulls, over several commits, with and
 * without a map. */
#include "host.h"
#include "kinds.h"
#include "random.h"
#include "sample.h"
#include "test.h"

enum { ROWS = 300, COMMITS = 3, ALL = ROWS * COMMITS, MOST_BYTES = 4096 };

static struct aimg_error error;
static const char *path;

static bool has_value(const struct kind *kind, uint32_t row)
{
    return kind->every != 0 && row % kind->every == 0;
}

/* The value of a row, in the machine's order, which here is that of the file. */
static size_t value_of(const struct kind *kind, uint32_t row, uint8_t *out)
{
    static const uint8_t letters[] = "abcdefghijklmnopqrstuvwxyz";
    uint64_t random = row * 1000 + (uint64_t)(kind - kinds);
    if (kind->type == AIMG_TYPE_DICTIONARY)
        return (size_t)snprintf((char *)out, MOST_BYTES, "label %u", row / 7 % 60);
    size_t bytes = kind->element;
    if (kind->list)
        bytes = kind->element * (size_t)random_below(&random, 6);
    else if (kind->element == 0)
        bytes = row == 0 ? MOST_BYTES : (size_t)random_below(&random, 90);
    random_fill(&random, out, bytes);
    for (size_t i = 0; i < bytes && kind->type == AIMG_TYPE_UTF8; i++)
        out[i] = letters[out[i] % 26];
    if (kind->type == AIMG_TYPE_BOOL)
        out[0] &= 1;
    if (kind->type == AIMG_TYPE_IMAGE) {
        uint32_t target = row / 2;
        memcpy(out, &target, sizeof target);
    }
    if (kind->type == AIMG_TYPE_U32 && row < ROWS) /* narrow in the first run, wide in the others */
        out[1] = out[2] = out[3] = 0;
    return bytes;
}

static void add_row(struct aimg_writer *writer, uint32_t row)
{
    static uint8_t data[KINDS][MOST_BYTES];
    struct aimg_value values[KINDS];
    struct aimg_image image = {.struct_bytes = sizeof image, .values = values, .data = "x", .data_bytes = 1};
    char name[16];
    image.name = name;
    image.name_bytes = (size_t)snprintf(name, sizeof name, "%u", row);
    for (size_t k = 0; k < KINDS; k++)
        if (has_value(&kinds[k], row) && (row > 0 || kinds[k].type != AIMG_TYPE_IMAGE))
            values[image.value_count++] =
                (struct aimg_value){.column = kinds[k].id, .data = data[k], .bytes = value_of(&kinds[k], row, data[k])};
    if (!EXPECT_EQ_INT(aimg_writer_add(writer, &image, NULL, &error), AIMG_OK))
        fprintf(stderr, "  %s\n", error.message);
}

static void make(void)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer;
    path = sample_path("columns.aimg");
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    for (uint32_t commit = 0; commit < COMMITS; commit++) {
        for (size_t k = 0; k < KINDS; k++) /* half of them come with the second commit */
            if (commit > 0 || k % 2 == 0)
                EXPECT_EQ_INT(
                    aimg_writer_column(writer, kinds[k].name, kinds[k].type, kinds[k].width, kinds[k].list, &kinds[k].id, &error),
                    AIMG_OK);
        for (size_t k = 0; k < KINDS; k++)
            if (commit == 0 && k % 2 == 1)
                kinds[k].every = 0;
            else if (commit == 1 && k % 2 == 1)
                kinds[k].every = (unsigned)k % 3 + 1;
        for (uint32_t row = commit * ROWS; row < (commit + 1) * ROWS; row++)
            add_row(writer, row);
        REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
        if (commit == 1) { /* the columns are known again */
            REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
            REQUIRE(aimg_writer_open(path, &options, &writer, &error) == AIMG_OK);
        }
    }
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
}

static bool valid(size_t k, uint32_t row)
{
    return has_value(&kinds[k], row) && !(k % 2 == 1 && row < ROWS) && !(kinds[k].type == AIMG_TYPE_IMAGE && row == 0);
}

static void check_values(const struct aimg_reader *reader, size_t k, uint32_t index)
{
    static uint8_t expected[MOST_BYTES], found[MOST_BYTES];
    for (uint32_t row = 0; row < ALL; row++) {
        size_t bytes = 99, size = valid(k, row) ? value_of(&kinds[k], row, expected) : 0;
        int null = 9;
        EXPECT_EQ_INT(aimg_reader_value(reader, index, row, found, sizeof found, &bytes, &null, &error), AIMG_OK);
        EXPECT_EQ_INT(null, !valid(k, row));
        EXPECT_EQ_UINT(bytes, size);
        host_order(found, size, host_element_bytes(kinds[k].type));
        EXPECT_EQ_BYTES(found, expected, size);
        if (size > 0 && row % 50 == 0) {
            EXPECT_EQ_INT(aimg_reader_value(reader, index, row, found, size - 1, &bytes, &null, &error), AIMG_BUFFER_TOO_SMALL);
            EXPECT_EQ_UINT(bytes, size);
        }
    }
}

/* Chunks tile the ordinals and hold the same values. */
static void check_chunks(const struct aimg_reader *reader, size_t k, uint32_t index)
{
    static uint8_t expected[MOST_BYTES], wide[64];
    struct aimg_chunk chunk = {.count = 0};
    bool groups = kinds[k].list || (kinds[k].element == 0 && kinds[k].type != AIMG_TYPE_DICTIONARY);
    if (groups) {
        EXPECT_EQ_INT(aimg_reader_chunk(reader, index, 0, &chunk, &error), AIMG_INVALID_ARGUMENT);
        return;
    }
    for (uint32_t first = 0; first < ALL; first = chunk.first + chunk.count) {
        REQUIRE(aimg_reader_chunk(reader, index, first + 3, &chunk, &error) == AIMG_OK);
        /* The runs of the first two commits became one. */
        EXPECT(chunk.first == first && chunk.count == (first == 0 ? 2u * ROWS : (uint32_t)ROWS) &&
               ((uintptr_t)chunk.values & 7) == 0);
        for (uint32_t row = first; row < first + chunk.count; row++) {
            bool here = chunk.values != NULL &&
                        (chunk.validity == NULL || (chunk.validity[(row - first) / 8] >> ((row - first) % 8) & 1) != 0);
            EXPECT_EQ_INT(here, valid(k, row));
            if (!here)
                continue;
            memset(wide, 0, sizeof wide);
            memcpy(wide, (const uint8_t *)chunk.values + (size_t)(row - first) * chunk.element_bytes, chunk.element_bytes);
            if (kinds[k].type == AIMG_TYPE_DICTIONARY) {
                uint32_t code;
                char text[32];
                size_t bytes = 0;
                memcpy(&code, wide, sizeof code);
                host_order(&code, sizeof code, sizeof code);
                EXPECT_EQ_INT(aimg_reader_dictionary(reader, index, code, text, sizeof text, &bytes, &error), AIMG_OK);
                EXPECT(value_of(&kinds[k], row, expected) == bytes && memcmp(text, expected, bytes) == 0);
            } else {
                size_t size = value_of(&kinds[k], row, expected);
                host_order(wide, size, host_element_bytes(kinds[k].type));
                EXPECT_EQ_BYTES(wide, expected, size);
            }
        }
    }
    EXPECT_EQ_INT(aimg_reader_chunk(reader, index, ALL, &chunk, &error), AIMG_NOT_FOUND);
}

/* The same values one after the other, from several places on. */
static void check_iterator(const struct aimg_reader *reader, size_t k, uint32_t index, uint32_t first)
{
    static uint8_t expected[MOST_BYTES];
    struct aimg_values *values = NULL;
    struct aimg_column_value value;
    REQUIRE(aimg_values_create(reader, index, first, &values, &error) == AIMG_OK);
    for (uint32_t row = first; row < ALL; row++) {
        size_t size = valid(k, row) ? value_of(&kinds[k], row, expected) : 0;
        host_order(expected, size, host_element_bytes(kinds[k].type));
        REQUIRE(aimg_values_next(values, &value, &error) == AIMG_OK);
        EXPECT(value.ordinal == row && value.null == !valid(k, row) && (value.data == NULL) == !valid(k, row));
        EXPECT_EQ_UINT(value.bytes, size);
        EXPECT(size == 0 || memcmp(value.data, expected, size) == 0);
        if (kinds[k].type == AIMG_TYPE_DICTIONARY && value.null == 0) {
            char text[32];
            size_t bytes = 0;
            EXPECT_EQ_INT(aimg_reader_dictionary(reader, index, value.code, text, sizeof text, &bytes, &error), AIMG_OK);
            EXPECT(bytes == size && memcmp(text, expected, size) == 0);
        }
    }
    EXPECT_EQ_INT(aimg_values_next(values, &value, &error), AIMG_END);
    EXPECT_EQ_INT(aimg_values_next(values, &value, &error), AIMG_END);
    aimg_values_destroy(values);
}

static void check_descriptions(const struct aimg_reader *reader)
{
    struct aimg_column column, again;
    uint32_t before = 0;
    for (size_t k = 0; k < KINDS; k++) {
        EXPECT_EQ_INT(aimg_reader_column_find(reader, kinds[k].name, &column, &error), AIMG_OK);
        EXPECT(column.id == kinds[k].id && column.type == kinds[k].type && column.width == kinds[k].width &&
               column.list == kinds[k].list);
        EXPECT(strcmp(column.name, kinds[k].name) == 0 && column.name_bytes == strlen(kinds[k].name));
        EXPECT(column.dictionary_count == (kinds[k].type == AIMG_TYPE_DICTIONARY ? 60u : 0u));
        EXPECT(aimg_reader_column(reader, column.index, &again, &error) == AIMG_OK && again.id == column.id);
    }
    for (uint32_t index = 0; index < KINDS; index++) {
        EXPECT(aimg_reader_column(reader, index, &column, &error) == AIMG_OK && column.id > before && column.index == index);
        before = column.id;
    }
    EXPECT_EQ_INT(aimg_reader_column(reader, KINDS, &column, &error), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(aimg_reader_column_find(reader, "nothing", &column, &error), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(aimg_reader_column_find(reader, NULL, &column, &error), AIMG_INVALID_ARGUMENT);
}

static void check_way(uint32_t flags)
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .flags = flags};
    struct aimg_reader *reader = NULL;
    struct aimg_column column;
    struct aimg_chunk chunk;
    uint8_t out[8];
    size_t bytes = 0;
    int null;
    REQUIRE(aimg_reader_open(path, &options, &reader, &error) == AIMG_OK);
    check_descriptions(reader);
    for (size_t k = 0; k < KINDS; k++) {
        test_state.subject = kinds[k].name;
        REQUIRE(aimg_reader_column_find(reader, kinds[k].name, &column, &error) == AIMG_OK);
        check_values(reader, k, column.index);
        for (uint32_t first = 0; first <= ALL + 1; first += first / 2 + 1)
            check_iterator(reader, k, column.index, first);
        if (flags == 0)
            check_chunks(reader, k, column.index);
        EXPECT_EQ_INT(aimg_reader_value(reader, column.index, ALL, out, sizeof out, &bytes, &null, &error), AIMG_NOT_FOUND);
    }
    test_state.subject = NULL;
    struct aimg_values *values = NULL;
    EXPECT_EQ_INT(aimg_values_create(reader, KINDS, 0, &values, &error), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(aimg_values_create(NULL, 0, 0, &values, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_values_create(reader, 0, 0, NULL, &error), AIMG_INVALID_ARGUMENT);
    aimg_values_destroy(NULL);
    if (flags != 0)
        EXPECT_EQ_INT(aimg_reader_chunk(reader, 0, 0, &chunk, &error), AIMG_SEQUENCE);
    REQUIRE(aimg_reader_column_find(reader, "label", &column, &error) == AIMG_OK);
    EXPECT_EQ_INT(aimg_reader_dictionary(reader, column.index, 60, (char *)out, sizeof out, &bytes, &error), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(aimg_reader_dictionary(reader, column.index, 0, (char *)out, 2, &bytes, &error), AIMG_BUFFER_TOO_SMALL);
    EXPECT_EQ_UINT(bytes, 7);
    aimg_reader_close(reader);
}

/* ------------------------------------------------------------------ what a writer refuses */

static enum aimg_status try_value(struct aimg_writer *writer, uint32_t id, const void *data, size_t bytes)
{
    static unsigned number;
    char name[16];
    struct aimg_value value = {.column = id, .data = data, .bytes = bytes};
    struct aimg_image image = {
        .struct_bytes = sizeof image, .name = name, .data = "x", .data_bytes = 1, .values = &value, .value_count = 1};
    image.name_bytes = (size_t)snprintf(name, sizeof name, "t%u", number++);
    return aimg_writer_add(writer, &image, NULL, &error);
}

static uint32_t define(struct aimg_writer *writer, const char *name, enum aimg_type type, uint32_t width, int list)
{
    uint32_t id = 0;
    EXPECT_EQ_INT(aimg_writer_column(writer, name, type, width, list, &id, &error), AIMG_OK);
    return id;
}

static void check_refused_values(struct aimg_writer *writer)
{
    static uint8_t large[(1 << 24) + 1];
    uint32_t number = define(writer, "n", AIMG_TYPE_U32, 1, 0), flag = define(writer, "f", AIMG_TYPE_BOOL, 2, 0);
    uint32_t text = define(writer, "t", AIMG_TYPE_UTF8, 1, 0), list = define(writer, "l", AIMG_TYPE_U16, 2, 1);
    uint32_t label = define(writer, "d", AIMG_TYPE_DICTIONARY, 1, 0), image = define(writer, "i", AIMG_TYPE_IMAGE, 1, 0);
    uint32_t blob = define(writer, "b", AIMG_TYPE_BYTES, 1, 0), none = 0, far = UINT32_MAX;
    EXPECT_EQ_INT(try_value(writer, number, "1234", 4), AIMG_OK);
    EXPECT_EQ_INT(try_value(writer, number, "123", 3), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(try_value(writer, number, NULL, 4), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(try_value(writer, number, "", 0), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(try_value(writer, 77, "1234", 4), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(try_value(writer, flag, "\1\0", 2), AIMG_OK);
    EXPECT_EQ_INT(try_value(writer, flag, "\1\2", 2), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(try_value(writer, text, "\xC3\xA9", 2), AIMG_OK);
    EXPECT_EQ_INT(try_value(writer, text, NULL, 0), AIMG_OK);
    EXPECT_EQ_INT(try_value(writer, text, "\xC3", 1), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(try_value(writer, label, "\xFF", 1), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(try_value(writer, list, "12341234", 8), AIMG_OK);
    EXPECT_EQ_INT(try_value(writer, list, "123412", 6), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(try_value(writer, image, &none, 4), AIMG_OK);
    EXPECT_EQ_INT(try_value(writer, image, &far, 4), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(try_value(writer, blob, large, sizeof large), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(try_value(writer, blob, large, sizeof large - 1), AIMG_OK);
    /* A value that says it is none; and one that says what nobody knows. */
    struct aimg_value odd = {.column = number, .flags = AIMG_VALUE_NULL, .data = "1", .bytes = SIZE_MAX};
    struct aimg_image with = {.struct_bytes = sizeof with,
                              .name = "odd",
                              .name_bytes = 3,
                              .data = "x",
                              .data_bytes = 1,
                              .values = &odd,
                              .value_count = 1};
    EXPECT_EQ_INT(aimg_writer_add(writer, &with, NULL, &error), AIMG_OK);
    odd = (struct aimg_value){.column = number, .flags = 2, .data = "1234", .bytes = 4};
    with.name = "odder";
    EXPECT_EQ_INT(aimg_writer_add(writer, &with, NULL, &error), AIMG_INVALID_ARGUMENT);
    /* The same column twice in one image. */
    struct aimg_value twice[2] = {{.column = number, .data = "1234", .bytes = 4}, {.column = number, .data = "5678", .bytes = 4}};
    struct aimg_image both = {.struct_bytes = sizeof both,
                              .name = "twice",
                              .name_bytes = 5,
                              .data = "x",
                              .data_bytes = 1,
                              .values = twice,
                              .value_count = 2};
    EXPECT_EQ_INT(aimg_writer_add(writer, &both, NULL, &error), AIMG_INVALID_ARGUMENT);
}

static void check_refused_columns(struct aimg_writer *writer)
{
    static const char *const reserved[] = {"id",     "name", "ordinal", "position", "format", "bytes",
                                           "xxh128", "data", "",        "a\nb",     "\xFF"};
    char longest[260];
    uint32_t id = 0, same = define(writer, "same", AIMG_TYPE_U16, 3, 0);
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        EXPECT_EQ_INT(aimg_writer_column(writer, reserved[i], AIMG_TYPE_U8, 1, 0, &id, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_UINT(define(writer, "same", AIMG_TYPE_U16, 3, 0), same);
    EXPECT_EQ_INT(aimg_writer_column(writer, "same", AIMG_TYPE_U16, 2, 0, &id, &error), AIMG_EXISTS);
    EXPECT_EQ_INT(aimg_writer_column(writer, "same", AIMG_TYPE_U16, 3, 1, &id, &error), AIMG_EXISTS);
    EXPECT_EQ_INT(aimg_writer_column(writer, "same", AIMG_TYPE_I16, 3, 0, &id, &error), AIMG_EXISTS);
    EXPECT_EQ_INT(aimg_writer_column(writer, "wide", AIMG_TYPE_U16, 32768, 0, &id, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_writer_column(writer, "none", AIMG_TYPE_U16, 0, 0, &id, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_writer_column(writer, "text", AIMG_TYPE_UTF8, 1, 1, &id, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_writer_column(writer, "type", (enum aimg_type)0, 1, 0, &id, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_writer_column(writer, "type", (enum aimg_type)17, 1, 0, &id, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_writer_column(writer, "type", (enum aimg_type)257, 1, 0, &id, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_writer_column(writer, NULL, AIMG_TYPE_U8, 1, 0, &id, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_writer_column(writer, "x", AIMG_TYPE_U8, 1, 0, NULL, &error), AIMG_INVALID_ARGUMENT);
    memset(longest, 'c', sizeof longest);
    longest[256] = 0;
    EXPECT_EQ_INT(aimg_writer_column(writer, longest, AIMG_TYPE_U8, 1, 0, &id, &error), AIMG_INVALID_ARGUMENT);
    longest[255] = 0;
    EXPECT_EQ_INT(aimg_writer_column(writer, longest, AIMG_TYPE_U8, 1, 0, &id, &error), AIMG_OK);
    for (unsigned i = 9; i < 1024; i++) { /* seven, and these two, were there */
        snprintf(longest, sizeof longest, "c%u", i);
        EXPECT_EQ_INT(aimg_writer_column(writer, longest, AIMG_TYPE_U8, 1, 0, &id, &error), AIMG_OK);
    }
    EXPECT_EQ_INT(aimg_writer_column(writer, "one too many", AIMG_TYPE_U8, 1, 0, &id, &error), AIMG_LIMIT);
}

static void check_refused(void)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_verify_options verify = {.struct_bytes = sizeof verify};
    struct aimg_verify_result result = {.faults = 1};
    struct aimg_writer *writer;
    REQUIRE(aimg_writer_create(sample_path("refused.aimg"), &options, &writer, &error) == AIMG_OK);
    check_refused_values(writer);
    check_refused_columns(writer);
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK); /* nothing of what was refused did harm */
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    EXPECT(aimg_verify(sample_path("refused.aimg"), &verify, &result, &error) == AIMG_OK && result.faults == 0);
    EXPECT_EQ_UINT(result.images, 8);
}

/* A column of many blocks whose values do not end with them. */
static void check_long(uint32_t flags)
{
    enum { LONG = 100000, EACH = 3 };
    static uint8_t all[LONG * EACH];
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_reader_options reading = {.struct_bytes = sizeof reading, .flags = flags};
    struct aimg_writer *writer;
    struct aimg_reader *reader = NULL;
    struct aimg_values *values = NULL;
    struct aimg_column_value value;
    uint64_t random = 3;
    char name[16];
    const char *long_path = sample_path("long.aimg");
    (void)unlink(long_path);
    REQUIRE(aimg_writer_create(long_path, &options, &writer, &error) == AIMG_OK);
    uint32_t id = define(writer, "pixel", AIMG_TYPE_U8, EACH, 0);
    for (uint32_t row = 0; row < LONG; row++) {
        struct aimg_image image = {.struct_bytes = sizeof image, .name = name};
        image.name_bytes = (size_t)snprintf(name, sizeof name, "%u", row);
        REQUIRE(aimg_writer_add(writer, &image, NULL, &error) == AIMG_OK);
    }
    random_fill(&random, all, sizeof all);
    EXPECT_EQ_INT(aimg_writer_set_array(writer, id, 0, LONG, all, NULL, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    REQUIRE(aimg_reader_open(long_path, &reading, &reader, &error) == AIMG_OK);
    REQUIRE(aimg_values_create(reader, 0, 1, &values, &error) == AIMG_OK);
    for (uint32_t row = 1; row < LONG; row++) {
        REQUIRE(aimg_values_next(values, &value, &error) == AIMG_OK);
        EXPECT(value.bytes == EACH && memcmp(value.data, all + (size_t)row * EACH, EACH) == 0);
    }
    aimg_values_destroy(values);
    aimg_reader_close(reader);
}

int main(void)
{
    struct aimg_verify_options options = {.struct_bytes = sizeof options};
    struct aimg_verify_result result = {.faults = 1};
    make();
    EXPECT(aimg_verify(path, &options, &result, &error) == AIMG_OK && result.faults == 0 && result.warnings == 0);
    check_way(0);
    check_way(AIMG_READER_NO_MAP);
    check_refused();
    check_long(0);
    check_long(AIMG_READER_NO_MAP);
    return test_end("test_columns");
}
