/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

void aimg_section_encode(const struct aimg_section *section, uint8_t out[AIMG_SECTION_BYTES])
{
    out[0] = section->kind;
    out[1] = section->codec;
    aimg_store16(out + 2, section->element_bytes);
    aimg_store32(out + 4, section->column);
    aimg_store64(out + 8, section->offset);
    aimg_store64(out + 16, section->bytes);
    aimg_store64(out + 24, section->count);
    aimg_store64(out + 32, section->raw_bytes);
    aimg_store64(out + 40, section->extra);
}

void aimg_section_decode(const uint8_t in[AIMG_SECTION_BYTES], struct aimg_section *section)
{
    section->kind = in[0];
    section->codec = in[1];
    section->element_bytes = aimg_load16(in + 2);
    section->column = aimg_load32(in + 4);
    section->offset = aimg_load64(in + 8);
    section->bytes = aimg_load64(in + 16);
    section->count = aimg_load64(in + 24);
    section->raw_bytes = aimg_load64(in + 32);
    section->extra = aimg_load64(in + 40);
}

void aimg_table_footer_encode(const struct aimg_table_footer *footer, uint8_t out[AIMG_TABLE_FOOTER_BYTES])
{
    memset(out, 0, AIMG_TABLE_FOOTER_BYTES);
    memcpy(out, AIMG_TABLE_MAGIC, 8);
    out[8] = footer->type;
    aimg_store16(out + 10, footer->section_count);
    aimg_store32(out + 12, footer->column);
    aimg_store32(out + 16, footer->first);
    aimg_store32(out + 20, footer->count);
    aimg_store64(out + 24, footer->data_bytes);
    memcpy(out + 32, footer->list_hash, AIMG_HASH_BYTES);
}

unsigned aimg_table_footer_decode(const uint8_t in[AIMG_TABLE_FOOTER_BYTES], struct aimg_table_footer *footer)
{
    if (memcmp(in, AIMG_TABLE_MAGIC, 8) != 0 || in[9] != 0 || !aimg_all_zero(in + 48, 16))
        return 38;
    footer->type = in[8];
    footer->section_count = aimg_load16(in + 10);
    footer->column = aimg_load32(in + 12);
    footer->first = aimg_load32(in + 16);
    footer->count = aimg_load32(in + 20);
    footer->data_bytes = aimg_load64(in + 24);
    memcpy(footer->list_hash, in + 32, AIMG_HASH_BYTES);
    return footer->section_count > AIMG_SECTION_MAX || footer->count == 0 ? 38 : 0;
}

/* What SPEC.md section 6.1 says of each kind. */
struct kind_rule {
    uint32_t types; /* bit of each frame type that may have it */
    uint8_t width;  /* element bytes; 0: not fixed by the kind */
    bool bitmap;
    bool groups;
    bool needs_column;
};

#define IN(type) (1u << (type))
#define BLANK                     \
    {                             \
        0, 0, false, false, false \
    }

static const struct kind_rule kind_rules[] = {
    BLANK,
    [AIMG_SECTION_ENTRIES] = {IN(AIMG_FRAME_RUN), AIMG_ENTRY_BYTES, false, false, false},
    [AIMG_SECTION_NAME_TEXT] = {IN(AIMG_FRAME_RUN), 0, false, true, false},
    [AIMG_SECTION_VALUES] = {IN(AIMG_FRAME_RUN) | IN(AIMG_FRAME_COLUMN), 0, false, false, true},
    [AIMG_SECTION_GROUPS] = {IN(AIMG_FRAME_RUN) | IN(AIMG_FRAME_COLUMN) | IN(AIMG_FRAME_VALUES), 0, false, true, true},
    [AIMG_SECTION_VALIDITY] = {IN(AIMG_FRAME_RUN) | IN(AIMG_FRAME_COLUMN), 0, true, false, true},
    [AIMG_SECTION_DEAD] = {IN(AIMG_FRAME_MASK), 0, true, false, false},
    [AIMG_SECTION_ATTACHED] = {IN(AIMG_FRAME_MASK), 0, true, false, false},
    [AIMG_SECTION_RANK] = {IN(AIMG_FRAME_MASK), 4, false, false, false},
    [AIMG_SECTION_NAME_SLOTS] = {IN(AIMG_FRAME_NAMES), AIMG_NAME_SLOT_BYTES, false, false, false},
    [AIMG_SECTION_CONTENT_SLOTS] = {IN(AIMG_FRAME_CONTENT), AIMG_CONTENT_SLOT_BYTES, false, false, false},
};

