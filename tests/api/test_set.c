/* SPDX-License-Identifier: Apache-2.0 */
/* Values that are set after the images are there: what is promised about readers, commits, other handles, and refusals. */
#include "host.h"
#include "sample.h"
#include "test.h"

enum { ROWS = 50 };

static struct aimg_error error;
static const char *path;
static uint32_t score, text, label, flag, other, list; /* ids */

static bool ok(enum aimg_status status)
{
    if (EXPECT_EQ_INT(status, AIMG_OK))
        return true;
    fprintf(stderr, "  %s\n", error.message);
    return false;
}

static struct aimg_writer *open_writer(void)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer = NULL;
    REQUIRE(ok(aimg_writer_open(path, &options, &writer, &error)));
    return writer;
}

static void close_writer(struct aimg_writer *writer)
{
    (void)ok(aimg_writer_close(writer, &error));
}

static struct aimg_reader *open_reader(void)
{
    struct aimg_reader *reader = NULL;
    REQUIRE(ok(aimg_reader_open(path, NULL, &reader, &error)));
    return reader;
}

static void define(struct aimg_writer *writer)
{
    (void)ok(aimg_writer_column(writer, "score", AIMG_TYPE_F32, 1, 0, &score, &error));
    (void)ok(aimg_writer_column(writer, "text", AIMG_TYPE_UTF8, 1, 0, &text, &error));
    (void)ok(aimg_writer_column(writer, "label", AIMG_TYPE_DICTIONARY, 1, 0, &label, &error));
    (void)ok(aimg_writer_column(writer, "flag", AIMG_TYPE_BOOL, 1, 0, &flag, &error));
    (void)ok(aimg_writer_column(writer, "other", AIMG_TYPE_IMAGE, 1, 0, &other, &error));
    (void)ok(aimg_writer_column(writer, "list", AIMG_TYPE_U32, 1, 1, &list, &error));
}

static void make(void)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer = NULL;
    char name[16];
    (void)unlink(path);
    REQUIRE(ok(aimg_writer_create(path, &options, &writer, &error)));
    for (uint32_t k = 0; k < ROWS; k++) {
        snprintf(name, sizeof name, "%u", k);
        (void)ok(sample_add(writer, name, k, 0, NULL, &error));
    }
    REQUIRE(ok(aimg_writer_commit(writer, NULL, &error)));
    define(writer);
    REQUIRE(ok(aimg_writer_commit(writer, NULL, &error)));
    close_writer(writer);
}

static enum aimg_status set(struct aimg_writer *writer, uint32_t ordinal, uint32_t column, const void *data, size_t bytes)
{
    struct aimg_value value = {.column = column, .data = data, .bytes = bytes};
    return aimg_writer_set(writer, ordinal, &value, &error);
}

static enum aimg_status set_score(struct aimg_writer *writer, uint32_t ordinal, float value)
{
    return set(writer, ordinal, score, &value, sizeof value);
}

static enum aimg_status set_null(struct aimg_writer *writer, uint32_t ordinal, uint32_t column)
{
    struct aimg_value value = {.column = column, .flags = AIMG_VALUE_NULL};
    return aimg_writer_set(writer, ordinal, &value, &error);
}

/* The value of a row as text: a float, a text, or "null". */
static const char *get(const struct aimg_reader *reader, const char *column, uint32_t ordinal)
{
    static char out[100];
    struct aimg_column found;
    size_t bytes = 0;
    int null = 1;
    float number;
    if (!ok(aimg_reader_column_find(reader, column, &found, &error)) ||
        !ok(aimg_reader_value(reader, found.index, ordinal, out, sizeof out - 1, &bytes, &null, &error)))
        return "";
    out[bytes] = 0;
    if (null)
        return "null";
    if (found.type == AIMG_TYPE_F32) {
        memcpy(&number, out, sizeof number);
        host_order(&number, sizeof number, sizeof number);
        snprintf(out, sizeof out, "%g", (double)number);
    }
    return out;
}

static void verify(void)
{
    struct aimg_verify_options options = {.struct_bytes = sizeof options, .threads = 1};
    struct aimg_verify_result result = {.faults = 1};
    EXPECT(aimg_verify(path, &options, &result, &error) == AIMG_OK && result.faults == 0 && result.warnings == 0);
}

static uint64_t commits(void)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct aimg_reader *reader = open_reader();
    (void)ok(aimg_reader_info(reader, &info, &error));
    aimg_reader_close(reader);
    return info.commit_count;
}

