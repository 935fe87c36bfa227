/* SPDX-License-Identifier: Apache-2.0 */
/* Records of ROOT: what is written is read, at the limits; every rule; no byte outside the buffer. */
#include "random.h"
#include "root.h"
#include "table.h"
#include "test.h"

enum { FILE_END = 1 << 20 };

/* Bytes of a record that are changed, and the rule that then is broken. */
struct change {
    unsigned at, bytes;
    uint64_t value;
    unsigned rule;
};

static void apply(uint8_t *record, const struct change *change)
{
    for (unsigned b = 0; b < change->bytes; b++)
        record[change->at + b] = (uint8_t)(change->value >> 8 * b);
}

static struct aimg_root_head sample_head(void)
{
    struct aimg_root_head head = {.part_count = 3,
                                  .column_count = 2,
                                  .coding_count = 1,
                                  .ordinal_count = 100,
                                  .listed_count = 80,
                                  .dead_count = 15,
                                  .live_stored_bytes = 12345,
                                  .meta_offset = 16384,
                                  .meta_bytes = 99};
    memset(head.meta_hash, 0x21, sizeof head.meta_hash);
    return head;
}

static void check_head(void)
{
    static const struct change changes[] = {
        {0, 1, 'B', 37},
        {8, 4, AIMG_PART_MAX, 0},
        {8, 4, AIMG_PART_MAX + 1, 37},
        {12, 4, AIMG_COLUMN_MAX, 0},
        {12, 4, AIMG_COLUMN_MAX + 1, 37},
        {16, 4, AIMG_CODING_MAX, 0},
        {16, 4, AIMG_CODING_MAX + 1, 37},
        {20, 4, 1, 37},
        {24, 8, AIMG_ORDINAL_LIMIT, 0},
        {24, 8, AIMG_ORDINAL_LIMIT + UINT64_C(1), 37},
        {24, 8, 94, 65},
        {24, 8, 95, 0},
        {32, 8, 85, 0},
        {32, 8, 86, 65},
        {32, 8, UINT64_MAX, 65},
        {40, 8, 20, 0},
        {40, 8, 21, 65},
        {40, 8, 101, 65},
        {40, 8, UINT64_MAX, 65},
        {56, 8, 0, 69},
        {64, 8, AIMG_META_MAX_BYTES, 0},
        {64, 8, AIMG_META_MAX_BYTES + 1, 69},
        {88, 8, 1, 37},
    };
    struct aimg_root_head head = sample_head(), read;
    uint8_t *record = test_guarded(AIMG_ROOT_HEAD_BYTES);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        aimg_root_head_encode(&head, record);
        apply(record, &changes[i]);
        if (!EXPECT_EQ_UINT(aimg_root_head_decode(record, &read), changes[i].rule))
            fprintf(stderr, "  change %zu\n", i);
    }
    aimg_root_head_encode(&head, record);
    EXPECT_EQ_UINT(aimg_root_head_decode(record, &read), 0);
    EXPECT(read.part_count == 3 && read.column_count == 2 && read.coding_count == 1 && read.ordinal_count == 100);
    EXPECT(read.listed_count == 80 && read.dead_count == 15 && read.live_stored_bytes == 12345);
    EXPECT(read.meta_offset == 16384 && read.meta_bytes == 99);
    EXPECT_EQ_BYTES(read.meta_hash, head.meta_hash, sizeof head.meta_hash);
    struct aimg_root_head without = {.part_count = 0};
    aimg_root_head_encode(&without, record);
    EXPECT_EQ_UINT(aimg_root_head_decode(record, &read), 0);
    record[87] = 1; /* a hash of metadata that is not there */
    EXPECT_EQ_UINT(aimg_root_head_decode(record, &read), 69);
}

static struct aimg_part sample_part(void)
{
    struct aimg_part part = {.type = AIMG_FRAME_MASK,
                             .section_count = 2,
                             .first = 10,
                             .count = 20,
                             .offset = AIMG_HEAD_BYTES + 16,
                             .bytes = 1000,
                             .dead = 5,
                             .attached = 15};
    memset(part.tail_hash, 0x61, sizeof part.tail_hash);
    return part;
}

