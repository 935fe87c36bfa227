/* SPDX-License-Identifier: Apache-2.0 */
/* Writers as pack and add open them. */
#ifndef AIMG_TOOLS_WRITING_H
#define AIMG_TOOLS_WRITING_H

#include "ingest_options.h"
#include "part.h"

/* Print what is wrong; return an exit_code. digest: of the input, for results that are to be reproducible. */
int writing_create(const char *path, const struct ingest_options *options, const uint64_t digest[2],
                   struct aimg_writer **writer_out);
/* Also tells of a torn tail that was cut off. *status_out: what the exit_code was made of. For pack, which does not wait. */
int writing_open(const char *path, const struct ingest_options *options, struct aimg_writer **writer_out,
                 enum aimg_status *status_out);

/* As the archive's one writer, for verbs that only hold it or change what is in it. wait: for another writer to be done. */
int writing_hold(const char *path, bool wait, struct aimg_writer **writer_out);

/* Sixteen bytes that make what is derived from an archive at some time the same whenever it is done again. */
void writing_seed(const char *path, uint64_t time_ns, uint8_t seed_out[16]);

/* As writing_open, and which file it is, for writing_confirm; it waits when that is asked for, and else says that it could. */
int writing_open_as(const char *path, const struct ingest_options *options, struct aimg_writer **writer_out,
                    enum aimg_status *status_out, struct part_identity *identity_out);

/* What a writer says while it adds or commits: as output_status, but a limit means that the archive is full, not that it is
 * damaged. */
int writing_failed(const char *path, enum aimg_status status, const struct aimg_error *error);

/* Commits and listed images of the last committed state. */
void writing_state(const struct aimg_writer *writer, uint64_t *commits_out, uint64_t *images_out);
int writing_close(struct aimg_writer *writer, const char *path);

/* After a commit: a file that has lost its name takes what is committed into it as any other does. identity: of the file that was
 * opened. Prints what is wrong; returns an exit_code. */
int writing_confirm(const struct part_identity *identity, const char *path);

#endif
