/* SPDX-License-Identifier: Apache-2.0 */
/* Columns as the tool shows them. */
#ifndef AIMG_TOOLS_VALUES_H
#define AIMG_TOOLS_VALUES_H

#include <aimg/aimg.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    CURSOR_TEXTS = 1024,     /* dictionary texts that a cursor keeps, by code modulo this */
    CURSOR_TEXT_BYTES = 4096 /* the longest of those */
};

struct cursor_text {
    uint32_t code;
    size_t bytes;
    char *text; /* NULL: this place is free */
};

/* Reads one integer or dictionary column for ordinals that mostly ascend: a chunk is asked for, and hashed, once and not for each
 * row. */
struct cursor {
    const struct aimg_reader *reader;
    const char *path;
    struct aimg_column column;
    struct aimg_chunk chunk;
    struct cursor_text *texts;
    struct cursor_text long_text; /* the last that was longer */
    bool present;                 /* the archive has this column, with a type that can be shown, and it was not found damaged */
    int code;                     /* exit_code of what went wrong so far */
};

/* The reader must have a map. An archive without the column gives a cursor that is not present. */
void cursor_begin(struct cursor *cursor, const struct aimg_reader *reader, const char *path, const char *column);
void cursor_end(struct cursor *cursor);
/* False when the row has no value. A damaged column is reported once. */
bool cursor_number(struct cursor *cursor, uint32_t ordinal, uint64_t *number_out);
/* Text of a dictionary column; *text_out ends with a zero byte and lives until the next call. */
bool cursor_text(struct cursor *cursor, uint32_t ordinal, const char **text_out, size_t *bytes_out);

/* Value of any column as JSON: a null row gives JSON null, bytes give hexadecimal digits, a dictionary its text, an image its
 * ordinal, NaN and infinities null. AIMG_OK and a new reference, else the status. */
enum aimg_status value_json(const struct aimg_reader *reader, const struct aimg_column *column, uint32_t ordinal,
                            json_t **value_out, struct aimg_error *error);

#endif
