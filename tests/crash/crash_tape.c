/* SPDX-License-Identifier: Apache-2.0 */
#include "crash_tape.h"

#include <stdlib.h>
#include <string.h>

static void *more(void *array, unsigned count, unsigned *room, size_t each)
{
    if (count < *room)
        return array;
    unsigned wider = *room * 2 + 16;
    array = realloc(array, wider * each);
    if (array == NULL)
        abort();
    memset((uint8_t *)array + *room * each, 0, (wider - *room) * each);
    *room = wider;
    return array;
}

static uint64_t whole_sectors(uint64_t bytes)
{
    return (bytes + FAKE_SECTOR - 1) / FAKE_SECTOR * FAKE_SECTOR;
}

static uint8_t *copy(const uint8_t *bytes, uint64_t count)
{
    uint8_t *made = malloc(count + 1);
    if (made == NULL)
        abort();
    memcpy(made, bytes, count);
    return made;
}

static void forget_epoch(struct crash_epoch *epoch)
{
    for (unsigned i = 0; i < epoch->count; i++)
        free(epoch->changes[i].data);
    free(epoch->medium);
    epoch->medium = NULL;
    epoch->count = 0;
}

static void begin_epoch(struct crash_tape *tape)
{
    const struct fake_disk *disk = &tape->run->disk;
    tape->epochs = more(tape->epochs, tape->epoch_count, &tape->epoch_room, sizeof *tape->epochs);
    struct crash_epoch *epoch = &tape->epochs[tape->epoch_count++];
    epoch->medium = copy(disk->medium, whole_sectors(disk->medium_bytes));
    epoch->medium_bytes = disk->medium_bytes;
    epoch->cache_bytes = disk->cache_bytes;
}

static void record_change(struct crash_tape *tape, struct crash_epoch *epoch, const struct fake_change *change)
{
    epoch->changes = more(epoch->changes, epoch->count, &epoch->room, sizeof *epoch->changes);
    struct crash_change *made = &epoch->changes[epoch->count++];
    uint64_t begin = change->offset / FAKE_SECTOR * FAKE_SECTOR, end = change->offset + change->bytes;
    *made = (struct crash_change){.cut = change->cut, .offset = change->offset, .end = end};
    tape->writes++;
    if (change->cut)
        return;
    made->offset = begin;
    made->sectors = (whole_sectors(end) - begin) / FAKE_SECTOR;
    made->data = copy(tape->run->disk.cache + begin, made->sectors * FAKE_SECTOR);
}

/* What the step before has done, and what may be found if the power goes now. */
static void look(struct crash_tape *tape)
{
    const struct crash_run *run = tape->run;
    if (tape->synced && run->disk.change_count == 0)
        begin_epoch(tape);
    struct crash_epoch *epoch = &tape->epochs[tape->epoch_count - 1];
    while (epoch->count < run->disk.change_count)
        record_change(tape, epoch, &run->disk.changes[epoch->count]);
    tape->stops = more(tape->stops, tape->stop_count, &tape->stop_room, sizeof *tape->stops);
    struct crash_stop *stop = &tape->stops[tape->stop_count++];
    stop->epoch = tape->epoch_count - 1;
    stop->changes = epoch->count;
    stop->named = run->named;
    stop->other_good = run->other_good;
    stop->other = run->other;
    stop->promise = run->promise;
}

static void on_step(void *watcher, enum fake_step step)
{
    struct crash_tape *tape = watcher;
    look(tape);
    tape->synced = step == FAKE_SYNC;
    tape->syncs += tape->synced;
}

void crash_tape_begin(struct crash_tape *tape, struct crash_run *run)
{
    for (unsigned i = 0; i < tape->epoch_count; i++)
        forget_epoch(&tape->epochs[i]);
    tape->epoch_count = tape->stop_count = 0;
    tape->run = run;
    tape->synced = false;
    tape->writes = tape->syncs = 0;
    run->disk.watch = on_step;
    run->disk.watcher = tape;
    begin_epoch(tape);
}

void crash_tape_end(struct crash_tape *tape)
{
    look(tape);
    tape->run->disk.watch = NULL;
    tape->refused = tape->run->refused;
}

void crash_tape_release(struct crash_tape *tape)
{
    for (unsigned i = 0; i < tape->epoch_count; i++)
        forget_epoch(&tape->epochs[i]);
    for (unsigned i = 0; i < tape->epoch_room; i++)
        free(tape->epochs[i].changes);
    free(tape->epochs);
    free(tape->stops);
    *tape = (struct crash_tape){.run = NULL};
}

void crash_tape_perform(struct crash_tape *tape, const struct crash_scenario *scenario, const struct crash_setup *setup)
{
    struct crash_run run;
    crash_prepare(setup, &run);
    crash_tape_begin(tape, &run);
    crash_go(scenario, setup, &run);
    crash_tape_end(tape);
    fake_disk_destroy(&run.disk);
    tape->run = NULL;
}
