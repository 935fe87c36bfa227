/* SPDX-License-Identifier: Apache-2.0 */
#include "oom_set.h"

#include <string.h>

struct work {
    struct aimg_writer *writer;
    uint32_t number, text; /* columns */
    struct aimg_error *error;
};

static enum aimg_status define_number(struct work *work, uint32_t ignored)
{
    (void)ignored;
    return aimg_writer_column(work->writer, "later number", AIMG_TYPE_U32, 1, 0, &work->number, work->error);
}

static enum aimg_status define_text(struct work *work, uint32_t ignored)
{
    (void)ignored;
    return aimg_writer_column(work->writer, "later text", AIMG_TYPE_UTF8, 1, 0, &work->text, work->error);
}

static enum aimg_status set_number(struct work *work, uint32_t ordinal)
{
    uint32_t number = ordinal + 1000;
    struct aimg_value value = {.column = work->number, .data = &number, .bytes = sizeof number};
    return aimg_writer_set(work->writer, ordinal, &value, work->error);
}

static enum aimg_status set_text(struct work *work, uint32_t ordinal)
{
    struct aimg_value value = {.column = work->text, .data = "later", .bytes = 5};
    return aimg_writer_set(work->writer, ordinal, &value, work->error);
}

static enum aimg_status set_numbers(struct work *work, uint32_t count)
{
    uint32_t numbers[8];
    uint8_t validity[1] = {0x5F};
    for (uint32_t k = 0; k < count; k++)
        numbers[k] = k + 2000;
    return aimg_writer_set_array(work->writer, work->number, 0, count, numbers, validity, work->error);
}

static enum aimg_status again(enum aimg_status (*what)(struct work *, uint32_t), struct work *work, uint32_t number)
{
    enum aimg_status status = what(work, number);
    if (status == AIMG_OUT_OF_MEMORY)
        status = what(work, number);
    return status == AIMG_SEQUENCE ? AIMG_OUT_OF_MEMORY : status;
}

enum aimg_status oom_set(struct aimg_writer *writer, struct aimg_error *error)
{
    struct work work = {.writer = writer, .error = error};
    enum aimg_status status = again(define_number, &work, 0);
    if (status == AIMG_OK)
        status = again(define_text, &work, 0);
    if (status == AIMG_OK)
        status = again(set_numbers, &work, 8);
    for (uint32_t k = 0; status == AIMG_OK && k < 12; k += 5) {
        status = again(set_number, &work, k);
        if (status == AIMG_OK)
            status = again(set_text, &work, k);
    }
    return status;
}

static int is_good(const struct aimg_column *column, const struct aimg_column_value *value, uint32_t ordinal)
{
    uint32_t number = 0;
    if (value->null || strncmp(column->name, "later", 5) != 0)
        return 1;
    if (column->type == AIMG_TYPE_UTF8)
        return value->bytes == 5 && memcmp(value->data, "later", 5) == 0;
    memcpy(&number, value->data, sizeof number);
    return value->bytes == sizeof number && (number == ordinal + 1000 || number == ordinal + 2000);
}

static enum aimg_status read_column(const struct aimg_reader *reader, const struct aimg_column *column,
                                    uint32_t (*first_ordinal)(uint32_t ordinal), struct aimg_error *error)
{
    struct aimg_values *values = NULL;
    struct aimg_column_value value;
    enum aimg_status status = aimg_values_create(reader, column->index, 0, &values, error);
    while (status == AIMG_OK) {
        status = aimg_values_next(values, &value, error);
        if (status == AIMG_OK && !is_good(column, &value, first_ordinal(value.ordinal)))
            status = AIMG_CORRUPT;
    }
    aimg_values_destroy(values);
    return status == AIMG_END ? AIMG_OK : status;
}

enum aimg_status oom_set_read(const struct aimg_reader *reader, uint32_t (*first_ordinal)(uint32_t ordinal),
                              struct aimg_error *error)
{
    struct aimg_column column;
    enum aimg_status status = AIMG_OK;
    for (uint32_t index = 0; status == AIMG_OK && aimg_reader_column(reader, index, &column, error) == AIMG_OK; index++)
        status = read_column(reader, &column, first_ordinal, error);
    return status;
}
