/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of type image and values that are set later, while images are renamed: random steps against a plain list. What refers
 * to an image refers to it whatever it is called, and what was set for it stays with it. */
#include "host.h"
#include "random.h"
#include "sample.h"
#include "test.h"

enum { MOST = 400, STEPS = 1500, COLUMNS = 2, TEXT_BYTES = 40, NONE = -1 };

/* An image as its user knows it. */
struct image {
    char name[24];
    uint32_t ordinal;
    int refers[COLUMNS];   /* to one of these images, or NONE */
    char text[TEXT_BYTES]; /* empty: null */
    bool alive;
};

static struct image images[MOST];
static int image_count;
static unsigned name_count;
static uint64_t state = 3;

static struct aimg_error error;
static struct aimg_writer *writer;
static const char *path;
static uint32_t image_columns[COLUMNS], text_column;

static int below(uint64_t limit)
{
    return (int)random_below(&state, limit);
}

/* One that is alive. */
static int choose(void)
{
    int i = below((uint64_t)image_count);
    while (!images[i].alive)
        i = (i + 1) % image_count;
    return i;
}

static void expect_ok(enum aimg_status status)
{
    if (!EXPECT_EQ_INT(status, AIMG_OK))
        fprintf(stderr, "  %s\n", error.message);
}

/* ------------------------------------------------------------------ steps */

static void add(void)
{
    struct image *image = &images[image_count];
    struct aimg_value value = {.column = image_columns[0], .bytes = sizeof(uint32_t)};
    struct aimg_image new = {.struct_bytes = sizeof new, .name = image->name, .data = "x", .data_bytes = 1, .values = &value};
    if (image_count == MOST)
        return;
    *image = (struct image){.refers = {NONE, NONE}, .alive = true};
    new.name_bytes = (size_t)snprintf(image->name, sizeof image->name, "added/%u", name_count++);
    if (image_count > 0 && below(2) == 0) {
        image->refers[0] = choose();
        value.data = &images[image->refers[0]].ordinal;
        new.value_count = 1;
    }
    expect_ok(aimg_writer_add(writer, &new, &image->ordinal, &error));
    image_count++;
}

static void rename_one(void)
{
    struct image *image = &images[choose()];
    snprintf(image->name, sizeof image->name, "named/%u", name_count++);
    expect_ok(aimg_writer_rename(writer, image->ordinal, image->name, strlen(image->name), &image->ordinal, &error));
}

static void refer(void)
{
    int column = below(COLUMNS), target = below(4) == 0 ? NONE : choose();
    struct image *image = &images[choose()];
    struct aimg_value value = {.column = image_columns[column], .flags = AIMG_VALUE_NULL};
    image->refers[column] = target;
    if (target != NONE) {
        value.data = &images[target].ordinal;
        value.bytes = sizeof(uint32_t);
        value.flags = 0;
    }
    expect_ok(aimg_writer_set(writer, image->ordinal, &value, &error));
}

static void write_text(void)
{
    struct image *image = &images[choose()];
    struct aimg_value value = {.column = text_column, .data = image->text, .flags = AIMG_VALUE_NULL};
    image->text[0] = 0;
    if (below(4) > 0) {
        snprintf(image->text, sizeof image->text, "%.*s", 1 + below(20), "as long as it may be");
        value.bytes = strlen(image->text);
        value.flags = 0;
    }
    expect_ok(aimg_writer_set(writer, image->ordinal, &value, &error));
}

/* Rows of a whole column at once, as an array: each refers to the same image. */
static void refer_all(void)
{
    static uint32_t values[MOST + STEPS];
    uint32_t count = (uint32_t)aimg_reader_ordinal_count(aimg_writer_base(writer));
    int target = choose();
    for (uint32_t i = 0; i < count; i++)
        values[i] = images[target].ordinal;
    expect_ok(aimg_writer_set_array(writer, image_columns[1], 0, count, values, NULL, &error));
    for (int i = 0; i < image_count; i++)
        if (images[i].ordinal < count)
            images[i].refers[1] = target;
}

static void take_away(void)
{
    int gone = choose();
    if (image_count < 20)
        return;
    images[gone].alive = false;
    expect_ok(aimg_writer_remove(writer, images[gone].ordinal, &error));
}

/* ------------------------------------------------------------------ what must be */

static void check_reference(const struct aimg_reader *reader, const struct image *image, unsigned k)
{
    static const char *const names[COLUMNS] = {"next", "other"};
    struct aimg_column column;
    uint32_t found = AIMG_NO_ORDINAL;
    size_t bytes = 0;
    int null = 9;
    REQUIRE(aimg_reader_column_find(reader, names[k], &column, &error) == AIMG_OK);
    expect_ok(aimg_reader_value(reader, column.index, image->ordinal, &found, sizeof found, &bytes, &null, &error));
    EXPECT_EQ_INT(null, image->refers[k] == NONE);
    host_order(&found, sizeof found, sizeof found);
    if (null == 0)
        EXPECT_EQ_UINT(found, images[image->refers[k]].ordinal);
}

