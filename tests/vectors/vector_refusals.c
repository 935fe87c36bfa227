/* SPDX-License-Identifier: Apache-2.0 */
/* What a reader must not hand out of an archive that breaks a rule; and all the rest is asked for, which must end well. */
#include "vector.h"

#include <stdlib.h>
#include <string.h>

enum { NAME_BUFFER = 1025, ORDINALS_MOST = 5000, IMAGE_MOST = 1 << 26 };

static bool told(const json_t *array, uint64_t number)
{
    size_t index;
    json_t *item;
    json_array_foreach(array, index, item)
    {
        if ((uint64_t)json_integer_value(item) == number)
            return true;
    }
    return false;
}

/* OK when its bytes were handed out. */
static enum aimg_status read_image(const struct aimg_reader *reader, uint32_t ordinal)
{
    struct aimg_error error;
    uint64_t size = 0;
    enum aimg_status status = aimg_reader_read(reader, ordinal, 0, NULL, 0, &size, &error);
    if (status != AIMG_BUFFER_TOO_SMALL || size > IMAGE_MOST)
        return status;
    void *buffer = malloc(size + 1);
    status = aimg_reader_read(reader, ordinal, 0, buffer, size, &size, &error);
    free(buffer);
    return status;
}

static void ask_values(struct vector *vector, const struct aimg_reader *reader, uint32_t ordinal)
{
    const json_t *refused = json_object_get(vector->expected, "refuses_values");
    static char buffer[1 << 16];
    struct aimg_error error;
    struct aimg_column column;
    for (uint32_t index = 0; aimg_reader_column(reader, index, &column, &error) == AIMG_OK; index++) {
        struct aimg_values *values = NULL;
        struct aimg_column_value value;
        size_t bytes;
        int null;
        bool given = aimg_reader_value(reader, index, ordinal, buffer, sizeof buffer, &bytes, &null, &error) == AIMG_OK;
        bool walked = aimg_values_create(reader, index, ordinal, &values, &error) == AIMG_OK &&
                      aimg_values_next(values, &value, &error) == AIMG_OK;
        aimg_values_destroy(values);
        if ((given || walked) && told(json_object_get(refused, column.name), ordinal))
            vector_fail(vector, "column %s of %u is handed out", column.name, ordinal);
    }
}

/* What a walk over a column gives, the value alone gives, too. */
static void walk_column(struct vector *vector, const struct aimg_reader *reader, const struct aimg_column *column)
{
    static char buffer[1 << 16];
    struct aimg_error error;
    struct aimg_values *values = NULL;
    struct aimg_column_value value;
    if (aimg_values_create(reader, column->index, 0, &values, &error) != AIMG_OK)
        return;
    while (aimg_values_next(values, &value, &error) == AIMG_OK && value.ordinal < ORDINALS_MOST) {
        size_t bytes = 0;
        int null = 0;
        enum aimg_status status =
            aimg_reader_value(reader, column->index, value.ordinal, buffer, sizeof buffer, &bytes, &null, &error);
        bool same =
            (status == AIMG_OK || status == AIMG_BUFFER_TOO_SMALL) && bytes == value.bytes && (null != 0) == (value.null != 0);
        if (!same || (status == AIMG_OK && bytes > 0 && memcmp(buffer, value.data, bytes) != 0))
            vector_fail(vector, "the walk over column %s gives a value of image %u, asked for alone it is another (status %d)",
                        column->name, value.ordinal, (int)status);
    }
    aimg_values_destroy(values);
}

/* A position that is handed out is that of the image, whatever masks say. */
static void check_inverse(struct vector *vector, const struct aimg_reader *reader, uint32_t ordinal, uint64_t position)
{
    struct aimg_error error;
    uint32_t back = AIMG_NO_ORDINAL;
    enum aimg_status status = aimg_reader_ordinal_at(reader, position, &back, &error);
    if (status != AIMG_OK || back != ordinal)
        vector_fail(vector, "image %u has position %llu, where image %u is, status %d", ordinal, (unsigned long long)position,
                    back, (int)status);
}

static void ask_image(struct vector *vector, const struct aimg_reader *reader, uint32_t ordinal, bool mapped)
{
    struct aimg_error error;
    struct aimg_entry entry;
    struct aimg_bytes lent;
    char name[NAME_BUFFER];
    size_t name_bytes = 0;
    uint32_t found;
    uint64_t position = UINT64_MAX;
    if (aimg_reader_position_of(reader, ordinal, &position, &error) == AIMG_OK)
        check_inverse(vector, reader, ordinal, position);
    bool refused = told(json_object_get(vector->expected, "refuses"), position);
    if (read_image(reader, ordinal) == AIMG_OK && refused)
        vector_fail(vector, "image %u is handed out", ordinal);
    if (mapped && aimg_reader_borrow(reader, ordinal, AIMG_READ_VERIFY, &lent, &error) == AIMG_OK && refused && lent.coding == 0)
        vector_fail(vector, "image %u is lent", ordinal);
    (void)aimg_reader_entry(reader, ordinal, &entry, &error);
    enum aimg_status status = aimg_reader_name(reader, ordinal, name, sizeof name, &name_bytes, &error);
    if (status == AIMG_OK && name_bytes > 0) {
        (void)aimg_reader_find(reader, name, name_bytes, &found, &error);
        if (mapped)
            (void)aimg_reader_borrow_name(reader, name, name_bytes, AIMG_READ_VERIFY, &lent, &error);
    }
    ask_values(vector, reader, ordinal);
}

