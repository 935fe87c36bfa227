/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"
#include "little.h"
#include "output.h"
#include "values.h"

#include <stdlib.h>
#include <string.h>

static bool is_showable(const struct aimg_column *column)
{
    bool whole = column->type >= AIMG_TYPE_BOOL && column->type <= AIMG_TYPE_U64;

    return !column->list && column->width == 1 && (whole || column->type == AIMG_TYPE_DICTIONARY);
}

void cursor_begin(struct cursor *cursor, const struct aimg_reader *reader, const char *path, const char *column)
{
    *cursor = (struct cursor){.reader = reader, .path = path};
    cursor->present = aimg_reader_column_find(reader, column, &cursor->column, NULL) == AIMG_OK && is_showable(&cursor->column);
}

void cursor_end(struct cursor *cursor)
{
    for (size_t i = 0; cursor->texts != NULL && i < CURSOR_TEXTS; i++)
        free(cursor->texts[i].text);
    free(cursor->texts);
    cursor->texts = NULL;
    free(cursor->long_text.text);
    cursor->long_text.text = NULL;
}

static void fail(struct cursor *cursor, enum aimg_status status, const struct aimg_error *error)
{
    cursor->code = output_status(cursor->path, status, error);
    output_error("%s: the column '%s' is left out", cursor->path, cursor->column.name);
    cursor->present = false;
}

static void fail_memory(struct cursor *cursor)
{
    cursor->code = EXIT_SYSTEM;
    output_error("%s: out of memory for a value of the column '%s', which is left out", cursor->path, cursor->column.name);
    cursor->present = false;
}

bool cursor_number(struct cursor *cursor, uint32_t ordinal, uint64_t *number_out)
{
    struct aimg_chunk *chunk = &cursor->chunk;
    struct aimg_error error;
    enum aimg_status status;
    const uint8_t *bytes;
    uint32_t row;

    if (!cursor->present)
        return false;
    if (ordinal < chunk->first || ordinal - chunk->first >= chunk->count) {
        status = aimg_reader_chunk(cursor->reader, cursor->column.index, ordinal, chunk, &error);
        if (status != AIMG_OK) {
            fail(cursor, status, &error);
            return false;
        }
    }
    row = ordinal - chunk->first;
    if (chunk->values == NULL || (chunk->validity != NULL && (chunk->validity[row / 8] >> row % 8 & 1) == 0))
        return false;
    bytes = (const uint8_t *)chunk->values + (size_t)row * chunk->element_bytes;
    *number_out = little_number(bytes, chunk->element_bytes);
    return true;
}

/* One that is long, alone: a thousand of them would fill the memory. */
static const struct cursor_text *load_long(struct cursor *cursor, uint32_t code, size_t bytes)
{
    struct cursor_text *place = &cursor->long_text;
    struct aimg_error error;
    enum aimg_status status;
    char *text = realloc(place->text, bytes + 1);

    if (text == NULL) {
        fail_memory(cursor);
        return NULL;
    }
    place->text = text;
    status = aimg_reader_dictionary(cursor->reader, cursor->column.index, code, text, bytes, &bytes, &error);
    if (status != AIMG_OK) {
        fail(cursor, status, &error);
        return NULL;
    }
    text[bytes] = '\0';
    *place = (struct cursor_text){.code = code, .bytes = bytes, .text = text};
    return place;
}

/* The place for a code, filled; NULL when the text cannot be had. */
static const struct cursor_text *load_text(struct cursor *cursor, uint32_t code)
{
    struct cursor_text *place = &cursor->texts[code % CURSOR_TEXTS];
    char buffer[CURSOR_TEXT_BYTES];
    struct aimg_error error;
    enum aimg_status status;
    char *text;
    size_t bytes;

    if (place->text != NULL && place->code == code)
        return place;
    if (cursor->long_text.text != NULL && cursor->long_text.code == code)
        return &cursor->long_text;
    status = aimg_reader_dictionary(cursor->reader, cursor->column.index, code, buffer, sizeof buffer - 1, &bytes, &error);
    if (status == AIMG_BUFFER_TOO_SMALL)
        return load_long(cursor, code, bytes);
    if (status != AIMG_OK) {
        fail(cursor, status, &error);
        return NULL;
    }
    text = realloc(place->text, bytes + 1);
    if (text == NULL) {
        fail_memory(cursor);
        return NULL;
    }
    memcpy(text, buffer, bytes);
    text[bytes] = '\0';
    *place = (struct cursor_text){.code = code, .bytes = bytes, .text = text};
    return place;
}

bool cursor_text(struct cursor *cursor, uint32_t ordinal, const char **text_out, size_t *bytes_out)
{
    const struct cursor_text *place;
    uint64_t code;

    if (cursor->column.type != AIMG_TYPE_DICTIONARY || !cursor_number(cursor, ordinal, &code))
        return false;
    if (cursor->texts == NULL)
        cursor->texts = calloc(CURSOR_TEXTS, sizeof *cursor->texts);
    if (cursor->texts == NULL) {
        fail_memory(cursor);
        return false;
    }
    place = load_text(cursor, (uint32_t)code);
    if (place == NULL)
        return false;
    *text_out = place->text;
    *bytes_out = place->bytes;
    return true;
}
