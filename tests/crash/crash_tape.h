/* SPDX-License-Identifier: Apache-2.0 */
/* A run on the fake disk, recorded so that the power can be cut after each of its steps without running it again. */
#ifndef AIMG_TEST_CRASH_TAPE_H
#define AIMG_TEST_CRASH_TAPE_H

#include "crash_scenario.h"

/* A write or a cut that was not synced yet. */
struct crash_change {
    bool cut;
    uint64_t offset;  /* the size that is cut to, or the sector where the write begins */
    uint64_t sectors; /* of a write */
    uint64_t end;     /* of what was written */
    uint8_t *data;    /* the sectors as the cache has them after it */
};

/* From one sync to the next. */
struct crash_epoch {
    uint8_t *medium;
    uint64_t medium_bytes;
    uint64_t cache_bytes; /* as it begins */
    struct crash_change *changes;
    unsigned count, room;
};

/* A place where the power can go: after so many changes of an epoch. */
struct crash_stop {
    unsigned epoch, changes;
    enum named named;
    bool other_good;
    const struct crash_run *other;
    struct promise promise;
};

struct crash_tape {
    struct crash_run *run;
    struct crash_epoch *epochs;
    unsigned epoch_count, epoch_room;
    struct crash_stop *stops;
    unsigned stop_count, stop_room;
    bool refused;    /* as of the run */
    bool synced;     /* the last step was a sync */
    uint64_t writes; /* recorded */
    uint64_t syncs;
};

/* Records from now on what happens to the run's disk, until crash_tape_end. A tape is zeroed before its first use, may be used
 * again and again, and is released in the end. */
void crash_tape_begin(struct crash_tape *tape, struct crash_run *run);
void crash_tape_end(struct crash_tape *tape);
void crash_tape_release(struct crash_tape *tape);

/* Performs a scenario and records it; the run's disk is destroyed. */
void crash_tape_perform(struct crash_tape *tape, const struct crash_scenario *scenario, const struct crash_setup *setup);

#endif
