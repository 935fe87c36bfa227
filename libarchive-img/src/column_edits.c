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
}

/* A few that are not in order are looked through. */
#define UNSORTED_MAX 256

static int compare_place(const void *key, const void *element)
{
    const struct aimg_edit *a = key, *b = element;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return (a->ordinal > b->ordinal) - (a->ordinal < b->ordinal);
}

const struct aimg_edit *aimg_edits_find(struct aimg_column_edits *edits, uint32_t column, uint32_t ordinal)
{
    const struct aimg_edit key = {.column = column, .ordinal = ordinal};
    size_t count;
    (void)aimg_edits_all(edits, &count);
    if (count - edits->sorted > UNSORTED_MAX + edits->sorted / 8)
        aimg_edits_sort(edits);
    const struct aimg_edit *all = aimg_edits_all(edits, &count);
    for (size_t i = count; i > edits->sorted; i--)
        if (compare_place(&key, &all[i - 1]) == 0)
            return &all[i - 1];
    return edits->sorted == 0 ? NULL : bsearch(&key, all, edits->sorted, sizeof *all, compare_place);
}

void aimg_edits_clear(struct aimg_column_edits *edits)
{
    edits->edits.bytes = edits->data.bytes = edits->sorted = 0;
    edits->arrived = 0;
}

void aimg_edits_release(const struct aimg_allocator *allocator, struct aimg_column_edits *edits)
{
    aimg_buffer_release(allocator, &edits->edits);
    aimg_buffer_release(allocator, &edits->data);
    aimg_edits_clear(edits);
}
