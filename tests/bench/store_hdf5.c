/* SPDX-License-Identifier: Apache-2.0 */
/* HDF5 as it serves this work best: all bytes in one dataset, their offsets in another. */
#include <fcntl.h>
#include <hdf5.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "files.h"
#include "store.h"

struct builder {
    char *path;
    hid_t file, data, space;
    uint64_t *offsets;
    size_t count;
};

struct reader {
    hid_t file, data, space;
    uint64_t *offsets;
    uint8_t *buffer;
};

/* Debian's library is not safe for threads. */
static pthread_mutex_t library = PTHREAD_MUTEX_INITIALIZER;

static void check(long long result, const char *what)
{
    if (result < 0)
        bench_die("HDF5: %s failed", what);
}

static hid_t create_dataset(hid_t file, const char *name, hid_t type, hsize_t count)
{
    hid_t space = H5Screate_simple(1, &count, NULL);
    hid_t data = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    check(data, name);
    H5Sclose(space);
    return data;
}

static void *create(const char *path, const struct store_plan *plan)
{
    struct builder *b = bench_alloc(1, sizeof *b);
    b->path = bench_text("%s", path);
    b->file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    check(b->file, path);
    b->data = create_dataset(b->file, "data", H5T_NATIVE_UINT8, plan->data_bytes);
    b->space = H5Dget_space(b->data);
    b->offsets = bench_alloc(plan->count + 1, sizeof *b->offsets);
    return b;
}

static void put(void *builder, const struct store_item *item)
{
    struct builder *b = builder;
    hsize_t begin = b->offsets[b->count];
    hsize_t bytes = item->bytes;
    hid_t memory = H5Screate_simple(1, &bytes, NULL);
    check(H5Sselect_hyperslab(b->space, H5S_SELECT_SET, &begin, NULL, &bytes, NULL), "select");
    check(H5Dwrite(b->data, H5T_NATIVE_UINT8, memory, b->space, H5P_DEFAULT, item->data), "write");
    H5Sclose(memory);
    b->offsets[++b->count] = begin + bytes;
}

static void finish(void *builder)
{
    struct builder *b = builder;
    hid_t offsets = create_dataset(b->file, "offsets", H5T_NATIVE_UINT64, b->count + 1);
    check(H5Dwrite(offsets, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, b->offsets), "write");
    H5Dclose(offsets);
    H5Sclose(b->space);
    H5Dclose(b->data);
    check(H5Fclose(b->file), "close");
    int fd = files_open(b->path);
    fdatasync(fd);
    close(fd);
    free(b->offsets);
    free(b->path);
    free(b);
}

static void *open_reader(const char *path, void *first)
{
    struct reader *r = bench_alloc(1, sizeof *r);
    hsize_t count = 0;
    uint64_t largest = 0;
    (void)first;
    r->file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    check(r->file, path);
    r->data = H5Dopen2(r->file, "data", H5P_DEFAULT);
    r->space = H5Dget_space(r->data);
    hid_t offsets = H5Dopen2(r->file, "offsets", H5P_DEFAULT);
    hid_t space = H5Dget_space(offsets);
    H5Sget_simple_extent_dims(space, &count, NULL);
    r->offsets = bench_alloc(count, sizeof *r->offsets);
    check(H5Dread(offsets, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, r->offsets), "read");
    H5Sclose(space);
    H5Dclose(offsets);
    for (size_t i = 0; i + 1 < count; i++)
        largest = r->offsets[i + 1] - r->offsets[i] > largest ? r->offsets[i + 1] - r->offsets[i] : largest;
    r->buffer = bench_alloc(1, largest);
    return r;
}

struct span hdf5_at(void *state, size_t index)
{
    struct reader *r = state;
    hsize_t begin = r->offsets[index];
    hsize_t bytes = r->offsets[index + 1] - begin;
    pthread_mutex_lock(&library);
    hid_t memory = H5Screate_simple(1, &bytes, NULL);
    H5Sselect_hyperslab(r->space, H5S_SELECT_SET, &begin, NULL, &bytes, NULL);
    check(H5Dread(r->data, H5T_NATIVE_UINT8, memory, r->space, H5P_DEFAULT, r->buffer), "read");
    H5Sclose(memory);
    pthread_mutex_unlock(&library);
    return (struct span){r->buffer, (size_t)bytes};
}

static void close_reader(void *state)
{
    struct reader *r = state;
    H5Sclose(r->space);
    H5Dclose(r->data);
    H5Fclose(r->file);
    free(r->offsets);
    free(r->buffer);
    free(r);
}

const struct store store_hdf5 = {"hdf5", "hdf5",      "HDF5, flat bytes and offsets", create, put, finish, open_reader,
                                 NULL,   close_reader};
