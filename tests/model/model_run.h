/* SPDX-License-Identifier: Apache-2.0 */
/* One sequence of steps, done to an archive on a disk in memory and to the model. */
#ifndef AIMG_TEST_MODEL_RUN_H
#define AIMG_TEST_MODEL_RUN_H

#include "fake_disk.h"
#include "model_check.h"
#include "model_sequence.h"
#include "writer.h"

/* A reader of a file that shows what the disk's cache holds, refreshed now and then. */
struct model_follower {
    struct aimg_reader *reader;
    int file;       /* -1: none */
    uint8_t *shown; /* what the file holds */
    uint64_t shown_bytes;
    bool replaced;          /* the archive is another one by now */
    uint32_t seen;          /* commits, when it was opened or refreshed last */
    struct aimg_bytes lent; /* with data: must stay as it is while the reader is open */
    uint64_t lent_hash;
};

struct model_run {
    struct model_archive model;
    struct fake_disk disk;
    struct aimg_writer *writer;
    struct model_follower follower;
    struct model_step session; /* what the writer was opened with */
    uint32_t sessions, archives;
    uint32_t session_first; /* ordinal: images from here on were added with the writer that is open */
    uint32_t trainings;     /* in the open batch */
    uint64_t time_ns;       /* of commits */
    bool synced;            /* commits of this session are durable */
    bool thorough;          /* every check looks at everything */
    const char *folder;
    char reason[MODEL_REASON_BYTES];
};

struct model_outcome {
    bool good;
    uint32_t steps; /* that were done; with a failure the last of them is the one that failed */
    uint32_t commits;
    char reason[MODEL_REASON_BYTES];
};

/* What a run does beside the steps. */
struct model_manner {
    const char *folder; /* where files may be made */
    bool thorough;      /* every check looks at everything */
    bool verify;        /* the file is verified in the end */
    bool say;           /* each step is told on stdout */
    /* Steps of this kind fail, to see what is made of a failure; MODEL_CREATE: none do. */
    enum model_kind broken;
};

void model_run_sequence(const struct model_sequence *sequence, const struct model_manner *manner, struct model_outcome *outcome);

/* A step, by its kind. False, with run->reason, when the archive is not what the model says. */
typedef bool model_step_fn(struct model_run *run, const struct model_step *step);
extern model_step_fn *const model_step_functions[MODEL_KINDS];

/* ------------------------------------------------------------------ for the steps */

/* Of the archive on the disk's cache. */
struct model_check model_check_of(struct model_run *run, const struct aimg_reader *reader, const char *who);
bool model_run_open(struct model_run *run, const struct aimg_reader_options *options, struct aimg_reader **reader_out,
                    enum aimg_status expected, const char *who);
/* The archive shows the last commit: opened anew, and the one the writer builds on. all: every image. */
bool model_run_check(struct model_run *run, bool all, const char *who);

/* A new archive in the place of the one that is there. */
bool model_run_create(struct model_run *run, const struct model_step *session);
/* The next writer on the disk. */
bool model_run_reopen(struct model_run *run, const struct model_step *session);
/* Opens `writer` for a session; its options come from the step's arguments. */
enum aimg_status model_session_open(struct model_run *run, struct fake_disk *disk, const struct model_step *session, bool create,
                                    struct aimg_writer **writer_out, struct aimg_error *error);
/* The image that a number means: of those that are alive, or any, or none. */
uint32_t model_pick(const struct model_state *state, uint32_t number, bool any);
uint32_t model_session_dedup(const struct model_step *session);
/* Commits or seals, and says so to the model when that is done. */
enum aimg_status model_run_publish(struct model_run *run, bool seal, uint32_t message, struct aimg_error *error);

void model_follower_close(struct model_follower *follower);
bool model_follower_refresh(struct model_run *run, bool without_map);

model_step_fn model_step_create, model_step_reopen, model_step_kill, model_step_crash, model_step_fail, model_step_compact;
model_step_fn model_step_add, model_step_replace, model_step_attach, model_step_many, model_step_remove, model_step_rename,
    model_step_column, model_step_meta, model_step_train, model_step_set, model_step_array;
model_step_fn model_step_commit, model_step_seal, model_step_refresh, model_step_travel, model_step_changes;

#endif
