/* SPDX-License-Identifier: Apache-2.0 */
/* What a writer must not do: build on a damaged index, commit what nobody can open, change a file that it cannot go on from, call
 * a durable commit failed, take images that it cannot commit, grow without bounds, leave traces of a failure. */
#include "counting.h"
#include "fake_disk.h"
#include "sample.h"
#include "test.h"
#include "writer.h"

#include <fcntl.h>

static struct aimg_writer *writer;
static struct aimg_error error;

static void create_at(const char *path, const struct aimg_writer_options *options)
{
    (void)unlink(path);
    REQUIRE(aimg_writer_create(path, options, &writer, &error) == AIMG_OK);
}

static void add_many(const char *prefix, uint32_t count)
{
    char name[32];
    for (uint32_t k = 0; k < count; k++) {
        snprintf(name, sizeof name, "%s%u", prefix, k);
        EXPECT_EQ_INT(sample_add(writer, name, k % 50, 0, NULL, &error), AIMG_OK);
    }
}

static void commit_and_close(void)
{
    if (!EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK))
        fprintf(stderr, "  %s\n", error.message);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
}

static struct aimg_info info_of(const char *path)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct aimg_reader *reader = NULL;
    REQUIRE(aimg_reader_open(path, NULL, &reader, &error) == AIMG_OK && aimg_reader_info(reader, &info, &error) == AIMG_OK);
    aimg_reader_close(reader);
    return info;
}

/* ------------------------------------------------------------------ damage below */

static void check_damaged_entry(void)
{
    const char *path = sample_path("entry");
    struct aimg_writer_options options = sample_writer_options();
    static const unsigned bytes[] = {7, 8, 12}; /* the flags, stored_bytes */
    for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++) {
        create_at(path, &options);
        add_many("n", 3);
        EXPECT_EQ_INT(sample_add(writer, "extra", 5, AIMG_ADD_ATTACHMENT, NULL, &error), AIMG_OK);
        EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
        sample_flip(path, writer->base->catalog.runs[0].entries_offset + AIMG_ENTRY_BYTES + bytes[i], 2);
        EXPECT_EQ_INT(aimg_writer_remove(writer, 1, &error), AIMG_CHECKSUM);
        EXPECT_EQ_UINT(error.rule, 40);
        add_many("more", 1);
        commit_and_close(); /* the handle lives, and nothing was counted */
        EXPECT_EQ_UINT(info_of(path).listed_count, 4);
    }
}

static void check_damaged_names(void)
{
    const char *path = sample_path("slots");
    struct aimg_writer_options options = sample_writer_options();
    create_at(path, &options);
    add_many("n", 5);
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    const struct aimg_catalog *catalog = &writer->base->catalog;
    add_many("more", 3);
    sample_flip(path, catalog->tables[catalog->names_first].payload + 9, 1); /* of an ordinal, or of an empty slot */
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_CHECKSUM);
    EXPECT_EQ_UINT(error.rule, 40);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    EXPECT_EQ_UINT(info_of(path).commit_count, 1);
}

/* ------------------------------------------------------------------ what nobody could open */

static void check_unreadable_root(void)
{
    const char *path = sample_path("root");
    struct aimg_writer_options options = sample_writer_options();
    create_at(path, &options);
    add_many("n", 3);
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    add_many("more", 3);
    writer->head.listed_count++; /* as after a bug, or a mask that lies */
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_CORRUPT);
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_SEQUENCE);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    struct aimg_info info = info_of(path);
    EXPECT(info.commit_count == 1 && info.listed_count == 3 && info.tail_bytes == 0);
}

/* Another writer may leave as many tables of names as there can be, each too large to be merged with one name. */
static void check_full_of_names(void)
{
    const char *path = sample_path("names");
    struct aimg_writer_options options = sample_writer_options();
    create_at(path, &options);
    writer->keys_max = 8;
    add_many("n", 8 * AIMG_NAME_RUN_MAX);
    EXPECT_EQ_UINT(writer->names.spilled_count, AIMG_NAME_RUN_MAX);
    for (uint32_t i = 0; i < writer->names.spilled_count; i++)
        REQUIRE(aimg_writer_add_part(writer, &writer->names.spilled[i].part, &error) == AIMG_OK);
    aimg_index_release(writer, &writer->names);
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    EXPECT_EQ_UINT(writer->base->catalog.names_count, AIMG_NAME_RUN_MAX);
    add_many("one more", 1);
    commit_and_close();
    EXPECT_EQ_UINT(info_of(path).name_run_count, 1);
    EXPECT(sample_verifies(path, 1, 0));
}

