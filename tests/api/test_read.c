/* SPDX-License-Identifier: Apache-2.0 */
/* Reading by every way of opening: a map, plain reads, bytes in memory; at every commit; and what is
 * not there, or not allowed. */
#include "sample.h"
#include "test.h"

#include <sys/stat.h>

enum { COMMITS = 4, EACH = 5, IMAGES = COMMITS * EACH };

static struct aimg_error error;
static const char *path;
static uint8_t *bytes;
static size_t byte_count;
static uint8_t room[SAMPLE_MAX_BYTES];

/* Image k has content k; k = 7 has none, k = 3 was removed in commit 2, k = 12 is an attachment, k = 16 replaced k = 1. */
static void make(void)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer;
    char name[32];
    path = sample_path("reader.aimg");
    options.compress = AIMG_COMPRESS_ZSTD;
    options.flags = 0; /* with hints */
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    for (uint32_t k = 0; k < IMAGES; k++) {
        snprintf(name, sizeof name, "folder/%u", k == 16 ? 1 : k);
        REQUIRE(sample_add(writer, name, k, k == 12 ? AIMG_ADD_ATTACHMENT : AIMG_ADD_REPLACE, NULL, &error) == AIMG_OK);
        if (k == 11)
            REQUIRE(aimg_writer_remove(writer, 3, &error) == AIMG_OK);
        if (k % EACH == EACH - 1) {
            snprintf(name, sizeof name, "commit %u", k / EACH);
            REQUIRE(aimg_writer_commit(writer, name, &error) == AIMG_OK);
        }
    }
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    bytes = sample_load(path, &byte_count);
    REQUIRE(bytes != NULL);
}

static bool is_dead(uint32_t k, uint64_t seq)
{
    return (k == 3 && seq >= 2) || (k == 1 && seq >= 3);
}

static struct aimg_reader *open_way(unsigned way, uint64_t seq)
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .flags = AIMG_READER_AT, .seq = seq};
    struct aimg_reader *reader = NULL;
    enum aimg_status status;
    if (seq == COMMITS)
        options.flags = 0;
    if (way == 1)
        options.flags |= AIMG_READER_NO_MAP;
    status = way == 2 ? aimg_reader_open_memory(bytes, byte_count, &options, &reader, &error)
                      : aimg_reader_open(path, &options, &reader, &error);
    REQUIRE(status == AIMG_OK && reader != NULL);
    return reader;
}

static void check_borrow(const struct aimg_reader *reader, unsigned way, uint32_t k, bool dead)
{
    struct aimg_bytes borrowed = {.data = NULL}, by_name = {.data = NULL};
    char name[32];
    int name_bytes = snprintf(name, sizeof name, "folder/%u", k == 16 ? 1 : k);
    for (uint32_t flags = 0; flags <= AIMG_READ_VERIFY; flags++) {
        enum aimg_status status = aimg_reader_borrow(reader, k, flags, &borrowed, &error);
        enum aimg_status named = aimg_reader_borrow_name(reader, name, (size_t)name_bytes, flags, &by_name, &error);
        if (way == 1) {
            EXPECT(status == AIMG_SEQUENCE && named == AIMG_SEQUENCE);
            continue;
        }
        EXPECT_EQ_INT(status, dead ? AIMG_NOT_FOUND : AIMG_OK);
        if (status != AIMG_OK)
            continue;
        EXPECT(named == AIMG_OK && by_name.data == borrowed.data && by_name.bytes == borrowed.bytes && by_name.ordinal == k);
        EXPECT(borrowed.ordinal == k && by_name.coding == borrowed.coding && by_name.format == borrowed.format);
        size_t size = sample_fill(k, room);
        if (borrowed.coding == 0)
            EXPECT(borrowed.bytes == size && memcmp(borrowed.data, room, size) == 0);
        else
            EXPECT(borrowed.coding == 1 && borrowed.bytes < size);
    }
}

