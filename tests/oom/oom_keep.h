/* SPDX-License-Identifier: Apache-2.0 */
/* Other names, references to what has one, metadata, and what the archive tells of them, as far as there is memory. */
#ifndef AIMG_TEST_OOM_KEEP_H
#define AIMG_TEST_OOM_KEEP_H

#include <aimg/aimg.h>
#include <stdbool.h>

/* The changes of the first and of a second commit to an image, whose ordinal changes with its names. What fails for want of
 * memory is tried once more; a handle that died of it counts as OUT_OF_MEMORY. */
enum aimg_status oom_keep_first(struct aimg_writer *writer, uint32_t *ordinal, struct aimg_error *error);
enum aimg_status oom_keep_second(struct aimg_writer *writer, uint32_t *ordinal, struct aimg_error *error);

/* What there was memory to read: whether it is right. since: the commit before the first. */
bool oom_keep_is_right(const struct aimg_reader *reader, uint32_t ordinal, uint64_t since, uint64_t removed_in_all);

#endif
