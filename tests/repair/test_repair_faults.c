/* SPDX-License-Identifier: Apache-2.0 */
/* Repairs without memory, of a file that cannot be read, and onto a disk that fails: the caller is told, nothing leaks, and no
 * half archive is left. */
#include "constants.h"
#include "counting.h"
#include "fake_disk.h"
#include "repair.h"
#include "repair_truth.h"
#include "sample.h"
#include "sanitized.h"
#include "test.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

static struct truth truth;
static struct aimg_error error;

/* Damage that makes repair use all that it has: no header, a lost mask, an image without its frame header. */
static void damage(void)
{
    unsigned images = 0, last_mask = 0;
    for (unsigned i = 0; i < truth.frame_count; i++) {
        const struct layout_frame *frame = &truth.frames[i];
        if (frame->type == AIMG_FRAME_IMAGE && ++images == 4)
            memset(truth.bytes + frame->offset, 0, (size_t)frame->header_bytes);
        if (frame->type == AIMG_FRAME_MASK)
            last_mask = i;
    }
    memset(truth.bytes, 0, 4096);
    memset(truth.bytes + truth.frames[last_mask].offset, 0, (size_t)truth.frames[last_mask].total_bytes);
}

static enum aimg_status repair(struct aimg_io *io, const struct aimg_repair_target *target,
                               const struct aimg_allocator *allocator)
{
    struct aimg_writer_options writer = sample_writer_options();
    struct aimg_repair_options options = {.struct_bytes = sizeof options, .writer = &writer};
    struct aimg_repair_result result;
    writer.flags = 0;
    if (allocator != NULL)
        options.allocator = *allocator;
    return aimg_repair_io(io, target, &options, &result, &error);
}

static void check_memory(void)
{
    struct aimg_repair_target target = {.path = sample_path("out")};
    unsigned long long calls = ULLONG_MAX;
    unsigned refused = 0;
    for (unsigned long long n = 1; n <= calls; n += TEST_SLOW ? 7 : 1) {
        struct counting counting = {.fail_at = n, .fail_on = n % 2 == 0};
        struct aimg_allocator allocator = counting_allocator(&counting);
        struct aimg_io io;
        (void)unlink(target.path);
        aimg_io_memory_open(&io, truth.bytes, truth.file_bytes);
        enum aimg_status status = repair(&io, &target, &allocator);
        if (counting.allocated < n)
            calls = counting.allocated;
        EXPECT(status == AIMG_OK || status == AIMG_OUT_OF_MEMORY);
        refused += status != AIMG_OK;
        EXPECT_EQ_INT(counting.live, 0);
        EXPECT_EQ_INT(access(target.path, F_OK), status == AIMG_OK ? 0 : -1);
        if (status == AIMG_OK)
            EXPECT(sample_verifies(target.path, 1, 0));
    }
    EXPECT(refused > 20);
}

/* Each call to the disk of the damaged archive fails, once or from then on; it is never written. */
static void check_input(void)
{
    struct aimg_repair_target target = {.path = sample_path("out")};
    uint64_t calls = UINT64_MAX;
    for (uint64_t n = 1; n <= calls; n += TEST_SLOW ? 7 : 1) {
        struct fake_disk disk;
        fake_disk_create(&disk, truth.bytes, truth.file_bytes);
        struct aimg_io io = fake_disk_io(&disk);
        (void)unlink(target.path);
        disk.fail_at = n;
        disk.fail_on = n % 2 == 0;
        disk.fail_errno = EIO;
        enum aimg_status status = repair(&io, &target, NULL);
        if (disk.calls < n)
            calls = disk.calls;
        EXPECT_EQ_INT(status, disk.calls < n ? AIMG_OK : AIMG_IO);
        EXPECT_EQ_UINT(disk.steps, 0);
        EXPECT_EQ_INT(access(target.path, F_OK), status == AIMG_OK ? 0 : -1);
        fake_disk_destroy(&disk);
    }
    EXPECT(calls > 100);
}

/* And each call to the disk of the new one. */
static void check_output(void)
{
    uint64_t calls = UINT64_MAX;
    for (uint64_t n = 1; n <= calls; n++) {
        struct fake_disk disk;
        struct aimg_io in, out;
        struct aimg_repair_target target = {.io = &out};
        struct aimg_located located;
        fake_disk_create(&disk, NULL, 0);
        out = fake_disk_io(&disk);
        disk.fail_at = n;
        disk.fail_on = n % 2 == 0;
        disk.fail_errno = ENOSPC;
        aimg_io_memory_open(&in, truth.bytes, truth.file_bytes);
        enum aimg_status status = repair(&in, &target, NULL);
        if (disk.calls < n)
            calls = disk.calls;
        EXPECT(status == AIMG_IO || status == AIMG_OK);
        if (status != AIMG_OK)
            EXPECT_EQ_INT(error.sys_errno, ENOSPC);
        disk.fail_at = 0;
        out = fake_disk_io(&disk);
        if (status == AIMG_OK) { /* a hint need not be written */
            REQUIRE(sample_store(sample_path("out"), disk.medium, disk.medium_bytes));
            EXPECT(sample_verifies(sample_path("out"), 1, 0));
        } else if (!disk.fail_on) {
            EXPECT(aimg_locate(&out, false, &located, NULL) != AIMG_OK || located.empty); /* nobody takes it for whole */
        }
        fake_disk_destroy(&disk);
    }
    EXPECT(calls > 10);
}

static int stop_at_once(void *user, uint64_t bytes_done, uint64_t bytes_total)
{
    ++*(unsigned *)user;
    return bytes_done <= bytes_total;
}

/* Who asks to stop is heard while the whole file is read for what archive it is. */
static void check_stopped(void)
{
    enum { BYTES = 3 << 20 };
    uint8_t *bytes = calloc(1, BYTES);
    unsigned asked = 0;
    struct fake_disk disk;
    struct aimg_repair_options options = {.struct_bytes = sizeof options, .user = &asked, .progress = stop_at_once};
    struct aimg_repair_target target = {.path = sample_path("stopped")};
    struct aimg_repair_result result;
    REQUIRE(bytes != NULL && truth.file_bytes < BYTES);
    memcpy(bytes, truth.bytes, truth.file_bytes); /* without a header */
    fake_disk_create(&disk, bytes, BYTES);
    struct aimg_io io = fake_disk_io(&disk);
    EXPECT_EQ_INT(aimg_repair_io(&io, &target, &options, &result, &error), AIMG_END);
    EXPECT_EQ_UINT(asked, 1);
    EXPECT(disk.calls <= 4); /* its size, its head, and the first piece */
    EXPECT(access(target.path, F_OK) != 0);
    fake_disk_destroy(&disk);
    free(bytes);
}

int main(void)
{
    truth_make(&truth, TRUTH_RICH);
    damage();
    check_memory();
    check_input();
    check_output();
    check_stopped();
    truth_destroy(&truth);
    return test_end("repair_faults");
}
