/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the last commit: by hints that are there, missing, stale, torn, or say too much; by walking; and never one that lies
 * inside an image. */
#include "checksum.h"
#include "fake_disk.h"
#include "locate.h"
#include "resign.h"
#include "sample.h"
#include "test.h"

#include <limits.h>

enum { COMMITS = 3, ROOM_BYTES = 1 << 18 };

static uint8_t *archive; /* of COMMITS commits, as it was written */
static size_t archive_bytes;
static uint64_t ends[COMMITS];
static uint32_t salt;
static uint8_t *copy; /* to be changed */
static struct aimg_error error;

static enum aimg_status locate(const void *bytes, size_t count, bool allow_truncated, struct aimg_located *located)
{
    struct aimg_io io;
    memset(&error, 0, sizeof error);
    aimg_io_memory_open(&io, bytes, count);
    return aimg_locate(&io, allow_truncated, located, &error);
}

static void fresh(void)
{
    memcpy(copy, archive, archive_bytes);
}

static uint8_t *hint_page(unsigned which)
{
    return copy + (which + 1) * AIMG_HINT_BYTES;
}

static void put_hint(unsigned which, struct aimg_hint hint)
{
    aimg_hint_encode(&hint, aimg_uuid_seed(copy + 16), hint_page(which));
}

static void clear_hints(void)
{
    memset(hint_page(0), 0, 2 * AIMG_HINT_BYTES);
}

static void make(void)
{
    struct aimg_located located;
    REQUIRE(sample_archive(sample_path("a"), COMMITS, 4));
    archive = sample_load(sample_path("a"), &archive_bytes);
    copy = malloc(ROOM_BYTES);
    REQUIRE(archive != NULL && copy != NULL && archive_bytes < ROOM_BYTES);
    REQUIRE(locate(archive, archive_bytes, false, &located) == AIMG_OK);
    EXPECT_EQ_UINT(located.end, archive_bytes);
    salt = located.commit.salt;
    for (unsigned i = COMMITS; i-- > 0;) {
        ends[i] = located.commit.self_offset + AIMG_PAGE_BYTES;
        struct aimg_io io;
        aimg_io_memory_open(&io, archive, archive_bytes);
        if (i > 0)
            REQUIRE(aimg_locate_seq(&io, i - 1, &located, &error) == AIMG_OK);
    }
}

/* What is found must be commit `seq`; `walked`: from which end on it was found by walking. */
static void expect_commit(unsigned line, size_t count, bool allow, uint64_t seq, uint64_t walked)
{
    struct aimg_located located;
    enum aimg_status status = locate(copy, count, allow, &located);
    if (!EXPECT(status == AIMG_OK && !located.empty && located.commit.seq == seq && located.end == ends[seq] &&
                located.hinted_end == walked))
        fprintf(stderr, "  line %u: %s\n", line, error.message);
    EXPECT_EQ_UINT(located.file_bytes, count);
}

static void expect_failure(unsigned line, size_t count, bool allow, enum aimg_status expected, unsigned rule)
{
    struct aimg_located located;
    enum aimg_status status = locate(copy, count, allow, &located);
    if (!EXPECT(status == expected && error.rule == rule))
        fprintf(stderr, "  line %u: %s, rule %u: %s\n", line, aimg_status_text(status), error.rule, error.message);
}

