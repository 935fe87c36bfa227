/* SPDX-License-Identifier: Apache-2.0 */
/* No memory, at every allocation of every call in turn, once and from then on: the status says so, nothing leaks, and the archive
 * is as it was promised. */
#include "oom.h"
#include "oom_dedup.h"
#include "oom_keep.h"
#include "oom_set.h"
#include "random.h"
#include "sample.h"
#include "sanitized.h"
#include "test.h"

#include <dlfcn.h>
#include <zdict.h>
#include <zstd.h>

struct oom oom;
static const char *base_path;
static uint8_t *base;
static size_t base_bytes;

/* ------------------------------------------------------------------ zstd's own memory */

/* The library's calls to zstd that allocate end here. They count as allocations of the handle. */
static bool refused(void)
{
    unsigned long long call = atomic_fetch_add(&oom.counting.allocated, 1) + 1;
    return oom.counting.fail_at != 0 && (call == oom.counting.fail_at || (oom.counting.fail_on && call > oom.counting.fail_at));
}

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    REQUIRE(function != NULL);
    return function;
}

ZSTD_CCtx *ZSTD_createCCtx(void)
{
    return refused() ? NULL : ((ZSTD_CCtx * (*)(void)) real("ZSTD_createCCtx"))();
}

ZSTD_DCtx *ZSTD_createDCtx(void)
{
    return refused() ? NULL : ((ZSTD_DCtx * (*)(void)) real("ZSTD_createDCtx"))();
}

ZSTD_DDict *ZSTD_createDDict(const void *data, size_t bytes)
{
    return refused() ? NULL : ((ZSTD_DDict * (*)(const void *, size_t)) real("ZSTD_createDDict"))(data, bytes);
}

ZSTD_CDict *ZSTD_createCDict(const void *data, size_t bytes, int level)
{
    return refused() ? NULL : ((ZSTD_CDict * (*)(const void *, size_t, int)) real("ZSTD_createCDict"))(data, bytes, level);
}

size_t ZDICT_trainFromBuffer(void *dictionary, size_t capacity, const void *samples, const size_t *sizes, unsigned count)
{
    typedef size_t train(void *, size_t, const void *, const size_t *, unsigned);
    return refused() ? (size_t)-64 : ((train *)real("ZDICT_trainFromBuffer"))(dictionary, capacity, samples, sizes, count);
}

/* ------------------------------------------------------------------ what is done */

/* Every call may fail, for want of memory alone; who does not get on goes on with the next. */
static bool check(enum aimg_status status)
{
    if (status != AIMG_OK && status != AIMG_END && !EXPECT_EQ_INT(status, AIMG_OUT_OF_MEMORY))
        fprintf(stderr, "  %s\n", oom.error.message);
    return status == AIMG_OK;
}

/* Images up to this one are numbered by their content; those that follow have other names for the bytes of one of them. */
enum { RENAMED_FIRST = 12, RENAMED = 5, TWIN = 4 };
static bool renames, twins;

static uint32_t content_of(uint32_t ordinal)
{
    if (ordinal < RENAMED_FIRST)
        return ordinal;
    return renames ? RENAMED : twins ? TWIN : ordinal;
}

static void read_values(const struct aimg_reader *reader, uint32_t ordinal)
{
    char out[64];
    size_t bytes;
    int null;
    for (uint32_t column = 0; column < 3; column++)
        if (check(aimg_reader_value(reader, column, ordinal, out, sizeof out, &bytes, &null, &oom.error)) && column == 1 && !null)
            EXPECT(bytes == 4 && memcmp(out, content_of(ordinal) % 2 == 0 ? "even" : "odd ", 4) == 0);
}

