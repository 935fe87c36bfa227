/* SPDX-License-Identifier: Apache-2.0 */
/* Each call to the system that the library makes for an archive in a file fails in turn: the status says so, no descriptor and no
 * memory is lost, what was acknowledged is there, and after a sync that failed nothing more is written. */
#include "counting.h"
#include "file_faults.h"
#include "sample.h"
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

enum { IMAGES = 6, FAULTS_MAX = 5000 };

static struct aimg_error error;
static struct counting counting;
static const char *path, *base_path;
static uint8_t *base;
static size_t base_bytes;
static bool found_damage;                       /* verify: what cannot be read is damage, and it goes on */
static uint64_t acknowledged, acknowledged_end; /* commits of the archive at path, and the size that the last of them gave it */

/* ------------------------------------------------------------------ scenarios */

static struct aimg_writer_options writer_options(void)
{
    struct aimg_writer_options options = sample_writer_options();
    options.allocator = counting_allocator(&counting);
    options.compress = AIMG_COMPRESS_ZSTD;
    options.flags = 0; /* with every sync */
    return options;
}

static enum aimg_status add_some(struct aimg_writer *writer, uint32_t first, uint32_t count)
{
    enum aimg_status status = AIMG_OK;
    for (uint32_t k = first; status == AIMG_OK && k < first + count; k++) {
        char name[16];
        snprintf(name, sizeof name, "%u", k);
        status = sample_add(writer, name, k, 0, NULL, &error);
    }
    return status;
}

/* A handle whose commit failed is dead. */
static void expect_dead(struct aimg_writer *writer)
{
    struct aimg_error why;
    EXPECT_EQ_INT(sample_add(writer, "late", 1, 0, NULL, &why), AIMG_SEQUENCE);
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &why), AIMG_SEQUENCE);
}

static enum aimg_status commit(struct aimg_writer *writer)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    enum aimg_status status = aimg_writer_commit(writer, NULL, &error);
    if (status != AIMG_OK) {
        expect_dead(writer);
        return status;
    }
    acknowledged++;
    if (aimg_reader_info(aimg_writer_base(writer), &info, NULL) == AIMG_OK)
        acknowledged_end = info.file_bytes;
    return status;
}

static enum aimg_status change(struct aimg_writer *writer, uint32_t first)
{
    uint32_t number, value = first + 7, ordinal;
    enum aimg_status status = aimg_writer_column(writer, "number", AIMG_TYPE_U32, 1, 0, &number, &error);
    struct aimg_value row = {.column = number, .data = &value, .bytes = sizeof value};
    if (status == AIMG_OK)
        status = aimg_writer_set(writer, first, &row, &error);
    if (status == AIMG_OK)
        status = aimg_writer_rename(writer, first + 1, "renamed", 7, &ordinal, &error);
    if (status == AIMG_OK)
        status = aimg_writer_remove(writer, first + 2, &error);
    return status == AIMG_OK ? aimg_writer_set_meta(writer, "title", "Faults", &error) : status;
}

static enum aimg_status write_session(struct aimg_writer *writer, uint32_t first)
{
    enum aimg_status status = add_some(writer, first, IMAGES);
    if (status == AIMG_OK)
        status = commit(writer);
    if (status == AIMG_OK && first == 0)
        status = change(writer, 1);
    if (status == AIMG_OK)
        status = sample_add(writer, first == 0 ? "large" : "larger", SAMPLE_BIG + first, 0, NULL, &error);
    if (status == AIMG_OK)
        status = commit(writer);
    enum aimg_status closed = aimg_writer_close(writer, status == AIMG_OK ? &error : NULL);
    return status == AIMG_OK ? closed : status;
}

static enum aimg_status create(void)
{
    struct aimg_writer_options options = writer_options();
    struct aimg_writer *writer = NULL;
    (void)remove(path);
    acknowledged = acknowledged_end = 0;
    enum aimg_status status = aimg_writer_create(path, &options, &writer, &error);
    return status == AIMG_OK ? write_session(writer, 0) : status;
}

