/* SPDX-License-Identifier: Apache-2.0 */
/* COLUMN tables as the writer makes them: how many, when they go, what they take from older ones, and what it does about damage
 * in those. */
#include "column_publish.h"
#include "host.h"
#include "sample.h"
#include "test.h"

enum { ROWS = 3000, COLUMNS = 72 };

static struct aimg_writer *writer;
static struct aimg_error error;
static const char *path;
static uint32_t ids[COLUMNS];

static bool ok(enum aimg_status status)
{
    if (EXPECT_EQ_INT(status, AIMG_OK))
        return true;
    fprintf(stderr, "  %s\n", error.message);
    return false;
}

static void commit(void)
{
    REQUIRE(ok(aimg_writer_commit(writer, NULL, &error)));
}

static void close_writer(void)
{
    (void)ok(aimg_writer_close(writer, &error));
}

static bool is_text(unsigned column)
{
    return column % 3 == 2;
}

/* Images, and columns without values: two of numbers, then one of texts. */
static void make(uint32_t rows, uint32_t run_rows)
{
    struct aimg_writer_options options = sample_writer_options();
    char name[16];
    (void)unlink(path);
    REQUIRE(ok(aimg_writer_create(path, &options, &writer, &error)));
    writer->run_rows = run_rows;
    for (unsigned k = 0; k < COLUMNS; k++) {
        snprintf(name, sizeof name, "c%u", k);
        (void)ok(aimg_writer_column(writer, name, is_text(k) ? AIMG_TYPE_UTF8 : AIMG_TYPE_U32, 1, 0, &ids[k], &error));
    }
    for (uint32_t row = 0; row < rows; row++) {
        snprintf(name, sizeof name, "%u", row);
        (void)ok(sample_add(writer, name, 7, 0, NULL, &error)); /* without bytes */
    }
    commit();
}

static enum aimg_status set(unsigned column, uint32_t row, uint32_t number)
{
    char text[16];
    struct aimg_value value = {.column = ids[column], .data = &number, .bytes = sizeof number};
    if (is_text(column)) {
        value.data = text;
        value.bytes = (size_t)snprintf(text, sizeof text, "number %u", number);
    }
    return aimg_writer_set(writer, row, &value, &error);
}

static void set_all(unsigned column, uint32_t rows, uint32_t number)
{
    for (uint32_t row = 0; row < rows; row++)
        (void)ok(set(column, row, number + row));
}

static enum aimg_status get(const struct aimg_reader *reader, unsigned column, uint32_t row, uint32_t *number_out)
{
    char out[32] = "";
    size_t bytes;
    int null = 1;
    enum aimg_status status = aimg_reader_value(reader, column, row, out, sizeof out - 1, &bytes, &null, &error);
    if (status != AIMG_OK)
        return status;
    *number_out = UINT32_MAX;
    if (!null && is_text(column))
        *number_out = (uint32_t)strtoul(out + strlen("number "), NULL, 10);
    else if (!null)
        memcpy(number_out, host_order(out, sizeof *number_out, sizeof *number_out), sizeof *number_out);
    return status;
}

static bool has(unsigned column, uint32_t row, uint32_t number)
{
    uint32_t found = 0;
    return ok(get(writer->base, column, row, &found)) && EXPECT_EQ_UINT(found, number);
}

static uint64_t faults(void)
{
    struct aimg_verify_options options = {.struct_bytes = sizeof options, .threads = 1};
    struct aimg_verify_result result = {.faults = 0};
    (void)ok(aimg_verify(path, &options, &result, &error));
    return result.faults;
}

static uint32_t tables_of(uint32_t run)
{
    return writer->base->catalog.runs[run].columns_count;
}

/* ------------------------------------------------------------------ how many there are */

static void check_superseded(void)
{
    make(100, 1000);
    for (uint32_t i = 0; i < 20; i++) {
        set_all(0, 100, i);
        set_all(2, 50, i);
        commit();
        EXPECT_EQ_UINT(tables_of(0), 1);
    }
    EXPECT(has(0, 99, 19 + 99) && has(2, 49, 19 + 49) && has(2, 50, UINT32_MAX));
    set_all(1, 10, 5);
    commit();
    EXPECT_EQ_UINT(tables_of(0), 2);
    set_all(0, 1, 77); /* one of the two columns of the first table is newer now, it still holds the other */
    commit();
    EXPECT_EQ_UINT(tables_of(0), 3);
    set_all(2, 1, 78);
    commit();
    EXPECT_EQ_UINT(tables_of(0), 3);
    EXPECT(has(0, 0, 77) && has(0, 1, 20) && has(2, 0, 78) && has(2, 1, 20) && has(1, 9, 14));
    close_writer();
    EXPECT_EQ_UINT(faults(), 0);
}

