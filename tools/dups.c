/* SPDX-License-Identifier: Apache-2.0 */
#include "dups.h"

#include "cmd.h"
#include "json.h"
#include "output.h"
#include "reading.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Names are read in order of position, a whole group of the archive's names at a time: so those of many images are collected in
 * one walk before they are printed. A group that is larger is taken whole. */
enum { MEMBERS_AT_ONCE = 1 << 18, NAME_ROOM = 1024 };

struct member {
    uint64_t hash[2];
    uint32_t ordinal;
    uint32_t group; /* ordinal of the first with this hash */
};

/* Images that may have equals, of which the names are known. */
struct chunk {
    struct member *members;
    size_t count;
    uint64_t *order;   /* ordinal << 32 | index of the member, sorted */
    uint32_t *group;   /* indexes of those with one hash, as they are taken apart */
    uint32_t *others;  /* those of them that do not equal the first */
    uint64_t *names;   /* where the name of each member begins in text, by index of the member */
    char *text;        /* names, each with a zero byte */
    size_t used, room; /* of text */
};

struct dups {
    const struct aimg_reader *reader;
    const char *path;
    const struct dups_options *options;
    struct dups_totals *totals;
    struct member *members;
    size_t count;
    struct chunk chunk;
    struct image_buffer first, other;
    bool terminal;
    int code;
};

/* False, for who fails with it. */
static bool out_of_memory(struct dups *dups)
{
    output_error("%s: out of memory", dups->path);
    dups->code = EXIT_SYSTEM;
    return false;
}

/* ------------------------------------------------------------------ finding */

