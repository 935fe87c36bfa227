/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk with a page cache in memory, for the library's table of system calls. It counts and records what is written, loses what
 * was not synced, tells lies about a sync, and fails on demand. What a power cut leaves is made by fake_disk_cut.
 */
#ifndef AIMG_TEST_FAKE_DISK_H
#define AIMG_TEST_FAKE_DISK_H

#include "io.h"

#define FAKE_DISK_BYTES (1u << 22)
#define FAKE_SECTOR     512u

/* A write or a cut that is in the cache and not on the medium yet. */
struct fake_change {
    bool cut; /* of the file to `offset` bytes; else `bytes` bytes at offset */
    uint64_t offset;
    uint64_t bytes;
    uint8_t *data;
};

/* What a failed sync does to the changes before it: on the medium are none, all or some of them, and the cache has them all; or
 * none, and the cache falls back to the medium. */
enum fake_loss { FAKE_LOSE_ALL, FAKE_LOSE_NONE, FAKE_LOSE_SOME, FAKE_LOSE_DROP };

enum fake_step { FAKE_WRITE, FAKE_TRUNCATE, FAKE_SYNC, FAKE_OTHER };

struct fake_disk {
    uint8_t *cache; /* what programs see */
    uint64_t cache_bytes;
    uint8_t *medium; /* what a power cut leaves for sure */
    uint64_t medium_bytes;
    struct fake_change *changes;
    unsigned change_count, change_room;
    bool full; /* a write did not fit */

    uint64_t steps;      /* writes, cuts and syncs so far */
    uint64_t stop_after; /* the power goes after so many of them: nothing happens any more, every call fails; UINT64_MAX: never */
    uint64_t calls;      /* calls that can fail so far: those and reads, sizes */
    uint64_t fail_at;    /* the call, from 1, that fails with fail_errno; 0: none */
    bool fail_on;        /* all later calls fail too */
    int fail_errno;
    bool short_reads; /* a read that fails finds the end of the file instead */
    uint64_t syncs;
    uint64_t lying_sync; /* the sync, from 1, that reports success and does nothing; 0: none */
    uint64_t failing_sync;
    bool failing_cut;             /* cuts fail from that sync on */
    enum fake_loss after_failure; /* what of the changes before a failed sync reached the medium */
    uint64_t random;
    void (*watch)(void *watcher, enum fake_step step); /* NULL, or called before each step that happens */
    void *watcher;
};

void fake_disk_create(struct fake_disk *disk, const void *bytes, uint64_t count);
void fake_disk_destroy(struct fake_disk *disk);
/* The io of a writer; several, one after the other, may use one disk. */
struct aimg_io fake_disk_io(struct fake_disk *disk);
/* As after the machine came up again: the cache holds what is on the medium. */
void fake_disk_restart(struct fake_disk *disk, const void *bytes, uint64_t count);
/* A step that is no change of the file, as a new name for it; false when the power is gone. */
bool fake_disk_step(struct fake_disk *disk);

/* Ways in which a power cut can end. */
enum fake_cut {
    FAKE_CUT_OLD,    /* no change since the last sync is there */
    FAKE_CUT_NEW,    /* all are */
    FAKE_CUT_PREFIX, /* all before one, and a part of that one */
    FAKE_CUT_HOLE,   /* all but one sector, which is old, zero or rubbish */
    FAKE_CUT_ONE,    /* one sector alone */
    FAKE_CUT_RANDOM, /* each sector as chance has it */
    FAKE_CUT_KINDS
};

/* No byte that the medium, the cache or a change that is not synced has lies behind it. */
uint64_t fake_disk_reach(const struct fake_disk *disk);

/* What is found after a power cut now, chosen by the seed, into out (fake_disk_reach). The file's size is chosen apart from its
 * bytes. Returns its bytes. */
uint64_t fake_disk_cut(const struct fake_disk *disk, enum fake_cut kind, uint64_t seed, uint8_t *out);

#endif
