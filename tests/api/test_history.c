/* SPDX-License-Identifier: Apache-2.0 */
/* What a log counts, what changed since each commit, and that all ways to count images agree after some were removed: against a
 * plain list of what was done. */
#include "random.h"
#include "sample.h"
#include "test.h"

enum { COMMITS = 30, MOST = 4000, STOPPED = 3 };

/* One image: the commits in which it came and went. */
struct image {
    char name[24];
    uint32_t content;
    uint32_t added, removed;
    bool attachment;
};
#define NEVER UINT32_MAX

static struct image images[MOST];
static uint32_t image_count;
static uint32_t added[COMMITS], removed[COMMITS];

static struct aimg_error error;
static struct aimg_writer *writer;
static struct aimg_reader *reader;
static const char *path;

static bool alive_at(uint32_t ordinal, uint32_t commit)
{
    return images[ordinal].added <= commit && images[ordinal].removed > commit;
}

/* ------------------------------------------------------------------ the archive */

static void add(uint32_t commit, bool attachment)
{
    struct image *image = &images[image_count];
    uint32_t ordinal = 0;
    REQUIRE(image_count < MOST);
    *image = (struct image){.content = image_count, .added = commit, .removed = NEVER, .attachment = attachment};
    snprintf(image->name, sizeof image->name, "%u/%u.jpg", commit, image_count);
    EXPECT_EQ_INT(sample_add(writer, image->name, image->content, attachment ? AIMG_ADD_ATTACHMENT : 0, &ordinal, &error),
                  AIMG_OK);
    EXPECT_EQ_UINT(ordinal, image_count);
    image_count++;
    added[commit]++;
}

/* An image that is there, or none. */
static uint32_t choose(uint64_t *random)
{
    uint32_t ordinal = image_count == 0 ? 0 : (uint32_t)random_below(random, image_count);
    for (uint32_t i = 0; i < image_count; i++, ordinal = (ordinal + 1) % image_count)
        if (images[ordinal].removed == NEVER)
            return ordinal;
    return AIMG_NO_ORDINAL;
}

static void take_away(uint32_t commit, uint32_t ordinal)
{
    EXPECT_EQ_INT(aimg_writer_remove(writer, ordinal, &error), AIMG_OK);
    images[ordinal].removed = commit;
    removed[commit]++;
}

static void rename_one(uint32_t commit, uint32_t ordinal)
{
    struct image *image = &images[image_count];
    uint32_t renamed = 0;
    *image = images[ordinal];
    image->added = commit;
    snprintf(image->name, sizeof image->name, "named/%u", image_count);
    EXPECT_EQ_INT(aimg_writer_rename(writer, ordinal, image->name, strlen(image->name), &renamed, &error), AIMG_OK);
    EXPECT_EQ_UINT(renamed, image_count);
    images[ordinal].removed = commit;
    image_count++;
    added[commit]++;
    removed[commit]++;
}

static void fill_commit(uint32_t commit, uint64_t *random)
{
    uint64_t count = commit % 4 == 3 ? 0 : 20 + random_below(random, 100);
    for (uint64_t i = 0; i < count; i++)
        add(commit, random_below(random, 9) == 0);
    count = commit % 5 == 4 ? 0 : random_below(random, 30); /* of this commit too */
    for (uint64_t i = 0; i < count; i++) {
        uint32_t ordinal = choose(random);
        if (ordinal != AIMG_NO_ORDINAL && random_below(random, 6) == 0)
            rename_one(commit, ordinal);
        else if (ordinal != AIMG_NO_ORDINAL)
            take_away(commit, ordinal);
    }
}

static void make(void)
{
    struct aimg_writer_options options = sample_writer_options();
    uint64_t random = 5;
    path = sample_path("history.aimg");
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    for (uint32_t commit = 0; commit < COMMITS; commit++) {
        fill_commit(commit, &random);
        EXPECT_EQ_INT(aimg_writer_commit(writer, commit % 2 == 0 ? "even" : "", &error), AIMG_OK);
    }
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
    struct aimg_verify_result result = {.faults = 1};
    EXPECT(aimg_verify(path, NULL, &result, &error) == AIMG_OK && result.faults == 0);
}

