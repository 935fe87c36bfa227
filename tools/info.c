/* SPDX-License-Identifier: Apache-2.0 */
/* The facts are put into a JSON object once; the table for people is printed from the same object. */
#include "info.h"

#include "cmd.h"
#include "info_storage.h"
#include "json.h"
#include "output.h"
#include "reading.h"
#include "value_type.h"
#include "values.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ESCAPED_BYTES = 4 * 1024 + 1, SHOWN_BYTES = 200, NAME_ROOM = 1024 + 1 };

/* ------------------------------------------------------------------ printing */

static void print_text(const json_t *value)
{
    char escaped[ESCAPED_BYTES];

    fputs(output_escape(json_string_value(value), json_string_length(value), escaped, sizeof escaped), stdout);
}

static void print_count(const json_t *value)
{
    char text[32];

    fputs(output_count((uint64_t)json_integer_value(value), text, sizeof text), stdout);
}

static void print_size(const json_t *value)
{
    char size[32], count[32];
    uint64_t bytes = (uint64_t)json_integer_value(value);

    printf("%s (%s bytes)", output_size(bytes, size, sizeof size), output_count(bytes, count, sizeof count));
}

static void print_average(const json_t *value)
{
    printf("%.1f bytes an image", json_real_value(value));
}

static void print_flag(const json_t *value)
{
    fputs(json_is_true(value) ? "yes" : "no", stdout);
}

/* Long lists and texts are cut: the whole of them is in --json. */
static void print_value(const json_t *value)
{
    char *text;

    if (json_is_string(value)) {
        print_text(value);
        return;
    }
    text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
    if (text != NULL)
        printf("%.*s%s", SHOWN_BYTES, text, strlen(text) > SHOWN_BYTES ? " ..." : "");
    free(text);
}

struct row {
    const char *key, *label;
    void (*print)(const json_t *value);
    bool rare; /* no row when it is 0, or no */
};

static void print_rows(const struct row *rows, const json_t *object)
{
    const json_t *value;

    for (; rows->key != NULL; rows++) {
        value = json_object_get(object, rows->key);
        /* Only what is there is worth a line. */
        if (value == NULL || (rows->rare && !json_is_true(value) && json_integer_value(value) == 0))
            continue;
        printf("%-14s", rows->label);
        rows->print(value);
        putchar('\n');
    }
}

/* ------------------------------------------------------------------ the archive */

static const struct row archive_rows[] = {
    {"path", "archive", print_text, false},
    {"format_version", "format", print_text, false},
    {"uuid", "uuid", print_text, false},
    {"writer", "written by", print_text, false},
    {"images", "images", print_count, false},
    {"ordinals", "ordinals", print_count, false},
    {"removed", "removed", print_count, false},
    {"attachments", "attachments", print_count, false},
    {"commits", "commits", print_count, false},
    {"created", "created", print_text, false},
    {"last_commit", "last commit", print_text, false},
    {"file_bytes", "file", print_size, false},
    {"stored_bytes", "stored", print_size, false},
    {"overhead_bytes", "overhead", print_size, false},
    {"overhead_bytes_per_image", "", print_average, false},
    {"dictionaries", "dictionaries", print_count, false},
    {"alignment", "alignment", print_count, false},
    {"root", "root", print_text, false},
    {"runs", "runs", print_count, false},
    {"name_tables", "name tables", print_count, false},
    {"sealed", "sealed", print_flag, false},
    {"torn_tail_bytes", "torn tail", print_size, true},
    {NULL, NULL, NULL, false},
};

static const char *uuid_text(const uint8_t uuid[16], char text[37])
{
    static const char dashes[16] = {[4] = 1, [6] = 1, [8] = 1, [10] = 1};
    char *end = text;

    for (int i = 0; i < 16; i++)
        end += sprintf(end, dashes[i] ? "-%02x" : "%02x", uuid[i]);
    return text;
}

static void put_time(struct json_object *object, const char *key, const char *key_ns, uint64_t time_ns)
{
    char time[TIME_TEXT_BYTES];

    json_put_string(object, key, reading_time(time_ns, time));
    json_put_count(object, key_ns, time_ns);
}

