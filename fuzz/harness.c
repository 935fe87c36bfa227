/* SPDX-License-Identifier: Apache-2.0 */
#include "harness.h"

#include "error.h"
#include "reader.h"
#include "verify.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FUZZ_POISON 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define FUZZ_POISON 1
#endif
#ifdef FUZZ_POISON
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(data, bytes)   ((void)(data), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(data, bytes) ((void)(data), (void)(bytes))
#endif

const struct aimg_limits fuzz_limits = {.image_bytes = FUZZ_IMAGE_BYTES, .index_bytes = 1 << 20, .ratio = 100};

void fuzz_fail(const char *file, int line, const char *what)
{
    dprintf(STDERR_FILENO, "%s:%d: this does not hold: %s\n", file, line, what);
    abort();
}

/* ------------------------------------------------------------------ memory */

enum { LARGE_BYTES = 1 << 15, LARGE_BLOCKS = 32 };

struct block {
    void *data;
    size_t bytes; /* a power of two; what is not lent of it is poisoned */
    bool used;
};

static struct block blocks[LARGE_BLOCKS];

static void *take(void *user, size_t bytes)
{
    size_t room = LARGE_BYTES;
    (void)user;
    while (room < bytes && room <= SIZE_MAX / 4)
        room *= 2;
    for (size_t i = 0; bytes >= LARGE_BYTES && room >= bytes && i < LARGE_BLOCKS; i++) {
        struct block *block = &blocks[i];
        if (block->used || (block->data != NULL && block->bytes != room))
            continue;
        if (block->data == NULL) {
            block->data = malloc(room);
            block->bytes = room;
            if (block->data != NULL)
                ASAN_POISON_MEMORY_REGION(block->data, room);
        }
        block->used = block->data != NULL;
        if (block->used)
            ASAN_UNPOISON_MEMORY_REGION(block->data, bytes);
        return block->data;
    }
    return malloc(bytes);
}

static void give_back(void *user, void *memory)
{
    (void)user;
    for (size_t i = 0; memory != NULL && i < LARGE_BLOCKS; i++) {
        if (!blocks[i].used || blocks[i].data != memory)
            continue;
        blocks[i].used = false;
        ASAN_POISON_MEMORY_REGION(memory, blocks[i].bytes);
        return;
    }
    free(memory);
}

struct aimg_allocator fuzz_allocator(void)
{
    return (struct aimg_allocator){.alloc = take, .free = give_back};
}

/* ------------------------------------------------------------------ a disk */

static enum aimg_status disk_read_at(struct aimg_io *io, uint64_t offset, void *buffer, size_t bytes, struct aimg_error *error)
{
    const struct fuzz_disk *disk = io->state;
    if (offset > disk->bytes || bytes > disk->bytes - offset)
        return aimg_fail_at(error, AIMG_TRUNCATED, 0, offset, "the disk ends here");
    memcpy(buffer, disk->data + offset, bytes);
    return AIMG_OK;
}

static enum aimg_status disk_write_at(struct aimg_io *io, uint64_t offset, const void *first, size_t first_bytes,
                                      const void *second, size_t second_bytes, struct aimg_error *error)
{
    struct fuzz_disk *disk = io->state;
    uint64_t bytes = first_bytes + second_bytes;
    disk->full = disk->full || offset > FUZZ_DISK_BYTES || bytes > FUZZ_DISK_BYTES - offset;
    if (disk->full)
        return aimg_fail_errno(error, ENOSPC, "the disk is full");
    if (offset > disk->bytes)
        memset(disk->data + disk->bytes, 0, offset - disk->bytes);
    if (first_bytes > 0)
        memcpy(disk->data + offset, first, first_bytes);
    if (second_bytes > 0)
        memcpy(disk->data + offset + first_bytes, second, second_bytes);
    disk->bytes = offset + bytes > disk->bytes ? offset + bytes : disk->bytes;
    return AIMG_OK;
}

static enum aimg_status disk_sync(struct aimg_io *io, struct aimg_error *error)
{
    (void)io;
    (void)error;
    return AIMG_OK;
}

static enum aimg_status disk_truncate(struct aimg_io *io, uint64_t bytes, struct aimg_error *error)
{
    struct fuzz_disk *disk = io->state;
    if (bytes > FUZZ_DISK_BYTES)
        return aimg_fail_errno(error, EFBIG, "the disk is not that large");
    if (bytes > disk->bytes)
        memset(disk->data + disk->bytes, 0, bytes - disk->bytes);
    disk->bytes = bytes;
    return AIMG_OK;
}

static enum aimg_status disk_size(struct aimg_io *io, uint64_t *bytes_out, struct aimg_error *error)
{
    (void)error;
    *bytes_out = ((const struct fuzz_disk *)io->state)->bytes;
    return AIMG_OK;
}

static void disk_hint(struct aimg_io *io, uint64_t offset, uint64_t bytes)
{
    (void)io;
    (void)offset;
    (void)bytes;
}

static void disk_expect_random(struct aimg_io *io, bool random)
{
    (void)io;
    (void)random;
}

static const struct aimg_io_ops disk_ops = {
    .read_at = disk_read_at,
    .write_at = disk_write_at,
    .sync = disk_sync,
    .truncate = disk_truncate,
    .size = disk_size,
    .flush_soon = disk_hint,
    .forget = disk_hint,
    .announce = disk_hint,
    .expect_random = disk_expect_random,
    .close = disk_sync, /* nothing to do there either */
};

struct fuzz_disk *fuzz_disk_load(unsigned number, const void *data, size_t bytes)
{
    static struct fuzz_disk disks[3];
    struct fuzz_disk *disk = &disks[number];
    if (disk->data == NULL)
        disk->data = malloc(FUZZ_DISK_BYTES);
    require(disk->data != NULL && bytes <= FUZZ_DISK_BYTES);
    if (bytes > 0)
        memcpy(disk->data, data, bytes);
    disk->bytes = bytes;
    disk->full = false;
    return disk;
}

struct aimg_io fuzz_disk_io(struct fuzz_disk *disk)
{
    return (struct aimg_io){.ops = &disk_ops, .state = disk, .fd = -1};
}

/* ------------------------------------------------------------------ reading */

static void check_failure(enum aimg_status status, const struct aimg_error *error)
{
    allowed(status);
    require(error->status == status && memchr(error->message, 0, sizeof error->message) != NULL && error->message[0] != 0);
}

struct aimg_reader *fuzz_open(const uint8_t *data, size_t bytes, uint32_t flags, uint64_t seq)
{
    struct aimg_reader_options options = {
        .struct_bytes = sizeof options, .flags = flags, .seq = seq, .limits = fuzz_limits, .allocator = fuzz_allocator()};
    struct aimg_reader *reader = NULL;
    struct aimg_error error;
    enum aimg_status status = aimg_reader_open_memory(data, bytes, &options, &reader, &error);
    if (status != AIMG_OK)
        check_failure(status, &error);
    require((status == AIMG_OK) == (reader != NULL));
    return reader;
}

struct aimg_reader *fuzz_open_no_map(const uint8_t *data, size_t bytes)
{
    static struct aimg_io io;
    struct aimg_source source = {.limits = fuzz_limits, .allocator = fuzz_allocator(), .io = &io};
    struct aimg_located located;
    struct aimg_reader *reader = NULL;
    struct aimg_error error;
    io = fuzz_disk_io(fuzz_disk_load(2, data, bytes));
    enum aimg_status status = aimg_locate(&io, false, &located, &error);
    if (status == AIMG_OK)
        status = aimg_reader_attach(&source, &located, &reader, &error);
    if (status != AIMG_OK)
        check_failure(status, &error);
    return reader;
}

uint32_t fuzz_ordinal(uint64_t count, unsigned index)
{
    if (index < 12 || count <= 16)
        return index;
    return (uint32_t)(index % 2 == 0 ? count / 16 * (index - 12) % count : count - index / 2);
}

/* ------------------------------------------------------------------ verifying */

static void note_finding(void *user, const struct aimg_finding *finding)
{
    uint64_t *rules = user;
    require(finding->rule >= 1 && finding->rule <= 70 && finding->message[0] != 0);
    require(finding->name == NULL || strlen(finding->name) <= 1024);
    if (!finding->warning)
        *rules |= UINT64_C(1) << (finding->rule < 63 ? finding->rule : 63);
}

enum aimg_status fuzz_verify(const struct aimg_io *io, uint64_t *rules_out, struct aimg_verify_result *result_out)
{
    struct aimg_verify_options options = {.struct_bytes = sizeof options,
                                          .threads = 1,
                                          .user = rules_out,
                                          .finding = note_finding,
                                          .allocator = fuzz_allocator(),
                                          .limits = {.image_bytes = 1 << 20, .index_bytes = 1 << 22, .ratio = 1000}};
    *rules_out = 0;
    *result_out = (struct aimg_verify_result){.faults = 0};
    enum aimg_status status = aimg_verify_io(io, &options, result_out, NULL);
    require(status != AIMG_OUT_OF_MEMORY);
    allowed(status);
    if (status == AIMG_OK)
        require((result_out->faults == 0) == (*rules_out == 0));
    return status;
}