static void read_all(const struct aimg_reader *reader)
{
    static uint8_t out[SAMPLE_MAX_BYTES], expected[SAMPLE_MAX_BYTES];
    struct aimg_names *names = NULL;
    struct aimg_listed listed;
    struct aimg_bytes borrowed;
    struct aimg_entry entry;
    for (uint32_t k = 0; k < aimg_reader_ordinal_count(reader); k++) {
        uint64_t bytes;
        uint32_t ordinal;
        char name[1025];
        if (!check(aimg_reader_entry(reader, k, &entry, &oom.error)) || entry.dead)
            continue;
        if (check(aimg_reader_read(reader, k, 0, out, sizeof out, &bytes, &oom.error)))
            EXPECT(bytes == sample_fill(content_of(k), expected) && memcmp(out, expected, bytes) == 0);
        if (check(aimg_reader_name(reader, k, name, sizeof name, NULL, &oom.error)) &&
            check(aimg_reader_find(reader, name, strlen(name), &ordinal, &oom.error)))
            EXPECT_EQ_UINT(ordinal, k);
        enum aimg_status status = aimg_reader_borrow(reader, k, AIMG_READ_VERIFY, &borrowed, &oom.error);
        EXPECT(status == AIMG_SEQUENCE || status == AIMG_OK || status == AIMG_OUT_OF_MEMORY);
        read_values(reader, k);
    }
    if (check(aimg_names_create(reader, 0, &names, &oom.error)))
        while (check(aimg_names_next(names, &listed, &oom.error)))
            continue;
    aimg_names_destroy(names);
    (void)check(oom_set_read(reader, content_of, &oom.error));
}

static enum aimg_status with_reader(uint32_t flags)
{
    struct aimg_reader_options options = {
        .struct_bytes = sizeof options, .flags = flags, .allocator = counting_allocator(&oom.counting)};
    struct aimg_reader *reader = NULL;
    enum aimg_status status = aimg_reader_open(base_path, &options, &reader, &oom.error);
    if (status != AIMG_OK) {
        EXPECT(reader == NULL);
        return status;
    }
    read_all(reader);
    int changed;
    (void)check(aimg_reader_refresh(reader, &changed, &oom.error));
    aimg_reader_close(reader);
    return AIMG_OK;
}

static enum aimg_status read_mapped(void)
{
    return with_reader(0);
}

static enum aimg_status read_plain(void)
{
    return with_reader(AIMG_READER_NO_MAP);
}

static enum aimg_status read_vector(void)
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .allocator = counting_allocator(&oom.counting)};
    struct aimg_reader *reader = NULL;
    static uint8_t out[1 << 16];
    uint64_t bytes;
    enum aimg_status status = aimg_reader_open(VECTORS "/good/coding-trained-dictionary.aimg", &options, &reader, &oom.error);
    for (uint32_t k = 0; status == AIMG_OK && k < aimg_reader_ordinal_count(reader); k++)
        (void)check(aimg_reader_read(reader, k, 0, out, sizeof out, &bytes, &oom.error));
    aimg_reader_close(reader);
    return status;
}

static enum aimg_status add(struct aimg_writer *writer, const uint32_t columns[3], uint32_t k, uint32_t flags)
{
    static uint8_t data[SAMPLE_MAX_BYTES];
    char name[16];
    struct aimg_value values[3] = {{.column = columns[0], .data = &k, .bytes = 4},
                                   {.column = columns[1], .data = k % 2 == 0 ? "even" : "odd ", .bytes = 4},
                                   {.column = columns[2], .data = "some text", .bytes = k % 9}};
    struct aimg_image image = {
        .struct_bytes = sizeof image, .name = name, .data = data, .values = values, .value_count = 3, .flags = flags};
    image.name_bytes = (size_t)snprintf(name, sizeof name, "%u", k);
    image.data_bytes = sample_fill(k, data);
    return aimg_writer_add(writer, &image, NULL, &oom.error);
}

static enum aimg_status define(struct aimg_writer *writer, uint32_t columns[3])
{
    enum aimg_status status = aimg_writer_column(writer, "number", AIMG_TYPE_U32, 1, 0, &columns[0], &oom.error);
    if (status == AIMG_OK)
        status = aimg_writer_column(writer, "label", AIMG_TYPE_DICTIONARY, 1, 0, &columns[1], &oom.error);
    return status == AIMG_OK ? aimg_writer_column(writer, "text", AIMG_TYPE_UTF8, 1, 0, &columns[2], &oom.error) : status;
}

