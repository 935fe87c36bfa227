/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of an image hold a commit page of this archive, right in every field, at its place, with the salt of the batch. The
 * writer is killed before it commits, and the file is cut, or loses a sector, wherever that is worst: nobody takes the page for a
 * commit. */
#include "commit.h"
#include "io.h"
#include "locate.h"
#include "sample.h"
#include "test.h"

#include <signal.h>
#include <sys/wait.h>

enum { EVIL_BYTES = 5 * AIMG_PAGE_BYTES, SECTOR = 512 };

static struct aimg_error error;
static uint8_t evil[EVIL_BYTES];
static const char *path;

static enum aimg_status add_evil(struct aimg_writer *writer)
{
    struct aimg_image image = {
        .struct_bytes = sizeof image, .name = "evil", .name_bytes = 4, .data = evil, .data_bytes = sizeof evil};
    return aimg_writer_add(writer, &image, NULL, &error);
}

static void locate(struct aimg_located *located)
{
    struct aimg_io io;
    REQUIRE(aimg_io_file_open(&io, path, AIMG_IO_READ, &error) == AIMG_OK);
    REQUIRE(aimg_locate(&io, false, located, &error) == AIMG_OK);
    REQUIRE(io.ops->close(&io, &error) == AIMG_OK);
}

/* Where the bytes will come to lie, and with which salt: the same in every run, as the seed is. */
static uint64_t rehearse(struct aimg_located *located)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer = NULL;
    struct aimg_entry entry;
    REQUIRE(aimg_writer_open(path, &options, &writer, &error) == AIMG_OK && add_evil(writer) == AIMG_OK);
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    REQUIRE(aimg_reader_entry(aimg_writer_base(writer), 1, &entry, &error) == AIMG_OK);
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    locate(located);
    return entry.data_offset;
}

/* A commit that follows `before` and names what it names, as another commit of the batch of `batch` could. */
static uint64_t forge(const struct aimg_located *before, const struct aimg_located *batch, uint64_t data_offset)
{
    struct aimg_commit_page forged = before->commit;
    forged.self_offset = (data_offset + AIMG_PAGE_BYTES - 1) / AIMG_PAGE_BYTES * AIMG_PAGE_BYTES;
    forged.seq = before->commit.seq + 1;
    forged.prev_offset = before->commit.self_offset;
    memcpy(forged.prev_chain, before->commit.chain, sizeof forged.prev_chain);
    forged.salt = batch->commit.salt;
    aimg_commit_encode(&forged, evil + (forged.self_offset - data_offset));
    return forged.self_offset;
}

/* A writer that is killed when the image is on its way, before it can commit. */
static void crash(void)
{
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        struct aimg_writer_options options = sample_writer_options();
        struct aimg_writer *writer = NULL;
        if (aimg_writer_open(path, &options, &writer, NULL) != AIMG_OK || add_evil(writer) != AIMG_OK)
            _exit(1);
        for (uint32_t k = 0; k < 40; k++) { /* until it is no longer in the writer's buffer */
            char name[16];
            snprintf(name, sizeof name, "%u", k);
            if (sample_add(writer, name, SAMPLE_BIG + k, 0, NULL, NULL) != AIMG_OK)
                _exit(1);
        }
        (void)raise(SIGKILL);
    }
    int status;
    REQUIRE(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
}

/* The archive has its first commit and no other, and can be added to. */
static void check_not_fooled(const uint8_t *bytes, size_t count)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct aimg_reader *reader = NULL;
    struct aimg_writer *writer = NULL;
    REQUIRE(sample_store(path, bytes, count));
    REQUIRE(aimg_reader_open(path, NULL, &reader, &error) == AIMG_OK);
    REQUIRE(aimg_reader_info(reader, &info, &error) == AIMG_OK);
    EXPECT_EQ_UINT(info.commit_count, 1);
    EXPECT(sample_equals(reader, 0, 5));
    aimg_reader_close(reader);
    EXPECT_EQ_INT(aimg_writer_open(path, NULL, &writer, &error), AIMG_OK);
    EXPECT_EQ_INT(sample_add(writer, "after", 6, 0, NULL, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    EXPECT(sample_verifies(path, 1, 0));
}

static void check_crash(const uint8_t *crashed, size_t count, uint64_t begin, uint64_t forged_at)
{
    uint8_t *bytes = malloc(count);
    REQUIRE(bytes != NULL);
    memcpy(bytes, crashed, count);
    uint64_t end = forged_at + 2 * AIMG_PAGE_BYTES;
    for (uint64_t cut = begin; cut <= end; cut += SECTOR)
        check_not_fooled(bytes, cut);
    for (uint64_t lost = begin; lost < end; lost += SECTOR) {
        memset(bytes + lost, 0, SECTOR);
        check_not_fooled(bytes, count < end ? count : end);
        check_not_fooled(bytes, forged_at + AIMG_PAGE_BYTES);
        memcpy(bytes + lost, crashed + lost, SECTOR);
    }
    memset(bytes + begin, 0, forged_at - begin); /* all of its frame but the page */
    check_not_fooled(bytes, forged_at + AIMG_PAGE_BYTES);
    free(bytes);
}

int main(void)
{
    struct aimg_located before, batch;
    size_t base_bytes, crashed_bytes;
    path = strdup(sample_path("forged.aimg"));
    struct aimg_writer *writer = sample_create(path);
    REQUIRE(writer != NULL && sample_add(writer, "first", 5, 0, NULL, &error) == AIMG_OK);
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK && aimg_writer_close(writer, &error) == AIMG_OK);
    uint8_t *base = sample_load(path, &base_bytes);
    REQUIRE(base != NULL);
    locate(&before);
    uint64_t data_offset = rehearse(&batch);
    uint64_t forged_at = forge(&before, &batch, data_offset);
    REQUIRE(sample_store(path, base, base_bytes));
    crash();
    uint8_t *crashed = sample_load(path, &crashed_bytes);
    REQUIRE(crashed != NULL && crashed_bytes >= forged_at + 2 * AIMG_PAGE_BYTES);
    struct aimg_commit_page found;
    REQUIRE(aimg_commit_decode(crashed + forged_at, forged_at, &before.header, &found) == 0); /* it is there, and right */
    REQUIRE(found.salt == batch.commit.salt && found.seq == 1);
    check_crash(crashed, crashed_bytes, before.end, forged_at);
    memset(crashed + AIMG_HEADER_BYTES, 0, AIMG_HEAD_BYTES - AIMG_HEADER_BYTES); /* without hints the walk begins at the head */
    check_crash(crashed, crashed_bytes, before.end, forged_at);
    free(base);
    free(crashed);
    return test_end("test_forged_commit");
}
