/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of many small commits are merged, and nothing changes but their number; sealing leaves one of each table. */
#include "host.h"
#include "random.h"
#include "sample.h"
#include "test.h"
#include "writer.h"

enum { IMAGES_MAX = 6000, COMMITS = 120 };

static struct aimg_error error;
static struct aimg_writer *writer;
static const char *path;
static uint64_t random_state = 7;

/* What the archive must hold: a row an ordinal. */
static struct model_row {
    bool dead, attachment, has_number, has_text, has_label;
    uint32_t number;
    char text[24], label[8];
} rows[IMAGES_MAX];
static uint32_t row_count;
static uint64_t listed_after[COMMITS + 2];
static uint32_t number_column, text_column, label_column;

static void open_writer(void)
{
    struct aimg_writer_options options = sample_writer_options();
    REQUIRE(aimg_writer_open(path, &options, &writer, &error) == AIMG_OK);
}

/* Columns come into being one after the other, so that older runs lack them. */
static void define_columns(unsigned commit)
{
    REQUIRE(aimg_writer_column(writer, "number", AIMG_TYPE_U32, 1, 0, &number_column, &error) == AIMG_OK);
    if (commit >= 3)
        REQUIRE(aimg_writer_column(writer, "text", AIMG_TYPE_UTF8, 1, 0, &text_column, &error) == AIMG_OK);
    if (commit >= 5)
        REQUIRE(aimg_writer_column(writer, "label", AIMG_TYPE_DICTIONARY, 1, 0, &label_column, &error) == AIMG_OK);
}

static void make_row(struct model_row *row, uint32_t k)
{
    *row = (struct model_row){.attachment = k % 31 == 30, .number = k % 97 == 5 ? k * 70000 : k % 200};
    row->has_number = k % 3 != 1;
    row->has_text = text_column != 0 && k % 5 != 2;
    row->has_label = label_column != 0 && k % 7 != 3;
    snprintf(row->text, sizeof row->text, "%.*s%u", (int)(k % 9), "caption ", k);
    snprintf(row->label, sizeof row->label, "L%u", k % 40);
}

static void add_row(uint32_t k)
{
    struct model_row *row = &rows[k];
    struct aimg_value values[3];
    char name[32];
    struct aimg_image image = {.struct_bytes = sizeof image, .name = name, .data = &k, .data_bytes = sizeof k, .values = values};
    make_row(row, k);
    image.name_bytes = (size_t)snprintf(name, sizeof name, "dir/%u.jpg", k);
    image.flags = row->attachment ? AIMG_ADD_ATTACHMENT : 0;
    if (row->has_number)
        values[image.value_count++] = (struct aimg_value){.column = number_column, .data = &row->number, .bytes = 4};
    if (row->has_text)
        values[image.value_count++] = (struct aimg_value){.column = text_column, .data = row->text, .bytes = strlen(row->text)};
    if (row->has_label)
        values[image.value_count++] =
            (struct aimg_value){.column = label_column, .data = row->label, .bytes = strlen(row->label)};
    REQUIRE(aimg_writer_add(writer, &image, NULL, &error) == AIMG_OK);
}

static void remove_some(unsigned count)
{
    while (row_count > 0 && count-- > 0) {
        uint32_t k = (uint32_t)random_below(&random_state, row_count);
        EXPECT_EQ_INT(aimg_writer_remove(writer, k, &error), rows[k].dead ? AIMG_NOT_FOUND : AIMG_OK);
        rows[k].dead = true;
    }
}

static uint64_t count_listed(void)
{
    uint64_t listed = 0;
    for (uint32_t k = 0; k < row_count; k++)
        listed += !rows[k].dead && !rows[k].attachment;
    return listed;
}

/* ------------------------------------------------------------------ checking */

