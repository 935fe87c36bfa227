/* SPDX-License-Identifier: Apache-2.0 */
/* Tables: descriptors and footers, and which sections of which sizes a table may have. */
#include "random.h"
#include "table.h"
#include "test.h"

static void check_round_trip(void)
{
    uint64_t random = 1;
    uint8_t *bytes = test_guarded(AIMG_SECTION_BYTES), *tail = test_guarded(AIMG_TABLE_FOOTER_BYTES);
    for (unsigned i = 0; i < 500; i++) {
        struct aimg_section section = {.kind = (uint8_t)random_next(&random),
                                       .codec = (uint8_t)random_next(&random),
                                       .element_bytes = (uint16_t)random_next(&random),
                                       .column = (uint32_t)random_next(&random),
                                       .offset = random_next(&random),
                                       .bytes = random_next(&random),
                                       .count = random_next(&random),
                                       .raw_bytes = random_next(&random),
                                       .extra = random_next(&random)},
                            section_read;
        aimg_section_encode(&section, bytes);
        aimg_section_decode(bytes, &section_read);
        EXPECT_EQ_BYTES(&section, &section_read, sizeof section);
        struct aimg_table_footer footer = {.type = (uint8_t)random_next(&random),
                                           .section_count = (uint16_t)random_below(&random, AIMG_SECTION_MAX + 1),
                                           .column = (uint32_t)random_next(&random),
                                           .first = (uint32_t)random_next(&random),
                                           .count = (uint32_t)random_next(&random) | 1,
                                           .data_bytes = random_next(&random)},
                                 read = {.type = 0};
        random_fill(&random, footer.list_hash, sizeof footer.list_hash);
        aimg_table_footer_encode(&footer, tail);
        EXPECT_EQ_UINT(aimg_table_footer_decode(tail, &read), 0);
        EXPECT(read.type == footer.type && read.section_count == footer.section_count && read.column == footer.column);
        EXPECT(read.first == footer.first && read.count == footer.count && read.data_bytes == footer.data_bytes);
        EXPECT_EQ_BYTES(read.list_hash, footer.list_hash, sizeof footer.list_hash);
    }
    static const uint8_t must_be_zero[] = {9, 48, 63};
    for (size_t i = 0; i < sizeof must_be_zero; i++) {
        struct aimg_table_footer footer = {.type = 3, .count = 1};
        aimg_table_footer_encode(&footer, tail);
        tail[must_be_zero[i]] = 1;
        EXPECT_EQ_UINT(aimg_table_footer_decode(tail, &footer), 38);
    }
    struct aimg_table_footer none = {.type = 3, .count = 0},
                             many = {.type = 3, .count = 1, .section_count = AIMG_SECTION_MAX + 1};
    aimg_table_footer_encode(&none, tail);
    EXPECT_EQ_UINT(aimg_table_footer_decode(tail, &none), 38);
    aimg_table_footer_encode(&many, tail);
    EXPECT_EQ_UINT(aimg_table_footer_decode(tail, &many), 38);
    tail[0] = 'a';
    EXPECT_EQ_UINT(aimg_table_footer_decode(tail, &many), 38);
}

static void check_sums(void)
{
    EXPECT_EQ_UINT(aimg_table_tail_bytes(0), 64);
    EXPECT_EQ_UINT(aimg_table_tail_bytes(4096), 64 + 4096 * 48);
    EXPECT_EQ_UINT(aimg_table_list_bytes(0), 0);
    EXPECT_EQ_UINT(aimg_table_list_bytes(64), 16);
    EXPECT_EQ_UINT(aimg_table_list_bytes(4096), 16);
    EXPECT_EQ_UINT(aimg_table_list_bytes(4160), 32);
    EXPECT_EQ_UINT(aimg_bitmap_bytes(1), 8);
    EXPECT_EQ_UINT(aimg_bitmap_bytes(64), 8);
    EXPECT_EQ_UINT(aimg_bitmap_bytes(65), 16);
    EXPECT_EQ_UINT(aimg_bitmap_bytes(UINT32_MAX), UINT64_C(0x20000000));
    uint8_t bitmap[8] = {0x81, 0, 0, 0, 0, 0, 0, 0x80};
    for (uint64_t row = 0; row < 64; row++)
        EXPECT_EQ_INT(aimg_bitmap_get(bitmap, row), row == 0 || row == 7 || row == 63);
}

