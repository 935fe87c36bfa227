/* SPDX-License-Identifier: Apache-2.0 */
#include "flips.h"

#include "catalog.h"
#include "locate.h"
#include "reader.h"
#include "sanitized.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM = 1 << 20, NAME_ROOM = 1025, ARENA = 64 << 20 };

struct value {
    bool null;
    size_t bytes;
    uint8_t *data;
};

struct image {
    bool dead, listed;
    uint64_t position, bytes;
    size_t name_bytes;
    char *name;
    uint8_t *data;
    uint8_t hash[16];
};

struct flips_state {
    uint64_t count, ordinals, meta_bytes;
    uint32_t columns;
    struct image *images;
    struct value *values; /* columns * ordinals */
    uint8_t *meta;        /* keys and values one after the other, each with a zero byte */
};

static uint8_t room[ROOM];
static uint64_t compared; /* answers of one opening that were no refusals */

/* ------------------------------------------------------------------ memory */

static uint8_t *arena;
static size_t arena_used;

static void *arena_alloc(void *user, size_t bytes)
{
    (void)user;
    size_t taken = (bytes + 63) / 64 * 64;
    if (arena == NULL)
        arena = aligned_alloc(64, ARENA);
    if (arena == NULL || taken > ARENA - arena_used)
        abort();
    void *memory = arena + arena_used;
    arena_used += taken;
    return memory;
}

static void arena_free(void *user, void *memory)
{
    (void)user;
    (void)memory;
}

struct aimg_allocator flips_allocator(void)
{
    if (TEST_SANITIZED)
        return (struct aimg_allocator){.user = NULL};
    return (struct aimg_allocator){.alloc = arena_alloc, .free = arena_free};
}

void flips_forget(void)
{
    arena_used = 0;
}

/* ------------------------------------------------------------------ opening */

static const uint8_t *plain_data;
static uint64_t plain_bytes;
static struct aimg_io plain_io;

static enum aimg_status plain_read(struct aimg_io *io, uint64_t offset, void *buffer, size_t bytes, struct aimg_error *error)
{
    (void)io;
    if (error != NULL)
        *error = (struct aimg_error){.status = AIMG_TRUNCATED, .offset = offset};
    if (offset > plain_bytes || bytes > plain_bytes - offset)
        return AIMG_TRUNCATED;
    memcpy(buffer, plain_data + offset, bytes);
    return AIMG_OK;
}

static enum aimg_status open_plain(const uint8_t *data, uint64_t bytes, struct aimg_reader **reader_out)
{
    static struct aimg_io_ops ops;
    struct aimg_allocator allocator = flips_allocator();
    struct aimg_source source = {.io = &plain_io};
    struct aimg_located located = {.empty = true};
    struct aimg_io memory;
    aimg_io_memory_open(&memory, data, bytes);
    ops = *memory.ops;
    ops.read_at = plain_read;
    plain_data = data;
    plain_bytes = bytes;
    ops.size = memory.ops->size;
    plain_io = (struct aimg_io){.ops = &ops, .fd = -1, .base_bytes = bytes};
    (void)aimg_allocator_resolve(&allocator, &source.allocator);
    aimg_limits_resolve(&source.limits);
    enum aimg_status status = aimg_locate(&plain_io, false, &located, NULL);
    return status == AIMG_OK ? aimg_reader_attach(&source, &located, reader_out, NULL) : status;
}

enum aimg_status flips_open(const uint8_t *data, uint64_t bytes, bool with_map, struct aimg_reader **reader_out)
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .allocator = flips_allocator()};
    return with_map ? aimg_reader_open_memory(data, bytes, &options, reader_out, NULL) : open_plain(data, bytes, reader_out);
}

void flips_close(struct aimg_reader *reader)
{
    aimg_reader_close(reader);
    flips_forget();
}

/* ------------------------------------------------------------------ taking */

static void *copy_of(const void *data, size_t bytes)
{
    uint8_t *copy = malloc(bytes + 1);
    if (copy == NULL)
        abort();
    memcpy(copy, data, bytes);
    copy[bytes] = 0;
    return copy;
}

