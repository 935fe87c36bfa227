/* SPDX-License-Identifier: Apache-2.0 */
/* Reads images of an archive in random order, by number and by name, and compares some with the files they came from:
 * random_reads ARCHIVE FOLDER READS COMPARES. Uses nothing but the public library. */
#include <aimg/aimg.h>

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct text {
    char *bytes;
    size_t length;
};

struct sample {
    struct aimg_reader *reader;
    uint64_t image_count;
    struct text *names;  /* by position */
    uint64_t *positions; /* in the order of reading */
    uint64_t read_count;
    unsigned char *buffer;
    uint64_t buffer_bytes; /* the largest image fits */
    struct aimg_error error;
};

/* One way of reading an image; puts out its bytes. */
typedef enum aimg_status read_fn(struct sample *sample, uint64_t position, uint64_t *bytes_out);

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* splitmix64: the same order in every run. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static void *must_alloc(uint64_t count, size_t each)
{
    void *memory = calloc(count ? count : 1, each);
    if (memory == NULL) {
        fprintf(stderr, "random_reads: out of memory for %" PRIu64 " pieces of %zu bytes\n", count, each);
        exit(3);
    }
    return memory;
}

static enum aimg_status load_names(struct sample *sample)
{
    struct aimg_names *names = NULL;
    struct aimg_listed listed;
    enum aimg_status status = aimg_names_create(sample->reader, 0, &names, &sample->error);
    while (status == AIMG_OK && (status = aimg_names_next(names, &listed, &sample->error)) == AIMG_OK) {
        struct text *name = &sample->names[listed.position];
        struct aimg_entry entry;
        name->length = listed.name_bytes;
        name->bytes = must_alloc(listed.name_bytes + 1, 1);
        memcpy(name->bytes, listed.name, listed.name_bytes);
        status = aimg_reader_entry(sample->reader, listed.ordinal, &entry, &sample->error);
        if (status == AIMG_OK && entry.raw_bytes > sample->buffer_bytes)
            sample->buffer_bytes = entry.raw_bytes;
    }
    aimg_names_destroy(names);
    return status == AIMG_END ? AIMG_OK : status;
}

static enum aimg_status open_sample(struct sample *sample, const char *path, uint64_t read_count)
{
    uint64_t state = 1;
    enum aimg_status status = aimg_reader_open(path, NULL, &sample->reader, &sample->error);
    if (status != AIMG_OK)
        return status;
    sample->image_count = aimg_reader_count(sample->reader);
    sample->names = must_alloc(sample->image_count, sizeof(struct text));
    status = load_names(sample);
    if (status != AIMG_OK)
        return status;
    sample->buffer = must_alloc(sample->buffer_bytes, 1);
    sample->read_count = read_count;
    sample->positions = must_alloc(read_count, sizeof(uint64_t));
    for (uint64_t i = 0; sample->image_count > 0 && i < sample->read_count; i++)
        sample->positions[i] = next_random(&state) % sample->image_count;
    return AIMG_OK;
}

static void close_sample(struct sample *sample)
{
    for (uint64_t i = 0; sample->names != NULL && i < sample->image_count; i++)
        free(sample->names[i].bytes);
    free(sample->names);
    free(sample->positions);
    free(sample->buffer);
    aimg_reader_close(sample->reader);
}

static enum aimg_status copy_by_number(struct sample *sample, uint64_t position, uint64_t *bytes_out)
{
    uint32_t ordinal;
    enum aimg_status status = aimg_reader_ordinal_at(sample->reader, position, &ordinal, &sample->error);
    if (status == AIMG_OK)
        status = aimg_reader_read(sample->reader, ordinal, 0, sample->buffer, sample->buffer_bytes, bytes_out, &sample->error);
    return status;
}

static enum aimg_status copy_by_name(struct sample *sample, uint64_t position, uint64_t *bytes_out)
{
    const struct text *name = &sample->names[position];
    uint32_t ordinal;
    enum aimg_status status = aimg_reader_find(sample->reader, name->bytes, name->length, &ordinal, &sample->error);
    if (status == AIMG_OK)
        status = aimg_reader_read(sample->reader, ordinal, 0, sample->buffer, sample->buffer_bytes, bytes_out, &sample->error);
    return status;
}

static enum aimg_status borrow_by_number(struct sample *sample, uint64_t position, uint64_t *bytes_out)
{
    uint32_t ordinal;
    struct aimg_bytes bytes;
    enum aimg_status status = aimg_reader_ordinal_at(sample->reader, position, &ordinal, &sample->error);
    if (status == AIMG_OK)
        status = aimg_reader_borrow(sample->reader, ordinal, AIMG_READ_VERIFY, &bytes, &sample->error);
    if (status == AIMG_OK)
        *bytes_out = bytes.bytes;
    return status;
}

