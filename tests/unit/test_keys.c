/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of names: found while they wait, sorted, merged with older tables, placed as SPEC.md 6.2 says; against plain arrays. */
#include "error.h"
#include "keys.h"
#include "random.h"
#include "table_room.h"

#include <stdlib.h>

enum { MOST_KEYS = 30000, MOST_TABLES = 4 };

static struct aimg_error error;

struct model {
    struct aimg_name_slot keys[MOST_KEYS];
    uint32_t count;
};

static int compare_keys(const void *a, const void *b)
{
    const struct aimg_name_slot *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->ordinal > y->ordinal) - (x->ordinal < y->ordinal);
}

/* Ways in which hashes fall: evenly, in few places, all in one, at the ends. */
static uint64_t make_hash(uint64_t *random, unsigned way)
{
    const uint64_t all = (UINT64_C(1) << AIMG_NAME_HASH_BITS) - 1;
    switch (way) {
    case 0:
        return random_next(random) & all;
    case 1:
        return random_below(random, 500) << 31;
    case 2:
        return (UINT64_C(77) << 30) + random_below(random, 3);
    case 3:
        return all - random_below(random, 40);
    default:
        return random_below(random, 40);
    }
}

static enum aimg_status ends_in_three(void *user, uint32_t ordinal, bool *dead_out, struct aimg_error *why)
{
    (void)why;
    (*(uint64_t *)user)++;
    *dead_out = ordinal % 10 == 3;
    return AIMG_OK;
}

/* The table's slots are those of the model, each in its place. */
static void check_placed(const uint8_t *slots, const struct aimg_section *section, const struct model *model)
{
    uint64_t next = 0, max_disp = 0;
    EXPECT(aimg_slot_count_in_range(section->extra, model->count));
    for (uint32_t i = 0; i < model->count; i++) {
        const struct aimg_name_slot *key = &model->keys[i];
        uint64_t home = aimg_slot_home(key->hash, AIMG_NAME_HASH_BITS, section->extra);
        uint64_t place = home > next ? home : next;
        struct aimg_name_slot found;
        for (; next < place; next++)
            EXPECT(aimg_name_slot_empty(slots + next * AIMG_NAME_SLOT_BYTES));
        aimg_name_slot_decode(slots + place * AIMG_NAME_SLOT_BYTES, &found);
        EXPECT(found.hash == key->hash && found.ordinal == key->ordinal && found.frame_offset == key->frame_offset &&
               found.lenclass == key->lenclass);
        max_disp = place - home > max_disp ? place - home : max_disp;
        next = place + 1;
    }
    EXPECT_EQ_UINT(section->count, section->extra + max_disp);
    for (; next < section->count; next++)
        EXPECT(aimg_name_slot_empty(slots + next * AIMG_NAME_SLOT_BYTES));
}

/* What waits is found by hash, all of it and nothing else. */
static void check_waiting(const struct aimg_keys *keys, const struct model *model, uint32_t first)
{
    uint64_t random = first + model->count;
    for (unsigned i = 0; i < 200; i++) {
        uint64_t hash =
            i % 2 == 0 ? model->keys[first + random_below(&random, model->count - first)].hash : random_next(&random) >> 24;
        uint64_t cursor = 0, expected = 0, found = 0;
        struct aimg_name_slot slot;
        for (uint32_t k = first; k < model->count; k++)
            expected += model->keys[k].hash == hash;
        while (aimg_keys_next(keys, hash, &cursor, &slot)) {
            EXPECT_EQ_UINT(slot.hash, hash);
            found++;
        }
        EXPECT_EQ_UINT(found, expected);
    }
}

struct written {
    struct aimg_part parts[MOST_TABLES];
    struct aimg_table tables[MOST_TABLES];
    struct aimg_section sections[MOST_TABLES][1];
    struct aimg_table *pointers[MOST_TABLES];
};

static void add_keys(struct aimg_keys *keys, struct model *model, uint32_t count, uint64_t *random, unsigned way)
{
    for (uint32_t i = 0; i < count; i++) {
        struct aimg_name_slot slot = {.hash = make_hash(random, way),
                                      .frame_offset = 8 * (AIMG_HEAD_BYTES + random_below(random, UINT64_C(1) << 40)),
                                      .ordinal = model->count,
                                      .lenclass = (uint8_t)random_next(random)};
        REQUIRE(aimg_keys_add(keys, &slot));
        model->keys[model->count++] = slot;
    }
}

static enum aimg_status keep_all(void *user, uint32_t ordinal, bool *dead_out, struct aimg_error *why)
{
    (void)user;
    (void)ordinal;
    (void)why;
    *dead_out = false;
    return AIMG_OK;
}

