/* SPDX-License-Identifier: Apache-2.0 */
/* The check of whole archives: sound ones pass, and what is damaged is named. That every flipped bit is found: tests/flips. */
#include "test.h"

#include <aimg/aimg.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "checksum.h"
#include "frame.h"

#define ARCHIVE_MAX (40u * 1024)

/* What one run of aimg_verify said. */
struct verdict {
    enum aimg_status status;
    struct aimg_verify_result result;
    uint64_t told;
    bool rules[128];
    uint64_t first_offset;
    uint32_t ordinal;
    char name[1100];
    uint64_t done_bytes, total_bytes;
};

static char path[256];
static uint8_t archive[ARCHIVE_MAX];
static size_t archive_bytes;

static void on_finding(void *user, const struct aimg_finding *finding)
{
    struct verdict *verdict = user;
    if (verdict->told++ == 0) {
        verdict->first_offset = finding->offset;
        verdict->ordinal = finding->ordinal;
        snprintf(verdict->name, sizeof verdict->name, "%s", finding->name == NULL ? "" : finding->name);
    }
    if (finding->rule < 128)
        verdict->rules[finding->rule] = true;
    EXPECT(finding->rule > 0 && finding->message != NULL && strlen(finding->message) > 5 &&
           strchr(finding->message, '\n') == NULL);
}

static void on_progress(void *user, uint64_t done, uint64_t total)
{
    struct verdict *verdict = user;
    EXPECT(done >= verdict->done_bytes && done <= total);
    verdict->done_bytes = done;
    verdict->total_bytes = total;
}

static struct verdict verify(uint32_t flags, uint32_t threads)
{
    struct verdict verdict = {.status = AIMG_OK};
    struct aimg_verify_options options = {.struct_bytes = sizeof options,
                                          .flags = flags,
                                          .threads = threads,
                                          .user = &verdict,
                                          .finding = on_finding,
                                          .progress = on_progress};
    struct aimg_error error;
    verdict.status = aimg_verify(path, &options, &verdict.result, &error);
    return verdict;
}

/* ------------------------------------------------------------------ files */

static void write_file(const uint8_t *data, size_t bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    REQUIRE(fd >= 0 && write(fd, data, bytes) == (ssize_t)bytes && close(fd) == 0);
}

static void read_archive(void)
{
    struct stat info;
    int fd = open(path, O_RDONLY);
    REQUIRE(fd >= 0 && fstat(fd, &info) == 0 && info.st_size <= (off_t)sizeof archive);
    archive_bytes = (size_t)info.st_size;
    REQUIRE(read(fd, archive, archive_bytes) == (ssize_t)archive_bytes && close(fd) == 0);
}

/* ------------------------------------------------------------------ an archive with everything that a writer makes */

static struct aimg_writer *writer;
static uint32_t columns[6];

static void define_columns(void)
{
    static const struct {
        const char *name;
        enum aimg_type type;
        uint32_t width;
        int list;
    } wanted[] = {{"good", AIMG_TYPE_BOOL, 1, 0}, {"width", AIMG_TYPE_U32, 1, 0},        {"box", AIMG_TYPE_F32, 2, 1},
                  {"text", AIMG_TYPE_UTF8, 1, 0}, {"label", AIMG_TYPE_DICTIONARY, 1, 0}, {"mask", AIMG_TYPE_IMAGE, 1, 0}};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        REQUIRE(aimg_writer_column(writer, wanted[i].name, wanted[i].type, wanted[i].width, wanted[i].list, &columns[i], NULL) ==
                AIMG_OK);
}

static uint32_t add(const char *name, const void *data, size_t bytes, uint32_t flags, bool coded)
{
    static uint8_t scratch[8192];
    static const uint8_t good = 1;
    static const uint32_t width = 300, mask = 0;
    static const float box[4] = {1, 2, 3, 4};
    const struct aimg_value values[] = {{columns[0], 0, &good, 1},
                                        {columns[1], 0, &width, 4},
                                        {columns[2], 0, box, sizeof box},
                                        {columns[3], 0, name, strlen(name)},
                                        {columns[4], 0, bytes % 2 ? "odd" : "even", bytes % 2 ? 3 : 4},
                                        {columns[5], 0, &mask, 4}};
    struct aimg_prepared prepared;
    struct aimg_image image = {
        .struct_bytes = sizeof image, .name = name, .name_bytes = strlen(name), .data = data, .data_bytes = bytes};
    uint32_t ordinal;
    if (coded) {
        REQUIRE(aimg_writer_prepare(writer, data, bytes, 0, scratch, sizeof scratch, &prepared, NULL) == AIMG_OK &&
                prepared.coding == 1);
        image.prepared = &prepared;
    }
    image.flags = flags;
    image.values = values;
    image.value_count = bytes % 3 == 0 ? 0 : name[0] == 'a' ? 5 : 6; /* some rows have no values, the first no mask */
    REQUIRE(aimg_writer_add(writer, &image, &ordinal, NULL) == AIMG_OK);
    return ordinal;
}

