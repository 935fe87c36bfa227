/* SPDX-License-Identifier: Apache-2.0 */
#include "flips.h"

#include "catalog.h"
#include "commit.h"
#include "frame.h"
#include "kinds.h"
#include "random.h"
#include "sample.h"
#include "test.h"
#include "verify.h"

enum {
    COLUMN_BYTES = 100, /* of an image's values, about */
    TORN_TAIL = 34,     /* rule */
    IMAGES_LEAST = 3,
    HINT_SEQ = 8 /* offset in a hint */
};

/* ------------------------------------------------------------------ checking */

static void count_fault(void *user, const struct aimg_finding *finding)
{
    uint64_t *faults = user;
    *faults += !finding->warning && finding->rule != TORN_TAIL;
}

uint64_t flips_faults(const struct flips_archive *archive, bool quick)
{
    uint64_t faults = 0;
    struct aimg_verify_options options = {.struct_bytes = sizeof options,
                                          .flags = quick ? AIMG_VERIFY_QUICK : 0,
                                          .threads = 1,
                                          .user = &faults,
                                          .finding = count_fault,
                                          .allocator = flips_allocator()};
    struct aimg_verify_result result = {.faults = 0};
    struct aimg_io io;
    aimg_io_memory_open(&io, archive->data, archive->bytes);
    (void)aimg_verify_io(&io, &options, &result, NULL);
    flips_forget();
    return archive->tail == archive->bytes ? result.faults : faults;
}

/* Whether it can open at that commit: at an earlier one than the last only when no hint proves that there was another. */
static bool commit_allowed(const struct flips_archive *archive, uint64_t commits)
{
    size_t page = AIMG_HEADER_BYTES + (size_t)(archive->commits - 1) % 2 * AIMG_HINT_BYTES;
    bool hinted = aimg_load64(archive->sound + page + HINT_SEQ) == archive->commits - 1 &&
                  !aimg_all_zero(archive->sound + page, AIMG_HINT_BYTES);
    bool proven = hinted && memcmp(archive->data + page, archive->sound + page, AIMG_HINT_BYTES) == 0;
    return commits == archive->commits || (commits < archive->commits && !proven);
}

static const char *lie_of(const struct flips_archive *archive, bool with_map, bool every_way, uint64_t *reads)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct aimg_reader *reader;
    const char *lie = NULL;
    enum aimg_status status = flips_open(archive->data, archive->bytes, with_map, &reader);
    if (status == AIMG_OK) {
        if (aimg_reader_info(reader, &info, NULL) != AIMG_OK || !commit_allowed(archive, info.commit_count))
            lie = "it opens with a commit that is not the last";
        else
            lie = flips_state_wrong(archive->states[info.commit_count], reader, every_way, reads);
        flips_close(reader);
    } else if (status == AIMG_NOT_FOUND || status == AIMG_OUT_OF_MEMORY || status == AIMG_IO || status == AIMG_INVALID_ARGUMENT) {
        lie = aimg_status_text(status);
    }
    flips_forget();
    return lie;
}

const char *flips_lie(const struct flips_archive *archive, bool every_way, uint64_t *reads)
{
    const char *lie = lie_of(archive, true, every_way, reads);
    if (lie == NULL && every_way)
        lie = lie_of(archive, false, false, reads);
    return lie;
}

/* ------------------------------------------------------------------ loading */

static struct flips_state *state_of(struct flips_archive *archive, uint64_t commits)
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .flags = AIMG_READER_AT, .seq = commits - 1};
    uint8_t head[AIMG_HEAD_BYTES] = {0};
    struct aimg_reader *reader;
    if (commits == 0) {
        memcpy(head, archive->sound, AIMG_HEADER_BYTES);
        REQUIRE(aimg_reader_open_memory(head, sizeof head, NULL, &reader, NULL) == AIMG_OK);
    } else {
        REQUIRE(aimg_reader_open_memory(archive->sound, archive->bytes, &options, &reader, NULL) == AIMG_OK);
    }
    struct flips_state *state = flips_state_take(reader);
    REQUIRE(state != NULL);
    aimg_reader_close(reader);
    return state;
}

