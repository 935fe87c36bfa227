/* SPDX-License-Identifier: Apache-2.0 */
#include "model_sample.h"

#include "random.h"

#include <stdio.h>
#include <string.h>

const struct model_column model_columns[MODEL_COLUMNS] = {
    {"score", AIMG_TYPE_F32, 1, 0},  {"label", AIMG_TYPE_DICTIONARY, 1, 0}, {"width", AIMG_TYPE_U32, 1, 0},
    {"mask", AIMG_TYPE_IMAGE, 1, 0}, {"caption", AIMG_TYPE_UTF8, 1, 0},     {"good", AIMG_TYPE_BOOL, 1, 0},
    {"box", AIMG_TYPE_F32, 4, 0},    {"raw", AIMG_TYPE_BYTES, 1, 0},        {"big", AIMG_TYPE_U64, 1, 0},
    {"points", AIMG_TYPE_I16, 2, 1}, {"tiny", AIMG_TYPE_I8, 1, 0},          {"half", AIMG_TYPE_F16, 3, 0},
    {"place", AIMG_TYPE_U16, 1, 0},  {"tags", AIMG_TYPE_DICTIONARY, 1, 0},  {"thumb", AIMG_TYPE_IMAGE, 1, 0},
};

size_t model_element_bytes(enum aimg_type type)
{
    static const uint8_t bytes[] = {0, 1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 4, 8, 0, 0, 0, 4};
    return bytes[type];
}

size_t model_name(uint32_t number, char *out)
{
    static const char *const bad[MODEL_BAD_NAMES] = {"", "/begins", "ends/", "two//slashes", "up/../down", "back\\slash"};
    static const char *const heads[] = {"", "train/", "train/deep/er/", "日本語/", "ü", "a b ", "x."};
    if (number >= MODEL_NAMES)
        return (size_t)snprintf(out, MODEL_NAME_BYTES, "%s", bad[(number - MODEL_NAMES) % MODEL_BAD_NAMES]);
    int bytes = snprintf(out, MODEL_NAME_BYTES, "%s%u", heads[number % (sizeof heads / sizeof heads[0])], number);
    if (number % 16 == 15) { /* some are as long as names get */
        size_t target = number % 32 == 31 ? 1024 : 255;
        while ((size_t)bytes < target)
            bytes += snprintf(out + bytes, MODEL_NAME_BYTES - (size_t)bytes, "%s", bytes % 200 == 199 ? "/" : "z");
        out[bytes - 1] = 'e';
    }
    return (size_t)bytes;
}

static bool is_small(uint32_t number)
{
    return number < MODEL_CONTENTS && number % 7 == 3;
}

uint32_t model_format(uint32_t content)
{
    static const uint8_t formats[] = {AIMG_FORMAT_UNKNOWN, AIMG_FORMAT_JPEG, AIMG_FORMAT_PNG};
    return is_small(content) ? AIMG_FORMAT_UNKNOWN : formats[content % 3];
}

/* Half of them look alike, as small pictures with the same header do; others cannot be made smaller. Some have no more than a few
 * bytes, or none. */
size_t model_content(uint32_t number, uint8_t *out)
{
    static const char heads[3][9] = {"MODEL.AI", "\xFF\xD8\xFF\xE0MODL", "\x89PNG\r\n\x1A\n"};
    uint64_t random = number;
    size_t bytes = number >= MODEL_CONTENTS ? MODEL_CONTENT_BYTES : is_small(number) ? number / 7 % 12 : 40 + number;
    memset(out, (int)(number & 0xFF), bytes);
    if (number % 4 == 1)
        random_fill(&random, out, bytes);
    for (size_t i = 0; number % 2 == 0 && i < bytes; i++)
        out[i] = (uint8_t)(i * 7 + i / 3);
    if (is_small(number))
        return bytes;
    memcpy(out, heads[number % 3], 8);
    memcpy(out + 12, &number, sizeof number);
    return bytes;
}

static void put(uint64_t value, size_t bytes, bool little, uint8_t *out)
{
    uint8_t here[8];
    uint16_t v16 = (uint16_t)value;
    uint32_t v32 = (uint32_t)value;
    for (size_t i = 0; i < 8; i++)
        here[i] = (uint8_t)(value >> 8 * i);
    if (!little && bytes == 2)
        memcpy(here, &v16, 2);
    else if (!little && bytes == 4)
        memcpy(here, &v32, 4);
    else if (!little && bytes == 8)
        memcpy(here, &value, 8);
    memcpy(out, here, bytes);
}

/* A number of every size, so that narrow columns become wide. */
static uint64_t element(uint32_t column, uint32_t number, uint32_t index)
{
    uint64_t random = (uint64_t)column << 40 | (uint64_t)number << 20 | index;
    uint64_t value = random_next(&random);
    if (model_columns[column].type == AIMG_TYPE_BOOL)
        return value & 1;
    static const unsigned shifts[] = {60, 57, 56, 49, 48, 33, 32, 0};
    return value >> shifts[number % 8];
}

size_t model_value(uint32_t column, uint32_t number, bool little, uint8_t *out)
{
    const struct model_column *of = &model_columns[column];
    size_t bytes = model_element_bytes(of->type), count = of->width;
    if (of->type == AIMG_TYPE_IMAGE) {
        put(number, 4, little, out);
        return 4;
    }
    if (bytes == 0) { /* some are empty, one is long */
        int length = number == 0 ? 0 : snprintf((char *)out, MODEL_VALUE_BYTES, "%s %u é", of->name, number);
        for (; number % MODEL_VALUES == 31 && length < 3000; length++)
            out[length] = 'q';
        return (size_t)length;
    }
    if (of->list)
        count *= number % 5;
    for (size_t i = 0; i < count; i++)
        put(element(column, number, (uint32_t)i), bytes, little, out + i * bytes);
    return count * bytes;
}

const char *model_message(uint32_t number)
{
    static const char *const messages[MODEL_MESSAGES] = {NULL, "first", "die Überschrift", "m",
                                                         "a longer message, of some words"};
    return messages[number % MODEL_MESSAGES];
}

const char *model_key(uint32_t key)
{
    static const char *const keys[MODEL_KEYS] = {"title", "t", "licence", "zz/own key", "Ü"};
    return keys[key % MODEL_KEYS];
}

const char *model_meta_value(uint32_t number)
{
    static const char *const values[MODEL_META_VALUES] = {"", "a", "some collection", "CC-BY 4.0", "größer", "line\nline"};
    return values[number % MODEL_META_VALUES];
}