static enum aimg_status borrow_by_name(struct sample *sample, uint64_t position, uint64_t *bytes_out)
{
    const struct text *name = &sample->names[position];
    struct aimg_bytes bytes;
    enum aimg_status status =
        aimg_reader_borrow_name(sample->reader, name->bytes, name->length, AIMG_READ_VERIFY, &bytes, &sample->error);
    if (status == AIMG_OK)
        *bytes_out = bytes.bytes;
    return status;
}

static enum aimg_status read_all(struct sample *sample, read_fn *read_one, uint64_t *bytes_out)
{
    uint64_t total = 0, bytes = 0;
    for (uint64_t i = 0; i < sample->read_count; i++) {
        enum aimg_status status = read_one(sample, sample->positions[i], &bytes);
        if (status != AIMG_OK)
            return status;
        total += bytes;
    }
    *bytes_out = total;
    return AIMG_OK;
}

/* Prints one line of the table. The second of two passes counts, so that each way of reading finds the file in memory. */
static enum aimg_status measure(struct sample *sample, const char *what, read_fn *read_one)
{
    uint64_t bytes = 0;
    enum aimg_status status = read_all(sample, read_one, &bytes);
    uint64_t begin = now_ns();
    if (status == AIMG_OK)
        status = read_all(sample, read_one, &bytes);
    if (status != AIMG_OK)
        return status;
    double seconds = (double)(now_ns() - begin + 1) / 1e9;
    double count = (double)sample->read_count;
    printf("  %-32s %10.0f images/s %8.0f ns/image %8.0f MB/s\n", what, count / seconds, seconds * 1e9 / count,
           (double)bytes / 1e6 / seconds);
    return AIMG_OK;
}

/* Whether the file holds exactly the bytes in the buffer; says what is wrong. */
static bool same_as_file(const char *path, const unsigned char *expected, uint64_t bytes)
{
    FILE *file = fopen(path, "rb");
    bool same = false;
    if (file == NULL) {
        fprintf(stderr, "random_reads: %s: cannot open the source file: %s\n", path, strerror(errno));
        return false;
    }
    unsigned char *found = must_alloc(bytes + 1, 1);
    size_t got = fread(found, 1, bytes + 1, file);
    same = got == bytes && memcmp(found, expected, bytes) == 0;
    if (!same)
        fprintf(stderr, "random_reads: %s: the archive holds other bytes than the source file\n", path);
    free(found);
    fclose(file);
    return same;
}

/* Compares the first `count` images of the random order with their files; how many were equal. */
static enum aimg_status compare(struct sample *sample, const char *folder, uint64_t count, uint64_t *equal_out)
{
    *equal_out = 0;
    for (uint64_t i = 0; i < count; i++) {
        const struct text *name = &sample->names[sample->positions[i]];
        size_t room = strlen(folder) + name->length + 2;
        char *path = must_alloc(room, 1);
        uint64_t bytes = 0;
        enum aimg_status status = copy_by_name(sample, sample->positions[i], &bytes);
        snprintf(path, room, "%s/%s", folder, name->bytes);
        if (status == AIMG_OK && same_as_file(path, sample->buffer, bytes))
            *equal_out += 1;
        free(path);
        if (status != AIMG_OK)
            return status;
    }
    return AIMG_OK;
}

static int run(struct sample *sample, char **argv)
{
    uint64_t compare_count = strtoull(argv[4], NULL, 10), equal = 0;
    enum aimg_status status = open_sample(sample, argv[1], strtoull(argv[3], NULL, 10));
    if (status == AIMG_OK && (sample->image_count == 0 || sample->read_count == 0)) {
        fprintf(stderr, "random_reads: %s: nothing to read: %" PRIu64 " images in the archive\n", argv[1], sample->image_count);
        return 1;
    }
    if (status == AIMG_OK)
        status = measure(sample, "by number, copied and checked", copy_by_number);
    if (status == AIMG_OK)
        status = measure(sample, "by name, copied and checked", copy_by_name);
    if (status == AIMG_OK)
        status = measure(sample, "by number, in place and checked", borrow_by_number);
    if (status == AIMG_OK)
        status = measure(sample, "by name, in place and checked", borrow_by_name);
    if (compare_count > sample->read_count)
        compare_count = sample->read_count;
    if (status == AIMG_OK)
        status = compare(sample, argv[2], compare_count, &equal);
    if (status != AIMG_OK) {
        fprintf(stderr, "random_reads: %s: %s: %s\n", argv[1], aimg_status_text(status), sample->error.message);
        return 1;
    }
    printf("  %" PRIu64 " of %" PRIu64 " compared with their source files are equal\n", equal, compare_count);
    return equal == compare_count ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct sample sample = {0};
    if (argc != 5) {
        fprintf(stderr, "usage: random_reads ARCHIVE FOLDER READS COMPARES\n");
        return 2;
    }
    int code = run(&sample, argv);
    close_sample(&sample);
    return code;
}
