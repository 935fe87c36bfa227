/* SPDX-License-Identifier: Apache-2.0 */
/* What the scenarios without memory share. */
#ifndef AIMG_TEST_OOM_H
#define AIMG_TEST_OOM_H

#include "counting.h"

#include <aimg/aimg.h>

extern struct oom {
    struct counting counting;
    struct aimg_error error;
    const char *work_path;
    uint64_t acknowledged; /* commits that the archive at work_path must have */
} oom;

struct aimg_writer_options oom_writer_options(void);
enum aimg_status oom_commit(struct aimg_writer *writer);

/* Images for which a dictionary is made, in two sessions; and what must be there then. */
enum aimg_status oom_write_trained(void);
void oom_check_trained(void);

/* A copy of an archive that uses everything, with its history and without. */
enum aimg_status oom_copy_history(void);
enum aimg_status oom_copy_now(void);

#endif
