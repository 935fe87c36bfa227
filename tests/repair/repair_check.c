/* SPDX-License-Identifier: Apache-2.0 */
#include "repair_check.h"

#include "constants.h"
#include "repair.h"
#include "sample.h"
#include "test.h"

#include <unistd.h>

enum { NAMES_MOST = 800, ORDINALS_MOST = 4096 };

/* What the repair said. */
static struct told {
    char lost[NAMES_MOST][64], back[NAMES_MOST][64];
    bool ordinals[ORDINALS_MOST];
    unsigned lost_count, back_count;
    uint64_t images, values, bytes, names, metadata, unnamed, unnamed_back, nameless, undecoded, unknown, all;
} told;

/* Nothing is told twice, and what is back is not lost. */
static void tell_once(const struct aimg_loss *loss)
{
    for (uint64_t i = 0; i < loss->count; i++) {
        EXPECT(loss->ordinal + i < ORDINALS_MOST);
        if (loss->ordinal + i < ORDINALS_MOST && !EXPECT(!told.ordinals[loss->ordinal + i]))
            fprintf(stderr, "  ordinal %" PRIu64 " is told twice, now: %s\n", loss->ordinal + i, loss->message);
        if (loss->ordinal + i < ORDINALS_MOST)
            told.ordinals[loss->ordinal + i] = true;
    }
}

static void on_loss(void *user, const struct aimg_loss *loss)
{
    (void)user;
    EXPECT(loss->message != NULL && strlen(loss->message) > 5);
    told.all++;
    if (loss->kind == AIMG_LOSS_IMAGES) {
        told.images += loss->count;
        told.undecoded += strstr(loss->message, "the dictionary that it was compressed with is lost") != NULL;
        told.unnamed += loss->name == NULL ? loss->count : 0;
        if (loss->name != NULL && told.lost_count < NAMES_MOST)
            snprintf(told.lost[told.lost_count++], sizeof told.lost[0], "%s", loss->name);
    }
    if (loss->kind == AIMG_LOSS_IMAGES || loss->kind == AIMG_LOSS_REMOVAL)
        tell_once(loss);
    if (loss->kind == AIMG_LOSS_REMOVAL && loss->name != NULL && told.back_count < NAMES_MOST)
        snprintf(told.back[told.back_count++], sizeof told.back[0], "%s", loss->name);
    told.unnamed_back += loss->kind == AIMG_LOSS_REMOVAL && loss->name == NULL;
    told.values += loss->kind == AIMG_LOSS_VALUES ? loss->count : 0;
    told.bytes += loss->kind == AIMG_LOSS_BYTES ? loss->bytes : 0;
    told.names += loss->kind == AIMG_LOSS_NAME;
    told.metadata += loss->kind == AIMG_LOSS_META;
    told.unknown += loss->kind == AIMG_LOSS_UNKNOWN;
}

static bool is_told(char names[][64], unsigned count, const char *name)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* ------------------------------------------------------------------ what the damage hit */

struct hit {
    const struct truth *truth;
    const uint8_t *damaged;
    size_t bytes;
};

static bool differs(const struct hit *hit, uint64_t offset, uint64_t bytes)
{
    if (bytes == 0)
        return false;
    return offset + bytes > hit->bytes || memcmp(hit->truth->bytes + offset, hit->damaged + offset, (size_t)bytes) != 0;
}

/* A frame with its payload. */
static bool frame_hit(const struct hit *hit, const struct layout_frame *frame)
{
    return differs(hit, frame->offset, frame->header_bytes + frame->stored_bytes);
}

static bool type_hit(const struct hit *hit, unsigned type)
{
    for (unsigned i = 0; i < hit->truth->frame_count; i++)
        if (hit->truth->frames[i].type == type && frame_hit(hit, &hit->truth->frames[i]))
            return true;
    return false;
}

/* Of a file that was cut: whether an image lies before its end. */
static bool is_whole(const struct hit *hit, const struct true_image *image)
{
    for (unsigned i = 0; i < hit->truth->frame_count; i++)
        if (hit->truth->frames[i].offset == image->own_offset &&
            image->own_offset + hit->truth->frames[i].total_bytes > hit->bytes)
            return false;
    return image->data_offset + image->stored_bytes <= hit->bytes;
}

