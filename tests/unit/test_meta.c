/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata of an archive that another encoder wrote: values by key, and what a malformed or damaged payload gives. */
#include "reader.h"
#include "resign.h"
#include "sample.h"
#include "test.h"

static uint8_t *archive;
static size_t archive_bytes;
static struct aimg_error error;

static enum aimg_status value_of(const char *key, char *value, size_t room, size_t *bytes_out)
{
    struct aimg_reader *reader = NULL;
    memset(&error, 0, sizeof error);
    enum aimg_status status = aimg_reader_open_memory(archive, archive_bytes, NULL, &reader, &error);
    if (status == AIMG_OK)
        status = aimg_reader_meta(reader, key, value, room, bytes_out, &error);
    aimg_reader_close(reader);
    return status;
}

static void check_values(void)
{
    char value[2000], key[256];
    size_t bytes = 0;
    EXPECT_EQ_INT(value_of("title", value, sizeof value, &bytes), AIMG_OK);
    EXPECT(bytes == 8 && memcmp(value,
                                "Gr\xC3\xBC\xC3\x9F"
                                "e\n",
                                8) == 0);
    EXPECT_EQ_INT(value_of("title", value, 7, &bytes), AIMG_BUFFER_TOO_SMALL);
    EXPECT_EQ_UINT(bytes, 8);
    EXPECT_EQ_INT(value_of("k", NULL, 0, &bytes), AIMG_OK);
    EXPECT_EQ_UINT(bytes, 0);
    EXPECT_EQ_INT(value_of("titl", value, sizeof value, &bytes), AIMG_NOT_FOUND);
    memset(key, 'x', 255);
    key[255] = 0;
    EXPECT_EQ_INT(value_of(key, value, sizeof value, &bytes), AIMG_OK);
    EXPECT(bytes == 1000 && value[0] == 'y' && value[999] == 'y');
}

/* The payload, through the last ROOT. */
static uint8_t *payload(void)
{
    struct aimg_reader *reader = NULL;
    REQUIRE(aimg_reader_open_memory(archive, archive_bytes, NULL, &reader, &error) == AIMG_OK);
    uint64_t offset = reader->catalog.head.meta_offset + AIMG_FRAME_BYTES;
    aimg_reader_close(reader);
    return archive + offset;
}

/* One byte changed, all checksums made right: rule 69 is what is left to complain. */
static void check_malformed(void)
{
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {
        {0, 4},     {0, 2},     {4, 1}, /* a record too many, one too few, a Z byte */
        {8, 0},     {10, 1},            /* a key of no byte, a Z byte */
        {12, 1},                        /* the value is longer */
        {16, 'z'},                      /* keys out of order */
        {26, 0xFF}, {30, 0xFF},         /* no UTF-8: in a key, whose place does not change; in a value */
    };
    char value[2000];
    size_t bytes;
    uint8_t *meta = payload();
    EXPECT(aimg_load32(meta) == 3 && aimg_load16(meta + 8) == 1 && meta[16] == 'k');
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        uint8_t saved = meta[changes[i].at];
        meta[changes[i].at] = changes[i].value;
        aimg_resign(archive, archive_bytes);
        EXPECT_EQ_INT(value_of("title", value, sizeof value, &bytes), AIMG_CORRUPT);
        EXPECT_EQ_UINT(error.rule, 69);
        meta[changes[i].at] = saved;
    }
    aimg_resign(archive, archive_bytes);
    EXPECT_EQ_INT(value_of("title", value, sizeof value, &bytes), AIMG_OK);
    meta[16] ^= 1; /* and without that it is damage */
    EXPECT_EQ_INT(value_of("title", value, sizeof value, &bytes), AIMG_CHECKSUM);
    EXPECT_EQ_UINT(error.rule, 69);
}

int main(void)
{
    archive = sample_load(VECTORS "/good/meta.aimg", &archive_bytes);
    REQUIRE(archive != NULL);
    check_values();
    check_malformed();
    free(archive);
    return test_end("test_meta");
}
