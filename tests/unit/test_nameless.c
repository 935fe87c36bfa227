/* SPDX-License-Identifier: Apache-2.0 */
/* An image that is listed and has no name, as only an attachment may be: the walk over the names hands out no empty one, of which
 * a program would make the path of its folder. Found by fuzzing. */
#include "resign.h"
#include "sample.h"
#include "test.h"

int main(void)
{
    static const uint8_t names[] = {1, 0, 0, 0, 1, 0, 0, 0, 'a', 'b'};
    const char *path = sample_path("nameless.aimg");
    struct aimg_writer *writer = sample_create(path);
    struct aimg_reader *reader = NULL;
    struct aimg_names *walk = NULL;
    struct aimg_listed listed;
    struct aimg_error error;
    size_t bytes, changed = 0;
    REQUIRE(writer != NULL);
    REQUIRE(sample_add(writer, "a", 1, 0, NULL, &error) == AIMG_OK && sample_add(writer, "b", 2, 0, NULL, &error) == AIMG_OK);
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK && aimg_writer_close(writer, &error) == AIMG_OK);
    uint8_t *archive = sample_load(path, &bytes);
    REQUIRE(archive != NULL);
    for (size_t i = 0; i + sizeof names <= bytes; i++) {
        if (memcmp(archive + i, names, sizeof names) != 0)
            continue;
        archive[i] = 2; /* the first takes both letters */
        archive[i + 4] = 0;
        changed++;
    }
    REQUIRE(changed == 1);
    aimg_resign(archive, bytes);
    REQUIRE(aimg_reader_open_memory(archive, bytes, NULL, &reader, &error) == AIMG_OK);
    REQUIRE(aimg_names_create(reader, 0, &walk, &error) == AIMG_OK);
    EXPECT_EQ_INT(aimg_names_next(walk, &listed, &error), AIMG_OK);
    EXPECT_EQ_UINT(listed.name_bytes, 2);
    EXPECT_EQ_INT(aimg_names_next(walk, &listed, &error), AIMG_CORRUPT);
    EXPECT_EQ_UINT(error.rule, 53);
    aimg_names_destroy(walk);
    aimg_reader_close(reader);
    free(archive);
    return test_end("an image without a name");
}
