/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata of an archive: set, changed, removed, over commits, in order, to its limits; what is no change, and what is refused.
 */
#include "random.h"
#include "sample.h"
#include "test.h"

enum { KEYS = 60, ROUNDS = 60, TEXT_BYTES = 64 };

static struct aimg_error error;
static struct aimg_writer *writer;
static struct aimg_reader *reader;
static const char *path;

static void begin(const char *file)
{
    struct aimg_writer_options options = sample_writer_options();
    options.flags = 0; /* with hints: a writer does not read again what is durable */
    path = sample_path(file);
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
}

static void again(void)
{
    struct aimg_writer_options options = sample_writer_options();
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    REQUIRE(aimg_writer_open(path, &options, &writer, &error) == AIMG_OK);
}

static void commit(void)
{
    if (!EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK))
        fprintf(stderr, "  %s\n", error.message);
}

static uint64_t commits(const struct aimg_reader *of)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    EXPECT_EQ_INT(aimg_reader_info(of, &info, &error), AIMG_OK);
    return info.commit_count;
}

static void finish(void)
{
    struct aimg_verify_result result = {.faults = 1};
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    EXPECT(aimg_verify(path, NULL, &result, &error) == AIMG_OK && result.faults == 0 && result.warnings == 0);
    REQUIRE(aimg_reader_open(path, NULL, &reader, &error) == AIMG_OK);
}

static enum aimg_status set(const char *key, const char *value)
{
    return aimg_writer_set_meta(writer, key, value, &error);
}

static void expect_value(const struct aimg_reader *of, const char *key, const char *value)
{
    char found[TEXT_BYTES] = "";
    size_t bytes = 0;
    enum aimg_status status = aimg_reader_meta(of, key, found, sizeof found - 1, &bytes, &error);
    EXPECT_EQ_INT(status, value == NULL ? AIMG_NOT_FOUND : AIMG_OK);
    if (status == AIMG_OK)
        EXPECT_EQ_UINT(bytes, strlen(value == NULL ? "" : value));
    EXPECT_EQ_TEXT(found, value == NULL ? "" : value);
}

/* ------------------------------------------------------------------ against a plain table */

static char model[KEYS][TEXT_BYTES]; /* empty: not there */

/* Keys that are the beginning of one another, so that their order is put to the test. */
static const char *key_of(uint32_t number)
{
    static char key[TEXT_BYTES];
    snprintf(key, sizeof key, "%.*s%u", (int)(number % 4), "\xC3\xA9zz", number / 4);
    return number % 4 == 1 ? (snprintf(key, sizeof key, "e%u", number / 4), key) : key;
}

struct seen {
    uint32_t count;
    char last[256];
    uint32_t stop_after;
};

static int see(void *user, const char *key, const char *value, size_t value_bytes)
{
    struct seen *seen = user;
    bool known = false;
    EXPECT(seen->count == 0 || strcmp(seen->last, key) < 0);
    snprintf(seen->last, sizeof seen->last, "%s", key);
    for (uint32_t i = 0; i < KEYS; i++)
        if (strcmp(key_of(i), key) == 0)
            known = model[i][0] != 0 && strlen(model[i]) - 1 == value_bytes && memcmp(model[i] + 1, value, value_bytes) == 0;
    EXPECT(known);
    return ++seen->count == seen->stop_after;
}

static void check_model(const struct aimg_reader *of)
{
    struct seen seen = {.count = 0};
    uint32_t count = 0;
    for (uint32_t i = 0; i < KEYS; i++) {
        count += model[i][0] != 0;
        expect_value(of, key_of(i), model[i][0] != 0 ? model[i] + 1 : NULL);
    }
    EXPECT_EQ_INT(aimg_reader_each_meta(of, see, &seen, &error), AIMG_OK);
    EXPECT_EQ_UINT(seen.count, count);
    if (count > 2) {
        seen = (struct seen){.stop_after = 2};
        EXPECT_EQ_INT(aimg_reader_each_meta(of, see, &seen, &error), AIMG_OK);
        EXPECT_EQ_UINT(seen.count, 2);
    }
}

