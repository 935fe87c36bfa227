/* SPDX-License-Identifier: Apache-2.0 */
/* A content index that somebody else wrote, that lies, or that is damaged; memory that stays bounded; as many tables as there can
 * be. */
#include "counting.h"
#include "sample.h"
#include "test.h"
#include "writer.h"

static struct aimg_writer *writer;
static struct aimg_error error;

static void open_writer(const char *path, uint32_t dedup, bool fresh)
{
    struct aimg_writer_options options = sample_writer_options();
    options.dedup = dedup;
    options.flags = 0; /* with hints, or all frames would be read when it is opened */
    if (fresh)
        (void)unlink(path);
    enum aimg_status status = (fresh ? aimg_writer_create : aimg_writer_open)(path, &options, &writer, &error);
    if (status != AIMG_OK)
        fprintf(stderr, "  %s\n", error.message);
    REQUIRE(status == AIMG_OK);
}

static void commit_and_close(void)
{
    if (!EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK))
        fprintf(stderr, "  %s\n", error.message);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
}

/* Whether it became an alias. */
static bool add(const char *name, uint32_t content)
{
    uint64_t before = writer->twin_images;
    if (!EXPECT_EQ_INT(sample_add(writer, name, content, 0, NULL, &error), AIMG_OK))
        fprintf(stderr, "  %s\n", error.message);
    return writer->twin_images > before;
}

static uint32_t content_hash(uint32_t content)
{
    static uint8_t data[SAMPLE_MAX_BYTES];
    uint8_t hash[AIMG_HASH_BYTES];
    size_t bytes = sample_fill(content, data);
    aimg_hash_store(hash, aimg_hash(data, bytes));
    return aimg_content_hash32(hash);
}

struct counted {
    uint64_t rule_67, others;
};

static void count_finding(void *user, const struct aimg_finding *finding)
{
    struct counted *counted = user;
    counted->rule_67 += finding->rule == 67;
    counted->others += finding->rule != 67;
}

static struct counted verify(const char *path)
{
    struct counted counted = {0, 0};
    struct aimg_verify_options options = {
        .struct_bytes = sizeof options, .threads = 1, .finding = count_finding, .user = &counted};
    struct aimg_verify_result result = {.faults = 1};
    EXPECT_EQ_INT(aimg_verify(path, &options, &result, &error), AIMG_OK);
    return counted;
}

/* ------------------------------------------------------------------ an index that lies */

static enum aimg_status nobody_is_dead(void *user, uint32_t ordinal, bool *dead_out, struct aimg_error *why)
{
    (void)user;
    (void)ordinal;
    (void)why;
    *dead_out = false;
    return AIMG_OK;
}

/* A table of these slots becomes part of the batch, as another program may write it. */
static void plant_table(const uint32_t (*slots)[2], uint32_t count)
{
    struct aimg_keys keys = {.allocator = writer->allocator, .kind = &aimg_content_slots};
    struct aimg_part part;
    for (uint32_t i = 0; i < count; i++)
        REQUIRE(aimg_keys_add_content(&keys, slots[i][0], slots[i][1]));
    REQUIRE(aimg_keys_write(&keys, &writer->base->source, NULL, 0, nobody_is_dead, NULL, &writer->out, &part, &error) == AIMG_OK);
    REQUIRE(aimg_writer_add_part(writer, &part, &error) == AIMG_OK);
    writer->ro_compat |= AIMG_RO_COMPAT_CONTENT;
    aimg_keys_release(&keys);
}

static void check_lies(void)
{
    const char *path = sample_path("lies");
    uint32_t wanted = content_hash(51), other = content_hash(53);
    /* Ordinals: 0 content 51, later dead; 1 its alias; 2 content 53; 3 dead, content 55; 4 content 73; 5 its alias. */
    const uint32_t slots[][2] = {{wanted, UINT32_MAX - 1},
                                 {wanted, 6},
                                 {wanted, 77},
                                 {wanted, 1},
                                 {wanted, 2},
                                 {wanted, 3},
                                 {wanted, 0},
                                 {other, 0},
                                 {other, 1},
                                 {other, 900},
                                 {content_hash(73), 5},
                                 {other + 1, 5000000},
                                 {other + 2, 2},
                                 {0, 0},
                                 {7, 1},
                                 {UINT32_MAX, 3}};
    open_writer(path, AIMG_DEDUP_SESSION, true);
    EXPECT(!add("51", 51) && add("51 too", 51) && !add("53", 53) && !add("55", 55));
    EXPECT(!add("73", 73) && add("73 too", 73));
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    EXPECT(aimg_writer_remove(writer, 0, &error) == AIMG_OK && aimg_writer_remove(writer, 3, &error) == AIMG_OK);
    plant_table(slots, sizeof slots / sizeof slots[0]);
    commit_and_close();
    EXPECT(verify(path).rule_67 > 5);
    open_writer(path, AIMG_DEDUP_ALL, false);
    EXPECT(add("51 again", 51));                          /* of many candidates the one that has the bytes */
    EXPECT(!add("53 again", 53));                         /* which nobody says where to find */
    EXPECT(add("53 at last", 53));                        /* the new one is found */
    EXPECT(!add("55 again", 55) && !add("73 again", 73)); /* nobody is an alias of an alias */
    EXPECT(!add("57", 57) && !add("59", 59) && !add("61", 61) && !add("65", 65) && !add("67", 67) &&
           !add("71", 71)); /* enough to be merged with it */
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    const struct aimg_reader *base = aimg_writer_base(writer);
    EXPECT(sample_equals(base, 1, 51) && sample_equals(base, 6, 51) && sample_equals(base, 7, 53) && sample_equals(base, 8, 53) &&
           sample_equals(base, 9, 55) && sample_equals(base, 10, 73));
    EXPECT_EQ_UINT(base->catalog.content_count, 1); /* merged, without the slots of nobody */
    commit_and_close();
    struct counted counted = verify(path);
    EXPECT(counted.rule_67 > 0 && counted.others == 0);
}

