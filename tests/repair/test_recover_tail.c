/* SPDX-License-Identifier: Apache-2.0 */
/* Writers that were interrupted, and one that goes on after them with AIMG_WRITER_RECOVER: the archive cut after every 8th byte
 * of its last batch, and at its commits. What is whole is kept, and nothing else changes. */
#include "constants.h"
#include "fake_disk.h"
#include "sample.h"
#include "sanitized.h"
#include "test.h"
#include "writer.h"

enum { FIRST = 6, TAIL = 9 };

static uint32_t first_count = FIRST; /* images that are committed; 0: and no commit */
static uint8_t *archive;             /* two commits, and the frames of a third batch */
static uint8_t *committed;           /* and with a hint of that, committed and cut off */
static size_t archive_bytes;
static uint64_t first_end;            /* of the first commit */
static uint64_t base_end, ends[TAIL]; /* of the second, and of the frames of the batch */
static uint64_t headers[TAIL];        /* and of their headers */
static uint32_t tail_salt;
static struct aimg_error error;

/* What the batch adds: names, and contents. */
static const struct {
    const char *name;
    uint32_t content;
    uint32_t flags;
} tail[TAIL] = {{"t/0", 31, 0},
                {"t/1", 1001, 0},
                {"first/2", 33, AIMG_ADD_REPLACE}, /* a newer version */
                {"t/3", 36, 0},                    /* compressed */
                {"t/twin", 31, 0},                 /* an alias of an image of the batch */
                {"t/old twin", 1, 0},              /* and one of an image that is there */
                {NULL, 38, AIMG_ADD_ATTACHMENT},
                {"t/0", 40, AIMG_ADD_REPLACE}, /* of the batch itself */
                {"t/last", 1003, 0}};          /* so large that it goes to the file on its own */

static struct aimg_writer_options writer_options(uint32_t flags)
{
    struct aimg_writer_options options = sample_writer_options();
    options.flags = flags;
    options.compress = AIMG_COMPRESS_ZSTD;
    options.dedup = AIMG_DEDUP_ALL;
    return options;
}

static void add(struct aimg_writer *writer, const char *name, uint32_t content, uint32_t flags)
{
    static uint8_t data[SAMPLE_MAX_BYTES];
    struct aimg_image image = {
        .struct_bytes = sizeof image, .name = name, .name_bytes = name == NULL ? 0 : strlen(name), .data = data, .flags = flags};
    image.data_bytes = sample_fill(content, data);
    REQUIRE(aimg_writer_add(writer, &image, NULL, &error) == AIMG_OK);
}

/* The third batch is as its writer left it: all frames in the file, no index and no commit. */
static void make_archive(void)
{
    struct fake_disk disk;
    struct aimg_writer *writer = NULL;
    struct aimg_writer_options options = writer_options(0);
    char name[32];
    fake_disk_create(&disk, NULL, 0);
    struct aimg_io io = fake_disk_io(&disk);
    REQUIRE(aimg_writer_create_io(&io, &options, &writer, &error) == AIMG_OK);
    for (uint32_t i = 0; i < first_count; i++) {
        snprintf(name, sizeof name, "first/%u", i);
        add(writer, name, i, 0);
        if (i % 3 == 2)
            REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
        first_end = i == 2 ? writer->located.end : first_end;
    }
    base_end = writer->located.end;
    tail_salt = writer->out.salt;
    for (unsigned i = 0; i < TAIL; i++) {
        size_t name_bytes = tail[i].name == NULL ? 0 : strlen(tail[i].name);
        headers[i] = aimg_out_offset(&writer->out) + aimg_frame_header_bytes((uint32_t)name_bytes, 0);
        add(writer, tail[i].name, tail[i].content, tail[i].flags);
        ends[i] = aimg_out_offset(&writer->out);
    }
    REQUIRE(aimg_out_flush(&writer->out, &error) == AIMG_OK);
    archive_bytes = disk.cache_bytes;
    archive = malloc(archive_bytes);
    REQUIRE(archive != NULL && archive_bytes == ends[TAIL - 1]);
    memcpy(archive, disk.cache, archive_bytes);
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    committed = malloc(archive_bytes);
    REQUIRE(committed != NULL);
    memcpy(committed, disk.cache, archive_bytes);
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    fake_disk_destroy(&disk);
}

