/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of archives that are damaged, or that a writer made which does not keep to the rules: the source is said to be at fault,
 * and nothing that no archive may hold gets into a new one. */
#include "reader.h"
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

int main(void)
{
    check_vectors();
    check_refusals();
    return test_end("test_copy_faults");
}