/* Adds the images of a range, and again those for which there was no memory as long as the writer lives. */
static enum aimg_status fill(struct aimg_writer *writer, uint32_t first, uint32_t end)
{
    uint32_t columns[3];
    enum aimg_status status = define(writer, columns);
    if (status == AIMG_OUT_OF_MEMORY)
        status = define(writer, columns);
    if (status == AIMG_SEQUENCE) /* the commit before went well, but there was no memory to go on */
        return AIMG_OUT_OF_MEMORY;
    for (uint32_t k = first; status == AIMG_OK && k < end; k++) {
        status = add(writer, columns, k, 0);
        if (status == AIMG_OUT_OF_MEMORY)
            status = add(writer, columns, k, 0);
        if (status == AIMG_SEQUENCE) /* the handle is dead, and says so */
            return AIMG_OUT_OF_MEMORY;
    }
    return status;
}

enum aimg_status oom_commit(struct aimg_writer *writer)
{
    enum aimg_status status = aimg_writer_commit(writer, NULL, &oom.error);
    oom.acknowledged += status == AIMG_OK;
    return status;
}

struct aimg_writer_options oom_writer_options(void)
{
    struct aimg_writer_options options = sample_writer_options();
    options.allocator = counting_allocator(&oom.counting);
    options.compress = AIMG_COMPRESS_ZSTD;
    return options;
}

static enum aimg_status write_new(void)
{
    struct aimg_writer_options options = oom_writer_options();
    struct aimg_writer *writer = NULL;
    (void)unlink(oom.work_path);
    oom.acknowledged = 0;
    enum aimg_status status = aimg_writer_create(oom.work_path, &options, &writer, &oom.error);
    if (status != AIMG_OK)
        return status;
    status = fill(writer, 0, 8);
    if (status == AIMG_OK)
        status = aimg_writer_remove(writer, 3, &oom.error);
    if (status == AIMG_OK)
        status = oom_commit(writer);
    if (status == AIMG_OK)
        status = fill(writer, 8, 12);
    if (status == AIMG_OK)
        status = oom_commit(writer);
    if (status == AIMG_OK)
        status = oom_set(writer, &oom.error);
    if (status == AIMG_OK)
        status = oom_commit(writer);
    EXPECT_EQ_INT(aimg_writer_close(writer, NULL), AIMG_OK);
    return status;
}

static enum aimg_status write_more(void)
{
    struct aimg_writer_options options = oom_writer_options();
    struct aimg_writer *writer = NULL;
    uint32_t ordinal;
    REQUIRE(sample_store(oom.work_path, base, base_bytes));
    oom.acknowledged = 3;
    enum aimg_status status = aimg_writer_open(oom.work_path, &options, &writer, &oom.error);
    if (status != AIMG_OK)
        return status;
    status = fill(writer, 12, 16);
    if (status == AIMG_OK)
        status = oom_set(writer, &oom.error);
    if (status == AIMG_OK)
        status = aimg_writer_find(writer, "7", 1, &ordinal, &oom.error);
    if (status == AIMG_OK)
        status = oom_commit(writer);
    if (status == AIMG_OK)
        read_all(aimg_writer_base(writer));
    EXPECT_EQ_INT(aimg_writer_close(writer, NULL), AIMG_OK);
    return status;
}

/* ------------------------------------------------------------------ keeping */

/* An image gets other names; what tells of them is right as far as there is memory. */
static enum aimg_status keep(void)
{
    struct aimg_writer_options options = oom_writer_options();
    struct aimg_writer *writer = NULL;
    uint32_t ordinal = RENAMED;
    REQUIRE(sample_store(oom.work_path, base, base_bytes));
    oom.acknowledged = 3;
    enum aimg_status status = aimg_writer_open(oom.work_path, &options, &writer, &oom.error);
    if (status != AIMG_OK)
        return status;
    status = oom_keep_first(writer, &ordinal, &oom.error);
    if (status == AIMG_OK)
        status = oom_commit(writer);
    if (status == AIMG_OK)
        status = oom_keep_second(writer, &ordinal, &oom.error);
    if (status == AIMG_OK)
        status = oom_commit(writer);
    if (status == AIMG_OK)
        read_all(aimg_writer_base(writer));
    EXPECT(status != AIMG_OK || oom_keep_is_right(aimg_writer_base(writer), ordinal, 1, 4));
    EXPECT_EQ_INT(aimg_writer_close(writer, NULL), AIMG_OK);
    return status;
}