static bool take_image(const struct aimg_reader *reader, uint32_t ordinal, struct image *image)
{
    struct aimg_entry entry;
    char name[NAME_ROOM];
    if (aimg_reader_entry(reader, ordinal, &entry, NULL) != AIMG_OK ||
        aimg_reader_name(reader, ordinal, name, sizeof name, &image->name_bytes, NULL) != AIMG_OK)
        return false;
    image->name = copy_of(name, image->name_bytes);
    image->dead = entry.dead;
    memcpy(image->hash, entry.hash, sizeof image->hash);
    image->listed = aimg_reader_position_of(reader, ordinal, &image->position, NULL) == AIMG_OK;
    if (image->dead)
        return true;
    if (aimg_reader_read(reader, ordinal, 0, room, sizeof room, &image->bytes, NULL) != AIMG_OK)
        return false;
    image->data = copy_of(room, (size_t)image->bytes);
    return true;
}

struct meta {
    uint8_t *out;
    size_t bytes;
};

static int add_meta(void *user, const char *key, const char *value, size_t value_bytes)
{
    struct meta *meta = user;
    size_t key_bytes = strlen(key) + 1;
    if (key_bytes + value_bytes + 1 > ROOM - meta->bytes)
        return 1;
    memcpy(meta->out + meta->bytes, key, key_bytes);
    memcpy(meta->out + meta->bytes + key_bytes, value, value_bytes);
    meta->out[meta->bytes + key_bytes + value_bytes] = 0;
    meta->bytes += key_bytes + value_bytes + 1;
    return 0;
}

struct flips_state *flips_state_take(const struct aimg_reader *reader)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct flips_state *state = calloc(1, sizeof *state);
    struct meta meta = {.out = room};
    if (state == NULL || aimg_reader_info(reader, &info, NULL) != AIMG_OK)
        return NULL;
    state->count = info.listed_count;
    state->ordinals = info.ordinal_count;
    state->columns = info.column_count;
    state->images = calloc((size_t)state->ordinals + 1, sizeof *state->images);
    state->values = calloc((size_t)state->ordinals * state->columns + 1, sizeof *state->values);
    if (state->images == NULL || state->values == NULL || aimg_reader_each_meta(reader, add_meta, &meta, NULL) != AIMG_OK)
        return NULL;
    state->meta = copy_of(room, meta.bytes);
    state->meta_bytes = meta.bytes;
    for (uint32_t i = 0; i < state->ordinals; i++) {
        if (!take_image(reader, i, &state->images[i]))
            return NULL;
        for (uint32_t column = 0; column < state->columns; column++) {
            struct value *value = &state->values[(size_t)i * state->columns + column];
            int null;
            if (aimg_reader_value(reader, column, i, room, sizeof room, &value->bytes, &null, NULL) != AIMG_OK)
                return NULL;
            value->null = null;
            value->data = copy_of(room, value->bytes);
        }
    }
    return state;
}

void flips_state_destroy(struct flips_state *state)
{
    for (uint64_t i = 0; i < state->ordinals; i++) {
        free(state->images[i].name);
        free(state->images[i].data);
    }
    for (uint64_t i = 0; i < state->ordinals * state->columns; i++)
        free(state->values[i].data);
    free(state->images);
    free(state->values);
    free(state->meta);
    free(state);
}

/* ------------------------------------------------------------------ comparing */

static bool same(const void *a, size_t a_bytes, const void *b, size_t b_bytes)
{
    return a_bytes == b_bytes && memcmp(a, b, a_bytes) == 0;
}

/* Whatever it says it must not crash, and all that it hands out can be touched. */
static void read_unverified(const struct aimg_reader *reader, uint32_t ordinal)
{
    struct aimg_bytes borrowed;
    uint64_t bytes;
    (void)aimg_reader_read(reader, ordinal, AIMG_READ_UNVERIFIED, room, sizeof room, &bytes, NULL);
    if (aimg_reader_borrow(reader, ordinal, 0, &borrowed, NULL) == AIMG_OK && borrowed.bytes > 0) {
        (void)*(const volatile uint8_t *)borrowed.data;
        (void)((const volatile uint8_t *)borrowed.data)[borrowed.bytes - 1];
    }
}

/* NULL when damage may be answered with that error. */
static const char *refusal_wrong(enum aimg_status status)
{
    return status == AIMG_CORRUPT || status == AIMG_CHECKSUM || status == AIMG_UNSUPPORTED ? NULL : aimg_status_text(status);
}