static enum aimg_status put_times(struct json_object *object, const struct aimg_reader *reader, const struct aimg_info *info,
                                  struct aimg_error *error)
{
    struct aimg_commit last;
    enum aimg_status status;

    put_time(object, "created", "created_ns", info->created_ns);
    if (info->commit_count == 0)
        return AIMG_OK;
    status = aimg_reader_commit(reader, info->commit_count - 1, &last, error);
    if (status == AIMG_OK)
        put_time(object, "last_commit", "last_commit_ns", last.time_ns);
    return status;
}

/* Overhead is all that is not the bytes of an image that can still be reached, so removed images count as overhead. Bytes that
 * images share count once, as far as storage_put could tell. */
static void put_sizes(struct json_object *object, const struct aimg_info *info)
{
    uint64_t images = info->ordinal_count - info->dead_count;
    uint64_t shared = (uint64_t)json_integer_value(json_object_get(object->value, "shared_bytes"));
    uint64_t stored = info->live_stored_bytes > shared ? info->live_stored_bytes - shared : 0;
    uint64_t overhead = info->file_bytes > stored ? info->file_bytes - stored : 0;

    json_put_count(object, "file_bytes", info->file_bytes);
    json_put_count(object, "stored_bytes", stored);
    json_put_count(object, "overhead_bytes", overhead);
    if (images > 0)
        json_put(object, "overhead_bytes_per_image", json_real((double)overhead / (double)images));
}

static enum aimg_status put_column_types(struct json_object *object, const struct aimg_reader *reader, uint32_t count,
                                         struct aimg_error *error)
{
    json_t *columns = json_array();
    enum aimg_status status = AIMG_OK;
    char name[VALUE_TYPE_TEXT_BYTES];
    struct aimg_column column;

    for (uint32_t i = 0; i < count; i++) {
        struct json_object one;
        struct value_type type;

        status = aimg_reader_column(reader, i, &column, error);
        if (status != AIMG_OK)
            break;
        one = json_object_begin();
        json_put_text(&one, "name", column.name, column.name_bytes);
        type = value_type_of(&column);
        json_put_string(&one, "type", value_type_name(&type, name));
        if (column.type == AIMG_TYPE_DICTIONARY)
            json_put_count(&one, "values", column.dictionary_count);
        if (json_array_append_new(columns, one.value) != 0 || one.failed)
            object->failed = true;
    }
    json_put(object, "columns", columns);
    return status;
}

static int put_pair(void *user, const char *key, const char *value, size_t value_bytes)
{
    json_put_text(user, key, value, value_bytes);
    return 0;
}

static enum aimg_status put_metadata(struct json_object *object, const struct aimg_reader *reader, struct aimg_error *error)
{
    struct json_object pairs = json_object_begin();
    enum aimg_status status = aimg_reader_each_meta(reader, put_pair, &pairs, error);

    object->failed = object->failed || pairs.failed;
    json_put(object, "meta", pairs.value);
    return status;
}

/* Long values are cut: 'aimg meta' has all of them. */
static void print_metadata(json_t *pairs)
{
    const char *key, *label = "metadata";
    json_t *value;

    json_object_foreach(pairs, key, value)
    {
        char escaped[ESCAPED_BYTES];
        const char *text = json_string_value(value);
        size_t bytes = json_string_length(value), shown = bytes < SHOWN_BYTES ? bytes : SHOWN_BYTES;

        while (shown < bytes && shown > 0 && ((unsigned char)text[shown] & 0xC0) == 0x80)
            shown--; /* not within a character */
        printf("%-14s%s=", label, output_escape(key, strlen(key), escaped, sizeof escaped));
        printf("%s%s\n", output_escape(text, shown, escaped, sizeof escaped), shown < bytes ? " ..." : "");
        label = "";
    }
}

