/* SPDX-License-Identifier: Apache-2.0 */
/* Another name for an image: its bytes, its values of every type, its place; from the archive and from the open batch; of aliases
 * and of attachments; and what is refused. */
#include "host.h"
#include "sample.h"
#include "test.h"

enum { IMAGES = 40, VALUE_BYTES = 64 };

struct kind {
    const char *name;
    enum aimg_type type;
    uint32_t width;
    int list;
    size_t bytes; /* of a value; 0: depends on the image */
    uint32_t id;
};

static struct kind kinds[] = {
    {"bool", AIMG_TYPE_BOOL, 1, 0, 1, 0},        {"u8", AIMG_TYPE_U8, 1, 0, 1, 0},      {"u16", AIMG_TYPE_U16, 1, 0, 2, 0},
    {"u32", AIMG_TYPE_U32, 1, 0, 4, 0},          {"u64", AIMG_TYPE_U64, 1, 0, 8, 0},    {"i8", AIMG_TYPE_I8, 1, 0, 1, 0},
    {"i16", AIMG_TYPE_I16, 1, 0, 2, 0},          {"i32", AIMG_TYPE_I32, 1, 0, 4, 0},    {"i64", AIMG_TYPE_I64, 1, 0, 8, 0},
    {"f16", AIMG_TYPE_F16, 1, 0, 2, 0},          {"f32", AIMG_TYPE_F32, 1, 0, 4, 0},    {"f64", AIMG_TYPE_F64, 1, 0, 8, 0},
    {"text", AIMG_TYPE_UTF8, 1, 0, 0, 0},        {"blob", AIMG_TYPE_BYTES, 1, 0, 0, 0}, {"box", AIMG_TYPE_F32, 4, 0, 16, 0},
    {"label", AIMG_TYPE_DICTIONARY, 1, 0, 0, 0}, {"mask", AIMG_TYPE_IMAGE, 1, 0, 4, 0}, {"list", AIMG_TYPE_U16, 2, 1, 0, 0},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static struct aimg_error error;
static struct aimg_writer *writer;
static struct aimg_reader *reader;
static const char *path;

/* Every fifth image lacks the value, a different one in each column; the first lack what points at an earlier image. */
static bool has_value(size_t k, uint32_t content)
{
    return (content + k) % 5 != 0 && (kinds[k].type != AIMG_TYPE_IMAGE || content >= 6);
}

static size_t value_of(size_t k, uint32_t content, uint8_t out[VALUE_BYTES])
{
    size_t bytes = kinds[k].bytes != 0 ? kinds[k].bytes : 4 * (size_t)(content % 9);
    for (size_t i = 0; i < bytes; i++)
        out[i] = (uint8_t)('a' + (content + i + k) % 26);
    if (kinds[k].type == AIMG_TYPE_BOOL)
        out[0] = (uint8_t)(content % 2);
    if (kinds[k].type == AIMG_TYPE_DICTIONARY)
        bytes = (size_t)snprintf((char *)out, VALUE_BYTES, "label %u", content % 3);
    if (kinds[k].type == AIMG_TYPE_IMAGE)
        memcpy(out, &(uint32_t){1}, 4);
    return bytes;
}

static uint32_t add(const char *name, uint32_t content, uint32_t flags)
{
    static uint8_t data[SAMPLE_MAX_BYTES], bytes[KINDS][VALUE_BYTES];
    struct aimg_value values[KINDS];
    struct aimg_image image = {
        .struct_bytes = sizeof image, .name = name, .name_bytes = strlen(name), .data = data, .values = values, .flags = flags};
    uint32_t ordinal = AIMG_NO_ORDINAL;
    image.data_bytes = sample_fill(content, data);
    for (size_t k = 0; k < KINDS; k++)
        if (has_value(k, content))
            values[image.value_count++] =
                (struct aimg_value){.column = kinds[k].id, .data = bytes[k], .bytes = value_of(k, content, bytes[k])};
    if (!EXPECT_EQ_INT(aimg_writer_add(writer, &image, &ordinal, &error), AIMG_OK))
        fprintf(stderr, "  %s\n", error.message);
    return ordinal;
}

static uint32_t rename_to(uint32_t ordinal, const char *name)
{
    uint32_t renamed = AIMG_NO_ORDINAL;
    if (!EXPECT_EQ_INT(aimg_writer_rename(writer, ordinal, name, strlen(name), &renamed, &error), AIMG_OK))
        fprintf(stderr, "  %s\n", error.message);
    return renamed;
}

static void begin(const char *file, uint32_t compress)
{
    struct aimg_writer_options options = sample_writer_options();
    options.compress = compress;
    path = sample_path(file);
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    for (size_t k = 0; k < KINDS; k++)
        REQUIRE(aimg_writer_column(writer, kinds[k].name, kinds[k].type, kinds[k].width, kinds[k].list, &kinds[k].id, &error) ==
                AIMG_OK);
}

static void commit(void)
{
    if (!EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK))
        fprintf(stderr, "  %s\n", error.message);
}