static void collect(struct dups *dups, struct selection *selection)
{
    struct walk walk;
    struct aimg_listed listed;
    struct aimg_entry entry;
    struct aimg_error error;

    walk_begin(&walk, dups->reader, dups->path, selection);
    while (walk_next(&walk, &listed)) {
        struct member *member = &dups->members[dups->count];
        enum aimg_status status = aimg_reader_entry(dups->reader, listed.ordinal, &entry, &error);
        if (status != AIMG_OK) {
            dups->code = worse_code(dups->code, output_status(dups->path, status, &error));
            continue;
        }
        memcpy(member->hash, entry.hash, sizeof member->hash);
        member->ordinal = listed.ordinal;
        dups->count++;
    }
    walk_end(&walk);
    dups->code = worse_code(dups->code, walk.code);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_hash(const void *a, const void *b)
{
    const struct member *x = a, *y = b;

    if (x->hash[0] != y->hash[0])
        return compare_numbers(x->hash[0], y->hash[0]);
    if (x->hash[1] != y->hash[1])
        return compare_numbers(x->hash[1], y->hash[1]);
    return compare_numbers(x->ordinal, y->ordinal);
}

static int by_group(const void *a, const void *b)
{
    const struct member *x = a, *y = b;

    return x->group != y->group ? compare_numbers(x->group, y->group) : compare_numbers(x->ordinal, y->ordinal);
}

static bool same_hash(const struct member *a, const struct member *b)
{
    return a->hash[0] == b->hash[0] && a->hash[1] == b->hash[1];
}

/* Leaves those whose hash another has, in order of the first of them. */
static void keep_candidates(struct dups *dups)
{
    struct member *members = dups->members;
    size_t kept = 0;

    qsort(members, dups->count, sizeof *members, by_hash);
    for (size_t begin = 0, end; begin < dups->count; begin = end) {
        uint32_t group = members[begin].ordinal;
        for (end = begin + 1; end < dups->count && same_hash(&members[begin], &members[end]);)
            end++;
        for (size_t i = begin; end - begin > 1 && i < end; i++) {
            members[kept] = members[i];
            members[kept++].group = group;
        }
    }
    dups->count = kept;
    qsort(members, kept, sizeof *members, by_group);
}

/* ------------------------------------------------------------------ names */

static int by_ordinal(const void *a, const void *b)
{
    return compare_numbers(*(const uint64_t *)a, *(const uint64_t *)b);
}

static bool add_name(struct chunk *chunk, uint32_t index, const struct aimg_listed *listed)
{
    if (chunk->room - chunk->used <= listed->name_bytes) {
        size_t room = chunk->room + chunk->room / 2 + listed->name_bytes + NAME_ROOM;
        char *text = realloc(chunk->text, room);
        if (text == NULL)
            return false;
        chunk->text = text;
        chunk->room = room;
    }
    chunk->names[index] = chunk->used;
    memcpy(chunk->text + chunk->used, listed->name, listed->name_bytes);
    chunk->used += listed->name_bytes;
    chunk->text[chunk->used++] = '\0';
    return true;
}

/* The names were all read once, so none is missing now. */
static bool read_names(struct dups *dups)
{
    struct chunk *chunk = &dups->chunk;
    struct selection all;
    struct walk walk;
    struct aimg_listed listed;
    size_t next = 0;
    bool whole = true;

    for (size_t i = 0; i < chunk->count; i++)
        chunk->order[i] = (uint64_t)chunk->members[i].ordinal << 32 | i;
    qsort(chunk->order, chunk->count, sizeof *chunk->order, by_ordinal);
    chunk->used = 0;
    if (selection_init(&all, NULL, 0) != EXIT_DONE)
        return out_of_memory(dups);
    walk_begin(&walk, dups->reader, dups->path, &all);
    walk.silent = true;
    while (whole && next < chunk->count && walk_next(&walk, &listed))
        if (listed.ordinal == chunk->order[next] >> 32)
            whole = add_name(chunk, (uint32_t)chunk->order[next++], &listed);
    walk_end(&walk);
    selection_fini(&all);
    if (!whole)
        return out_of_memory(dups);
    if (next == chunk->count)
        return true;
    output_error("%s: changed while it was being read", dups->path);
    dups->code = EXIT_SYSTEM;
    return false;
}

/* ------------------------------------------------------------------ comparing */

static bool check(struct dups *dups, enum aimg_status status, const struct aimg_error *error)
{
    if (status != AIMG_OK)
        dups->code = worse_code(dups->code, output_status(dups->path, status, error));
    return status == AIMG_OK;
}

static bool read_entry(struct dups *dups, uint32_t index, struct aimg_entry *entry)
{
    struct aimg_error error;

    return check(dups, aimg_reader_entry(dups->reader, dups->chunk.members[index].ordinal, entry, &error), &error);
}

static bool read_image(struct dups *dups, const struct aimg_entry *entry, struct image_buffer *buffer)
{
    struct aimg_error error;

    return check(dups, reading_image(dups->reader, entry->ordinal, buffer, &error), &error);
}

/* Whether two images of one hash are equal. The first is read when it is needed, once. */
static bool equal(struct dups *dups, const struct aimg_entry *first, const struct aimg_entry *other, bool *first_read)
{
    if (first->frame_offset == other->frame_offset)
        return true;
    if (first->raw_bytes != other->raw_bytes)
        return false;
    if (dups->options->fast)
        return true;
    if (!*first_read && !read_image(dups, first, &dups->first))
        return false;
    *first_read = true;
    return read_image(dups, other, &dups->other) &&
           (first->raw_bytes == 0 || memcmp(dups->first.data, dups->other.data, (size_t)first->raw_bytes) == 0);
}

static void count_copy(struct dups *dups, const struct aimg_entry *first, const struct aimg_entry *copy)
{
    bool shared = copy->alias != 0 || copy->frame_offset == first->frame_offset;

    dups->totals->copies++;
    dups->totals->shared += shared;
    dups->totals->bytes += shared ? 0 : copy->stored_bytes;
}

/* Of `count` indexes of one hash: leaves the first and those that equal it in front. Returns how many these are; the others come
 * after them. What cannot be read equals nothing, and is said. */
static size_t take_equals(struct dups *dups, uint32_t *indexes, size_t count, struct aimg_entry *first)
{
    size_t equals = 1, others = 0;
    bool first_read = false;

    if (!read_entry(dups, indexes[0], first))
        return 1;
    for (size_t i = 1; i < count; i++) {
        struct aimg_entry other;
        if (read_entry(dups, indexes[i], &other) && equal(dups, first, &other, &first_read)) {
            count_copy(dups, first, &other);
            indexes[equals++] = indexes[i];
        } else {
            dups->chunk.others[others++] = indexes[i];
        }
    }
    memcpy(indexes + equals, dups->chunk.others, others * sizeof *indexes);
    return equals;
}

/* ------------------------------------------------------------------ printing */

static void print_names(const struct dups *dups, const uint32_t *indexes, size_t count)
{
    char escaped[4 * NAME_ROOM + 1];

    if (dups->totals->groups > 1)
        putchar_unlocked('\n');
    for (size_t i = 0; i < count; i++) {
        const char *name = dups->chunk.text + dups->chunk.names[indexes[i]];
        if (dups->terminal)
            name = output_escape(name, strlen(name), escaped, sizeof escaped);
        fputs(name, stdout);
        putchar_unlocked('\n');
    }
}

static void print_object(struct dups *dups, const uint32_t *indexes, size_t count, const struct aimg_entry *first)
{
    struct json_object object = json_object_begin();
    json_t *names = json_array(), *positions = json_array();
    struct aimg_error error;

    json_put_count(&object, "bytes", first->raw_bytes);
    json_put_hash(&object, "xxh128", first->hash);
    for (size_t i = 0; i < count; i++) {
        uint64_t position = 0;
        const char *name = dups->chunk.text + dups->chunk.names[indexes[i]];
        enum aimg_status status =
            aimg_reader_position_of(dups->reader, dups->chunk.members[indexes[i]].ordinal, &position, &error);
        /* Appending takes the reference also when it fails. */
        if (!check(dups, status, &error) || json_array_append_new(positions, json_from_count(position)) != 0 ||
            json_array_append_new(names, json_from_text(name, strlen(name))) != 0)
            object.failed = true;
    }
    json_put(&object, "positions", positions);
    json_put(&object, "names", names);
    dups->code = worse_code(dups->code, json_print(&object));
}

/* Images of one hash: mostly one group. */
static void print_groups(struct dups *dups, uint32_t *indexes, size_t count)
{
    while (count > 1 && !ferror_unlocked(stdout)) {
        struct aimg_entry first;
        size_t equals = take_equals(dups, indexes, count, &first);
        if (equals > 1) {
            dups->totals->groups++;
            if (dups->options->json)
                print_object(dups, indexes, equals, &first);
            else
                print_names(dups, indexes, equals);
        }
        indexes += equals;
        count -= equals;
    }
}

static void print_chunk(struct dups *dups)
{
    struct chunk *chunk = &dups->chunk;

    for (size_t begin = 0, end; begin < chunk->count; begin = end) {
        for (end = begin; end < chunk->count && chunk->members[end].group == chunk->members[begin].group; end++)
            chunk->group[end - begin] = (uint32_t)end;
        print_groups(dups, chunk->group, end - begin);
    }
}

/* ------------------------------------------------------------------ all of it */

/* The next whole groups of hashes. */
static size_t next_chunk(const struct dups *dups, size_t begin)
{
    size_t end = dups->count - begin > MEMBERS_AT_ONCE ? begin + MEMBERS_AT_ONCE : dups->count;

    while (end < dups->count && end > begin && dups->members[end].group == dups->members[end - 1].group)
        end--;
    if (end == begin) /* one group that is larger */
        for (end++; end < dups->count && dups->members[end].group == dups->members[begin].group;)
            end++;
    return end;
}

static void free_room(struct chunk *chunk)
{
    free(chunk->order);
    free(chunk->group);
    free(chunk->others);
    free(chunk->names);
}

static bool make_room(struct dups *dups, size_t count)
{
    struct chunk *chunk = &dups->chunk;

    free_room(chunk);
    chunk->order = malloc(count * sizeof *chunk->order);
    chunk->group = malloc(count * sizeof *chunk->group);
    chunk->others = malloc(count * sizeof *chunk->others);
    chunk->names = malloc(count * sizeof *chunk->names);
    bool whole = chunk->order != NULL && chunk->group != NULL && chunk->others != NULL && chunk->names != NULL;
    return whole || out_of_memory(dups);
}

static void print_all(struct dups *dups)
{
    for (size_t begin = 0, end; begin < dups->count && !ferror_unlocked(stdout); begin = end) {
        end = next_chunk(dups, begin);
        dups->chunk.members = dups->members + begin;
        dups->chunk.count = end - begin;
        if (!make_room(dups, end - begin) || !read_names(dups))
            return;
        print_chunk(dups);
    }
}

int dups_print(const struct aimg_reader *reader, const char *path, struct selection *selection,
               const struct dups_options *options, struct dups_totals *totals_out)
{
    struct dups dups = {
        .reader = reader, .path = path, .options = options, .totals = totals_out, .terminal = isatty(STDOUT_FILENO)};
    uint64_t count = aimg_reader_count(reader);

    *totals_out = (struct dups_totals){.groups = 0};
    /* Memory that is not touched costs nothing, should few be selected. */
    dups.members = count < SIZE_MAX / sizeof *dups.members ? malloc((size_t)(count + 1) * sizeof *dups.members) : NULL;
    if (dups.members == NULL) {
        (void)out_of_memory(&dups);
        return dups.code;
    }
    collect(&dups, selection);
    keep_candidates(&dups);
    print_all(&dups);
    free_room(&dups.chunk);
    free(dups.chunk.text);
    free(dups.first.data);
    free(dups.other.data);
    free(dups.members);
    return dups.code;
}