/* ------------------------------------------------------------------ who sees what */

static void check_readers(void)
{
    struct aimg_reader_options then = {.struct_bytes = sizeof then, .flags = AIMG_READER_AT, .seq = 2};
    struct aimg_reader *reader, *old = NULL;
    struct aimg_column column;
    struct aimg_chunk chunk;
    int changed = 0;
    make();
    struct aimg_writer *writer = open_writer();
    (void)ok(set_score(writer, 3, 1.5f));
    (void)ok(set(writer, 4, text, "four", 4));
    REQUIRE(ok(aimg_writer_commit(writer, "scores", &error)));
    reader = open_reader();
    EXPECT_EQ_TEXT(get(reader, "score", 3), "1.5");
    EXPECT_EQ_TEXT(get(reader, "score", 4), "null");
    EXPECT_EQ_TEXT(get(reader, "text", 4), "four");
    REQUIRE(ok(aimg_reader_column_find(reader, "score", &column, &error)) &&
            ok(aimg_reader_chunk(reader, column.index, 0, &chunk, &error)));
    const float *scores = chunk.values;
    float third;
    (void)ok(set_score(writer, 3, 2.5f));
    (void)ok(set_null(writer, 4, text));
    EXPECT_EQ_TEXT(get(reader, "score", 3), "1.5"); /* not committed */
    EXPECT_EQ_TEXT(get(aimg_writer_base(writer), "score", 3), "1.5");
    REQUIRE(ok(aimg_writer_commit(writer, NULL, &error)));
    EXPECT_EQ_TEXT(get(reader, "score", 3), "1.5"); /* not refreshed */
    EXPECT(ok(aimg_reader_refresh(reader, &changed, &error)) && changed == 1);
    EXPECT_EQ_TEXT(get(reader, "score", 3), "2.5");
    EXPECT_EQ_TEXT(get(reader, "text", 4), "null");
    memcpy(&third, &scores[3], sizeof third);
    host_order(&third, sizeof third, sizeof third);
    EXPECT(third == 1.5f); /* what was borrowed stays */
    aimg_reader_close(reader);
    REQUIRE(ok(aimg_reader_open(path, &then, &old, &error)));
    EXPECT_EQ_TEXT(get(old, "score", 3), "1.5"); /* as it was then */
    EXPECT_EQ_TEXT(get(old, "text", 4), "four");
    aimg_reader_close(old);
    close_writer(writer);
    verify();
}

/* No byte of what was there is touched, but for the hints. */
static void check_bytes(void)
{
    size_t before_bytes, after_bytes;
    make();
    uint8_t *before = sample_load(path, &before_bytes);
    struct aimg_writer *writer = open_writer();
    for (uint32_t k = 0; k < ROWS; k++)
        (void)ok(set_score(writer, k, (float)k));
    REQUIRE(ok(aimg_writer_commit(writer, NULL, &error)));
    close_writer(writer);
    uint8_t *after = sample_load(path, &after_bytes);
    REQUIRE(before != NULL && after != NULL && after_bytes > before_bytes);
    EXPECT(after_bytes - before_bytes < 3 * 4096);
    EXPECT_EQ_BYTES(before, after, 4096);
    EXPECT_EQ_BYTES(before + 12288, after + 12288, before_bytes - 12288);
    free(before);
    free(after);
}

/* A commit is made when something was set, and only then; what is not committed is gone. */
static void check_commits(void)
{
    make();
    uint64_t before = commits();
    struct aimg_writer *writer = open_writer();
    REQUIRE(ok(aimg_writer_commit(writer, NULL, &error)));
    EXPECT_EQ_UINT(commits(), before);
    (void)ok(set_score(writer, 1, 1));
    REQUIRE(ok(aimg_writer_commit(writer, NULL, &error)));
    EXPECT_EQ_UINT(commits(), before + 1);
    float all[ROWS] = {7};
    (void)ok(aimg_writer_set_array(writer, score, 0, ROWS, all, NULL, &error));
    REQUIRE(ok(aimg_writer_commit(writer, NULL, &error)));
    EXPECT_EQ_UINT(commits(), before + 2);
    REQUIRE(ok(aimg_writer_commit(writer, NULL, &error)));
    EXPECT_EQ_UINT(commits(), before + 2);
    (void)ok(set_score(writer, 0, 9));
    (void)ok(aimg_writer_set_array(writer, score, 0, ROWS, all, NULL, &error));
    close_writer(writer);
    verify();
    struct aimg_reader *reader = open_reader();
    EXPECT_EQ_TEXT(get(reader, "score", 0), "7");
    EXPECT_EQ_TEXT(get(reader, "score", 1), "0");
    aimg_reader_close(reader);
}