/* Ends the writer, checks the file, and opens it. */
static void finish(void)
{
    struct aimg_verify_result result = {.faults = 1};
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    EXPECT(aimg_verify(path, NULL, &result, &error) == AIMG_OK && result.faults == 0 && result.warnings == 0);
    REQUIRE(aimg_reader_open(path, NULL, &reader, &error) == AIMG_OK);
}

static void check_values(uint32_t ordinal, uint32_t content)
{
    uint8_t expected[VALUE_BYTES], found[VALUE_BYTES];
    struct aimg_column column;
    for (size_t k = 0; k < KINDS; k++) {
        size_t bytes = 99;
        int null = 9;
        bool there = has_value(k, content);
        size_t wanted = there ? value_of(k, content, expected) : 0;
        test_state.subject = kinds[k].name;
        REQUIRE(aimg_reader_column_find(reader, kinds[k].name, &column, &error) == AIMG_OK);
        EXPECT_EQ_INT(aimg_reader_value(reader, column.index, ordinal, found, sizeof found, &bytes, &null, &error), AIMG_OK);
        EXPECT_EQ_INT(null, !there);
        EXPECT_EQ_UINT(bytes, wanted);
        host_order(found, bytes, host_element_bytes(kinds[k].type));
        EXPECT_EQ_BYTES(found, expected, wanted);
    }
    test_state.subject = NULL;
}

/* An image is what it was, by name, by ordinal and by position. */
static void check_image(const char *name, uint32_t ordinal, uint64_t position, uint32_t content)
{
    struct aimg_bytes borrowed;
    char found[1025];
    uint32_t other = AIMG_NO_ORDINAL;
    uint64_t place = UINT64_MAX;
    EXPECT_EQ_INT(aimg_reader_find(reader, name, strlen(name), &other, &error), AIMG_OK);
    EXPECT_EQ_UINT(other, ordinal);
    EXPECT_EQ_INT(aimg_reader_name(reader, ordinal, found, sizeof found, NULL, &error), AIMG_OK);
    EXPECT_EQ_TEXT(found, name);
    EXPECT_EQ_INT(aimg_reader_position_of(reader, ordinal, &place, &error), AIMG_OK);
    EXPECT_EQ_UINT(place, position);
    EXPECT(sample_equals(reader, ordinal, content));
    EXPECT_EQ_INT(aimg_reader_borrow_name(reader, name, strlen(name), AIMG_READ_VERIFY, &borrowed, &error), AIMG_OK);
    EXPECT_EQ_UINT(borrowed.ordinal, ordinal);
}

static void expect_gone(const char *name)
{
    uint32_t ordinal;
    EXPECT_EQ_INT(aimg_reader_find(reader, name, strlen(name), &ordinal, &error), AIMG_NOT_FOUND);
}

/* ------------------------------------------------------------------ with the values of all columns */

/* Every third image of an archive gets another name, in one commit. */
static void check_archive(uint32_t compress)
{
    struct aimg_writer_options options = sample_writer_options();
    char name[32];
    begin(compress == AIMG_COMPRESS_ZSTD ? "packed.aimg" : "archive.aimg", compress);
    for (uint32_t i = 0; i < IMAGES; i++) {
        snprintf(name, sizeof name, "old/%u", i);
        EXPECT_EQ_UINT(add(name, i, 0), i);
    }
    commit();
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    options.compress = compress;
    REQUIRE(aimg_writer_open(path, &options, &writer, &error) == AIMG_OK);
    uint32_t next = IMAGES;
    for (uint32_t i = 0; i < IMAGES; i += 3) {
        snprintf(name, sizeof name, "new/%u", i);
        EXPECT_EQ_UINT(rename_to(i, name), next++);
    }
    commit();
    finish();
    EXPECT_EQ_UINT(aimg_reader_count(reader), IMAGES);
    uint64_t position = 0;
    for (uint32_t i = 0; i < IMAGES; i++) {
        snprintf(name, sizeof name, "old/%u", i);
        if (i % 3 == 0) {
            expect_gone(name);
        } else {
            check_image(name, i, position++, i);
            check_values(i, i);
        }
    }
    for (uint32_t i = 0; i < IMAGES; i += 3) { /* they stand at the end, in the order of their new names */
        struct aimg_entry entry;
        snprintf(name, sizeof name, "new/%u", i);
        check_image(name, IMAGES + i / 3, position++, i);
        check_values(IMAGES + i / 3, i);
        EXPECT(aimg_reader_entry(reader, IMAGES + i / 3, &entry, &error) == AIMG_OK && entry.alias == 1 && entry.dead == 0);
    }
    aimg_reader_close(reader);
}

