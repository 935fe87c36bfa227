/* SPDX-License-Identifier: Apache-2.0 */
/* Slots by name and by content: rules 54, 57 to 59 and 67. All NAMES tables are read side by side in order of hash, so that equal
 * names meet. */
#include "verify_read.h"

#include "slot.h"

#include <stdlib.h>

/* Slots looked ahead of: their records lie anywhere in memory. */
#define AHEAD 16

/* One table of slots as it is read. */
struct slots {
    const struct aimg_table *table;
    const struct aimg_section *section;
    struct aimg_verify_stream stream;
    unsigned hash_bits;
    unsigned rule;  /* of the order and the places */
    uint64_t index; /* of the slot after `key` */
    uint64_t keys, max_disp;
    uint64_t last_hash, last_place;
    uint32_t last_ordinal;
    bool more; /* key is there */
    struct aimg_name_slot key;
};

static struct aimg_verify_place place_of(const struct slots *slots, uint64_t index)
{
    return aimg_verify_at(slots->table->payload + slots->section->offset + index * slots->section->element_bytes);
}

/* ------------------------------------------------------------------ order and places */

/* Rule 57, and 67 for content: the key at the slot before slots->index. */
static void check_place(struct aimg_verify *verify, struct slots *slots)
{
    const struct aimg_name_slot *key = &slots->key;
    uint64_t place = slots->index - 1, home = aimg_slot_home(key->hash, slots->hash_bits, slots->section->extra);
    uint64_t free = slots->keys == 0 ? 0 : slots->last_place + 1, expected = home > free ? home : free;
    bool ascends =
        slots->keys == 0 || key->hash > slots->last_hash || (key->hash == slots->last_hash && key->ordinal > slots->last_ordinal);
    if (!ascends)
        aimg_verify_fault(verify, slots->rule, place_of(slots, place),
                          "the slot of ordinal %" PRIu32 " is not in order of hash and ordinal", key->ordinal);
    else if (place != expected)
        aimg_verify_fault(verify, slots->rule, place_of(slots, place),
                          "the slot of ordinal %" PRIu32 " is at place %" PRIu64 ", expected %" PRIu64, key->ordinal, place,
                          expected);
    if (place >= home && place - home > slots->max_disp)
        slots->max_disp = place - home;
    slots->keys++;
    slots->last_hash = key->hash;
    slots->last_ordinal = key->ordinal;
    slots->last_place = place;
}

static void check_totals(struct aimg_verify *verify, const struct slots *slots)
{
    const struct aimg_section *section = slots->section;
    struct aimg_verify_place place = aimg_verify_at(slots->table->part.offset);
    const char *type = aimg_verify_type_name(slots->table->part.type);
    if (slots->index != section->count)
        return; /* could not be read to its end */
    if (slots->keys != slots->table->part.count)
        aimg_verify_fault(verify, slots->rule, place, "the %s table at %" PRIu64 " has %" PRIu64 " keys, ROOT says %" PRIu32,
                          type, slots->table->part.offset, slots->keys, slots->table->part.count);
    if (section->count - section->extra != slots->max_disp)
        aimg_verify_fault(verify, slots->rule, place,
                          "the %s table at %" PRIu64 " leaves %" PRIu64
                          " slots for displaced keys, the largest displacement is %" PRIu64,
                          type, slots->table->part.offset, section->count - section->extra, slots->max_disp);
}

/* ------------------------------------------------------------------ reading */

static void decode_content(const uint8_t *in, struct aimg_name_slot *key)
{
    *key = (struct aimg_name_slot){.hash = aimg_load32(in), .ordinal = aimg_load32(in + 4) - 1};
}

static void look_ahead(const struct aimg_verify *verify, const struct slots *slots)
{
    size_t ahead = (size_t)AHEAD * slots->section->element_bytes;
    if (slots->stream.filled - slots->stream.used < ahead + slots->section->element_bytes)
        return;
    const uint8_t *in = slots->stream.buffer + slots->stream.used + ahead;
    uint32_t ordinal = slots->hash_bits == AIMG_NAME_HASH_BITS ? aimg_load32(in + 8) : aimg_load32(in + 4) - 1;
    if (ordinal < verify->record_count)
        __builtin_prefetch(&verify->records[ordinal]);
}

/* The next key of the table, its place checked. */
static void advance(struct aimg_verify *verify, struct slots *slots)
{
    size_t bytes = slots->section->element_bytes;
    slots->more = false;
    while (!slots->more && slots->index < slots->section->count) {
        look_ahead(verify, slots);
        const uint8_t *in = aimg_verify_stream_next(&slots->stream, bytes);
        if (in == NULL)
            return;
        slots->index++;
        slots->more = !aimg_all_zero(in, bytes);
        if (!slots->more)
            continue;
        if (slots->hash_bits == AIMG_NAME_HASH_BITS)
            aimg_name_slot_decode(in, &slots->key);
        else
            decode_content(in, &slots->key);
        check_place(verify, slots);
    }
    if (!slots->more)
        check_totals(verify, slots);
}

