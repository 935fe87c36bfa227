/* SPDX-License-Identifier: Apache-2.0 */
/* What is alive in an archive, copied into a new one: every image, name, value and commit is there, in order, and nothing else.
 */
#include "counting.h"
#include "kinds.h"
#include "random.h"
#include "sample.h"
#include "test.h"

#include <dirent.h>

enum { IMAGES = 240, COMMITS = 4, ALL = IMAGES * COMMITS, MOST_BYTES = 1 << 20, VALUE_BYTES = 512 };

static struct aimg_error error;
static struct counting counting;

/* The value of content k, in the machine's order, which here is that of the file. */
static size_t value_of(const struct kind *kind, uint32_t k, uint8_t *out)
{
    uint64_t random = k * 1000 + (uint64_t)(kind - kinds);
    if (kind->type == AIMG_TYPE_DICTIONARY)
        return (size_t)snprintf((char *)out, VALUE_BYTES, "label %u", k % 10 == 0 ? 1000 + k : k / 7 % 60);
    size_t bytes = kind->element;
    if (kind->list)
        bytes = kind->element * (size_t)random_below(&random, 6);
    else if (kind->element == 0)
        bytes = (size_t)random_below(&random, 90);
    random_fill(&random, out, bytes);
    for (size_t i = 0; i < bytes && kind->type == AIMG_TYPE_UTF8; i++)
        out[i] = (uint8_t)('a' + out[i] % 26);
    if (kind->type == AIMG_TYPE_BOOL)
        out[0] &= 1;
    if (kind->type == AIMG_TYPE_U32 && k < IMAGES) /* narrow in the first run, wide in the others */
        out[1] = out[2] = out[3] = 0;
    if (kind->type == AIMG_TYPE_IMAGE) {
        uint32_t target = k / 2;
        memcpy(out, &target, sizeof target);
    }
    return bytes;
}

static const struct kind *kind_of(enum aimg_type type)
{
    const struct kind *kind = kinds;
    while (kind->type != type)
        kind++;
    return kind;
}

static bool has_value(const struct kind *kind, uint32_t k)
{
    return kind->every != 0 && k % kind->every == 0 && (k > 0 || kind->type != AIMG_TYPE_IMAGE);
}

static void add(struct aimg_writer *writer, uint32_t k, const char *name, uint32_t flags)
{
    static uint8_t data[SAMPLE_MAX_BYTES], bytes[KINDS][VALUE_BYTES];
    struct aimg_value values[KINDS];
    struct aimg_image image = {.struct_bytes = sizeof image, .name = name, .data = data, .values = values, .flags = flags};
    uint32_t ordinal;
    image.name_bytes = strlen(name);
    image.data_bytes = sample_fill(k, data);
    image.format = k % 17;
    for (size_t i = 0; i < KINDS; i++)
        if (has_value(&kinds[i], k))
            values[image.value_count++] =
                (struct aimg_value){.column = kinds[i].id, .data = bytes[i], .bytes = value_of(&kinds[i], k, bytes[i])};
    REQUIRE(aimg_writer_add(writer, &image, &ordinal, &error) == AIMG_OK && ordinal == k);
}

/* What was set later, by ordinal: the image that the value in the column "after" refers to, 0 for none; whether the caption is
 * another one. */
static uint32_t after_of[ALL];
static bool is_another[ALL];

static bool set_where_alive(struct aimg_writer *writer, uint32_t ordinal, const struct aimg_value *value)
{
    enum aimg_status status = aimg_writer_set(writer, ordinal, value, &error);
    REQUIRE(status == AIMG_OK || status == AIMG_NOT_FOUND);
    return status == AIMG_OK;
}

static void refer(struct aimg_writer *writer, uint32_t after, uint32_t ordinal, uint32_t to)
{
    struct aimg_value value = {.column = after, .data = &to, .bytes = sizeof to};
    if (set_where_alive(writer, ordinal, &value))
        after_of[ordinal] = to;
}

/* References to images that come later, of images that are there and of others that came in an earlier commit; and a text that
 * is another one now. */
