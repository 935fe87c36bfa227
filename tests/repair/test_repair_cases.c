/* SPDX-License-Identifier: Apache-2.0 */
/* Damage that is looked for one at a time nowhere else: several things are hit, each in one place. */
#include "commit.h"
#include "constants.h"
#include "frame.h"
#include "repair.h"
#include "sample.h"
#include "test.h"

#include <unistd.h>

enum { MANY = 300, ALIASES = 200, LARGE = 20000 };

static struct aimg_error error;
static const char *path, *out_path;
static uint8_t *bytes;
static size_t file_bytes;
static struct aimg_repair_result result;
static struct aimg_limits limits; /* of the repair */

/* ------------------------------------------------------------------ what all do */

static struct aimg_writer *create(void)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer = NULL;
    (void)unlink(path);
    options.flags = 0;
    REQUIRE(aimg_writer_create(path, &options, &writer, &error) == AIMG_OK);
    return writer;
}

static void add(struct aimg_writer *writer, const char *name, const void *data, size_t data_bytes)
{
    struct aimg_image image = {
        .struct_bytes = sizeof image, .name = name, .name_bytes = strlen(name), .data = data, .data_bytes = data_bytes};
    REQUIRE(aimg_writer_add(writer, &image, NULL, &error) == AIMG_OK);
}

static void finish(struct aimg_writer *writer)
{
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK);
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    bytes = sample_load(path, &file_bytes);
    REQUIRE(bytes != NULL);
}

/* Offset of the frame of a type and ordinal; 0: there is none. */
static size_t frame_at(unsigned type, uint32_t ordinal, size_t *header_bytes_out)
{
    for (size_t at = AIMG_HEAD_BYTES; at < file_bytes;) {
        struct aimg_frame frame;
        if (aimg_frame_decode(bytes + at, &frame) != 0)
            return 0;
        *header_bytes_out = frame.header_units * (size_t)AIMG_UNIT;
        if (frame.type == type && frame.ordinal == ordinal)
            return at;
        at += (size_t)aimg_frame_total_bytes(&frame);
    }
    return 0;
}

static void wipe(size_t offset, size_t count)
{
    REQUIRE(offset >= AIMG_HEAD_BYTES && offset + count <= file_bytes);
    memset(bytes + offset, 0, count);
}

/* The damaged archive as a disk has it, that counts what is read. */
static uint64_t read_bytes;

static enum aimg_status count_read(struct aimg_io *io, uint64_t offset, void *buffer, size_t count, struct aimg_error *said)
{
    (void)io, (void)said;
    REQUIRE(offset + count <= file_bytes);
    memcpy(buffer, bytes + offset, count);
    read_bytes += count;
    return AIMG_OK;
}

static enum aimg_status tell_size(struct aimg_io *io, uint64_t *bytes_out, struct aimg_error *said)
{
    (void)io, (void)said;
    *bytes_out = file_bytes;
    return AIMG_OK;
}

static const struct aimg_io_ops counting = {.read_at = count_read, .size = tell_size};

static unsigned unknown_told, images_told;

static void count_unknown(void *user, const struct aimg_loss *loss)
{
    (void)user;
    unknown_told += loss->kind == AIMG_LOSS_UNKNOWN;
    images_told += loss->kind == AIMG_LOSS_IMAGES;
}

/* The repaired archive, which is sound; the damaged one is freed. */
static struct aimg_reader *repaired(void)
{
    struct aimg_writer_options writer = sample_writer_options();
    struct aimg_repair_options options = {
        .struct_bytes = sizeof options, .loss = count_unknown, .limits = limits, .writer = &writer};
    struct aimg_repair_target target = {.path = out_path};
    struct aimg_reader *reader = NULL;
    struct aimg_io io = {.ops = &counting, .fd = -1};
    (void)unlink(out_path);
    read_bytes = 0;
    REQUIRE(aimg_repair_io(&io, &target, &options, &result, &error) == AIMG_OK);
    free(bytes);
    EXPECT(sample_verifies(out_path, 1, 0));
    REQUIRE(aimg_reader_open(out_path, NULL, &reader, &error) == AIMG_OK);
    return reader;
}

static bool holds(const struct aimg_reader *reader, const char *name, const void *data, size_t data_bytes)
{
    static uint8_t found[LARGE];
    uint32_t ordinal;
    uint64_t found_bytes = 0;
    return aimg_reader_find(reader, name, strlen(name), &ordinal, &error) == AIMG_OK &&
           aimg_reader_read(reader, ordinal, 0, found, sizeof found, &found_bytes, &error) == AIMG_OK &&
           found_bytes == data_bytes && memcmp(found, data, data_bytes) == 0;
}

/* ------------------------------------------------------------------ names */