/* In an archive without an index of its content, where the twin of what is stored as it is was compressed. */
static enum aimg_status deduplicate(void)
{
    struct aimg_writer_options options = oom_writer_options();
    struct aimg_writer *writer = NULL;
    options.compress = AIMG_COMPRESS_STORE;
    options.dedup = AIMG_DEDUP_ALL;
    REQUIRE(sample_store(oom.work_path, base, base_bytes));
    oom.acknowledged = 3;
    enum aimg_status status = aimg_writer_open(oom.work_path, &options, &writer, &oom.error);
    if (status != AIMG_OK)
        return status;
    status = oom_dedup(writer, TWIN, "twin", 2, &oom.error);
    if (status == AIMG_OK)
        status = oom_commit(writer);
    if (status == AIMG_OK)
        status = oom_dedup(writer, TWIN, "other twin", 2, &oom.error);
    if (status == AIMG_OK)
        status = oom_commit(writer);
    if (status == AIMG_OK)
        read_all(aimg_writer_base(writer));
    EXPECT_EQ_INT(aimg_writer_close(writer, NULL), AIMG_OK);
    return status;
}

static enum aimg_status seal(void)
{
    struct aimg_writer_options options = oom_writer_options();
    struct aimg_writer *writer = NULL;
    REQUIRE(sample_store(oom.work_path, base, base_bytes));
    oom.acknowledged = 3;
    enum aimg_status status = aimg_writer_open(oom.work_path, &options, &writer, &oom.error);
    if (status != AIMG_OK)
        return status;
    status = aimg_writer_seal(writer, "whole", &oom.error);
    oom.acknowledged += status == AIMG_OK;
    EXPECT_EQ_INT(aimg_writer_close(writer, NULL), AIMG_OK);
    return status;
}

/* Another writer, with memory, adds an image under the reader. */
static void add_another(void)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer = NULL;
    REQUIRE(aimg_writer_open(oom.work_path, &options, &writer, NULL) == AIMG_OK);
    REQUIRE(sample_add(writer, "12", RENAMED_FIRST, 0, NULL, NULL) == AIMG_OK);
    REQUIRE(aimg_writer_commit(writer, NULL, NULL) == AIMG_OK && aimg_writer_close(writer, NULL) == AIMG_OK);
}

/* A refresh that fails leaves the reader where it was, and the next one succeeds when there is memory. */
static enum aimg_status follow(void)
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .allocator = counting_allocator(&oom.counting)};
    struct aimg_reader *reader = NULL;
    int changed = 0;
    REQUIRE(sample_store(oom.work_path, base, base_bytes));
    enum aimg_status status = aimg_reader_open(oom.work_path, &options, &reader, &oom.error);
    if (status != AIMG_OK)
        return status;
    uint64_t count = aimg_reader_ordinal_count(reader);
    add_another();
    status = aimg_reader_refresh(reader, &changed, &oom.error);
    EXPECT_EQ_UINT(aimg_reader_ordinal_count(reader), count + (status == AIMG_OK));
    if (status == AIMG_OUT_OF_MEMORY && !oom.counting.fail_on) {
        EXPECT_EQ_INT(aimg_reader_refresh(reader, &changed, &oom.error), AIMG_OK);
        EXPECT_EQ_UINT(aimg_reader_ordinal_count(reader), count + 1);
    }
    read_all(reader);
    aimg_reader_close(reader);
    return status;
}