static void check_hints(void)
{
    struct aimg_hint hints[COMMITS];
    for (unsigned i = 0; i < COMMITS; i++)
        hints[i] = (struct aimg_hint){.seq = i, .commit_offset = ends[i] - AIMG_PAGE_BYTES, .end = ends[i], .salt = salt};
    fresh();
    expect_commit(__LINE__, archive_bytes, false, 2, ends[2]);
    clear_hints();
    expect_commit(__LINE__, archive_bytes, false, 2, AIMG_HEAD_BYTES);
    put_hint(0, hints[0]); /* stale: the machine lost the later ones */
    expect_commit(__LINE__, archive_bytes, false, 2, ends[0]);
    put_hint(1, hints[1]);
    expect_commit(__LINE__, archive_bytes, false, 2, ends[1]);
    clear_hints();
    put_hint(1, hints[2]); /* on the wrong page */
    put_hint(0, hints[1]);
    expect_commit(__LINE__, archive_bytes, false, 2, AIMG_HEAD_BYTES);
    fresh();
    for (size_t cut = 512; cut < AIMG_HINT_BYTES; cut += 512) { /* torn: half new, half what was there before */
        put_hint(0, hints[0]);
        uint8_t old[AIMG_HINT_BYTES];
        memcpy(old, hint_page(0), sizeof old);
        put_hint(0, hints[2]);
        memcpy(hint_page(0) + cut, old + cut, sizeof old - cut);
        expect_commit(__LINE__, archive_bytes, false, 2, ends[1]);
    }
    memset(hint_page(0), 0xFF, 2 * AIMG_HINT_BYTES);
    expect_commit(__LINE__, archive_bytes, false, 2, AIMG_HEAD_BYTES);
}

/* Hints that are whole and say what is not so: proof that something is lost. */
static void check_false_hints(void)
{
    struct aimg_hint future = {.seq = 4, .commit_offset = archive_bytes, .end = archive_bytes + AIMG_PAGE_BYTES};
    fresh();
    put_hint(0, future);
    expect_failure(__LINE__, archive_bytes, false, AIMG_TRUNCATED, 34);
    expect_commit(__LINE__, archive_bytes, true, 2, ends[1]);
    future.seq = 5;
    put_hint(1, future);
    expect_failure(__LINE__, archive_bytes, false, AIMG_TRUNCATED, 34);
    expect_commit(__LINE__, archive_bytes, true, 2, AIMG_HEAD_BYTES);
    fresh();
    put_hint(0, (struct aimg_hint){.seq = 2, .commit_offset = AIMG_HEAD_BYTES, .end = AIMG_HEAD_BYTES + AIMG_PAGE_BYTES});
    expect_failure(__LINE__, archive_bytes, false, AIMG_CORRUPT, 24);
    expect_commit(__LINE__, archive_bytes, true, 2, AIMG_HEAD_BYTES);
    put_hint(0, (struct aimg_hint){.seq = 6, .commit_offset = ends[2] - AIMG_PAGE_BYTES, .end = ends[2], .salt = salt});
    expect_failure(__LINE__, archive_bytes, false, AIMG_CORRUPT, 9);
    put_hint(0, (struct aimg_hint){.seq = 2, .commit_offset = ends[2] - AIMG_PAGE_BYTES, .end = ends[2], .salt = salt + 1});
    expect_failure(__LINE__, archive_bytes, false, AIMG_CORRUPT, 9);
    expect_commit(__LINE__, archive_bytes, true, 2, AIMG_HEAD_BYTES);
    fresh();
    copy[ends[2] - 100] ^= 1; /* the page that the hint names is damaged */
    expect_failure(__LINE__, archive_bytes, false, AIMG_CORRUPT, 24);
    copy[ends[2] - 100] ^= 1;
    copy[ends[2] - AIMG_PAGE_BYTES + 120] ^= 1;
    expect_failure(__LINE__, archive_bytes, false, AIMG_CHECKSUM, 25);
}

/* The file cut at every byte. With hints that is a loss; without, the commits that are whole. */
static void check_cuts(void)
{
    struct aimg_located located;
    fresh();
    for (size_t count = AIMG_HEAD_BYTES; count < archive_bytes; count += 37)
        expect_failure(__LINE__, count, false, AIMG_TRUNCATED, 34);
    clear_hints();
    for (size_t count = AIMG_HEAD_BYTES; count <= archive_bytes; count++) {
        uint64_t whole = 0;
        while (whole < COMMITS && ends[whole] <= count)
            whole++;
        enum aimg_status status = locate(copy, count, false, &located);
        EXPECT(status == AIMG_OK && located.empty == (whole == 0) &&
               located.end == (whole == 0 ? AIMG_HEAD_BYTES : ends[whole - 1]));
    }
}

