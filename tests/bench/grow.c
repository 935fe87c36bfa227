/* SPDX-License-Identifier: Apache-2.0 */
#include "grow.h"

#include <stdlib.h>

#include "archive.h"
#include "files.h"
#include "scale.h"

#define LARGE_COUNT       10000000
#define QUICK_LARGE_COUNT 100000

size_t grow_large_count(const struct bench_options *options)
{
    if (options->scale_count)
        return options->scale_count;
    return options->full ? LARGE_COUNT : QUICK_LARGE_COUNT;
}

static char *folder(const struct bench_options *options)
{
    return bench_text("%s/grow", options->work);
}

/* A run that was stopped may have left one that has more. */
static int is_there(const char *path, size_t count)
{
    if (!files_bytes(path))
        return 0;
    struct aimg_reader *reader = archive_open(path);
    int same = aimg_reader_count(reader) == count;
    aimg_reader_close(reader);
    return same;
}

char *grow_archive(const struct bench_options *options, size_t count)
{
    char *directory = folder(options);
    char *path = scale_path(directory, &store_aimg, count);
    files_make_directory(directory);
    if (!is_there(path, count))
        scale_build(&store_aimg, path, count);
    files_settle(path);
    free(directory);
    return path;
}

void grow_clean(const struct bench_options *options)
{
    char *directory = folder(options);
    files_remove(directory);
    free(directory);
}
