/* SPDX-License-Identifier: Apache-2.0 */
/* A progress line on stderr with rate and time left; silent unless stderr is a terminal, and with --quiet. */
#ifndef AIMG_TOOLS_PROGRESS_H
#define AIMG_TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what;     /* "packing" */
    uint64_t bytes_total; /* 0: not known */
    uint64_t
        images_total; /* 0: not known; may be set after progress_begin. The time left follows the bytes where both are known */
    uint64_t images, bytes;
    uint64_t begin_ns, shown_ns;
    bool on;
};

void progress_begin(struct progress *progress, const char *what, uint64_t bytes_total, bool quiet);
/* Cheap enough to call once an image; redraws at most ten times a second. images: 0 throughout when bytes alone are counted. */
void progress_update(struct progress *progress, uint64_t images, uint64_t bytes);
/* Clears the line. Must be called before anything else is printed at the end. */
void progress_end(struct progress *progress);
/* Takes the line away until the next update: for output.c, before it prints a message. */
void progress_hide(void);

#endif