static void release_archive(void)
{
    free(archive);
    free(committed);
}

static unsigned hole = TAIL; /* an image of the batch that is lost */

/* The content that a name has once the first `whole` images of the batch are kept; UINT32_MAX: none. */
static uint32_t content_of(const char *name, unsigned whole)
{
    uint32_t content = UINT32_MAX, index;
    if (sscanf(name, "first/%u", &index) == 1 && index < first_count)
        content = index;
    for (unsigned i = 0; i < whole; i++)
        if (i != hole && tail[i].name != NULL && strcmp(tail[i].name, name) == 0)
            content = tail[i].content;
    return content;
}

static void check_names(const struct aimg_reader *reader, unsigned whole)
{
    static const char *const names[] = {"first/0", "first/1", "first/2", "first/3",    "first/4", "first/5",     "t/0",
                                        "t/1",     "t/3",     "t/twin",  "t/old twin", "t/last",  "no such name"};
    uint64_t listed = 0;
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        uint32_t ordinal, content = content_of(names[i], whole);
        enum aimg_status status = aimg_reader_find(reader, names[i], strlen(names[i]), &ordinal, &error);
        if (!EXPECT_EQ_INT(status, content == UINT32_MAX ? AIMG_NOT_FOUND : AIMG_OK))
            fprintf(stderr, "  %s\n", names[i]);
        listed += content != UINT32_MAX;
        if (status == AIMG_OK && content != UINT32_MAX)
            EXPECT(sample_equals(reader, ordinal, content));
    }
    EXPECT_EQ_UINT(aimg_reader_count(reader), listed);
}

/* Opens what is on the disk with RECOVER, looks, adds one more, and verifies. whole: images of the batch that are whole. */
static void check(const uint8_t *bytes, size_t count, unsigned whole, unsigned lost)
{
    struct fake_disk disk;
    struct aimg_writer *writer = NULL;
    struct aimg_writer_options options = writer_options(AIMG_WRITER_RECOVER);
    const char *path = sample_path("recovered");
    uint64_t kept, dropped_bytes, dropped;
    fake_disk_create(&disk, bytes, count);
    struct aimg_io io = fake_disk_io(&disk);
    options.seed = NULL; /* as another session has it */
    if (!EXPECT_EQ_INT(aimg_writer_open_io(&io, &options, &writer, &error), AIMG_OK)) {
        fprintf(stderr, "  %s\n", error.message);
        fake_disk_destroy(&disk);
        return;
    }
    aimg_writer_recovered(writer, &kept);
    aimg_writer_dropped(writer, &dropped_bytes, &dropped);
    EXPECT_EQ_UINT(kept, whole);
    EXPECT_EQ_UINT(dropped, lost);
    check_names(aimg_writer_base(writer), whole);
    REQUIRE(sample_store(path, disk.medium, disk.medium_bytes)); /* what was kept is durable */
    EXPECT(sample_verifies(path, 1, 0));
    EXPECT(count == base_end || writer->out.salt != tail_salt); /* which is known: an image could be made for it */
    add(writer, "one more", 50, 0);
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    REQUIRE(sample_store(path, disk.medium, disk.medium_bytes));
    EXPECT(sample_verifies(path, 1, 0));
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    fake_disk_destroy(&disk);
}

static unsigned whole_before(uint64_t bytes)
{
    unsigned whole = 0;
    while (whole < TAIL && ends[whole] <= bytes)
        whole++;
    return whole;
}