/* Images that no commit has seen yet, also those whose run was written already because the batch is large. */
static void check_batch(void)
{
    static uint8_t large[16 << 20];
    char name[32];
    begin("batch.aimg", AIMG_COMPRESS_STORE);
    for (uint32_t i = 0; i < IMAGES; i++) {
        snprintf(name, sizeof name, "old/%u", i);
        EXPECT_EQ_UINT(add(name, i, 0), i);
    }
    for (uint32_t i = 0; i < 20; i++) { /* 320 MB of values: more than the rows in memory may have */
        struct aimg_value value = {.column = kinds[13].id, .data = large, .bytes = sizeof large};
        struct aimg_image image = {
            .struct_bytes = sizeof image, .name = name, .data = "x", .data_bytes = 1, .values = &value, .value_count = 1};
        image.name_bytes = (size_t)snprintf(name, sizeof name, "large/%u", i);
        REQUIRE(aimg_writer_add(writer, &image, NULL, &error) == AIMG_OK);
    }
    EXPECT_EQ_UINT(rename_to(7, "seven"), IMAGES + 20);
    EXPECT_EQ_UINT(rename_to(8, "eight"), IMAGES + 21);
    EXPECT_EQ_UINT(add("late", 14, 0), IMAGES + 22);
    EXPECT_EQ_UINT(rename_to(IMAGES + 22, "later"), IMAGES + 23);      /* out of the rows in memory */
    EXPECT_EQ_UINT(rename_to(IMAGES + 23, "even later"), IMAGES + 24); /* an alias of a row in memory */
    EXPECT_EQ_UINT(rename_to(IMAGES + 20, "7"), IMAGES + 25);          /* and of one that was written */
    commit();
    finish();
    EXPECT_EQ_UINT(aimg_reader_count(reader), IMAGES + 20 + 1);
    check_image("eight", IMAGES + 21, IMAGES + 18, 8);
    check_values(IMAGES + 21, 8);
    check_image("even later", IMAGES + 24, IMAGES + 19, 14);
    check_values(IMAGES + 24, 14);
    check_image("7", IMAGES + 25, IMAGES + 20, 7);
    check_values(IMAGES + 25, 7);
    expect_gone("later");
    expect_gone("late");
    expect_gone("seven");
    aimg_reader_close(reader);
}

/* All values of an image become those that another content has. */
static void set_all(uint32_t ordinal, uint32_t content)
{
    uint8_t bytes[VALUE_BYTES];
    for (size_t k = 0; k < KINDS; k++) {
        struct aimg_value value = {.column = kinds[k].id, .flags = AIMG_VALUE_NULL};
        if (has_value(k, content))
            value = (struct aimg_value){.column = kinds[k].id, .data = bytes, .bytes = value_of(k, content, bytes)};
        EXPECT_EQ_INT(aimg_writer_set(writer, ordinal, &value, &error), AIMG_OK);
    }
}

/* What the batch has set before is carried over, too: for an image of the archive, and for one of the batch. */
static void check_set(void)
{
    begin("set.aimg", AIMG_COMPRESS_STORE);
    for (uint32_t i = 0; i < 10; i++) {
        char name[32];
        snprintf(name, sizeof name, "old/%u", i);
        EXPECT_EQ_UINT(add(name, i, 0), i);
    }
    commit();
    set_all(4, 17);
    EXPECT_EQ_UINT(add("new", 7, 0), 10u);
    set_all(10, 23);
    EXPECT_EQ_UINT(rename_to(4, "four"), 11u);
    EXPECT_EQ_UINT(rename_to(10, "ten"), 12u);
    set_all(12, 31);
    EXPECT_EQ_UINT(rename_to(12, "twelve"), 13u);
    commit();
    finish();
    check_values(11, 17);
    check_values(13, 31);
    check_values(5, 5);
    aimg_reader_close(reader);
}

/* ------------------------------------------------------------------ names that come and go */

/* Over many commits, away and back, so that an alias is renamed, its target is dead, and a name is used again. */
static void check_chain(void)
{
    struct aimg_entry entry, first;
    uint32_t ordinal;
    begin("chain.aimg", AIMG_COMPRESS_STORE);
    ordinal = add("a", 3, 0);
    (void)add("b", 4, 0);
    commit();
    ordinal = rename_to(ordinal, "c");
    commit();
    ordinal = rename_to(ordinal, "a");
    commit();
    ordinal = rename_to(ordinal, "d"); /* there and back in one batch */
    ordinal = rename_to(ordinal, "a");
    commit();
    ordinal = rename_to(ordinal, "b/a");
    EXPECT_EQ_UINT(add("a", 5, 0), ordinal + 1); /* the name is free */
    commit();
    finish();
    EXPECT_EQ_UINT(aimg_reader_count(reader), 3);
    check_image("b", 1, 0, 4);
    check_image("b/a", ordinal, 1, 3);
    check_image("a", ordinal + 1, 2, 5);
    expect_gone("c");
    expect_gone("d");
    EXPECT(aimg_reader_entry(reader, 0, &first, &error) == AIMG_OK && first.dead == 1);
    EXPECT(aimg_reader_entry(reader, ordinal, &entry, &error) == AIMG_OK && entry.alias == 1 &&
           entry.data_offset == first.data_offset && memcmp(entry.hash, first.hash, sizeof entry.hash) == 0);
    aimg_reader_close(reader);
}