static void check_part(void)
{
    static const struct change changes[] = {
        {0, 1, 2, 37},
        {0, 1, 9, 37},
        {0, 1, 0, 37},
        {0, 1, AIMG_FRAME_RUN, 37},
        {0, 1, AIMG_FRAME_VALUES, 37},
        {1, 1, 1, 37},
        {2, 2, 4097, 37},
        {2, 2, 20, 41},
        {2, 2, 19, 0},
        {4, 4, 1, 37},
        {8, 4, UINT32_MAX - 20, 0},
        {8, 4, UINT32_MAX - 19, 37},
        {12, 4, 0, 37},
        {12, 4, 19, 62},
        {16, 8, AIMG_HEAD_BYTES - 48, 41},
        {16, 8, AIMG_HEAD_BYTES + 24, 41},
        {16, 8, AIMG_HEAD_BYTES + 20, 41},
        {16, 8, FILE_END + 16, 41},
        {16, 8, FILE_END - 48, 41},
        {16, 8, UINT64_MAX - 47, 41},
        {24, 8, 159, 41},
        {24, 8, 160, 0},
        {24, 8, FILE_END, 41},
        {24, 8, UINT64_MAX, 41},
        {24, 8, FILE_END - AIMG_HEAD_BYTES - 16 - 48, 0},
        {24, 8, FILE_END - AIMG_HEAD_BYTES - 16 - 47, 41},
        {48, 4, 6, 62},
        {52, 4, 16, 62},
        {52, 4, UINT32_MAX, 62},
        {48, 4, 21, 62},
        {56, 8, 1, 37},
        {63, 1, 1, 37},
    };
    struct aimg_part part = sample_part(), read;
    uint8_t *record = test_guarded(AIMG_PART_BYTES);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        aimg_part_encode(&part, record);
        apply(record, &changes[i]);
        if (!EXPECT_EQ_UINT(aimg_part_decode(record, FILE_END, &read), changes[i].rule))
            fprintf(stderr, "  change %zu\n", i);
    }
    aimg_part_encode(&part, record);
    EXPECT_EQ_UINT(aimg_part_decode(record, FILE_END, &read), 0);
    EXPECT(read.type == AIMG_FRAME_MASK && read.section_count == 2 && read.column == 0 && read.first == 10 && read.count == 20);
    EXPECT(read.offset == part.offset && read.bytes == 1000 && read.dead == 5 && read.attached == 15);
    EXPECT_EQ_BYTES(read.tail_hash, part.tail_hash, sizeof part.tail_hash);
    part = (struct aimg_part){
        .type = AIMG_FRAME_VALUES, .section_count = 1, .column = 7, .count = 1, .offset = AIMG_HEAD_BYTES + 16, .bytes = 200};
    aimg_part_encode(&part, record);
    EXPECT_EQ_UINT(aimg_part_decode(record, FILE_END, &read), 0);
    part = (struct aimg_part){
        .type = AIMG_FRAME_NAMES, .section_count = 1, .first = 1, .count = 1, .offset = AIMG_HEAD_BYTES + 16, .bytes = 200};
    aimg_part_encode(&part, record);
    EXPECT_EQ_UINT(aimg_part_decode(record, FILE_END, &read), 37);
}

/* The order of ROOT, against one that compares number after number. */
static void check_order(void)
{
    uint64_t random = 9;
    for (unsigned i = 0; i < 4000; i++) {
        struct aimg_part a = {.type = 3}, b = {.type = 3};
        a.type = (uint8_t)(3 + random_below(&random, 2));
        b.type = (uint8_t)(3 + random_below(&random, 2));
        a.column = (uint32_t)random_below(&random, 2) * UINT32_MAX;
        b.column = (uint32_t)random_below(&random, 2) * UINT32_MAX;
        a.first = (uint32_t)random_below(&random, 2) * UINT32_MAX;
        b.first = (uint32_t)random_below(&random, 2) * UINT32_MAX;
        a.offset = random_below(&random, 3) << 62;
        b.offset = random_below(&random, 3) << 62;
        uint64_t numbers[4][2] = {{a.type, b.type}, {a.column, b.column}, {a.first, b.first}, {a.offset, b.offset}};
        int expected = 0;
        for (unsigned k = 0; k < 4 && expected == 0; k++)
            expected = numbers[k][0] < numbers[k][1] ? -1 : numbers[k][0] > numbers[k][1];
        EXPECT_EQ_INT(aimg_part_compare(&a, &b), expected);
    }
}

static unsigned decode_column(const struct aimg_column_record *column, const char *name, const struct change *change,
                              size_t bytes, struct aimg_column_record *read)
{
    uint8_t scratch[AIMG_COLUMN_RECORD_BYTES + 272];
    const uint8_t *name_read = NULL;
    size_t total = aimg_column_record_total(column->name_bytes);
    aimg_column_record_encode(column, name, scratch);
    if (change != NULL)
        apply(scratch, change);
    uint8_t *record = test_guarded(bytes);
    memcpy(record, scratch, bytes < total ? bytes : total);
    unsigned rule = aimg_column_record_decode(record, bytes, read, &name_read);
    if (rule == 0)
        EXPECT(name_read == record + AIMG_COLUMN_RECORD_BYTES && memcmp(name_read, name, column->name_bytes) == 0);
    return rule;
}

