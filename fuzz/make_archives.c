/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes small archives of different kinds, from which fuzzing begins. The place for a further kind of seed.
 *
 *   make_archives DIRECTORY
 */
#include <aimg/aimg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct aimg_error error;
static const char *directory;

static void require(int condition)
{
    if (condition)
        return;
    fprintf(stderr, "make_archives: %s\n", error.message);
    exit(1);
}

static struct aimg_writer *create(const char *name, uint32_t compress, uint32_t alignment)
{
    static const uint8_t seed[16] = "archives to fuzz";
    struct aimg_writer_options options = {
        .struct_bytes = sizeof options, .alignment = alignment, .compress = compress, .time_ns = 1, .seed = seed};
    struct aimg_writer *writer = NULL;
    char path[1024];
    snprintf(path, sizeof path, "%s/%s.aimg", directory, name);
    (void)unlink(path);
    require(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    return writer;
}

static void add(struct aimg_writer *writer, const char *name, const void *data, size_t bytes, uint32_t flags,
                const struct aimg_value *values, size_t count)
{
    struct aimg_image image = {.struct_bytes = sizeof image,
                               .name = name,
                               .name_bytes = strlen(name),
                               .data = data,
                               .data_bytes = bytes,
                               .flags = flags,
                               .values = values,
                               .value_count = count};
    require(aimg_writer_add(writer, &image, NULL, &error) == AIMG_OK);
}

static void add_some(struct aimg_writer *writer, unsigned first, unsigned count)
{
    char name[32], data[200];
    for (unsigned i = first; i < first + count; i++) {
        snprintf(name, sizeof name, "d%u/%u.png", i % 3, i);
        memset(data, (int)i, sizeof data);
        add(writer, name, data, i * 13 % sizeof data, 0, NULL, 0);
    }
}

static void commit(struct aimg_writer *writer, const char *message)
{
    require(aimg_writer_commit(writer, message, &error) == AIMG_OK);
}

static void finish(struct aimg_writer *writer)
{
    require(aimg_writer_close(writer, &error) == AIMG_OK);
}

static void make_plain(const char *name, uint32_t compress, uint32_t alignment, unsigned commits, unsigned each)
{
    struct aimg_writer *writer = create(name, compress, alignment);
    for (unsigned i = 0; i < commits; i++) {
        add_some(writer, i * each, each);
        commit(writer, i == 0 ? "the first" : NULL);
    }
    finish(writer);
}

static void make_removed(void)
{
    struct aimg_writer *writer = create("removed", AIMG_COMPRESS_STORE, 0);
    add_some(writer, 0, 12);
    add(writer, "", "hidden", 6, AIMG_ADD_ATTACHMENT, NULL, 0);
    commit(writer, NULL);
    add(writer, "d0/3.png", "new", 3, AIMG_ADD_REPLACE, NULL, 0);
    require(aimg_writer_remove(writer, 7, &error) == AIMG_OK);
    commit(writer, NULL);
    finish(writer);
}

/* A column of each type. */
static void make_columns(uint32_t compress)
{
    struct aimg_writer *writer = create(compress == 0 ? "columns" : "columns-zstd", compress, 64);
    uint32_t ids[18];
    uint8_t numbers[18][64];
    struct aimg_value values[18];
    char name[16];
    for (unsigned type = AIMG_TYPE_BOOL; type <= AIMG_TYPE_IMAGE; type++) {
        snprintf(name, sizeof name, "column %u", type);
        require(aimg_writer_column(writer, name, (enum aimg_type)type, 1, 0, &ids[type - 1], &error) == AIMG_OK);
    }
    require(aimg_writer_column(writer, "vector", AIMG_TYPE_F32, 4, 0, &ids[16], &error) == AIMG_OK);
    require(aimg_writer_column(writer, "list", AIMG_TYPE_U16, 2, 1, &ids[17], &error) == AIMG_OK);
    for (unsigned row = 0; row < 12; row++) {
        static const uint8_t sizes[18] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 4, 8, 5, 7, 3, 4, 16, 8};
        size_t count = 0;
        for (unsigned i = 0; i < 18; i++) {
            memset(numbers[i], 0, sizeof numbers[i]);
            numbers[i][0] = (uint8_t)(i == 0 ? row % 2 : i == 15 ? row / 2 : 'a' + row);
            if ((row + i) % 4 != 0 && (i != 15 || row > 0))
                values[count++] = (struct aimg_value){.column = ids[i], .data = numbers[i], .bytes = sizes[i]};
        }
        snprintf(name, sizeof name, "%u", row);
        add(writer, name, "image", 5, 0, values, count);
    }
    commit(writer, NULL);
    finish(writer);
}

