/* SPDX-License-Identifier: Apache-2.0 */
/* Column types and groups of values. */
#include "column.h"
#include "random.h"
#include "test.h"

/* Element bytes, whether it may be a vector or a list, whether it may be stored narrower. */
static const struct {
    unsigned bytes;
    bool vector, narrow, groups;
} types[17] = {
    {0, false, false, false}, {1, true, false, false},  {1, true, false, false}, {2, true, true, false},  {4, true, true, false},
    {8, true, true, false},   {1, true, false, false},  {2, true, false, false}, {4, true, false, false}, {8, true, false, false},
    {2, true, false, false},  {4, true, false, false},  {8, true, false, false}, {0, false, false, true}, {0, false, false, true},
    {4, false, true, false},  {4, false, false, false},
};

static void check_types(void)
{
    for (unsigned type = 0; type < 300; type++) {
        bool known = type >= 1 && type <= 16;
        EXPECT_EQ_UINT(aimg_column_element_bytes(type), known ? types[type].bytes : 0);
        struct aimg_column_record column = {.id = 1, .type = (uint8_t)type, .width = 1};
        if (type > 255)
            continue;
        EXPECT_EQ_INT(aimg_column_shape_valid(&column), known);
        if (!known)
            continue;
        EXPECT_EQ_INT(aimg_column_in_groups(&column), types[type].groups);
        EXPECT_EQ_INT(aimg_column_may_narrow(&column), types[type].narrow);
        column.flags = AIMG_COLUMN_LIST;
        EXPECT(!aimg_column_may_narrow(&column));
        column.flags = 0;
        column.width = 3;
        EXPECT_EQ_INT(aimg_column_shape_valid(&column), types[type].vector);
        EXPECT(!aimg_column_may_narrow(&column));
        column.flags = AIMG_COLUMN_LIST;
        EXPECT_EQ_INT(aimg_column_shape_valid(&column), types[type].vector);
        EXPECT(aimg_column_in_groups(&column));
        column = (struct aimg_column_record){.id = 1, .type = (uint8_t)type, .width = 1, .dictionary_count = 1};
        EXPECT_EQ_INT(aimg_column_shape_valid(&column), type == AIMG_COLUMN_DICTIONARY);
        column = (struct aimg_column_record){.id = 1, .type = (uint8_t)type, .width = 1, .flags = 2};
        EXPECT(!aimg_column_shape_valid(&column));
        column = (struct aimg_column_record){.id = 0, .type = (uint8_t)type, .width = 1};
        EXPECT(!aimg_column_shape_valid(&column));
        column = (struct aimg_column_record){.id = 1, .type = (uint8_t)type, .width = 0};
        EXPECT(!aimg_column_shape_valid(&column));
        column.width = types[type].bytes == 0 ? 1 : AIMG_COLUMN_ROW_MAX / types[type].bytes;
        EXPECT_EQ_INT(aimg_column_shape_valid(&column), types[type].vector || types[type].groups);
        column.width++;
        EXPECT(!aimg_column_shape_valid(&column));
        column.width = UINT32_MAX;
        EXPECT(!aimg_column_shape_valid(&column));
    }
}

static void check_widths(void)
{
    for (unsigned type = 1; type <= 16; type++) {
        struct aimg_column_record column = {.id = 1, .type = (uint8_t)type, .width = 1};
        for (unsigned bytes = 1; bytes < 20; bytes++) {
            bool narrower = types[type].narrow && bytes < types[type].bytes && (bytes == 1 || bytes == 2 || bytes == 4);
            EXPECT_EQ_INT(aimg_column_width_fits(&column, bytes), bytes == types[type].bytes || narrower);
        }
        if (!types[type].vector)
            continue;
        column.width = 5;
        for (unsigned bytes = 1; bytes < 50; bytes++)
            EXPECT_EQ_INT(aimg_column_width_fits(&column, bytes), bytes == 5 * types[type].bytes);
    }
}