/* Where the bytes of images are, which a quick check does not read. */
static void mark_payloads(struct flips_archive *archive)
{
    struct aimg_frame frame;
    archive->payload = calloc(archive->bytes, sizeof *archive->payload);
    REQUIRE(archive->payload != NULL);
    for (size_t at = AIMG_HEAD_BYTES; at < archive->tail; at += (size_t)aimg_frame_total_bytes(&frame)) {
        REQUIRE(aimg_frame_decode(archive->sound + at, &frame) == 0);
        if (frame.type == AIMG_FRAME_IMAGE)
            memset(archive->payload + at + (size_t)frame.header_units * AIMG_UNIT, 1, (size_t)frame.stored_bytes);
    }
}

/* The file before the last commit: its hint page has the commit two before, or none. */
static void take_old(struct flips_archive *archive, const struct aimg_reader *reader)
{
    struct aimg_commit commit;
    uint64_t last = archive->commits - 1;
    size_t page = AIMG_HEADER_BYTES + (size_t)last % 2 * AIMG_HINT_BYTES, end = AIMG_HEAD_BYTES;
    archive->old = calloc(1, archive->bytes);
    REQUIRE(archive->old != NULL);
    if (archive->commits == 0) {
        memcpy(archive->old, archive->sound, archive->bytes);
        return;
    }
    if (last > 0) {
        REQUIRE(aimg_reader_commit(reader, last - 1, &commit, NULL) == AIMG_OK);
        end = (size_t)commit.offset + AIMG_PAGE_BYTES;
    }
    memcpy(archive->old, archive->sound, end);
    memset(archive->old + page, 0, AIMG_HINT_BYTES);
    if (last < 2 || aimg_all_zero(archive->sound + page, AIMG_HINT_BYTES))
        return;
    REQUIRE(aimg_reader_commit(reader, last - 2, &commit, NULL) == AIMG_OK);
    struct aimg_hint hint = {.seq = last - 2,
                             .commit_offset = commit.offset,
                             .end = commit.offset + AIMG_PAGE_BYTES,
                             .salt = aimg_load32(archive->sound + commit.offset + 264)};
    aimg_hint_encode(&hint, aimg_uuid_seed(archive->sound + 16), archive->old + page);
}

static void take_sound(struct flips_archive *archive, size_t torn)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct aimg_reader *reader;
    uint64_t reads = 0;
    test_state.subject = archive->name;
    archive->data = test_guarded(archive->bytes);
    memcpy(archive->data, archive->sound, archive->bytes);
    REQUIRE(aimg_reader_open_memory(archive->sound, archive->bytes, NULL, &reader, NULL) == AIMG_OK);
    REQUIRE(aimg_reader_info(reader, &info, NULL) == AIMG_OK && info.tail_bytes == torn);
    archive->tail = archive->bytes - torn;
    archive->commits = info.commit_count;
    take_old(archive, reader);
    mark_payloads(archive);
    aimg_reader_close(reader);
    archive->states = calloc((size_t)archive->commits + 1, sizeof(struct flips_state *));
    REQUIRE(archive->states != NULL);
    for (uint64_t i = 0; i <= archive->commits; i++)
        archive->states[i] = state_of(archive, i);
    EXPECT_EQ_UINT(flips_faults(archive, false), 0);
    const char *lie = flips_lie(archive, true, &reads);
    EXPECT_EQ_TEXT(lie == NULL ? "" : lie, "");
    test_state.subject = NULL;
}

void flips_archive_load(struct flips_archive *archive, const char *path)
{
    const char *name = strrchr(path, '/');
    *archive = (struct flips_archive){.bytes = 0};
    snprintf(archive->name, sizeof archive->name, "%s", name == NULL ? path : name + 1);
    archive->sound = sample_load(path, &archive->bytes);
    REQUIRE(archive->sound != NULL);
    take_sound(archive, 0);
}

void flips_archive_destroy(struct flips_archive *archive)
{
    for (uint64_t i = 0; i <= archive->commits; i++)
        flips_state_destroy(archive->states[i]);
    free(archive->states);
    free(archive->sound);
    free(archive->old);
    free(archive->payload);
}

/* ------------------------------------------------------------------ writing */

static struct aimg_writer *writer;
static struct aimg_error error;

static bool good(enum aimg_status status)
{
    if (status != AIMG_OK)
        fprintf(stderr, "%s\n", error.message);
    return status == AIMG_OK;
}

