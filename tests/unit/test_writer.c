/* SPDX-License-Identifier: Apache-2.0 */
/* A writer and its archive against a list in memory: images come, are replaced and removed at random, batches are committed or
 * dropped, content is seen again, and the runs and tables of names and of content that a batch writes before its commit come so
 * early that there are many. */
#include "random.h"
#include "sample.h"
#include "test.h"
#include "writer.h"

enum { NAMES = 60, MOST_ORDINALS = 4000 };

struct model_image {
    uint32_t content;
    uint16_t name; /* number of the name; NAMES: none */
    bool dead, attached, alias;
};

struct model {
    struct model_image images[MOST_ORDINALS];
    uint32_t count;
    uint32_t by_name[NAMES]; /* ordinal + 1 of the image that has it, or 0 */
};

static struct model committed, working;
static struct aimg_writer *writer;
static struct aimg_error error;
static const char *path;
static uint64_t random_state;
static uint32_t session_first; /* ordinals from this on were added with the handle that is open */

static uint64_t dice(uint64_t sides)
{
    return random_below(&random_state, sides);
}

static const char *name_of(unsigned number)
{
    static char name[32];
    snprintf(name, sizeof name, "%s%u.png", number % 3 == 0 ? "cats/" : "", number);
    return name;
}

/* ------------------------------------------------------------------ what is done */

/* Whether the bytes were seen before, where the writer looks; dead images count. */
static bool seen(uint32_t content)
{
    static uint8_t bytes[SAMPLE_MAX_BYTES], other[SAMPLE_MAX_BYTES];
    size_t count = sample_fill(content, bytes);
    bool everywhere = writer->dedup == AIMG_DEDUP_ALL || writer->base->catalog.content_count > 0;
    if (writer->dedup == AIMG_DEDUP_NONE || count <= 8)
        return false;
    for (uint32_t i = everywhere ? 0 : session_first; i < working.count; i++)
        if (!working.images[i].alias && sample_fill(working.images[i].content, other) == count &&
            memcmp(bytes, other, count) == 0)
            return true;
    return false;
}

static void record(uint32_t content, unsigned name, bool attached)
{
    working.images[working.count] = (struct model_image){content, (uint16_t)name, false, attached, seen(content)};
    working.count++;
}

static void add(uint32_t flags)
{
    unsigned name = (unsigned)dice(NAMES);
    uint32_t content = (uint32_t)dice(500), ordinal = 77;
    bool taken = working.by_name[name] != 0, replace = (flags & AIMG_ADD_REPLACE) != 0;
    enum aimg_status status = sample_add(writer, name_of(name), content, flags, &ordinal, &error);
    EXPECT_EQ_INT(status, taken && !replace ? AIMG_EXISTS : AIMG_OK);
    if (status != AIMG_OK)
        return;
    EXPECT_EQ_UINT(ordinal, working.count);
    if (taken)
        working.images[working.by_name[name] - 1].dead = true;
    record(content, name, (flags & AIMG_ADD_ATTACHMENT) != 0);
    working.by_name[name] = working.count;
}

static void add_nameless(void)
{
    uint32_t content = (uint32_t)dice(500), ordinal = 77;
    EXPECT_EQ_INT(sample_add(writer, "", content, AIMG_ADD_ATTACHMENT, &ordinal, &error), AIMG_OK);
    EXPECT_EQ_UINT(ordinal, working.count);
    record(content, NAMES, true);
}

static void remove_some(void)
{
    uint32_t ordinal = (uint32_t)dice(working.count + 2);
    bool there = ordinal < working.count && !working.images[ordinal].dead;
    EXPECT_EQ_INT(aimg_writer_remove(writer, ordinal, &error), there ? AIMG_OK : AIMG_NOT_FOUND);
    if (!there)
        return;
    working.images[ordinal].dead = true;
    if (working.images[ordinal].name < NAMES)
        working.by_name[working.images[ordinal].name] = 0;
}

static void find_one(void)
{
    unsigned name = (unsigned)dice(NAMES);
    uint32_t ordinal = 0;
    enum aimg_status status = aimg_writer_find(writer, name_of(name), strlen(name_of(name)), &ordinal, &error);
    EXPECT_EQ_INT(status, working.by_name[name] == 0 ? AIMG_NOT_FOUND : AIMG_OK);
    if (status == AIMG_OK)
        EXPECT_EQ_UINT(ordinal + 1, working.by_name[name]);
}

/* ------------------------------------------------------------------ what must be there */

