/* SPDX-License-Identifier: Apache-2.0 */
/* Damage to what tells the state of the last commit: what is told of it, what is kept of before, and what that costs. */
#include "commit.h"
#include "damaged.h"

enum { MANY = 300 };

/* ------------------------------------------------------------------ values */

/* Groups of all columns are decoded side by side: what is above the limit is lost, and nothing else is. */
static void check_limit(void)
{
    enum { COLUMNS = 8 };
    static char text[1 << 20];
    struct aimg_writer *writer = create();
    struct aimg_value values[COLUMNS];
    struct aimg_image image = {.struct_bytes = sizeof image, .name = "one", .name_bytes = 3, .data = "1", .data_bytes = 1};
    memset(text, 'x', sizeof text);
    for (uint32_t i = 0; i < COLUMNS; i++) {
        char name[16];
        snprintf(name, sizeof name, "text %u", i);
        values[i] = (struct aimg_value){.data = text, .bytes = sizeof text};
        REQUIRE(aimg_writer_column(writer, name, AIMG_TYPE_UTF8, 1, 0, &values[i].column, &error) == AIMG_OK);
    }
    image.values = values;
    image.value_count = COLUMNS;
    REQUIRE(aimg_writer_add(writer, &image, NULL, &error) == AIMG_OK);
    finish(writer);
    limits.index_bytes = COLUMNS / 2 * sizeof text;
    aimg_reader_close(repaired());
    EXPECT(result.images == 1 && result.lost_values > 0 && result.lost_values < COLUMNS);
    limits.index_bytes = 0;
    bytes = sample_load(path, &file_bytes);
    REQUIRE(bytes != NULL);
    aimg_reader_close(repaired());
    EXPECT(result.images == 1 && result.lost_values == 0);
}

/* ------------------------------------------------------------------ what only ROOT and the page tell */

/* Metadata that the last commit removed, and a seal. */
static void check_unknown(unsigned type, bool removed_late, unsigned expected)
{
    struct aimg_writer *writer = create();
    size_t last = 0;
    REQUIRE(aimg_writer_set_meta(writer, "title", "old", &error) == AIMG_OK);
    if (removed_late)
        REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    add(writer, "one", "1", 1);
    if (removed_late)
        REQUIRE(aimg_writer_set_meta(writer, "title", NULL, &error) == AIMG_OK);
    finish(writer);
    for (size_t at = AIMG_HEAD_BYTES; at < file_bytes;) {
        struct aimg_frame frame;
        REQUIRE(aimg_frame_decode(bytes + at, &frame) == 0);
        last = frame.type == type ? at : last;
        at += (size_t)aimg_frame_total_bytes(&frame);
    }
    wipe(last, AIMG_FRAME_BYTES + 200);
    unknown_told = 0;
    struct aimg_reader *reader = repaired();
    EXPECT(result.images == 1 && result.lost_images + result.lost_bytes + result.lost_meta + result.removals == 0);
    EXPECT_EQ_UINT(unknown_told, expected);
    aimg_reader_close(reader);
}

/* ROOT is lost, and the header of an image, which the index knows: nothing is. */
static void check_known_gap(void)
{
    struct aimg_writer *writer = create();
    char name[32];
    for (unsigned i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "image %u", i);
        add(writer, name, name, strlen(name));
    }
    REQUIRE(aimg_writer_remove(writer, 3, &error) == AIMG_OK);
    finish(writer);
    size_t header_bytes = 0, root = frame_at(AIMG_FRAME_ROOT, 0, &header_bytes);
    wipe(root, 200);
    wipe(frame_at(AIMG_FRAME_IMAGE, 5, &header_bytes), AIMG_FRAME_BYTES);
    aimg_reader_close(repaired());
    EXPECT(result.images == 19 && result.lost_images + result.lost_bytes + result.lost_names + result.removals == 0);
}

/* ------------------------------------------------------------------ what would take long */

/* Of a run without entries and names, whose mask is there, those that are lost are told together. */
static void check_lost_together(void)
{
    struct aimg_writer *writer = create();
    size_t header_bytes, at;
    char name[32];
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "image %u", i);
        add(writer, name, name, strlen(name));
    }
    REQUIRE(aimg_writer_remove(writer, MANY / 2, &error) == AIMG_OK);
    finish(writer);
    at = frame_at(AIMG_FRAME_IMAGE, 1, &header_bytes);
    size_t end = frame_at(AIMG_FRAME_NAMES, 0, &header_bytes);
    wipe(at, end - at); /* the images, and RUN with their names */
    images_told = 0;
    aimg_reader_close(repaired());
    EXPECT_EQ_UINT(result.lost_images, MANY - 2);
    EXPECT_EQ_UINT(images_told, 2);
}

