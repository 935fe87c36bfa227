/* SPDX-License-Identifier: Apache-2.0 */
/* Values of columns: rules 61 and 68. */
#include "verify_read.h"

#include "checksum.h"
#include "column.h"
#include "name.h"

#include <stdlib.h>

/* A column in one table. */
struct subject {
    struct aimg_verify *verify;
    const struct aimg_table *table;
    const struct aimg_column_record *column;
    const struct aimg_section *values;   /* VALUES or GROUPS */
    const struct aimg_section *validity; /* NULL: every row has a value */
    struct aimg_verify_stream bits;
    uint8_t word[8]; /* of the bitmap, with the row */
};

static struct aimg_verify_place place_of(const struct subject *subject, uint64_t row)
{
    uint64_t offset = subject->table->payload + subject->values->offset;
    if (!aimg_column_in_groups(subject->column))
        offset += row * subject->values->element_bytes;
    return aimg_verify_image(offset, subject->table->part.first + (uint32_t)row);
}

static void value_fault(const struct subject *subject, uint64_t row, const char *what)
{
    aimg_verify_fault(subject->verify, 61, place_of(subject, row), "column %" PRIu32 ": %s", subject->column->id, what);
}

/* ------------------------------------------------------------------ validity */

static bool validity_begin(struct subject *subject)
{
    return subject->validity == NULL ||
           aimg_verify_section_begin(subject->verify, &subject->bits, subject->table, subject->validity);
}

/* Rows are asked for in order. False when it cannot be read. */
static bool is_valid(struct subject *subject, uint64_t row, bool *valid_out)
{
    *valid_out = true;
    if (subject->validity == NULL)
        return true;
    if (row % 64 == 0) {
        const uint8_t *word = aimg_verify_stream_next(&subject->bits, sizeof subject->word);
        if (word == NULL)
            return false;
        memcpy(subject->word, word, sizeof subject->word);
    }
    *valid_out = aimg_bitmap_get(subject->word, row % 64);
    return true;
}

/* After the last row: the bits past it. */
static void validity_end(struct subject *subject, uint64_t rows)
{
    if (subject->validity == NULL)
        return;
    if (rows % 64 != 0 && aimg_load64(subject->word) >> (rows % 64) != 0)
        aimg_verify_fault(subject->verify, 61,
                          aimg_verify_at(subject->table->payload + subject->validity->offset + rows / 64 * 8),
                          "column %" PRIu32 ": a bit past the last row is set in VALIDITY", subject->column->id);
    aimg_verify_stream_end(&subject->bits);
}

/* ------------------------------------------------------------------ values */

/* What is wrong with full-width elements, or NULL. */
static const char *elements_fault(const struct subject *subject, const uint8_t *value, size_t bytes)
{
    uint8_t code[4] = {0};
    switch (subject->column->type) {
    case AIMG_COLUMN_BOOL:
        for (size_t i = 0; i < bytes; i++)
            if (value[i] > 1)
                return "a bool is neither 0 nor 1";
        return NULL;
    case AIMG_COLUMN_DICTIONARY:
        memcpy(code, value, bytes < sizeof code ? bytes : sizeof code);
        return aimg_load32(code) < subject->column->dictionary_count ? NULL : "a code is past the end of the dictionary";
    case AIMG_COLUMN_IMAGE:
        return aimg_load32(value) < subject->verify->index.root.head.ordinal_count ? NULL
                                                                                   : "an image is named that was never there";
    default:
        return NULL;
    }
}

static bool has_bad_values(const struct aimg_column_record *column)
{
    return column->type == AIMG_COLUMN_BOOL || column->type == AIMG_COLUMN_DICTIONARY || column->type == AIMG_COLUMN_IMAGE;
}

static void check_fixed(struct subject *subject)
{
    struct aimg_verify *verify = subject->verify;
    const struct aimg_section *values = subject->values;
    struct aimg_verify_stream stream;
    uint64_t row = 0;
    if (subject->validity == NULL && !has_bad_values(subject->column))
        return; /* all bytes are good */
    if (!aimg_verify_section_begin(verify, &stream, subject->table, values))
        return;
    if (!validity_begin(subject)) {
        aimg_verify_stream_end(&stream);
        return;
    }
    for (; row < values->count; row++) {
        const uint8_t *value = aimg_verify_stream_next(&stream, values->element_bytes);
        bool valid;
        if (value == NULL || !is_valid(subject, row, &valid))
            break;
        const char *fault = valid ? elements_fault(subject, value, values->element_bytes) : NULL;
        if (!valid && !aimg_all_zero(value, values->element_bytes))
            fault = "the row has no value, but its bytes are not zero";
        if (fault != NULL)
            value_fault(subject, row, fault);
    }
    validity_end(subject, row == values->count ? row : 0);
    aimg_verify_stream_end(&stream);
}

static const char *grouped_fault(const struct subject *subject, const uint8_t *value, uint32_t bytes)
{
    const struct aimg_column_record *column = subject->column;
    if (column->type == AIMG_COLUMN_UTF8)
        return aimg_utf8_valid(value, bytes) ? NULL : "a text is not UTF-8";
    if (column->type == AIMG_COLUMN_BYTES_TYPE)
        return NULL;
    if (bytes % (aimg_column_element_bytes(column->type) * column->width) != 0)
        return "the length of a list is no multiple of its elements";
    return elements_fault(subject, value, bytes);
}