static void set_later(struct aimg_writer *writer, uint32_t after, uint32_t k)
{
    struct aimg_value text = {.column = kind_of(AIMG_TYPE_UTF8)->id, .data = "another", .bytes = 7};
    refer(writer, after, k - 17, k);
    if (k > IMAGES + 100)
        refer(writer, after, k - IMAGES - 100, k);
    if (set_where_alive(writer, k / 2, &text))
        is_another[k / 2] = true;
    if (k % 57 == 0)
        refer(writer, after, k, k); /* itself */
}

/* Ordinal k has content k. Some are attachments, with a name and without; some take the place of an earlier one; one in ten is
 * removed, and in the last commit all of a whole stretch. */
static void write_source(const char *path, unsigned compress)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer = NULL;
    uint32_t after;
    char name[32], message[32];
    options.compress = compress;
    options.alignment = compress == AIMG_COMPRESS_ZSTD ? 64 : 8;
    options.dedup = compress == AIMG_COMPRESS_ZSTD ? AIMG_DEDUP_ALL : AIMG_DEDUP_NONE;
    (void)unlink(path);
    memset(after_of, 0, sizeof after_of);
    memset(is_another, 0, sizeof is_another);
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    for (size_t i = 0; i < KINDS; i++)
        REQUIRE(aimg_writer_column(writer, kinds[i].name, kinds[i].type, kinds[i].width, kinds[i].list, &kinds[i].id, &error) ==
                AIMG_OK);
    REQUIRE(aimg_writer_column(writer, "after", AIMG_TYPE_IMAGE, 1, 0, &after, &error) == AIMG_OK);
    for (uint32_t k = 0; k < ALL; k++) {
        bool attachment = k % 11 == 3;
        snprintf(name, sizeof name, "%s%u", attachment ? "attached " : "image ", k % 29 == 0 && k > 0 ? k - 1 : k);
        if (attachment && k % 2 == 0)
            name[0] = '\0';
        add(writer, k, name, (attachment ? AIMG_ADD_ATTACHMENT : 0u) | AIMG_ADD_REPLACE);
        if (k % 10 == 9)
            (void)!aimg_writer_remove(writer, k - 5, NULL); /* some were replaced before */
        if (k == ALL - 1)
            for (uint32_t dead = 300; dead < 400; dead++)
                (void)!aimg_writer_remove(writer, dead, NULL); /* where it is not dead yet */
        if (k % 19 == 0 && k > 20)
            set_later(writer, after, k);
        snprintf(message, sizeof message, "commit %u", k / IMAGES);
        if (k % IMAGES == IMAGES - 1)
            REQUIRE(aimg_writer_commit(writer, k / IMAGES % 2 == 0 ? message : NULL, &error) == AIMG_OK);
    }
    REQUIRE(aimg_writer_set_meta(writer, "title", "A title", &error) == AIMG_OK &&
            aimg_writer_set_meta(writer, "licence", "", &error) == AIMG_OK);
    REQUIRE(aimg_writer_commit(writer, "nothing new", &error) == AIMG_OK);
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
}

static struct aimg_reader *open_reader(const char *path, uint32_t flags, uint64_t seq)
{
    struct aimg_reader_options options = {
        .struct_bytes = sizeof options, .flags = flags, .seq = seq, .allocator = counting_allocator(&counting)};
    struct aimg_reader *reader = NULL;
    REQUIRE(aimg_reader_open(path, &options, &reader, &error) == AIMG_OK);
    return reader;
}

/* The source itself: what was set later is there, or copies of it would show nothing. */
static void check_set_later(const char *path)
{
    struct aimg_reader *reader = open_reader(path, 0, 0);
    struct aimg_column after, caption;
    unsigned references = 0, captions = 0;
    REQUIRE(aimg_reader_column_find(reader, "after", &after, &error) == AIMG_OK);
    REQUIRE(aimg_reader_column_find(reader, "caption", &caption, &error) == AIMG_OK);
    for (uint32_t k = 0; k < ALL; k++) {
        struct aimg_entry entry;
        uint32_t to = 0;
        char text[VALUE_BYTES];
        size_t bytes;
        int null;
        REQUIRE(aimg_reader_entry(reader, k, &entry, &error) == AIMG_OK);
        if (entry.dead)
            continue;
        EXPECT_EQ_INT(aimg_reader_value(reader, after.index, k, &to, sizeof to, &bytes, &null, &error), AIMG_OK);
        EXPECT(null == (after_of[k] == 0) && *(uint32_t *)host_order(&to, sizeof to, sizeof to) == after_of[k]);
        EXPECT_EQ_INT(aimg_reader_value(reader, caption.index, k, text, sizeof text, &bytes, &null, &error), AIMG_OK);
        EXPECT_EQ_INT(!null && bytes == 7 && memcmp(text, "another", 7) == 0, is_another[k]);
        references += after_of[k] != 0;
        captions += is_another[k];
    }
    EXPECT(references > 40 && captions > 30);
    aimg_reader_close(reader);
}