static void check_reader(const struct aimg_reader *reader)
{
    uint64_t position = 0, stored = 0;
    char name[1025];
    uint32_t ordinal;
    EXPECT_EQ_UINT(aimg_reader_ordinal_count(reader), committed.count);
    for (uint32_t i = 0; i < committed.count; i++) {
        const struct model_image *image = &committed.images[i];
        uint64_t found = 0;
        struct aimg_entry entry;
        bool listed = !image->dead && !image->attached;
        EXPECT_EQ_INT(aimg_reader_position_of(reader, i, &found, &error), listed ? AIMG_OK : AIMG_NOT_FOUND);
        EXPECT_EQ_INT(aimg_reader_entry(reader, i, &entry, &error), AIMG_OK);
        EXPECT(entry.dead == image->dead && entry.attachment == image->attached && entry.ordinal == i);
        EXPECT_EQ_INT(entry.alias, image->alias);
        EXPECT_EQ_INT(aimg_reader_name(reader, i, name, sizeof name, NULL, &error), AIMG_OK);
        EXPECT_EQ_TEXT(name, image->name == NAMES ? "" : name_of(image->name));
        if (!image->dead)
            EXPECT(sample_equals(reader, i, image->content));
        stored += image->dead ? 0 : entry.stored_bytes;
        if (!listed)
            continue;
        EXPECT_EQ_UINT(found, position);
        EXPECT(aimg_reader_ordinal_at(reader, position, &ordinal, &error) == AIMG_OK && ordinal == i);
        position++;
    }
    EXPECT_EQ_UINT(aimg_reader_count(reader), position);
    struct aimg_info info = {.struct_bytes = sizeof info};
    EXPECT(aimg_reader_info(reader, &info, &error) == AIMG_OK && info.live_stored_bytes == stored &&
           info.listed_count == position);
    for (unsigned i = 0; i < NAMES; i++) {
        enum aimg_status status = aimg_reader_find(reader, name_of(i), strlen(name_of(i)), &ordinal, &error);
        EXPECT_EQ_INT(status, committed.by_name[i] == 0 ? AIMG_NOT_FOUND : AIMG_OK);
        if (status == AIMG_OK)
            EXPECT_EQ_UINT(ordinal + 1, committed.by_name[i]);
    }
}

static void check_file(void)
{
    struct aimg_reader *reader = NULL;
    if (EXPECT_EQ_INT(aimg_reader_open(path, NULL, &reader, &error), AIMG_OK))
        check_reader(reader);
    else
        fprintf(stderr, "  %s\n", error.message);
    aimg_reader_close(reader);
    EXPECT(sample_verifies(path, 1, 0));
}

/* ------------------------------------------------------------------ the rounds */

/* How an archive is written. */
struct way {
    uint32_t run_rows;
    uint64_t keys_max;
    uint32_t alignment, compress;
};

enum { DEDUP_MIXED = AIMG_DEDUP_ALL + 1 }; /* SESSION or ALL, as it comes */

static void open_again(struct aimg_writer_options *options, const struct way *way, uint32_t dedup)
{
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    working = committed; /* what was not committed is gone */
    if (dedup == DEDUP_MIXED)
        options->dedup = AIMG_DEDUP_SESSION + (uint32_t)dice(2);
    REQUIRE(aimg_writer_open(path, options, &writer, &error) == AIMG_OK);
    session_first = committed.count;
    writer->run_rows = way->run_rows;
    writer->keys_max = way->keys_max;
    uint64_t bytes, images;
    aimg_writer_dropped(writer, &bytes, &images);
    EXPECT(bytes == 0 && images == 0); /* close tidied up */
}

static void one_step(void)
{
    switch (dice(12)) {
    case 0:
    case 1:
    case 2:
    case 3:
        add(0);
        break;
    case 4:
    case 5:
    case 6:
        add(AIMG_ADD_REPLACE);
        break;
    case 7:
        add(dice(2) == 0 ? AIMG_ADD_ATTACHMENT : AIMG_ADD_ATTACHMENT | AIMG_ADD_REPLACE);
        break;
    case 8:
        add_nameless();
        break;
    case 9:
        remove_some();
        break;
    default:
        find_one();
    }
}

static void play(uint64_t seed, const struct way *way, uint32_t dedup)
{
    struct aimg_writer_options options = sample_writer_options();
    char name[32];
    options.alignment = way->alignment;
    options.compress = way->compress;
    options.dedup = dedup == DEDUP_MIXED ? AIMG_DEDUP_SESSION : dedup;
    random_state = seed;
    session_first = 0;
    memset(&committed, 0, sizeof committed);
    working = committed;
    snprintf(name, sizeof name, "play%u.aimg", (unsigned)seed);
    path = sample_path(name);
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    writer->run_rows = way->run_rows;
    writer->keys_max = way->keys_max;
    for (unsigned round = 0; round < 12; round++) {
        for (uint64_t steps = dice(round % 4 == 3 ? 3 : 150); steps > 0 && working.count + 2 < MOST_ORDINALS; steps--)
            one_step();
        uint64_t images, bytes;
        aimg_writer_pending(writer, &images, &bytes);
        EXPECT_EQ_UINT(images, working.count - committed.count);
        if (dice(4) == 0) {
            open_again(&options, way, dedup);
            continue;
        }
        EXPECT_EQ_INT(aimg_writer_commit(writer, round % 2 == 0 ? "m" : NULL, &error), AIMG_OK);
        committed = working;
        check_reader(aimg_writer_base(writer));
        check_file();
    }
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    check_file();
    (void)unlink(path);
}

int main(void)
{
    static const struct way ways[] = {
        {AIMG_RUN_ROWS, AIMG_KEYS_MAX, 8, AIMG_COMPRESS_STORE},
        {7, AIMG_KEYS_MAX, 64, AIMG_COMPRESS_ZSTD},
        {AIMG_RUN_ROWS, 5, 8, AIMG_COMPRESS_ZSTD},
        {10, 3, 4096, AIMG_COMPRESS_STORE},
        {1, 1000, 16, AIMG_COMPRESS_STORE},
        {5, 20, 8, AIMG_COMPRESS_ZSTD},
    };
    for (uint64_t i = 0; i < 36; i++)
        play(i + 1, &ways[i % 6], (uint32_t)(i / 6 % 4));
    return test_end("test_writer");
}