/* Whether an image must be lost: its bytes are hit, or the dictionary that they need. */
static bool must_be_lost(const struct hit *hit, const struct true_image *image)
{
    if (differs(hit, image->data_offset, image->stored_bytes))
        return true;
    for (unsigned i = 0; i < hit->truth->frame_count; i++) {
        const struct layout_frame *frame = &hit->truth->frames[i];
        if (frame->type == AIMG_FRAME_DICT && frame->coding == image->coding &&
            differs(hit, frame->offset + frame->header_bytes, frame->stored_bytes))
            return true;
    }
    return false;
}

/* Whether it may be: the damage hit its frame and the index. */
static bool may_be_lost(const struct hit *hit, const struct true_image *image)
{
    bool framed = differs(hit, image->own_offset, image->data_offset - image->frame_offset) ||
                  differs(hit, image->frame_offset, image->data_offset - image->frame_offset) ||
                  (image->alias && differs(hit, image->own_offset, 64));
    if (image->ordinal >= hit->truth->committed_count)
        return framed; /* there is no index of it */
    return framed && (type_hit(hit, AIMG_FRAME_RUN) || type_hit(hit, AIMG_FRAME_ROOT) || hit->bytes < hit->truth->file_bytes);
}

/* ------------------------------------------------------------------ comparing */

static void check_image(const struct hit *hit, const struct aimg_reader *reader, const struct true_image *image, uint32_t ordinal)
{
    static uint8_t expected[SAMPLE_MAX_BYTES], found[SAMPLE_MAX_BYTES];
    struct aimg_entry entry;
    struct aimg_error error;
    uint64_t expected_bytes = 0, found_bytes = 0;
    EXPECT(aimg_reader_entry(reader, ordinal, &entry, &error) == AIMG_OK && memcmp(entry.hash, image->hash, 16) == 0);
    EXPECT_EQ_INT(aimg_reader_read(hit->truth->reader, image->ordinal, 0, expected, sizeof expected, &expected_bytes, &error),
                  AIMG_OK);
    if (!EXPECT_EQ_INT(aimg_reader_read(reader, ordinal, 0, found, sizeof found, &found_bytes, &error), AIMG_OK))
        fprintf(stderr, "  %s\n", error.message);
    EXPECT(expected_bytes == found_bytes && memcmp(expected, found, (size_t)found_bytes) == 0);
    EXPECT(entry.attachment == image->attachment || type_hit(hit, AIMG_FRAME_RUN) || type_hit(hit, AIMG_FRAME_ROOT) ||
           hit->bytes < hit->truth->file_bytes);
}

static size_t value_at(const struct aimg_reader *reader, const char *column, uint32_t ordinal, uint8_t *out, size_t room,
                       int *null)
{
    struct aimg_column known;
    struct aimg_error error;
    size_t bytes = 0;
    *null = 1;
    if (aimg_reader_column_find(reader, column, &known, &error) != AIMG_OK)
        return 0;
    REQUIRE(aimg_reader_value(reader, known.index, ordinal, out, room, &bytes, null, &error) == AIMG_OK);
    if (known.type == AIMG_TYPE_IMAGE && *null == 0) { /* by name, as ordinals are others */
        uint32_t target;
        memcpy(&target, out, sizeof target);
        REQUIRE(aimg_reader_name(reader, target, (char *)out, room, &bytes, &error) == AIMG_OK);
    }
    return bytes;
}

/* ROOT is lost, and bytes are told of that may have been tables: values may be lost, or those of before. */
static bool changes_told(const struct hit *hit)
{
    return told.bytes > 0 && type_hit(hit, AIMG_FRAME_ROOT);
}

/* A column whose name is lost has its values as they were stored: numbers perhaps in fewer bytes. */
static void check_nameless(const struct hit *hit, const struct aimg_reader *reader, const struct aimg_column *column,
                           uint32_t ordinal, const uint8_t *expected, size_t expected_bytes)
{
    static uint8_t found[2048];
    char name[64];
    int null;
    snprintf(name, sizeof name, "recovered/column-%u", column->id);
    size_t bytes = value_at(reader, name, ordinal, found, sizeof found, &null);
    if (null || column->type == AIMG_TYPE_IMAGE) /* an ordinal of the damaged archive */
        return;
    bool number = (column->type == AIMG_TYPE_U16 || column->type == AIMG_TYPE_U32 || column->type == AIMG_TYPE_U64) &&
                  column->width == 1 && !column->list;
    if (column->type == AIMG_TYPE_DICTIONARY && changes_told(hit)) /* its texts may be lost, and its codes are left */
        return;
    EXPECT(bytes == expected_bytes || (number && bytes < expected_bytes));
    EXPECT(bytes <= expected_bytes && memcmp(found, expected, bytes) == 0);
    for (size_t i = bytes; i < expected_bytes; i++)
        EXPECT_EQ_UINT(expected[i], 0);
    told.nameless++;
}