/* Each commit says that its ROOT is all of the file: it is not read for each. */
static void check_roots(void)
{
    enum { COMMITS = 150 };
    struct aimg_writer *writer = create();
    struct aimg_frame frame;
    add(writer, "one", "1", 1);
    for (unsigned i = 0; i < COMMITS; i++) {
        REQUIRE(aimg_writer_set_meta(writer, "title", i % 2 == 0 ? "even" : "odd", &error) == AIMG_OK);
        REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    }
    finish(writer);
    for (size_t at = AIMG_HEAD_BYTES; at < file_bytes; at += (size_t)aimg_frame_total_bytes(&frame)) {
        struct aimg_header header;
        struct aimg_commit_page page;
        REQUIRE(aimg_frame_decode(bytes + at, &frame) == 0 && aimg_header_decode(bytes, &header) == 0);
        if (frame.type != AIMG_FRAME_COMMIT)
            continue;
        REQUIRE(aimg_commit_decode(bytes + at, at, &header, &page) == 0);
        page.root_offset = AIMG_HEAD_BYTES;
        page.root_bytes = file_bytes - AIMG_HEAD_BYTES - AIMG_FRAME_BYTES;
        aimg_commit_encode(&page, bytes + at);
    }
    aimg_reader_close(repaired());
    EXPECT_EQ_UINT(result.images, 1);
    EXPECT(read_bytes < 8 * file_bytes);
}

/* ------------------------------------------------------------------ attachments */

static void wipe_last(unsigned type)
{
    size_t last = 0;
    struct aimg_frame frame;
    for (size_t at = AIMG_HEAD_BYTES; at < file_bytes; at += (size_t)aimg_frame_total_bytes(&frame)) {
        if (aimg_frame_decode(bytes + at, &frame) != 0)
            frame = (struct aimg_frame){.header_units = 1}; /* wiped before */
        last = frame.type == type ? at : last;
    }
    wipe(last, AIMG_FRAME_BYTES + 200);
}

/* An attachment, and later a removal; frames tell of neither. A mask that no ROOT names any more still does, also where the
 * entries are lost; without a mask it is told that images may be attachments. */
static void check_attachment(bool removed, bool mask_lost)
{
    enum { IMAGES = 30 };
    struct aimg_writer *writer = create();
    char name[32];
    for (unsigned i = 0; i < IMAGES; i++) {
        struct aimg_image image = {.struct_bytes = sizeof image, .name = name, .data = name, .data_bytes = 8};
        image.name_bytes = (size_t)snprintf(name, sizeof name, "image %02u", i);
        image.flags = i == 7 ? AIMG_ADD_ATTACHMENT : 0;
        REQUIRE(aimg_writer_add(writer, &image, NULL, &error) == AIMG_OK);
    }
    if (removed) {
        REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
        REQUIRE(aimg_writer_remove(writer, 3, &error) == AIMG_OK);
    }
    finish(writer);
    wipe_last(AIMG_FRAME_RUN);
    wipe_last(mask_lost ? AIMG_FRAME_MASK : AIMG_FRAME_ROOT);
    aimg_reader_close(repaired());
    EXPECT_EQ_UINT(result.images + result.attachments, IMAGES - (removed && !mask_lost));
    EXPECT_EQ_UINT(result.attachments, !mask_lost);
    EXPECT_EQ_UINT(result.removals, mask_lost ? IMAGES : 0);
}

/* ------------------------------------------------------------------ what stood elsewhere */

/* Of three sessions, in each of which images were added, the page of the second is damaged, the index of the first, and the
 * header of its first image: the page of the first still tells the salt of its batch, although no chain leads there. */