static uint32_t newest_sections(void)
{
    const struct aimg_catalog *catalog = &writer->base->catalog;
    return catalog->tables[catalog->runs[0].columns_first + tables_of(0) - 1].section_count;
}

/* Eight tables of one column become one of eight, eight of these one of 64: so a column is copied twice. */
static void check_folded(void)
{
    uint32_t copied = 0;
    make(100, 1000);
    for (unsigned k = 0; k < COLUMNS; k++) {
        uint32_t n = k + 1;
        set_all(k, 100, k * 1000);
        commit();
        EXPECT_EQ_UINT(tables_of(0), n % 8 + n / 8 % 8 + n / 64);
        copied += newest_sections() - 1;
    }
    EXPECT_EQ_UINT(copied, 8 * 7 + 63);
    for (unsigned k = 0; k < COLUMNS; k++)
        EXPECT(has(k, 0, k * 1000) && has(k, 99, k * 1000 + 99));
    REQUIRE(ok(aimg_writer_seal(writer, NULL, &error)));
    EXPECT(tables_of(0) == 0 && has(23, 99, 23099));
    (void)ok(set(0, 3, 5));
    REQUIRE(ok(aimg_writer_seal(writer, NULL, &error))); /* with what was set */
    EXPECT(tables_of(0) == 0 && has(0, 3, 5) && has(0, 4, 4));
    for (unsigned k = 0; k < COLUMNS / 2; k++) { /* what the RUN holds is not folded into them */
        set_all(k, 1, k);
        commit();
    }
    for (uint32_t t = 0; t < tables_of(0); t++) {
        const struct aimg_table *table = &writer->base->catalog.tables[writer->base->catalog.runs[0].columns_first + t];
        for (unsigned k = COLUMNS / 2; k < COLUMNS; k++)
            EXPECT(aimg_table_section(table, is_text(k) ? AIMG_SECTION_GROUPS : AIMG_SECTION_VALUES, ids[k]) == NULL);
    }
    close_writer();
    EXPECT_EQ_UINT(faults(), 0);
}

/* With many runs each has fewer, so that ROOT has room. */
static void check_many_runs(void)
{
    static uint32_t numbers[ROWS];
    make(ROWS, 1);
    EXPECT_EQ_UINT(writer->base->catalog.run_count, ROWS);
    for (unsigned k = 0, n = 0; n < 10; k++) {
        if (is_text(k))
            continue;
        for (uint32_t row = 0; row < ROWS; row++)
            numbers[row] = k * ROWS + row;
        (void)ok(aimg_writer_set_array(writer, ids[k], 0, ROWS, numbers, NULL, &error));
        commit();
        EXPECT(tables_of(0) == 1 && tables_of(1) == 1 && tables_of(ROWS - 1) == 1);
        n++;
    }
    EXPECT(has(0, 0, 0) && has(0, ROWS - 1, ROWS - 1) && has(10, 17, 10 * ROWS + 17));
    close_writer();
    EXPECT_EQ_UINT(faults(), 0);
}

/* Rows of the open batch take their values with them into their run. */
static void check_staged(void)
{
    uint32_t numbers[4] = {50, 51, 52, 53};
    make(10, 100000);
    for (uint32_t row = 10; row < 60; row++) {
        char name[16];
        snprintf(name, sizeof name, "%u", row);
        (void)ok(sample_add(writer, name, 7, 0, NULL, &error));
        (void)ok(set(0, row, row));
        (void)ok(set(2, row, row));
        (void)ok(set(1, row - 1, row)); /* below the newest: of the archive, the first time */
    }
    (void)ok(set(0, 20, 200));
    (void)ok(aimg_writer_set_array(writer, ids[0], 50, 4, numbers, NULL, &error));
    EXPECT_EQ_UINT(writer->edits.edits.bytes, sizeof(struct aimg_edit));
    (void)ok(set(2, 20, 200)); /* texts that are there already cannot be changed in place */
    EXPECT_EQ_UINT(writer->edits.edits.bytes, 2 * sizeof(struct aimg_edit));
    commit();
    EXPECT(has(0, 20, 200) && has(0, 21, 21) && has(2, 20, 200) && has(2, 21, 21) && has(0, 53, 53) && has(0, 54, 54));
    EXPECT(has(1, 9, 10) && has(1, 10, 11) && has(1, 8, UINT32_MAX) && has(1, 59, UINT32_MAX));
    close_writer();
    EXPECT_EQ_UINT(faults(), 0);
}