static void change_one(uint64_t *random)
{
    uint32_t i = (uint32_t)random_below(random, KEYS);
    if (random_below(random, 3) == 0) {
        EXPECT_EQ_INT(set(key_of(i), NULL), model[i][0] != 0 ? AIMG_OK : AIMG_NOT_FOUND);
        model[i][0] = 0;
        return;
    }
    /* The first byte says that there is one; some values are empty. */
    snprintf(model[i], TEXT_BYTES, "=%.*s", (int)random_below(random, 40), "a text that is as long as it is asked to be");
    EXPECT_EQ_INT(set(key_of(i), model[i] + 1), AIMG_OK);
}

static void check_sequences(void)
{
    uint64_t random = 11;
    begin("model.aimg");
    for (uint32_t round = 0; round < ROUNDS; round++) {
        uint64_t before = commits(aimg_writer_base(writer));
        for (uint64_t i = random_below(&random, 8); i > 0; i--)
            change_one(&random);
        if (round % 5 == 0) /* with other things in the same commit */
            EXPECT_EQ_INT(sample_add(writer, key_of(round + KEYS), round, AIMG_ADD_REPLACE, NULL, &error), AIMG_OK);
        commit();
        EXPECT(commits(aimg_writer_base(writer)) <= before + 1);
        check_model(aimg_writer_base(writer));
        if (round % 7 == 0)
            again();
    }
    finish();
    check_model(reader);
    EXPECT(commits(reader) > ROUNDS / 2);
    aimg_reader_close(reader);
}

/* ------------------------------------------------------------------ what is a commit */

static void check_changes(void)
{
    struct aimg_reader_options at = {.struct_bytes = sizeof at, .flags = AIMG_READER_AT, .seq = 0};
    begin("changes.aimg");
    EXPECT_EQ_INT(set("title", NULL), AIMG_NOT_FOUND);
    commit();
    EXPECT_EQ_UINT(commits(aimg_writer_base(writer)), 0);
    EXPECT_EQ_INT(set("title", "One"), AIMG_OK);
    EXPECT_EQ_INT(set("title", NULL), AIMG_OK); /* there and gone: nothing */
    commit();
    EXPECT_EQ_UINT(commits(aimg_writer_base(writer)), 0);
    EXPECT_EQ_INT(set("title", "One"), AIMG_OK);
    EXPECT_EQ_INT(set("source", ""), AIMG_OK);
    commit();
    EXPECT_EQ_UINT(commits(aimg_writer_base(writer)), 1);
    EXPECT_EQ_INT(set("title", "Two"), AIMG_OK);
    EXPECT_EQ_INT(set("title", "One"), AIMG_OK); /* as it was */
    commit();
    EXPECT_EQ_UINT(commits(aimg_writer_base(writer)), 1);
    EXPECT_EQ_INT(set("title", "Two"), AIMG_OK);
    again(); /* not committed: dropped */
    expect_value(aimg_writer_base(writer), "title", "One");
    EXPECT_EQ_INT(set("title", "Three"), AIMG_OK);
    commit();
    EXPECT_EQ_INT(sample_add(writer, "a", 1, 0, NULL, &error), AIMG_OK); /* the metadata stay */
    commit();
    EXPECT_EQ_INT(set("title", NULL), AIMG_OK);
    EXPECT_EQ_INT(set("source", NULL), AIMG_OK);
    commit();
    EXPECT_EQ_UINT(commits(aimg_writer_base(writer)), 4);
    finish();
    expect_value(reader, "title", NULL);
    aimg_reader_close(reader);
    static const char *const titles[] = {"One", "Three", "Three", NULL};
    for (at.seq = 0; at.seq < 4; at.seq++) {
        REQUIRE(aimg_reader_open(path, &at, &reader, &error) == AIMG_OK);
        expect_value(reader, "title", titles[at.seq]);
        expect_value(reader, "source", at.seq < 3 ? "" : NULL);
        aimg_reader_close(reader);
    }
}

/* ------------------------------------------------------------------ limits */

static int count_pairs(void *user, const char *key, const char *value, size_t value_bytes)
{
    (void)key;
    (void)value;
    *(size_t *)user += value_bytes + 1;
    return 0;
}