static void open_at(uint32_t commit, uint32_t flags)
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .flags = AIMG_READER_AT | flags, .seq = commit};
    REQUIRE(aimg_reader_open(path, &options, &reader, &error) == AIMG_OK);
}

/* ------------------------------------------------------------------ the log */

static uint64_t attachments_at(uint32_t commit)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < image_count; i++)
        count += images[i].attachment && alive_at(i, commit);
    return count;
}

static void check_counts(const struct aimg_commit *commit, uint32_t seq)
{
    uint64_t after = attachments_at(seq), before = seq == 0 ? 0 : attachments_at(seq - 1);
    EXPECT_EQ_UINT(commit->seq, seq);
    EXPECT_EQ_UINT(commit->attached, after > before ? after - before : 0);
    EXPECT_EQ_UINT(commit->detached, before > after ? before - after : 0);
    EXPECT_EQ_UINT(commit->added, added[seq] - commit->attached);
    EXPECT_EQ_UINT(commit->removed, removed[seq] - commit->detached);
}

static int see_commit(void *user, const struct aimg_commit *commit)
{
    uint32_t *next = user;
    check_counts(commit, *next);
    return (*next)-- == STOPPED;
}

static void check_log(void)
{
    struct aimg_commit commit;
    for (uint32_t at = STOPPED; at < COMMITS; at += 7) {
        uint32_t next = at;
        open_at(at, 0);
        EXPECT_EQ_INT(aimg_reader_log(reader, see_commit, &next, &error), AIMG_OK);
        EXPECT_EQ_UINT(next, STOPPED - 1);
        for (uint32_t seq = 0; seq <= at; seq++) {
            EXPECT_EQ_INT(aimg_reader_commit(reader, seq, &commit, &error), AIMG_OK);
            check_counts(&commit, seq);
        }
        EXPECT_EQ_INT(aimg_reader_commit(reader, at + 1, &commit, &error), AIMG_NOT_FOUND);
        aimg_reader_close(reader);
    }
}

/* ------------------------------------------------------------------ changes */

struct seen {
    uint32_t since, at;
    uint32_t next; /* ordinal from which on there are changes to come */
    uint32_t count, stop_after;
};

/* What is expected of an ordinal; 0: nothing. */
static uint32_t change_of(const struct seen *seen, uint32_t ordinal)
{
    bool then = alive_at(ordinal, seen->since), now = alive_at(ordinal, seen->at);
    return then == now ? 0 : now ? AIMG_CHANGE_ADDED : AIMG_CHANGE_REMOVED;
}

static int see_change(void *user, const struct aimg_change *change)
{
    struct seen *seen = user;
    for (; seen->next < change->ordinal; seen->next++)
        EXPECT_EQ_UINT(change_of(seen, seen->next), 0);
    EXPECT_EQ_UINT(seen->next, change->ordinal);
    EXPECT_EQ_UINT(change_of(seen, change->ordinal), change->kind);
    seen->next = change->ordinal + 1;
    return ++seen->count == seen->stop_after;
}

static void check_changes(uint32_t flags)
{
    for (uint32_t at = 0; at < COMMITS; at += at % 3 + 1) {
        open_at(at, flags);
        for (uint32_t since = 0; since <= at; since++) {
            struct seen seen = {.since = since, .at = at};
            EXPECT_EQ_INT(aimg_reader_changes(reader, since, see_change, &seen, &error), AIMG_OK);
            for (; seen.next < image_count; seen.next++)
                EXPECT_EQ_UINT(change_of(&seen, seen.next), 0);
            EXPECT(since < at || seen.count == 0);
            for (uint32_t stop = 1; stop < 4 && stop < seen.count; stop++) {
                struct seen some = {.since = since, .at = at, .stop_after = stop};
                EXPECT_EQ_INT(aimg_reader_changes(reader, since, see_change, &some, &error), AIMG_OK);
                EXPECT_EQ_UINT(some.count, stop);
            }
        }
        struct seen none = {.count = 0};
        EXPECT_EQ_INT(aimg_reader_changes(reader, at + 1, see_change, &none, &error), AIMG_NOT_FOUND);
        EXPECT_EQ_INT(aimg_reader_changes(reader, UINT64_MAX, see_change, &none, &error), AIMG_NOT_FOUND);
        EXPECT_EQ_INT(aimg_reader_changes(reader, at, NULL, NULL, &error), AIMG_INVALID_ARGUMENT);
        EXPECT_EQ_UINT(none.count, 0);
        aimg_reader_close(reader);
    }
    EXPECT_EQ_INT(aimg_reader_changes(NULL, 0, see_change, NULL, &error), AIMG_INVALID_ARGUMENT);
}