/* An array that covers one run leaves what was set in the next alone; a table holds what changed in its run, no more. */
static void check_two_runs(void)
{
    uint32_t numbers[50] = {0};
    make(100, 50);
    EXPECT_EQ_UINT(writer->base->catalog.run_count, 2);
    (void)ok(set(0, 49, 1));
    (void)ok(set(0, 50, 2));
    (void)ok(set(1, 99, 3));
    (void)ok(aimg_writer_set_array(writer, ids[0], 0, 50, numbers, NULL, &error));
    commit();
    EXPECT(has(0, 49, 0) && has(0, 50, 2) && has(1, 99, 3));
    (void)ok(set(0, 7, 4));
    (void)ok(set(1, 70, 5));
    commit();
    EXPECT(has(0, 7, 4) && has(0, 50, 2) && has(1, 70, 5) && has(1, 99, 3));
    const struct aimg_catalog *catalog = &writer->base->catalog;
    EXPECT(tables_of(0) == 1 && tables_of(1) == 2);
    for (uint32_t run = 0; run < 2; run++) {
        const struct aimg_run *changed = &catalog->runs[run];
        const struct aimg_table *newest = &catalog->tables[changed->columns_first + changed->columns_count - 1];
        EXPECT((aimg_table_section(newest, AIMG_SECTION_VALUES, ids[0]) != NULL) == (run == 0));
        EXPECT((aimg_table_section(newest, AIMG_SECTION_VALUES, ids[1]) != NULL) == (run == 1));
    }
    close_writer();
    EXPECT_EQ_UINT(faults(), 0);
}

/* Nor with what is set for the rows of the open batch. */
static void check_staged_memory(void)
{
    static char text[1000];
    char name[16];
    memset(text, 't', sizeof text);
    struct aimg_value value = {.column = 0, .data = text, .bytes = sizeof text};
    make(1, 1000);
    writer->stage_max = 10000;
    for (uint32_t row = 1; row < 100; row++) {
        snprintf(name, sizeof name, "%u", row);
        (void)ok(sample_add(writer, name, 7, 0, NULL, &error));
        value.column = ids[2 + row % 3 * 3];
        (void)ok(aimg_writer_set(writer, row, &value, &error));
        REQUIRE(aimg_stage_bytes(&writer->stage) <= writer->stage_max);
    }
    commit();
    close_writer();
    EXPECT_EQ_UINT(faults(), 0);
}

/* Memory does not grow with what is set. */
static void check_memory(void)
{
    make(2000, 500);
    writer->stage_max = 10000;
    for (uint32_t row = 0; row < 2000; row++) {
        (void)ok(set(row % COLUMNS, row, row));
        (void)ok(set(2, row / 2, row));
        REQUIRE(writer->edits.edits.bytes + writer->edits.data.bytes <= writer->stage_max);
        REQUIRE(writer->edits.edits.capacity + writer->edits.data.capacity <= 4 * writer->stage_max);
    }
    commit();
    EXPECT(has(2, 999, 1999) && has(2, 0, 1) && has(2, 1998, UINT32_MAX) && has(1997 % COLUMNS, 1997, 1997));
    close_writer();
    EXPECT_EQ_UINT(faults(), 0);
}

/* What a run never had it does not get by having nulls set. */
static void check_nulls(void)
{
    uint32_t numbers[100] = {0};
    uint8_t none[13] = {0};
    struct aimg_value null = {.column = 0, .flags = AIMG_VALUE_NULL};
    make(100, 1000);
    for (unsigned k = 0; k < COLUMNS; k++) {
        null.column = ids[k];
        (void)ok(aimg_writer_set(writer, k, &null, &error));
    }
    (void)ok(aimg_writer_set_array(writer, ids[1], 0, 100, numbers, none, &error));
    commit();
    EXPECT_EQ_UINT(tables_of(0), 0);
    set_all(2, 3, 4);
    commit();
    for (uint32_t row = 0; row < 3; row++) {
        null.column = ids[2];
        (void)ok(aimg_writer_set(writer, row, &null, &error));
    }
    commit();
    EXPECT(has(2, 0, UINT32_MAX) && has(2, 2, UINT32_MAX));
    EXPECT(tables_of(0) <= 1);
    close_writer();
    EXPECT_EQ_UINT(faults(), 0);
}

/* ------------------------------------------------------------------ damage below */

/* Where a section of the newest table with a column lies; and its hash list. */
static uint64_t place_of(unsigned column, unsigned kind, uint64_t *list_out)
{
    const struct aimg_catalog *catalog = &writer->base->catalog;
    struct aimg_table *table = aimg_column_table(writer->base, &catalog->runs[0], &catalog->columns[column].record);
    REQUIRE(table != NULL && table->part.type == AIMG_FRAME_COLUMN);
    *list_out = table->payload + table->data_bytes;
    const struct aimg_section *section = aimg_table_section(table, kind, ids[column]);
    REQUIRE(section != NULL);
    return table->payload + section->offset;
}