static void check_short_files(void)
{
    static const char magic[] = AIMG_MAGIC;
    fresh();
    expect_failure(__LINE__, 0, false, AIMG_NOT_ARCHIVE, 1);
    for (size_t count = 1; count < AIMG_HEAD_BYTES; count += 101)
        expect_failure(__LINE__, count, false, AIMG_TRUNCATED, 1);
    for (size_t at = 0; at < 8; at++) {
        memcpy(copy, magic, 8);
        copy[at] ^= 0x20;
        for (size_t count = at + 1; count < 20; count++)
            expect_failure(__LINE__, count, false, AIMG_NOT_ARCHIVE, 2);
        expect_failure(__LINE__, archive_bytes, false, AIMG_NOT_ARCHIVE, 2);
    }
    fresh();
    copy[10] = 9;
    expect_failure(__LINE__, archive_bytes, false, AIMG_VERSION_UNKNOWN, 3);
    EXPECT(strstr(error.message, "0.9") != NULL);
    fresh();
    copy[12] = 1;
    expect_failure(__LINE__, archive_bytes, false, AIMG_CORRUPT, 4);
    fresh();
    copy[3000] = 1;
    expect_failure(__LINE__, archive_bytes, false, AIMG_CHECKSUM, 5);
    aimg_resign(copy, archive_bytes);
    expect_failure(__LINE__, archive_bytes, false, AIMG_CORRUPT, 8);
}

/* Frames after the last commit, with anything wrong in them: a torn tail, whatever it is. */
static void check_tails(void)
{
    struct aimg_located located;
    fresh();
    clear_hints();
    /* The last batch without its commit, and one bit of it turned: bits of header and name end the walk, those of the payload do
     * not. */
    size_t tail = ends[2] - AIMG_PAGE_BYTES;
    for (size_t at = ends[1]; at < tail; at += 5) {
        copy[at] ^= 4;
        enum aimg_status status = locate(copy, tail, false, &located);
        EXPECT(status == AIMG_OK && located.commit.seq == 1 && located.end == ends[1]);
        copy[at] ^= 4;
    }
    /* With its commit: a turned bit of a header loses the commit; one of the commit page too. Nothing else is ever shown. */
    for (size_t at = ends[1]; at < archive_bytes; at += 3) {
        copy[at] ^= 4;
        enum aimg_status status = locate(copy, archive_bytes, false, &located);
        EXPECT(status == AIMG_OK && (located.commit.seq == 1 || located.commit.seq == 2));
        if (at >= tail)
            EXPECT_EQ_UINT(located.commit.seq, 1);
        copy[at] ^= 4;
    }
}

static void sign_frame_at(size_t offset)
{
    uint8_t *header = copy + offset;
    aimg_store64(header + AIMG_FRAME_CHECK_OFFSET, aimg_frame_checksum(header, (size_t)header[3] * 8, aimg_uuid_seed(copy + 16)));
}

/* Frames of an earlier session that was cut off have another salt. */
static void check_salts(void)
{
    struct aimg_located located;
    for (size_t index = 0; index < 100; index++) {
        fresh();
        clear_hints();
        size_t offset = aimg_resign_frame(copy, archive_bytes, index);
        if (offset == 0)
            break;
        copy[offset + 8] ^= 1;
        sign_frame_at(offset);
        REQUIRE(locate(copy, archive_bytes, false, &located) == AIMG_OK);
        unsigned before = offset < ends[0] ? 0 : offset < ends[1] ? 1 : 2;
        EXPECT(located.empty == (before == 0) && (before == 0 || located.commit.seq == before - 1));
    }
    /* A commit that is whole, follows the salt of its batch, and does not continue the chain. */
    static const struct {
        unsigned at;
        uint8_t value;
    } wrong[] = {{80, 7}, {96, 1}, {104, 1}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        fresh();
        clear_hints();
        uint8_t *page = copy + ends[1] - AIMG_PAGE_BYTES;
        page[wrong[i].at] ^= wrong[i].value;
        aimg_store64(page + 4080, aimg_load64(page + 80));
        aimg_hash_store(page + 4064, aimg_hash(page + 48, 4064 - 48));
        aimg_store64(page + 32, aimg_hash(page + 48, AIMG_PAGE_BYTES - 48).low);
        sign_frame_at(ends[1] - AIMG_PAGE_BYTES);
        REQUIRE(locate(copy, archive_bytes, false, &located) == AIMG_OK);
        EXPECT(!located.empty && located.commit.seq == 0);
    }
}

