/* SPDX-License-Identifier: Apache-2.0 */
/* Tables that were damaged at random: they are read or refused, the same way twice, and nothing is read outside of them. What is
 * read goes through the inference of types and into every type. The messages of the tables are thrown away. */
#include "cmd.h"
#include "infer.h"
#include "name_set.h"
#include "random.h"
#include "table.h"
#include "test.h"
#include "value_parse.h"

enum { ROUNDS = 6000, TEXT_MOST = 1 << 12, TYPES = 9 };

static const char csv[] = "\xEF\xBB\xBFname,n,text,box:f32[4],tags:list<u16>,raw:bytes,pairs:list<i8[2]>\r\n"
                          "cat/1.jpg,1,\"a \"\"b\"\", c\",\"[1,2.5,-3e2,nan]\",\"[1, 2,3]\",00ff,\"[[1,2],[3,4]]\"\r\n"
                          "cat/2.jpg,,\"two\nlines\",1 2 3 4,[],\"\",\n"
                          "\n"
                          "d\xC3\xBC/3.jpg,-18446744073709551616,true,,7,,\n";
static const char jsonl[] =
    "{\"name\":\"cat/1.jpg\",\"n\":1,\"t\":\"a\\u0000\\n\",\"box:f32[4]\":[1,2.5,-3e2,\"nan\"],\"o\":{}}\n"
    "\n"
    "{\"name\":\"cat/2.jpg\",\"n\":null,\"b\":true,\"p:list<i8[2]>\":[[1,2],[3,4]],\"r:bytes\":\"00ff\"}\r\n"
    "{\"n\":9223372036854775807,\"name\":\"d\xC3\xBC\",\"d\":[[[1]]],\"e\":[],\"f\":[true,1.5,\"x\"]}";

static const char pieces[] = "\"\"\",,\n\r[]{}:\\ \t01e-.nanu\xFF\xC3\xBC\0";

/* Changes, takes out, or puts in some bytes. */
static size_t mutate(uint64_t *state, char *text, size_t bytes)
{
    for (uint64_t changes = random_below(state, 4) + 1; changes > 0 && bytes > 1; changes--) {
        size_t at = (size_t)random_below(state, bytes), length = (size_t)random_below(state, 8);
        char byte = pieces[random_below(state, sizeof pieces - 1)];
        switch (random_below(state, 4)) {
        case 0:
            text[at] = byte;
            break;
        case 1:
            length = length > bytes - at ? bytes - at : length;
            memmove(text + at, text + at + length, bytes - at - length);
            bytes -= length;
            break;
        case 2:
            if (bytes < TEXT_MOST) {
                memmove(text + at + 1, text + at, bytes - at);
                text[at] = byte;
                bytes++;
            }
            break;
        default:
            bytes = at + 1;
        }
    }
    return bytes;
}

/* What a table says of its damage is thrown away. What this test finds is not, nor what a sanitizer writes to the descriptor. */
static FILE *hidden;

static int open_silently(struct table *table, const char *path, enum table_format format)
{
    FILE *shown = stderr;
    stderr = hidden;
    int code = table_open(table, path, format);
    stderr = shown;
    return code;
}

static int next_silently(struct table *table, bool *row_out)
{
    FILE *shown = stderr;
    stderr = hidden;
    int code = table_next(table, row_out);
    stderr = shown;
    return code;
}