static const char *bytes_wrong(const struct image *image, const struct aimg_reader *reader, uint32_t ordinal)
{
    uint64_t bytes;
    enum aimg_status status = aimg_reader_read(reader, ordinal, 0, room, sizeof room, &bytes, NULL);
    if (status == AIMG_NOT_FOUND && image->dead)
        return NULL;
    if (status != AIMG_OK)
        return refusal_wrong(status);
    compared++;
    if (image->dead)
        return "a dead image is read";
    return same(room, (size_t)bytes, image->data, (size_t)image->bytes) ? NULL : "an image is read with other bytes";
}

static const char *name_wrong(const struct image *image, const struct aimg_reader *reader, uint32_t ordinal)
{
    size_t name_bytes;
    char name[NAME_ROOM];
    enum aimg_status status = aimg_reader_name(reader, ordinal, name, sizeof name, &name_bytes, NULL);
    if (status != AIMG_OK)
        return refusal_wrong(status);
    compared++;
    return same(name, name_bytes, image->name, image->name_bytes) ? NULL : "an image has another name";
}

static const char *position_wrong(const struct image *image, const struct aimg_reader *reader, uint32_t ordinal)
{
    uint64_t position;
    uint32_t found;
    enum aimg_status status = aimg_reader_position_of(reader, ordinal, &position, NULL);
    compared += status == AIMG_OK;
    if (status == AIMG_OK && (!image->listed || position != image->position))
        return "an image has another position";
    if (status != AIMG_OK && (status != AIMG_NOT_FOUND || image->listed) && refusal_wrong(status) != NULL)
        return refusal_wrong(status);
    if (!image->listed)
        return NULL;
    status = aimg_reader_ordinal_at(reader, image->position, &found, NULL);
    compared += status == AIMG_OK;
    if (status != AIMG_OK)
        return refusal_wrong(status);
    return found == ordinal ? NULL : "a position is another image's";
}

static const char *found_wrong(const struct image *image, const struct aimg_reader *reader, uint32_t ordinal)
{
    uint32_t found;
    if (image->dead || image->name_bytes == 0)
        return NULL;
    enum aimg_status status = aimg_reader_find(reader, image->name, image->name_bytes, &found, NULL);
    if (status != AIMG_OK)
        return refusal_wrong(status);
    compared++;
    return found == ordinal ? NULL : "a name is another image's";
}

static const char *image_wrong(const struct image *image, const struct aimg_reader *reader, uint32_t ordinal)
{
    const char *wrong = bytes_wrong(image, reader, ordinal);
    if (wrong == NULL)
        wrong = name_wrong(image, reader, ordinal);
    if (wrong == NULL)
        wrong = position_wrong(image, reader, ordinal);
    return wrong == NULL ? found_wrong(image, reader, ordinal) : wrong;
}

static const char *values_wrong(const struct flips_state *state, const struct aimg_reader *reader, uint32_t ordinal)
{
    const struct value *value = &state->values[(size_t)ordinal * state->columns];
    for (uint32_t column = 0; column < state->columns; column++, value++) {
        size_t bytes;
        int null;
        enum aimg_status status = aimg_reader_value(reader, column, ordinal, room, sizeof room, &bytes, &null, NULL);
        compared += status == AIMG_OK;
        if (status == AIMG_OK && (null != value->null || !same(room, bytes, value->data, value->bytes)))
            return "a value is another one";
        if (status != AIMG_OK && refusal_wrong(status) != NULL)
            return refusal_wrong(status);
    }
    return NULL;
}

/* A walk that comes to its end has seen all. */
static const char *column_walk_wrong(const struct flips_state *state, const struct aimg_reader *reader, uint32_t column)
{
    struct aimg_values *values;
    struct aimg_column_value found;
    const char *wrong = NULL;
    uint64_t row = 0;
    enum aimg_status status = aimg_values_create(reader, column, 0, &values, NULL);
    if (status != AIMG_OK)
        return refusal_wrong(status);
    for (; wrong == NULL && (status = aimg_values_next(values, &found, NULL)) == AIMG_OK; row++, compared++) {
        const struct value *value = &state->values[(size_t)row * state->columns + column];
        if (row >= state->ordinals || found.ordinal != row || (found.null != 0) != value->null ||
            (!value->null && !same(found.data, found.bytes, value->data, value->bytes)))
            wrong = "a value is another one in a walk over all";
    }
    if (wrong == NULL && status == AIMG_END && row != state->ordinals)
        wrong = "a walk over all values ends early";
    if (wrong == NULL && status != AIMG_END)
        wrong = refusal_wrong(status);
    aimg_values_destroy(values);
    return wrong;
}

