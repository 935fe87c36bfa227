/* SPDX-License-Identifier: Apache-2.0 */
/* Writes an archive with a column of every type, an image without values, a removed image and an attachment: pack makes few of
 * these. Then MORE columns without values. */
#include <aimg/aimg.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static const uint8_t yes = 1, u8 = 255;
static const uint16_t u16 = 65535, half[] = {0x3C00, 0xC000, 0x0001, 0x7C00, 0x7E00};
static const uint32_t u32 = 4294967295u, first_ordinal = 0;
static const uint64_t u64 = UINT64_MAX;
static const int8_t i8 = -128;
static const int16_t i16 = -32768;
static const int32_t i32 = -2147483647 - 1, list[] = {3, -1, 4, -1, 5, -9};
static const int64_t i64 = -9007199254740993;
static const float single[] = {0.5f, -1.25f, 3.0f};
static const double twice = 0.1;

static const struct column {
    const char *name;
    enum aimg_type type;
    uint32_t width;
    int list;
    const void *data;
    size_t bytes;
} columns[] = {
    {"a_bool", AIMG_TYPE_BOOL, 1, 0, &yes, sizeof yes},
    {"a_u8", AIMG_TYPE_U8, 1, 0, &u8, sizeof u8},
    {"a_u16", AIMG_TYPE_U16, 1, 0, &u16, sizeof u16},
    {"a_u32", AIMG_TYPE_U32, 1, 0, &u32, sizeof u32},
    {"a_u64", AIMG_TYPE_U64, 1, 0, &u64, sizeof u64},
    {"a_i8", AIMG_TYPE_I8, 1, 0, &i8, sizeof i8},
    {"a_i16", AIMG_TYPE_I16, 1, 0, &i16, sizeof i16},
    {"a_i32", AIMG_TYPE_I32, 1, 0, &i32, sizeof i32},
    {"a_i64", AIMG_TYPE_I64, 1, 0, &i64, sizeof i64},
    {"a_f16", AIMG_TYPE_F16, 5, 0, half, sizeof half},
    {"a_f32", AIMG_TYPE_F32, 3, 0, single, sizeof single},
    {"a_f64", AIMG_TYPE_F64, 1, 0, &twice, sizeof twice},
    {"a_utf8", AIMG_TYPE_UTF8, 1, 0, "gr\xC3\xBC\xC3\x9F \"dich\"\n", 14},
    {"some_bytes", AIMG_TYPE_BYTES, 1, 0, "\0\xFFz", 3},
    {"a_label", AIMG_TYPE_DICTIONARY, 1, 0, "tench", 5},
    {"label", AIMG_TYPE_DICTIONARY, 1, 0, "two\nlines", 9},
    {"an_image", AIMG_TYPE_IMAGE, 1, 0, &first_ordinal, sizeof first_ordinal},
    {"a_list", AIMG_TYPE_I32, 1, 1, list, sizeof list},
    {"a_list_of_pairs", AIMG_TYPE_I32, 2, 1, list, sizeof list},
    {"an_empty_list", AIMG_TYPE_U8, 1, 1, "", 0},
};

static struct aimg_error error;

static int add(struct aimg_writer *writer, const char *name, const struct aimg_value *values, size_t count, uint32_t flags)
{
    struct aimg_image image = {.struct_bytes = sizeof image,
                               .name = name,
                               .name_bytes = strlen(name),
                               .data = name,
                               .data_bytes = strlen(name),
                               .values = values,
                               .value_count = count,
                               .flags = flags};

    return aimg_writer_add(writer, &image, NULL, &error) == AIMG_OK;
}

static int fill(struct aimg_writer *writer)
{
    struct aimg_value values[COUNT_OF(columns)];

    for (size_t i = 0; i < COUNT_OF(columns); i++) {
        const struct column *column = &columns[i];

        values[i] = (struct aimg_value){.data = column->data, .bytes = column->bytes};
        if (aimg_writer_column(writer, column->name, column->type, column->width, column->list, &values[i].column, &error) !=
            AIMG_OK)
            return 0;
    }
    return add(writer, "gone", NULL, 0, 0) && add(writer, "full", values, COUNT_OF(columns), 0) &&
           add(writer, "mask", values, 1, AIMG_ADD_ATTACHMENT) && add(writer, "bare", NULL, 0, 0) &&
           aimg_writer_commit(writer, "the first", &error) == AIMG_OK && aimg_writer_remove(writer, 0, &error) == AIMG_OK &&
           aimg_writer_commit(writer, "\x1B[31mred \xE2\x80\xA6", &error) == AIMG_OK;
}

static int add_columns(struct aimg_writer *writer, long more)
{
    char name[32];
    uint32_t id;

    for (long i = 0; i < more; i++) {
        snprintf(name, sizeof name, "more_%ld", i);
        if (aimg_writer_column(writer, name, AIMG_TYPE_U8, 1, 0, &id, &error) != AIMG_OK)
            return 0;
    }
    return aimg_writer_commit(writer, NULL, &error) == AIMG_OK;
}

int main(int argc, char **argv)
{
    struct aimg_writer *writer = NULL;
    int done;

    if (argc != 2 && argc != 3) {
        fputs("usage: make_columns ARCHIVE [MORE]\n", stderr);
        return 2;
    }
    done = aimg_writer_create(argv[1], NULL, &writer, &error) == AIMG_OK && fill(writer) &&
           add_columns(writer, argc == 3 ? atol(argv[2]) : 0);
    if (!done)
        fprintf(stderr, "make_columns: %s\n", error.message);
    return aimg_writer_close(writer, NULL) == AIMG_OK && done ? 0 : 1;
}