/* Every cell in every type: values are whole elements, and texts are those of the cell. */
static void parse_cell(const struct table_cell *cell)
{
    static const char *const types[TYPES] = {"bool", "u8", "i64", "f16", "f32[4]", "bytes", "utf8", "list<u16>", "list<i8[2]>"};
    struct buffer value = {.data = NULL};
    for (int i = 0; i < TYPES; i++) {
        struct value_type type = {.width = 0};
        char why[VALUE_WHY_BYTES] = "";
        EXPECT(value_type_parse(types[i], strlen(types[i]), &type));
        value.bytes = 0;
        enum value_answer answer = value_parse(&type, cell, &value, why);
        size_t element = value_type_element_bytes(type.type) * type.width;
        EXPECT(answer != VALUE_NO_MEMORY);
        EXPECT((answer == VALUE_WRONG) == (why[0] != '\0'));
        if (answer == VALUE_THERE && element > 0)
            EXPECT(type.list ? value.bytes % element == 0 : value.bytes == element);
        if (answer == VALUE_THERE && type.type == AIMG_TYPE_UTF8)
            EXPECT(value.bytes == cell->bytes && (value.bytes == 0 || memcmp(value.data, cell->text, value.bytes) == 0));
    }
    buffer_free(&value);
}

/* All rows: their number, and a hash of what is in them. *code_out: how it ended. */
static uint64_t read_rows(struct table *table, struct infer *infer, int *code_out)
{
    uint64_t hash = 0;
    bool row = true;
    while ((*code_out = next_silently(table, &row)) == EXIT_DONE && row) {
        hash = hash * 31 + table->row;
        for (uint32_t i = 0; i < table->count; i++) {
            const struct table_cell *cell = &table->cells[i];
            if (cell->kind != TABLE_ABSENT) /* columns that come later are known the second time */
                hash = (hash * 31 + i) * 31 + (uint64_t)cell->kind;
            if (cell->kind == TABLE_TEXT)
                hash = hash * 31 + name_hash(cell->text, cell->bytes);
            EXPECT(infer_cell(infer, cell, table->row));
            parse_cell(cell);
        }
    }
    return hash;
}

static void check_table(const char *text, size_t bytes, enum table_format format)
{
    char path[64], why[INFER_WHY_BYTES];
    struct table table;
    struct infer infer = {.texts = 0};
    struct value_type type;
    int fd = memfd_create("table", MFD_CLOEXEC), first, second;
    REQUIRE(fd >= 0 && write(fd, text, bytes) == (ssize_t)bytes);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    REQUIRE(open_silently(&table, path, format) == EXIT_DONE);
    uint64_t hash = read_rows(&table, &infer, &first);
    EXPECT(first == EXIT_DONE || first == EXIT_NO);
    EXPECT(table_rewind(&table) == EXIT_DONE);
    if (first == EXIT_DONE) {
        EXPECT_EQ_UINT(read_rows(&table, &infer, &second), hash);
        EXPECT_EQ_INT(second, first);
    }
    (void)infer_type(&infer, &type, why);
    infer_free(&infer);
    table_close(&table);
    close(fd);
}

/* round: -1, the sample as it is. */
static void set_subject(enum table_format format, int round)
{
    static char subject[40];
    snprintf(subject, sizeof subject, "%s, round %d", format == TABLE_CSV ? "CSV" : "JSON lines", round);
    test_state.subject = subject;
}

static void test_format(const char *sample, size_t sample_bytes, enum table_format format, uint64_t state)
{
    char text[TEXT_MOST + 1];
    set_subject(format, -1);
    check_table(sample, sample_bytes, format);
    for (int i = 0; i < ROUNDS; i++) {
        set_subject(format, i);
        memcpy(text, sample, sample_bytes);
        check_table(text, mutate(&state, text, sample_bytes), format);
        /* a table that is taken for one of the other format */
        if (i % 100 == 0)
            check_table(text, sample_bytes, format == TABLE_CSV ? TABLE_JSONL : TABLE_CSV);
    }
    test_state.subject = NULL;
}

int main(void)
{
    hidden = fopen("/dev/null", "we");
    REQUIRE(hidden != NULL);
    test_format(csv, sizeof csv - 1, TABLE_CSV, 1);
    test_format(jsonl, sizeof jsonl - 1, TABLE_JSONL, 2);
    (void)fclose(hidden);
    return test_end("damaged tables");
}
