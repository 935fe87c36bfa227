/* SPDX-License-Identifier: Apache-2.0 */
#include "unknown.h"

#include "buffer.h"
#include "output.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void unknown_add(struct unknown *unknown, const char *path, uint64_t line, const char *name, size_t name_bytes)
{
    if (unknown->count < UNKNOWN_SHOWN) {
        unknown->names[unknown->count] = buffer_text(name, name_bytes);
        output_error("%s:%" PRIu64 ": the archive has no image '%.*s'", path, line, (int)name_bytes, name);
    }
    unknown->count++;
}

void unknown_report(const struct unknown *unknown, const char *path, const char *what_now)
{
    char count[32];

    if (unknown->count > 0)
        output_error("%s: %s %s not in the archive; %s", path, output_count(unknown->count, count, sizeof count),
                     unknown->count == 1 ? "name is" : "names are", what_now);
}

void unknown_free(struct unknown *unknown)
{
    for (size_t i = 0; i < UNKNOWN_SHOWN; i++)
        free(unknown->names[i]);
    *unknown = (struct unknown){.count = 0};
}