static enum aimg_status append(void)
{
    struct aimg_writer_options options = writer_options();
    struct aimg_writer *writer = NULL;
    acknowledged = 2;
    acknowledged_end = base_bytes;
    enum aimg_status status = aimg_writer_open(path, &options, &writer, &error);
    return status == AIMG_OK ? write_session(writer, 100) : status;
}

static enum aimg_status seal(void)
{
    struct aimg_writer_options options = writer_options();
    struct aimg_writer *writer = NULL;
    acknowledged = 2;
    acknowledged_end = base_bytes;
    enum aimg_status status = aimg_writer_open(path, &options, &writer, &error);
    if (status != AIMG_OK)
        return status;
    status = aimg_writer_seal(writer, "whole", &error);
    if (status != AIMG_OK)
        expect_dead(writer);
    acknowledged += status == AIMG_OK;
    acknowledged_end = status == AIMG_OK ? 0 : acknowledged_end;
    enum aimg_status closed = aimg_writer_close(writer, status == AIMG_OK ? &error : NULL);
    return status == AIMG_OK ? closed : status;
}

static enum aimg_status copy(void)
{
    struct aimg_reader_options reading = {.struct_bytes = sizeof reading, .allocator = counting_allocator(&counting)};
    struct aimg_writer_options options = writer_options();
    struct aimg_reader *source = NULL;
    struct aimg_writer *writer = NULL;
    (void)remove(path);
    acknowledged = acknowledged_end = 0;
    enum aimg_status status = aimg_reader_open(base_path, &reading, &source, &error);
    if (status == AIMG_OK)
        status = aimg_writer_create(path, &options, &writer, &error);
    if (status == AIMG_OK) {
        status = aimg_writer_copy(writer, source, NULL, &error);
        acknowledged = status == AIMG_OK ? 2 : 0;
        if (status != AIMG_OK)
            expect_dead(writer);
    }
    enum aimg_status closed = aimg_writer_close(writer, status == AIMG_OK ? &error : NULL);
    aimg_reader_close(source);
    return status == AIMG_OK ? closed : status;
}

static enum aimg_status read_images(const struct aimg_reader *reader)
{
    static uint8_t data[SAMPLE_MAX_BYTES];
    enum aimg_status status = AIMG_OK;
    for (uint32_t k = 0; status == AIMG_OK && k < aimg_reader_ordinal_count(reader); k++) {
        struct aimg_entry entry;
        char name[1025];
        uint64_t bytes;
        uint32_t found = 0;
        status = aimg_reader_entry(reader, k, &entry, &error);
        if (status != AIMG_OK || entry.dead)
            continue;
        status = aimg_reader_read(reader, k, 0, data, sizeof data, &bytes, &error);
        if (status == AIMG_OK)
            status = aimg_reader_name(reader, k, name, sizeof name, NULL, &error);
        if (status == AIMG_OK)
            status = aimg_reader_find(reader, name, strlen(name), &found, &error);
        EXPECT(status != AIMG_OK || found == k);
    }
    return status;
}

static enum aimg_status read_columns(const struct aimg_reader *reader)
{
    struct aimg_values *values = NULL;
    struct aimg_column_value value;
    enum aimg_status status = aimg_values_create(reader, 0, 0, &values, &error);
    while (status == AIMG_OK)
        status = aimg_values_next(values, &value, &error);
    aimg_values_destroy(values);
    return status == AIMG_END ? AIMG_OK : status;
}