/* Values of the columns that have one for this image. */
static size_t fill_values(uint32_t number, struct aimg_value *values)
{
    static uint8_t bytes[KINDS][64];
    uint64_t random = number + 1;
    size_t count = 0;
    for (unsigned i = 0; i < KINDS; i++) {
        size_t size = kinds[i].element > 0 ? kinds[i].element : 3 + number % 40;
        if (kinds[i].every == 0 || number % kinds[i].every != 0 || (kinds[i].type == AIMG_TYPE_IMAGE && number == 0))
            continue; /* there is no image yet that the first could name */
        random_fill(&random, bytes[i], sizeof bytes[i]);
        if (kinds[i].element == 0)
            memset(bytes[i], 'a' + (int)(number % 3), size);
        if (kinds[i].type == AIMG_TYPE_BOOL || kinds[i].type == AIMG_TYPE_IMAGE)
            memset(bytes[i], 0, size);
        if (kinds[i].list)
            size *= number % 3;
        values[count++] = (struct aimg_value){.column = kinds[i].id, .data = bytes[i], .bytes = size};
    }
    return count;
}

static uint32_t add(const char *name, uint32_t content, uint32_t flags)
{
    static uint8_t data[SAMPLE_MAX_BYTES], scratch[2 * SAMPLE_MAX_BYTES];
    struct aimg_value values[KINDS];
    struct aimg_prepared prepared;
    struct aimg_image image = {.struct_bytes = sizeof image,
                               .name = name,
                               .name_bytes = strlen(name),
                               .prepared = &prepared,
                               .values = values,
                               .flags = flags};
    uint32_t ordinal = 0;
    size_t bytes = sample_fill(content, data);
    image.value_count = fill_values(content, values);
    REQUIRE(good(aimg_writer_prepare(writer, data, bytes, 0, scratch, sizeof scratch, &prepared, &error)));
    REQUIRE(good(aimg_writer_add(writer, &image, &ordinal, &error)));
    return ordinal;
}

static void set(uint32_t ordinal, uint32_t number)
{
    struct aimg_value values[KINDS];
    size_t count = fill_values(number, values);
    for (size_t i = 0; i < count; i++)
        REQUIRE(good(aimg_writer_set(writer, ordinal, &values[i], &error)));
}

static void commit(const char *message)
{
    REQUIRE(good(aimg_writer_commit(writer, message, &error)));
}

static void write_images(uint32_t images)
{
    char name[32];
    for (unsigned i = 0; i < KINDS; i++)
        REQUIRE(
            good(aimg_writer_column(writer, kinds[i].name, kinds[i].type, kinds[i].width, kinds[i].list, &kinds[i].id, &error)));
    REQUIRE(good(aimg_writer_set_meta(writer, "title", "Ein Titel", &error)));
    for (uint32_t i = 0; i < images; i++) {
        snprintf(name, sizeof name, "folder/%" PRIu32 ".jpg", i);
        (void)add(name, i, 0);
    }
    (void)add("attached", 2, AIMG_ADD_ATTACHMENT);
    (void)add("", 5, AIMG_ADD_ATTACHMENT);
    commit("the first commit");
    (void)add("folder/1.jpg", 4, AIMG_ADD_REPLACE);
    (void)add("again", 1, 0); /* the bytes of another: an alias */
    REQUIRE(good(aimg_writer_remove(writer, 2, &error)));
    set(0, 6); /* tables of columns alone */
    commit("the second commit");
}

void flips_archive_write(struct flips_archive *archive, uint32_t alignment, size_t bytes, size_t torn)
{
    struct aimg_writer_options options = sample_writer_options();
    const char *path = sample_path("written.aimg");
    uint32_t each = 350 + COLUMN_BYTES + alignment; /* bytes of an image, its frame and entry, about */
    options.flags = 0;                              /* with hints */
    options.alignment = alignment;
    options.compress = AIMG_COMPRESS_ZSTD;
    options.dedup = AIMG_DEDUP_ALL;
    (void)unlink(path);
    *archive = (struct flips_archive){.bytes = 0};
    snprintf(archive->name, sizeof archive->name, "written with alignment %" PRIu32 ", %zu bytes torn off", alignment, torn);
    REQUIRE(good(aimg_writer_create(path, &options, &writer, &error)));
    write_images(bytes / each > IMAGES_LEAST ? (uint32_t)(bytes / each) : IMAGES_LEAST);
    REQUIRE(good(aimg_writer_close(writer, &error)));
    archive->sound = sample_load(path, &archive->bytes);
    REQUIRE(archive->sound != NULL);
    archive->sound = realloc(archive->sound, archive->bytes + torn);
    REQUIRE(archive->sound != NULL);
    memcpy(archive->sound + archive->bytes, archive->sound + AIMG_HEAD_BYTES, torn);
    archive->bytes += torn;
    take_sound(archive, torn);
}
