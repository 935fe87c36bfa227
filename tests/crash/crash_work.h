/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of a program that writes, each with what it promises. After a failure the rest of a program's steps do nothing. */
#ifndef AIMG_TEST_CRASH_WORK_H
#define AIMG_TEST_CRASH_WORK_H

#include "crash_model.h"
#include "writer.h"

/* Which file the name of the archive leads to after a power cut, while another is put in its place. */
enum named { NAMED_THIS, NAMED_OTHER, NAMED_EITHER };

/* The disk as the power cut finds it, and what must be found on it. */
struct crash_run {
    struct fake_disk disk;
    struct promise promise;
    unsigned sessions;
    bool same_salt;
    uint32_t dedup;                     /* of all sessions from now on */
    uint32_t compress;                  /* the same */
    uint32_t flags;                     /* the same, of the writer */
    void (*meddle)(struct aimg_io *io); /* NULL, or changes what a session's calls do */
    bool skip_rename_sync;
    bool refused; /* a program after the scenario could not go on */
    enum named named;
    const struct crash_run *other; /* the file that had the name before */
    bool other_good;               /* it is what may be found, until the new name is promised */
};

/* A writer between open and close, and the archive as it will be after the next commit. */
struct work {
    struct crash_run *run;
    struct aimg_writer *writer;
    struct model next;
    uint32_t mood; /* column */
    bool dead;
    struct aimg_error error;
};

void work_create(struct work *work, struct crash_run *run);
/* Opens what is there. What is seen then is what there is: nothing else may come back. */
void work_open(struct work *work, struct crash_run *run);
void work_close(struct work *work);
void work_commit(struct work *work, const char *message);
void work_seal(struct work *work, const char *message);

void work_add(struct work *work, const char *name, uint32_t content, uint32_t flags);
/* PREFIX/FIRST.jpg and so on, each with its number as content. */
void work_add_some(struct work *work, const char *prefix, uint32_t first, uint32_t count);
void work_remove(struct work *work, const char *name);
void work_rename(struct work *work, const char *name, const char *to);

void work_score(struct work *work, uint32_t position, uint32_t score); /* 0: none any more */
void work_scores(struct work *work, uint32_t score);                   /* of all images, whose ordinals are their positions */
void work_note(struct work *work, uint32_t position, uint32_t note);
void work_mood(struct work *work, uint32_t position, uint32_t mood);
/* An attachment, and the image that refers to it. */
void work_attach(struct work *work, uint32_t position, uint32_t content);
void work_title(struct work *work, const char *title);
/* Aborts unless so many images share the bytes of others, as long as nothing failed. */
void work_expect_twins(const struct work *work, uint64_t expected);

#endif