static void check_grouped(struct subject *subject)
{
    struct aimg_verify_groups groups;
    const uint8_t *value;
    uint32_t bytes;
    uint64_t row = 0;
    bool valid;
    if (!validity_begin(subject))
        return;
    aimg_verify_groups_begin(subject->verify, &groups, subject->table, subject->values);
    for (; aimg_verify_groups_next(&groups, &value, &bytes) && is_valid(subject, row, &valid); row++) {
        const char *fault = valid ? grouped_fault(subject, value, bytes) : NULL;
        if (!valid && bytes > 0)
            fault = "the row has no value, but a length";
        if (fault != NULL)
            value_fault(subject, row, fault);
    }
    aimg_verify_groups_end(&groups);
    validity_end(subject, row == subject->values->count ? row : 0);
}

static void check_table(struct aimg_verify *verify, const struct aimg_table *table)
{
    for (uint32_t i = 0; i < table->section_count && !aimg_verify_stopped(verify); i++) {
        struct subject subject = {.verify = verify, .table = table, .values = &table->sections[i]};
        unsigned kind = subject.values->kind;
        subject.column = aimg_verify_column(&verify->index.root, subject.values->column);
        subject.validity = aimg_table_section(table, AIMG_SECTION_VALIDITY, subject.values->column);
        if ((kind != AIMG_SECTION_VALUES && kind != AIMG_SECTION_GROUPS) || subject.column == NULL ||
            aimg_column_in_groups(subject.column) != (kind == AIMG_SECTION_GROUPS))
            continue; /* rule 60 */
        if (kind == AIMG_SECTION_GROUPS)
            check_grouped(&subject);
        else if (aimg_column_width_fits(subject.column, subject.values->element_bytes))
            check_fixed(&subject);
    }
}

/* ------------------------------------------------------------------ dictionaries */

/* Hashes of the values so far; when they have doubled they are sorted and compared, so that equal values cannot pile up. */
struct distinct {
    struct aimg_buffer hashes; /* u64 */
    size_t next;               /* bytes at which to look */
};

#define DISTINCT_FIRST_BYTES ((size_t)1 << 16)

static int compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static bool has_equal(struct distinct *distinct)
{
    uint64_t *hashes = (void *)distinct->hashes.data;
    size_t count = distinct->hashes.bytes / sizeof *hashes;
    if (count > 1)
        qsort(hashes, count, sizeof *hashes, compare_hashes);
    for (size_t i = 1; i < count; i++)
        if (hashes[i] == hashes[i - 1])
            return true;
    distinct->next = 2 * distinct->hashes.bytes;
    return false;
}

/* Goes through all values of a table: its groups are judged, too. *fault: what is wrong with the dictionary, NULL as yet; from
 * then on values are not kept. */
static void check_texts(struct aimg_verify *verify, const struct aimg_table *table, const struct aimg_section *section,
                        struct distinct *distinct, const char **fault)
{
    struct aimg_verify_groups groups;
    const uint8_t *value;
    uint32_t bytes;
    aimg_verify_groups_begin(verify, &groups, table, section);
    while (aimg_verify_groups_next(&groups, &value, &bytes)) {
        uint64_t hash = aimg_hash_low(value, bytes, 0);
        if (*fault != NULL)
            continue;
        if (!aimg_utf8_valid(value, bytes))
            *fault = "a value is not UTF-8";
        else if (!aimg_buffer_add(&verify->source.allocator, &distinct->hashes, &hash, sizeof hash))
            aimg_verify_no_memory(verify, distinct->hashes.capacity);
        else if (distinct->hashes.bytes >= distinct->next && has_equal(distinct))
            *fault = "a value stands twice";
    }
    aimg_verify_groups_end(&groups);
}

static void check_dictionary(struct aimg_verify *verify, uint32_t column)
{
    struct distinct distinct = {.next = DISTINCT_FIRST_BYTES};
    const char *fault = NULL;
    for (uint32_t i = 0; i < verify->index.root.part_count && !aimg_verify_stopped(verify); i++) {
        const struct aimg_table *table = &verify->index.tables[i];
        const struct aimg_section *section;
        if (table->part.type != AIMG_FRAME_VALUES || table->part.column != column || table->sections == NULL)
            continue;
        section = aimg_table_section(table, AIMG_SECTION_GROUPS, column);
        if (section != NULL)
            check_texts(verify, table, section, &distinct, &fault);
    }
    if (fault == NULL && has_equal(&distinct))
        fault = "a value stands twice";
    if (fault != NULL)
        aimg_verify_fault(verify, 68, aimg_verify_at(verify->located.commit.root_offset),
                          "the dictionary of column %" PRIu32 ": %s", column, fault);
    aimg_buffer_release(&verify->source.allocator, &distinct.hashes);
}

void aimg_verify_columns(struct aimg_verify *verify)
{
    const struct aimg_verify_root *root = &verify->index.root;
    for (uint32_t i = 0; i < root->part_count; i++)
        if (verify->index.tables[i].sections != NULL &&
            (root->parts[i].type == AIMG_FRAME_RUN || root->parts[i].type == AIMG_FRAME_COLUMN))
            check_table(verify, &verify->index.tables[i]);
    for (uint32_t i = 0; i < root->column_count && !aimg_verify_stopped(verify); i++)
        if (root->columns[i].record.type == AIMG_COLUMN_DICTIONARY)
            check_dictionary(verify, root->columns[i].record.id);
}