static void print_lists(const json_t *object)
{
    const json_t *columns = json_object_get(object, "columns"), *values;

    print_metadata(json_object_get(object, "meta"));
    storage_print(object);
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const json_t *one = json_array_get(columns, i);

        printf("%-14s", i == 0 ? "columns" : "");
        print_text(json_object_get(one, "name"));
        printf(" %s", json_string_value(json_object_get(one, "type")));
        values = json_object_get(one, "values");
        if (values != NULL) {
            fputs(" of ", stdout);
            print_count(values);
            fputs(" values", stdout);
        }
        putchar('\n');
    }
}

static enum aimg_status fill_archive(struct json_object *object, const struct aimg_reader *reader, const char *path,
                                     struct aimg_error *error)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    enum aimg_status status = aimg_reader_info(reader, &info, error);
    char text[40];

    if (status != AIMG_OK)
        return status;
    json_put_string(object, "schema", "aimg.info/1");
    json_put_string(object, "path", path);
    snprintf(text, sizeof text, "%u.%u", info.version_major, info.version_minor);
    json_put_string(object, "format_version", text);
    json_put_string(object, "uuid", uuid_text(info.uuid, text));
    json_put_string(object, "writer", info.writer);
    json_put_count(object, "images", info.listed_count);
    json_put_count(object, "ordinals", info.ordinal_count);
    json_put_count(object, "removed", info.dead_count);
    json_put_count(object, "attachments", info.ordinal_count - info.listed_count - info.dead_count);
    json_put_count(object, "commits", info.commit_count);
    json_put_count(object, "dictionaries", info.coding_count);
    json_put_count(object, "alignment", info.alignment);
    json_put_hash(object, "root", info.chain);
    json_put_count(object, "runs", info.run_count);
    json_put_count(object, "name_tables", info.name_run_count);
    json_put_bool(object, "sealed", info.sealed != 0);
    json_put_count(object, "torn_tail_bytes", info.being_written != 0 ? 0 : info.tail_bytes);
    status = put_times(object, reader, &info, error);
    if (status == AIMG_OK)
        status = put_metadata(object, reader, error);
    if (status == AIMG_OK)
        status = put_column_types(object, reader, info.column_count, error);
    if (status == AIMG_OK)
        status = storage_put(object, reader, path, error);
    put_sizes(object, &info);
    return status;
}

/* ------------------------------------------------------------------ an image */

static const struct row image_rows[] = {
    {"name", "name", print_text, false},
    {"position", "position", print_count, false},
    {"attachment", "attachment", print_flag, true},
    {"ordinal", "ordinal", print_count, false},
    {"format", "format", print_text, false},
    {"bytes", "bytes", print_size, false},
    {"stored_bytes", "stored", print_size, false},
    {"method", "coding", print_text, false},
    {"offset", "offset", print_count, false},
    {"frame_offset", "frame offset", print_count, false},
    {"alias", "alias", print_flag, false},
    {"xxh128", "xxh128", print_text, false},
    {NULL, NULL, NULL, false},
};

/* The name of an image that a column leads to; its ordinal stays where it has none, or is removed. */
static enum aimg_status name_image(const struct aimg_reader *reader, json_t **value, struct aimg_error *error)
{
    uint32_t ordinal = (uint32_t)json_integer_value(*value);
    struct aimg_entry entry;
    char name[NAME_ROOM];
    size_t bytes = 0;
    json_t *text;
    enum aimg_status status = aimg_reader_entry(reader, ordinal, &entry, error);

    if (status == AIMG_OK && !entry.dead)
        status = aimg_reader_name(reader, ordinal, name, sizeof name, &bytes, error);
    if (status != AIMG_OK || bytes == 0)
        return status;
    text = json_from_text(name, bytes);
    json_decref(*value);
    *value = text;
    return AIMG_OK;
}

static enum aimg_status put_values(struct json_object *object, const struct aimg_reader *reader, uint32_t ordinal,
                                   struct aimg_error *error)
{
    struct json_object values = json_object_begin();
    struct aimg_column column;
    enum aimg_status status = AIMG_OK;
    json_t *value;

