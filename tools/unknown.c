/* SPDX-License-Identifier: Apache-2.0 */
#include "unknown.h"

#include "json.h"
#include "output.h"

#include <inttypes.h>

bool unknown_add(struct unknown *unknown, const char *path, uint64_t line, const char *name, size_t name_bytes)
{
    if (unknown->count < UNKNOWN_SHOWN)
        output_error("%s:%" PRIu64 ": the archive has no image '%.*s'", path, line, (int)name_bytes, name);
    unknown->count++;
    return unknown->names == NULL || json_array_append_new(unknown->names, json_from_text(name, name_bytes)) == 0;
}

void unknown_report(const struct unknown *unknown, const char *path, const char *what_now, const char *where_all)
{
    char count[32], more[32];

    if (unknown->count == 0)
        return;
    output_count(unknown->count, count, sizeof count);
    if (unknown->count <= UNKNOWN_SHOWN)
        output_error("%s: %s %s not in the archive; %s", path, count, unknown->count == 1 ? "name is" : "names are", what_now);
    else
        output_error("%s: %s names are not in the archive; %s (%s more than are listed here%s%s)", path, count, what_now,
                     output_count(unknown->count - UNKNOWN_SHOWN, more, sizeof more), where_all != NULL ? "; " : "",
                     where_all != NULL ? where_all : "");
}
