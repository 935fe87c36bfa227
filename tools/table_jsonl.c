/* SPDX-License-Identifier: Apache-2.0 */
/* JSON lines, by jansson: one object a line, its key "name" says which image. */
#include "table.h"

#include "cmd.h"

#include <stdlib.h>
#include <string.h>

static bool is_blank(const char *line, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r' && line[i] != '\n')
            return false;
    return true;
}

/* At least as many values as the line has, by the commas and brackets outside of its strings. */
static size_t count_values(const char *line, size_t bytes)
{
    size_t count = 1;
    bool string = false;

    for (size_t i = 0; i < bytes; i++) {
        if (line[i] == '"')
            string = !string;
        else if (string)
            i += line[i] == '\\';
        else
            count += line[i] == ',' || line[i] == '[' || line[i] == '{';
    }
    return count;
}

static int check_values(const struct table *table, const char *line, size_t bytes)
{
    /* Each takes a byte: hardly a line needs to be looked at. */
    if (bytes <= TABLE_JSON_VALUES_MOST || count_values(line, bytes) <= TABLE_JSON_VALUES_MOST)
        return EXIT_DONE;
    return table_error(table, "the line has more than %d values, those in arrays counted; CSV takes longer arrays",
                       TABLE_JSON_VALUES_MOST);
}

/* Rows mostly have the same keys in the same order: the search begins where the last one ended. */
static int find_column(struct table *table, const char *key, uint32_t *at)
{
    for (uint32_t i = 0; i < table->count; i++) {
        uint32_t candidate = (*at + i) % table->count;

        if (strcmp(table->heads[candidate], key) != 0)
            continue;
        *at = candidate;
        return EXIT_DONE;
    }
    *at = table->count;
    return table_add_column(table, key, strlen(key));
}

static struct table_cell cell_of(const json_t *value)
{
    if (json_is_null(value))
        return (struct table_cell){.kind = TABLE_NULL};
    if (json_is_string(value))
        return (struct table_cell){
            .kind = TABLE_TEXT, .is_string = true, .text = json_string_value(value), .bytes = json_string_length(value)};
    return (struct table_cell){.kind = TABLE_JSON, .json = value};
}

static int fill_cells(struct table *table)
{
    const char *key;
    json_t *value;
    uint32_t at = 0;

    for (uint32_t i = 0; i < table->count; i++)
        table->cells[i] = (struct table_cell){.kind = TABLE_ABSENT};
    json_object_foreach(table->object, key, value)
    {
        int code = find_column(table, key, &at);

        if (code != EXIT_DONE)
            return code;
        table->cells[at] = cell_of(value);
        at++;
    }
    if (table->cells[0].kind == TABLE_ABSENT)
        return table_error(table, "the object has no key \"name\", which says which image it is about");
    if (table->cells[0].kind != TABLE_TEXT)
        return table_error(table, "the value of \"name\" is not a string");
    return EXIT_DONE;
}

int table_jsonl_next(struct table *table, bool *row_out)
{
    const char *line;
    size_t bytes;
    json_error_t error;
    int code;

    json_decref(table->object);
    table->object = NULL;
    do {
        code = table_line(table, &line, &bytes);
        if (code != EXIT_DONE)
            return code;
    } while (line != NULL && is_blank(line, bytes));
    table->row = table->line;
    *row_out = line != NULL;
    if (line == NULL)
        return EXIT_DONE;
    code = check_values(table, line, bytes);
    if (code != EXIT_DONE)
        return code;
    table->object = json_loadb(line, bytes, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (table->object == NULL && json_error_code(&error) == json_error_out_of_memory) {
        output_error("%s: out of memory for line %llu", table->path, (unsigned long long)table->row);
        return EXIT_SYSTEM;
    }
    if (table->object == NULL)
        return table_error(table, "not JSON, at byte %d: %s; there must be one object a line", error.position, error.text);
    if (!json_is_object(table->object))
        return table_error(table,
                           "not a JSON object; there must be one object a line, as {\"name\": \"cat/1.jpg\", \"score\": 0.5}");
    return fill_cells(table);
}