static const char *names_walk_wrong(const struct flips_state *state, const struct aimg_reader *reader)
{
    struct aimg_names *names;
    struct aimg_listed listed;
    const char *wrong = NULL;
    uint64_t seen = 0;
    enum aimg_status status = aimg_names_create(reader, 0, &names, NULL);
    if (status != AIMG_OK)
        return refusal_wrong(status);
    for (; wrong == NULL && (status = aimg_names_next(names, &listed, NULL)) == AIMG_OK; seen++, compared++) {
        const struct image *image = listed.ordinal < state->ordinals ? &state->images[listed.ordinal] : NULL;
        if (image == NULL || !image->listed || listed.position != image->position || listed.position != seen ||
            !same(listed.name, listed.name_bytes, image->name, image->name_bytes))
            wrong = "the list of names is another one";
    }
    if (wrong == NULL && status == AIMG_END && seen != state->count)
        wrong = "the list of names ends early";
    if (wrong == NULL && status != AIMG_END)
        wrong = refusal_wrong(status);
    aimg_names_destroy(names);
    return wrong;
}

static const char *iterators_wrong(const struct flips_state *state, const struct aimg_reader *reader)
{
    const char *wrong = names_walk_wrong(state, reader);
    for (uint32_t column = 0; wrong == NULL && column < state->columns; column++)
        wrong = column_walk_wrong(state, reader, column);
    return wrong;
}

static const char *lent_wrong(enum aimg_status status, const struct aimg_bytes *lent, const struct image *image, uint32_t ordinal)
{
    if (status == AIMG_NOT_FOUND && image->dead)
        return NULL;
    if (status != AIMG_OK)
        return refusal_wrong(status);
    compared++;
    if (image->dead || lent->ordinal != ordinal ||
        (lent->coding == 0 && !same(lent->data, (size_t)lent->bytes, image->data, (size_t)image->bytes)))
        return "an image is borrowed with other bytes";
    return NULL;
}

static const char *borrowed_wrong(const struct image *image, const struct aimg_reader *reader, uint32_t ordinal)
{
    struct aimg_bytes lent;
    struct aimg_entry entry;
    enum aimg_status status = aimg_reader_borrow(reader, ordinal, AIMG_READ_VERIFY, &lent, NULL);
    const char *wrong = lent_wrong(status, &lent, image, ordinal);
    if (wrong == NULL && image->name_bytes > 0 && !image->dead) {
        status = aimg_reader_borrow_name(reader, image->name, image->name_bytes, AIMG_READ_VERIFY, &lent, NULL);
        wrong = lent_wrong(status, &lent, image, ordinal);
    }
    (void)aimg_reader_entry(reader, ordinal, &entry, NULL);
    return wrong;
}

static const char *whole_wrong(const struct flips_state *state, const struct aimg_reader *reader)
{
    static uint8_t pairs[ROOM];
    struct meta meta = {.out = pairs};
    uint32_t found;
    if (aimg_reader_count(reader) != state->count || aimg_reader_ordinal_count(reader) != state->ordinals)
        return "the number of images is another one";
    enum aimg_status status = aimg_reader_find(reader, "a name that is not there", 24, &found, NULL);
    if (status == AIMG_OK)
        return "a name is found that nobody gave";
    if (status != AIMG_NOT_FOUND && refusal_wrong(status) != NULL)
        return refusal_wrong(status);
    compared += status == AIMG_NOT_FOUND;
    status = aimg_reader_each_meta(reader, add_meta, &meta, NULL);
    if (status != AIMG_OK)
        return refusal_wrong(status);
    compared++;
    return same(pairs, meta.bytes, state->meta, (size_t)state->meta_bytes) ? NULL : "the metadata are others";
}

const char *flips_state_wrong(const struct flips_state *state, const struct aimg_reader *reader, bool every_way, uint64_t *reads)
{
    compared = 0;
    const char *wrong = whole_wrong(state, reader);
    for (uint32_t i = 0; wrong == NULL && i < state->ordinals; i++) {
        const struct image *image = &state->images[i];
        wrong = image_wrong(image, reader, i);
        if (wrong == NULL)
            wrong = values_wrong(state, reader, i);
        if (wrong == NULL && every_way)
            wrong = borrowed_wrong(image, reader, i);
        read_unverified(reader, i);
    }
    if (wrong == NULL && every_way)
        wrong = iterators_wrong(state, reader);
    *reads += compared;
    return wrong;
}
