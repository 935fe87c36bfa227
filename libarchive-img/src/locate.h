/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the last commit, SPEC.md section 4.3. Reads with read_at only, never through a map. */
#ifndef AIMG_SRC_LOCATE_H
#define AIMG_SRC_LOCATE_H

#include "commit.h"
#include "frame.h"
#include "io.h"

struct aimg_located {
    struct aimg_header header;
    uint64_t file_bytes;
    bool empty;                     /* no commit yet */
    struct aimg_commit_page commit; /* the last one, unless empty */
    uint64_t end;                   /* of the commit, or of the head */
    uint64_t hinted_end; /* end of the commit that the hints named, or of the head; what lies between it and `end` was found by
                            walking */
    bool stale_hint;     /* a valid hint names a commit behind the end of the file, and that was allowed */
    bool hint_refuted;   /* or one whose page is damaged */
};

/* allow_truncated: take the last whole commit although a hint says that there was a later one. */
enum aimg_status aimg_locate(struct aimg_io *io, bool allow_truncated, struct aimg_located *located, struct aimg_error *error);

/* The same from a commit on that is known: sees only what came after. */
enum aimg_status aimg_locate_newer(struct aimg_io *io, bool allow_truncated, struct aimg_located *located,
                                   struct aimg_error *error);

/* Goes back to the commit of that number. */
enum aimg_status aimg_locate_seq(struct aimg_io *io, uint64_t seq, struct aimg_located *located, struct aimg_error *error);

/* Whether a commit is the one after the last that is known. */
bool aimg_commit_follows(const struct aimg_located *located, const struct aimg_commit_page *next);

/* Reads and checks a commit page. */
enum aimg_status aimg_commit_read(struct aimg_io *io, const struct aimg_header *header, uint64_t offset,
                                  struct aimg_commit_page *commit, struct aimg_error *error);

#endif
