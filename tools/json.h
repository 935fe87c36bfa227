/* SPDX-License-Identifier: Apache-2.0 */
/* JSON objects that are filled field by field and printed once. A field that cannot be made is remembered, and printing then
 * fails. */
#ifndef AIMG_TOOLS_JSON_H
#define AIMG_TOOLS_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object {
    json_t *value;
    bool failed;
};

struct json_object json_object_begin(void);
/* Takes the reference of value; NULL counts as out of memory. */
void json_put(struct json_object *object, const char *key, json_t *value);
/* Text that is not UTF-8, which only a damaged archive holds, is put as output_escape writes it. */
void json_put_text(struct json_object *object, const char *key, const char *text, size_t bytes);
void json_put_string(struct json_object *object, const char *key, const char *text);
void json_put_count(struct json_object *object, const char *key, uint64_t count);
void json_put_bool(struct json_object *object, const char *key, bool value);
void json_put_hash(struct json_object *object, const char *key, const uint8_t hash[16]);

/* A number; above 2^63 - 1, which JSON readers cannot be trusted with, its digits as text. */
json_t *json_from_count(uint64_t count);
json_t *json_from_text(const char *text, size_t bytes);

/* Prints the object on one line of stdout and releases it. Returns an exit_code. */
int json_print(struct json_object *object);

/* A line is begin, fields, end. */
struct json_line {
    bool filled;
};

void json_line_begin(struct json_line *line);
void json_line_text(struct json_line *line, const char *key, const char *text, size_t bytes);
void json_line_count(struct json_line *line, const char *key, uint64_t count);
/* JSON as it stands. */
void json_line_raw(struct json_line *line, const char *key, const char *json, size_t bytes);
void json_line_end(struct json_line *line);

#endif
