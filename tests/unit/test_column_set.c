/* SPDX-License-Identifier: Apache-2.0 */
/* Columns of every type, set, changed and taken away in any order, before and after commits, one by one and from arrays, against
 * a table in memory. The limits of the writer are lowered, so that runs and tables are written while a batch goes on.
 *
 * test_column_set [FIRST [LAST]] tries the sequences with these seeds. */
#include "column_publish.h"
#include "host.h"
#include "random.h"
#include "sample.h"
#include "test.h"

enum { ROWS_MAX = 400, VALUE_MAX = 100, SEQUENCES = 60, STEPS = 60 };

struct kind {
    const char *name;
    enum aimg_type type;
    uint32_t width;
    int list;
    unsigned element; /* bytes of a value or of an element of a list; 0: text or bytes */
    uint32_t id;      /* 0: not defined yet */
};

static struct kind kinds[] = {
    {"flag", AIMG_TYPE_BOOL, 1, 0, 1, 0},        {"u8", AIMG_TYPE_U8, 1, 0, 1, 0},       {"u16", AIMG_TYPE_U16, 1, 0, 2, 0},
    {"u32", AIMG_TYPE_U32, 1, 0, 4, 0},          {"u64", AIMG_TYPE_U64, 1, 0, 8, 0},     {"i16", AIMG_TYPE_I16, 1, 0, 2, 0},
    {"f32", AIMG_TYPE_F32, 1, 0, 4, 0},          {"f64", AIMG_TYPE_F64, 1, 0, 8, 0},     {"box", AIMG_TYPE_F32, 4, 0, 16, 0},
    {"pixel", AIMG_TYPE_U8, 3, 0, 3, 0},         {"text", AIMG_TYPE_UTF8, 1, 0, 0, 0},   {"blob", AIMG_TYPE_BYTES, 1, 0, 0, 0},
    {"label", AIMG_TYPE_DICTIONARY, 1, 0, 0, 0}, {"other", AIMG_TYPE_IMAGE, 1, 0, 4, 0}, {"ids", AIMG_TYPE_U16, 1, 1, 2, 0},
    {"boxes", AIMG_TYPE_F32, 4, 1, 16, 0},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

struct cell {
    bool valid;
    uint8_t bytes;
    uint8_t data[VALUE_MAX];
};

/* The archive as it should be. */
struct table {
    uint32_t rows;
    bool defined[KINDS];
    bool dead[ROWS_MAX];
    uint32_t renamed[ROWS_MAX]; /* in the open batch: the new ordinal, or 0 */
    struct cell cells[KINDS][ROWS_MAX];
};

static struct table now, committed;
static struct aimg_writer *writer;
static struct aimg_error error;
static const char *path;
static uint64_t state; /* of the random numbers */
static unsigned long long tables_written;

static uint32_t below(uint64_t limit)
{
    return (uint32_t)random_below(&state, limit);
}

static bool expect_ok(enum aimg_status status)
{
    if (EXPECT_EQ_INT(status, AIMG_OK))
        return true;
    fprintf(stderr, "  %s\n", error.message);
    return false;
}

/* ------------------------------------------------------------------ values */

static bool in_groups(const struct kind *kind)
{
    return kind->list || kind->type == AIMG_TYPE_UTF8 || kind->type == AIMG_TYPE_BYTES;
}

static void make_fixed(const struct kind *kind, uint8_t *out, size_t bytes)
{
    uint32_t target = now.rows == 0 ? 0 : below(now.rows);
    random_fill(&state, out, bytes);
    if (kind->type == AIMG_TYPE_BOOL)
        out[0] &= 1;
    if (kind->type == AIMG_TYPE_IMAGE)
        memcpy(out, &target, sizeof target);
    /* Numbers of all sizes, so that columns are stored narrow and become wide. */
    bool number = kind->type >= AIMG_TYPE_U16 && kind->type <= AIMG_TYPE_U64 && !kind->list;
    size_t wide = number && below(20) > 0 ? 1 : (size_t)1 << below(4);
    if (number && wide < bytes)
        memset(out + wide, 0, bytes - wide);
}

static void make_value(const struct kind *kind, struct cell *cell)
{
    *cell = (struct cell){.valid = true};
    if (kind->type == AIMG_TYPE_DICTIONARY) {
        cell->bytes = (uint8_t)snprintf((char *)cell->data, VALUE_MAX, "label %u", below(below(10) == 0 ? 400 : 20));
    } else if (kind->type == AIMG_TYPE_UTF8 || kind->type == AIMG_TYPE_BYTES) {
        cell->bytes = (uint8_t)below(below(3) == 0 ? 2 : VALUE_MAX);
        memset(cell->data, 'a' + (int)below(26), cell->bytes);
    } else {
        cell->bytes = (uint8_t)(kind->list ? kind->element * below(5) : kind->element);
        make_fixed(kind, cell->data, cell->bytes);
    }
}

static struct aimg_value value_of(const struct kind *kind, const struct cell *cell)
{
    return (struct aimg_value){
        .column = kind->id, .flags = cell->valid ? 0 : AIMG_VALUE_NULL, .data = cell->data, .bytes = cell->bytes};
}

/* ------------------------------------------------------------------ what is done */

static void define(size_t k)
{
    if (now.defined[k])
        return;
    expect_ok(aimg_writer_column(writer, kinds[k].name, kinds[k].type, kinds[k].width, kinds[k].list, &kinds[k].id, &error));
    now.defined[k] = true;
}

static void add_rows(uint32_t count)
{
    for (; count > 0 && now.rows < ROWS_MAX; count--) {
        struct aimg_value values[KINDS];
        struct aimg_image image = {.struct_bytes = sizeof image, .data = "x", .data_bytes = 1, .values = values};
        char name[16];
        image.name = name;
        image.name_bytes = (size_t)snprintf(name, sizeof name, "%u", now.rows);
        for (size_t k = 0; k < KINDS; k++) {
            struct cell *cell = &now.cells[k][now.rows];
            *cell = (struct cell){.valid = false};
            if (!now.defined[k] || below(3) > 0 || (kinds[k].type == AIMG_TYPE_IMAGE && now.rows == 0))
                continue;
            if (below(5) > 0)
                make_value(&kinds[k], cell);
            values[image.value_count++] = value_of(&kinds[k], cell);
        }
        expect_ok(aimg_writer_add(writer, &image, NULL, &error));
        now.dead[now.rows++] = false;
    }
}

static size_t any_column(void)
{
    size_t k = below(KINDS);
    define(k);
    return k;
}

static void set_some(uint32_t count)
{
    for (; count > 0 && now.rows > 0; count--) {
        size_t k = any_column();
        uint32_t row = below(3) == 0 ? now.rows - 1 : below(now.rows);
        struct cell cell = {.valid = false};
        if (below(4) > 0)
            make_value(&kinds[k], &cell);
        struct aimg_value value = value_of(&kinds[k], &cell);
        enum aimg_status status = aimg_writer_set(writer, row, &value, &error);
        EXPECT_EQ_INT(status, now.dead[row] ? AIMG_NOT_FOUND : AIMG_OK);
        if (status == AIMG_OK)
            now.cells[k][row] = cell;
    }
}

/* One column of an interval, in order. */
static void set_in_order(void)
{
    size_t k = any_column();
    uint32_t first = now.rows == 0 ? 0 : below(now.rows), end = first + below(now.rows - first + 1);
    for (uint32_t row = first; row < end; row++) {
        struct cell cell;
        make_value(&kinds[k], &cell);
        struct aimg_value value = value_of(&kinds[k], &cell);
        if (!now.dead[row] && expect_ok(aimg_writer_set(writer, row, &value, &error)))
            now.cells[k][row] = cell;
    }
}

/* Dictionary columns take the codes of texts that the archive has. */
static bool make_code(size_t k, uint32_t codes, struct cell *cell, uint8_t *out)
{
    struct aimg_column column;
    size_t bytes = 0;
    uint32_t code = below(codes);
    REQUIRE(aimg_reader_column_find(aimg_writer_base(writer), kinds[k].name, &column, &error) == AIMG_OK);
    *cell = (struct cell){.valid = true};
    REQUIRE(aimg_reader_dictionary(aimg_writer_base(writer), column.index, code, (char *)cell->data, VALUE_MAX, &bytes, &error) ==
            AIMG_OK);
    cell->bytes = (uint8_t)bytes;
    memcpy(out, &code, sizeof code);
    return true;
}

static uint32_t codes_of(size_t k)
{
    struct aimg_column column;
    bool there = aimg_reader_column_find(aimg_writer_base(writer), kinds[k].name, &column, &error) == AIMG_OK;
    return there ? column.dictionary_count : 0;
}

static void set_array(void)
{
    static uint8_t values[ROWS_MAX * 16], validity[ROWS_MAX / 8 + 1];
    size_t k = any_column();
    const struct kind *kind = &kinds[k];
    size_t full = kind->type == AIMG_TYPE_DICTIONARY ? 4 : kind->element;
    bool all = below(2) == 0, whole = below(3) == 0;
    uint32_t first = whole || now.rows == 0 ? 0 : below(now.rows), count = whole ? now.rows : below(now.rows - first + 1);
    if (in_groups(kind)) {
        EXPECT_EQ_INT(aimg_writer_set_array(writer, kind->id, 0, 0, values, NULL, &error), AIMG_INVALID_ARGUMENT);
        return;
    }
    uint32_t codes = kind->type == AIMG_TYPE_DICTIONARY ? codes_of(k) : 1;
    random_fill(&state, values, sizeof values); /* nobody looks at what stands for a null */
    random_fill(&state, validity, sizeof validity);
    if (codes == 0)
        return;
    for (uint32_t i = 0; i < count; i++) {
        struct cell *cell = &now.cells[k][first + i];
        if (!all && (validity[i / 8] >> (i % 8) & 1) == 0) {
            *cell = (struct cell){.valid = false};
        } else if (kind->type == AIMG_TYPE_DICTIONARY) {
            make_code(k, codes, cell, values + i * full);
        } else {
            make_value(kind, cell);
            memcpy(values + i * full, cell->data, full);
        }
    }
    expect_ok(aimg_writer_set_array(writer, kind->id, first, count, values, all ? NULL : validity, &error));
}

/* The image goes on as a new one, with its values. */
static void rename_some(void)
{
    char name[24];
    for (uint32_t count = below(4); count > 0 && now.rows > 0 && now.rows < ROWS_MAX; count--) {
        uint32_t row = below(now.rows), ordinal = 0;
        snprintf(name, sizeof name, "name %u", now.rows);
        enum aimg_status status = aimg_writer_rename(writer, row, name, strlen(name), &ordinal, &error);
        EXPECT_EQ_INT(status, now.dead[row] ? AIMG_NOT_FOUND : AIMG_OK);
        if (status != AIMG_OK)
            continue;
        EXPECT_EQ_UINT(ordinal, now.rows);
        for (size_t k = 0; k < KINDS; k++)
            now.cells[k][now.rows] = now.cells[k][row];
        now.dead[row] = true;
        now.renamed[row] = now.rows;
        now.dead[now.rows++] = false;
    }
}

static void remove_some(void)
{
    for (uint32_t count = below(4); count > 0 && now.rows > 0; count--) {
        uint32_t row = below(now.rows);
        EXPECT_EQ_INT(aimg_writer_remove(writer, row, &error), now.dead[row] ? AIMG_NOT_FOUND : AIMG_OK);
        now.dead[row] = true;
    }
}

/* ------------------------------------------------------------------ what must be there */

/* What is committed: references to images that were renamed follow them. */
static void follow_renamed(void)
{
    for (size_t k = 0; k < KINDS; k++) {
        for (uint32_t row = 0; kinds[k].type == AIMG_TYPE_IMAGE && row < now.rows; row++) {
            uint32_t target;
            memcpy(&target, now.cells[k][row].data, sizeof target);
            while (now.cells[k][row].valid && now.renamed[target] != 0)
                target = now.renamed[target];
            memcpy(now.cells[k][row].data, &target, sizeof target);
        }
    }
    memset(now.renamed, 0, sizeof now.renamed);
    committed = now;
}

/* Whether the value is what it should be; references of the dead may lead to the dead. */
static bool is_same(size_t k, uint32_t row, const void *data, size_t bytes)
{
    const struct cell *cell = &now.cells[k][row];
    uint8_t turned[VALUE_MAX];
    memcpy(turned, data, bytes);
    host_order(turned, bytes, host_element_bytes(kinds[k].type));
    return memcmp(turned, cell->data, bytes) == 0 || (kinds[k].type == AIMG_TYPE_IMAGE && now.dead[row]);
}

static void check_row(const struct aimg_reader *reader, uint32_t index, size_t k, uint32_t row)
{
    const struct cell *cell = &now.cells[k][row];
    uint8_t found[VALUE_MAX];
    size_t bytes = 99;
    int null = 9;
    if (!expect_ok(aimg_reader_value(reader, index, row, found, sizeof found, &bytes, &null, &error)))
        return;
    EXPECT_EQ_INT(null, !cell->valid);
    EXPECT_EQ_UINT(bytes, cell->valid ? cell->bytes : 0);
    EXPECT(!cell->valid || is_same(k, row, found, cell->bytes));
}

static void check_in_order(const struct aimg_reader *reader, uint32_t index, size_t k)
{
    struct aimg_values *values = NULL;
    struct aimg_column_value value;
    uint32_t first = below(now.rows + 1);
    REQUIRE(aimg_values_create(reader, index, first, &values, &error) == AIMG_OK);
    for (uint32_t row = first; row < now.rows; row++) {
        const struct cell *cell = &now.cells[k][row];
        if (!expect_ok(aimg_values_next(values, &value, &error)))
            break;
        EXPECT(value.ordinal == row && value.null == !cell->valid && value.bytes == (cell->valid ? cell->bytes : 0u));
        EXPECT(value.bytes == 0 || is_same(k, row, value.data, value.bytes));
    }
    EXPECT_EQ_INT(aimg_values_next(values, &value, &error), AIMG_END);
    aimg_values_destroy(values);
}

static void check_chunks(const struct aimg_reader *reader, uint32_t index, size_t k)
{
    struct aimg_chunk chunk;
    for (uint32_t row = 0; row < now.rows; row = chunk.first + chunk.count) {
        if (!expect_ok(aimg_reader_chunk(reader, index, row, &chunk, &error)))
            return;
        for (uint32_t i = 0; i < chunk.count; i++) {
            const struct cell *cell = &now.cells[k][row + i];
            bool valid = chunk.values != NULL && (chunk.validity == NULL || (chunk.validity[i / 8] >> (i % 8) & 1) != 0);
            EXPECT_EQ_INT(valid, cell->valid);
            if (valid && kinds[k].type != AIMG_TYPE_DICTIONARY)
                EXPECT(is_same(k, row + i, (const uint8_t *)chunk.values + (size_t)i * chunk.element_bytes, chunk.element_bytes));
        }
    }
}

static void check_reader(const struct aimg_reader *reader, bool mapped)
{
    struct aimg_column column;
    EXPECT_EQ_UINT(aimg_reader_ordinal_count(reader), now.rows);
    for (size_t k = 0; k < KINDS; k++) {
        test_state.subject = kinds[k].name;
        enum aimg_status status = aimg_reader_column_find(reader, kinds[k].name, &column, &error);
        EXPECT_EQ_INT(status, now.defined[k] ? AIMG_OK : AIMG_NOT_FOUND);
        if (status != AIMG_OK)
            continue;
        for (uint32_t row = 0; row < now.rows; row++)
            check_row(reader, column.index, k, row);
        check_in_order(reader, column.index, k);
        if (mapped && !in_groups(&kinds[k]))
            check_chunks(reader, column.index, k);
    }
    test_state.subject = NULL;
}

/* Readers look in a few tables only, and each of them is looked at. */
static void check_tables(const struct aimg_reader *reader)
{
    const struct aimg_catalog *catalog = &reader->catalog;
    for (uint32_t r = 0; r < catalog->run_count; r++) {
        const struct aimg_run *run = &catalog->runs[r];
        EXPECT(run->columns_count <= 2 * (AIMG_COLUMN_TABLES_FOLD - 1));
        tables_written += run->columns_count;
        for (uint32_t t = 0; t < run->columns_count; t++) {
            bool used = false;
            for (uint32_t c = 0; c < catalog->head.column_count; c++) {
                used |= aimg_column_table(reader, run, &catalog->columns[c].record) == &catalog->tables[run->columns_first + t];
            }
            EXPECT(used);
        }
    }
}

static void check_file(void)
{
    struct aimg_verify_options verify = {.struct_bytes = sizeof verify, .threads = 1};
    struct aimg_verify_result result = {.faults = 1};
    struct aimg_reader *reader = NULL;
    EXPECT(aimg_verify(path, &verify, &result, &error) == AIMG_OK && result.faults == 0 && result.warnings == 0);
    REQUIRE(aimg_reader_open(path, NULL, &reader, &error) == AIMG_OK);
    check_reader(reader, true);
    check_tables(reader);
    aimg_reader_close(reader);
}

/* ------------------------------------------------------------------ sequences */

static void lower_limits(void)
{
    static const uint32_t rows[] = {7, 64, 1u << 20};
    static const uint64_t bytes[] = {300, 3000, 1u << 20};
    writer->run_rows = rows[below(3)];
    writer->stage_max = bytes[below(3)];
}

static void open_again(void)
{
    struct aimg_writer_options options = sample_writer_options();
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    now = committed; /* what was not committed is gone */
    REQUIRE(aimg_writer_open(path, &options, &writer, &error) == AIMG_OK);
    lower_limits();
    for (size_t k = 0; k < KINDS; k++)
        if (now.defined[k])
            expect_ok(
                aimg_writer_column(writer, kinds[k].name, kinds[k].type, kinds[k].width, kinds[k].list, &kinds[k].id, &error));
}

static void commit(void)
{
    REQUIRE(expect_ok(aimg_writer_commit(writer, NULL, &error)));
    follow_renamed();
    check_reader(aimg_writer_base(writer), false);
}

static void seal(void)
{
    REQUIRE(expect_ok(aimg_writer_seal(writer, NULL, &error)));
    follow_renamed();
    const struct aimg_catalog *catalog = &writer->base->catalog;
    EXPECT(catalog->run_count <= 1 && (catalog->run_count == 0 || catalog->runs[0].columns_count == 0));
}

static void step(void)
{
    switch (below(13)) {
    case 0:
    case 1:
        add_rows(below(30));
        break;
    case 2:
        add_rows(1);
        set_some(3);
        break;
    case 3:
    case 4:
        set_some(below(40));
        break;
    case 5:
        set_in_order();
        break;
    case 6:
    case 7:
        set_array();
        break;
    case 8:
        if (below(4) == 0)
            seal();
        else
            remove_some();
        break;
    case 9:
        rename_some();
        break;
    case 10:
        open_again();
        break;
    default:
        commit();
    }
}

static void run_sequence(uint64_t seed)
{
    struct aimg_writer_options options = sample_writer_options();
    state = seed;
    memset(&now, 0, sizeof now);
    committed = now;
    (void)unlink(path);
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    lower_limits();
    uint64_t failed = test_state.failures;
    for (unsigned i = 0; i < STEPS && test_state.failures == failed; i++)
        step();
    commit();
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    check_file();
    if (test_state.failures > failed)
        fprintf(stderr, "  in the sequence of seed %llu\n", (unsigned long long)seed);
}

int main(int argc, char **argv)
{
    path = strdup(sample_path("set.aimg"));
    REQUIRE(path != NULL);
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    uint64_t last = argc > 2 ? strtoull(argv[2], NULL, 10) : argc > 1 ? first : SEQUENCES;
    for (uint64_t seed = first; seed <= last; seed++)
        run_sequence(seed);
    EXPECT(argc > 1 || tables_written > 0);
    return test_end("test_column_set");
}
