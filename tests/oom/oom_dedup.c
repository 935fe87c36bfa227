/* SPDX-License-Identifier: Apache-2.0 */
#include "oom_dedup.h"

#include "sample.h"

#include <stdio.h>

enum aimg_status oom_dedup(struct aimg_writer *writer, uint32_t content, const char *prefix, unsigned count,
                           struct aimg_error *error)
{
    uint64_t before, after, bytes;
    char name[24];
    aimg_writer_deduplicated(writer, &before, &bytes);
    for (unsigned i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s%u", prefix, i);
        enum aimg_status status = sample_add(writer, name, content, 0, NULL, error);
        if (status == AIMG_OUT_OF_MEMORY)
            status = sample_add(writer, name, content, 0, NULL, error);
        if (status != AIMG_OK)
            return status == AIMG_SEQUENCE ? AIMG_OUT_OF_MEMORY : status;
    }
    aimg_writer_deduplicated(writer, &after, &bytes);
    return after - before == count ? AIMG_OK : AIMG_CORRUPT;
}