static void check_text(const struct aimg_reader *reader, const struct image *image)
{
    struct aimg_column column;
    char found[TEXT_BYTES] = "";
    size_t bytes = 0;
    int null = 9;
    REQUIRE(aimg_reader_column_find(reader, "text", &column, &error) == AIMG_OK);
    expect_ok(aimg_reader_value(reader, column.index, image->ordinal, found, sizeof found - 1, &bytes, &null, &error));
    EXPECT_EQ_INT(null, image->text[0] == 0);
    EXPECT_EQ_TEXT(found, image->text);
}

static void check_all(const struct aimg_reader *reader)
{
    for (int i = 0; i < image_count; i++) {
        uint32_t ordinal = AIMG_NO_ORDINAL;
        if (!images[i].alive)
            continue;
        expect_ok(aimg_reader_find(reader, images[i].name, strlen(images[i].name), &ordinal, &error));
        EXPECT_EQ_UINT(ordinal, images[i].ordinal);
        for (unsigned k = 0; k < COLUMNS; k++)
            check_reference(reader, &images[i], k);
        check_text(reader, &images[i]);
    }
}

static void step(void)
{
    int chance = below(100);
    if (chance < 30)
        rename_one();
    else if (chance < 55)
        refer();
    else if (chance < 70)
        write_text();
    else if (chance < 85)
        add();
    else if (chance < 88)
        take_away();
    else if (chance < 90)
        refer_all();
    else if (chance < 97) {
        expect_ok(aimg_writer_commit(writer, NULL, &error));
        check_all(aimg_writer_base(writer));
    } else {
        struct aimg_writer_options options = sample_writer_options();
        expect_ok(aimg_writer_commit(writer, NULL, &error));
        expect_ok(aimg_writer_close(writer, &error));
        REQUIRE(aimg_writer_open(path, &options, &writer, &error) == AIMG_OK);
    }
}

/* Many rows in one run, all of which refer to one image; none of them is overlooked. */
static void check_many(void)
{
    enum { ROWS = 10000 };
    struct aimg_writer_options options = sample_writer_options();
    uint32_t column = 0, ordinal = 0, renamed = 0, found;
    size_t bytes;
    int null;
    path = sample_path("many.aimg");
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    expect_ok(aimg_writer_column(writer, "next", AIMG_TYPE_IMAGE, 1, 0, &column, &error));
    for (unsigned i = 0; i < ROWS; i++) {
        char name[16];
        struct aimg_value value = {.column = column, .data = &ordinal, .bytes = sizeof ordinal};
        struct aimg_image image = {.struct_bytes = sizeof image, .name = name, .values = &value, .value_count = i % 3 > 0};
        image.name_bytes = (size_t)snprintf(name, sizeof name, "%u", i);
        expect_ok(aimg_writer_add(writer, &image, NULL, &error));
    }
    expect_ok(aimg_writer_commit(writer, NULL, &error));
    expect_ok(aimg_writer_rename(writer, 0, "first", 5, &renamed, &error));
    expect_ok(aimg_writer_commit(writer, NULL, &error));
    for (uint32_t i = 1; i < ROWS; i++) {
        expect_ok(aimg_reader_value(aimg_writer_base(writer), 0, i, &found, sizeof found, &bytes, &null, &error));
        host_order(&found, sizeof found, sizeof found);
        EXPECT(i % 3 == 0 ? null == 1 : null == 0 && found == renamed);
    }
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
}

int main(void)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_verify_result result = {.faults = 1};
    path = sample_path("references.aimg");
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    expect_ok(aimg_writer_column(writer, "next", AIMG_TYPE_IMAGE, 1, 0, &image_columns[0], &error));
    expect_ok(aimg_writer_column(writer, "other", AIMG_TYPE_IMAGE, 1, 0, &image_columns[1], &error));
    expect_ok(aimg_writer_column(writer, "text", AIMG_TYPE_UTF8, 1, 0, &text_column, &error));
    for (int i = 0; i < 30; i++)
        add();
    for (int i = 0; i < STEPS; i++)
        step();
    expect_ok(aimg_writer_commit(writer, NULL, &error));
    check_all(aimg_writer_base(writer));
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    EXPECT(aimg_verify(path, NULL, &result, &error) == AIMG_OK && result.faults == 0);
    check_many();
    return test_end("test_references");
}