/* More tables of names in one batch than a commit can have. */
static void check_many_spilled(void)
{
    const char *path = sample_path("spilled");
    struct aimg_writer_options options = sample_writer_options();
    char name[16];
    uint32_t ordinal;
    create_at(path, &options);
    writer->keys_max = 1;
    add_many("n", 3 * AIMG_NAME_RUN_MAX);
    EXPECT_EQ_INT(aimg_writer_remove(writer, 7, &error), AIMG_OK);
    EXPECT_EQ_INT(sample_add(writer, "n7", 1, 0, NULL, &error), AIMG_OK);
    for (uint32_t k = 0; k < 3 * AIMG_NAME_RUN_MAX; k++) {
        snprintf(name, sizeof name, "n%u", k);
        EXPECT(aimg_writer_find(writer, name, strlen(name), &ordinal, &error) == AIMG_OK &&
               ordinal == (k == 7 ? 3 * AIMG_NAME_RUN_MAX : k));
    }
    commit_and_close();
    EXPECT(sample_verifies(path, 1, 0));
}

/* ------------------------------------------------------------------ opening */

static void check_unchanged(const char *path, enum aimg_status expected)
{
    struct aimg_writer_options options = {.struct_bytes = sizeof options};
    size_t before_bytes, after_bytes;
    uint8_t *before = sample_load(path, &before_bytes);
    EXPECT_EQ_INT(aimg_writer_open(path, &options, &writer, &error), expected);
    uint8_t *after = sample_load(path, &after_bytes);
    REQUIRE(before != NULL && after != NULL && EXPECT_EQ_UINT(before_bytes, after_bytes));
    EXPECT_EQ_BYTES(before, after, before_bytes);
    free(before);
    free(after);
}

static void append_rubbish(const char *path)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    REQUIRE(fd >= 0 && write(fd, "rubbish", 7) == 7 && close(fd) == 0);
}

static void check_opening(void)
{
    const char *path = sample_path("opening");
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct aimg_located located;
    struct aimg_io io;
    uint64_t dropped, images;
    uint8_t page[AIMG_HEADER_BYTES];
    REQUIRE(sample_archive(path, 2, 3));
    append_rubbish(path);
    REQUIRE(aimg_io_file_open(&io, path, AIMG_IO_READ, &error) == AIMG_OK &&
            aimg_locate(&io, false, &located, &error) == AIMG_OK);
    REQUIRE(io.ops->close(&io, &error) == AIMG_OK);
    uint64_t root = located.commit.root_offset + AIMG_FRAME_BYTES + 20;
    sample_flip(path, root, 1);
    check_unchanged(path, AIMG_CHECKSUM);
    sample_flip(path, root, 1);
    REQUIRE(aimg_writer_open(path, NULL, &writer, &error) == AIMG_OK);
    aimg_writer_dropped(writer, &dropped, &images);
    EXPECT(dropped == 7 && aimg_reader_info(aimg_writer_base(writer), &info, &error) == AIMG_OK && info.tail_bytes == 0);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    create_at(path, NULL);
    located.header = writer->located.header;
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    located.header.incompat = UINT64_C(1) << 40;
    aimg_header_encode(&located.header, page);
    REQUIRE(aimg_io_file_open(&io, path, AIMG_IO_WRITE, &error) == AIMG_OK);
    REQUIRE(io.ops->write_at(&io, 0, page, sizeof page, NULL, 0, &error) == AIMG_OK && io.ops->close(&io, &error) == AIMG_OK);
    append_rubbish(path);
    check_unchanged(path, AIMG_UNSUPPORTED);
}

/* ------------------------------------------------------------------ failures around a commit */