/* Values that the truth has and the repaired archive lacks; those that it has must be the true ones. */
static uint64_t check_values(const struct hit *hit, const struct aimg_reader *reader, const struct true_image *image,
                             uint32_t ordinal)
{
    static uint8_t expected[2048], found[2048];
    struct aimg_column column;
    struct aimg_error error;
    uint64_t lacking = 0;
    for (uint32_t i = 0; i < hit->truth->columns; i++) {
        int expected_null, found_null;
        REQUIRE(aimg_reader_column(hit->truth->reader, i, &column, &error) == AIMG_OK);
        size_t expected_bytes =
            value_at(hit->truth->reader, column.name, image->ordinal, expected, sizeof expected, &expected_null);
        size_t found_bytes = value_at(reader, column.name, ordinal, found, sizeof found, &found_null);
        bool dangling = false;
        if (column.type == AIMG_TYPE_IMAGE && expected_null == 0) { /* to an image that is dead, or lost */
            uint32_t target, there;
            size_t bytes = 0;
            struct aimg_entry entry;
            int null = 1;
            REQUIRE(aimg_reader_value(hit->truth->reader, i, image->ordinal, &target, sizeof target, &bytes, &null, &error) ==
                    AIMG_OK);
            REQUIRE(aimg_reader_entry(hit->truth->reader, target, &entry, &error) == AIMG_OK);
            dangling = entry.dead != 0 || expected_bytes == 0 ||
                       aimg_reader_find(reader, (char *)expected, expected_bytes, &there, &error) != AIMG_OK;
        }
        if (expected_null == 0 && found_null != 0)
            check_nameless(hit, reader, &column, ordinal, expected, expected_bytes);
        lacking += expected_null == 0 && found_null != 0 && !dangling;
        if (found_null == 0 && !dangling && !changes_told(hit))
            EXPECT(expected_null == 0 && expected_bytes == found_bytes && memcmp(expected, found, found_bytes) == 0);
    }
    return lacking;
}

static const struct true_image *true_image(const struct truth *truth, const char *name, const uint8_t hash[16])
{
    for (unsigned i = 0; i < truth->image_count; i++)
        if (strcmp(truth->images[i].name, name) == 0 && memcmp(truth->images[i].hash, hash, 16) == 0)
            return &truth->images[i];
    return NULL;
}

/* Of the last commit, and nothing is left that tells that an interrupted writer replaced it. */
static bool stays(const struct hit *hit, const char *name, const uint8_t hash[16])
{
    const struct true_image *successor = truth_find(hit->truth, name);
    for (unsigned i = 0; i < hit->truth->replaced_count; i++)
        if (strcmp(hit->truth->replaced[i].name, name) == 0 && memcmp(hit->truth->replaced[i].hash, hash, 16) == 0)
            return successor == NULL || differs(hit, successor->own_offset, successor->data_offset - successor->own_offset);
    return false;
}

static bool is_made(const char *name)
{
    return told.names > 0 && strncmp(name, "recovered/", 10) == 0;
}

/* Images of the repaired archive that the truth lacks are those that may have been removed or replaced, and are told; one that
 * has no name, or lost it, without. */
static void check_strangers(const struct hit *hit, const struct aimg_reader *reader, unsigned rules)
{
    struct aimg_error error;
    uint64_t unnamed = 0;
    if (hit->bytes < hit->truth->file_bytes || ((rules & OUTCOME_MOVED) != 0 && told.bytes > 0))
        return; /* a message tells of the end that is missing, and what it removed */
    for (uint32_t i = 0; i < aimg_reader_ordinal_count(reader); i++) {
        char name[1100];
        struct aimg_entry entry;
        bool known = false;
        REQUIRE(aimg_reader_entry(reader, i, &entry, &error) == AIMG_OK);
        REQUIRE(aimg_reader_name(reader, i, name, sizeof name, NULL, &error) == AIMG_OK);
        for (unsigned k = 0; is_made(name) && k < hit->truth->image_count; k++)
            known = known || memcmp(hit->truth->images[k].hash, entry.hash, 16) == 0;
        if (entry.dead || known || true_image(hit->truth, name, entry.hash) != NULL || stays(hit, name, entry.hash))
            continue;
        if (name[0] == '\0' || is_made(name))
            unnamed++;
        else if (!EXPECT(is_told(told.back, told.back_count, name)))
            fprintf(stderr, "  '%s' is back\n", name);
    }
    if (!EXPECT(unnamed <= told.unnamed_back))
        fprintf(stderr, "  %" PRIu64 " images without a name are back\n", unnamed);
}

