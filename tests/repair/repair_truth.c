/* SPDX-License-Identifier: Apache-2.0 */
#include "repair_truth.h"

#include "frame.h"
#include "kinds.h"
#include "random.h"
#include "sample.h"
#include "test.h"

enum { FAMILY_BYTES = 700, FAMILY_SAMPLES = 64 };

static struct aimg_writer *writer;
static struct aimg_error error;
static uint32_t added;
static uint8_t *before_tail; /* a torn archive, when it was sound */

/* Small, and alike in most of its bytes: a dictionary serves them. */
static size_t family_fill(uint32_t number, uint8_t *out)
{
    uint64_t common = 1, own = number + 1000;
    random_fill(&common, out, FAMILY_BYTES);
    random_fill(&own, out + 100, 60);
    return FAMILY_BYTES;
}

static void train(void)
{
    static uint8_t data[FAMILY_SAMPLES][FAMILY_BYTES];
    struct aimg_sample samples[FAMILY_SAMPLES];
    for (unsigned i = 0; i < FAMILY_SAMPLES; i++)
        samples[i] = (struct aimg_sample){.data = data[i], .bytes = family_fill(i, data[i])};
    REQUIRE(aimg_writer_train(writer, samples, FAMILY_SAMPLES, 100000, &error) == AIMG_OK);
}

static void define_columns(unsigned first, unsigned end)
{
    for (unsigned i = first; i < end; i++)
        REQUIRE(aimg_writer_column(writer, kinds[i].name, kinds[i].type, kinds[i].width, kinds[i].list, &kinds[i].id, &error) ==
                AIMG_OK);
}

/* A value of a column for the image with that ordinal; false: none. */
static bool make_value(const struct kind *kind, uint32_t ordinal, uint32_t salt, uint8_t *room, struct aimg_value *value)
{
    uint64_t random = ordinal * UINT64_C(1000) + kind->id + salt * UINT64_C(7919);
    *value = (struct aimg_value){.column = kind->id, .data = room};
    if (kind->id == 0 || kind->every == 0 || ordinal % kind->every != 0 || (kind->type == AIMG_TYPE_IMAGE && ordinal == 0))
        return false;
    if (kind->element == 0) {
        value->bytes =
            (size_t)sprintf((char *)room, "%s %u", kind->name, kind->type == AIMG_TYPE_DICTIONARY ? ordinal % 5 : ordinal);
        return true;
    }
    value->bytes = kind->element * (kind->list ? random_below(&random, 4) : 1);
    random_fill(&random, room, value->bytes);
    if (kind->type == AIMG_TYPE_BOOL)
        room[0] &= 1;
    if (kind->type == AIMG_TYPE_U16 && kind->width == 1)
        room[1] = 0;
    if (kind->type == AIMG_TYPE_IMAGE) {
        uint32_t target = ordinal / 2;
        memcpy(room, &target, sizeof target);
    }
    return true;
}

/* An image with values; content below 1000: of sample.h, else of the family. name NULL: an attachment without one. */
static uint32_t add(const char *name, uint32_t content, uint32_t flags)
{
    static uint8_t data[SAMPLE_MAX_BYTES], room[KINDS][256];
    struct aimg_value values[KINDS];
    uint32_t ordinal;
    struct aimg_image image = {.struct_bytes = sizeof image,
                               .name = name,
                               .name_bytes = name == NULL ? 0 : strlen(name),
                               .data = data,
                               .values = values,
                               .flags = flags};
    image.data_bytes = content < 1000 ? sample_fill(content, data) : family_fill(content, data);
    for (unsigned i = 0; i < KINDS; i++)
        image.value_count += make_value(&kinds[i], added, 0, room[i], &values[image.value_count]);
    REQUIRE(aimg_writer_add(writer, &image, &ordinal, &error) == AIMG_OK);
    added++;
    return ordinal;
}

static const char *reopened; /* after each commit: then each batch is of a session of its own, with another salt */