static enum aimg_status verify(void)
{
    struct aimg_verify_options options = {
        .struct_bytes = sizeof options, .threads = 1, .allocator = counting_allocator(&oom.counting)};
    struct aimg_verify_result result = {.faults = 0};
    enum aimg_status status = aimg_verify(base_path, &options, &result, &oom.error);
    if (status == AIMG_OK)
        EXPECT_EQ_UINT(result.faults, 0);
    return status;
}

/* ------------------------------------------------------------------ what must be true after it */

/* The archive at work_path has all that was acknowledged, or one commit more, is whole, and can be appended to. */
static void check_archive(void)
{
    struct aimg_reader *reader = NULL;
    struct aimg_writer *writer = NULL;
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct aimg_verify_options options = {.struct_bytes = sizeof options, .threads = 1};
    struct aimg_verify_result result = {.faults = 1};
    struct aimg_writer_options writing = sample_writer_options();
    enum aimg_status status = aimg_reader_open(oom.work_path, NULL, &reader, &oom.error);
    if (oom.acknowledged == 0 && status != AIMG_OK) {
        EXPECT(status == AIMG_NOT_FOUND || status == AIMG_NOT_ARCHIVE); /* not made, or nothing in it */
        return;
    }
    REQUIRE(status == AIMG_OK && aimg_reader_info(reader, &info, &oom.error) == AIMG_OK);
    EXPECT(info.commit_count == oom.acknowledged || info.commit_count == oom.acknowledged + 1);
    read_all(reader);
    aimg_reader_close(reader);
    EXPECT_EQ_INT(aimg_writer_open(oom.work_path, &writing, &writer, &oom.error), AIMG_OK);
    EXPECT_EQ_INT(sample_add(writer, "after", 1, 0, NULL, &oom.error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &oom.error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_close(writer, &oom.error), AIMG_OK);
    EXPECT(aimg_verify(oom.work_path, &options, &result, &oom.error) == AIMG_OK && result.faults == 0);
}

/* after: what must be true then; NULL when nothing was written. */
static void check_all(const char *name, enum aimg_status (*what)(void), void (*after)(void))
{
    test_state.subject = name;
    for (int on = 0; on < 2; on++) {
        unsigned long long n = 1;
        for (bool reached = true; reached; n += on == 1 && TEST_SLOW ? 5 : 1) {
            oom.counting.allocated = 0;
            oom.counting.fail_at = n;
            oom.counting.fail_on = on == 1;
            enum aimg_status status = what();
            reached = oom.counting.allocated >= n;
            oom.counting.fail_at = 0;
            EXPECT(status == AIMG_OK || (reached && status == AIMG_OUT_OF_MEMORY));
            EXPECT_EQ_INT(oom.counting.live, 0);
            if (after != NULL)
                after();
            REQUIRE(n < 5000);
        }
        printf("%s: about %llu allocations fail%s\n", name, n - 2, on == 1 ? ", and all after them" : "");
        EXPECT(n > 3);
    }
    test_state.subject = NULL;
}

int main(void)
{
    oom.work_path = sample_path("work.aimg");
    REQUIRE(write_new() == AIMG_OK && oom.acknowledged == 3);
    base = sample_load(oom.work_path, &base_bytes);
    base_path = strdup(sample_path("base.aimg"));
    REQUIRE(base != NULL && base_path != NULL && sample_store(base_path, base, base_bytes));
    oom.work_path = strdup(sample_path("work.aimg"));
    check_all("read with a map", read_mapped, NULL);
    check_all("read without", read_plain, NULL);
    check_all("read with a dictionary", read_vector, NULL);
    check_all("write", write_new, check_archive);
    check_all("append", write_more, check_archive);
    check_all("seal", seal, check_archive);
    check_all("follow", follow, NULL);
    check_all("write with a dictionary", oom_write_trained, oom_check_trained);
    renames = true;
    check_all("rename and describe", keep, check_archive);
    renames = false;
    twins = true;
    check_all("deduplicate", deduplicate, check_archive);
    twins = false;
    check_all("copy", oom_copy_history, NULL);
    check_all("copy without history", oom_copy_now, NULL);
    check_all("verify", verify, NULL);
    free(base);
    return test_end("test_oom");
}
