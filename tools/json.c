/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include "cmd.h"
#include "output.h"
#include "utf8.h"

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

/* JSON need not escape U+007F to U+009F, but terminals act on some of them. jansson cuts no character in two. */
static int print_piece(const char *text, size_t bytes, void *user)
{
    size_t begin = 0;

    (void)user;
    /* A full disk or a closed pipe is told once, by output_finish. */
    for (size_t at = 0; at < bytes; at++) {
        const unsigned char *place = (const unsigned char *)text + at;
        size_t sequence = utf8_sequence(place, bytes - at);

        if (sequence == 0 || *place < 0x7F || !utf8_is_control(place, sequence))
            continue;
        fwrite_unlocked(text + begin, 1, at - begin, stdout);
        printf("\\u%04X", place[sequence - 1]);
        at += sequence - 1;
        begin = at + 1;
    }
    fwrite_unlocked(text + begin, 1, bytes - begin, stdout);
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