static void check_image(const struct aimg_reader *reader, unsigned way, uint32_t k, uint64_t seq)
{
    struct aimg_entry entry;
    uint64_t position, needed = 99;
    uint32_t ordinal;
    char name[64];
    bool dead = is_dead(k, seq);
    size_t size = sample_fill(k, room), name_bytes = 0;
    EXPECT_EQ_INT(aimg_reader_entry(reader, k, &entry, &error), AIMG_OK);
    EXPECT(entry.ordinal == k && entry.dead == dead && entry.attachment == (k == 12) && entry.alias == 0 &&
           entry.raw_bytes == size);
    EXPECT_EQ_INT(aimg_reader_read(reader, k, 0, NULL, 0, &needed, &error), dead       ? AIMG_NOT_FOUND
                                                                            : size > 0 ? AIMG_BUFFER_TOO_SMALL
                                                                                       : AIMG_OK);
    if (!dead) {
        EXPECT_EQ_UINT(needed, size);
        EXPECT(sample_equals(reader, k, k));
        EXPECT_EQ_INT(aimg_reader_read(reader, k, AIMG_READ_UNVERIFIED, room, sizeof room, &needed, &error), AIMG_OK);
    }
    EXPECT_EQ_INT(aimg_reader_name(reader, k, name, sizeof name, &name_bytes, &error), AIMG_OK);
    EXPECT(name_bytes == strlen(name) && strncmp(name, "folder/", 7) == 0);
    EXPECT_EQ_INT(aimg_reader_name(reader, k, name, name_bytes, &name_bytes, &error), AIMG_BUFFER_TOO_SMALL);
    bool newest = !(k == 1 && seq >= 3);
    enum aimg_status found = aimg_reader_find(reader, name, name_bytes, &ordinal, &error);
    EXPECT_EQ_INT(found, dead && newest ? AIMG_NOT_FOUND : AIMG_OK);
    if (found == AIMG_OK)
        EXPECT_EQ_UINT(ordinal, newest ? k : 16);
    EXPECT_EQ_INT(aimg_reader_position_of(reader, k, &position, &error), dead || k == 12 ? AIMG_NOT_FOUND : AIMG_OK);
    check_borrow(reader, way, k, dead);
}

static void check_batches(const struct aimg_reader *reader, unsigned way, uint64_t count)
{
    struct aimg_bytes batch[70], by_name[70], one;
    struct aimg_name names[70];
    uint32_t ordinals[70];
    char texts[70][32];
    for (uint32_t i = 0; i < 70; i++) {
        ordinals[i] = (i * 7) % (uint32_t)(count + 1);
        names[i] = (struct aimg_name){texts[i], (size_t)snprintf(texts[i], sizeof texts[i], "folder/%u", ordinals[i])};
    }
    EXPECT_EQ_INT(aimg_reader_prefetch(reader, ordinals, 70, &error), AIMG_OK);
    for (size_t n = 0; n <= 70; n += n < 40 ? 1 : 15) {
        enum aimg_status first = AIMG_OK, whole = aimg_reader_borrow_batch(reader, ordinals, n, AIMG_READ_VERIFY, batch, &error);
        (void)aimg_reader_borrow_names(reader, names, n, 0, by_name, &error);
        for (size_t i = 0; way != 1 && i < n; i++) {
            enum aimg_status status = aimg_reader_borrow(reader, ordinals[i], 0, &one, &error);
            first = first == AIMG_OK ? status : first;
            EXPECT_EQ_INT(batch[i].status, status);
            EXPECT_EQ_UINT(batch[i].ordinal, ordinals[i]);
            if (status == AIMG_OK)
                EXPECT(batch[i].data == one.data && batch[i].bytes == one.bytes);
            status = aimg_reader_borrow_name(reader, names[i].name, names[i].name_bytes, 0, &one, &error);
            EXPECT_EQ_INT(by_name[i].status, status);
            if (status == AIMG_OK)
                EXPECT(by_name[i].data == one.data && by_name[i].ordinal == one.ordinal);
        }
        EXPECT_EQ_INT(whole, way == 1 ? AIMG_SEQUENCE : first);
    }
}