/* A table that is right, to be made wrong. */
struct table {
    struct aimg_table_footer footer;
    struct aimg_section sections[4];
};

static uint64_t payload_bytes(const struct table *table)
{
    return table->footer.data_bytes + aimg_table_list_bytes(table->footer.data_bytes) +
           aimg_table_tail_bytes(table->footer.section_count);
}

static void lay_out(struct table *table)
{
    uint64_t end = 0;
    for (unsigned i = 0; i < table->footer.section_count; i++) {
        table->sections[i].offset = aimg_round_up(end, AIMG_TABLE_ALIGN);
        end = table->sections[i].offset + table->sections[i].bytes;
    }
    table->footer.data_bytes = aimg_round_up(end, AIMG_TABLE_ALIGN);
}

static struct table run_table(void)
{
    struct table table = {
        .footer = {.type = AIMG_FRAME_RUN, .section_count = 4, .first = 0, .count = 10},
        .sections = {{.kind = AIMG_SECTION_ENTRIES, .element_bytes = 32, .bytes = 320, .count = 10, .raw_bytes = 320},
                     {.kind = AIMG_SECTION_NAME_TEXT, .codec = 1, .bytes = 100, .count = 10, .raw_bytes = 200, .extra = 1},
                     {.kind = AIMG_SECTION_VALUES, .element_bytes = 4, .column = 1, .bytes = 40, .count = 10, .raw_bytes = 40},
                     {.kind = AIMG_SECTION_VALIDITY, .column = 1, .bytes = 8, .count = 10, .raw_bytes = 8}}};
    lay_out(&table);
    return table;
}

static unsigned check(const struct table *table)
{
    return aimg_table_check(&table->footer, table->sections, payload_bytes(table));
}

/* What may be wrong with a RUN, one thing at a time. */
static void check_run_rules(void)
{
    struct table good = run_table(), table;
    EXPECT_EQ_UINT(check(&good), 0);
    EXPECT_EQ_UINT(aimg_table_check(&good.footer, good.sections, payload_bytes(&good) + 8), 38);
    EXPECT_EQ_UINT(aimg_table_check(&good.footer, good.sections, payload_bytes(&good) - 8), 38);
    EXPECT_EQ_UINT(aimg_table_check(&good.footer, good.sections, 0), 38);
#define WRONG(rule, change)                  \
    do {                                     \
        table = good;                        \
        change;                              \
        EXPECT_EQ_UINT(check(&table), rule); \
    } while (0)
    WRONG(38, table.footer.type = 2);
    WRONG(38, table.footer.type = 9);
    WRONG(38, table.footer.type = AIMG_FRAME_MASK);
    WRONG(38, table.footer.data_bytes += 64);
    WRONG(38, table.footer.data_bytes -= 64);
    WRONG(38, table.footer.data_bytes = UINT64_MAX - 4096);
    WRONG(38, table.sections[0].kind = 0);
    WRONG(38, table.sections[0].kind = 11);
    WRONG(38, table.sections[3].kind = AIMG_SECTION_DEAD);
    WRONG(38, table.sections[1].codec = 2);
    WRONG(38, table.sections[0].codec = 1);
    WRONG(38, table.sections[0].column = 1);
    WRONG(38, table.sections[2].column = 0);
    WRONG(38, table.sections[1].offset += 64);
    WRONG(38, table.sections[1].offset -= 64);
    WRONG(38, table.sections[1].offset += 1);
    WRONG(38, table.sections[0].bytes = UINT64_MAX);
    WRONG(39, table.sections[0].count = 11);
    WRONG(38, table.sections[0].element_bytes = 16);
    WRONG(39, table.sections[0].raw_bytes = 321);
    WRONG(38, table.sections[0].extra = 1);
    WRONG(39, table.sections[1].extra = 0);
    WRONG(39, table.sections[1].extra = 11);
    WRONG(39, table.sections[1].extra = 7);
    WRONG(38, table.sections[1].element_bytes = 1);
    WRONG(38, table.sections[2].element_bytes = 0);
    WRONG(39, table.sections[2].element_bytes = 8);
    WRONG(39, table.sections[2].count = UINT64_C(1) << 62);
    WRONG(38, table.sections[3].element_bytes = 1);
    WRONG(39, (table.sections[3].bytes = 16, table.sections[3].raw_bytes = 16));
    WRONG(38, (table.sections[3].kind = AIMG_SECTION_NAME_TEXT, table.sections[3].column = 0, table.sections[3].extra = 1,
               table.sections[3].bytes = 16, lay_out(&table)));   /* twice */
    WRONG(38, (table.footer.section_count = 1, lay_out(&table))); /* without names */
    WRONG(38, (table.sections[0] = table.sections[1], table.sections[1] = table.sections[2],
               table.sections[2] = table.sections[3], table.footer.section_count = 3, lay_out(&table))); /* without entries */
}