static void check_value(const struct aimg_reader *reader, const char *name, uint32_t k, bool has, const void *data, size_t bytes)
{
    struct aimg_column column;
    uint8_t found[32];
    size_t found_bytes = 99;
    int null = 9;
    if (aimg_reader_column_find(reader, name, &column, &error) != AIMG_OK) {
        EXPECT(!has);
        return;
    }
    EXPECT_EQ_INT(aimg_reader_value(reader, column.index, k, found, sizeof found, &found_bytes, &null, &error), AIMG_OK);
    EXPECT_EQ_INT(null, !has);
    host_order(found, sizeof found, host_element_bytes(column.type));
    if (has)
        EXPECT(found_bytes == bytes && memcmp(found, data, bytes) == 0);
}

static void check_rows(const struct aimg_reader *reader)
{
    uint64_t position = 0;
    REQUIRE(aimg_reader_ordinal_count(reader) == row_count);
    EXPECT_EQ_UINT(aimg_reader_count(reader), count_listed());
    for (uint32_t k = 0; k < row_count; k++) {
        const struct model_row *row = &rows[k];
        struct aimg_entry entry;
        char name[32], found[64];
        uint32_t ordinal, content = 0;
        uint64_t bytes = 0, at = 0;
        size_t name_bytes = (size_t)snprintf(name, sizeof name, "dir/%u.jpg", k);
        EXPECT_EQ_INT(aimg_reader_entry(reader, k, &entry, &error), AIMG_OK);
        EXPECT(entry.dead == row->dead && entry.attachment == row->attachment);
        EXPECT(aimg_reader_name(reader, k, found, sizeof found, NULL, &error) == AIMG_OK && strcmp(name, found) == 0);
        EXPECT_EQ_INT(aimg_reader_find(reader, name, name_bytes, &ordinal, &error), row->dead ? AIMG_NOT_FOUND : AIMG_OK);
        EXPECT_EQ_INT(aimg_reader_read(reader, k, 0, &content, sizeof content, &bytes, &error),
                      row->dead ? AIMG_NOT_FOUND : AIMG_OK);
        EXPECT(row->dead || content == k);
        bool listed = !row->dead && !row->attachment;
        EXPECT_EQ_INT(aimg_reader_position_of(reader, k, &at, &error), listed ? AIMG_OK : AIMG_NOT_FOUND);
        if (listed) {
            EXPECT_EQ_UINT(at, position);
            EXPECT(aimg_reader_ordinal_at(reader, position++, &ordinal, &error) == AIMG_OK && ordinal == k);
        }
        check_value(reader, "number", k, row->has_number, &row->number, sizeof row->number);
        check_value(reader, "text", k, row->has_text, row->text, strlen(row->text));
        check_value(reader, "label", k, row->has_label, row->label, strlen(row->label));
    }
}

static void check_file(uint32_t runs_max)
{
    struct aimg_verify_options options = {.struct_bytes = sizeof options, .threads = 1};
    struct aimg_verify_result result = {.faults = 1};
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct aimg_reader *reader = NULL;
    EXPECT(aimg_verify(path, &options, &result, &error) == AIMG_OK && result.faults == 0 && result.warnings == 0);
    REQUIRE(aimg_reader_open(path, NULL, &reader, &error) == AIMG_OK);
    EXPECT(aimg_reader_info(reader, &info, &error) == AIMG_OK && info.run_count <= runs_max && info.name_run_count <= runs_max);
    check_rows(reader);
    aimg_reader_close(reader);
}

/* Tables of a type in the last ROOT. */
static uint32_t count_tables(unsigned type)
{
    uint32_t count = 0;
    struct aimg_reader *reader = NULL;
    REQUIRE(aimg_reader_open(path, NULL, &reader, &error) == AIMG_OK);
    for (uint32_t i = 0; i < reader->catalog.table_count; i++)
        count += reader->catalog.tables[i].part.type == type;
    aimg_reader_close(reader);
    return count;
}

/* ------------------------------------------------------------------ the cases */