/* An image that has lost its name must not take that of one that comes later, which would replace it. */
static void check_made_name(void)
{
    struct aimg_writer *writer = create();
    char name[32];
    for (unsigned i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, i == MANY - 1 ? "recovered/image-0" : "image %u", i);
        add(writer, name, name, strlen(name));
    }
    finish(writer);
    size_t header_bytes = 0, run = frame_at(AIMG_FRAME_RUN, 0, &header_bytes);
    wipe(run + header_bytes + MANY * AIMG_ENTRY_BYTES, 100); /* names begin behind the entries */
    wipe(frame_at(AIMG_FRAME_IMAGE, 0, &header_bytes), AIMG_FRAME_BYTES);
    struct aimg_reader *reader = repaired();
    EXPECT(result.lost_images == 0 && result.lost_names == 1 && result.images == MANY);
    EXPECT(holds(reader, "recovered/image-0", "recovered/image-0", 17));
    EXPECT(holds(reader, "recovered/image-0-1", "image 0", 7));
    aimg_reader_close(reader);
}

/* Names of images that have lost their headers stand together in the index: what holds many of them is read once. */
static void check_index_names(void)
{
    enum { IMAGES = 6000 };
    struct aimg_writer *writer = create();
    char name[64];
    for (unsigned i = 0; i < IMAGES; i++) {
        snprintf(name, sizeof name, "%u is the name of an image, and %u its number", i * 7919 % 6007, i);
        add(writer, name, name, strlen(name));
    }
    finish(writer);
    for (size_t at = AIMG_HEAD_BYTES; at < file_bytes;) {
        struct aimg_frame frame;
        REQUIRE(aimg_frame_decode(bytes + at, &frame) == 0);
        if (frame.type == AIMG_FRAME_IMAGE)
            bytes[at + AIMG_FRAME_CHECK_OFFSET] ^= 1;
        at += (size_t)aimg_frame_total_bytes(&frame);
    }
    struct aimg_reader *reader = repaired();
    EXPECT(result.images == IMAGES && result.lost_images + result.lost_names == 0);
    EXPECT(holds(reader, name, name, strlen(name)));
    EXPECT(read_bytes < 4 * file_bytes);
    aimg_reader_close(reader);
}

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

/* ------------------------------------------------------------------ aliases */

static void make_aliases(uint8_t *data, bool removed)
{
    struct aimg_writer *writer = create();
    char name[32];
    for (unsigned i = 0; i < LARGE; i++)
        data[i] = (uint8_t)(i * 7 + i / 251);
    add(writer, "before", "1", 1);
    add(writer, "original", data, LARGE);
    for (unsigned i = 0; i < ALIASES; i++) {
        struct aimg_image image = {.struct_bytes = sizeof image, .name = name};
        image.name_bytes = (size_t)snprintf(name, sizeof name, "alias %u", i);
        REQUIRE(aimg_writer_add_alias(writer, &image, 1, &error) == AIMG_OK);
    }
    if (removed)
        REQUIRE(aimg_writer_remove(writer, 1, &error) == AIMG_OK);
    finish(writer);
}

/* The header of the image and those of its aliases are lost: entries tell whose bytes they are, which are written once. */
static void check_aliases(bool removed, bool damaged)
{
    static uint8_t data[LARGE];
    size_t header_bytes = 0, at;
    make_aliases(data, removed);
    size_t original = frame_at(AIMG_FRAME_IMAGE, 1, &header_bytes), original_bytes = header_bytes;
    for (uint32_t i = 0; i < ALIASES; i++) {
        REQUIRE((at = frame_at(AIMG_FRAME_ALIAS, i + 2, &header_bytes)) != 0);
        bytes[at + 40] ^= 1; /* its check */
    }
    wipe(original, original_bytes);
    if (damaged)
        wipe(original + original_bytes + LARGE / 2, 1);
    struct aimg_reader *reader = repaired();
    struct aimg_info info = {.struct_bytes = sizeof info};
    REQUIRE(aimg_reader_info(reader, &info, &error) == AIMG_OK);
    EXPECT_EQ_UINT(result.lost_images, damaged ? ALIASES + !removed : 0);
    EXPECT_EQ_UINT(result.images, 1 + (damaged ? 0 : ALIASES + !removed));
    EXPECT(holds(reader, "alias 0", data, LARGE) == !damaged && holds(reader, "alias 199", data, LARGE) == !damaged);
    EXPECT(holds(reader, "original", data, LARGE) == (!damaged && !removed));
    EXPECT(info.file_bytes < 3 * LARGE + ALIASES * 200);
    aimg_reader_close(reader);
}

int main(void)
{
    path = strdup(sample_path("damaged"));
    out_path = strdup(sample_path("out"));
    check_made_name();
    check_index_names();
    check_unknown(AIMG_FRAME_ROOT, true, 1);
    check_unknown(AIMG_FRAME_ROOT, false, 0); /* the metadata is of the last commit */
    check_unknown(AIMG_FRAME_COMMIT, true, 1);
    check_known_gap();
    check_limit();
    check_lost_together();
    check_roots();
    check_attachment(true, false);
    check_attachment(true, true);
    check_attachment(false, true);
    check_broken_chain(true);
    check_broken_chain(false);
    for (unsigned i = 0; i < 4 * CHANGES; i++)
        check_displaced(i / 4, i % 2 == 1, i / 2 % 2 == 1);
    for (unsigned i = 0; i < 4; i++)
        check_aliases(i % 2 == 1, i / 2 == 1);
    free((char *)(uintptr_t)path);
    free((char *)(uintptr_t)out_path);
    return test_end("repair_cases");
}
