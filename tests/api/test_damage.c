/* SPDX-License-Identifier: Apache-2.0 */
/* An archive with one bit turned, at every byte: what is read is what was written, or an error; and nothing is said not to be
 * there that is. */
#include "random.h"
#include "sample.h"
#include "sanitized.h"
#include "test.h"

enum { IMAGES = 24, STEP = TEST_SLOW ? 7 : 1 };

static struct aimg_error error;
static uint8_t contents[IMAGES][700];
static size_t content_bytes[IMAGES];
static unsigned long reads, refusals;

static void make(const char *path)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer;
    uint32_t number, text;
    options.compress = AIMG_COMPRESS_ZSTD;
    options.flags = 0; /* with hints */
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    REQUIRE(aimg_writer_column(writer, "number", AIMG_TYPE_U32, 1, 0, &number, &error) == AIMG_OK);
    REQUIRE(aimg_writer_column(writer, "text", AIMG_TYPE_DICTIONARY, 1, 0, &text, &error) == AIMG_OK);
    for (uint32_t k = 0; k < IMAGES; k++) {
        char name[16];
        uint32_t value = k * 1000;
        static uint8_t data[SAMPLE_MAX_BYTES];
        struct aimg_value values[2] = {{.column = number, .data = &value, .bytes = 4},
                                       {.column = text, .data = k % 2 == 0 ? "even" : "odd", .bytes = 3 + (k % 2 == 0)}};
        struct aimg_image image = {.struct_bytes = sizeof image, .name = name, .data = data, .values = values, .value_count = 2};
        image.name_bytes = (size_t)snprintf(name, sizeof name, "%u", k);
        image.data_bytes = content_bytes[k] = sample_fill(k, data);
        memcpy(contents[k], data, content_bytes[k]);
        REQUIRE(aimg_writer_add(writer, &image, NULL, &error) == AIMG_OK);
        if (k == 20)
            REQUIRE(aimg_writer_remove(writer, 4, &error) == AIMG_OK);
        if (k == 15 || k == IMAGES - 1)
            REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    }
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
}

static void check_status(enum aimg_status status)
{
    EXPECT(status == AIMG_OK || status == AIMG_CORRUPT || status == AIMG_CHECKSUM || status == AIMG_UNSUPPORTED);
    reads += status == AIMG_OK;
    refusals += status != AIMG_OK;
}

static void check_image(const struct aimg_reader *reader, uint32_t k)
{
    static uint8_t out[1 << 20];
    uint64_t bytes = 0;
    uint32_t ordinal = AIMG_NO_ORDINAL, value = 0;
    char name[16], text[1025];
    size_t size = 0;
    int null = 0, name_bytes = snprintf(name, sizeof name, "%u", k);
    struct aimg_bytes borrowed;
    enum aimg_status status = aimg_reader_read(reader, k, 0, out, 700, &bytes, &error);
    if (status == AIMG_BUFFER_TOO_SMALL && bytes <= sizeof out) { /* a size that is damaged: with room for it, it is found out */
        status = aimg_reader_read(reader, k, 0, out, sizeof out, &bytes, &error);
        EXPECT(status != AIMG_OK);
    }
    check_status(status);
    if (status == AIMG_OK)
        EXPECT(bytes == content_bytes[k] && memcmp(out, contents[k], bytes) == 0);
    status = aimg_reader_borrow(reader, k, AIMG_READ_VERIFY, &borrowed, &error);
    check_status(status);
    if (status == AIMG_OK && borrowed.coding == 0)
        EXPECT(borrowed.bytes == content_bytes[k] && memcmp(borrowed.data, contents[k], borrowed.bytes) == 0);
    status = aimg_reader_find(reader, name, (size_t)name_bytes, &ordinal, &error);
    check_status(status);
    if (status == AIMG_OK)
        EXPECT_EQ_UINT(ordinal, k);
    status = aimg_reader_name(reader, k, text, sizeof text, NULL, &error);
    check_status(status);
    if (status == AIMG_OK)
        EXPECT_EQ_TEXT(text, name);
    status = aimg_reader_value(reader, 0, k, &value, sizeof value, &size, &null, &error);
    check_status(status);
    if (status == AIMG_OK)
        EXPECT_EQ_UINT(value, k * 1000);
    status = aimg_reader_value(reader, 1, k, text, sizeof text, &size, &null, &error);
    check_status(status);
    if (status == AIMG_OK)
        EXPECT(memcmp(text, k % 2 == 0 ? "even" : "odd", size) == 0 && size == 3 + (k % 2 == 0));
}

static void check_list(const struct aimg_reader *reader)
{
    struct aimg_names *names;
    struct aimg_listed listed;
    char name[16];
    uint32_t expected = 0;
    if (aimg_names_create(reader, 0, &names, &error) != AIMG_OK)
        return;
    enum aimg_status status;
    while ((status = aimg_names_next(names, &listed, &error)) == AIMG_OK) {
        expected += expected == 4;
        snprintf(name, sizeof name, "%u", expected);
        EXPECT(listed.ordinal == expected++ && strcmp(listed.name, name) == 0);
    }
    if (status == AIMG_END)
        EXPECT_EQ_UINT(expected, IMAGES);
    else
        check_status(status);
    aimg_names_destroy(names);
}

static void check_flip(const uint8_t *bytes, size_t count, uint64_t *opened)
{
    struct aimg_reader *reader = NULL;
    enum aimg_status status = aimg_reader_open_memory(bytes, count, NULL, &reader, &error);
    if (status != AIMG_OK) {
        EXPECT(status != AIMG_NOT_FOUND && status != AIMG_OUT_OF_MEMORY && status != AIMG_IO && status != AIMG_INVALID_ARGUMENT);
        return;
    }
    (*opened)++;
    EXPECT(aimg_reader_ordinal_count(reader) == IMAGES); /* never the archive as of the commit before */
    for (uint32_t k = 0; k < IMAGES; k++)
        if (k != 4)
            check_image(reader, k);
    check_list(reader);
    aimg_reader_close(reader);
}

int main(void)
{
    const char *path = sample_path("damage.aimg");
    size_t count;
    uint64_t random = 1, opened = 0;
    make(path);
    uint8_t *bytes = sample_load(path, &count);
    REQUIRE(bytes != NULL);
    for (size_t at = 0; at < count; at += STEP) {
        uint8_t bit = (uint8_t)(1u << random_below(&random, 8));
        bytes[at] ^= bit;
        check_flip(bytes, count, &opened);
        bytes[at] ^= bit;
    }
    EXPECT(opened > 100 && reads > 1000 && refusals > 100);
    printf("%zu bytes, opened %" PRIu64 " times, %lu answers, %lu refusals\n", count, opened, reads, refusals);
    free(bytes);
    return test_end("test_damage");
}