static void swap(struct table *table, unsigned a, unsigned b)
{
    struct aimg_section section = table->sections[a];
    table->sections[a] = table->sections[b];
    table->sections[b] = section;
    lay_out(table);
}

/* Sections may stand in any order, and then too none twice. */
static void check_order(void)
{
    struct table table = run_table();
    EXPECT(aimg_sections_ordered(table.sections, 4) && aimg_sections_ordered(table.sections, 0));
    for (unsigned a = 0; a < 4; a++) {
        for (unsigned b = a + 1; b < 4; b++) {
            table = run_table();
            swap(&table, a, b);
            EXPECT(!aimg_sections_ordered(table.sections, 4));
            EXPECT_EQ_UINT(check(&table), 0);
        }
    }
    table = run_table();
    table.sections[3] = table.sections[2]; /* side by side */
    lay_out(&table);
    EXPECT(!aimg_sections_ordered(table.sections, 4));
    EXPECT_EQ_UINT(check(&table), 38);
    swap(&table, 0, 2); /* and apart */
    EXPECT_EQ_UINT(check(&table), 38);
    table = run_table();
    table.sections[2].column = 2; /* of another column, which then stands first */
    EXPECT(!aimg_sections_ordered(table.sections, 4));
    EXPECT_EQ_UINT(check(&table), 0);
}

/* A table of one section, for the other types. */
static unsigned check_single(unsigned type, uint32_t rows, struct aimg_section section)
{
    struct table table = {.footer = {.type = (uint8_t)type, .section_count = 1, .count = rows}, .sections = {section}};
    if (section.raw_bytes == 0)
        table.sections[0].raw_bytes = section.bytes;
    lay_out(&table);
    return check(&table);
}

static struct aimg_section slots(uint64_t count, uint64_t slot_count)
{
    return (struct aimg_section){
        .kind = AIMG_SECTION_NAME_SLOTS, .element_bytes = 16, .bytes = 16 * count, .count = count, .extra = slot_count};
}