/* An archive without a commit has no past. */
static void check_empty(void)
{
    struct aimg_writer_options options = sample_writer_options();
    struct seen none = {.count = 0};
    const char *empty = sample_path("empty.aimg");
    REQUIRE(aimg_writer_create(empty, &options, &writer, &error) == AIMG_OK);
    EXPECT_EQ_INT(aimg_reader_changes(aimg_writer_base(writer), 0, see_change, &none, &error), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(aimg_writer_close(writer, &error), AIMG_OK);
}

/* ------------------------------------------------------------------ positions */

static void check_position(uint64_t position, uint32_t ordinal, struct aimg_names *names)
{
    struct aimg_listed listed = {.ordinal = AIMG_NO_ORDINAL};
    uint32_t found = AIMG_NO_ORDINAL;
    uint64_t place = UINT64_MAX;
    EXPECT_EQ_INT(aimg_names_next(names, &listed, &error), AIMG_OK);
    EXPECT(listed.position == position && listed.ordinal == ordinal);
    EXPECT_EQ_TEXT(listed.name, images[ordinal].name);
    EXPECT(aimg_reader_ordinal_at(reader, position, &found, &error) == AIMG_OK && found == ordinal);
    EXPECT(aimg_reader_position_of(reader, ordinal, &place, &error) == AIMG_OK && place == position);
    EXPECT(aimg_reader_find(reader, listed.name, listed.name_bytes, &found, &error) == AIMG_OK && found == ordinal);
    EXPECT(sample_equals(reader, ordinal, images[ordinal].content));
}

/* Every way to come to the images of a commit gives the same ones, in the same order, as many. */
static void check_positions(uint32_t commit)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct aimg_names *names = NULL;
    struct aimg_listed listed;
    uint64_t position = 0, dead = 0, place;
    uint32_t ordinal = 0;
    open_at(commit, 0);
    REQUIRE(aimg_names_create(reader, 0, &names, &error) == AIMG_OK);
    for (; ordinal < image_count && images[ordinal].added <= commit; ordinal++) {
        bool alive = alive_at(ordinal, commit);
        dead += !alive;
        if (alive && !images[ordinal].attachment)
            check_position(position++, ordinal, names);
        else
            EXPECT_EQ_INT(aimg_reader_position_of(reader, ordinal, &place, &error), AIMG_NOT_FOUND);
    }
    EXPECT_EQ_INT(aimg_names_next(names, &listed, &error), AIMG_END);
    aimg_names_destroy(names);
    EXPECT_EQ_INT(aimg_reader_ordinal_at(reader, position, &ordinal, &error), AIMG_NOT_FOUND);
    EXPECT_EQ_INT(aimg_reader_info(reader, &info, &error), AIMG_OK);
    EXPECT(info.listed_count == position && aimg_reader_count(reader) == position && info.dead_count == dead);
    aimg_reader_close(reader);
}

int main(void)
{
    make();
    check_log();
    check_changes(0);
    check_changes(AIMG_READER_NO_MAP);
    check_empty();
    for (uint32_t commit = 0; commit < COMMITS; commit += 3)
        check_positions(commit);
    check_positions(COMMITS - 1);
    return test_end("test_history");
}