static void check_torn(void)
{
    uint64_t step = TEST_SLOW ? 2320 : 464;
    for (uint64_t bytes = base_end; bytes <= archive_bytes; bytes += bytes == archive_bytes         ? 1
                                                                     : archive_bytes - bytes < step ? archive_bytes - bytes
                                                                                                    : step) {
        char subject[64];
        unsigned whole = whole_before(bytes);
        snprintf(subject, sizeof subject, "torn at %" PRIu64, bytes);
        test_state.subject = subject;
        check(archive, (size_t)bytes, whole, whole < TAIL && bytes >= headers[whole]);
    }
    test_state.subject = NULL;
}

/* A hole in the batch: what stands behind it is kept too. */
static void check_hole(void)
{
    uint8_t *bytes = malloc(archive_bytes);
    REQUIRE(bytes != NULL);
    memcpy(bytes, archive, archive_bytes);
    memset(bytes + base_end, 0, 48); /* the header of the first */
    struct fake_disk disk;
    struct aimg_writer *writer = NULL;
    struct aimg_writer_options options = writer_options(AIMG_WRITER_RECOVER);
    uint64_t kept;
    uint32_t ordinal;
    fake_disk_create(&disk, bytes, archive_bytes);
    struct aimg_io io = fake_disk_io(&disk);
    options.seed = NULL;
    REQUIRE(aimg_writer_open_io(&io, &options, &writer, &error) == AIMG_OK);
    aimg_writer_recovered(writer, &kept);
    EXPECT_EQ_UINT(kept, TAIL - 2); /* without it, and without its twin */
    EXPECT(aimg_writer_find(writer, "t/last", 6, &ordinal, &error) == AIMG_OK &&
           sample_equals(aimg_writer_base(writer), ordinal, 1003));
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    fake_disk_destroy(&disk);
    free(bytes);
}

/* Committed, and then cut: at the newest commit that is whole, with the images of the next. */
static void check_cut(void)
{
    struct fake_disk disk;
    struct aimg_writer *writer = NULL;
    struct aimg_writer_options options = writer_options(0);
    fake_disk_create(&disk, archive, (size_t)base_end);
    struct aimg_io io = fake_disk_io(&disk);
    REQUIRE(aimg_writer_open_io(&io, &options, &writer, &error) == AIMG_OK);
    for (unsigned i = 0; i < TAIL; i++)
        add(writer, tail[i].name, tail[i].content, tail[i].flags);
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK && aimg_writer_close(writer, &error) == AIMG_OK);
    for (uint64_t bytes = base_end; bytes < disk.cache_bytes; bytes += disk.cache_bytes / 37) {
        char subject[64];
        unsigned whole = whole_before(bytes);
        snprintf(subject, sizeof subject, "cut at %" PRIu64, bytes);
        test_state.subject = subject;
        struct fake_disk cut;
        fake_disk_create(&cut, disk.cache, (size_t)bytes);
        struct aimg_io cut_io = fake_disk_io(&cut);
        EXPECT_EQ_INT(aimg_writer_open_io(&cut_io, &options, &writer, &error), AIMG_TRUNCATED);
        fake_disk_destroy(&cut);
        check(disk.cache, (size_t)bytes, whole, whole < TAIL && bytes >= headers[whole]);
    }
    test_state.subject = NULL;
    fake_disk_destroy(&disk);
}

/* A writer with the flags refuses what is on the disk, says what to do, and touches nothing. */
static void refuses(const uint8_t *bytes, uint64_t flags, const char *subject)
{
    struct fake_disk disk;
    struct aimg_writer *writer = NULL;
    struct aimg_writer_options options = writer_options((uint32_t)flags);
    test_state.subject = subject;
    fake_disk_create(&disk, bytes, (size_t)base_end);
    struct aimg_io io = fake_disk_io(&disk);
    enum aimg_status status = aimg_writer_open_io(&io, &options, &writer, &error);
    EXPECT(status == AIMG_CORRUPT || status == AIMG_CHECKSUM);
    EXPECT(strstr(error.message, "repair") != NULL);
    EXPECT(disk.cache_bytes == base_end && memcmp(disk.cache, bytes, (size_t)base_end) == 0);
    EXPECT_EQ_UINT(disk.steps, 0);
    fake_disk_destroy(&disk);
    test_state.subject = NULL;
}