static struct aimg_writer *create(const char *path, uint32_t flags)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer = NULL;
    options.flags = flags;
    options.time_ns = 5 * SAMPLE_TIME_NS / 4;
    options.allocator = counting_allocator(&counting);
    (void)unlink(path);
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    return writer;
}

static void print_finding(void *user, const struct aimg_finding *finding)
{
    (void)user;
    if (!finding->warning) /* the samples are no pictures */
        fprintf(stderr, "  rule %u, image %" PRIu32 ", offset %" PRIu64 ": %s\n", finding->rule, finding->ordinal,
                finding->offset, finding->message);
}

static void check_verifies(const char *path)
{
    struct aimg_verify_options options = {.struct_bytes = sizeof options, .finding = print_finding};
    struct aimg_verify_result result;
    EXPECT_EQ_INT(aimg_verify(path, &options, &result, &error), AIMG_OK);
    EXPECT_EQ_UINT(result.faults, 0);
}

/* ------------------------------------------------------------------ what must be the same */

/* Numbers of the living images of the source in the copy. */
static uint32_t numbers[1 << 16];

static void number_living(const struct aimg_reader *source)
{
    uint32_t next = 0;
    REQUIRE(aimg_reader_ordinal_count(source) <= sizeof numbers / sizeof numbers[0]);
    for (uint32_t k = 0; k < aimg_reader_ordinal_count(source); k++) {
        struct aimg_entry entry;
        REQUIRE(aimg_reader_entry(source, k, &entry, &error) == AIMG_OK);
        numbers[k] = entry.dead ? AIMG_NO_ORDINAL : next++;
    }
}

static void check_values(const struct aimg_reader *source, uint32_t from, const struct aimg_reader *target, uint32_t to)
{
    static uint8_t found[MOST_BYTES], wanted[MOST_BYTES];
    struct aimg_info info = {.struct_bytes = sizeof info};
    REQUIRE(aimg_reader_info(source, &info, &error) == AIMG_OK);
    for (uint32_t i = 0; i < info.column_count; i++) {
        struct aimg_column column;
        size_t found_bytes = 0, wanted_bytes = 0;
        int found_null = 0, wanted_null = 0;
        REQUIRE(aimg_reader_column(source, i, &column, &error) == AIMG_OK);
        REQUIRE(aimg_reader_value(source, i, from, wanted, sizeof wanted, &wanted_bytes, &wanted_null, &error) == AIMG_OK);
        EXPECT_EQ_INT(aimg_reader_value(target, i, to, found, sizeof found, &found_bytes, &found_null, &error), AIMG_OK);
        if (column.type == AIMG_TYPE_IMAGE && !wanted_null) {
            uint32_t refers;
            memcpy(&refers, host_order(wanted, sizeof refers, sizeof refers), sizeof refers);
            memcpy(wanted, host_order(&(uint32_t){numbers[refers]}, sizeof refers, sizeof refers), sizeof refers);
            wanted_null = numbers[refers] == AIMG_NO_ORDINAL;
            wanted_bytes = wanted_null ? 0 : wanted_bytes;
        }
        EXPECT_EQ_INT(found_null, wanted_null);
        if (EXPECT_EQ_UINT(found_bytes, wanted_bytes))
            EXPECT_EQ_BYTES(found, wanted, wanted_bytes);
    }
}

