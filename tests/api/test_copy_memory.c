/* SPDX-License-Identifier: Apache-2.0 */
/* What a copy holds of its source does not grow with the number of columns. */
#include "counting.h"
#include "sample.h"
#include "test.h"

static struct aimg_error error;

/* Six columns with a value of 300 KiB each, all in the first image or each in one of its own. */
static void write_large_values(const char *path, enum aimg_type type, bool in_one)
{
    enum { COLUMNS = 6, BYTES = 300 << 10 };
    static char text[BYTES];
    struct aimg_writer *writer = sample_create(path);
    REQUIRE(writer != NULL);
    memset(text, 'a', sizeof text);
    for (uint32_t k = 0; k < COLUMNS; k++)
        REQUIRE(sample_add(writer, (char[]){(char)('a' + k), 0}, k, 0, NULL, &error) == AIMG_OK);
    for (uint32_t k = 0; k < COLUMNS; k++) {
        struct aimg_value value = {.data = text, .bytes = sizeof text};
        REQUIRE(aimg_writer_column(writer, (char[]){(char)('a' + k), 0}, type, 1, 0, &value.column, &error) == AIMG_OK);
        REQUIRE(aimg_writer_set(writer, in_one ? 0 : k, &value, &error) == AIMG_OK);
    }
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK && aimg_writer_close(writer, &error) == AIMG_OK);
}

static enum aimg_status copy_within(const char *path, uint64_t index_bytes)
{
    struct counting counting = {.fail_at = 0};
    struct aimg_reader_options options = {
        .struct_bytes = sizeof options, .limits = {.index_bytes = index_bytes}, .allocator = counting_allocator(&counting)};
    struct aimg_reader *source = NULL;
    struct aimg_writer *writer = sample_create(sample_path("copy"));
    REQUIRE(writer != NULL);
    REQUIRE(aimg_reader_open(path, &options, &source, &error) == AIMG_OK);
    enum aimg_status status = aimg_writer_copy(writer, source, NULL, &error);
    aimg_reader_close(source);
    EXPECT(counting.peak_bytes < 2 * (long long)index_bytes);
    EXPECT_EQ_INT(counting.live, 0);
    REQUIRE(aimg_writer_close(writer, NULL) == AIMG_OK);
    return status;
}

/* What a limit allows for one column it does not allow for each of them; columns whose large values are of other images do not
 * count. */
static void check_limit(void)
{
    static const enum aimg_type types[] = {AIMG_TYPE_BYTES, AIMG_TYPE_UTF8, AIMG_TYPE_DICTIONARY};
    char path[512];
    snprintf(path, sizeof path, "%s", sample_path("large"));
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        write_large_values(path, types[i], true);
        EXPECT_EQ_INT(copy_within(path, 1 << 20), AIMG_LIMIT);
        EXPECT(strstr(error.message, "raise limits.index_bytes") != NULL);
        EXPECT_EQ_INT(copy_within(path, 3 << 20), AIMG_OK);
        write_large_values(path, types[i], false);
        EXPECT_EQ_INT(copy_within(path, 1 << 20), types[i] == AIMG_TYPE_DICTIONARY ? AIMG_LIMIT : AIMG_OK);
    }
}

int main(void)
{
    check_limit();
    return test_end("test_copy_memory");
}