/* ------------------------------------------------------------------ a damaged one */

static void check_damage(void)
{
    const char *path = sample_path("damaged");
    open_writer(path, AIMG_DEDUP_ALL, true);
    EXPECT(!add("51", 51) && !add("53", 53) && !add("55", 55));
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    const struct aimg_catalog *catalog = &writer->base->catalog;
    REQUIRE(catalog->content_count == 1);
    uint64_t slots = catalog->tables[catalog->content_first].payload;
    sample_flip(path, slots + 5, 1); /* of an ordinal, or of an empty slot */
    EXPECT(!add("57", 57));
    commit_and_close(); /* damage gets no good checksum: it is left out */
    sample_flip(path, slots + 5, 1);
    open_writer(path, AIMG_DEDUP_ALL, false);
    EXPECT_EQ_UINT(writer->base->catalog.tables[writer->base->catalog.content_first].part.count, 1);
    EXPECT(add("57 again", 57) && !add("51 again", 51) && add("51 once more", 51));
    commit_and_close();
    EXPECT(sample_verifies(path, 1, 0));
}

/* Bytes that rotted are nobody's twin, nor are images whose entries did when an index is made. */
static void check_damaged_images(void)
{
    const char *path = sample_path("rotten");
    struct aimg_entry entry;
    open_writer(path, AIMG_DEDUP_ALL, true);
    EXPECT(!add("51", 51) && !add("53", 53));
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    REQUIRE(aimg_reader_entry(writer->base, 0, &entry, &error) == AIMG_OK);
    sample_flip(path, entry.data_offset, 1);
    EXPECT(!add("51 again", 51));
    sample_flip(path, entry.data_offset, 1);
    sample_flip(path, entry.frame_offset + 9, 1);                /* of the salt, which the entry does not know */
    EXPECT(add("51 once more", 51) && writer->twin_images == 1); /* the second copy is whole */
    sample_flip(path, entry.frame_offset + 9, 1);
    commit_and_close();
    EXPECT(sample_verifies(path, 1, 0));
    open_writer(path, AIMG_DEDUP_NONE, true);
    EXPECT(!add("51", 51) && !add("53", 53));
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    uint64_t hash_offset = writer->base->catalog.runs[0].entries_offset + 16;
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    sample_flip(path, hash_offset, 1);
    open_writer(path, AIMG_DEDUP_ALL, false);
    EXPECT(!add("51 again", 51) && add("51 once more", 51));
    commit_and_close();
    sample_flip(path, hash_offset, 1);
    EXPECT(sample_verifies(path, 1, 0));
}

/* ------------------------------------------------------------------ bounds */

/* Images of 100 bytes. */
static bool add_number(uint32_t number, uint32_t same_as)
{
    uint8_t data[100] = {0};
    char name[24];
    struct aimg_image image = {.struct_bytes = sizeof image, .name = name, .data = data, .data_bytes = sizeof data};
    uint64_t before = writer->twin_images;
    memcpy(data + 40, &same_as, sizeof same_as);
    image.name_bytes = (size_t)snprintf(name, sizeof name, "%u", number);
    EXPECT_EQ_INT(aimg_writer_add(writer, &image, NULL, &error), AIMG_OK);
    return writer->twin_images > before;
}