static void check_many_commits(void)
{
    struct aimg_writer_options options = sample_writer_options();
    path = sample_path("many");
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    for (unsigned commit = 0; commit < COMMITS; commit++) {
        uint32_t more = 1 + (uint32_t)random_below(&random_state, commit % 10 == 0 ? 300 : 20);
        define_columns(commit);
        for (uint32_t i = 0; i < more && row_count < IMAGES_MAX; i++)
            add_row(row_count++);
        remove_some(commit % 4);
        REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
        listed_after[commit] = count_listed();
        if (commit % 17 == 0) {
            REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
            check_file(5); /* levels up to 8^4 */
            open_writer();
        }
    }
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    check_file(5);
    EXPECT(count_tables(AIMG_FRAME_RUN) > 1);
}

static void check_seal(void)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    open_writer();
    define_columns(9);
    add_row(row_count++);
    remove_some(3);
    EXPECT_EQ_INT(aimg_writer_seal(writer, "whole", &error), AIMG_OK);
    listed_after[COMMITS] = count_listed();
    EXPECT(aimg_reader_info(aimg_writer_base(writer), &info, &error) == AIMG_OK && info.sealed == 1);
    uint64_t commits = info.commit_count;
    EXPECT_EQ_INT(aimg_writer_seal(writer, NULL, &error), AIMG_OK); /* nothing is left to do */
    EXPECT(aimg_reader_info(aimg_writer_base(writer), &info, &error) == AIMG_OK && info.commit_count == commits);
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    check_file(1);
    EXPECT(count_tables(AIMG_FRAME_RUN) == 1 && count_tables(AIMG_FRAME_NAMES) == 1 && count_tables(AIMG_FRAME_MASK) == 1 &&
           count_tables(AIMG_FRAME_VALUES) == 1);
    open_writer(); /* goes on from there */
    define_columns(9);
    for (uint32_t i = 0; i < 20; i++)
        add_row(row_count++);
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    listed_after[COMMITS + 1] = count_listed();
    EXPECT(aimg_reader_info(aimg_writer_base(writer), &info, &error) == AIMG_OK && info.sealed == 0);
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    check_file(2);
}

/* What was merged is still there as it was. */
static void check_history(void)
{
    for (uint64_t seq = 0; seq < COMMITS + 2; seq++) {
        struct aimg_reader_options options = {.struct_bytes = sizeof options, .flags = AIMG_READER_AT, .seq = seq};
        struct aimg_reader *reader = NULL;
        REQUIRE(aimg_reader_open(path, &options, &reader, &error) == AIMG_OK);
        EXPECT_EQ_UINT(aimg_reader_count(reader), listed_after[seq]);
        aimg_reader_close(reader);
    }
}

static void add_plain(uint32_t count, uint32_t first)
{
    for (uint32_t k = first; k < first + count; k++) {
        char name[32];
        snprintf(name, sizeof name, "p/%u", k);
        EXPECT_EQ_INT(sample_add(writer, name, k % 50, 0, NULL, &error), AIMG_OK);
    }
}

/* Full runs are left alone, whether by rows or by bytes. */
static void check_full(void)
{
    struct aimg_writer_options options = sample_writer_options();
    path = sample_path("full");
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    for (uint32_t commit = 0; commit < 8; commit++) {
        writer->run_rows = 40;
        add_plain(25, commit * 25);
        REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    }
    EXPECT_EQ_UINT(count_tables(AIMG_FRAME_RUN), 4); /* of 50 each */
    writer->run_rows = AIMG_RUN_ROWS;
    writer->stage_max = 1000;
    add_plain(1, 200);
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    EXPECT_EQ_UINT(count_tables(AIMG_FRAME_RUN), 5);
    EXPECT_EQ_INT(aimg_writer_seal(writer, NULL, &error), AIMG_OK);
    EXPECT_EQ_UINT(count_tables(AIMG_FRAME_RUN), 1);
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
}

/* One batch with a text that compresses well, which spills by bytes: seven runs of 14 images and one of a
 * single one, none of them full as it is stored. */