/* Where a commit follows what is damaged, it is no tail, whether somebody wants to keep it or not. */
static void check_refused(void)
{
    uint8_t *bytes = malloc((size_t)base_end);
    REQUIRE(bytes != NULL);
    for (uint32_t flags = 0; flags <= AIMG_WRITER_RECOVER; flags += AIMG_WRITER_RECOVER) {
        memcpy(bytes, archive, (size_t)base_end);
        memset(bytes + AIMG_HEADER_BYTES + AIMG_HINT_BYTES, 0, AIMG_HINT_BYTES); /* the older hint alone */
        bytes[first_end + 8] ^= 1;
        refuses(bytes, flags, "the last of two commits");
        memset(bytes + AIMG_HEADER_BYTES, 0, AIMG_HINT_BYTES); /* no hints: the walk is the only way */
        refuses(bytes, flags, "no hint, and the last of two commits");
        memcpy(bytes + first_end, archive + first_end, 64);
        bytes[AIMG_HEAD_BYTES] ^= 1; /* and it ends at once */
        refuses(bytes, flags, "no hint");
        memset(bytes + AIMG_HEAD_BYTES, 0, (size_t)(base_end - AIMG_PAGE_BYTES - AIMG_HEAD_BYTES));
        refuses(bytes, flags, "no frame but the last page");
        memcpy(bytes, archive, (size_t)base_end);
        bytes[base_end - AIMG_PAGE_BYTES + 100] ^= 1; /* the page that the hint names */
        refuses(bytes, flags, "the page of the hint");
    }
    free(bytes);
}

/* Who does not want to keep them is told how many images there were: of those that lie behind a hole too. */
static void check_dropped(void)
{
    struct aimg_writer_options options = writer_options(0);
    for (uint32_t gone = 0; gone < 2; gone++) {
        struct fake_disk disk;
        struct aimg_writer *writer = NULL;
        uint64_t dropped_bytes, dropped;
        fake_disk_create(&disk, archive, archive_bytes - 20);
        if (gone != 0)
            memset(disk.cache + ends[1], 0, 48);
        struct aimg_io io = fake_disk_io(&disk);
        REQUIRE(aimg_writer_open_io(&io, &options, &writer, &error) == AIMG_OK);
        aimg_writer_dropped(writer, &dropped_bytes, &dropped);
        EXPECT_EQ_UINT(dropped_bytes, archive_bytes - 20 - base_end);
        EXPECT_EQ_UINT(dropped, TAIL - gone); /* the last one too, though it is cut off */
        EXPECT_EQ_UINT(disk.medium_bytes, base_end);
        EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
        fake_disk_destroy(&disk);
    }
}

/* What a recovery begins with: `bytes` of the archive, with the frame header of one image gone, or of none. */
struct torn {
    const uint8_t *archive;
    size_t bytes;
    unsigned hole, whole;
    uint32_t dedup;
};

static void load_torn(const struct torn *torn, struct fake_disk *disk)
{
    uint8_t *bytes = malloc(torn->bytes);
    REQUIRE(bytes != NULL);
    memcpy(bytes, torn->archive, torn->bytes);
    if (torn->hole < TAIL)
        memset(bytes + ends[torn->hole - 1], 0, 48);
    fake_disk_create(disk, bytes, torn->bytes);
    free(bytes);
}

static unsigned copies_left;