static void check_broken_chain(bool hinted)
{
    enum { IMAGES = 200, SESSIONS = 3 };
    struct aimg_writer *writer = create();
    char name[32];
    size_t header_bytes, page = 0, seen = 0;
    for (unsigned i = 0; i < IMAGES + SESSIONS - 1; i++) {
        if (i >= IMAGES) {
            REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK && aimg_writer_close(writer, &error) == AIMG_OK);
            REQUIRE(aimg_writer_open(path, NULL, &writer, &error) == AIMG_OK);
        }
        snprintf(name, sizeof name, "image %u", i);
        add(writer, name, name, strlen(name));
    }
    finish(writer);
    for (size_t at = AIMG_HEAD_BYTES; at < file_bytes && seen < 2;) {
        struct aimg_frame frame;
        REQUIRE(aimg_frame_decode(bytes + at, &frame) == 0);
        page = at;
        seen += frame.type == AIMG_FRAME_COMMIT;
        at += (size_t)aimg_frame_total_bytes(&frame);
    }
    size_t run = frame_at(AIMG_FRAME_RUN, 0, &header_bytes), image = frame_at(AIMG_FRAME_IMAGE, 0, &header_bytes);
    wipe(run, 4000);
    wipe(image, AIMG_FRAME_BYTES);
    wipe(page + 64, 8);
    if (!hinted)
        memset(bytes + AIMG_HEADER_BYTES, 0, 2 * AIMG_HINT_BYTES);
    aimg_reader_close(repaired());
    EXPECT_EQ_UINT(result.images, IMAGES + SESSIONS - 2);
    EXPECT_EQ_UINT(result.lost_images, 1);
}

enum change { CHANGE_VALUE, CHANGE_META, CHANGE_REMOVAL, CHANGES };

/* An archive with two commits of one kind, from one session or from two; returns where the last batch begins. */
static size_t make_changes(enum change change, bool sessions)
{
    struct aimg_writer *writer = create();
    size_t last = 0, before = 0;
    uint32_t column;
    REQUIRE(aimg_writer_column(writer, "number", AIMG_TYPE_I64, 1, 0, &column, &error) == AIMG_OK);
    for (unsigned i = 0; i < 9; i++)
        add(writer, (const char[]){(char)('a' + i), 0}, &i, sizeof i);
    for (int64_t i = 0; i < 3; i++) {
        struct aimg_value value = {.column = column, .data = &i, .bytes = sizeof i};
        REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
        if (sessions) {
            REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
            REQUIRE(aimg_writer_open(path, NULL, &writer, &error) == AIMG_OK);
        }
        if (change == CHANGE_VALUE)
            REQUIRE(aimg_writer_set(writer, 4, &value, &error) == AIMG_OK);
        else if (change == CHANGE_META)
            REQUIRE(aimg_writer_set_meta(writer, "title", i == 2 ? "new" : "old", &error) == AIMG_OK);
        else
            REQUIRE(aimg_writer_remove(writer, (uint32_t)i, &error) == AIMG_OK);
    }
    finish(writer);
    for (size_t at = AIMG_HEAD_BYTES; at < file_bytes;) {
        struct aimg_frame frame;
        REQUIRE(aimg_frame_decode(bytes + at, &frame) == 0);
        at += (size_t)aimg_frame_total_bytes(&frame);
        if (frame.type == AIMG_FRAME_COMMIT) {
            before = last;
            last = at;
        }
    }
    return before;
}

static int title_is_new(void *user, const char *key, const char *value, size_t value_bytes)
{
    (void)key;
    *(bool *)user = value_bytes == 3 && memcmp(value, "new", 3) == 0;
    return 0;
}

static bool is_changed(const struct aimg_reader *reader, enum change change)
{
    bool new = false;
    int64_t value = 0;
    size_t value_bytes;
    int null;
    if (change == CHANGE_REMOVAL)
        return aimg_reader_count(reader) == 6;
    if (change == CHANGE_META)
        return aimg_reader_each_meta(reader, title_is_new, &new, &error) == AIMG_OK && new;
    return aimg_reader_value(reader, 0, 4, &value, sizeof value, &value_bytes, &null, &error) == AIMG_OK && value == 2;
}

/* The first sector of the last batch is a copy of another one: frames with right checks stand there, and where its ROOT was. What
 * the commit changed is there, or it is told that it may not be. */
static void check_displaced(enum change change, bool sessions, bool hinted)
{
    size_t batch = make_changes(change, sessions), sectors = file_bytes / AIMG_PAGE_BYTES;
    free(bytes);
    for (size_t from = AIMG_HEAD_BYTES / AIMG_PAGE_BYTES; from < sectors; from++) {
        bytes = sample_load(path, &file_bytes);
        REQUIRE(bytes != NULL && batch > AIMG_HEAD_BYTES);
        memmove(bytes + batch, bytes + from * AIMG_PAGE_BYTES, AIMG_PAGE_BYTES);
        if (!hinted)
            memset(bytes + AIMG_HEADER_BYTES, 0, 2 * AIMG_HINT_BYTES);
        struct aimg_reader *reader = repaired();
        if (!EXPECT(is_changed(reader, change) || result.lost_bytes + result.lost_values + result.lost_meta > 0))
            fprintf(stderr, "  change %d, sessions %d, hints %d, from %zu to %zu\n", change, sessions, hinted,
                    from * AIMG_PAGE_BYTES, batch);
        aimg_reader_close(reader);
    }
}