/* Of several values the last one counts, whichever call gave it. */
static void check_order(void)
{
    float all[ROWS];
    uint8_t some[(ROWS + 7) / 8] = {0xF0};
    for (uint32_t k = 0; k < ROWS; k++)
        all[k] = 100 + (float)k;
    make();
    struct aimg_writer *writer = open_writer();
    (void)ok(set_score(writer, 5, 1));
    (void)ok(set_score(writer, 5, 2));
    (void)ok(set_score(writer, 6, 3));
    (void)ok(aimg_writer_set_array(writer, score, 0, ROWS, all, NULL, &error));
    (void)ok(set_score(writer, 6, 4));
    (void)ok(set_score(writer, 7, 5));
    (void)ok(set_score(writer, 8, 6));
    (void)ok(aimg_writer_set_array(writer, score, 7, 1, all, NULL, &error));
    (void)ok(set_null(writer, 8, score));
    (void)ok(set_null(writer, 9, score));
    (void)ok(set_score(writer, 9, 7));
    REQUIRE(ok(aimg_writer_commit(writer, NULL, &error)));
    struct aimg_reader *reader = open_reader();
    static const char *const expected[] = {"105", "4", "100", "null", "7", "110"};
    for (uint32_t k = 0; k < 6; k++)
        EXPECT_EQ_TEXT(get(reader, "score", 5 + k), expected[k]);
    aimg_reader_close(reader);
    (void)ok(aimg_writer_set_array(writer, score, 1, ROWS - 1, all, some, &error)); /* rows 5 to 8 have a value, no others */
    REQUIRE(ok(aimg_writer_commit(writer, NULL, &error)));
    reader = open_reader();
    static const char *const then[] = {"100", "null", "104", "107", "null"};
    static const uint32_t rows[] = {0, 4, 5, 8, 9};
    for (uint32_t k = 0; k < 5; k++)
        EXPECT_EQ_TEXT(get(reader, "score", rows[k]), then[k]);
    aimg_reader_close(reader);
    close_writer(writer);
    verify();
}