/* Columns 0 and 2 in one table, with nulls, 1 in another. */
static void make_damaged(uint64_t place(void))
{
    make(ROWS, 100000);
    set_all(0, ROWS - 1, 1);
    set_all(2, ROWS - 1, 1);
    commit();
    set_all(1, ROWS, 1);
    commit();
    sample_flip(path, place(), 4);
}

static uint64_t in_values(void)
{
    uint64_t list;
    return place_of(0, AIMG_SECTION_VALUES, &list) + 5000;
}

static uint64_t in_validity(void)
{
    uint64_t list;
    return place_of(0, AIMG_SECTION_VALIDITY, &list) + 100;
}

static uint64_t in_texts(void)
{
    uint64_t list;
    return place_of(2, AIMG_SECTION_GROUPS, &list) + 50;
}

static uint64_t in_list(void)
{
    uint64_t list;
    (void)place_of(2, AIMG_SECTION_GROUPS, &list);
    return list + 16;
}

/* One value is set in a column whose other values are damaged: no commit, and the file is as it was. */
static void check_carried_over(uint64_t place(void), unsigned column)
{
    size_t before_bytes, after_bytes;
    make_damaged(place);
    uint8_t *before = sample_load(path, &before_bytes);
    (void)ok(set(column, 0, 77));
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_CHECKSUM);
    EXPECT_EQ_UINT(error.rule, 40);
    EXPECT_EQ_INT(set(column, 1, 77), AIMG_SEQUENCE);
    close_writer();
    uint8_t *after = sample_load(path, &after_bytes);
    REQUIRE(before != NULL && after != NULL);
    EXPECT(before_bytes == after_bytes && memcmp(before, after, before_bytes) == 0);
    free(before);
    free(after);
    EXPECT(faults() > 0);
}

/* Nor does reading all values of a damaged column give any that were not checked. */
static void check_walked(uint64_t place(void), unsigned column)
{
    struct aimg_values *values = NULL;
    struct aimg_column_value value;
    enum aimg_status status = AIMG_OK;
    make_damaged(place);
    REQUIRE(ok(aimg_values_create(writer->base, column, 0, &values, &error)));
    while (status == AIMG_OK)
        status = aimg_values_next(values, &value, &error);
    EXPECT(status == AIMG_CHECKSUM && error.rule == 40);
    EXPECT_EQ_INT(aimg_values_next(values, &value, &error), AIMG_CHECKSUM); /* and stays there */
    aimg_values_destroy(values);
    close_writer();
}

/* Other columns can be set; and a damaged one can be given anew as a whole. */
static void check_beside(void)
{
    static uint32_t numbers[ROWS];
    make_damaged(in_values);
    (void)ok(set(1, 5, 55));
    commit();
    EXPECT(has(1, 5, 55) && has(1, 6, 7));
    EXPECT(faults() > 0);
    (void)ok(aimg_writer_set_array(writer, ids[0], 0, ROWS, numbers, NULL, &error));
    set_all(2, ROWS, 9);
    commit();
    EXPECT(has(0, 5, 0) && has(2, 6, 15));
    close_writer();
}

/* Tables are not folded when one of them is damaged: it would look good afterwards. */
static void check_fold_damaged(void)
{
    uint32_t number;
    make_damaged(in_values);
    for (unsigned k = 3; k < COLUMNS; k++) {
        set_all(k, 10, k);
        commit();
        EXPECT(has(k, 9, k + 9));
    }
    EXPECT(tables_of(0) < COLUMNS / 2);
    EXPECT_EQ_INT(get(writer->base, 0, 1250, &number), AIMG_CHECKSUM);
    EXPECT(has(1, 9, 10));
    close_writer();
    EXPECT(faults() > 0);
}

int main(void)
{
    path = strdup(sample_path("publish.aimg"));
    REQUIRE(path != NULL);
    check_superseded();
    check_folded();
    check_many_runs();
    check_staged();
    check_two_runs();
    check_memory();
    check_staged_memory();
    check_nulls();
    check_carried_over(in_values, 0);
    check_carried_over(in_validity, 0);
    check_carried_over(in_texts, 2);
    check_carried_over(in_list, 0);
    check_walked(in_values, 0);
    check_walked(in_validity, 0);
    check_walked(in_texts, 2);
    check_walked(in_list, 2);
    check_beside();
    check_fold_damaged();
    return test_end("test_column_publish");
}