/* Leaves those that ends_in_three says are dead out of the model, and sorts it. */
static void bury(struct model *model)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < model->count; i++)
        if (model->keys[i].ordinal % 10 != 3)
            model->keys[kept++] = model->keys[i];
    model->count = kept;
    qsort(model->keys, model->count, sizeof model->keys[0], compare_keys);
}

static void check_table(struct table_room *room, struct aimg_table *table, const struct model *model)
{
    const struct aimg_section *section = aimg_table_section(table, AIMG_SECTION_NAME_SLOTS, 0);
    uint8_t *slots = malloc((size_t)section->bytes);
    REQUIRE(slots != NULL &&
            room->io.ops->read_at(&room->io, table->payload + section->offset, slots, (size_t)section->bytes, &error) == AIMG_OK);
    EXPECT_EQ_INT(aimg_table_verify(&room->source, table, 0, table->data_bytes, &error), AIMG_OK);
    check_placed(slots, section, model);
    free(slots);
}

/* Several tables, written one by one, merged with what waits; then the dead ones left out. */
static void check_merge(uint32_t tables, uint32_t each, unsigned way)
{
    static struct model model;
    static struct written written;
    struct table_room room;
    struct aimg_keys keys = {.kind = &aimg_name_slots};
    struct aimg_part part;
    struct aimg_table merged;
    uint64_t random = each * 8 + way, asked = 0;
    model.count = 0;
    table_room_open(&room);
    keys.allocator = room.out.allocator;
    for (uint32_t i = 0; i <= tables; i++) {
        uint32_t first = model.count;
        add_keys(&keys, &model, i == tables ? each / 3 : each, &random, way);
        if (model.count > first)
            check_waiting(&keys, &model, first);
        if (i == tables)
            break;
        REQUIRE(aimg_keys_write(&keys, &room.source, NULL, 0, keep_all, NULL, &room.out, &written.parts[i], &error) == AIMG_OK);
        aimg_keys_clear(&keys);
        REQUIRE(aimg_out_flush(&room.out, &error) == AIMG_OK);
        room.source.end = room.out.flushed;
        REQUIRE(aimg_table_open(&room.source, &written.parts[i], written.sections[i], &written.tables[i], &error) == AIMG_OK);
        written.pointers[i] = &written.tables[i];
    }
    REQUIRE(aimg_keys_write(&keys, &room.source, written.pointers, tables, ends_in_three, &asked, &room.out, &part, &error) ==
            AIMG_OK);
    bury(&model);
    EXPECT_EQ_UINT(part.count, model.count);
    EXPECT(asked >= model.count);
    if (part.count > 0) {
        REQUIRE(table_room_table(&room, &part, &merged, &error) == AIMG_OK);
        check_table(&room, &merged, &model);
    }
    aimg_keys_release(&keys);
    table_room_close(&room);
}

static enum aimg_status all_dead(void *user, uint32_t ordinal, bool *dead_out, struct aimg_error *why)
{
    (void)user;
    (void)ordinal;
    (void)why;
    *dead_out = true;
    return AIMG_OK;
}

static enum aimg_status cannot_say(void *user, uint32_t ordinal, bool *dead_out, struct aimg_error *why)
{
    (void)ordinal;
    (void)dead_out;
    return ++*(uint64_t *)user == 150 ? aimg_fail(why, AIMG_OUT_OF_MEMORY, "no memory") : AIMG_OK;
}

/* A damaged table is not merged, and one that cannot be judged is not taken for alive. */
static void check_trouble(void)
{
    static struct model model;
    static struct written written;
    struct table_room room;
    struct aimg_keys keys = {.kind = &aimg_name_slots};
    struct aimg_part part;
    uint64_t random = 1, asked = 0;
    table_room_open(&room);
    keys.allocator = room.out.allocator;
    add_keys(&keys, &model, 300, &random, 0);
    REQUIRE(aimg_keys_write(&keys, &room.source, NULL, 0, keep_all, NULL, &room.out, &written.parts[0], &error) == AIMG_OK);
    REQUIRE(table_room_table(&room, &written.parts[0], &written.tables[0], &error) == AIMG_OK);
    written.pointers[0] = &written.tables[0];
    EXPECT_EQ_INT(aimg_keys_write(&keys, &room.source, written.pointers, 1, cannot_say, &asked, &room.out, &part, &error),
                  AIMG_OUT_OF_MEMORY);
    REQUIRE(room.io.ops->write_at(&room.io, written.tables[0].payload + 5000, "?", 1, NULL, 0, &error) == AIMG_OK);
    EXPECT_EQ_INT(aimg_keys_write(&keys, &room.source, written.pointers, 1, keep_all, NULL, &room.out, &part, &error),
                  AIMG_CHECKSUM);
    EXPECT_EQ_UINT(error.rule, 40);
    aimg_keys_release(&keys);
    table_room_close(&room);
}