static void check_image(const struct aimg_reader *source, uint32_t from, const struct aimg_reader *target, uint32_t to)
{
    static uint8_t found[MOST_BYTES], wanted[MOST_BYTES];
    char found_name[1025], wanted_name[1025];
    struct aimg_entry a, b;
    uint64_t found_bytes = 0, wanted_bytes = 0, position;
    uint32_t ordinal;
    REQUIRE(aimg_reader_entry(source, from, &a, &error) == AIMG_OK && aimg_reader_entry(target, to, &b, &error) == AIMG_OK);
    EXPECT(a.format == b.format && a.coding == b.coding && a.attachment == b.attachment && a.stored_bytes == b.stored_bytes &&
           a.raw_bytes == b.raw_bytes && !b.dead && memcmp(a.hash, b.hash, sizeof a.hash) == 0);
    REQUIRE(aimg_reader_name(source, from, wanted_name, sizeof wanted_name, NULL, &error) == AIMG_OK);
    EXPECT_EQ_INT(aimg_reader_name(target, to, found_name, sizeof found_name, NULL, &error), AIMG_OK);
    EXPECT_EQ_TEXT(found_name, wanted_name);
    if (wanted_name[0] != '\0')
        EXPECT(aimg_reader_find(target, wanted_name, strlen(wanted_name), &ordinal, &error) == AIMG_OK && ordinal == to);
    EXPECT_EQ_INT(aimg_reader_position_of(target, to, &position, &error), a.attachment ? AIMG_NOT_FOUND : AIMG_OK);
    REQUIRE(aimg_reader_read(source, from, 0, wanted, sizeof wanted, &wanted_bytes, &error) == AIMG_OK);
    EXPECT_EQ_INT(aimg_reader_read(target, to, 0, found, sizeof found, &found_bytes, &error), AIMG_OK);
    if (EXPECT_EQ_UINT(found_bytes, wanted_bytes))
        EXPECT_EQ_BYTES(found, wanted, wanted_bytes);
}

struct pairs {
    char text[1 << 14];
    size_t bytes;
};

static int add_pair(void *user, const char *key, const char *value, size_t value_bytes)
{
    struct pairs *pairs = user;
    int bytes =
        snprintf(pairs->text + pairs->bytes, sizeof pairs->text - pairs->bytes, "%s=%.*s\n", key, (int)value_bytes, value);
    pairs->bytes += (size_t)bytes;
    return pairs->bytes >= sizeof pairs->text;
}

static void check_meta(const struct aimg_reader *source, const struct aimg_reader *target)
{
    static struct pairs wanted, found;
    wanted = found = (struct pairs){.bytes = 0};
    REQUIRE(aimg_reader_each_meta(source, add_pair, &wanted, &error) == AIMG_OK);
    EXPECT_EQ_INT(aimg_reader_each_meta(target, add_pair, &found, &error), AIMG_OK);
    EXPECT_EQ_TEXT(found.text, wanted.text);
}

/* Of so many rows: one a level, and a level is eight times as large as the one before. */
static uint64_t most_runs(uint64_t rows)
{
    return rows == 0 ? 0 : 1 + most_runs(rows / 8);
}

static void check_same(const struct aimg_reader *source, const struct aimg_reader *target)
{
    struct aimg_info a = {.struct_bytes = sizeof a}, b = {.struct_bytes = sizeof b};
    REQUIRE(aimg_reader_info(source, &a, &error) == AIMG_OK && aimg_reader_info(target, &b, &error) == AIMG_OK);
    EXPECT_EQ_UINT(b.listed_count, a.listed_count);
    EXPECT_EQ_UINT(b.ordinal_count, a.ordinal_count - a.dead_count);
    EXPECT_EQ_UINT(b.live_stored_bytes, a.live_stored_bytes);
    EXPECT_EQ_UINT(b.column_count, a.column_count);
    EXPECT_EQ_UINT(b.dead_count, 0);
    EXPECT_EQ_UINT(b.sealed, a.sealed);
    EXPECT_EQ_UINT(b.alignment, 8);
    uint64_t most = b.sealed || b.commit_count <= 1 ? 1 : most_runs(b.ordinal_count);
    EXPECT(b.run_count <= most && b.name_run_count <= most);
    check_meta(source, target);
    number_living(source);
    for (uint32_t k = 0; k < a.ordinal_count; k++) {
        if (numbers[k] == AIMG_NO_ORDINAL)
            continue;
        check_image(source, k, target, numbers[k]);
        check_values(source, k, target, numbers[k]);
    }
}