static void make_spilled_runs(uint64_t stage_max)
{
    static const char text[200];
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_value value = {.data = text, .bytes = sizeof text};
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    REQUIRE(aimg_writer_column(writer, "text", AIMG_TYPE_BYTES, 1, 0, &value.column, &error) == AIMG_OK);
    writer->stage_max = stage_max;
    for (uint32_t k = 0; k < 7 * 14 + 1; k++) {
        char name[32];
        struct aimg_image image = {
            .struct_bytes = sizeof image, .name = name, .data = &k, .data_bytes = sizeof k, .values = &value, .value_count = 1};
        image.name_bytes = (size_t)snprintf(name, sizeof name, "spilled/%02u", k);
        EXPECT_EQ_INT(aimg_writer_add(writer, &image, NULL, &error), AIMG_OK);
    }
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    REQUIRE(count_tables(AIMG_FRAME_RUN) == 8);
}

/* Merging ends once the new run is full, by rows or by bytes, however many runs of its level there are. */
static void check_enough(void)
{
    const uint64_t spill_bytes = 3500;
    path = sample_path("enough");
    make_spilled_runs(spill_bytes);
    writer->run_rows = 40;
    writer->stage_max = AIMG_STAGE_MAX;
    add_plain(14, 0);
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    EXPECT_EQ_UINT(count_tables(AIMG_FRAME_RUN), 6); /* 14, and 1 and twice 14 from before */
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    (void)unlink(path);
    make_spilled_runs(spill_bytes);
    add_plain(14, 0);
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    const struct aimg_catalog *catalog = &writer->base->catalog;
    EXPECT(catalog->run_count > 2);
    EXPECT(catalog->runs[catalog->run_count - 1].table->part.bytes < 2 * spill_bytes);
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
}

/* A damaged run is not merged: adding goes on, and the damage stays to be seen. Sealing says so. */
static void check_damage(void)
{
    for (unsigned round = 0; round < 2; round++) {
        struct aimg_writer_options options = sample_writer_options();
        options.flags = 0; /* with hints: else the next writer reads all again */
        path = sample_path("damaged");
        (void)unlink(path);
        REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
        add_plain(6, 0);
        EXPECT_EQ_INT(aimg_writer_remove(writer, 2, &error), AIMG_OK);
        REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
        const struct aimg_run *run = &writer->base->catalog.runs[0];
        uint64_t places[] = {run->entries_offset + 3, run->table->payload + run->table->sections[1].offset + 2};
        sample_flip(path, places[round], 4);
        add_plain(6, 10);
        EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
        EXPECT_EQ_UINT(count_tables(AIMG_FRAME_RUN), 2);
        REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
        open_writer();
        EXPECT_EQ_INT(aimg_writer_seal(writer, NULL, &error), AIMG_CHECKSUM);
        EXPECT_EQ_INT(aimg_writer_seal(writer, NULL, &error), AIMG_SEQUENCE);
        REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
        sample_flip(path, places[round], 4);
        open_writer();
        EXPECT_EQ_INT(aimg_writer_seal(writer, NULL, &error), AIMG_OK);
        EXPECT_EQ_UINT(count_tables(AIMG_FRAME_RUN), 1);
        REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    }
}

/* ------------------------------------------------------------------ as many runs as there can be */

static void check_plain(const struct aimg_reader *reader, uint32_t count)
{
    REQUIRE(EXPECT_EQ_UINT(aimg_reader_count(reader), count));
    for (uint32_t k = 0; k < count; k++) {
        char name[32];
        uint32_t ordinal = AIMG_NO_ORDINAL;
        size_t name_bytes = (size_t)snprintf(name, sizeof name, "p/%u", k);
        EXPECT(aimg_reader_find(reader, name, name_bytes, &ordinal, &error) == AIMG_OK && ordinal == k);
        EXPECT(sample_equals(reader, k, k % 50));
    }
}