/* Kinds that a table of a type must have. */
static const uint32_t required_kinds[] = {
    [AIMG_FRAME_RUN] = IN(AIMG_SECTION_ENTRIES) | IN(AIMG_SECTION_NAME_TEXT),
    [AIMG_FRAME_COLUMN] = 0,
    [AIMG_FRAME_MASK] = IN(AIMG_SECTION_RANK),
    [AIMG_FRAME_NAMES] = IN(AIMG_SECTION_NAME_SLOTS),
    [AIMG_FRAME_CONTENT] = IN(AIMG_SECTION_CONTENT_SLOTS),
    [AIMG_FRAME_VALUES] = IN(AIMG_SECTION_GROUPS),
};

static uint64_t rows_of(const struct aimg_table_footer *footer, const struct aimg_section *section)
{
    if (section->kind == AIMG_SECTION_RANK)
        return aimg_blocks(footer->count, AIMG_RANK_ROWS);
    return footer->count;
}

static bool slots_sized(const struct aimg_section *section)
{
    return section->extra >= 1 && section->count >= section->extra && section->count - section->extra <= AIMG_PROBE_MAX;
}

static bool holds_slots(const struct aimg_section *section)
{
    return section->kind == AIMG_SECTION_NAME_SLOTS || section->kind == AIMG_SECTION_CONTENT_SLOTS;
}

/* Rule 38: the width is that of the kind, and fields that it has no use for are zero. */
static bool section_well_formed(const struct aimg_section *section)
{
    const struct kind_rule *rule = &kind_rules[section->kind];
    if (rule->groups)
        return section->element_bytes == 0;
    if (section->codec != AIMG_CODEC_NONE || (!holds_slots(section) && section->extra != 0))
        return false;
    if (rule->bitmap)
        return section->element_bytes == 0;
    return section->element_bytes != 0 && (rule->width == 0 || section->element_bytes == rule->width);
}

/* Rule 39: bytes follow from count. */
static bool section_sized(const struct aimg_table_footer *footer, const struct aimg_section *section)
{
    const struct kind_rule *rule = &kind_rules[section->kind];
    if (!holds_slots(section) && section->count != rows_of(footer, section))
        return false;
    if (rule->groups)
        return section->extra >= 1 && section->extra <= section->count &&
               section->extra <= section->bytes / AIMG_GROUP_RECORD_BYTES;
    if (section->raw_bytes != section->bytes || (holds_slots(section) && !slots_sized(section)))
        return false;
    if (rule->bitmap)
        return section->bytes == aimg_bitmap_bytes(section->count);
    return section->bytes % section->element_bytes == 0 && section->bytes / section->element_bytes == section->count;
}

static unsigned check_section(const struct aimg_table_footer *footer, const struct aimg_section *section, uint64_t *end)
{
    if (section->kind == 0 || section->kind > AIMG_SECTION_CONTENT_SLOTS || section->codec > AIMG_CODEC_ZSTD)
        return 38;
    const struct kind_rule *rule = &kind_rules[section->kind];
    if ((rule->types & IN(footer->type)) == 0 || rule->needs_column != (section->column != 0))
        return 38;
    if (section->offset != aimg_round_up(*end, AIMG_TABLE_ALIGN) || section->offset > footer->data_bytes)
        return 38;
    if (section->bytes > footer->data_bytes - section->offset)
        return 38;
    *end = section->offset + section->bytes;
    if (!section_well_formed(section))
        return 38;
    return section_sized(footer, section) ? 0 : 39;
}

bool aimg_sections_ordered(const struct aimg_section *sections, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        const struct aimg_section *a = &sections[i - 1], *b = &sections[i];
        if (a->column > b->column || (a->column == b->column && a->kind >= b->kind))
            return false;
    }
    return true;
}

static bool repeats(const struct aimg_section *sections, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++)
        if (sections[i].kind == sections[index].kind && sections[i].column == sections[index].column)
            return true;
    return false;
}

unsigned aimg_table_check(const struct aimg_table_footer *footer, const struct aimg_section *sections, uint64_t payload_bytes)
{
    uint64_t end = 0;
    uint32_t kinds = 0;
    if (footer->type < AIMG_FRAME_RUN || footer->type > AIMG_FRAME_VALUES || footer->data_bytes > payload_bytes)
        return 38;
    uint64_t tail = aimg_table_list_bytes(footer->data_bytes) + aimg_table_tail_bytes(footer->section_count);
    if (payload_bytes - footer->data_bytes != tail)
        return 38;
    bool ordered = aimg_sections_ordered(sections, footer->section_count);
    for (uint32_t i = 0; i < footer->section_count; i++) {
        unsigned rule = check_section(footer, &sections[i], &end);
        if (rule != 0)
            return rule;
        if (!ordered && repeats(sections, i))
            return 38;
        kinds |= IN(sections[i].kind);
    }
    if ((kinds & required_kinds[footer->type]) != required_kinds[footer->type])
        return 38;
    if (footer->data_bytes != aimg_round_up(end, AIMG_TABLE_ALIGN))
        return 38;
    return 0;
}
