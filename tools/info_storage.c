/* SPDX-License-Identifier: Apache-2.0 */
#include "info_storage.h"

#include "output.h"
#include "reading.h"

#include <stdio.h>
#include <stdlib.h>

/* Of a larger index so many blocks are looked at, evenly spread. */
enum { FORMATS = 256, CODINGS = 256, BLOCK = 64, MOST_BLOCKS = 2048 };

struct sum {
    uint64_t images, bytes, stored_bytes;
};

/* Where the bytes of an image lie. */
struct home {
    uint64_t frame_offset, stored_bytes;
};

struct homes {
    struct home *all;
    size_t count;
};

struct tally {
    const struct aimg_reader *reader;
    struct homes owners, aliases; /* of what was visited; both NULL when nothing can be an alias */
    struct sum (*rows)[CODINGS];  /* by format, then by coding */
    uint64_t visited;
    double scale; /* images for each that was visited */
    uint64_t damaged;
    enum aimg_status status;
    struct aimg_error error; /* the first */
};

const char *storage_text(const struct aimg_reader *reader, unsigned coding, char text[STORAGE_TEXT_BYTES])
{
    struct aimg_coding known;
    char count[32];
    snprintf(text, STORAGE_TEXT_BYTES, "%s", coding == 0 ? "stored as it is" : coding == 1 ? "zstd" : "an unknown coding");
    for (uint32_t i = 0; coding > 1 && aimg_reader_coding(reader, i, &known, NULL) == AIMG_OK; i++)
        if (known.coding == coding && known.codec == 1)
            snprintf(text, STORAGE_TEXT_BYTES, "zstd with a dictionary of %s bytes",
                     output_count(known.dictionary_bytes, count, sizeof count));
    return text;
}

/* ------------------------------------------------------------------ counting */

static void add(struct sum *total, const struct sum *more)
{
    total->images += more->images;
    total->bytes += more->bytes;
    total->stored_bytes += more->stored_bytes;
}

static void note_home(struct homes *homes, const struct aimg_entry *entry)
{
    if (homes->all != NULL)
        homes->all[homes->count++] = (struct home){entry->frame_offset, entry->stored_bytes};
}

static void count_image(struct tally *tally, uint32_t ordinal)
{
    struct aimg_entry entry;
    struct aimg_error error;
    enum aimg_status status = aimg_reader_entry(tally->reader, ordinal, &entry, &error);
    bool worse = status == AIMG_IO || status == AIMG_OUT_OF_MEMORY; /* no damage: these end it */
    if (status != AIMG_OK && (tally->damaged++ == 0 || worse)) {
        tally->status = status;
        tally->error = error;
    }
    if (status != AIMG_OK || entry.dead)
        return;
    tally->visited++;
    note_home(entry.alias ? &tally->aliases : &tally->owners, &entry);
    add(&tally->rows[entry.format][entry.coding], &(struct sum){1, entry.raw_bytes, entry.stored_bytes});
}

static void count_all(struct tally *tally, const struct aimg_info *info)
{
    uint64_t blocks = (info->ordinal_count + BLOCK - 1) / BLOCK, step = (blocks + MOST_BLOCKS - 1) / MOST_BLOCKS;
    for (uint64_t block = 0; block < blocks; block += step)
        for (uint64_t i = block * BLOCK; i < (block + 1) * BLOCK && i < info->ordinal_count; i++)
            count_image(tally, (uint32_t)i);
    uint64_t alive = info->ordinal_count - info->dead_count;
    tally->scale = step > 1 && tally->visited > 0 ? (double)alive / (double)tally->visited : 1;
}

static int by_offset(const void *a, const void *b)
{
    const struct home *x = a, *y = b;
    return (x->frame_offset > y->frame_offset) - (x->frame_offset < y->frame_offset);
}

/* Bytes that aliases do not take because others have them. One alias of an image that is gone has them itself; of a part of the
 * images that cannot be said. */
static uint64_t shared_bytes(struct tally *tally)
{
    struct homes *aliases = &tally->aliases, *owners = &tally->owners;
    uint64_t sum = 0;
    if (aliases->count == 0)
        return 0;
    qsort(aliases->all, aliases->count, sizeof *aliases->all, by_offset);
    qsort(owners->all, owners->count, sizeof *owners->all, by_offset);
    for (size_t i = 0, owner = 0; i < aliases->count; i++) {
        const struct home *alias = &aliases->all[i];
        while (owner < owners->count && owners->all[owner].frame_offset < alias->frame_offset)
            owner++;
        bool owned = owner < owners->count && owners->all[owner].frame_offset == alias->frame_offset;
        bool again = i > 0 && aliases->all[i - 1].frame_offset == alias->frame_offset;
        sum += owned || again || tally->scale != 1 ? alias->stored_bytes : 0;
    }
    return sum;
}

/* Room for the homes of all that is visited, in an archive that may have aliases. */
static bool make_room(struct tally *tally, const struct aimg_info *info)
{
    uint64_t most = (uint64_t)BLOCK * MOST_BLOCKS + BLOCK;
    size_t room = (size_t)(info->ordinal_count < most ? info->ordinal_count : most) + 1;
    tally->rows = calloc(FORMATS, sizeof *tally->rows);
    if (!may_have_aliases(info))
        return tally->rows != NULL;
    tally->owners.all = malloc(room * sizeof *tally->owners.all);
    tally->aliases.all = malloc(room * sizeof *tally->aliases.all);
    return tally->rows != NULL && tally->owners.all != NULL && tally->aliases.all != NULL;
}

/* ------------------------------------------------------------------ what it says */

static uint64_t scaled(const struct tally *tally, uint64_t count)
{
    return tally->scale == 1 ? count : (uint64_t)((double)count * tally->scale);
}

