/* SPDX-License-Identifier: Apache-2.0 */
/* What is in an archive, and in a folder, as values that can be compared. */
#ifndef AIMG_TEST_STATE_H
#define AIMG_TEST_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All that a reader can find: ordinals with names, bytes, columns; metadata; the number of commits. Not when it was made.
 * 0: there is no such file; 1: it is none that opens, or an image in it cannot be read; reason says why. */
uint64_t state_of_archive(const char *path, char reason[300]);
/* The same as of its first `commits` commits. */
uint64_t state_at(const char *path, uint64_t commits, char reason[300]);
uint64_t state_commits(const char *path);

/* Whether it has no fault; with torn_tail, none but that of what follows the last commit, or of half a hint. */
bool state_is_sound(const char *path, bool torn_tail, char reason[300]);

/* Whether the next writer can add to it, and all is sound then. */
bool state_grows(const char *path, char reason[300]);

/* Of a file's bytes; 0: there is none. */
uint64_t state_of_file(const char *path);

enum { STATE_ENTRIES = 64, STATE_NAME = 200 };
struct state_folder {
    unsigned count;
    char names[STATE_ENTRIES][STATE_NAME]; /* with the folders below, in byte order */
    uint64_t bytes[STATE_ENTRIES];         /* state_of_file */
};
void state_of_folder(const char *path, struct state_folder *out);
/* What it has under that name, 0: nothing. */
uint64_t state_find(const struct state_folder *folder, const char *name);

#endif