/* Also what another writer adds meanwhile. */
static enum aimg_status follow(uint32_t flags)
{
    struct aimg_reader_options options = {
        .struct_bytes = sizeof options, .flags = flags, .allocator = counting_allocator(&counting)};
    struct aimg_reader *reader = NULL;
    struct file_faults kept = file_faults;
    int changed = 0;
    enum aimg_status status = aimg_reader_open(path, &options, &reader, &error);
    if (status == AIMG_OK)
        status = read_images(reader);
    if (status == AIMG_OK)
        status = read_columns(reader);
    if (status == AIMG_OK) {
        kept = file_faults;
        file_faults.kind = FILE_FAULT_NONE; /* the other one has no trouble */
        struct aimg_writer *writer = NULL;
        REQUIRE(aimg_writer_open(path, NULL, &writer, NULL) == AIMG_OK);
        REQUIRE(sample_add(writer, "other", 5, 0, NULL, NULL) == AIMG_OK && aimg_writer_commit(writer, NULL, NULL) == AIMG_OK);
        REQUIRE(aimg_writer_close(writer, NULL) == AIMG_OK);
        file_faults = kept;
        status = aimg_reader_refresh(reader, &changed, &error);
        EXPECT(status != AIMG_OK || changed == 1);
    }
    if (status == AIMG_OK)
        status = read_images(reader);
    aimg_reader_close(reader);
    return status;
}

static enum aimg_status follow_mapped(void)
{
    return follow(0);
}

static enum aimg_status follow_copied(void)
{
    return follow(AIMG_READER_NO_MAP);
}

static enum aimg_status verify_with(uint32_t threads)
{
    struct aimg_verify_options options = {
        .struct_bytes = sizeof options, .threads = threads, .allocator = counting_allocator(&counting)};
    struct aimg_verify_result result = {.faults = 0};
    enum aimg_status status = aimg_verify(base_path, &options, &result, &error);
    EXPECT(status != AIMG_OK || result.faults == 0 || file_faults.fired > 0);
    found_damage = status == AIMG_OK && result.faults > 0;
    return status;
}

static enum aimg_status verify_alone(void)
{
    return verify_with(1);
}

static enum aimg_status verify_together(void)
{
    return verify_with(3);
}

/* ------------------------------------------------------------------ what must be true after it */

static unsigned open_descriptors(void)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/fd");
    REQUIRE(folder != NULL);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