/* Whatever allocation fails: the commit is there if and only if the call said so. */
static void check_memory(void)
{
    static struct counting counting;
    const char *path = sample_path("memory");
    struct aimg_writer_options options = sample_writer_options();
    unsigned refused = 0, dead = 0;
    bool reached = true;
    options.allocator = counting_allocator(&counting);
    for (unsigned long long n = 1; reached; n++) {
        uint32_t column;
        create_at(path, &options);
        EXPECT_EQ_INT(aimg_writer_column(writer, "c", AIMG_TYPE_U8, 1, 0, &column, &error), AIMG_OK);
        add_many("n", 3);
        counting.fail_at = counting.allocated + n;
        enum aimg_status status = aimg_writer_commit(writer, NULL, &error);
        reached = counting.allocated >= counting.fail_at;
        counting.fail_at = 0;
        EXPECT(status == AIMG_OK || status == AIMG_OUT_OF_MEMORY);
        refused += status != AIMG_OK;
        dead += status == AIMG_OK && aimg_writer_remove(writer, 0, &error) == AIMG_SEQUENCE;
        EXPECT_EQ_UINT(aimg_reader_count(aimg_writer_base(writer)), status == AIMG_OK ? 3 : 0);
        EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
        EXPECT_EQ_UINT(info_of(path).commit_count, status == AIMG_OK);
    }
    EXPECT(refused > 5 && dead > 1);
    reached = true;
    for (unsigned long long n = 1; reached; n++) { /* a create that fails leaves nothing */
        (void)unlink(path);
        counting.fail_at = counting.allocated + n;
        enum aimg_status status = aimg_writer_create(path, &options, &writer, &error);
        reached = counting.allocated >= counting.fail_at;
        counting.fail_at = 0;
        EXPECT_EQ_INT(status, reached ? AIMG_OUT_OF_MEMORY : AIMG_OK);
        EXPECT((access(path, F_OK) == 0) == (status == AIMG_OK));
        if (status == AIMG_OK)
            EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    }
    EXPECT_EQ_INT(counting.live, 0);
}

static void begin_on(struct fake_disk *disk)
{
    struct aimg_writer_options options = sample_writer_options();
    options.flags = 0;
    fake_disk_create(disk, NULL, 0);
    struct aimg_io io = fake_disk_io(disk);
    REQUIRE(aimg_writer_create_io(&io, &options, &writer, &error) == AIMG_OK);
    add_many("n", 2);
}

static void check_disk(void)
{
    struct fake_disk disk;
    begin_on(&disk);
    uint64_t before = disk.calls;
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    uint64_t calls = disk.calls - before;
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    fake_disk_destroy(&disk);
    begin_on(&disk); /* the last call writes the hint: without it all goes on */
    disk.fail_at = disk.calls + calls;
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    EXPECT(disk.calls >= disk.fail_at && aimg_all_zero(disk.cache + AIMG_HEADER_BYTES, AIMG_HINT_BYTES));
    add_many("more", 2);
    commit_and_close();
    EXPECT(!aimg_all_zero(disk.cache + AIMG_HEADER_BYTES + AIMG_HINT_BYTES, AIMG_HINT_BYTES));
    fake_disk_destroy(&disk);
    for (int healed = 0; healed < 2; healed++) { /* what could not be cut off is tried again by close, which tells */
        begin_on(&disk);
        disk.fail_at = disk.calls + calls - 1;
        disk.fail_on = true;
        EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_IO);
        EXPECT(disk.cache_bytes > AIMG_HEAD_BYTES);
        disk.fail_on = healed == 0;
        EXPECT_EQ_INT(aimg_writer_close(writer, &error), healed ? AIMG_OK : AIMG_IO);
        EXPECT((disk.cache_bytes == AIMG_HEAD_BYTES) == (healed == 1));
        fake_disk_destroy(&disk);
    }
}

/* A hint says that a commit is durable: without syncs there is none. */
static void check_no_hints(void)
{
    const char *path = sample_path("hints");
    struct aimg_writer_options options = sample_writer_options();
    size_t bytes;
    for (unsigned round = 0; round < 2; round++) {
        options.flags = round == 0 ? AIMG_WRITER_NO_SYNC : 0;
        create_at(path, &options);
        add_many("n", 3);
        commit_and_close();
        uint8_t *file = sample_load(path, &bytes);
        REQUIRE(file != NULL);
        EXPECT(aimg_all_zero(file + AIMG_HEADER_BYTES, AIMG_HINT_BYTES) == (round == 0));
        free(file);
        EXPECT_EQ_UINT(info_of(path).listed_count, 3);
    }
}

/* ------------------------------------------------------------------ limits */

static void check_early_limits(void)
{
    const char *path = sample_path("limits");
    struct aimg_writer_options options = sample_writer_options();
    create_at(path, &options);
    add_many("n", 3);
    uint64_t flushed = writer->out.flushed;
    writer->out.flushed = AIMG_FILE_LIMIT - AIMG_TABLES_ROOM - writer->out.used - 100;
    EXPECT_EQ_INT(sample_add(writer, "n0", 1000, AIMG_ADD_REPLACE, NULL, &error), AIMG_LIMIT);
    writer->out.flushed = AIMG_FILE_LIMIT;
    EXPECT_EQ_INT(sample_add(writer, "n0", 0, AIMG_ADD_REPLACE, NULL, &error), AIMG_LIMIT);
    writer->out.flushed = flushed;
    EXPECT_EQ_INT(aimg_writer_spill_run(writer, &error), AIMG_OK);
    add_many("last", 2);
    commit_and_close();
    EXPECT_EQ_UINT(info_of(path).listed_count, 5); /* what was refused replaced nothing */
    EXPECT(sample_verifies(path, 1, 0));
}