/* The ordinal of an image; of one without a name, or that lost it, it is found by its bytes. */
static bool find(const struct aimg_reader *reader, const uint8_t hash[16], const char *name, uint32_t *ordinal_out)
{
    struct aimg_error error;
    struct aimg_entry entry;
    char found[1100];
    for (uint32_t i = 0; i < aimg_reader_ordinal_count(reader); i++) {
        REQUIRE(aimg_reader_entry(reader, i, &entry, &error) == AIMG_OK);
        REQUIRE(aimg_reader_name(reader, i, found, sizeof found, NULL, &error) == AIMG_OK);
        *ordinal_out = i;
        if (!entry.dead && memcmp(entry.hash, hash, 16) == 0 && (strcmp(found, name) == 0 || is_made(found)))
            return true;
    }
    return false;
}

/* An image of the last commit that an interrupted writer replaced is there when its successor is not, unless it is hit itself. */
static void check_replaced(const struct hit *hit, const struct aimg_reader *reader)
{
    for (unsigned i = 0; i < hit->truth->replaced_count; i++) {
        const struct replaced_image *image = &hit->truth->replaced[i];
        const struct true_image *successor = truth_find(hit->truth, image->name);
        uint32_t ordinal;
        REQUIRE(successor != NULL);
        if (find(reader, successor->hash, image->name, &ordinal) || differs(hit, image->data_offset, image->stored_bytes) ||
            differs(hit, image->own_offset, image->data_offset - image->own_offset))
            continue;
        if (!EXPECT(find(reader, image->hash, image->name, &ordinal)))
            fprintf(stderr, "  neither '%s' nor the one that it replaced is there\n", image->name);
    }
}

/* All records of the metadata, one after the other. */
struct records {
    char text[1024];
    size_t bytes;
};

static int add_record(void *user, const char *key, const char *value, size_t value_bytes)
{
    struct records *records = user;
    int bytes = snprintf(records->text + records->bytes, sizeof records->text - records->bytes, "%s=%.*s\n", key,
                         (int)value_bytes, value);
    REQUIRE(bytes > 0 && (size_t)bytes < sizeof records->text - records->bytes);
    records->bytes += (size_t)bytes;
    return 0;
}

static void check_metadata(const struct hit *hit, const struct aimg_reader *reader)
{
    struct records is = {.bytes = 0}, was = {.bytes = 0};
    struct aimg_error error;
    REQUIRE(aimg_reader_each_meta(reader, add_record, &is, &error) == AIMG_OK &&
            aimg_reader_each_meta(hit->truth->reader, add_record, &was, &error) == AIMG_OK);
    if (!EXPECT(strcmp(is.text, was.text) == 0))
        fprintf(stderr, "  metadata\n%s in place of\n%s", is.text, was.text);
}

/* Nothing is told: then all is as in the last commit, whatever was hit. */
static void check_complete(const struct hit *hit, const struct aimg_reader *reader, const struct outcome *outcome,
                           uint64_t lacking)
{
    struct aimg_info is = {.struct_bytes = sizeof is}, was = {.struct_bytes = sizeof was};
    struct aimg_error error;
    REQUIRE(aimg_reader_info(reader, &is, &error) == AIMG_OK && aimg_reader_info(hit->truth->reader, &was, &error) == AIMG_OK);
    EXPECT_EQ_UINT(outcome->missing, 0);
    EXPECT_EQ_UINT(lacking, 0);
    EXPECT_EQ_UINT(aimg_reader_count(reader), aimg_reader_count(hit->truth->reader));
    EXPECT_EQ_UINT(is.ordinal_count, was.ordinal_count - was.dead_count);
    EXPECT_EQ_UINT(is.column_count, was.column_count);
}