static void commit(const char *message)
{
    struct aimg_writer_options options = {.struct_bytes = sizeof options, .dedup = AIMG_DEDUP_ALL};
    REQUIRE(aimg_writer_commit(writer, message, &error) == AIMG_OK);
    if (reopened == NULL)
        return;
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    REQUIRE(aimg_writer_open(reopened, &options, &writer, &error) == AIMG_OK);
}

static void set(unsigned column, uint32_t ordinal, uint32_t salt)
{
    static uint8_t room[256];
    struct aimg_value value;
    if (kinds[column].every > 0 && make_value(&kinds[column], ordinal - ordinal % kinds[column].every, salt, room, &value))
        REQUIRE(aimg_writer_set(writer, ordinal, &value, &error) == AIMG_OK);
}

static void fill_rich(void)
{
    char name[64];
    define_columns(0, KINDS);
    train();
    for (uint32_t i = 0; i < 14; i++) {
        snprintf(name, sizeof name, "first/%u.bin", i);
        add(name, i % 3 == 0 ? 1000 + i : i, 0);
    }
    REQUIRE(aimg_writer_set_meta(writer, "title", "the first", &error) == AIMG_OK);
    commit("the first");
    for (uint32_t i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "second/%u.bin", i);
        add(name, 100 + i, 0);
    }
    add("second/mask of 1", 41, AIMG_ADD_ATTACHMENT);
    add(NULL, 43, AIMG_ADD_ATTACHMENT);
    add("first/3.bin", 45, AIMG_ADD_REPLACE);
    add("second/twin of 1", 101, 0); /* an alias */
    REQUIRE(aimg_writer_remove(writer, 5, &error) == AIMG_OK);
    commit(NULL);
    uint32_t renamed;
    REQUIRE(aimg_writer_rename(writer, 8, "third/renamed", 13, &renamed, &error) == AIMG_OK);
    added++;
    REQUIRE(aimg_writer_set_meta(writer, "licence", "CC0", &error) == AIMG_OK);
    for (uint32_t i = 0; i < 10; i++)
        set(10, i == 5 || i == 8 || i == 3 ? 9 : i, 3);
    set(14, 2, 4);
    set(16, 4, 4);
    commit("values");
    add("third/last", 77, 0);
    REQUIRE(aimg_writer_remove(writer, 0, &error) == AIMG_OK);
    commit("the last");
}

static void fill_many(void)
{
    char name[64];
    define_columns(0, KINDS);
    for (uint32_t c = 0; c < 21; c++) {
        for (uint32_t i = 0; i <= c % 3; i++) {
            snprintf(name, sizeof name, "%u/%u", c, i);
            add(name, 200 + c * 3 + i, 0);
        }
        if (c % 5 == 4)
            REQUIRE(aimg_writer_remove(writer, c, &error) == AIMG_OK);
        if (c % 7 == 6)
            add("again", 300 + c, AIMG_ADD_REPLACE);
        commit(NULL);
    }
}

/* The last commit defines columns, for images that were there and for new ones; and it removes attachments. */
static void fill_late(void)
{
    char name[64];
    define_columns(0, KINDS / 2);
    for (uint32_t i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "early/%u", i);
        add(name, 30 + i, i == 5 || i == 6 ? AIMG_ADD_ATTACHMENT : 0);
    }
    add(NULL, 50, AIMG_ADD_ATTACHMENT);
    add(NULL, 51, AIMG_ADD_ATTACHMENT);
    commit("early");
    define_columns(KINDS / 2, KINDS);
    for (uint32_t i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "late/%u", i);
        add(name, 60 + i, 0);
    }
    for (unsigned column = KINDS / 2; column < KINDS; column++)
        set(column, 4, 2);
    REQUIRE(aimg_writer_remove(writer, 6, &error) == AIMG_OK);
    REQUIRE(aimg_writer_remove(writer, 8, &error) == AIMG_OK);
    commit("late");
}

