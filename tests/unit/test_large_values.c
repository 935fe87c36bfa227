/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of bytes with large values, some that compress and some that do not, through adding, setting, merging and sealing,
 * against a plain array. */
#include "random.h"
#include "sample.h"
#include "test.h"

#define SEQUENCES 60
#define MOST_ROWS 160
#define MOST      100000

struct value {
    uint8_t *data;
    size_t bytes;
};

static struct aimg_error error;
static struct value rows[MOST_ROWS];
static uint32_t row_count;

/* Empty, small, or up to MOST bytes: noise, or text. */
static struct value random_value(uint64_t *random, bool noise)
{
    static const char text[] = "the quick brown fox ";
    static const size_t limits[] = {1, 40, 3000, MOST};
    struct value value = {.bytes = (size_t)random_below(random, limits[random_below(random, 4)])};
    value.data = malloc(value.bytes + 1);
    REQUIRE(value.data != NULL);
    if (noise)
        random_fill(random, value.data, value.bytes);
    else
        for (size_t i = 0; i < value.bytes; i++)
            value.data[i] = (uint8_t)text[i % (sizeof text - 1)];
    return value;
}

static void add(struct aimg_writer *writer, uint32_t column, uint64_t *random, bool noise)
{
    char name[16];
    struct value value = random_value(random, noise);
    struct aimg_value given = {.column = column, .data = value.data, .bytes = (uint32_t)value.bytes};
    struct aimg_image image = {.struct_bytes = sizeof image, .name = name, .data = name, .values = &given, .value_count = 1};
    image.name_bytes = image.data_bytes = (size_t)snprintf(name, sizeof name, "%u", row_count);
    REQUIRE(aimg_writer_add(writer, &image, NULL, &error) == AIMG_OK);
    rows[row_count++] = value;
}

static void set(struct aimg_writer *writer, uint32_t column, uint64_t *random)
{
    uint32_t row = (uint32_t)random_below(random, row_count);
    struct value value = random_value(random, random_below(random, 2) == 0);
    struct aimg_value given = {.column = column, .data = value.data, .bytes = (uint32_t)value.bytes};
    REQUIRE(aimg_writer_set(writer, row, &given, &error) == AIMG_OK);
    free(rows[row].data);
    rows[row] = value;
}

static void check_rows(const char *path)
{
    static uint8_t found[MOST];
    struct aimg_verify_options options = {.struct_bytes = sizeof options, .threads = 1};
    struct aimg_verify_result result;
    struct aimg_reader *reader = NULL;
    REQUIRE(aimg_reader_open(path, NULL, &reader, &error) == AIMG_OK);
    for (uint32_t row = 0; row < row_count; row++) {
        size_t bytes = 0;
        int null = 0;
        if (!EXPECT_EQ_INT(aimg_reader_value(reader, 0, row, found, sizeof found, &bytes, &null, &error), AIMG_OK) ||
            !EXPECT_EQ_UINT(bytes, rows[row].bytes) || !EXPECT(!null && memcmp(found, rows[row].data, bytes) == 0)) {
            fprintf(stderr, "  row %u: %s\n", row, error.message);
            break;
        }
    }
    aimg_reader_close(reader);
    EXPECT_EQ_INT(aimg_verify(path, &options, &result, &error), AIMG_OK);
    EXPECT_EQ_UINT(result.faults, 0);
}

/* Of one kind within a commit, mostly: so that groups of both kinds meet where runs are merged. */
static void run_sequence(uint64_t seed)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer = NULL;
    uint64_t random = seed;
    uint32_t column;
    (void)unlink(sample_path("values"));
    REQUIRE(aimg_writer_create(sample_path("values"), &options, &writer, &error) == AIMG_OK);
    REQUIRE(aimg_writer_column(writer, "blob", AIMG_TYPE_BYTES, 1, 0, &column, &error) == AIMG_OK);
    for (unsigned commit = 0; commit < 8; commit++) {
        uint32_t images = 1 + (uint32_t)random_below(&random, random_below(&random, 2) == 0 ? 3 : MOST_ROWS / 8);
        uint64_t kind = random_below(&random, 3);
        for (uint32_t i = 0; i < images; i++)
            add(writer, column, &random, kind == 2 ? i % 2 == 0 : kind == 1);
        REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
        for (uint64_t sets = random_below(&random, 4); sets > 0; sets--)
            set(writer, column, &random);
    }
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    if (seed % 2 == 1)
        REQUIRE(aimg_writer_seal(writer, NULL, &error) == AIMG_OK);
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    check_rows(sample_path("values"));
    while (row_count > 0)
        free(rows[--row_count].data);
}

int main(void)
{
    for (uint64_t seed = 0; seed < SEQUENCES; seed++)
        run_sequence(seed);
    return test_end("test_large_values");
}