static enum aimg_status add_value(unsigned number, uint32_t column, const void *data, size_t bytes)
{
    char name[16];
    struct aimg_value value = {.column = column, .data = data, .bytes = bytes};
    struct aimg_image image = {.struct_bytes = sizeof image, .name = name, .data = "x", .data_bytes = 1};
    image.name_bytes = (size_t)snprintf(name, sizeof name, "%u", number);
    image.values = bytes == 0 ? NULL : &value;
    image.value_count = bytes == 0 ? 0 : 1;
    return aimg_writer_add(writer, &image, NULL, &error);
}

static void check_dictionary(void)
{
    const char *path = sample_path("dictionary");
    struct aimg_writer_options options = sample_writer_options();
    char text[1000];
    uint32_t column;
    options.limits.index_bytes = 65536;
    create_at(path, &options);
    REQUIRE(aimg_writer_column(writer, "label", AIMG_TYPE_DICTIONARY, 1, 0, &column, &error) == AIMG_OK);
    memset(text, 'a', sizeof text);
    for (unsigned k = 0; k < 65; k++) {
        text[0] = (char)('!' + k);
        EXPECT_EQ_INT(add_value(k, column, text, sizeof text), AIMG_OK);
    }
    text[0] = 'z';
    EXPECT_EQ_INT(add_value(65, column, text, sizeof text), AIMG_LIMIT);
    text[0] = '!';
    EXPECT_EQ_INT(add_value(65, column, text, sizeof text), AIMG_OK); /* known */
    commit_and_close();
    EXPECT(sample_verifies(path, 1, 0));
    options.limits.index_bytes = 32768;
    REQUIRE(aimg_writer_open(path, &options, &writer, &error) == AIMG_OK);
    EXPECT_EQ_INT(add_value(66, column, text, sizeof text), AIMG_LIMIT);
    EXPECT_EQ_INT(add_value(66, column, text, 0), AIMG_OK);
    commit_and_close();
}

/* Rows of wide columns are written when they take much; the first value of a column brings the rows before it. */
static void check_wide(void)
{
    static const uint8_t wide[1000];
    const char *path = sample_path("wide");
    struct aimg_writer_options options = sample_writer_options();
    uint32_t column;
    create_at(path, &options);
    writer->stage_max = 10000;
    REQUIRE(aimg_writer_column(writer, "wide", AIMG_TYPE_U8, 1000, 0, &column, &error) == AIMG_OK);
    for (unsigned k = 0; k < 18; k++)
        EXPECT_EQ_INT(add_value(k, column, wide, sizeof wide), AIMG_OK);
    EXPECT_EQ_UINT(writer->parts.bytes, sizeof(struct aimg_part)); /* a RUN */
    EXPECT_EQ_UINT(writer->stage.rows, 9);
    for (unsigned k = 18; k < 40; k++)
        EXPECT_EQ_INT(add_value(k, column, NULL, 0), AIMG_OK);
    EXPECT(writer->stage.rows > 10);
    EXPECT_EQ_INT(add_value(40, column, wide, sizeof wide), AIMG_OK);
    EXPECT_EQ_UINT(writer->stage.rows, 1);
    EXPECT(writer->stage.columns[0].values.capacity < 20000);
    commit_and_close();
    EXPECT(sample_verifies(path, 1, 0));
}

/* One name again and again: one key of it waits, and no other is looked at. */
static void check_again_and_again(void)
{
    struct aimg_writer_options options = sample_writer_options();
    create_at(sample_path("again"), &options);
    for (uint32_t k = 0; k < 100; k++)
        EXPECT_EQ_INT(sample_add(writer, "name", k, AIMG_ADD_REPLACE, NULL, &error), AIMG_OK);
    EXPECT_EQ_UINT(aimg_keys_count(&writer->names.keys), 1);
    EXPECT(writer->names.keys.multiplier != 0);
    commit_and_close();
}

int main(void)
{
    check_damaged_entry();
    check_damaged_names();
    check_unreadable_root();
    check_full_of_names();
    check_many_spilled();
    check_opening();
    check_memory();
    check_disk();
    check_no_hints();
    check_early_limits();
    check_dictionary();
    check_wide();
    check_again_and_again();
    return test_end("test_writer_care");
}