static void fill_plain(void)
{
    char name[64];
    define_columns(0, KINDS);
    for (uint32_t i = 0; i < 16; i++) {
        snprintf(name, sizeof name, "plain/%u", i);
        add(name, 80 + i, 0);
    }
    commit(NULL);
}

/* What is removed and replaced is so in the last commit but one; then a session that is interrupted. */
static void fill_torn(struct truth *truth)
{
    char name[64];
    struct aimg_writer_options options = {.struct_bytes = sizeof options};
    define_columns(0, KINDS);
    for (uint32_t i = 0; i < 10; i++) {
        snprintf(name, sizeof name, "first/%u", i);
        add(name, 10 + i, i == 7 ? AIMG_ADD_ATTACHMENT : 0);
    }
    add(NULL, 53, AIMG_ADD_ATTACHMENT);
    commit(NULL);
    for (uint32_t i = 4; i < 12; i += 3) /* 4, the attachment 7, the attachment 10 without a name */
        REQUIRE(aimg_writer_remove(writer, i, &error) == AIMG_OK);
    add("first/1", 91, AIMG_ADD_REPLACE);
    commit(NULL);
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    before_tail = sample_load(truth->path, &truth->file_bytes);
    REQUIRE(before_tail != NULL);
    truth->committed_end = truth->file_bytes;
    truth->committed_count = added;
    REQUIRE(aimg_writer_open(truth->path, &options, &writer, &error) == AIMG_OK);
    add("tail/0", 92, 0);
    add("first/1", 93, AIMG_ADD_REPLACE);
    add("first/2", 94, AIMG_ADD_REPLACE);
    add("first/3", 95, AIMG_ADD_REPLACE);
    add("tail/1", 96, 0);
    commit(NULL);
}

static void list_frames(struct truth *truth)
{
    uint64_t at = AIMG_HEAD_BYTES;
    truth->frame_count = 0;
    while (at < truth->file_bytes) {
        struct aimg_frame frame;
        REQUIRE(truth->frame_count < TRUTH_FRAMES && aimg_frame_decode(truth->bytes + at, &frame) == 0);
        truth->frames[truth->frame_count++] = (struct layout_frame){.offset = at,
                                                                    .header_bytes = (uint64_t)frame.header_units * 8,
                                                                    .stored_bytes = frame.stored_bytes,
                                                                    .total_bytes = aimg_frame_total_bytes(&frame),
                                                                    .ordinal = frame.ordinal,
                                                                    .type = frame.type,
                                                                    .coding = frame.coding};
        at += aimg_frame_total_bytes(&frame);
    }
}

static uint64_t offset_of(const struct truth *truth, uint32_t ordinal)
{
    for (unsigned k = 0; k < truth->frame_count; k++)
        if (truth->frames[k].ordinal == ordinal && truth->frames[k].type <= AIMG_FRAME_ALIAS)
            return truth->frames[k].offset;
    return 0;
}

/* Images that are dead, and live in the last commit before the tail. */
static void list_replaced(struct truth *truth)
{
    struct aimg_reader *before = NULL;
    REQUIRE(aimg_reader_open_memory(before_tail, (size_t)truth->committed_end, NULL, &before, &error) == AIMG_OK);
    for (uint32_t i = 0; i < truth->committed_count; i++) {
        struct aimg_entry was, is;
        struct replaced_image *image = &truth->replaced[truth->replaced_count];
        REQUIRE(aimg_reader_entry(before, i, &was, &error) == AIMG_OK);
        REQUIRE(aimg_reader_entry(truth->reader, i, &is, &error) == AIMG_OK);
        if (was.dead || !is.dead)
            continue;
        REQUIRE(truth->replaced_count++ < TRUTH_REPLACED);
        *image = (struct replaced_image){
            .own_offset = offset_of(truth, i), .data_offset = was.data_offset, .stored_bytes = was.stored_bytes};
        memcpy(image->hash, was.hash, sizeof image->hash);
        REQUIRE(aimg_reader_name(before, i, image->name, sizeof image->name, NULL, &error) == AIMG_OK);
    }
    aimg_reader_close(before);
}