/* Three groups: what is written is read; each number that is wrong breaks rule 39. */
static void check_groups(void)
{
    uint8_t records[3][AIMG_GROUP_RECORD_BYTES];
    struct aimg_section section = {.codec = AIMG_CODEC_ZSTD, .bytes = 300 + 48, .count = 30, .extra = 3};
    struct aimg_group group;
    aimg_group_record_encode(100, 10, 4000, records[0]);
    aimg_group_record_encode(150, 25, 60, records[1]);
    aimg_group_record_encode(300, 30, AIMG_GROUP_MAX_BYTES, records[2]);
    EXPECT_EQ_UINT(aimg_group_decode(records[0], NULL, &section, 0, &group), 0);
    EXPECT(group.begin == 0 && group.end == 100 && group.first == 0 && group.count == 10 && group.raw_bytes == 4000);
    EXPECT_EQ_UINT(aimg_group_decode(records[1], records[0], &section, 1, &group), 0);
    EXPECT(group.begin == 100 && group.end == 150 && group.first == 10 && group.count == 15 && group.raw_bytes == 60);
    EXPECT_EQ_UINT(aimg_group_decode(records[2], records[1], &section, 2, &group), 0);
    EXPECT(group.begin == 150 && group.end == 300 && group.first == 25 && group.count == 5);
    static const struct {
        uint64_t end;
        uint32_t value_end, raw_bytes;
    } wrong[] = {
        {150, 30, 20},
        {149, 30, 20},
        {299, 30, 20},
        {301, 30, 20},
        {UINT64_MAX, 30, 20},
        {300, 25, 20},
        {300, 24, 20},
        {300, 29, 20},
        {300, 31, 20},
        {300, UINT32_MAX, 20},
        {300, 30, AIMG_GROUP_MAX_BYTES + 1},
        {300, 30, 19},
        {300, 30, 0},
        {300, 30, UINT32_MAX},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        aimg_group_record_encode(wrong[i].end, wrong[i].value_end, wrong[i].raw_bytes, records[2]);
        EXPECT_EQ_UINT(aimg_group_decode(records[2], records[1], &section, 2, &group), 39);
    }
    /* Not the last: it need not fill the section, but it must not pass it. */
    aimg_group_record_encode(299, 29, 20, records[1]);
    EXPECT_EQ_UINT(aimg_group_decode(records[1], records[0], &section, 1, &group), 39); /* 19 values need 76 bytes */
    aimg_group_record_encode(299, 29, 76, records[1]);
    EXPECT_EQ_UINT(aimg_group_decode(records[1], records[0], &section, 1, &group), 0);
    /* Plain groups are as long as their raw form. */
    section.codec = AIMG_CODEC_NONE;
    EXPECT_EQ_UINT(aimg_group_decode(records[1], records[0], &section, 1, &group), 39);
    aimg_group_record_encode(176, 29, 76, records[1]);
    EXPECT_EQ_UINT(aimg_group_decode(records[1], records[0], &section, 1, &group), 0);
}

static void check_raw(void)
{
    struct aimg_group group = {.count = 3, .raw_bytes = 12 + 7};
    uint8_t *raw = test_guarded(group.raw_bytes);
    static const uint32_t lengths[][3] = {{7, 0, 0}, {0, 0, 7},          {2, 3, 2},          {2, 3, 1}, {2, 3, 3},
                                          {8, 0, 0}, {UINT32_MAX, 7, 0}, {UINT32_MAX, 1, 7}, {0, 0, 0}};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        for (unsigned k = 0; k < 3; k++)
            aimg_store32(raw + 4 * k, lengths[i][k]);
        EXPECT_EQ_UINT(aimg_group_check_raw(raw, &group), i < 3 ? 0 : 39);
    }
}

int main(void)
{
    check_types();
    check_widths();
    check_groups();
    check_raw();
    return test_end("test_column");
}
