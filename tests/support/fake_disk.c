/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_disk.h"

#include "error.h"
#include "random.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static struct fake_disk *disk_of(const struct aimg_io *io)
{
    return io->state;
}

/* Whether this call fails, and how. */
static bool fails(struct fake_disk *disk)
{
    uint64_t call = ++disk->calls;
    if (disk->steps >= disk->stop_after)
        return true;
    return disk->fail_at != 0 && (call == disk->fail_at || (disk->fail_on && call > disk->fail_at));
}

static void watch(const struct fake_disk *disk, enum fake_step step)
{
    if (disk->watch != NULL)
        disk->watch(disk->watcher, step);
}

static enum aimg_status failure(const struct fake_disk *disk, const char *what, struct aimg_error *error)
{
    return aimg_fail_errno(error, disk->fail_errno == 0 ? EIO : disk->fail_errno, "the fake disk cannot %s", what);
}

static enum aimg_status disk_read_at(struct aimg_io *io, uint64_t offset, void *buffer, size_t bytes, struct aimg_error *error)
{
    struct fake_disk *disk = disk_of(io);
    if (fails(disk) && !disk->short_reads)
        return failure(disk, "read", error);
    bool cut_short = disk->short_reads && disk->fail_at != 0 && disk->calls >= disk->fail_at &&
                     (disk->fail_on || disk->calls == disk->fail_at);
    if (cut_short || offset > disk->cache_bytes || bytes > disk->cache_bytes - offset)
        return aimg_fail_at(error, AIMG_TRUNCATED, 0, offset, "the fake disk ends here");
    memcpy(buffer, disk->cache + offset, bytes);
    return AIMG_OK;
}

/* Zeros that cost nothing until they are touched, which calloc does not promise. */
static uint8_t *new_bytes(void)
{
    uint8_t *bytes = mmap(NULL, FAKE_DISK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED)
        abort();
    return bytes;
}

static void free_bytes(uint8_t *bytes)
{
    (void)munmap(bytes, FAKE_DISK_BYTES);
}

static void record(struct fake_disk *disk, struct fake_change change)
{
    if (disk->change_count == disk->change_room) {
        disk->change_room = disk->change_room * 2 + 16;
        disk->changes = realloc(disk->changes, disk->change_room * sizeof *disk->changes);
        if (disk->changes == NULL)
            abort();
    }
    disk->changes[disk->change_count++] = change;
}

static void apply_write(uint8_t *bytes, uint64_t *size, uint64_t offset, const uint8_t *data, uint64_t count)
{
    memcpy(bytes + offset, data, count);
    if (offset + count > *size)
        *size = offset + count;
}

static void apply_cut(uint8_t *bytes, uint64_t *size, uint64_t to)
{
    if (to < *size)
        memset(bytes + to, 0, *size - to);
    *size = to;
}

static enum aimg_status disk_write_at(struct aimg_io *io, uint64_t offset, const void *first, size_t first_bytes,
                                      const void *second, size_t second_bytes, struct aimg_error *error)
{
    struct fake_disk *disk = disk_of(io);
    size_t bytes = first_bytes + second_bytes;
    if (fails(disk))
        return failure(disk, "write", error);
    disk->full = disk->full || offset > FAKE_DISK_BYTES || bytes > FAKE_DISK_BYTES - offset;
    if (disk->full)
        return aimg_fail_errno(error, ENOSPC, "the fake disk is full");
    watch(disk, FAKE_WRITE);
    uint8_t *data = malloc(bytes == 0 ? 1 : bytes);
    if (data == NULL)
        abort();
    if (first_bytes > 0)
        memcpy(data, first, first_bytes);
    if (second_bytes > 0)
        memcpy(data + first_bytes, second, second_bytes);
    record(disk, (struct fake_change){false, offset, bytes, data});
    apply_write(disk->cache, &disk->cache_bytes, offset, data, bytes);
    disk->steps++;
    return AIMG_OK;
}

static void forget_changes(struct fake_disk *disk)
{
    for (unsigned i = 0; i < disk->change_count; i++)
        free(disk->changes[i].data);
    disk->change_count = 0;
}

/* A failed sync: some pages are lost, and the system thinks that they are clean. */
static void lose_changes(struct fake_disk *disk)
{
    if (disk->after_failure == FAKE_LOSE_DROP) {
        memset(disk->cache, 0, disk->cache_bytes);
        memcpy(disk->cache, disk->medium, disk->medium_bytes < disk->cache_bytes ? disk->medium_bytes : disk->cache_bytes);
    } else if (disk->after_failure != FAKE_LOSE_ALL) {
        uint8_t *bytes = new_bytes();
        uint64_t reach = fake_disk_reach(disk);
        enum fake_cut kind = disk->after_failure == FAKE_LOSE_NONE ? FAKE_CUT_NEW : FAKE_CUT_RANDOM;
        disk->medium_bytes = fake_disk_cut(disk, kind, random_next(&disk->random), bytes);
        memset(bytes + disk->medium_bytes, 0, reach - disk->medium_bytes); /* blocks past the size do not belong to the file */
        free_bytes(disk->medium);
        disk->medium = bytes;
    }
    forget_changes(disk);
}