/* Two commits: images as they are and coded, attachments with and without a name, one removed, one replaced, columns. */
static void make_archive(uint32_t alignment)
{
    static const uint8_t seed[16] = "0123456789abcde";
    struct aimg_writer_options options = {.struct_bytes = sizeof options,
                                          .alignment = alignment,
                                          .compress = AIMG_COMPRESS_ZSTD,
                                          .time_ns = 1700000000000000000u,
                                          .seed = seed};
    char text[700];
    memset(text, 'x', sizeof text);
    unlink(path);
    REQUIRE(aimg_writer_create(path, &options, &writer, NULL) == AIMG_OK);
    define_columns();
    uint32_t first = add("a/first.txt", "plain bytes, 23 of them", 23, 0, false);
    add("a/second.txt", text, sizeof text, 0, true);
    add("b/empty", "", 0, 0, false);
    uint32_t gone = add("b/gone", "removed in the next commit", 26, 0, false);
    add("mask", text, 100, AIMG_ADD_ATTACHMENT, true);
    add("", "an attachment without a name", 28, AIMG_ADD_ATTACHMENT, false);
    REQUIRE(first == 0 && aimg_writer_commit(writer, "first", NULL) == AIMG_OK);
    add("a/second.txt", "replaced", 8, AIMG_ADD_REPLACE, false);
    add("c/\xC3\xA4\xC3\xB6.txt", text, 301, 0, true);
    REQUIRE(aimg_writer_remove(writer, gone, NULL) == AIMG_OK);
    REQUIRE(aimg_writer_commit(writer, "second", NULL) == AIMG_OK);
    REQUIRE(aimg_writer_close(writer, NULL) == AIMG_OK);
    read_archive();
}

static void check_sound(void)
{
    for (uint32_t quick = 0; quick < 2; quick++) {
        struct verdict verdict = verify(quick ? AIMG_VERIFY_QUICK : 0, 0);
        EXPECT_EQ_INT(verdict.status, AIMG_OK);
        EXPECT_EQ_UINT(verdict.result.faults, 0);
        EXPECT_EQ_UINT(verdict.result.warnings, 0);
        EXPECT_EQ_UINT(verdict.told, 0);
        EXPECT_EQ_UINT(verdict.result.images, 4);
        EXPECT_EQ_UINT(verdict.result.commits, 2);
        EXPECT_EQ_UINT(verdict.result.tail_bytes, 0);
        EXPECT(quick ? verdict.result.bytes < archive_bytes : verdict.result.bytes == archive_bytes);
        EXPECT_EQ_UINT(verdict.total_bytes, archive_bytes);
        EXPECT_EQ_UINT(verdict.done_bytes, archive_bytes);
    }
}

/* ------------------------------------------------------------------ frames */

static struct aimg_frame frame_at(size_t offset)
{
    struct aimg_frame frame;
    REQUIRE(offset + AIMG_FRAME_BYTES <= archive_bytes && aimg_frame_decode(archive + offset, &frame) == 0);
    return frame;
}

/* Where the frame after that at offset begins. */
static size_t frame_after(size_t offset)
{
    struct aimg_frame frame = frame_at(offset);
    return offset + (size_t)aimg_frame_total_bytes(&frame);
}

/* ------------------------------------------------------------------ what is damaged is named */

/* Offset of the frame of an ordinal in the sound archive. */
static size_t frame_of(uint32_t ordinal)
{
    size_t offset = AIMG_HEAD_BYTES;
    while (archive[offset + 2] != AIMG_FRAME_IMAGE || archive[offset + 4] != ordinal)
        offset = frame_after(offset);
    return offset;
}

static void check_named(size_t at, unsigned rule, size_t frame, uint32_t ordinal, const char *name)
{
    archive[at] ^= 1;
    write_file(archive, archive_bytes);
    archive[at] ^= 1;
    struct verdict verdict = verify(0, 2);
    EXPECT_EQ_INT(verdict.status, AIMG_OK);
    EXPECT_EQ_UINT(verdict.result.faults, 1);
    EXPECT(verdict.rules[rule]);
    EXPECT_EQ_UINT(verdict.first_offset, frame);
    EXPECT_EQ_UINT(verdict.ordinal, ordinal);
    EXPECT_EQ_TEXT(verdict.name, name);
}

