/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a file that a power cut left is good: it shows what was promised, the next program can go on from it, also when the
 * power goes again while it does, and what that leaves verifies. */
#ifndef AIMG_TEST_CRASH_JUDGE_H
#define AIMG_TEST_CRASH_JUDGE_H

#include "crash_state.h"

/* A power cut after another, while the archive is opened and added to, and one after that. */
#define JUDGE_DEEPEST 3

/* Counts of all processes together. */
struct judge_counts {
    uint64_t states;   /* files that a power cut left */
    uint64_t files;    /* different ones; too few when the table is full */
    uint64_t checked;  /* with what was promised of them; the same file and promise are checked once */
    uint64_t again;    /* of these, after a power cut during the recovery from another */
    uint64_t gone;     /* nothing was promised yet, and nothing is there */
    uint64_t appended; /* files that the next writer goes on from, each once; all of them verify after */
    uint64_t bad;
};

/* Hashes that were seen, shared by processes. */
struct judge_table {
    uint64_t *slots;
    uint64_t mask;
};

struct judge {
    struct judge_counts *counts;    /* shared */
    const struct judge_table *seen; /* NULL: nothing is left out */
    bool trust_end;                 /* negative control: takes the commit page at the end of the file */
    struct judge_level {
        struct crash_run run;
        struct crash_tape tape;
        struct crash_view view;
    } levels[JUDGE_DEEPEST + 1];
    char reason[256];
};

void judge_create(struct judge *judge, struct judge_counts *counts, const struct judge_table *seen);
void judge_destroy(struct judge *judge);
/* Room for about `count` hashes. */
void judge_table_create(struct judge_table *table, uint64_t count);

/* seed: of what comes after. False, with judge->reason, when the file is bad. */
bool judge_file(struct judge *judge, const struct promise *promise, const uint8_t *bytes, uint64_t count, uint64_t seed);
/* The choice of a stop, and what the folder may name at that time. */
bool judge_choice(struct judge *judge, struct crash_view *view, const struct crash_choice *choice);

/* Of any kind. */
struct crash_choice judge_random_choice(const struct crash_view *view, uint64_t *random);
uint64_t judge_mix(uint64_t a, uint64_t b);

#endif
