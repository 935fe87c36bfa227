/* SPDX-License-Identifier: Apache-2.0 */
/* Content that is there already, without memory. */
#ifndef AIMG_TEST_OOM_DEDUP_H
#define AIMG_TEST_OOM_DEDUP_H

#include <aimg/aimg.h>

/* Adds the content under `count` names that begin with the prefix; it must be found each time. What fails for want of memory is
 * tried once more as long as the writer lives. CORRUPT when it was stored anew. */
enum aimg_status oom_dedup(struct aimg_writer *writer, uint32_t content, const char *prefix, unsigned count,
                           struct aimg_error *error);

#endif