static void check_names_of_damage(void)
{
    size_t frame = frame_of(1);
    check_named(frame + 64, 18, frame, 1, "a/second.txt"); /* a byte of the image */
    check_named(frame + 1, 13, frame, 1, "a/second.txt");  /* the magic: the index knows whose frame it was */
    check_named(frame + 50, 13, frame, 1, "a/second.txt"); /* the name in the frame */
    check_named(frame + 17, 13, frame, 1, "a/second.txt"); /* stored_bytes: the frame seems longer than it is */
    check_named(frame + 20, 12, frame, 1, "a/second.txt"); /* and longer than the file */
}

/* Their names fill several groups of the index. Which finding is told with which is in order of neither. */
enum { MANY = 3000, MANY_LOST = 12 };

static void name_of(uint32_t ordinal, char name[64])
{
    snprintf(name, 64, "a folder of many images/and one more/%04u.bin", (unsigned)ordinal * 7 % MANY);
}

static void on_lost(void *user, const struct aimg_finding *finding)
{
    uint32_t *told = user;
    char name[64];
    if (finding->rule != 13)
        return;
    name_of(finding->ordinal, name);
    EXPECT_EQ_TEXT(finding->name == NULL ? "" : finding->name, name);
    ++*told;
}

static void check_names_of_many(void)
{
    static const uint32_t lost[MANY_LOST] = {0, 1, 2, 500, 1200, 1201, 1500, 1999, 2000, 2001, 2500, MANY - 1};
    static uint64_t offsets[MANY];
    struct aimg_writer_options options = {.struct_bytes = sizeof options};
    uint32_t told = 0;
    unlink(path);
    REQUIRE(aimg_writer_create(path, &options, &writer, NULL) == AIMG_OK);
    for (uint32_t i = 0; i < MANY; i++) {
        char name[64];
        struct aimg_image image = {.struct_bytes = sizeof image, .name = name, .data = &i, .data_bytes = sizeof i};
        name_of(i, name);
        image.name_bytes = strlen(name);
        REQUIRE(aimg_writer_add(writer, &image, NULL, NULL) == AIMG_OK);
    }
    REQUIRE(aimg_writer_commit(writer, NULL, NULL) == AIMG_OK && aimg_writer_close(writer, NULL) == AIMG_OK);
    struct aimg_reader *reader = NULL;
    REQUIRE(aimg_reader_open(path, NULL, &reader, NULL) == AIMG_OK);
    for (uint32_t i = 0; i < MANY; i++) {
        struct aimg_entry entry;
        REQUIRE(aimg_reader_entry(reader, i, &entry, NULL) == AIMG_OK);
        offsets[i] = entry.frame_offset;
    }
    aimg_reader_close(reader);
    int fd = open(path, O_WRONLY);
    for (size_t i = 0; i < MANY_LOST; i++)
        REQUIRE(pwrite(fd, "none", 4, (off_t)offsets[lost[i]]) == 4);
    REQUIRE(close(fd) == 0);
    struct aimg_verify_options how = {.struct_bytes = sizeof how, .user = &told, .finding = on_lost};
    struct aimg_verify_result result;
    REQUIRE(aimg_verify(path, &how, &result, NULL) == AIMG_OK);
    EXPECT_EQ_UINT(told, MANY_LOST);
}

/* ------------------------------------------------------------------ faults that are signed */

static void sign_frame(size_t offset, const struct aimg_frame *changed)
{
    struct aimg_frame frame = *changed;
    uint64_t seed = aimg_load64(archive + 16);
    size_t header_bytes = (size_t)frame.header_units * AIMG_UNIT;
    frame.stored_hash = aimg_hash(archive + offset + header_bytes, (size_t)frame.stored_bytes).low;
    aimg_frame_encode(&frame, archive + offset);
    frame.check = aimg_frame_checksum(archive + offset, header_bytes, seed);
    aimg_frame_encode(&frame, archive + offset);
}

/* The page of the last commit says another salt than its frame. */
static void check_page_salt(void)
{
    static uint8_t sound[ARCHIVE_MAX];
    size_t page = archive_bytes - AIMG_PAGE_BYTES;
    struct aimg_frame frame = frame_at(page);
    memcpy(sound, archive, archive_bytes);
    archive[page + 264] ^= 1;
    aimg_hash_store(archive + page + 4064, aimg_hash(archive + page + 48, 4064 - 48));
    sign_frame(page, &frame);
    write_file(archive, archive_bytes);
    struct verdict verdict = verify(0, 1);
    EXPECT(verdict.rules[20]);
    memcpy(archive, sound, archive_bytes);
}

