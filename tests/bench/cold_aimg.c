/* SPDX-License-Identifier: Apache-2.0 */
#include <aimg/aimg.h>
#include <stdlib.h>

#include "cold.h"

static const char *aimg_path(const struct cold_files *files)
{
    return files->aimg_path;
}

static struct aimg_reader *open_reader(const struct cold_files *files)
{
    struct aimg_reader *reader = NULL;
    struct aimg_error error;
    if (aimg_reader_open(files->aimg_path, NULL, &reader, &error))
        bench_die("aimg: %s", error.message);
    return reader;
}

static void announce(const struct aimg_reader *reader, const uint32_t *ordinals, size_t count)
{
    struct aimg_error error;
    if (aimg_reader_prefetch(reader, ordinals, count, &error))
        bench_die("aimg: %s", error.message);
}

static uint64_t borrow(const struct aimg_reader *reader, uint32_t ordinal)
{
    struct aimg_bytes bytes;
    struct aimg_error error;
    if (aimg_reader_borrow(reader, ordinal, 0, &bytes, &error))
        bench_die("aimg: %s", error.message);
    return bench_touch(bytes.data, (size_t)bytes.bytes);
}

/* ahead: how many reads before its own each image is announced; 0: never. With 1, just before it is read. */
static double read_ahead(const struct cold_files *files, const uint32_t *order, size_t count, size_t ahead)
{
    struct aimg_reader *reader = open_reader(files);
    uint64_t sum = 0;
    double begin = bench_now();
    if (ahead > 1)
        announce(reader, order, ahead - 1 < count ? ahead - 1 : count);
    for (size_t i = 0; i < count; i++) {
        if (ahead && i + ahead - 1 < count)
            announce(reader, order + i + ahead - 1, 1);
        sum += borrow(reader, order[i]);
    }
    double seconds = bench_now() - begin;
    bench_sink += sum;
    aimg_reader_close(reader);
    return seconds;
}

static double run_plain(const struct cold_files *files, const uint32_t *order, size_t count)
{
    return read_ahead(files, order, count, 0);
}

static double run_announced(const struct cold_files *files, const uint32_t *order, size_t count)
{
    return read_ahead(files, order, count, 1);
}

static double run_window(const struct cold_files *files, const uint32_t *order, size_t count)
{
    return read_ahead(files, order, count, COLD_DEPTH);
}

static double run_copy(const struct cold_files *files, const uint32_t *order, size_t count)
{
    struct aimg_reader *reader = open_reader(files);
    uint8_t *buffer = bench_alloc(1, COLD_IMAGE_BYTES);
    uint64_t sum = 0;
    double begin = bench_now();
    for (size_t i = 0; i < count; i++) {
        struct aimg_error error;
        uint64_t bytes = 0;
        if (aimg_reader_read(reader, order[i], 0, buffer, COLD_IMAGE_BYTES, &bytes, &error))
            bench_die("aimg: %s", error.message);
        sum += bench_touch(buffer, (size_t)bytes);
    }
    double seconds = bench_now() - begin;
    bench_sink += sum;
    free(buffer);
    aimg_reader_close(reader);
    return seconds;
}

const struct cold_way cold_aimg_plain = {"aimg, not announced", 1, aimg_path, run_plain};
const struct cold_way cold_aimg_announced = {"aimg, announced", 0, aimg_path, run_announced};
const struct cold_way cold_aimg_window = {"aimg, announced 64 ahead", 0, aimg_path, run_window};
const struct cold_way cold_aimg_copy = {"aimg, copying read, verified", 0, aimg_path, run_copy};