static void check_order(const struct aimg_reader *reader, uint64_t seq, uint64_t ordinals)
{
    uint64_t position = 0, found;
    uint32_t ordinal;
    struct aimg_names *names;
    struct aimg_listed listed;
    char name[64];
    for (uint32_t k = 0; k < ordinals; k++) {
        if (is_dead(k, seq) || k == 12)
            continue;
        EXPECT(aimg_reader_ordinal_at(reader, position, &ordinal, &error) == AIMG_OK && ordinal == k);
        EXPECT(aimg_reader_position_of(reader, k, &found, &error) == AIMG_OK && found == position);
        position++;
    }
    EXPECT_EQ_UINT(aimg_reader_count(reader), position);
    EXPECT_EQ_INT(aimg_reader_ordinal_at(reader, position, &ordinal, &error), AIMG_NOT_FOUND);
    for (uint64_t from = 0; from <= position + 1; from++) {
        uint64_t at = from;
        REQUIRE(aimg_names_create(reader, from, &names, &error) == AIMG_OK);
        while (aimg_names_next(names, &listed, &error) == AIMG_OK) {
            EXPECT_EQ_UINT(listed.position, at);
            EXPECT(aimg_reader_ordinal_at(reader, at++, &ordinal, &error) == AIMG_OK && ordinal == listed.ordinal);
            EXPECT_EQ_INT(aimg_reader_name(reader, ordinal, name, sizeof name, NULL, &error), AIMG_OK);
            EXPECT_EQ_TEXT(name, listed.name);
            EXPECT_EQ_UINT(strlen(name), listed.name_bytes);
        }
        EXPECT_EQ_INT(aimg_names_next(names, &listed, &error), AIMG_END);
        EXPECT_EQ_UINT(at, from < position ? position : from);
        aimg_names_destroy(names);
    }
    aimg_names_destroy(NULL);
}

/* Image 12 is an attachment; some images were removed, each in a commit of its own. */
static void check_counts(const struct aimg_commit *commit)
{
    uint64_t attached = commit->seq == 12 / EACH;
    EXPECT_EQ_UINT(commit->attached, attached);
    EXPECT_EQ_UINT(commit->added, EACH - attached);
    EXPECT_EQ_UINT(commit->detached, 0);
    EXPECT_EQ_UINT(commit->removed, commit->seq == 2 || commit->seq == 3);
}

static int count_commit(void *user, const struct aimg_commit *commit)
{
    uint64_t *expected = user; /* the seq that must come */
    EXPECT_EQ_UINT(commit->seq, *expected);
    check_counts(commit);
    return (*expected)-- == 1; /* stops before the first */
}

static void check_history(const struct aimg_reader *reader, uint64_t commits)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct aimg_commit commit;
    char message[32];
    EXPECT_EQ_INT(aimg_reader_info(reader, &info, &error), AIMG_OK);
    EXPECT(info.commit_count == commits && info.ordinal_count == commits * EACH &&
           info.ordinal_count == aimg_reader_ordinal_count(reader));
    EXPECT(info.listed_count == aimg_reader_count(reader) && info.tail_bytes == 0 && info.alignment == 8 &&
           info.column_count == 0);
    EXPECT(info.dead_count == (commits >= 4   ? 2u
                               : commits == 3 ? 1u
                                              : 0u) &&
           info.run_count == (commits == 3 ? 2u : 1u) && /* 5; 5 + 5; 10 and 5; 10 + 5 + 5 */
           info.created_ns == SAMPLE_TIME_NS);
    for (uint64_t seq = 0; seq < commits; seq++) {
        EXPECT_EQ_INT(aimg_reader_commit(reader, seq, &commit, &error), AIMG_OK);
        snprintf(message, sizeof message, "commit %u", (unsigned)seq);
        EXPECT_EQ_TEXT(commit.message, message);
        EXPECT(commit.seq == seq && commit.ordinal_count == (seq + 1) * EACH && commit.time_ns == SAMPLE_TIME_NS);
        check_counts(&commit);
        if (seq + 1 == commits)
            EXPECT_EQ_BYTES(commit.chain, info.chain, 16);
    }
    EXPECT_EQ_INT(aimg_reader_commit(reader, commits, &commit, &error), AIMG_NOT_FOUND);
    uint64_t expected = commits - 1;
    if (commits > 1) {
        EXPECT_EQ_INT(aimg_reader_log(reader, count_commit, &expected, &error), AIMG_OK);
        EXPECT_EQ_UINT(expected, 0);
    }
}

