/* SPDX-License-Identifier: Apache-2.0 */
/* Training where the public interface does not lead: numbers of codings that are taken, codecs from the future, the size of what
 * is chosen. */
#include "random.h"
#include "sample.h"
#include "test.h"
#include "writer.h"

enum { SAMPLES = 64, SAMPLE_BYTES = 700, COMMON_BYTES = 300, FORMAT = 201 };

static struct aimg_error error;
static uint8_t data[SAMPLES][SAMPLE_BYTES];

/* `families` kinds of images, each with a beginning of its own. */
static void fill(unsigned families)
{
    for (size_t i = 0; i < SAMPLES; i++) {
        uint64_t family = i / 2 % families, own = 1000 + i;
        random_fill(&family, data[i], COMMON_BYTES);
        random_fill(&own, data[i] + COMMON_BYTES, SAMPLE_BYTES - COMMON_BYTES);
    }
}

static enum aimg_status train(struct aimg_writer *writer, uint64_t expected)
{
    struct aimg_sample samples[SAMPLES];
    for (size_t i = 0; i < SAMPLES; i++)
        samples[i] = (struct aimg_sample){.data = data[i], .bytes = SAMPLE_BYTES, .format = FORMAT};
    return aimg_writer_train(writer, samples, SAMPLES, expected, &error);
}

static struct aimg_writer *create(void)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer = NULL;
    const char *path = sample_path("training");
    options.compress = AIMG_COMPRESS_AUTO;
    (void)unlink(path);
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    return writer;
}

/* Numbers are given from the lowest that is free; without one there is no new dictionary, and images are stored as they are. */
static void check_numbers(void)
{
    static const unsigned taken_to[] = {1, 2, 200, 254, 255};
    fill(1);
    for (size_t i = 0; i < sizeof taken_to / sizeof taken_to[0]; i++) {
        struct aimg_writer *writer = create();
        for (unsigned number = AIMG_CODING_FIRST_LISTED; number <= taken_to[i]; number++)
            writer->coders.by_number[number].record = (struct aimg_coding_record){.coding = (uint8_t)number, .codec = 9};
        EXPECT_EQ_INT(train(writer, 1000000), AIMG_OK);
        EXPECT_EQ_UINT(writer->coders.way[FORMAT], taken_to[i] < 255 ? taken_to[i] + 1 : AIMG_CODING_STORE);
        EXPECT_EQ_UINT(writer->coders.way[FORMAT + 1], AIMG_CODING_ZSTD); /* nothing was said of others */
        EXPECT_EQ_UINT(aimg_coders_count(&writer->coders), 0);            /* nothing is in the file yet */
        EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    }
}

/* One header fits the small dictionary; forty do not. */
static void check_sizes(void)
{
    static const struct {
        unsigned families;
        size_t least, most;
    } cases[] = {{1, 256, 4096}, {30, 4097, 32768}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct aimg_writer *writer = create();
        fill(cases[i].families);
        EXPECT_EQ_INT(train(writer, 1000000), AIMG_OK);
        const struct aimg_coder *coder = &writer->coders.by_number[AIMG_CODING_FIRST_LISTED];
        EXPECT_EQ_UINT(writer->coders.way[FORMAT], AIMG_CODING_FIRST_LISTED);
        EXPECT(coder->record.bytes >= cases[i].least && coder->record.bytes <= cases[i].most);
        EXPECT(coder->encoder != NULL && coder->dictionary != NULL && coder->record.codec == AIMG_CODEC_ZSTD_DICT);
        EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    }
}

/* A dictionary pays from some number of images on, and then for all larger ones. */
static void check_threshold(void)
{
    unsigned changes = 0, before = AIMG_CODING_STORE;
    fill(1);
    for (uint64_t expected = 1; expected < 100000; expected += 1 + expected / 4) {
        struct aimg_writer *writer = create();
        EXPECT_EQ_INT(train(writer, expected), AIMG_OK);
        unsigned way = writer->coders.way[FORMAT];
        EXPECT(way == AIMG_CODING_STORE || way == AIMG_CODING_FIRST_LISTED);
        /* 300 of 704 bytes are saved, so a dictionary of at least 300 bytes needs more than one image, and less than 100. */
        EXPECT(expected > 1 || way == AIMG_CODING_STORE);
        EXPECT(expected < 100 || way == AIMG_CODING_FIRST_LISTED);
        changes += way != before;
        before = way;
        EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    }
    EXPECT_EQ_UINT(changes, 1);
}

int main(void)
{
    check_numbers();
    check_sizes();
    check_threshold();
    return test_end("test_training");
}