/* Two runs, whose columns were set later, in tables of which one takes the place of another in part. */
static void make_set(void)
{
    struct aimg_writer *writer = create("columns-set", AIMG_COMPRESS_STORE, 0);
    static const uint8_t some[2] = {0xB7, 0x05};
    uint32_t score, text, label;
    float scores[12];
    for (unsigned row = 0; row < 12; row++)
        scores[row] = (float)row;
    require(aimg_writer_column(writer, "score", AIMG_TYPE_F32, 1, 0, &score, &error) == AIMG_OK);
    require(aimg_writer_column(writer, "text", AIMG_TYPE_UTF8, 1, 0, &text, &error) == AIMG_OK);
    require(aimg_writer_column(writer, "label", AIMG_TYPE_DICTIONARY, 1, 0, &label, &error) == AIMG_OK);
    add_some(writer, 0, 9);
    commit(writer, NULL);
    add_some(writer, 9, 3);
    commit(writer, NULL);
    require(aimg_writer_set_array(writer, score, 0, 12, scores, some, &error) == AIMG_OK);
    for (unsigned row = 0; row < 12; row++) {
        struct aimg_value values[2] = {{.column = text, .data = "some text", .bytes = row % 9},
                                       {.column = label, .data = "yes no ", .bytes = 3 + row % 2 * 4}};
        require(aimg_writer_set(writer, row, &values[0], &error) == AIMG_OK);
        require(row % 3 == 0 || aimg_writer_set(writer, row, &values[1], &error) == AIMG_OK);
    }
    commit(writer, NULL);
    struct aimg_value none = {.column = text, .flags = AIMG_VALUE_NULL};
    require(aimg_writer_set(writer, 2, &none, &error) == AIMG_OK);
    commit(writer, NULL);
    finish(writer);
}

/* Names, content and commits of several kinds in one: aliases by a new name and by equal bytes, an attachment, metadata, a
 * content index, and a commit that is sealed. */
static void make_mixed(bool seal)
{
    static const uint8_t picture[40] = "equal bytes of two";
    struct aimg_writer_options options = {
        .struct_bytes = sizeof options, .dedup = AIMG_DEDUP_ALL, .time_ns = 1, .seed = (const uint8_t *)"archives to fuzz"};
    struct aimg_writer *writer = NULL;
    char path[1024];
    snprintf(path, sizeof path, "%s/%s.aimg", directory, seal ? "sealed" : "mixed");
    (void)unlink(path);
    require(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    uint32_t mask;
    require(aimg_writer_column(writer, "mask", AIMG_TYPE_IMAGE, 1, 0, &mask, &error) == AIMG_OK);
    add(writer, "first", picture, sizeof picture, 0, NULL, 0);
    add(writer, "second", picture, sizeof picture, 0, NULL, 0);
    uint32_t zero = 0;
    struct aimg_value value = {.column = mask, .data = &zero, .bytes = sizeof zero};
    add(writer, "third", "other bytes than that", 21, AIMG_ADD_ATTACHMENT, &value, 1);
    require(aimg_writer_set_meta(writer, "title", "To fuzz", &error) == AIMG_OK);
    commit(writer, "the first");
    require(aimg_writer_rename(writer, 0, "renamed", 7, NULL, &error) == AIMG_OK);
    require(aimg_writer_set_meta(writer, "source", "made", &error) == AIMG_OK);
    add(writer, "fourth", "other bytes than that", 21, 0, NULL, 0);
    if (seal)
        require(aimg_writer_seal(writer, "sealed", &error) == AIMG_OK);
    else
        commit(writer, NULL);
    finish(writer);
}

/* Images coded with a dictionary that was trained. */
static void make_trained(void)
{
    struct aimg_writer *writer = create("trained", AIMG_COMPRESS_AUTO, 0);
    static char data[64][300];
    static const char text[] = "the same quantisation tables in each of them ";
    struct aimg_sample samples[64];
    for (unsigned i = 0; i < 64; i++) {
        for (unsigned j = 0; j < sizeof data[i]; j++)
            data[i][j] = (char)(j % 97 == i ? i : (unsigned)text[j % (sizeof text - 1)] + j / 45);
        samples[i] = (struct aimg_sample){.data = data[i], .bytes = sizeof data[i]};
    }
    require(aimg_writer_train(writer, samples, 64, 10000, &error) == AIMG_OK);
    char name[16];
    for (unsigned i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "%u", i);
        add(writer, name, data[i], sizeof data[i], 0, NULL, 0);
    }
    commit(writer, NULL);
    finish(writer);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    directory = argv[1];
    finish(create("empty", AIMG_COMPRESS_STORE, 0));
    make_plain("message", AIMG_COMPRESS_STORE, 0, 1, 0);
    make_plain("one", AIMG_COMPRESS_STORE, 0, 1, 1);
    make_plain("some", AIMG_COMPRESS_STORE, 0, 1, 30);
    make_plain("some-zstd", AIMG_COMPRESS_ZSTD, 0, 1, 30);
    make_plain("two-commits", AIMG_COMPRESS_STORE, 0, 2, 9);
    make_plain("aligned", AIMG_COMPRESS_STORE, 512, 1, 10);
    make_plain("many-names", AIMG_COMPRESS_STORE, 16, 1, 44);
    make_removed();
    make_columns(AIMG_COMPRESS_STORE);
    make_columns(AIMG_COMPRESS_ZSTD);
    make_set();
    make_mixed(false);
    make_mixed(true);
    make_trained();
    return 0;
}
