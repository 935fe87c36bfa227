/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of content: sorted, merged with older tables and placed as SPEC.md 6.4 says, against plain arrays; and what is left out
 * because it is a hint: too many of one hash, too many near one place, ordinals that no image has, slots that stand twice. */
#include "error.h"
#include "keys.h"
#include "random.h"
#include "reader.h"
#include "table_room.h"

#include <stdlib.h>

enum { MOST_KEYS = 40000, MOST_TABLES = 4 };

static struct aimg_error error;

struct key {
    uint32_t hash, ordinal;
};

static struct key model[MOST_KEYS];
static uint32_t model_count;

static int compare_keys(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->ordinal > y->ordinal) - (x->ordinal < y->ordinal);
}

/* user: the ordinal from which on there are no images. */
static enum aimg_status is_nobody(void *user, uint32_t ordinal, bool *nobody_out, struct aimg_error *why)
{
    (void)why;
    *nobody_out = ordinal >= *(uint32_t *)user;
    return AIMG_OK;
}

/* Evenly; few hashes, many times; many on few places, at the ends too. */
static uint32_t make_hash(uint64_t *random, unsigned way)
{
    switch (way) {
    case 0:
        return (uint32_t)random_next(random);
    case 1:
        return (uint32_t)random_below(random, 200) << 24;
    case 2:
        return 0xFFFFFFFFu - (uint32_t)random_below(random, 900);
    default:
        return (uint32_t)random_below(random, 900);
    }
}

/* What is kept of the keys from `first` on, sorted. */
static void expect_kept(uint32_t first, uint32_t limit)
{
    uint32_t kept = first, twins = 0;
    qsort(&model[first], model_count - first, sizeof model[0], compare_keys);
    for (uint32_t i = first; i < model_count; i++) {
        twins = i > first && model[i].hash == model[i - 1].hash ? twins : 0;
        if (model[i].ordinal >= limit || (i > first && compare_keys(&model[i], &model[i - 1]) == 0))
            continue;
        if (twins++ < AIMG_CONTENT_TWINS)
            model[kept++] = model[i];
    }
    model_count = kept;
}

static uint8_t *load_slots(struct table_room *room, struct aimg_table *table)
{
    const struct aimg_section *section = aimg_table_section(table, AIMG_SECTION_CONTENT_SLOTS, 0);
    uint8_t *slots = malloc((size_t)section->bytes);
    REQUIRE(slots != NULL && table->section_count == 1 && table->part.type == AIMG_FRAME_CONTENT);
    REQUIRE(room->io.ops->read_at(&room->io, table->payload + section->offset, slots, (size_t)section->bytes, &error) == AIMG_OK);
    EXPECT_EQ_INT(aimg_table_verify(&room->source, table, 0, table->data_bytes, &error), AIMG_OK);
    return slots;
}

/* Those that would stand too far from their home are left out. */
static void expect_near(uint64_t slot_count)
{
    uint32_t kept = 0;
    uint64_t next = 0;
    for (uint32_t i = 0; i < model_count; i++) {
        uint64_t home = aimg_slot_home(model[i].hash, AIMG_CONTENT_HASH_BITS, slot_count);
        uint64_t place = home > next ? home : next;
        if (place - home > AIMG_PROBE_MAX)
            continue;
        model[kept++] = model[i];
        next = place + 1;
    }
    model_count = kept;
}

