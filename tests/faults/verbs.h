/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of the tool, each with what it does to its files. */
#ifndef AIMG_TEST_VERBS_H
#define AIMG_TEST_VERBS_H

#include <stdbool.h>

enum verb_effect {
    VERB_READS,   /* changes no file */
    VERB_CHANGES, /* commits to target, in place */
    VERB_MAKES,   /* target appears, or takes another's place, as a whole */
    VERB_UNPACKS  /* files appear below "out", each as a whole */
};

struct verb {
    const char *name; /* for reports, without blanks */
    enum verb_effect effect;
    const char *target;
    bool warns_only;        /* of damage; the exit status is 0 */
    bool leaves_out;        /* inputs or images that cannot be read are left out, with exit status 1 */
    bool salvages;          /* what cannot be read is lost, with exit status 1 */
    bool torn;              /* the target has a torn tail before, which stays after a failure */
    const char *leftover;   /* what a failure may leave for the next command to go on from, or NULL */
    const char *args[12];   /* behind the program */
    const char *again[12];  /* the command that a user types next, when that is not the same; and if that fails ... */
    const char *forced[12]; /* ... the one that it tells of */
};

extern const struct verb verbs[];
extern const unsigned verb_count;

/* Makes below folder what the commands name: in/ and more/ with pictures, values.csv, mask.pgm, and with the tool a.aimg and
 * b.aimg. Ends the program when that cannot be done. */
void verbs_prepare(const char *tool, const char *folder);

#endif