    for (uint32_t i = 0; status == AIMG_OK; i++) {
        status = aimg_reader_column(reader, i, &column, error);
        if (status == AIMG_OK)
            status = value_json(reader, &column, ordinal, &value, error);
        if (status == AIMG_OK && column.type == AIMG_TYPE_IMAGE && json_is_integer(value))
            status = name_image(reader, &value, error);
        if (status == AIMG_OK)
            json_put(&values, column.name, value);
    }
    object->failed = object->failed || values.failed;
    json_put(object, "columns", values.value);
    return status == AIMG_NOT_FOUND ? AIMG_OK : status;
}

static void print_values(const json_t *object)
{
    const char *name;
    json_t *value;

    json_object_foreach(json_object_get(object, "columns"), name, value)
    {
        char escaped[ESCAPED_BYTES];

        printf("%-13s ", output_escape(name, strlen(name), escaped, sizeof escaped));
        print_value(value);
        putchar('\n');
    }
}

static void put_entry(struct json_object *object, const struct aimg_reader *reader, const struct aimg_entry *entry)
{
    char method[STORAGE_TEXT_BYTES];

    json_put_string(object, "format", aimg_format_name(entry->format));
    json_put_count(object, "bytes", entry->raw_bytes);
    json_put_count(object, "stored_bytes", entry->stored_bytes);
    json_put_count(object, "coding", entry->coding);
    json_put_string(object, "method", storage_text(reader, entry->coding, method));
    json_put_count(object, "offset", entry->data_offset);
    json_put_count(object, "frame_offset", entry->frame_offset);
    json_put_bool(object, "alias", entry->alias != 0);
    json_put_hash(object, "xxh128", entry->hash);
}

static enum aimg_status fill_image(struct json_object *object, const struct aimg_reader *reader, uint32_t ordinal,
                                   struct aimg_error *error)
{
    char name[NAME_ROOM];
    size_t name_bytes;
    uint64_t position = 0;
    struct aimg_entry entry;
    enum aimg_status status = aimg_reader_name(reader, ordinal, name, sizeof name, &name_bytes, error);

    if (status == AIMG_OK)
        status = aimg_reader_entry(reader, ordinal, &entry, error);
    if (status == AIMG_OK && !entry.attachment)
        status = aimg_reader_position_of(reader, ordinal, &position, error);
    if (status != AIMG_OK)
        return status;
    json_put_string(object, "schema", "aimg.info-image/1");
    json_put_text(object, "name", name, name_bytes);
    if (!entry.attachment)
        json_put_count(object, "position", position);
    json_put_bool(object, "attachment", entry.attachment != 0);
    json_put_count(object, "ordinal", ordinal);
    put_entry(object, reader, &entry);
    return put_values(object, reader, ordinal, error);
}

/* ------------------------------------------------------------------ both */

/* What could be had is shown also when something was damaged. */
static int show(struct json_object *object, const struct row *rows, void (*print_columns)(const json_t *object), bool json)
{
    if (json_object_size(object->value) == 0 && !object->failed) {
        json_decref(object->value);
        return EXIT_DONE;
    }
    if (json || object->failed)
        return json_print(object);
    print_rows(rows, object->value);
    print_columns(object->value);
    json_decref(object->value);
    return EXIT_DONE;
}

int info_archive(const struct aimg_reader *reader, const char *path, bool json)
{
    struct json_object object = json_object_begin();
    struct aimg_error error;
    enum aimg_status status = fill_archive(&object, reader, path, &error);
    int code = status == AIMG_OK ? EXIT_DONE : output_status(path, status, &error);

    return worse_code(code, show(&object, archive_rows, print_lists, json));
}

int info_image(const struct aimg_reader *reader, const char *path, uint32_t ordinal, bool json)
{
    struct json_object object = json_object_begin();
    struct aimg_error error;
    enum aimg_status status = fill_image(&object, reader, ordinal, &error);
    int code = status == AIMG_OK ? EXIT_DONE : output_status(path, status, &error);

    return worse_code(code, show(&object, image_rows, print_values, json));
}
