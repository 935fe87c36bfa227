/* SPDX-License-Identifier: Apache-2.0 */
/* A small last commit stays small in the copy: the tables of what was there before are not written again. */
#include "sample.h"
#include "test.h"

#include <sys/stat.h>
#include <unistd.h>

#define IMAGES 600

static struct aimg_error error;

static void write_source(const char *path)
{
    struct aimg_writer *writer = sample_create(path);
    REQUIRE(writer != NULL);
    uint32_t moved;
    for (uint32_t k = 0; k < IMAGES; k++) {
        char name[32];
        snprintf(name, sizeof name, "image %u", k);
        REQUIRE(sample_add(writer, name, k, 0, NULL, &error) == AIMG_OK);
    }
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    REQUIRE(aimg_writer_rename(writer, 0, "another", 7, &moved, &error) == AIMG_OK);
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
}

static uint64_t file_bytes(const char *path)
{
    struct stat info;
    REQUIRE(stat(path, &info) == 0);
    return (uint64_t)info.st_size;
}

int main(void)
{
    const char *from = sample_path("source"), *to = sample_path("copy");
    struct aimg_reader *source = NULL, *copy = NULL;
    write_source(from);
    struct aimg_writer *writer = sample_create(to);
    REQUIRE(writer != NULL);
    REQUIRE(aimg_reader_open(from, NULL, &source, &error) == AIMG_OK);
    REQUIRE(aimg_writer_copy(writer, source, NULL, &error) == AIMG_OK);
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    EXPECT(file_bytes(to) <= file_bytes(from));
    REQUIRE(aimg_reader_open(to, NULL, &copy, &error) == AIMG_OK);
    EXPECT_EQ_UINT(aimg_reader_count(copy), IMAGES);
    EXPECT(sample_equals(copy, IMAGES - 1, 0)); /* the renamed one moves to the end */
    aimg_reader_close(copy);
    aimg_reader_close(source);
    return test_end("test_copy_size");
}
