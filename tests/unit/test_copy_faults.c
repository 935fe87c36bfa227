/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of archives that are damaged, or that a writer made which does not keep to the rules: the source is said to be at fault,
 * and nothing that no archive may hold gets into a new one. */
#include "reader.h"
#include "resign.h"
#include "sample.h"
#include "test.h"

#include <dirent.h>

static struct aimg_error error;

static enum aimg_status copy_of(const struct aimg_reader *source)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer = NULL;
    struct aimg_error other;
    (void)unlink(sample_path("copy"));
    REQUIRE(aimg_writer_create(sample_path("copy"), &options, &writer, &error) == AIMG_OK);
    enum aimg_status status = aimg_writer_copy(writer, source, NULL, &error);
    if (status != AIMG_OK)
        EXPECT_EQ_INT(aimg_writer_commit(writer, "go on", &other), AIMG_SEQUENCE);
    EXPECT_EQ_INT(aimg_writer_close(writer, &other), AIMG_OK);
    return status;
}

/* ------------------------------------------------------------------ what a reader must refuse */

static void check_vectors(void)
{
    DIR *all = opendir(VECTORS "/bad");
    unsigned refused = 0;
    REQUIRE(all != NULL);
    for (struct dirent *entry; (entry = readdir(all)) != NULL;) {
        struct aimg_reader *source = NULL;
        char path[512];
        snprintf(path, sizeof path, "%s/%s", VECTORS "/bad", entry->d_name);
        if (strstr(entry->d_name, ".aimg") == NULL || aimg_reader_open(path, NULL, &source, &error) != AIMG_OK)
            continue;
        test_state.subject = entry->d_name;
        enum aimg_status status = copy_of(source);
        EXPECT(status == AIMG_OK || status == AIMG_CORRUPT || status == AIMG_CHECKSUM || status == AIMG_UNSUPPORTED);
        refused += status != AIMG_OK;
        aimg_reader_close(source);
        test_state.subject = NULL;
    }
    closedir(all);
    EXPECT(refused > 15);
}

/* What the writer refuses to take is said of the image that has it. */
static void check_refusals(void)
{
    static const struct {
        const char *vector;
        unsigned rule;
        const char *message;
    } cases[] = {
        {"value-bool", 61, "image 0 cannot be copied: column 'flag': a bool is 0 or 1 (rule 61); remove it, then copy again"},
        {"name-not-utf8", 53,
         "image 0 cannot be copied: the name is not valid UTF-8 (at byte 3) (rule 53); remove it, then copy again"},
        {"name-dot-dot", 53,
         "image 0 cannot be copied: the name has '.' or '..' as a component (at byte 2) (rule 53); remove it, then copy again"},
        {"name-absolute", 53,
         "image 0 cannot be copied: the name begins or ends with a slash or has two in a row (at byte 0) (rule 53); remove it, "
         "then copy again"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct aimg_reader *source = NULL;
        char path[512];
        snprintf(path, sizeof path, "%s/%s.aimg", VECTORS "/bad", cases[i].vector);
        test_state.subject = cases[i].vector;
        REQUIRE(aimg_reader_open(path, NULL, &source, &error) == AIMG_OK);
        EXPECT_EQ_INT(copy_of(source), AIMG_CORRUPT);
        EXPECT_EQ_UINT(error.rule, cases[i].rule);
        EXPECT_EQ_TEXT(error.message, cases[i].message);
        aimg_reader_close(source);
        test_state.subject = NULL;
    }
}

/* ------------------------------------------------------------------ checksums that are right */

static struct aimg_reader *open_changed(uint8_t *archive, size_t bytes)
{
    struct aimg_reader *source = NULL;
    aimg_resign(archive, bytes);
    REQUIRE(aimg_reader_open_memory(archive, bytes, NULL, &source, &error) == AIMG_OK);
    return source;
}

/* Metadata that is not UTF-8: in the second key, which stays in its place, and at the end of the last value. */
static void check_metadata(void)
{
    size_t bytes;
    uint8_t *archive = sample_load(VECTORS "/good/meta.aimg", &bytes);
    REQUIRE(archive != NULL);
    struct aimg_reader *source = open_changed(archive, bytes);
    const struct aimg_root_head *head = &source->catalog.head;
    uint8_t *meta = archive + head->meta_offset + AIMG_FRAME_BYTES;
    size_t places[] = {26, (size_t)head->meta_bytes - 1};
    EXPECT(memcmp(meta + places[0] - 1, "title", 5) == 0);
    EXPECT_EQ_INT(copy_of(source), AIMG_OK);
    aimg_reader_close(source);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        uint8_t saved = meta[places[i]];
        meta[places[i]] = 0xFF;
        source = open_changed(archive, bytes);
        EXPECT_EQ_INT(copy_of(source), AIMG_CORRUPT);
        EXPECT_EQ_UINT(error.rule, 69);
        aimg_reader_close(source);
        meta[places[i]] = saved;
    }
    free(archive);
}

/* A dictionary that begins as those that zstd trains do, and goes on in no such way. */
static void check_dictionary(void)
{
    size_t bytes, found = 0;
    uint8_t *archive = sample_load(VECTORS "/good/coding-trained-dictionary.aimg", &bytes);
    REQUIRE(archive != NULL);
    struct aimg_reader *source = open_changed(archive, bytes);
    EXPECT_EQ_INT(copy_of(source), AIMG_OK);
    for (uint32_t i = 0; i < source->catalog.head.coding_count; i++) {
        uint8_t *dictionary = archive + source->catalog.codings[i].offset + AIMG_FRAME_BYTES;
        if (aimg_load32(dictionary) != 0xEC30A437)
            continue;
        memset(dictionary + 8, 0xFF, 32); /* the tables */
        found++;
    }
    aimg_reader_close(source);
    REQUIRE(found > 0);
    source = open_changed(archive, bytes);
    EXPECT_EQ_INT(copy_of(source), AIMG_CORRUPT);
    EXPECT_EQ_UINT(error.rule, 51);
    aimg_reader_close(source);
    free(archive);
}

int main(void)
{
    check_vectors();
    check_refusals();
    check_metadata();
    check_dictionary();
    return test_end("test_copy_faults");
}
