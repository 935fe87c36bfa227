/* SPDX-License-Identifier: Apache-2.0 */
/* The limits: a flat file whose places are known. */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cold.h"
#include "files.h"

const char *cold_flat_path(const struct cold_files *files)
{
    return files->flat_path;
}

static double read_with_pread(const struct cold_files *files, const uint32_t *order, size_t count, int advice)
{
    uint64_t sum = 0;
    uint8_t *buffer = bench_alloc(1, COLD_IMAGE_BYTES);
    int fd = files_open(files->flat_path);
    posix_fadvise(fd, 0, 0, advice);
    double begin = bench_now();
    for (size_t i = 0; i < count; i++) {
        struct flat_place place = files->places[order[i]];
        if (pread(fd, buffer, place.bytes, (off_t)place.offset) != (ssize_t)place.bytes)
            bench_die("pread: %s", strerror(errno));
        sum += bench_touch(buffer, place.bytes);
    }
    double seconds = bench_now() - begin;
    bench_sink += sum;
    close(fd);
    free(buffer);
    return seconds;
}

static double run_pread(const struct cold_files *files, const uint32_t *order, size_t count)
{
    return read_with_pread(files, order, count, POSIX_FADV_NORMAL);
}

static double run_pread_random(const struct cold_files *files, const uint32_t *order, size_t count)
{
    return read_with_pread(files, order, count, POSIX_FADV_RANDOM);
}

static double read_map(const struct cold_files *files, const uint32_t *order, size_t count, int announce)
{
    size_t bytes = 0;
    uint64_t sum = 0;
    const uint8_t *map = files_map(files->flat_path, &bytes);
    double begin = bench_now();
    for (size_t i = 0; i < count; i++) {
        struct flat_place place = files->places[order[i]];
        uint64_t page = place.offset & ~(uint64_t)4095;
        if (announce && madvise((void *)(map + page), place.offset - page + place.bytes, MADV_WILLNEED))
            bench_die("madvise: %s", strerror(errno));
        sum += bench_touch(map + place.offset, place.bytes);
    }
    double seconds = bench_now() - begin;
    bench_sink += sum;
    munmap((void *)map, bytes);
    return seconds;
}

static double run_map(const struct cold_files *files, const uint32_t *order, size_t count)
{
    return read_map(files, order, count, 0);
}

static double run_map_announced(const struct cold_files *files, const uint32_t *order, size_t count)
{
    return read_map(files, order, count, 1);
}

struct ring {
    struct io_uring uring;
    int fd;
    uint8_t *buffers[COLD_DEPTH];
    const struct cold_files *files;
};

static void submit(struct ring *ring, unsigned slot, uint32_t image)
{
    struct io_uring_sqe *entry = io_uring_get_sqe(&ring->uring);
    struct flat_place place = ring->files->places[image];
    io_uring_prep_read(entry, ring->fd, ring->buffers[slot], (unsigned)place.bytes, place.offset);
    io_uring_sqe_set_data64(entry, slot);
    io_uring_submit(&ring->uring);
}

static uint64_t drain(struct ring *ring, const uint32_t *order, size_t count)
{
    uint64_t sum = 0;
    size_t sent = 0;
    for (; sent < COLD_DEPTH && sent < count; sent++)
        submit(ring, (unsigned)sent, order[sent]);
    for (size_t done = 0; done < count; done++) {
        struct io_uring_cqe *answer;
        if (io_uring_wait_cqe(&ring->uring, &answer) || answer->res != (int)COLD_IMAGE_BYTES)
            bench_die("io_uring: a read failed");
        unsigned slot = (unsigned)io_uring_cqe_get_data64(answer);
        io_uring_cqe_seen(&ring->uring, answer);
        sum += bench_touch(ring->buffers[slot], COLD_IMAGE_BYTES);
        if (sent < count)
            submit(ring, slot, order[sent++]);
    }
    return sum;
}

static double run_uring(const struct cold_files *files, const uint32_t *order, size_t count)
{
    struct ring ring = {.files = files};
    int failed = io_uring_queue_init(COLD_DEPTH, &ring.uring, 0);
    if (failed)
        bench_die("io_uring is not to be had here: %s", strerror(-failed));
    ring.fd = files_open(files->flat_path);
    posix_fadvise(ring.fd, 0, 0, POSIX_FADV_RANDOM);
    for (unsigned i = 0; i < COLD_DEPTH; i++)
        ring.buffers[i] = bench_alloc(1, COLD_IMAGE_BYTES);
    double begin = bench_now();
    bench_sink += drain(&ring, order, count);
    double seconds = bench_now() - begin;
    for (unsigned i = 0; i < COLD_DEPTH; i++)
        free(ring.buffers[i]);
    close(ring.fd);
    io_uring_queue_exit(&ring.uring);
    return seconds;
}

const struct cold_way cold_pread = {"flat file, pread", 0, cold_flat_path, run_pread};
const struct cold_way cold_pread_random = {"flat file, pread, random advice", 0, cold_flat_path, run_pread_random};
const struct cold_way cold_map = {"flat file, map", 1, cold_flat_path, run_map};
const struct cold_way cold_map_announced = {"flat file, map, WILLNEED a read", 0, cold_flat_path, run_map_announced};
const struct cold_way cold_uring = {"flat file, io_uring, 64 deep", 0, cold_flat_path, run_uring};