static void check_column(void)
{
    static const struct change changes[] = {
        {0, 4, 0, 60},     {4, 1, 0, 60},     {4, 1, 17, 60}, {5, 1, 1, 60},  {5, 1, 2, 60}, {6, 2, 0, 60},
        {6, 2, 256, 37},   {6, 2, 4, 37},     {8, 4, 0, 60},  {8, 4, 2, 60},  {12, 4, 0, 0}, {4, 1, 13, 60},
        {16, 1, 0x1F, 60}, {16, 1, 0xFF, 60}, {21, 1, 1, 37}, {23, 1, 1, 37},
    };
    struct aimg_column_record column = {.id = 9, .type = 15, .width = 1, .name_bytes = 5, .dictionary_count = 70}, read;
    EXPECT_EQ_UINT(aimg_column_record_total(5), 24);
    EXPECT_EQ_UINT(aimg_column_record_total(8), 24);
    EXPECT_EQ_UINT(aimg_column_record_total(9), 32);
    EXPECT_EQ_UINT(decode_column(&column, "label", NULL, 24, &read), 0);
    EXPECT(read.id == 9 && read.type == 15 && read.flags == 0 && read.name_bytes == 5 && read.width == 1 &&
           read.dictionary_count == 70);
    for (size_t bytes = 0; bytes < 24; bytes++)
        EXPECT_EQ_UINT(decode_column(&column, "label", NULL, bytes, &read), 37);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++)
        if (!EXPECT_EQ_UINT(decode_column(&column, "label", &changes[i], 24, &read), changes[i].rule))
            fprintf(stderr, "  change %zu\n", i);
    char name[256];
    memset(name, 'x', sizeof name);
    column.name_bytes = 255;
    EXPECT_EQ_UINT(decode_column(&column, name, NULL, aimg_column_record_total(255), &read), 0);
    column.name_bytes = 256;
    EXPECT_EQ_UINT(decode_column(&column, name, NULL, aimg_column_record_total(256), &read), 60);
}

static void check_coding(void)
{
    static const struct change changes[] = {
        {0, 1, 0, 37},
        {0, 1, 1, 37},
        {0, 1, 255, 0},
        {1, 1, 9, 0},
        {2, 1, 1, 37},
        {7, 1, 1, 37},
        {8, 8, AIMG_HEAD_BYTES - 8, 51},
        {8, 8, AIMG_HEAD_BYTES + 4, 51},
        {8, 8, FILE_END - 148, 51},
        {8, 8, FILE_END - 152, 0},
        {8, 8, UINT64_MAX - 7, 51},
        {16, 8, 0, 51},
        {16, 8, AIMG_DICT_MAX_BYTES, 51},
        {16, 8, FILE_END - AIMG_HEAD_BYTES - 48, 0},
        {16, 8, UINT64_MAX, 51},
    };
    struct aimg_coding_record coding = {.coding = 2, .codec = 1, .offset = AIMG_HEAD_BYTES, .bytes = 100}, read;
    uint8_t *record = test_guarded(AIMG_CODING_RECORD_BYTES);
    memset(coding.hash, 0x51, sizeof coding.hash);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        aimg_coding_record_encode(&coding, record);
        apply(record, &changes[i]);
        if (!EXPECT_EQ_UINT(aimg_coding_record_decode(record, FILE_END, &read), changes[i].rule))
            fprintf(stderr, "  change %zu\n", i);
    }
    coding.bytes = AIMG_DICT_MAX_BYTES + UINT64_C(1);
    aimg_coding_record_encode(&coding, record);
    EXPECT_EQ_UINT(aimg_coding_record_decode(record, UINT64_C(1) << 40, &read), 51);
    coding.bytes = AIMG_DICT_MAX_BYTES;
    aimg_coding_record_encode(&coding, record);
    EXPECT_EQ_UINT(aimg_coding_record_decode(record, UINT64_C(1) << 40, &read), 0);
    EXPECT(read.coding == 2 && read.codec == 1 && read.offset == AIMG_HEAD_BYTES && read.bytes == AIMG_DICT_MAX_BYTES);
    EXPECT_EQ_BYTES(read.hash, coding.hash, sizeof coding.hash);
}

int main(void)
{
    check_head();
    check_part();
    check_order();
    check_column();
    check_coding();
    return test_end("test_root");
}