/* Each frame of the first batch has a salt of its own. */
static void check_many_salts(void)
{
    static uint8_t sound[ARCHIVE_MAX];
    uint64_t frames = 0;
    memcpy(sound, archive, archive_bytes);
    for (size_t offset = AIMG_HEAD_BYTES; archive[offset + 2] != AIMG_FRAME_COMMIT; offset = frame_after(offset)) {
        struct aimg_frame frame = frame_at(offset);
        frame.salt = (uint32_t)++frames;
        sign_frame(offset, &frame);
    }
    write_file(archive, archive_bytes);
    struct verdict verdict = verify(AIMG_VERIFY_QUICK, 1);
    EXPECT(verdict.status == AIMG_OK && verdict.rules[20] && frames > 8);
    EXPECT_EQ_UINT(verdict.result.faults, 9); /* eight salts, and how many frames have others */
    EXPECT_EQ_UINT(verdict.first_offset, AIMG_HEAD_BYTES);
    memcpy(archive, sound, archive_bytes);
}

static void check_tail_and_cut(void)
{
    static const uint8_t torn[] = "torn tail";
    write_file(archive, archive_bytes);
    int fd = open(path, O_WRONLY | O_APPEND);
    REQUIRE(fd >= 0 && write(fd, torn, 9) == 9);
    struct verdict verdict = verify(0, 1);
    EXPECT_EQ_INT(verdict.status, AIMG_OK);
    EXPECT_EQ_UINT(verdict.result.tail_bytes, 9);
    EXPECT(verdict.result.faults == 1 && verdict.rules[34]);
    REQUIRE(ftruncate(fd, (off_t)archive_bytes - 1) == 0 && close(fd) == 0);
    verdict = verify(0, 1);
    EXPECT_EQ_INT(verdict.status, AIMG_TRUNCATED);
    EXPECT(verdict.rules[34] && verdict.rules[9] && verdict.rules[12]);
    EXPECT_EQ_UINT(verdict.result.commits, 1); /* the one that is whole was checked */
}

/* What a writer that is at work has not committed yet is no torn tail. */
static void check_being_written(void)
{
    static uint8_t large[3 << 20];
    struct aimg_writer_options options = {.struct_bytes = sizeof options, .flags = AIMG_WRITER_NO_SYNC};
    struct aimg_image image = {
        .struct_bytes = sizeof image, .name = "large", .name_bytes = 5, .data = large, .data_bytes = sizeof large};
    write_file(archive, archive_bytes);
    REQUIRE(aimg_writer_open(path, &options, &writer, NULL) == AIMG_OK);
    REQUIRE(aimg_writer_add(writer, &image, NULL, NULL) == AIMG_OK);
    struct verdict verdict = verify(0, 1);
    EXPECT_EQ_INT(verdict.status, AIMG_OK);
    EXPECT(verdict.result.tail_bytes >= sizeof large && verdict.first_offset == archive_bytes);
    EXPECT(verdict.result.faults == 0 && verdict.result.warnings == 1 && verdict.rules[34]);
    REQUIRE(aimg_writer_close(writer, NULL) == AIMG_OK); /* drops it */
    verdict = verify(0, 1);
    EXPECT(verdict.status == AIMG_OK && verdict.result.tail_bytes == 0 && verdict.told == 0);
}

static void check_arguments(void)
{
    struct aimg_verify_result result;
    struct aimg_verify_options options = {.struct_bytes = sizeof options, .flags = 64};
    struct aimg_error error;
    EXPECT_EQ_INT(aimg_verify(NULL, NULL, &result, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_verify(path, NULL, NULL, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_verify(path, &options, &result, &error), AIMG_INVALID_ARGUMENT);
    options.flags = 0;
    options.struct_bytes = 3;
    EXPECT_EQ_INT(aimg_verify(path, &options, &result, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_verify("/nowhere/at/all", NULL, &result, &error), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(aimg_verify("/dev/null", NULL, &result, &error), AIMG_NOT_ARCHIVE);
    write_file((const uint8_t *)"text, not an archive", 20);
    struct verdict verdict = verify(0, 1);
    EXPECT_EQ_INT(verdict.status, AIMG_NOT_ARCHIVE);
    EXPECT(verdict.result.faults == 1 && verdict.rules[2]);
}

int main(void)
{
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/test_verify.%ld.aimg",
             folder != NULL                  ? folder
             : access("/dev/shm", W_OK) == 0 ? "/dev/shm"
                                             : "/tmp",
             (long)getpid());
    for (uint32_t alignment = 8; alignment <= 64; alignment *= 8) {
        make_archive(alignment);
        check_sound();
        check_names_of_damage();
        check_page_salt();
        check_many_salts();
        check_tail_and_cut();
    }
    check_names_of_many();
    check_being_written();
    check_arguments();
    unlink(path);
    return test_end("test_verify");
}