static bool slots_begin(struct aimg_verify *verify, struct slots *slots, const struct aimg_table *table)
{
    bool names = table->part.type == AIMG_FRAME_NAMES;
    *slots = (struct slots){.table = table, .rule = names ? 57 : 67};
    slots->hash_bits = names ? AIMG_NAME_HASH_BITS : AIMG_CONTENT_HASH_BITS;
    slots->section = aimg_table_section(table, names ? AIMG_SECTION_NAME_SLOTS : AIMG_SECTION_CONTENT_SLOTS, 0);
    if (!aimg_verify_section_begin(verify, &slots->stream, table, slots->section))
        return false;
    if (!aimg_slot_count_in_range(slots->section->extra, table->part.count))
        aimg_verify_fault(verify, names ? 59 : 67, aimg_verify_at(table->part.offset),
                          "the %s table at %" PRIu64 " has a slot_count of %" PRIu64 " for %" PRIu32 " keys",
                          aimg_verify_type_name(table->part.type), table->part.offset, slots->section->extra, table->part.count);
    advance(verify, slots);
    return true;
}

/* ------------------------------------------------------------------ one name slot */

/* Whether class is the smallest that holds a frame of that many bytes. */
static bool lenclass_fits(unsigned class, uint64_t bytes)
{
    uint64_t size = ((uint64_t)(8 + (class & 7)) << (class >> 3)) * AIMG_UNIT;
    uint64_t below = class == 0 ? 0 : ((uint64_t)(8 + ((class - 1) & 7)) << ((class - 1) >> 3)) * AIMG_UNIT;
    return bytes > below && (bytes <= size || class == UINT8_MAX);
}

/* Rules 58 and 59. True when it is the slot of a live name. */
static bool check_name_slot(struct aimg_verify *verify, const struct slots *slots)
{
    const struct aimg_name_slot *key = &slots->key;
    struct aimg_verify_place place = place_of(slots, slots->last_place);
    if (key->ordinal >= verify->record_count) {
        aimg_verify_fault(verify, 59, place, "the slot has ordinal %" PRIu32 ", but the archive has only %" PRIu64, key->ordinal,
                          verify->record_count);
        return false;
    }
    struct aimg_verify_record *record = &verify->records[key->ordinal];
    place.ordinal = key->ordinal;
    if (record->type == 0 || key->frame_offset != record->offset) {
        if (!aimg_verify_is_damaged(verify, key->frame_offset))
            aimg_verify_fault(verify, 59, place, "the slot says that the frame of the image is at %" PRIu64 ", where it is not",
                              key->frame_offset);
        return false;
    }
    uint64_t bytes = (uint64_t)record->header_units * AIMG_UNIT + aimg_round_up(record->stored_bytes, AIMG_UNIT);
    bool right = record->named && key->hash == aimg_name_hash40(record->name_hash);
    if (!right)
        aimg_verify_fault(verify, 59, place, "the slot has hash %010" PRIx64 ", the name %010" PRIx64, key->hash,
                          aimg_name_hash40(record->name_hash));
    if (!lenclass_fits(key->lenclass, bytes))
        aimg_verify_fault(verify, 59, place, "the slot has lenclass %u, the frame of %" PRIu64 " bytes %u", key->lenclass, bytes,
                          aimg_slot_lenclass(bytes));
    if ((record->state & AIMG_VERIFY_DEAD) != 0)
        return false;
    if (record->slots != 0)
        aimg_verify_fault(verify, 58, place, "the name has a second slot");
    record->slots = 1;
    return right; /* only there can equal names meet */
}

/* ------------------------------------------------------------------ names that are the same */

/* Live names with one hash. */
struct same {
    uint64_t name_hash;
    uint32_t ordinal;
};

static int compare_same(const void *a, const void *b)
{
    const struct same *x = a, *y = b;
    if (x->name_hash != y->name_hash)
        return x->name_hash < y->name_hash ? -1 : 1;
    return (x->ordinal > y->ordinal) - (x->ordinal < y->ordinal);
}

static void check_same(struct aimg_verify *verify, struct aimg_buffer *group)
{
    struct same *same = (void *)group->data;
    size_t count = group->bytes / sizeof *same;
    uint8_t name[AIMG_NAME_MAX], other[AIMG_NAME_MAX];
    if (count > 1)
        qsort(same, count, sizeof *same, compare_same);
    for (size_t i = 1; i < count; i++) {
        if (same[i].name_hash != same[i - 1].name_hash || same[i].ordinal == same[i - 1].ordinal)
            continue;
        size_t bytes = aimg_verify_name_of(verify, same[i].ordinal, name);
        if (bytes == aimg_verify_name_of(verify, same[i - 1].ordinal, other) && memcmp(name, other, bytes) == 0)
            aimg_verify_fault(verify, 54, aimg_verify_image(verify->records[same[i].ordinal].offset, same[i].ordinal),
                              "image %" PRIu32 " has the same name", same[i - 1].ordinal);
    }
    group->bytes = 0;
}