/* All of the model and nothing else, each in its place. */
static void check_placed(struct table_room *room, struct aimg_table *table)
{
    const struct aimg_section *section = aimg_table_section(table, AIMG_SECTION_CONTENT_SLOTS, 0);
    uint8_t *slots = load_slots(room, table), expected[AIMG_CONTENT_SLOT_BYTES];
    uint64_t next = 0, max_disp = 0;
    EXPECT(aimg_slot_count_in_range(section->extra, model_count) && section->element_bytes == AIMG_CONTENT_SLOT_BYTES);
    for (uint32_t i = 0; i < model_count; i++) {
        uint64_t home = aimg_slot_home(model[i].hash, AIMG_CONTENT_HASH_BITS, section->extra);
        uint64_t place = home > next ? home : next;
        for (; next < place; next++)
            EXPECT(aimg_all_zero(slots + next * AIMG_CONTENT_SLOT_BYTES, AIMG_CONTENT_SLOT_BYTES));
        aimg_store32(expected, model[i].hash);
        aimg_store32(expected + 4, model[i].ordinal + 1);
        EXPECT_EQ_BYTES(slots + place * AIMG_CONTENT_SLOT_BYTES, expected, sizeof expected);
        max_disp = place - home > max_disp ? place - home : max_disp;
        next = place + 1;
    }
    EXPECT_EQ_UINT(section->count, section->extra + max_disp);
    EXPECT(aimg_all_zero(slots + next * AIMG_CONTENT_SLOT_BYTES, (section->count - next) * AIMG_CONTENT_SLOT_BYTES));
    free(slots);
}

static void add(struct aimg_keys *keys, uint32_t hash, uint32_t ordinal)
{
    REQUIRE(model_count < MOST_KEYS && aimg_keys_add_content(keys, hash, ordinal));
    model[model_count++] = (struct key){hash, ordinal};
}

static void begin(struct table_room *room, struct aimg_keys *keys)
{
    table_room_open(room);
    *keys = (struct aimg_keys){.allocator = room->out.allocator, .kind = &aimg_content_slots};
    model_count = 0;
}

static void end(struct table_room *room, struct aimg_keys *keys)
{
    aimg_keys_release(keys);
    table_room_close(room);
}

/* Several tables, one by one, merged with what waits. `repeat`: some slots stand in two of them, as in an archive of somebody
 * who means no good. */
static void check_merge(uint32_t tables, uint32_t each, unsigned way, bool repeat)
{
    static struct aimg_table older[MOST_TABLES];
    static struct aimg_section sections[MOST_TABLES][1];
    struct aimg_table *pointers[MOST_TABLES], merged;
    struct table_room room;
    struct aimg_keys keys;
    struct aimg_part part;
    uint32_t everybody = UINT32_MAX, ordinal = 0, first = 0; /* of the model's keys: that waits */
    uint64_t random = each * 8 + way;
    begin(&room, &keys);
    for (uint32_t i = 0; i <= tables; i++) {
        for (uint32_t k = 0; k < (i == tables ? each / 3 : each); k++) {
            uint32_t other = (uint32_t)random_below(&random, model_count + 1);
            if (repeat && k % 5 == 0 && other < model_count)
                add(&keys, model[other].hash, model[other].ordinal);
            else
                add(&keys, make_hash(&random, way), ordinal++);
        }
        if (i == tables)
            break;
        REQUIRE(aimg_keys_write(&keys, &room.source, NULL, 0, is_nobody, &everybody, &room.out, &part, &error) == AIMG_OK);
        expect_kept(first, everybody); /* what a table leaves out the merged one cannot have */
        first = model_count;
        aimg_keys_clear(&keys);
        REQUIRE(aimg_out_flush(&room.out, &error) == AIMG_OK);
        room.source.end = room.out.flushed;
        REQUIRE(aimg_table_open(&room.source, &part, sections[i], &older[i], &error) == AIMG_OK);
        pointers[i] = &older[i];
    }
    uint32_t limit = ordinal - ordinal / 7;
    REQUIRE(aimg_keys_write(&keys, &room.source, pointers, tables, is_nobody, &limit, &room.out, &part, &error) == AIMG_OK);
    expect_kept(0, limit);
    if (EXPECT_EQ_UINT(part.count, model_count) && part.count > 0) {
        REQUIRE(table_room_table(&room, &part, &merged, &error) == AIMG_OK);
        check_placed(&room, &merged);
    }
    end(&room, &keys);
}