/* What stands behind ROOT in its batch is none of what the next commit changed, whose ROOT is lost. */
static void check_pad_behind_root(void)
{
    size_t root = 0, pads[2] = {0, 0};
    struct aimg_frame frame = {.type = 0};
    make_changes(CHANGE_META, true);
    for (size_t at = AIMG_HEAD_BYTES; at < file_bytes; at += (size_t)aimg_frame_total_bytes(&frame)) {
        bool behind_root = frame.type == AIMG_FRAME_ROOT;
        REQUIRE(aimg_frame_decode(bytes + at, &frame) == 0);
        if (behind_root) {
            pads[0] = pads[1];
            pads[1] = at;
            REQUIRE(frame.type == AIMG_FRAME_PAD);
        }
        root = frame.type == AIMG_FRAME_ROOT ? at : root;
    }
    wipe(root, pads[1] - root);
    wipe(pads[0], AIMG_FRAME_BYTES);
    aimg_reader_close(repaired());
    EXPECT(result.images == 9 && result.lost_bytes + result.lost_images + result.lost_values == 0);
}

/* All images were removed, and metadata is left, which bytes of which nothing is known do not take away. */
static void check_all_removed(void)
{
    struct aimg_writer *writer = create();
    bool new = false;
    REQUIRE(aimg_writer_set_meta(writer, "title", "new", &error) == AIMG_OK);
    add(writer, "one", "1", 1);
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    REQUIRE(aimg_writer_remove(writer, 0, &error) == AIMG_OK);
    finish(writer);
    bytes = realloc(bytes, file_bytes + 100);
    REQUIRE(bytes != NULL);
    memset(bytes + file_bytes, 0x55, 100);
    file_bytes += 100;
    struct aimg_reader *reader = repaired();
    EXPECT(result.images == 0 && result.lost_bytes == 100 && result.lost_images == 0);
    EXPECT(aimg_reader_each_meta(reader, title_is_new, &new, &error) == AIMG_OK && new);
    aimg_reader_close(reader);
}

/* Eight bytes were put into the first of several batches: what was before is saved, and those behind it that the walk leads to.
 */
static void check_inserted(void)
{
    enum { EACH = 20 };
    struct aimg_writer *writer = create();
    char name[32];
    size_t header_bytes, image;
    for (unsigned i = 0; i < 3 * EACH; i++) {
        if (i > 0 && i % EACH == 0) {
            REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK && aimg_writer_close(writer, &error) == AIMG_OK);
            REQUIRE(aimg_writer_open(path, NULL, &writer, &error) == AIMG_OK);
        }
        snprintf(name, sizeof name, "image %u", i);
        add(writer, name, name, strlen(name));
    }
    finish(writer);
    image = frame_at(AIMG_FRAME_IMAGE, 1, &header_bytes);
    bytes = realloc(bytes, file_bytes + AIMG_UNIT);
    REQUIRE(bytes != NULL);
    memmove(bytes + image + AIMG_UNIT, bytes + image, file_bytes - image);
    file_bytes += AIMG_UNIT;
    aimg_reader_close(repaired());
    EXPECT_EQ_UINT(result.images, 3 * EACH);
    EXPECT_EQ_UINT(result.lost_images, 0);
}

int main(void)
{
    damaged_begin();
    check_unknown(AIMG_FRAME_ROOT, true, 1);
    check_unknown(AIMG_FRAME_ROOT, false, 0); /* the metadata is of the last commit */
    check_unknown(AIMG_FRAME_COMMIT, true, 1);
    check_known_gap();
    check_limit();
    check_pad_behind_root();
    check_all_removed();
    check_lost_together();
    check_roots();
    check_attachment(true, false);
    check_attachment(true, true);
    check_attachment(false, true);
    check_broken_chain(true);
    check_broken_chain(false);
    for (unsigned i = 0; i < 4 * CHANGES; i++)
        check_displaced(i / 4, i % 2 == 1, i / 2 % 2 == 1);
    check_inserted();
    damaged_end();
    return test_end("repair_state");
}