/* Commit by commit: message, time (which a writer does not let run back: rule 33), and those of its images that live now. */
static void check_history(const struct aimg_reader *source, const struct aimg_reader *target, uint64_t commits)
{
    uint32_t first = 0, first_new = 0;
    uint64_t time_ns = 1; /* 0 would be the clock */
    for (uint64_t seq = 0; seq < commits; seq++) {
        struct aimg_commit a, b;
        uint32_t living = 0, attached = 0;
        REQUIRE(aimg_reader_commit(source, seq, &a, &error) == AIMG_OK && aimg_reader_commit(target, seq, &b, &error) == AIMG_OK);
        EXPECT_EQ_TEXT(b.message, a.message);
        time_ns = a.time_ns > time_ns ? a.time_ns : time_ns;
        EXPECT_EQ_UINT(b.time_ns, time_ns);
        for (; first < a.ordinal_count; first++) {
            struct aimg_entry entry;
            if (numbers[first] == AIMG_NO_ORDINAL)
                continue;
            REQUIRE(aimg_reader_entry(source, first, &entry, &error) == AIMG_OK);
            attached += entry.attachment != 0;
            living++;
        }
        EXPECT(b.added == living - attached && b.attached == attached && b.removed == 0 && b.detached == 0);
        EXPECT_EQ_UINT(b.ordinal_count, first_new + living);
        first_new += living;
    }
}

static void check_copy(const char *from, uint32_t flags, uint32_t copy_flags, uint64_t seq)
{
    const char *to = sample_path("copy");
    struct aimg_copy_options options = {.struct_bytes = sizeof options, .flags = copy_flags};
    struct aimg_writer *writer = create(to, AIMG_WRITER_NO_SYNC);
    struct aimg_reader *source = open_reader(from, flags, seq), *target;
    struct aimg_info a = {.struct_bytes = sizeof a}, b = {.struct_bytes = sizeof b};
    enum aimg_status status = aimg_writer_copy(writer, source, &options, &error);
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    REQUIRE(aimg_reader_info(source, &a, &error) == AIMG_OK);
    if ((a.ro_compat & ~UINT64_C(3)) != 0) { /* something that it can read past but does not know */
        EXPECT_EQ_INT(status, AIMG_UNSUPPORTED);
        aimg_reader_close(source);
        return;
    }
    EXPECT_EQ_INT(status, AIMG_OK);
    target = open_reader(to, 0, 0);
    check_same(source, target);
    REQUIRE(aimg_reader_info(target, &b, &error) == AIMG_OK);
    bool one = copy_flags == AIMG_COPY_DROP_HISTORY && a.commit_count > 0;
    EXPECT_EQ_UINT(b.commit_count, one ? 1 : a.commit_count);
    if (!one)
        check_history(source, target, a.commit_count);
    aimg_reader_close(source);
    aimg_reader_close(target);
    EXPECT_EQ_INT(counting.live, 0);
    check_verifies(to);
}

/* What only dead images had is gone: their texts; what helps to find content is there where it was. */
static void check_rest(const char *from, bool indexed)
{
    struct aimg_reader *source = open_reader(from, 0, 0), *target = open_reader(sample_path("copy"), 0, 0);
    struct aimg_column a, b;
    struct aimg_info info = {.struct_bytes = sizeof info};
    REQUIRE(aimg_reader_column_find(source, "label", &a, &error) == AIMG_OK);
    REQUIRE(aimg_reader_column_find(target, "label", &b, &error) == AIMG_OK);
    EXPECT(b.dictionary_count > 60 && b.dictionary_count < a.dictionary_count);
    REQUIRE(aimg_reader_info(target, &info, &error) == AIMG_OK);
    EXPECT_EQ_UINT(info.ro_compat, indexed ? 3 : 1); /* columns, and content */
    aimg_reader_close(source);
    aimg_reader_close(target);
}

/* Options that it does not know are refused, and then nothing has begun. */
static void check_options(const char *from)
{
    struct aimg_copy_options options = {.struct_bytes = sizeof options, .reserved = 1};
    struct aimg_reader *source = open_reader(from, 0, 0);
    struct aimg_writer *writer = create(sample_path("copy"), AIMG_WRITER_NO_SYNC);
    EXPECT_EQ_INT(aimg_writer_copy(writer, source, &options, &error), AIMG_INVALID_ARGUMENT);
    options = (struct aimg_copy_options){.struct_bytes = sizeof options, .flags = 2};
    EXPECT_EQ_INT(aimg_writer_copy(writer, source, &options, &error), AIMG_INVALID_ARGUMENT);
    options = (struct aimg_copy_options){.struct_bytes = sizeof options - 8};
    EXPECT_EQ_INT(aimg_writer_copy(writer, source, &options, &error), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_writer_copy(writer, source, NULL, &error), AIMG_OK);
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    aimg_reader_close(source);
}

