/* SPDX-License-Identifier: Apache-2.0 */
/* Commits that no hint names: made durable, read again from the medium, checked, and only then built on. */
#include "fake_disk.h"
#include "recover.h"
#include "sample.h"
#include "test.h"

static uint8_t *archive;
static size_t archive_bytes;
static struct aimg_error error;

/* A disk with the archive on it, without hints, and what a writer finds there. */
static struct aimg_io begin(struct fake_disk *disk, struct aimg_located *located)
{
    fake_disk_create(disk, archive, archive_bytes);
    memset(disk->cache + AIMG_HEADER_BYTES, 0, 2 * AIMG_HINT_BYTES);
    memset(disk->medium + AIMG_HEADER_BYTES, 0, 2 * AIMG_HINT_BYTES);
    struct aimg_io io = fake_disk_io(disk);
    REQUIRE(aimg_locate(&io, false, located, &error) == AIMG_OK && located->commit.seq == 2);
    return io;
}

static void check_whole(void)
{
    struct fake_disk disk;
    struct aimg_located located, again;
    struct aimg_io io = begin(&disk, &located);
    EXPECT_EQ_INT(aimg_confirm_commits(&io, &located, &error), AIMG_OK);
    EXPECT_EQ_UINT(disk.syncs, 1);
    EXPECT_EQ_UINT(disk.change_count, 1); /* the hint, which need not be synced */
    struct aimg_hint hint;
    EXPECT_EQ_UINT(aimg_hint_decode(disk.cache + AIMG_HEADER_BYTES, aimg_uuid_seed(archive + 16), &hint), 0);
    EXPECT(hint.seq == 2 && hint.end == located.end && hint.commit_offset == located.commit.self_offset &&
           hint.salt == located.commit.salt);
    EXPECT_EQ_BYTES(disk.cache + AIMG_HEADER_BYTES, archive + AIMG_HEADER_BYTES, AIMG_HINT_BYTES); /* as the writer wrote it */
    REQUIRE(aimg_locate(&io, false, &again, &error) == AIMG_OK);
    EXPECT_EQ_UINT(again.hinted_end, located.end);
    EXPECT_EQ_INT(aimg_confirm_commits(&io, &again, &error), AIMG_OK);
    EXPECT_EQ_UINT(disk.syncs, 1); /* nothing to confirm */
    fake_disk_destroy(&disk);
}

/* The cache has what the medium lost: each sector of the commits in turn. */
static void check_lost(void)
{
    unsigned refused = 0, accepted = 0;
    for (size_t at = AIMG_HEAD_BYTES; at < archive_bytes; at += FAKE_SECTOR) {
        struct fake_disk disk;
        struct aimg_located located;
        struct aimg_io io = begin(&disk, &located);
        bool differs = !aimg_all_zero(disk.medium + at, FAKE_SECTOR);
        memset(disk.medium + at, 0, FAKE_SECTOR);
        enum aimg_status status = aimg_confirm_commits(&io, &located, &error);
        EXPECT_EQ_INT(status, differs ? AIMG_CHECKSUM : AIMG_OK);
        refused += status != AIMG_OK;
        accepted += status == AIMG_OK;
        if (differs)
            EXPECT(error.rule == 13 || error.rule == 18);
        fake_disk_destroy(&disk);
    }
    EXPECT(refused > 20 && accepted > 0);
}

static void check_failures(void)
{
    struct fake_disk disk;
    struct aimg_located located;
    struct aimg_io io = begin(&disk, &located);
    disk.calls = 0;
    REQUIRE(aimg_confirm_commits(&io, &located, &error) == AIMG_OK);
    uint64_t calls = disk.calls;
    fake_disk_destroy(&disk);
    for (uint64_t n = 1; n <= calls; n++) {
        io = begin(&disk, &located);
        disk.calls = 0;
        disk.fail_at = n;
        EXPECT_EQ_INT(aimg_confirm_commits(&io, &located, &error), AIMG_IO);
        fake_disk_destroy(&disk);
    }
}

static void check_no_hints(void)
{
    struct fake_disk disk;
    struct aimg_located located;
    struct aimg_io io = begin(&disk, &located);
    located.commit.compat |= AIMG_COMPAT_NO_HINTS; /* write-once media */
    EXPECT_EQ_INT(aimg_hint_write(&io, &located.commit, &error), AIMG_OK);
    EXPECT_EQ_UINT(disk.change_count, 0);
    located.commit.compat = 0;
    for (uint64_t seq = 0; seq < 4; seq++) { /* page A even, page B odd */
        located.commit.seq = seq;
        EXPECT_EQ_INT(aimg_hint_write(&io, &located.commit, &error), AIMG_OK);
        EXPECT_EQ_UINT(disk.changes[seq].offset, seq % 2 == 0 ? 4096 : 8192);
    }
    fake_disk_destroy(&disk);
}

int main(void)
{
    REQUIRE(sample_archive(sample_path("a"), 3, 4));
    archive = sample_load(sample_path("a"), &archive_bytes);
    REQUIRE(archive != NULL && archive_bytes < FAKE_DISK_BYTES);
    check_whole();
    check_lost();
    check_failures();
    check_no_hints();
    free(archive);
    return test_end("test_recover");
}