/* A second recovery, after the first ended in any way: nothing that was whole before is missing, and the archive is sound. */
static void check_again(struct fake_disk *disk, const struct torn *torn)
{
    struct aimg_writer *writer = NULL;
    struct aimg_writer_options options = writer_options(AIMG_WRITER_RECOVER);
    const char *path = sample_path("again");
    options.seed = NULL;
    options.dedup = torn->dedup;
    struct aimg_io io = fake_disk_io(disk);
    if (!EXPECT_EQ_INT(aimg_writer_open_io(&io, &options, &writer, &error), AIMG_OK)) {
        fprintf(stderr, "  %s\n", error.message);
        return;
    }
    hole = torn->hole;
    check_names(aimg_writer_base(writer), torn->whole);
    hole = TAIL;
    /* Nobody waits for a hint to be durable, and a torn one is overwritten by then. */
    memcpy(disk->medium + AIMG_HEADER_BYTES, disk->cache + AIMG_HEADER_BYTES, 2 * AIMG_HINT_BYTES);
    REQUIRE(sample_store(path, disk->medium, disk->medium_bytes));
    EXPECT(sample_verifies(path, 1, 0));
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
}

/* A recovery that fails leaves no copies behind the end, unless a PAD leads to them, or should have been written. */
static bool leaves_copies(const struct fake_disk *disk, const struct torn *torn)
{
    struct aimg_frame frame;
    bool pad =
        torn->hole < TAIL && aimg_frame_decode(disk->cache + ends[torn->hole - 1], &frame) == 0 && frame.type == AIMG_FRAME_PAD;
    return disk->cache_bytes > torn->bytes && !pad;
}

/* The n-th call fails, or the power goes after the n-th change or sync. False when there are not so many. */
static bool interrupt(const struct torn *torn, uint64_t n, unsigned way)
{
    static uint8_t found[FAKE_DISK_BYTES];
    char subject[100];
    struct fake_disk disk;
    struct aimg_writer *writer = NULL;
    struct aimg_writer_options options = writer_options(AIMG_WRITER_RECOVER);
    options.seed = NULL;
    options.dedup = torn->dedup;
    load_torn(torn, &disk);
    struct aimg_io io = fake_disk_io(&disk);
    disk.fail_at = way == 0 ? n : 0;
    disk.stop_after = way == 0 ? UINT64_MAX : n;
    disk.fail_errno = 5;
    enum aimg_status status = aimg_writer_open_io(&io, &options, &writer, &error);
    bool reached = way == 0 ? disk.calls >= n : disk.steps >= n;
    EXPECT(status == AIMG_OK || (reached && status == AIMG_IO));
    (void)aimg_writer_close(writer, NULL);
    copies_left += way == 0 && status != AIMG_OK && torn->hole < TAIL && leaves_copies(&disk, torn);
    for (unsigned cut = 0; cut < (way > 0 ? 4 * FAKE_CUT_KINDS : 1); cut++) {
        snprintf(subject, sizeof subject, "first %" PRIu32 ", %s, hole %u, dedup %" PRIu32 ", call %" PRIu64 ", way %u, cut %u",
                 first_count, torn->archive == archive ? "torn" : "cut", torn->hole, torn->dedup, n, way, cut);
        test_state.subject = subject;
        struct fake_disk after;
        uint64_t count = disk.cache_bytes, least = disk.medium_bytes < count ? disk.medium_bytes : count;
        if (way > 0) {
            count = fake_disk_cut(&disk, (enum fake_cut)(cut % FAKE_CUT_KINDS), n * 100 + cut, found);
            count = count < least ? least : count; /* a file never was shorter */
        } else
            memcpy(found, disk.cache, (size_t)count);
        fake_disk_create(&after, found, (size_t)count);
        check_again(&after, torn);
        fake_disk_destroy(&after);
    }
    test_state.subject = NULL;
    fake_disk_destroy(&disk);
    return reached;
}