static void check_attachments(void)
{
    struct aimg_entry entry;
    struct aimg_image nameless = {
        .struct_bytes = sizeof nameless, .data = "thumb", .data_bytes = 5, .flags = AIMG_ADD_ATTACHMENT};
    uint32_t mask, thumb = 0;
    begin("attached.aimg", AIMG_COMPRESS_STORE);
    (void)add("a", 3, 0);
    mask = add("a.mask", 4, AIMG_ADD_ATTACHMENT);
    EXPECT_EQ_INT(aimg_writer_add(writer, &nameless, &thumb, &error), AIMG_OK);
    mask = rename_to(mask, "in the batch");
    commit();
    mask = rename_to(mask, "b.mask");
    thumb = rename_to(thumb, "thumb");
    commit();
    finish();
    EXPECT_EQ_UINT(aimg_reader_count(reader), 1);
    EXPECT_EQ_UINT(aimg_reader_ordinal_count(reader), 6);
    EXPECT(aimg_reader_entry(reader, mask, &entry, &error) == AIMG_OK && entry.attachment == 1 && entry.alias == 1);
    EXPECT(sample_equals(reader, mask, 4));
    EXPECT(aimg_reader_find(reader, "thumb", 5, &mask, &error) == AIMG_OK && mask == thumb);
    aimg_reader_close(reader);
}

/* ------------------------------------------------------------------ what is refused */

static void check_refused(void)
{
    static const char *const wrong[] = {"", "/a", "a/", "a//b", ".", "..", "a/../b", "a\\b", "a\nb", "\xFF"};
    struct aimg_info before = {.struct_bytes = sizeof before}, after = {.struct_bytes = sizeof after};
    uint32_t out = 77;
    begin("refused.aimg", AIMG_COMPRESS_STORE);
    (void)add("a", 1, 0);
    (void)add("b", 2, 0);
    (void)add("gone", 2, 0);
    commit();
    EXPECT_EQ_INT(aimg_writer_remove(writer, 2, &error), AIMG_OK);
    commit();
    EXPECT(aimg_reader_info(aimg_writer_base(writer), &before, &error) == AIMG_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        EXPECT_EQ_INT(aimg_writer_rename(writer, 0, wrong[i], strlen(wrong[i]), &out, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_writer_rename(NULL, 0, "c", 1, &out, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_writer_rename(writer, 0, NULL, 1, &out, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_writer_rename(writer, 0, "b", 1, &out, &error), AIMG_EXISTS);
    EXPECT_EQ_INT(aimg_writer_rename(writer, 0, "a", 1, &out, &error), AIMG_EXISTS);
    EXPECT_EQ_INT(aimg_writer_rename(writer, 2, "c", 1, &out, &error), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(aimg_writer_rename(writer, 3, "c", 1, &out, &error), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(aimg_writer_rename(writer, UINT32_MAX, "c", 1, &out, &error), AIMG_NOT_FOUND);
    EXPECT_EQ_UINT(out, 77);
    commit(); /* nothing */
    EXPECT(aimg_reader_info(aimg_writer_base(writer), &after, &error) == AIMG_OK && after.commit_count == before.commit_count);
    EXPECT_EQ_UINT(rename_to(0, "gone"), 3);
    EXPECT_EQ_INT(aimg_writer_rename(writer, 0, "c", 1, &out, &error), AIMG_NOT_FOUND); /* removed in the batch */
    EXPECT_EQ_INT(aimg_writer_rename(writer, 1, "gone", 4, &out, &error), AIMG_EXISTS); /* taken in the batch */
    EXPECT_EQ_INT(aimg_writer_rename(writer, 1, "a", 1, NULL, &error), AIMG_OK);        /* free in the batch */
    commit();
    finish();
    check_image("gone", 3, 0, 1);
    check_image("a", 4, 1, 2);
    aimg_reader_close(reader);
}

int main(void)
{
    check_archive(AIMG_COMPRESS_STORE);
    check_archive(AIMG_COMPRESS_ZSTD);
    check_batch();
    check_set();
    check_chain();
    check_attachments();
    check_refused();
    return test_end("test_rename");
}