/* With an index memory does not grow with the archive, not even where it is made for what is there; and nothing is forgotten. */
static void check_bounded(uint32_t dedup_before)
{
    enum { IMAGES = 30000, WAITING = 1000 };
    static struct counting counting;
    const char *path = sample_path("bounded");
    struct aimg_writer_options options = sample_writer_options();
    options.dedup = dedup_before;
    (void)unlink(path);
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    for (uint32_t i = 0; i < IMAGES / 2; i++)
        EXPECT(!add_number(i, i));
    commit_and_close();
    options.dedup = AIMG_DEDUP_ALL;
    options.allocator = counting_allocator(&counting);
    REQUIRE(aimg_writer_open(path, &options, &writer, &error) == AIMG_OK);
    writer->keys_max = WAITING;
    EXPECT(add_number(IMAGES, 7));
    EXPECT(writer->content.spilled_count == (dedup_before == AIMG_DEDUP_ALL ? 0 : IMAGES / 2 / WAITING));
    for (uint32_t i = IMAGES / 2; i < IMAGES; i++) {
        EXPECT(!add_number(i, i));
        REQUIRE(writer->seen.count <= WAITING && aimg_keys_count(&writer->content.keys) <= WAITING);
        if (i % 997 == 0)
            EXPECT(add_number(IMAGES + i, i - i / 3));
        if (i % 4001 == 0)
            EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    }
    for (uint32_t i = 0; i < IMAGES; i += 77)
        EXPECT(add_number(3 * IMAGES + i, i));
    commit_and_close();
    EXPECT_EQ_INT(counting.live, 0);
    EXPECT(sample_verifies(path, 1, 0));
}

/* In an archive that this handle began, what was seen is in memory: no table is looked into. */
static void check_elsewhere(void)
{
    const char *path = sample_path("elsewhere");
    open_writer(path, AIMG_DEDUP_ALL, true);
    EXPECT(!add_number(0, 0) && aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    EXPECT(!writer->content_elsewhere && writer->base->catalog.content_count == 1 && add_number(1, 0));
    commit_and_close();
    open_writer(path, AIMG_DEDUP_ALL, false);
    EXPECT(writer->content_elsewhere && add_number(2, 0));
    commit_and_close();
    EXPECT(sample_verifies(path, 1, 0));
}

/* As many tables as an archive can have, each too large to be merged with one more image; then they all become one. */
static void check_many_tables(void)
{
    const char *path = sample_path("tables");
    open_writer(path, AIMG_DEDUP_ALL, true);
    writer->keys_max = 8;
    for (uint32_t i = 0; i < 8 * AIMG_NAME_RUN_MAX; i++)
        EXPECT(!add_number(i, i));
    EXPECT_EQ_UINT(writer->content.spilled_count, AIMG_NAME_RUN_MAX);
    for (uint32_t i = 0; i < writer->content.spilled_count; i++)
        REQUIRE(aimg_writer_add_part(writer, &writer->content.spilled[i].part, &error) == AIMG_OK);
    aimg_index_release(writer, &writer->content);
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    EXPECT_EQ_UINT(writer->base->catalog.content_count, AIMG_NAME_RUN_MAX);
    EXPECT(add_number(5000, 3) && !add_number(5001, 5001) && add_number(5002, 500));
    EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    EXPECT_EQ_UINT(writer->base->catalog.content_count, 1);
    for (uint32_t i = 0; i < 8 * AIMG_NAME_RUN_MAX; i++)
        EXPECT(add_number(6000 + i, i));
    commit_and_close();
    EXPECT(sample_verifies(path, 1, 0));
}

/* Everything in one table, on demand. */
static void check_seal(void)
{
    const char *path = sample_path("sealed");
    open_writer(path, AIMG_DEDUP_ALL, true);
    for (uint32_t round = 0; round < 3; round++) { /* each a level below the one before */
        for (uint32_t i = 0; i < (round == 0 ? 600u : round == 1 ? 60u : 5u); i++)
            EXPECT(!add_number(1000 * round + i, 1000 * round + i));
        EXPECT_EQ_INT(aimg_writer_commit(writer, NULL, &error), AIMG_OK);
    }
    EXPECT_EQ_UINT(writer->base->catalog.content_count, 3);
    EXPECT_EQ_INT(aimg_writer_publish_content(writer, true, &error), AIMG_OK);
    EXPECT_EQ_INT(aimg_writer_commit(writer, "sealed", &error), AIMG_OK);
    EXPECT_EQ_UINT(writer->base->catalog.content_count, 1);
    EXPECT(add_number(9000, 5) && add_number(9001, 1005) && add_number(9002, 2004));
    commit_and_close();
    EXPECT(sample_verifies(path, 1, 0));
}

int main(void)
{
    check_lies();
    check_damage();
    check_damaged_images();
    check_bounded(AIMG_DEDUP_NONE);
    check_bounded(AIMG_DEDUP_ALL);
    check_elsewhere();
    check_many_tables();
    check_seal();
    return test_end("test_writer_dedup");
}