/* The archive is whole and has so many images. */
static void check_plain_file(uint32_t count)
{
    struct aimg_verify_options options = {.struct_bytes = sizeof options, .threads = 1};
    struct aimg_verify_result result = {.faults = 1};
    struct aimg_reader *reader = NULL;
    EXPECT(aimg_verify(path, &options, &result, &error) == AIMG_OK && result.faults == 0);
    REQUIRE(aimg_reader_open(path, NULL, &reader, &error) == AIMG_OK);
    check_plain(reader, count);
    aimg_reader_close(reader);
}

/* One image a run; where their entries lie. Another writer may leave an archive like this. */
static void write_most_runs(uint64_t entries[AIMG_RUN_MAX])
{
    struct aimg_writer_options options = sample_writer_options();
    options.flags = 0; /* with hints: else the next writer reads all again */
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    writer->run_rows = 1;
    add_plain(AIMG_RUN_MAX, 0);
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    REQUIRE(writer->base->catalog.run_count == AIMG_RUN_MAX);
    for (uint32_t k = 0; k < AIMG_RUN_MAX; k++)
        entries[k] = writer->base->catalog.runs[k].entries_offset;
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
}

/* The archive as it was written, with a fault at `offset` (0: none), and one image more. run_rows: 1, so that all runs are full
 * and nothing but their number makes them merge; or more. */
static enum aimg_status add_one_more(const uint8_t *file, size_t bytes, uint64_t offset, uint32_t run_rows)
{
    REQUIRE(sample_store(path, file, bytes));
    if (offset != 0)
        sample_flip(path, offset, 4);
    open_writer();
    writer->run_rows = run_rows;
    add_plain(1, AIMG_RUN_MAX);
    enum aimg_status status = aimg_writer_commit(writer, NULL, &error);
    REQUIRE(aimg_writer_close(writer, NULL) == AIMG_OK);
    return status;
}

/* No run more fits: those are merged that can be. Only where the last one is damaged there is no room, and it is said why. */
static void check_most_runs(void)
{
    static uint64_t entries[AIMG_RUN_MAX];
    size_t bytes, after_bytes;
    path = sample_path("most");
    write_most_runs(entries);
    uint8_t *file = sample_load(path, &bytes), *after;
    REQUIRE(file != NULL);
    EXPECT_EQ_INT(add_one_more(file, bytes, 0, 1), AIMG_OK);
    EXPECT_EQ_UINT(count_tables(AIMG_FRAME_RUN), 1);
    check_plain_file(AIMG_RUN_MAX + 1);
    EXPECT_EQ_INT(add_one_more(file, bytes, entries[5000] + 3, 1), AIMG_OK);
    EXPECT_EQ_UINT(count_tables(AIMG_FRAME_RUN), 5002);
    sample_flip(path, entries[5000] + 3, 4); /* the run was left as it was */
    check_plain_file(AIMG_RUN_MAX + 1);
    for (uint32_t run_rows = 1; run_rows <= 2; run_rows++) {
        uint64_t fault = entries[AIMG_RUN_MAX - 1] + 3;
        EXPECT_EQ_INT(add_one_more(file, bytes, fault, run_rows), AIMG_CHECKSUM);
        EXPECT(strstr(error.message, "more than 8192 runs") != NULL && strstr(error.message, "images 8191 to 8191") != NULL);
        EXPECT(error.rule == 40 && strstr(error.message, "run verify") != NULL);
        sample_flip(path, fault, 4);
        after = sample_load(path, &after_bytes);
        REQUIRE(after != NULL && EXPECT_EQ_UINT(after_bytes, bytes)); /* nothing was lost and nothing came */
        EXPECT_EQ_BYTES(after, file, bytes);
        free(after);
    }
    free(file);
}

int main(void)
{
    check_many_commits();
    check_seal();
    check_history();
    check_full();
    check_enough();
    check_damage();
    check_most_runs();
    return test_end("test_run_merge");
}