/* ------------------------------------------------------------------ forged commits */

/* A commit page that follows commit 0 in everything, for the place `offset`; it shows the ROOT of commit 0 again. */
static void forge(uint64_t offset, uint8_t page[AIMG_PAGE_BYTES])
{
    struct aimg_located first;
    struct aimg_io io;
    aimg_io_memory_open(&io, archive, archive_bytes);
    REQUIRE(aimg_locate(&io, false, &first, &error) == AIMG_OK && aimg_locate_seq(&io, 0, &first, &error) == AIMG_OK);
    struct aimg_commit_page forged = first.commit;
    forged.seq = 1;
    forged.prev_offset = first.commit.self_offset;
    memcpy(forged.prev_chain, first.commit.chain, sizeof forged.prev_chain);
    forged.self_offset = offset;
    aimg_commit_encode(&forged, page);
}

/* An image holds a commit page in the very place that it names; the machine stops just behind it, or anywhere else. */
static void check_forged(void)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer;
    struct aimg_located located;
    struct aimg_commit_page seen;
    uint8_t data[4 * AIMG_PAGE_BYTES], page[AIMG_PAGE_BYTES];
    const char *path = sample_path("forged");
    REQUIRE(sample_store(path, archive, ends[0]));
    size_t data_at = ends[0] + aimg_frame_header_bytes(5, 0);
    size_t forged_at = (size_t)aimg_round_up(data_at, AIMG_PAGE_BYTES);
    memset(data, 0, sizeof data);
    forge(forged_at, page);
    memcpy(data + (forged_at - data_at), page, sizeof page);
    struct aimg_image image = {
        .struct_bytes = sizeof image, .name = "trick", .name_bytes = 5, .data = data, .data_bytes = sizeof data};
    /* The hint of commit 2 would say that the file was cut. */
    memcpy(copy, archive, ends[0]);
    clear_hints();
    REQUIRE(sample_store(path, copy, ends[0]));
    REQUIRE(aimg_writer_open(path, &options, &writer, &error) == AIMG_OK);
    REQUIRE(aimg_writer_add(writer, &image, NULL, &error) == AIMG_OK);
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK && aimg_writer_close(writer, &error) == AIMG_OK);
    size_t bytes;
    uint8_t *whole = sample_load(path, &bytes);
    REQUIRE(whole != NULL && bytes <= ROOM_BYTES);
    memcpy(copy, whole, bytes);
    clear_hints();
    /* It is there, and perfect. */
    REQUIRE(aimg_commit_decode(copy + forged_at, forged_at, &(struct aimg_header){.major = 0}, &seen) != 0);
    REQUIRE(locate(copy, bytes, false, &located) == AIMG_OK);
    EXPECT_EQ_UINT(aimg_commit_decode(copy + forged_at, forged_at, &located.header, &seen), 0);
    EXPECT_EQ_UINT(located.end, bytes); /* the true commit 1 */
    for (size_t count = ends[0]; count < bytes; count++) {
        REQUIRE(locate(copy, count, false, &located) == AIMG_OK);
        EXPECT(!located.empty && located.commit.seq == 0 && located.end == ends[0]);
    }
    REQUIRE(locate(copy, forged_at + AIMG_PAGE_BYTES, false, &located) == AIMG_OK);
    EXPECT(located.commit.seq == 0);
    free(whole);
}

