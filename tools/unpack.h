/* SPDX-License-Identifier: Apache-2.0 */
/* The work of 'aimg unpack', once it is known what to do. */
#ifndef AIMG_TOOLS_UNPACK_H
#define AIMG_TOOLS_UNPACK_H

#include "extract.h"
#include "progress.h"
#include "select.h"

#include <aimg/aimg.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct unpack {
    /* Set by the caller. */
    const struct aimg_reader *reader;
    const char *archive, *directory;
    struct extract_root *root;
    struct selection *selection;
    bool force, skip_existing, quiet;
    uint64_t bytes_total;
    unsigned threads;

    /* Filled by unpack_run. */
    uint64_t written, written_bytes;
    uint64_t skipped;  /* were there already */
    uint64_t left_out; /* could not be read */
    uint64_t refused;  /* could not be written */
    bool damaged;      /* the archive is */
    bool stopped;      /* before all was tried */
    int code;          /* exit_code of what went wrong */

    /* Its own. */
    struct aimg_column mtime;
    bool has_mtime, times_warned;
    struct walk walk;
    struct progress progress;
    pthread_mutex_t lock;  /* over the tallies, the walk, the progress, and messages */
    pthread_mutex_t large; /* held by who has a large image in memory */
};

/* Writes the selected images with all threads. Images that cannot be read or put in their place are listed, and the rest goes on;
 * a full disk or an interruption stops it. Returns an exit_code. */
int unpack_run(struct unpack *unpack);

#endif