static int on_pair(void *user, const char *key, const char *value, size_t value_bytes)
{
    (void)key;
    (void)value;
    (void)value_bytes;
    ++*(unsigned *)user;
    return 0;
}

static int on_commit(void *user, const struct aimg_commit *commit)
{
    (void)user;
    (void)commit;
    return 0;
}

/* OK when all names of the list were handed out. */
static enum aimg_status list(const struct aimg_reader *reader)
{
    struct aimg_error error;
    struct aimg_names *names = NULL;
    struct aimg_listed listed;
    enum aimg_status status = aimg_names_create(reader, 0, &names, &error);
    while (status == AIMG_OK)
        status = aimg_names_next(names, &listed, &error);
    aimg_names_destroy(names);
    return status == AIMG_END ? AIMG_OK : status;
}

/* "There is no such image" may only be said of slots that are what was written. */
static void check_not_missing(struct vector *vector, const struct aimg_reader *reader)
{
    struct aimg_error error;
    uint32_t ordinal;
    size_t index;
    json_t *name;
    json_array_foreach(json_object_get(vector->expected, "not_missing"), index, name)
    {
        if (aimg_reader_find(reader, json_string_value(name), json_string_length(name), &ordinal, &error) == AIMG_NOT_FOUND)
            vector_fail(vector, "%s is said to be missing", json_string_value(name));
    }
}

/* Nor may a name be found in a way that only some readers go. */
static void check_not_found(struct vector *vector, const struct aimg_reader *reader, bool mapped)
{
    struct aimg_error error;
    struct aimg_bytes lent;
    uint32_t ordinal;
    size_t index;
    json_t *item;
    json_array_foreach(json_object_get(vector->expected, "not_found"), index, item)
    {
        const char *name = json_string_value(item);
        size_t bytes = json_string_length(item);
        if (aimg_reader_find(reader, name, bytes, &ordinal, &error) == AIMG_OK)
            vector_fail(vector, "%s is found%s", name, mapped ? " in a map" : "");
        if (mapped && aimg_reader_borrow_name(reader, name, bytes, 0, &lent, &error) == AIMG_OK)
            vector_fail(vector, "%s is lent", name);
    }
}

/* All images; of very many those that must be refused. */
static void ask_images(struct vector *vector, const struct aimg_reader *reader, bool mapped)
{
    struct aimg_error error;
    uint64_t ordinals = aimg_reader_ordinal_count(reader);
    uint32_t refused;
    size_t index;
    json_t *position;
    for (uint32_t ordinal = 0; ordinals <= ORDINALS_MOST && ordinal < ordinals; ordinal++)
        ask_image(vector, reader, ordinal, mapped);
    if (ordinals <= ORDINALS_MOST)
        return;
    json_array_foreach(json_object_get(vector->expected, "refuses"), index, position)
    {
        if (aimg_reader_ordinal_at(reader, (uint64_t)json_integer_value(position), &refused, &error) != AIMG_OK)
            vector_fail(vector, "there is no position %llu", (unsigned long long)json_integer_value(position));
        else
            ask_image(vector, reader, refused, mapped);
    }
}

void vector_check_refusals(struct vector *vector, const struct aimg_reader *reader, bool mapped)
{
    struct aimg_error error;
    struct aimg_column column;
    unsigned pairs = 0;
    bool few = aimg_reader_ordinal_count(reader) <= ORDINALS_MOST;
    if (few && list(reader) == AIMG_OK && json_is_true(json_object_get(vector->expected, "refuses_list")))
        vector_fail(vector, "all names are listed");
    check_not_missing(vector, reader);
    check_not_found(vector, reader, mapped);
    ask_images(vector, reader, mapped);
    for (uint32_t index = 0; aimg_reader_column(reader, index, &column, &error) == AIMG_OK; index++)
        walk_column(vector, reader, &column);
    if (aimg_reader_each_meta(reader, on_pair, &pairs, &error) == AIMG_OK &&
        json_is_true(json_object_get(vector->expected, "refuses_meta")))
        vector_fail(vector, "metadata are handed out");
    (void)aimg_reader_log(reader, on_commit, NULL, &error);
}