static void compare(const struct hit *hit, const char *path, struct outcome *outcome, unsigned rules)
{
    struct aimg_reader *reader = NULL;
    struct aimg_error error;
    uint64_t lacking = 0, lost = 0, counted = 0, undecoded = 0;
    EXPECT(sample_verifies(path, 1, 0));
    REQUIRE(aimg_reader_open(path, NULL, &reader, &error) == AIMG_OK);
    struct aimg_info info = {.struct_bytes = sizeof info};
    EXPECT(aimg_reader_info(reader, &info, &error) == AIMG_OK && info.dead_count == 0);
    for (unsigned i = 0; i < hit->truth->image_count; i++) {
        const struct true_image *image = &hit->truth->images[i];
        uint32_t ordinal;
        if ((rules & OUTCOME_CUT) && !is_whole(hit, image))
            continue; /* what had the name before may be there again */
        bool there = find(reader, image->hash, image->name, &ordinal);
        bool must = must_be_lost(hit, image), may = may_be_lost(hit, image);
        outcome->missing += !there;
        counted += !there && (image->ordinal < hit->truth->committed_count || !may);
        bool elsewhere = (rules & OUTCOME_MOVED) != 0 && (there || outcome->result.lost_images + outcome->result.lost_bytes > 0);
        undecoded += must && !may && !elsewhere && !differs(hit, image->data_offset, image->stored_bytes);
        lost += must && !may && !elsewhere && !(rules & OUTCOME_CUT);
        if (!EXPECT(elsewhere || (there ? !must || image->stored_bytes == 0 : must || may)))
            fprintf(stderr, "  '%s' (ordinal %u) is %s\n", image->name, image->ordinal, there ? "there" : "not there");
        if (there) {
            check_image(hit, reader, image, ordinal);
            lacking += (rules & OUTCOME_CUT) ? 0 : check_values(hit, reader, image, ordinal); /* they may be those of before */
        } else if (!(rules & OUTCOME_CUT) && image->name[0] != '\0' && !may && !elsewhere) {
            EXPECT(is_told(told.lost, told.lost_count, image->name));
        }
    }
    if (!(rules & OUTCOME_CUT)) {
        EXPECT(outcome->result.lost_images >= lost && (outcome->result.lost_images >= counted || (rules & OUTCOME_MOVED) != 0));
        EXPECT(outcome->missing == counted || outcome->result.lost_images + outcome->result.lost_bytes > 0);
        EXPECT(told.undecoded >= undecoded);
        check_replaced(hit, reader);
        EXPECT(outcome->result.lost_values >= lacking || changes_told(hit));
    }
    outcome->nameless = told.nameless;
    outcome->complete = told.all == 0;
    check_strangers(hit, reader, rules);
    if (told.metadata + told.unknown + told.bytes == 0)
        check_metadata(hit, reader);
    if (outcome->complete && hit->truth->committed_end == hit->truth->file_bytes)
        check_complete(hit, reader, outcome, lacking);
    aimg_reader_close(reader);
}

static struct outcome run(const struct truth *truth, const uint8_t *damaged, size_t bytes, unsigned rules)
{
    struct outcome outcome = {.status = AIMG_OK};
    struct hit hit = {truth, damaged, bytes};
    struct aimg_writer_options writer = sample_writer_options();
    struct aimg_repair_options options = {.struct_bytes = sizeof options, .loss = on_loss, .writer = &writer};
    const char *path = sample_path("repaired");
    struct aimg_repair_target target = {.path = path};
    struct aimg_io io;
    (void)unlink(path);
    told = (struct told){.lost_count = 0};
    aimg_io_memory_open(&io, damaged, bytes);
    outcome.status = aimg_repair_io(&io, &target, &options, &outcome.result, &outcome.error);
    if (outcome.status != AIMG_OK) {
        EXPECT_EQ_INT(access(path, F_OK), -1);
        if (!EXPECT((rules & OUTCOME_MAY_FAIL) != 0))
            fprintf(stderr, "  %s\n", outcome.error.message);
        return outcome;
    }
    EXPECT(outcome.result.lost_images == told.images && outcome.result.lost_values == told.values &&
           outcome.result.lost_bytes == told.bytes && outcome.result.lost_names == told.names);
    compare(&hit, path, &outcome, rules);
    return outcome;
}

struct outcome repair_check(const struct truth *truth, const uint8_t *damaged, size_t bytes, unsigned rules, const char *subject)
{
    uint64_t before = test_state.failures;
    test_state.subject = subject;
    struct outcome outcome = run(truth, damaged, bytes, rules);
    outcome.failures = test_state.failures - before;
    return outcome;
}