static void list_images(struct truth *truth)
{
    uint64_t ordinals = aimg_reader_ordinal_count(truth->reader);
    truth->image_count = 0;
    for (uint32_t i = 0; i < ordinals; i++) {
        struct aimg_entry entry;
        struct true_image *image = &truth->images[truth->image_count];
        REQUIRE(truth->image_count < TRUTH_IMAGES && aimg_reader_entry(truth->reader, i, &entry, &error) == AIMG_OK);
        if (entry.dead)
            continue;
        truth->image_count++;
        *image = (struct true_image){.ordinal = i,
                                     .alias = entry.alias != 0,
                                     .attachment = entry.attachment != 0,
                                     .coding = entry.coding,
                                     .frame_offset = entry.frame_offset,
                                     .data_offset = entry.data_offset,
                                     .stored_bytes = entry.stored_bytes};
        memcpy(image->hash, entry.hash, sizeof image->hash);
        REQUIRE(aimg_reader_name(truth->reader, i, image->name, sizeof image->name, NULL, &error) == AIMG_OK);
        image->own_offset = offset_of(truth, i);
    }
}

void truth_make(struct truth *truth, enum truth_kind kind)
{
    static const char *const names[] = {"rich", "aligned", "sealed", "many", "late", "plain", "torn"};
    struct aimg_writer_options options = sample_writer_options();
    options.flags = 0; /* with hints */
    options.compress = AIMG_COMPRESS_AUTO;
    options.dedup = AIMG_DEDUP_ALL;
    options.alignment = kind == TRUTH_ALIGNED ? 4096 : 0;
    *truth = (struct truth){.path = strdup(sample_path(names[kind])), .columns = KINDS};
    added = 0;
    reopened = kind == TRUTH_ALIGNED ? truth->path : NULL;
    for (unsigned i = 0; i < KINDS; i++)
        kinds[i].id = 0;
    REQUIRE(aimg_writer_create(truth->path, &options, &writer, &error) == AIMG_OK);
    if (kind == TRUTH_MANY_COMMITS)
        fill_many();
    else if (kind == TRUTH_LATE)
        fill_late();
    else if (kind == TRUTH_PLAIN)
        fill_plain();
    else if (kind == TRUTH_TORN)
        fill_torn(truth);
    else
        fill_rich();
    if (kind == TRUTH_SEALED)
        REQUIRE(aimg_writer_seal(writer, "sealed", &error) == AIMG_OK);
    REQUIRE(aimg_writer_close(writer, &error) == AIMG_OK);
    truth->bytes = sample_load(truth->path, &truth->file_bytes);
    REQUIRE(truth->bytes != NULL && aimg_reader_open(truth->path, NULL, &truth->reader, &error) == AIMG_OK);
    list_frames(truth);
    list_images(truth);
    if (truth->committed_end == 0) {
        truth->committed_end = truth->file_bytes;
        truth->committed_count = added;
        return;
    }
    list_replaced(truth);
    memcpy(truth->bytes, before_tail, AIMG_HEAD_BYTES); /* with the hints of then */
    free(before_tail);
    while (truth->frames[truth->frame_count - 1].type > AIMG_FRAME_ALIAS)
        truth->frame_count--;
    truth->file_bytes = truth->frames[truth->frame_count - 1].offset + truth->frames[truth->frame_count - 1].total_bytes;
}

void truth_destroy(struct truth *truth)
{
    aimg_reader_close(truth->reader);
    free(truth->bytes);
    free((char *)(uintptr_t)truth->path);
}

const struct true_image *truth_find(const struct truth *truth, const char *name)
{
    for (unsigned i = 0; i < truth->image_count; i++)
        if (strcmp(truth->images[i].name, name) == 0)
            return &truth->images[i];
    return NULL;
}
