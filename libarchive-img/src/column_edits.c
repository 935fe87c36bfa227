/* SPDX-License-Identifier: Apache-2.0 */
#include "column_edits.h"

#include "column.h"

#include <stdlib.h>
#include <string.h>

bool aimg_edits_add(const struct aimg_allocator *allocator, struct aimg_column_edits *edits, uint32_t column, uint32_t ordinal,
                    const void *data, size_t bytes, size_t element_bytes)
{
    struct aimg_edit edit = {.column = column,
                             .ordinal = ordinal,
                             .order = edits->arrived,
                             .bytes = data == NULL ? AIMG_EDIT_NULL : (uint32_t)bytes,
                             .offset = edits->data.bytes};
    size_t more = data == NULL ? 0 : bytes;
    if (!aimg_buffer_reserve(allocator, &edits->data, more) || !aimg_buffer_add(allocator, &edits->edits, &edit, sizeof edit))
        return false;
    if (more > 0)
        aimg_column_store(edits->data.data + edits->data.bytes, data, more, element_bytes);
    edits->data.bytes += more;
    edits->arrived++;
    return true;
}

void aimg_edits_drop(struct aimg_column_edits *edits, uint32_t column, uint32_t first, uint32_t count)
{
    size_t total, kept = 0, sorted = edits->sorted;
    struct aimg_edit *all = aimg_edits_all(edits, &total);
    for (size_t i = 0; i < total; i++) {
        bool dropped = all[i].column == column && all[i].ordinal >= first && all[i].ordinal - first < count;
        if (!dropped)
            all[kept++] = all[i];
        else if (i < sorted)
            edits->sorted--;
    }
    edits->edits.bytes = kept * sizeof *all;
    edits->indexed = 0;
    if (kept == 0)
        aimg_edits_clear(edits);
}

static bool belongs_before(const struct aimg_edit *a, const struct aimg_edit *b)
{
    if (a->column != b->column)
        return a->column < b->column;
    return a->ordinal != b->ordinal ? a->ordinal < b->ordinal : a->order < b->order;
}

static int compare(const void *a, const void *b)
{
    return belongs_before(a, b) ? -1 : belongs_before(b, a);
}

void aimg_edits_sort(struct aimg_column_edits *edits)
{
    size_t count, kept = 0;
    struct aimg_edit *all = aimg_edits_all(edits, &count);
    bool sorted = true;
    for (size_t i = 1; sorted && i < count; i++)
        sorted = belongs_before(&all[i - 1], &all[i]);
    if (!sorted)
        qsort(all, count, sizeof *all, compare);
    for (size_t i = 0; i < count; i++) {
        bool last = i + 1 == count || all[i].column != all[i + 1].column || all[i].ordinal != all[i + 1].ordinal;
        if (last)
            all[kept++] = all[i];
    }
    edits->edits.bytes = kept * sizeof *all;
    edits->sorted = kept;
    edits->indexed = 0;
}

/* ------------------------------------------------------------------ finding */

#define FIRST_SLOTS 64

/* Multiplying spreads neighbours (Knuth, volume 3, 6.4); twice, so that columns with the same ordinals do not meet. */
static uint64_t home(uint32_t column, uint32_t ordinal)
{
    const uint64_t golden = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t mixed = ((uint64_t)column << 32 | ordinal) * golden;
    return ((mixed ^ mixed >> 32) * golden) >> 32;
}

/* The slot of a value: the one that has its latest edit, or the empty one where that belongs. */
static uint32_t *slot_of(const struct aimg_column_edits *edits, uint32_t column, uint32_t ordinal)
{
    size_t count;
    const struct aimg_edit *all = aimg_edits_all(edits, &count);
    uint64_t i = home(column, ordinal) & (edits->slot_count - 1);
    while (edits->slots[i] != 0 && (all[edits->slots[i] - 1].column != column || all[edits->slots[i] - 1].ordinal != ordinal))
        i = (i + 1) & (edits->slot_count - 1);
    return &edits->slots[i];
}

/* Slots for twice as many edits at least, all empty. */
static bool empty_slots(const struct aimg_allocator *allocator, struct aimg_column_edits *edits, size_t count)
{
    uint64_t slot_count = edits->slot_count == 0 ? FIRST_SLOTS : edits->slot_count;
    while (slot_count < 2 * (uint64_t)count)
        slot_count *= 2;
    if (slot_count == edits->slot_count) {
        memset(edits->slots, 0, (size_t)slot_count * sizeof *edits->slots);
        return true;
    }
    aimg_release(allocator, edits->slots);
    edits->slots = aimg_alloc_array(allocator, slot_count, sizeof *edits->slots);
    edits->slot_count = edits->slots == NULL ? 0 : slot_count;
    return edits->slots != NULL;
}

/* Those that were added since the last time go into the slots. False when there is no memory. */
static bool index_new(const struct aimg_allocator *allocator, struct aimg_column_edits *edits)
{
    size_t count;
    const struct aimg_edit *all = aimg_edits_all(edits, &count);
    if (edits->indexed == 0 || 2 * (uint64_t)count > edits->slot_count) {
        edits->indexed = 0;
        if (!empty_slots(allocator, edits, count))
            return false;
    }
    for (; edits->indexed < count; edits->indexed++)
        *slot_of(edits, all[edits->indexed].column, all[edits->indexed].ordinal) = (uint32_t)(edits->indexed + 1);
    return true;
}

static int compare_place(const void *key, const void *element)
{
    const struct aimg_edit *a = key, *b = element;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return (a->ordinal > b->ordinal) - (a->ordinal < b->ordinal);
}

const struct aimg_edit *aimg_edits_find(const struct aimg_allocator *allocator, struct aimg_column_edits *edits, uint32_t column,
                                        uint32_t ordinal)
{
    const struct aimg_edit key = {.column = column, .ordinal = ordinal};
    size_t count;
    const struct aimg_edit *all = aimg_edits_all(edits, &count);
    if (edits->sorted < count) {
        if (index_new(allocator, edits)) {
            uint32_t number = *slot_of(edits, column, ordinal);
            return number == 0 ? NULL : &all[number - 1];
        }
        aimg_edits_sort(edits);
    }
    return edits->sorted == 0 ? NULL : bsearch(&key, all, edits->sorted, sizeof *all, compare_place);
}

void aimg_edits_clear(struct aimg_column_edits *edits)
{
    edits->edits.bytes = edits->data.bytes = edits->sorted = edits->indexed = 0;
    edits->arrived = 0;
}

void aimg_edits_release(const struct aimg_allocator *allocator, struct aimg_column_edits *edits)
{
    aimg_buffer_release(allocator, &edits->edits);
    aimg_buffer_release(allocator, &edits->data);
    aimg_release(allocator, edits->slots);
    edits->slots = NULL;
    edits->slot_count = 0;
    aimg_edits_clear(edits);
}
