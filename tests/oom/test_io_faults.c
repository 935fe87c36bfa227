/* SPDX-License-Identifier: Apache-2.0 */
/* Every call to the system fails in turn, once and from then on: the status says so, and the archive is as it was promised; also
 * when the power goes after. */
#include "crash_scenario.h"
#include "error.h"
#include "random.h"
#include "reader.h"
#include "repair.h"
#include "sample.h"
#include "sanitized.h"
#include "test.h"

#include <errno.h>

enum { CUTS = TEST_SLOW ? 4 : 24 };

static struct aimg_error error;

/* ------------------------------------------------------------------ writing */

/* Where a commit may stand behind what is damaged: the writer refuses, touches nothing, and repair saves what there is. */
static bool check_refused(const uint8_t *bytes, uint64_t count)
{
    struct fake_disk disk, repaired;
    struct aimg_io io, target_io;
    struct aimg_writer *writer = NULL;
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_repair_result result;
    struct aimg_repair_target target = {.io = &target_io};
    fake_disk_create(&disk, bytes, count);
    io = fake_disk_io(&disk);
    bool good = EXPECT_EQ_INT(aimg_writer_open_io(&io, &options, &writer, &error), AIMG_CORRUPT) &&
                EXPECT(strstr(error.message, "'aimg repair'") != NULL) && EXPECT_EQ_UINT(disk.steps, 0) &&
                EXPECT(disk.cache_bytes == count && memcmp(disk.cache, bytes, count) == 0);
    fake_disk_create(&repaired, NULL, 0);
    target_io = fake_disk_io(&repaired);
    good = good && EXPECT_EQ_INT(aimg_repair_io(&io, &target, NULL, &result, &error), AIMG_OK);
    fake_disk_destroy(&repaired);
    fake_disk_destroy(&disk);
    return good;
}

/* A state that is found after the fault must be one that was promised, and the next writer goes on from it. Where nothing was
 * promised yet, a later commit may have reached the disk without what is before it, and the writer may refuse. */
static bool check_found(const struct promise *promise, const uint8_t *bytes, uint64_t count, char reason[256])
{
    const struct model *model, *after;
    enum verdict verdict = promise_check(promise, bytes, count, &model, reason);
    if (verdict != VERDICT_GOOD)
        return verdict == VERDICT_GONE;
    struct crash_run run = {.sessions = 60};
    fake_disk_create(&run.disk, bytes, count);
    bool good = crash_append(&run, model, 201, reason);
    if (!good && promise->nothing)
        good = check_refused(bytes, count);
    else if (good)
        good = promise_check(&run.promise, run.disk.medium, run.disk.medium_bytes, &after, reason) == VERDICT_GOOD;
    fake_disk_destroy(&run.disk);
    return good;
}

static void report(const struct crash_scenario *scenario, const struct crash_setup *setup, const char *reason)
{
    fprintf(stderr, "  %s, call %" PRIu64 "%s, errno %d%s: %s\n", scenario->name, setup->fail_at, setup->fail_on ? " and on" : "",
            setup->fail_errno, setup->short_reads ? ", short reads" : "", reason);
}

/* Whether the fault was reached. */
static bool check_fault(const struct crash_scenario *scenario, const struct crash_setup *setup)
{
    static uint8_t found[FAKE_DISK_BYTES];
    struct crash_run run;
    char reason[256] = "";
    crash_perform(scenario, setup, &run);
    bool reached = run.disk.calls >= setup->fail_at;
    if (!EXPECT(check_found(&run.promise, run.disk.cache, run.disk.cache_bytes, reason)))
        report(scenario, setup, reason);
    for (unsigned i = 0; i < CUTS; i++) {
        uint64_t count = fake_disk_cut(&run.disk, (enum fake_cut)(i % FAKE_CUT_KINDS), setup->fail_at * 100 + i, found);
        if (!EXPECT(check_found(&run.promise, found, count, reason)))
            report(scenario, setup, reason);
    }
    fake_disk_destroy(&run.disk);
    return reached;
}