static void check_other_types(void)
{
    struct aimg_section rank = {.kind = AIMG_SECTION_RANK, .element_bytes = 4, .bytes = 4, .count = 1};
    EXPECT_EQ_UINT(check_single(AIMG_FRAME_MASK, 2048, rank), 0);
    EXPECT_EQ_UINT(check_single(AIMG_FRAME_MASK, 2049, rank), 39);
    rank.count = 2;
    rank.bytes = 8;
    EXPECT_EQ_UINT(check_single(AIMG_FRAME_MASK, 2049, rank), 0);
    EXPECT_EQ_UINT(check_single(AIMG_FRAME_NAMES, 3, rank), 38);
    struct aimg_section dead = {.kind = AIMG_SECTION_DEAD, .bytes = 8, .count = 3};
    EXPECT_EQ_UINT(check_single(AIMG_FRAME_MASK, 3, dead), 38); /* without RANK */
    EXPECT_EQ_UINT(check_single(AIMG_FRAME_NAMES, 3, slots(5, 4)), 0);
    EXPECT_EQ_UINT(check_single(AIMG_FRAME_NAMES, 3, slots(4, 4)), 0);
    EXPECT_EQ_UINT(check_single(AIMG_FRAME_NAMES, 3, slots(4, 5)), 39);
    EXPECT_EQ_UINT(check_single(AIMG_FRAME_NAMES, 3, slots(4, 0)), 39);
    EXPECT_EQ_UINT(check_single(AIMG_FRAME_NAMES, 3, slots(4 + AIMG_PROBE_MAX, 4)), 0);
    EXPECT_EQ_UINT(check_single(AIMG_FRAME_NAMES, 3, slots(5 + AIMG_PROBE_MAX, 4)), 39);
    EXPECT_EQ_UINT(check_single(AIMG_FRAME_CONTENT, 3, slots(5, 4)), 38);
    struct aimg_section content = {.kind = AIMG_SECTION_CONTENT_SLOTS, .element_bytes = 8, .bytes = 40, .count = 5, .extra = 4};
    EXPECT_EQ_UINT(check_single(AIMG_FRAME_CONTENT, 3, content), 0);
    struct aimg_section texts = {.kind = AIMG_SECTION_GROUPS, .column = 2, .bytes = 40, .count = 3, .raw_bytes = 24, .extra = 1};
    EXPECT_EQ_UINT(check_single(AIMG_FRAME_VALUES, 3, texts), 0);
    EXPECT_EQ_UINT(check_single(AIMG_FRAME_COLUMN, 3, texts), 0);
    texts.column = 0;
    EXPECT_EQ_UINT(check_single(AIMG_FRAME_VALUES, 3, texts), 38);
    struct aimg_section values = {.kind = AIMG_SECTION_VALUES, .element_bytes = 2, .column = 2, .bytes = 6, .count = 3};
    EXPECT_EQ_UINT(check_single(AIMG_FRAME_COLUMN, 3, values), 0);
    EXPECT_EQ_UINT(check_single(AIMG_FRAME_VALUES, 3, values), 38);
    struct table none = {.footer = {.type = AIMG_FRAME_COLUMN, .section_count = 0, .count = 3}};
    EXPECT_EQ_UINT(check(&none), 0);
    none.footer.type = AIMG_FRAME_RUN;
    EXPECT_EQ_UINT(check(&none), 38);
}

/* Whatever the descriptors say: what passes lies within the payload. */
static void check_random(void)
{
    static const uint64_t telling[] = {0, 1, 8, 10, 63, 64, 65, 4096, UINT32_MAX, UINT64_C(1) << 63, UINT64_MAX, UINT64_MAX - 63};
    uint64_t random = 77;
    unsigned passed = 0;
    for (unsigned i = 0; i < 200000; i++) {
        struct table table = run_table();
        uint64_t payload = payload_bytes(&table);
        struct aimg_section *section = &table.sections[random_below(&random, 4)];
        uint64_t *fields[] = {&section->offset,    &section->bytes, &section->count,
                              &section->raw_bytes, &section->extra, &table.footer.data_bytes};
        for (unsigned k = 0; k < 2; k++)
            *fields[random_below(&random, 6)] = telling[random_below(&random, 12)];
        if (aimg_table_check(&table.footer, table.sections, payload) != 0)
            continue;
        passed++;
        for (unsigned k = 0; k < 4; k++)
            EXPECT(table.sections[k].offset <= payload && table.sections[k].bytes <= payload - table.sections[k].offset);
    }
    EXPECT(passed > 0);
}

int main(void)
{
    check_round_trip();
    check_sums();
    check_run_rules();
    check_order();
    check_other_types();
    check_random();
    return test_end("test_table");
}