/* Nothing more than was promised, and all of it; once: the library could tidy up. */
static void check_archive(enum aimg_status status, bool once)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct aimg_reader *reader = NULL;
    struct stat file;
    bool there = stat(path, &file) == 0;
    enum aimg_status opened = aimg_reader_open(path, NULL, &reader, &error);
    if (opened != AIMG_OK) {
        EXPECT(acknowledged == 0 && status != AIMG_OK);
        EXPECT(!there || !once || acknowledged_end == 0);
        return;
    }
    REQUIRE(aimg_reader_info(reader, &info, &error) == AIMG_OK);
    EXPECT(info.commit_count == acknowledged || (!once && info.commit_count == acknowledged + 1));
    EXPECT_EQ_INT(read_images(reader), AIMG_OK);
    aimg_reader_close(reader);
    if (once && acknowledged_end > 0) /* what was not acknowledged was cut off */
        EXPECT_EQ_UINT(file.st_size, acknowledged_end);
    struct aimg_writer *writer = NULL;
    EXPECT_EQ_INT(aimg_writer_open(path, NULL, &writer, &error), AIMG_OK);
    EXPECT_EQ_INT(sample_add(writer, "after", 1, 0, NULL, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    EXPECT(sample_verifies(path, 1, 0));
}

/* Calls that carry on after an interruption, and after a part. */
static bool must_go_on(void)
{
    if (file_faults.kind == FILE_FAULT_SHORT)
        return true;
    static const char *const names[] = {"open", "pread", "pwritev", "ftruncate", "close", "getrandom"};
    for (unsigned i = 0; file_faults.error == EINTR && i < sizeof names / sizeof names[0]; i++)
        if (strcmp(file_faults.first, names[i]) == 0)
            return true;
    return false;
}

static void check_status(enum aimg_status status)
{
    if (file_faults.fired == 0 || must_go_on()) {
        EXPECT(status == AIMG_OK && !found_damage);
        return;
    }
    if (file_faults.kind == FILE_FAULT_END) {
        EXPECT(status == AIMG_OK || status == AIMG_TRUNCATED);
        return;
    }
    EXPECT(status == AIMG_OK || status == AIMG_IO || status == AIMG_REPLACED || status == AIMG_OUT_OF_MEMORY);
    if (status == AIMG_IO)
        EXPECT(error.sys_errno == file_faults.error && error.message[0] != '\0');
    if (file_faults.sync_failed)
        EXPECT_EQ_INT(status, AIMG_IO);
    EXPECT_EQ_UINT(file_faults.after_sync, 0);
}

struct way {
    const char *name;
    enum file_fault kind;
    int error;
    bool on;
};

static const struct way ways[] = {
    {"EIO", FILE_FAULT_ERRNO, EIO, false},       {"EIO and on", FILE_FAULT_ERRNO, EIO, true},
    {"ENOSPC", FILE_FAULT_ERRNO, ENOSPC, false}, {"ENOSPC and on", FILE_FAULT_ERRNO, ENOSPC, true},
    {"ENOMEM", FILE_FAULT_ERRNO, ENOMEM, false}, {"EINTR", FILE_FAULT_ERRNO, EINTR, false},
    {"short", FILE_FAULT_SHORT, 0, false},       {"short and on", FILE_FAULT_SHORT, 0, true},
    {"end", FILE_FAULT_END, 0, false},           {"end and on", FILE_FAULT_END, 0, true},
};

/* Whether the fault was reached. */
static bool check_fault(const char *name, enum aimg_status (*what)(void), bool writes, const struct way *way, uint64_t n)
{
    char subject[160];
    REQUIRE(sample_store(path, base, base_bytes));
    unsigned before = open_descriptors();
    found_damage = false;
    file_faults = (struct file_faults){.kind = way->kind, .error = way->error, .on = way->on, .fail_at = n};
    enum aimg_status status = what();
    struct file_faults after = file_faults;
    snprintf(subject, sizeof subject, "%s, %s at call %" PRIu64 ", %s", name, way->name, n,
             after.first == NULL ? "" : after.first);
    test_state.subject = subject;
    check_status(status);
    file_faults.kind = FILE_FAULT_NONE;
    EXPECT_EQ_UINT(open_descriptors(), before);
    EXPECT_EQ_INT(counting.live, 0);
    if (writes)
        check_archive(status, !way->on);
    test_state.subject = NULL;
    return after.fired > 0;
}

static uint64_t check_all(const char *name, enum aimg_status (*what)(void), bool writes)
{
    uint64_t faults = 0;
    for (unsigned i = 0; i < sizeof ways / sizeof ways[0]; i++)
        for (uint64_t n = 1; check_fault(name, what, writes, &ways[i], n); n++, faults++)
            REQUIRE(n < FAULTS_MAX);
    printf("%s: %" PRIu64 " faults\n", name, faults);
    EXPECT(faults > 30);
    return faults;
}

int main(void)
{
    path = strdup(sample_path("work.aimg"));
    base_path = strdup(sample_path("base.aimg"));
    REQUIRE(path != NULL && base_path != NULL);
    REQUIRE(create() == AIMG_OK && acknowledged == 2);
    base = sample_load(path, &base_bytes);
    REQUIRE(base != NULL && sample_store(base_path, base, base_bytes));
    uint64_t faults = check_all("create", create, true);
    faults += check_all("append", append, true);
    faults += check_all("seal", seal, true);
    faults += check_all("copy", copy, true);
    faults += check_all("follow with a map", follow_mapped, false);
    faults += check_all("follow without", follow_copied, false);
    faults += check_all("verify", verify_alone, false);
    faults += check_all("verify with threads", verify_together, false);
    free(base);
    int code = test_end("test_file_faults");
    printf("{\"library_faults\": %" PRIu64 "}\n", faults);
    return code;
}