static void check_writing(void)
{
    static const int numbers[] = {EIO, ENOSPC};
    unsigned faults = 0;
    for (unsigned i = 0; i < crash_scenario_count; i++) {
        test_state.subject = crash_scenarios[i].name;
        for (unsigned way = 0; way < 6; way++) {
            struct crash_setup setup = {
                .stop_after = UINT64_MAX, .fail_on = way % 2 == 1, .fail_errno = numbers[way / 2 % 2], .short_reads = way >= 4};
            for (setup.fail_at = 1; check_fault(&crash_scenarios[i], &setup); setup.fail_at += way > 0 && TEST_SLOW ? 5 : 1)
                faults++;
        }
    }
    test_state.subject = NULL;
    printf("%u faults while writing\n", faults);
    EXPECT(faults > 500);
}

/* ------------------------------------------------------------------ reading */

/* A reader on the disk, without a map. */
static enum aimg_status open_on(struct fake_disk *disk, struct aimg_io *io, struct aimg_reader **reader)
{
    struct aimg_located located;
    *io = fake_disk_io(disk);
    struct aimg_source source = {.io = io};
    struct aimg_allocator none = {NULL, NULL, NULL};
    REQUIRE(aimg_allocator_resolve(&none, &source.allocator));
    aimg_limits_resolve(&source.limits);
    enum aimg_status status = aimg_locate(io, false, &located, &error);
    return status == AIMG_OK ? aimg_reader_attach(&source, &located, reader, &error) : status;
}

static bool good_failure(enum aimg_status status, bool short_reads)
{
    return status == AIMG_OK || status == AIMG_END || (short_reads ? status == AIMG_TRUNCATED : status == AIMG_IO);
}

static void read_all(const struct aimg_reader *reader, bool short_reads)
{
    static uint8_t out[SAMPLE_MAX_BYTES], expected[SAMPLE_MAX_BYTES];
    struct aimg_names *names = NULL;
    struct aimg_listed listed;
    for (uint32_t k = 0; k < 12; k++) {
        char name[1025], wanted[32];
        uint64_t bytes = 0;
        uint32_t ordinal = 99;
        snprintf(wanted, sizeof wanted, "c%u/%u.jpg", k / 4, k % 4);
        enum aimg_status status = aimg_reader_read(reader, k, 0, out, sizeof out, &bytes, &error);
        EXPECT(good_failure(status, short_reads));
        if (status == AIMG_OK)
            EXPECT(bytes == sample_fill(k, expected) && memcmp(out, expected, bytes) == 0);
        status = aimg_reader_find(reader, wanted, strlen(wanted), &ordinal, &error);
        EXPECT(good_failure(status, short_reads) && (status != AIMG_OK || ordinal == k)); /* never "there is none" */
        status = aimg_reader_name(reader, k, name, sizeof name, NULL, &error);
        EXPECT(good_failure(status, short_reads) && (status != AIMG_OK || strcmp(name, wanted) == 0));
    }
    enum aimg_status status = aimg_names_create(reader, 0, &names, &error);
    for (uint32_t k = 0; status == AIMG_OK; k++) {
        status = aimg_names_next(names, &listed, &error);
        EXPECT(good_failure(status, short_reads) && (status != AIMG_OK || listed.ordinal == k) &&
               (status != AIMG_END || k == 12));
    }
    aimg_names_destroy(names);
    struct aimg_commit commit;
    for (uint64_t seq = 0; seq < 3; seq++)
        EXPECT(good_failure(aimg_reader_commit(reader, seq, &commit, &error), short_reads));
}