static void check_whole(void)
{
    char from[512];
    snprintf(from, sizeof from, "%s", sample_path("source"));
    for (unsigned compress = AIMG_COMPRESS_STORE; compress <= AIMG_COMPRESS_ZSTD; compress++) {
        write_source(from, compress);
        check_verifies(from);
        check_set_later(from);
        check_copy(from, 0, 0, 0);
        check_rest(from, compress == AIMG_COMPRESS_ZSTD);
        check_copy(from, 0, AIMG_COPY_DROP_HISTORY, 0);
        check_rest(from, compress == AIMG_COMPRESS_ZSTD);
        for (uint64_t seq = 0; seq < COMMITS; seq++)
            check_copy(from, AIMG_READER_AT, 0, seq);
    }
    check_options(from);
}

/* With images that are the same but for their ends: there is something to learn. */
static void train(struct aimg_writer *writer)
{
    enum { SAMPLES = 64, SAME = 700, BYTES = 900 };
    static uint8_t data[SAMPLES][BYTES];
    static struct aimg_sample samples[SAMPLES];
    uint64_t random = 5;
    random_fill(&random, data[0], SAME);
    for (size_t i = 0; i < SAMPLES; i++) {
        memcpy(data[i], data[0], SAME);
        random_fill(&random, data[i] + SAME, BYTES - SAME);
        samples[i] = (struct aimg_sample){.data = data[i], .bytes = BYTES};
    }
    REQUIRE(aimg_writer_train(writer, samples, SAMPLES, 1000000, &error) == AIMG_OK);
}

/* What a writer has of its own would be mixed with what is copied: it is told, and goes on. */
static void check_begun(void)
{
    struct aimg_copy_options at_once = {.struct_bytes = sizeof at_once, .flags = AIMG_COPY_DROP_HISTORY};
    struct aimg_reader *source = open_reader(sample_path("source"), 0, 0), *target;
    struct aimg_writer_options compressing = sample_writer_options();
    struct aimg_writer *writer = create(sample_path("begun"), 0);
    REQUIRE(aimg_writer_set_meta(writer, "licence", "CC0", &error) == AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_copy(writer, source, NULL, &error), AIMG_SEQUENCE);
    REQUIRE(aimg_writer_set_meta(writer, "licence", NULL, &error) == AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_copy(writer, source, &at_once, &error), AIMG_OK);
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    target = open_reader(sample_path("begun"), 0, 0);
    check_same(source, target);
    aimg_reader_close(target);
    compressing.compress = AIMG_COMPRESS_AUTO;
    (void)unlink(sample_path("begun"));
    REQUIRE(aimg_writer_create(sample_path("begun"), &compressing, &writer, &error) == AIMG_OK);
    train(writer);
    EXPECT_EQ_INT(aimg_writer_copy(writer, source, NULL, &error), AIMG_SEQUENCE);
    EXPECT_EQ_INT(sample_add(writer, "alone", 1, 0, NULL, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    aimg_reader_close(source);
    check_verifies(sample_path("begun"));
}

/* Every archive that a reader must take: what other writers may write. */
static void check_vectors(void)
{
    DIR *all = opendir(VECTORS "/good");
    unsigned count = 0;
    REQUIRE(all != NULL);
    for (struct dirent *entry; (entry = readdir(all)) != NULL;) {
        char path[512];
        if (strstr(entry->d_name, ".aimg") == NULL)
            continue;
        snprintf(path, sizeof path, "%s/%s", VECTORS "/good", entry->d_name);
        test_state.subject = entry->d_name;
        check_copy(path, 0, 0, 0);
        check_copy(path, 0, AIMG_COPY_DROP_HISTORY, 0);
        test_state.subject = NULL;
        count++;
    }
    closedir(all);
    EXPECT(count > 40);
}

int main(void)
{
    check_whole();
    check_begun();
    check_vectors();
    return test_end("test_copy");
}