static bool less(const struct slots *a, const struct slots *b)
{
    return a->key.hash < b->key.hash;
}

/* All tables side by side. */
static void merge(struct aimg_verify *verify, struct slots *tables, uint32_t count)
{
    struct aimg_buffer group = {NULL, 0, 0};
    uint64_t hash = 0;
    while (!aimg_verify_stopped(verify)) {
        struct slots *least = NULL;
        for (uint32_t i = 0; i < count; i++)
            if (tables[i].more && (least == NULL || less(&tables[i], least)))
                least = &tables[i];
        if (least == NULL)
            break;
        if (least->key.hash != hash)
            check_same(verify, &group);
        hash = least->key.hash;
        if (check_name_slot(verify, least)) {
            struct same same = {.name_hash = verify->records[least->key.ordinal].name_hash, .ordinal = least->key.ordinal};
            if (!aimg_buffer_add(&verify->source.allocator, &group, &same, sizeof same))
                aimg_verify_no_memory(verify, sizeof same);
        }
        advance(verify, least);
    }
    check_same(verify, &group);
    aimg_buffer_release(&verify->source.allocator, &group);
}

static void check_missing(struct aimg_verify *verify)
{
    for (uint64_t i = 0; i < verify->record_count; i++) {
        const struct aimg_verify_record *record = &verify->records[i];
        if (record->type != 0 && record->named && (record->state & AIMG_VERIFY_DEAD) == 0 && record->slots == 0)
            aimg_verify_fault(verify, 58, aimg_verify_image(record->offset, (uint32_t)i),
                              "the name has no slot: the image cannot be found by name");
    }
}

void aimg_verify_slots(struct aimg_verify *verify)
{
    const struct aimg_verify_root *root = &verify->index.root;
    const struct aimg_allocator *allocator = &verify->source.allocator;
    uint32_t count = 0;
    bool complete = true;
    struct slots *tables = aimg_alloc_array(allocator, root->part_count, sizeof *tables);
    if (tables == NULL) {
        aimg_verify_no_memory(verify, root->part_count * sizeof *tables);
        return;
    }
    for (uint32_t i = 0; i < root->part_count && !aimg_verify_stopped(verify); i++) {
        if (root->parts[i].type != AIMG_FRAME_NAMES)
            continue;
        if (verify->index.tables[i].sections == NULL || count == AIMG_NAME_RUN_MAX)
            complete = false;
        else if (slots_begin(verify, &tables[count], &verify->index.tables[i]))
            count++;
    }
    merge(verify, tables, count);
    for (uint32_t i = 0; i < count; i++) {
        complete = complete && tables[i].index == tables[i].section->count;
        aimg_verify_stream_end(&tables[i].stream);
    }
    aimg_release(allocator, tables);
    if (complete && !aimg_verify_stopped(verify))
        check_missing(verify);
}

/* ------------------------------------------------------------------ content */

static void check_content_slot(struct aimg_verify *verify, const struct slots *slots)
{
    const struct aimg_name_slot *key = &slots->key;
    struct aimg_verify_place place = place_of(slots, slots->last_place);
    if (key->ordinal >= verify->record_count) {
        aimg_verify_fault(verify, 67, place, "the slot has ordinal %" PRIu32 ", but the archive has only %" PRIu64, key->ordinal,
                          verify->record_count);
        return;
    }
    const struct aimg_verify_record *record = &verify->records[key->ordinal];
    place.ordinal = key->ordinal;
    if (record->type == AIMG_FRAME_ALIAS)
        aimg_verify_fault(verify, 67, place, "the slot is that of an ALIASED entry");
    else if ((record->state & AIMG_VERIFY_ENTRY) != 0 && aimg_load64(record->hash) >> 32 != key->hash)
        aimg_verify_fault(verify, 67, place, "the slot has hash %08" PRIx64 ", the entry %08" PRIx64, key->hash,
                          aimg_load64(record->hash) >> 32);
}

void aimg_verify_content(struct aimg_verify *verify)
{
    const struct aimg_verify_root *root = &verify->index.root;
    for (uint32_t i = 0; i < root->part_count && !aimg_verify_stopped(verify); i++) {
        struct slots slots;
        if (root->parts[i].type != AIMG_FRAME_CONTENT || verify->index.tables[i].sections == NULL ||
            !slots_begin(verify, &slots, &verify->index.tables[i]))
            continue;
        for (; slots.more; advance(verify, &slots))
            check_content_slot(verify, &slots);
        aimg_verify_stream_end(&slots.stream);
    }
}