static void check_limits(void)
{
    const size_t most = (size_t)16 << 20;
    char key[258], *large = malloc(most + 1);
    size_t sum = 0;
    REQUIRE(large != NULL);
    memset(key, 'k', sizeof key);
    memset(large, 'v', most);
    large[most] = 0;
    begin("limits.aimg");
    EXPECT_EQ_INT(set("", "value"), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(set(NULL, "value"), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(set("\xFF", "value"), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(set("two\nlines", "value"), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(set("\xC2\x85", "value"), AIMG_INVALID_ARGUMENT); /* U+0085 */
    EXPECT_EQ_INT(set("key", "\xC3"), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_writer_set_meta(NULL, "key", "value", &error), AIMG_INVALID_ARGUMENT);
    key[256] = 0;
    EXPECT_EQ_INT(set(key, "value"), AIMG_INVALID_ARGUMENT);
    key[255] = 0;
    EXPECT_EQ_INT(set(key, "value"), AIMG_OK);
    EXPECT_EQ_INT(set("large", large), AIMG_LIMIT);
    large[most - 1] = 0;
    EXPECT_EQ_INT(set("large", large), AIMG_LIMIT);
    large[most - 8 - (8 + 255 + 5) - (8 + 5)] = 0; /* head, the pair above, this pair */
    EXPECT_EQ_INT(set("large", large), AIMG_OK);
    EXPECT_EQ_INT(set("one more", ""), AIMG_LIMIT);
    EXPECT_EQ_INT(set(key, "valu"), AIMG_OK);
    EXPECT_EQ_INT(set(key, "value+"), AIMG_LIMIT);
    EXPECT_EQ_INT(set(key, "value"), AIMG_OK);
    commit();
    finish();
    EXPECT_EQ_INT(aimg_reader_each_meta(reader, count_pairs, &sum, &error), AIMG_OK);
    EXPECT_EQ_UINT(sum, 5 + 1 + strlen(large) + 1);
    expect_value(reader, key, "value");
    EXPECT_EQ_INT(aimg_reader_each_meta(NULL, count_pairs, &sum, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_reader_each_meta(reader, NULL, &sum, &error), AIMG_INVALID_ARGUMENT);
    aimg_reader_close(reader);
    free(large);
}

/* Damage in the metadata is said, never written over with good checksums. */
static void check_damage(void)
{
    size_t bytes, count = 0;
    char value[16];
    begin("damage.aimg");
    EXPECT_EQ_INT(set("title", "Blossoms"), AIMG_OK);
    commit();
    finish();
    aimg_reader_close(reader);
    uint8_t *archive = sample_load(path, &bytes);
    REQUIRE(archive != NULL);
    for (size_t i = 0; i + 8 < bytes; i++)
        if (memcmp(archive + i, "Blossoms", 8) == 0)
            archive[i] = 'b';
    REQUIRE(sample_store(path, archive, bytes));
    free(archive);
    struct aimg_writer_options options = sample_writer_options();
    REQUIRE(aimg_writer_open(path, &options, &writer, &error) == AIMG_OK);
    EXPECT_EQ_INT(set("source", "here"), AIMG_CHECKSUM);
    EXPECT_EQ_UINT(error.rule, 69);
    EXPECT_EQ_INT(aimg_reader_each_meta(aimg_writer_base(writer), count_pairs, &count, &error), AIMG_CHECKSUM);
    EXPECT_EQ_INT(aimg_reader_meta(aimg_writer_base(writer), "title", value, sizeof value, &bytes, &error), AIMG_CHECKSUM);
    EXPECT_EQ_UINT(count, 0);
    commit();                                                            /* nothing */
    EXPECT_EQ_INT(sample_add(writer, "a", 1, 0, NULL, &error), AIMG_OK); /* and the writer goes on */
    commit();
    EXPECT_EQ_UINT(commits(aimg_writer_base(writer)), 2);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
}

int main(void)
{
    check_sequences();
    check_changes();
    check_limits();
    check_damage();
    return test_end("test_meta");
}