/* Of one hash the first few are kept. */
static void check_twins(void)
{
    struct table_room room;
    struct aimg_keys keys;
    struct aimg_part part;
    struct aimg_table table;
    uint32_t everybody = UINT32_MAX;
    uint64_t random = 9;
    begin(&room, &keys);
    for (uint32_t i = 0; i < 6000; i++)
        add(&keys, i % 3 == 0 ? make_hash(&random, 0) : make_hash(&random, 1), i);
    REQUIRE(aimg_keys_write(&keys, &room.source, NULL, 0, is_nobody, &everybody, &room.out, &part, &error) == AIMG_OK);
    expect_kept(0, everybody);
    EXPECT(model_count < 4000 && EXPECT_EQ_UINT(part.count, model_count));
    REQUIRE(table_room_table(&room, &part, &table, &error) == AIMG_OK);
    check_placed(&room, &table);
    end(&room, &keys);
}

/* `crowd` keys with different hashes on one place among `rest` others. Nobody can stop a commit with that: those that would stand
 * too far away are left out, and where that is most of them there is no table, but still a frame. */
static void check_crowd(uint32_t crowd, uint32_t rest, bool table_expected)
{
    struct table_room room;
    struct aimg_keys keys;
    struct aimg_part part = {.count = 77};
    struct aimg_table table;
    struct aimg_frame_view view;
    uint32_t everybody = UINT32_MAX;
    begin(&room, &keys);
    for (uint32_t i = 0; i < crowd; i++)
        add(&keys, 0x80000000u + i, i);
    for (uint32_t i = 0; i < rest; i++)
        add(&keys, i * (0x7FFFFFFFu / rest), crowd + i);
    REQUIRE(aimg_keys_write(&keys, &room.source, NULL, 0, is_nobody, &everybody, &room.out, &part, &error) == AIMG_OK);
    if (table_expected) {
        EXPECT(part.count >= rest + AIMG_PROBE_MAX && part.count < rest + AIMG_PROBE_MAX + 8);
        REQUIRE(table_room_table(&room, &part, &table, &error) == AIMG_OK);
        expect_kept(0, everybody);
        expect_near(aimg_table_section(&table, AIMG_SECTION_CONTENT_SLOTS, 0)->extra);
        EXPECT_EQ_UINT(part.count, model_count);
        check_placed(&room, &table);
    } else {
        EXPECT_EQ_UINT(part.count, 0);
        REQUIRE(aimg_out_flush(&room.out, &error) == AIMG_OK);
        room.source.end = room.out.flushed;
        uint64_t offset = AIMG_HEAD_BYTES; /* after the padding that brings its payload to a multiple of 64 */
        EXPECT_EQ_INT(aimg_frame_read(&room.source, offset, &view, &error), AIMG_OK);
        if (view.frame.type == AIMG_FRAME_PAD)
            offset += aimg_frame_total_bytes(&view.frame);
        EXPECT_EQ_INT(aimg_frame_read(&room.source, offset, &view, &error), AIMG_OK);
        EXPECT_EQ_INT(view.frame.type, AIMG_FRAME_CONTENT);
        EXPECT_EQ_UINT(offset + aimg_frame_total_bytes(&view.frame), room.out.flushed);
    }
    end(&room, &keys);
}

int main(void)
{
    static const uint32_t sizes[] = {1, 2, 3, 23, 25, 300, 900};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        for (unsigned way = 0; way < 4; way++)
            for (uint32_t tables = 0; tables <= MOST_TABLES; tables += 2) {
                check_merge(tables, sizes[i], way, false);
                check_merge(tables, sizes[i], way, true);
            }
    check_merge(3, 9000, 0, false);
    check_twins();
    check_crowd(9000, 10000, true);
    check_crowd(9000, 400, false);
    return test_end("test_keys_content");
}
