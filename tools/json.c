/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include "cmd.h"
#include "output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct json_object json_object_begin(void)
{
    struct json_object object = {.value = json_object()};

    object.failed = object.value == NULL;
    return object;
}

void json_put(struct json_object *object, const char *key, json_t *value)
{
    /* jansson takes a NULL value for an error and releases the value when it fails. */
    if (json_object_set_new_nocheck(object->value, key, value) != 0)
        object->failed = true;
}

json_t *json_from_text(const char *text, size_t bytes)
{
    json_t *value = json_stringn(text, bytes);
    char *escaped;
    size_t room = bytes * 4 + 1;

    if (value != NULL)
        return value;
    escaped = malloc(room);
    if (escaped == NULL)
        return NULL;
    value = json_string(output_escape(text, bytes, escaped, room));
    free(escaped);
    return value;
}

json_t *json_from_count(uint64_t count)
{
    char digits[24];

    if (count <= INT64_MAX)
        return json_integer((json_int_t)count);
    snprintf(digits, sizeof digits, "%" PRIu64, count);
    return json_string(digits);
}

void json_put_text(struct json_object *object, const char *key, const char *text, size_t bytes)
{
    json_put(object, key, json_from_text(text, bytes));
}

void json_put_string(struct json_object *object, const char *key, const char *text)
{
    json_put_text(object, key, text, strlen(text));
}

void json_put_count(struct json_object *object, const char *key, uint64_t count)
{
    json_put(object, key, json_from_count(count));
}

void json_put_bool(struct json_object *object, const char *key, bool value)
{
    json_put(object, key, json_boolean(value));
}

void json_put_hash(struct json_object *object, const char *key, const uint8_t hash[16])
{
    char digits[33];

    json_put(object, key, json_string(output_hash(hash, digits)));
}

static int print_piece(const char *text, size_t bytes, void *user)
{
    (void)user;
    /* A full disk or a closed pipe is told once, by output_finish. */
    fwrite_unlocked(text, 1, bytes, stdout);
    return 0;
}

int json_print(struct json_object *object)
{
    bool failed = object->failed || json_dump_callback(object->value, print_piece, NULL, JSON_COMPACT) != 0;

    json_decref(object->value);
    object->value = NULL;
    if (failed) {
        output_error("out of memory for the JSON output; it is not complete");
        return EXIT_SYSTEM;
    }
    putc_unlocked('\n', stdout);
    return EXIT_DONE;
}