static void put_sum(struct json_object *object, const struct sum *sum)
{
    json_put_count(object, "images", sum->images);
    json_put_count(object, "bytes", sum->bytes);
    json_put_count(object, "stored_bytes", sum->stored_bytes);
}

static void append(struct json_object *object, json_t *array, struct json_object *element)
{
    if (element->failed || json_array_append_new(array, element->value) != 0)
        object->failed = true;
}

static struct sum put_format(struct json_object *object, json_t *formats, const struct tally *tally, unsigned format)
{
    struct json_object one = json_object_begin();
    json_t *codings = json_array();
    struct sum total = {.images = 0};
    char text[STORAGE_TEXT_BYTES];
    for (unsigned coding = 0; coding < CODINGS; coding++) {
        const struct sum *row = &tally->rows[format][coding];
        struct sum sum = {scaled(tally, row->images), scaled(tally, row->bytes), scaled(tally, row->stored_bytes)};
        if (row->images == 0)
            continue;
        struct json_object way = json_object_begin();
        json_put_count(&way, "coding", coding);
        json_put_string(&way, "method", storage_text(tally->reader, coding, text));
        put_sum(&way, &sum);
        append(object, codings, &way);
        add(&total, &sum);
    }
    if (total.images == 0) {
        json_decref(codings);
        json_decref(one.value);
        return total;
    }
    json_put_string(&one, "format", aimg_format_name(format));
    put_sum(&one, &total);
    json_put(&one, "codings", codings);
    append(object, formats, &one);
    return total;
}

static void put_all(struct json_object *object, struct tally *tally)
{
    uint64_t shared = scaled(tally, shared_bytes(tally));
    json_t *formats = json_array();
    struct sum total = {.images = 0};
    for (unsigned format = 0; format < FORMATS; format++) {
        struct sum sum = put_format(object, formats, tally, format);
        add(&total, &sum);
    }
    json_put_count(object, "aliases", scaled(tally, tally->aliases.count));
    json_put_count(object, "shared_bytes", shared);
    json_put_count(object, "original_bytes", total.bytes);
    json_put_count(object, "saved_bytes", total.bytes - total.stored_bytes + shared);
    json_put_bool(object, "estimated", tally->scale != 1);
    json_put(object, "formats", formats);
}

/* Whoever asks about an archive learns what there is also when some of its images are damaged. */
static enum aimg_status report_damage(const struct tally *tally, const char *path, struct aimg_error *error)
{
    char images[COUNT_TEXT_BYTES];
    if (tally->status == AIMG_IO || tally->status == AIMG_OUT_OF_MEMORY) {
        *error = tally->error;
        return tally->status;
    }
    if (tally->damaged > 0)
        output_warning("%s: %s left out of what is said of formats: %s", path,
                       reading_count(tally->damaged, "damaged image", images), tally->error.message);
    return AIMG_OK;
}

enum aimg_status storage_put(struct json_object *object, const struct aimg_reader *reader, const char *path,
                             struct aimg_error *error)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct tally tally = {.reader = reader, .status = AIMG_OK};
    enum aimg_status status = aimg_reader_info(reader, &info, error);
    if (status != AIMG_OK)
        return status;
    if (make_room(&tally, &info)) {
        count_all(&tally, &info);
        put_all(object, &tally);
    } else {
        object->failed = true;
    }
    free(tally.rows);
    free(tally.owners.all);
    free(tally.aliases.all);
    return report_damage(&tally, path, error);
}

/* ------------------------------------------------------------------ for people */

static uint64_t count_of(const json_t *object, const char *key)
{
    return (uint64_t)json_integer_value(json_object_get(object, key));
}

static void print_format(const json_t *format, const char *about)
{
    char images[COUNT_TEXT_BYTES], bytes[32], stored[32], count[32];
    const json_t *codings = json_object_get(format, "codings");
    printf("%s: %s%s, %s%s", json_string_value(json_object_get(format, "format")), about,
           reading_count(count_of(format, "images"), "image", images), about,
           output_size(count_of(format, "bytes"), bytes, sizeof bytes));
    if (count_of(format, "bytes") != count_of(format, "stored_bytes"))
        printf(" in %s", output_size(count_of(format, "stored_bytes"), stored, sizeof stored));
    for (size_t i = 0; i < json_array_size(codings); i++) {
        const json_t *coding = json_array_get(codings, i);
        fputs(i == 0 ? "; " : ", ", stdout);
        if (json_array_size(codings) > 1)
            printf("%s ", output_count(count_of(coding, "images"), count, sizeof count));
        fputs(json_string_value(json_object_get(coding, "method")), stdout);
    }
    putchar('\n');
}

void storage_print(const json_t *object)
{
    const json_t *formats = json_object_get(object, "formats");
    const char *about = json_is_true(json_object_get(object, "estimated")) ? "about " : "";
    uint64_t original = count_of(object, "original_bytes"), saved = count_of(object, "saved_bytes");
    char size[32], all[32], images[COUNT_TEXT_BYTES];
    for (size_t i = 0; i < json_array_size(formats); i++) {
        printf("%-14s", i == 0 ? "formats" : "");
        print_format(json_array_get(formats, i), about);
    }
    if (count_of(object, "aliases") > 0)
        printf("%-14s%s%s, %s%s shared with others\n", "aliases", about,
               reading_count(count_of(object, "aliases"), "image", images), about,
               output_size(count_of(object, "shared_bytes"), size, sizeof size));
    if (original > 0)
        printf("%-14s%s%s of %s (%.0f%%)\n", "saved", about, output_size(saved, size, sizeof size),
               output_size(original, all, sizeof all), 100 * (double)saved / (double)original);
}