/* Whatever stops a recovery, another finds all that the first would have kept. */
static void check_interrupted(void)
{
    const struct torn torn[] = {{archive, archive_bytes, TAIL, TAIL, AIMG_DEDUP_ALL},
                                {archive, archive_bytes - 20, TAIL, TAIL - 1, AIMG_DEDUP_NONE},
                                {committed, archive_bytes, 3, TAIL, AIMG_DEDUP_ALL},
                                {archive, archive_bytes, 1, TAIL, AIMG_DEDUP_NONE},
                                {committed, archive_bytes - 20, 3, TAIL - 1, AIMG_DEDUP_NONE}};
    for (size_t i = 0; i < sizeof torn / sizeof torn[0]; i++) {
        for (unsigned way = 0; way < 2; way++) {
            uint64_t n = 1;
            copies_left = 0;
            while (interrupt(&torn[i], n, way))
                n += TEST_SLOW ? 7 : 1;
            EXPECT(n > (way == 0 ? 20 : 8));
            EXPECT(copies_left <= 1); /* where the header of the PAD may have been written */
        }
    }
}

/* An archive that was cut short, with damage in its first commit: nothing but a hint leads to the last that is whole, and that
 * hint is there whenever the power goes. */
static void check_only_way(void)
{
    static uint8_t found[FAKE_DISK_BYTES];
    bool reached = true;
    for (uint64_t n = 1; reached; n++) {
        struct fake_disk disk, after;
        struct aimg_writer *writer = NULL;
        struct aimg_located located;
        struct aimg_writer_options options = writer_options(AIMG_WRITER_RECOVER);
        fake_disk_create(&disk, committed, archive_bytes);
        disk.cache[AIMG_HEAD_BYTES + 8] ^= 1;
        disk.medium[AIMG_HEAD_BYTES + 8] ^= 1;
        disk.stop_after = n;
        struct aimg_io io = fake_disk_io(&disk);
        (void)aimg_writer_open_io(&io, &options, &writer, &error);
        (void)aimg_writer_close(writer, NULL);
        reached = disk.steps >= n;
        for (unsigned cut = 0; cut < 4 * FAKE_CUT_KINDS; cut++) {
            uint64_t count = fake_disk_cut(&disk, (enum fake_cut)(cut % FAKE_CUT_KINDS), n * 100 + cut, found);
            fake_disk_create(&after, found, (size_t)count);
            io = fake_disk_io(&after);
            EXPECT(aimg_locate(&io, true, &located, &error) == AIMG_OK && !located.empty && located.commit.seq >= 1);
            fake_disk_destroy(&after);
        }
        fake_disk_destroy(&disk);
    }
}

/* What the page cache has and the medium has lost, sector by sector, is not taken for durable: nothing of it is committed, and
 * the head, while there is no commit, is put back. */
static void check_lost(void)
{
    const char *path = sample_path("lost");
    for (size_t at = first_count == 0 ? 0 : base_end; at < archive_bytes; at += FAKE_SECTOR * (TEST_SLOW ? 5 : 1)) {
        char subject[64];
        struct fake_disk disk;
        struct aimg_writer *writer = NULL;
        struct aimg_writer_options options = writer_options(AIMG_WRITER_RECOVER);
        options.seed = NULL;
        snprintf(subject, sizeof subject, "first %" PRIu32 ", lost at %zu", first_count, at);
        test_state.subject = subject;
        fake_disk_create(&disk, archive, archive_bytes);
        struct aimg_io io = fake_disk_io(&disk);
        memset(disk.medium + at, 0, archive_bytes - at < FAKE_SECTOR ? archive_bytes - at : FAKE_SECTOR);
        if (!EXPECT_EQ_INT(aimg_writer_open_io(&io, &options, &writer, &error), AIMG_OK))
            fprintf(stderr, "  %s\n", error.message);
        REQUIRE(sample_store(path, disk.medium, disk.medium_bytes));
        EXPECT(sample_verifies(path, 1, 0));
        EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
        fake_disk_destroy(&disk);
    }
    test_state.subject = NULL;
}

int main(void)
{
    make_archive();
    check_torn();
    check_hole();
    check_cut();
    check_refused();
    check_dropped();
    check_interrupted();
    check_only_way();
    check_lost();
    release_archive();
    first_count = 0;
    make_archive();
    check_lost();
    check_interrupted();
    release_archive();
    return test_end("recover_tail");
}
