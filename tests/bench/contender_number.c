/* SPDX-License-Identifier: Apache-2.0 */
/* Reading by number: the limit (an array of offsets over a mapped file), HDF5, and plain files. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "contender.h"
#include "files.h"
#include "flat.h"

struct numbered {
    struct flat *flat;
    const uint8_t *base;
    struct flat_place *places;
    int shared;
};

static void *flat_number_open(const struct contender *contender, const struct set *set, const char *path, void *first)
{
    struct numbered *n = bench_alloc(1, sizeof *n);
    (void)contender;
    if (first) {
        *n = *(struct numbered *)first;
        n->shared = 1;
        return n;
    }
    n->flat = flat_open(path, 0);
    n->base = flat_base(n->flat);
    n->places = bench_alloc(set->count, sizeof *n->places);
    for (size_t i = 0; i < set->count; i++)
        n->places[i] = flat_place(n->flat, set->names[i], set->name_bytes[i]);
    return n;
}

static struct span flat_number_get(void *state, uint32_t index)
{
    const struct numbered *n = state;
    return (struct span){n->base + n->places[index].offset, n->places[index].bytes};
}

static void flat_number_close(void *state)
{
    struct numbered *n = state;
    if (!n->shared) {
        flat_close(n->flat);
        free(n->places);
    }
    free(n);
}

const struct contender contender_flat_number = {
    "limit: flat file, offset array, mapped", "flat", NULL, flat_number_open, flat_number_get, NULL, flat_number_close,
};

static void *hdf5_open(const struct contender *contender, const struct set *set, const char *path, void *first)
{
    (void)contender, (void)set;
    return store_hdf5.open(path, first);
}

static struct span hdf5_get(void *state, uint32_t index)
{
    return hdf5_at(state, index);
}

static void hdf5_close(void *state)
{
    store_hdf5.close(state);
}

const struct contender contender_hdf5 = {"HDF5, flat bytes and offsets", "hdf5", NULL, hdf5_open, hdf5_get, NULL, hdf5_close};

struct folder {
    int root; /* names are opened below it: a long path would be no fault of the file system's */
    const char *const *names;
    uint8_t *buffer;
    size_t buffer_bytes;
};

static void *files_contender_open(const struct contender *contender, const struct set *set, const char *path, void *first)
{
    struct folder *folder = bench_alloc(1, sizeof *folder);
    (void)contender, (void)path, (void)first;
    *folder = (struct folder){files_open(set->root), set->names, bench_alloc(1, set->largest_bytes), set->largest_bytes};
    return folder;
}

static struct span files_contender_get(void *state, uint32_t index)
{
    const struct folder *folder = state;
    struct stat st;
    int fd = openat(folder->root, folder->names[index], O_RDONLY);
    if (fd < 0 || fstat(fd, &st) || (size_t)st.st_size > folder->buffer_bytes)
        bench_die("%s: %s", folder->names[index], strerror(errno));
    size_t bytes = (size_t)st.st_size;
    if (read(fd, folder->buffer, bytes) != (ssize_t)bytes)
        bench_die("%s: %s", folder->names[index], strerror(errno));
    close(fd);
    return (struct span){folder->buffer, bytes};
}

static void files_contender_close(void *state)
{
    struct folder *folder = state;
    close(folder->root);
    free(folder->buffer);
    free(folder);
}

const struct contender contender_files = {
    "file: open, fstat, read, close", "directory", NULL, files_contender_open, files_contender_get, NULL, files_contender_close,
};