/* ------------------------------------------------------------------ earlier and later commits */

static void check_seq(void)
{
    struct aimg_io io;
    struct aimg_located located, at;
    fresh();
    aimg_io_memory_open(&io, copy, archive_bytes);
    REQUIRE(aimg_locate(&io, false, &located, &error) == AIMG_OK);
    for (unsigned seq = 0; seq < COMMITS; seq++) {
        at = located;
        EXPECT_EQ_INT(aimg_locate_seq(&io, seq, &at, &error), AIMG_OK);
        EXPECT(at.commit.seq == seq && at.end == ends[seq]);
    }
    at = located;
    EXPECT_EQ_INT(aimg_locate_seq(&io, COMMITS, &at, &error), AIMG_NOT_FOUND);
    copy[ends[0] - 50] ^= 1;
    at = located;
    EXPECT_EQ_INT(aimg_locate_seq(&io, 1, &at, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_locate_seq(&io, 0, &at, &error), AIMG_CORRUPT);
    at = located;
    at.commit.prev_offset = ends[0] - AIMG_PAGE_BYTES; /* a whole commit, and not the one before */
    fresh();
    EXPECT_EQ_INT(aimg_locate_seq(&io, 1, &at, &error), AIMG_CORRUPT);
    EXPECT_EQ_UINT(error.rule, 28);
    at = located;
    at.commit.prev_offset = at.commit.self_offset; /* a circle */
    EXPECT_EQ_INT(aimg_locate_seq(&io, 1, &at, &error), AIMG_CORRUPT);
    REQUIRE(locate(copy, AIMG_HEAD_BYTES, false, &at) == AIMG_TRUNCATED);
    clear_hints();
    REQUIRE(locate(copy, AIMG_HEAD_BYTES, false, &at) == AIMG_OK && at.empty);
    EXPECT_EQ_INT(aimg_locate_seq(&io, 0, &at, &error), AIMG_NOT_FOUND);
}

static void check_newer(void)
{
    struct aimg_io io;
    struct aimg_located located;
    fresh();
    clear_hints();
    REQUIRE(locate(copy, ends[0], false, &located) == AIMG_OK);
    aimg_io_memory_open(&io, copy, archive_bytes);
    EXPECT_EQ_INT(aimg_locate_newer(&io, false, &located, &error), AIMG_OK);
    EXPECT(located.commit.seq == 2 && located.end == ends[2]);
    struct aimg_located before = located;
    aimg_io_memory_open(&io, copy, ends[1]); /* shorter than it was */
    EXPECT_EQ_INT(aimg_locate_newer(&io, false, &located, &error), AIMG_TRUNCATED);
    EXPECT_EQ_BYTES(&located, &before, sizeof located);
    copy[20] ^= 1; /* another archive in its place */
    aimg_resign(copy, archive_bytes);
    aimg_io_memory_open(&io, copy, archive_bytes);
    EXPECT_EQ_INT(aimg_locate_newer(&io, false, &located, &error), AIMG_TRUNCATED);
}

/* A file that another program changes between two calls: before call number `at` it becomes what `after` says. */
struct racing {
    struct aimg_io before, after;
    unsigned calls, at;
};

static const struct aimg_io *racing_now(struct aimg_io *io)
{
    struct racing *racing = io->state;
    return racing->calls++ < racing->at ? &racing->before : &racing->after;
}

static enum aimg_status racing_size(struct aimg_io *io, uint64_t *bytes_out, struct aimg_error *error_out)
{
    struct aimg_io now = *racing_now(io);
    return now.ops->size(&now, bytes_out, error_out);
}

static enum aimg_status racing_read(struct aimg_io *io, uint64_t offset, void *buffer, size_t bytes, struct aimg_error *error_out)
{
    struct aimg_io now = *racing_now(io);
    return now.ops->read_at(&now, offset, buffer, bytes, error_out);
}

/* Locates with the change at each call, after a first time without. */
static void check_race(const uint8_t *before, size_t before_bytes, const uint8_t *after, size_t after_bytes)
{
    static const struct aimg_io_ops ops = {.size = racing_size, .read_at = racing_read};
    unsigned calls = UINT_MAX;
    for (unsigned at = 0; at <= calls; at++) {
        struct racing racing = {.at = at == 0 ? UINT_MAX : at - 1};
        struct aimg_io io = {.ops = &ops, .state = &racing, .fd = -1};
        struct aimg_located located;
        aimg_io_memory_open(&racing.before, before, before_bytes);
        aimg_io_memory_open(&racing.after, after, after_bytes);
        if (!EXPECT(aimg_locate(&io, false, &located, &error) == AIMG_OK))
            fprintf(stderr, "  the file changed before call %u: %s\n", at, error.message);
        else
            EXPECT(located.end == ends[0] || located.end == ends[1] || located.end == ends[2]);
        calls = at == 0 ? racing.calls : calls;
    }
    EXPECT(calls >= 3);
}

static void check_races(void)
{
    fresh();
    clear_hints();
    put_hint(0, (struct aimg_hint){.seq = 0, .commit_offset = ends[0] - AIMG_PAGE_BYTES, .end = ends[0], .salt = salt});
    check_race(copy, ends[0], archive, archive_bytes);          /* a writer commits */
    check_race(copy, ends[2] - AIMG_PAGE_BYTES, copy, ends[1]); /* a writer drops a tail */
    check_race(archive, archive_bytes, archive, archive_bytes);
    fresh();
    clear_hints();
    check_race(copy, ends[1] - 1, copy, ends[0]);
}

/* The same length, the same identity, and another history: what a writer puts in the place of a commit that it had to cut. */
static void check_other_history(void)
{
    struct aimg_io io;
    struct aimg_located located;
    fresh();
    REQUIRE(locate(copy, archive_bytes, false, &located) == AIMG_OK);
    struct aimg_located before = located;
    uint8_t *page = copy + ends[2] - AIMG_PAGE_BYTES;
    page[256] ^= 1; /* its time */
    aimg_resign(copy, archive_bytes);
    REQUIRE(locate(copy, archive_bytes, false, &located) == AIMG_OK);
    EXPECT(memcmp(located.commit.chain, before.commit.chain, AIMG_HASH_BYTES) != 0);
    located = before;
    aimg_io_memory_open(&io, copy, archive_bytes);
    EXPECT_EQ_INT(aimg_locate_newer(&io, false, &located, &error), AIMG_TRUNCATED);
    EXPECT_EQ_BYTES(&located, &before, sizeof located);
}

/* Every read can fail. */
static void check_io_errors(void)
{
    struct fake_disk disk;
    struct aimg_located located;
    fresh();
    clear_hints();
    fake_disk_create(&disk, copy, archive_bytes);
    struct aimg_io io = fake_disk_io(&disk);
    REQUIRE(aimg_locate(&io, false, &located, &error) == AIMG_OK);
    uint64_t calls = disk.calls;
    EXPECT(calls >= 3);
    for (uint64_t n = 1; n <= calls; n++) {
        disk.calls = 0;
        disk.fail_at = n;
        EXPECT_EQ_INT(aimg_locate(&io, false, &located, &error), AIMG_IO);
        EXPECT_EQ_INT(error.status, AIMG_IO);
        EXPECT_EQ_INT(aimg_locate(&io, false, &located, NULL), n > 0 && disk.fail_at == 0 ? AIMG_IO : AIMG_OK);
    }
    fake_disk_destroy(&disk);
}

int main(void)
{
    make();
    check_hints();
    check_false_hints();
    check_cuts();
    check_short_files();
    check_tails();
    check_salts();
    check_forged();
    check_seq();
    check_newer();
    check_races();
    check_other_history();
    check_io_errors();
    free(archive);
    free(copy);
    return test_end("test_locate");
}