/* Images of the open batch, and names that move from one to the next. */
static void check_batch(void)
{
    uint32_t ordinal = 0;
    make();
    struct aimg_writer *writer = open_writer();
    for (uint32_t k = 0; k < 4; k++) {
        char name[16];
        snprintf(name, sizeof name, "new %u", k);
        (void)ok(sample_add(writer, name, k, 0, &ordinal, &error));
        (void)ok(set_score(writer, ordinal, (float)k));
        (void)ok(set(writer, ordinal, label, "a label", 7));
    }
    EXPECT_EQ_INT(set_score(writer, ordinal + 1, 1), AIMG_NOT_FOUND);
    (void)ok(set(writer, ROWS, text, "first", 5));
    (void)ok(set(writer, ROWS, text, "second", 6));
    (void)ok(set(writer, ROWS + 1, other, &ordinal, sizeof ordinal)); /* an image that came later */
    (void)ok(sample_add(writer, "7", 9, AIMG_ADD_REPLACE, &ordinal, &error));
    EXPECT_EQ_INT(set_score(writer, 7, 1), AIMG_NOT_FOUND);
    (void)ok(aimg_writer_remove(writer, ROWS + 3, &error));
    EXPECT_EQ_INT(set_score(writer, ROWS + 3, 1), AIMG_NOT_FOUND);
    (void)ok(set_score(writer, 2, 2));
    (void)ok(aimg_writer_remove(writer, 2, &error)); /* with what was set */
    REQUIRE(ok(aimg_writer_commit(writer, NULL, &error)));
    EXPECT_EQ_INT(set_score(writer, 2, 1), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(set_score(writer, 7, 1), AIMG_NOT_FOUND);
    close_writer(writer);
    verify();
    struct aimg_reader *reader = open_reader();
    EXPECT_EQ_TEXT(get(reader, "score", ROWS + 1), "1");
    EXPECT_EQ_TEXT(get(reader, "label", ROWS + 2), "a label");
    EXPECT_EQ_TEXT(get(reader, "text", ROWS), "second");
    EXPECT_EQ_TEXT(get(reader, "score", ordinal), "null");
    aimg_reader_close(reader);
}

/* ------------------------------------------------------------------ what is refused */

/* What is refused changes nothing, and the writer goes on. */
static void check_refused(void)
{
    uint32_t number = 7, far = ROWS;
    struct aimg_value odd = {.column = score, .flags = 4, .data = &number, .bytes = 4};
    make();
    struct aimg_writer *writer = open_writer();
    (void)ok(set_score(writer, 0, 1));
    EXPECT_EQ_INT(aimg_writer_set(NULL, 0, &odd, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_writer_set(writer, 0, NULL, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_writer_set(writer, 0, &odd, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(set(writer, 0, 99, &number, 4), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(set(writer, 0, score, &number, 3), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(set(writer, 0, score, NULL, 4), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(set(writer, 0, text, "\xFF", 1), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(set(writer, 0, label, "\xFF", 1), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(set(writer, 0, flag, "\2", 1), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(set(writer, 0, other, &far, 4), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(set(writer, 0, list, "12345", 5), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(set(writer, ROWS, score, &number, 4), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(set(writer, UINT32_MAX, score, &number, 4), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(set_null(writer, 0, 99), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(set_null(writer, ROWS, score), AIMG_NOT_FOUND);
    REQUIRE(ok(aimg_writer_commit(writer, NULL, &error)));
    close_writer(writer);
    verify();
    struct aimg_reader *reader = open_reader();
    EXPECT_EQ_TEXT(get(reader, "score", 0), "1");
    EXPECT_EQ_TEXT(get(reader, "text", 0), "null");
    EXPECT_EQ_TEXT(get(reader, "label", 0), "null");
    aimg_reader_close(reader);
}

static enum aimg_status set_array(struct aimg_writer *writer, uint32_t column, uint32_t first, uint32_t count, const void *values)
{
    return aimg_writer_set_array(writer, column, first, count, values, NULL, &error);
}

static void check_refused_arrays(void)
{
    uint32_t codes[ROWS] = {0};
    uint8_t flags[ROWS] = {0}, none[(ROWS + 7) / 8] = {0};
    make();
    struct aimg_writer *writer = open_writer();
    (void)ok(set_score(writer, 0, 1));
    EXPECT_EQ_INT(set_array(NULL, score, 0, 1, codes), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(set_array(writer, 99, 0, 1, codes), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(set_array(writer, text, 0, 1, codes), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(set_array(writer, list, 0, 1, codes), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(set_array(writer, score, 0, 1, NULL), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(set_array(writer, score, 0, ROWS + 1, codes), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(set_array(writer, score, ROWS, 1, codes), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(set_array(writer, score, UINT32_MAX, 2, codes), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(set_array(writer, score, 2, UINT32_MAX, codes), AIMG_NOT_FOUND);
    flags[ROWS - 1] = 2;
    EXPECT_EQ_INT(set_array(writer, flag, 0, ROWS, flags), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_writer_set_array(writer, flag, 0, ROWS, flags, none, &error), AIMG_OK); /* nobody looks at nulls */
    codes[3] = ROWS;
    EXPECT_EQ_INT(set_array(writer, other, 0, ROWS, codes), AIMG_INVALID_ARGUMENT);
    codes[3] = 0;
    EXPECT_EQ_INT(set_array(writer, label, 0, ROWS, codes), AIMG_INVALID_ARGUMENT); /* there are no texts yet */
    (void)ok(set(writer, 1, label, "one", 3));
    EXPECT_EQ_INT(set_array(writer, label, 2, ROWS - 2, codes), AIMG_OK);
    EXPECT_EQ_INT(set_array(writer, score, ROWS, 0, NULL), AIMG_OK);
    REQUIRE(ok(aimg_writer_commit(writer, NULL, &error)));
    close_writer(writer);
    verify();
    struct aimg_reader *reader = open_reader();
    EXPECT_EQ_TEXT(get(reader, "score", 0), "1");
    EXPECT_EQ_TEXT(get(reader, "score", 1), "null");
    EXPECT_EQ_TEXT(get(reader, "flag", ROWS - 1), "null");
    EXPECT_EQ_TEXT(get(reader, "other", 3), "null");
    EXPECT_EQ_TEXT(get(reader, "label", 0), "null");
    EXPECT_EQ_TEXT(get(reader, "label", ROWS - 1), "one");
    aimg_reader_close(reader);
}

int main(void)
{
    path = strdup(sample_path("set.aimg"));
    REQUIRE(path != NULL);
    check_readers();
    check_bytes();
    check_commits();
    check_order();
    check_batch();
    check_refused();
    check_refused_arrays();
    return test_end("test_set");
}
