/* SPDX-License-Identifier: Apache-2.0 */
/* Counts, images, names, metadata and history against the JSON. */
#include "vector.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { NAME_BUFFER = 1025, HEAD_BYTES = 12288, READ_MOST = 1 << 26 };

static void print_halves(const uint8_t half[16], char out[33])
{
    for (int i = 0; i < 16; i++)
        snprintf(out + 2 * i, 3, "%02x", half[i < 8 ? 7 - i + 8 : 15 - i]);
}

void vector_print_hash(const void *data, size_t bytes, char out[33])
{
    XXH128_hash_t hash = XXH3_128bits(bytes == 0 ? "" : data, bytes);
    snprintf(out, 33, "%016" PRIx64 "%016" PRIx64, (uint64_t)hash.high64, (uint64_t)hash.low64);
}

static uint64_t number(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

static void expect(struct vector *vector, const char *what, uint64_t found, uint64_t wanted)
{
    if (found != wanted)
        vector_fail(vector, "%s is %" PRIu64 ", not %" PRIu64, what, found, wanted);
}

static void expect_text(struct vector *vector, const char *what, const char *found, const char *wanted)
{
    if (wanted != NULL && strcmp(found, wanted) != 0)
        vector_fail(vector, "%s is %s, not %s", what, found, wanted);
}

static void expect_ok(struct vector *vector, const char *what, enum aimg_status status, const struct aimg_error *error)
{
    if (status != AIMG_OK)
        vector_fail(vector, "%s: status %d: %s", what, (int)status, error->message);
}

/* ------------------------------------------------------------------ one image */

static void check_bytes(struct vector *vector, const struct aimg_reader *reader, uint32_t ordinal, const json_t *image)
{
    struct aimg_error error = {0};
    uint64_t size = 0, bytes = 0;
    char hash[33];
    enum aimg_status status = aimg_reader_read(reader, ordinal, 0, NULL, 0, &size, &error);
    if (status != AIMG_OK && status != AIMG_BUFFER_TOO_SMALL) {
        vector_fail(vector, "read %u: status %d: %s", ordinal, (int)status, error.message);
        return;
    }
    void *buffer = malloc(size + 1);
    expect_ok(vector, "read", aimg_reader_read(reader, ordinal, 0, buffer, size, &bytes, &error), &error);
    vector_print_hash(buffer, bytes, hash);
    expect(vector, "the image's bytes", bytes, number(image, "bytes"));
    expect_text(vector, "the image", hash, json_string_value(json_object_get(image, "xxh128")));
    free(buffer);
}

/* Verify reads such an image. Here it is said how large it is, and lent: its last byte stands where it should. */
static void check_large(struct vector *vector, const struct aimg_reader *reader, uint32_t ordinal, const json_t *image,
                        bool mapped)
{
    struct aimg_error error = {0};
    struct aimg_bytes lent = {.data = NULL};
    uint64_t bytes = number(image, "bytes"), size = 0;
    enum aimg_status status = aimg_reader_read(reader, ordinal, 0, NULL, 0, &size, &error);
    if (bytes > SIZE_MAX)
        expect(vector, "the status of an image that no memory holds", status, AIMG_LIMIT);
    else
        expect(vector, "the size of a large image", status == AIMG_BUFFER_TOO_SMALL ? size : 0, bytes);
    if (!mapped)
        return;
    expect_ok(vector, "borrow", aimg_reader_borrow(reader, ordinal, 0, &lent, &error), &error);
    expect(vector, "the bytes that were lent", lent.bytes, bytes);
    if (lent.bytes == bytes)
        expect(vector, "the last byte", ((const uint8_t *)lent.data)[bytes - 1], 0);
}

static void check_lent(struct vector *vector, const struct aimg_reader *reader, uint32_t ordinal, const json_t *image)
{
    struct aimg_error error = {0};
    struct aimg_bytes lent[2];
    const char *name = json_string_value(json_object_get(image, "name"));
    char hash[33];
    expect_ok(vector, "borrow", aimg_reader_borrow(reader, ordinal, AIMG_READ_VERIFY, &lent[0], &error), &error);
    lent[1] = lent[0];
    if (name[0] != 0)
        expect_ok(vector, "borrow by name",
                  aimg_reader_borrow_name(reader, name, strlen(name), AIMG_READ_VERIFY, &lent[1], &error), &error);
    for (int i = 0; i < 2 && vector->failures == 0; i++) {
        expect(vector, "the ordinal that was lent", lent[i].ordinal, ordinal);
        vector_print_hash(lent[i].data, lent[i].bytes, hash);
        if (lent[i].coding == 0)
            expect_text(vector, "what was lent", hash, json_string_value(json_object_get(image, "xxh128")));
    }
}

static void check_entry(struct vector *vector, const struct aimg_reader *reader, uint32_t ordinal, const json_t *image)
{
    struct aimg_error error = {0};
    struct aimg_entry entry = {0};
    char hash[33];
    expect_ok(vector, "entry", aimg_reader_entry(reader, ordinal, &entry, &error), &error);
    print_halves(entry.hash, hash);
    expect(vector, "raw_bytes of the entry", entry.raw_bytes, number(image, "bytes"));
    expect(vector, "dead of the entry", entry.dead, 0);
    expect_text(vector, "the entry's hash", hash, json_string_value(json_object_get(image, "xxh128")));
}

static void check_name(struct vector *vector, const struct aimg_reader *reader, uint32_t ordinal, const json_t *image)
{
    struct aimg_error error = {0};
    const char *wanted = json_string_value(json_object_get(image, "name"));
    char name[NAME_BUFFER] = "";
    size_t bytes = 0;
    uint32_t found = AIMG_NO_ORDINAL;
    expect_ok(vector, "name", aimg_reader_name(reader, ordinal, name, sizeof name, &bytes, &error), &error);
    expect_text(vector, "the name", name, wanted);
    expect(vector, "name_bytes", bytes, strlen(wanted));
    if (wanted[0] == 0)
        return;
    expect_ok(vector, wanted, aimg_reader_find(reader, wanted, strlen(wanted), &found, &error), &error);
    expect(vector, wanted, found, ordinal);
}

static void check_image(struct vector *vector, const struct aimg_reader *reader, const json_t *image, bool mapped)
{
    uint32_t ordinal = (uint32_t)number(image, "ordinal");
    check_entry(vector, reader, ordinal, image);
    check_name(vector, reader, ordinal, image);
    if (number(image, "bytes") > READ_MOST)
        check_large(vector, reader, ordinal, image, mapped);
    else
        check_bytes(vector, reader, ordinal, image);
    if (mapped && number(image, "bytes") <= READ_MOST)
        check_lent(vector, reader, ordinal, image);
    vector_check_values(vector, reader, ordinal, json_object_get(image, "columns"));
}

/* ------------------------------------------------------------------ the archive */

static void check_counts(struct vector *vector, const struct aimg_reader *reader)
{
    struct aimg_error error = {0};
    struct aimg_info info = {.struct_bytes = sizeof info};
    char chain[33];
    expect_ok(vector, "info", aimg_reader_info(reader, &info, &error), &error);
    expect(vector, "commits", info.commit_count, number(vector->expected, "commits"));
    expect(vector, "ordinals", info.ordinal_count, number(vector->expected, "ordinals"));
    expect(vector, "listed", info.listed_count, number(vector->expected, "listed"));
    expect(vector, "dead", info.dead_count, number(vector->expected, "dead"));
    expect(vector, "attached", info.ordinal_count - info.listed_count - info.dead_count, number(vector->expected, "attached"));
    expect(vector, "the file's bytes", info.file_bytes + info.tail_bytes, vector->bytes);
    print_halves(info.chain, chain);
    expect_text(vector, "chain", chain, json_string_value(json_object_get(vector->expected, "chain")));
}

static void check_space(struct vector *vector, const struct aimg_reader *reader)
{
    struct aimg_error error = {0};
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct aimg_space space = {.struct_bytes = sizeof space};
    expect_ok(vector, "info", aimg_reader_info(reader, &info, &error), &error);
    expect_ok(vector, "space", aimg_reader_space(reader, &space, &error), &error);
    expect(vector, "the space", HEAD_BYTES + space.images_bytes + space.index_bytes + space.past_bytes, info.file_bytes);
}

static void check_list(struct vector *vector, const struct aimg_reader *reader, const json_t *images)
{
    struct aimg_error error = {0};
    struct aimg_names *names = NULL;
    struct aimg_listed listed;
    size_t index;
    json_t *image;
    expect_ok(vector, "names", aimg_names_create(reader, 0, &names, &error), &error);
    json_array_foreach(images, index, image)
    {
        uint32_t ordinal = AIMG_NO_ORDINAL;
        uint64_t position = UINT64_MAX;
        enum aimg_status status = names == NULL ? AIMG_END : aimg_names_next(names, &listed, &error);
        expect_ok(vector, "next name", status, &error);
        if (status != AIMG_OK)
            break;
        expect(vector, "the position that is listed", listed.position, index);
        expect(vector, "the ordinal that is listed", listed.ordinal, number(image, "ordinal"));
        expect_text(vector, "the name that is listed", listed.name, json_string_value(json_object_get(image, "name")));
        (void)aimg_reader_ordinal_at(reader, index, &ordinal, &error);
        expect(vector, "the ordinal of a position", ordinal, number(image, "ordinal"));
        (void)aimg_reader_position_of(reader, listed.ordinal, &position, &error);
        expect(vector, "the position of an ordinal", position, index);
    }
    if (names != NULL && vector->failures == 0 && aimg_names_next(names, &listed, &error) != AIMG_END)
        vector_fail(vector, "more names are listed");
    aimg_names_destroy(names);
}

/* Names of dead images, and one that there never was. */
static void check_gone(struct vector *vector, const struct aimg_reader *reader)
{
    struct aimg_error error = {0};
    uint32_t ordinal;
    size_t index;
    json_t *name;
    json_array_foreach(json_object_get(vector->expected, "gone"), index, name)
    {
        if (aimg_reader_find(reader, json_string_value(name), json_string_length(name), &ordinal, &error) != AIMG_NOT_FOUND)
            vector_fail(vector, "the name %s of a dead image is found", json_string_value(name));
    }
    if (aimg_reader_find(reader, "no/such name", 12, &ordinal, &error) != AIMG_NOT_FOUND)
        vector_fail(vector, "a name that is not there is found");
}

struct pairs {
    struct vector *vector;
    const json_t *wanted;
    size_t count;
};

static int on_pair(void *user, const char *key, const char *value, size_t value_bytes)
{
    struct pairs *pairs = user;
    const json_t *wanted = json_object_get(pairs->wanted, key);
    if (wanted == NULL || json_string_length(wanted) != value_bytes || memcmp(json_string_value(wanted), value, value_bytes) != 0)
        vector_fail(pairs->vector, "meta: %s differs", key);
    pairs->count++;
    return 0;
}

static void check_meta(struct vector *vector, const struct aimg_reader *reader)
{
    struct aimg_error error = {0};
    struct pairs pairs = {.vector = vector, .wanted = json_object_get(vector->expected, "meta")};
    expect_ok(vector, "meta", aimg_reader_each_meta(reader, on_pair, &pairs, &error), &error);
    expect(vector, "pairs of meta", pairs.count, json_object_size(pairs.wanted));
}

static int on_commit(void *user, const struct aimg_commit *commit)
{
    (void)commit;
    ++*(uint64_t *)user;
    return 0;
}

static void check_log(struct vector *vector, const struct aimg_reader *reader)
{
    struct aimg_error error = {0};
    uint64_t count = 0;
    expect_ok(vector, "log", aimg_reader_log(reader, on_commit, &count, &error), &error);
    expect(vector, "commits of the log", count, number(vector->expected, "commits"));
}

void vector_check_content(struct vector *vector, const struct aimg_reader *reader, bool mapped)
{
    const json_t *images = json_object_get(vector->expected, "images");
    size_t index;
    json_t *image;
    check_counts(vector, reader);
    check_space(vector, reader);
    check_list(vector, reader, images);
    check_gone(vector, reader);
    json_array_foreach(images, index, image) check_image(vector, reader, image, mapped);
    json_array_foreach(json_object_get(vector->expected, "attachments"), index, image) check_image(vector, reader, image, mapped);
    check_meta(vector, reader);
    check_log(vector, reader);
}

/* The image as it is listed from its position on. */
static void check_listed(struct vector *vector, const struct aimg_reader *reader, const json_t *image)
{
    struct aimg_error error = {0};
    struct aimg_names *names = NULL;
    struct aimg_listed listed = {.name = ""};
    uint32_t ordinal = AIMG_NO_ORDINAL;
    uint64_t position = UINT64_MAX;
    expect_ok(vector, "names", aimg_names_create(reader, number(image, "position"), &names, &error), &error);
    if (names != NULL)
        expect_ok(vector, "the name at a position", aimg_names_next(names, &listed, &error), &error);
    expect(vector, "the position that is listed", listed.position, number(image, "position"));
    expect(vector, "the ordinal that is listed", listed.ordinal, number(image, "ordinal"));
    expect_text(vector, "the name that is listed", listed.name, json_string_value(json_object_get(image, "name")));
    aimg_names_destroy(names);
    (void)aimg_reader_ordinal_at(reader, number(image, "position"), &ordinal, &error);
    expect(vector, "the ordinal of a position", ordinal, number(image, "ordinal"));
    (void)aimg_reader_position_of(reader, ordinal, &position, &error);
    expect(vector, "the position of an ordinal", position, number(image, "position"));
}

void vector_check_some(struct vector *vector, const struct aimg_reader *reader, bool mapped)
{
    size_t index;
    json_t *image;
    check_counts(vector, reader);
    check_gone(vector, reader);
    json_array_foreach(json_object_get(vector->expected, "some_images"), index, image)
    {
        check_listed(vector, reader, image);
        check_image(vector, reader, image, mapped);
    }
    check_log(vector, reader);
}
