/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a file of values, CSV or JSON lines as FUZZ_TABLE_FORMAT says: as 'set' reads it, row by row, each cell in every
 * type, and as 'pack --columns' holds it in memory. Read or refused, the same way twice. */
#include "harness.h"

#include "cmd.h"
#include "infer.h"
#include "table.h"
#include "value_file.h"
#include "value_parse.h"
#include "writing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Of the part of the tool that writes to an archive, to which no value gets here. */
int writing_failed(const char *path, enum aimg_status status, const struct aimg_error *error)
{
    (void)path;
    (void)status;
    (void)error;
    abort();
}

/* Every cell in every type: values are whole elements, and texts are those of the cell. */
static void parse_cell(const struct table_cell *cell)
{
    static const char *const names[] = {"bool", "u8",    "i64",  "u64",       "f16",        "f32[4]",
                                        "f64",  "bytes", "utf8", "list<u16>", "list<i8[2]>"};
    enum { TYPES = sizeof names / sizeof names[0] };
    static struct value_type types[TYPES];
    static struct buffer value;
    for (size_t i = 0; i < TYPES; i++) {
        char why[VALUE_WHY_BYTES] = "";
        require(types[i].width > 0 || value_type_parse(names[i], strlen(names[i]), &types[i]));
        value.bytes = 0;
        enum value_answer answer = value_parse(&types[i], cell, &value, why);
        size_t element = value_type_element_bytes(types[i].type) * types[i].width;
        require(answer != VALUE_NO_MEMORY && (answer == VALUE_WRONG) == (why[0] != '\0'));
        if (answer == VALUE_THERE && element > 0)
            require(types[i].list ? value.bytes % element == 0 : value.bytes == element);
        if (answer == VALUE_THERE && types[i].type == AIMG_TYPE_UTF8)
            require(value.bytes == cell->bytes && (value.bytes == 0 || memcmp(value.data, cell->text, value.bytes) == 0));
    }
}

/* All rows: a number that stands for what is in them. */
static uint64_t read_rows(struct table *table, struct infer *infer, int *code_out)
{
    uint64_t sum = 0;
    bool row = true;
    while ((*code_out = table_next(table, &row)) == EXIT_DONE && row) {
        sum = sum * 31 + table->row;
        for (uint32_t i = 0; i < table->count; i++) {
            const struct table_cell *cell = &table->cells[i];
            if (cell->kind == TABLE_ABSENT) /* columns that come later are known the second time */
                continue;
            sum = (sum * 31 + i) * 31 + (uint64_t)cell->kind + cell->bytes;
            if (infer == NULL)
                continue;
            require(infer_cell(infer, cell, table->row));
            parse_cell(cell);
        }
    }
    return sum;
}

static void read_twice(const char *path)
{
    char why[INFER_WHY_BYTES];
    struct table table;
    struct infer infer = {.texts = 0};
    struct value_type type;
    int first, second;
    if (table_open(&table, path, FUZZ_TABLE_FORMAT) != EXIT_DONE)
        return;
    uint64_t sum = read_rows(&table, &infer, &first);
    require(first == EXIT_DONE || first == EXIT_NO);
    require(table_rewind(&table) == EXIT_DONE);
    if (first == EXIT_DONE)
        require(read_rows(&table, NULL, &second) == sum && second == first);
    (void)infer_type(&infer, &type, why);
    infer_free(&infer);
    table_close(&table);
}

static void hold(const char *path)
{
    struct value_file file = {.open = false};
    file.open = table_open(&file.table, path, FUZZ_TABLE_FORMAT) == EXIT_DONE; /* no name that would say the format */
    if (file.open && value_file_load(&file, NULL, "archive") == EXIT_DONE)
        for (size_t i = 0; i < file.row_count && i < 8; i++)
            require(value_file_find(&file, file.rows[i]->name, file.rows[i]->name_bytes) == file.rows[i]);
    value_file_free(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static int fd = -1;
    static char path[32];
    if (fd < 0) { /* messages are thrown away; a sanitizer writes to the descriptor */
        fd = memfd_create("values", MFD_CLOEXEC);
        stderr = fopen("/dev/null", "we");
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        require(fd >= 0 && stderr != NULL);
    }
    require(ftruncate(fd, 0) == 0 && pwrite(fd, data, bytes, 0) == (ssize_t)bytes);
    read_twice(path);
    hold(path);
    return 0;
}
