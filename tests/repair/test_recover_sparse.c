/* SPDX-License-Identifier: Apache-2.0 */
/* A torn tail that is nearly all a hole, as a file system leaves one that has written down the size and not the bytes: it is not
 * read through. */
#include "sample.h"
#include "test.h"
#include "writer.h"

#include <unistd.h>

enum { READS_MAX = 1000 };

static const struct aimg_io_ops *real;
static unsigned reads;
static struct aimg_error error;

/* A writer that reads it all would be at it for hours. */
static enum aimg_status few_reads(struct aimg_io *io, uint64_t offset, void *buffer, size_t bytes, struct aimg_error *why)
{
    return ++reads > READS_MAX ? AIMG_IO : real->read_at(io, offset, buffer, bytes, why);
}

/* Moves what stands at the end of a file. */
static void move_end(const char *path, uint64_t from, uint64_t to)
{
    size_t bytes;
    uint8_t *all = sample_load(path, &bytes);
    REQUIRE(all != NULL && truncate(path, (off_t)from) == 0);
    FILE *file = fopen(path, "r+b");
    REQUIRE(file != NULL && fseeko(file, (off_t)to, SEEK_SET) == 0);
    REQUIRE(fwrite(all + from, 1, bytes - from, file) == bytes - from && fclose(file) == 0);
    free(all);
}

/* Two images that were not committed, the second in the middle of a hole that reaches up to `bytes`. False where no file can be
 * so large. */
static bool make_tail(const char *path, uint64_t bytes)
{
    struct aimg_writer *writer = sample_create(path);
    REQUIRE(writer != NULL);
    REQUIRE(sample_add(writer, "base", 3, 0, NULL, &error) == AIMG_OK && aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    REQUIRE(sample_add(writer, "t/0", 4, 0, NULL, &error) == AIMG_OK);
    uint64_t second = aimg_out_offset(&writer->out);
    REQUIRE(sample_add(writer, "t/1", 5, 0, NULL, &error) == AIMG_OK);
    REQUIRE(aimg_out_flush(&writer->out, &error) == AIMG_OK);
    writer->failed = true; /* so that closing leaves them */
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    if (truncate(path, (off_t)bytes) != 0)
        return remove(path) != 0;
    REQUIRE(truncate(path, (off_t)(second + 3000)) == 0);
    move_end(path, second, bytes / 2);
    REQUIRE(truncate(path, (off_t)bytes) == 0);
    return true;
}

/* found: of the two images. */
static void check_hole(uint64_t bytes, uint32_t flags, unsigned found)
{
    const char *path = sample_path("sparse");
    struct aimg_io io;
    struct aimg_io_ops counting;
    struct aimg_writer *writer = NULL;
    struct aimg_writer_options options = sample_writer_options();
    uint64_t dropped, images, kept;
    if (!make_tail(path, bytes))
        return;
    REQUIRE(aimg_io_file_open(&io, path, AIMG_IO_WRITE, &error) == AIMG_OK);
    real = io.ops;
    counting = *real;
    counting.read_at = few_reads;
    io.ops = &counting;
    reads = 0;
    options.flags = flags;
    if (EXPECT_EQ_INT(aimg_writer_open_io(&io, &options, &writer, &error), AIMG_OK)) {
        aimg_writer_dropped(writer, &dropped, &images);
        aimg_writer_recovered(writer, &kept);
        EXPECT_EQ_UINT(images, flags == 0 ? found : 0);
        EXPECT_EQ_UINT(kept, flags == 0 ? 0 : found);
        EXPECT(flags != 0 || dropped > bytes - (1 << 16));
    }
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    EXPECT(sample_verifies(path, 1, 0));
    EXPECT_EQ_INT(remove(path), 0);
}

int main(void)
{
    check_hole(UINT64_C(1) << 40, 0, 2);
    check_hole(UINT64_C(1) << 24, AIMG_WRITER_RECOVER, 2);
    check_hole((UINT64_C(1) << 52) + 8192, 0, 1); /* behind the largest archive nothing is looked for */
    return test_end("recover_sparse");
}
