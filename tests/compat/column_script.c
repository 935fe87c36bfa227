/* SPDX-License-Identifier: Apache-2.0 */
/* Writes an archive by a script on stdin, one command a line: what a test in another language wants the library to do.
 *
 *   column NAME TYPE WIDTH LIST      add COUNT      set ORDINAL COLUMN HEX      null ORDINAL COLUMN
 *   array COLUMN FIRST COUNT HEX     remove ORDINAL      commit      seal
 *
 * COLUMN is an id. HEX may be "-": nothing. */
#include <aimg/aimg.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MAX_BYTES = 1 << 20 };

static struct aimg_error error;
static uint8_t data[LINE_MAX_BYTES];
static uint32_t added;

static void fail(const char *what)
{
    fprintf(stderr, "column_script: %s: %s\n", what, error.message);
    exit(1);
}

static void check(enum aimg_status status, const char *what)
{
    if (status != AIMG_OK)
        fail(what);
}

static size_t take_hex(const char *hex)
{
    size_t bytes = 0;
    for (; hex[0] != '-' && hex[0] != 0; hex += 2) {
        char pair[3] = {hex[0], hex[1], 0};
        data[bytes++] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return bytes;
}

static void add(struct aimg_writer *writer, uint32_t count)
{
    char name[16];
    struct aimg_image image = {.struct_bytes = sizeof image, .name = name, .data = name};
    for (; count > 0; count--) {
        image.data_bytes = image.name_bytes = (size_t)snprintf(name, sizeof name, "%u", added++);
        check(aimg_writer_add(writer, &image, NULL, &error), "add");
    }
}

static void define(struct aimg_writer *writer, const char *rest)
{
    char name[100];
    int type, list;
    unsigned width;
    uint32_t id;
    if (sscanf(rest, "%99s %d %u %d", name, &type, &width, &list) != 4)
        fail("column");
    check(aimg_writer_column(writer, name, (enum aimg_type)type, width, list, &id, &error), "column");
    printf("%u\n", id);
    fflush(stdout);
}

static void perform(struct aimg_writer *writer, const char *verb, const char *rest, char *hex)
{
    unsigned a = 0, b = 0, c = 0;
    struct aimg_value value = {.data = data};
    (void)sscanf(rest, "%u %u %u", &a, &b, &c);
    if (strcmp(verb, "column") == 0) {
        define(writer, rest);
    } else if (strcmp(verb, "add") == 0) {
        add(writer, a);
    } else if (strcmp(verb, "set") == 0 || strcmp(verb, "null") == 0) {
        value.column = b;
        value.flags = verb[0] == 'n' ? AIMG_VALUE_NULL : 0;
        value.bytes = take_hex(hex);
        check(aimg_writer_set(writer, a, &value, &error), verb);
    } else if (strcmp(verb, "array") == 0) {
        (void)take_hex(hex);
        check(aimg_writer_set_array(writer, a, b, c, data, NULL, &error), verb);
    } else if (strcmp(verb, "remove") == 0) {
        check(aimg_writer_remove(writer, a, &error), verb);
    } else if (strcmp(verb, "commit") == 0) {
        check(aimg_writer_commit(writer, NULL, &error), verb);
    } else if (strcmp(verb, "seal") == 0) {
        check(aimg_writer_seal(writer, NULL, &error), verb);
    } else {
        fail(verb);
    }
}

int main(int argc, char **argv)
{
    static char line[LINE_MAX_BYTES];
    struct aimg_writer *writer = NULL;
    if (argc != 2)
        fail("usage: column_script ARCHIVE < SCRIPT");
    check(aimg_writer_create(argv[1], NULL, &writer, &error), "create");
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = 0;
        char *rest = strchr(line, ' '), *hex = strrchr(line, ' ');
        if (rest != NULL)
            *rest++ = 0;
        perform(writer, line, rest == NULL ? "" : rest, hex == NULL ? "" : hex + 1);
    }
    check(aimg_writer_close(writer, &error), "close");
    return 0;
}