static enum aimg_status disk_sync(struct aimg_io *io, struct aimg_error *error)
{
    struct fake_disk *disk = disk_of(io);
    bool failed = fails(disk);
    if (disk->steps >= disk->stop_after)
        return failure(disk, "sync", error);
    watch(disk, FAKE_SYNC);
    disk->syncs++;
    disk->steps++;
    if (disk->syncs == disk->lying_sync)
        return AIMG_OK;
    if (failed || disk->syncs == disk->failing_sync) {
        lose_changes(disk);
        return failure(disk, "sync", error);
    }
    for (unsigned i = 0; i < disk->change_count; i++) {
        const struct fake_change *change = &disk->changes[i];
        if (change->cut)
            apply_cut(disk->medium, &disk->medium_bytes, change->offset);
        else
            apply_write(disk->medium, &disk->medium_bytes, change->offset, change->data, change->bytes);
    }
    forget_changes(disk);
    return AIMG_OK;
}

static enum aimg_status disk_truncate(struct aimg_io *io, uint64_t bytes, struct aimg_error *error)
{
    struct fake_disk *disk = disk_of(io);
    bool broken = disk->failing_cut && disk->failing_sync != 0 && disk->syncs >= disk->failing_sync;
    if (fails(disk) || broken)
        return failure(disk, "cut", error);
    watch(disk, FAKE_TRUNCATE);
    record(disk, (struct fake_change){.cut = true, .offset = bytes});
    apply_cut(disk->cache, &disk->cache_bytes, bytes);
    disk->steps++;
    return AIMG_OK;
}

static enum aimg_status disk_size(struct aimg_io *io, uint64_t *bytes_out, struct aimg_error *error)
{
    struct fake_disk *disk = disk_of(io);
    if (fails(disk))
        return failure(disk, "say its size", error);
    *bytes_out = disk->cache_bytes;
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

static bool is_changed(const struct fake_disk *disk, uint64_t offset)
{
    for (unsigned i = 0; i < disk->change_count; i++) {
        const struct fake_change *change = &disk->changes[i];
        if (!change->cut && offset < change->offset + change->bytes && change->offset < offset + FAKE_SECTOR)
            return true;
    }
    return false;
}

/* Clean pages are dropped: the next read comes from the medium. */
static void disk_forget(struct aimg_io *io, uint64_t offset, uint64_t bytes)
{
    struct fake_disk *disk = disk_of(io);
    uint64_t end = offset + bytes < disk->cache_bytes ? offset + bytes : disk->cache_bytes;
    for (uint64_t at = offset / FAKE_SECTOR * FAKE_SECTOR; at < end; at += FAKE_SECTOR)
        if (!is_changed(disk, at))
            memcpy(disk->cache + at, disk->medium + at, FAKE_SECTOR);
}

static enum aimg_status disk_close(struct aimg_io *io, struct aimg_error *error)
{
    (void)io;
    (void)error;
    return AIMG_OK;
}

static const struct aimg_io_ops disk_ops = {
    .read_at = disk_read_at,
    .write_at = disk_write_at,
    .sync = disk_sync,
    .truncate = disk_truncate,
    .size = disk_size,
    .flush_soon = disk_hint,
    .forget = disk_forget,
    .announce = disk_hint,
    .expect_random = disk_expect_random,
    .close = disk_close,
};

void fake_disk_create(struct fake_disk *disk, const void *bytes, uint64_t count)
{
    *disk = (struct fake_disk){.stop_after = UINT64_MAX, .random = 1};
    disk->cache = new_bytes();
    disk->medium = new_bytes();
    fake_disk_restart(disk, bytes, count);
}

void fake_disk_destroy(struct fake_disk *disk)
{
    forget_changes(disk);
    free(disk->changes);
    free_bytes(disk->cache);
    free_bytes(disk->medium);
}

void fake_disk_restart(struct fake_disk *disk, const void *bytes, uint64_t count)
{
    forget_changes(disk);
    apply_cut(disk->cache, &disk->cache_bytes, 0);
    apply_cut(disk->medium, &disk->medium_bytes, 0);
    if (count > 0) {
        apply_write(disk->cache, &disk->cache_bytes, 0, bytes, count);
        apply_write(disk->medium, &disk->medium_bytes, 0, bytes, count);
    }
}

bool fake_disk_step(struct fake_disk *disk)
{
    if (disk->steps >= disk->stop_after)
        return false;
    watch(disk, FAKE_OTHER);
    disk->steps++;
    return true;
}

struct aimg_io fake_disk_io(struct fake_disk *disk)
{
    return (struct aimg_io){.ops = &disk_ops, .state = disk, .fd = -1};
}

/* ------------------------------------------------------------------ power cuts */

/* What a cut makes of one sector of a write. */
enum fate { LOST, WRITTEN, ZERO, RUBBISH };

struct cut {
    uint64_t random;
    uint8_t *bytes;
    uint64_t size;
};

static void put_sector(struct cut *cut, const struct fake_change *change, uint64_t from, enum fate fate)
{
    uint64_t at = change->offset + from;
    uint64_t count = FAKE_SECTOR - at % FAKE_SECTOR; /* sectors are those of the disk */
    count = count < change->bytes - from ? count : change->bytes - from;
    if (fate == LOST)
        return;
    if (fate == WRITTEN)
        memcpy(cut->bytes + at, change->data + from, count);
    else if (fate == ZERO)
        memset(cut->bytes + at, 0, count);
    else
        random_fill(&cut->random, cut->bytes + at, count);
    if (at + count > cut->size)
        cut->size = at + count;
}

static uint64_t next_sector(const struct fake_change *change, uint64_t from)
{
    return from + FAKE_SECTOR - (change->offset + from) % FAKE_SECTOR;
}

static uint64_t sector_count(const struct fake_disk *disk)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < disk->change_count; i++)
        for (uint64_t from = 0; from < disk->changes[i].bytes; from = next_sector(&disk->changes[i], from))
            count++;
    return count;
}