static void check_reading(void)
{
    size_t count;
    unsigned faults = 0;
    REQUIRE(sample_archive(sample_path("a"), 3, 4));
    uint8_t *bytes = sample_load(sample_path("a"), &count);
    REQUIRE(bytes != NULL);
    for (unsigned way = 0; way < 4; way++) {
        bool reached = true;
        for (uint64_t n = 1; reached; n++, faults++) {
            struct fake_disk disk;
            struct aimg_io io;
            struct aimg_reader *reader = NULL;
            fake_disk_create(&disk, bytes, count);
            disk.fail_at = n;
            disk.fail_on = way % 2 == 1;
            disk.short_reads = way >= 2;
            enum aimg_status status = open_on(&disk, &io, &reader);
            EXPECT(good_failure(status, disk.short_reads) || (disk.short_reads && status == AIMG_IO));
            if (status == AIMG_OK)
                read_all(reader, disk.short_reads);
            aimg_reader_close(reader);
            reached = disk.calls >= n;
            fake_disk_destroy(&disk);
        }
    }
    printf("%u faults while reading\n", faults);
    EXPECT(faults > 300);
    free(bytes);
}

/* ------------------------------------------------------------------ copying */

/* What was written is the whole copy, or nothing that has its last commit, unless that could not be cut off again. */
static bool check_target(const struct fake_disk *disk, bool copied)
{
    struct aimg_reader *target = NULL;
    struct aimg_info info = {.struct_bytes = sizeof info};
    enum aimg_status status = aimg_reader_open_memory(disk->cache, disk->cache_bytes, NULL, &target, &error);
    bool whole = status == AIMG_OK && aimg_reader_info(target, &info, &error) == AIMG_OK && info.commit_count == 5;
    for (uint32_t k = 0; whole && k < 15; k++)
        whole = sample_equals(target, k, k < 7 ? k : k + 1);
    aimg_reader_close(target);
    return whole || (!copied && (info.commit_count == 0 || disk->fail_on));
}

/* Whether the fault was reached. */
static bool check_copy(const struct aimg_reader *source, uint64_t fail_at, bool fail_on, int fail_errno)
{
    struct fake_disk disk;
    struct aimg_writer *writer = NULL;
    struct aimg_writer_options options = sample_writer_options();
    options.flags = 0;
    fake_disk_create(&disk, NULL, 0);
    disk.fail_at = fail_at;
    disk.fail_on = fail_on;
    disk.fail_errno = fail_errno;
    struct aimg_io io = fake_disk_io(&disk);
    enum aimg_status status = aimg_writer_create_io(&io, &options, &writer, &error);
    if (status == AIMG_OK)
        status = aimg_writer_copy(writer, source, NULL, &error);
    (void)aimg_writer_close(writer, NULL);
    EXPECT(status == AIMG_OK || (status == AIMG_IO && error.sys_errno == fail_errno));
    EXPECT(check_target(&disk, status == AIMG_OK));
    bool reached = disk.calls >= fail_at;
    fake_disk_destroy(&disk);
    return reached;
}

static void check_copying(void)
{
    size_t count;
    unsigned faults = 0;
    struct aimg_reader *source = NULL;
    struct aimg_writer *writer = NULL;
    struct aimg_writer_options options = sample_writer_options();
    REQUIRE(sample_archive(sample_path("worn"), 4, 4));
    REQUIRE(aimg_writer_open(sample_path("worn"), &options, &writer, &error) == AIMG_OK);
    REQUIRE(aimg_writer_remove(writer, 7, &error) == AIMG_OK && aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    uint8_t *bytes = sample_load(sample_path("worn"), &count);
    REQUIRE(bytes != NULL && aimg_reader_open_memory(bytes, count, NULL, &source, &error) == AIMG_OK);
    for (unsigned way = 0; way < 4; way++)
        for (uint64_t n = 1; check_copy(source, n, way % 2 == 1, way / 2 == 0 ? EIO : ENOSPC); n++)
            faults++;
    printf("%u faults while copying\n", faults);
    EXPECT(faults > 20);
    aimg_reader_close(source);
    free(bytes);
}

int main(void)
{
    check_writing();
    check_reading();
    check_copying();
    return test_end("test_io_faults");
}