static void check_way(unsigned way, uint64_t seq)
{
    struct aimg_reader *reader = open_way(way, seq);
    uint64_t commits = seq == COMMITS ? COMMITS : seq + 1, ordinals = commits * EACH;
    uint64_t needed;
    struct aimg_entry entry;
    for (uint32_t k = 0; k < ordinals; k++)
        check_image(reader, way, k, commits - 1);
    EXPECT_EQ_INT(aimg_reader_entry(reader, (uint32_t)ordinals, &entry, &error), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(aimg_reader_read(reader, AIMG_NO_ORDINAL, 0, room, sizeof room, &needed, &error), AIMG_NOT_FOUND);
    check_order(reader, commits - 1, ordinals);
    check_batches(reader, way, ordinals);
    check_history(reader, commits);
    int changed = 7;
    EXPECT(aimg_reader_refresh(reader, &changed, &error) == AIMG_OK && changed == 0);
    aimg_reader_close(reader);
}

/* ------------------------------------------------------------------ names that are not there */

static void check_absent(void)
{
    static const char *const names[] = {"folder/99", "folder", "f", "folder/3", "folder/1 ", "Folder/1", "zzz"};
    struct aimg_reader *reader = open_way(0, COMMITS);
    char longest[1100];
    uint32_t ordinal = 5;
    struct aimg_bytes one;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        EXPECT_EQ_INT(aimg_reader_find(reader, names[i], strlen(names[i]), &ordinal, &error), AIMG_NOT_FOUND);
        EXPECT(strstr(error.message, names[i]) != NULL && ordinal == 5);
        EXPECT_EQ_INT(aimg_reader_borrow_name(reader, names[i], strlen(names[i]), 0, &one, &error), AIMG_NOT_FOUND);
    }
    memset(longest, 'n', sizeof longest);
    EXPECT_EQ_INT(aimg_reader_find(reader, longest, 1024, &ordinal, &error), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(aimg_reader_find(reader, longest, 1025, &ordinal, &error), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(aimg_reader_find(reader, "", 0, &ordinal, &error), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(aimg_reader_find(reader, "folder/1\0", 9, &ordinal, &error), AIMG_NOT_FOUND);
    size_t size;
    char text[4];
    EXPECT_EQ_INT(aimg_reader_meta(reader, "title", text, sizeof text, &size, &error), AIMG_NOT_FOUND);
    aimg_reader_close(reader);
}

/* ------------------------------------------------------------------ what is not allowed */

static void check_arguments(void)
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options};
    struct aimg_reader *reader = open_way(0, COMMITS), *other = NULL;
    struct aimg_bytes one;
    struct aimg_info info = {.struct_bytes = sizeof info};
    uint64_t number;
    uint32_t ordinal;
    size_t size;
    struct aimg_names *names;
#define REFUSED(call) EXPECT_EQ_INT(call, AIMG_INVALID_ARGUMENT)
    REFUSED(aimg_reader_open(NULL, NULL, &other, &error));
    REFUSED(aimg_reader_open(path, NULL, NULL, &error));
    REFUSED(aimg_reader_open_memory(NULL, 5, NULL, &other, &error));
    options.flags = 0x80;
    REFUSED(aimg_reader_open(path, &options, &other, &error));
    options.flags = 0;
    options.reserved = 1;
    REFUSED(aimg_reader_open(path, &options, &other, &error));
    options.reserved = 0;
    options.struct_bytes = 4;
    REFUSED(aimg_reader_open(path, &options, &other, &error));
    options.struct_bytes = sizeof options + 8;
    REFUSED(aimg_reader_open(path, &options, &other, &error));
    REFUSED(aimg_reader_borrow(NULL, 0, 0, &one, &error));
    REFUSED(aimg_reader_borrow(reader, 0, 0, NULL, &error));
    REFUSED(aimg_reader_borrow(reader, 0, AIMG_READ_UNVERIFIED, &one, &error));
    REFUSED(aimg_reader_borrow_name(reader, NULL, 5, 0, &one, &error));
    REFUSED(aimg_reader_borrow_name(reader, "a", 1, 8, &one, &error));
    REFUSED(aimg_reader_borrow_batch(reader, &ordinal, 1, 4, &one, &error));
    REFUSED(aimg_reader_borrow_names(reader, NULL, 1, 0, &one, &error));
    struct aimg_name nameless = {NULL, 5};
    REFUSED(aimg_reader_borrow_names(reader, &nameless, 1, 0, &one, &error));
    EXPECT_EQ_INT(one.status, AIMG_INVALID_ARGUMENT);
    REFUSED(aimg_reader_read(reader, 0, AIMG_READ_VERIFY, room, sizeof room, &number, &error));
    REFUSED(aimg_reader_read(reader, 0, 0, NULL, 5, &number, &error));
    REFUSED(aimg_reader_read(reader, 0, 0, room, sizeof room, NULL, &error));
    REFUSED(aimg_reader_name(NULL, 0, NULL, 0, NULL, &error));
    REFUSED(aimg_reader_find(reader, "a", 1, NULL, &error));
    REFUSED(aimg_reader_prefetch(reader, NULL, 3, &error));
    REFUSED(aimg_reader_borrow_batch(reader, NULL, 3, 0, &one, &error));
    REFUSED(aimg_reader_ordinal_at(reader, 0, NULL, &error));
    REFUSED(aimg_reader_position_of(reader, 0, NULL, &error));
    REFUSED(aimg_reader_entry(reader, 0, NULL, &error));
    REFUSED(aimg_reader_dictionary(reader, 0, 0, NULL, 1, &size, &error));
    REFUSED(aimg_names_create(NULL, 0, &names, &error));
    REFUSED(aimg_reader_log(reader, NULL, NULL, &error));
    REFUSED(aimg_reader_commit(reader, 0, NULL, &error));
    REFUSED(aimg_reader_refresh(reader, NULL, &error));
    info.struct_bytes = 3;
    REFUSED(aimg_reader_info(reader, &info, &error));
    EXPECT(other == NULL && error.message[0] != 0);
    EXPECT_EQ_INT(aimg_reader_borrow(reader, 3, 0, &one, NULL), AIMG_NOT_FOUND); /* no error struct is fine */
    aimg_reader_close(reader);
    aimg_reader_close(NULL);
    /* A caller that was compiled when the struct ended before the allocator. */
    options = (struct aimg_reader_options){.struct_bytes = offsetof(struct aimg_reader_options, allocator)};
    EXPECT_EQ_INT(aimg_reader_open(path, &options, &other, &error), AIMG_OK);
    aimg_reader_close(other);
}

static void check_files(void)
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .flags = AIMG_READER_AT, .seq = COMMITS};
    struct aimg_reader *reader = NULL;
    const char *other = sample_path("other");
    EXPECT_EQ_INT(aimg_reader_open(sample_path("nothing"), NULL, &reader, &error), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(aimg_reader_open(path, &options, &reader, &error), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(aimg_reader_open("/tmp", NULL, &reader, &error), AIMG_NOT_ARCHIVE);
    REQUIRE(sample_store(other, "", 0));
    EXPECT_EQ_INT(aimg_reader_open(other, NULL, &reader, &error), AIMG_NOT_ARCHIVE);
    REQUIRE(sample_store(other, "PK\3\4 is not one", 15));
    EXPECT_EQ_INT(aimg_reader_open(other, NULL, &reader, &error), AIMG_NOT_ARCHIVE);
    REQUIRE(sample_store(other, bytes, byte_count - 1)); /* a bad copy */
    EXPECT_EQ_INT(aimg_reader_open(other, NULL, &reader, &error), AIMG_TRUNCATED);
    EXPECT(reader == NULL);
    options.flags = AIMG_READER_ALLOW_TRUNCATED;
    REQUIRE(aimg_reader_open(other, &options, &reader, &error) == AIMG_OK);
    EXPECT_EQ_UINT(aimg_reader_ordinal_count(reader), IMAGES - EACH);
    aimg_reader_close(reader);
    /* Bytes after the end: a writer was stopped, or someone appended to the file. They are told, and harmless. */
    uint8_t *longer = malloc(byte_count + 1000);
    REQUIRE(longer != NULL);
    memcpy(longer, bytes, byte_count);
    memset(longer + byte_count, 'x', 1000);
    struct aimg_info info = {.struct_bytes = sizeof info};
    REQUIRE(aimg_reader_open_memory(longer, byte_count + 1000, NULL, &reader, &error) == AIMG_OK);
    EXPECT(aimg_reader_info(reader, &info, &error) == AIMG_OK && info.tail_bytes == 1000 && info.file_bytes == byte_count);
    aimg_reader_close(reader);
    free(longer);
}

int main(void)
{
    make();
    for (unsigned way = 0; way < 3; way++)
        for (uint64_t seq = 0; seq <= COMMITS; seq++)
            check_way(way, seq);
    check_absent();
    check_arguments();
    check_files();
    free(bytes);
    return test_end("test_read");
}