static enum fate random_fate(struct cut *cut)
{
    uint64_t dice = random_below(&cut->random, 16);
    return dice < 7 ? WRITTEN : dice < 13 ? LOST : dice < 15 ? ZERO : RUBBISH;
}

/* Sector `index` of all that are not synced. chosen: the one that a hole or a prefix is about. */
static enum fate fate_of(struct cut *cut, enum fake_cut kind, uint64_t index, uint64_t chosen)
{
    static const enum fate holes[] = {LOST, LOST, ZERO, RUBBISH};
    switch (kind) {
    case FAKE_CUT_NEW:
        return WRITTEN;
    case FAKE_CUT_PREFIX:
        return index < chosen ? WRITTEN : LOST;
    case FAKE_CUT_HOLE:
        return index != chosen ? WRITTEN : holes[random_below(&cut->random, 4)];
    case FAKE_CUT_ONE:
        return index == chosen ? WRITTEN : LOST;
    case FAKE_CUT_RANDOM:
        return random_fate(cut);
    default:
        return LOST;
    }
}

/* Whether a cut of the file that was not synced reached the medium; `index` sectors were written before it. */
static bool cut_happens(struct cut *cut, enum fake_cut kind, uint64_t index, uint64_t chosen)
{
    if (kind == FAKE_CUT_PREFIX)
        return index <= chosen;
    if (kind == FAKE_CUT_RANDOM)
        return random_next(&cut->random) % 2 == 0;
    return kind == FAKE_CUT_NEW || kind == FAKE_CUT_HOLE;
}

/* The size that the file system wrote down: any that the file had since the last sync, or one between. */
static uint64_t choose_size(struct cut *cut, const struct fake_disk *disk)
{
    uint64_t low = disk->medium_bytes < disk->cache_bytes ? disk->medium_bytes : disk->cache_bytes;
    uint64_t high = cut->size > disk->cache_bytes ? cut->size : disk->cache_bytes;
    switch (random_below(&cut->random, 6)) {
    case 0:
        return disk->medium_bytes;
    case 1:
        return disk->cache_bytes;
    case 2:
        return low + random_below(&cut->random, high - low + 1);
    case 3:
        return (low + random_below(&cut->random, high - low + 1)) / FAKE_SECTOR * FAKE_SECTOR;
    default:
        return cut->size;
    }
}

uint64_t fake_disk_reach(const struct fake_disk *disk)
{
    uint64_t reach = disk->medium_bytes > disk->cache_bytes ? disk->medium_bytes : disk->cache_bytes;
    for (unsigned i = 0; i < disk->change_count; i++) {
        uint64_t end = disk->changes[i].offset + disk->changes[i].bytes;
        reach = end > reach ? end : reach;
    }
    return (reach + FAKE_SECTOR - 1) / FAKE_SECTOR * FAKE_SECTOR;
}

uint64_t fake_disk_cut(const struct fake_disk *disk, enum fake_cut kind, uint64_t seed, uint8_t *out)
{
    struct cut cut = {.random = seed, .bytes = out, .size = disk->medium_bytes};
    uint64_t sectors = sector_count(disk), index = 0;
    uint64_t chosen = sectors == 0 ? 0 : random_below(&cut.random, sectors);
    memcpy(out, disk->medium, fake_disk_reach(disk));
    for (unsigned i = 0; i < disk->change_count; i++) {
        const struct fake_change *change = &disk->changes[i];
        if (change->cut && cut_happens(&cut, kind, index, chosen))
            apply_cut(out, &cut.size, change->offset);
        for (uint64_t from = 0; from < change->bytes; from = next_sector(change, from))
            put_sector(&cut, change, from, fate_of(&cut, kind, index++, chosen));
    }
    if (kind == FAKE_CUT_OLD)
        return disk->medium_bytes;
    if (kind == FAKE_CUT_NEW)
        return disk->cache_bytes;
    return choose_size(&cut, disk);
}