static void check_limits(void)
{
    static struct model model;
    struct table_room room;
    struct aimg_keys keys = {.kind = &aimg_name_slots};
    struct aimg_part part = {.count = 9};
    uint64_t random = 1, cursor = 0;
    struct aimg_name_slot slot;
    table_room_open(&room);
    keys.allocator = room.out.allocator;
    EXPECT(!aimg_keys_next(&keys, 5, &cursor, &slot));
    EXPECT_EQ_INT(aimg_keys_write(&keys, &room.source, NULL, 0, keep_all, NULL, &room.out, &part, &error), AIMG_OK);
    EXPECT_EQ_UINT(part.count, 0);
    add_keys(&keys, &model, 100, &random, 0);
    EXPECT_EQ_INT(aimg_keys_write(&keys, &room.source, NULL, 0, all_dead, NULL, &room.out, &part, &error), AIMG_OK);
    EXPECT_EQ_UINT(part.count, 0);
    EXPECT_EQ_UINT(aimg_out_offset(&room.out), AIMG_HEAD_BYTES); /* and nothing was written */
    /* As many on one place as a search may pass, and one more. */
    for (uint32_t i = 0; i < 2; i++) {
        aimg_keys_clear(&keys);
        model.count = 0;
        for (uint32_t k = 0; k <= AIMG_PROBE_MAX + i; k++) {
            struct aimg_name_slot same = {.hash = 123456, .frame_offset = 8, .ordinal = k};
            REQUIRE(aimg_keys_add(&keys, &same));
        }
        EXPECT_EQ_INT(aimg_keys_write(&keys, &room.source, NULL, 0, keep_all, NULL, &room.out, &part, &error),
                      i == 0 ? AIMG_OK : AIMG_LIMIT);
    }
    aimg_keys_release(&keys);
    table_room_close(&room);
}

/* Hashes that fall on few places of a set whose places they are, as who knows the seed can make them; and a name that comes again
 * and again. How far a search goes is what it costs. */
static void check_hostile(void)
{
    enum { COUNT = 20000 };
    struct aimg_keys keys = {.kind = &aimg_name_slots, .multiplier = UINT64_C(0x123456789ABCDEF1)};
    struct aimg_name_slot slot = {.hash = 0}, found;
    uint64_t steps = 0, cursor = 0;
    REQUIRE(aimg_allocator_resolve(&keys.allocator, &keys.allocator));
    for (uint32_t i = 0; i < COUNT; i++) {
        slot = (struct aimg_name_slot){.hash = (uint64_t)(i / 4) << 20 | i % 4, .ordinal = i};
        REQUIRE(aimg_keys_add(&keys, &slot));
        cursor = 0;
        EXPECT(aimg_keys_next(&keys, slot.hash, &cursor, &found) && found.ordinal == i);
        steps += cursor;
    }
    EXPECT(steps < 10 * COUNT);
    for (uint32_t i = COUNT; i < 2 * COUNT; i++) {
        aimg_keys_supersede(&keys, slot.hash, slot.ordinal);
        slot.ordinal = i;
        REQUIRE(aimg_keys_add(&keys, &slot));
    }
    cursor = 0;
    EXPECT(aimg_keys_next(&keys, slot.hash, &cursor, &found) && found.ordinal == 2 * COUNT - 1 && cursor < 1000);
    EXPECT(!aimg_keys_next(&keys, slot.hash, &cursor, &found));
    EXPECT_EQ_UINT(aimg_keys_count(&keys), COUNT);
    aimg_keys_supersede(&keys, slot.hash, slot.ordinal);
    slot.hash++; /* another name is added instead */
    REQUIRE(aimg_keys_add(&keys, &slot));
    EXPECT_EQ_UINT(aimg_keys_count(&keys), COUNT + 1);
    aimg_keys_release(&keys);
}

int main(void)
{
    static const uint32_t sizes[] = {1, 2, 3, 23, 24, 25, 26, 300, 1000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (unsigned way = 0; way < 5; way++)
            for (uint32_t tables = 0; tables <= MOST_TABLES; tables += 2)
                check_merge(tables, sizes[i], way);
    check_merge(1, 9000, 0);
    check_merge(4, 6000, 0);
    check_merge(3, 5000, 1);
    check_trouble();
    check_limits();
    check_hostile();
    return test_end("test_keys");
}
