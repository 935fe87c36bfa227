/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a power cut can leave of a file. Each sector that was written since the last sync holds what it held before, or what the
 * cache held after any of the writes since, or halves of both, or zeros, rubbish, or another sector; and the size is any that the
 * file had, or one between, whatever became of the bytes. All that depends on a choice, so that one line tells it again.
 */
#ifndef AIMG_TEST_CRASH_STATE_H
#define AIMG_TEST_CRASH_STATE_H

#include "crash_tape.h"

/* A sector after one of the writes. */
struct crash_version {
    const uint8_t *bytes;
    unsigned change, next; /* index of the next version of the sector, or 0 */
    uint64_t end;          /* of what was written, at most that of the sector */
};

struct crash_sector {
    uint64_t at;
    unsigned first, last, count; /* versions */
};

/* A stop, made ready for choosing. */
struct crash_view {
    const struct crash_stop *stop;
    const struct crash_epoch *epoch;
    uint64_t cache_bytes, reach;
    struct crash_sector *sectors; /* in order of their first write */
    unsigned sector_count, sector_room;
    struct crash_version *versions; /* from 1 */
    unsigned version_count, version_room;
    unsigned cuts[8], cut_count; /* changes */
    uint16_t *index;             /* sector of the file -> 1 + sector above */
    uint8_t *canvas;             /* the file of the choice */
    uint64_t zeroed_from;        /* the canvas is not the medium from here on */
};

enum crash_kind {
    CRASH_SUBSET,  /* the index names one of all combinations of old and new, with one of three sizes */
    CRASH_PREFIX,  /* sectors are new in order of writing, up to one; or old up to it */
    CRASH_SPECIAL, /* one sector is zero, rubbish, half or another; the rest new, old, or new up to it */
    CRASH_RANDOM,
    CRASH_KINDS
};

struct crash_choice {
    enum crash_kind kind;
    uint64_t index, seed;
};

/* Zeroed before the first use; may be used again and again. */
void crash_view_open(struct crash_view *view, const struct crash_tape *tape, unsigned stop);
void crash_view_release(struct crash_view *view);
/* How many choices of that kind there are; 0 of subsets when they are too many, and of random ones, which have no end. */
uint64_t crash_view_choices(const struct crash_view *view, enum crash_kind kind);
/* The file that the power cut leaves, in the view's canvas until the next call. Returns its bytes. */
uint64_t crash_view_build(struct crash_view *view, const struct crash_choice *choice);

#endif
